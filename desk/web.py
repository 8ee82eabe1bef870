"""网页: templates, security headers, login and rights of a request, CSRF."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import jinja2
from fastapi import Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException as StarletteHTTPException

from desk.access import rights_of, sees_item
from desk.office import SHANGHAI, Office
from desk.urls import url
from engine.words import MINUS
from store import caseload, drafts, review
from store.accounts import LoggedIn, Person, who_is
from store.calendars import office_calendar
from store.caseload import Caseload
from store.database_faults import DatabaseDamaged, DatabaseOut
from store.turns import Turns

HERE = Path(__file__).parent
COOKIE, THEME = "huiqi_session", "huiqi_theme"
LONGEST_ADDRESS, MOST_SAID = 2000, 200  # characters of an address as it is sent, and of one thing said in it
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
NAV = (
    ("today", "今日", "today"), ("matches", "名单", "matches"), ("firms", "企业", "firms"), ("items", "事项", "items"),
    ("policies", "政策", "items"), ("push", "推送", "push"), ("fulfil", "兑现", "fulfil"), ("readiness", "免申", "readiness"),
    ("data", "数据", "data"), ("runs", "比对", "runs"),
)  # fmt: skip
KEYS = (
    ("J K", "下一条、上一条"), ("↵", "看依据"), ("X", "选中或取消"), ("⇧X", "选到这里"), ("A", "通过"),
    ("R", "不纳入（再按数字选理由）"), ("Q", "问企业"), ("D", "问部门"), ("T", "转交"), ("E M", "校对时：改、改为人工判断"), ("Y N", "答 是、否"),
    ("1–9", "到那一条"), ("N P", "下一页、上一页"), ("[ ]", "左右标签"), ("/", "查找"), ("G", "从第一条开始"), ("?", "这张表"),
)  # fmt: skip


@dataclass
class Visit:
    """来访: who asks, with what rights."""

    office: Office
    login: LoggedIn
    rights: frozenset[str]

    @property
    def person(self) -> Person:
        return self.login.person

    @property
    def who(self) -> str:
        return self.login.person.login

    def may(self, right: str) -> bool:
        return right in self.rights

    def need_item(self, department: str) -> None:
        """部门范围. Raises 403 for another department's item."""
        if not sees_item(self.person, department):
            raise HTTPException(403, f"这一项归{department}，您只能看{self.person.department}的事项")


@dataclass
class Posted:
    """提交: a visit with the form's values, CSRF already checked."""

    visit: Visit
    form: FormData

    def text(self, name: str, default: str = "") -> str:
        value = self.form.get(name, default)
        return value.strip() if isinstance(value, str) else default

    def many(self, name: str) -> list[str]:
        return [v for v in self.form.getlist(name) if isinstance(v, str)]

    def whole(self, name: str, default: int = 0) -> int:
        value = self.text(name)
        return int(value) if re.fullmatch(r"\d{1,15}", value) else default


class LoginNeeded(Exception):
    """要先登录."""


def office_of(request: Request) -> Office:
    """办公室 of the application."""
    return request.app.state.office


def visit(request: Request) -> Visit:
    """来访者. Raises LoginNeeded."""
    office = office_of(request)
    secret = request.cookies.get(COOKIE, "")
    login = who_is(office.engine, secret, office.now()) if secret else None
    if login is None or "企业" in login.person.roles:
        raise LoginNeeded
    request.state.login = login
    return Visit(office, login, rights_of(login.person))


def need(right: str) -> Any:
    """要有权利: the dependency of a page; 403 where the person lacks the right."""

    def check(found: Visit = Depends(visit)) -> Visit:
        if right not in found.rights:
            raise HTTPException(403, "您的角色没有这一页的权限")
        return found

    check.__dict__["right"] = right
    return Depends(check)


def posted(right: str) -> Any:
    """要有权利的提交: rights first, then the CSRF token and the origin."""

    async def check(request: Request, found: Visit = Depends(visit)) -> Posted:
        if right and right not in found.rights:
            raise HTTPException(403, "您的角色不能做这件事")
        form = await request.form()
        check_origin(request)
        given = form.get("csrf", "")
        if not isinstance(given, str) or not hmac.compare_digest(
            given.encode("utf-8", "replace"), found.login.csrf.encode()
        ):
            raise HTTPException(403, "页面放得太久了，请回到上一页重新打开再提交；您填的内容还在那里")
        return Posted(found, form)

    check.__dict__["right"] = right
    return Depends(check)


def check_origin(request: Request) -> None:
    """来源: a form must come from our own pages. Raises 403."""
    origin = request.headers.get("origin")
    if origin and origin != "null" and urlsplit(origin).netloc != request.headers.get("host", ""):
        raise HTTPException(403, "提交不是从本系统的页面来的")
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise HTTPException(403, "提交不是从本系统的页面来的")


