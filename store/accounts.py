"""人员: people, their roles and departments, revocable sessions and lockout."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Index, func
from sqlalchemy.engine import Engine
from sqlmodel import Field, Session, SQLModel, col, select

from store import audit, second_factor
from store.database import id_column, json_column, session, utc_column, writing
from store.passwords import decoy, hashed, matches, why_weak

ROLES = ("管理员", "经办", "复核", "财政", "专员", "分析", "企业", "只读")
SESSION_HOURS = 12
IDLE_HOURS = 2
LOCK_AFTER = 5
LOCK_MINUTES = 15
SHORTEST_PASSWORD = 12


class AccountError(ValueError):
    """人员错误: what was asked cannot be done; the message is for the person."""


class Person(SQLModel, table=True):
    """人员: one login. `department` empty: sees all; `firm` only for the role 企业."""

    __tablename__ = "person"

    id: int | None = Field(default=None, sa_column=id_column())
    login: str = Field(unique=True, max_length=64)
    name: str = Field(max_length=64)
    roles: list[str] = Field(sa_column=json_column())
    department: str = Field(default="", max_length=64)
    firm: str = Field(default="", max_length=18)
    password: str = Field(default="", max_length=200)
    subject: str = Field(default="", max_length=200)
    active: bool = True
    keys: bool = True
    failed: int = 0
    locked_until: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    created: datetime = Field(sa_column=utc_column())


class WebSession(SQLModel, table=True):
    """会话: a browser that is logged in; only the hash of its secret is kept."""

    __tablename__ = "web_session"

    id: int | None = Field(default=None, sa_column=id_column())
    secret: str = Field(unique=True, max_length=64)
    person: int = Field(foreign_key="person.id", index=True)
    csrf: str = Field(max_length=64)
    created: datetime = Field(sa_column=utc_column())
    seen: datetime = Field(sa_column=utc_column())
    expires: datetime = Field(sa_column=utc_column())
    revoked: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


class FirmOfficers(SQLModel, table=True):
    """一企两专员: the two officers of a firm, by login."""

    __tablename__ = "firm_officers"

    firm: str = Field(primary_key=True, max_length=18)
    enterprise_officer: str = Field(default="", max_length=64, index=True)
    service_officer: str = Field(default="", max_length=64, index=True)


class SavedView(SQLModel, table=True):
    """常用筛选: a list's address under a name."""

    __tablename__ = "saved_view"
    __table_args__ = (Index("ix_saved_view_person_name", "person", "name", unique=True),)

    id: int | None = Field(default=None, sa_column=id_column())
    person: int = Field(foreign_key="person.id")
    name: str = Field(max_length=64)
    url: str = Field(max_length=2000)


@dataclass(frozen=True)
class LoggedIn:
    """已登录: a person with the session they come by."""

    person: Person
    session_id: int
    csrf: str


@dataclass(frozen=True)
class Entry:
    """进门: the secret of a new session; with `half`, of a login that still owes its second factor."""

    secret: str
    half: bool = False


def digest(secret: str) -> str:
    """摘要: what is kept of a secret (it is random, so that a plain hash is enough)."""
    return hashlib.sha256(secret.encode()).hexdigest()


def create_person(
    engine: Engine,
    login: str,
    name: str,
    roles: list[str],
    password: str = "",
    *,
    by: str,
    now: datetime,
    department: str = "",
    firm: str = "",
) -> Person:
    """新建人员. Raises AccountError for a taken login, an unknown role or a short password."""
    unknown = [r for r in roles if r not in ROLES]
    if unknown or not roles:
        raise AccountError(f"没有“{'、'.join(unknown) or '（空）'}”这个角色，可以是：{'、'.join(ROLES)}")
    if ("企业" in roles) != bool(firm) or ("企业" in roles and len(roles) > 1):
        raise AccountError("“企业”角色要写明企业代码，也不和别的角色并用")
    if not login.strip() or not name.strip():
        raise AccountError("登录名和姓名都要填")
    person = Person(
        login=login.strip(),
        name=name.strip(),
        roles=list(roles),
        department=department.strip(),
        firm=firm,
        password=_hash(password, login, name) if password else "",
        created=now,
    )
    with writing(engine) as opened:
        if opened.exec(select(Person).where(Person.login == person.login)).first():
            raise AccountError(f"登录名“{person.login}”已经有人用了")
        opened.add(person)
        opened.flush()
        audit.record(opened, by, "新建人员", person.login, {"角色": list(roles), "部门": department}, now)
    return person


