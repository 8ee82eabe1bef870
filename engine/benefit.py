"""奖补数额: amounts as intervals in yuan over whole columns (rule language, section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.columns import Floats
from engine.evaluate import Frame, Tree, Values, compare
from engine.nodes import Node
from engine.program import (
    TypedAddition,
    TypedBands,
    TypedBenefit,
    TypedForm,
    TypedLimits,
    TypedVariant,
)
from engine.truth import Truth, constant

Answers = Mapping[str, Truth]


ROUNDOFF = (
    4 * 2.0**-53
)  # datum, rate, product and the step to fen: each rounds once; twice that where terms are added
# Terms that cancel, multiplied up, may have a bound of cents; moved up by so much, several rows would reach the next fen.
MOST_TERMS = 2e11


@dataclass(frozen=True)
class Interval:
    """数额区间: low and high in yuan, NaN where that end is unknown. Shape (n,) each.

    Every amount is moved up by the bound of its own binary error where it is read (`Calculator.exact`), so that whichever
    of several amounts is chosen, an exact half fen is not rounded down (`round_fen`).
    """

    low: Floats
    high: Floats

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.low + other.low, self.high + other.high)

    def hull(self, other: Interval) -> Interval:
        """并区间: an unknown end stays unknown."""
        return Interval(np.minimum(self.low, other.low), np.maximum(self.high, other.high))

    def at_least_zero(self) -> Interval:
        """不小于零: unknown ends stay unknown."""
        return Interval(np.maximum(self.low, 0.0), np.maximum(self.high, 0.0))


@dataclass(frozen=True)
class Grant:
    """一笔: the amount of one grant before the enterprise's cap, that cap (inf: none), and both together."""

    amount: Interval
    ceiling: Interval
    capped: Interval


def choose(truth: Truth, first: Interval, rest: Interval) -> Interval:
    """择一: `first` where it surely applies, `rest` where it fails, their hull where that is unknown."""
    both = first.hull(rest)
    low = np.where(truth.sure, first.low, np.where(truth.maybe, both.low, rest.low))
    high = np.where(truth.sure, first.high, np.where(truth.maybe, both.high, rest.high))
    return Interval(low, high)


