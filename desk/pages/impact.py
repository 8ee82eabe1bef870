"""试算: what a changed threshold would do to firms and money, before anyone writes or publishes anything."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from analysis import Impact, Limits, Sweep, View, charts, compare, sweep, threshold_for
from analysis.effects import GROUPS
from desk.office import Office
from desk.pages.matches import opened, tabs
from desk.web import Visit, need, render
from engine.policy import Condition
from engine.words import read_money
from store import review
from store.nights import Night

router = APIRouter()
MOST_FIRMS, MOST_VALUES, MOST_LETTERS = 60, 30, 400


@dataclass(frozen=True)
class Trial:
    """试算的一次: the expressions and the budget as asked for, and what came of them, or the fault."""

    given: dict[str, str]
    budget: str = ""
    impact: Impact | None = None
    fault: str = ""


def limits_of(office: Office) -> Limits:
    """审批限额: the office's setting `impact` (lost, yuan, over_budget, promised), else the usual ones."""
    given = review.setting(office.engine, "impact", {}) or {}
    known = {k: given[k] for k in ("lost", "yuan", "over_budget", "promised") if k in given}
    return Limits(**known)


@router.get("/desk/items/{doc}/{slug}/impact")
def impact_page(request: Request, doc: str, slug: str, visit: Visit = need("items")) -> HTMLResponse:
    """试算页: one box a condition; nothing is saved, the address holds the whole trial."""
    item, office = f"{doc}/{slug}", visit.office
    night, bound = opened(office, visit, item)
    program = office.library(night).program(item)
    assert program is not None
    trial = tried(request, night, item)
    swept = swept_of(request, night, item)
    firms = trial.impact.firms.head(MOST_FIRMS).to_dict("records") if trial.impact else []
    return render(
        request, "impact.html", item=program.item, bound=bound, tabs=tabs(office, night, item), trial=trial,
        boxes=boxes(program.item.conditions), budget=bound.batch.budget if bound else None, firms=firms, swept=swept,
        total=len(trial.impact.firms) if trial.impact else 0, by=GROUPS, query=request.url.query,
        approval=trial.impact.approval(limits_of(office)) if trial.impact else [], spent=spent_of(request, night, item),
    )  # fmt: skip


@router.get("/desk/items/{doc}/{slug}/impact.svg")
def impact_drawing(request: Request, doc: str, slug: str, visit: Visit = need("items")) -> Response:
    """试算的图: of the sweep where one is asked for, else of the change; the same drawing as in a notebook."""
    item, office = f"{doc}/{slug}", visit.office
    night, _ = opened(office, visit, item)
    swept, _ = swept_of(request, night, item)
    trial = tried(request, night, item)
    if swept is not None:
        figure = charts.sweep_chart(swept)
    elif trial.impact is not None:
        figure = charts.impact_chart(trial.impact)
    else:
        raise HTTPException(404, trial.fault or "没有说改什么")
    return Response(charts.svg(figure), media_type="image/svg+xml")


def boxes(root: Condition | None) -> list[tuple[str, str, str]]:
    """可以改的条件: (id, quote, expression) of every condition with just one expression below it."""
    nodes = list(root.walk()) if root else []
    found, taken = [], set()
    for node in nodes:
        leaves = [c for c in node.leaves() if c.kind == "when"]
        if node.id and len(leaves) == 1 and id(leaves[0]) not in taken:
            taken.add(id(leaves[0]))
            found.append((node.id, node.quote, leaves[0].text))
    return found


def tried(request: Request, night: Night, item: str) -> Trial:
    params = request.query_params
    program = night.library().program(item)
    known = {name: text for name, _, text in boxes(program.item.conditions if program else None)}
    given = {n: params.get(f"c.{n}", "").strip()[:MOST_LETTERS] for n in known}
    changed = {n: t for n, t in given.items() if t and t != known[n]}
    budget = params.get("budget", "").strip()[:40]
    if not changed and not budget:
        return Trial(given)
    before = View(night)
    try:
        yuan = read_money(budget) if budget else None
        after = before.with_rule(item, conditions=changed, budget=yuan)
        return Trial(given, budget, compare(before, after, item))
    except ValueError as error:
        return Trial(given, budget, fault=str(error))


def swept_of(request: Request, night: Night, item: str) -> tuple[Sweep | None, str]:
    """扫门槛: of the condition and the values in the address; with the fault in words where it can't be done."""
    params = request.query_params
    condition = params.get("sweep", "")
    values = [v for v in re.split(r"[\s,，、;；]+", params.get("values", "")) if v][:MOST_VALUES]
    if not condition or not values:
        return None, ""
    by = params.get("by", "")
    try:
        return sweep(View(night), item, condition, values, by=by if by in GROUPS else None), ""
    except ValueError as error:
        return None, str(error)


def spent_of(request: Request, night: Night, item: str) -> tuple[str, pd.Series | None, str]:
    """花到多少: the sum asked for, the threshold that spends it, or why there is none."""
    params = request.query_params
    asked, condition = params.get("spend", "").strip()[:40], params.get("sweep", "")
    if not asked or not condition:
        return asked, None, "请选一个条件，才算得出花到这个数门槛该定在哪" if asked else ""
    try:
        return asked, threshold_for(View(night), item, condition, read_money(asked)), ""
    except ValueError as error:
        return asked, None, str(error)
