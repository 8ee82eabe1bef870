"""接口·复核: decide on matches, preview, undo, second person, answers to `ask:`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, Field

from desk.api.frame import (
    FAULTS,
    WRITES,
    Body,
    Caller,
    Code,
    FirmCode,
    ItemId,
    JsonRoute,
    Number,
    Once,
    Page,
    PageNo,
    Part,
    Short,
    Size,
    Words,
    caller,
    department_of,
    night_of,
    sliced,
    writer,
)
from desk.pages.review import STRONG
from store import review
from store.openings import open_approved

router = APIRouter(prefix="/api", tags=["复核"], route_class=JsonRoute)
Kind = Literal["通过", "不纳入", "问企业", "问部门", "暂缓", "转交", "备注"]


class PairRef(Body):
    """哪一条: an enterprise and, from the list, the number of the last decision seen there."""

    code: FirmCode
    last: int = Field(default=0, ge=0, le=2**53)


class NewDecision(Body):
    """要作的意见 on one item's matches, all or none."""

    item: ItemId
    kind: Kind
    pairs: list[PairRef] = Field(min_length=1, max_length=500)
    reason: Annotated[str, Field(pattern=r"^[0-9]{0,2}$")] = ""
    text: Words = ""
    asked: list[Short] = Field(default_factory=list, max_length=50)
    target: Short = ""
    until: date | None = None


class ForecastAnswer(BaseModel):
    """会怎样 for one match: 生效, 待复核 or 不行."""

    code: str
    verdict: str
    low: float | None
    high: float | None
    outcome: str
    why: str


class Preview(BaseModel):
    """批量预览."""

    item: str
    kind: str
    rows: list[ForecastAnswer]


class DecisionAnswer(BaseModel):
    """一条意见; amounts in yuan as they were then."""

    id: int
    item: str
    batch: str
    code: str
    kind: str
    reason: str
    text: str
    asked: list[str]
    target: str
    until: date | None
    verdict: str
    low: float | None
    high: float | None
    overrides: bool
    run: int | None
    who: str
    at: datetime
    state: str
    second_who: str
    second_text: str


class Decisions(Page):
    """意见的一页."""

    rows: list[DecisionAnswer]


class Made(BaseModel):
    """作出的意见."""

    rows: list[DecisionAnswer]


class SecondOpinion(Body):
    """复核: agree, or send back with words."""

    agree: bool
    text: Words = ""


class NewAnswer(Body):
    """答复 an `ask:`; null takes the answer back."""

    item: ItemId
    code: FirmCode
    ask: Short
    answer: bool | None
    why: Words
    row: Short = ""


class AnswerAnswer(BaseModel):
    """一条答复."""

    id: int
    item: str
    batch: str
    code: str
    ask: str
    row: str
    answer: bool | None
    why: str
    who: str
    at: datetime


class Answers(Page):
    """答复的一页."""

    rows: list[AnswerAnswer]


# ---------------------------------------------------------------- deciding


def pairs_of(by: Caller, item: str, refs: list[PairRef]) -> list[review.Pair]:
    """各条, as they are in the latest night. Raises 404 where one is not there."""
    night = night_of(by.office)
    by.sees(department_of(by.office, night, item))
    out = []
    for ref in refs:
        pair = by.office.pair(night, item, ref.code, ref.last)
        if pair is None:
            raise HTTPException(404, f"第 {night.no} 次比对里没有 {ref.code} × {item}")
        out.append(pair)
    return out


def act_of(by: Caller, given: NewDecision) -> review.Act:
    """要作的意见. Raises 403 where the role may not."""
    if given.kind in STRONG:
        by.need("decide")
    return review.Act(given.kind, given.reason, given.text, tuple(given.asked), given.target, given.until)


@router.post("/decisions/preview", response_model=Preview, responses=FAULTS)
def preview(given: NewDecision, by: Caller = caller("ask")) -> dict[str, Any]:
    """会怎样: nothing is done."""
    act, limit = act_of(by, given), review.second_limit(by.office.engine)
    codes = review.reasons(by.office.engine)
    seen = [review.forecast(act, p, limit, codes) for p in pairs_of(by, given.item, given.pairs)]
    rows = [
        {"code": f.pair.code, "verdict": f.pair.verdict, "low": f.pair.low, "high": f.pair.high, "outcome": f.outcome, "why": f.why}
        for f in seen
    ]  # fmt: skip
    return {"item": given.item, "kind": given.kind, "rows": rows}


@router.post("/decisions", status_code=201, response_model=Made, responses=WRITES, dependencies=[Once])
def decide(given: NewDecision, by: Caller = writer("ask")) -> dict[str, Any]:
    """作意见, all or none; 409 where a rule forbids it or somebody decided first."""
    act, pairs = act_of(by, given), pairs_of(by, given.item, given.pairs)
    try:
        made = review.decide(by.office.engine, by.who, act, pairs, by.office.now())
    except review.ReviewError as error:
        raise HTTPException(409, f"没有保存：{error}") from error
    return {"rows": [decision_answer(d) for d in made]}


