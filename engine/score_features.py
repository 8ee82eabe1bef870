"""特征: what a firm's file says, as one table of numbers with unknown facts as NaN; it orders, it never decides.

`plan` fixes once what is in the table (which texts are which number), so that a model reads every later night alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from engine.columns import Columns, Floats, Key

INDUSTRY = "行业代码"
ABSENT = -1e6  # a date known not to exist (absent_means 无) lies before every real one
SILENT = {"0": 0.0, "否": 0.0, "无": ABSENT}  # what a missing number is where silence says something
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
    return FeatureTable(columns, wanted).of(None, only)


class FeatureTable:
    """特征的来处: what a plan looks at in some columns, found once, to be asked of some firms after others."""

    def __init__(self, columns: Columns, wanted: FeaturePlan):
        self._columns, self.names = columns, wanted.names
        self._ratios = {f"{a}÷{b}": (a, b) for a, b in wanted.ratios()}
        self._asked: dict[str, Callable[[], _Take]] = {}
        self._found: dict[str, _Take] = {}
        for name, year in wanted.numbers:
            self._asked[label(name, year)] = partial(_number, columns, name, year)
        for name, year, texts in wanted.levels:
            for part in _levels_of(name, year):
                self._asked[part] = partial(_category, columns, name, year, texts, part)
        for name, year, texts in wanted.members:
            for text in texts:
                self._asked[f"{label(name, year)}含{text}"] = partial(_member, columns, name, year, text)

    def of(self, rows: NDArray[np.intp] | None, only: Sequence[int] | None = None) -> Floats:
        """特征表 of some firms (None: all), of all features or of some places among them."""
        places = range(len(self.names)) if only is None else only
        count = len(self._columns) if rows is None else len(rows)
        table = np.empty((count, len(places)), order="F")
        known: dict[str, Floats] = {}
        for k, i in enumerate(places):
            name = self.names[i]
            if name in self._ratios:
                table[:, k] = _ratio(*(self._value(part, rows, known) for part in self._ratios[name]))
            else:
                table[:, k] = self._value(name, rows, known)
        return table

    def _value(self, name: str, rows: NDArray[np.intp] | None, known: dict[str, Floats]) -> Floats:
        if name not in known:
            if name not in self._found:
                self._found[name] = self._asked[name]()
            known[name] = self._found[name](rows)
        return known[name]


_Take = Callable[[NDArray[np.intp] | None], Floats]  # of rows, or all


def _ratio(one: Floats, other: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        found = np.where(other > 0, one / other, np.nan)
    return np.where(np.isfinite(found), found, np.nan)


def _order(key: Key) -> tuple[str, int]:
    return key[0], key[1] or 0


def label(name: str, year: int | None) -> str:
    """特征的名字."""
    return name if year is None else f"{name}@{year}"


def _number(columns: Columns, name: str, year: int | None) -> _Take:
    stored, fill = columns.stored(name, year), SILENT.get(columns.speaks(name))

    def take(rows: NDArray[np.intp] | None) -> Floats:
        values = stored if rows is None else stored[rows]
        return values if fill is None else np.where(np.isnan(values), fill, values)

    return take


def _levels_of(name: str, year: int | None) -> list[str]:
    base = label(name, year)
    return [f"{base}·门类", f"{base}·大类"] if name == INDUSTRY else [base]


def _category(columns: Columns, name: str, year: int | None, texts: list[str], part: str) -> _Take:
    """A few texts become an ordinal by spelling; an industry code its section and division; an unseen text unknown."""
    found = columns.category(name, year)
    if part.endswith("·门类"):
        values = [float(ord(n[0])) if n else np.nan for n in found.names]
    elif part.endswith("·大类"):
        values = [float(n[1:3]) if n[1:3].isdigit() else np.nan for n in found.names]
    elif all(n.isdigit() and len(n) < 15 for n in texts):
        rank = {n: float(n) for n in texts}
        values = [rank.get(n, np.nan) for n in found.names]
    else:
        rank = {n: float(i) for i, n in enumerate(texts)}
        values = [rank.get(n, np.nan) for n in found.names]
    return _taken(np.array([*values, np.nan]), found.codes)  # the last for a missing one, whose code is -1


def _taken(values: Floats, codes: NDArray[np.int32]) -> _Take:
    return lambda rows: values[codes if rows is None else codes[rows]]


def _member(columns: Columns, name: str, year: int | None, text: str) -> _Take:
    found = columns.listing(name, year)
    unknown = found.missing & (columns.speaks(name) != "无")
    has = np.zeros(len(columns), np.int32)
    at = np.flatnonzero(np.isin(found.codes, [i for i, n in enumerate(found.names) if n == text]))
    has[np.searchsorted(found.offsets, at, side="right") - 1] = 1
    return _taken(np.array([0.0, 1.0, np.nan]), np.where(unknown, -1, has).astype(np.int32))
