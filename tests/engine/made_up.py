"""造出来的学习数据: rows with gaps whose answer hangs on three of four columns, two of them together."""

from __future__ import annotations

import numpy as np


def made(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """造数据: a table of shape (n, 4) with one value in seven missing, and answers 0 or 1, the same for the same seed."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    y = (rng.random(n) < 1 / (1 + np.exp(-2 * X[:, 0] * X[:, 1] - X[:, 2]))).astype(int)
    X[rng.random(X.shape) < 0.15] = np.nan
    return X, y
