"""编排: items as shared predicates, monotone programs over their planes, and straight-line amount programs.

`plan` depends on the items alone and may be kept; `attach` puts a plan to columns. A predicate the kernel has no form
for is evaluated by the plain `Frame` and handed in as planes, so every item of subject 企业 is planned.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import kinds
from engine.benefit import Calculator, round_fen
from engine.columns import Categories, Columns, Key
from engine.evaluate import Frame, Tree, Values, compare, member_test
from engine.kernel_trace import (
    CONST,
    GEK,
    GTK,
    ISNAN,
    LOAD,
    PBIT,
    TBIT,
    Sym,
    Tape,
    TraceColumns,
    TraceFrame,
    Untraceable,
    uniform,
)
from engine.nodes import Bin, Call, Compare, Has, In, Node, Range, Ref, Text
from engine.program import BoundItem, TypedBenefit, benefit_expressions
from engine.truth import Truth

OPS = (">=", "<=", ">", "<", "=", "!=")
FLIPPED = {">=": "<=", "<=": ">=", ">": "<", "<": ">", "=": "=", "!=": "!="}
MAX_CONDITIONS = 64
GROUP = 64
MOST_FINDERS = 64  # text columns whose texts are kept in order
ASKED = -1  # the predicate of a question without an answer
INTS = NDArray[np.int64]


@dataclass
class Plan:
    """编排: distinct predicates and literals, the items' conditions as postfix programs over literals.

    `literals` number the planes of predicates; `programs` are the distinct conditions, in which 2 × literal stands for
    a plane and one more for its negation, -1 for and, -2 for or; `items` lists each item's conditions.
    """

    bound: list[BoundItem]
    predicates: dict[Node, int] = field(default_factory=dict)
    literals: dict[int, int] = field(default_factory=dict)
    programs: list[list[int]] = field(default_factory=list)
    items: list[list[int]] = field(default_factory=list)
    _trees: dict[Tree, int] = field(default_factory=dict)
    _whens: dict[int, int] = field(default_factory=dict)
    heads: list[dict[str, Any]] = field(default_factory=list)  # what all hits of an item have in common
    opens: list[date] = field(default_factory=list)  # each item's batch
    finders: Finders = field(default_factory=lambda: Finders())
    # what the plan is when put to columns, by the shape of these (see kernel._Shape)
    shapes: dict[tuple[object, ...], Any] = field(default_factory=dict)
    # amounts by a digest of the columns they were traced over, where they are to be kept (see kernel_kept)
    traced: dict[str, tuple[AmountPlan, list[Key]]] | None = None

    def head(self, item: BoundItem) -> None:
        """抬头: what all hits of an item have in common."""
        self.opens.append(item.batch.opens)
        self.heads.append({"item": item.program.item.id, "batch": item.batch.name, "ids": item.ids})

    def literal(self, predicate: int) -> int:
        return self.literals.setdefault(predicate, len(self.literals))

    def predicate(self, node: Node) -> int:
        return self.predicates.setdefault(node, len(self.predicates))

    def condition(self, tree: Tree) -> int:
        """条件编号: equal conditions are one program."""
        if tree.kind == "when":  # equal texts of a library are one expression, so its identity often decides
            found = self._whens.get(id(tree.expr))
            if found is None:
                found = self._whens[id(tree.expr)] = self._program(tree)
            return found
        return self._program(tree if tree.kind != "ask" else _QUESTION)

    def _program(self, key: Tree) -> int:
        found = self._trees.get(key)
        if found is None:
            found = self._trees[key] = len(self.programs)
            out: list[int] = []
            self._postfix(key, False, out)
            self.programs.append(out)
        return found

    def _postfix(self, tree: Tree, negated: bool, out: list[int]) -> None:
        """Negation moves to the literals: not all = any not."""
        if tree.kind == "when":
            assert tree.expr is not None
            out.append(2 * self.literal(self.predicate(tree.expr)) + negated)
        elif tree.kind == "ask":
            out.append(2 * self.literal(ASKED))
        elif tree.kind == "not":
            self._postfix(tree.children[0], not negated, out)
        else:
            joins = (tree.kind == "all") != negated
            for i, child in enumerate(tree.children):
                self._postfix(child, negated, out)
                if i:
                    out.append(-1 if joins else -2)


_QUESTION = Tree("ask")


def plannable(item: BoundItem) -> bool:
    """能编排: items of the enterprise itself with a mask that fits a word; others stay plain."""
    return item.program.item.subject == "企业" and len(item.conditions) <= MAX_CONDITIONS


def plan(items: Iterable[BoundItem]) -> Plan:
    """编排事项: every item must be `plannable`."""
    out = Plan(list(items))
    for item in out.bound:
        out.items.append([out.condition(tree) for tree in item.conditions])
        out.head(item)
        if item.benefit is not None:
            for node in benefit_expressions(item.benefit):
                if isinstance(node, Compare | In | Has):
                    out.literal(out.predicate(node))
    return out


def depth(program: Sequence[int]) -> int:
    """栈深 of a postfix program."""
    top = most = 0
    for op in program:
        top += 1 if op >= 0 else -1
        most = max(most, top)
    return most


# ---------------------------------------------------------------- predicates put to columns


@dataclass
class Attached:
    """落到列上: the arrays `kernel_code` runs on; see fill_planes for their columns."""

    rows: int
    direct: list[tuple[int, int, int, int]] = field(default_factory=list)
    direct_x: list[tuple[float, float]] = field(default_factory=list)
    groups: list[tuple[int, int, int]] = field(default_factory=list)
    tables: list[NDArray[np.uint64]] = field(default_factory=list)
    group_of: list[tuple[int, int]] = field(default_factory=list)
    code: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    code_x: list[float] = field(default_factory=list)
    compared: list[tuple[int, ...]] = field(default_factory=list)
    outside: list[tuple[int, Node]] = field(default_factory=list)
    fixed: list[tuple[int, int, int]] = field(default_factory=list)
    registers: int = 1


@dataclass(frozen=True)
class _Interval:
    """A comparison of one column with a number, before its bounds are known."""

    literal: int
    column: int
    op: str
    number: float
    size: float
    exact: bool
    fill: float | None
    absent: bool


class Attacher:
    """落列: finds for each predicate the cheapest form the kernel has."""

    def __init__(self, plan: Plan, columns: Columns):
        self.plan, self.columns = plan, columns
        self.out = Attached(len(columns))
        self.tape = Tape()
        self.traced = TraceColumns(columns, self.tape)
        self.frame = TraceFrame(self.traced, self.tape)
        self.coded_keys: list[Key] = []
        self._intervals: list[_Interval] = []
        self._coded: dict[tuple[str, int | None], list[tuple[int, frozenset[str] | str, bool]]] = {}
        self._computed: list[tuple[int, int, bool, Values, Values]] = []

    def attach(self, skip: frozenset[int] = frozenset()) -> Attached:
        """落列: all predicates of the plan but the literals to skip, whose planes are there already."""
        for node, predicate in self.plan.predicates.items():
            literal = self.plan.literals.get(predicate)
            if literal is not None and literal not in skip and not self._place(literal, node):
                self.out.outside.append((literal, node))
        asked = self.plan.literals.get(ASKED)
        if asked is not None:
            self.out.fixed.append((asked, 1, 0))
        self._bounds()
        self._groups()
        self._program()
        return self.out

    def column(self, key: tuple[str, int | None]) -> int:
        return self.traced.keys.setdefault(key, len(self.traced.keys))

    def _place(self, literal: int, node: Node) -> bool:
        if isinstance(node, In):
            return self._category(literal, node.left, node.members)
        if isinstance(node, Has):
            return node.left.kind.name != kinds.LIST and self._category(literal, node.left, node.text)
        assert isinstance(node, Compare)
        if node.left.kind.name in (kinds.TEXT, kinds.CODE):
            return self._equality(literal, node)
        return self._interval(literal, node) or self._value(literal, node)

    # -- categories
    def _category(self, literal: int, left: Node, test: frozenset[str] | str) -> bool:
        if not isinstance(left, Ref):
            return False
        unknown = self.columns.speaks(left.name) != "无"
        key = (left.name, left.year)
        if key not in self.columns.categories:
            self.out.fixed.append((literal, int(unknown), 0))
            return True
        self._coded.setdefault(key, []).append((literal, test, unknown))
        return True

    def _equality(self, literal: int, node: Compare) -> bool:
        left, right = node.left, node.right
        if isinstance(left, Text):
            left, right = right, left
        if not isinstance(left, Ref) or not isinstance(right, Text) or node.op != "=":
            return False
        return self._category(literal, left, frozenset([_Exact(right.value)]))

    def _groups(self) -> None:
        self.coded_keys = list(self._coded)
        for key, tests in self._coded.items():
            side = self.columns.categories[key]
            column = self.coded_keys.index(key)
            finder = self.plan.finders.of(side)
            for at in range(0, len(tests), GROUP):
                part = tests[at : at + GROUP]
                table = np.zeros(len(side.names) + 1, np.uint64)
                for p, (_, test, _) in enumerate(part):
                    table[finder.find(test) + 1] |= np.uint64(1 << p)
                self.out.groups.append((column, len(self.out.group_of), len(part)))
                self.out.tables.append(table)
                self.out.group_of += [(literal, int(unknown)) for literal, _, unknown in part]

    # -- numbers against constants
    def _interval(self, literal: int, node: Compare) -> bool:
        left, right, op = node.left, node.right, node.op
        if not isinstance(left, Ref):
            left, right, op = right, left, FLIPPED[op]
        if not isinstance(left, Ref) or not is_constant(right):
            return False
        if (left.name, left.year) not in self.columns.numbers:
            return False
        values = self.frame.values(right)
        number, size = float(values.value), float(values.magnitude)
        if np.isnan(number):
            return False
        fill = {"0": 0.0, "否": 0.0}.get(self.columns.speaks(left.name))
        absent = self.columns.speaks(left.name) == "无"
        column = self.column((left.name, left.year))
        self._intervals.append(_Interval(literal, column, op, number, size, exact(node), fill, absent))
        return True

    def _bounds(self) -> None:
        """The interval of floats each comparison holds in: where |a − b| is within the tolerance, found exactly."""
        self._intervals.sort(key=lambda i: i.column)
        numbers = np.array([i.number for i in self._intervals])
        sizes = np.array([i.size for i in self._intervals])
        exacts = np.array([i.exact for i in self._intervals], bool)
        low = np.where(exacts, numbers, equal_end(numbers, sizes, -np.inf))
        high = np.where(exacts, numbers, equal_end(numbers, sizes, np.inf))
        for i, one, other in zip(self._intervals, low, high, strict=True):
            ends = {
                ">=": (one, np.inf), ">": (np.nextafter(other, np.inf), np.inf), "<=": (-np.inf, other),
                "<": (-np.inf, np.nextafter(one, -np.inf)), "=": (one, other), "!=": (one, other),
            }[i.op]  # fmt: skip
            mode = 1 if i.absent else 0
            if i.fill is not None:
                mode = 2 if (ends[0] <= i.fill <= ends[1]) != (i.op == "!=") else 1
            self.out.direct.append((i.literal, i.column, int(i.op == "!="), mode))
            self.out.direct_x.append((float(ends[0]), float(ends[1])))

    # -- computed values
    def _value(self, literal: int, node: Compare) -> bool:
        try:
            left, right = self.frame.values(node.left), self.frame.values(node.right)
            sides = [v for v in (left, right) if isinstance(v.value, Sym)]
            if not sides:
                return self._constant(literal, node, left, right)
            for side in (left, right):
                self.tape.register(side.value)
                self.tape.register(side.magnitude)
                if side.absent is not None and not isinstance(side.absent, Sym):
                    return False
            self._computed.append((literal, OPS.index(node.op), exact(node), left, right))
        except Untraceable:
            return False
        return True

    def _constant(self, literal: int, node: Compare, left: Values, right: Values) -> bool:
        """Neither side reads a column: one truth for all rows."""
        sure = bool(uniform(compare(node.op, left, right, exact(node))))
        maybe = sure or bool(np.isnan(uniform(left.value)) or np.isnan(uniform(right.value)))
        for side in (left, right):
            if side.absent is not None and bool(uniform(side.absent)):
                sure = maybe = False
        self.out.fixed.append((literal, int(maybe), int(sure)))
        return True

    def _program(self) -> None:
        wanted = []
        for literal, op, is_exact, left, right in self._computed:
            at = [self.tape.register(v) for v in (left.value, left.magnitude, right.value, right.magnitude)]
            at += [v.absent.at if isinstance(v.absent, Sym) else -1 for v in (left, right)]
            wanted.append((tuple(at), (literal, op, int(is_exact))))
        wanted.sort(key=lambda w: max(w[0][0], w[0][2]))
        code, registers, places = lay_out(self.tape, [w[0] for w in wanted])
        self.out.registers = registers
        for (_, head), regs in zip(wanted, places, strict=True):
            self.out.compared.append((*head, *regs))
        self.out.code = [c[0] for c in code]
        self.out.code_x = [c[1] for c in code]


class _Exact(str):
    """A text compared whole, even where it ends in *."""


class Finders:
    """找类别: a finder for each column's texts, kept for the next plan that is put to the same ones."""

    def __init__(self) -> None:
        self._kept: dict[int, _Finder] = {}

    def of(self, side: Categories) -> _Finder:
        found = self._kept.get(id(side.names))  # whose texts it holds, so that no others come to that place
        if found is None:
            if len(self._kept) >= MOST_FINDERS:
                self._kept.clear()
            found = self._kept[id(side.names)] = _Finder(side.names)
        return found


