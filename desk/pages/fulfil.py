"""兑现台账: where each grant stands, whose turn it is, what is late; one case with its ledger; arrears."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from desk.beside import beside
from desk.office import Office
from desk.turn import parts_of
from desk.urls import url
from desk.web import Posted, Visit, need, plain_name, posted, render, see
from engine.fulfilment import Refused, can_be_asked, escalate, lateness, moves_from
from engine.grantmoves import FINAL, NEEDS, State
from engine.instalments import kept_plan
from engine.workdays import Calendar
from store import arrears as owed
from store import audit, caseload, grants, ledger, payments
from store.budgets import list_budgets
from store.calendars import office_calendar
from store.caseload import SCOPES, Caseload, Part
from store.database import session, to_fen, writing
from store.kpi import Kpi, quarter_of
from store.kpi import kpi as kpi_sheet
from store.turns import Turns

router = APIRouter()
ROAD = ("比对", "名单核查", "信用核查", "公示", "企业确认", "拨付", "到账")
PLACE = {
    "比对": 0, "待提交": 0, "名单核查": 1, "信用核查": 2, "信用暂缓": 2, "公示": 3, "异议复核": 3, "企业确认": 4, "确认逾期": 4,
    "候补": 4, "待分配": 4, "补正": 1, "财政审核": 5, "拨付": 5, "到账": 6, "办结": 6, "追回": 6, "已追回": 6,
}  # fmt: skip
TURNS = {"经办": "经办", "复核": "复核", "财政": "财政", "专员": "专员", "管理员": "经办"}
PAGE = 100
BY = {"age": "账龄", "department": "部门", "firm": "企业", "kind": "种类"}
MOST_BYTES = 20 * 1024 * 1024
BOOKS_LAST = timedelta(minutes=5)


def load_of(office: Office, visit: Visit, item: str = "", state: str = "") -> Caseload:
    """这个人看得到的台账, today."""
    turns = frozenset(TURNS[r] for r in visit.person.roles if r in TURNS)
    mine = Turns(office.engine).firms_of(visit.person)
    found = Caseload(visit.person.department, mine, item, turns, state=state)
    return found.on(office.today(), office_calendar(office.engine))


LEDGER_HEAD = (
    "企业名称", "统一社会信用代码", "事项", "批次", "到哪一步", "轮到谁", "应付 元", "已付 元", "期限", "逾期 工作日",
    "承诺兑现日",
)  # fmt: skip


def ledger_rows(office: Office, load: Caseload) -> Iterator[list[list[Any]]]:
    """台账的行 as LEDGER_HEAD names them, in portions; how late a day is, is reckoned once a day."""
    calendar, today = office_calendar(office.engine), office.today()
    known: dict[Any, int | None] = {}
    for portion in caseload.each(office.engine, load):
        rows = []
        for code, firm, title, batch, state, holder, amount, arrived, due, promised in portion:
            if due not in known:
                known[due] = lateness(due, today, calendar)
            late = known[due] if state not in caseload.OVER else None
            owed_yuan = None if amount is None else amount / 100
            day = due.isoformat() if due else ""
            past = late if late is not None and late > 0 else None
            until = promised.isoformat() if promised else ""
            rows.append(
                [firm or code, code, title, batch, state, holder, owed_yuan, arrived / 100, day, past, until]
            )
        yield rows


def _row(c: grants.GrantCase, calendar: Calendar, today: Any) -> dict[str, Any]:
    late = lateness(c.due, today, calendar) if State(c.state) not in FINAL else None
    limit = calendar.between(c.since, c.due) if c.due is not None and c.due >= c.since else 0
    return {
        "id": c.id, "code": c.code, "firm": c.firm or c.code, "item": c.item, "title": c.title, "batch": c.batch, "state": c.state,
        "holder": c.holder, "due": c.due, "note": c.due_note, "late": late, "limit": max(limit, 1),
        "used": max(limit, 1) + late if late is not None else 0, "amount": c.amount, "high": c.high, "paid": c.arrived,
        "ordered": c.ordered, "place": PLACE.get(c.state, 0), "since": c.since, "final": State(c.state) in FINAL,
        "tells": escalate(c.holder, late), "promised": c.promised, "broken": _broken(c, calendar, today),
    }  # fmt: skip


def _broken(c: grants.GrantCase, calendar: Calendar, today: Any) -> int | None:
    """过承诺时限几个工作日 (negative: left), while the money has not all come."""
    waits = State(c.state) not in FINAL and c.state != State.ARRIVED
    return lateness(c.promised, today, calendar) if waits else None


@router.get("/desk/fulfil")
def fulfil_index(
    request: Request,
    scope: str = "在办",
    item: str = "",
    state: str = "",
    page: int = 1,
    visit: Visit = need("fulfil"),
) -> HTMLResponse:
    """兑现台账."""
    office, state = visit.office, state if state in set(State) else ""
    load, calendar, today = (
        load_of(office, visit, item, state),
        office_calendar(office.engine),
        office.today(),
    )
    scope, page = scope if scope in SCOPES else "在办", min(max(page, 1), 1_000_000)
    found = parts_of(office, load)
    counts = {s: sum(p.count for p in found if p.within(s, load.turns)) for s in SCOPES}
    shown = [p for p in found if p.within(scope, load.turns)]
    cases = caseload.page(office.engine, load, scope, (page - 1) * PAGE, PAGE, found)
    rows = [_row(c, calendar, today) for c in cases]
    findings, checked = books(office)
    return render(
        request, "fulfil.html", rows=rows, total=counts[scope], scope=scope, item=item, state=state, page=page,
        pages=max(-(-counts[scope] // PAGE), 1), counts=counts, road=ROAD, steps=road_sums(found),
        owed=sum(p.amount - p.arrived for p in shown), open_amounts=sum(p.undecided for p in shown), findings=findings,
        checked=checked, newest=payments.newest_file(office.engine), finance=bool({"财政", "管理员"} & set(visit.person.roles)),
    )  # fmt: skip


def road_sums(found: list[Part]) -> list[tuple[str, int, float, int]]:
    """各步笔数、金额、逾期."""
    count: Counter[int] = Counter()
    late: Counter[int] = Counter()
    money: Counter[int] = Counter()
    for p in found:
        if p.state in ("放弃", "不予兑现", "撤销", "已追回"):
            continue
        place = PLACE.get(p.state, 0)
        count[place] += p.count
        late[place] += p.count if p.late else 0
        money[place] += p.arrived if place == 6 else p.amount
    return [(name, count[i], money[i] / 100, late[i]) for i, name in enumerate(ROAD)]


def books(office: Office) -> tuple[list[str], datetime | None]:
    """要先看的事 and when they were looked for: what the ledger's check finds and what finance's newest file says otherwise.

    A large ledger is checked beside the visit, at most once in some minutes; until it has been, the time is None.
    """
    newest, head = payments.newest_file(office.engine), ledger.head(office.engine)
    key = (newest.id if newest else 0, head)
    last: tuple[Any, datetime, list[str]] | None = office.memory.get(("books",), lambda: None)
    fresh = last is not None and office.now() - last[1] < BOOKS_LAST
    if last is not None and fresh and (last[0] == key or caseload.many(office.engine)):
        return last[2], last[1]
    if not caseload.many(office.engine):
        return _check_books(office, key), office.now()
    beside(("books", str(office.home)), lambda: _check_books(office, key))
    return (last[2], last[1]) if last else ([], None)


def _check_books(office: Office, key: Any) -> list[str]:
    at = office.now()
    found = [f"{f.kind}：{f.text}" for f in ledger.verify_ledger(office.engine)]
    found += payments.standing(office.engine)
    office.memory.put(("books",), (key, at, found))
    return found


@router.get("/desk/fulfil/arrears")
def arrears(request: Request, by: str = "age", visit: Visit = need("fulfil")) -> HTMLResponse:
    """拖欠: grants past their day and registered claims, by age, department, firm or kind, the longest first."""
    office = visit.office
    by = by if by in BY else "age"
    mine, firms = visit.person.department, Turns(office.engine).firms_of(visit.person)

    def concerns(one: owed.Arrear | grants.GrantCase) -> bool:
        return mine in ("", one.department) and (firms is None or one.code in firms)

    found = [a for a in owed.arrears(office.engine, office.today()) if concerns(a)]
    undated = [g for g in owed.undated(office.engine) if concerns(g)]
    return render(
        request, "arrears.html", rows=found, total=sum(a.fen for a in found), by=by, ways=BY, undated=undated,
        summary=sorted(owed.summary(found, by).items(), key=lambda s: -s[1][1]),
    )  # fmt: skip


@router.get("/desk/fulfil/kpi")
def kpi_page(request: Request, quarter: str = "", visit: Visit = need("fulfil")) -> HTMLResponse:
    """季度考核."""
    office, today = visit.office, visit.office.today()
    past = [f"{today.year - n}Q{q}" for n in (0, 1) for q in (4, 3, 2, 1) if n or q <= (today.month + 2) // 3]
    quarter = quarter if quarter in past else past[0]
    sheet, at = quarter_sheet(office, quarter) or (None, None)
    night = office.night()
    titles = (
        {str(r["item"]): str(r["title"]) for r in office.items(night).to_dict("records")} if night else {}
    )
    return render(
        request, "kpi.html", quarter=quarter, quarters=past, first_last=quarter_of(quarter), sheet=sheet, at=at, titles=titles,
        budgets=list_budgets(office.engine),
    )  # fmt: skip


def quarter_sheet(office: Office, quarter: str, wait: bool = False) -> tuple[Kpi, datetime] | None:
    """一季的考核 and when it was reckoned: of a large ledger the last one, while a new one is reckoned beside the visit;
    None where that is the first one, unless one waits for it."""
    night, key = office.night(), ("kpi", quarter)
    stands = (caseload.version(office.engine), night.no if night else 0)

    def make() -> tuple[tuple[int, int], datetime, Kpi]:
        at, calendar = office.now(), office_calendar(office.engine)
        made = stands, at, kpi_sheet(office.engine, quarter, calendar, office.home)
        office.memory.put(key, made)
        return made

    last: Any = office.memory.get(key, lambda: None)
    if last is None or last[0] != stands:
        if caseload.many(office.engine) and not (wait and last is None):
            beside((*key, str(office.home)), make)
        else:
            last = make()
    return None if last is None else (last[2], last[1])


def warm_quarter(office: Office) -> None:
    """预热: this quarter's sheet, so that its first visitor finds it."""
    today = office.today()
    quarter_sheet(office, f"{today.year}Q{(today.month + 2) // 3}", wait=True)


