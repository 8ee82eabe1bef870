"""机器码: predicates to bit planes, by block: planes[block, literal, 0 possible | 1 sure, word]."""

from __future__ import annotations

# mypy: ignore-errors
import numpy as np
from numba import carray

from engine.kernel_compiled import (
    BLOCK,
    FULL,
    PAD,
    PLANES,
    STEP,
    TOLERANCE,
    U0,
    U1,
    WORDS,
    compiled,
    valid_rows,
)
from engine.kernel_trace import LOAD
from engine.kernel_values import step_once
from engine.kernel_vector import (
    below_zero,
    byte_at,
    compared,
    copy_bytes,
    float_at,
    inside,
    int_at,
    marked,
    ones,
    unknown,
    word_at,
)

# comparison operators in the order of OPS in kernel_plan
P_GE, P_LE, P_GT, P_LT, P_EQ, P_NE = 0, 1, 2, 3, 4, 5


@compiled
def _known(column, first, n, out):
    """Bits of the rows whose value is missing, of the column at an address."""
    for w in range(n // 64):
        out[w] = unknown(column + (first + w * 64) * 8)
    if n % 64:
        acc, begin = U0, first + n // 64 * 64
        tail = carray(float_at(column), (begin + 64,))
        for j in range(n % 64):
            v = tail[begin + j]
            acc |= np.uint64(v != v) << np.uint64(j)
        out[n // 64] = acc


@compiled
def _between(column, first, n, low, high, out):
    """Bits of the rows whose value lies in [low, high]."""
    for w in range(n // 64):
        out[w] = inside(column + (first + w * 64) * 8, low, high)
    if n % 64:
        acc, begin = U0, first + n // 64 * 64
        tail = carray(float_at(column), (begin + 64,))
        for j in range(n % 64):
            v = tail[begin + j]
            acc |= np.uint64((v >= low) & (v <= high)) << np.uint64(j)
        out[n // 64] = acc


@compiled
def _coded(codes, first, n, table, width, bits, missing):
    """Bits of up to 64 tests of the category column at an address: bits[test, word] by one look-up a row, whose marks
    are parted into bytes so that one step tells of 64 rows."""
    bytes_ = (width + 7) // 8
    marks = np.zeros((8, 64), np.uint8)
    marks_at, table_at = marks.ctypes.data, table.ctypes.data
    for w in range((n + 63) // 64):
        here, left = codes + (first + w * 64) * 4, min(64, n - w * 64)
        if left == 64:
            missing[w] = below_zero(here)
            if bytes_ == 1:
                _look_up_byte(here, table_at, len(table), marks_at)
            else:
                _look_up(here, 64, table_at, len(table), bytes_, marks_at)
        else:
            marks[:] = 0
            missing[w] = _negative(here, left)
            _look_up(here, left, table_at, len(table), bytes_, marks_at)
        for p in range(width):
            bits[p, w] = marked(marks_at + (p >> 3) * 64, U1 << np.uint64(p & 7))
    marks[0, 0] = 0  # it was read by address: it must live until here


@compiled
def _look_up_byte(here, table, size, out):
    """The marks, of one byte, of 64 codes at an address."""
    codes, marks, to = (
        carray(int_at(here), (64,)),
        carray(word_at(table), (size,)),
        carray(byte_at(out), (64,)),
    )
    for j in range(64):
        to[j] = marks[np.uint32(codes[j] + 1)]


@compiled
def _look_up(here, n, table, size, bytes_, out):
    """The marks of n codes at an address, 64 bytes apart from each other for each byte of them."""
    codes, marks, to = (
        carray(int_at(here), (n,)),
        carray(word_at(table), (size,)),
        carray(byte_at(out), (512,)),
    )
    for j in range(n):
        mark = marks[np.uint32(codes[j] + 1)]
        for k in range(bytes_):
            to[k * 64 + j] = (mark >> np.uint64(8 * k)) & np.uint64(255)


@compiled
def _negative(here, n):
    codes, found = carray(int_at(here), (n,)), U0
    for j in range(n):
        found |= np.uint64(codes[j] < 0) << np.uint64(j)
    return found


@compiled
def _compare(op, exact, regs, room, sides, n, place):
    """Planes, at an address, of a comparison of computed values (evaluate.compare): value and magnitude of both sides."""
    more = FULL if op in (P_GE, P_GT) else U0
    less = FULL if op in (P_LE, P_LT) else U0
    same = FULL if op in (P_GE, P_LE, P_EQ) else U0
    other = FULL if op == P_NE else U0
    whole = FULL if exact else U0
    left, left_size, right, right_size = sides
    out, found = carray(word_at(place), (2 * WORDS,)), np.zeros(2, np.uint64)
    to = found.ctypes.data
    for w in range((n + 63) // 64):
        at = regs + w * 512
        compared(
            at + left * room, at + left_size * room, at + right * room, at + right_size * room, whole, TOLERANCE,
            more, less, same, other, to,
        )  # fmt: skip
        out[WORDS + w] = found[0]
        out[w] = found[0] | found[1]
    found[0] = U0


@compiled
def _clear(flags, n, place):
    """Where something is known not to exist the comparison fails."""
    given, out = carray(float_at(flags), (n,)), carray(word_at(place), (2 * WORDS,))
    for i in range(n):
        if given[i] != 0.0:
            keep = ~(U1 << np.uint64(i & 63))
            out[i >> 6] &= keep
            out[WORDS + (i >> 6)] &= keep


@compiled
def fill_planes(
    begin, end, rows, planes, numbers, codes, direct, direct_x, groups, tables, table_at, group_of,
    code, code_x, compares, fixed, n_regs,
):  # fmt: skip
    """Planes of the blocks begin..end.

    direct: (literal, column, negate, mode) by column with direct_x (low, high); mode 0 missing is unknown, 1 missing
    fails, 2 missing holds, 3 missing fails though filled. groups: (codes column, first in group_of, width, table) with
    group_of (literal, missing is unknown). code: the program of computed values, COMPARED marked by op -1 with the row
    of `compares` in a. fixed: (literal, possible, sure).
    """
    missing = np.zeros(WORDS, np.uint64)
    bits = np.zeros((64, WORDS), np.uint64)
    regs = np.zeros((max(n_regs, 1), STEP + PAD))
    for block in range(begin, end):
        first = block * BLOCK
        n = min(BLOCK, rows - first)
        words = (n + 63) // 64
        base = planes.ctypes.data + block * planes.shape[1] * PLANES
        last = -1
        for k in range(len(direct)):
            column, mode = direct[k, 1], direct[k, 3]
            if column != last:
                _known(numbers[column], first, n, missing)
                last = column
            out = carray(word_at(base + direct[k, 0] * PLANES), (2, WORDS))
            _between(numbers[column], first, n, direct_x[k, 0], direct_x[k, 1], out[1])
            if direct[k, 2]:
                for w in range(words):
                    out[1, w] = ~out[1, w] & ~missing[w]
            for w in range(words):
                if mode == 2:
                    out[1, w] |= missing[w]
                out[0, w] = out[1, w] | missing[w] if mode == 0 else out[1, w]
        for g in range(len(groups)):
            start, width = groups[g, 1], groups[g, 2]
            table = tables[table_at[g] : table_at[g + 1]]
            _coded(codes[groups[g, 0]], first, n, table, width, bits, missing)
            for p in range(width):
                out = carray(word_at(base + group_of[start + p, 0] * PLANES), (2, WORDS))
                for w in range(words):
                    out[1, w] = bits[p, w]
                    out[0, w] = bits[p, w] | missing[w] if group_of[start + p, 1] else bits[p, w]
        for step in range(0, n, STEP):
            size = min(STEP, n - step)
            _computed(base + step // 8, first + step, size, numbers, code, code_x, compares, regs.ctypes.data)
        for k in range(len(fixed)):
            out = carray(word_at(base + fixed[k, 0] * PLANES), (2, WORDS))
            for w in range(words):
                out[0, w] = FULL if fixed[k, 1] else U0
                out[1, w] = FULL if fixed[k, 2] else U0


@compiled
def _computed(base, first, n, numbers, code, code_x, compares, regs):
    """Comparisons of computed values for the n rows from `first`, their planes from the address base."""
    room = (STEP + PAD) * 8
    for k in range(len(code)):
        op, dst, a = code[k, 0], code[k, 1], code[k, 2]
        if op == LOAD:
            copy_bytes(regs + dst * room, numbers[a] + first * 8, n * 8)
        elif op >= 0:
            step_once(op, regs, room, dst, a, code[k, 3], code[k, 4], code_x[k], n)
        else:
            place = base + compares[a, 0] * PLANES
            sides = (compares[a, 3], compares[a, 4], compares[a, 5], compares[a, 6])
            _compare(compares[a, 1], compares[a, 2] != 0, regs, room, sides, n, place)
            for side in (7, 8):
                if compares[a, side] >= 0:
                    _clear(regs + compares[a, side] * room, n, place)


@compiled
def densities(planes, rows, sample):
    """Share of the rows of some blocks where each literal, and its negation, is possible: out[2 × literal + negated]."""
    out = np.zeros(2 * planes.shape[1])
    valid = np.zeros(WORDS, np.uint64)
    for s in range(len(sample)):
        valid_rows(sample[s] * BLOCK, rows, valid)
        for literal in range(planes.shape[1]):
            for w in range(WORDS):
                out[2 * literal] += ones(planes[sample[s], literal, 0, w] & valid[w])
                out[2 * literal + 1] += ones(~planes[sample[s], literal, 1, w] & valid[w])
    return out