class _Finder:
    """Codes whose names pass a test; prefixes by binary search in the sorted names."""

    def __init__(self, names: tuple[str, ...]):
        self.names = names
        self._at: dict[str, list[int]] | None = None
        self._sorted: list[str] = []
        self._order: list[int] = []

    def find(self, test: frozenset[str] | str) -> NDArray[np.intp]:
        if isinstance(test, str):
            return np.array([i for i, name in enumerate(self.names) if test in name], np.intp)
        if self._at is None:
            self._index()
        assert self._at is not None
        found: list[int] = []
        for member in test:
            if member.endswith("*") and not isinstance(member, _Exact):
                found += self._prefixed(member[:-1])
            else:
                found += self._at.get(member, [])
        return np.unique(np.array(found, np.intp))

    def _index(self) -> None:
        self._at = {}
        for i, name in enumerate(self.names):
            self._at.setdefault(name, []).append(i)

    def _prefixed(self, prefix: str) -> list[int]:
        if len(self.names) > 50_000:  # sorting so many names costs more than looking at each
            test = member_test(frozenset([prefix + "*"]))
            return [i for i, name in enumerate(self.names) if test(name)]
        if not self._order:
            self._order = sorted(range(len(self.names)), key=self.names.__getitem__)
            self._sorted = [self.names[i] for i in self._order]
        start = bisect_left(self._sorted, prefix)
        stop = start
        while stop < len(self._sorted) and self._sorted[stop].startswith(prefix):
            stop += 1
        return self._order[start:stop]


