"""机器码: the loops of the fast matcher, compiled by numba and cached; plain arrays in, plain arrays out.

Rows are worked in blocks of BLOCK; a block's bit planes are planes[block, literal, 0 possible | 1 sure, word].
"""

from __future__ import annotations

# mypy: ignore-errors
import numpy as np
from llvmlite import ir
from numba import carray, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from engine.kernel_trace import (
    ABS,
    ADD,
    ADDK,
    AND,
    CONST,
    DAY,
    DIV,
    DIVK,
    EQ,
    EQK,
    FEN,
    FLOOR,
    FMAX,
    FMIN,
    GE,
    GEK,
    GT,
    GTK,
    ISINF,
    ISNAN,
    KDIV,
    KSUB,
    LEK,
    LOAD,
    LTK,
    MAX,
    MAXK,
    MIN,
    MINK,
    MONTH,
    MUL,
    MULK,
    NE,
    NEG,
    NOT,
    NUDGE,
    NUDGEFEN,
    OR,
    PBIT,
    RINT,
    SUB,
    SUBK,
    TBIT,
    TRUNC,
    WHERE,
    YEAR,
)  # fmt: skip

BLOCK = 8192
WORDS = BLOCK // 64
TOLERANCE = 1e-9
U0, U1 = np.uint64(0), np.uint64(1)
FULL = np.uint64(0xFFFFFFFFFFFFFFFF)
# kinds of predicates, in the first column of their table
INTERVAL, CODES, COMPARED, OUTSIDE, FIXED = 0, 1, 2, 3, 4
# comparison operators in the order of OPS in kernel_plan
P_GE, P_LE, P_GT, P_LT, P_EQ, P_NE = 0, 1, 2, 3, 4, 5


def _pointer(kind):
    @intrinsic
    def cast(typingctx, address):
        def codegen(context, builder, signature, args):
            return builder.inttoptr(args[0], context.get_value_type(types.CPointer(kind)))

        return types.CPointer(kind)(types.int64), codegen

    return cast


_float_at = _pointer(types.float64)
_int_at = _pointer(types.int32)


@intrinsic
def _lowest(typingctx, word):
    """Number of trailing zero bits of a word; 64 for zero."""

    def codegen(context, builder, signature, args):
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), codegen


@intrinsic
def _ones(typingctx, word):
    def codegen(context, builder, signature, args):
        return builder.ctpop(args[0])

    return types.int64(types.uint64), codegen


@intrinsic
def _blend(typingctx, marks, at, word, bit):
    """marks[at + i] |= bit for every set bit i of the word: one masked operation on 64 bytes."""

    def codegen(context, builder, signature, args):
        array = cgutils.create_struct_proxy(signature.args[0])(context, builder, args[0])
        lanes = ir.VectorType(ir.IntType(8), 64)
        where = builder.bitcast(builder.gep(array.data, [args[1]]), lanes.as_pointer())
        flags = builder.bitcast(args[2], ir.VectorType(ir.IntType(1), 64))
        single = builder.insert_element(
            ir.Constant(lanes, ir.Undefined), args[3], ir.Constant(ir.IntType(32), 0)
        )
        every = ir.Constant(ir.VectorType(ir.IntType(32), 64), [0] * 64)
        splat = builder.shuffle_vector(single, ir.Constant(lanes, ir.Undefined), every)
        chosen = builder.select(flags, splat, ir.Constant(lanes, [0] * 64))
        old = builder.load(where, align=1)
        builder.store(builder.or_(old, chosen), where, align=1)
        return context.get_dummy_value()

    return types.void(marks, types.int64, types.uint64, types.uint8), codegen


# ---------------------------------------------------------------- calendar


@njit(nogil=True, cache=True, inline="always")
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


@njit(nogil=True, cache=True, inline="always")
def _days(y, m, d):
    y = y - (1 if m <= 2 else 0)
    era = y // 400
    yoe = y - era * 400
    mp = m - 3 if m > 2 else m + 9
    doy = (153 * mp + 2) // 5 + d - 1
    doe = yoe * 365 + yoe // 4 - yoe // 100 + doy
    return era * 146097 + doe - 719468


