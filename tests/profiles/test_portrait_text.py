"""Text tags: cutting and caching of clauses, calibration, storage without code, and what the bundled model can do."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from engine import text
from profiles import portrait_calibration, portrait_linear, portrait_tags, portrait_text, sample
from profiles.portrait_text import Features, IndustryClassifier, name_words, scope_clauses

SECTIONS = {"39": "C", "65": "I", "58": "G"}
TEXTS = [
    "传感器制造",
    "敏感元件制造",
    "集成电路制造",
    "芯片制造",
    "软件开发",
    "应用软件开发",
    "数据处理服务",
    "货运代理",
    "国际货物运输代理",
]
CODES = ["3983", "3983", "3973", "3973", "6513", "6513", "6550", "5821", "5821"]


@pytest.fixture(scope="module")
def small() -> IndustryClassifier:
    return IndustryClassifier(SECTIONS).fit(TEXTS, CODES)


def test_clauses_are_cut_without_boilerplate_headings_and_negated_brackets():
    scope = (
        "一般项目：软件开发；道路货物运输（不含危险货物）,五金、交电的批发。"
        "（除依法须经批准的项目外，凭营业执照依法自主开展经营活动）许可项目：药品生产"
    )
    assert scope_clauses(scope) == ["软件开发", "道路货物运输", "五金、交电的批发", "药品生产"]
    assert scope_clauses("依法须经批准的项目，经相关部门批准后方可开展经营活动") == []
    assert portrait_text.made_clauses(["软件开发", "软件销售", "软件的开发、销售"]) == [
        "软件开发",
        "软件的开发、销售",
    ]
    assert name_words("天津甲乙货运代理有限公司") == "甲乙货运代理"


def test_each_distinct_clause_is_segmented_once_and_means_the_same(monkeypatch):
    calls: list[str] = []
    real = text._cut
    monkeypatch.setattr(text, "_cut", lambda part: calls.append(part) or real(part))
    features = Features()
    first = features.rows_of(["软件开发", "货运代理", "软件开发"])
    again = features.rows_of(["货运代理", "软件开发"])
    assert calls == ["软件开发", "货运代理"] and features.segmented == 2
    assert list(first) == [0, 1, 0] and list(again) == [1, 0]
    alone = Features()
    alone.rows_of(["货运代理"])
    assert (features.matrix()[1] != alone.matrix()[0]).nnz == 0


def test_probabilities_sum_to_one_at_every_level_and_know_what_they_learned(small):
    share = small.probabilities(small.texts(["智能传感器制造", "货运代理服务"]))
    assert share.sum(axis=1) == pytest.approx([1, 1])
    for level in portrait_text.LEVELS:
        sums, names = small.at_level(share, level)
        assert sums.sum(axis=1) == pytest.approx([1, 1])
        assert names[sums.argmax(axis=1)].tolist() == [small.code_at(c, level) for c in ("3983", "5821")]


def test_fit_is_deterministic_and_init_only_stores(small):
    again = IndustryClassifier(SECTIONS)
    assert vars(again) == {"sections": SECTIONS}
    again.fit(TEXTS, CODES)
    x = small.texts(TEXTS)
    np.testing.assert_array_equal(small.probabilities(x), again.probabilities(x))


def test_stored_model_is_plain_arrays_and_predicts_the_same(small, tmp_path: Path):
    path = tmp_path / "m.npz"
    portrait_linear.save_arrays(path, small.arrays())
    first = path.read_bytes()
    portrait_linear.save_arrays(path, small.arrays())
    assert path.read_bytes() == first
    back = IndustryClassifier.from_arrays(portrait_linear.load_arrays(path), SECTIONS)
    x = small.texts(TEXTS)
    np.testing.assert_allclose(back.probabilities(x), small.probabilities(x), atol=0.02)
    with zipfile.ZipFile(path) as archive:
        assert all(b"O" not in archive.open(n).read(128).split(b"descr")[1][:12] for n in archive.namelist())


def test_expected_calibration_error_by_hand():
    # two bins: 0.95 stated, 3 of 4 right (gap 0.20); 0.55 stated, 1 of 2 right (gap 0.05)
    stated = np.array([0.95] * 4 + [0.55] * 2)
    right = np.array([True, True, True, False, True, False])
    assert portrait_calibration.expected_calibration_error(stated, right) == pytest.approx(
        (0.20 * 4 + 0.05 * 2) / 6
    )


def test_calibration_mends_scores_that_boast():
    rng = np.random.default_rng(0)
    truth = rng.uniform(0.2, 0.95, 4000)
    right = rng.random(4000) < truth
    boast = 1 / (1 + np.exp(-3 * np.log(truth / (1 - truth))))
    stated = portrait_calibration.cross_fitted(boast, 1 - boast, right)
    assert portrait_calibration.expected_calibration_error(boast, right) > 0.08
    assert portrait_calibration.expected_calibration_error(stated, right) < 0.03
    with pytest.raises(ValueError, match="校准"):
        portrait_calibration.fit_calibration(boast, 1 - boast, np.ones(4000, dtype=bool))


def test_bundled_models_are_small_and_the_card_meets_its_measures():
    files = [portrait_tags.FOLDER / name for name in ("industry.npz", "themes.npz")]
    assert sum(f.stat().st_size for f in files) < 15_000_000
    card = json.loads((portrait_tags.FOLDER / "model_card.json").read_text("utf-8"))
    for way in ("notes_to_lines", "lines_to_notes"):
        assert all(figures["ece"] <= 0.05 for figures in card[way].values())
    assert card["themes"]["ece"] <= 0.05


def test_bundled_model_reads_scopes_it_was_not_trained_on():
    truth = sample.generate(600, 9).truth
    found = portrait_tags.text_tags(
        truth["企业名称"].tolist(), truth["经营范围"].tolist(), truth["行业代码"].tolist()
    )
    model = portrait_tags.industry_model()
    for level, least in (("门类", 0.88), ("大类", 0.80), ("中类", 0.68)):
        right = [
            next(t.code for t in one.tags if t.level == level) == model.code_at(code[1:], level)
            for one, code in zip(found, truth["行业代码"], strict=True)
        ]
        assert np.mean(right) >= least, level
    disagreeing = [one.agrees["大类"] for one in found]
    assert 0.7 < disagreeing.count(True) / len(found) < 1 and False in disagreeing


def test_proposals_are_ordered_scored_and_silent_where_the_scope_is():
    made = portrait_tags.text_tags(
        ["甲乙传感技术有限公司", "丙丁商贸有限公司", "戊己有限公司"],
        ["敏感元件及传感器制造；智能仪器仪表制造", "钢材批发；建筑材料销售", ""],
        ["C3983", None, "C3983"],
    )
    sensor, trader, silent = made
    for level in portrait_text.LEVELS:
        scores = [t.score for t in sensor.tags if t.level == level]
        assert scores == sorted(scores, reverse=True) and len(scores) == 3
    assert sensor.best("大类").code in ("39", "40") and sensor.agrees["小类"] is not None
    assert not [t for t in trader.tags if t.level == "主题"]  # selling steel is not making new materials
    assert trader.agrees["大类"] is None
    assert silent.tags == () and set(silent.agrees.values()) == {None}
    assert portrait_tags.state_of(0.6) == "标签" and portrait_tags.state_of(0.3) == "待确认"
    assert portrait_tags.state_of(0.29) == "弃权"
