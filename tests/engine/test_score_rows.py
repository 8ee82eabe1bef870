"""评分的先后: a pair has its score whoever is scored with it, and few rows are learned by one thread."""

from __future__ import annotations

import numpy as np
import pytest
from joblib import cpu_count
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.utils._openmp_helpers import _openmp_effective_n_threads
from sklearn.utils.parallel import _get_threadpool_controller

from engine.score import ConditionScorer, PairCombiner
from engine.score_joint import logit
from tests.engine.made_up import made


def test_a_pair_has_its_score_whoever_is_scored_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nights take scores over: of few pairs, of one and of all the same to the last bit, and as scikit-learn's checked way has it."""
    X, y = made(1200)
    scorer = ConditionScorer().fit(X, y)
    whole, places = scorer.held(X, range(4)), range(4)
    assert whole.tobytes() == scorer.predict_proba(X)[:, 1].tobytes()
    for half in scorer.halves_:
        checked = half.trees.predict_proba(half.chosen.of(X))[:, 1]
        assert half.raw(X).tobytes() == logit(checked).tobytes()
    rng = np.random.default_rng(4)
    table = rng.random((1200, 5))
    table[:, 3] = rng.integers(1, 5, 1200)
    table[rng.random(1200) < 0.3, 4] = np.nan
    combiner = PairCombiner().fit(
        table, (rng.random(1200) < table[:, 0]).astype(int), rng.integers(0, 3, 1200)
    )
    pairs = combiner.held(table, 2)
    assert pairs.tobytes() == combiner.predict_proba(table, np.full(1200, 2))[:, 1].tobytes()
    for size in (1, 2, 3, 7, 16, 333):
        some = np.sort(rng.choice(1200, size, replace=False))
        assert scorer.held(X[some], places).tobytes() == whole[some].tobytes()
        assert combiner.held(table[some], 2).tobytes() == pairs[some].tobytes()
    monkeypatch.setattr("engine.score.WORTH_THREADS", 1)
    assert scorer.held(X, places).tobytes() == whole.tobytes()


def test_few_rows_are_learned_by_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads wait for each other at every step of some microseconds; two took a hundred times one's while others worked too."""
    seen = []
    own = HistGradientBoostingClassifier.fit

    def fit(self, *given):
        seen.append(_openmp_effective_n_threads())
        return own(self, *given)

    monkeypatch.setattr(HistGradientBoostingClassifier, "fit", fit)
    X, y = made(400)
    with _get_threadpool_controller().limit(limits=2, user_api="openmp"):
        ConditionScorer().fit(X, y)
        assert seen == [1, 1]
        assert _openmp_effective_n_threads() == min(2, cpu_count()), "given back"
        monkeypatch.setattr("engine.score.WORTH_LEARNING", 1)
        ConditionScorer().fit(X, y)
    assert seen[2:] == [min(2, cpu_count())] * 2
