"""画像分数校准: from what a classifier states to how often it is right, and the measure of the difference."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

Floats = NDArray[np.float64]


def logit(probability: Floats) -> Floats:
    """Clipped: beyond 0.2 % and 99.8 % a few hundred texts can say nothing."""
    p = np.clip(probability, 0.002, 0.998)
    return np.log(p / (1 - p))


def _evidence(top: Floats, second: Floats) -> Floats:
    """What the calibration looks at: the probability, its logit, and how far the second class is behind."""
    lead = np.log(np.clip(top, 1e-3, 1) / np.clip(second, 1e-3, 1))
    return np.column_stack([top, logit(top), lead])


def fit_calibration(top: Floats, second: Floats, right: NDArray[np.bool_]) -> Floats:
    """校准: three slopes and a shift of the logistic from raw probabilities to how often the first class is right."""
    if right.all() or not right.any():
        raise ValueError("校准要有对的也要有错的")
    model = LogisticRegression(C=100.0, max_iter=1000).fit(_evidence(top, second), right)
    return np.array([*model.coef_[0], model.intercept_[0]])


def calibrated(top: Floats, second: Floats, numbers: Floats) -> Floats:
    """校准后的概率: of the first class being right."""
    return 1 / (1 + np.exp(-(_evidence(top, second) @ numbers[:-1] + numbers[-1])))


def first_two(share: Floats) -> tuple[Floats, Floats]:
    """The highest and the second highest of each row."""
    part = np.partition(share, -2, axis=1)
    return part[:, -1], part[:, -2]


def cross_fitted(top: Floats, second: Floats, right: NDArray[np.bool_], folds: int = 5) -> Floats:
    """交叉校准: each text's calibrated probability by a calibration that has not seen it."""
    fold = np.random.default_rng(0).permutation(len(top)) % folds
    stated = np.empty(len(top))
    for one in range(folds):
        rest, held = fold != one, fold == one
        stated[held] = calibrated(
            top[held], second[held], fit_calibration(top[rest], second[rest], right[rest])
        )
    return stated


def expected_calibration_error(probability: Floats, right: NDArray[np.bool_], bins: int = 10) -> float:
    """ECE: mean gap between stated and observed frequency, ten bins of equal width, weighted by size."""
    place = np.minimum((probability * bins).astype(int), bins - 1)
    gap = 0.0
    for one in range(bins):
        rows = place == one
        if rows.any():
            gap += abs(probability[rows].mean() - right[rows].mean()) * rows.mean()
    return float(gap)
