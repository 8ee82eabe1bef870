"""接口·工作台的别页: today, readiness, near misses, thresholds, what words and rules see differently, pushes, arrears, the quarter."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, Field

from desk.api.frame import (
    FAULTS,
    WRITES,
    Body,
    Caller,
    Done,
    FirmCode,
    ItemId,
    JsonRoute,
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
from desk.charts import thresholds
from desk.doubts import SEEN, doubts, seen_pairs
from desk.finding import find_items
from desk.moves import moves
from desk.near import nearest_firms
from desk.pages.fulfil import quarter_sheet
from desk.pages.today import clocks, money, worth_asking
from desk.ready import all_items, gaps
from engine.program import BoundItem
from store import arrears as owed
from store import audit, outbox, review
from store.database import writing
from store.kpi import quarter_of
from store.nights import Night

router = APIRouter(prefix="/api", tags=["工作台"], route_class=JsonRoute)


class MoveAnswer(BaseModel):
    """昨夜的一种变化; yuan gained or lost."""

    before: str
    after: str
    count: int
    yuan: float
    why: list[tuple[str, int]]


class ClockAnswer(BaseModel):
    """一件有期限的; `late` in working days, negative: left."""

    grant: int
    state: str
    firm: str
    title: str
    late: int


class AskAnswer(BaseModel):
    """先问的一项; expected yuan."""

    what: str
    owner: str
    count: int
    yuan: float


class MoneyAnswer(BaseModel):
    """本年资金的一处, in yuan."""

    what: str
    yuan: float
    count: int


class Today(BaseModel):
    """今日."""

    day: date
    run: int
    changes: list[MoveAnswer]
    ask: list[AskAnswer]
    clocks: list[ClockAnswer]
    money: list[MoneyAnswer]


class TestAnswer(BaseModel):
    """一项测试."""

    name: str
    passed: bool
    why: str


class ReadyAnswer(BaseModel):
    """一个事项的就绪度; yuan."""

    item: str
    title: str
    delivery: str
    works_as: str
    department: str
    tests: list[TestAnswer]
    advice: str
    fits: int
    open: int
    low: float
    high: float


class Ready(Page):
    """就绪度的一页."""

    rows: list[ReadyAnswer]


class GapAnswer(BaseModel):
    """一项数据缺口: `fill` is the share of enterprises with a value; expected yuan."""

    name: str
    department: str
    fill: float
    items: int
    pairs: int
    yuan: float


class Gaps(Page):
    """数据需求清单的一页."""

    rows: list[GapAnswer]


class NearFirm(BaseModel):
    """差一点的一家."""

    code: str
    name: str
    gap: str
    day: date | None


class NearAnswer(BaseModel):
    """卡在同一条的, with the nearest."""

    number: int
    label: str
    quote: str
    count: int
    firms: list[NearFirm]


class FunnelAnswer(BaseModel):
    """漏斗的一层."""

    number: int
    label: str
    remaining: int
    dropped: int


class ThresholdAnswer(BaseModel):
    """一条门槛: firms with a known value, those that miss it, and those within a tenth of it."""

    number: int
    label: str
    threshold: str
    known: int
    missed: int
    near: int


class Shape(BaseModel):
    """一个事项的漏斗、门槛分布和差一点的."""

    run: int
    item: str
    funnel: list[FunnelAnswer]
    thresholds: list[ThresholdAnswer]
    near: list[NearAnswer]


class DoubtAnswer(BaseModel):
    """一条不一致: the chance that the words give, yuan at stake; `seen` what somebody found."""

    item: str
    title: str
    code: str
    name: str
    condition: str
    way: str
    chance: float
    yuan: float
    seen: str


class Doubts(Page):
    """不一致的一页; `ready` is false while they are being worked out; `looked` the night and `as_of` the day they were found on."""

    ready: bool
    looked: int | None
    as_of: date | None
    rows: list[DoubtAnswer]


class SeenDoubt(Body):
    """看过一条不一致, with what was found."""

    item: ItemId
    code: FirmCode
    text: Annotated[Words, Field(min_length=2, max_length=500)]


class PushAnswer(BaseModel):
    """一条推送."""

    key: str
    firm: str
    item: str
    batch: str
    channel: str
    kind: str
    state: str
    subject: str
    reason: str
    attempts: int
    next_at: datetime | None
    sent: datetime | None
    read: datetime | None


class Resend(Body):
    """重发退信, by key."""

    keys: Annotated[list[Annotated[str, Field(max_length=200)]], Field(min_length=1, max_length=200)]


class ArrearAnswer(BaseModel):
    """一笔拖欠, in yuan; days past due."""

    kind: str
    code: str
    firm: str
    department: str
    what: str
    yuan: float
    due_on: date
    days: int
    grant: int | None


class Arrears(Page):
    """拖欠的一页."""

    rows: list[ArrearAnswer]


class Quarter(BaseModel):
    """季度考核: counts, yuan, shares as fractions (null: nothing to divide by), mean working days; `kept` the share paid within the item's own
    days among the `promises` that had some; `back_yuan` what firms paid back in the quarter; `why` pairs to whom nothing has come, by why, 企业放弃 among them but not in `unclaimed`."""

    quarter: str
    opened: int
    arrived: int
    yuan: float
    rate: float | None
    on_time: float | None
    automatic: float | None
    days: float | None
    unclaimed: int
    unclaimed_yuan: float
    back_yuan: float
    why: dict[str, int]
    kept: float | None
    promises: int
    run: int | None


class FoundItem(BaseModel):
    """查到的事项."""

    id: str
    title: str
    department: str
    quote: str


def mine(by: Caller, department: str) -> bool:
    return by.person.department in ("", department)


@router.get("/today", response_model=Today, responses=FAULTS)
def today(by: Caller = caller("today")) -> dict[str, Any]:
    """今日: what changed last night, what is worth asking for, what is due, the year's money."""
    office, night, visit = by.office, night_of(by.office), by.visit()
    return {
        "day": office.today(), "run": night.no, "changes": [asdict(m) for m in moves(office, night, by.person)],
        "ask": worth_asking(office, night, visit.person),
        "clocks": [{**c, "grant": c["id"], "firm": c["what"]} for c in clocks(office, visit)],
        "money": [{"what": w, "yuan": y, "count": n} for w, y, n in money(office, visit)],
    }  # fmt: skip


