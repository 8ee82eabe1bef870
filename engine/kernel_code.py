"""机器码: the loops of the fast matcher, compiled by numba and cached; plain arrays in, plain arrays out.

Rows are worked in blocks of BLOCK; a block's bit planes are planes[block, literal, 0 possible | 1 sure, word].
"""

from __future__ import annotations

# mypy: ignore-errors
import hashlib
from pathlib import Path

import numpy as np
from numba import carray, njit

from engine.kernel_trace import DAY, LOAD, MONTH, PBIT, SHIFT, TBIT, YEAR
from engine.kernel_vector import (
    also,
    below_zero,
    byte_at,
    compared,
    compresses,
    copy_bytes,
    either,
    filled,
    float_at,
    inside,
    int_at,
    long_at,
    lowest,
    marked,
    meet,
    ones,
    open_step,
    put_marks_step,
    put_rows,
    run_step,
    take,
    take_not,
    unknown,
    word_at,
)

BLOCK = 8192
WORDS = BLOCK // 64
SIDE, PLANES = WORDS * 8, WORDS * 16  # bytes of one plane, and of a literal's two
ROOM = BLOCK + 64  # for what a block can list, and the 64 places that are written at once
STEP = 1024  # rows for which computed values are worked at once, so that registers stay in the nearest cache
PAD = 24  # between registers, so that they do not all stand on the same lines of the cache
FEW = 4  # conditions, the rarest, after which it is asked whether any row is left
TOLERANCE = 1e-9
U0, U1 = np.uint64(0), np.uint64(1)
FULL = np.uint64(0xFFFFFFFFFFFFFFFF)
# kinds of predicates, in the first column of their table
INTERVAL, CODES, COMPARED, OUTSIDE, FIXED = 0, 1, 2, 3, 4
# comparison operators in the order of OPS in kernel_plan
P_GE, P_LE, P_GT, P_LT, P_EQ, P_NE = 0, 1, 2, 3, 4, 5


def _sources():
    """The loops are compiled anew where any of the files they are made of says something else: numba asks one only."""
    files = ("kernel_code.py", "kernel_vector.py", "kernel_trace.py")
    return hashlib.sha256(b"".join((Path(__file__).parent / f).read_bytes() for f in files)).hexdigest()


_SOURCES = _sources()


def compiled(function):
    """编译: by numba, outside the interpreter's lock, kept on disk."""
    dispatcher = njit(nogil=True, cache=True)(function)
    dispatcher._cache._cache_file._source_stamp = _SOURCES
    return dispatcher


@compiled
def _uncounted(table):
    """The same whole numbers as a view that is not counted: threads that count a shared array wait for each other."""
    return carray(long_at(table.ctypes.data), table.shape)


open_planes, put_marks = open_step(SIDE), put_marks_step(SIDE)


