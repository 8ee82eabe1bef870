"""逻辑核对: 免申即享's demands (5), batches (6), bands and cases (7), conditions that never or always hold (8), twins (10)."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date

from engine import kinds
from engine.columns import Columns
from engine.errors import ExpressionError, Place, Problem
from engine.evaluate import Frame, Tree
from engine.nodes import Compare, Has, In, Node, Range, Ref, Text, Truth, references, walk
from engine.policy import Batch, Condition, Form, PolicyDocument, PolicyItem
from engine.program import BoundItem, Program, TypedBands, TypedForm
from engine.yamltext import Node as YamlNode
from engine.yamltext import Report
from policies.format import EXPRESSION_KEYS
from policies.library import Library, LoadedItem

NEGATED = {">=": "<", "<=": ">", ">": "<=", "<": ">=", "=": "!=", "!=": "="}
FLIPPED = {">=": "<=", "<=": ">=", ">": "<", "<": ">", "=": "=", "!=": "!="}


# ---------------------------------------------------------------- 5


def check_automatic(loaded: LoadedItem, library: Library, report: Report) -> None:
    """免申即享的要求 (5): no ask, no indicator without an automatic source, no materials, a computable amount."""
    item, program = loaded.item, loaded.program
    if item.delivery != "免申即享" or program is None:
        return
    cure = "请改用即申即享，或者去掉这一项"
    for condition in program.conditions:
        for leaf in condition.condition.leaves():
            if leaf.kind == "ask":
                report(
                    Problem(5, f"免申即享的事项不能有人工判断（ask）；{cure}", leaf.place, source=leaf.text)
                )
    if item.materials:
        report(Problem(5, f"免申即享的事项不能要企业交材料：{'、'.join(item.materials)}；{cure}", item.place))
    if item.benefit is not None and not _computable(item.benefit.form):
        report(
            Problem(
                5, f"免申即享的数额必须由数据算得出（不能是 words、upto、range）；{cure}", item.benefit.place
            )
        )
    names = dict.fromkeys(name for expr in program.expressions() for name, _ in references(expr))
    for name in names:
        spec = library.dictionary[name]
        if not spec.automatic:
            how = "只有企业填报" if spec.source else "没有部门数据来源"
            report(Problem(5, f"免申即享用到的指标“{name}”{how}；{cure}", _place_of(loaded, name)))


def _computable(form: Form | None) -> bool:
    if form is None or form.kind in ("words", "upto", "range"):
        return False
    return all(_computable(v.form) for v in form.cases)


def _place_of(loaded: LoadedItem, name: str) -> Place:
    """Where an item's own expression names the indicator; the item itself where only the document's do."""
    found = next((n for key in ("conditions", "benefit") if (n := _naming(loaded.root.get(key), name))), None)
    return found.place if found is not None else loaded.item.place


def _naming(node: YamlNode | None, name: str) -> YamlNode | None:
    if node is None:
        return None
    if node.text is not None:
        return node if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", node.text) else None
    below = [
        child for key, child in node.items() if key in EXPRESSION_KEYS or child.text is None
    ] + node.list()
    return next((found for child in below if (found := _naming(child, name))), None)


# ---------------------------------------------------------------- 6


def check_batches(item: PolicyItem, document: PolicyDocument, report: Report) -> None:
    """批次 (6): each reads or opens within the document's validity, and none overlap."""
    start, end = document.effective or document.issued, document.expires
    for batch in item.batches:
        if not (_within(batch.opens, start, end) or _year_within(batch.year, start, end)):
            span = f"{start or '…'} 至 {end or '…'}"
            message = f"批次“{batch.name}”的年度和开始日都不在文件有效期内（{span}）"
            report(Problem(6, message, batch.place))
    ordered = sorted(item.batches, key=lambda b: b.opens)
    for before, after in itertools.pairwise(ordered):
        if after.opens <= before.closes:
            message = f"批次“{after.name}”和“{before.name}”的日期重叠，一天只能有一个批次在办"
            report(Problem(6, message, after.place))


def _within(day: date, start: date | None, end: date | None) -> bool:
    return (start is None or day >= start) and (end is None or day <= end)


def _year_within(year: int | None, start: date | None, end: date | None) -> bool:
    if year is None:
        return False
    return (start is None or year >= start.year) and (end is None or year <= end.year)


# ---------------------------------------------------------------- 7