def exact(node: Compare) -> bool:
    """不设容差: dates, spans and 是否 are compared exactly (as Frame does)."""
    kind = kinds.comparable(node.left.kind, node.right.kind)
    return kind is not None and kind.name in (kinds.DATE, kinds.SPAN, kinds.BOOL)


def is_constant(node: Node) -> bool:
    """常数式: reads no column."""
    if isinstance(node, Ref | Range):
        return False
    if isinstance(node, Bin | Compare):
        return is_constant(node.left) and is_constant(node.right)
    return all(is_constant(a) for a in node.args) if isinstance(node, Call) else True


_FOUND: dict[tuple[float, float, float], float] = {}
_MOST_FOUND = 1 << 16


def equal_end(
    numbers: NDArray[np.float64], sizes: NDArray[np.float64], towards: float
) -> NDArray[np.float64]:
    """等于的边: the float farthest `towards` ±inf that still counts as equal to each number; what was found is kept."""
    keys = [(float(n), float(s), towards) for n, s in zip(numbers, sizes, strict=True)]
    new = sorted({key[:2] for key in keys if key not in _FOUND})
    if new:
        if len(_FOUND) + len(new) > _MOST_FOUND:
            _FOUND.clear()
            new = sorted({key[:2] for key in keys})
        given = np.array(new).reshape(-1, 2)
        ends = _search_end(given[:, 0].copy(), given[:, 1].copy(), towards)
        _FOUND.update({(*key, towards): float(end) for key, end in zip(new, ends, strict=True)})
    return np.array([_FOUND[key] for key in keys])