@router.post("/desk/fulfil/reconcile")
async def reconcile(request: Request, given: Posted = posted("fulfil.act")) -> Response:
    """与财政对账: finance's payment file; each row once, and what does not agree is listed on the page."""
    visit, upload = given.visit, given.form.get("file")
    if not {"财政", "管理员"} & set(visit.person.roles):
        raise HTTPException(403, "支付日志由财政导入")
    if not isinstance(upload, UploadFile) or not upload.filename:
        return see(url("fulfil", told="没有对账：请选支付日志"))
    data = await upload.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        return see(url("fulfil", told="没有对账：文件超过 20 MB"))
    try:
        report = await run_in_threadpool(
            take_payments, visit.office, visit.who, plain_name(upload.filename), data
        )
    except ValueError as error:
        return see(url("fulfil", told=f"没有对账：{error}"))
    words = "，".join(f"{k} {v} 行" for k, v in report.counts.items()) or "没有新行"
    rejected = f"；退回 {len(report.rejected)} 行，第一处 {report.rejected[0]}" if report.rejected else ""
    return see(url("fulfil", told=f"{report.file}：{words}{rejected}"))


def take_payments(office: Office, who: str, name: str, data: bytes) -> payments.Reconciliation:
    """导入支付日志, and note who did. Raises ValueError for a file that is none."""
    with TemporaryDirectory(prefix="huiqi-pay-") as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        report = payments.reconcile(office.engine, path, office.now(), office_calendar(office.engine))
    with writing(office.engine) as opened:
        audit.record(opened, who, "与财政对账", report.file, dict(report.counts), office.now())
    return report