def check_forms(program: Program, item: PolicyItem, report: Report) -> None:
    """分档与情形 (7): bands without gaps, every band and case within reach."""
    if program.benefit is None or item.benefit is None:
        return
    pairs: list[tuple[TypedForm | None, Form | None]] = [(program.benefit.form, item.benefit.form)]
    pairs += [
        (v.form, e.form) for v, e in zip(program.benefit.exceptions, item.benefit.exceptions, strict=True)
    ]
    for typed, form in pairs:
        if typed is not None and form is not None:
            _check_form(typed, form, program, report)


def _check_form(typed: TypedForm, form: Form, program: Program, report: Report) -> None:
    if typed.bands is not None and form.bands is not None:
        _check_bands(typed.bands, [s.place for s in form.bands.steps], program, report)
    seen: list[Node | None] = []
    for case, written in zip(typed.cases, form.cases, strict=True):
        if None in seen:
            report(Problem(7, "前一个情形总是成立（没有条件），这一个永远用不到；请调整次序", written.place))
        elif case.tree is not None and case.tree.expr is not None:
            expr = case.tree.expr
            if any(before is not None and implies(expr, before) for before in seen):
                report(
                    Problem(7, "前面的情形已经包含这一个，永远用不到；请把条件严的写在前面", written.place)
                )
        seen.append(
            case.tree.expr if case.tree is not None and case.tree.kind == "when" else _opaque(case.tree)
        )
        if case.form is not None and written.form is not None:
            _check_form(case.form, written.form, program, report)


def _opaque(tree: Tree | None) -> Node | None:
    return None if tree is None else Text("", kind=kinds.Kind(kinds.TEXT))


def _check_bands(bands: TypedBands, places: list[Place], program: Program, report: Report) -> None:
    constants = Constants(program)
    last = constants.of(bands.start) if bands.start is not None else -math.inf
    closed = False  # whether the number `last` itself already belongs to an earlier band
    ended = False
    for step, place in zip(bands.steps, places, strict=True):
        if ended:
            report(Problem(7, "前一档没有上界，这一档永远到不了；请给前一档写 upto 或 below", place))
            continue
        if step.bound is None:
            ended = True
            continue
        bound = constants.of(step.bound)
        if bound is None or last is None:
            last, closed = bound, step.inclusive
            continue
        if bound < last or (bound == last and (closed or not step.inclusive)):
            report(Problem(7, "各档的界要由小到大，这一档是空的；请核对 upto 和 below", place))
        last, closed = bound, step.inclusive


# ---------------------------------------------------------------- 8


class Constants:
    """常数: values of bound expressions that read no indicator, None for others."""

    def __init__(self, program: Program):
        self._frame = Frame(Columns([""], {}))  # type: ignore[arg-type]
        self._batch: Batch | None = next(iter(program.item.batches), None)

    def of(self, node: Node | None) -> float | None:
        if node is None or any(isinstance(p, Ref | Range) for p in walk(node)):
            return None
        if node.kind.name in (kinds.TEXT, kinds.CODE, kinds.LIST):
            return None
        try:
            return float(self._frame.values(node).value)
        except (AssertionError, TypeError, ValueError):
            return None  # an unbound year, window or currency

    def truth(self, node: Node) -> bool | None:
        """The answer of a comparison that reads no indicator."""
        if any(isinstance(p, Ref | Range) for p in walk(node)):
            return None
        found = self._frame.truth(node)
        return bool(found.sure[0])


@dataclass(frozen=True)
class Bound:
    """界: one comparison of an expression with a constant, or a membership."""

    op: str
    value: object
    leaf: Condition


@dataclass
class Context:
    """已知条件: what holds together, by the expression compared."""

    bounds: dict[Node, list[Bound]] = field(default_factory=dict)

    def copy(self) -> Context:
        return Context({k: list(v) for k, v in self.bounds.items()})


