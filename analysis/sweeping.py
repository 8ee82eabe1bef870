"""扫门槛: one threshold (or two) against firms and money; the other conditions are evaluated once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.night import View
from engine.benefit import Calculator, round_fen
from engine.evaluate import Frame, Tree
from engine.expression import Compare, Node, Num, parse_value
from engine.kinds import comparable
from engine.matching import RowIndex, enterprise_answers
from engine.policy import Condition
from engine.program import BoundItem
from engine.truth import Truth, all_of


@dataclass(frozen=True)
class Sweep:
    """扫描: `table` one row a value: firms 符合 and 待核实, sums in yuan before 就高 and budget cuts, and `budget`."""

    item: str
    condition: str
    table: pd.DataFrame
    budget: float | None

    def spends(self, yuan: float) -> pd.Series:
        """花多少: the row whose highest sum comes nearest to `yuan` without going over. Raises ValueError."""
        under = self.table[self.table["应付高"] <= yuan]
        if not len(under):
            raise ValueError(f"扫过的门槛都要超过 {yuan:,.0f} 元")
        return under.iloc[int(under["应付高"].to_numpy().argmax())]

    def _repr_html_(self) -> str:
        from analysis.charts import svg, sweep_chart

        return svg(sweep_chart(self)) + self.table.to_html(index=False)


@dataclass(frozen=True)
class _Leaf:
    """A leaf with a threshold: where it stands (condition number, path) and its comparison."""

    condition: int
    path: tuple[int, ...]
    compare: Compare


class _Other:
    """The item's conditions evaluated once on the firms, and amounts of all that may fit."""

    def __init__(self, view: View, item: str):
        self.view, self.bound = view, view.bound(item)
        if self.bound.program.item.subject != "企业":
            raise ValueError(
                f"{item} 按{self.bound.program.item.subject}逐项给付，扫门槛只做企业事项；请用 with_rule 逐个试"
            )
        columns = view.columns
        self.frame = Frame(columns)
        self.book = enterprise_answers(
            self.bound, view.night.answers(), RowIndex(columns.codes), len(columns)
        )
        self.truths = [self.frame.tree(t, self.book) for t in self.bound.conditions]

    def rest(self, varied: set[int]) -> Truth:
        return all_of([t for j, t in enumerate(self.truths) if j not in varied], self.frame.n)

    def amounts(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        low, high = (np.full(self.frame.n, np.nan) for _ in range(2))
        if self.bound.benefit is not None and len(rows):
            part = Frame(self.view.columns.take(rows))
            own = {k: v.take(rows) for k, v in self.book.items()}
            amount = Calculator(part, self.bound.benefit, own).grant().capped
            low[rows], high[rows] = round_fen(amount.low), round_fen(amount.high)
        return low, high

    def truth(self, leaf: _Leaf, value: Num) -> Truth:
        old = leaf.compare
        expr = replace(old, left=value) if isinstance(old.left, Num) else replace(old, right=value)
        return self.frame.tree(_put(self.bound.conditions[leaf.condition], leaf.path, expr), self.book)


def sweep(view: View, item: str, condition: str, values: Sequence[str | float]) -> Sweep:
    """扫一个门槛: `values` as the rule writes them (“300万元”) or numbers in base units (yuan, fraction, count).

    Raises ValueError where the condition has no single threshold.
    """
    other = _Other(view, item)
    leaf = _leaf(other.bound, condition)
    rest = other.rest({leaf.condition})
    low, high = other.amounts(np.flatnonzero(rest.maybe))
    rows = []
    for value in values:
        whole = rest & other.truth(leaf, _number(view, leaf, value))
        rows.append({"门槛": value, **_row(whole, low, high)})
    table = pd.DataFrame(rows)
    budget = other.bound.batch.budget
    if budget:
        table["占预算"] = table["应付高"] / budget
    return Sweep(item, condition, table, budget)


def sweep_two(
    view: View, item: str, one: tuple[str, Sequence[str | float]], two: tuple[str, Sequence[str | float]]
) -> pd.DataFrame:
    """扫两个门槛: one row a pair of values, for `charts.heat_map`."""
    other = _Other(view, item)
    a, b = _leaf(other.bound, one[0]), _leaf(other.bound, two[0])
    if a.condition == b.condition:
        raise ValueError("两个门槛在同一条里，请分开扫")
    rest = other.rest({a.condition, b.condition})
    low, high = other.amounts(np.flatnonzero(rest.maybe))
    second = [(v, other.truth(b, _number(view, b, v))) for v in two[1]]
    rows = []
    for value in one[1]:
        first = rest & other.truth(a, _number(view, a, value))
        rows += [{one[0]: value, two[0]: v, **_row(first & t, low, high)} for v, t in second]
    return pd.DataFrame(rows)


def _row(whole: Truth, low: np.ndarray, high: np.ndarray) -> dict[str, float]:
    return {
        "符合": int(whole.sure.sum()),
        "待核实": int(whole.unknown.sum()),
        "应付低": float(np.nansum(low[whole.sure])),
        "应付高": float(np.nansum(high[whole.sure])),
        "含待核实最多": float(np.nansum(high[whole.maybe])),
    }


def _leaf(bound: BoundItem, condition: str) -> _Leaf:
    """The one comparison with a number below the condition (numbered, or a leaf inside one)."""
    found = []
    for j, (numbered, tree) in enumerate(zip(bound.program.conditions, bound.conditions, strict=True)):
        for path, node, written_id in _walk(tree, numbered.condition, (), ()):
            if condition in written_id and isinstance(node.expr, Compare) and _has_number(node.expr):
                found.append(_Leaf(j, path, node.expr))
    if len(found) != 1:
        known = [
            i[-1] for n, t in zip(bound.program.conditions, bound.conditions, strict=True)
            for _, node, i in _walk(t, n.condition, (), ()) if isinstance(node.expr, Compare) and _has_number(node.expr)
        ]  # fmt: skip
        raise ValueError(f"“{condition}”不是只有一个数字门槛的条件；可以扫的有：{'、'.join(known) or '没有'}")
    return found[0]


def _walk(
    tree: Tree, written: Condition, path: tuple[int, ...], ids: tuple[str, ...]
) -> Iterator[tuple[tuple[int, ...], Tree, tuple[str, ...]]]:
    ids = (*ids, written.id) if written.id else ids
    yield path, tree, ids
    for k, (child, below) in enumerate(zip(tree.children, written.children, strict=True)):
        yield from _walk(child, below, (*path, k), ids)


def _has_number(node: Compare) -> bool:
    return isinstance(node.left, Num) != isinstance(node.right, Num)


def _put(tree: Tree, path: tuple[int, ...], expr: Node) -> Tree:
    if not path:
        return replace(tree, expr=expr)
    children = list(tree.children)
    children[path[0]] = _put(children[path[0]], path[1:], expr)
    return replace(tree, children=tuple(children))


def _number(view: View, leaf: _Leaf, value: str | float) -> Num:
    old = leaf.compare.left if isinstance(leaf.compare.left, Num) else leaf.compare.right
    assert isinstance(old, Num)
    if not isinstance(value, str):
        return replace(old, value=float(value))
    node = parse_value(value, view.library.dictionary, view.library.sets)
    if not isinstance(node, Num) or comparable(node.kind, old.kind) is None:
        raise ValueError(f"门槛“{value}”应当像原来的一样是{old.kind}")
    return node
