"""档案质量: how complete and how fresh a firm's file is, in the sections an officer thinks in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from engine import kinds
from engine.columns import Columns
from profiles.file import CONFLICT, KNOWN, STALE, UNUSED, Fact

# What a file should hold before most items can be decided: facts that departments have, by section.
EXPECTED = {
    "登记": (
        "企业名称",
        "成立日期",
        "登记状态",
        "登记地区划",
        "注册资本",
        "经营范围",
        "行业代码",
        "企业类型",
    ),
    "经营": ("营业收入", "利润总额", "资产总额", "负债总额", "纳税总额", "从业人数", "参保人数", "四上企业"),
    "研发与人员": ("研发费用", "科技人员数", "研发人员数", "有效发明专利数", "科技型中小企业"),
    "资质": ("高新技术企业有效期至", "专精特新中小企业有效期至", "创新型中小企业有效期至"),
    "信用": ("纳税信用等级", "严重违法失信名单", "经营异常名录", "失信被执行人", "行政处罚次数"),
    "外贸": ("进出口总额", "出口额"),
}


@dataclass(frozen=True)
class Completeness:
    """完整度: share of the expected facts that are known, of n firms; `known` by indicator, shape (n,) each."""

    share: NDArray[np.float64]
    known: dict[str, NDArray[np.bool_]]

    def missing(self, row: int) -> list[str]:
        """缺哪些."""
        return [name for name, known in self.known.items() if not known[row]]

    def sections(self, row: int) -> dict[str, float]:
        """各栏目的完整度."""
        return {
            section: float(np.mean([self.known[name][row] for name in names]))
            for section, names in EXPECTED.items()
        }


def completeness(columns: Columns, year: int) -> Completeness:
    """完整度: a register that is received whole and doesn't name the firm counts as known."""
    known = {name: _known(columns, name, year) for names in EXPECTED.values() for name in names}
    return Completeness(np.mean(list(known.values()), axis=0), known)


def _known(columns: Columns, name: str, year: int) -> NDArray[np.bool_]:
    spec = columns.dictionary[name]
    if columns.speaks(name):
        return np.ones(len(columns), bool)
    period = year if spec.yearly else None
    if spec.kind in (kinds.TEXT, kinds.CODE):
        return columns.category(name, period).codes >= 0
    return ~np.isnan(columns.number(name, period))


@dataclass(frozen=True)
class Freshness:
    """新鲜度: of one firm's facts: how many are known, stale, contested, unusable; the newest and oldest day of data."""

    known: int
    stale: tuple[str, ...]
    contested: tuple[str, ...]
    unusable: tuple[str, ...]
    newest: date | None
    oldest: date | None

    @property
    def share(self) -> float:
        """可用的比例: known over all facts the file holds; 1 for an empty file has no meaning, so 0."""
        total = self.known + len(self.stale) + len(self.contested) + len(self.unusable)
        return self.known / total if total else 0.0


def freshness(facts: Iterable[Fact]) -> Freshness:
    """新鲜度."""
    found = list(facts)

    def named(state: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(f.indicator for f in found if f.state == state))

    days = sorted(f.day for f in found if f.state == KNOWN)
    return Freshness(
        sum(f.state == KNOWN for f in found), named(STALE), named(CONFLICT), named(UNUSED),
        days[-1] if days else None, days[0] if days else None,
    )  # fmt: skip
