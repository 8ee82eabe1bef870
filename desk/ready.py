"""就绪度: the three official tests of 免申即享 for each item, what blocks it, and which data would free most."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from analysis import View, missing_value
from desk.office import Office
from desk.rules import known_mask
from engine.program import Program
from policies.readiness import AUTOMATIC, TESTS, basic_blocks, readiness
from store.nights import Night


@dataclass(frozen=True)
class Test:
    """一项测试: passed or what blocks it; out of its window an item's data are not measured at all."""

    name: str
    passed: bool
    why: str = ""
    measured: bool = True


@dataclass(frozen=True)
class Readiness:
    """一个事项的就绪度: the three tests of policies/readiness.py with the night's figures; amounts in yuan."""

    item: str
    title: str
    delivery: str
    department: str
    tests: tuple[Test, ...]
    works_as: str
    lifters: tuple[str, ...] = ()
    fits: int = 0
    open: int = 0
    low: float = 0.0
    high: float = 0.0

    @property
    def passed(self) -> int:
        return sum(t.passed for t in self.tests)

    @property
    def lacking(self) -> int:
        """差几项, of those that were measured."""
        return sum(t.measured and not t.passed for t in self.tests)

    @property
    def falls(self) -> bool:
        return self.delivery == AUTOMATIC and self.lacking > 0

    @property
    def advice(self) -> str:
        if self.lacking:
            return "要降级" if self.falls else f"差 {self.lacking} 项"
        if not all(t.measured for t in self.tests):
            return "没比对"
        return "" if self.delivery == AUTOMATIC else "可以升级"


@dataclass
class Gap:
    """一项数据缺口: what its filling would settle."""

    name: str
    department: str
    fill: float
    items: int = 0
    pairs: int = 0
    yuan: float = 0.0


def readiness_of(office: Office, night: Night, program: Program) -> Readiness:
    """三项测试 of one item, as `huiqi readiness` and the night's pushes compute them; out of its window nothing is said of data."""
    item, batch = program.item, program.item.live_batch(night.as_of)
    found = readiness(program, batch.name, night.columns()) if batch else None
    blocks = found.blocks if found else basic_blocks(program)
    tests = [
        Test(t, all(b.test != t for b in blocks), _why(b.what for b in blocks if b.test == t)) for t in TESTS
    ]
    if found is None:
        tests[-1] = Test(TESTS[-1], False, "不在受理窗口，没有比对", measured=False)
    rows = [r for r in office.items(night).to_dict("records") if r["item"] == item.id]
    figures: Any = rows[0] if rows else {"fits": 0, "open": 0, "low": 0.0, "high": 0.0}
    return Readiness(
        item.id, item.title, item.delivery, item.department, tuple(tests), found.works_as if found else item.delivery,
        tuple(dict.fromkeys(b.department for b in blocks if b.department)), int(figures["fits"]), int(figures["open"]),
        float(figures["low"]), float(figures["high"]),
    )  # fmt: skip


def _why(words: Iterable[str]) -> str:
    return "；".join(dict.fromkeys(words))


def all_items(office: Office, night: Night) -> list[Readiness]:
    """全部事项: 免申即享 first, then by how near they are."""

    def make() -> list[Readiness]:
        programs = [p for p in office.library(night).programs if p.item.status == "有效"]
        rows = [readiness_of(office, night, p) for p in programs]
        return sorted(rows, key=lambda r: (r.delivery != AUTOMATIC, -r.passed, -r.high))

    return office.memory.get(("readiness", night.no), make)


def gaps(office: Office, night: Night) -> list[Gap]:
    """数据需求清单: the analysts' `missing_value`, with how complete each indicator is."""

    def make() -> list[Gap]:
        columns, found = night.columns(), {}
        for row in missing_value(View(night)).to_dict("records"):
            gap = found[row["指标"]] = Gap(str(row["指标"]), str(row["部门"]), 0.0, int(row["事项"]))
            gap.pairs, gap.yuan = int(row["对"]), float(row["期望金额"])
        for gap in found.values():
            keys = [k for k in (*columns.numbers, *columns.categories, *columns.lists) if k[0] == gap.name]
            newest = max((k for k in keys), key=lambda k: k[1] or 0, default=None)
            gap.fill = float(known_mask(columns, newest).mean()) if newest else 0.0
        return sorted(found.values(), key=lambda g: -g.yuan)

    return office.memory.get(("gaps", night.no), make)
