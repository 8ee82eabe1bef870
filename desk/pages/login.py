"""登录与自己的设置: log in and out, theme, keys, saved views."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache, partial
from urllib.parse import quote, unquote

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from desk import oidc
from desk.urls import query, url
from desk.web import COOKIE, THEME, Posted, check_origin, inside, office_of, pace, posted, render, see
from store import accounts, passwords

router = APIRouter()
GUARD, HALF, JOURNEY, ONWARD = "huiqi_login", "huiqi_half", "huiqi_journey", "huiqi_onward"


@cache
def _threads() -> ThreadPoolExecutor:
    """登录的线程: their own, so that logins that wait for a turn to hash keep no thread of a page."""
    return ThreadPoolExecutor(2 * passwords.AT_ONCE, "login")


@router.get("/desk/login")
def login_page(request: Request, next: str = "") -> HTMLResponse:
    """登录页."""
    return _page(request, next, "", failed=False)


def _page(request: Request, next_: str, login: str, failed: bool, fault: str = "") -> HTMLResponse:
    token, provider = secrets.token_urlsafe(24), office_of(request).sign_on
    page = render(
        request, "login.html", 401 if failed or fault else 200, next=inside(next_, url("today")), login=login, failed=failed,
        token=token, fault=fault, sign_on=provider.asked.title if provider else "",
    )  # fmt: skip
    guard(request, page, GUARD, token)
    return page


@router.post("/desk/login")
async def log_in(request: Request) -> Response:
    """登录: by name and password; the form's token must equal the cookie's."""
    check_origin(request)
    form = await request.form()
    check_guard(request, GUARD, str(form.get("csrf", "")))
    office, address = office_of(request), pace(request)
    login, password = str(form.get("login", ""))[:64], str(form.get("password", ""))[:500]
    come_in = partial(copy_context().run, accounts.log_in, office.engine, login, password, office.now())
    entry = await asyncio.get_running_loop().run_in_executor(_threads(), come_in)
    if entry is None:
        office.failures.count(address, office.now())
        return _page(request, str(form.get("next", "")), login, failed=True)
    onward = inside(str(form.get("next", "")), url("today"))
    if entry.half:
        answer = see(url("code", next=onward))
        answer.set_cookie(
            HALF, entry.secret, httponly=True, samesite="strict", secure=secure(request), path="/desk/login"
        )
    else:
        answer = see(onward)
        let_in(request, answer, entry.secret)
    answer.delete_cookie(GUARD, path="/desk/login")
    return answer


def guard(request: Request, answer: Response, name: str, token: str) -> None:
    """守登录页: the cookie that the page's form must match."""
    answer.set_cookie(
        name, token, httponly=True, samesite="strict", secure=secure(request), path="/desk/login"
    )


def check_guard(request: Request, name: str, token: str) -> None:
    """核对登录页, by bytes: what a form sends need not be ASCII. Raises HTTPException."""
    cookie = request.cookies.get(name, "")
    if not cookie or not hmac.compare_digest(cookie.encode(), token.encode()):
        raise HTTPException(403, "登录页放得太久了，请重新打开再登录")


def let_in(request: Request, answer: Response, secret: str) -> None:
    """放进来: the session's cookie."""
    answer.set_cookie(
        COOKIE, secret, httponly=True, samesite="strict", secure=secure(request), path="/",
        max_age=accounts.SESSION_HOURS * 3600,
    )  # fmt: skip


@router.get("/desk/login/away")
def sign_on(request: Request, next: str = "") -> Response:
    """去统一认证: what must come back is kept in the browser's own cookie."""
    provider, office = office_of(request).sign_on, office_of(request)
    if provider is None:
        raise HTTPException(404, "没有设统一认证")
    journey = oidc.Journey.begin()
    try:
        address = provider.address(journey, _redirect(request, provider), office.now())
    except oidc.SignOnError as error:
        return _page(request, next, "", failed=False, fault=str(error))
    answer = see(address)
    for name, value in ((JOURNEY, journey.packed()), (ONWARD, inside(next, url("today")))):
        answer.set_cookie(
            name, quote(value), httponly=True, samesite="lax", secure=secure(request), path="/desk/login", max_age=600
        )  # fmt: skip
    return answer


