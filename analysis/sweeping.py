"""扫门槛: one threshold (or two) against firms and money; the other conditions are evaluated once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.groups import group_labels, group_name, group_title
from analysis.night import View
from analysis.thresholds import Leaf, as_written, leaf_of, number_of, put, rounder
from engine.benefit import Calculator, round_fen
from engine.columns import Columns
from engine.evaluate import Frame, Tree
from engine.matching import FAILS, FITS, ItemHits, RowIndex, enterprise_answers, match
from engine.nodes import Num
from engine.program import BoundItem
from engine.truth import Truth, all_of


@dataclass(frozen=True, repr=False)
class Sweep:
    """扫描: `table` one row a value: firms 符合 and 待核实, sums in yuan before 就高 and budget cuts, and `budget`;
    `groups` one row a value and group (firms 符合 and their money), where groupings were asked for; `note` what to mind.

    >>> found = sweep(view, "bs-2025-06/rd-intensity", "rd_scale", ["100万元", "300万元"])
    >>> list(found.table.columns)
    ['门槛', '符合', '待核实', '应付低', '应付高', '含待核实最多']
    """

    item: str
    condition: str
    table: pd.DataFrame
    budget: float | None
    groups: pd.DataFrame | None = None
    note: str = ""

    def spread(self, by: str, value: str = "符合") -> pd.DataFrame:
        """一种分组摊开: one row a threshold, one column a group (code and name) with its firms, or its `应付高`.

        >>> found = sweep(view, "bs-2025-06/rd-intensity", "rd_scale", ["100万元", "300万元"], by="企业规模")
        >>> found.spread("企业规模").sum(axis=1).tolist() == found.table["符合"].tolist()
        True
        """
        assert self.groups is not None
        own = self.groups[self.groups["按"] == by]
        wide = own.pivot(index="门槛", columns="组", values=value).reindex(self.table["门槛"]).fillna(0)
        wide = wide.astype(int) if value == "符合" else wide
        return wide.rename(columns=lambda code: group_title(by, str(code))).rename_axis(columns=by)

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
                f"试过的门槛都要花得比 {yuan / 1e4:,.2f} 万元多，最省的 {least['门槛']} 也要 {least['应付高'] / 1e4:,.2f} 万元"
            )
        return under.iloc[int(under["应付高"].to_numpy().argmax())]

    def __repr__(self) -> str:
        from analysis.tables import show

        return repr(show(self.table, len(self.table)))

    def _repr_html_(self) -> str:
        from analysis.charts import svg, sweep_chart
        from analysis.tables import show

        groups = "" if self.groups is None else show(self.groups, 60)._repr_html_()
        note = f"<p>{self.note}</p>" if self.note else ""
        return svg(sweep_chart(self)) + show(self.table, 60)._repr_html_() + note + groups


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

    def __init__(self, view: View, item: str, leaves: Sequence[Leaf]):
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
        self.seen: dict[tuple[Leaf, float], Truth] = {}

    def _amounts(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        low, high = (np.full(self.frame.n, np.nan) for _ in range(2))
        if self.bound.benefit is not None and len(rows):
            part = Frame(self.view.columns.take(rows))
            own = {k: v.take(rows) for k, v in self.book.items()}
            amount = Calculator(part, self.bound.benefit, own).grant().capped
            low[rows], high[rows] = round_fen(amount.low), round_fen(amount.high)
        return low, high

    def __call__(self, setting: Sequence[tuple[Leaf, Num]]) -> _Answer:
        whole = self.rest
        for leaf, value in setting:
            whole = whole & self._truth(leaf, value)
        return _Answer(whole.sure, whole.maybe, self.low, self.high)

    def _truth(self, leaf: Leaf, value: Num) -> Truth:
        key = (leaf, value.value)
        if key not in self.seen:
            tree = put(self.bound.conditions[leaf.condition], leaf.path, leaf.at(value))
            self.seen[key] = self.frame.tree(tree, self.book)
        return self.seen[key]


class _Rows:
    """An item by project, product or person: matched anew for each setting, for the firms that any setting could fit.

    With the swept conditions unknown, whoever still fails fails whatever they say (three-valued logic is monotone).
    """

    def __init__(self, view: View, item: str, leaves: Sequence[Leaf]):
        self.view, self.bound = view, view.bound(item)
        trees = list(self.bound.conditions)
        for leaf in leaves:
            trees[leaf.condition] = put(trees[leaf.condition], leaf.path, Tree("ask"))
        self.n, self.answers = len(view.columns), view.night.answers()
        self.rows = self._match(trees, view.columns, every=False).rows
        self.columns = view.columns.take(self.rows)

    def __call__(self, setting: Sequence[tuple[Leaf, Num]]) -> _Answer:
        trees = list(self.bound.conditions)
        for leaf, value in setting:
            trees[leaf.condition] = put(trees[leaf.condition], leaf.path, leaf.at(value))
        found = self._match(trees, self.columns, every=True)
        verdict = np.full(self.n, FAILS, np.int8)
        low, high = np.full(self.n, np.nan), np.full(self.n, np.nan)
        verdict[self.rows], low[self.rows], high[self.rows] = found.verdict, found.low, found.high
        return _Answer(verdict == FITS, verdict != FAILS, low, high)

    def _match(self, trees: Sequence[Tree], columns: Columns, *, every: bool) -> ItemHits:
        bound = replace(self.bound, conditions=tuple(trees))
        return match([bound], columns, self.view.night.as_of, self.answers, every=every)[0]


def _solver(view: View, item: str, leaves: Sequence[Leaf]) -> Callable[[Sequence[tuple[Leaf, Num]]], _Answer]:
    whole = view.bound(item).program.item.subject == "企业"
    return _Rest(view, item, leaves) if whole else _Rows(view, item, leaves)


def sweep(
    view: View, item: str, condition: str, values: Sequence[str | float], *, by: str | Sequence[str] | None = None
) -> Sweep:  # fmt: skip
    """扫一个门槛: `values` as the rule writes them (“300万元”) or numbers in base units (yuan, fraction, count); with
    `by` (企业规模, 行业门类, 登记地区划 …, one or several) also the firms and money of each group, so that one sees whom a
    threshold favours.

    Raises ValueError where the condition has no single threshold, or `by` is no text indicator.

    >>> found = sweep(view, "bs-2025-06/rd-intensity", "rd_scale", [1e6, 3e6], by=["企业规模", "行业门类"])
    >>> sorted(set(found.groups["按"]))
    ['企业规模', '行业门类']
    """
    bound = view.bound(item)
    leaf = leaf_of(bound, condition)
    solve = _solver(view, item, [leaf])
    names = [by] if isinstance(by, str) else list(by or ())
    labels = {name: group_labels(view.columns, name) for name in names}
    rows, groups = [], []
    for value in values:
        answer = solve([(leaf, number_of(view, leaf, value))])
        rows.append({"门槛": value, **answer.row()})
        groups += [_of_groups(answer, name, own, value) for name, own in labels.items()]
    table = pd.DataFrame(rows)
    budget = bound.batch.budget
    if budget:
        table["占预算"] = table["应付高"] / budget
    every = pd.concat(groups, ignore_index=True) if groups else None
    if every is not None:  # by grouping, then by group, so that one reads down a group's thresholds
        place = {v: n for n, v in enumerate(values)}
        kind = {name: n for n, name in enumerate(names)}
        keys = every.assign(_by=every["按"].map(kind), _at=every["门槛"].map(place))
        every = keys.sort_values(["_by", "组", "_at"], ignore_index=True).drop(columns=["_by", "_at"])
    return Sweep(item, condition, table, budget, every, _note(view, bound, leaf))


def _of_groups(answer: _Answer, by: str, labels: np.ndarray, value: str | float) -> pd.DataFrame:
    """The firms 符合 of each group at one threshold, and their money in yuan."""
    sure = answer.sure
    frame = pd.DataFrame(
        {"组": labels[sure], "符合": 1, "应付低": answer.low[sure], "应付高": answer.high[sure]}
    )
    sums = frame.groupby("组", as_index=False).sum()
    sums.insert(0, "门槛", value)
    sums.insert(0, "名称", [group_name(by, code) for code in sums["组"]])
    sums.insert(0, "按", by)
    return sums[["按", "组", "名称", "门槛", "符合", "应付低", "应付高"]]


def _note(view: View, bound: BoundItem, leaf: Leaf) -> str:
    """A threshold of the document's general conditions moves every item of the document: said, since one item is shown."""
    if not leaf.general:
        return ""
    document = bound.program.document.id
    items = [p for p in view.library.programs if p.document.id == document]
    return (
        f"这一条写在 {document} 的总则里，管它的 {len(items)} 个事项，这里只看这一项；要改它，改 {document}/document.yaml，"
        f"再用 huiqi impact --document 看全部事项"
    )