@router.get("/search", response_model=list[FoundItem], responses=FAULTS)
def search(
    q: Annotated[Short, Query(min_length=1, description="事项名称、部门、条款里的字")],
    by: Caller = caller("items"),
) -> list[dict[str, Any]]:
    """查事项 by any word; enterprises are found at /firms."""
    return find_items(by.office, night_of(by.office), q.strip(), by.visit())


@router.get("/readiness", response_model=Ready, responses=FAULTS)
def readiness(page: PageNo = 1, size: Size = 50, by: Caller = caller("readiness")) -> dict[str, Any]:
    """免申即享就绪度 of every item."""
    night = night_of(by.office)
    found = [r for r in all_items(by.office, night) if mine(by, r.department)]
    out = sliced(found, page, size, night.no)
    return {**out, "rows": [{**asdict(r), "advice": r.advice} for r in out["rows"]]}


@router.get("/gaps", response_model=Gaps, responses=FAULTS)
def gap_list(page: PageNo = 1, size: Size = 50, by: Caller = caller("readiness")) -> dict[str, Any]:
    """数据需求清单, the most money first."""
    night = night_of(by.office)
    out = sliced(gaps(by.office, night), page, size, night.no)
    return {**out, "rows": [asdict(g) for g in out["rows"]]}


def bound_of(by: Caller, night: Night, item: str) -> BoundItem:
    """在受理的事项. Raises 404."""
    by.sees(department_of(by.office, night, item))
    bound = by.office.bound(night, item)
    if bound is None:
        raise HTTPException(404, f"第 {night.no} 次比对时 {item} 不在受理窗口")
    return bound


@router.get("/items/{document}/{slug}/shape", response_model=Shape, responses=FAULTS)
def shape(document: Part, slug: Part, by: Caller = caller("matches")) -> dict[str, Any]:
    """漏斗、各门槛的分布、差一点的 of an item."""
    office, item, night = by.office, f"{document}/{slug}", night_of(by.office)
    bound = bound_of(by, night, item)
    labels = [c.condition.label or c.condition.quote for c in bound.program.conditions]
    near = office.memory.get(("near", night.no, item), lambda: nearest_firms(office, night, bound))
    rows = office.funnel(night, item).to_dict("records")
    return {
        "run": night.no, "item": item,
        "funnel": [
            {"number": i, "label": label, "remaining": int(r["remaining"]), "dropped": int(r["dropped"])}
            for i, (r, label) in enumerate(zip(rows, labels, strict=True), 1)
        ],
        "thresholds": [
            {"number": t.number, "label": t.label, "threshold": t.words, "known": t.known, "missed": t.below, "near": t.near}
            for t in thresholds(office, night, bound)
        ],
        "near": [asdict(g) for g in near],
    }  # fmt: skip