@njit(nogil=True, cache=True)
def _calendar(op, out, a, x, n):
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


# ---------------------------------------------------------------- straight-line programs


@njit(nogil=True, cache=True)
def _two(op, regs, out, a, b, n):
    if op == ADD:
        for i in range(n):
            regs[out, i] = regs[a, i] + regs[b, i]
    elif op == SUB:
        for i in range(n):
            regs[out, i] = regs[a, i] - regs[b, i]
    elif op == MUL:
        for i in range(n):
            regs[out, i] = regs[a, i] * regs[b, i]
    elif op == DIV:
        for i in range(n):
            regs[out, i] = np.divide(regs[a, i], regs[b, i])
    elif op == MAX:
        for i in range(n):
            regs[out, i] = regs[a, i] if (regs[a, i] > regs[b, i] or regs[a, i] != regs[a, i]) else regs[b, i]
    elif op == MIN:
        for i in range(n):
            regs[out, i] = regs[a, i] if (regs[a, i] < regs[b, i] or regs[a, i] != regs[a, i]) else regs[b, i]
    elif op == FMAX:
        for i in range(n):
            regs[out, i] = (
                regs[a, i] if (regs[a, i] >= regs[b, i] or regs[b, i] != regs[b, i]) else regs[b, i]
            )
    elif op == FMIN:
        for i in range(n):
            regs[out, i] = (
                regs[a, i] if (regs[a, i] <= regs[b, i] or regs[b, i] != regs[b, i]) else regs[b, i]
            )
    else:
        _tests(op, regs, out, a, b, n)


@njit(nogil=True, cache=True)
def _tests(op, regs, out, a, b, n):
    if op == GT:
        for i in range(n):
            regs[out, i] = 1.0 if regs[a, i] > regs[b, i] else 0.0
    elif op == GE:
        for i in range(n):
            regs[out, i] = 1.0 if regs[a, i] >= regs[b, i] else 0.0
    elif op == EQ:
        for i in range(n):
            regs[out, i] = 1.0 if regs[a, i] == regs[b, i] else 0.0
    elif op == NE:
        for i in range(n):
            regs[out, i] = 1.0 if regs[a, i] != regs[b, i] else 0.0
    elif op == AND:
        for i in range(n):
            regs[out, i] = regs[a, i] * regs[b, i]
    elif op == OR:
        for i in range(n):
            regs[out, i] = max(regs[a, i], regs[b, i])


@njit(nogil=True, cache=True)
def _one(op, regs, out, a, n):
    if op == ABS:
        for i in range(n):
            regs[out, i] = abs(regs[a, i])
    elif op == NEG:
        for i in range(n):
            regs[out, i] = -regs[a, i]
    elif op == ISNAN:
        for i in range(n):
            regs[out, i] = 1.0 if regs[a, i] != regs[a, i] else 0.0
    elif op == ISINF:
        for i in range(n):
            regs[out, i] = 1.0 if abs(regs[a, i]) == np.inf else 0.0
    elif op == FLOOR:
        for i in range(n):
            regs[out, i] = np.floor(regs[a, i])
    elif op == TRUNC:
        for i in range(n):
            regs[out, i] = np.trunc(regs[a, i])
    elif op == RINT:
        for i in range(n):
            regs[out, i] = np.rint(regs[a, i])
    elif op == NOT:
        for i in range(n):
            regs[out, i] = 1.0 - regs[a, i]


