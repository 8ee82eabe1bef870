"""试算: what a changed threshold would do to firms and money, before anyone writes or publishes anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from analysis import Impact, Limits, Sweep, View, charts, compare, sweep, threshold_for
from analysis.effects import GROUPS
from desk.exports import book_parts
from desk.office import CODE, NAME, Office
from desk.pages.export import PORTION, logged, notes_of, streamed
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
    changes: dict[str, str] = field(default_factory=dict)


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
    trial = tried(request, office, night, item)
    swept = swept_of(request, night, item)
    firms = trial.impact.firms.head(MOST_FIRMS).to_dict("records") if trial.impact else []
    return render(
        request, "impact.html", item=program.item, bound=bound, tabs=tabs(visit, night, item), trial=trial,
        boxes=boxes(program.item.conditions), budget=bound.batch.budget if bound else None, firms=firms, swept=swept,
        total=len(trial.impact.firms) if trial.impact else 0, by=GROUPS, query=request.url.query,
        approval=trial.impact.approval(limits_of(office)) if trial.impact else [], spent=spent_of(request, night, item), spread=spread_of(swept[0]),
    )  # fmt: skip


@router.get("/desk/items/{doc}/{slug}/impact.svg")
def impact_drawing(request: Request, doc: str, slug: str, visit: Visit = need("items")) -> Response:
    """试算的图: of the sweep where one is asked for, else of the change; the same drawing as in a notebook."""
    item, office = f"{doc}/{slug}", visit.office
    night, _ = opened(office, visit, item)
    swept, _ = swept_of(request, night, item)
    trial = tried(request, office, night, item)
    if swept is not None:
        figure = charts.sweep_chart(swept)
    elif trial.impact is not None:
        figure = charts.impact_chart(trial.impact)
    else:
        raise HTTPException(404, trial.fault or "没有说改什么")
    return Response(charts.svg(figure), media_type="image/svg+xml")


@router.get("/desk/items/{doc}/{slug}/impact.xlsx")
def impact_excel(request: Request, doc: str, slug: str, visit: Visit = need("export")) -> Response:
    """试算的表: every firm that changes, or every threshold tried, with what was changed and from which night."""
    item, office = f"{doc}/{slug}", visit.office
    night, bound = opened(office, visit, item)
    trial, (swept, _) = tried(request, office, night, item), swept_of(request, night, item)
    title = bound.program.item.title if bound else slug
    if trial.impact is not None:
        said = [f"改为：{name}　{text}" for name, text in trial.changes.items()]
        said += [f"预算：{trial.budget}"] if trial.budget else []
        said += [
            trial.impact.words(),
            *(f"要领导批准：{w}" for w in trial.impact.approval(limits_of(office))),
        ]
        head, count, rows = (
            FIRM_HEAD,
            len(trial.impact.firms),
            firm_rows(trial.impact.firms, trial.impact.promised),
        )
    elif swept is not None:
        said = [f"扫 {swept.condition} 的门槛；金额为就高和预算核减之前"]
        head, lines = sweep_rows(swept)
        count, rows = len(lines), iter([lines])
    else:
        raise HTTPException(404, trial.fault or "没有说改什么")
    logged(visit, "导出试算", item, count)
    parts = book_parts(f"{title} 试算", [*said, *notes_of(night, visit)], head, rows, count)
    return streamed(parts, f"{title}_试算_{night.as_of}.xlsx", count)


FIRM_HEAD: tuple[str, ...] = (
    "企业名称", "统一社会信用代码", "变化", "改前", "改后", "改前应付最少 万元", "改前应付最多 万元", "改后应付最少 万元", "改后应付最多 万元",
    "原因", "已承诺",
)  # fmt: skip
SUMS = ("原应付低", "原应付高", "新应付低", "新应付高")


def firm_rows(firms: pd.DataFrame, promised: pd.DataFrame, *before: str) -> Iterator[list[list[Any]]]:
    """有变化的企业 as FIRM_HEAD names them, in portions, sums in 万元; the columns `before` stand in front; what was promised
    to whom in words (of a whole document by the item's title too)."""
    said = {
        (row[CODE], row.get("事项", "")): f"{row['承诺']}：{row['办理状态']}"
        for row in promised.to_dict("records")
    }
    for start in range(0, len(firms), PORTION):
        part = firms.iloc[start : start + PORTION]
        words = [part[name].tolist() for name in (*before, NAME, CODE, "变化", "原结论", "新结论")]
        money = [[None if v != v else v / 1e4 for v in part[name].tolist()] for name in SUMS]
        titles = part["名称"].tolist() if "名称" in part else [""] * len(part)
        own = [said.get(pair, "") for pair in zip(part[CODE].tolist(), titles, strict=True)]
        yield [list(row) for row in zip(*words, *money, part["原因"].tolist(), own, strict=True)]


def sweep_rows(swept: Sweep) -> tuple[tuple[str, ...], list[list[Any]]]:
    """门槛逐个试的表: head and rows, sums in 万元."""
    spread = spread_of(swept)
    groups = [] if spread is None else [str(g) for g in spread.columns]
    head = ("门槛", "符合 家", "待核实 家", "应付最少 万元", "应付最多 万元", "含待核实最多 万元", *groups)
    rows = []
    for n, r in enumerate(swept.table.to_dict("records")):
        money = [float(r[name]) / 1e4 for name in ("应付低", "应付高", "含待核实最多")]
        own = [] if spread is None else [int(v) for v in spread.iloc[n]]
        rows.append([str(r["门槛"]), int(r["符合"]), int(r["待核实"]), *money, *own])
    return head, rows


def spread_of(swept: Sweep | None) -> pd.DataFrame | None:
    """各组几家: one column a group, by its code and name; None where no grouping was asked for."""
    if swept is None or swept.groups is None or not len(swept.groups):
        return None
    return swept.spread(str(swept.groups["按"].iloc[0]))


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


def tried(request: Request, office: Office, night: Night, item: str) -> Trial:
    params = request.query_params
    program = night.library().program(item)
    known = {name: text for name, _, text in boxes(program.item.conditions if program else None)}
    given = {n: params.get(f"c.{n}", "").strip()[:MOST_LETTERS] for n in known}
    changed = {n: t for n, t in given.items() if t and t != known[n]}
    budget = params.get("budget", "").strip()[:40]
    if not changed and not budget:
        return Trial(given)
    try:
        return Trial(given, budget, changed_impact(office, night, item, changed, budget), changes=changed)
    except ValueError as error:
        return Trial(given, budget, fault=str(error))


def changed_impact(
    office: Office, night: Night, item: str, conditions: dict[str, str], budget: str = ""
) -> Impact:
    """改了会怎样: `conditions` are expressions by id, `budget` as written (2000万元). Raises ValueError with every fault."""
    before = as_it_was(office, night, item)
    after = before.with_rule(item, conditions=conditions, budget=read_money(budget) if budget else None)
    return compare(before, after, item)


def as_it_was(office: Office, night: Night, item: str) -> View:
    """改之前: only that of the item tried last is kept, since whoever tries one value tries others."""
    kept: tuple[tuple[int, str], View] | None = office.memory.get(("before a trial",), lambda: None)
    if kept is None or kept[0] != (night.no, item):
        kept = ((night.no, item), View(night))
        office.memory.put(("before a trial",), kept)
    return kept[1]


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
