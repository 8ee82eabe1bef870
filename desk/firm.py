"""企业端: a firm's own inbox, what waits for its word, and why each item was found; in by a one-time code."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.routing import APIRoute
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from desk.evidence import facts_of, rows_of, seen_of
from desk.firmdue import deadline_of, over_in_letter
from desk.office import Office, number
from desk.web import check_origin, fault_page, office_of, pace, render, see
from engine.explain import FIRM, explain
from engine.fulfilment import Refused, moves_from
from engine.grantmoves import APPLIED, AUTOMATIC, FINAL, State, variant_of
from engine.policy import Condition
from engine.words import say_amounts
from store import accounts, audit, credentials, grants, outbox, review
from store.accounts import LoggedIn
from store.calendars import office_calendar
from store.database import DatabaseBusy, writing
from store.nights import Night
from store.reach import reach
from store.wanted import works_as

COOKIE, GUARD = "huiqi_firm", "huiqi_firm_login"
LONGEST, LONGEST_REPLY = 100, 1000
BELOW, EQUAL = "见下", "刚好相等"  # words of the evidence that say nothing to a firm
ACCOUNT = ("户名", "账号", "开户行", "确认人")
# What a firm may do itself, with the facts it may give.
ACTS: dict[str, tuple[str, ...]] = {
    "确认": (*ACCOUNT, "户名说明"), "提交": (*ACCOUNT, "户名说明"), "放弃": ("理由",), "补正": (), "评价": ("满意度",),
}  # fmt: skip
# A firm hears of a check, never of its kind or cause: conditions on integrity are not shown to it.
WORDS = {
    State.MATCHED: "已比对，等核查", State.INVITED: "等您提交", State.LISTED: "核查中", State.CREDIT: "核查中",
    State.HELD: "核查中", State.NOTICE: "公示中", State.OBJECTED: "公示后复核中", State.CONFIRM: "等您确认",
    State.SILENT: "等您确认，已过期限", State.QUEUED: "等额度", State.POOLED: "等分配额度", State.CORRECTING: "等您补正",
    State.FINANCE: "财政审核中", State.PAYING: "拨付中", State.ARRIVED: "已到账", State.DONE: "已办结", State.DECLINED: "您已放弃",
    State.REFUSED: "没有通过", State.REVOKED: "已撤销", State.RECOVERING: "追回中", State.RECOVERED: "已退回",
}  # fmt: skip
ROAD = ("比对", "核查", "公示", "确认", "拨付", "到账")
PLACE = {
    State.MATCHED: 0, State.INVITED: 0, State.LISTED: 1, State.CREDIT: 1, State.HELD: 1, State.CORRECTING: 1, State.NOTICE: 2,
    State.OBJECTED: 2, State.CONFIRM: 3, State.SILENT: 3, State.QUEUED: 3, State.POOLED: 3, State.FINANCE: 4, State.PAYING: 4,
    State.ARRIVED: 5, State.DONE: 5,
}  # fmt: skip


class FirmLoginNeeded(Exception):
    """企业要先登录."""


class FirmRoute(APIRoute):
    """企业端路由: to its own login, and faults on a page of its own."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await inner(request)
            except FirmLoginNeeded:
                return RedirectResponse("/my/login", status_code=303)
            except HTTPException as error:
                return fault_page(request, error.status_code, "没有办成", error.detail)

        return handle


router = APIRouter(prefix="/my", tags=["企业"], route_class=FirmRoute)


@dataclass
class FirmVisit:
    """企业来访: the firm is the session's own, never one of the address."""

    office: Office
    login: LoggedIn

    @property
    def code(self) -> str:
        return self.login.person.firm

    @property
    def who(self) -> str:
        return self.login.person.login

    def name(self) -> str:
        night = self.office.night()
        return (self.office.name(night, self.code) if night else "") or self.login.person.name


