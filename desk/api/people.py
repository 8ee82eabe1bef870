"""接口·人员与设置: who I am, people, limits, releasing a held night, the audit log, webhooks."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, Field

from desk.api.frame import (
    FAULTS,
    WRITES,
    Body,
    Caller,
    Done,
    JsonRoute,
    Number,
    Once,
    Page,
    PageNo,
    Short,
    Size,
    Words,
    caller,
    cut,
    writer,
)
from store import accounts, audit, credentials, review, webhooks
from store.guard import release_night

router = APIRouter(prefix="/api", tags=["人员与设置"], route_class=JsonRoute)
Role = Literal["管理员", "经办", "复核", "财政", "专员", "分析", "只读"]
Roles = Annotated[list[Role], Field(min_length=1, max_length=7)]
Event = Literal["decision", "second", "answer", "grant", "rule", "run", "correction"]


class Me(BaseModel):
    """我是谁: the person the token acts for, with rights."""

    login: str
    name: str
    roles: list[str]
    department: str
    rights: list[str]


class PersonAnswer(BaseModel):
    """一位人员."""

    login: str
    name: str
    roles: list[str]
    department: str
    active: bool


class NewPerson(Body):
    """新建人员; without a password the person comes by the office's single sign-on."""

    login: Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z._@-]{0,63}$")]
    name: Short
    roles: Roles
    department: Short = ""
    password: Annotated[str, Field(max_length=500)] = ""


class PersonChange(Body):
    """改人员: their sessions end."""

    roles: Roles
    department: Short = ""
    active: bool = True


class Release(Body):
    """放行 with the ground."""

    why: Words


class Limit(Body):
    """复核限额 in yuan."""

    second_limit: float = Field(gt=0, le=1e12)


class ReasonAnswer(Body):
    """不纳入的一个理由: `overrides` where it goes against the rule's own 符合; a retired one is kept for old opinions."""

    code: Annotated[str, Field(pattern=r"^[1-9][0-9]?$")]
    words: Annotated[str, Field(min_length=2, max_length=30)]
    overrides: bool = True
    retired: bool = False


class TokenAnswer(BaseModel):
    """一个接口令牌, without its secret."""

    id: int
    name: str
    login: str
    scopes: list[str]
    expires: datetime
    revoked: bool


class NewToken(Body):
    """新建令牌 of a person; it can do no more and lives no longer than the token it is made with."""

    login: Short
    name: Annotated[str, Field(min_length=1, max_length=64)]
    scopes: Annotated[list[Literal["read", "write"]], Field(min_length=1, max_length=2)]


class MadeToken(BaseModel):
    """新建的令牌, its secret shown once."""

    secret: str
    days: int


class View(BaseModel):
    """一个常用筛选."""

    id: int
    name: str
    url: str


class NewView(Body):
    """存常用筛选; one of the name is replaced."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    url: Annotated[str, Field(pattern=r"^/desk/[^\s\\]*$", max_length=2000)]


class Entry(BaseModel):
    """操作记录的一笔."""

    number: int
    at: datetime
    who: str
    what: str
    subject: str
    detail: dict[str, Any]
    hash: str


class Entries(Page):
    """操作记录的一页."""

    rows: list[Entry]


class HookAnswer(BaseModel):
    """一个回调; `problem` is why the last try failed."""

    id: int
    url: str
    events: list[str]
    by: str
    failures: int
    problem: str
    last_sent: datetime | None


class NewHook(Body):
    """新建回调."""

    url: Annotated[str, Field(max_length=500)]
    events: Annotated[list[Event], Field(min_length=1, max_length=7)]


class MadeHook(HookAnswer):
    """新建的回调 with the secret of its signatures, shown once."""

    secret: str


@router.get("/me", response_model=Me, responses=FAULTS)
def me(by: Caller = caller("")) -> dict[str, Any]:
    """我是谁."""
    p = by.person
    return {
        "login": p.login,
        "name": p.name,
        "roles": p.roles,
        "department": p.department,
        "rights": sorted(by.rights),
    }


@router.get("/people", response_model=list[PersonAnswer], responses=FAULTS)
def people(by: Caller = caller("settings")) -> list[dict[str, Any]]:
    """人员, by login; firms' accounts left out."""
    found = [p for p in accounts.people(by.office.engine) if "企业" not in p.roles]
    return [p.model_dump(include=set(PersonAnswer.model_fields)) for p in found]


