"""等于的边: how far from a number a float still counts as equal to it, found among the floats themselves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.evaluate import Values, compare

INTS = NDArray[np.int64]

_FOUND: dict[tuple[float, float, float], float] = {}

_MOST_FOUND = 1 << 16


def equal_end(
    numbers: NDArray[np.float64], sizes: NDArray[np.float64], towards: float
) -> NDArray[np.float64]:
    """等于的边: the float farthest `towards` ±inf that still counts as equal to each number; what was found is kept."""
    keys = [(float(n), float(s), towards) for n, s in zip(numbers, sizes, strict=True)]
    new = sorted({key[:2] for key in keys if key not in _FOUND})
    if new:
        if len(_FOUND) + len(new) > _MOST_FOUND:
            _FOUND.clear()
            new = sorted({key[:2] for key in keys})
        given = np.array(new).reshape(-1, 2)
        ends = _search_end(given[:, 0].copy(), given[:, 1].copy(), towards)
        _FOUND.update({(*key, towards): float(end) for key, end in zip(new, ends, strict=True)})
    return np.array([_FOUND[key] for key in keys])


def _search_end(
    numbers: NDArray[np.float64], sizes: NDArray[np.float64], towards: float
) -> NDArray[np.float64]:
    """By halving floats."""
    inside = _keys(numbers)
    outside = _keys(np.full(len(numbers), np.finfo(np.float64).max * np.sign(towards)))
    right = Values(numbers, sizes)
    for _ in range(
        66
    ):  # halving the 2^64 floats ends on neighbours; the middle of two of them is the lower one
        middle = (inside >> 1) + (outside >> 1) + (inside & outside & 1)
        equal = compare("=", Values(_floats(middle)), right, False)
        inside, outside = np.where(equal, middle, inside), np.where(equal, outside, middle)
    return _floats(inside)


def _keys(values: NDArray[np.float64]) -> INTS:
    """Floats as integers in the same order."""
    bits = (values + 0.0).view(np.int64)
    return np.where(bits < 0, np.int64(-(2**63)) - bits, bits)


def _floats(keys: INTS) -> NDArray[np.float64]:
    return np.where(keys < 0, np.int64(-(2**63)) - keys, keys).astype(np.int64).view(np.float64)
