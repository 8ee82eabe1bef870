"""编译: an item with its document's general conditions as typed trees, and its batches bound for evaluation."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

from engine import kinds
from engine.columns import EPOCH
from engine.errors import ExpressionError, Place, Problem
from engine.evaluate import FOUNDED, Tree
from engine.expression import parse_condition, parse_value
from engine.indicators import Dictionary
from engine.nodes import Node, bind, is_ranged, references
from engine.policy import (
    Addition,
    Bands,
    Batch,
    Benefit,
    Condition,
    Exclusive,
    Expr,
    Form,
    Limits,
    PolicyDocument,
    PolicyItem,
    Variant,
    numbered,
)
from engine.tokens import nearest
from engine.yamltext import Report

Binder = Callable[[Node], Node]


@dataclass(frozen=True)
class Numbered:
    """编号条件: a numbered condition with its typed tree."""

    id: str
    condition: Condition
    tree: Tree
    general: bool = False


@dataclass(frozen=True)
class TypedStep:
    """档: bound (None: no end) with its inclusiveness and a rate or an amount."""

    bound: Node | None
    inclusive: bool
    rate: Node | None
    amount: Node | None


@dataclass(frozen=True)
class TypedBands:
    """分档."""

    by: Node
    of: Node
    marginal: bool
    start: Node | None
    steps: tuple[TypedStep, ...]


@dataclass(frozen=True)
class TypedForm:
    """数额形式, typed."""

    kind: str
    amount: Node | None = None
    low: Node | None = None
    high: Node | None = None
    bands: TypedBands | None = None
    cases: tuple[TypedVariant, ...] = ()


@dataclass(frozen=True)
class TypedLimits:
    """上下限, typed; None means not said."""

    cap: tuple[Node, ...] | None = None
    floor: tuple[Node, ...] | None = None
    cap_per_enterprise: tuple[Node, ...] | None = None

    def over(self, base: TypedLimits) -> TypedLimits:
        """替换: these limits, and the base's where these say nothing."""
        return TypedLimits(
            base.cap if self.cap is None else self.cap,
            base.floor if self.floor is None else self.floor,
            base.cap_per_enterprise if self.cap_per_enterprise is None else self.cap_per_enterprise,
        )


@dataclass(frozen=True)
class TypedVariant:
    """情形 or 除外, typed; tree None: always."""

    tree: Tree | None
    form: TypedForm | None
    limits: TypedLimits


@dataclass(frozen=True)
class TypedAddition:
    """叠加, typed."""

    tree: Tree | None
    rate: Node | None
    amount: Node | None
    beyond_cap: bool


@dataclass(frozen=True)
class TypedBenefit:
    """奖补标准, typed."""

    form: TypedForm
    limits: TypedLimits
    exceptions: tuple[TypedVariant, ...]
    adds: tuple[TypedAddition, ...]


@dataclass(frozen=True)
class BoundItem:
    """批次内的事项: everything of an item with the batch put in; equal facts are equal expressions."""

    program: Program
    batch: Batch
    conditions: tuple[Tree, ...]
    benefit: TypedBenefit | None

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """条件编号, in the order of the masks."""
        return tuple(c.id for c in self.program.conditions)

    @cached_property
    def facts(self) -> tuple[tuple[str, int | None], ...]:
        """所读的取值: indicators and years that its conditions and benefit speak of, in a fixed order."""
        nodes = [n for tree in self.conditions for n in tree_expressions(tree)]
        nodes += benefit_expressions(self.benefit) if self.benefit is not None else []
        found = {fact for node in nodes for fact in references(node)}
        return tuple(sorted(found, key=lambda fact: (fact[0], fact[1] or 0)))

    @cached_property
    def reads(self) -> frozenset[str]:
        """所读的指标: whose values decide verdict and amount, the date of founding among them (`Frame._years`)."""
        return frozenset([FOUNDED, *(name for name, _ in self.facts)])


