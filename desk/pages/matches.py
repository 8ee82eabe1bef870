"""名单: all items' lists, and one item's list with funnel, facets and bulk acts."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from desk.charts import thresholds
from desk.details import speakers
from desk.listing import WHY, Filters, list_page, order_words, read_filters
from desk.office import CODE, NAME, Office, number
from desk.said import cap_of, short_label, window_words
from desk.urls import url
from desk.web import Visit, need, render
from engine.program import BoundItem
from store import accounts, review
from store.nights import Night

router = APIRouter()
# 专题: a subject and the words by which an item's title or category shows that it belongs there.
SUBJECTS: dict[str, tuple[str, ...]] = {
    "高企培育": ("高新技术企业", "高企", "科技型中小企业", "领军"),
    "对标": ("专精特新", "小巨人", "创新型中小企业", "单项冠军", "对标", "亩均"),
    "RCEP": ("RCEP", "协定", "原产地", "关税", "海关", "出口", "外贸", "跨境"),
    "融资": ("贷款", "贴息", "担保", "融资", "信用保险"),
    "信用修复": ("信用修复",),
    "白名单": ("白名单", "名单", "专员服务"),
}


@router.get("/desk/matches")
def all_lists(request: Request, category: str = "", run: int = 0, visit: Visit = need("matches")) -> Response:
    """全部名单: one line an item, those with something to do first; of the night on show, or of `run`."""
    office, night = visit.office, visit.office.night()
    if night is None:
        return render(request, "no_night.html", active="matches")
    if run and run != night.no:
        night = office.night(run) if 0 < run < 2**31 else None
        if night is None:
            raise HTTPException(404, f"没有第 {run} 次比对")
    else:
        run = 0
    rows = item_rows(office, night, visit)
    kinds = Counter(r["category"] for r in rows)
    rows = [r for r in rows if not category or r["category"] == category]
    rows.sort(key=lambda r: (-r["todo"], r["id"]))
    total = {k: sum(r[k] for r in rows) for k in ("fits", "open", "todo")}
    views = accounts.saved_views(office.engine, visit.person.id or 0)
    return render(
        request,
        "matches.html",
        rows=rows,
        total=total,
        views=views,
        kinds=dict(kinds),
        category=category,
        subjects=list(SUBJECTS),
        night=night,
        run=run or None,
    )


def item_rows(office: Office, night: Night, visit: Visit) -> list[dict[str, Any]]:
    """事项各一行 with what is still to do."""
    done = decided(office, night)
    out = []
    first = night.run.previous is None  # nothing is new where there was no night before
    paying = {p.item.id for p in office.library(night).programs if p.item.benefit is not None}
    for row in office.items(night, visit.person).to_dict("records"):
        gone = done.get((str(row["item"]), str(row["batch"])), 0)
        out.append({
            "id": row["item"], "title": row["title"], "department": row["department"], "delivery": row["delivery"], "category": row["category"],
            "batch": row["batch"], "money": row["item"] in paying, "fits": int(row["fits"]), "open": int(row["open"]), "low": float(row["low"]),
            "high": float(row["high"]), "unknown": int(row["unknown_amounts"]), "new": 0 if first else int(row["new_fits"]),
            "gone": int(row["gone"]), "todo": max(int(row["fits"]) + int(row["open"]) - gone, 0), "done": gone,
        })  # fmt: skip
    return out


def decided(office: Office, night: Night) -> dict[tuple[str, str], int]:
    """已处理的条数 by item and batch (decisions that stand, by their own state)."""
    made = review.history(office.engine)
    states = review.states(made, {}, office.today())
    out: dict[tuple[str, str], int] = {}
    for (item, batch, _code), state in states.items():
        if state.word not in ("待处理", "被退回"):
            out[(item, batch)] = out.get((item, batch), 0) + 1
    return out


@router.get("/desk/items/{doc}/{slug}/matches")
def item_list(request: Request, doc: str, slug: str, visit: Visit = need("matches")) -> HTMLResponse:
    """一个事项的名单."""
    item = f"{doc}/{slug}"
    filters = filters_of(request)
    office = visit.office
    night, bound = opened(office, visit, item, filters.run)
    if bound is None:
        return render(request, "no_batch.html", item=item, program=night.library().program(item), night=night)
    states = office.states(night, item, bound.batch.name)
    hits = office.hits(night, item)
    listing = list_page(hits, bound.ids, states, my_firms(office, visit), filters)
    rows, limit = table_rows(listing.rows, bound, states), review.second_limit(office.engine)
    if bound.program.item.subject != "企业" and rows:
        here = night.columns().take(office.rows(night, [r["code"] for r in rows]))
        for row, (name, count) in zip(rows, speakers(bound, here, night.answers()), strict=False):
            row["speaks"] = f"{name} 等 {count} 个" if count > 1 else name
    context = {
        "item": bound.program.item, "document": bound.program.document, "batch": bound.batch, "night": night,
        "filters": filters, "listing": listing, "rows": rows,
        "shown": grid_columns(rows), "conditions": [(short_label(c.condition), c.condition.cite, c.condition.quote) for c in bound.program.conditions],
        "funnel": funnel_rows(office, night, item, filters), "firms": len(night.columns().codes), "limit": limit,
        "cap": cap_of(bound), "top": track_top(bound, listing.rows), "window": window_words(bound.batch, office.today()), "href": hrefs(item, filters),
        "chips": chips(item, filters, bound), "tabs": tabs(visit, night, item), "WHY": WHY,
        "order_words": order_words(hits, filters.sort),
        "latest": filters.run is None, "done": done_line(office, request, visit, night),
        "approved": approved_sum(states), "scored": bool(listing.rows["score"].notna().any()) if len(listing.rows) else False,
    }  # fmt: skip
    return render(request, "item_matches.html", **context)


def filters_of(request: Request) -> Filters:
    params = request.query_params
    return read_filters(dict(params), {k: params.getlist(k) for k in params})


def opened(office: Office, visit: Visit, item: str, run: int | None = None) -> tuple[Night, BoundItem | None]:
    """比对与事项. Raises 404 where there is no such night or item, 403 for another department's."""
    night = office.night(run)
    if night is None:
        raise HTTPException(404, "还没有做过比对" if run is None else f"没有第 {run} 次比对")
    program = office.library(night).program(item)
    if program is None:
        raise HTTPException(404, f"第 {night.no} 次比对的规则库里没有“{item}”这一项")
    visit.need_item(program.item.department)
    return night, office.bound(night, item)