@router.get("/desk/login/back")
def signed_on(request: Request, code: str = "", state: str = "") -> Response:
    """从统一认证回来: a page of our own goes on, so that the strict session cookie is sent with the next request."""
    provider, office = office_of(request).sign_on, office_of(request)
    if provider is None:
        raise HTTPException(404, "没有设统一认证")
    journey = oidc.Journey.unpacked(unquote(request.cookies.get(JOURNEY, "")))
    onward = inside(unquote(request.cookies.get(ONWARD, "")), url("today"))
    if journey is None or not hmac.compare_digest(journey.state.encode(), state.encode()):
        return _page(
            request, onward, "", failed=False, fault="这次登录隔得太久，或不是从这里开始的；请重新登录"
        )
    if not code:
        return _page(request, onward, "", failed=False, fault="统一认证没有同意登录")
    try:
        subject = provider.subject(journey, code[:2000], _redirect(request, provider), office.now())
    except oidc.SignOnError as error:
        return _page(request, onward, "", failed=False, fault=str(error))
    secret = accounts.sign_on(office.engine, subject, office.now())
    if secret is None:
        told = f"统一认证里的“{subject}”在这里还没有对应的人员，请管理员在 设置 里记上这个编号"
        return _page(request, onward, "", failed=False, fault=told)
    answer = render(request, "onward.html", onward=onward)
    let_in(request, answer, secret)
    for name in (JOURNEY, ONWARD):
        answer.delete_cookie(name, path="/desk/login")
    return answer


def _redirect(request: Request, provider: oidc.Provider) -> str:
    """回来的地址, as it is registered with the provider."""
    scheme = "https" if secure(request) else request.url.scheme
    return provider.asked.redirect or f"{scheme}://{request.url.netloc}/desk/login/back"


def secure(request: Request) -> bool:
    """Cookies go over TLS alone, but for a desk tried out on the machine itself."""
    return request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https"


@router.post("/desk/logout")
def log_out(request: Request, given: Posted = posted("")) -> Response:
    """退出."""
    visit = given.visit
    accounts.log_out(visit.office.engine, visit.login.session_id, visit.who, visit.office.now())
    answer = see(url("login"))
    answer.delete_cookie(COOKIE, path="/")
    return answer


@router.post("/desk/me")
def own_settings(request: Request, given: Posted = posted("")) -> Response:
    """自己的设置: theme, keys, ending one's sessions elsewhere."""
    answer = see(inside(given.text("next"), url("today")))
    if given.text("sessions") == "others":
        visit = given.visit
        assert visit.person.id is not None
        count = accounts.revoke_others(
            visit.office.engine, visit.person.id, visit.login.session_id, by=visit.who, now=visit.office.now()
        )  # fmt: skip
        return see(url("today", told=f"结束了您在别处的 {count} 个会话"))
    if given.text("theme") in ("dark", "light"):
        answer.set_cookie(THEME, given.text("theme"), samesite="lax", max_age=31_536_000, path="/")
    if given.text("keys") in ("on", "off") and given.visit.may("own"):
        assert given.visit.person.id is not None
        accounts.set_keys(given.visit.office.engine, given.visit.person.id, given.text("keys") == "on")
    return answer


@router.post("/desk/views")
def save_view(request: Request, given: Posted = posted("own")) -> Response:
    """存常用筛选, or drop one."""
    visit = given.visit
    assert visit.person.id is not None
    back = inside(given.text("url"), url("matches"))
    try:
        if given.text("drop"):
            accounts.drop_view(visit.office.engine, visit.person.id, given.whole("drop"))
        else:
            accounts.save_view(visit.office.engine, visit.person.id, given.text("name"), back)
            told = query([("told", f"存好了“{given.text('name')}”，在“名单”一页的常用筛选里")])
            back += ("&" if "?" in back else "?") + told
    except accounts.AccountError as error:
        raise HTTPException(400, str(error)) from error
    return see(back)
