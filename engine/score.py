"""评分: calibrated probabilities that an unknown condition, and a 待核实 pair, will turn out 符合.

scikit-learn's contract: `__init__` stores, `fit` learns names ending `_`, a seed makes it deterministic.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special
from scipy.optimize import minimize
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.utils._openmp_helpers import _openmp_effective_n_threads
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.parallel import _get_threadpool_controller
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from engine.score_joint import EDGE, expit, logit, shifted
from engine.score_screen import Chosen, choose
from engine.score_trees import joined, pack_trees, parted, probability, unpack_trees

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
WORTH_THREADS = 4096  # rows from which trees are asked in threads
WORTH_LEARNING = 16_384  # and learned
SINGLE = "一个估计器只学一个是非问题：答案要正好有两种，这里有 {} 种"

__all__ = ["EDGE", "ConditionScorer", "PairCombiner", "expit", "logit"]


class Binary(ClassifierMixin, BaseEstimator):
    """是非估计器: what both scorers share of scikit-learn's contract: two classes, missing values welcome."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_class = False
        return tags

    def _table(self, X: ArrayLike, reset: bool = False) -> Floats:
        return validate_data(self, X, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan")

    def _answers(self, X: ArrayLike, y: ArrayLike) -> tuple[Floats, Ints]:
        """X and y as numbers; 0/1 stay what they are, other labels go by their order. Raises ValueError."""
        table, given = validate_data(self, X, y, dtype=np.float64, ensure_all_finite="allow-nan")
        check_classification_targets(given)
        kinds = np.unique(given)
        self.only_ = kinds[0].item() if len(kinds) == 1 else None
        if set(kinds.tolist()) <= {0, 1}:  # also True and False; one kind alone is a base rate like any other
            self.classes_ = np.array([0, 1])
            return table, given.astype(np.int64)
        if len(kinds) > 2:
            raise ValueError(
                f"Only binary classification is supported. The type of the target is multiclass. {SINGLE.format(len(kinds))}"
            )
        if len(kinds) < 2:
            raise ValueError(f"Classifier can't train when only one class is present. {SINGLE.format(1)}")
        self.classes_ = kinds
        return table, (given == kinds[1]).astype(np.int64)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """更可能的答案: for scikit-learn's tools; the product shows probabilities only. One kind seen, one kind said."""
        check_is_fitted(self)
        if self.only_ is not None:
            return np.full(len(self._table(X)), self.classes_[int(self.only_)])
        return self.classes_[(self.predict_proba(X)[:, 1] >= 0.5).astype(int)]


@dataclass
class Half:
    """半边模型: the columns chosen for and the trees learned on one half of the firms."""

    chosen: Chosen
    trees: Any

    def __getstate__(self) -> dict[str, Any]:
        """As it is kept in a file: few arrays, each long."""
        knots = self.chosen.knots
        chosen = replace(self.chosen, knots={})
        state = {"chosen": chosen, "trees": pack_trees(self.trees)}
        return state | ({"places": list(knots), "knots": joined(list(knots.values()))} if knots else {})

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.chosen, self.trees = state["chosen"], state["trees"]
        if isinstance(self.trees, dict):  # else a file from before trees were packed
            self.trees = unpack_trees(self.trees)
            if "knots" in state:
                knots = dict(zip(state["places"], parted(state["knots"]), strict=True))
                self.chosen = replace(self.chosen, knots=knots)

    def raw(self, table: Floats, places: Sequence[int] | None = None) -> Floats:
        """对数几率, before calibration."""
        threads = _openmp_effective_n_threads() if len(table) >= WORTH_THREADS else 1
        return logit(probability(self.trees, self.chosen.of(table, places), threads))


class ConditionScorer(Binary):
    """条件评分器: two cross-fitted boosted models with native missing values, calibrated on what each did not see.

    Fewer than `least` answers of either kind in a half: the base rate alone (`fallback_`).
    """

    def __init__(
        self,
        keep: int = 32,
        products: int = 8,
        rounds: int = 35,
        least: int = 12,
        leaf: int = 15,
        seed: int = 0,
    ):
        self.keep = keep
        self.leaf = leaf
        self.products = products
        self.rounds = rounds
        self.least = least
        self.seed = seed

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        fold: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> ConditionScorer:
        """学习: X (n, features) with NaN, y 0/1, `fold` 0/1 of each row (rows of one firm together)."""
        table, answer = self._answers(X, y)
        counts = _check_sample_weight(sample_weight, table)
        self.base_rate_ = float(((counts * answer).sum() + 1) / (counts.sum() + 2))
        self.n_known_ = len(answer)
        half = np.arange(len(answer)) % 2 if fold is None else np.asarray(fold).astype(np.int64)
        self.halves_: list[Half] = []
        self.fallback_ = min(_fewest(answer[half == k]) for k in (0, 1)) < self.least
        if not self.fallback_:
            with threads_worth(len(answer)):
                self._learn(table, answer, counts, half)
        return self

    def _learn(self, table: Floats, answer: Ints, counts: Floats, half: Ints) -> None:
        for k in (0, 1):
            chosen = choose(table[half != k], answer[half != k], self.keep, self.products)
            if not chosen.width:
                self.fallback_, self.halves_ = True, []
                return
            with threads_worth(int((half != k).sum())):
                trees = self._trees().fit(chosen.of(table[half != k]), answer[half != k], counts[half != k])
            self.halves_.append(Half(chosen, trees))
        unseen = np.where(half == 0, *(part.raw(table) for part in self.halves_))
        fitted = LogisticRegression(C=10.0).fit(unseen[:, None], answer, counts)
        self.slope_, self.shift_ = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])

    @property
    def used(self) -> list[int]:
        """看的列: places of the columns it looks at, ascending."""
        found = {int(c) for part in self.halves_ for c in (*part.chosen.columns, *part.chosen.knots)}
        return sorted(found)

    def _trees(self) -> HistGradientBoostingClassifier:
        return HistGradientBoostingClassifier(
            max_iter=self.rounds, learning_rate=0.1, max_leaf_nodes=12, min_samples_leaf=self.leaf,
            l2_regularization=2.0, early_stopping=False, random_state=self.seed,
        )  # fmt: skip

    def predict_proba(self, X: ArrayLike, fold: ArrayLike | None = None) -> Floats:
        """概率, shape (n, 2); with `fold`, by the model that has not seen the row's firm."""
        check_is_fitted(self)
        p = self._held(self._table(X), None, fold)
        return np.column_stack([1 - p, p])

    def held(self, table: Floats, places: Sequence[int]) -> Floats:
        """成立的概率, shape (n,), from a table of only the columns at `places`, which hold all that are `used`."""
        return self._held(table, places, None)

    def _held(self, table: Floats, places: Sequence[int] | None, fold: ArrayLike | None) -> Floats:
        if self.fallback_:
            return np.full(len(table), self.base_rate_)
        each = [part.raw(table, places) for part in self.halves_]
        raw = (each[0] + each[1]) / 2 if fold is None else np.where(np.asarray(fold) == 0, *each)
        return expit(self.slope_ * raw + self.shift_)


