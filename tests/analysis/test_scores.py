"""评分: only 待核实 rows have one, it survives its file, and changing every score changes no verdict."""

from __future__ import annotations

import copy
import os
from datetime import date
from pathlib import Path

import numpy as np
import pytest

import policies
from analysis.scores import Scoring, score_hits
from analysis.scores_evaluate import answered, collect, hide
from analysis.scores_figures import HeldOut, captured, ece, gain, measures, skill
from analysis.scores_file import load, save
from analysis.scores_learn import learn
from analysis.scores_reason import reasons
from analysis.scores_second import second_population
from engine.columns import Selected
from engine.evaluate import Frame
from engine.matching import OPEN, live, match
from policies.library import load_library
from profiles.dictionary import builtin_dictionary
from store.scores import ModelFileError, save_model

DAY = date(2026, 6, 15)


@pytest.fixture(scope="module")
def made():
    library = load_library(Path(policies.__file__).with_name("library"), builtin_dictionary())
    items = [
        b
        for b in live(library.programs, DAY)
        if b.program.item.id.startswith(("bs-2025-04", "bs-2025-05", "cn-2017-115"))
    ]
    columns = hide(second_population(300, 1, builtin_dictionary()), 1)
    return items, columns, learn(items, columns)


def test_only_open_pairs_are_scored_and_no_score_changes_a_verdict(made) -> None:
    items, columns, model = made
    before = match(items, columns, DAY)
    kept = [h.verdict.copy() for h in before]
    scores = score_hits(columns, items, before, model)
    for found in before:
        score = scores[found.item]
        assert np.array_equal(np.isnan(score), found.verdict != OPEN)
        assert np.all((score[found.verdict == OPEN] > 0) & (score[found.verdict == OPEN] < 1))
    model = copy.deepcopy(model)
    for scorer in model.scorers.values():
        scorer.base_rate_ = 1 - scorer.base_rate_
        if not scorer.fallback_:
            scorer.shift_ += 5
    model.combiner.shift_ -= 3
    changed = score_hits(columns, items, before, model)
    assert any(not np.array_equal(scores[i], changed[i], equal_nan=True) for i in scores)
    for was, now, first in zip(kept, match(items, columns, DAY), before, strict=True):
        assert np.array_equal(was, now.verdict) and np.array_equal(was, first.verdict)


def test_a_model_comes_back_from_its_file_and_a_touched_file_does_not(made, tmp_path: Path) -> None:
    items, columns, model = made
    version = save(model, tmp_path, {"firms": len(columns)})
    hits = match(items, columns, DAY)
    ours, kept = score_hits(columns, items, hits, model), score_hits(columns, items, hits, load(tmp_path))
    assert all(np.array_equal(ours[i], kept[i], equal_nan=True) for i in ours)
    path = tmp_path / "scores" / f"{version}.skops"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ModelFileError, match="版本号不符"):
        load(tmp_path)
    strange = save_model({"plan": os.path.join}, tmp_path, {})
    with pytest.raises(ModelFileError, match=r"不认识的类型：posixpath\.join"):
        load(tmp_path, strange)


def test_the_measures_on_known_figures() -> None:
    y = np.array([1.0, 0, 1, 0])
    assert ece(np.full(4, 0.5), y) == 0 and ece(np.full(4, 0.9), y) == pytest.approx(0.4)
    assert skill(y, y, np.full(4, 0.5)) == 1
    released = np.array([0, 0, 0, 0, 0, 0, 0, 0, 0, 7.0])
    assert captured(np.arange(10.0), released) == 1 and captured(-np.arange(10.0), released) == 0


def test_rates_are_of_the_firms_that_are_asked_not_of_those_that_happen_to_be_known(made) -> None:
    """A rule fails by one fact and holds only by all, so the known fail more often than the rest."""
    items, columns, model = made
    truth, now = Frame(second_population(300, 1, builtin_dictionary())), Frame(columns)
    weighed, plain = [], []
    for tree in {t for b in items for t in b.conditions if model.scorer(t) is not None}:
        waiting = now.tree(tree, {}).unknown & ~truth.tree(tree, {}).unknown
        if waiting.sum() < 30:
            continue
        really = truth.tree(tree, {}).sure[waiting].mean()
        known = now.tree(tree, {}).sure[~now.tree(tree, {}).unknown].mean()
        weighed.append(abs(model.scorer(tree).base_rate_ - really))
        plain.append(abs(known - really))
    assert len(plain) > 8 and np.mean(weighed) < np.mean(plain)


def test_the_reason_says_what_taking_a_fact_away_would_do(made) -> None:
    items, columns, model = made
    told = []
    for bound, hits in zip(items, match(items, columns, DAY), strict=True):
        for k in np.flatnonzero(hits.verdict == OPEN)[:3]:
            one = Selected(columns, hits.rows[[k]])
            unknown = [name for name, on in zip(bound.ids, hits.unknown[k], strict=True) if on]
            for reason in reasons(model, one, bound, unknown):
                told.append(reason.words)
                if reason.p is not None:
                    place = bound.ids.index(reason.id)
                    assert reason.p == Scoring(model, one).condition(bound, place, np.array([0]))[0]
    assert any("使估计升高" in w for w in told) and any("使估计降低" in w for w in told)
    assert any("家已知企业中" in w for w in told) and not any(
        "估计 100%" in w or "估计 0%" in w for w in told
    )


def test_what_joining_gains_is_told_with_an_error_of_firms_not_of_pairs() -> None:
    y, product, joined = np.array([1.0, 0, 1, 1]), np.full(4, 0.5), np.array([1.0, 0, 1, 0])
    alone, error = gain(joined, product, y, np.arange(4.0))
    assert alone == pytest.approx((0.25 * 3 - 0.75) / 4)
    assert error == pytest.approx(np.sqrt(3 * 0.25**2 + 0.75**2) / 4)
    assert gain(joined, product, y, np.zeros(4))[1] == pytest.approx(0)  # one firm: its pairs are the whole


def test_pairs_that_wait_for_a_person_are_measured_apart() -> None:
    library = load_library(Path(policies.__file__).with_name("library"), builtin_dictionary())
    items = [b for b in live(library.programs, DAY) if b.program.item.subject == "企业"]
    truth = second_population(240, 3, builtin_dictionary())
    found = collect(items, hide(truth, 3), truth, DAY, 3, answered(items, truth, 3))
    asked = found.pair[:, 8] > 0
    assert asked.any() and not asked.all()
    told, without = measures(found), measures(HeldOut(found.condition, found.pair[~asked]))
    assert told["asked_pairs"] == asked.sum() and "asked_pairs" not in without
    for key in ("pairs", "pair_ece", "pair_brier_skill", "several_gain", "several_gain_error"):
        assert told[key] == pytest.approx(without[key])
