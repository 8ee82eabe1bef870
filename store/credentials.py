"""凭据: what a program or a firm comes in with instead of a password, API tokens and one-time codes."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy.engine import Engine
from sqlmodel import Field, SQLModel, col, select

from store import audit
from store.accounts import AccountError, Person, by_login, digest, firm_in
from store.database import id_column, json_column, session, utc_column, writing

SCOPES = ("read", "write")


class ApiToken(SQLModel, table=True):
    """接口令牌: a secret for a program that acts for a person, within scopes."""

    __tablename__ = "api_token"

    id: int | None = Field(default=None, sa_column=id_column())
    secret: str = Field(unique=True, max_length=64)
    person: int = Field(foreign_key="person.id", index=True)
    name: str = Field(max_length=64)
    scopes: list[str] = Field(sa_column=json_column())
    created: datetime = Field(sa_column=utc_column())
    expires: datetime = Field(sa_column=utc_column())
    revoked: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


class OneTimeCode(SQLModel, table=True):
    """一次性登录码: lets one firm in once; the office sends it."""

    __tablename__ = "one_time_code"

    id: int | None = Field(default=None, sa_column=id_column())
    secret: str = Field(unique=True, max_length=64)
    firm: str = Field(max_length=18, index=True)
    made_by: str = Field(max_length=64)
    created: datetime = Field(sa_column=utc_column())
    expires: datetime = Field(sa_column=utc_column())
    used: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


def create_token(
    engine: Engine, login: str, name: str, scopes: list[str], *, by: str, now: datetime, days: int = 90
) -> str:
    """新建令牌: the secret, shown once. Raises AccountError."""
    if not scopes or any(s not in SCOPES for s in scopes):
        raise AccountError(f"令牌范围可以是：{'、'.join(SCOPES)}")
    secret = "hq_" + secrets.token_urlsafe(32)
    with writing(engine) as opened:
        person = by_login(opened, login)
        assert person.id is not None
        opened.add(
            ApiToken(
                secret=digest(secret),
                person=person.id,
                name=name,
                scopes=list(scopes),
                created=now,
                expires=now + timedelta(days=days),
            )
        )
        audit.record(opened, by, "新建令牌", login, {"名称": name, "范围": list(scopes)}, now)
    return secret


def who_has(engine: Engine, secret: str, now: datetime) -> tuple[Person, ApiToken] | None:
    """令牌是谁的: None where it is unknown, revoked or expired."""
    with session(engine) as opened:
        found = opened.exec(
            select(Person, ApiToken).where(ApiToken.secret == digest(secret), ApiToken.person == Person.id)
        ).first()
    if found is None:
        return None
    person, token = found
    if token.revoked is not None or token.expires <= now or not person.active:
        return None
    return person, token


def tokens(engine: Engine) -> list[tuple[ApiToken, Person]]:
    """全部令牌 with their owners."""
    with session(engine) as opened:
        rows = opened.exec(
            select(ApiToken, Person).where(ApiToken.person == Person.id).order_by(col(ApiToken.id))
        )
        return [(token, person) for token, person in rows]


def revoke_token(engine: Engine, token_id: int, *, by: str, now: datetime) -> None:
    """收回令牌."""
    with writing(engine) as opened:
        token = opened.get(ApiToken, token_id)
        if token is None:
            raise AccountError("没有这个令牌")
        token.revoked = now
        opened.add(token)
        audit.record(opened, by, "收回令牌", token.name, {}, now)


def make_code(engine: Engine, firm: str, *, by: str, now: datetime, hours: int = 72) -> str:
    """一次性登录码: for one firm, usable once."""
    secret = secrets.token_urlsafe(24)
    with writing(engine) as opened:
        opened.add(
            OneTimeCode(
                secret=digest(secret),
                firm=firm,
                made_by=by,
                created=now,
                expires=now + timedelta(hours=hours),
            )
        )
        audit.record(opened, by, "发登录码", firm, {}, now)
    return secret


def use_code(engine: Engine, secret: str, firm_name: str, now: datetime) -> str | None:
    """用登录码: the secret of a session of the firm's account (made when missing), or None. Works once."""
    with writing(engine) as opened:
        code = opened.exec(select(OneTimeCode).where(OneTimeCode.secret == digest(secret))).first()
        if code is None or code.used is not None or code.expires <= now:
            return None
        code.used = now
        opened.add(code)
        return firm_in(opened, code.firm, firm_name, "一次性登录码", now)


def firm_of_code(engine: Engine, secret: str) -> str:
    """登录码属于哪家企业, "" where unknown."""
    with session(engine) as opened:
        code = opened.exec(select(OneTimeCode).where(OneTimeCode.secret == digest(secret))).first()
    return code.firm if code else ""
