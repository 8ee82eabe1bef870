"""兑现台账: where each grant stands, whose turn it is, what is late; one case with its ledger; arrears."""

from __future__ import annotations

from collections import Counter
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from desk.office import Office
from desk.urls import url
from desk.web import Posted, Visit, need, posted, render, see
from engine.fulfilment import Refused, escalate, lateness, moves_from
from engine.grantmoves import FINAL, NEEDS, State
from engine.workdays import Calendar
from store import audit, grants, ledger
from store.calendars import office_calendar
from store.database import session, to_fen, writing

router = APIRouter()
ROAD = ("比对", "名单核查", "信用核查", "公示", "企业确认", "拨付", "到账")
PLACE = {
    "比对": 0, "待提交": 0, "名单核查": 1, "信用核查": 2, "信用暂缓": 2, "公示": 3, "异议复核": 3, "企业确认": 4, "确认逾期": 4,
    "候补": 4, "待分配": 4, "补正": 1, "财政审核": 5, "拨付": 5, "到账": 6, "办结": 6, "追回": 6, "已追回": 6,
}  # fmt: skip
TURNS = {"经办": "经办", "复核": "复核", "财政": "财政", "专员": "专员", "管理员": "经办"}
PAGE = 100
SCOPES = ("在办", "逾期", "轮到我", "已到账", "不再办")


def cases_of(office: Office, visit: Visit, item: str = "") -> list[dict[str, Any]]:
    """兑现事项 in plain values, the most urgent first."""
    calendar, today = office_calendar(office.engine), office.today()
    found = grants.find(office.engine, item=item or None)
    rows = [_row(c, calendar, today) for c in found if visit.person.department in ("", c.department)]
    return sorted(rows, key=lambda r: (r["late"] is None, -(r["late"] or 0), r["id"]))


def _row(c: grants.GrantCase, calendar: Calendar, today: Any) -> dict[str, Any]:
    late = lateness(c.due, today, calendar) if State(c.state) not in FINAL else None
    limit = calendar.between(c.since, c.due) if c.due is not None and c.due >= c.since else 0
    return {
        "id": c.id, "code": c.code, "firm": c.firm or c.code, "item": c.item, "title": c.title, "batch": c.batch, "state": c.state,
        "holder": c.holder, "due": c.due, "note": c.due_note, "late": late, "limit": max(limit, 1),
        "used": max(limit, 1) + late if late is not None else 0, "amount": c.amount, "high": c.high, "paid": c.arrived,
        "ordered": c.ordered, "place": PLACE.get(c.state, 0), "since": c.since, "final": State(c.state) in FINAL,
        "tells": escalate(c.holder, late),
    }  # fmt: skip


def in_scope(row: dict[str, Any], scope: str, turns: set[str]) -> bool:
    """属于哪个范围."""
    if scope == "在办":
        return not row["final"] and row["state"] != "到账"
    if scope == "逾期":
        return row["late"] is not None and row["late"] > 0
    if scope == "轮到我":
        return not row["final"] and row["holder"] in turns
    return (
        row["state"] in ("到账", "办结")
        if scope == "已到账"
        else row["state"] in ("放弃", "不予兑现", "撤销", "已追回")
    )


@router.get("/desk/fulfil")
def fulfil_index(
    request: Request, scope: str = "在办", item: str = "", page: int = 1, visit: Visit = need("fulfil")
) -> HTMLResponse:
    """兑现台账."""
    office = visit.office
    rows = cases_of(office, visit, item)
    turns = {TURNS[r] for r in visit.person.roles if r in TURNS}
    scope = scope if scope in SCOPES else "在办"
    shown = [r for r in rows if in_scope(r, scope, turns)]
    start = (max(page, 1) - 1) * PAGE
    return render(
        request, "fulfil.html", rows=shown[start : start + PAGE], total=len(shown), scope=scope, item=item, page=max(page, 1),
        pages=max(-(-len(shown) // PAGE), 1), counts={s: sum(in_scope(r, s, turns) for r in rows) for s in SCOPES},
        road=ROAD, steps=road_sums(rows), owed=sum((r["amount"] or 0) - r["paid"] for r in shown),
        open_amounts=sum(r["amount"] is None for r in shown), findings=office.memory.get(("ledger", office.now().strftime("%Y%m%d%H%M")), lambda: ledger.verify_ledger(office.engine)),
    )  # fmt: skip


def road_sums(rows: list[dict[str, Any]]) -> list[tuple[str, int, float, int]]:
    """各步笔数、金额、逾期."""
    going = [r for r in rows if r["state"] not in ("放弃", "不予兑现", "撤销", "已追回")]
    count = Counter(r["place"] for r in going)
    late = Counter(r["place"] for r in going if r["late"] is not None and r["late"] > 0)
    money: Counter[int] = Counter()
    for r in going:
        money[r["place"]] += r["paid"] if r["place"] == 6 else (r["amount"] or 0)
    return [(name, count[i], money[i] / 100, late[i]) for i, name in enumerate(ROAD)]


@router.get("/desk/fulfil/arrears")
def arrears(request: Request, visit: Visit = need("fulfil")) -> HTMLResponse:
    """拖欠: confirmed and not arrived past the day, by department, the longest first."""
    rows = [r for r in cases_of(visit.office, visit) if r["late"] and r["late"] > 0 and r["place"] >= 4]
    return render(request, "arrears.html", rows=rows, total=sum((r["amount"] or 0) - r["paid"] for r in rows))


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
    return case


def show_case(request: Request, visit: Visit, number: int, fault: str) -> HTMLResponse:
    office = visit.office
    case = case_of(visit, number)
    pure = grants.to_pure(case)
    turns = [TURNS[r] for r in visit.person.roles if r in TURNS] if visit.may("fulfil.act") else []
    moves = {m.action: m for role in turns for m in moves_from(pure, role)}
    return render(
        request, "case.html", 409 if fault else 200, case=case, row=_row(case, office_calendar(office.engine), office.today()),
        moves=list(moves.values()), needs=NEEDS, road=ROAD, fault=fault, events=list(reversed(grants.history(office.engine, number))),
    )  # fmt: skip


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
    return text
