"""整理: canonical spelling, comments untouched, and the schema that editors use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

import policies
from policies.format import format_expression, format_file
from policies.schema import item_schema

LIBRARY = Path(policies.__file__).with_name("library")
DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("研发费用[Y]≥500 万元", "研发费用[Y] >= 500万元"),
        ("增长率（研发费用[ Y ]）>=１０％", "增长率(研发费用[Y]) >= 10%"),
        ("合计(营业收入[Y - 2 .. Y])/3>1亿元", "合计(营业收入[Y-2..Y]) / 3 > 1亿元"),
        ("行业代码 in[“C39*”，“K70*”]", '行业代码 in ["C39*", "K70*"]'),
        ("成立日期<=申报开始-1年", "成立日期 <= 申报开始 - 1年"),
        ('经营范围  含 "软件"', '经营范围 含 "软件"'),
        ("( 研发费用[Y]-研发费用[Y-1] ) * 10 %", "(研发费用[Y] - 研发费用[Y-1]) * 10%"),
    ],
)
def test_expressions_have_one_spelling(written: str, canonical: str) -> None:
    assert format_expression(written) == canonical
    assert format_expression(canonical) == canonical


def test_comments_and_layout_stay() -> None:
    text = "# 说明\nitem: d/a   # 编号\nconditions:\n    when: 研发费用[Y]≥500万元   # 门槛\n"
    assert format_file(text, "a.yaml", lambda p: None) == (
        "# 说明\nitem: d/a   # 编号\nconditions:\n    when: 研发费用[Y] >= 500万元   # 门槛\n"
    )


def test_the_bundled_library_is_canonical() -> None:
    for path in LIBRARY.rglob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        assert format_file(text, path.name, lambda p: None) == text, path


def test_the_schema_is_current_and_accepts_the_library() -> None:
    schema = item_schema()
    assert json.loads((DOCS / "item.schema.json").read_text(encoding="utf-8")) == schema
    validator = Draft202012Validator(schema)
    items = [p for p in LIBRARY.glob("*/items/*.yaml") if not p.name.endswith(".test.yaml")]
    assert len(items) >= 45
    for path in items:
        faults = list(validator.iter_errors(yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)))
        assert not faults, (path, faults[:1])


def test_the_schema_refuses_what_the_reader_refuses() -> None:
    validator = Draft202012Validator(item_schema())
    item = {"item": "d/a", "title": "甲", "conditions": {"when": "a", "ask": "b"}}
    assert list(validator.iter_errors(item))
    assert list(
        validator.iter_errors({"item": "d/a", "title": "甲", "conditions": {"when": "a"}, "colour": "red"})
    )