@router.get("/desk/fulfil/{number}")
def case_page(request: Request, number: int, visit: Visit = need("fulfil")) -> HTMLResponse:
    """一件兑现事项."""
    return show_case(request, visit, number, "")


def case_of(visit: Visit, number: int) -> grants.GrantCase:
    """兑现事项. Raises 404, or 403 for another department's."""
    with session(visit.office.engine) as opened:
        case = opened.get(grants.GrantCase, number) if 0 < number < 2**62 else None
    if case is None:
        raise HTTPException(404, "没有这件兑现事项")
    visit.need_item(case.department)
    mine = Turns(visit.office.engine).firms_of(visit.person)
    if mine is not None and case.code not in mine:
        raise HTTPException(403, "这家企业不归您，专员只办自己的企业")
    return case


def show_case(request: Request, visit: Visit, number: int, fault: str) -> HTMLResponse:
    office = visit.office
    case = case_of(visit, number)
    pure = grants.to_pure(case)
    turns = [TURNS[r] for r in visit.person.roles if r in TURNS] if visit.may("fulfil.act") else []
    moves = {m.action: m for role in turns for m in moves_from(pure, role) if can_be_asked(pure, m)}
    return render(
        request, "case.html", 409 if fault else 200, case=case, row=_row(case, office_calendar(office.engine), office.today()),
        moves=list(moves.values()), needs=NEEDS, more=_more(case), own=OWN, parts=kept_plan(case.facts.get("分期")), road=ROAD,
        turn=Turns(office.engine).of(case), fault=fault, events=list(reversed(grants.history(office.engine, number))),
    )  # fmt: skip


