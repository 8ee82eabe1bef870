"""接口·兑现: where each grant stands, and the next step of one."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, Field

from desk.api.frame import (
    FAULTS,
    WRITES,
    Body,
    Caller,
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
from desk.pages.fulfil import TURNS
from engine.fulfilment import Refused, moves_from
from store import audit, caseload, grants
from store.calendars import office_calendar
from store.caseload import Caseload
from store.database import session, to_fen, writing
from store.turns import Turns

router = APIRouter(prefix="/api", tags=["兑现"], route_class=JsonRoute)


class GrantAnswer(BaseModel):
    """一件兑现事项; amounts in yuan, null unknown; `promised` the last day of the item's own 兑现时限; `moves` what this caller may do now."""

    id: int
    code: str
    firm: str
    item: str
    title: str
    batch: str
    department: str
    state: str
    holder: str
    due: date | None
    promised: date | None
    amount: float | None
    ordered: float
    arrived: float
    moves: list[str]


class StepAnswer(BaseModel):
    """经过的一步."""

    no: int
    action: str
    who: str
    at: datetime
    went_to: str


class GrantDetail(GrantAnswer):
    """一件兑现事项 with its history, newest first."""

    events: list[StepAnswer]


class Grants(Page):
    """兑现事项的一页."""

    rows: list[GrantAnswer]


class Step(Body):
    """办一步: the act and what it needs; keys that end in 金额 are in yuan."""

    do: Short
    facts: dict[Annotated[str, Field(max_length=32)], Words] = Field(default_factory=dict, max_length=30)


@router.get("/grants", response_model=Grants, responses=FAULTS)
def grant_list(
    item: Annotated[str, Query(max_length=128)] = "",
    code: Annotated[str, Query(max_length=18)] = "",
    state: Annotated[str, Query(max_length=16)] = "",
    page: PageNo = 1,
    size: Size = 50,
    by: Caller = caller("fulfil"),
) -> dict[str, Any]:
    """兑现台账."""
    load = Caseload(by.person.department, Turns(by.office.engine).firms_of(by.person), item)
    total, found = caseload.listed(by.office.engine, load, code, state, (page - 1) * size, size)
    return {**cut(total, page, size, None), "rows": [grant_answer(by, c) for c in found]}


@router.get("/grants/{number}", response_model=GrantDetail, responses=FAULTS)
def one_grant(number: Number, by: Caller = caller("fulfil")) -> dict[str, Any]:
    """一件兑现事项."""
    return _detail(by, case_of(by, number))


@router.post("/grants/{number}", response_model=GrantDetail, responses=WRITES, dependencies=[Once])
def step(number: Number, given: Step, by: Caller = writer("fulfil.act")) -> dict[str, Any]:
    """办一步; 409 says what is missing."""
    office, case = by.office, case_of(by, number)
    role = next((r for r, names in _moves(by, case).items() if given.do in names), "")
    if not role:
        raise HTTPException(409, f"现在不能“{given.do}”，或者不归您的角色办")
    try:
        facts = {k: _fact(k, v) for k, v in given.facts.items()}
        done = grants.act(
            office.engine, number, given.do, grants.Actor(by.who, role), office.today(), office.now(),
            office_calendar(office.engine), facts,
        )  # fmt: skip
    except (Refused, ValueError) as error:
        raise HTTPException(409, f"没有办成：{error}") from error
    with writing(office.engine) as opened:
        audit.record(opened, by.who, f"兑现：{given.do}", case.key, {"编号": number}, office.now())
    return _detail(by, done)


def _fact(name: str, text: str) -> object:
    if not name.endswith("金额"):
        return text.strip()
    try:
        return to_fen(text.strip().replace(",", ""))
    except ArithmeticError as error:
        raise ValueError(f"“{text}”不是金额，要写成 200000.00") from error


def case_of(by: Caller, number: int) -> grants.GrantCase:
    """兑现事项. Raises 404 for one that is not there or of another department."""
    with session(by.office.engine) as opened:
        case = opened.get(grants.GrantCase, number)
    mine = Turns(by.office.engine).firms_of(by.person)
    if (
        case is None
        or by.person.department not in ("", case.department)
        or (mine is not None and case.code not in mine)
    ):
        raise HTTPException(404, f"没有第 {number} 号兑现事项")
    return case


def _moves(by: Caller, case: grants.GrantCase) -> dict[str, list[str]]:
    """可办的事 by the caller's roles."""
    if "fulfil.act" not in by.rights:
        return {}
    pure = grants.to_pure(case)
    turns = dict.fromkeys(TURNS[r] for r in by.person.roles if r in TURNS)
    return {role: [m.action for m in moves_from(pure, role)] for role in turns}


def grant_answer(by: Caller, case: grants.GrantCase) -> dict[str, Any]:
    moves = dict.fromkeys(m for names in _moves(by, case).values() for m in names)
    yuan = {k: None if (v := getattr(case, k)) is None else v / 100 for k in ("amount", "ordered", "arrived")}
    return {
        **case.model_dump(include=set(GrantAnswer.model_fields) - {*yuan, "moves"}),
        **yuan,
        "moves": list(moves),
    }


def _detail(by: Caller, case: grants.GrantCase) -> dict[str, Any]:
    events = [
        e.model_dump(include=set(StepAnswer.model_fields))
        for e in reversed(grants.history(by.office.engine, case.id or 0))
    ]
    return {**grant_answer(by, case), "events": events}
