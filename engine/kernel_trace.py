"""录制: the readable reference run once on symbolic columns, giving straight-line programs for the compiled kernel.

The kernel has no second reading of the rule language: numbers and amounts are what `evaluate` and `benefit` do when their
columns only write down the numpy operations they meet. What can't be written down raises Untraceable and stays plain.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from engine.columns import Columns, Floats, Key
from engine.evaluate import Frame
from engine.nodes import Node
from engine.truth import Truth

# operations of a program: value = op(a, b, c) with constant x. kernel_code compiles these numbers in, and numba's cache
# looks at that file alone: whoever changes one here touches kernel_code.py too.
LOAD, CONST, TBIT, PBIT = 0, 1, 2, 3
ADD, SUB, MUL, DIV, MAX, MIN, FMAX, FMIN = 4, 5, 6, 7, 8, 9, 10, 11
GT, GE, EQ, NE, AND, OR, NOT, WHERE = 12, 13, 14, 15, 16, 17, 18, 19
ABS, NEG, ISNAN, ISINF, FLOOR, TRUNC, RINT = 20, 21, 22, 23, 24, 25, 26
YEAR, MONTH, DAY, SHIFT = 28, 29, 30, 31
# the same with a constant right operand, left for what does not commute
ADDK, SUBK, KSUB, MULK, DIVK, KDIV, MAXK, MINK = 32, 33, 34, 35, 36, 37, 38, 39
GTK, GEK, LTK, LEK, EQK = 40, 41, 42, 43, 44
# several steps in one: a + x·|a|, rounding to the fen, and both
NUDGE, FEN, NUDGEFEN = 45, 46, 47
_BINARY = {
    np.add: ADD, np.subtract: SUB, np.multiply: MUL, np.divide: DIV, np.maximum: MAX, np.minimum: MIN,
    np.fmax: FMAX, np.fmin: FMIN, np.greater: GT, np.greater_equal: GE, np.equal: EQ, np.not_equal: NE,
    np.bitwise_and: AND, np.bitwise_or: OR, np.logical_and: AND, np.logical_or: OR,
}  # fmt: skip
_SWAPPED = {np.less: GT, np.less_equal: GE}
_UNARY = {
    np.absolute: ABS, np.negative: NEG, np.isnan: ISNAN, np.isinf: ISINF, np.floor: FLOOR, np.trunc: TRUNC,
    np.rint: RINT, np.invert: NOT, np.logical_not: NOT,
}  # fmt: skip
_RIGHT_K = {ADD: ADDK, SUB: SUBK, MUL: MULK, DIV: DIVK, MAX: MAXK, MIN: MINK, GT: GTK, GE: GEK, EQ: EQK}
_LEFT_K = {ADD: ADDK, SUB: KSUB, MUL: MULK, DIV: KDIV, MAX: MAXK, MIN: MINK, GT: LTK, GE: LEK, EQ: EQK}


class Untraceable(Exception):
    """录不下: an operation the kernel has no instruction for."""


class Tape:
    """程序带: instructions (op, a, b, c, x) without repetition; `numbers` and `planes` are what they load."""

    def __init__(self) -> None:
        self.ops: list[tuple[int, int, int, int, float]] = []
        self._at: dict[tuple[int, int, int, int, str], int] = {}

    def emit(self, op: int, a: int = -1, b: int = -1, c: int = -1, x: float = 0.0) -> Sym:
        """写一条: the value of the instruction; equal instructions are one."""
        op, a, b, c, x = self._shorter(op, a, b, c, x)
        key = (op, a, b, c, x.hex())
        found = self._at.get(key)
        if found is None:
            found = self._at[key] = len(self.ops)
            self.ops.append((op, a, b, c, x))
        return Sym(self, found)

    def _shorter(self, op: int, a: int, b: int, c: int, x: float) -> tuple[int, int, int, int, float]:
        """Chains that benefit.py writes often, as one instruction with the same result to the bit."""
        if op == ADD:
            k = self._nudge(a, b)
            return (NUDGE, a, -1, -1, k) if k is not None else (op, a, b, c, x)
        if op != DIVK or x != 100.0:
            return op, a, b, c, x
        at = a
        for wanted, number in ((FLOOR, 0.0), (ADDK, 0.5), (MULK, 100.0)):
            last = self.ops[at]
            if last[0] != wanted or last[4] != number:
                return op, a, b, c, x
            at = last[1]
        inner = self.ops[at]
        return (NUDGEFEN, inner[1], -1, -1, inner[4]) if inner[0] == NUDGE else (FEN, at, -1, -1, 0.0)

    def _nudge(self, a: int, b: int) -> float | None:
        """k where b is fmax(|a|·k, 0): unknown a stays unknown either way, so a + b is a + k·|a|."""
        op, scaled, zero, _, _ = self.ops[b]
        if op != FMAX or self.ops[zero][0] != CONST or self.ops[zero][4] != 0.0:
            return None
        op, size, _, _, k = self.ops[scaled]
        return k if op == MULK and k >= 0 and self.ops[size][:2] == (ABS, a) else None

    def register(self, value: Any) -> int:
        """值的编号: of a symbolic value, or of a constant written down for it."""
        if isinstance(value, Sym):
            return value.at
        return self.emit(CONST, x=uniform(value)).at


def uniform(value: Any) -> float:
    """常数: the number a real array of one row holds. Raises Untraceable for anything else."""
    flat = np.asarray(value).reshape(-1)
    if flat.dtype == object or len(flat) != 1:
        raise Untraceable(f"not one number: {value!r}")
    return float(flat[0])


class Sym(NDArrayOperatorsMixin):
    """符号列: one value of a tape, standing for a column of shape (1,)."""

    shape = (1,)
    ndim = 1
    size = 1

    def __init__(self, tape: Tape, at: int):
        self.tape = tape
        self.at = at

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__":
            raise Untraceable(f"{ufunc}.{method}")
        if ufunc in _UNARY:
            return self.tape.emit(_UNARY[ufunc], self.at)
        a, b = inputs
        if ufunc in _SWAPPED:
            return _binary(self.tape, _SWAPPED[ufunc], b, a)
        if ufunc not in _BINARY:
            raise Untraceable(str(ufunc))
        return _binary(self.tape, _BINARY[ufunc], a, b)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if func is np.where:
            return _where(self.tape, *args)
        if func is np.broadcast_to:
            return args[0]
        if func is np.shape:
            return self.shape
        if func is np.round and len(args) == 1 and not kwargs:
            return self.tape.emit(RINT, self.at)
        raise Untraceable(str(func))

    def astype(self, kind: Any) -> Sym:
        if kind is not np.float64:
            raise Untraceable(f"astype {kind}")
        return self

    def __bool__(self) -> bool:
        raise Untraceable("a branch on a column")

    def __len__(self) -> int:
        return 1

    def year_month_day(self) -> tuple[Sym, Sym, Sym]:
        """年月日 of days since 1970-01-01 (see evaluate.year_month_day)."""
        return self.tape.emit(YEAR, self.at), self.tape.emit(MONTH, self.at), self.tape.emit(DAY, self.at)

    def add_months(self, months: int) -> Sym:
        """加月 (see evaluate.add_months)."""
        return self.tape.emit(SHIFT, self.at, x=float(months))


def _binary(tape: Tape, op: int, a: Any, b: Any) -> Any:
    if op in (AND, OR):
        return _logic(tape, op, a, b)
    if isinstance(a, Sym) and isinstance(b, Sym):
        if a.at == b.at and op in (MAX, MIN, FMAX, FMIN):
            return a
        return tape.emit(op, a.at, b.at)
    sym, number = (a, uniform(b)) if isinstance(a, Sym) else (b, uniform(a))
    if (op == MIN and number == np.inf) or (op == MAX and number == -np.inf):
        return sym
    short = (_RIGHT_K if sym is a else _LEFT_K).get(op)
    if short is None or np.isnan(number):
        return tape.emit(op, tape.register(a), tape.register(b))
    if short in (MAXK, MINK) and _bounded(tape, sym.at, short, number):
        return sym
    return tape.emit(short, sym.at, x=number)


def _bounded(tape: Tape, at: int, op: int, number: float) -> bool:
    """Whether a value is already bounded so: by the last step, or by the one before a bound that lies beyond it."""
    last, below, _, _, bound = tape.ops[at]
    if last == op:
        return bound >= number if op == MAXK else bound <= number
    if op == MAXK and last == MINK and bound >= number:
        return _bounded(tape, below, op, number)
    return False


def _logic(tape: Tape, op: int, a: Any, b: Any) -> Any:
    for one, other in ((a, b), (b, a)):
        if not isinstance(one, Sym):
            holds = bool(uniform(one))
            return other if holds == (op == AND) else np.array([holds])
    return a if a.at == b.at else tape.emit(op, a.at, b.at)


def _where(tape: Tape, test: Any, a: Any, b: Any) -> Any:
    if not isinstance(test, Sym):
        return a if bool(uniform(test)) else b
    one, other = tape.register(a), tape.register(b)
    if one == other:
        return a
    return tape.emit(WHERE, test.at, one, other)


class TraceColumns(Columns):
    """符号列集: one row whose numbers are loads; remembers which columns the tape reads."""

    def __init__(self, base: Columns, tape: Tape):
        super().__init__([""], base.dictionary, loaded=base.loaded)
        self.base, self.tape = base, tape
        self.keys: dict[Key, int] = {}
        self.numbers = _Numbers(self)

    def load(self, key: Key) -> Sym | None:
        """读列: the symbolic column, None where the data have none."""
        if key not in self.base.numbers:
            return None
        at = self.keys.setdefault(key, len(self.keys))
        return self.tape.emit(LOAD, at)


class _Numbers(dict[Key, Floats]):
    """The numbers of a TraceColumns, made when asked for."""

    def __init__(self, owner: TraceColumns):
        super().__init__()
        self._owner = owner

    def get(self, key: Key, default: Any = None) -> Any:
        found = self._owner.load(key)
        return default if found is None else found


class TraceFrame(Frame):
    """符号求值框: values are traced; the truth of a comparison is read from the planes the kernel has for it."""

    def __init__(self, columns: TraceColumns, tape: Tape, predicates: dict[Node, int] | None = None):
        super().__init__(columns)
        self._tape = tape
        self._predicates = predicates

    def truth(self, node: Node) -> Truth:
        if self._predicates is None:
            raise Untraceable("a comparison inside a value")
        at = self._predicates[node]
        return Truth(self._tape.emit(TBIT, at), self._tape.emit(PBIT, at))  # type: ignore[arg-type]