def _hash(password: str, *about: str) -> str:
    if len(password) < SHORTEST_PASSWORD:
        raise AccountError(f"密码至少 {SHORTEST_PASSWORD} 个字符")
    if weak := why_weak(password, about):
        raise AccountError(weak)
    return hashed(password)


def set_password(engine: Engine, login: str, password: str, *, by: str, now: datetime) -> None:
    """改密码: all sessions of the person end. Raises AccountError."""
    kept = _hash(password, login)
    with writing(engine) as opened:
        person = by_login(opened, login)
        person.password, person.failed, person.locked_until = kept, 0, None
        opened.add(person)
        _revoke_all(opened, person, now)
        audit.record(opened, by, "改密码", login, {}, now)


def change_person(
    engine: Engine, login: str, *, by: str, now: datetime, roles: list[str], department: str, active: bool
) -> None:
    """改人员: roles, department, whether they may log in; their sessions end. Raises AccountError."""
    if not roles or any(r not in ROLES for r in roles):
        raise AccountError(f"角色要从这里选：{'、'.join(ROLES)}")
    with writing(engine) as opened:
        person = by_login(opened, login)
        before = {"角色": person.roles, "部门": person.department, "启用": person.active}
        person.roles, person.department, person.active = list(roles), department, active
        if not active or "管理员" not in roles:
            _keep_one_administrator(opened, login)
        opened.add(person)
        _revoke_all(opened, person, now)
        after = {"角色": list(roles), "部门": department, "启用": active}
        audit.record(opened, by, "改人员", login, {"原来": before, "改为": after}, now)


def _keep_one_administrator(opened: Session, login: str) -> None:
    others = opened.exec(select(Person).where(Person.login != login, col(Person.active))).all()
    if not any("管理员" in p.roles for p in others):
        raise AccountError("至少要留一位能登录的管理员")


def set_subject(engine: Engine, login: str, subject: str, *, by: str, now: datetime) -> None:
    """记统一认证编号: how the office's single sign-on names the person; "" for none. Raises AccountError."""
    with writing(engine) as opened:
        person = by_login(opened, login)
        if subject and (other := _of_subject(opened, subject)) is not None and other.login != login:
            raise AccountError(f"这个统一认证编号已经是 {other.login} 的")
        person.subject = subject.strip()[:200]
        opened.add(person)
        _revoke_all(opened, person, now)
        audit.record(opened, by, "记统一认证编号", login, {"编号": person.subject}, now)


def sign_on(engine: Engine, subject: str, now: datetime) -> str | None:
    """统一认证登录: the secret of a new session of the person so named, or None where nobody is, or may not come in."""
    with writing(engine) as opened:
        person = _of_subject(opened, subject) if subject else None
        if person is None or not person.active or "企业" in person.roles:
            audit.record(
                opened, subject[:64], "登录失败", subject[:200], {"原因": "统一认证编号没有对应的人员"}, now
            )
            return None
        audit.record(opened, person.login, "登录", person.login, {"方式": "统一认证"}, now)
        return _open(opened, person, now)


def _of_subject(opened: Session, subject: str) -> Person | None:
    return opened.exec(select(Person).where(Person.subject == subject)).first()