class Calculator:
    """算额: the amounts of one benefit over the rows of a frame."""

    def __init__(self, frame: Frame, benefit: TypedBenefit, answers: Answers):
        self.frame = frame
        self.benefit = benefit
        self.answers = answers
        self.n = frame.n

    # -- values
    def column(self, node: Node) -> Floats:
        """一列数: shape (n,), NaN where unknown."""
        value = self.frame.values(node).value
        if self.n == 1 and isinstance(value, np.float64):  # as below, but quick, as in Frame._spread
            return np.array((value,))
        return np.broadcast_to(value, (self.n,)).astype(np.float64)

    def error(self, node: Node) -> Floats:
        """误差界: what the binary computation of an expression may be off by, in its own unit."""
        values = self.frame.values(node)
        if values.size is None:
            return ROUNDOFF * np.abs(self.column(node))
        return 2 * ROUNDOFF * np.fmax(np.abs(self.column(node)), np.minimum(values.size, MOST_TERMS))

    def upward(self, node: Node) -> Floats:
        """待舍入的一列数: moved up by its binary error."""
        return self.column(node) + self.error(node)

    def exact(self, node: Node) -> Interval:
        value = self.upward(node)
        return Interval(value, value)

    def share(self, rate: Node, base: Node) -> Interval:
        """按比例: a rate of an amount, moved up by the error of both."""
        of, at = self.column(base), self.column(rate)
        value = at * of + (self.error(rate) * np.abs(of) + np.abs(at) * self.error(base))
        return Interval(value, value)

    def flat(self, value: float) -> Interval:
        column = np.full(self.n, value)
        return Interval(column, column)

    def truth(self, tree: Tree | None) -> Truth:
        return constant(self.n, True, True) if tree is None else self.frame.tree(tree, self.answers)

    # -- forms
    def form(self, form: TypedForm) -> Interval:
        """数额形式的区间, before floors and caps."""
        if form.kind == "words":
            return self.flat(np.nan)
        if form.kind == "range":
            return self.ranged(form)
        if form.kind == "bands":
            assert form.bands is not None
            return self.marginal(form.bands) if form.bands.marginal else self.stepped(form.bands)
        if form.kind == "cases":
            return self.cases(form.cases)
        assert form.amount is not None
        amount = self.exact(form.amount)
        return Interval(np.zeros(self.n), amount.high) if form.kind == "upto" else amount

    def ranged(self, form: TypedForm) -> Interval:
        assert form.low is not None and form.high is not None
        low, high = self.upward(form.low), self.upward(form.high)
        swap = low > high
        return Interval(np.where(swap, high, low), np.where(swap, low, high))

    def cases(self, cases: tuple[TypedVariant, ...]) -> Interval:
        out = self.flat(0.0)
        for case in reversed(cases):
            assert case.form is not None
            own = self.cap(self.floor(self.form(case.form), case.limits), case.limits)
            out = choose(self.truth(case.tree), own, out)
        return out

    def steps(self, bands: TypedBands) -> list[tuple[Truth, Truth]]:
        """For each step: whether `by` has passed its beginning, and whether it is within its end."""
        by = self.frame.values(bands.by)
        out = []
        passed = self.beyond(">=", by, bands.start) if bands.start else constant(self.n, True, True)
        for step in bands.steps:
            if step.bound is None:
                within, after = constant(self.n, True, True), constant(self.n, False, False)
            else:
                after = self.beyond(">" if step.inclusive else ">=", by, step.bound)
                within = ~after
            out.append((passed, within))
            passed = after
        return out

    def beyond(self, op: str, by: Values, bound: Node) -> Truth:
        edge = self.frame.values(bound)
        sure = np.broadcast_to(compare(op, by, edge, False), (self.n,))
        return Truth(sure, sure | np.broadcast_to(np.isnan(by.value) | np.isnan(edge.value), (self.n,)))

    def stepped(self, bands: TypedBands) -> Interval:
        """全额分档: the step that `by` lies in, or 0 where it lies in none."""
        out = self.flat(0.0)
        open_ended = bands.start is None and bands.steps[-1].bound is None
        for index, (step, (passed, within)) in enumerate(
            reversed(list(zip(bands.steps, self.steps(bands), strict=True)))
        ):
            if step.rate is not None:
                own = self.share(step.rate, bands.of)
            else:
                assert step.amount is not None
                own = self.exact(step.amount)
            # Where the steps cover every number, some step applies even where `by` is unknown.
            out = own if index == 0 and open_ended else choose(passed & within, own, out)
        return out

    def marginal(self, bands: TypedBands) -> Interval:
        """超额分档: every step's rate on the part of `by` within it, its amount once it is reached."""
        by = self.column(bands.by)
        error = self.error(bands.by) + ROUNDOFF * np.abs(by)
        out = self.flat(0.0)
        lower = self.column(bands.start) if bands.start else np.zeros(self.n)
        for step, (passed, _) in zip(bands.steps, self.steps(bands), strict=True):
            upper = self.column(step.bound) if step.bound is not None else np.full(self.n, np.inf)
            if step.rate is not None:
                part = np.maximum(np.minimum(by, upper) - lower, 0.0)
                part = (part + np.where(part > 0, error, 0.0)) * self.column(step.rate)
                own = Interval(part, part)
            else:
                assert step.amount is not None
                own = self.exact(step.amount)
            out = out + choose(passed, own, self.flat(0.0))
            lower = upper
        return out

    # -- limits
    def floor(self, amount: Interval, limits: TypedLimits) -> Interval:
        """下限: an unknown floor leaves the low end and makes the high end unknown."""
        for node in limits.floor or ():
            floor = self.upward(node)
            known = ~np.isnan(floor)
            amount = Interval(
                np.where(known, np.maximum(amount.low, floor), amount.low),
                np.where(known, np.maximum(amount.high, floor), np.nan),
            )
        return amount

    def cap(self, amount: Interval, limits: TypedLimits) -> Interval:
        """上限: an unknown cap makes the low end 0 and leaves the high end."""
        return self.bounded(amount, limits.cap)

    def bounded(self, amount: Interval, nodes: tuple[Node, ...] | None) -> Interval:
        """逐个封顶: each cap by itself, as one that is unknown lets the low end be 0 whatever the others are."""
        for node in nodes or ():
            amount = capped(amount, self.ceiling((node,)))
        return amount

    def ceiling(self, nodes: tuple[Node, ...] | None) -> Interval:
        """封顶区间: the lowest and highest the caps can be; an unknown one may be anything from 0."""
        low, high = np.full(self.n, np.inf), np.full(self.n, np.inf)
        for node in nodes or ():
            cap = self.upward(node)
            unknown = np.isnan(cap)
            low = np.where(unknown, 0.0, np.minimum(low, cap))
            high = np.where(unknown, high, np.minimum(high, cap))
        return Interval(low, high)

    # -- the whole
    def added(self, amount: Interval, add: TypedAddition, bands: TypedBands | None) -> Interval:
        """叠加: an addition that holds, or between 0 and it where that is unknown."""
        if add.amount is not None:
            own = self.exact(add.amount)
        else:
            assert add.rate is not None and bands is not None
            own = self.share(add.rate, bands.of)
        value, truth = own.low, self.truth(add.tree)
        low = np.where(truth.sure, value, np.where(truth.maybe, np.fmin(value, 0.0), 0.0))
        high = np.where(truth.sure, value, np.where(truth.maybe, np.maximum(value, 0.0), 0.0))
        return amount + Interval(low, high)

    def pipeline(self, form: TypedForm, limits: TypedLimits) -> Grant:
        """顺序: below zero is zero; adds; floor; cap; adds beyond the cap; never below zero."""
        amount = self.form(form).at_least_zero()
        for add in self.benefit.adds:
            if not add.beyond_cap:
                amount = self.added(amount, add, form.bands)
        amount = self.cap(self.floor(amount, limits), limits)
        for add in self.benefit.adds:
            if add.beyond_cap:
                amount = self.added(amount, add, form.bands)
        amount = amount.at_least_zero()
        whole = self.bounded(amount, limits.cap_per_enterprise).at_least_zero()
        return Grant(amount, self.ceiling(limits.cap_per_enterprise), whole)

    def grant(self) -> Grant:
        """一笔: the base or what the first exception that holds makes of it."""
        base = self.benefit
        out = self.pipeline(base.form, base.limits)
        for exception in reversed(base.exceptions):
            own = self.pipeline(exception.form or base.form, exception.limits.over(base.limits))
            truth = self.truth(exception.tree)
            out = Grant(
                choose(truth, own.amount, out.amount),
                choose(truth, own.ceiling, out.ceiling),
                choose(truth, own.capped, out.capped),
            )
        return out


def capped(amount: Interval, ceiling: Interval) -> Interval:
    """封顶: both ends bounded; where the cap may be anything from 0 the low end is 0."""
    boundless = (ceiling.low == 0) & np.isinf(ceiling.high)
    low = np.where(boundless, 0.0, np.minimum(amount.low, ceiling.low))
    return Interval(low, np.minimum(amount.high, ceiling.high))


def round_fen(yuan: Floats) -> Floats:
    """到分: half up; of an amount moved up by its binary error (see `Interval`), so of its exact decimal value."""
    return np.floor(yuan * 100 + 0.5) / 100
