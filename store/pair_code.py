"""机器码: pages of a Parquet file of pairs, encoded by compiled loops straight from the hits' arrays.

A page holds one item's pairs: its Thrift header, its levels, its values (Parquet format, "Encodings" and "Data Pages":
RLE / bit-packed hybrid, PLAIN, RLE_DICTIONARY). Arrays of the items come as addresses, 0 where a constant stands for all.
"""

from __future__ import annotations

# mypy: ignore-errors
import numpy as np
from numba import carray, njit

from engine.kernel_vector import byte_at, float_at, int_at, lowest, word_at
from engine.kernel_vector import ones as set_bits

PLAIN, RLE, DICTIONARY = 0, 3, 8
HEAD = 64  # more bytes than a page's header, level lengths and run headers take
MASKS = 256  # values of a mask of one byte
U0, U1 = np.uint64(0), np.uint64(1)


@njit(nogil=True, cache=True)
def _varint(out, at, value):
    while value >= 128:
        out[at] = (value & 127) | 128
        value >>= 7
        at += 1
    out[at] = value
    return at + 1


@njit(nogil=True, cache=True)
def _head(out, at, values, size, encoding):
    """PageHeader{1 type DATA_PAGE, 2 and 3 sizes, 5 {1 values, 2 encoding, 3 and 4 RLE levels}}."""
    out[at], out[at + 1] = 0x15, 0
    at += 2
    for _ in range(2):
        out[at] = 0x15
        at = _varint(out, at + 1, size * 2)
    out[at], out[at + 1] = 0x2C, 0x15
    at = _varint(out, at + 2, values * 2)
    for number in (encoding, RLE, RLE):
        out[at], out[at + 1] = 0x15, number * 2
        at += 2
    out[at], out[at + 1] = 0, 0
    return at + 2


@njit(nogil=True, cache=True)
def _length(out, at, size):
    for k in range(4):
        out[at + k] = (size >> (8 * k)) & 255
    return at + 4


@njit(nogil=True, cache=True)
def _varint_size(value):
    size = 1
    while value >= 128:
        value >>= 7
        size += 1
    return size


@njit(nogil=True, cache=True)
def _run_size(n, width):
    """Bytes of one run of an equal value."""
    return _varint_size(n * 2) + (width + 7) // 8