def my_firms(office: Office, visit: Visit) -> set[str]:
    """我的企业 (一企两专员)."""
    rows = accounts.officers(office.engine).values()
    return {r.firm for r in rows if visit.who in (r.enterprise_officer, r.service_officer)}


def table_rows(
    frame: pd.DataFrame, bound: BoundItem, states: dict[str, review.State]
) -> list[dict[str, Any]]:
    """名单的行, in plain values."""
    place = {name: i for i, name in enumerate(bound.ids)}
    out = []
    for row in frame.to_dict("records"):
        unknown = sorted(place[u] for u in row["unknown"])
        marks = ["待核实" if i in unknown else "符合" for i in range(len(bound.ids))]
        first = unknown[0] if unknown else None
        state = states.get(row[CODE], review.State())
        out.append({
            "code": row[CODE], "name": row[NAME] or row[CODE], "verdict": row["verdict"], "industry": row["industry"],
            "marks": marks, "more": max(len(unknown) - 1, 0), "low": number(row["paid_low"]),
            "high": number(row["paid_high"]), "score": number(row["score"]), "change": row["change"], "state": state.word,
            "why": "" if first is None else first_unknown(bound, first),
            "gave": row["gave_way"] or "", "last": state.last, "lapsed": state.lapsed, "officer": state.officer, "speaks": "",
        })  # fmt: skip
    return out


MOST_COLUMNS = 15
MOST_OPEN = 10  # where there are more: what the rest comes to takes a column too, and the name would be left three letters


def grid_columns(rows: list[dict[str, Any]]) -> list[int]:
    """点阵的列: every numbered condition where there are few; else those open on this page, the most often open first to stay,
    in the rule's order, since a column of nothing but 符合 tells the officer nothing."""
    count = len(rows[0]["marks"]) if rows else 0
    if count <= MOST_COLUMNS:
        return list(range(count))
    often = {i: sum(r["marks"][i] != "符合" for r in rows) for i in range(count)}
    open_ones = sorted((i for i in often if often[i]), key=lambda i: (-often[i], i))
    return sorted(open_ones[:MOST_OPEN])


def first_unknown(bound: BoundItem, at: int) -> str:
    """还差的一条 in words."""
    condition = bound.program.conditions[at].condition
    asks = any(leaf.kind == "ask" for leaf in condition.leaves())
    return f"{at + 1} {'人工判断' if asks else '缺数据'}：{short_label(condition)}"


def track_top(bound: BoundItem, frame: pd.DataFrame) -> float | None:
    """金额轨道的尽头: the cap where it is known, else the most on the page."""
    cap = cap_of(bound)
    if cap is not None or not len(frame):
        return cap
    most = frame[["paid_low", "paid_high"]].max(axis=None)
    return number(most)


def funnel_rows(office: Office, night: Night, item: str, filters: Filters) -> list[dict[str, Any]]:
    """漏斗的行, each a link to those stuck there."""
    firms = len(night.columns().codes)
    bound = office.bound(night, item)
    rows = [
        {
            "n": "",
            "label": "在册企业",
            "left": firms,
            "drop": 0,
            "href": url("list", item=item, **filters.but(stuck=0)),
        }
    ]
    if bound is None:
        return rows
    found = office.funnel(night, item).to_dict("records")
    for i, (row, numbered) in enumerate(zip(found, bound.program.conditions, strict=True), 1):
        rows.append({
            "n": i, "label": short_label(numbered.condition), "left": int(row["remaining"]), "drop": int(row["dropped"]),
            "href": url("list", item=item, **filters.but(stuck=i)),
        })  # fmt: skip
    return rows


