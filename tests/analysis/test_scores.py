"""评分: only 待核实 rows have one, it survives its file, and changing every score changes no verdict."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

import policies
from analysis.scores import score_hits
from analysis.scores_evaluate import captured, ece, hide, skill
from analysis.scores_file import load, save
from analysis.scores_learn import learn
from analysis.scores_second import second_population
from engine.matching import OPEN, live, match
from policies.library import load_library
from profiles.dictionary import builtin_dictionary
from store.scores import ModelFileError

DAY = date(2026, 6, 15)


@pytest.fixture(scope="module")
def made():
    library = load_library(Path(policies.__file__).with_name("library"), builtin_dictionary())
    items = [
        b for b in live(library.programs, DAY) if b.program.item.id.startswith(("bs-2025-04", "bs-2025-05"))
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


def test_the_measures_on_known_figures() -> None:
    y = np.array([1.0, 0, 1, 0])
    assert ece(np.full(4, 0.5), y) == 0 and ece(np.full(4, 0.9), y) == pytest.approx(0.4)
    assert skill(y, y, np.full(4, 0.5)) == 1
    released = np.array([0, 0, 0, 0, 0, 0, 0, 0, 0, 7.0])
    assert captured(np.arange(10.0), released) == 1 and captured(-np.arange(10.0), released) == 0
