"""求值: bound expressions over whole columns, three answers (rule language, sections 3 and 4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from engine import kinds
from engine.columns import Categories, Columns, Floats, Lists
from engine.nodes import Bin, Call, Compare, Day, Dur, Has, In, Node, Num, Range, Ref, Text
from engine.nodes import Truth as TruthLiteral
from engine.truth import Truth, all_of, any_of

TOLERANCE = 1e-9
FOUNDED = "成立日期"
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Values:
    """值列: numbers (NaN unknown), the magnitude of the terms they were added up from, and what is known not to exist.

    Shapes (n,) or scalars; `size` None stands for |value|; `absent` None for nowhere.
    """

    value: Floats
    size: Floats | None = None
    absent: Mask | None = None

    @property
    def magnitude(self) -> Floats:
        """量级: greatest magnitude among the value and its terms."""
        return np.abs(self.value) if self.size is None else np.fmax(np.abs(self.value), self.size)


class Frame:
    """求值框: truths and values of bound expressions over one set of columns; equal expressions are computed once."""

    def __init__(self, columns: Columns):
        self.columns = columns
        self.n = len(columns)
        self._truths: dict[Node, Truth] = {}
        self._values: dict[Node, Values] = {}

    # ------------------------------------------------------------ conditions
    def truth(self, node: Node) -> Truth:
        """条件的三值: shape (n,) each plane."""
        found = self._truths.get(node)
        if found is None:
            found = self._truths[node] = self._spread(self._truth(node))
        return found

    def _spread(self, truth: Truth) -> Truth:
        shape = (self.n,)
        if truth.sure.shape == shape == truth.maybe.shape:
            return truth
        if self.n == 1:  # as below, ten times as quick: a single firm is asked while somebody waits
            return Truth(truth.sure.reshape(1), truth.maybe.reshape(1))
        return Truth(np.broadcast_to(truth.sure, shape), np.broadcast_to(truth.maybe, shape))

    def _truth(self, node: Node) -> Truth:
        if isinstance(node, In):
            return self._category_truth(node.left, member_test(node.members))
        if isinstance(node, Has):
            if node.left.kind.name == kinds.LIST:
                return self._list_truth(node)
            return self._category_truth(node.left, lambda name: node.text in name)
        assert isinstance(node, Compare)
        if node.left.kind.name in (kinds.TEXT, kinds.CODE):
            return self._text_truth(node)
        return self._number_truth(node)

    def _number_truth(self, node: Compare) -> Truth:
        left, right = self.values(node.left), self.values(node.right)
        kind = kinds.comparable(node.left.kind, node.right.kind)
        exact = kind is not None and kind.name in (kinds.DATE, kinds.SPAN, kinds.BOOL)
        sure = compare(node.op, left, right, exact)
        unknown = np.isnan(left.value) | np.isnan(right.value)
        maybe = sure | unknown
        for side in (left, right):
            if side.absent is not None:
                sure, maybe = sure & ~side.absent, maybe & ~side.absent
        return Truth(sure, maybe)

    def _text_side(self, node: Node) -> Categories:
        if isinstance(node, Text):
            return Categories(np.zeros(self.n, np.int32), (node.value,))
        assert isinstance(node, Ref)
        return self.columns.category(node.name, node.year)

    def _text_absent(self, node: Node, missing: Mask) -> Mask | None:
        if isinstance(node, Ref) and self.columns.speaks(node.name) == "无":
            return missing
        return None

    def _category_truth(self, left: Node, test: Callable[[str], bool]) -> Truth:
        side = self._text_side(left)
        hits = np.array([*map(test, side.names), False], bool)
        missing = side.codes < 0
        sure = hits[side.codes]
        absent = self._text_absent(left, missing)
        maybe = sure if absent is not None else sure | missing
        return Truth(sure, maybe)

    def _text_truth(self, node: Compare) -> Truth:
        left, right = self._text_side(node.left), self._text_side(node.right)
        joint: dict[str, int] = {}
        ids = [
            np.array([*(joint.setdefault(name, len(joint)) for name in side.names), -1])[side.codes]
            for side in (left, right)
        ]
        unknown = (left.codes < 0) | (right.codes < 0)
        same = ids[0] == ids[1]
        sure = (same if node.op == "=" else ~same) & ~unknown
        maybe = sure | unknown
        for expr, side in ((node.left, left), (node.right, right)):
            absent = self._text_absent(expr, side.codes < 0)
            if absent is not None:
                sure, maybe = sure & ~absent, maybe & ~absent
        return Truth(sure, maybe)

    def _list_truth(self, node: Has) -> Truth:
        assert isinstance(node.left, Ref)
        lists: Lists = self.columns.listing(node.left.name, node.left.year)
        sure = np.zeros(self.n, bool)
        members = [
            i for i, name in enumerate(lists.names) if name == node.text
        ]  # joined lists may name one twice
        if members:
            at = np.flatnonzero(np.isin(lists.codes, members))
            sure[np.searchsorted(lists.offsets, at, side="right") - 1] = True
        absent = self.columns.speaks(node.left.name) == "无"
        return Truth(sure, sure if absent else sure | lists.missing)

    # ------------------------------------------------------------ values
    def values(self, node: Node) -> Values:
        """数值: shape (n,) or scalar."""
        found = self._values.get(node)
        if found is None:
            found = self._values[node] = self._compute(node)
        return found

    def _compute(self, node: Node) -> Values:
        if isinstance(node, Num):
            return Values(np.float64(node.value))  # type: ignore[arg-type]
        if isinstance(node, Day):
            return Values(np.float64(node.days))  # type: ignore[arg-type]
        if isinstance(node, TruthLiteral):
            return Values(np.float64(node.value))  # type: ignore[arg-type]
        if isinstance(node, Dur):
            return Values(np.float64(node.days))  # type: ignore[arg-type]
        if isinstance(node, Ref):
            return self._ref(node)
        if isinstance(node, Call):
            return self._call(node)
        assert isinstance(node, Bin), node
        return self._binary(node)

    def _ref(self, node: Ref) -> Values:
        value = self.columns.number(node.name, node.year)
        if self.columns.speaks(node.name) == "无":
            return Values(value, absent=np.isnan(value))
        return Values(value)

    def _binary(self, node: Bin) -> Values:
        left, right = self.values(node.left), self.values(node.right)
        absent = _either(left.absent, right.absent)
        if node.kind.name == kinds.DATE:
            return Values(self._shift(node, left.value, right.value), absent=absent)
        if node.op in "+-":
            value = left.value + right.value if node.op == "+" else left.value - right.value
            if node.kind.name == kinds.SPAN:
                return Values(value, absent=absent)
            return Values(value, np.fmax(left.magnitude, right.magnitude), absent)
        sized = left.size is not None or right.size is not None
        if node.op == "*":
            return Values(
                left.value * right.value, left.magnitude * right.magnitude if sized else None, absent
            )
        divisor = nonzero(right)
        value = left.value / divisor
        size = None
        if sized:
            size = left.magnitude / np.abs(divisor)
        return Values(value, size, absent)

    def _shift(self, node: Bin, left: Floats, right: Floats) -> Floats:
        day, span = (node.left, node.right) if node.left.kind.name == kinds.DATE else (node.right, node.left)
        days, extra = (left, right) if day is node.left else (right, left)
        sign = -1 if node.op == "-" else 1
        return add_months(days, sign * months_of(span)) + sign * extra

    def _call(self, node: Call) -> Values:
        if node.name in ("合计", "平均", "最大", "最小"):
            return self._aggregate(node)
        arg = node.args[0]
        if node.name == "增长率":
            assert isinstance(arg, Ref) and arg.year is not None
            return self._growth(arg.name, arg.year)
        inner = self.values(arg)
        if node.name == "取整":
            return Values(whole(inner.value))
        if node.name == "年度":
            return Values(year_month_day(inner.value)[0], absent=inner.absent)
        opens = self.values(node.args[1]).value
        return Values(age(inner.value, opens), absent=inner.absent)

    def _growth(self, name: str, year: int) -> Values:
        now, before = self.columns.number(name, year), self.columns.number(name, year - 1)
        ratio = divide(now, np.where(before > 0, before, np.nan))
        return Values(ratio - 1, np.fmax(np.abs(ratio), 1.0))

    def _aggregate(self, node: Call) -> Values:
        parts, counts = self._parts(node)
        absent = None
        for part in parts:
            absent = _either(absent, part.absent)
        values = [part.value for part in parts]
        if node.name in ("最大", "最小"):
            return self._extreme(node.name, parts, absent)
        total = sum(values[1:], values[0])
        size = reduce(np.fmax, [np.broadcast_to(p.magnitude, np.shape(total)) for p in parts])
        if node.name == "合计":
            return Values(total, size, absent)
        return Values(divide(total, counts), divide(size, counts), absent)

    def _extreme(self, name: str, parts: list[Values], absent: Mask | None) -> Values:
        best, size = parts[0].value, parts[0].magnitude
        for part in parts[1:]:
            better = part.value > best if name == "最大" else part.value < best
            unknown = np.isnan(best) | np.isnan(part.value)
            size = np.where(better, part.magnitude, size)
            best = np.where(unknown, np.nan, np.where(better, part.value, best))
        return Values(best, size, absent)

    def _parts(self, node: Call) -> tuple[list[Values], Floats]:
        """The values an aggregate runs over and how many of them 平均 divides by."""
        arg = node.args[0]
        if isinstance(arg, Range):
            return self._years(arg)
        if isinstance(arg, Call) and arg.name == "增长率" and isinstance(arg.args[0], Range):
            span = arg.args[0]
            parts = [self._growth(span.name, year) for year in range(span.first, span.last + 1)]
        else:
            parts = [self.values(a) for a in node.args]
        return parts, np.float64(len(parts))  # type: ignore[return-value]

    def _years(self, span: Range) -> tuple[list[Values], Floats]:
        young = span.kind.name in (kinds.MONEY, kinds.COUNT)
        founded = year_month_day(self.columns.number(FOUNDED, None))[0] if young else None
        parts, counts = [], np.zeros(self.n)
        for year in range(span.first, span.last + 1):
            ref = self._ref(Ref(span.name, None, year, kind=span.kind))
            if founded is None:
                parts.append(ref)
                counts += 1
                continue
            before = np.isnan(ref.value) & (year < founded)
            parts.append(Values(np.where(before, 0.0, ref.value)))
            counts += ~before
        return parts, np.where(counts > 0, counts, np.nan)

    # ------------------------------------------------------------ trees
    def tree(self, tree: Tree, answers: Mapping[str, Truth]) -> Truth:
        """条件树的三值: `answers` holds reviewers' answers by ask id; an ask without one is unknown."""
        if tree.kind == "when":
            assert tree.expr is not None
            return self.truth(tree.expr)
        if tree.kind == "ask":
            found = answers.get(tree.ask)
            return found if found is not None else Truth(np.zeros(self.n, bool), np.ones(self.n, bool))
        parts = [self.tree(child, answers) for child in tree.children]
        if tree.kind == "not":
            return ~parts[0]
        return all_of(parts, self.n) if tree.kind == "all" else any_of(parts, self.n)