def sweep_two(
    view: View, item: str, one: tuple[str, Sequence[str | float]], two: tuple[str, Sequence[str | float]]
) -> pd.DataFrame:
    """扫两个门槛: one row a pair of values, for `charts.heat_map`. Raises ValueError as `sweep` does.

    >>> grid = sweep_two(view, "bs-2025-06/rd-intensity", ("rd_scale", [1e6, 3e6]), ("intensity", ["3%", "5%"]))
    >>> len(grid)
    4
    """
    bound = view.bound(item)
    a, b = leaf_of(bound, one[0]), leaf_of(bound, two[0])
    if a.condition == b.condition:
        raise ValueError("两个门槛在同一条里，请分开扫")
    solve = _solver(view, item, [a, b])
    firsts = [(v, number_of(view, a, v)) for v in one[1]]
    seconds = [(v, number_of(view, b, v)) for v in two[1]]
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
    leaf = leaf_of(view.bound(item), condition)
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
        raise ValueError(f"{condition} 的门槛定到哪里，花的都比 {yuan / 1e4:,.2f} 万元多")
    for _ in range(DOUBLINGS):
        if cost(loose) > yuan:
            break
        loose *= closer
    else:
        strict = loose = 0.0 if rising else loose  # whoever there is can be paid
    for _ in range(HALVINGS):
        middle = (loose + strict) / 2
        loose, strict = (middle, strict) if cost(middle) > yuan else (loose, middle)
    value = next(v for v in (*rounder(strict, rising), strict) if cost(v) <= yuan)
    text = as_written(value, leaf.number)
    return pd.Series({"门槛": text, **solve([(leaf, replace(leaf.number, value=value))]).row()})