class LogicChecker:
    """矛盾与空话 (8): walks the conditions of one bound item."""

    def __init__(self, program: Program, industry_codes: Collection[str], report: Report):
        self.program = program
        self.industries = industry_codes
        self.report = report
        self.constants = Constants(program)
        self.told: set[tuple[str, int]] = set()

    def check(self, bound: BoundItem) -> None:
        context = Context()
        for condition, tree in zip(self.program.conditions, bound.conditions, strict=True):
            self.visit(tree, condition.condition, context, False)

    def tell(self, leaf: Condition, message: str) -> None:
        if (leaf.place.file, leaf.place.line) not in self.told:
            self.told.add((leaf.place.file, leaf.place.line))
            self.report(Problem(8, message, leaf.place, source=leaf.text))

    def visit(self, tree: Tree, node: Condition, context: Context, negated: bool) -> None:
        if tree.kind == "ask":
            return
        if tree.kind == "not":
            self.visit(tree.children[0], node.children[0], context, not negated)
            return
        if tree.kind == "when":
            assert tree.expr is not None
            self.leaf(tree.expr, node, context, negated)
            return
        joined = (tree.kind == "all") != negated
        if not joined:
            self.exhaustive(tree, node, negated)
        for child, written in zip(tree.children, node.children, strict=True):
            self.visit(child, written, context if joined else context.copy(), negated)

    def leaf(self, expr: Node, leaf: Condition, context: Context, negated: bool) -> None:
        answer = self.constants.truth(expr)
        if answer is not None:
            always = answer != negated
            self.tell(leaf, f"这个条件不看企业的数据，{'总是成立' if always else '永远不成立'}")
            return
        if isinstance(expr, In):
            self.industry(expr, leaf)
        key, bound = self.read(expr, leaf, negated)
        if key is None or bound is None:
            return
        for other in context.bounds.get(key, []):
            if contradict(other, bound):
                said = other.leaf.text
                self.tell(leaf, f"和“{said}”矛盾，永远不能同时成立")
                return
        held = context.bounds.setdefault(key, [])
        held.append(bound)
        if shut_out(held):
            self.tell(leaf, "和前面的排除合起来，允许的一个也不剩，永远不能同时成立")

    def read(self, expr: Node, leaf: Condition, negated: bool) -> tuple[Node | None, Bound | None]:
        if isinstance(expr, In):
            return expr.left, Bound("notin" if negated else "in", expr.members, leaf)
        if isinstance(expr, Has):
            return Has(expr.left, expr.text, kind=expr.kind), Bound(
                "hasnot" if negated else "has", True, leaf
            )
        assert isinstance(expr, Compare)
        if expr.left == expr.right:
            holds = (expr.op in (">=", "<=", "=")) != negated
            self.tell(leaf, f"两边一样，{'总是成立' if holds else '永远不成立'}")
            return None, None
        for side, other, op in ((expr.left, expr.right, expr.op), (expr.right, expr.left, FLIPPED[expr.op])):
            value = self.value(other)
            if value is not None:
                return side, Bound(NEGATED[op] if negated else op, value, leaf)
        return None, None

    def value(self, node: Node) -> object:
        if isinstance(node, Text):
            return node.value
        if isinstance(node, Truth):
            return node.value
        return self.constants.of(node)

    def industry(self, expr: In, leaf: Condition) -> None:
        if not self.industries or not isinstance(expr.left, Ref) or "行业" not in expr.left.name:
            return
        if expr.left.kind.name == kinds.CODE and not any(self.known_industry(m) for m in expr.members):
            self.tell(leaf, "这些行业代码在 GB/T 4754 里一个也没有，永远不成立；请核对门类字母和数字")

    def known_industry(self, member: str) -> bool:
        code = member.rstrip("*")
        if member.endswith("*"):
            return any(known.startswith(code) for known in self.industries)
        return code in self.industries

    def exhaustive(self, tree: Tree, node: Condition, negated: bool) -> None:
        """An `any` whose arms together cover everything always holds."""
        arms = []
        for child, written in zip(tree.children, node.children, strict=True):
            inner = child.children[0] if child.kind == "not" else child
            if inner.kind == "when" and inner.expr is not None:
                flipped = negated != (child.kind == "not")
                leaf = written.children[0] if child.kind == "not" else written
                if self.constants.truth(inner.expr) is None and not _same_sides(inner.expr):
                    key, bound = self.read(inner.expr, leaf, not flipped)
                    if key is not None and bound is not None:
                        arms.append((key, bound))
        for i, (key, bound) in enumerate(arms):
            for other_key, other in arms[:i]:
                if key == other_key and contradict(bound, other):
                    self.tell(bound.leaf, f"和“{other.leaf.text}”合起来总是成立，这个 any 没有意义")


def _same_sides(expr: Node) -> bool:
    return isinstance(expr, Compare) and expr.left == expr.right


def contradict(a: Bound, b: Bound) -> bool:
    """矛盾: whether two bounds of one expression can't hold together."""
    if {a.op, b.op} == {"has", "hasnot"}:
        return True
    if "in" in (a.op, b.op) or "notin" in (a.op, b.op):
        return _sets_contradict(a, b)
    if isinstance(a.value, str | bool) or isinstance(b.value, str | bool):
        if a.op == b.op == "=":
            return a.value != b.value
        return {a.op, b.op} == {"=", "!="} and a.value == b.value
    low, low_in, high, high_in = -math.inf, True, math.inf, True
    for bound in (a, b):
        value = bound.value
        if not isinstance(value, float | int):
            return False
        if bound.op in (">", ">=", "="):
            inclusive = bound.op != ">"
            if value > low or (value == low and not inclusive):
                low, low_in = value, inclusive
        if bound.op in ("<", "<=", "="):
            inclusive = bound.op != "<"
            if value < high or (value == high and not inclusive):
                high, high_in = value, inclusive
    if low > high or (low == high and not (low_in and high_in)):
        return True
    return {a.op, b.op} == {"=", "!="} and a.value == b.value