def _search_end(
    numbers: NDArray[np.float64], sizes: NDArray[np.float64], towards: float
) -> NDArray[np.float64]:
    """By halving floats."""
    inside = _keys(numbers)
    outside = _keys(np.full(len(numbers), np.finfo(np.float64).max * np.sign(towards)))
    right = Values(numbers, sizes)
    for _ in range(
        66
    ):  # halving the 2^64 floats ends on neighbours; the middle of two of them is the lower one
        middle = (inside >> 1) + (outside >> 1) + (inside & outside & 1)
        equal = compare("=", Values(_floats(middle)), right, False)
        inside, outside = np.where(equal, middle, inside), np.where(equal, outside, middle)
    return _floats(inside)


def _keys(values: NDArray[np.float64]) -> INTS:
    """Floats as integers in the same order."""
    bits = (values + 0.0).view(np.int64)
    return np.where(bits < 0, np.int64(-(2**63)) - bits, bits)


def _floats(keys: INTS) -> NDArray[np.float64]:
    return np.where(keys < 0, np.int64(-(2**63)) - keys, keys).astype(np.int64).view(np.float64)


# ---------------------------------------------------------------- programs with registers

Code = list[tuple[tuple[int, int, int, int, int], float]]


def lay_out(tape: Tape, wanted: Sequence[tuple[int, ...]]) -> tuple[Code, int, list[tuple[int, ...]]]:
    """排寄存器: instructions that make each group of wanted values in turn, each group followed by a marker (op -1,
    its number), with registers used again once nothing later reads them."""
    order: list[tuple[str, int]] = []
    done: set[int] = set()
    for number, group in enumerate(wanted):
        for at in _needed(tape, group, done):
            order.append(("op", at))
        order.append(("use", number))
    last: dict[int, int] = {}
    for step, (what, at) in enumerate(order):
        for read in (
            tape.ops[at][1:4]
            if what == "op" and not _loads(tape, at)
            else wanted[at]
            if what == "use"
            else ()
        ):
            if read >= 0:
                last[read] = step
    return _assign(tape, wanted, order, last)


