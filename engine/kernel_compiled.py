"""机器码: how the loops are compiled and kept on disk, and the sizes they all go by."""

from __future__ import annotations

# mypy: ignore-errors
import hashlib
from pathlib import Path

import numpy as np
from numba import carray, njit

from engine.kernel_vector import (
    long_at,
    open_step,
    put_marks_step,
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


def _sources():
    """The loops are compiled anew where any of the files they are made of says something else: numba asks one only."""
    files = ("compiled", "listing", "planes", "trace", "values", "vector")
    return hashlib.sha256(b"".join(_file(f).read_bytes() for f in files)).hexdigest()


def _file(name):
    return Path(__file__).with_name(f"kernel_{name}.py")


_SOURCES = _sources()


def compiled(function):
    """编译: by numba, outside the interpreter's lock, kept on disk."""
    dispatcher = njit(nogil=True, cache=True)(function)
    dispatcher._cache._cache_file._source_stamp = _SOURCES
    return dispatcher


@compiled
def uncounted(table):
    """The same whole numbers as a view that is not counted: threads that count a shared array wait for each other."""
    return carray(long_at(table.ctypes.data), table.shape)


@compiled
def valid_rows(first, rows, valid):
    for w in range(WORDS):
        left = rows - first - w * 64
        valid[w] = FULL if left >= 64 else U0 if left <= 0 else (U1 << np.uint64(left)) - U1


open_planes, put_marks = open_step(SIDE), put_marks_step(SIDE)