def set_keys(engine: Engine, person_id: int, on: bool) -> None:
    """快捷键: on or off for the person (WCAG 2.1.4)."""
    with writing(engine) as opened:
        person = opened.get_one(Person, person_id)
        person.keys = on
        opened.add(person)


def log_in(engine: Engine, login: str, password: str, now: datetime) -> Entry | None:
    """登录: a new session, or half of one where a second factor is owed, or None. Five failures lock the login for a quarter of an hour.

    A locked or unknown login costs the same time as a wrong password and is told no differently.
    """
    with session(engine) as opened:
        person = opened.exec(select(Person).where(Person.login == login)).first()
    usable = person is not None and person.active and bool(person.password) and "企业" not in person.roles
    right = matches(password, person.password if usable and person else decoy())
    with writing(engine) as opened:
        person = opened.exec(select(Person).where(Person.login == login)).first()
        if person is None or not usable:
            audit.record(opened, login[:64], "登录失败", login[:64], {"原因": "没有这个登录名"}, now)
            return None
        if person.locked_until is not None and person.locked_until > now:
            audit.record(opened, login, "登录失败", login, {"原因": "锁定中"}, now)
            return None
        if not right:
            _count_failure(opened, person, now)
            return None
        assert person.id is not None
        if second_factor.owes(opened, person.id, person.roles, now):
            # Failures are forgiven once the code is right too, or whoever has the password could guess codes for ever.
            return Entry(second_factor.hold(opened, person.id, now), half=True)
        return Entry(_let_in(opened, person, {}, now))


def finish_log_in(
    engine: Engine, half: str, code: str, step: int, now: datetime
) -> tuple[str, list[str]] | None:
    """办完登录: the secret of a session, and the recovery codes where this code was the first of a new factor.

    None where the code is wrong, which counts as a failure. Raises AccountError where the password has to be given again.
    """
    with writing(engine) as opened:
        held = second_factor.held(opened, half, now)
        person = opened.get(Person, held) if held is not None else None
        if person is None or not person.active:
            raise AccountError("登录隔得太久了，请重新填密码")
        assert person.id is not None
        if person.locked_until is not None and person.locked_until > now:
            audit.record(opened, person.login, "登录失败", person.login, {"原因": "锁定中"}, now)
        else:
            by = second_factor.takes(opened, person.id, code, step, now)
            codes = [] if by else second_factor.confirm(opened, person.id, code, step, person.login, now)
            if by or codes:
                second_factor.release(opened, person.id)
                return _let_in(opened, person, {"方式": f"密码和{by or '动态口令'}"}, now), codes
            _count_failure(opened, person, now, "动态口令不对")
    return None


def half_way(engine: Engine, half: str, now: datetime) -> Person | None:
    """办到一半的登录是谁的, None where it is unknown or too old."""
    with session(engine) as opened:
        held = second_factor.held(opened, half, now) if half else None
        return opened.get(Person, held) if held is not None else None


def proves(engine: Engine, person_id: int, password: str, now: datetime) -> bool:
    """再证明一次是本人: before a grave change of one's own account; a wrong password counts as a failure."""
    with session(engine) as opened:
        person = opened.get_one(Person, person_id)
    right = not person.password or matches(password, person.password)
    if right and (person.locked_until is None or person.locked_until <= now):
        return True
    with writing(engine) as opened:
        _count_failure(opened, opened.get_one(Person, person_id), now, "再问密码时不对")
    return False


def gives_code(engine: Engine, person_id: int, code: str, step: int, now: datetime) -> bool:
    """再填一次口令: as `proves`, by the second factor."""
    with writing(engine) as opened:
        person = opened.get_one(Person, person_id)
        locked = person.locked_until is not None and person.locked_until > now
        if not locked and second_factor.takes(opened, person_id, code, step, now):
            return True
        _count_failure(opened, person, now, "再问口令时不对")
    return False


def _let_in(opened: Session, person: Person, how: dict[str, str], now: datetime) -> str:
    person.failed, person.locked_until = 0, None
    opened.add(person)
    audit.record(opened, person.login, "登录", person.login, how, now)
    return _open(opened, person, now)