def pace(request: Request) -> str:
    """登录的步子: the address that tries to log in. Raises 429 where it failed too often of late."""
    office, address = office_of(request), request.client.host if request.client else ""
    if office.failures.too_many(address, office.now()):
        raise HTTPException(429, "从这里登录失败太多次了，请过一刻钟再试", {"Retry-After": "900"})
    return address


def see(address: str) -> RedirectResponse:
    """看另一页: 303 after a POST. What is said there is cut where it holds all that somebody typed: nginx takes no header of pages."""
    if len(address) > LONGEST_ADDRESS:
        path, _, query = address.partition("?")
        said = {k: v if len(v) <= MOST_SAID else v[:MOST_SAID] + "…" for k, v in parse_qsl(query, True)}
        address = f"{path}?{urlencode(said, quote_via=quote)}"
    return RedirectResponse(address, status_code=303)


def inside(address: str, default: str) -> str:
    """站内地址: `address` where it is one of the desk's own, else the default (no open redirects)."""
    return address if re.fullmatch(r"/(desk|my)/[^\\\s]*", address) and "//" not in address else default


def plain_name(given: str) -> str:
    """文件名 of an upload: its last part, without what can't be seen, short enough for any disk."""
    last = re.split(r"[/\\]", given)[-1]
    seen = re.sub(r"[\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", "", last).strip()
    stem, dot, end = seen.rpartition(".")
    stem, end = (stem, end) if dot else (seen, "")
    return f"{stem.strip(' .')[:60] or '文件'}{dot if end else ''}{end[:10]}"


# ---------------------------------------------------------------- templates


def _wan(value: float) -> str:
    return _minus(f"{value / 1e4:,.2f}")


def _minus(text: str) -> str:
    """A number as it is set: the sign of a negative one is as wide as its plus."""
    return text.replace("-", MINUS)


def _day(value: date | datetime | None) -> str:
    """6月16日"""
    if value is None:
        return "—"
    local = value.astimezone(SHANGHAI) if isinstance(value, datetime) else value
    return f"{local.month}月{local.day}日"


def _iso(value: date | datetime | None) -> str:
    if value is None:
        return "—"
    return (value.astimezone(SHANGHAI) if isinstance(value, datetime) else value).strftime("%Y-%m-%d")


def _moment(value: datetime | None) -> str:
    if value is None:
        return "—"
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    local = aware.astimezone(SHANGHAI)
    return f"{local.month}月{local.day}日 {local:%H:%M}"


