"""评测: no invented item on government texts without a grant, speed, and the trained path on the shared documents."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from policies.decompose.learn import correction_of, keep_correction, load_annotated, relearn
from policies.decompose.pipeline import decompose
from policies.decompose.training import best_threshold
from tests.policies.policy_text import MEASURES

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
needs_shared = pytest.mark.skipif(
    not (SHARED / "eval").is_dir(), reason="评测文本不在仓库里（../shared/eval）"
)


@needs_shared
def test_texts_without_a_grant_make_no_item() -> None:
    texts = [*sorted((SHARED / "eval" / "negatives").glob("*.txt")), SHARED / "seed" / "action_plan.txt"]
    assert len(texts) >= 4
    assert {p.name: len(decompose(p.read_text(encoding="utf-8")).items) for p in texts} == {
        p.name: 0 for p in texts
    }


@needs_shared
def test_annotations_fit_the_way_texts_are_cut() -> None:
    assert len(load_annotated(SHARED / "eval")) == 38


def test_corrections_are_kept_as_annotations_and_checked(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "gold").mkdir()
    (tmp_path / "raw" / "a.txt").write_text(MEASURES, encoding="utf-8")
    kept = correction_of(decompose(MEASURES).as_json(), "a.txt")
    (tmp_path / "gold" / "a.json").write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")
    (doc,) = load_annotated(tmp_path)
    assert doc.role_labels.shape == (len(doc.clauses), 13)
    with pytest.raises(ValueError, match="至少"):
        relearn(tmp_path, [], "2026-01-01")
    kept["clauses"].popitem()
    (tmp_path / "gold" / "a.json").write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")
    with pytest.raises(ValueError, match="同一份原文"):
        load_annotated(tmp_path)


def test_a_decomposition_is_kept_for_correction_once(tmp_path: Path) -> None:
    path = keep_correction(tmp_path, "a", MEASURES, decompose(MEASURES).as_json())
    assert (path, len(load_annotated(tmp_path))) == (tmp_path / "gold" / "a.json", 1)
    with pytest.raises(ValueError, match="另一份原文"):
        keep_correction(tmp_path, "a", MEASURES + "另起一行。", {})


def test_a_threshold_lies_between_the_scores_it_parts() -> None:
    import numpy as np

    assert best_threshold(np.array([0.9, 0.55, 0.35, 0.1]), np.array([1, 1, 0, 0])) == pytest.approx(0.45)
