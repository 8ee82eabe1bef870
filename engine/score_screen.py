"""筛选特征: which columns, and which products of two, go with an answer; a pair may tell what neither column shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]
MOST_ROWS = 1500
KNOTS = 33
SURE = 4.5  # a product is used where its correlation is this many standard errors from none


@dataclass
class Chosen:
    """选中的特征: columns by number, products as (first, second) columns, and the quantiles of every column used in one."""

    columns: NDArray[np.intp]
    products: list[tuple[int, int]]
    knots: dict[int, Floats]

    @property
    def width(self) -> int:
        return len(self.columns) + len(self.products)

    def of(self, table: Floats, places: Sequence[int] | None = None) -> Floats:
        """特征表: shape (n, width), NaN where a part is unknown; `places` numbers the columns of a narrower table."""
        at = {c: k for k, c in enumerate(range(table.shape[1]) if places is None else places)}
        out = np.empty((len(table), self.width), order="F")
        for k, column in enumerate(self.columns):
            out[:, k] = table[:, at[int(column)]]
        used = {c: self._rank(table[:, at[c]], c) for pair in self.products for c in pair}
        for k, (a, b) in enumerate(self.products, len(self.columns)):
            out[:, k] = used[a] * used[b]
        return out

    def _rank(self, values: Floats, column: int) -> Floats:
        knots = self.knots[column]
        place = np.interp(values, knots, np.linspace(-0.5, 0.5, len(knots)))
        return np.where(np.isnan(values), np.nan, place)


def choose(table: Floats, answer: NDArray[np.int64], keep: int, products: int) -> Chosen:
    """选特征: `keep` columns by rank, middle-ness or missingness, and up to `products` products of two ranks."""
    X, y = table[:MOST_ROWS], answer[:MOST_ROWS]
    lively = np.flatnonzero(_varies(table))
    if not len(lively):
        return Chosen(lively, [], {})
    X = X[:, lively]
    missing = np.isnan(X)
    filled = np.where(missing, np.nanmin(X, axis=0, initial=0.0) - 1, X)
    ranks = _ranks(filled)
    shapes = (ranks, np.abs(ranks), missing.astype(float))
    strength = np.max([np.abs(_correlation(shape, y)) for shape in shapes], axis=0)
    best = np.argsort(-strength, kind="stable")[:keep]
    found = _products(np.where(missing, 0.0, ranks), y, products)
    inside = set(best.tolist())
    wanted = [c for pair in found for c in pair if c not in inside]
    columns = np.sort(lively[np.array([*best, *dict.fromkeys(wanted)], dtype=np.intp)])
    pairs = [(int(lively[a]), int(lively[b])) for a, b in found]
    knots = {c: _knots(table[:, c]) for pair in pairs for c in pair}
    out = Chosen(columns, pairs, knots)
    alive = _varies(out.of(table))[len(columns) :]  # two facts may never be known of one firm
    return Chosen(columns, [p for p, on in zip(pairs, alive, strict=True) if on], knots)


def _ranks(filled: Floats) -> Floats:
    """Ranks in -0.5..0.5; equal values share their mean place, so that the order of rows plays no part."""
    return (rankdata(filled, axis=0) - 1) / max(1, len(filled) - 1) - 0.5


def _products(ranks: Floats, y: NDArray[np.int64], most: int) -> list[tuple[int, int]]:
    """Pairs of columns whose product goes with the answer beyond what the columns do by themselves."""
    if most <= 0 or ranks.shape[1] < 2:
        return []
    centred = (ranks - ranks.mean(0)).astype(np.float32)
    held = (y - y.mean()).astype(np.float32)
    ridge = centred.T @ centred + np.eye(centred.shape[1], dtype=np.float32) * (0.01 * len(y))
    rest = held - centred @ np.linalg.solve(ridge, centred.T @ held)
    cross = (centred * rest[:, None]).T @ centred
    squares = centred**2
    spread = np.sqrt(squares.T @ squares * (rest**2).mean())
    z = np.triu(np.abs(cross) / np.where(spread > 0, spread, np.inf), 1)
    strong = np.flatnonzero(z > SURE)
    order = strong[np.argsort(-z.ravel()[strong], kind="stable")[:most]]
    return [divmod(int(o), z.shape[1]) for o in order]


def _knots(column: Floats) -> Floats:
    known = column[~np.isnan(column)]
    knots = np.quantile(known, np.linspace(0, 1, KNOTS)) if len(known) else np.zeros(KNOTS)
    return knots + np.arange(KNOTS) * 1e-9 * (1 + np.abs(knots))  # interp needs them ascending


def _correlation(X: Floats, y: NDArray[np.int64]) -> Floats:
    centred, answer = X - X.mean(0), y - y.mean()
    spread = np.sqrt((centred**2).sum(0) * (answer**2).sum())
    return centred.T @ answer / np.where(spread > 0, spread, np.inf)


def _varies(X: Floats) -> NDArray[np.bool_]:
    """Columns with two known values at least: a half in which a fact is never known can't be binned."""
    known = ~np.isnan(X)
    low = np.where(known, X, np.inf).min(0, initial=np.inf)
    return low < np.where(known, X, -np.inf).max(0, initial=-np.inf)