def _told(value: Any) -> str:
    """记下的事 as a reader writes it: what was kept with an act is lists, tables and yes or no."""
    if isinstance(value, dict):
        return "，".join(f"{k} {_told(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return "、".join(map(_told, value))
    return (
        "—"
        if value is None or value == ""
        else {True: "是", False: "否"}[value]
        if isinstance(value, bool)
        else str(value)
    )


def templates() -> jinja2.Environment:
    """模板."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"), trim_blocks=True, lstrip_blocks=True, autoescape=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    env.globals.update(url=url, KEYS=KEYS, asset=asset)
    env.filters.update(
        wan=_wan, n=lambda x: _minus(f"{x:,}"), pct=lambda x: _minus(f"{x * 100:.0f}%"), day=_day, iso=_iso, moment=_moment,
        yuan=lambda x: _minus(f"{x:,.2f}"), told=_told,
    )  # fmt: skip
    return env


def warm_templates(env: jinja2.Environment) -> None:
    """预热模板: each is compiled before its first visitor, who would wait a tenth of a second for it."""
    for name in env.list_templates():
        env.get_template(name)


def asset(name: str) -> str:
    """静态文件地址, with a mark of its content so that a new release is fetched anew."""
    mark = hashlib.sha256((HERE / "static" / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={mark}"


def render(request: Request, template: str, status: int = 200, /, **context: Any) -> HTMLResponse:
    """网页: a template with the frame every page shares."""
    office = office_of(request)
    login: LoggedIn | None = getattr(request.state, "login", None)
    rights = rights_of(login.person) if login else frozenset()
    night = office.night() if login else None
    newest = office.newest() if login else None
    waiting = waiting_for(office, login.person, rights) if login else {}
    frame = {
        "ZONE": office.zone, "USER": login.person if login else None, "RIGHTS": rights,
        "CSRF": login.csrf if login else "", "RUN": night, "NEWEST": newest,
        "NAV": [(key, words, waiting.get(key, 0)) for key, words, right in NAV if right in rights],
        "WAITING": waiting,
        "THEME": request.cookies.get(THEME, ""), "PAGE": template.removesuffix(".html"), "HERE": _here(request),
        "TODAY": office.today(), "SHOWING": office.showing, "NOTICE": request.query_params.get("told", ""),
    }  # fmt: skip
    text = request.app.state.templates.get_template(template).render({**frame, **context})
    return HTMLResponse(text, status_code=status)


def waiting_for(office: Office, person: Person, rights: frozenset[str]) -> dict[str, int]:
    """等着的件数 by page, counted at most once a minute: drafts and proposals, grants past their day, opinions to second."""
    key = ("waiting", office.now().strftime("%Y%m%d%H%M"), person.login)
    return office.memory.get(key, lambda: _waiting(office, person, rights))


def _waiting(office: Office, person: Person, rights: frozenset[str]) -> dict[str, int]:
    out: dict[str, int] = {}
    if {"edit", "sign"} & rights:
        papers = [d for d in drafts.decompositions(office.engine) if d.state == drafts.DRAFT]
        wanted = (drafts.SUBMITTED,) if "sign" in rights else (drafts.DRAFT,)
        mine = [
            d
            for d in drafts.drafts(office.engine, states=wanted)
            if "sign" not in rights or d.author != person.login
        ]
        out["policies"] = len(papers) + len(mine)
    if "fulfil" in rights:
        load = Caseload(person.department, Turns(office.engine).firms_of(person))
        load = load.on(office.today(), office_calendar(office.engine))
        out["fulfil"] = caseload.late_count(office.engine, load)
    if "second" in rights:
        out["second"] = sum(d.who != person.login for d in review.waiting_second(office.engine))
    return out


def _here(request: Request) -> str:
    """The page's own address, without what was said once on it."""
    kept = "&".join(
        p
        for p in request.url.query.split("&")
        if p and p.split("=")[0] not in ("told", "done", "fault", "kept")
    )
    return request.url.path + (f"?{kept}" if kept else "")


# ---------------------------------------------------------------- headers and faults


async def secure(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """安全头 on every answer."""
    response = await call_next(request)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if not request.url.path.startswith("/static/"):
        response.headers.setdefault("Cache-Control", "no-store")
    else:
        response.headers.setdefault("Cache-Control", "public, max-age=31536000, immutable")
    return response


async def say_unstorable(request: Request, error: Exception) -> Response:
    """存不了的: PostgreSQL keeps no NUL in a text, and no database a number beyond its own; any other such error is a fault of ours."""
    said = str(getattr(error, "orig", error))
    if "NUL" in said:
        told = "地址或内容里有空字符（NUL），去掉后再试"
    elif "out of range" in said or "too large to convert" in said:
        told = "地址或内容里有一个数太大了，改小后再试"
    else:
        raise error
    if request.url.path.startswith("/api/"):
        return JSONResponse({"detail": told}, 422)
    return fault_page(request, 422, "没有办成", told)


OUT = "系统现在读不到数据，请过一会儿再来；管理员请看服务的日志"


async def say_unwritten(request: Request, error: Exception) -> Response:
    """没有写成: the disk is full, another program writes or no database answers; nothing was kept, which is said as it is.

    What only the server's keeper can mend, and where it lies, stands in the log and not on a page.
    """
    told = str(error.args[1])
    if isinstance(error, DatabaseOut | DatabaseDamaged):
        logging.getLogger("huiqi.desk").error("database", extra={"problem": str(error)})
        told = OUT
    if request.url.path.startswith("/api/"):
        return JSONResponse({"detail": told}, 503, {"Retry-After": "30"})
    answer = fault_page(request, 503, "现在打不开" if request.method == "GET" else "没有保存", told)
    answer.headers["Retry-After"] = "30"
    return answer


_HOMES = {"desk": ("base_desk.html", "/desk/today", "回到今日"), "my": ("my_base.html", "/my", "回收件箱")}


def fault_page(request: Request, status: int, words: str, detail: str) -> Response:
    """错误页, with the head and the way back of whoever reads it: office, firm, or anybody."""
    part = request.url.path.strip("/").split("/")[0]
    base, back, text = _HOMES.get(part, ("base_public.html", "/zone", "回到政策事项"))
    return render(request, "fault.html", status, base=base, back=back, text=text, words=words, detail=detail)


async def to_login(request: Request, _error: Exception) -> Response:
    """去登录, and back to the page afterwards."""
    if request.method != "GET":
        return see(url("login"))
    return see(url("login", next=_here(request)))


async def say_fault(request: Request, error: Exception) -> Response:
    """说明错在哪里: 403, 404 and the like as a page in plain words."""
    assert isinstance(error, StarletteHTTPException)
    words = {403: "您不能看这一页", 404: "没有这一页", 405: "这个地址不能这样用"}.get(
        error.status_code, "没有办成"
    )
    detail = (
        str(error.detail)
        if re.search(r"[一-鿿]", str(error.detail))
        else "地址可能写错了，或者内容已经不在了。"
    )
    return fault_page(request, error.status_code, words, detail)


async def say_misuse(request: Request, _error: Exception) -> Response:
    """地址不对: a part of the address that is no number or the like."""
    return fault_page(request, 404, "没有这一页", "地址里的编号或条件写错了。")