def _loads(tape: Tape, at: int) -> bool:
    return tape.ops[at][0] in (LOAD, TBIT, PBIT, CONST)


def _needed(tape: Tape, group: Sequence[int], done: set[int]) -> list[int]:
    stack, found = [a for a in group if a >= 0], set()
    while stack:
        at = stack.pop()
        if at in done or at in found:
            continue
        found.add(at)
        if not _loads(tape, at):
            stack += [a for a in tape.ops[at][1:4] if a >= 0]
    done |= found
    return sorted(found)


def _assign(
    tape: Tape, wanted: Sequence[tuple[int, ...]], order: list[tuple[str, int]], last: dict[int, int]
) -> tuple[Code, int, list[tuple[int, ...]]]:
    free: list[int] = []
    where: dict[int, int] = {}
    ends: dict[int, list[int]] = {}
    for at, step in last.items():
        ends.setdefault(step, []).append(at)
    code: Code = []
    places: list[tuple[int, ...]] = []
    count = 0
    for step, (what, at) in enumerate(order):
        if what == "use":
            code.append(((-1, 0, at, -1, -1), 0.0))
            places.append(tuple(where[a] if a >= 0 else -1 for a in wanted[at]))
        else:
            op, a, b, c, x = tape.ops[at]
            if not free:
                free.append(count)
                count += 1
            where[at] = free.pop()
            read = (a, b, c) if _loads(tape, at) else tuple(where[r] if r >= 0 else -1 for r in (a, b, c))
            code.append(((op, where[at], *read), x))  # type: ignore[arg-type]
        free += [where[done] for done in ends.get(step, ())]
    return code, max(count, 1), places


# ---------------------------------------------------------------- amounts