def hrefs(item: str, filters: Filters) -> Any:
    """地址 of the list with something changed."""
    return lambda **changes: url("list", item=item, **filters.but(**changes))


def chips(item: str, filters: Filters, bound: BoundItem) -> list[tuple[str, str]]:
    """在用的筛选, each with the address without it."""
    out = []
    for name, words in (
        ("verdict", "结论"),
        ("why", "待核实，因为"),
        ("since", "昨夜以来"),
        ("industry", "行业"),
    ):
        given = getattr(filters, name)
        if given:
            out.append((f"{words}：{'、'.join(given)}", url("list", item=item, **filters.but(**{name: ()}))))
    if filters.stuck and filters.stuck <= len(bound.ids):
        label = short_label(bound.program.conditions[filters.stuck - 1].condition)
        out.append((f"卡在第 {filters.stuck} 条 {label}", url("list", item=item, **filters.but(stuck=0))))
    if filters.officer:
        out.append(("我的企业", url("list", item=item, **filters.but(officer=""))))
    if filters.q:
        out.append((f"含“{filters.q}”", url("list", item=item, **filters.but(q=""))))
    if filters.run:
        out.append((f"第 {filters.run} 次比对", url("list", item=item, **filters.but(run=None))))
    return out


def tabs(visit: Visit, night: Night, item: str) -> list[tuple[str, str, int | None, str]]:
    """事项页的标签 that the visitor may open."""
    hits = visit.office.hits(night, item)
    every = [
        ("items", ("规则", url("item", item=item), None, "rule")),
        ("matches", ("名单", url("list", item=item), len(hits), "list")),
        ("readiness", ("就绪度", url("readiness") + f"#{item}", None, "ready")),
        ("fulfil", ("兑现", url("fulfil", item=item), None, "fulfil")),
        ("matches", ("差一点", url("near", item=item), None, "near")),
        ("items", ("试算", url("impact", item=item), None, "impact")),
        ("runs", ("历次比对", url("history", item=item), None, "history")),
    ]
    return [tab for right, tab in every if visit.may(right)]


def done_line(office: Office, request: Request, visit: Visit, night: Night) -> dict[str, Any] | None:
    """刚作的意见 and whether it can still be taken back."""
    given = request.query_params.get("done", "")
    made = review.decision(office.engine, int(given)) if given.isdecimal() and len(given) < 16 else None
    if made is None or made.who != visit.who or made.state == review.UNDONE:
        return None
    word = (
        f"{made.kind}，等复核"
        if made.state == review.WAITING
        else f"已{made.kind}"
        if made.kind == "通过"
        else made.kind
    )
    return {
        "id": made.id,
        "words": word,
        "name": office.name(night, made.code),
        "can": not made.sent and not made.second_who,
    }


def approved_sum(states: dict[str, review.State]) -> tuple[int, float]:
    """已通过 家数 and yuan."""
    passed = [s.decision for s in states.values() if s.word == "已通过" and s.decision is not None]
    return len(passed), float(np.sum([(d.low or 0) / 100 for d in passed]))


@router.get("/desk/items/{doc}/{slug}/near")
def near_misses(request: Request, doc: str, slug: str, visit: Visit = need("matches")) -> HTMLResponse:
    """差一点: firms that fail exactly one condition, the nearest first."""
    from desk.near import nearest_firms

    item = f"{doc}/{slug}"
    office = visit.office
    night, bound = opened(office, visit, item)
    if bound is None:
        return render(request, "no_batch.html", item=item, program=night.library().program(item), night=night)
    charts = thresholds(office, night, bound)
    found = office.memory.get(("near", night.no, item), lambda: nearest_firms(office, night, bound))
    return render(
        request, "near.html", charts=charts, item=bound.program.item, batch=bound.batch, groups=found, tabs=tabs(visit, night, item),
    )  # fmt: skip


@router.get("/desk/items/{doc}/{slug}/runs")
def item_history(request: Request, doc: str, slug: str, visit: Visit = need("runs")) -> HTMLResponse:
    """历次比对 of one item."""
    item = f"{doc}/{slug}"
    night, _bound = opened(visit.office, visit, item)
    rows = []
    for one in visit.office.nights()[:60]:
        frame = visit.office.items(one)
        found = frame[frame["item"] == item].to_dict("records")
        if found:
            rows.append((one, found[0]))
    program = night.library().program(item)
    assert program is not None
    return render(request, "item_runs.html", item=program.item, rows=rows, tabs=tabs(visit, night, item))