@dataclass
class FirmPosted:
    """企业的提交, CSRF already checked."""

    visit: FirmVisit
    form: FormData

    def text(self, name: str, longest: int = LONGEST) -> str:
        """一项填写. Raises 400 where it is too long or has control characters."""
        value = self.form.get(name, "")
        text = value.strip() if isinstance(value, str) else ""
        if len(text) > longest or re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text.replace("\r\n", "\n")):
            raise HTTPException(400, f"“{name}”太长或有不能用的字符，最多 {longest} 个字")
        return text

    def many(self, name: str) -> list[str]:
        return [v[:LONGEST] for v in self.form.getlist(name) if isinstance(v, str)]


def firm(request: Request) -> FirmVisit:
    """哪家企业来访. Raises FirmLoginNeeded; an officer's session does not count here."""
    office = office_of(request)
    secret = request.cookies.get(COOKIE, "")
    login = accounts.who_is(office.engine, secret, office.now()) if 0 < len(secret) <= LONGEST else None
    if login is None or login.person.roles != ["企业"] or not login.person.firm:
        raise FirmLoginNeeded
    request.state.login = login
    return FirmVisit(office, login)


async def firm_posted(request: Request, visit: FirmVisit = Depends(firm)) -> FirmPosted:
    """企业的提交: origin and CSRF token. Raises 403."""
    check_origin(request)
    form = await request.form(max_files=0, max_fields=60)
    if not _same(form.get("csrf"), visit.login.csrf):
        raise HTTPException(403, "页面放得太久了，请回到上一页重新打开再提交")
    return FirmPosted(visit, form)


