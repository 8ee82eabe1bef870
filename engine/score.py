"""评分: calibrated probabilities that an unknown condition, and a 待核实 pair, will turn out 符合.

scikit-learn's contract: `__init__` stores, `fit` learns names ending `_`, a seed makes it deterministic.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

Floats = NDArray[np.float64]
EDGE = 1e-4  # no learned probability is nearer to 0 or 1: only a rule is certain


def logit(p: ArrayLike) -> Floats:
    """对数几率, of probabilities kept off the ends."""
    inside = np.clip(np.asarray(p, float), EDGE, 1 - EDGE)
    return np.log(inside / (1 - inside))


def expit(z: ArrayLike) -> Floats:
    """概率, of log odds."""
    return np.clip(1 / (1 + np.exp(-np.clip(np.asarray(z, float), -30, 30))), EDGE, 1 - EDGE)


def screen(X: Floats, y: NDArray[np.int64], keep: int) -> NDArray[np.intp]:
    """筛选特征: the columns whose rank, middle-ness or missingness goes most with the answer; ascending."""
    filled = np.where(np.isnan(X), np.nanmin(X, axis=0, initial=0.0) - 1, X)
    ranks = filled.argsort(0, kind="stable").argsort(0, kind="stable") / max(1, len(X) - 1) - 0.5
    shapes = (ranks, np.abs(ranks), np.isnan(X).astype(float))
    strength = np.max([_correlation(shape, y) for shape in shapes], axis=0)
    return np.sort(np.argsort(-strength, kind="stable")[:keep])


def _correlation(X: Floats, y: NDArray[np.int64]) -> Floats:
    centred, answer = X - X.mean(0), y - y.mean()
    spread = np.sqrt((centred**2).sum(0) * (answer**2).sum())
    return np.abs(centred.T @ answer) / np.where(spread > 0, spread, np.inf)


class ConditionScorer(ClassifierMixin, BaseEstimator):
    """条件评分器: two cross-fitted boosted models with native missing values, calibrated on what each did not see.

    Fewer than `least` answers of either kind: the base rate alone (`fallback_`).
    """

    def __init__(self, keep: int = 32, rounds: int = 35, least: int = 12, seed: int = 0):
        self.keep = keep
        self.rounds = rounds
        self.least = least
        self.seed = seed

    def fit(self, X: ArrayLike, y: ArrayLike, fold: ArrayLike | None = None) -> ConditionScorer:
        """学习: X (n, features) with NaN, y 0/1, `fold` 0/1 of each row (rows of one firm together)."""
        table, answer = np.asarray(X, float), np.asarray(y).astype(np.int64)
        self.classes_ = np.array([0, 1])
        self.n_features_in_ = table.shape[1]
        self.base_rate_ = float((answer.sum() + 1) / (len(answer) + 2))
        self.n_known_ = len(answer)
        half = np.arange(len(answer)) % 2 if fold is None else np.asarray(fold).astype(np.int64)
        enough = min(_fewest(answer[half == k]) for k in (0, 1)) >= self.least and table.shape[1] > 0
        self.fallback_ = not enough
        self.models_: list[Any] = []
        if not enough:
            return self
        lively = np.flatnonzero(np.logical_and.reduce([_varies(table[half == k]) for k in (0, 1)]))
        self.fallback_ = not len(lively)
        if self.fallback_:
            return self
        self.columns_ = lively[screen(table[:, lively], answer, self.keep)]
        table = table[:, self.columns_]
        self.models_ = [self._model().fit(table[half != k], answer[half != k]) for k in (0, 1)]
        unseen = np.where(half == 0, *(logit(m.predict_proba(table)[:, 1]) for m in self.models_))
        fitted = LogisticRegression(C=10.0).fit(unseen[:, None], answer)
        self.slope_, self.shift_ = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
        return self

    def _model(self) -> HistGradientBoostingClassifier:
        return HistGradientBoostingClassifier(
            max_iter=self.rounds, learning_rate=0.1, max_leaf_nodes=12, min_samples_leaf=15,
            l2_regularization=2.0, early_stopping=False, random_state=self.seed,
        )  # fmt: skip

    def predict_proba(self, X: ArrayLike, fold: ArrayLike | None = None) -> Floats:
        """概率, shape (n, 2); with `fold`, by the model that has not seen the row's firm."""
        table = np.asarray(X, float)
        if self.fallback_:
            p = np.full(len(table), self.base_rate_)
            return np.column_stack([1 - p, p])
        each = [logit(m.predict_proba(table[:, self.columns_])[:, 1]) for m in self.models_]
        raw = (each[0] + each[1]) / 2 if fold is None else np.where(np.asarray(fold) == 0, *each)
        p = expit(self.slope_ * raw + self.shift_)
        return np.column_stack([1 - p, p])

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """更可能的答案: for scikit-learn's tools; the product shows probabilities only."""
        return self.classes_[(self.predict_proba(X)[:, 1] >= 0.5).astype(int)]


def _varies(X: Floats) -> NDArray[np.bool_]:
    """Columns with two known values at least: a half in which a fact is never known can't be binned."""
    known = ~np.isnan(X)
    return np.where(known, X, np.inf).min(0) < np.where(known, X, -np.inf).max(0)


def _fewest(answer: NDArray[np.int64]) -> int:
    return int(min(answer.sum(), len(answer) - answer.sum())) if len(answer) else 0


class PairCombiner(ClassifierMixin, BaseEstimator):
    """合成器: conditions of one pair go together, so their product is too small; learned on pairs with known answers.

    X (n, k): probabilities of the pair's unknown conditions, NaN where a condition is not unknown.
    """

    def __init__(self, least: int = 60):
        self.least = least

    def fit(self, X: ArrayLike, y: ArrayLike) -> PairCombiner:
        """学习."""
        table, answer = np.asarray(X, float), np.asarray(y).astype(np.int64)
        self.classes_ = np.array([0, 1])
        self.n_features_in_ = table.shape[1]
        several = (~np.isnan(table)).sum(1) >= 2
        self.model_ = None
        if _fewest(answer[several]) >= self.least:
            self.model_ = LogisticRegression(C=1.0, max_iter=1000).fit(
                combined(table[several]), answer[several]
            )
        return self

    def predict_proba(self, X: ArrayLike) -> Floats:
        """概率, shape (n, 2); one unknown condition keeps its own."""
        table = np.asarray(X, float)
        p = np.nanprod(table, axis=1)
        several = (~np.isnan(table)).sum(1) >= 2
        if self.model_ is not None and several.any():
            p[several] = self.model_.predict_proba(combined(table[several]))[:, 1]
            p = np.minimum(
                p, np.nanmin(table, axis=1, initial=1.0)
            )  # no pair is likelier than its least condition
        return np.column_stack([1 - p, p])

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """更可能的答案."""
        return self.classes_[(self.predict_proba(X)[:, 1] >= 0.5).astype(int)]


def combined(p: Floats) -> Floats:
    """合成特征: log odds of the product and of the least, and how many there are."""
    count = (~np.isnan(p)).sum(1)
    return np.column_stack([logit(np.nanprod(p, axis=1)), logit(np.nanmin(p, axis=1)), np.log(count)])