def _count_failure(opened: Session, person: Person, now: datetime, why_not: str = "密码不对") -> None:
    person.failed += 1
    if person.failed >= LOCK_AFTER:
        person.failed, person.locked_until = 0, now + timedelta(minutes=LOCK_MINUTES)
    opened.add(person)
    why = {"原因": why_not, "锁定": person.locked_until is not None and person.locked_until > now}
    audit.record(opened, person.login, "登录失败", person.login, why, now)


def open_session(engine: Engine, person_id: int, now: datetime) -> str:
    """开会话: for a person already proven by other means (one-time code, OIDC); the secret of the session."""
    with writing(engine) as opened:
        person = opened.get_one(Person, person_id)
        audit.record(opened, person.login, "登录", person.login, {"方式": "一次性或统一认证"}, now)
        return _open(opened, person, now)


def _open(opened: Session, person: Person, now: datetime) -> str:
    secret = secrets.token_urlsafe(32)
    assert person.id is not None
    opened.add(
        WebSession(
            secret=digest(secret),
            person=person.id,
            csrf=secrets.token_urlsafe(24),
            created=now,
            seen=now,
            expires=now + timedelta(hours=SESSION_HOURS),
        )
    )
    return secret


def firm_sign_on(engine: Engine, firm: str, firm_name: str, now: datetime) -> str | None:
    """企业用统一认证登录: the secret of a session of the account of the enterprise that the provider named, or None."""
    with writing(engine) as opened:
        return firm_in(opened, firm, firm_name, "统一认证", now)


def firm_in(opened: Session, firm: str, firm_name: str, how: str, now: datetime) -> str | None:
    """企业登录: the secret of a session of the firm's account, made when missing; None where it may not come in."""
    person = opened.exec(select(Person).where(Person.login == firm)).first()
    if person is None:
        person = Person(login=firm, name=firm_name or firm, roles=["企业"], firm=firm, created=now)
        opened.add(person)
        opened.flush()
    if not person.active or person.firm != firm:
        return None
    audit.record(opened, person.login, "登录", person.login, {"方式": how}, now)
    return _open(opened, person, now)


def who_is(engine: Engine, secret: str, now: datetime) -> LoggedIn | None:
    """会话是谁的: None where it is unknown, revoked, expired or idle too long."""
    with session(engine) as opened:
        found = opened.exec(
            select(WebSession, Person).where(
                WebSession.secret == digest(secret), WebSession.person == Person.id
            )
        ).first()
    if found is None:
        return None
    web, person = found
    idle = now - web.seen > timedelta(hours=IDLE_HOURS)
    if web.revoked is not None or web.expires <= now or idle or not person.active:
        return None
    assert web.id is not None
    if now - web.seen > timedelta(minutes=5):
        with writing(engine) as opened:
            kept = opened.get_one(WebSession, web.id)
            kept.seen = now
            opened.add(kept)
    return LoggedIn(person, web.id, web.csrf)


def log_out(engine: Engine, session_id: int, by: str, now: datetime) -> None:
    """退出: revoke one session."""
    with writing(engine) as opened:
        web = opened.get(WebSession, session_id)
        if web is None or web.revoked is not None:
            return
        web.revoked = now
        opened.add(web)
        audit.record(opened, by, "结束会话", str(session_id), {}, now)


def revoke_sessions(engine: Engine, login: str, *, by: str, now: datetime) -> int:
    """结束全部会话 of a person; the number ended."""
    with writing(engine) as opened:
        person = by_login(opened, login)
        count = _revoke_all(opened, person, now)
        audit.record(opened, by, "结束全部会话", login, {"个数": count}, now)
    return count