def threads_worth(rows: int) -> AbstractContextManager[Any]:
    """几个线程: one where there are few rows. Trees of some thousand rows are grown in steps of microseconds; threads wait for
    each other at every one, and where others use the processors too, most of the time."""
    if rows >= WORTH_LEARNING:
        return nullcontext()
    return _get_threadpool_controller().limit(limits=1)


def _fewest(answer: Ints) -> int:
    return int(min(answer.sum(), len(answer) - answer.sum())) if len(answer) else 0


FIRST = np.array(
    [1.0, 0.0, 0.0, 0.0]
)  # what is known before anything is learned: the joint probability as it is


def drawn_to(prior: Floats, X: Floats, y: Ints, counts: Floats, firm: float) -> tuple[Floats, float]:
    """逻辑回归, its slopes drawn to `prior` by a ridge of `firm`; the constant is free. Returns slopes and constant."""
    table = np.column_stack([X, np.ones(len(X))])
    start = np.append(prior, 0.0)
    ridge = np.append(np.full(len(prior), firm), 1e-6)

    def loss(at: Floats) -> tuple[float, Floats]:
        z, off = table @ at, at - start
        cost = (counts * (np.logaddexp(0, z) - y * z)).sum() + 0.5 * (ridge * off**2).sum()
        return float(cost), table.T @ (counts * (special.expit(z) - y)) + ridge * off

    found = minimize(loss, start, jac=True, method="L-BFGS-B").x
    return found[:-1], float(found[-1])


