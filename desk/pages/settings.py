"""设置: people and roles, limits, reason codes, quiet days, the calendar of working days, tokens, webhooks; one's own sessions."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from desk import publicity
from desk.access import NAMES, RIGHTS
from desk.office import Office
from desk.urls import url
from desk.web import Posted, Visit, need, posted, render, see
from store import (
    accounts,
    audit,
    calendars,
    credentials,
    grants,
    office_settings,
    review,
    second_factor,
    webhooks,
)
from store.database import writing

router = APIRouter()
QUIET_DAYS = 7  # days between two messages to a firm unless set


@router.get("/desk/settings")
def settings_page(request: Request, visit: Visit = need("settings")) -> HTMLResponse:
    """设置."""
    office = visit.office
    push = review.setting(office.engine, "push", {}) or {}
    calendar, login = (
        calendars.office_calendar(office.engine),
        review.setting(office.engine, "login", {}) or {},
    )
    return render(
        request, "settings.html", people=accounts.people(office.engine), online=accounts.open_sessions(office.engine, office.now()),
        limit=review.second_limit(office.engine), reasons=review.all_reasons(office.engine), roles=[r for r in accounts.ROLES if r != "企业"],
        rights=RIGHTS, names=NAMES, tokens=credentials.tokens(office.engine), now=office.now(), sign_on=office.sign_on,
        quiet="\n".join(f"{a} {b}" for a, b in push.get("quiet", [])), every=int(push.get("every_days", QUIET_DAYS)),
        factors=second_factor.with_factor(office.engine), demanding=login.get("second_factor", []),
        masks=publicity.masks(office.engine), credit=publicity.shows_credit(office.engine), years=sorted(calendar.years), hooks=webhooks.hooks(office.engine), events=list(webhooks.EVENTS),
    )  # fmt: skip


@router.post("/desk/settings")
def change_settings(request: Request, given: Posted = posted("settings")) -> Response:
    """改设置: one act; a wrong one is told and nothing is kept."""
    act = ACTS.get(given.text("do"))
    try:
        if act is None:
            raise accounts.AccountError(f"没有“{given.text('do')}”这种设置")
        done = act(request, given)
    except ValueError as error:
        return see(url("settings", told=f"没有保存：{error}"))
    return done if isinstance(done, Response) else see(url("settings", told=done))


def _limit(_request: Request, given: Posted) -> str:
    wan, office = given.text("limit"), given.visit.office
    if not re.fullmatch(r"\d{1,9}(\.\d{1,6})?", wan) or not float(wan):
        raise accounts.AccountError("限额要写成大于 0 的数，单位万元，例如 50")
    review.change_setting(
        office.engine, "second_limit", float(wan) * 1e4, by=given.visit.who, now=office.now()
    )
    return f"改好了：达到 {wan} 万元要复核"


def _reasons(_request: Request, given: Posted) -> str:
    """不纳入的理由: one row a code; an empty code is no row."""
    office = given.visit.office
    overriding, retired = set(given.many("overrides")), set(given.many("retired"))
    rows = zip(given.many("code"), given.many("words"), strict=False)
    wanted = [
        review.ReasonCode(c.strip(), w.strip(), c.strip() in overriding, c.strip() in retired)
        for c, w in rows
        if c.strip()
    ]
    if given.text("new_code") or given.text("new_words"):
        new = review.ReasonCode(
            given.text("new_code"), given.text("new_words"), given.text("new_overrides") == "1"
        )
        wanted.append(new)
    review.set_reasons(office.engine, wanted, by=given.visit.who, now=office.now())
    return f"改好了：{sum(not r.retired for r in wanted)} 个理由在用"


def _new_person(_request: Request, given: Posted) -> str:
    office, by = given.visit.office, given.visit.who
    subject, password = given.text("subject"), given.text("password")
    if not password and not subject:
        raise accounts.AccountError("要有密码，或者统一认证里的编号")
    made = accounts.create_person(
        office.engine, given.text("login"), given.text("name"), given.many("role"), password, by=by, now=office.now(),
        department=given.text("department"),
    )  # fmt: skip
    if subject:
        accounts.set_subject(office.engine, made.login, subject, by=by, now=office.now())
    return f"建好了：{made.name}"


def _change_person(_request: Request, given: Posted) -> str:
    office, by, login = given.visit.office, given.visit.who, given.text("login")
    accounts.change_person(
        office.engine, login, by=by, now=office.now(), roles=given.many("role"), department=given.text("department"),
        active=given.text("active") == "1",
    )  # fmt: skip
    known = accounts.find_person(office.engine, login)
    if known is not None and "subject" in given.form and given.text("subject") != known.subject:
        accounts.set_subject(office.engine, login, given.text("subject"), by=by, now=office.now())
    return f"改好了，{login} 的会话都结束了"


def _password(_request: Request, given: Posted) -> str:
    office = given.visit.office
    accounts.set_password(
        office.engine, given.text("login"), given.text("password"), by=given.visit.who, now=office.now()
    )  # fmt: skip
    return f"{given.text('login')} 的密码改好了"


def _end_sessions(_request: Request, given: Posted) -> str:
    office = given.visit.office
    count = accounts.revoke_sessions(office.engine, given.text("login"), by=given.visit.who, now=office.now())
    return f"结束了 {count} 个会话"


def _new_token(request: Request, given: Posted) -> Response:
    office = given.visit.office
    secret = credentials.create_token(
        office.engine, given.text("login"), given.text("name"), given.many("scope"), by=given.visit.who, now=office.now()
    )  # fmt: skip
    return render(request, "token.html", secret=secret, name=given.text("name"))


def _end_token(_request: Request, given: Posted) -> str:
    credentials.revoke_token(
        given.visit.office.engine, given.whole("id"), by=given.visit.who, now=given.visit.office.now()
    )  # fmt: skip
    return "令牌收回了"


def _quiet(_request: Request, given: Posted) -> str:
    """静默: periods in which nothing interrupts a firm, one a line; how many days lie between two messages."""
    periods = [_period(line) for line in given.text("quiet").splitlines() if line.strip()]
    every = given.whole("every", -1)
    set_quiet(given.visit.office, given.visit.who, periods, every)
    return f"改好了：{len(periods)} 段静默期，两次通知至少隔 {every} 天"


def set_quiet(office: Office, who: str, periods: list[tuple[date, date]], every: int) -> None:
    """改静默: days first to last in which nothing interrupts a firm, and days between two messages. Raises ValueError."""
    if not 0 <= every <= 365:
        raise ValueError("间隔要写 0 到 365 天")
    for first, last in periods:
        if last < first:
            raise ValueError(f"“{first} {last}”的止日在起日之前")
    before = review.setting(office.engine, "push", {}) or {}
    push = {**before, "quiet": [[a.isoformat(), b.isoformat()] for a, b in periods], "every_days": every}
    review.change_setting(office.engine, "push", push, by=who, now=office.now())


def _factor(_request: Request, given: Posted) -> str:
    """动态口令: the roles that may not come in by a password alone."""
    office, roles = given.visit.office, " ".join(given.many("role"))
    office_settings.change(
        office.engine, "login", [f"second_factor={roles}"], by=given.visit.who, now=office.now()
    )
    return f"改好了：{roles.replace(' ', '、') or '没有角色'} 要用动态口令，下次登录起"


def _public(_request: Request, given: Posted) -> str:
    """公开与企业端: whether sole traders' names are masked, and whether a firm sees its own credit data."""
    office = given.visit.office
    before = review.setting(office.engine, "public", {}) or {}
    wanted = {k: given.text(k) == "1" for k in ("mask_sole_traders", "own_credit")}
    review.change_setting(office.engine, "public", {**before, **wanted}, by=given.visit.who, now=office.now())
    return "改好了"