@njit(nogil=True, cache=True)
def _with_number(op, regs, out, a, x, n):
    if op == ADDK:
        for i in range(n):
            regs[out, i] = regs[a, i] + x
    elif op == SUBK:
        for i in range(n):
            regs[out, i] = regs[a, i] - x
    elif op == KSUB:
        for i in range(n):
            regs[out, i] = x - regs[a, i]
    elif op == MULK:
        for i in range(n):
            regs[out, i] = regs[a, i] * x
    elif op == DIVK:
        for i in range(n):
            regs[out, i] = np.divide(regs[a, i], x)
    elif op == KDIV:
        for i in range(n):
            regs[out, i] = np.divide(x, regs[a, i])
    elif op == MAXK:
        for i in range(n):
            regs[out, i] = regs[a, i] if (regs[a, i] > x or regs[a, i] != regs[a, i]) else x
    elif op == MINK:
        for i in range(n):
            regs[out, i] = regs[a, i] if (regs[a, i] < x or regs[a, i] != regs[a, i]) else x
    elif op == GTK:
        for i in range(n):
            regs[out, i] = 1.0 if regs[a, i] > x else 0.0
    elif op == GEK:
        for i in range(n):
            regs[out, i] = 1.0 if regs[a, i] >= x else 0.0
    elif op == LTK:
        for i in range(n):
            regs[out, i] = 1.0 if regs[a, i] < x else 0.0
    elif op == LEK:
        for i in range(n):
            regs[out, i] = 1.0 if regs[a, i] <= x else 0.0
    elif op == EQK:
        for i in range(n):
            regs[out, i] = 1.0 if regs[a, i] == x else 0.0
    elif op == NUDGE:
        for i in range(n):
            regs[out, i] = regs[a, i] + abs(regs[a, i]) * x
    elif op == FEN:
        for i in range(n):
            regs[out, i] = np.floor(regs[a, i] * 100 + 0.5) / 100
    elif op == NUDGEFEN:
        for i in range(n):
            regs[out, i] = np.floor((regs[a, i] + abs(regs[a, i]) * x) * 100 + 0.5) / 100


@njit(nogil=True, cache=True)
def _step(op, regs, out, a, b, c, x, n):
    """One instruction that loads nothing; values are registers by number."""
    if op == CONST:
        for i in range(n):
            regs[out, i] = x
    elif op == WHERE:
        for i in range(n):
            regs[out, i] = regs[b, i] if regs[a, i] != 0.0 else regs[c, i]
    elif op >= ADDK:
        _with_number(op, regs, out, a, x, n)
    elif op >= YEAR:
        _calendar(op, regs[out], regs[a], x, n)
    elif op >= ABS or op == NOT:
        _one(op, regs, out, a, n)
    else:
        _two(op, regs, out, a, b, n)


# ---------------------------------------------------------------- predicates to planes


