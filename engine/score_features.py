"""特征: what a firm's file says, as one table of numbers with unknown facts as NaN; it orders, it never decides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.columns import Columns, Floats, Key

INDUSTRY = "行业代码"
ABSENT = -1e6  # a date known not to exist (absent_means 无) lies before every real one
MOST_CATEGORIES = 40


class Features:
    """特征表: `names` and `matrix`, shape (firms, names); NaN only where the fact is unknown."""

    def __init__(self, columns: Columns):
        table: dict[str, Floats] = {}
        for name, year in sorted(columns.numbers, key=_order):
            table[_label(name, year)] = _number(columns, name, year)
        for name, year in sorted(columns.categories, key=_order):
            table.update(_category(columns, name, year))
        self.names = list(table)
        self.matrix = np.column_stack(list(table.values())) if table else np.zeros((len(columns), 0))

    def aligned(self, names: list[str]) -> Floats:
        """对齐: the columns of the given names, NaN for what this file doesn't have."""
        place = {name: i for i, name in enumerate(self.names)}
        blank = np.full(len(self.matrix), np.nan)
        return np.column_stack([self.matrix[:, place[n]] if n in place else blank for n in names])


def _order(key: Key) -> tuple[str, int]:
    return key[0], key[1] or 0


def _label(name: str, year: int | None) -> str:
    return name if year is None else f"{name}@{year}"


def _number(columns: Columns, name: str, year: int | None) -> Floats:
    values = columns.number(name, year)
    return np.where(np.isnan(values), ABSENT, values) if columns.speaks(name) == "无" else values


def _category(columns: Columns, name: str, year: int | None) -> dict[str, Floats]:
    """A few names become an ordinal by spelling; an industry code its section and division; free text nothing."""
    found = columns.category(name, year)
    label = _label(name, year)
    if name == INDUSTRY:
        section = [float(ord(n[0])) if n else np.nan for n in found.names]
        division = [float(n[1:3]) if n[1:3].isdigit() else np.nan for n in found.names]
        return {f"{label}·门类": _taken(section, found.codes), f"{label}·大类": _taken(division, found.codes)}
    if not 1 < len(found.names) <= MOST_CATEGORIES:
        return {}
    rank = {n: float(i) for i, n in enumerate(sorted(found.names))}
    if all(n.isdigit() for n in found.names):
        rank = {n: float(n) for n in found.names}
    return {label: _taken([rank[n] for n in found.names], found.codes)}


def _taken(values: list[float], codes: NDArray[np.int32]) -> Floats:
    return np.where(codes < 0, np.nan, np.array([*values, np.nan])[codes])