def _period(line: str) -> tuple[date, date]:
    parts = line.split()
    try:
        first, last = (date.fromisoformat(p) for p in parts)
    except ValueError as error:
        raise ValueError(f"“{line.strip()}”要写成 2026-10-01 2026-10-07") from error
    return first, last


def _year(_request: Request, given: Posted) -> str:
    """录一年的放假和调休 as the State Council publishes them."""
    year, office = given.whole("year"), given.visit.office
    rest, work = _days(given.text("rest")), _days(given.text("work"))
    kept = enter_calendar(office, given.visit.who, year, rest, work)
    return f"{year} 年的工作日历记下了：平日放假 {len(kept)} 天，调休上班 {len(work)} 天"


def enter_calendar(
    office: Office, who: str, year: int, rest: frozenset[date], work: frozenset[date]
) -> frozenset[date]:
    """录入一年: the days off and the weekend days worked; clocks that stood open for want of it are set. Raises ValueError.

    Answers the days off that are weekdays: a notice says from when to when, and the weekends within are off anyway.
    """
    if not 2000 <= year <= 2100:
        raise ValueError("年份要写成四位数")
    if other := sorted(d for d in rest | work if d.year != year):
        raise ValueError(f"{other[0]} 不在 {year} 年")
    rest = frozenset(d for d in rest if d.isoweekday() <= 5)
    calendars.enter_year(office.engine, year, rest, work, who, office.now())
    grants.redate(office.engine, calendars.office_calendar(office.engine), office.now())
    with writing(office.engine) as opened:
        told = {"放假": sorted(d.isoformat() for d in rest), "调休": sorted(d.isoformat() for d in work)}
        audit.record(opened, who, "录工作日历", str(year), told, office.now())
    return rest


def _days(text: str) -> frozenset[date]:
    """一串日子: single days and spans (2026-10-01~2026-10-07), between spaces."""
    out: set[date] = set()
    for word in text.replace("，", " ").replace(",", " ").split():
        try:
            first, _, last = word.partition("~")
            a, b = date.fromisoformat(first), date.fromisoformat(last or first)
        except ValueError as error:
            raise ValueError(f"“{word}”要写成 2026-10-01 或 2026-10-01~2026-10-07") from error
        if not 0 <= (b - a).days <= 60:
            raise ValueError(f"“{word}”的起止不对")
        out |= {date.fromordinal(n) for n in range(a.toordinal(), b.toordinal() + 1)}
    return frozenset(out)


def _new_hook(request: Request, given: Posted) -> Response:
    office = given.visit.office
    made, secret = webhooks.add(
        office.engine, given.text("url"), given.many("event"), by=given.visit.who, now=office.now()
    )
    return render(request, "token.html", secret=secret, name=made.url, hook=True)


def _drop_hook(_request: Request, given: Posted) -> str:
    office = given.visit.office
    webhooks.drop(office.engine, given.whole("id"), by=given.visit.who, now=office.now())
    return "回调删掉了"


ACTS: dict[str, Callable[[Request, Posted], str | Response]] = {
    "改限额": _limit, "改理由": _reasons, "新建人员": _new_person, "改人员": _change_person, "重设密码": _password, "结束会话": _end_sessions,
    "新建令牌": _new_token, "收回令牌": _end_token, "改静默期": _quiet, "改公开": _public, "改动态口令": _factor, "录入一年": _year, "新建回调": _new_hook,
    "删回调": _drop_hook,
}  # fmt: skip
