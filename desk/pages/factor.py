"""动态口令: the second step of a login, and one's own page to switch it on, make new recovery codes and switch it off."""

from __future__ import annotations

import re
import secrets

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from starlette.concurrency import run_in_threadpool

from desk.office import Office
from desk.pages.login import HALF, check_guard, guard, let_in
from desk.urls import url
from desk.web import Posted, Visit, check_origin, inside, need, office_of, pace, posted, render, see
from store import accounts, second_factor

router = APIRouter()
CODE_GUARD = "huiqi_code"
WRONG = "口令不对，或者已经用过：请填最新的 6 位数；没带手机就填一个恢复码。连错 5 次会锁 15 分钟。"


@router.get("/desk/login/code")
def code_page(request: Request, next: str = "") -> Response:
    """登录第二步: a code is asked for; whoever has to begin with one is shown the secret."""
    return _code_page(request, next, "")


def _code_page(request: Request, next_: str, fault: str) -> Response:
    office = office_of(request)
    person = accounts.half_way(office.engine, request.cookies.get(HALF, ""), office.now())
    if person is None:
        return see(url("login", next=inside(next_, "")))
    assert person.id is not None
    stands = second_factor.standing(office.engine, person.id, person.roles)
    token = secrets.token_urlsafe(24)
    page = render(
        request, "login_code.html", 401 if fault else 200, next=inside(next_, url("today")), token=token, fault=fault,
        stands=stands, grouped=grouped(stands.secret), address=second_factor.address(stands.secret, person.login),
    )  # fmt: skip
    guard(request, page, CODE_GUARD, token)
    return page


@router.post("/desk/login/code")
async def give_code(request: Request) -> Response:
    """填口令: a session where it is right; recovery codes are told once where it was the first."""
    check_origin(request)
    form = await request.form()
    check_guard(request, CODE_GUARD, str(form.get("csrf", "")))
    office, origin = office_of(request), pace(request)
    half, code, onward = request.cookies.get(HALF, ""), str(form.get("code", "")), str(form.get("next", ""))
    try:
        done = await run_in_threadpool(
            accounts.finish_log_in, office.engine, half, code, step(office), office.now()
        )
    except accounts.AccountError:
        return see(url("login", next=inside(onward, "")))
    except second_factor.SecondFactorError as error:  # not the person's fault, and no failure of theirs
        return _code_page(request, onward, str(error))
    if done is None:
        office.failures.count(origin, office.now())
        return _code_page(request, onward, WRONG)
    secret, codes = done
    onward = inside(onward, url("today"))
    answer = render(request, "recovery.html", codes=codes, onward=onward) if codes else see(onward)
    let_in(request, answer, secret)
    for name in (HALF, CODE_GUARD):
        answer.delete_cookie(name, path="/desk/login")
    return answer


@router.get("/desk/me/factor")
def factor_page(request: Request, visit: Visit = need("own")) -> HTMLResponse:
    """自己的动态口令."""
    assert visit.person.id is not None
    stands = second_factor.standing(visit.office.engine, visit.person.id, visit.person.roles)
    return render(
        request, "factor.html", stands=stands, grouped=grouped(stands.secret), has_password=bool(visit.person.password),
        address=second_factor.address(stands.secret, visit.who), fault=request.query_params.get("fault", ""),
    )  # fmt: skip


@router.post("/desk/me/factor")
def change_factor(request: Request, given: Posted = posted("own")) -> Response:
    """启用、换恢复码、停用. A password or a code is asked for again, so that an open browser is not enough."""
    try:
        done = _ACTS.get(given.text("do"), _unknown)(given)
    except ValueError as error:
        return see(url("factor", fault=str(error)))
    if isinstance(done, list):
        return render(request, "recovery.html", codes=done, onward=url("factor"))
    return see(url("factor", told=done))


def _unknown(given: Posted) -> str:
    raise second_factor.SecondFactorError(f"没有“{given.text('do')}”这一步")


def _begin(given: Posted) -> str:
    visit = given.visit
    assert visit.person.id is not None
    now = visit.office.now()
    if not accounts.proves(visit.office.engine, visit.person.id, given.text("password"), now):
        raise second_factor.SecondFactorError("密码不对，没有开始")
    second_factor.begin(visit.office.engine, visit.person.id, now)
    return "把下面的密钥加进手机上的验证器，再填一次口令"


def _confirm(given: Posted) -> list[str]:
    visit = given.visit
    assert visit.person.id is not None
    return second_factor.enrol(
        visit.office.engine,
        visit.person.id,
        given.text("code"),
        step(visit.office),
        visit.who,
        visit.office.now(),
    )


def _need_code(given: Posted) -> None:
    visit = given.visit
    assert visit.person.id is not None
    office = visit.office
    if not accounts.gives_code(
        office.engine, visit.person.id, given.text("code"), step(office), office.now()
    ):
        raise second_factor.SecondFactorError("口令不对，或者已经用过，什么都没有改")


def _renew(given: Posted) -> list[str]:
    _need_code(given)
    visit = given.visit
    assert visit.person.id is not None
    return second_factor.renew_codes(visit.office.engine, visit.person.id, visit.who, visit.office.now())


def _drop(given: Posted) -> str:
    visit = given.visit
    assert visit.person.id is not None
    if second_factor.standing(visit.office.engine, visit.person.id, visit.person.roles).required:
        raise second_factor.SecondFactorError("您的角色要用动态口令，不能停用；换手机请找管理员重设")
    _need_code(given)
    second_factor.drop(visit.office.engine, visit.person.id, visit.who, by=visit.who, now=visit.office.now())
    return "动态口令停用了"


_ACTS = {"开始": _begin, "启用": _confirm, "换恢复码": _renew, "停用": _drop}


def step(office: Office) -> int:
    """口令的第几步, by the real clock: a demo lives on another day, telephones don't."""
    return second_factor.step_at(office.real_now())


def grouped(secret: str) -> str:
    """四个一组, to be typed."""
    return " ".join(re.findall(".{1,4}", secret))
