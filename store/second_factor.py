"""动态口令: the second factor of a login: time-based codes (RFC 6238), recovery codes, and logins that wait for one."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp
from sqlalchemy import delete, func
from sqlalchemy.engine import Engine
from sqlmodel import Field, Session, SQLModel, col, select

from store import audit, sealed
from store.database import id_column, session, utc_column, writing
from store.settings import read_setting

STEP = 30  # seconds a code stands, as every authenticator app has it
DIGITS = 6
DRIFT = 1  # steps the clock of a telephone may go wrong, either way (RFC 6238, 5.2)
RECOVERY = 10  # codes made at a time
HALF_MINUTES = 10
ISSUER = "惠企直达"
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # no letter that is taken for another when written down


class SecondFactorError(ValueError):
    """动态口令错误: what was asked cannot be done; the message is for the person."""


class SecondFactor(SQLModel, table=True):
    """动态口令: a person's shared secret, sealed; it counts once `confirmed`. `last_step` is the newest one used: no code works twice."""

    __tablename__ = "second_factor"

    person: int = Field(primary_key=True, foreign_key="person.id", sa_column_kwargs={"autoincrement": False})
    secret: str = Field(max_length=400)
    last_step: int = 0
    created: datetime = Field(sa_column=utc_column())
    confirmed: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


class RecoveryCode(SQLModel, table=True):
    """恢复码: lets its person in once without the telephone; only its hash is kept."""

    __tablename__ = "recovery_code"

    id: int | None = Field(default=None, sa_column=id_column())
    person: int = Field(foreign_key="person.id", index=True)
    secret: str = Field(unique=True, max_length=64)
    used: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


class HalfLogin(SQLModel, table=True):
    """半个登录: a browser whose password was right and that still owes a code; it opens nothing else."""

    __tablename__ = "half_login"

    id: int | None = Field(default=None, sa_column=id_column())
    secret: str = Field(unique=True, max_length=64)
    person: int = Field(foreign_key="person.id", index=True)
    expires: datetime = Field(sa_column=utc_column())


@dataclass(frozen=True)
class Standing:
    """一个人的动态口令: whether it counts, the secret while it does not yet, recovery codes left, whether a role demands it."""

    confirmed: datetime | None = None
    secret: str = ""
    left: int = 0
    required: bool = False


# ---------------------------------------------------------------- the codes


def code_at(secret: str, step: int) -> str:
    """一步的口令 (RFC 4226) of the base32 secret at a counter."""
    return pyotp.HOTP(secret, digits=DIGITS).at(step)


def step_at(moment: datetime) -> int:
    """第几步: whole steps since 1970 (RFC 6238, 4.2)."""
    return int(moment.timestamp()) // STEP


def new_secret() -> str:
    """新密钥: 160 random bits in base32, as RFC 4226 recommends."""
    return pyotp.random_base32(32)


def address(secret: str, login: str) -> str:
    """otpauth 地址, for apps that take it by a link; "" without a secret."""
    made = pyotp.TOTP(secret, digits=DIGITS, interval=STEP) if secret else None
    return made.provisioning_uri(name=login, issuer_name=ISSUER) if made else ""


def tidy(code: str) -> str:
    """口令或恢复码, as typed: without blanks and hyphens, small letters."""
    return re.sub(r"[\s-]", "", code).lower()[:64]


def _hash(code: str) -> str:
    return hashlib.sha256(tidy(code).encode()).hexdigest()


def _keep(factor: SecondFactor, secret: str) -> None:
    factor.secret = sealed.seal(secret, _whose(factor.person), sealed.keys())


def _whose(person: int) -> str:
    return f"second_factor:{person}"


def _secret(factor: SecondFactor) -> str:
    """The secret, opened. Raises SecondFactorError where the key that sealed it is not here."""
    if not sealed.is_sealed(factor.secret):
        return factor.secret
    try:
        return sealed.unseal(factor.secret, _whose(factor.person), sealed.keys())
    except sealed.SealError as error:
        raise SecondFactorError(
            f"服务器打不开动态口令的密钥（{error}）：请告诉管理员；恢复码照样能用"
        ) from None


def _opens(factor: SecondFactor) -> bool:
    try:
        return bool(_secret(factor))
    except SecondFactorError:
        return False