@dataclass(frozen=True)
class Program:
    """编译后的事项: item, document, numbered conditions (the document's first) and benefit."""

    item: PolicyItem
    document: PolicyDocument
    conditions: tuple[Numbered, ...]
    benefit: TypedBenefit | None
    bound: dict[tuple[object, ...], tuple[Node, Node]] = field(
        default_factory=dict, compare=False, repr=False
    )
    whole: dict[str, BoundItem] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )  # by the batch's name

    @cached_property
    def exclusive(self) -> tuple[Exclusive, ...]:
        """不重复享受: the item's own, which go before the document's, less what it opts out of."""
        if self.item.exclusive:
            return self.item.exclusive
        without = {name for name, _ in self.item.without}
        return tuple(e for e in self.document.general.exclusive if e.id not in without)

    def bind(self, batch: Batch) -> BoundItem:
        """代入批次. Raises ExpressionError where the batch lacks a year or a rate the item needs."""
        known = self.whole.get(batch.name)
        if known is not None and known.batch is batch:
            return known
        opens, closes = (d.toordinal() - EPOCH for d in (batch.opens, batch.closes))
        rates = dict(batch.rates)

        def binder(node: Node) -> Node:
            key = (id(node), batch.year, opens, closes, batch.rates)
            found = self.bound.get(key)
            if found is None or found[0] is not node:
                found = self.bound[key] = (node, bind(node, batch.year, opens, closes, rates))
            return found[1]

        trees = tuple(bind_tree(c.tree, binder) for c in self.conditions)
        found = BoundItem(self, batch, trees, self.benefit and bind_benefit(self.benefit, binder))
        self.whole[batch.name] = found
        return found

    @cached_property
    def speaks_of(self) -> frozenset[str]:
        """所说的指标: those that its conditions and benefit name, in whatever batch."""
        return frozenset(name for node in self.expressions() for name, _ in references(node))

    def expressions(self) -> Iterator[Node]:
        """全部表达式: of conditions and benefit."""
        for condition in self.conditions:
            yield from tree_expressions(condition.tree)
        if self.benefit:
            yield from benefit_expressions(self.benefit)


def numbered_text(program: Program) -> list[str]:
    """条件的原文: quotes of the numbered conditions a firm may see, the item's own first."""
    own = [c for c in program.conditions if not c.general] + [c for c in program.conditions if c.general]
    return [c.condition.quote or c.condition.label for c in own if not c.condition.hidden]


def tree_expressions(tree: Tree | None) -> Iterator[Node]:
    """条件树里的表达式."""
    if tree is None:
        return
    if tree.expr is not None:
        yield tree.expr
    for child in tree.children:
        yield from tree_expressions(child)


def benefit_expressions(benefit: TypedBenefit) -> Iterator[Node]:
    """奖补标准里的表达式."""
    seen: list[Node] = []

    def note(node: Node) -> Node:
        seen.append(node)
        return node

    bind_benefit(benefit, note)
    yield from seen


# ---------------------------------------------------------------- binding


def bind_tree(tree: Tree, binder: Binder) -> Tree:
    """代入: the tree with every expression bound."""
    return Tree(
        tree.kind,
        binder(tree.expr) if tree.expr is not None else None,
        tree.ask,
        tuple(bind_tree(child, binder) for child in tree.children),
    )


def _nodes(nodes: tuple[Node, ...] | None, binder: Binder) -> tuple[Node, ...] | None:
    return None if nodes is None else tuple(binder(n) for n in nodes)


def _maybe(node: Node | None, binder: Binder) -> Node | None:
    return None if node is None else binder(node)


def _bind_form(form: TypedForm, binder: Binder) -> TypedForm:
    bands = form.bands
    if bands is not None:
        bands = TypedBands(
            binder(bands.by),
            binder(bands.of),
            bands.marginal,
            _maybe(bands.start, binder),
            tuple(
                TypedStep(
                    _maybe(s.bound, binder), s.inclusive, _maybe(s.rate, binder), _maybe(s.amount, binder)
                )
                for s in bands.steps
            ),
        )
    return TypedForm(
        form.kind,
        _maybe(form.amount, binder),
        _maybe(form.low, binder),
        _maybe(form.high, binder),
        bands,
        tuple(_bind_variant(v, binder) for v in form.cases),
    )


def _bind_limits(limits: TypedLimits, binder: Binder) -> TypedLimits:
    return TypedLimits(
        _nodes(limits.cap, binder), _nodes(limits.floor, binder), _nodes(limits.cap_per_enterprise, binder)
    )


def _bind_variant(variant: TypedVariant, binder: Binder) -> TypedVariant:
    return TypedVariant(
        bind_tree(variant.tree, binder) if variant.tree else None,
        _bind_form(variant.form, binder) if variant.form else None,
        _bind_limits(variant.limits, binder),
    )


def bind_benefit(benefit: TypedBenefit, binder: Binder) -> TypedBenefit:
    """代入: the benefit with every expression bound."""
    return TypedBenefit(
        _bind_form(benefit.form, binder),
        _bind_limits(benefit.limits, binder),
        tuple(_bind_variant(v, binder) for v in benefit.exceptions),
        tuple(
            TypedAddition(
                bind_tree(a.tree, binder) if a.tree else None,
                _maybe(a.rate, binder),
                _maybe(a.amount, binder),
                a.beyond_cap,
            )
            for a in benefit.adds
        ),
    )


