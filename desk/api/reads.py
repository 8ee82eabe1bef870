"""接口·读: items, lists, evidence and runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

import pandas as pd
from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel

from desk.api.frame import (
    FAULTS,
    Caller,
    Code,
    JsonRoute,
    Number,
    Page,
    PageNo,
    Part,
    RunNo,
    Short,
    Size,
    caller,
    cut,
    department_of,
    night_of,
)
from desk.evidence import facts_of, seen_of
from desk.listing import Filters, list_page
from desk.office import CODE, NAME, number
from desk.pages.match import hit_of
from desk.pages.matches import my_firms
from engine.explain import explain
from engine.match import Evidence, Seen
from store import review
from store.nights import Night

router = APIRouter(prefix="/api", tags=["比对"], route_class=JsonRoute)


# ---------------------------------------------------------------- what is answered


class Item(BaseModel):
    """事项 in one run; amounts in yuan."""

    item: str
    title: str
    batch: str
    category: str
    delivery: str
    department: str
    fits: int
    open: int
    low: float
    high: float
    unknown_amounts: int
    new_fits: int
    gone: int


class Pair(BaseModel):
    """名单上的一条; amounts in yuan after 就高不重复 and budgets, null unknown."""

    code: str
    name: str
    item: str
    batch: str
    verdict: Literal["符合", "待核实", "不符合"]
    low: float | None
    high: float | None
    fails: list[str]
    unknown: list[str]
    gave_way: str
    note: str


class Listed(Pair):
    """名单上的一条 with where the office stands; `last` goes back with a decision, so that nobody overtakes another."""

    state: str
    last: int


class SeenValue(BaseModel):
    """所见取值 with its source and day."""

    indicator: str
    year: int | None
    value: Any
    source: str
    as_of: date | None
    state: str
    note: str


class EvidenceNode(BaseModel):
    """依据: one node of the rule."""

    kind: str
    verdict: str
    number: int
    id: str
    cite: str
    quote: str
    text: str
    hidden: bool
    gap: str
    holds_on: date | None
    needs: str
    seen: list[SeenValue]
    children: list[EvidenceNode]


class MatchAnswer(BaseModel):
    """一条匹配 with everything it rests on; `working` says line by line how the amount came about."""

    run: int
    as_of: date
    code: str
    name: str
    item: str
    batch: str
    verdict: str
    low: float | None
    high: float | None
    gave_way: str
    note: str
    state: str
    last: int
    working: list[str]
    evidence: list[EvidenceNode]


class RunAnswer(BaseModel):
    """一次比对 with the hashes of what it was made of."""

    run: int
    as_of: date
    started: datetime
    finished: datetime
    state: str
    held_because: str
    library_hash: str
    profiles_hash: str
    answers_hash: str
    hits_hash: str
    counts: dict[str, Any]


class Items(Page):
    """事项的一页."""

    rows: list[Item]


class Pairs(Page):
    """名单的一页."""

    rows: list[Listed]


class Runs(Page):
    """比对的一页."""

    rows: list[RunAnswer]


# ---------------------------------------------------------------- routes


@router.get("/items", response_model=Items, responses=FAULTS)
def items(
    page: PageNo = 1, size: Size = 50, run: RunNo = None, by: Caller = caller("items")
) -> dict[str, Any]:
    """事项一览 of a run, those the person may see."""
    night = night_of(by.office, run)
    frame = by.office.items(night, by.person).sort_values("item")
    part = frame.iloc[(page - 1) * size : page * size]
    return {**cut(len(frame), page, size, night.no), "rows": part.to_dict("records")}


@router.get("/items/{document}/{slug}/matches", response_model=Pairs, responses=FAULTS)
def item_matches(
    document: Part,
    slug: Part,
    verdict: Literal["符合", "待核实"] | None = None,
    state: Literal["待处理", "已问", "待复核", "已通过", "未纳入"] | None = None,
    since: Literal["新增", "有变化"] | None = None,
    stuck: Annotated[int | None, Query(ge=1, le=999, description="卡在第几条")] = None,
    why: Literal["只差人工判断", "缺数据"] | None = None,
    industry: Annotated[str, Query(pattern=r"^[A-T]?$", description="行业门类的字母")] = "",
    officer: Annotated[Literal["", "me"], Query(description="me：只看我的企业")] = "",
    sort: Annotated[
        str,
        Query(
            pattern=r"^(code|-?(expected|amount|score|name|change|open))(,-?(expected|amount|score|name|change|open))*$",
            description="按什么排：code（翻页最稳）、expected、amount、score、name、change、open；前面加 - 从大到小",
        ),
    ] = "code",
    q: Annotated[Short, Query(description="名称或代码里的字")] = "",
    page: PageNo = 1,
    size: Size = 50,
    run: RunNo = None,
    by: Caller = caller("matches"),
) -> dict[str, Any]:
    """名单 of an item, by code unless sorted: 符合 and 待核实; who is not on it is 不符合."""
    office, item = by.office, f"{document}/{slug}"
    night = night_of(office, run)
    by.sees(department_of(office, night, item))
    frame, bound = office.hits(night, item), office.bound(night, item)
    if bound is None or not len(frame):
        return {**cut(0, page, size, night.no), "rows": []}
    states = office.states(night, item, bound.batch.name)
    filters = Filters(
        verdict=(verdict,) if verdict else (), why=(why,) if why else (), stuck=stuck or 0, since=(since,) if since else (),
        state=state or "全部", officer=officer, industry=(industry,) if industry else (), q=q.strip(),
        sort=sort,
    )  # fmt: skip
    mine = my_firms(office, by.visit()) if officer else set()
    order = list_page(frame, bound.ids, states, mine, filters).order
    part = frame.iloc[order[(page - 1) * size : page * size]]
    return {**cut(len(order), page, size, night.no), "rows": _pairs(part, {item: states})}


def firm_pairs(by: Caller, night: Night, code: str) -> pd.DataFrame:
    """一家企业的名单 in the order of items, those the caller may see."""
    lists = (by.office.hits(night, item) for item in sorted(by.office.items(night, by.person)["item"]))
    parts = [part for hits in lists if len(hits) and len(part := hits[hits[CODE] == code])]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


@router.get("/firms/{code}/matches", response_model=Pairs, responses=FAULTS)
def firm_matches(
    code: Code, page: PageNo = 1, size: Size = 50, run: RunNo = None, by: Caller = caller("firms")
) -> dict[str, Any]:
    """一家企业的名单 over all items the person may see."""
    night = night_of(by.office, run)
    if code not in by.office.row_numbers(night):
        raise HTTPException(404, f"企业档案里没有 {code}")
    frame = firm_pairs(by, night, code)
    part = frame.iloc[(page - 1) * size : page * size]
    states = (
        {i: by.office.states(night, i, b) for i, b in zip(part["item"], part["batch"], strict=True)}
        if len(part)
        else {}
    )
    return {**cut(len(frame), page, size, night.no), "rows": _pairs(part, states)}


@router.get("/matches/{code}/{document}/{slug}", response_model=MatchAnswer, responses=FAULTS)
def one_match(
    code: Code, document: Part, slug: Part, run: RunNo = None, by: Caller = caller("match")
) -> dict[str, Any]:
    """一条匹配与逐条依据, hidden conditions among them: for the office, not to be passed on to the firm."""
    office, item = by.office, f"{document}/{slug}"
    night = night_of(office, run)
    by.sees(department_of(office, night, item))
    bound, one = office.bound(night, item), office.one(night, code)
    if bound is None or one is None:
        raise HTTPException(404, f"第 {night.no} 次比对里没有 {code} × {item}")
    found = explain(bound, one, night.as_of, night.answers(), seen_of(facts_of(office, night, code)))
    hit = hit_of(office, night, item, code)
    state = office.states(night, item, bound.batch.name).get(code, review.State())
    return {
        "run": night.no, "as_of": night.as_of, "code": code, "name": office.name(night, code), "item": item,
        "batch": bound.batch.name, "verdict": str(found.verdict), "low": hit["low"], "high": hit["high"],
        "gave_way": hit["gave"], "note": hit["note"], "state": state.word, "last": state.last, "working": list(found.working), "evidence": [_node(e) for e in found.evidence],
    }  # fmt: skip


@router.get("/runs", response_model=Runs, responses=FAULTS)
def runs(page: PageNo = 1, size: Size = 50, by: Caller = caller("runs")) -> dict[str, Any]:
    """各次比对, newest first, held back ones too."""
    nights = by.office.nights()
    part = nights[(page - 1) * size : page * size]
    return {**cut(len(nights), page, size, None), "rows": [_run(n) for n in part]}


@router.get("/runs/{number}", response_model=RunAnswer, responses=FAULTS)
def one_run(number: Number, by: Caller = caller("runs")) -> dict[str, Any]:
    """一次比对."""
    night = by.office.night(number)
    if night is None:
        raise HTTPException(404, f"没有第 {number} 次比对")
    return _run(night)


# ---------------------------------------------------------------- plain values


def _pairs(frame: pd.DataFrame, states: Mapping[str, Mapping[str, review.State]]) -> list[dict[str, Any]]:
    return [_pair(row, states.get(row["item"], {}).get(row[CODE])) for row in frame.to_dict("records")]


def _pair(row: Mapping[Any, Any], state: review.State | None) -> dict[str, Any]:
    now = state or review.State()
    return {
        "code": row[CODE], "name": row[NAME] or "", "item": row["item"], "batch": row["batch"], "verdict": row["verdict"],
        "low": number(row["paid_low"]), "high": number(row["paid_high"]), "fails": list(row["fails"]),
        "unknown": list(row["unknown"]), "gave_way": row["gave_way"] or "", "note": row["note"] or "",
        "state": now.word, "last": now.last,
    }  # fmt: skip


def _node(e: Evidence) -> dict[str, Any]:
    return {
        "kind": e.kind, "verdict": str(e.verdict), "number": e.number, "id": e.id, "cite": e.cite, "quote": e.quote,
        "text": e.text, "hidden": e.hidden, "gap": e.gap, "holds_on": e.holds_on, "needs": e.needs,
        "seen": [_seen(s) for s in e.seen], "children": [_node(c) for c in e.children],
    }  # fmt: skip


def _seen(s: Seen) -> dict[str, Any]:
    value = s.value if s.value is None or isinstance(s.value, bool | int | str | date) else _plain(s.value)
    return {
        "indicator": s.indicator, "year": s.year, "value": value, "source": s.source, "as_of": s.as_of,
        "state": s.state, "note": s.note,
    }  # fmt: skip


def _plain(value: object) -> object:
    if isinstance(value, list | tuple | set | frozenset):
        return [str(v) for v in value]
    return number(value) if isinstance(value, float) else str(value)


def _run(night: Night) -> dict[str, Any]:
    run = night.run
    return {
        "run": night.no, "as_of": run.as_of, "started": run.started, "finished": run.finished, "state": run.state,
        "held_because": run.held_because, "library_hash": run.library_hash, "profiles_hash": run.profiles_hash,
        "answers_hash": run.answers_hash, "hits_hash": run.hits_hash, "counts": run.counts,
    }  # fmt: skip