@router.get("/doubts", response_model=Doubts, responses=FAULTS)
def doubt_list(page: PageNo = 1, size: Size = 50, by: Caller = caller("items")) -> dict[str, Any]:
    """文字与规则不一致, the most money first; looked for every few nights; asked for where none did, it is worked out beside, some minutes."""
    office, night = by.office, night_of(by.office)
    found, seen = doubts(office, night), seen_pairs(office)
    shown = set(office.items(night, by.person)["item"])
    out = sliced([d for d in (found.rows if found else []) if d.item in shown], page, size, night.no)
    notes = {key: made.text.removeprefix(SEEN) for key, made in seen.items()}
    rows = [{**asdict(d), "seen": notes.get((d.item, d.code), "")} for d in out["rows"]]
    when = {"looked": found.run if found else None, "as_of": found.day if found else None}
    return {**out, **when, "ready": found is not None, "rows": rows}


@router.post("/doubts", status_code=201, response_model=Done, responses=WRITES, dependencies=[Once])
def seen_doubt(given: SeenDoubt, by: Caller = writer("doubt")) -> Done:
    """看过一条: a note beside the match."""
    office, night = by.office, night_of(by.office)
    by.sees(department_of(office, night, given.item))
    pair = office.pair(night, given.item, given.code, 0)
    if pair is None:
        raise HTTPException(404, f"第 {night.no} 次比对里没有 {given.code} × {given.item}")
    act = review.Act(review.NOTE, text=SEEN + given.text)
    review.decide(office.engine, by.who, act, [pair], office.now())
    return Done(told="记下了")


@router.get("/pushes", response_model=list[PushAnswer], responses=FAULTS)
def push_list(
    state: Literal["due", "sent", "suppressed", "dead"] = "due",
    reason: Annotated[Short, Query(description="暂缓或退信的原因")] = "",
    after: Annotated[
        str, Query(pattern=r"^([0-9A-Z]{18})?$", description="从这家企业之后接着列：上一页最后一条的 firm")
    ] = "",
    by: Caller = caller("push"),
) -> list[dict[str, Any]]:
    """推送 of one state by firm, about 200 at a time: a firm's stand on one page; an empty answer is the end."""
    found, _ = outbox.pushes_after(
        by.office.engine, state, after, 200, reason=reason or None, items=items_of(by)
    )
    return [{k: getattr(p, k) for k in PushAnswer.model_fields} for p in found]


def items_of(by: Caller) -> list[str] | None:
    """这个部门的事项; None for all."""
    if not by.person.department:
        return None
    return [str(i) for i in by.office.items(night_of(by.office), by.person)["item"]]


@router.post("/pushes/resend", response_model=Done, responses=WRITES, dependencies=[Once])
def resend(given: Resend, by: Caller = writer("decide")) -> Done:
    """重发退信 under their own numbers."""
    office, done, faults = by.office, [], []
    for key in given.keys:
        try:
            outbox.resend(office.engine, key, office.now(), items=items_of(by))
            done.append(key)
        except ValueError as error:
            faults.append(str(error))
    if not done:
        raise HTTPException(409, f"没有重发：{faults[0]}")
    with writing(office.engine) as opened:
        audit.record(opened, by.who, "重发推送", "退信", {"条数": len(done), "推送": done}, office.now())
    return Done(told=f"{len(done)} 条已改为待发" + (f"；{faults[0]}" if faults else ""))


@router.get("/arrears", response_model=Arrears, responses=FAULTS)
def arrear_list(page: PageNo = 1, size: Size = 50, by: Caller = caller("fulfil")) -> dict[str, Any]:
    """拖欠, the oldest first."""
    found = [a for a in owed.arrears(by.office.engine, by.office.today()) if mine(by, a.department)]
    out = sliced(found, page, size)
    rows = [
        {k: getattr(a, k) for k in ArrearAnswer.model_fields if k != "yuan"} | {"yuan": a.fen / 100}
        for a in out["rows"]
    ]
    return {**out, "rows": rows}


@router.get("/kpi/{quarter}", response_model=Quarter, responses=FAULTS)
def quarter(quarter: Short, by: Caller = caller("fulfil")) -> dict[str, Any]:
    """季度考核, such as 2026Q2."""
    try:
        quarter_of(quarter)
    except ValueError as error:
        raise HTTPException(404, str(error)) from error
    found = quarter_sheet(by.office, quarter.upper(), wait=True)
    assert found is not None
    k = found[0]
    yuan = {"yuan": k.fen / 100, "unclaimed_yuan": k.unclaimed_fen / 100, "back_yuan": k.back / 100}
    return {**asdict(k), **yuan, "run": k.night}
