"""接口·试算: what a changed rule or threshold would do to firms and money; only reckoned, nothing is kept or told."""

from __future__ import annotations

from typing import Annotated, Any

import pandas as pd
from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from analysis import Sweep as Swept
from analysis import View, sweep, threshold_for
from analysis.effects import GROUPS
from analysis.promises import counted
from desk.api.frame import (
    FAULTS,
    Body,
    Caller,
    JsonRoute,
    Page,
    PageNo,
    Part,
    Size,
    caller,
    department_of,
    night_of,
    sliced,
)
from desk.office import CODE, NAME, number
from desk.pages.impact import MOST_LETTERS, MOST_VALUES, changed_impact, limits_of
from engine.words import read_money
from store.nights import Night

router = APIRouter(prefix="/api", tags=["试算"], route_class=JsonRoute)
ConditionId = Annotated[str, Field(pattern=r"^[0-9A-Za-z_][0-9A-Za-z_.-]{0,63}$")]
Value = Annotated[str, Field(min_length=1, max_length=40)]
Written = Annotated[str, Field(min_length=1, max_length=MOST_LETTERS)]
Money = Annotated[str, Field(max_length=40, description="照规则的写法，例如 2000万元")]


class Trial(Body):
    """试什么: expressions by condition id as the rule writes them, a budget, or both; what is left out stays as it is."""

    conditions: dict[ConditionId, Written] = Field(default_factory=dict, max_length=40)
    budget: Money = ""


class ChangedFirm(BaseModel):
    """有变化的一家; highest payable yuan before and after, null unknown or none; `reason` what stood or stands in its way."""

    code: str
    name: str
    change: str
    before: str
    after: str
    high_before: float | None
    high_after: float | None
    reason: str


class Group(BaseModel):
    """一组的影响: of one industry, size or district (`name` the code's official name); highest payable yuan."""

    by: str
    group: str
    name: str
    fits_before: int
    fits_after: int
    gained: int
    lost: int
    high_before: float
    high_after: float


class TrialAnswer(Page):
    """试算的结果: sums in yuan; `promised` firms told or under way that would lose, of them `told` without a grant yet;
    `approval` why it would need the head's approval; firms that change, page by page."""

    item: str
    words: str
    before: dict[str, float | None]
    after: dict[str, float | None]
    budget: float | None
    gained: int
    lost: int
    promised: int
    told: int
    approval: list[str]
    groups: list[Group]
    rows: list[ChangedFirm]


class Sweep(Body):
    """扫哪一条的门槛: values to try as the rule writes them, and/or a sum for which the threshold is to be found."""

    condition: ConditionId
    values: list[Value] = Field(default_factory=list, max_length=MOST_VALUES)
    by: Annotated[str, Field(max_length=32, description="再按什么分：" + "、".join(GROUPS))] = ""
    spend: Money = ""


class Tried(BaseModel):
    """门槛的一个值: counts and yuan before 就高 and cuts; `groups` firms 符合 by group, where asked for."""

    value: str
    fits: int
    open: int
    low: float
    high: float
    most: float
    groups: dict[str, int] | None = None


class SweepAnswer(BaseModel):
    """扫的结果; `found` is the threshold that spends the sum asked for; `names` the official names of groups that are codes."""

    run: int
    item: str
    condition: str
    budget: float | None
    rows: list[Tried]
    found: Tried | None
    names: dict[str, str]
    note: str


def _night_with(by: Caller, item: str) -> Night:
    """比对, in which the item is taking applications. Raises 404, 409."""
    night = night_of(by.office)
    by.sees(department_of(by.office, night, item))
    if by.office.bound(night, item) is None:
        raise HTTPException(409, f"第 {night.no} 次比对时 {item} 没有在办的批次，算不出影响")
    return night