@njit(nogil=True, cache=True)
def _known(column, first, n, out):
    """Bits of the rows whose value is missing."""
    for w in range(n // 64):
        acc = U0
        for j in range(64):
            v = column[first + w * 64 + j]
            acc |= np.uint64(v != v) << np.uint64(j)
        out[w] = acc
    if n % 64:
        acc = U0
        for j in range(n % 64):
            v = column[first + n // 64 * 64 + j]
            acc |= np.uint64(v != v) << np.uint64(j)
        out[n // 64] = acc


@njit(nogil=True, cache=True)
def _between(column, first, n, low, high, out):
    """Bits of the rows whose value lies in [low, high]."""
    for w in range(n // 64):
        acc = U0
        for j in range(64):
            v = column[first + w * 64 + j]
            acc |= np.uint64((v >= low) & (v <= high)) << np.uint64(j)
        out[w] = acc
    if n % 64:
        acc = U0
        for j in range(n % 64):
            v = column[first + n // 64 * 64 + j]
            acc |= np.uint64((v >= low) & (v <= high)) << np.uint64(j)
        out[n // 64] = acc


@njit(nogil=True, cache=True)
def _coded(codes, first, n, table, width, bits, missing):
    """Bits of up to 64 tests of one category column: bits[test, word] by one look-up a row."""
    words = (n + 63) // 64
    acc = np.zeros(64, np.uint64)
    for w in range(words):
        acc[:] = U0
        gone = U0
        for j in range(min(64, n - w * 64)):
            code = codes[first + w * 64 + j]
            gone |= np.uint64(code < 0) << np.uint64(j)
            marks = table[code + 1]
            for p in range(width):
                acc[p] |= ((marks >> np.uint64(p)) & U1) << np.uint64(j)
        missing[w] = gone
        for p in range(width):
            bits[p, w] = acc[p]


@njit(nogil=True, cache=True)
def _holds(op, exact, left, right, magnitude):
    equal = left == right if exact else abs(left - right) <= TOLERANCE * magnitude
    if op == P_GE:
        return (left > right) | equal
    if op == P_LE:
        return (left <= right) | equal
    if op == P_GT:
        return (left > right) & (not equal)
    if op == P_LT:
        return (left < right) & (not equal)
    if op == P_EQ:
        return equal
    return not equal


@njit(nogil=True, cache=True)
def _compare(op, exact, vl, ml, vr, mr, n, sure, unknown):
    """Truth bits of a comparison of computed values (evaluate.compare) and the bits where it is unknown."""
    for w in range((n + 63) // 64):
        t, u = U0, U0
        for j in range(min(64, n - w * 64)):
            i = w * 64 + j
            left, right = vl[i], vr[i]
            m = ml[i] if (ml[i] >= mr[i] or mr[i] != mr[i]) else mr[i]
            blank = (left != left) | (right != right)
            t |= np.uint64(_holds(op, exact, left, right, m) & (not blank)) << np.uint64(j)
            u |= np.uint64(blank) << np.uint64(j)
        sure[w] = t
        unknown[w] = u


@njit(nogil=True, cache=True)
def _clear(flags, n, sure, possible):
    """Where something is known not to exist the comparison fails."""
    for i in range(n):
        if flags[i] != 0.0:
            keep = ~(U1 << np.uint64(i & 63))
            sure[i >> 6] &= keep
            possible[i >> 6] &= keep


@njit(nogil=True, cache=True)
def fill_planes(
    begin, end, rows, planes, numbers, codes, direct, direct_x, groups, tables, table_at, group_of,
    code, code_x, compared, outside, fixed, negated, n_regs,
):  # fmt: skip
    """Planes of the blocks begin..end.

    direct: (literal, column, negate, mode) by column with direct_x (low, high); mode 0 missing is unknown, 1 missing
    fails, 2 missing holds, 3 missing fails though filled. groups: (codes column, first in group_of, width, table) with
    group_of (literal, missing is unknown). code: the program of computed values, COMPARED marked by op -1 with the row
    of `compared` in a. outside: (literal, row of the planes computed elsewhere). negated: (literal, of literal).
    """
    missing = np.zeros(WORDS, np.uint64)
    bits = np.zeros((64, WORDS), np.uint64)
    regs = np.zeros((max(n_regs, 1), BLOCK))
    for block in range(begin, end):
        first = block * BLOCK
        n = min(BLOCK, rows - first)
        words = (n + 63) // 64
        out = planes[block]
        last = -1
        for k in range(len(direct)):
            literal, column, mode = direct[k, 0], direct[k, 1], direct[k, 3]
            data = carray(_float_at(numbers[column]), (rows,))
            if column != last:
                _known(data, first, n, missing)
                last = column
            possible, sure = out[literal, 0], out[literal, 1]
            _between(data, first, n, direct_x[k, 0], direct_x[k, 1], sure)
            if direct[k, 2]:
                for w in range(words):
                    sure[w] = ~sure[w] & ~missing[w]
            for w in range(words):
                if mode == 2:
                    sure[w] |= missing[w]
                possible[w] = sure[w] | missing[w] if mode == 0 else sure[w]
        for g in range(len(groups)):
            data32 = carray(_int_at(codes[groups[g, 0]]), (rows,))
            start, width = groups[g, 1], groups[g, 2]
            table = tables[table_at[g] : table_at[g + 1]]
            _coded(data32, first, n, table, width, bits, missing)
            for p in range(width):
                literal = group_of[start + p, 0]
                for w in range(words):
                    out[literal, 1, w] = bits[p, w]
                    out[literal, 0, w] = bits[p, w] | missing[w] if group_of[start + p, 1] else bits[p, w]
        _computed(out, first, n, numbers, rows, code, code_x, compared, regs, missing)
        for k in range(len(fixed)):
            for w in range(words):
                out[fixed[k, 0], 0, w] = FULL if fixed[k, 1] else U0
                out[fixed[k, 0], 1, w] = FULL if fixed[k, 2] else U0
        for k in range(len(negated)):
            for w in range(words):
                out[negated[k, 0], 0, w] = ~out[negated[k, 1], 1, w]
                out[negated[k, 0], 1, w] = ~out[negated[k, 1], 0, w]


@njit(nogil=True, cache=True)
def _computed(out, first, n, numbers, rows, code, code_x, compared, regs, unknown):
    for k in range(len(code)):
        op, dst, a = code[k, 0], code[k, 1], code[k, 2]
        if op == LOAD:
            data = carray(_float_at(numbers[a]), (rows,))
            for i in range(n):
                regs[dst, i] = data[first + i]
        elif op >= 0:
            _step(op, regs, dst, a, code[k, 3], code[k, 4], code_x[k], n)
        else:
            row = compared[a]
            possible, sure = out[row[0], 0], out[row[0], 1]
            _compare(
                row[1], row[2] != 0, regs[row[3]], regs[row[4]], regs[row[5]], regs[row[6]], n, sure, unknown
            )
            for w in range((n + 63) // 64):
                possible[w] = sure[w] | unknown[w]
            for side in (7, 8):
                if row[side] >= 0:
                    _clear(regs[row[side]], n, sure, possible)


@njit(nogil=True, cache=True)
def densities(planes, rows, sample):
    """Share of the rows of some blocks where each literal is possible."""
    out = np.zeros(planes.shape[1])
    for s in range(len(sample)):
        for literal in range(planes.shape[1]):
            total = 0
            for w in range(WORDS):
                total += _ones(planes[sample[s], literal, 0, w])
            out[literal] += total
    return out


# ---------------------------------------------------------------- items


@njit(nogil=True, cache=True)
def _tree(program, start, stop, plane, side, stack, words):
    """A monotone program in postfix on one side of the planes: literal ≥ 0, -1 and, -2 or; the answer in stack[0]."""
    top = -1
    for k in range(start, stop):
        op = program[k]
        if op >= 0:
            top += 1
            for w in range(words):
                stack[top, w] = plane[op, side, w]
        elif op == -1:
            top -= 1
            for w in range(words):
                stack[top, w] &= stack[top + 1, w]
        else:
            top -= 1
            for w in range(words):
                stack[top, w] |= stack[top + 1, w]


@njit(nogil=True, cache=True)
def _possible(item, item_at, conditions, program, program_at, plane, valid, acc, stack, words):
    """Where an item is possible, in acc; its conditions come rarest first. False where nowhere in the block."""
    for w in range(words):
        acc[w] = valid[w]
    for k in range(item_at[item], item_at[item + 1]):
        condition = conditions[k, 0]
        start, stop = program_at[condition], program_at[condition + 1]
        some = U0
        if stop - start == 1:
            literal = program[start]
            for w in range(words):
                acc[w] &= plane[literal, 0, w]
                some |= acc[w]
        else:
            _tree(program, start, stop, plane, 0, stack, words)
            for w in range(words):
                acc[w] &= stack[0, w]
                some |= acc[w]
        if some == U0:
            return False
    return True


@njit(nogil=True, cache=True)
def _valid(first, rows, valid):
    for w in range(WORDS):
        left = rows - first - w * 64
        valid[w] = FULL if left >= 64 else U0 if left <= 0 else (U1 << np.uint64(left)) - U1


@njit(nogil=True, cache=True)
def count_hits(begin, end, rows, planes, item_at, conditions, program, program_at, depth, counts, total):
    """Hits of each item in each block begin..end into counts[block, item] and, together, total[item]."""
    acc, valid = np.zeros(WORDS, np.uint64), np.zeros(WORDS, np.uint64)
    stack = np.zeros((depth, WORDS), np.uint64)
    for block in range(begin, end):
        first = block * BLOCK
        words = (min(BLOCK, rows - first) + 63) // 64
        _valid(first, rows, valid)
        for item in range(len(item_at) - 1):
            n = 0
            if _possible(
                item, item_at, conditions, program, program_at, planes[block], valid, acc, stack, words
            ):
                for w in range(words):
                    n += _ones(acc[w])
            counts[block, item] = n
            total[item] += n


@njit(nogil=True, cache=True)
def _mark(
    item, item_at, conditions, program, program_at, plane, acc, stack, marks, words, width, failing
):  # fmt: skip
    """Condition bits of the rows in acc that are unknown (or, `failing`, that fail): marks[byte of the mask, row]."""
    for byte in range(width):
        for i in range(words * 64):
            marks[byte * BLOCK + i] = 0
    for k in range(item_at[item], item_at[item + 1]):
        condition, number = conditions[k, 0], conditions[k, 1]
        start, stop = program_at[condition], program_at[condition + 1]
        bit = np.uint8(1 << (number & 7))
        base = (number >> 3) * BLOCK
        if stop - start == 1:
            literal = program[start]
            if failing:
                for w in range(words):
                    _blend(marks, base + w * 64, acc[w] & ~plane[literal, 0, w], bit)
            else:
                for w in range(words):
                    _blend(marks, base + w * 64, acc[w] & plane[literal, 0, w] & ~plane[literal, 1, w], bit)
            continue
        # the deepest slot of the stack is kept free for the possible side
        spare = len(stack) - 1
        _tree(program, start, stop, plane, 0, stack, words)
        for w in range(words):
            stack[spare, w] = stack[0, w]
        if failing:
            for w in range(words):
                _blend(marks, base + w * 64, acc[w] & ~stack[spare, w], bit)
        else:
            _tree(program, start, stop, plane, 1, stack, words)
            for w in range(words):
                _blend(marks, base + w * 64, acc[w] & stack[spare, w] & ~stack[0, w], bit)


@njit(nogil=True, cache=True)
def _positions(acc, words, here):
    """Rows of the block whose bit is set, in order, and their number; four are written a word without asking."""
    n = 0
    for w in range(words):
        word = acc[w]
        count = _ones(word)
        base = w * 64
        for k in range(4):
            here[n + k] = base + _lowest(word)
            word &= word - U1
        for k in range(4, count):
            here[n + k] = base + _lowest(word)
            word &= word - U1
        n += count
    return n


@njit(nogil=True, cache=True)
def list_hits(
    begin, end, rows, planes, item_at, conditions, program, program_at, depth, counts, at, out_rows, out_marks,
    mask_at, widths, numbers, amount_of, code, code_x, code_at, n_regs, low_of, high_of, low_at, high_at, out_amounts,
):  # fmt: skip
    """Rows, unknown masks and amounts of the hits of blocks begin..end; at[item] is where an item's next hit goes."""
    acc, valid = np.zeros(WORDS, np.uint64), np.zeros(WORDS, np.uint64)
    stack = np.zeros((depth + 1, WORDS), np.uint64)
    marks = np.zeros(8 * BLOCK, np.uint8)
    here = np.zeros(BLOCK + 8, np.int32)
    regs = np.zeros((max(n_regs, 1), BLOCK))
    for block in range(begin, end):
        first = block * BLOCK
        words = (min(BLOCK, rows - first) + 63) // 64
        plane = planes[block]
        _valid(first, rows, valid)
        for item in range(len(item_at) - 1):
            if counts[block, item] == 0:
                continue
            _possible(item, item_at, conditions, program, program_at, plane, valid, acc, stack, words)
            n = _positions(acc, words, here)
            to, width = at[item], widths[item]
            for i in range(n):
                out_rows[to + i] = first + here[i]
            _mark(
                item, item_at, conditions, program, program_at, plane, acc, stack, marks, words, width, False
            )
            put = mask_at[item] + to * width
            if width == 1:
                for i in range(n):
                    out_marks[put + i] = marks[here[i]]
            else:
                for i in range(n):
                    for byte in range(width):
                        out_marks[put + i * width + byte] = marks[byte * BLOCK + here[i]]
            if amount_of[item] >= 0:
                one = amount_of[item]
                _amounts(
                    one, here, n, first, rows, plane, numbers, code, code_x, code_at, regs,
                )  # fmt: skip
                low, high = low_of[one], high_of[one]
                put = low_at[item] + to
                for i in range(n):
                    out_amounts[put + i] = regs[low, i]
                if high != low:
                    put = high_at[item] + to
                    for i in range(n):
                        out_amounts[put + i] = regs[high, i]
            at[item] = to + n


@njit(nogil=True, cache=True)
def list_every(begin, end, rows, planes, item_at, conditions, program, program_at, depth, fails, unknown):
    """Masks of all pairs: fails[item, row] and unknown[item, row]."""
    valid = np.zeros(WORDS, np.uint64)
    stack = np.zeros((depth + 1, WORDS), np.uint64)
    marks = np.zeros(8 * BLOCK, np.uint8)
    for block in range(begin, end):
        first = block * BLOCK
        n = min(BLOCK, rows - first)
        words = (n + 63) // 64
        _valid(first, rows, valid)
        for item in range(len(item_at) - 1):
            width = (item_at[item + 1] - item_at[item] + 7) // 8
            for side in range(2):
                _mark(
                    item, item_at, conditions, program, program_at, planes[block], valid, stack, marks, words, width,
                    side == 0,
                )  # fmt: skip
                out = fails[item] if side == 0 else unknown[item]
                for i in range(n):
                    out[first + i] = U0
                for byte in range(width):
                    for i in range(n):
                        out[first + i] |= np.uint64(marks[byte * BLOCK + i]) << np.uint64(8 * byte)


# ---------------------------------------------------------------- amounts


@njit(nogil=True, cache=True)
def _amounts(program, here, n, first, rows, plane, numbers, code, code_x, code_at, regs):
    """One amount program over the rows `here` of a block; the ends are left in their registers."""
    for k in range(code_at[program], code_at[program + 1]):
        op, dst, a = code[k, 0], code[k, 1], code[k, 2]
        if op == LOAD:
            data = carray(_float_at(numbers[a]), (rows,))
            for i in range(n):
                regs[dst, i] = data[first + here[i]]
        elif op in (TBIT, PBIT):
            side = 1 if op == TBIT else 0
            bits = plane[a, side]
            for i in range(n):
                r = here[i]
                regs[dst, i] = np.float64((bits[r >> 6] >> np.uint64(r & 63)) & U1)
        else:
            _step(op, regs, dst, a, code[k, 3], code[k, 4], code_x[k], n)


@njit(nogil=True, cache=True)
def amounts(
    at,
    hit_rows,
    rows,
    planes,
    numbers,
    amount_of,
    code,
    code_x,
    code_at,
    n_regs,
    low_of,
    high_of,
    low_at,
    high_at,
    out,
):
    """Amounts of listed pairs: the hits of each item from at[item], in order of rows; shifts as in list_hits."""
    regs = np.zeros((max(n_regs, 1), BLOCK))
    here = np.zeros(BLOCK, np.int32)
    for item in range(len(at) - 1):
        one = amount_of[item]
        k = at[item]
        while one >= 0 and k < at[item + 1]:
            block = hit_rows[k] // BLOCK
            begin = k
            while k < at[item + 1] and hit_rows[k] // BLOCK == block:
                here[k - begin] = hit_rows[k] - block * BLOCK
                k += 1
            _amounts(
                one, here, k - begin, block * BLOCK, rows, planes[block], numbers, code, code_x, code_at, regs,
            )  # fmt: skip
            for i in range(k - begin):
                out[low_at[item] + begin + i] = regs[low_of[one], i]
                if high_of[one] != low_of[one]:
                    out[high_at[item] + begin + i] = regs[high_of[one], i]
