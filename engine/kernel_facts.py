"""企业的事实: rows of columns taken, and 64 bits a row over all that is known of it."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.columns import Columns, Key
from engine.kernel import available
from engine.kernel_threads import each, processors

if TYPE_CHECKING:
    pass

WORTH_TAKING = 512  # rows from which threads take them sooner
DIGESTED = 1 << 14  # rows digested at once: what is worked out on the way stays in the cache
WORTH_COMPILED = 1 << 16  # rows from which loading the compiled loops pays
_MIX = np.uint64(0x9E3779B97F4A7C15)

Digests = NDArray[np.uint64]


def firm_digests(columns: Columns, names: Collection[str] | None = None) -> Digests:
    """企业指纹: 64 bits a row over its facts (of some names; None: all), detail rows included; the order of columns does not
    matter, nor a column that knows nothing of a row."""
    total = _plain_digests(columns, names)
    with np.errstate(over="ignore"):
        for key, lists in columns.lists.items():
            if names is not None and key[0] not in names:
                continue
            members = np.array([_seed((key, name)) for name in lists.names] or [np.uint64(0)], np.uint64)
            sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(members[lists.codes], dtype=np.uint64)])
            present = sums[lists.offsets[1:]] - sums[lists.offsets[:-1]] + _seed((key, "有"))
            total += np.where(lists.missing, np.uint64(0), _mixed(present))
        for subject, rows in columns.rows.items():
            ids = np.array([_seed((subject, i)) for i in rows.ids], np.uint64)
            each = _mixed(firm_digests(rows.columns) + ids)
            place = np.arange(len(each)) - np.searchsorted(rows.owner, rows.owner)
            np.add.at(total, rows.owner, _mixed(each + place.astype(np.uint64) * _MIX))
            total += np.where(rows.missing, np.uint64(0), _seed((subject, "有")))
    return _mixed(total)


def taken(columns: Columns, rows: NDArray[np.intp]) -> Columns:
    """取行: what `columns.take` gives, by compiled loops in threads: each fact of scattered rows is another line of memory,
    and two threads wait for twice as many."""
    plain = type(columns) is not Columns or type(columns.numbers) is not dict
    if plain or type(columns.categories) is not dict or len(rows) < WORTH_TAKING or not available():
        return columns.take(rows)
    from engine import kernel_digest as code

    rest = replace(columns, numbers={}, categories={}).take(rows)
    numbers = [np.ascontiguousarray(values, np.float64) for values in columns.numbers.values()]
    codes = [np.ascontiguousarray(side.codes, np.int32) for side in columns.categories.values()]
    words, places = np.empty((len(numbers), len(rows))), np.empty((len(codes), len(rows)), np.int32)
    at = np.array([values.ctypes.data for values in numbers], np.int64)
    codes_at = np.array([values.ctypes.data for values in codes], np.int64)
    edges = np.linspace(0, len(numbers), processors() + 1).astype(int).tolist()
    jobs = [partial(code.take_words, at[a:b], rows, words[a:b].view(np.uint64)) for a, b in pairwise(edges)]
    each([*jobs, partial(code.take_codes, codes_at, rows, places)], processors())
    rest.numbers.update(zip(columns.numbers, words, strict=True))
    sides = zip(columns.categories.values(), places, strict=True)
    rest.categories.update(
        zip(columns.categories, [side.renumbered(own) for side, own in sides], strict=True)
    )
    return rest


def _plain_digests(columns: Columns, names: Collection[str] | None) -> Digests:
    """The sums of the digests of numbers and texts, blocks of rows in threads."""
    total = np.zeros(len(columns), np.uint64)
    numbers = [
        (np.ascontiguousarray(columns.numbers[key], np.float64), _seed(key))
        for key in columns.numbers
        if names is None or key[0] in names
    ]
    texts = [
        (np.ascontiguousarray(cats.codes, np.int32), _text_seeds(key, cats.names))
        for key in columns.categories
        if (names is None or key[0] in names) and (cats := columns.categories[key])
    ]
    compiled = len(columns) >= WORTH_COMPILED or "numba" in sys.modules
    add: Sums = _compiled_sums(numbers, texts) if compiled and available() else _plain_sums(numbers, texts)
    size = min(DIGESTED, max(len(columns) // processors(), WORTH_TAKING) + 1)
    starts = range(0, len(columns), size)
    each([partial(add, a, min(a + size, len(columns)), total) for a in starts], processors())
    return total


@lru_cache(maxsize=64)
def _text_seeds(key: Key, names: tuple[str, ...]) -> Digests:
    """64 bits for each text of a column, the last for a missing one; a register's texts come again part after part."""
    return np.array([*(_seed((key, name)) for name in names), np.uint64(0)], np.uint64)


Sums = Callable[[int, int, Digests], None]


def _plain_sums(
    numbers: Sequence[tuple[NDArray[np.float64], np.uint64]],
    texts: Sequence[tuple[NDArray[np.int32], Digests]],
) -> Sums:
    """Adds to the sums of some rows, by nothing compiled: the readable form."""

    def add(begin: int, end: int, total: Digests) -> None:
        part = total[begin:end]
        with np.errstate(over="ignore"):
            for values, seed in numbers:
                some = values[begin:end]
                known = ~np.isnan(some)
                bits = (np.where(known, some, 0.0) + 0.0).view(np.uint64)
                part += np.where(known, _mixed(bits ^ seed), np.uint64(0))
            for codes, names in texts:
                part += names[codes[begin:end]]

    return add


def _compiled_sums(
    numbers: Sequence[tuple[NDArray[np.float64], np.uint64]],
    texts: Sequence[tuple[NDArray[np.int32], Digests]],
) -> Sums:
    from engine import kernel_digest as code

    columns = np.array([values.ctypes.data for values, _ in numbers], np.int64)
    seeds = np.array([seed for _, seed in numbers], np.uint64)
    codes = np.array([places.ctypes.data for places, _ in texts], np.int64)
    tables = np.array([(names.ctypes.data, len(names)) for _, names in texts], np.int64).reshape(-1, 2)

    def add(begin: int, end: int, total: Digests) -> None:
        assert (len(numbers), len(texts)) == (len(columns), len(codes))  # whose memory is read stays
        code.add_facts(begin, end, columns, seeds, codes, tables, total)

    return add


def _seed(key: object) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.blake2b(repr(key).encode(), digest_size=8).digest(), "little"))


def _mixed(bits: Digests) -> Digests:
    """splitmix64, so that sums of digests don't cancel."""
    with np.errstate(over="ignore"):
        x = bits + _MIX
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))