class PairCombiner(Binary):
    """合成器: what the joint probability of a pair's unknown conditions is worth, learned on pairs with known answers.

    X (n, 5): joint probability, product, least of them, how many there are, and a second opinion on the whole pair (NaN
    where there is none). A pair that is still open was let through by everything known of it, which the conditions one by
    one don't know; each group (item) may be shifted.
    """

    def __init__(self, least: int = 40, stiff: float = 25.0, firm: float = 300.0):
        self.least = least
        self.firm = firm
        self.stiff = stiff

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        group: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> PairCombiner:
        """学习: `group` numbers the item of each row; its shift is held back by `stiff` pairs' worth of doubt."""
        table, answer = self._answers(X, y)
        counts = _check_sample_weight(sample_weight, table)
        self.weights_, self.shift_ = FIRST.copy(), 0.0
        self.shifts_: dict[int, float] = {}
        self.mix_ = [1.0, 0.0, 0.0]
        if _fewest(answer) < self.least:
            return self
        self.weights_, self.shift_ = drawn_to(FIRST, described(table), answer, counts, self.firm)
        if group is not None:
            raw, of = described(table) @ self.weights_ + self.shift_, np.asarray(group).astype(np.int64)
            for g in np.unique(of):
                at = of == g
                self.shifts_[int(g)] = shifted(raw[at], answer[at], self.stiff, counts[at])
        self._mix(table, answer, group, counts)
        return self

    def _mix(self, table: Floats, answer: Ints, group: ArrayLike | None, counts: Floats) -> None:
        """How much the second opinion counts: never against the first, and only where there are enough of both."""
        second = second_opinion(table)
        at = np.flatnonzero(~np.isnan(second))
        if _fewest(answer[at]) < self.least:
            return
        first = self._first(table, group)[at]
        pair = np.column_stack([first, second[at]])
        both, shift = drawn_to(np.array([0.8, 0.2]), pair, answer[at], counts[at], self.firm)
        a, b = np.maximum(both, 0.0)
        self.mix_ = [float(a), float(b), shift]

    def _first(self, table: Floats, group: ArrayLike | None) -> Floats:
        raw = self._weighed(table)
        if group is not None and self.shifts_:
            of = np.asarray(group).astype(np.int64)
            size = max(int(of.max(initial=0)), max(self.shifts_)) + 1
            shift = np.zeros(size)
            shift[list(self.shifts_)] = list(self.shifts_.values())
            raw = raw + shift[of]
        return raw

    def _weighed(self, table: Floats) -> Floats:
        """Column by column: a product of matrices may add up a row in another order among other rows."""
        parts = described(table).T
        raw = parts[0] * self.weights_[0]
        for part, weight in zip(parts[1:], self.weights_[1:], strict=True):
            raw = raw + part * weight
        return raw + self.shift_

    def predict_proba(self, X: ArrayLike, group: ArrayLike | None = None) -> Floats:
        """概率, shape (n, 2)."""
        check_is_fitted(self)
        table = self._table(X)
        p = self._mixed(self._first(table, group), table)
        return np.column_stack([1 - p, p])

    def held(self, table: Floats, group: int) -> Floats:
        """成立的概率, shape (n,), of pairs of one item: what `predict_proba` answers, without its checks."""
        return self._mixed(self._weighed(table) + self.shifts_.get(group, 0.0), table)

    def _mixed(self, raw: Floats, table: Floats) -> Floats:
        second = second_opinion(table)
        mixed = self.mix_[0] * raw + self.mix_[1] * np.nan_to_num(second) + self.mix_[2]
        return expit(np.where(np.isnan(second), raw, mixed))


def second_opinion(table: Floats) -> Floats:
    """第二意见, as log odds; NaN where there is none."""
    if table.shape[1] < 5:
        return np.full(len(table), np.nan)
    return np.where(np.isnan(table[:, 4]), np.nan, logit(np.nan_to_num(table[:, 4], nan=0.5)))


def described(table: Floats) -> Floats:
    """合成特征: log odds of the joint probability, what product and least differ from it, and the count."""
    full = np.nan_to_num(table, nan=0.5)
    padded = np.pad(full, ((0, 0), (0, max(0, 4 - full.shape[1]))), constant_values=0.5)
    joint, product, least = (logit(padded[:, k]) for k in range(3))
    return np.column_stack([joint, product - joint, least - joint, np.log(np.maximum(padded[:, 3], 1.0))])