def _same(given: object, wanted: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


# ---------------------------------------------------------------- in and out


@router.get("/login", response_class=HTMLResponse)
def login_page(request: Request) -> HTMLResponse:
    """企业登录页."""
    return _login(request, failed=False)


def _login(request: Request, failed: bool, fault: str = "") -> HTMLResponse:
    token, provider = secrets.token_urlsafe(24), office_of(request).firm_sign_on
    page = render(
        request, "my_login.html", 401 if failed or fault else 200, token=token, failed=failed, fault=fault,
        sign_on=provider.asked.title if provider else "",
    )  # fmt: skip
    page.set_cookie(GUARD, token, httponly=True, samesite="strict", secure=_secure(request), path="/my/login")
    return page


def _secure(request: Request) -> bool:
    return request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https"


@router.post("/login")
async def log_in(request: Request) -> Response:
    """用登录码登录: the code works once; the form's token must equal the cookie's."""
    check_origin(request)
    form = await request.form(max_files=0, max_fields=10)
    cookie = request.cookies.get(GUARD, "")
    if not cookie or not _same(form.get("csrf"), cookie):
        raise HTTPException(403, "登录页放得太久了，请重新打开再登录")
    office, address = office_of(request), pace(request)
    given = form.get("code", "")
    code = given.strip() if isinstance(given, str) else ""
    secret = await run_in_threadpool(_use, office, code) if 0 < len(code) <= LONGEST else None
    if secret is None:
        office.failures.count(address, office.now())
        return _login(request, failed=True)
    answer = see("/my")
    answer.set_cookie(
        COOKIE, secret, httponly=True, samesite="strict", secure=_secure(request), path="/my",
        max_age=accounts.SESSION_HOURS * 3600,
    )  # fmt: skip
    answer.delete_cookie(GUARD, path="/my/login")
    return answer


def _use(office: Office, code: str) -> str | None:
    night, owner = office.night(), credentials.firm_of_code(office.engine, code)
    name = office.name(night, owner) if night and owner else ""
    return credentials.use_code(office.engine, code, name[:64], office.now())


@router.post("/logout")
def log_out(given: FirmPosted = Depends(firm_posted)) -> Response:
    """退出."""
    visit = given.visit
    accounts.log_out(visit.office.engine, visit.login.session_id, visit.who, visit.office.now())
    answer = see("/my/login")
    answer.delete_cookie(COOKIE, path="/my")
    return answer


# ---------------------------------------------------------------- the inbox


@router.get("", response_class=HTMLResponse)
def inbox(request: Request, visit: FirmVisit = Depends(firm)) -> HTMLResponse:
    """收件箱: what waits for the firm's word, questions, what is under way, notices."""
    return _inbox(request, visit, "", 0)


def _inbox(
    request: Request, visit: FirmVisit, fault: str, at: int, kept: dict[str, Any] | None = None
) -> HTMLResponse:
    office, night = visit.office, visit.office.night()
    today = office.today()
    cases = [_case(c, today) for c in grants.find(office.engine, code=visit.code)]
    had = {c["item"] for c in cases}
    coming = [r for r in found_items(office, night, visit.code) if r["free"] and r["item"] not in had]
    letters = outbox.inbox(office.engine, visit.code)
    unread = [letter.key for letter in letters if letter.read is None]
    answer = render(
        request, "my.html", 409 if fault else 200, name=visit.name(), code=visit.code, fault=fault, at=at, kept=kept or {},
        waiting=[c for c in cases if c["waits"]], road=ROAD, account=ACCOUNT,
        going=[c for c in cases if not c["final"] and not c["waits"]],
        over=[c for c in cases if c["final"]], coming=[c for c in coming if c["verdict"] == "符合"],
        questions=questions(office, night, visit.code), letters=letters,
        passed={x.key: day for x in letters if (day := over_in_letter(x.body, today))}, fresh=secrets.token_urlsafe(12),
    )  # fmt: skip
    answer.background = BackgroundTask(
        _mark_read, office, unread
    )  # whoever reads need not wait for who writes
    return answer


def _mark_read(office: Office, keys: list[str]) -> None:
    with suppress(DatabaseBusy):  # they stay unread, and the next visit marks them
        outbox.mark_read(office.engine, keys, office.now())


def _case(c: grants.GrantCase, today: date) -> dict[str, Any]:
    state = State(c.state)
    acts = {m.action for m in moves_from(grants.to_pure(c), "企业")} & set(ACTS)
    return {
        "id": c.id, "item": c.item, "title": c.title, "batch": c.batch, "words": WORDS[state], "deadline": deadline_of(c, today), "acts": acts,
        "waits": bool(acts & {"确认", "提交", "补正", "评价"}), "yuan": None if c.amount is None else c.amount / 100, "paid": c.arrived / 100, "free": c.variant == AUTOMATIC,
        "place": PLACE.get(state), "final": state in FINAL, "asked": list(c.asked), "since": c.since,
    }  # fmt: skip


def own_case(visit: FirmVisit, case: int) -> grants.GrantCase:
    """自己的兑现事项. Raises 404, for another firm's too."""
    found = next((c for c in grants.find(visit.office.engine, code=visit.code) if c.id == case), None)
    if found is None:
        raise HTTPException(404, "没有这一件")
    return found


@router.post("/grants/{case}")
def act(request: Request, case: str, given: FirmPosted = Depends(firm_posted)) -> Response:
    """确认、提交、补正、评价或放弃: the firm's own steps; the same form sent twice acts once."""
    visit, office = given.visit, given.visit.office
    found = own_case(visit, int(case) if re.fullmatch(r"[0-9]{1,15}", case) else 0)
    action = given.text("do")
    if action not in ACTS:
        raise HTTPException(400, "没有这种办法")
    facts: dict[str, Any] = {name: given.text(name) for name in ACTS[action] if given.text(name)}
    if action == "补正":
        facts["已补"] = given.many("已补")
    assert found.id is not None
    once = f"my|{found.id}|{given.text('request')}" if given.text("request") else None
    if once and any(e.request == once for e in grants.history(office.engine, found.id)):
        return see("/my?told=" + _told(action))
    try:
        check_account(facts, given.text("本企业账户"))
        grants.act(
            office.engine, found.id, action, grants.Actor(visit.who, "企业"), office.today(), office.now(),
            office_calendar(office.engine), facts, once,
        )  # fmt: skip
    except Refused as error:
        return _inbox(request, visit, f"没有办成：{error}", found.id, facts)
    with writing(office.engine) as opened:
        audit.record(opened, visit.who, f"企业{action}", found.key, {"编号": found.id}, office.now())
    return see("/my?told=" + _told(action))


def _told(action: str) -> str:
    return quote(f"已{action}")


def check_account(facts: dict[str, Any], own: str) -> None:
    """账户: digits of a bank account, and the firm's word that it is its own. Raises Refused."""
    if "账号" not in facts:
        return
    facts["账号"] = re.sub(r"[\s-]", "", facts["账号"])
    if not re.fullmatch(r"[0-9]{8,32}", facts["账号"]):
        raise Refused("账号要是 8 到 32 位数字")
    if not own:
        raise Refused("请勾选“以上账户是本企业的账户”")


# ---------------------------------------------------------------- questions


def questions(office: Office, night: Night | None, code: str) -> list[dict[str, Any]]:
    """要回答的问题: what the office asked and the firm has not yet replied to, oldest first."""
    out = []
    pairs: dict[tuple[str, str], list[review.ReviewDecision]] = {}
    for made in review.history(office.engine, code=code):
        pairs.setdefault((made.item, made.batch), []).append(made)
    for (item, batch), all_made in pairs.items():
        asks = (d for d in all_made if d.kind == review.ASK_FIRM and d.state == review.ACTIVE)
        ask = next(asks, None)
        acts = [d for d in all_made if d.kind != review.NOTE and d.state != review.UNDONE]
        if night is None or ask is None or acts[0].id != ask.id:
            continue
        replied = any(d.who == code and (d.id or 0) > (ask.id or 0) for d in all_made)
        bound = office.bound(night, item)
        if replied or bound is None or bound.batch.name != batch:
            continue
        shown = why(office, night, code, item)
        points = [r for r in shown["rows"] if r["id"] in ask.asked] if shown else []
        out.append({
            "id": ask.id, "item": item, "title": bound.program.item.title, "text": ask.text, "points": points, "at": ask.at,
        })  # fmt: skip
    return sorted(out, key=lambda q: q["id"] or 0)


@router.post("/questions/{ask}")
def reply(request: Request, ask: str, given: FirmPosted = Depends(firm_posted)) -> Response:
    """回复: kept as the firm's note beside the match; the office decides, the firm's word alone changes no verdict."""
    visit, office, night = given.visit, given.visit.office, given.visit.office.night()
    found = next((q for q in questions(office, night, visit.code) if str(q["id"]) == ask), None)
    if found is None or night is None:
        raise HTTPException(404, "没有这个问题，或者已经回复过了")
    words = given.text("text", LONGEST_REPLY)
    pair = office.pair(night, found["item"], visit.code, 0)
    if not words or pair is None:
        return _inbox(request, visit, "没有回复：请写几句说明", -(found["id"] or 0))
    note = review.Act(review.NOTE, text=f"企业回复：{words}")
    review.decide(office.engine, visit.who, note, [pair], office.now())
    return see("/my?told=" + _told("回复"))


# ---------------------------------------------------------------- items and why


def pays(office: Office, night: Night, item: str) -> bool:
    """给不给钱: by the rule; what gives a right or reminds of a day has no sum to be decided."""
    program = office.library(night).program(item)
    return program is not None and program.item.pays


PAIR_COLUMNS = ("item", "verdict", "paid_low", "paid_high", "gave_way")


def found_items(office: Office, night: Night | None, code: str) -> list[dict[str, Any]]:
    """我的政策: items of the night that fit or may fit, those that need no application first."""
    if night is None:
        return []
    known = office.memory.get(
        ("by item", night.no), lambda: {r["item"]: r for r in office.items(night).to_dict("records")}
    )
    out = []
    for row in night.firm_pairs(code, PAIR_COLUMNS):
        item = known.get(row["item"])
        if item is None:
            continue
        out.append({
            "item": row["item"], "title": item["title"], "department": item["department"], "delivery": item["delivery"],
            "verdict": row["verdict"], "low": number(row["paid_low"]), "high": number(row["paid_high"]),
            "gave": row["gave_way"] or "", "free": item["delivery"] == AUTOMATIC, "pays": pays(office, night, row["item"]),
        })  # fmt: skip
    return sorted(out, key=lambda r: (r["verdict"] != "符合", not r["free"], r["item"]))


@router.get("/items", response_class=HTMLResponse)
def items(request: Request, visit: FirmVisit = Depends(firm)) -> HTMLResponse:
    """我的政策."""
    night = visit.office.night()
    rows = found_items(visit.office, night, visit.code)
    titles = {r["item"]: r["title"] for r in rows}
    return render(request, "my_items.html", name=visit.name(), rows=rows, titles=titles, night=night)


@router.get("/items/{document}/{slug}", response_class=HTMLResponse)
def item_page(request: Request, document: str, slug: str, visit: FirmVisit = Depends(firm)) -> HTMLResponse:
    """为什么: each condition that a firm may see, with its own data and where it comes from; and how to apply."""
    return own_item(request, visit, f"{document}/{slug}", "", {})


def own_item(request: Request, visit: FirmVisit, name: str, fault: str, kept: dict[str, Any]) -> HTMLResponse:
    """一项的页, with what was typed where applying failed. Raises 404."""
    office, night = visit.office, visit.office.night()
    shown = why(office, night, visit.code, name) if night else None
    if shown is None or night is None:
        raise HTTPException(404, "没有这一项，或者现在不受理")
    reached = reach(office.engine, visit.code)
    item = shown["item"]
    found = grants.find(office.engine, code=visit.code, item=name, batch=shown["batch"].name)
    case = _case(found[0], office.today()) if found else None
    return render(
        request, "my_item.html", 409 if fault else 200, name=visit.name(), night=night, form=has_form(office, night, visit.code, name),
        refused=reached is not None and name in reached.refused, case=case, fault=fault, kept=kept, account=ACCOUNT,
        channel=str(dict(item.guide).get("channel", "")),
        apply=case is None and item.pays and _applied_for(office, night, name), **shown,
    )  # fmt: skip


def _applied_for(office: Office, night: Night, item: str) -> bool:
    """要不要企业自己申报: as the item works tonight, since one that is declared 免申即享 may have fallen back."""
    program = office.library(night).program(item)
    bound = office.bound(night, item)
    if program is None or bound is None:
        return False
    key = ("works as", night.no, item)
    word = office.memory.get(key, lambda: works_as(night, program, bound.batch.name))
    return variant_of(word) == APPLIED


def has_form(office: Office, night: Night | None, code: str, item: str) -> bool:
    """有没有预填表: items that the night found for the firm and that it hands something in for."""
    bound = office.bound(night, item) if night else None
    if bound is None or not bound.program.item.pays:
        return False
    rows = (r for r in found_items(office, night, code) if r["item"] == item)
    return any(variant_of(r["delivery"]) != AUTOMATIC for r in rows)


def why(office: Office, night: Night, code: str, item: str) -> dict[str, Any] | None:
    """为什么, for the firm's eyes: never a hidden condition, nor a conclusion only a hidden one explains."""
    bound, one = office.bound(night, item), office.one(night, code)
    if bound is None or one is None:
        return None
    facts = facts_of(office, night, code)
    found = explain(bound, one, night.as_of, night.answers(), seen_of(facts), FIRM)
    veiled = {i for i, c in enumerate(bound.program.conditions, 1) if _veils(c.condition)}
    rows = [
        {
            "id": r.id, "n": r.n, "cite": r.cite, "quote": r.quote, "verdict": "" if r.n in veiled else r.line.verdict,
            "rule": r.line.rule, "value": "" if r.n in veiled else r.line.value, "source": r.line.source,
            "day": "—" if r.line.day == BELOW else r.line.day,  # its parts are not shown to a firm
            "gap": "" if r.n in veiled or r.line.gap == EQUAL else r.line.gap,
        }
        for r in sorted(rows_of(found, bound, one, night, facts), key=lambda r: r.n)
    ]  # fmt: skip
    seen = {r["verdict"] for r in rows}
    verdict = "不符合" if "不符合" in seen else str(found.verdict)
    if verdict != "符合" and not seen & {"不符合", "待核实"}:
        verdict = "待核实"
    return {
        "item": bound.program.item, "document": bound.program.document, "batch": bound.batch, "rows": rows, "verdict": verdict,
        "pay": say_amounts(bound.program.item.benefit), "checked": verdict == "待核实" and "待核实" not in seen,
    }  # fmt: skip


def _veils(condition: Condition) -> bool:
    """Whether something below a condition is hidden, so that its own conclusion would tell of it."""
    return any(c.hidden or _veils(c) for c in condition.children)