@njit(nogil=True, cache=True)
def _run(out, at, n, value, width):
    at = _varint(out, at, n * 2)
    for k in range((width + 7) // 8):
        out[at + k] = (value >> (8 * k)) & 255
    return at + (width + 7) // 8


@njit(nogil=True, cache=True)
def _packed_size(n, width):
    """Bytes of n bit-packed values as one run."""
    groups = (n + 7) // 8
    return _varint_size(groups * 2 + 1) + groups * width


@njit(nogil=True, cache=True)
def _levels(out, at, n, value):
    """n equal levels, with their length before them."""
    at = _length(out, at, _run_size(n, 1))
    return _run(out, at, n, value, 1)


@njit(nogil=True, cache=True)
def _flush(out, at, acc, count):
    """The bits of an accumulator, low ones first, in as many bytes as they fill."""
    while count > 0:
        out[at] = acc & np.uint64(255)
        acc >>= np.uint64(8)
        at += 1
        count -= 8
    return at


@njit(nogil=True, cache=True)
def index_pages(counts, arrays, constants, width, base, place, out):
    """Pages of a flat text column: dictionary numbers arrays[i][k] - base (through `place` where it has any), or
    constants[i] for all pairs of an item. Returns the bytes written."""
    at = 0
    through = len(place) > 0
    for i in range(len(counts)):
        n = counts[i]
        if n == 0:
            continue
        single = arrays[i] == 0
        body = _run_size(n, width) if single else _packed_size(n, width)
        at = _head(out, at, n, 4 + _run_size(n, 1) + 1 + body, DICTIONARY)
        at = _levels(out, at, n, 1)
        out[at] = width
        at += 1
        if single:
            at = _run(out, at, n, constants[i], width)
            continue
        end = at + body
        at = _varint(out, at, (n + 7) // 8 * 2 + 1)
        data = carray(int_at(arrays[i]), (n,))
        acc, count = U0, 0
        for k in range(n):
            value = data[k] - base
            if through:
                value = place[value]
            acc |= np.uint64(value) << np.uint64(count)
            count += width
            if count >= 32:
                out[at] = acc & np.uint64(255)
                out[at + 1] = (acc >> np.uint64(8)) & np.uint64(255)
                out[at + 2] = (acc >> np.uint64(16)) & np.uint64(255)
                out[at + 3] = (acc >> np.uint64(24)) & np.uint64(255)
                at += 4
                acc >>= np.uint64(32)
                count -= 32
        at = _flush(out, at, acc, count)
        while at < end:
            out[at] = 0
            at += 1
    return at


@njit(nogil=True, cache=True)
def _any(marks, width, k):
    for b in range(width):  # noqa: SIM110 (numba compiles no generators)
        if marks[k * width + b]:
            return True
    return False


@njit(nogil=True, cache=True)
def verdict_pages(counts, verdicts, marks, widths, out):
    """Pages of the verdict, two bits a pair: an array of numbers, or 1 where a mask has a bit and 0 where it has none."""
    at = 0
    for i in range(len(counts)):
        n = counts[i]
        if n == 0:
            continue
        at = _head(out, at, n, 4 + _run_size(n, 1) + 1 + _packed_size(n, 2), DICTIONARY)
        at = _levels(out, at, n, 1)
        out[at] = 2
        at = _varint(out, at + 1, (n + 7) // 8 * 2 + 1)
        end = at + (n + 7) // 8 * 2
        width = widths[i]
        given = verdicts[i] != 0
        data = carray(byte_at(verdicts[i] if given else marks[i]), (n if given else n * width,))
        k = 0
        while k < n:
            byte = 0
            for j in range(min(4, n - k)):
                if given:
                    byte |= data[k + j] << (2 * j)
                elif width == 1:
                    byte |= (1 if data[k + j] else 0) << (2 * j)
                else:
                    byte |= (1 if _any(data, width, k + j) else 0) << (2 * j)
            out[at] = byte
            at += 1
            k += 4
        while at < end:
            out[at] = 0
            at += 1
    return at


@njit(nogil=True, cache=True)
def number_pages(counts, arrays, constants, width, out):
    """Pages of a column of numbers: arrays[i] plainly, NaN as null; or dictionary number constants[i] (-1: null)."""
    at = 0
    for i in range(len(counts)):
        n = counts[i]
        if n == 0:
            continue
        if arrays[i] == 0:
            if constants[i] < 0:
                at = _head(out, at, n, 4 + _run_size(n, 1), PLAIN)
                at = _levels(out, at, n, 0)
                continue
            at = _head(out, at, n, 4 + _run_size(n, 1) + 1 + _run_size(n, width), DICTIONARY)
            at = _levels(out, at, n, 1)
            out[at] = width
            at = _run(out, at + 1, n, constants[i], width)
            continue
        bits = carray(word_at(arrays[i]), (n,))
        data = carray(float_at(arrays[i]), (n,))
        known = 0
        for k in range(n):
            known += data[k] == data[k]
        levels = _run_size(n, 1) if known == n else _packed_size(n, 1)
        at = _head(out, at, n, 4 + levels + 8 * known, PLAIN)
        if known == n:
            at = _levels(out, at, n, 1)
            for k in range(n):
                word = bits[k]
                for b in range(8):
                    out[at + 8 * k + b] = (word >> np.uint64(8 * b)) & np.uint64(255)
            at += 8 * n
            continue
        at = _length(out, at, levels)
        at = _varint(out, at, (n + 7) // 8 * 2 + 1)
        for k in range(0, n, 8):
            byte = 0
            for j in range(min(8, n - k)):
                byte |= (1 if data[k + j] == data[k + j] else 0) << j
            out[at] = byte
            at += 1
        for k in range(n):
            if data[k] == data[k]:
                word = bits[k]
                for b in range(8):
                    out[at + b] = (word >> np.uint64(8 * b)) & np.uint64(255)
                at += 8
    return at


@njit(nogil=True, cache=True)
def count_marks(counts, marks, widths, ones, levels):
    """Set bits of each item's masks, and the entries of its lists: an empty list is one entry."""
    for i in range(len(counts)):
        n = counts[i]
        some, blank = 0, 0
        if marks[i] == 0:
            blank = n
        elif widths[i] == 1:
            data = carray(byte_at(marks[i]), (n,))
            for k in range(n):
                some += set_bits(np.uint64(data[k]))
                blank += data[k] == 0
        else:
            data = carray(byte_at(marks[i]), (n * widths[i],))
            for k in range(n):
                here = 0
                for b in range(widths[i]):
                    here += set_bits(np.uint64(data[k * widths[i] + b]))
                some += here
                blank += here == 0
        ones[i], levels[i] = some, some + blank


@njit(nogil=True, cache=True)
def list_pages(counts, marks, widths, ones, levels, numbers, number_at, width, out):
    """Pages of lists of ids: pair k of item i lists numbers[number_at[i] + b] for every bit b of its mask."""
    at = 0
    for i in range(len(counts)):
        n, some, all_levels = counts[i], ones[i], levels[i]
        if n == 0:
            continue
        if some == 0:  # empty lists only
            at = _head(out, at, n, 8 + 2 * _run_size(n, 1), PLAIN)
            at = _levels(out, at, n, 0)
            at = _levels(out, at, n, 1)
            continue
        one, two = _packed_size(all_levels, 1), _packed_size(all_levels, 2)
        body = _packed_size(some, width)
        at = _head(out, at, all_levels, 8 + one + two + 1 + body, DICTIONARY)
        groups = (all_levels + 7) // 8
        at = _varint(out, _length(out, at, one), groups * 2 + 1)
        repeats, at = at, at + groups
        at = _varint(out, _length(out, at, two), groups * 2 + 1)
        kinds, at = at, at + groups * 2
        out[at] = width
        at = _varint(out, at + 1, (some + 7) // 8 * 2 + 1)
        end = at + (some + 7) // 8 * width
        data = carray(byte_at(marks[i]), (n * widths[i],))
        mine = numbers[number_at[i] :]
        if widths[i] == 1 and width <= 7 and n >= MASKS:
            at = _short_lists(n, data, mine, width, out, repeats, kinds, at)
        else:
            at = _lists(n, data, widths[i], mine, width, out, repeats, kinds, at)
        while at < end:
            out[at] = 0
            at += 1
    return at


@njit(nogil=True, cache=True)
def _lists(n, data, bytes_, numbers, width, out, repeats, kinds, at):
    """Repetition levels (1: goes on), definition levels (1: empty, 3: an id) and ids of one item's lists."""
    rep, kind, filled = U0, U0, 0  # up to 32 levels
    acc, count = U0, 0
    for k in range(n):
        begun = False
        for b in range(bytes_):
            bits = np.uint64(data[k * bytes_ + b])
            while bits:
                acc |= np.uint64(numbers[8 * b + lowest(bits)]) << np.uint64(count)
                count += width
                bits &= bits - U1
                while count >= 8:
                    out[at] = acc & np.uint64(255)
                    at += 1
                    acc >>= np.uint64(8)
                    count -= 8
                if begun:
                    rep |= U1 << np.uint64(filled)
                kind |= np.uint64(3) << np.uint64(2 * filled)
                begun = True
                filled += 1
                if filled == 8:
                    out[repeats] = rep
                    out[kinds], out[kinds + 1] = kind & np.uint64(255), kind >> np.uint64(8)
                    repeats, kinds, filled, rep, kind = repeats + 1, kinds + 2, 0, U0, U0
        if not begun:
            kind |= U1 << np.uint64(2 * filled)
            filled += 1
            if filled == 8:
                out[repeats] = rep
                out[kinds], out[kinds + 1] = kind & np.uint64(255), kind >> np.uint64(8)
                repeats, kinds, filled, rep, kind = repeats + 1, kinds + 2, 0, U0, U0
    if filled:
        out[repeats] = rep
        out[kinds], out[kinds + 1] = kind & np.uint64(255), kind >> np.uint64(8)
    return _flush(out, at, acc, count)


@njit(nogil=True, cache=True)
def _short_lists(n, data, numbers, width, out, repeats, kinds, at):
    """As `_lists`, where a mask is one byte and its ids one word: what each mask writes is looked up."""
    size, ids = np.zeros(MASKS, np.int64), np.zeros(MASKS, np.uint64)
    rep_of, kind_of, span = np.zeros(MASKS, np.uint64), np.ones(MASKS, np.uint64), np.ones(MASKS, np.int64)
    for mask in range(1, MASKS):
        bits, count = np.uint64(mask), 0
        while bits:
            b = lowest(bits)
            # a bit no condition has is in no mask, and no number either
            ids[mask] |= np.uint64(numbers[b] if b < len(numbers) else 0) << np.uint64(count * width)
            bits &= bits - U1
            count += 1
        size[mask], span[mask] = count * width, count
        rep_of[mask] = (U1 << np.uint64(count)) - np.uint64(2)
        kind_of[mask] = (U1 << np.uint64(2 * count)) - U1
    rep, kind, filled, acc, count = U0, U0, 0, U0, 0
    base = out.ctypes.data
    for k in range(n):
        mask = data[k]
        rep |= rep_of[mask] << np.uint64(filled)
        kind |= kind_of[mask] << np.uint64(2 * filled)
        filled += span[mask]
        acc |= ids[mask] << np.uint64(count)
        count += size[mask]
        carray(word_at(base + at), (1,))[0] = (
            acc  # what is beyond its whole bytes is written over by the next
        )
        at += count >> 3
        acc >>= np.uint64(count & ~7)
        count &= 7
        if filled >= 16:
            for j in range(2):
                out[repeats + j] = (rep >> np.uint64(8 * j)) & np.uint64(255)
            for j in range(4):
                out[kinds + j] = (kind >> np.uint64(8 * j)) & np.uint64(255)
            repeats, kinds, filled = repeats + 2, kinds + 4, filled - 16
            rep >>= np.uint64(16)
            kind >>= np.uint64(32)
    for j in range((filled + 7) // 8):
        out[repeats + j] = (rep >> np.uint64(8 * j)) & np.uint64(255)
        for half in range(2):
            out[kinds + 2 * j + half] = (kind >> np.uint64(16 * j + 8 * half)) & np.uint64(255)
    return _flush(out, at, acc, count)


@njit(nogil=True, cache=True)
def text_values(offsets, data, out):
    """PLAIN texts of a dictionary page: each with its length before it."""
    at = 0
    for i in range(len(offsets) - 1):
        begin, end = offsets[i], offsets[i + 1]
        at = _length(out, at, end - begin)
        for k in range(begin, end):
            out[at + k - begin] = data[k]
        at += end - begin
    return at


@njit(nogil=True, cache=True)
def seen_rows(counts, rows, base, seen):
    """Marks the rows that stand in any pair."""
    for i in range(len(counts)):
        data = carray(int_at(rows[i]), (counts[i],))
        for k in range(counts[i]):
            seen[data[k] - base] = True


@njit(nogil=True, cache=True)
def figures(counts, verdicts, marks, widths, lows, low_ends, highs, high_ends, fits, out):
    """Figures of each item: pairs that fit, that wait, their low and high ends in fen, how many of them have no high end.
    Ends come as addresses, or as one number for all where the address is 0; `fits` is the verdict's number."""
    for i in range(len(counts)):
        n, width = counts[i], widths[i]
        given = verdicts[i] != 0
        flat = lows[i] == 0 and highs[i] == 0
        verdict = carray(byte_at(verdicts[i]), (n if given else 0,))
        mask = carray(byte_at(marks[i]), (0 if given else n * width,))
        low = carray(float_at(lows[i]), (n if lows[i] else 0,))
        high = carray(float_at(highs[i]), (n if highs[i] else 0,))
        count, low_sum, high_sum, unknown = 0, 0, 0, 0
        for k in range(n):
            if given:
                if verdict[k] != fits:
                    continue
            elif width == 1:
                if mask[k]:
                    continue
            elif width and _any(mask, width, k):
                continue
            count += 1
            if flat:
                continue
            a = low[k] if lows[i] else low_ends[i]
            b = high[k] if highs[i] else high_ends[i]
            if a == a:
                low_sum += np.int64(np.rint(a * 100))
            if b == b:
                high_sum += np.int64(np.rint(b * 100))
            else:
                unknown += 1
        if flat:
            a, b = low_ends[i], high_ends[i]
            low_sum = count * np.int64(np.rint(a * 100)) if a == a else 0
            high_sum = count * np.int64(np.rint(b * 100)) if b == b else 0
            unknown = 0 if b == b else count
        out[i, 0], out[i, 1], out[i, 2], out[i, 3], out[i, 4] = count, n - count, low_sum, high_sum, unknown
