"""合并概率: several unknown conditions of one pair together, by a Gaussian copula with learned correlations.

Source: N. R. Mendell and R. C. Elston (1974), "Multifactorial qualitative traits"; one condition after another is taken
to hold, and the means and correlations of the rest move as they would for normal variables.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

Floats = NDArray[np.float64]
EDGE = 1e-4  # no learned probability is nearer to 0 or 1: only a rule is certain
WIDEST = 0.95
STEPS = 18


def logit(p: ArrayLike) -> Floats:
    """对数几率, of probabilities kept off the ends."""
    inside = np.clip(np.asarray(p, float), EDGE, 1 - EDGE)
    return np.log(inside / (1 - inside))


def expit(z: ArrayLike) -> Floats:
    """概率, of log odds."""
    return np.clip(1 / (1 + np.exp(-np.clip(np.asarray(z, float), -30, 30))), EDGE, 1 - EDGE)


def shifted(raw: Floats, answer: ArrayLike, stiff: float) -> float:
    """移位: the constant that added to log odds fits the answers best, drawn to zero as if by `stiff` more pairs."""
    y, shift = np.asarray(answer, float), 0.0
    for _ in range(8):
        p = expit(raw + shift)
        slope = (p * (1 - p)).sum() + stiff * 0.25
        shift += ((y - p).sum() - stiff * 0.25 * shift) / slope
    return float(np.clip(shift, -4, 4))


def together(p: Floats, correlation: Floats) -> Floats:
    """全部成立的概率, shape (n,), of `p` (n, k) and the correlations (k, k) of what they leave open."""
    n, k = p.shape
    z = ndtri(np.clip(p, EDGE, 1 - EDGE))
    rho = np.broadcast_to(correlation, (n, k, k)).copy()
    out = np.ones(n)
    for i in range(k):
        held = ndtr(z[:, i])
        out *= held
        a = np.exp(-0.5 * z[:, i] ** 2) / np.sqrt(2 * np.pi) / np.maximum(held, 1e-12)
        shrink = a * (a + z[:, i])
        left = np.sqrt(np.maximum(1 - rho[:, i, :] ** 2 * shrink[:, None], 1e-6))
        row = rho[:, i, :].copy()
        for j in range(i + 1, k):
            z[:, j] = (z[:, j] + row[:, j] * a) / left[:, j]
            for m in range(j + 1, k):
                moved = (rho[:, j, m] - row[:, j] * row[:, m] * shrink) / (left[:, j] * left[:, m])
                rho[:, j, m] = rho[:, m, j] = np.clip(moved, -0.99, 0.99)
    return np.minimum(out, p.min(axis=1)) if k else out


def correlation_of(a: Floats, b: Floats, both: int) -> float:
    """相关系数: with which as many of the pairs with probabilities `a` and `b` hold in both as really do."""
    low, high = -WIDEST, WIDEST
    p = np.column_stack([a, b])
    for _ in range(STEPS):
        middle = (low + high) / 2
        expected = together(p, np.array([[1, middle], [middle, 1]])).sum()
        low, high = (middle, high) if expected < both else (low, middle)
    return (low + high) / 2
