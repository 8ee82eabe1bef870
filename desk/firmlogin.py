"""企业端·统一认证登录: an enterprise comes by the provider that knows it, such as 电子营业执照; one claim names its code."""

from __future__ import annotations

import hmac
from urllib.parse import quote, unquote

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from desk import oidc
from desk.firm import COOKIE, FirmRoute, _login, _secure
from desk.web import office_of, render, see
from profiles.codes import is_code
from store import accounts

router = APIRouter(prefix="/my/login", tags=["企业"], route_class=FirmRoute)
JOURNEY = "huiqi_firm_journey"


def _provider(request: Request) -> oidc.Provider:
    found = office_of(request).firm_sign_on
    if found is None:
        raise HTTPException(404, "没有设企业的统一认证，请用登录码登录")
    return found


def _redirect(request: Request, provider: oidc.Provider) -> str:
    """回来的地址, as it is registered with the provider."""
    scheme = "https" if _secure(request) else request.url.scheme
    return provider.asked.redirect or f"{scheme}://{request.url.netloc}/my/login/back"


@router.get("/away")
def away(request: Request) -> Response:
    """去认证: what must come back is kept in the browser's own cookie."""
    provider, office, journey = _provider(request), office_of(request), oidc.Journey.begin()
    try:
        address = provider.address(journey, _redirect(request, provider), office.now())
    except oidc.SignOnError as error:
        return _login(request, failed=False, fault=str(error))
    answer = see(address)
    answer.set_cookie(
        JOURNEY, quote(journey.packed()), httponly=True, samesite="lax", secure=_secure(request), path="/my/login", max_age=600
    )  # fmt: skip
    return answer


@router.get("/back")
def back(request: Request, code: str = "", state: str = "") -> Response:
    """从认证回来: the enterprise that the signed statement names, if we hold its file."""
    provider, office = _provider(request), office_of(request)
    journey = oidc.Journey.unpacked(unquote(request.cookies.get(JOURNEY, "")))
    if journey is None or not hmac.compare_digest(journey.state.encode(), state.encode()):
        return _login(request, failed=False, fault="这次登录隔得太久，或不是从这里开始的；请重新登录")
    if not code:
        return _login(request, failed=False, fault="认证方没有同意登录")
    try:
        firm = (
            provider.subject(journey, code[:2000], _redirect(request, provider), office.now()).strip().upper()
        )
    except oidc.SignOnError as error:
        return _login(request, failed=False, fault=str(error))
    night = office.night()
    if not is_code(firm) or night is None or firm not in office.row_numbers(night):
        told = "认证已通过，但本区的档案里没有这家企业；如果登记在本区，请联系政策办核对统一社会信用代码"
        return _login(request, failed=False, fault=told)
    secret = accounts.firm_sign_on(office.engine, firm, office.name(night, firm)[:64], office.now())
    if secret is None:
        return _login(request, failed=False, fault="这家企业的账户已停用，请联系政策办")
    answer = render(request, "onward.html", onward="/my")
    answer.set_cookie(
        COOKIE, secret, httponly=True, samesite="strict", secure=_secure(request), path="/my",
        max_age=accounts.SESSION_HOURS * 3600,
    )  # fmt: skip
    answer.delete_cookie(JOURNEY, path="/my/login")
    return answer