def _step_of(factor: SecondFactor, code: str, here: int) -> int | None:
    """The step near `here` whose code it is, newer than any used before; a secret kept plain until now is sealed by it."""
    found, secret = None, _secret(factor)
    for step in range(here - DRIFT, here + DRIFT + 1):
        same = hmac.compare_digest(code_at(secret, step), code)
        if same and step > factor.last_step:
            found = step
    if found is not None and not sealed.is_sealed(factor.secret):
        _keep(factor, secret)
    return found


# ---------------------------------------------------------------- within a login


def required_roles(opened: Session) -> list[str]:
    """要用动态口令的角色, as the office set them (none unless it did)."""
    kept = read_setting(opened, "login", {}) or {}
    return list(kept.get("second_factor", []))


def owes(opened: Session, person: int, roles: Iterable[str], now: datetime) -> bool:
    """还欠一个口令: where a password alone opens nothing. Whose role demands a factor and who has none is given a secret to begin with."""
    factor = opened.get(SecondFactor, person)
    if factor is not None and factor.confirmed is not None:
        return True
    if not set(roles) & set(required_roles(opened)):
        return False
    if factor is None or not _opens(factor):  # one that cannot be opened was never confirmed: begun anew
        factor = factor or SecondFactor(person=person, secret="", created=now)
        _keep(factor, new_secret())
        opened.add(factor)
    return True


def hold(opened: Session, person: int, now: datetime) -> str:
    """记下半个登录; its secret. Old ones of the person are forgotten."""
    opened.execute(delete(HalfLogin).where(col(HalfLogin.person) == person))
    secret = secrets.token_urlsafe(32)
    kept = HalfLogin(
        secret=hashlib.sha256(secret.encode()).hexdigest(),
        person=person,
        expires=now + timedelta(minutes=HALF_MINUTES),
    )
    opened.add(kept)
    return secret


def held(opened: Session, secret: str, now: datetime) -> int | None:
    """半个登录是谁的: the person's id; None where it is unknown or too old."""
    digest = hashlib.sha256(secret.encode()).hexdigest()
    found = opened.exec(select(HalfLogin).where(HalfLogin.secret == digest)).first()
    return found.person if found is not None and found.expires > now else None


def release(opened: Session, person: int) -> None:
    """半个登录办完了."""
    opened.execute(delete(HalfLogin).where(col(HalfLogin.person) == person))


def takes(opened: Session, person: int, code: str, step: int, now: datetime) -> str:
    """口令对不对: 动态口令 or 恢复码 by what was right, "" where nothing was. What was right is used up.

    `step` is that of the real time, whatever day a demo lives on: telephones know no other.
    """
    factor = opened.exec(
        select(SecondFactor).where(SecondFactor.person == person).with_for_update()
    ).one_or_none()
    given = tidy(code)
    if factor is None or factor.confirmed is None or not given:
        return ""
    if re.fullmatch(rf"[0-9]{{{DIGITS}}}", given):
        found = _step_of(factor, given, step)
        if found is None:
            return ""
        factor.last_step = found
        opened.add(factor)
        return "动态口令"
    kept = opened.exec(
        select(RecoveryCode).where(
            RecoveryCode.person == person,
            RecoveryCode.secret == _hash(given),
            col(RecoveryCode.used).is_(None),
        )
    ).first()
    if kept is None:
        return ""
    kept.used = now
    opened.add(kept)
    return "恢复码"


def confirm(opened: Session, person: int, code: str, step: int, login: str, now: datetime) -> list[str]:
    """启用: the first right code makes the secret count; the recovery codes, told once; none where it was not right."""
    factor = opened.exec(
        select(SecondFactor).where(SecondFactor.person == person).with_for_update()
    ).one_or_none()
    if factor is None or factor.confirmed is not None:
        return []
    given = tidy(code)
    found = _step_of(factor, given, step) if re.fullmatch(rf"[0-9]{{{DIGITS}}}", given) else None
    if found is None:
        return []
    factor.confirmed, factor.last_step = now, found
    opened.add(factor)
    audit.record(opened, login, "启用动态口令", login, {}, now)
    return _new_codes(opened, person)


