"""一种列: a plan put to columns of one shape, as the tables the compiled loops run on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.columns import Columns, Key
from engine.kernel_amounts import AmountPlan, Amounts
from engine.kernel_attach import Attacher
from engine.kernel_plan import Plan, depth

SHAPES = 16  # of columns a plan keeps what it found for


@dataclass(frozen=True)
class ItemOrder:
    """The items' conditions as arrays, rarest first: (program, number) and where each item begins."""

    at: NDArray[np.int64]
    conditions: NDArray[np.int64]


class Shape:
    """一种列: a plan put to columns of one shape: the same dictionary, columns and texts. Kept by the plan, so that
    chunks of rows, changed rows and the next night's columns find everything but the addresses done."""

    def __init__(self, planned: Plan, columns: Columns, skip: frozenset[int] = frozenset()):
        self.kept = (
            columns.dictionary,
            [c.names for c in columns.categories.values()],
        )  # what identities stand for
        self.attacher = Attacher(planned, columns)
        a = self.attached = self.attacher.attach(skip)
        table_at = np.cumsum([0, *(len(t) for t in a.tables)]).astype(np.int64)
        tables = np.concatenate(a.tables) if a.tables else np.zeros(0, np.uint64)
        self.predicates = (
            _table(a.direct, 4), _reals(a.direct_x, 2), _table(a.groups, 3), tables, table_at, _table(a.group_of, 2),
            _table(a.code, 5), np.array(a.code_x, np.float64), _table(a.compared, 9), _table(a.fixed, 3), a.registers,
        )  # fmt: skip
        self.codes = [key for key in self.attacher.coded_keys]
        self.first_keys = list(self.attacher.traced.keys)
        self.amounts: AmountPlan | None = None
        self.amount_tables: tuple[Any, ...] = ()
        self.keys: list[Any] = self.first_keys
        self.order: ItemOrder | None = None
        self.attacher.columns = self.attacher.traced.base = Columns(
            [], columns.dictionary
        )  # no rows are kept alive
        self.program, self.program_at = _ragged(planned.programs)
        self.depth = max((depth(p) for p in planned.programs), default=1)

    def trace(self, planned: Plan, columns: Columns) -> AmountPlan:
        """录数额: once a shape; it reads more columns than the predicates do."""
        if self.amounts is None:
            plan = self.amounts = self._traced(planned, columns)
            self.amount_tables = (
                np.array(plan.program_of, np.int64), _table([c[0] for c in plan.code], 5),
                np.array([c[1] for c in plan.code], np.float64), np.array(plan.code_at, np.int64), plan.registers,
                np.array(plan.low, np.int64), np.array(plan.high, np.int64),
            )  # fmt: skip
        return self.amounts

    def _traced(self, planned: Plan, columns: Columns) -> AmountPlan:
        """The amounts, out of the plan where it brought them for columns like these, else traced and put there."""
        over = "" if planned.traced is None else _columns_digest(columns, self.first_keys)
        if planned.traced is not None and over in planned.traced:
            amounts, self.keys = planned.traced[over]
            return amounts
        self.attacher.traced.base = columns
        amounts = Amounts(planned, self.attacher.traced).build()
        self.keys = list(self.attacher.traced.keys)
        self.attacher.traced.base = Columns([], columns.dictionary)
        if planned.traced is not None:
            planned.traced[over] = amounts, self.keys
        return amounts


def _columns_digest(columns: Columns, first: Sequence[Key]) -> str:
    """What tracing sees of columns: which numbers there are, how indicators are read, and those that are loaded already."""
    loaded = None if columns.loaded is None else sorted(columns.loaded)
    seen = (sorted(columns.dictionary.items()), loaded, sorted(columns.numbers, key=repr), list(first))
    return hashlib.sha256(repr(seen).encode()).hexdigest()


def shape_of(planned: Plan, columns: Columns, skip: frozenset[int]) -> Shape:
    names = tuple((key, id(c.names)) for key, c in columns.categories.items())
    key = (id(columns.dictionary), columns.loaded, tuple(columns.numbers), names, skip)
    found = planned.shapes.get(key)
    if found is None:
        if len(planned.shapes) >= SHAPES:
            planned.shapes.clear()
        found = planned.shapes[key] = Shape(planned, columns, skip)
    return found


def addresses(arrays: Sequence[NDArray[Any]]) -> NDArray[np.int64]:
    return np.array([a.ctypes.data for a in arrays], np.int64)


def _table(rows: Sequence[Sequence[int]], width: int) -> NDArray[np.int64]:
    return np.array(rows, np.int64).reshape(-1, width)


def _reals(rows: Sequence[Sequence[float]], width: int) -> NDArray[np.float64]:
    return np.array(rows, np.float64).reshape(-1, width)


def _ragged(lists: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    flat = [x for part in lists for x in part] or [0]
    return np.array(flat, np.int64), np.cumsum([0, *(len(part) for part in lists)]).astype(np.int64)
