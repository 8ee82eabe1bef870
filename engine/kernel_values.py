"""机器码: one instruction of a straight-line program over registers, the calendar's among them; and amounts by it."""

from __future__ import annotations

# mypy: ignore-errors
import numpy as np
from numba import carray

from engine.kernel_compiled import BLOCK, PAD, PLANES, SIDE, U1, WORDS, compiled
from engine.kernel_trace import DAY, LOAD, MONTH, PBIT, SHIFT, TBIT, YEAR
from engine.kernel_vector import (
    float_at,
    int_at,
    run_step,
    word_at,
)


@compiled
def _civil(day):
    """Year, month and day of a count of days since 1970-01-01 (proleptic Gregorian)."""
    z = day + 719468
    era = z // 146097
    doe = z - era * 146097
    yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    d = doy - (153 * mp + 2) // 5 + 1
    m = mp + 3 if mp < 10 else mp - 9
    y = yoe + era * 400 + (1 if m <= 2 else 0)
    return y, m, d


@compiled
def _days(y, m, d):
    y = y - (1 if m <= 2 else 0)
    era = y // 400
    yoe = y - era * 400
    mp = m - 3 if m > 2 else m + 9
    doy = (153 * mp + 2) // 5 + d - 1
    doe = yoe * 365 + yoe // 4 - yoe // 100 + doy
    return era * 146097 + doe - 719468


@compiled
def _calendar(op, to, given, x, n):
    out, a = carray(float_at(to), (n,)), carray(float_at(given), (n,))
    for i in range(n):
        v = a[i]
        if not np.isfinite(v):
            out[i] = np.nan
            continue
        y, m, d = _civil(np.int64(v))
        if op == YEAR:
            out[i] = y
        elif op == MONTH:
            out[i] = m
        elif op == DAY:
            out[i] = d
        else:
            months = y * 12 + m - 1 + np.int64(x)
            ty, tm = months // 12, months % 12 + 1
            first = _days(ty, tm, 1)
            last = _days(ty + (1 if tm == 12 else 0), 1 if tm == 12 else tm + 1, 1) - first
            out[i] = first + min(d, last) - 1


@compiled
def step_once(op, regs, room, out, a, b, c, x, n):
    """One instruction that loads nothing; values are registers by number, `room` bytes apart from the address regs."""
    if YEAR <= op <= SHIFT:
        _calendar(op, regs + out * room, regs + a * room, x, n)
    else:
        run_step(op, regs + out * room, regs + a * room, regs + b * room, regs + c * room, x, (n + 7) // 8)


@compiled
def amounts_of(program, here, n, first, base, numbers, code, code_x, code_at, regs):
    """One amount program over the n rows at the address `here`, all of the block that begins with the row `first` and
    has its planes at `base`; the ends are left in their registers."""
    rows = carray(int_at(here), (n,))
    room = (BLOCK + PAD) * 8
    for k in range(code_at[program], code_at[program + 1]):
        op, dst, a = code[k, 0], code[k, 1], code[k, 2]
        if op == LOAD:
            data, out = (
                carray(float_at(numbers[a]), (first + BLOCK,)),
                carray(float_at(regs + dst * room), (n,)),
            )
            for i in range(n):
                out[i] = data[np.uint32(rows[i])]
        elif op in (TBIT, PBIT):
            side = SIDE if op == TBIT else 0
            bits = carray(word_at(base + a * PLANES + side), (WORDS,))
            out = carray(float_at(regs + dst * room), (n,))
            for i in range(n):
                r = np.uint64(rows[i] - first)
                out[i] = np.float64((bits[r >> np.uint64(6)] >> (r & np.uint64(63))) & U1)
        else:
            step_once(op, regs, room, dst, a, code[k, 3], code[k, 4], code_x[k], n)


@compiled
def amounts(
    at, hit_rows, planes, numbers, amount_of, code, code_x, code_at, n_regs, low_of, high_of, low_at, high_at, out
):  # fmt: skip
    """Amounts of listed pairs: the hits of each item from at[item], in order of rows; shifts as in list_hits."""
    regs = np.zeros((max(n_regs, 1), BLOCK + PAD))
    regs_at, rows_at = regs.ctypes.data, hit_rows.ctypes.data
    for item in range(len(at) - 1):
        one = amount_of[item]
        k = at[item]
        while one >= 0 and k < at[item + 1]:
            block = hit_rows[k] // BLOCK
            begin = k
            while k < at[item + 1] and hit_rows[k] // BLOCK == block:
                k += 1
            base = planes.ctypes.data + block * planes.shape[1] * PLANES
            amounts_of(
                one,
                rows_at + begin * 4,
                k - begin,
                block * BLOCK,
                base,
                numbers,
                code,
                code_x,
                code_at,
                regs_at,
            )
            for i in range(k - begin):
                out[low_at[item] + begin + i] = regs[low_of[one], i]
                if high_of[one] != low_of[one]:
                    out[high_at[item] + begin + i] = regs[high_of[one], i]
