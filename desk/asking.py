"""数据需求函: what one department is asked to share: which indicators, of which enterprises, and what it would settle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analysis import View
from analysis.missing import is_missing
from desk.exports import Paper
from desk.office import NAME, Office
from desk.ready import Gap, gaps
from engine.matching import OPEN
from engine.nodes import references
from engine.program import tree_expressions
from store.nights import Night


@dataclass(frozen=True)
class Wanted:
    """请提供的一格: one enterprise, one indicator (and year), and the items that wait for it."""

    code: str
    name: str
    indicator: str
    year: int | None
    items: tuple[str, ...]


def by_department(office: Office, night: Night) -> list[tuple[str, list[Gap]]]:
    """各部门的缺口, the department whose data would settle most money first."""
    held: dict[str, list[Gap]] = defaultdict(list)
    for gap in gaps(office, night):
        held[gap.department].append(gap)
    return sorted(held.items(), key=lambda row: -sum(g.yuan for g in row[1]))


def wanted(office: Office, night: Night, names: set[str]) -> list[Wanted]:
    """附表: every missing value of these indicators that an undecided condition waits for, by enterprise."""
    view, held = View(night), defaultdict(list)
    for item in office.items(night)["item"]:
        for row, name, year in _of_item(view, str(item), names):
            held[row, name, year].append(str(item))
    firms = view.columns.category(NAME, None)
    titles = {str(r["item"]): str(r["title"]) for r in office.items(night).to_dict("records")}
    return [
        Wanted(
            view.columns.codes[row],
            firms.names[firms.codes[row]] if firms.codes[row] >= 0 else "",
            name,
            year,
            tuple(titles[i] for i in found),
        )
        for (row, name, year), found in sorted(
            held.items(), key=lambda kv: (kv[0][0], kv[0][1], kv[0][2] or 0)
        )
    ]


def _of_item(view: View, item: str, names: set[str]) -> Iterator[tuple[int, str, int | None]]:
    found, bound = view.found(item), view.bound(item)
    waiting = np.flatnonzero(found.verdict == OPEN)
    seen: set[tuple[int, str, int | None]] = set()
    for j, tree in enumerate(bound.conditions):
        rows = found.rows[waiting][found.unknown[waiting, j]]
        for expr in tree_expressions(tree):
            for name, year in references(expr):
                if name in names:
                    missing = rows[is_missing(view.columns, name, year)[rows]]
                    seen |= {(int(row), name, year) for row in missing}
    yield from seen


def letter(office: Office, night: Night, department: str, found: list[Gap], count: int) -> bytes:
    """函的纸本: to one department, for the leader to sign; the enterprises are in the annex."""
    paper = Paper(f"第 {night.no} 次比对 {night.as_of}　规则库 {night.run.library_hash[:12]}　由惠企直达生成")
    yuan = sum(g.yuan for g in found)
    paper.say("关于商请共享惠企政策比对数据的函", 17)
    paper.rule(True)
    paper.say(f"{department}：", 12, gap=2)
    paper.say(
        f"　　按照免申即享“比对数据齐全”的要求，我们每晚用各部门共享的数据比对惠企政策。截至 {night.as_of:%Y年%-m月%-d日}，"
        f"由贵单位归口的 {len(found)} 项指标还不齐全，涉及 {count:,} 家次的取值；补齐以后，能定下的期望金额约 {yuan / 1e4:,.2f} 万元"
        "（按现有估计折算，只用于排先后）。商请共享下列数据，企业名单见附表。",
        12,
        gap=3,
    )
    for i, gap in enumerate(found, 1):
        paper.say(
            f"{i}. {gap.name}　现在齐全 {gap.fill:.0%}，{gap.items} 个事项的 {gap.pairs:,} 条待核实在等，"
            f"期望金额 {gap.yuan / 1e4:,.2f} 万元",
            11,
            indent=8,
        )
    paper.say(
        "　　数据只用于政策比对，每一次取用都有记录；收到以后当晚重新比对。确实没有的，请回复“没有”，我们不再重复请求。",
        12,
        gap=6,
    )
    paper.say("附表：缺数据的企业名单（Excel）", 11, gap=8)
    paper.say(
        f"{office.zone}管理委员会政策办（盖章）　　　　　　{office.today():%Y年%-m月%-d日}", 12, indent=40
    )
    return paper.done()
