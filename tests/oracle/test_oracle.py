"""The worked examples of the rule language, answered by the oracle."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.oracle.interpreter import run
from tests.oracle.library import read_indicators, read_library
from tests.oracle.parser import Indicator, Names, RuleError, parse_condition
from tests.oracle.values import ABSENT, UNKNOWN, Num, Scene, evaluate, full_years, holds, shifted, whole_steps

D = date(2025, 4, 1)
FACTS = {
    "营业": Indicator("金额", True),
    "人数": Indicator("数量", True, "人"),
    "设备": Indicator("数量", False, "台"),
    "增资": Indicator("金额", True, None, "0"),
    "占比": Indicator("比例", True),
    "成立日期": Indicator("日期"),
    "证书": Indicator("日期", False, None, "无"),
    "失信": Indicator("是否", False, None, "否"),
    "行业": Indicator("代码"),
    "范围": Indicator("文本"),
    "名录": Indicator("列表"),
}


def names(**sets: list[str]) -> Names:
    return Names(FACTS, sets, {"美元": Fraction("7.1")})


def verdict(text: str, **facts: Any) -> str:
    scene = Scene(facts, FACTS, 2024, date(2025, 3, 1), date(2025, 4, 30))
    return holds(parse_condition(text, names(先导=["C39*"])), scene)


@pytest.mark.parametrize(
    ("text", "facts", "expected"),
    [
        ("营业[Y] >= 500万元", {"营业": {"2024": 5000000}}, "符合"),
        ("营业[Y] > 500万元", {"营业": {"2024": 5000000}}, "不符合"),
        ("营业[Y] >= 500万元", {}, "待核实"),
        ("增长率(营业[Y]) >= 10%", {"营业": {"2023": 8000000, "2024": 8800000}}, "符合"),
        ("增长率(营业[Y]) >= 10%", {"营业": {"2023": 0, "2024": 8800000}}, "待核实"),
        ("营业[Y] - 营业[Y-1] * 110% >= 0元", {"营业": {"2023": 0.1, "2024": 0.11}}, "符合"),
        ("合计(营业[Y-2..Y]) >= 3元", {"营业": {"2024": 3}, "成立日期": "2024-05-01"}, "符合"),
        ("平均(营业[Y-2..Y]) >= 3元", {"营业": {"2024": 3}, "成立日期": "2024-05-01"}, "符合"),
        ("平均(营业[Y-2..Y-1]) >= 0元", {"成立日期": "2024-05-01"}, "待核实"),
        ("合计(营业[Y-2..Y]) >= 3元", {"营业": {"2024": 3}}, "待核实"),
        ("合计(营业[Y-2..Y]) >= 3元", {"营业": {"2024": 3}, "成立日期": "2023-05-01"}, "待核实"),
        ("合计(营业[Y-1], 营业[Y]) >= 3元", {"营业": {"2024": 3}, "成立日期": "2024-05-01"}, "待核实"),
        ("平均(增资[Y-2..Y]) = 1元", {"增资": {"2024": 3}, "成立日期": "2024-05-01"}, "符合"),
        ("最小(增长率(营业[Y-1..Y])) >= 10%", {"营业": {"2022": 10, "2023": 11, "2024": 12.1}}, "符合"),
        ("证书 >= 申报开始", {}, "不符合"),
        ("证书 - 1年 != 成立日期", {}, "不符合"),
        ("失信 = 否", {}, "符合"),
        ("行业 in 先导", {"行业": "C3963"}, "符合"),
        ('行业 in ["C3963", "K70*"]', {"行业": "C39"}, "不符合"),
        ('范围 含 "研发"', {"范围": "软件研发"}, "符合"),
        ('名录 含 "研发"', {"名录": ["软件研发"]}, "不符合"),
        ("成立日期 <= 申报开始 - 1年", {"成立日期": "2024-03-01"}, "符合"),
        ("成立日期 <= 申报开始 - 1年", {"成立日期": "2024-03-02"}, "不符合"),
        ("申报开始 - 成立日期 >= 365天", {"成立日期": "2024-03-01"}, "符合"),
        ("营业[Y] / 人数[Y] >= 1万元", {"营业": {"2024": 1}, "人数": {"2024": 0}}, "待核实"),
        ("营业[Y] ≥ 100万美元", {"营业": {"2024": 7100000}}, "符合"),
        ("人数[Y] / 设备 >= 1.5", {"人数": {"2024": 3}, "设备": 2}, "符合"),
    ],
)
def test_comparisons(text: str, facts: dict[str, Any], expected: str) -> None:
    assert verdict(text, **facts) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("营收[Y] >= 5元", 1),
        ("营业[Y] >= 5日元", 1),
        ("求和(营业[Y-1..Y]) >= 5元", 1),
        ("行业 in 朝阳产业", 1),
        ("营业 >= 5元", 2),
        ("设备[Y] >= 5台", 2),
        ("营业[Y] >= 5", 2),
        ("人数[Y] >= 5台", 2),
        ("营业[Y] * 营业[Y] >= 5元", 2),
        ("申报开始 - 成立日期 >= 1年", 2),
        ('名录 in ["甲"]', 2),
        ('行业 含 "C"', 2),
        ("营业[Y-1..Y] >= 5元", 2),
        ("营业[Y] + 人数[Y] >= 5元", 2),
    ],
)
def test_refusals(text: str, code: int) -> None:
    with pytest.raises(RuleError) as refused:
        parse_condition(text, names(先导=["C39*"]))
    assert refused.value.code == code


def test_calendar_and_steps() -> None:
    assert shifted(date(2024, 2, 29), (Fraction(1), "年"), -1) == date(2023, 2, 28)
    assert shifted(date(2024, 3, 31), (Fraction(1), "月"), -1) == date(2024, 2, 29)
    scene = Scene({}, FACTS, 2024, date(2025, 2, 28), date(2025, 3, 1))
    assert full_years(date(2004, 2, 29), scene).value == 20
    assert whole_steps(Num.of(Fraction("2.9999999999"))).value == 3
    assert whole_steps(Num.of(Fraction("-1.5"))).value == -1
    assert scene.fact("证书") is ABSENT and scene.fact("行业") is UNKNOWN
    assert evaluate(parse_condition("Y >= 1", names()).args[0], scene) == Num.of(2024)


CONDITIONS = [
    {"id": "scale", "cite": "第一条", "quote": "全文", "when": "研发费用[Y] >= 500万元"},
    {"id": "growth", "cite": "第一条", "quote": "全文", "when": "增长率(研发费用[Y]) >= 10%"},
    {"id": "frontier", "cite": "第一条", "quote": "全文", "ask": "是否领先？"},
]
BENEFIT = {
    "amount": "(研发费用[Y] - 研发费用[Y-1]) * 10%",
    "cap": "200万元",
    "exceptions": [{"when": '行业代码 in ["C39*"]', "cap": "300万元"}],
}
FIRM = {"统一社会信用代码": "甲", "行业代码": "C3563", "研发费用": {"2023": 8000000, "2024": 10000000}}
ANSWER = {"统一社会信用代码": "甲", "item": "d/a", "batch": "2025", "id": "frontier", "answer": True}


def library(root: Path, benefit: dict[str, Any] | None, **more: Any) -> Path:
    item = {
        "item": "d/a", "title": "甲", "category": "奖补",
        "batches": {"2025": {"year": "2024", "opens": "2025-03-01", "closes": "2025-04-30"}},
        "conditions": {"all": CONDITIONS}, **more,
    }  # fmt: skip
    if benefit:
        item["benefit"] = {"cite": "第一条", "quote": "全文", **benefit}
    (root / "d/items").mkdir(parents=True)
    (root / "d/document.yaml").write_text("title: 甲\n", encoding="utf-8")
    (root / "d/items/a.yaml").write_text(yaml.safe_dump(item, allow_unicode=True), encoding="utf-8")
    return root


def only(root: Path, firm: dict[str, Any], *answers: dict[str, Any]) -> tuple[Any, ...]:
    (row,) = run(root, [firm], D, answers=answers)
    return row["verdict"], row["amount_low"], row["amount_high"], row["fails"], row["unknown"]


def test_the_increment_of_section_2(tmp_path: Path) -> None:
    root = library(tmp_path, BENEFIT)
    assert only(root, FIRM) == ("待核实", 200000, 200000, [], ["frontier"])
    assert only(root, FIRM, ANSWER) == ("符合", 200000, 200000, [], [])
    exact = FIRM | {"研发费用": {"2023": 8000000, "2024": 8800000}}
    assert only(root, exact, ANSWER) == ("符合", 80000, 80000, [], [])
    missing = FIRM | {"研发费用": {"2024": 10000000}}
    assert only(root, missing, ANSWER) == ("待核实", None, None, [], ["growth"])
    assert only(root, FIRM, ANSWER | {"answer": False}) == ("不符合", None, None, ["frontier"], [])
    large = {"统一社会信用代码": "甲", "研发费用": {"2023": 10**7, "2024": 10**8}}
    assert only(root, large, ANSWER) == ("符合", 2000000, 3000000, [], [])
    assert run(root, [FIRM], date(2025, 5, 1)) == []


@pytest.mark.parametrize(
    ("benefit", "expected"),
    [
        ({"upto": "30万元"}, (0, 300000)),
        ({"range": {"low": "50万元", "high": "30万元"}}, (300000, 500000)),
        ({"words": "一事一议", "cap": "200万元"}, (None, None)),
        ({"amount": "0.125元 * 1"}, (0.13, 0.13)),
        ({"amount": "利润总额[Y]"}, (None, None)),
        ({"amount": "利润总额[Y]", "floor": "5元", "cap": "利润总额[Y]"}, (0, None)),
        ({"amount": "9元", "cap": "利润总额[Y]"}, (0, 9)),
        ({"amount": "9元", "floor": "利润总额[Y]"}, (9, None)),
        ({"amount": "9元", "cap": ["8元", "7元"], "cap_per_enterprise": "6元"}, (6, 6)),
        ({"amount": "研发费用[Y-1] - 研发费用[Y]"}, (0, 0)),
        ({"cases": [{"when": "利润总额[Y] > 0元", "amount": "9元"}, {"amount": "4元"}]}, (4, 9)),
        ({"cases": [{"when": "利润总额[Y] > 0元", "amount": "9元"}]}, (0, 9)),
        (
            {"amount": "9元", "adds": [{"when": "利润总额[Y] > 0元", "amount": "1元"}], "cap": "9.5元"},
            (9, 9.5),
        ),
        ({"amount": "9元", "adds": [{"amount": "1元", "beyond_cap": "是"}], "cap": "5元"}, (6, 6)),
        ({"amount": "9元", "adds": [{"when": "利润总额[Y] > 0元", "amount": "利润总额[Y]"}]}, (9, None)),
    ],
)
def test_amounts(tmp_path: Path, benefit: dict[str, Any], expected: tuple[Any, Any]) -> None:
    assert only(library(tmp_path, benefit), FIRM, ANSWER)[1:3] == expected


@pytest.mark.parametrize(
    ("bands", "expected"),
    [
        ({"steps": [{"upto": "1000万元", "amount": "1元"}, {"amount": "2元"}]}, (1, 1)),
        ({"steps": [{"below": "1000万元", "amount": "1元"}, {"amount": "2元"}]}, (2, 2)),
        (
            {"steps": [{"below": "1000万元", "rate": "10%"}, {"rate": "20%"}], "kind": "超额"},
            (1000000, 1000000),
        ),
        (
            {"steps": [{"upto": "400万元", "rate": "10%"}, {"rate": "20%"}], "kind": "超额"},
            (1600000, 1600000),
        ),
        ({"from": "1000万元", "steps": [{"rate": "10%"}]}, (1000000, 1000000)),
        ({"from": "1001万元", "steps": [{"rate": "10%"}]}, (0, 0)),
        ({"steps": [{"upto": "999万元", "rate": "10%"}]}, (0, 0)),
        ({"by": "利润总额[Y]", "steps": [{"upto": "9元", "amount": "1元"}, {"amount": "2元"}]}, (1, 2)),
        ({"by": "利润总额[Y]", "steps": [{"upto": "9元", "amount": "1元"}]}, (0, 1)),
        (
            {
                "by": "利润总额[Y]",
                "of": "研发费用[Y]",
                "steps": [{"upto": "9元", "rate": "1%"}, {"rate": "2%"}],
            },
            (100000, 200000),
        ),
    ],
)
def test_bands(tmp_path: Path, bands: dict[str, Any], expected: tuple[Any, Any]) -> None:
    benefit = {"bands": {"by": "研发费用[Y]", **bands}}
    assert only(library(tmp_path, benefit), FIRM, ANSWER)[1:3] == expected


PROJECT = {
    "subject": "项目",
    "conditions": {
        "all": [
            {"id": "kind", "cite": "第一条", "quote": "全文", "when": '行业代码 in ["C*"]'},
            {"id": "cost", "cite": "第一条", "quote": "全文", "when": "研发费用[Y] >= 10元"},
            {"id": "frontier", "cite": "第一条", "quote": "全文", "ask": "是否领先？"},
        ]
    },
}


def test_projects_roll_up(tmp_path: Path) -> None:
    root = library(tmp_path, {"amount": "研发费用[Y] * 10%", "cap_per_enterprise": "8元"}, **PROJECT)
    rows = [
        {"项目编号": "P1", "研发费用": {"2024": 50}},
        {"项目编号": "P2", "研发费用": {"2024": 20}},
        {"项目编号": "P3", "研发费用": {"2024": 9}},
    ]
    firm = FIRM | {"项目": rows}
    assert only(root, firm) == ("待核实", 2, 7, [], ["frontier"])
    assert only(root, firm, ANSWER | {"row": "P1"}) == ("符合", 5, 7, [], [])
    assert only(root, firm | {"项目": []}) == ("不符合", None, None, [], [])
    assert only(root, FIRM) == ("待核实", None, None, [], ["frontier"])
    assert only(root, FIRM | {"行业代码": "K70"}) == ("不符合", None, None, ["kind"], ["frontier"])


def test_general_conditions_and_without(tmp_path: Path) -> None:
    root = library(tmp_path, None)
    general = [dict(CONDITIONS[0], id="g1", when="利润总额[Y] > 0元"), dict(CONDITIONS[2], id="g2")]
    document = {"title": "甲", "general": {"conditions": {"all": general}}}
    (root / "d/document.yaml").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    assert only(root, FIRM, ANSWER) == ("待核实", None, None, [], ["g1", "g2"])
    (item,) = read_library(root)
    item.raw["without"] = ["g2"]
    assert [node["id"] for node in item.numbered] == ["g1", "scale", "growth", "frontier"]


def test_the_built_in_dictionary_can_be_read() -> None:
    root = Path(__file__).resolve().parents[2] / "profiles" / "indicators.yaml"
    assert read_indicators(root)["研发费用"].yearly


def test_the_oracle_shares_nothing_with_the_engine() -> None:
    here = Path(__file__).resolve().parent
    for name in ("parser", "values", "library", "interpreter", "allocate"):
        text = (here / f"{name}.py").read_text(encoding="utf-8")
        assert not any(
            f"import {room}" in text or f"from {room}" in text for room in ("engine", "policies", "jobs")
        )