# ---------------------------------------------------------------- compiling


@dataclass
class Shared:
    """共用: what the items of one library have in common: expressions parsed by their text, bound ones by batch."""

    conditions: dict[str, Node] = field(default_factory=dict)
    values: dict[str, Node] = field(default_factory=dict)
    bound: dict[tuple[object, ...], tuple[Node, Node]] = field(default_factory=dict)


class Compiler:
    """编译器: types a document's general conditions and its items; every fault is reported with its place."""

    def __init__(
        self,
        dictionary: Dictionary,
        sets: Mapping[str, Collection[str]],
        report: Report,
        shared: Shared | None = None,
    ):
        self.dictionary = dictionary
        self.sets = sets
        self.shared = shared or Shared()
        self._report = report
        self.errors = 0

    def report(self, problem: Problem) -> None:
        if problem.level == "error" and problem.code <= 2:
            self.errors += 1
        self._report(problem)

    def fault(self, error: ExpressionError, text: str, place: Place) -> None:
        self.report(Problem(error.code, error.message, place, source=text, span=error.span).at(place))

    # -- expressions
    def when(self, text: str, place: Place) -> Node | None:
        found = self.shared.conditions.get(text)
        if found is not None:
            return found
        try:
            node = self.shared.conditions[text] = parse_condition(text, self.dictionary, self.sets)
            return node
        except ExpressionError as error:
            self.fault(error, text, place)
            return None

    def value(self, expr: Expr | None, *allowed: str) -> Node | None:
        if expr is None:
            return None
        try:
            node = self.shared.values.get(expr.text)
            if node is None:
                node = self.shared.values[expr.text] = parse_value(expr.text, self.dictionary, self.sets)
            bare_ratio = node.kind.bare and kinds.RATIO in allowed
            if node.kind.name not in allowed and not bare_ratio:
                hint = "；金额请写明单位，例如 500万元" if node.kind.bare and kinds.MONEY in allowed else ""
                raise ExpressionError(
                    2, f"这里要{'或'.join(allowed)}，写的是“{node.kind}”{hint}", (0, len(expr.text))
                )
            if is_ranged(node):
                raise ExpressionError(2, "一段年度不是一个数，请用 合计 平均 最大 最小", (0, len(expr.text)))
            return node
        except ExpressionError as error:
            self.fault(error, expr.text, expr.place)
            return None

    def money(self, expr: Expr | None) -> Node | None:
        return self.value(expr, kinds.MONEY)

    # -- trees
    def tree(self, condition: Condition, owner: str = "") -> Tree:
        name = condition.id or owner
        if condition.kind == "when":
            return Tree("when", self.when(condition.text, condition.place))
        if condition.kind == "ask":
            return Tree("ask", ask=name)
        return Tree(condition.kind, children=tuple(self.tree(c, name) for c in condition.children))

    def numbered(self, root: Condition | None, general: bool) -> tuple[Numbered, ...]:
        return tuple(Numbered(c.id, c, self.tree(c), general) for c in numbered(root))

    # -- benefit
    def limits(self, limits: Limits) -> TypedLimits:
        def many(exprs: tuple[Expr, ...] | None) -> tuple[Node, ...] | None:
            return None if exprs is None else tuple(n for e in exprs if (n := self.money(e)))

        return TypedLimits(many(limits.cap), many(limits.floor), many(limits.cap_per_enterprise))

    def form(self, form: Form) -> TypedForm | None:
        if form.kind == "words":
            return TypedForm("words")
        if form.kind == "range":
            return TypedForm("range", low=self.money(form.low), high=self.money(form.high))
        if form.kind == "bands":
            assert form.bands is not None
            bands = self.bands(form.bands)
            return TypedForm("bands", bands=bands) if bands else None
        if form.kind == "cases":
            return TypedForm("cases", cases=tuple(v for c in form.cases if (v := self.variant(c))))
        return TypedForm(form.kind, amount=self.money(form.amount))

    def bands(self, bands: Bands) -> TypedBands | None:
        by = self.value(bands.by, *kinds.NUMERIC)
        of = self.money(bands.of) if bands.of else by
        if by is None or of is None:
            return None
        rated = any(s.rate for s in bands.steps)
        base = by if bands.marginal else of
        if rated and base.kind.name != kinds.MONEY:
            place = bands.by.place
            self.report(
                Problem(
                    2,
                    "rate 要按金额计算：by 不是金额时请写 of（按什么金额的比例）",
                    place,
                    source=bands.by.text,
                )
            )
        start = self.bound(bands.start, by)
        steps = []
        for step in bands.steps:
            bound = self.bound(step.bound, by)
            rate, amount = self.value(step.rate, kinds.RATIO), self.money(step.amount)
            steps.append(TypedStep(bound, step.inclusive, rate, amount))
        return TypedBands(by, of, bands.marginal, start, tuple(steps))

    def bound(self, expr: Expr | None, by: Node) -> Node | None:
        node = self.value(expr, *kinds.NUMERIC)
        if node is not None and expr is not None and kinds.comparable(node.kind, by.kind) is None:
            message = f"档的界“{node.kind}”不能和 by 的“{by.kind}”比较"
            self.report(Problem(2, message, expr.place, source=expr.text, span=(0, len(expr.text))))
        return node

    def variant(self, variant: Variant) -> TypedVariant | None:
        tree = self.tree(variant.condition) if variant.condition else None
        form = self.form(variant.form) if variant.form else None
        return TypedVariant(tree, form, self.limits(variant.limits))

    def addition(self, add: Addition) -> TypedAddition:
        tree = self.tree(add.condition) if add.condition else None
        return TypedAddition(tree, self.value(add.rate, kinds.RATIO), self.money(add.amount), add.beyond_cap)

    def benefit(self, benefit: Benefit) -> TypedBenefit | None:
        form = self.form(benefit.form) if benefit.form else None
        exceptions = tuple(v for e in benefit.exceptions if (v := self.variant(e)))
        adds = tuple(self.addition(a) for a in benefit.adds)
        self.rates_have_bands(benefit)
        if form is None:
            return None
        return TypedBenefit(form, self.limits(benefit.limits), exceptions, adds)

    def rates_have_bands(self, benefit: Benefit) -> None:
        """A rate that is added needs the bands it is a rate of, in the base and in every form that replaces it."""
        forms = [benefit.form, *(e.form for e in benefit.exceptions if e.form)]
        for add in benefit.adds:
            if add.rate is None or all(f is not None and f.kind == "bands" and f.bands for f in forms):
                base = next((f.bands for f in forms if f and f.bands), None)
                if add.rate is None or base is None or self._is_money(base.of or base.by):
                    continue
            message = "adds 的 rate 是 bands 的 of（没有就是 by）的比例；没有 bands 就请写 amount"
            self.report(
                Problem(2, message, add.rate.place, source=add.rate.text, span=(0, len(add.rate.text)))
            )

    def _is_money(self, expr: Expr) -> bool:
        try:
            return parse_value(expr.text, self.dictionary, self.sets).kind.name == kinds.MONEY
        except ExpressionError:
            return True  # reported where it stands

    # -- items
    def general(self, document: PolicyDocument) -> tuple[Numbered, ...] | None:
        """总则条件: the document's numbered conditions; None where one has a fault that refuses all its items."""
        self.errors = 0
        out = self.numbered(document.general.conditions, True)
        return out if self.errors == 0 else None

    def item(
        self, item: PolicyItem, document: PolicyDocument, general: tuple[Numbered, ...] | None
    ) -> Program | None:
        """事项: its program, or None where a fault of code 0 to 2 refuses it."""
        self.errors = 0
        without = {name for name, _ in item.without}
        self.check_without(item, document)
        kept = tuple(c for c in general or () if c.id not in without)
        own = self.numbered(item.conditions, False)
        benefit = self.benefit(item.benefit) if item.benefit else None
        program = Program(item, document, kept + own, benefit, self.shared.bound)
        if self.errors == 0:
            for batch in item.batches:
                self.check_batch(program, batch)
        refused = self.errors > 0 or general is None or (item.benefit is not None and benefit is None)
        return None if refused else program

    def check_without(self, item: PolicyItem, document: PolicyDocument) -> None:
        known = [c.id for c in numbered(document.general.conditions)]
        known += [e.id for e in document.general.exclusive if e.id]
        for name, place in item.without:
            if name not in known:
                self.report(Problem(1, f"文件的总则里没有“{name}”这一条。{nearest(name, known)}", place))

    def check_batch(self, program: Program, batch: Batch) -> None:
        """Every batch must give what the expressions ask of it (year, rates)."""
        try:
            program.bind(batch)
        except ExpressionError as error:
            self.report(replace(Problem(error.code, error.message, batch.place), source=""))


def days(day: date) -> int:
    """日数: days since 1970-01-01."""
    return day.toordinal() - EPOCH
