"""机器码: some rows of all columns, and 64 bits a row over all its facts, by compiled loops, as `kernel_changes` works them
out plainly.

Columns and the places of their texts come as addresses; every row's sum grows by one well mixed word a fact.
"""

from __future__ import annotations

# mypy: ignore-errors
import numpy as np
from numba import carray, njit

from engine.kernel_vector import int_at, word_at

SIGN = np.uint64(0x7FFFFFFFFFFFFFFF)
INFINITE = np.uint64(0x7FF0000000000000)  # a number's bits above it, without their sign, are of no number
STEP = 2048  # rows of which all columns are worked before the next ones, so that their sums stay in the nearest cache
U0 = np.uint64(0)


@njit(nogil=True, cache=True)
def mixed(x):
    """splitmix64."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@njit(nogil=True, cache=True)
def add_facts(begin, end, columns, seeds, codes, tables, total):
    """Adds to the sums of the rows begin..end: numbers under their column's seed, and what a text's number stands for,
    the last of its table for a missing one."""
    for first in range(begin, end, STEP):
        last = min(first + STEP, end)
        for j in range(len(columns)):
            values = carray(word_at(columns[j]), (end,))
            seed = seeds[j]
            for i in range(first, last):
                bits = values[i]
                plain = bits & SIGN
                bits = bits if plain else U0  # -0 is 0
                total[i] += mixed(bits ^ seed) if plain <= INFINITE else U0
        for j in range(len(codes)):
            places = carray(int_at(codes[j]), (end,))
            size = tables[j, 1]
            words = carray(word_at(tables[j, 0]), (size,))
            for i in range(first, last):
                at = np.int64(places[i])
                total[i] += words[at if at >= 0 else size - 1]


@njit(nogil=True, cache=True)
def take_words(columns, rows, out):
    """The values at `rows` of columns of 64 bits a row, given by address: out[column, place]."""
    for j in range(len(columns)):
        values = carray(word_at(columns[j]), (1,))
        for i in range(len(rows)):
            out[j, i] = values[np.uint64(rows[i])]


@njit(nogil=True, cache=True)
def take_codes(columns, rows, out):
    """The same of columns of 32 bits a row."""
    for j in range(len(columns)):
        codes = carray(int_at(columns[j]), (1,))
        for i in range(len(rows)):
            out[j, i] = codes[np.uint64(rows[i])]
