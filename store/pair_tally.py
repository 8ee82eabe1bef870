"""机器码: what pairs add up to, by block and item: figures, and a sum over their content that no order or file decides.

A pair's fields are put together by odd multipliers and mixed well, twice over (two lanes of 64 bits); sums wrap. So the
sum of a block is that of its pairs whichever file each stands in, and pairs that go are taken away again.
"""

from __future__ import annotations

# mypy: ignore-errors
import numpy as np
from numba import carray, njit

from engine.kernel_digest import INFINITE, SIGN, mixed
from engine.kernel_vector import byte_at, float_at, int_at, lowest, word_at

U0, U1 = np.uint64(0), np.uint64(1)
UNKNOWN = np.uint64(0x7FF8000000000000)  # any NaN


@njit(nogil=True, cache=True)
def plain_bits(bits):
    """A number's bits: one form of nothing known, one of zero."""
    plain = bits & SIGN
    return UNKNOWN if plain > INFINITE else bits if plain else U0


@njit(nogil=True, cache=True)
def _marked(data, width, k, seeds, first):
    """The sum over the ids that a mask's bits stand for."""
    total = U0
    for b in range(width):
        bits = np.uint64(data[k * width + b])
        while bits:
            total += seeds[first + 8 * b + lowest(bits)]
            bits &= bits - U1
    return total


@njit(nogil=True, cache=True)
def tallies(
    counts, rows, verdicts, masks, widths, id_seeds, id_at, numbers, constants, ends, texts, text_seeds, text_at, item_seeds,
    firms, blocks, factors, fits, figures, content,
):  # fmt: skip
    """Adds each item's pairs to figures[block, item] (pairs that fit, that wait, their payable ends in fen, how many have no
    high one) and to content[block, item, lane]. By item i: masks[i] of what is unknown and what fails, numbers[i] of
    amount_low, amount_high, paid_low, paid_high, lost, texts[i] of gave_way and note, each an address or 0 for
    constants[i] (bits; ends[i] are the payable ones as numbers) and no text. `firms` and `blocks` are by row."""
    for i in range(len(counts)):
        n = counts[i]
        if n == 0:
            continue
        at = carray(int_at(rows[i]), (n,))
        given = verdicts[i] != 0
        verdict = carray(byte_at(verdicts[i]), (n if given else 0,))
        unknown = carray(byte_at(masks[i, 0]), (n * widths[i, 0],))
        failing = carray(byte_at(masks[i, 1]), (n * widths[i, 1],))
        given_way = carray(int_at(texts[i, 0]), (n if texts[i, 0] else 0,))
        noted = carray(int_at(texts[i, 1]), (n if texts[i, 1] else 0,))
        same_one, same_two = factors[0, 0] * item_seeds[i], factors[1, 0] * item_seeds[i]
        for j in range(5):
            if not numbers[i, j]:
                same_one += factors[0, 1 + j] * constants[i, j]
                same_two += factors[1, 1 + j] * constants[i, j]
        for k in range(n):
            row = at[k]
            marks = _marked(unknown, widths[i, 0], k, id_seeds, id_at[i])
            says = np.uint64(verdict[k]) if given else U1 if marks else U0
            one = same_one + factors[0, 6] * firms[row] + factors[0, 7] * says + factors[0, 8] * marks
            two = same_two + factors[1, 6] * firms[row] + factors[1, 7] * says + factors[1, 8] * marks
            for j in range(5):
                if numbers[i, j]:
                    bits = plain_bits(carray(word_at(numbers[i, j]), (n,))[k])
                    one += factors[0, 1 + j] * bits
                    two += factors[1, 1 + j] * bits
            if widths[i, 1]:
                fails = _marked(failing, widths[i, 1], k, id_seeds, id_at[i])
                one += factors[0, 9] * fails
                two += factors[1, 9] * fails
            if texts[i, 0]:
                one += factors[0, 10] * text_seeds[text_at[i, 0] + given_way[k]]
                two += factors[1, 10] * text_seeds[text_at[i, 0] + given_way[k]]
            if texts[i, 1]:
                one += factors[0, 11] * text_seeds[text_at[i, 1] + noted[k]]
                two += factors[1, 11] * text_seeds[text_at[i, 1] + noted[k]]
            block = blocks[row]
            content[block, i, 0] += mixed(one)
            content[block, i, 1] += mixed(two)
            if says != fits:
                figures[block, i, 1] += 1
                continue
            figures[block, i, 0] += 1
            low = carray(float_at(numbers[i, 2]), (n,))[k] if numbers[i, 2] else ends[i, 0]
            high = carray(float_at(numbers[i, 3]), (n,))[k] if numbers[i, 3] else ends[i, 1]
            if low == low:
                figures[block, i, 2] += np.int64(np.rint(low * 100))
            if high == high:
                figures[block, i, 3] += np.int64(np.rint(high * 100))
            else:
                figures[block, i, 4] += 1


@njit(nogil=True, cache=True)
def _fits(at, n, width, given, verdict, mask, fits):
    """The next pair from `at` on that fits; n for none."""
    while at < n:
        if given:
            if verdict[at] == fits:
                return at
        else:
            some = False
            for b in range(width):
                some |= mask[at * width + b] != 0
            if not some:
                return at
        at += 1
    return n


@njit(nogil=True, cache=True)
def comings(
    counts, rows, verdicts, marks, widths, old_counts, old_rows, old_verdicts, old_marks, old_widths, fits, out
):  # fmt: skip
    """By item: rows that fit on the first side alone, and on the second alone. Rows of an item ascend."""
    for i in range(len(counts)):
        n, m = counts[i], old_counts[i]
        a = carray(int_at(rows[i]), (n,))
        b = carray(int_at(old_rows[i]), (m,))
        given, old_given = verdicts[i] != 0, old_verdicts[i] != 0
        verdict = carray(byte_at(verdicts[i]), (n if given else 0,))
        old_verdict = carray(byte_at(old_verdicts[i]), (m if old_given else 0,))
        width, old_width = widths[i], old_widths[i]
        mask = carray(byte_at(marks[i]), (n * width,))
        old_mask = carray(byte_at(old_marks[i]), (m * old_width,))
        j = _fits(0, n, width, given, verdict, mask, fits)
        k = _fits(0, m, old_width, old_given, old_verdict, old_mask, fits)
        while j < n or k < m:
            if k >= m or (j < n and a[j] < b[k]):
                out[i, 0] += 1
                j = _fits(j + 1, n, width, given, verdict, mask, fits)
            elif j >= n or b[k] < a[j]:
                out[i, 1] += 1
                k = _fits(k + 1, m, old_width, old_given, old_verdict, old_mask, fits)
            else:
                j = _fits(j + 1, n, width, given, verdict, mask, fits)
                k = _fits(k + 1, m, old_width, old_given, old_verdict, old_mask, fits)


@njit(nogil=True, cache=True)
def sum_texts(first, last, ends, letters, out):
    """64 bits for each of the texts first..last, over its length and its letters eight at a time."""
    for i in range(first, last):
        at, end = ends[i], ends[i + 1]
        total = mixed(np.uint64(end - at))
        while at < end:
            word = U0
            for k in range(min(8, end - at)):
                word |= np.uint64(letters[at + k]) << np.uint64(8 * k)
            total = mixed(total ^ word)
            at += 8
        out[i] = total