def _sets_contradict(a: Bound, b: Bound) -> bool:
    if b.op in ("in", "notin") and a.op not in ("in", "notin"):
        a, b = b, a
    assert isinstance(a.value, frozenset)
    if b.op in ("=", "!="):
        if b.op == "!=" or not isinstance(b.value, str):
            return False
        return covered(b.value, a.value) == (a.op == "notin")
    if not isinstance(b.value, frozenset):
        return False
    if a.op == b.op == "in":
        return not any(_overlap(x, y) for x in a.value for y in b.value)
    if a.op == b.op == "notin":
        return False
    inside, outside = (a.value, b.value) if a.op == "in" else (b.value, a.value)
    return all(covered(m, outside) for m in inside)


def shut_out(held: Sequence[Bound]) -> bool:
    """排除殆尽: whether what one of the bounds allows is shut out by the others together, though by none alone."""
    out = frozenset().union(*(b.value for b in held if b.op == "notin" and isinstance(b.value, frozenset)))
    out |= {b.value for b in held if b.op == "!=" and isinstance(b.value, str)}
    allowed = [b.value for b in held if b.op == "in" and isinstance(b.value, frozenset)]
    return bool(out) and any(all(covered(m, out) for m in members) for members in allowed)


def covered(member: str, members: frozenset[str]) -> bool:
    """包含: whether a text or prefix lies wholly within the members."""
    stem = member.rstrip("*")
    return any((m.endswith("*") and stem.startswith(m[:-1])) or m == member for m in members)


def _overlap(x: str, y: str) -> bool:
    a, b = x.rstrip("*"), y.rstrip("*")
    if x.endswith("*") and y.endswith("*"):
        return a.startswith(b) or b.startswith(a)
    if x.endswith("*"):
        return b.startswith(a)
    if y.endswith("*"):
        return a.startswith(b)
    return a == b


def implies(a: Node, b: Node) -> bool:
    """蕴含: whether a comparison certainly holds wherever another one does: `a` implies `b`, for simple forms."""
    if a == b:
        return True
    if isinstance(a, In) and isinstance(b, In) and a.left == b.left:
        return all(covered(m, b.members) for m in a.members)
    if not (isinstance(a, Compare) and isinstance(b, Compare)) or a.left != b.left:
        return False
    x, y = (getattr(n.right, "value", getattr(n.right, "days", None)) for n in (a, b))
    if isinstance(x, bool) or not isinstance(x, int | float) or not isinstance(y, int | float):
        return False
    if a.op in (">", ">=", "=") and b.op in (">", ">="):
        return x > y or (x == y and (b.op == ">=" or a.op == ">"))
    if a.op in ("<", "<=", "=") and b.op in ("<", "<="):
        return x < y or (x == y and (b.op == "<=" or a.op == "<"))
    return False


def check_logic(program: Program, industry_codes: Collection[str], report: Report) -> None:
    """矛盾与空话 (8), with the first batch that can be put in."""
    for batch in program.item.batches:
        try:
            bound = program.bind(batch)
        except ExpressionError:
            continue  # reported by the compiler
        LogicChecker(program, industry_codes, report).check(bound)
        return


# ---------------------------------------------------------------- 10


def check_twins(library: Library, report: Report) -> None:
    """双生事项 (10): two items with the same conditions and benefit."""
    seen: dict[object, LoadedItem] = {}
    for loaded in library.items:
        program = loaded.program
        if program is None:
            continue
        shape = (
            program.item.subject,
            frozenset((c.tree, _questions(c.condition)) for c in program.conditions),
            program.benefit,
            _words(program.item.benefit.form if program.item.benefit else None),
        )
        first = seen.setdefault(shape, loaded)
        if first is not loaded:
            message = f"和“{first.item.id}”的条件、数额完全相同；请删去一个，或写出不同之处"
            report(Problem(10, message, loaded.item.place))


def _questions(condition: Condition) -> tuple[str, ...]:
    return tuple(leaf.text for leaf in condition.leaves() if leaf.kind == "ask")


def _words(form: Form | None) -> str:
    return form.words if form is not None else ""
