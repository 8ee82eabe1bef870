"""排寄存器: traced values as a straight-line program that uses few registers again and again."""

from __future__ import annotations

from collections.abc import Sequence

from engine.kernel_trace import (
    CONST,
    LOAD,
    PBIT,
    TBIT,
    Tape,
)

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