@dataclass
class AmountPlan:
    """数额程序: `program_of[item]` is a row of the tables, or -1 for a constant (`constant[item]`), -2 for plain."""

    program_of: list[int] = field(default_factory=list)
    constant: list[tuple[float, float]] = field(default_factory=list)
    code: Code = field(default_factory=list)
    code_at: list[int] = field(default_factory=lambda: [0])
    low: list[int] = field(default_factory=list)
    high: list[int] = field(default_factory=list)
    registers: int = 1


class _Calculator(Calculator):
    """The reference calculator on symbols; a bare column against a fixed bound of a step is one test of an interval."""

    def __init__(
        self, frame: TraceFrame, benefit: TypedBenefit, edges: dict[tuple[float, float], tuple[float, float]]
    ):
        super().__init__(frame, benefit, {})
        self._edges = edges

    def beyond(self, op: str, by: Values, bound: Node) -> Truth:
        edge = self.frame.values(bound)
        value = by.value
        if not isinstance(value, Sym) or by.size is not None or isinstance(edge.value, Sym):
            return super().beyond(op, by, bound)
        key = (uniform(edge.value), uniform(edge.magnitude))
        if np.isnan(key[0]):
            return super().beyond(op, by, bound)
        if key not in self._edges:
            number, size = np.array([key[0]]), np.array([key[1]])
            self._edges[key] = (
                float(equal_end(number, size, -np.inf)[0]),
                float(equal_end(number, size, np.inf)[0]),
            )
        low, high = self._edges[key]
        tape = value.tape
        sure = tape.emit(GEK, value.at, x=low) if op == ">=" else tape.emit(GTK, value.at, x=high)
        return Truth(sure, sure | tape.emit(ISNAN, value.at))


class Amounts:
    """数额编排: each distinct benefit traced once through `benefit.Calculator`."""

    def __init__(self, plan: Plan, traced: TraceColumns):
        self.plan, self.traced = plan, traced
        self.out = AmountPlan()
        self._known: dict[TypedBenefit, tuple[int, tuple[float, float]]] = {}
        self._edges: dict[tuple[float, float], tuple[float, float]] = {}

    def build(self) -> AmountPlan:
        for item in self.plan.bound:
            if item.benefit is None:
                found = (-1, (np.nan, np.nan))
            else:
                known = self._known.get(item.benefit)
                found = known if known is not None else self._trace(item.benefit)
                self._known[item.benefit] = found
            self.out.program_of.append(found[0])
            self.out.constant.append(found[1])
        return self.out

    def _trace(self, benefit: TypedBenefit) -> tuple[int, tuple[float, float]]:
        tape = Tape()
        self.traced.tape = tape
        literal = {node: self.plan.literals.get(p, -1) for node, p in self._predicates(benefit)}
        try:
            amount = _Calculator(TraceFrame(self.traced, tape, literal), benefit, self._edges).grant().capped
        except (Untraceable, TypeError):
            return -2, (np.nan, np.nan)
        ends = (amount.low, amount.high)
        if not any(isinstance(end, Sym) for end in ends):
            low, high = (float(round_fen(np.array([uniform(end)]))[0]) for end in ends)
            return -1, (low, high)
        rounded = tuple(tape.register(round_fen(end)) for end in ends)
        code, registers, places = lay_out(tape, [rounded])
        self.out.code += code[:-1]
        self.out.code_at.append(len(self.out.code))
        self.out.low.append(places[0][0])
        self.out.high.append(places[0][1])
        self.out.registers = max(self.out.registers, registers)
        return len(self.out.low) - 1, (np.nan, np.nan)

    def _predicates(self, benefit: TypedBenefit) -> list[tuple[Node, int]]:
        found = [n for n in benefit_expressions(benefit) if isinstance(n, Compare | In | Has)]
        return [(n, self.plan.predicates[n]) for n in found]


def plain_planes(
    nodes: Sequence[Node], columns: Columns
) -> list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """照读的位面: packed possible and sure bits of predicates, by the reference evaluator."""
    frame = Frame(columns)
    out = []
    for node in nodes:
        truth = frame.truth(node)
        out.append((np.packbits(truth.maybe, bitorder="little"), np.packbits(truth.sure, bitorder="little")))
    return out