@router.get("/decisions", response_model=Decisions, responses=FAULTS)
def decisions(
    item: Annotated[str, Query(max_length=128)] = "",
    code: Annotated[str, Query(max_length=18)] = "",
    state: Literal["生效", "待复核", "退回", "撤回"] | None = None,
    page: PageNo = 1,
    size: Size = 50,
    by: Caller = caller("match"),
) -> dict[str, Any]:
    """意见, newest first; `state=待复核` is the second person's list."""
    made = review.history(by.office.engine, item=item, code=code)
    shown = visible_items(by)
    found = [d for d in made if (state is None or d.state == state) and (shown is None or d.item in shown)]
    out = sliced(found, page, size)
    return {**out, "rows": [decision_answer(d) for d in out["rows"]]}


@router.post("/decisions/{number}/undo", response_model=DecisionAnswer, responses=WRITES, dependencies=[Once])
def undo(number: Number, by: Caller = writer("ask")) -> dict[str, Any]:
    """撤回 one's own decision."""
    decision_of(by, number)
    try:
        return decision_answer(review.undo(by.office.engine, number, by.who, by.office.now()))
    except review.ReviewError as error:
        raise HTTPException(409, f"没有撤回：{error}") from error


@router.post(
    "/decisions/{number}/second", response_model=DecisionAnswer, responses=WRITES, dependencies=[Once]
)
def second(number: Number, given: SecondOpinion, by: Caller = writer("second")) -> dict[str, Any]:
    """复核 a colleague's decision."""
    decision_of(by, number)
    try:
        made = review.second(by.office.engine, number, by.who, given.agree, given.text, by.office.now())
    except review.ReviewError as error:
        raise HTTPException(409, f"没有保存：{error}") from error
    night = by.office.night()
    if given.agree and made.overrides and night is not None:
        open_approved(by.office.engine, night, by.office.today(), by.office.now())
    return decision_answer(made)


# ---------------------------------------------------------------- answers


@router.post("/answers", status_code=201, response_model=AnswerAnswer, responses=WRITES, dependencies=[Once])
def answer(given: NewAnswer, by: Caller = writer("decide")) -> dict[str, Any]:
    """答复一问; the verdict follows at the next night."""
    (pair,) = pairs_of(by, given.item, [PairRef(code=given.code)])
    bound = by.office.bound(night_of(by.office), given.item)
    known = (
        {leaf.id or c.id for c in bound.program.conditions for leaf in c.condition.leaves()}
        if bound
        else set()
    )
    if given.ask not in known:
        raise HTTPException(404, f"{given.item} 没有“{given.ask}”这个问题")
    subject = bound.program.item.subject if bound else "企业"
    if subject != "企业" and not given.row:
        raise HTTPException(409, f"没有保存：{given.item} 逐个{subject}判，row 要写答的是哪一个{subject}")
    try:
        made = review.answer_question(
            by.office.engine, by.who, pair, given.ask, given.answer, given.why, by.office.now(), given.row
        )  # fmt: skip
    except review.ReviewError as error:
        raise HTTPException(409, f"没有保存：{error}") from error
    return made.model_dump()


@router.get("/answers/{document}/{slug}", response_model=Answers, responses=FAULTS)
def answers(
    document: Part, slug: Part, page: PageNo = 1, size: Size = 50, by: Caller = caller("match")
) -> dict[str, Any]:
    """答复 of an item, newest first."""
    item = f"{document}/{slug}"
    by.sees(department_of(by.office, night_of(by.office), item))
    out = sliced(review.answers(by.office.engine, item=item), page, size)
    return {**out, "rows": [a.model_dump() for a in out["rows"]]}


@router.get("/matches/{code}/{document}/{slug}/decisions", response_model=Made, responses=FAULTS)
def of_match(code: Code, document: Part, slug: Part, by: Caller = caller("match")) -> dict[str, Any]:
    """一条匹配的全部意见, newest first."""
    item = f"{document}/{slug}"
    by.sees(department_of(by.office, night_of(by.office), item))
    return {"rows": [decision_answer(d) for d in review.history(by.office.engine, item=item, code=code)]}


# ---------------------------------------------------------------- plain values


def visible_items(by: Caller) -> set[str] | None:
    """看得到的事项; None for all."""
    if not by.person.department:
        return None
    night = by.office.night()
    return set(by.office.items(night, by.person)["item"]) if night else set()


def decision_of(by: Caller, number: int) -> review.ReviewDecision:
    """意见, by number. Raises 404 for one that is not there or of another department."""
    found, shown = review.decision(by.office.engine, number), visible_items(by)
    if found is None or (shown is not None and found.item not in shown):
        raise HTTPException(404, f"没有第 {number} 条意见")
    return found


def decision_answer(d: review.ReviewDecision) -> dict[str, Any]:
    """意见 in plain values."""
    return {
        **d.model_dump(include=set(DecisionAnswer.model_fields)), "run": d.night,
        "low": None if d.low is None else d.low / 100, "high": None if d.high is None else d.high / 100,
    }  # fmt: skip
