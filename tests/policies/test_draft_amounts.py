"""奖补草稿: amounts that the words fix, in the forms of the rule language, on an invented policy; every draft passes the checker."""

from __future__ import annotations

import datetime as dt
import operator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from policies.check import check_library
from policies.decompose.amounts import benefit_form
from policies.decompose.definitions import delivery_words
from policies.decompose.expressions import Proposer
from policies.decompose.money import both_sides
from policies.decompose.pipeline import decompose
from policies.decompose.references import referred
from policies.decompose.variants import split
from policies.drafts import draft, write_draft
from policies.library import load_library
from policies.segment import segment
from profiles.dictionary import builtin_dictionary
from profiles.tables import industry_codes

PROPOSER = Proposer(builtin_dictionary(), {"本区": "120116*"}, industries=industry_codes())


def _entry(text: str, quote: str, **more: Any) -> dict[str, Any]:
    return {"quote": quote, "start": text.index(quote), **more}


def _form(text: str, conditions: list[dict[str, Any]], benefits: list[dict[str, Any]]) -> dict[str, Any]:
    parts = split(conditions, benefits, text)
    made = benefit_form(benefits, parts, text, lambda _: "第一条", PROPOSER)
    return {k: v for k, v in made.items() if k not in ("cite", "quote")}


def test_steps_of_one_indicator_become_bands() -> None:
    text = "上一年度营业收入1亿元以上5亿元以下的，奖励10万元；上一年度营业收入5亿元以上的，奖励30万元。"
    conditions = [
        _entry(text, "上一年度营业收入1亿元以上5亿元以下", kind="numeric", op="between", value=[1e8, 5e8]),
        _entry(text, "上一年度营业收入5亿元以上", kind="numeric", op=">=", value=5e8),
    ]
    benefits = [
        _entry(text, "奖励10万元", kind="fixed", amount=100000),
        _entry(text, "奖励30万元", kind="fixed", amount=300000),
    ]
    assert _form(text, conditions, benefits) == {
        "bands": {
            "by": "营业收入[Y]",
            "steps": [
                {"below": "1亿元", "amount": "0元"},
                {"below": "5亿元", "amount": "10万元"},
                {"amount": "30万元"},
            ],
        }
    }


def test_alternatives_that_facts_decide_become_cases_and_others_an_interval() -> None:
    text = "对高新技术企业，奖励20万元；对专精特新中小企业，奖励50万元。"
    conditions = [_entry(text, "高新技术企业"), _entry(text, "专精特新中小企业")]
    benefits = [
        _entry(text, "奖励20万元", kind="fixed", amount=200000),
        _entry(text, "奖励50万元", kind="fixed", amount=500000),
    ]
    assert _form(text, conditions, benefits) == {
        "cases": [
            {"when": "专精特新中小企业有效期至 >= 申报开始", "amount": "50万元"},
            {"when": "高新技术企业有效期至 >= 申报开始", "amount": "20万元"},
        ]
    }
    asked = text.replace("高新技术企业", "行业领先的企业")
    conditions = [_entry(asked, "行业领先的企业"), _entry(asked, "专精特新中小企业")]
    benefits = [_entry(asked, str(b["quote"]), kind="fixed", amount=b["amount"]) for b in benefits]
    assert _form(asked, conditions, benefits) == {"range": {"low": "20万元", "high": "50万元"}}


def test_more_on_top_a_cap_a_firm_and_payment_in_parts() -> None:
    text = "对新设企业奖励10万元；对高新技术企业再奖励5万元，单个企业最高30万元，分两年拨付。"
    benefits = [
        _entry(text, "奖励10万元", kind="fixed", amount=100000),
        _entry(text, "再奖励5万元", kind="fixed", amount=50000),
    ]
    made = _form(text, [_entry(text, "新设企业"), _entry(text, "高新技术企业")], benefits)
    assert made["amount"] == "10万元"
    assert [(a["when"], a["amount"]) for a in made["adds"]] == [("高新技术企业有效期至 >= 申报开始", "5万元")]
    text = "按上一年度研发费用的10%给予补助，单个企业最高不超过200万元，分两年拨付。"
    rate = _entry(text, "按上一年度研发费用的10%给予补助，单个企业最高不超过200万元", kind="rate", rate=0.1)
    rate |= {"base": "上一年度研发费用", "cap": 2000000}
    assert _form(text, [], [rate]) == {
        "amount": "研发费用[Y] * 10%",
        "cap_per_enterprise": "200万元",
        "instalments": [{"quote": "分两年拨付"}],
    }


def test_a_rate_of_what_lies_above_and_a_rate_without_a_year() -> None:
    text = "上一年度营业收入超过500万元的部分，按2%给予奖励。"
    rate = _entry(text, "按2%给予奖励", kind="rate", rate=0.02)
    assert _form(text, [], [rate]) == {
        "bands": {"by": "营业收入[Y]", "kind": "超额", "from": "500万元", "steps": [{"rate": "2%"}]}
    }
    text = "按研发费用的10%给予补助。"
    rate = _entry(text, "按研发费用的10%给予补助", kind="rate", rate=0.1, base="研发费用")
    said = _form(text, [], [rate])
    assert said == {
        "words": "按研发费用的10%给予补助",
        "note": "数额没有写成算式：按“研发费用”计算，条文没有写哪一年",
    }


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("符合条件的企业免申即享。", "免申即享"),
        ("实行即申即享。", "即申即享"),
        ("采取告知承诺方式办理。", "承诺兑现"),
        ("企业应当在规定时间内申报。", "申报兑现"),
        ("对获奖企业给予奖励。", ""),
    ],
)
def test_delivery_is_read_from_the_words(text: str, name: str) -> None:
    assert delivery_words([text])[0] == name


