"""数量与条件的文法: numbers, units, ranges and directions of policy Chinese."""

from __future__ import annotations

import pytest

from policies.decompose.conditions import parse_condition
from policies.decompose.quantities import DATE, date_of, number, quantities
from policies.decompose.windows import window_in


@pytest.mark.parametrize(
    ("text", "low", "high", "unit"),
    [
        ("最高500万元", 5e6, 5e6, "元"),
        ("三百万元", 3e6, 3e6, "元"),
        ("一万元", 1e4, 1e4, "元"),
        ("1.5亿元", 1.5e8, 1.5e8, "元"),
        ("1,200万元", 1.2e7, 1.2e7, "元"),
        ("30-50万元", 3e5, 5e5, "元"),
        ("500万元—5000万元", 5e6, 5e7, "元"),
        ("5%—20%", 0.05, 0.2, "%"),
        ("百分之三十", 0.3, 0.3, "%"),
        ("2.5个百分点", 0.025, 0.025, "百分点"),
        ("三分之一", 1 / 3, 1 / 3, "分数"),
        ("全额", 1.0, 1.0, "全额"),
        ("100—500亩", 100, 500, "亩"),
        ("6个月", 0.5, 0.5, "月"),
        ("5000万次", 5e7, 5e7, "次"),
    ],
)
def test_a_quantity_is_read_in_base_units(text: str, low: float, high: float, unit: str) -> None:
    found = quantities(text)
    assert len(found) == 1
    assert found[0].low == pytest.approx(low)
    assert found[0].high == pytest.approx(high)
    assert found[0].unit == unit


@pytest.mark.parametrize("text", ["七21", "千百", "亿", ""])
def test_what_only_looks_like_a_numeral_is_no_number(text: str) -> None:
    assert number(text) in (None, 1e8)


def test_a_document_number_and_a_phone_are_no_quantities() -> None:
    assert quantities("示新规〔2025〕9号") == []
    assert quantities("电话：0000-12345678") == []


@pytest.mark.parametrize(
    ("quote", "op", "value"),
    [
        ("上一年度研发费用在500万元以上", ">=", 5000000),
        ("营业收入不低于2000万元", ">=", 20000000),
        ("亩均税收达到10万元", ">=", 100000),
        ("产值增长超过1000万元", ">", 10000000),
        ("应纳税所得额低于30万元", "<", 300000),
        ("应纳税所得额低于20万元（含20万元）", "<=", 200000),
        ("单次不超过3次", "<=", 3),
        ("占比不低于3%", ">=", 0.03),
        ("45周岁以下", "<=", 45),
        ("成立满一年", ">=", 1),
        ("离校2年内", "<=", 2),
        ("期限2年", "==", 2),
        ("固定资产投资1000万元及以上至5000万元", "between", [10000000, 50000000]),
        ("3亿元以上5亿元以下", "between", [300000000, 500000000]),
        ("16—24岁", "between", [16, 24]),
        ("3—12个月", "between", [0.25, 1]),
        ("在2025年1月1日以后投入", ">=", "2025-01-01"),
        ("申请日在2016年2月23日及之前", "<=", "2016-02-23"),
        ("2025年1月1日至6月30日期间", "between", ["2025-01-01", "2025-06-30"]),
    ],
)
def test_the_direction_of_a_condition_is_never_turned_round(quote: str, op: str, value: object) -> None:
    parsed = parse_condition(quote)
    assert (parsed.op, parsed.value) == (op, value)


def test_above_the_top_of_the_step_before_excludes_it() -> None:
    assert parse_condition("500亩以上", frozenset({500.0})).op == ">"
    assert parse_condition("500亩以上").op == ">="


def test_words_without_a_comparison_fix_none() -> None:
    parsed = parse_condition("近三年无失信记录")
    assert parsed.op == ""
    assert parsed.kind == "credit"


def test_dates_are_checked_against_the_calendar() -> None:
    match = DATE.search("2025年2月30日")
    assert match is not None
    assert date_of(match) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025年3月1日至4月30日", {"from": "2025-03-01", "to": "2025-04-30"}),
        ("于2025年5月20日前报送", {"to": "2025-05-20"}),
        ("截止时间为9月15日", {"to": "2025-09-15"}),
        ("从2025年6月起", {"from": "2025-06"}),
        ("自本通知印发之日起至2026年1月31日", {"from": "2025-08-04", "to": "2026-01-31"}),
        ("全年受理", {}),
    ],
)
def test_windows_are_read_from_their_words(text: str, expected: dict[str, str]) -> None:
    assert window_in(text, 2025, "2025-08-04") == expected


@pytest.mark.parametrize(
    "text",
    [
        "按照《重点项目奖励100万元以上实施细则》执行",
        "示政发〔2023〕12号",
        "咨询电话022-66881234家",
        "符合GB/T 1234.5人因标准",
    ],
)
def test_figures_inside_a_name_or_a_number_of_something_are_no_quantities(text: str) -> None:
    assert quantities(text) == []
    assert [q.text for q in quantities(text + "，奖励50万元")] == ["50万元"]