@router.post("/people", status_code=201, response_model=PersonAnswer, responses=WRITES, dependencies=[Once])
def new_person(given: NewPerson, by: Caller = writer("settings")) -> dict[str, Any]:
    """新建人员."""
    try:
        made = accounts.create_person(
            by.office.engine, given.login, given.name, list(given.roles), given.password, by=by.who, now=by.office.now(),
            department=given.department,
        )  # fmt: skip
    except accounts.AccountError as error:
        raise HTTPException(409, f"没有保存：{error}") from error
    return made.model_dump(include=set(PersonAnswer.model_fields))


@router.post("/people/{login}", response_model=Done, responses=WRITES, dependencies=[Once])
def change_person(login: Short, given: PersonChange, by: Caller = writer("settings")) -> Done:
    """改人员: roles, department, whether they may come in."""
    try:
        accounts.change_person(
            by.office.engine, login, by=by.who, now=by.office.now(), roles=list(given.roles), department=given.department,
            active=given.active,
        )  # fmt: skip
    except accounts.AccountError as error:
        raise HTTPException(409, f"没有保存：{error}") from error
    return Done(told="改好了，这个人的会话都结束了")


@router.post("/people/{login}/sessions/end", response_model=Done, responses=WRITES, dependencies=[Once])
def end_sessions(login: Short, by: Caller = writer("settings")) -> Done:
    """结束一个人的全部会话."""
    try:
        count = accounts.revoke_sessions(by.office.engine, login, by=by.who, now=by.office.now())
    except accounts.AccountError as error:
        raise HTTPException(404, str(error)) from error
    return Done(told=f"结束了 {count} 个会话")


@router.get("/settings", response_model=Limit, responses=FAULTS)
def settings(by: Caller = caller("settings")) -> Limit:
    """设置."""
    return Limit(second_limit=review.second_limit(by.office.engine))


@router.post("/settings", response_model=Limit, responses=WRITES, dependencies=[Once])
def change_settings(given: Limit, by: Caller = writer("settings")) -> Limit:
    """改设置."""
    review.change_setting(
        by.office.engine, "second_limit", given.second_limit, by=by.who, now=by.office.now()
    )
    return given


@router.get("/reasons", response_model=list[ReasonAnswer], responses=FAULTS)
def reason_list(by: Caller = caller("matches")) -> list[dict[str, Any]]:
    """不纳入的理由, retired ones among them."""
    return [asdict(r) for r in review.all_reasons(by.office.engine)]


@router.post("/reasons", response_model=list[ReasonAnswer], responses=WRITES, dependencies=[Once])
def change_reasons(
    given: Annotated[list[ReasonAnswer], Field(min_length=1, max_length=99)], by: Caller = writer("settings")
) -> list[dict[str, Any]]:
    """改不纳入的理由, all of them; 409 where a used one would be reworded or left out."""
    wanted = [review.ReasonCode(**r.model_dump()) for r in given]
    try:
        review.set_reasons(by.office.engine, wanted, by=by.who, now=by.office.now())
    except review.ReviewError as error:
        raise HTTPException(409, f"没有保存：{error}") from error
    return reason_list(by)


@router.get("/tokens", response_model=list[TokenAnswer], responses=FAULTS)
def token_list(by: Caller = caller("settings")) -> list[dict[str, Any]]:
    """接口令牌, without secrets."""
    return [
        {"id": t.id, "name": t.name, "login": p.login, "scopes": t.scopes, "expires": t.expires, "revoked": t.revoked is not None}
        for t, p in credentials.tokens(by.office.engine)
    ]  # fmt: skip


@router.post("/tokens", status_code=201, response_model=MadeToken, responses=WRITES, dependencies=[Once])
def new_token(given: NewToken, by: Caller = writer("settings")) -> MadeToken:
    """新建令牌: no more scopes and no later end than the caller's own."""
    if set(given.scopes) - set(by.token.scopes):
        raise HTTPException(409, "没有保存：新令牌的范围不能比您的大")
    days = (by.token.expires - by.office.now()).days
    if days < 1:
        raise HTTPException(409, "没有保存：您的令牌今天就到期，请在设置页新建")
    try:
        secret = credentials.create_token(
            by.office.engine,
            given.login,
            given.name,
            list(given.scopes),
            by=by.who,
            now=by.office.now(),
            days=days,
        )
    except accounts.AccountError as error:
        raise HTTPException(409, f"没有保存：{error}") from error
    return MadeToken(secret=secret, days=days)


