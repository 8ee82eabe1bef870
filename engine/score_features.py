"""特征: what a firm's file says, as one table of numbers with unknown facts as NaN; it orders, it never decides.

`plan` fixes once what is in the table (which texts are which number), so that a model reads every later night alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.columns import Columns, Floats, Key

INDUSTRY = "行业代码"
ABSENT = -1e6  # a date known not to exist (absent_means 无) lies before every real one
MOST_CATEGORIES = 40
MOST_MEMBERS = 12
BASES = ("营业收入", "从业人数", "资产总额")


@dataclass
class FeaturePlan:
    """特征方案: the columns in order; the texts of each text column; the members looked for in each list."""

    numbers: list[tuple[str, int | None]] = field(default_factory=list)
    levels: list[tuple[str, int | None, list[str]]] = field(default_factory=list)
    members: list[tuple[str, int | None, list[str]]] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """特征名."""
        out = [label(n, y) for n, y in self.numbers]
        for name, year, _ in self.levels:
            base = label(name, year)
            out += [f"{base}·门类", f"{base}·大类"] if name == INDUSTRY else [base]
        out += [f"{label(n, y)}含{text}" for n, y, texts in self.members for text in texts]
        return out + [f"{a}÷{b}" for a, b in self.ratios()]

    def ratios(self) -> list[tuple[str, str]]:
        """比率: growth of each yearly figure over its two latest years, and the latest over revenue, staff and assets."""
        years: dict[str, list[int]] = {}
        for name, year in self.numbers:
            if year is not None:
                years.setdefault(name, []).append(year)
        latest = {name: sorted(found) for name, found in years.items()}
        out = [(label(n, y[-1]), label(n, y[-2])) for n, y in latest.items() if len(y) > 1]
        for base in BASES:
            if base in latest:
                out += [
                    (label(n, y[-1]), label(base, y[-1]))
                    for n, y in latest.items()
                    if n != base and latest[base][-1] == y[-1]
                ]
        return out


def plan(columns: Columns) -> FeaturePlan:
    """定特征方案: from the columns a model learns from."""
    out = FeaturePlan(numbers=sorted(columns.numbers, key=_order))
    for name, year in sorted(columns.categories, key=_order):
        names = sorted({n for n in columns.categories[name, year].names if n})
        if name == INDUSTRY or 1 < len(names) <= MOST_CATEGORIES:
            out.levels.append((name, year, [] if name == INDUSTRY else names))
    for name, year in sorted(columns.lists, key=_order):
        found = columns.lists[name, year]
        count = np.bincount(found.codes, minlength=len(found.names))
        often = sorted(range(len(count)), key=lambda i: (-count[i], found.names[i]))[:MOST_MEMBERS]
        texts = [found.names[i] for i in often if count[i] >= 5]
        if texts:
            out.members.append((name, year, texts))
    return out


def features(columns: Columns, wanted: FeaturePlan, only: Sequence[int] | None = None) -> Floats:
    """特征表: shape (firms, names of the plan) or (firms, `only`), float64; NaN only where the fact is unknown."""
    names = wanted.names
    places = range(len(names)) if only is None else only
    table = np.empty((len(columns), len(places)), order="F")
    need = {names[i] for i in places}
    known: dict[str, Floats] = {}
    ratios = {f"{a}÷{b}": (a, b) for a, b in wanted.ratios()}
    asked = need | {part for name in need & ratios.keys() for part in ratios[name]}
    for name, year in wanted.numbers:
        if label(name, year) in asked:
            known[label(name, year)] = _number(columns, name, year)
    for name, year, texts in wanted.levels:
        if name == INDUSTRY or label(name, year) in need:
            known.update(_category(columns, name, year, texts))
    for name, year, texts in wanted.members:
        if any(f"{label(name, year)}含{text}" in need for text in texts):
            known.update(_members(columns, name, year, texts))
    for k, i in enumerate(places):
        name = names[i]
        table[:, k] = _ratio(known, *ratios[name]) if name in ratios else known[name]
    return table


def _ratio(known: dict[str, Floats], a: str, b: str) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        found = np.where(known[b] > 0, known[a] / known[b], np.nan)
    return np.where(np.isfinite(found), found, np.nan)


def _order(key: Key) -> tuple[str, int]:
    return key[0], key[1] or 0


def label(name: str, year: int | None) -> str:
    """特征的名字."""
    return name if year is None else f"{name}@{year}"


def _number(columns: Columns, name: str, year: int | None) -> Floats:
    values = columns.number(name, year)
    if columns.speaks(name) != "无":
        return values
    return np.where(np.isnan(values), ABSENT, values)


def _category(columns: Columns, name: str, year: int | None, texts: list[str]) -> dict[str, Floats]:
    """A few texts become an ordinal by spelling; an industry code its section and division; an unseen text unknown."""
    found, base = columns.category(name, year), label(name, year)
    if name == INDUSTRY:
        section = [float(ord(n[0])) if n else np.nan for n in found.names]
        division = [float(n[1:3]) if n[1:3].isdigit() else np.nan for n in found.names]
        return {f"{base}·门类": _taken(section, found.codes), f"{base}·大类": _taken(division, found.codes)}
    if all(n.isdigit() and len(n) < 15 for n in texts):
        rank = {n: float(n) for n in texts}
    else:
        rank = {n: float(i) for i, n in enumerate(texts)}
    return {base: _taken([rank.get(n, np.nan) for n in found.names], found.codes)}


def _taken(values: list[float], codes: NDArray[np.int32]) -> Floats:
    return np.where(codes < 0, np.nan, np.array([*values, np.nan])[codes])


def _members(columns: Columns, name: str, year: int | None, texts: list[str]) -> dict[str, Floats]:
    found = columns.listing(name, year)
    unknown = found.missing & (columns.speaks(name) != "无")
    out = {}
    for text in texts:
        has = np.zeros(len(columns))
        at = np.flatnonzero(np.isin(found.codes, [i for i, n in enumerate(found.names) if n == text]))
        has[np.searchsorted(found.offsets, at, side="right") - 1] = 1.0
        out[f"{label(name, year)}含{text}"] = np.where(unknown, np.nan, has)
    return out
