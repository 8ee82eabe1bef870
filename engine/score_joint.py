"""合并概率: several unknown conditions of one pair together, by a Gaussian copula with learned correlations.

Source: N. R. Mendell and R. C. Elston (1974), "Multifactorial qualitative traits"; one condition after another is taken
to hold, and the means and correlations of the rest move as they would for normal variables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

Floats = NDArray[np.float64]
EDGE = 1e-4  # no learned probability is nearer to 0 or 1: only a rule is certain
WIDEST = 0.9
STEPS = 8
NUDGE = 0.02
CELL = 1e-3


def logit(p: ArrayLike) -> Floats:
    """对数几率, of probabilities kept off the ends."""
    inside = np.clip(np.asarray(p, float), EDGE, 1 - EDGE)
    return np.log(inside / (1 - inside))


def expit(z: ArrayLike) -> Floats:
    """概率, of log odds."""
    return np.clip(1 / (1 + np.exp(-np.clip(np.asarray(z, float), -30, 30))), EDGE, 1 - EDGE)


def shifted(raw: Floats, answer: ArrayLike, stiff: float, weight: ArrayLike | None = None) -> float:
    """移位: the constant that added to log odds fits the answers best, drawn to zero as if by `stiff` more pairs."""
    y, shift = np.asarray(answer, float), 0.0
    counts = np.ones(len(y)) if weight is None else np.asarray(weight, float)
    for _ in range(8):
        p = expit(raw + shift)
        slope = (counts * p * (1 - p)).sum() + stiff * 0.25
        shift += ((counts * (y - p)).sum() - stiff * 0.25 * shift) / slope
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


@dataclass(frozen=True)
class Together:
    """两条规则同时未知的情形: probabilities and answers of both, shape (n, 2), and what each row counts."""

    p: Floats
    held: NDArray[np.bool_]
    weight: Floats

    def slope(self, rho: float) -> tuple[float, float]:
        """Derivative of the log likelihood of "both hold" by the correlation, and its information there."""
        both, up, down = (_both(self.p, rho + step) for step in (0.0, NUDGE, -NUDGE))
        moved, inside = (up - down) / (2 * NUDGE), np.clip(both, CELL, 1 - CELL)
        spread = inside * (1 - inside)
        grade = (self.held.all(1) - both) * moved / spread
        return float((self.weight * grade).sum()), float((self.weight * moved**2 / spread).sum())


def _both(p: Floats, rho: float) -> Floats:
    return together(p, np.array([[1.0, rho], [rho, 1.0]]))


def correlation_of(seen: Sequence[Together], usual: float = 0.0, doubt: float = 0.0) -> float:
    """相关系数: the likeliest one for all of `seen`, drawn to `usual` by `doubt` (one over the variance it may have).

    Pairs whose probabilities are near 0 or 1 tell little of it and so move it little. Fisher scoring.
    """
    rho = usual
    for _ in range(STEPS):
        found = [part.slope(rho) for part in seen]
        grade = sum(g for g, _ in found) - doubt * (rho - usual)
        facts = sum(i for _, i in found) + doubt
        if facts <= 0:
            return usual
        step = float(np.clip(grade / facts, -0.3, 0.3))
        rho = float(np.clip(rho + step, -WIDEST, WIDEST))
        if abs(step) < 0.005:
            break
    return rho
