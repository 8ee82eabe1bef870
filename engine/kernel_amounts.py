"""数额编排: each distinct benefit of a plan as a straight-line program, traced through the reference calculator."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.benefit import Calculator, round_fen
from engine.evaluate import Values
from engine.kernel_floats import equal_end
from engine.kernel_plan import Plan
from engine.kernel_registers import Code, lay_out
from engine.kernel_trace import (
    GEK,
    GTK,
    ISNAN,
    Sym,
    Tape,
    TraceColumns,
    TraceFrame,
    Untraceable,
    uniform,
)
from engine.nodes import Compare, Has, In, Node
from engine.program import TypedBenefit, benefit_expressions
from engine.truth import Truth


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