# Facts that the page shows elsewhere, or not at all.
OWN = ("兑现时限", "名单意见", "比对说明", "分期", "分期规则", "提请", "经办人")


def _more(case: grants.GrantCase) -> dict[str, tuple[str, ...]]:
    """可以另写的 by action: what a step may need beside what it always needs, given where the grant stands."""
    account = ("户名说明",)
    found: dict[str, tuple[str, ...]] = {
        "提请": ("追回金额",), "补正": ("已补",), "确认": account, "提交": account, "改账户": account,
    }  # fmt: skip
    if case.facts.get("比对变化"):
        found |= {"通过名单": ("变化说明",), "财政通过": ("变化说明",)}
    if case.facts.get("分期规则"):
        found["财政通过"] = (*found.get("财政通过", ()), "分期计划")
    if case.facts.get("分期"):
        found["下达"] = ("提前支付说明",)
    return found


@router.post("/desk/fulfil/{number}")
def act_case(request: Request, number: int, given: Posted = posted("fulfil.act")) -> Response:
    """办一步; what is needed is said where it is missing."""
    visit, office = given.visit, given.visit.office
    case = case_of(visit, number)
    action, pure = given.text("do"), grants.to_pure(case)
    role = next(
        (
            TURNS[r]
            for r in visit.person.roles
            if r in TURNS and any(m.action == action for m in moves_from(pure, TURNS[r]))
        ),
        "",
    )
    if not role:
        return show_case(request, visit, number, f"现在不能“{action}”，或者不归您的角色办")
    facts = {
        k.removeprefix("fact."): _fact(k, v) for k, v in given.form.items() if k.startswith("fact.") and v
    }
    try:
        grants.act(
            office.engine, number, action, grants.Actor(visit.who, role), office.today(), office.now(),
            office_calendar(office.engine), facts, given.text("request") or None,
        )  # fmt: skip
    except (Refused, ValueError) as error:
        return show_case(request, visit, number, f"没有办成：{error}")
    with writing(office.engine) as opened:
        audit.record(opened, visit.who, f"兑现：{action}", case.key, {"编号": number}, office.now())
    return see(url("case", case=number, told=f"已{action}"))


def _fact(name: str, value: Any) -> object:
    """所需的值: amounts are typed in yuan and kept in fen."""
    text = str(value).strip()
    if name.endswith("金额"):
        try:
            return to_fen(text.replace(",", ""))
        except ArithmeticError as error:
            raise HTTPException(400, f"“{text}”不是金额，要写成 200000.00") from error
    if name.removeprefix("fact.") in ("缺项", "已补"):  # one name a line or between 、
        return [part.strip() for part in re.split(r"[、；;\n]", text) if part.strip()]
    return text
