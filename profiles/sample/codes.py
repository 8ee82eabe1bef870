"""统一社会信用代码: valid codes for invented firms (GB 32100-2015 outside, GB 11714-1997 inside)."""

from __future__ import annotations

import numpy as np

CHARSET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
CHECK_WEIGHTS = np.array([1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28])
BODY_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2])
_LETTERS = np.array(list(CHARSET))
_BODY_CHECK = np.array(list("0123456789X"))

# Organisation codes issued since 2015 begin with MA (later MAA…); older firms carry eight digits.
_NEW_PREFIX = "MA"


def _digits_of(numbers: np.ndarray, places: int) -> np.ndarray:
    """Decimal digits, most significant first; shape (n, places)."""
    powers = 10 ** np.arange(places - 1, -1, -1, dtype=np.int64)
    return (numbers[:, None] // powers) % 10


def _distinct(rng: np.random.Generator, count: int, below: int) -> np.ndarray:
    """`count` different numbers below `below`, in random order: a multiplicative walk, no table of all."""
    step = int(rng.integers(below // 3, below // 2)) | 1
    while np.gcd(step, below) != 1:
        step += 2
    start = int(rng.integers(below))
    return (start + step * np.arange(count, dtype=np.int64)) % below


def organisation_codes(rng: np.random.Generator, new: np.ndarray) -> np.ndarray:
    """组织机构代码: 9 characters with the check character of GB 11714; `new` marks firms since 2015."""
    count = len(new)
    values = np.empty((count, 8), dtype=np.int64)
    old = ~new
    values[old] = _digits_of(10_000_000 + _distinct(rng, int(old.sum()), 89_999_999), 8)
    fresh = _distinct(rng, int(new.sum()), 31 * 10**5)
    values[new, 0] = CHARSET.index(_NEW_PREFIX[0])
    values[new, 1] = CHARSET.index(_NEW_PREFIX[1])
    values[new, 2] = fresh // 10**5
    values[new, 3:] = _digits_of(fresh % 10**5, 5)
    # GB 11714 counts letters as A=10 … Z=35, also those the outer standard leaves out.
    gb11714 = np.array([int(c, 36) for c in CHARSET])
    rest = 11 - (gb11714[values] @ BODY_WEIGHTS) % 11
    check = _BODY_CHECK[np.where(rest == 11, 0, rest)]
    body = ["".join(row) for row in _LETTERS[values]]
    return np.array([b + c for b, c in zip(body, check, strict=True)])


def credit_codes(rng: np.random.Generator, offices: np.ndarray, new: np.ndarray) -> np.ndarray:
    """统一社会信用代码: 18 characters, all different; `offices` are the 6-digit codes of the registering office."""
    bodies = organisation_codes(rng, new)
    heads = np.char.add("91", offices.astype(str))
    stems = np.char.add(heads, bodies)
    values = np.array([[CHARSET.index(c) for c in stem] for stem in stems]).reshape(len(stems), 17)
    check = (31 - (values @ CHECK_WEIGHTS) % 31) % 31
    return np.char.add(stems, _LETTERS[check])
