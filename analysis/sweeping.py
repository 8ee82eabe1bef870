"""扫门槛: one threshold (or two) against firms and money; the other conditions are evaluated once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.night import View, group_labels
from engine.benefit import Calculator, round_fen
from engine.columns import Columns
from engine.evaluate import Frame, Tree
from engine.expression import parse_value
from engine.kinds import MONEY, RATIO, comparable
from engine.matching import FAILS, FITS, ItemHits, RowIndex, enterprise_answers, match
from engine.nodes import Compare, Node, Num
from engine.policy import Condition
from engine.program import BoundItem
from engine.truth import Truth, all_of


@dataclass(frozen=True, repr=False)
class Sweep:
    """扫描: `table` one row a value: firms 符合 and 待核实, sums in yuan before 就高 and budget cuts, and `budget`;
    `groups` the firms 符合 by value and group, where a grouping was asked for.

    >>> found = sweep(view, "bs-2025-06/rd-intensity", "rd_scale", ["100万元", "300万元"])
    >>> list(found.table.columns)
    ['门槛', '符合', '待核实', '应付低', '应付高', '含待核实最多']
    """

    item: str
    condition: str
    table: pd.DataFrame
    budget: float | None
    groups: pd.DataFrame | None = None

    def spends(self, yuan: float) -> pd.Series:
        """花多少: the row whose highest sum comes nearest to `yuan` without going over. Raises ValueError.

        >>> found = sweep(view, "bs-2025-06/rd-intensity", "rd_scale", ["100万元", "300万元"])
        >>> found.spends(1e12)["门槛"]
        '100万元'
        """
        under = self.table[self.table["应付高"] <= yuan]
        if not len(under):
            least = self.table.iloc[int(self.table["应付高"].to_numpy().argmin())]
            raise ValueError(
                f"试过的门槛都要花得比 {yuan:,.0f} 元多，最省的 {least['门槛']} 也要 {least['应付高']:,.2f} 元"
            )
        return under.iloc[int(under["应付高"].to_numpy().argmax())]

    def __repr__(self) -> str:
        return self.table.to_string(index=False)

    def _repr_html_(self) -> str:
        from analysis.charts import svg, sweep_chart

        groups = "" if self.groups is None else self.groups.to_html()
        return svg(sweep_chart(self)) + self.table.to_html(index=False) + groups


@dataclass(frozen=True)
class _Leaf:
    """A leaf with a threshold: where it stands (condition number, path) and its comparison."""

    condition: int
    path: tuple[int, ...]
    compare: Compare

    @property
    def number(self) -> Num:
        """The threshold as the rule has it."""
        number = self.compare.left if isinstance(self.compare.left, Num) else self.compare.right
        assert isinstance(number, Num)
        return number

    def at(self, value: Num) -> Node:
        """The comparison with another number in the place of its threshold."""
        old = self.compare
        return replace(old, left=value) if isinstance(old.left, Num) else replace(old, right=value)


@dataclass(frozen=True)
class _Answer:
    """One setting of the thresholds: which firms surely fit, which may, and each one's amounts in yuan."""

    sure: np.ndarray
    maybe: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def row(self) -> dict[str, float]:
        return {
            "符合": int(self.sure.sum()),
            "待核实": int((self.maybe & ~self.sure).sum()),
            "应付低": float(np.nansum(self.low[self.sure])),
            "应付高": float(np.nansum(self.high[self.sure])),
            "含待核实最多": float(np.nansum(self.high[self.maybe])),
        }