def revoke_others(engine: Engine, person_id: int, keep: int, *, by: str, now: datetime) -> int:
    """结束自己的其他会话, this browser's left; the number ended."""
    with writing(engine) as opened:
        person = opened.get_one(Person, person_id)
        mine = opened.get_one(WebSession, keep)
        count = _revoke_all(opened, person, now) - (mine.person == person.id)
        mine.revoked = None
        opened.add(mine)
        audit.record(opened, by, "结束其他会话", person.login, {"个数": count}, now)
        return count


def _revoke_all(opened: Session, person: Person, now: datetime) -> int:
    open_ones = opened.exec(
        select(WebSession).where(WebSession.person == person.id, col(WebSession.revoked).is_(None))
    )
    count = 0
    for web in open_ones:
        web.revoked = now
        opened.add(web)
        count += 1
    return count


def by_login(opened: Session, login: str) -> Person:
    """按登录名找人. Raises AccountError where nobody has it."""
    person = opened.exec(select(Person).where(Person.login == login)).first()
    if person is None:
        raise AccountError(f"没有登录名“{login}”")
    return person


def people(engine: Engine) -> list[Person]:
    """全部人员, by login."""
    with session(engine) as opened:
        return list(opened.exec(select(Person).order_by(Person.login)))


def find_person(engine: Engine, login: str) -> Person | None:
    """人员, by login."""
    with session(engine) as opened:
        return opened.exec(select(Person).where(Person.login == login)).first()


def find_person_in(opened: Session, word: str) -> Person | None:
    """在职人员, by login or by a name that only one person has; within the caller's transaction."""
    by_login = opened.exec(select(Person).where(Person.login == word, col(Person.active))).first()
    if by_login is not None:
        return by_login
    named = opened.exec(select(Person).where(Person.name == word, col(Person.active))).all()
    return named[0] if len(named) == 1 else None


def open_sessions(engine: Engine, now: datetime) -> dict[int, int]:
    """在线会话数 by person id."""
    with session(engine) as opened:
        rows = opened.exec(
            select(WebSession.person, func.count())
            .where(col(WebSession.revoked).is_(None), WebSession.expires > now)
            .group_by(col(WebSession.person))
        )
        return dict(rows.all())


# ---------------------------------------------------------------- officers and saved views


def set_officers(engine: Engine, firm: str, enterprise: str, service: str, *, by: str, now: datetime) -> None:
    """分派专员 of a firm (一企两专员)."""
    with writing(engine) as opened:
        row = opened.get(FirmOfficers, firm) or FirmOfficers(firm=firm)
        row.enterprise_officer, row.service_officer = enterprise, service
        opened.add(row)
        audit.record(opened, by, "分派专员", firm, {"企业专员": enterprise, "服务专员": service}, now)


def officers(engine: Engine) -> dict[str, FirmOfficers]:
    """专员 by firm."""
    with session(engine) as opened:
        return {row.firm: row for row in opened.exec(select(FirmOfficers))}


def save_view(engine: Engine, person_id: int, name: str, url: str) -> None:
    """存常用筛选: an existing one of the name is replaced. Raises AccountError."""
    if not name.strip() or not url.startswith("/desk/") or len(url) > 2000:
        raise AccountError("常用筛选要有名字，地址要在工作台里")
    with writing(engine) as opened:
        found = opened.exec(
            select(SavedView).where(SavedView.person == person_id, SavedView.name == name)
        ).first()
        view = found or SavedView(person=person_id, name=name.strip()[:64], url=url)
        view.url = url
        opened.add(view)


def drop_view(engine: Engine, person_id: int, view_id: int) -> None:
    """删常用筛选: one's own."""
    with writing(engine) as opened:
        view = opened.get(SavedView, view_id)
        if view is not None and view.person == person_id:
            opened.delete(view)


def saved_views(engine: Engine, person_id: int) -> list[SavedView]:
    """常用筛选 of a person, by name."""
    with session(engine) as opened:
        return list(
            opened.exec(select(SavedView).where(SavedView.person == person_id).order_by(SavedView.name))
        )
