"""评分器: the estimators' contract, calibration on what they have not seen, and the base rate where little is known."""

from __future__ import annotations

import numpy as np
from sklearn.base import clone

from engine.score import ConditionScorer, PairCombiner


def _made(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    y = (rng.random(n) < 1 / (1 + np.exp(-2 * X[:, 0] * X[:, 1] - X[:, 2]))).astype(int)
    X[rng.random(X.shape) < 0.15] = np.nan
    return X, y


def test_a_condition_is_scored_better_than_by_its_base_rate() -> None:
    X, y = _made(1500)
    scorer = ConditionScorer().fit(X, y)
    fresh, held = _made(1500, 1)
    p = scorer.predict_proba(fresh)[:, 1]
    assert np.mean((p - held) ** 2) < 0.9 * held.var()
    assert abs(p.mean() - held.mean()) < 0.04


def test_the_same_seed_gives_the_same_scores_and_clone_forgets() -> None:
    X, y = _made(400)
    first = ConditionScorer(seed=3).fit(X, y)
    again = clone(first)
    assert not hasattr(again, "models_")
    assert np.array_equal(first.predict_proba(X), again.fit(X, y).predict_proba(X))


def test_few_answers_leave_the_base_rate() -> None:
    X, y = _made(400)
    y[:] = 0
    y[:3] = 1
    scorer = ConditionScorer().fit(X, y)
    assert scorer.fallback_ and np.allclose(scorer.predict_proba(X)[:, 1], 4 / 402)


def test_a_fact_never_known_is_no_obstacle() -> None:
    X, y = _made(400)
    X[:, 3] = np.nan
    assert not ConditionScorer().fit(X, y).fallback_


def test_conditions_that_go_together_are_likelier_than_their_product() -> None:
    rng = np.random.default_rng(0)
    held = rng.random(2000) < 0.5
    p = np.column_stack([np.full(2000, 0.5), np.full(2000, 0.5)])
    combiner = PairCombiner().fit(p, held)
    assert 0.45 < combiner.predict_proba(p)[0, 1] <= 0.5
    alone = np.array([[0.3, np.nan]])
    assert combiner.predict_proba(alone)[0, 1] == 0.3