def test_references_point_to_the_clauses_they_name() -> None:
    text = "第一条 申报条件\n（一）在本区注册；\n（二）成立满一年。\n第二条 符合第一条规定条件的企业，给予奖励。\n第三条 符合《某法》第一条规定。"
    clauses = segment(text)
    at = text.index("符合第一条")
    assert {clauses[k].text for k in referred("符合第一条规定条件", at, clauses)} >= {
        "（一）在本区注册；",
        "（二）成立满一年。",
    }
    assert referred("达到第一条规定的研发投入", at, clauses) == []


POLICY = """\
示例新区促进产业发展若干措施
第一条 在本区登记注册、具有独立法人资格，且未被列入失信被执行人名单的企业，适用本措施。
第二条 对上一年度营业收入1亿元以上的企业，给予10万元奖励；对上一年度营业收入5亿元以上的企业，给予30万元奖励。
第三条 对上一年度研发费用500万元以上的企业，按照上一年度研发费用的10%给予补助，单个企业最高不超过200万元。
第四条 对高新技术企业给予20万元奖励，实行免申即享。
第五条 企业提交申请表，主管部门受理后拨付。
第六条 同一事项按就高不重复原则执行。被列入严重违法失信名单的企业，不予支持。
第七条 本措施所称“以上”包含本数。
第八条 本措施自2025年2月1日起施行，有效期3年。
示例新区管理委员会
2025年1月20日
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    into = tmp_path_factory.mktemp("drafts")
    (into / "sets").mkdir()
    (into / "sets" / "本区.yaml").write_text('- "120116*"\n', encoding="utf-8")
    made = draft(
        decompose(POLICY),
        "demo",
        "demo.txt",
        builtin_dictionary(),
        {"本区": "120116*"},
        dt.date(2025, 3, 1),
        industry_codes(),
    )
    assert made.sure >= 6
    write_draft(made, into)
    return into


def test_the_drafts_pass_the_checker(library: Path) -> None:
    loaded = load_library(library, builtin_dictionary())
    report = check_library(loaded)
    problems = report if isinstance(report, list) else list(report.problems)
    assert [p.render() for p in problems if p.level == "error"] == []


def test_what_the_document_says_of_all_stands_in_document_yaml(library: Path) -> None:
    document = YAML(typ="safe").load((library / "demo" / "document.yaml").read_text(encoding="utf-8"))
    assert document["words"] == {"以上": "含"}
    assert document["general"]["exclusive"]["pick"] == "就高"
    whens = str(document["general"]["conditions"])
    for when in ("登记地区划 in 本区", "法人资格 = 是", "失信被执行人 = 否", "严重违法失信名单 = 否"):
        assert when in whens


@pytest.mark.parametrize(
    ("levels", "sums", "best"), [("国家级、省级", (100, 30), "国家"), ("省级、国家级", (30, 100), "国家")]
)
def test_sums_given_respectively_go_by_the_place_of_their_level(
    levels: str, sums: tuple[int, int], best: str
) -> None:
    text = f"首次认定为{levels}企业技术中心的企业，分别给予{sums[0]}万元、{sums[1]}万元奖励。"
    told = f"分别给予{sums[0]}万元、{sums[1]}万元奖励"
    benefits = [_entry(text, told, kind="fixed", amount=n * 10000) for n in sums]
    form = _form(text, [_entry(text, f"首次认定为{levels}企业技术中心的企业", kind="event")], benefits)
    assert [c["amount"] for c in form["cases"]] == ["100万元", "30万元"]
    assert best in form["cases"][0]["when"] and best not in form["cases"][1]["when"]


def test_sums_of_things_no_register_tells_stay_an_interval() -> None:
    text = "新建高级雪道、中级雪道的，分别奖励100万元、50万元。"
    benefits = [_entry(text, "分别奖励100万元、50万元", kind="fixed", amount=n) for n in (1000000, 500000)]
    form = _form(text, [_entry(text, "新建高级雪道、中级雪道", kind="event")], benefits)
    assert form == {"range": {"low": "50万元", "high": "100万元"}}


@pytest.mark.parametrize(
    ("text", "quote", "base"),
    [
        ("按企业上年度研发费用较前一年增长部分的10%给予补助。", "", "企业上年度研发费用较前一年增长部分"),
        ("第三条 对企业研发费用增量部分，按增量的10%给予补助。", "按增量的10%给予补助", "增量"),
        ("按照研发费用增量的10%给予补助。", "", "研发费用增量"),
    ],
)
def test_a_share_of_growth_is_of_what_came_on_top_of_the_year_before(
    text: str, quote: str, base: str
) -> None:
    told = _entry(text, quote or text, kind="rate", rate=0.1, base=base)
    assert _form(text, [], [told])["amount"] == "(研发费用[Y] - 研发费用[Y-1]) * 10%"


def test_growth_of_what_no_indicator_holds_stays_words() -> None:
    text = "按照品牌价值增量的10%给予补助。"
    told = _entry(text, text, kind="rate", rate=0.1, base="品牌价值增量")
    assert "amount" not in _form(text, [], [told])


@pytest.mark.parametrize("op", [">=", ">", "<=", "<"])
@pytest.mark.parametrize(("literal", "kind"), [("500万元", "金额"), ("3%", "比例"), ("20人", "数量")])
def test_the_two_sides_of_a_boundary_are_one_that_holds_and_one_that_does_not(
    op: str, literal: str, kind: str
) -> None:
    """The cases drafted beside a rule: with both on one side they would prove nothing."""
    holds = {">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt}[op]
    unit = literal.lstrip("0123456789.")
    good, bad = (float(side.removesuffix(unit)) for side in both_sides(op, literal, kind))
    bound = float(literal.removesuffix(unit))
    assert holds(good, bound)
    assert not holds(bad, bound)