# ---------------------------------------------------------------- calendar


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
def _step(op, regs, room, out, a, b, c, x, n):
    """One instruction that loads nothing; values are registers by number, `room` bytes apart from the address regs."""
    if YEAR <= op <= SHIFT:
        _calendar(op, regs + out * room, regs + a * room, x, n)
    else:
        run_step(op, regs + out * room, regs + a * room, regs + b * room, regs + c * room, x, (n + 7) // 8)


# ---------------------------------------------------------------- predicates to planes


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
            _step(op, regs, room, dst, a, code[k, 3], code[k, 4], code_x[k], n)
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
        _valid(sample[s] * BLOCK, rows, valid)
        for literal in range(planes.shape[1]):
            for w in range(WORDS):
                out[2 * literal] += ones(planes[sample[s], literal, 0, w] & valid[w])
                out[2 * literal + 1] += ones(~planes[sample[s], literal, 1, w] & valid[w])
    return out


# ---------------------------------------------------------------- items


@compiled
def _tree(program, start, stop, base, side, stack, to, chunks):
    """A monotone program in postfix on one side of the planes, its answer copied `to`: -1 and, -2 or, else 2 × literal,
    and one more for its negation, which is possible where the literal is not sure. Planes are told by address."""
    top = stack - SIDE
    for k in range(start, stop):
        op = program[k]
        if op >= 0:
            top += SIDE
            plane = base + (op >> 1) * PLANES
            if op & 1:
                take_not(top, plane + (1 - side) * SIDE, chunks)
            else:
                take(top, plane + side * SIDE, chunks)
        else:
            top -= SIDE
            if op == -1:
                also(top, top + SIDE, chunks)
            else:
                either(top, top + SIDE, chunks)
    take(to, top, chunks)


@compiled
def _place(condition, program, program_at, base, stack, own, chunks, both):
    """Address of the planes where a condition is possible and (`both`) sure; those of a tree are worked into `own`.

    `base`, `stack` and `own` are addresses too: views of arrays would cost more than the work.
    """
    start, stop = program_at[condition], program_at[condition + 1]
    if stop - start == 1 and program[start] & 1 == 0:
        return base + (program[start] >> 1) * PLANES
    _tree(program, start, stop, base, 0, stack, own, chunks)
    if both:
        _tree(program, start, stop, base, 1, stack, own + SIDE, chunks)
    return own


@compiled
def _possible(begin, end, conditions, program, program_at, base, acc, stack, own, planes, chunks, both):
    """Where an item is possible, in acc, and the addresses of its conditions' planes; how many rows that is.

    Its conditions are conditions[begin:end], rarest first; nothing is left to look at once no row is left.
    """
    n = 0
    for at in range(begin, end):
        k = at - begin
        planes[k] = _place(
            conditions[at, 0], program, program_at, base, stack, own + k * PLANES, chunks, both
        )
    middle = min(FEW, end - begin)
    n = meet(acc, planes, 0, middle, chunks)
    if n and middle < end - begin:
        n = meet(acc, planes, middle, end - begin, chunks)
    return n


@compiled
def _valid(first, rows, valid):
    for w in range(WORDS):
        left = rows - first - w * 64
        valid[w] = FULL if left >= 64 else U0 if left <= 0 else (U1 << np.uint64(left)) - U1


@compiled
def count_hits(
    begin,
    end,
    first_item,
    last_item,
    rows,
    planes,
    item_at,
    conditions,
    program,
    program_at,
    depth,
    counts,
    total,
):
    """Hits of the items first_item..last_item in each block begin..end into counts[block, item], together total[item]."""
    acc, valid = np.zeros(WORDS + WORDS // 64, np.uint64), np.zeros(WORDS, np.uint64)
    stack, own = np.zeros((depth, WORDS), np.uint64), np.zeros((64, 2, WORDS), np.uint64)
    at = np.zeros(64, np.int64)
    acc_at, stack_at, own_at = acc.ctypes.data, stack.ctypes.data, own.ctypes.data
    tests, steps, step_at = _uncounted(conditions), _uncounted(program), _uncounted(program_at)
    for block in range(begin, end):
        first = block * BLOCK
        chunks = (min(BLOCK, rows - first) + 511) // 512
        base = planes.ctypes.data + block * planes.shape[1] * PLANES
        _valid(first, rows, valid)
        for item in range(first_item, last_item):
            copy_bytes(acc_at, valid.ctypes.data, SIDE)
            n = _possible(
                item_at[item], item_at[item + 1], tests, steps, step_at, base, acc_at, stack_at,
                own_at, at, chunks, False,
            )  # fmt: skip
            counts[block, item] = n
            total[item] += n
    acc[0], stack[0, 0], own[0, 0, 0] = U0, U0, U0  # they were read by address: they must live until here


@compiled
def _list_wide(acc, words, first, planes, width, here, marks):
    """Rows of the set bits of acc, and their masks, ROOM bytes from `marks` for each byte of a mask; how many.

    `planes` are the item's conditions where they are unknown, in the order of the mask's bits. Everything is an address.
    """
    n = 0
    chosen = carray(word_at(acc), (WORDS + WORDS // 64,))  # the words, and a bit for each that is not zero
    filled(acc, acc + SIDE, (words + 7) // 8)
    for part in range((words + 63) // 64):
        some = chosen[WORDS + part]
        if words - part * 64 < 64:
            some &= (U1 << np.uint64(words - part * 64)) - U1
        while some != U0:
            w = part * 64 + lowest(some)
            some &= some - U1
            word = chosen[w]
            for byte in range(width):
                put_marks(word, planes + byte * 8 * SIDE + w * 8, marks + byte * ROOM + n)
            n += put_rows(word, np.int32(first + w * 64), here + n * 4)
    return n


@compiled
def _list_narrow(acc, words, first, planes, width, here, marks):
    """The same a row at a time, for processors that can't move bytes of a register together."""
    n = 0
    given, chosen = carray(word_at(planes), (8 * width * WORDS,)), carray(word_at(acc), (WORDS,))
    rows, out = carray(int_at(here), (ROOM,)), carray(byte_at(marks), (8 * ROOM,))
    for w in range(words):
        word = chosen[w]
        while word != U0:
            bit = np.uint64(lowest(word))
            word &= word - U1
            rows[n] = first + w * 64 + np.int64(bit)
            for byte in range(width):
                mark = U0
                for k in range(8):
                    mark |= ((given[(byte * 8 + k) * WORDS + w] >> bit) & U1) << np.uint64(k)
                out[byte * ROOM + n] = mark
            n += 1
    return n


_list_block = _list_wide if compresses() else _list_narrow


@compiled
def _open(begin, end, conditions, places, to, width, chunks):
    """Where each condition is unknown, in the order of the mask's bits; the bits no condition has are zero."""
    for number in range(end - begin, 8 * width):
        blank = carray(word_at(to + number * SIDE), (WORDS,))
        for w in range(WORDS):
            blank[w] = U0
    for at in range(begin, end):
        open_planes(to + conditions[at, 1] * SIDE, places[at - begin], chunks)


@compiled
def list_hits(
    begin, end, first_item, last_item, rows, planes, item_at, conditions, program, program_at, depth, counts, at, out_rows, out_marks,
    mask_at, widths, numbers, amount_of, code, code_x, code_at, n_regs, low_of, high_of, low_at, high_at, out_amounts,
):  # fmt: skip
    """Rows, unknown masks and amounts of the hits of blocks begin..end; at[item] is where an item's next hit goes."""
    acc, valid = np.zeros(WORDS + WORDS // 64, np.uint64), np.zeros(WORDS, np.uint64)
    stack, own = np.zeros((depth, WORDS), np.uint64), np.zeros((64, 2, WORDS), np.uint64)
    open_, places = np.zeros((64, WORDS), np.uint64), np.zeros(64, np.int64)
    marks, here = np.zeros(8 * ROOM, np.uint8), np.zeros(ROOM, np.int32)
    regs = np.zeros((max(n_regs, 1), BLOCK + PAD))
    acc_at, stack_at, own_at, open_at = acc.ctypes.data, stack.ctypes.data, own.ctypes.data, open_.ctypes.data
    marks_at, here_at, regs_at = marks.ctypes.data, here.ctypes.data, regs.ctypes.data
    rows_to, marks_to, amounts_to = out_rows.ctypes.data, out_marks.ctypes.data, out_amounts.ctypes.data
    room = (BLOCK + PAD) * 8
    tests, steps, step_at = _uncounted(conditions), _uncounted(program), _uncounted(program_at)
    sums, sum_at, sources = _uncounted(code), _uncounted(code_at), _uncounted(numbers)
    for block in range(begin, end):
        first = block * BLOCK
        words = (min(BLOCK, rows - first) + 63) // 64
        chunks = (words + 7) // 8
        base = planes.ctypes.data + block * planes.shape[1] * PLANES
        _valid(first, rows, valid)
        for item in range(first_item, last_item):
            if counts[block, item] == 0:
                continue
            start, stop, width = item_at[item], item_at[item + 1], widths[item]
            copy_bytes(acc_at, valid.ctypes.data, SIDE)
            _possible(
                start,
                stop,
                tests,
                steps,
                step_at,
                base,
                acc_at,
                stack_at,
                own_at,
                places,
                chunks,
                True,
            )
            _open(start, stop, tests, places, open_at, width, chunks)
            n = _list_block(acc_at, words, first, open_at, width, here_at, marks_at)
            to = at[item]
            copy_bytes(rows_to + to * 4, here_at, n * 4)
            put = mask_at[item] + to * width
            if width == 1:
                copy_bytes(marks_to + put, marks_at, n)
            else:
                for i in range(n):
                    for byte in range(width):
                        out_marks[put + i * width + byte] = marks[byte * ROOM + i]
            if amount_of[item] >= 0:
                one = amount_of[item]
                _amounts(one, here_at, n, first, base, sources, sums, code_x, sum_at, regs_at)
                low, high = low_of[one], high_of[one]
                copy_bytes(amounts_to + (low_at[item] + to) * 8, regs_at + low * room, n * 8)
                if high != low:
                    copy_bytes(amounts_to + (high_at[item] + to) * 8, regs_at + high * room, n * 8)
            at[item] = to + n
    # what was read by address must live until here
    acc[0], stack[0, 0], own[0, 0, 0], open_[0, 0], marks[0], here[0], regs[0, 0] = U0, U0, U0, U0, 0, 0, 0.0


@compiled
def list_every(begin, end, rows, planes, item_at, conditions, program, program_at, depth, fails, unknown):
    """Masks of all pairs: fails[item, row] and unknown[item, row]."""
    stack, own = np.zeros((depth, WORDS), np.uint64), np.zeros((2, WORDS), np.uint64)
    for block in range(begin, end):
        first = block * BLOCK
        n = min(BLOCK, rows - first)
        base = planes.ctypes.data + block * planes.shape[1] * PLANES
        for item in range(len(item_at) - 1):
            for i in range(n):
                fails[item, first + i] = U0
                unknown[item, first + i] = U0
            for at in range(item_at[item], item_at[item + 1]):
                number = np.uint64(conditions[at, 1])
                place = _place(
                    conditions[at, 0], program, program_at, base, stack.ctypes.data, own.ctypes.data,
                    (n + 511) // 512, True,
                )  # fmt: skip
                plane = carray(word_at(place), (2 * WORDS,))
                for i in range(n):
                    bit = np.uint64(i & 63)
                    can, does = plane[i >> 6] >> bit, plane[WORDS + (i >> 6)] >> bit
                    fails[item, first + i] |= (~can & U1) << number
                    unknown[item, first + i] |= ((can & ~does) & U1) << number


# ---------------------------------------------------------------- amounts


@compiled
def _amounts(program, here, n, first, base, numbers, code, code_x, code_at, regs):
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
            _step(op, regs, room, dst, a, code[k, 3], code[k, 4], code_x[k], n)


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
            _amounts(
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