class _Rest:
    """An enterprise item: everything but the swept conditions, and the amounts, evaluated once for all settings."""

    def __init__(self, view: View, item: str, leaves: Sequence[_Leaf]):
        self.view, self.bound = view, view.bound(item)
        columns = view.columns
        self.frame = Frame(columns)
        self.book = enterprise_answers(
            self.bound, view.night.answers(), RowIndex(columns.codes), len(columns)
        )
        varied = {leaf.condition for leaf in leaves}
        fixed = [
            self.frame.tree(t, self.book) for j, t in enumerate(self.bound.conditions) if j not in varied
        ]
        self.rest = all_of(fixed, self.frame.n)
        self.low, self.high = self._amounts(np.flatnonzero(self.rest.maybe))
        self.seen: dict[tuple[_Leaf, float], Truth] = {}

    def _amounts(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        low, high = (np.full(self.frame.n, np.nan) for _ in range(2))
        if self.bound.benefit is not None and len(rows):
            part = Frame(self.view.columns.take(rows))
            own = {k: v.take(rows) for k, v in self.book.items()}
            amount = Calculator(part, self.bound.benefit, own).grant().capped
            low[rows], high[rows] = round_fen(amount.low), round_fen(amount.high)
        return low, high

    def __call__(self, setting: Sequence[tuple[_Leaf, Num]]) -> _Answer:
        whole = self.rest
        for leaf, value in setting:
            whole = whole & self._truth(leaf, value)
        return _Answer(whole.sure, whole.maybe, self.low, self.high)

    def _truth(self, leaf: _Leaf, value: Num) -> Truth:
        key = (leaf, value.value)
        if key not in self.seen:
            tree = _put(self.bound.conditions[leaf.condition], leaf.path, leaf.at(value))
            self.seen[key] = self.frame.tree(tree, self.book)
        return self.seen[key]


class _Rows:
    """An item by project, product or person: matched anew for each setting, for the firms that any setting could fit.

    With the swept conditions unknown, whoever still fails fails whatever they say (three-valued logic is monotone).
    """

    def __init__(self, view: View, item: str, leaves: Sequence[_Leaf]):
        self.view, self.bound = view, view.bound(item)
        trees = list(self.bound.conditions)
        for leaf in leaves:
            trees[leaf.condition] = _put(trees[leaf.condition], leaf.path, Tree("ask"))
        self.n, self.answers = len(view.columns), view.night.answers()
        self.rows = self._match(trees, view.columns, every=False).rows
        self.columns = view.columns.take(self.rows)

    def __call__(self, setting: Sequence[tuple[_Leaf, Num]]) -> _Answer:
        trees = list(self.bound.conditions)
        for leaf, value in setting:
            trees[leaf.condition] = _put(trees[leaf.condition], leaf.path, leaf.at(value))
        found = self._match(trees, self.columns, every=True)
        verdict = np.full(self.n, FAILS, np.int8)
        low, high = np.full(self.n, np.nan), np.full(self.n, np.nan)
        verdict[self.rows], low[self.rows], high[self.rows] = found.verdict, found.low, found.high
        return _Answer(verdict == FITS, verdict != FAILS, low, high)

    def _match(self, trees: Sequence[Tree], columns: Columns, *, every: bool) -> ItemHits:
        bound = replace(self.bound, conditions=tuple(trees))
        return match([bound], columns, self.view.night.as_of, self.answers, every=every)[0]


def _solver(
    view: View, item: str, leaves: Sequence[_Leaf]
) -> Callable[[Sequence[tuple[_Leaf, Num]]], _Answer]:
    whole = view.bound(item).program.item.subject == "企业"
    return _Rest(view, item, leaves) if whole else _Rows(view, item, leaves)


def sweep(
    view: View, item: str, condition: str, values: Sequence[str | float], *, by: str | None = None
) -> Sweep:
    """扫一个门槛: `values` as the rule writes them (“300万元”) or numbers in base units (yuan, fraction, count); with
    `by` (企业规模, 行业门类, 登记地区划 …) also the firms 符合 of each group, so that one sees whom a threshold favours.

    Raises ValueError where the condition has no single threshold, or `by` is no text indicator.

    >>> found = sweep(view, "bs-2025-06/rd-intensity", "rd_scale", [1e6, 3e6], by="企业规模")
    >>> int(found.groups.loc[1e6].sum()) == int(found.table["符合"][0])
    True
    """
    bound = view.bound(item)
    leaf = _leaf(bound, condition)
    solve = _solver(view, item, [leaf])
    labels = None if by is None else group_labels(view.columns, by)
    rows, groups = [], {}
    for value in values:
        answer = solve([(leaf, _number(view, leaf, value))])
        rows.append({"门槛": value, **answer.row()})
        if labels is not None:
            groups[value] = pd.Series(labels[answer.sure]).value_counts()
    table = pd.DataFrame(rows)
    budget = bound.batch.budget
    if budget:
        table["占预算"] = table["应付高"] / budget
    spread = pd.DataFrame(groups).T.fillna(0).astype(int).rename_axis(columns=by) if by else None
    return Sweep(item, condition, table, budget, spread)


def sweep_two(
    view: View, item: str, one: tuple[str, Sequence[str | float]], two: tuple[str, Sequence[str | float]]
) -> pd.DataFrame:
    """扫两个门槛: one row a pair of values, for `charts.heat_map`. Raises ValueError as `sweep` does.

    >>> grid = sweep_two(view, "bs-2025-06/rd-intensity", ("rd_scale", [1e6, 3e6]), ("intensity", ["3%", "5%"]))
    >>> len(grid)
    4
    """
    bound = view.bound(item)
    a, b = _leaf(bound, one[0]), _leaf(bound, two[0])
    if a.condition == b.condition:
        raise ValueError("两个门槛在同一条里，请分开扫")
    solve = _solver(view, item, [a, b])
    firsts = [(v, _number(view, a, v)) for v in one[1]]
    seconds = [(v, _number(view, b, v)) for v in two[1]]
    rows = [{one[0]: v, two[0]: w, **solve([(a, x), (b, y)]).row()} for v, x in firsts for w, y in seconds]
    return pd.DataFrame(rows)


DOUBLINGS, HALVINGS = 60, 60


def threshold_for(view: View, item: str, condition: str, yuan: float) -> pd.Series:
    """花这么多钱门槛该定在哪: the threshold nearest to what is spent at `yuan` without going over, as a row of `sweep`.

    Found by halving, so that no list of values has to be guessed; two significant digits are kept where they do not
    overspend. Sums are before 就高 and budget cuts. Raises ValueError where no threshold spends so little.

    >>> found = threshold_for(view, "bs-2025-06/rd-intensity", "rd_scale", 3e6)
    >>> bool(found["应付高"] <= 3e6)
    True
    """
    leaf = _leaf(view.bound(item), condition)
    solve = _solver(view, item, [leaf])

    def cost(value: float) -> float:
        return solve([(leaf, replace(leaf.number, value=value))]).row()["应付高"]

    loose, strict = leaf.number.value or 1.0, leaf.number.value or 1.0
    rising = cost(0.0) >= cost(abs(loose) * 2.0**DOUBLINGS)  # a higher threshold lets fewer in
    apart, closer = (2.0, 0.5) if rising else (0.5, 2.0)
    for _ in range(DOUBLINGS):
        if cost(strict) <= yuan:
            break
        strict *= apart
    else:
        raise ValueError(f"{condition} 的门槛定到哪里，花的都比 {yuan:,.0f} 元多")
    for _ in range(DOUBLINGS):
        if cost(loose) > yuan:
            break
        loose *= closer
    else:
        strict = loose = 0.0 if rising else loose  # whoever there is can be paid
    for _ in range(HALVINGS):
        middle = (loose + strict) / 2
        loose, strict = (middle, strict) if cost(middle) > yuan else (loose, middle)
    value = next(v for v in (*_rounder(strict, rising), strict) if cost(v) <= yuan)
    text = _as_written(value, leaf.number)
    return pd.Series({"门槛": text, **solve([(leaf, replace(leaf.number, value=value))]).row()})


def _rounder(value: float, up: bool) -> Iterator[float]:
    """The value at two, three and four significant digits, rounded to the strict side."""
    for digits in (2, 3, 4):
        step = 10.0 ** (np.floor(np.log10(abs(value))) - digits + 1) if value else 1.0
        yield float((np.ceil if up else np.floor)(round(value / step, 9)) * step)


def _as_written(value: float, like: Num) -> str:
    """A number as a rule writes it."""
    times, unit = {MONEY: (1e-4, "万元"), RATIO: (100.0, "%")}.get(like.kind.name, (1.0, like.kind.unit))
    return np.format_float_positional(value * times, precision=6, trim="-") + unit


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


def _put(tree: Tree, path: tuple[int, ...], new: Node | Tree) -> Tree:
    """The tree with the leaf at `path` replaced: its expression, or the whole leaf."""
    if not path:
        return new if isinstance(new, Tree) else replace(tree, expr=new)
    children = list(tree.children)
    children[path[0]] = _put(children[path[0]], path[1:], new)
    return replace(tree, children=tuple(children))


def _number(view: View, leaf: _Leaf, value: str | float) -> Num:
    old = leaf.number
    if not isinstance(value, str):
        return replace(old, value=float(value))
    node = parse_value(value, view.library.dictionary, view.library.sets)
    if not isinstance(node, Num) or comparable(node.kind, old.kind) is None:
        raise ValueError(f"门槛“{value}”应当像原来的一样是{old.kind}")
    return node
