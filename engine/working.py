"""算给人看: how the amount of one row came about: the band, the rate and what it is of, the case, floors and caps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import isclose, isinf, isnan

from engine import kinds
from engine.benefit import Calculator, Interval
from engine.evaluate import Frame
from engine.nodes import Node, Ref, references
from engine.program import (
    BoundItem,
    TypedAddition,
    TypedBands,
    TypedBenefit,
    TypedForm,
    TypedLimits,
    TypedVariant,
    tree_expressions,
)
from engine.truth import Truth
from engine.words import say, say_money, say_value

UNKNOWN = "待定"
Value = Callable[[str, int | None], object]


def working(
    bound: BoundItem, frame: Frame, row: int, answers: Mapping[str, Truth], value: Value
) -> tuple[str, ...]:
    """算法: lines that lead from the rule to the amount of a row, none where the item gives no money.

    `value` gives what the frame's row holds of an indicator and year. Of rows of projects it is the best one's working.
    """
    if bound.benefit is None or not frame.n:
        return ()
    lines = _Working(Calculator(frame, bound.benefit, answers), bound.benefit, row, value).lines()
    subject = bound.program.item.subject
    every = () if subject == "企业" else (f"按最好的一个{subject}写出算法，金额是各{subject}的合计",)
    return (*every, *lines)


@dataclass
class _Working:
    calculator: Calculator
    benefit: TypedBenefit
    row: int
    value_of: Value

    def lines(self) -> Iterator[str]:
        form, limits = self.benefit.form, self.benefit.limits
        for exception in self.benefit.exceptions:
            held = self.held(exception)
            if held == "否":
                continue
            what = f"例外（{self.when(exception)}）"
            if held == UNKNOWN:
                yield f"{what}是否成立待定，成立则{self.instead(exception)}；下面按不成立算，金额取两种算法之间"
                continue
            yield f"{what}成立"
            form, limits = exception.form or form, exception.limits.over(limits)
            break
        yield from self.form(form)
        yield from self.rest(form, limits)

    def rest(self, form: TypedForm, limits: TypedLimits) -> Iterator[str]:
        """Additions and limits, in the order in which they are worked."""
        calculator = self.calculator
        amount = calculator.form(form).at_least_zero()
        for add in self.benefit.adds:
            if not add.beyond_cap:
                yield from self.added(add, form.bands)
                amount = calculator.added(amount, add, form.bands)
        yield from self.limited("保底", amount, limits.floor, below=True)
        amount = calculator.floor(amount, limits)
        yield from self.limited("封顶", amount, limits.cap)
        amount = calculator.cap(amount, limits)
        for add in self.benefit.adds:
            if add.beyond_cap:
                yield from self.added(add, form.bands)
                amount = calculator.added(amount, add, form.bands)
        yield from self.limited("每家封顶", amount.at_least_zero(), limits.cap_per_enterprise)

    # -- forms
    def form(self, form: TypedForm) -> Iterator[str]:
        if form.kind == "words":
            yield "标准要由人定，机器算不出"
        elif form.kind == "bands" and form.bands is not None:
            yield from self.bands(form.bands)
        elif form.kind == "cases":
            yield from self.cases(form.cases)
        elif form.kind == "range" and form.low is not None and form.high is not None:
            yield f"区间：{self.sum_of(form.low)} 至 {self.sum_of(form.high)}"
        elif form.amount is not None:
            what = "最高" if form.kind == "upto" else "算式" if references(form.amount) else "定额"
            yield f"{what}：{self.sum_of(form.amount)}"

    def cases(self, cases: tuple[TypedVariant, ...]) -> Iterator[str]:
        for number, case in enumerate(cases, 1):
            held = self.held(case)
            if held == "否" or case.form is None:
                continue
            when = self.when(case)
            if held == UNKNOWN:
                yield f"第 {number} 种情形（{when}）是否成立待定，成立则{self.instead(case)}"
                continue
            yield f"第 {number} 种情形{f'（{when}）成立' if case.tree else '（其他）'}"
            yield from self.form(case.form)
            own = self.calculator.form(case.form)
            yield from self.limited("保底", own, case.limits.floor, below=True)
            yield from self.limited("封顶", self.calculator.floor(own, case.limits), case.limits.cap)
            return
        yield "没有哪种情形成立，0 元"

    def bands(self, bands: TypedBands) -> Iterator[str]:
        by = self.number(bands.by)
        is_ = "" if _plain(bands.by) or isnan(by) else f" = {self.told(bands.by)}，"
        yield f"按 {self.read(bands.by)}{is_} {'超额' if bands.marginal else '全额'}分档"
        if isnan(by):
            yield "落在哪一档待定"
            return
        lower, reached = bands.start, False
        for number, (step, (passed, within)) in enumerate(
            zip(bands.steps, self.calculator.steps(bands), strict=True), 1
        ):
            span = self.span(lower, step.bound)
            if passed.sure[self.row] and (bands.marginal or within.sure[self.row]):
                reached = True
                if step.rate is None:
                    assert step.amount is not None
                    yield f"第 {number} 档（{span}）：{self.sum_of(step.amount)}"
                else:
                    of = self.part(by, lower, step.bound) if bands.marginal else self.number(bands.of)
                    what = (
                        "这一段 " if bands.marginal else f"{say(bands.of)} " if bands.of != bands.by else ""
                    )
                    gives = of * self.number(step.rate)
                    yield f"第 {number} 档（{span}）：{what}{self.told_as(of, bands.of)} × {say(step.rate)} = {money(gives)}"
            lower = step.bound
        if not reached:
            yield "没有到起点，0 元"

    def part(self, by: float, lower: Node | None, upper: Node | None) -> float:
        top = by if upper is None else min(by, self.number(upper))
        return max(top - (0.0 if lower is None else self.number(lower)), 0.0)

    def span(self, lower: Node | None, upper: Node | None) -> str:
        if upper is None:
            return f"{say(lower)} 以上" if lower is not None else "不分高低"
        return f"{say(lower)} 至 {say(upper)}" if lower is not None else f"{say(upper)} 以内"

    # -- additions and limits
    def added(self, add: TypedAddition, bands: TypedBands | None) -> Iterator[str]:
        held = self.truth(self.calculator.truth(add.tree))
        if held == "否":
            return
        if add.amount is not None:
            what = self.sum_of(add.amount)
        elif add.rate is not None and bands is not None:
            of = self.number(bands.of)
            what = f"{self.told_as(of, bands.of)} × {say(add.rate)} = {money(of * self.number(add.rate))}"
        else:
            return
        yield (
            f"另加：{what}"
            + ("（是否可加待定）" if held == UNKNOWN else "")
            + ("，不受封顶限制" if add.beyond_cap else "")
        )

    def limited(
        self, name: str, amount: Interval, nodes: tuple[Node, ...] | None, below: bool = False
    ) -> Iterator[str]:
        high = float(amount.high[self.row])
        for node in nodes or ():
            limit = self.number(node)
            said = self.sum_of(node)
            if isnan(limit) or isnan(high) or isinf(high):
                yield f"{name}：{said}"
            elif isclose(limit, high, rel_tol=1e-9):
                yield f"{name} {said}：刚好到"
            elif (limit > high) == below:
                yield f"{name} {said}：{'不足' if below else '超过'}，按{name}"
            else:
                yield f"{name} {said}：{'已超过' if below else '没有到'}"

    # -- words
    def number(self, node: Node) -> float:
        return float(self.calculator.column(node)[self.row])

    def sum_of(self, node: Node) -> str:
        """An expression, the values it read, and what it comes to."""
        if not references(node):
            return money(self.number(node))
        return f"{self.read(node)} = {money(self.number(node))}" if not _plain(node) else self.read(node)

    def told(self, node: Node) -> str:
        """The value of an expression in the unit of its kind."""
        return self.told_as(self.number(node), node)

    def told_as(self, value: float, node: Node) -> str:
        if node.kind.name == kinds.MONEY or isnan(value):
            return money(value)
        return say_value(value, node.kind.name, node.kind.unit)

    def read(self, node: Node) -> str:
        """An expression with the values of its indicators: of a single one as 名 值, else behind it in brackets."""
        seen = [
            (f"{year}年{name}" if year else name, self.value(name, year)) for name, year in references(node)
        ]
        if _plain(node):
            return f"{say(node)} {self.told(node)}"
        return say(node) + (f"（{'，'.join(f'{what} {value}' for what, value in seen)}）" if seen else "")

    def value(self, name: str, year: int | None) -> str:
        spec = self.calculator.frame.columns.dictionary[name]
        found = self.value_of(name, year)
        if spec.kind == kinds.MONEY and isinstance(found, float):
            return money(found)
        return say_value(found, spec.kind, spec.unit)

    def truth(self, found: Truth) -> str:
        return "是" if found.sure[self.row] else UNKNOWN if found.maybe[self.row] else "否"

    def held(self, variant: TypedVariant) -> str:
        return self.truth(self.calculator.truth(variant.tree))

    def when(self, variant: TypedVariant) -> str:
        return "；".join(say(node) for node in tree_expressions(variant.tree)) or "要人判断"

    def instead(self, variant: TypedVariant) -> str:
        parts = list(self.form(variant.form)) if variant.form is not None else []
        parts += [f"封顶 {self.sum_of(node)}" for node in variant.limits.cap or ()]
        parts += [f"保底 {self.sum_of(node)}" for node in variant.limits.floor or ()]
        return "，".join(parts)


def _plain(node: Node) -> bool:
    """One indicator and nothing else."""
    return isinstance(node, Ref)


def money(yuan: float) -> str:
    """金额: in 万元 where that loses nothing, else in 元 to the fen; 待定 for an unknown one."""
    if isnan(yuan):
        return UNKNOWN
    return (
        say_money(yuan) if isclose(yuan % 100, 0, abs_tol=1e-6) or abs(yuan) < 10_000 else f"{yuan:,.2f} 元"
    )
