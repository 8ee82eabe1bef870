"""机器码: items as monotone programs over the planes of a block; their hits counted, then listed with masks and amounts.

Planes, registers and what is written are told by address: views of arrays would cost more than the work.
"""

from __future__ import annotations

# mypy: ignore-errors
import numpy as np
from numba import carray

from engine.kernel_compiled import (
    BLOCK,
    FEW,
    PAD,
    PLANES,
    ROOM,
    SIDE,
    U0,
    U1,
    WORDS,
    compiled,
    open_planes,
    put_marks,
    uncounted,
    valid_rows,
)
from engine.kernel_values import amounts_of
from engine.kernel_vector import (
    also,
    byte_at,
    compresses,
    copy_bytes,
    either,
    filled,
    int_at,
    lowest,
    meet,
    put_rows,
    take,
    take_not,
    word_at,
)


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
    tests, steps, step_at = uncounted(conditions), uncounted(program), uncounted(program_at)
    for block in range(begin, end):
        first = block * BLOCK
        chunks = (min(BLOCK, rows - first) + 511) // 512
        base = planes.ctypes.data + block * planes.shape[1] * PLANES
        valid_rows(first, rows, valid)
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
    tests, steps, step_at = uncounted(conditions), uncounted(program), uncounted(program_at)
    sums, sum_at, sources = uncounted(code), uncounted(code_at), uncounted(numbers)
    for block in range(begin, end):
        first = block * BLOCK
        words = (min(BLOCK, rows - first) + 63) // 64
        chunks = (words + 7) // 8
        base = planes.ctypes.data + block * planes.shape[1] * PLANES
        valid_rows(first, rows, valid)
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
                amounts_of(one, here_at, n, first, base, sources, sums, code_x, sum_at, regs_at)
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