def _new_codes(opened: Session, person: int) -> list[str]:
    opened.execute(delete(RecoveryCode).where(col(RecoveryCode.person) == person))
    made = ["".join(secrets.choice(ALPHABET) for _ in range(16)) for _ in range(RECOVERY)]
    opened.add_all(RecoveryCode(person=person, secret=_hash(code)) for code in made)
    return ["-".join(code[i : i + 4] for i in range(0, 16, 4)) for code in made]


# ---------------------------------------------------------------- one's own page, and the administrator


def standing(engine: Engine, person: int, roles: Iterable[str]) -> Standing:
    """一个人的动态口令现在怎样."""
    with session(engine) as opened:
        factor = opened.get(SecondFactor, person)
        left = opened.exec(
            select(func.count())
            .select_from(RecoveryCode)
            .where(RecoveryCode.person == person, col(RecoveryCode.used).is_(None))
        ).one()
        required = bool(set(roles) & set(required_roles(opened)))
    if factor is None:
        return Standing(required=required)
    return Standing(
        factor.confirmed, "" if factor.confirmed or not _opens(factor) else _secret(factor), left, required
    )


def with_factor(engine: Engine) -> frozenset[int]:
    """启用了的人, by id."""
    with session(engine) as opened:
        return frozenset(
            opened.exec(select(SecondFactor.person).where(col(SecondFactor.confirmed).is_not(None)))
        )


def seals(engine: Engine, env: Mapping[str, str] = os.environ) -> sealed.Seals:
    """动态口令的密钥封存得怎样. Raises SealError where what is set is no key."""
    with session(engine) as opened:
        kept = [(f.secret, _whose(f.person)) for f in opened.exec(select(SecondFactor))]
    return sealed.counted(kept, sealed.keys(env))


def reseal(engine: Engine, by: str, now: datetime) -> int:
    """重新封存 with the first key: what is plain, and what an older key sealed; how many. Raises SealError, and nothing is changed."""
    given = sealed.demanded()
    with writing(engine) as opened:
        factors = opened.exec(select(SecondFactor).with_for_update()).all()
        for factor in factors:
            factor.secret = sealed.seal(
                sealed.unseal(factor.secret, _whose(factor.person), given), _whose(factor.person), given
            )
            opened.add(factor)
        if factors:
            audit.record(opened, by, "封存动态口令的密钥", "", {"个数": len(factors)}, now)
    return len(factors)


def begin(engine: Engine, person: int, now: datetime) -> None:
    """开始启用: a new secret that does not count yet. Raises SecondFactorError where one counts already."""
    with writing(engine) as opened:
        factor = opened.get(SecondFactor, person)
        if factor is not None and factor.confirmed is not None:
            raise SecondFactorError("动态口令已经启用了；换手机要先停用")
        factor = factor or SecondFactor(person=person, secret="", created=now)
        factor.created, factor.last_step = now, 0
        _keep(factor, new_secret())
        opened.add(factor)


def enrol(engine: Engine, person: int, code: str, step: int, login: str, now: datetime) -> list[str]:
    """在自己的页上启用; the recovery codes. Raises SecondFactorError."""
    with writing(engine) as opened:
        codes = confirm(opened, person, code, step, login, now)
    if not codes:
        raise SecondFactorError("口令不对，没有启用：请看手机的时间准不准，再填最新的 6 位数")
    return codes


def renew_codes(engine: Engine, person: int, login: str, now: datetime) -> list[str]:
    """换一批恢复码: those from before count no more. Raises SecondFactorError where nothing counts yet."""
    with writing(engine) as opened:
        factor = opened.get(SecondFactor, person)
        if factor is None or factor.confirmed is None:
            raise SecondFactorError("还没有启用动态口令")
        audit.record(opened, login, "换恢复码", login, {}, now)
        return _new_codes(opened, person)


def drop(engine: Engine, person: int, login: str, *, by: str, now: datetime) -> bool:
    """停用或重设: secret and recovery codes are forgotten; whether there was one that counted."""
    with writing(engine) as opened:
        factor = opened.get(SecondFactor, person)
        if factor is None:
            return False
        opened.execute(delete(RecoveryCode).where(col(RecoveryCode.person) == person))
        release(opened, person)
        counted = factor.confirmed is not None
        opened.delete(factor)
        audit.record(opened, by, "停用动态口令" if by == login else "重设动态口令", login, {}, now)
    return counted