@router.post("/items/{document}/{slug}/trial", response_model=TrialAnswer, responses=FAULTS)
def trial(
    document: Part, slug: Part, given: Trial, page: PageNo = 1, size: Size = 50, by: Caller = caller("items")
) -> dict[str, Any]:
    """试算一次改动: who comes, who goes, how much, whose promise would be broken; nothing is written, so no key is needed."""
    item = f"{document}/{slug}"
    night = _night_with(by, item)
    if not given.conditions and not given.budget:
        raise HTTPException(409, "没有说改什么：conditions 和 budget 至少写一个")
    try:
        found = changed_impact(by.office, night, item, dict(given.conditions), given.budget)
    except ValueError as error:
        raise HTTPException(409, str(error)) from error
    out = sliced(found.firms.to_dict("records"), page, size, night.no)
    return {
        **out, "item": item, "words": found.words(), "before": _plain(found.before), "after": _plain(found.after),
        "budget": found.budget, "gained": len(found.gained), "lost": len(found.lost), "promised": len(found.promised),
        "told": counted(found.promised)[1],
        "approval": found.approval(limits_of(by.office)), "groups": [_group(g) for g in found.groups.to_dict("records")],
        "rows": [_firm(r) for r in out["rows"]],
    }  # fmt: skip


@router.post("/items/{document}/{slug}/sweep", response_model=SweepAnswer, responses=FAULTS)
def sweep_threshold(document: Part, slug: Part, given: Sweep, by: Caller = caller("items")) -> dict[str, Any]:
    """扫一个门槛, or find the one that spends a sum; nothing is written."""
    item = f"{document}/{slug}"
    night = _night_with(by, item)
    if given.by and given.by not in GROUPS:
        raise HTTPException(409, f"不能按“{given.by}”分：可以是 {'、'.join(GROUPS)}")
    if not given.values and not given.spend:
        raise HTTPException(409, "没有说试哪些门槛：values 和 spend 至少写一个")
    view = View(night)
    try:
        swept = (
            sweep(view, item, given.condition, given.values, by=given.by or None) if given.values else None
        )
        spends = threshold_for(view, item, given.condition, read_money(given.spend)) if given.spend else None
    except ValueError as error:
        raise HTTPException(409, str(error)) from error
    bound = by.office.bound(night, item)
    rows = [] if swept is None else swept.table.to_dict("records")
    groups, names = _groups_of(swept)
    return {
        "run": night.no, "item": item, "condition": given.condition, "budget": bound.batch.budget if bound else None,
        "rows": [{**_tried(r), "groups": groups[i] if groups else None} for i, r in enumerate(rows)],
        "found": None if spends is None else _tried(spends), "names": names, "note": swept.note if swept else "",
    }  # fmt: skip


def _groups_of(swept: Swept | None) -> tuple[list[dict[Any, Any]], dict[str, str]]:
    """Firms 符合 of each group by code, one record a threshold; and the names of the codes."""
    if swept is None or swept.groups is None:
        return [], {}
    own = swept.groups
    wide = (
        own.pivot(index="门槛", columns="组", values="符合")
        .reindex(swept.table["门槛"])
        .fillna(0)
        .astype(int)
    )
    return wide.to_dict("records"), {c: n for c, n in zip(own["组"], own["名称"], strict=True) if n}


def _tried(row: pd.Series | dict[Any, Any]) -> dict[str, Any]:
    return {
        "value": str(row["门槛"]), "fits": int(row["符合"]), "open": int(row["待核实"]), "low": row["应付低"],
        "high": row["应付高"], "most": row["含待核实最多"],
    }  # fmt: skip


def _firm(row: dict[Any, Any]) -> dict[str, Any]:
    return {
        "code": row[CODE], "name": row[NAME] or "", "change": row["变化"], "before": row["原结论"], "after": row["新结论"],
        "high_before": number(row["原应付高"]), "high_after": number(row["新应付高"]), "reason": row["原因"],
    }  # fmt: skip


def _group(row: dict[Any, Any]) -> dict[str, Any]:
    return {
        "by": row["按"], "group": row["组"], "name": row["名称"], "fits_before": row["原符合"], "fits_after": row["新符合"],
        "gained": row["进"], "lost": row["出"], "high_before": row["原应付高"], "high_after": row["新应付高"],
    }  # fmt: skip


def _plain(sums: dict[str, float]) -> dict[str, float | None]:
    return {name: number(float(value)) for name, value in sums.items()}