@dataclass(frozen=True)
class Tree:
    """条件树: a bound condition; `ask` is the id an answer is kept under."""

    kind: str
    expr: Node | None = None
    ask: str = ""
    children: tuple[Tree, ...] = ()


# ---------------------------------------------------------------- arithmetic


def compare(op: str, left: Values, right: Values, exact: bool) -> Mask:
    """比较: where `left op right` surely holds; numbers within 1e-9 of the greatest magnitude are equal."""
    with np.errstate(invalid="ignore"):
        if exact:
            equal = left.value == right.value
        else:
            slack = TOLERANCE * np.fmax(left.magnitude, right.magnitude)
            equal = np.abs(left.value - right.value) <= slack
        known = ~(np.isnan(left.value) | np.isnan(right.value))
        if op in ("=", "!="):
            return (equal if op == "=" else ~equal) & known
        above = (left.value > right.value) & ~equal
        if op in (">", ">="):
            return above if op == ">" else above | (equal & known)
        return known & ~above & ~equal if op == "<" else known & ~above


def divide(a: Floats, b: Floats) -> Floats:
    """除: NaN (unknown) where the divisor is zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(b == 0, np.nan, a / b)


def nonzero(values: Values) -> Floats:
    """除数: NaN where it is zero, or zero but for the noise of the terms it was added up from."""
    with np.errstate(invalid="ignore"):
        zero = (
            np.abs(values.value) <= TOLERANCE * values.magnitude
            if values.size is not None
            else values.value == 0
        )
    return np.where(zero, np.nan, values.value)


def whole(value: Floats) -> Floats:
    """取整: towards zero; within 1e-9 of a whole number is that number."""
    near = np.round(value)
    return np.where(np.abs(value - near) <= TOLERANCE, near, np.trunc(value))


def _either(a: Mask | None, b: Mask | None) -> Mask | None:
    return b if a is None else a if b is None else a | b


def months_of(node: Node) -> int:
    """时长的月数: calendar months in a span expression (its days are its value)."""
    if isinstance(node, Dur):
        return node.months
    if isinstance(node, Bin) and node.kind.name == kinds.SPAN and node.kind.calendar:
        if node.op in "+-":
            sign = 1 if node.op == "+" else -1
            return months_of(node.left) + sign * months_of(node.right)
        months = months_of(node.left) + months_of(node.right)
        factor = fold(node.right if node.left.kind.name == kinds.SPAN else node.left)
        return int(months * factor if node.op == "*" else months / factor)
    return 0


def fold(node: Node) -> float:
    """常数: the value of a constant numeric expression."""
    if isinstance(node, Num):
        return node.value
    assert isinstance(node, Bin)
    a, b = fold(node.left), fold(node.right)
    return {"+": a + b, "-": a - b, "*": a * b, "/": a / b if b else float("nan")}[node.op]


def year_month_day(days: Floats) -> tuple[Floats, Floats, Floats]:
    """年月日: of days since 1970-01-01, NaN kept. Columns being compiled (kernel_trace) answer for themselves."""
    if hasattr(days, "year_month_day"):
        return days.year_month_day()
    known = np.isfinite(days)
    day = np.where(known, days, 0).astype("datetime64[D]")
    month = day.astype("datetime64[M]")
    year = month.astype("datetime64[Y]")
    y = year.astype(np.int64) + 1970.0
    m = (month - year.astype("datetime64[M]")).astype(np.int64) + 1.0
    d = (day - month.astype("datetime64[D]")).astype(np.int64) + 1.0
    return tuple(np.where(known, part, np.nan) for part in (y, m, d))  # type: ignore[return-value]


def add_months(days: Floats, months: int) -> Floats:
    """加月: the same day of another month, or that month's last day where it has no such day."""
    if months == 0:
        return days
    if hasattr(days, "add_months"):
        return days.add_months(months)
    known = np.isfinite(days)
    day = np.where(known, days, 0).astype("datetime64[D]")
    month = day.astype("datetime64[M]")
    within = (day - month.astype("datetime64[D]")).astype(np.int64)
    target = month + np.timedelta64(months, "M")
    first = target.astype("datetime64[D]").astype(np.int64)
    length = (target + np.timedelta64(1, "M")).astype("datetime64[D]").astype(np.int64) - first
    return np.where(known, first + np.minimum(within, length - 1), np.nan).astype(np.float64)


def age(born: Floats, day: Floats) -> Floats:
    """周岁: full years from the date of birth to the day."""
    by, bm, bd = year_month_day(born)
    y, m, d = year_month_day(day)
    return y - by - ((m < bm) | ((m == bm) & (d < bd)))


def member_test(members: frozenset[str]) -> Callable[[str], bool]:
    """集合成员: a test of one text; members that end in * are prefixes."""
    whole_names = frozenset(m for m in members if not m.endswith("*"))
    prefixes = tuple(m[:-1] for m in members if m.endswith("*"))
    return lambda name: name in whole_names or name.startswith(prefixes)
