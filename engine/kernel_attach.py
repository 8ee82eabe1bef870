"""落列: a plan's predicates put to columns, each in the cheapest form the compiled loops have.

A predicate they have no form for is evaluated by the plain `Frame` and handed in as planes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine import kinds
from engine.columns import Columns, Key
from engine.evaluate import Frame, Values, compare
from engine.kernel_floats import equal_end
from engine.kernel_plan import ASKED, Plan
from engine.kernel_registers import lay_out
from engine.kernel_texts import Exact
from engine.kernel_trace import (
    Sym,
    Tape,
    TraceColumns,
    TraceFrame,
    Untraceable,
    uniform,
)
from engine.nodes import Bin, Call, Compare, Has, In, Node, Range, Ref, Text

OPS = (">=", "<=", ">", "<", "=", "!=")
FLIPPED = {">=": "<=", "<=": ">=", ">": "<", "<": ">", "=": "=", "!=": "!="}
GROUP = 64


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
        return self._category(literal, left, frozenset([Exact(right.value)]))

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
