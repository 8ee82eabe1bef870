"""就绪度: the three official tests of 免申即享 for each item, what blocks it, and which data would free most."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from desk.office import Office, reads
from desk.rules import ENOUGH, fill_share, known_mask, usable
from engine.expression import references
from engine.policy import Form
from engine.program import BoundItem, Program
from store.nights import Night

SCOPE, STANDARD, DATA = "奖补范围明确", "审核标准清晰", "比对数据齐全"


@dataclass(frozen=True)
class Test:
    """一项测试: passed or what blocks it."""

    name: str
    passed: bool
    why: str = ""


@dataclass(frozen=True)
class Readiness:
    """一个事项的就绪度."""

    item: str
    title: str
    delivery: str
    department: str
    tests: tuple[Test, ...]
    thin: tuple[tuple[str, float], ...] = ()
    fits: int = 0
    open: int = 0
    low: float = 0.0
    high: float = 0.0

    @property
    def passed(self) -> int:
        return sum(t.passed for t in self.tests)

    @property
    def advice(self) -> str:
        if self.delivery == "免申即享":
            return "" if self.passed == 3 else "要降级"
        return "可以升级" if self.passed == 3 else f"差 {3 - self.passed} 项"


@dataclass
class Gap:
    """一项数据缺口: what its filling would settle."""

    name: str
    department: str
    fill: float
    items: set[str] = field(default_factory=set)
    pairs: int = 0
    yuan: float = 0.0


def readiness_of(office: Office, night: Night, program: Program) -> Readiness:
    """三项测试 of one item, from its conditions, its amount and how complete each indicator is that night."""
    item = program.item
    bound = office.bound(night, item.id)
    tests = [_scope(program), _standard(program)]
    thin = tuple(_thin(office, night, bound)) if bound else ()
    self_reported = sorted({n for n in _names(program) if not office.library(night).dictionary[n].automatic})
    if bound is None:
        tests.append(Test(DATA, False, "不在受理窗口，没有比对"))
    elif self_reported:
        tests.append(Test(DATA, False, f"{'、'.join(self_reported)} 没有部门数据来源"))
    elif thin:
        tests.append(
            Test(
                DATA,
                False,
                "；".join(f"{n} {s * 100:.0f}%" for n, s in thin[:3]) + f"，要到 {ENOUGH * 100:.0f}%",
            )
        )
    else:
        tests.append(Test(DATA, True))
    found = [r for r in office.items(night).to_dict("records") if r["item"] == item.id]
    figures: Any = found[0] if found else {"fits": 0, "open": 0, "low": 0.0, "high": 0.0}
    return Readiness(
        item.id, item.title, item.delivery, item.department, tuple(tests), thin, int(figures["fits"]), int(figures["open"]),
        float(figures["low"]), float(figures["high"]),
    )  # fmt: skip


def _scope(program: Program) -> Test:
    benefit = program.item.benefit
    if benefit is None or _computable(benefit.form):
        return Test(SCOPE, True)
    words = {
        "words": "金额“一事一议”，算不出",
        "upto": "只写了最高额，算不出",
        "range": "金额是一个范围，定不下来",
    }
    kind = benefit.form.kind if benefit.form else ""
    return Test(SCOPE, False, words.get(kind, "金额要由人定"))


def _computable(form: Form | None) -> bool:
    if form is None or form.kind in ("words", "upto", "range"):
        return False
    return all(v.form is None or _computable(v.form) for v in form.cases)


def _standard(program: Program) -> Test:
    asks = [
        i
        for i, c in enumerate(program.conditions, 1)
        if any(leaf.kind == "ask" for leaf in c.condition.leaves())
    ]
    if asks:
        return Test(STANDARD, False, f"第 {'、'.join(str(i) for i in asks)} 条需人工判断")
    if program.item.materials:
        return Test(STANDARD, False, f"还要企业交：{'、'.join(program.item.materials)}")
    return Test(STANDARD, True)


def _names(program: Program) -> set[str]:
    return {name for expr in program.expressions() for name, _ in references(expr)}


def _thin(office: Office, night: Night, bound: BoundItem) -> Iterable[tuple[str, float]]:
    """不够齐全的指标, the emptiest first."""
    shares: dict[str, float] = {}
    for key in reads(bound):
        share = fill_share(office, night, [key])
        if share < ENOUGH:
            shares[key[0]] = min(share, shares.get(key[0], 1.0))
    return sorted(shares.items(), key=lambda s: s[1])


def all_items(office: Office, night: Night) -> list[Readiness]:
    """全部事项: 免申即享 first, then by how near they are."""

    def make() -> list[Readiness]:
        programs = [p for p in office.library(night).programs if p.item.status == "有效"]
        rows = [readiness_of(office, night, p) for p in programs]
        return sorted(rows, key=lambda r: (r.delivery != "免申即享", -r.passed, -r.high))

    return office.memory.get(("readiness", night.no), make)


def gaps(office: Office, night: Night) -> list[Gap]:
    """数据需求清单: an undecided pair counts for every indicator it lacks; the expected yuan is shared among them."""

    def make() -> list[Gap]:
        columns, dictionary = night.columns(), office.library(night).dictionary
        found: dict[str, Gap] = {}
        for item in office.items(night)["item"]:
            bound, hits = office.bound(night, item), office.hits(night, item)
            if bound is None or not len(hits):
                continue
            waiting = hits[hits["verdict"] == "待核实"]
            rows = office.rows(night, waiting["统一社会信用代码"])
            lacking = _lacking(office, night, bound, rows)
            count = np.maximum(sum(lacking.values(), np.zeros(len(rows))), 1)
            worth = waiting["expected"].to_numpy(dtype=float)
            for name, mask in lacking.items():
                if not mask.any():
                    continue
                spec = dictionary[name]
                gap = found.setdefault(name, Gap(name, spec.department or spec.source or "企业填报", 0.0))
                gap.items.add(item)
                gap.pairs += int(mask.sum())
                gap.yuan += float((worth * mask / count).sum())
        for gap in found.values():
            keys = [k for k in (*columns.numbers, *columns.categories, *columns.lists) if k[0] == gap.name]
            newest = max((k for k in keys), key=lambda k: k[1] or 0, default=None)
            gap.fill = float(known_mask(columns, newest).mean()) if newest else 0.0
        return sorted(found.values(), key=lambda g: -g.yuan)

    return office.memory.get(("gaps", night.no), make)


def _lacking(office: Office, night: Night, bound: BoundItem, rows: Any) -> dict[str, np.ndarray]:
    out: dict[str, np.ndarray] = {}
    for key in reads(bound):
        known = usable(office, night, key)
        missing = ~known[rows]
        out[key[0]] = out[key[0]] | missing if key[0] in out else missing
    return {name: mask.astype(float) for name, mask in out.items()}
