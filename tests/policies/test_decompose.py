"""拆解: roles, items, numbers and what binds them, on invented texts; every quote stands where it says."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from policies.decompose.linear import LinearModel, load_models, save_models
from policies.decompose.model import Decomposition
from policies.decompose.pipeline import MODELS, NAMES, decompose
from policies.segment import segment
from tests.policies.plain_texts import ALL
from tests.policies.policy_text import MEASURES, PLAN


@pytest.fixture(scope="module")
def found() -> Decomposition:
    return decompose(MEASURES)


def _numbers(found: Decomposition) -> list[set[tuple[str, float]]]:
    keys = ("amount", "rate", "cap", "min", "max")
    return [{(k, b[k]) for b in i.benefits for k in keys if k in b} for i in found.items]


def _entries(answer: dict[str, Any]) -> list[dict[str, Any]]:
    general = answer["general"]
    out = [*general["conditions"], *general["exclusions"]]
    for item in answer["items"]:
        for key in ("benefits", "conditions", "exclusions", "materials"):
            out += item[key]
        out += [item["window"]] if item["window"] else []
    return out


def test_every_quote_stands_where_it_says(found: Decomposition) -> None:
    entries = _entries(found.as_json())
    assert len(entries) > 12
    for entry in entries:
        assert MEASURES[entry["start"] :].startswith(entry["quote"])
        assert entry["quote"]


def test_items_carry_their_numbers(found: Decomposition) -> None:
    told = _numbers(found)
    assert {("rate", 0.1), ("cap", 2000000)} in told
    assert {("amount", 1000000), ("amount", 500000)} in told
    assert {("amount", 200000)} in told
    assert any({("rate", 0.3), ("cap", 500000)} <= numbers for numbers in told)


def test_a_threshold_is_no_benefit(found: Decomposition) -> None:
    assert not any(("amount", 5000000) in numbers for numbers in _numbers(found))
    conditions = [c for i in found.items for c in i.conditions]
    assert any(c.get("op") == ">=" and c.get("value") == 5000000 for c in conditions)


def test_window_materials_and_exclusions_bind_the_items(found: Decomposition) -> None:
    assert all(
        (i.window.get("from"), i.window.get("to")) == ("2025-03-01", "2025-04-30") for i in found.items
    )
    assert {"资金申请表", "营业执照复印件"} <= {m["quote"] for m in found.items[0].materials}
    shut = [e["quote"] for e in found.exclusions] + [e["quote"] for i in found.items for e in i.exclusions]
    assert any("就高不重复" in quote for quote in shut)


def test_a_plan_has_no_items() -> None:
    assert decompose(PLAN).items == []


@pytest.mark.parametrize("kind", sorted(ALL))
def test_a_text_that_gives_nobody_anything_has_no_items(kind: str) -> None:
    assert [b["quote"] for i in decompose(ALL[kind]).items for b in i.benefits] == []


def test_the_same_words_give_where_they_are_said_of_somebody() -> None:
    text = "某区若干措施\n对年度贷款余额同比增长15%以上的企业，给予10万元奖励。\n上年度营业收入达到1亿元的企业，奖励20万元。"
    told = {b.get("amount") for i in decompose(text).items for b in i.benefits}
    assert {100000, 200000} <= told


def test_an_empty_text_has_nothing() -> None:
    assert decompose("\n\n").as_json() == {
        "clauses": [],
        "general": {"conditions": [], "exclusions": []},
        "items": [],
    }


def test_decomposing_twice_gives_the_same() -> None:
    assert json.dumps(decompose(MEASURES).as_json()) == json.dumps(decompose(MEASURES).as_json())


def test_labels_and_headings_make_a_tree() -> None:
    clauses = segment(MEASURES)
    points = [c for c in clauses if c.sort == "1"]
    assert [c.label for c in points] == ["1", "2", "3"]
    assert all("第五条" in c.path for c in points)
    assert all(c.field_name == "申报材料" for c in points)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("第 1 0 条 支持创新", "第10条"),
        ("（三）租金补贴", "（三）"),
        ("二、申报条件", "二"),
        ("3．材料", "3"),
        ("①身份证", "①"),
    ],
)
def test_labels_of_many_styles_are_read(text: str, label: str) -> None:
    assert segment(text)[0].label == label


def test_stored_models_hold_arrays_and_no_code() -> None:
    with zipfile.ZipFile(MODELS) as archive:
        assert all(name.endswith(".npy") for name in archive.namelist())
    assert MODELS.stat().st_size < 5_000_000
    assert set(load_models(MODELS, NAMES)) == set(NAMES)


def test_a_pickle_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "m.npz", **{"a/names": np.array([{"x": 1}], dtype=object)})
    with pytest.raises(ValueError, match="pickle"):
        load_models(tmp_path / "m.npz", ["a"])


def test_a_model_survives_being_stored(tmp_path: Path) -> None:
    one = np.ones(1)
    model = LinearModel(
        ["yes"], {"a": 0, "b": 1}, np.array([[2.0], [-1.0]], dtype=np.float32), 0 * one, one, 0 * one, one / 2
    )
    save_models(tmp_path / "m.npz", {"m": model}, {"date": "2026-01-01"})
    back = load_models(tmp_path / "m.npz", ["m"])["m"]
    rows = [{"a": 1.0}, {"b": 1.0}, {"c": 9.0}]
    assert back.scores(rows) == pytest.approx(model.scores(rows))
    assert json.loads((tmp_path / "m.json").read_text())["date"] == "2026-01-01"
