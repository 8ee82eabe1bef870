"""评分器: the estimators' contract, calibration on what they have not seen, and the base rate where little is known."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
import skops.io
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from engine.columns import Builder
from engine.literal import parse_number
from engine.score import ConditionScorer, PairCombiner
from engine.score_features import ABSENT, features, plan
from engine.score_joint import Together, correlation_of, together
from profiles.dictionary import builtin_dictionary
from tests.engine.made_up import made


def test_a_condition_is_scored_better_than_by_its_base_rate() -> None:
    X, y = made(1500)
    scorer = ConditionScorer().fit(X, y)
    fresh, held = made(1500, 1)
    p = scorer.predict_proba(fresh)[:, 1]
    assert np.mean((p - held) ** 2) < 0.9 * held.var()
    assert abs(p.mean() - held.mean()) < 0.04


def test_the_same_seed_gives_the_same_scores_and_clone_forgets() -> None:
    X, y = made(400)
    first = ConditionScorer(seed=3).fit(X, y)
    again = clone(first)
    assert not hasattr(again, "halves_")
    assert np.array_equal(first.predict_proba(X), again.fit(X, y).predict_proba(X))


def test_few_answers_leave_the_base_rate() -> None:
    X, y = made(400)
    y[:] = 0
    y[:3] = 1
    scorer = ConditionScorer().fit(X, y)
    assert scorer.fallback_ and np.allclose(scorer.predict_proba(X)[:, 1], 4 / 402)


def test_a_fact_never_known_is_no_obstacle() -> None:
    X, y = made(400)
    X[:, 3] = np.nan
    assert not ConditionScorer().fit(X, y).fallback_


def test_two_columns_that_tell_only_together_are_found() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 30))
    y = (X[:, 3] * X[:, 17] > 0).astype(int)
    scorer = ConditionScorer(keep=5).fit(X[:2000], y[:2000])
    assert all((3, 17) in half.chosen.products for half in scorer.halves_)
    p = scorer.predict_proba(X[2000:])[:, 1]
    assert np.mean((p - y[2000:]) ** 2) < 0.15


def test_a_scorer_read_from_a_file_of_few_arrays_answers_to_the_bit() -> None:
    """The file keeps each array by itself: 35 trees a half, of three arrays each, made most of a night's scoring."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(800, 6))
    X[rng.random(X.shape) < 0.2] = np.nan
    y = (np.nan_to_num(X[:, 0]) * np.nan_to_num(X[:, 1]) + np.nan_to_num(X[:, 2]) > 0).astype(int)
    scorer = ConditionScorer().fit(X, y)
    assert any(half.chosen.products for half in scorer.halves_)
    data = skops.io.dumps(scorer)
    again = skops.io.loads(data, trusted=skops.io.get_untrusted_types(data=data))
    assert np.array_equal(scorer.predict_proba(X), again.predict_proba(X))
    assert len(zipfile.ZipFile(io.BytesIO(data)).namelist()) < 70


def test_the_joint_probability_of_normal_variables_is_found_again() -> None:
    rng = np.random.default_rng(1)
    for k, rho, cuts in (
        (2, 0.7, (0.3, -0.2)),
        (3, 0.5, (0.3, -0.2, 0.5)),
        (2, -0.6, (0.3, -0.2)),
        (2, 0.7, (-1.5, -1.3)),
    ):
        corr = np.full((k, k), rho) + (1 - rho) * np.eye(k)
        cut = np.array(cuts)
        drawn = rng.multivariate_normal(np.zeros(k), corr, 200_000) < cut
        p = together(drawn.mean(0)[None, :], corr)[0]
        assert p == pytest.approx(drawn.all(1).mean(), abs=0.01)
    pair = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 20_000) < 0
    seen = Together(np.full((20_000, 2), 0.5), pair, np.ones(20_000))
    assert correlation_of([seen]) == pytest.approx(0.6, abs=0.03)


def test_what_tells_little_of_a_correlation_moves_it_little() -> None:
    """Five hundred pairs in which both hardly ever hold: none did, as with any correlation."""
    seen = Together(np.full((500, 2), 0.001), np.zeros((500, 2), bool), np.ones(500))
    assert correlation_of([seen], 0.3, doubt=16) == pytest.approx(0.3, abs=0.05)


def test_a_pair_is_worth_what_such_pairs_turned_out_to_be() -> None:
    rng = np.random.default_rng(0)
    joint = rng.uniform(0.1, 0.9, 4000)
    group = rng.integers(0, 2, 4000)
    held = rng.random(4000) < 1 / (
        1 + np.exp(-(np.log(joint / (1 - joint)) + np.where(group == 1, 1.0, -1.0)))
    )
    X = np.column_stack([joint, joint, joint, np.ones(4000), np.full(4000, np.nan)])
    combiner = PairCombiner().fit(X, held, group)
    p = combiner.predict_proba(X, group)[:, 1]
    for g in (0, 1):
        assert p[group == g].mean() == pytest.approx(held[group == g].mean(), abs=0.02)
    untaught = PairCombiner().fit(X[:10], held[:10])
    assert np.allclose(untaught.predict_proba(X)[:, 1], joint)


@parametrize_with_checks([ConditionScorer(), PairCombiner(firm=1.0)])
def test_scikit_learns_own_checks(estimator, check) -> None:
    check(estimator)


def test_features_stand_in_the_order_of_their_years_however_the_data_came() -> None:
    """A model learned from one import order is asked by another."""
    builder = Builder(builtin_dictionary(), lambda *_: None, parse_number)
    years = {"2025": 3e6, "2023": 1e6, "2024": 2e6}
    plans = [
        plan(builder.build(["A"], [{"研发费用": dict(given), "参保人数": dict(given)}])).numbers
        for given in (years.items(), sorted(years.items()))
    ]
    assert plans[0] == plans[1] == [(n, y) for n in ("参保人数", "研发费用") for y in (2023, 2024, 2025)]


def test_a_date_that_is_known_not_to_be_is_a_fact_and_an_unknown_number_is_none() -> None:
    """证书有效期 of a firm that a whole register leaves out says something; a turnover nobody told says nothing."""
    dictionary = builtin_dictionary()
    absent = next(
        n for n in dictionary if dictionary[n].kind == "日期" and dictionary[n].absent_means == "无"
    )
    builder = Builder(dictionary, lambda *_: None, parse_number)
    rows = [{absent: "2027-01-01", "研发费用": {"2025": 1e6}}, {}]
    columns = builder.build(["A", "B"], rows)
    wanted = plan(columns)
    table = dict(zip(wanted.names, features(columns, wanted).T, strict=True))
    assert columns.speaks(absent) == "无" and table[absent][1] == ABSENT != table[absent][0]
    assert np.isnan(table["研发费用@2025"][1])


def test_ratios_are_growth_over_the_year_before_and_shares_of_the_newest_year() -> None:
    builder = Builder(builtin_dictionary(), lambda *_: None, parse_number)
    years = {"2023": 1e6, "2024": 2e6, "2025": 3e6}
    wanted = plan(
        builder.build(["A"], [{"研发费用": years, "营业收入": {y: v * 4 for y, v in years.items()}}])
    )
    newest = [
        ("研发费用@2025", "研发费用@2024"),
        ("营业收入@2025", "营业收入@2024"),
        ("研发费用@2025", "营业收入@2025"),
    ]
    assert sorted(wanted.ratios()) == sorted(newest)