@router.delete("/tokens/{number}", response_model=Done, responses=FAULTS)
def end_token(number: Number, by: Caller = writer("settings")) -> Done:
    """收回令牌; doing it twice is the same as once."""
    try:
        credentials.revoke_token(by.office.engine, number, by=by.who, now=by.office.now())
    except accounts.AccountError as error:
        raise HTTPException(404, str(error)) from error
    return Done(told="收回了")


@router.get("/views", response_model=list[View], responses=FAULTS)
def view_list(by: Caller = caller("own")) -> list[dict[str, Any]]:
    """我的常用筛选."""
    found = accounts.saved_views(by.office.engine, by.person.id or 0)
    return [v.model_dump(include=set(View.model_fields)) for v in found]


@router.post("/views", response_model=list[View], responses=WRITES, dependencies=[Once])
def new_view(given: NewView, by: Caller = writer("own")) -> list[dict[str, Any]]:
    """存常用筛选."""
    try:
        accounts.save_view(by.office.engine, by.person.id or 0, given.name, given.url)
    except accounts.AccountError as error:
        raise HTTPException(409, f"没有保存：{error}") from error
    return view_list(by)


@router.delete("/views/{number}", response_model=Done, responses=FAULTS)
def drop_view(number: Number, by: Caller = writer("own")) -> Done:
    """删常用筛选: one's own; another's is left alone."""
    accounts.drop_view(by.office.engine, by.person.id or 0, number)
    return Done(told="删掉了")


@router.post("/runs/{number}/release", response_model=Done, responses=WRITES, dependencies=[Once])
def release(number: Number, given: Release, by: Caller = writer("sign")) -> Done:
    """放行 a night the guard held."""
    try:
        release_night(by.office.engine, number, by.who, given.why, by.office.now())
    except ValueError as error:
        raise HTTPException(409, f"没有放行：{error}") from error
    return Done(told="已放行")


@router.get("/audit", response_model=Entries, responses=FAULTS)
def audit_log(
    who: Annotated[Short, Query()] = "", what: Annotated[Short, Query()] = "", q: Annotated[Short, Query()] = "",
    page: PageNo = 1, size: Size = 50, by: Caller = caller("audit"),
) -> dict[str, Any]:  # fmt: skip
    """操作记录, newest first."""
    rows, total = audit.entries(
        by.office.engine, who=who, what=what, query=q, limit=size, offset=(page - 1) * size
    )  # fmt: skip
    return {
        **cut(total, page, size, None),
        "rows": [r.model_dump(include=set(Entry.model_fields)) for r in rows],
    }


# ---------------------------------------------------------------- webhooks


@router.get("/webhooks", response_model=list[HookAnswer], responses=FAULTS)
def hook_list(by: Caller = caller("settings")) -> list[dict[str, Any]]:
    """回调."""
    return [h.model_dump(include=set(HookAnswer.model_fields)) for h in webhooks.hooks(by.office.engine)]


@router.post("/webhooks", status_code=201, response_model=MadeHook, responses=WRITES, dependencies=[Once])
def new_hook(given: NewHook, by: Caller = writer("settings")) -> dict[str, Any]:
    """新建回调: it is told what happens from now on."""
    try:
        made, secret = webhooks.add(by.office.engine, given.url, given.events, by=by.who, now=by.office.now())
    except webhooks.WebhookError as error:
        raise HTTPException(409, f"没有保存：{error}") from error
    return {**made.model_dump(include=set(MadeHook.model_fields)), "secret": secret}


@router.delete("/webhooks/{number}", response_model=Done, responses=FAULTS)
def drop_hook(number: Number, by: Caller = writer("settings")) -> Done:
    """删回调; doing it twice is the same as once, so that no key is needed."""
    try:
        webhooks.drop(by.office.engine, number, by=by.who, now=by.office.now())
    except webhooks.WebhookError as error:
        raise HTTPException(404, str(error)) from error
    return Done(told="删掉了")
