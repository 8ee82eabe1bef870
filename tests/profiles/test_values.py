"""取值解析: right or refused, never wrong."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from profiles.values import (
    Refused,
    cell_text,
    is_mojibake,
    parse_count,
    parse_date,
    parse_list,
    parse_money,
    parse_ratio,
    parse_yes,
)

RATES = {"美元": 7.1}


@pytest.mark.parametrize(
    ("text", "unit", "fen"),
    [
        ("4,537.9(万元人民币)", "元", 4537_9000_00),
        ("40万人民币", "元", 40_0000_00),
        ("100万人民币元", "元", 100_0000_00),
        ("5010万元人民币", "元", 5010_0000_00),
        ("1,000(万元人民币)", "元", 1000_0000_00),
        ("１,０００万元", "元", 1000_0000_00),
        ("人民币100万元整", "元", 100_0000_00),
        ("RMB1,000,000.00", "元", 100_0000_00),
        ("三百万元整", "元", 300_0000_00),
        ("12.5", "万元", 125000_00),
        ("-3.2", "万元", -32000_00),
        ("500元", "万元", 500_00),
        ("0.005", "元", 1),
        ("1.5亿元", "元", 1_5000_0000_00),
        ("壹佰贰拾万元整", "元", 120_0000_00),
        ("人民币叁仟萬圆", "元", 3000_0000_00),
        ("1,000(万元人民币)", "写明", 1000_0000_00),
        ("100(人民币元)", "万元", 100_00),
    ],
)
def test_amounts_are_read(text, unit, fen):
    assert parse_money(text, unit, "人民币", {}) == fen


@pytest.mark.parametrize(
    "text",
    ["1,5万元", "1,234,56万元", "万元", "约300万元", "300-500万元", "3万-5万", "1亿2000万", "1.2.3万元", "12.5万元/年", "1e5",
     "（500）万元", "5OO万元", "5 00万元", "1 000万元", "100 200万元", "100万元(含50万元)", "见章程", "--", "1 000 000 000 000 000万元"],
)  # fmt: skip
def test_what_is_not_an_amount_is_refused(text):
    with pytest.raises(Refused):
        parse_money(text, "元", "人民币", {})


@pytest.mark.parametrize(
    "text", ["4,537.9(万美元)", "USD 100", "$300", "100万港币", "40(万德国马克)", "1500(万)"]
)
def test_foreign_amounts_need_a_declared_rate(text):
    with pytest.raises(Refused) as refused:
        parse_money(text, "元", "人民币", {})
    assert refused.value.recognised
    assert refused.value.code == "currency"


def test_a_refused_amount_does_not_show_the_rate_of_another_currency():
    """Yen were told to be given `rates: {日元: 7.1}`, which pasted makes a firm 150 times as large."""
    with pytest.raises(Refused, match=r"rates: \{日元: 1日元合多少元\}"):
        parse_money("15,000(万日元)", "元", "人民币", RATES)


def test_a_declared_rate_is_exact():
    assert parse_money("4,537.9(万美元)", "元", "人民币", RATES) == int(
        Decimal("4537.9") * 10000 * Decimal("7.1") * 100
    )


@pytest.mark.parametrize(
    ("text", "unit"),
    [("5000", "写明"), ("100(人民币)", "万元"), ("¥100", "写明"), ("100(万)", "元"), ("100USD", "万元")],
)
def test_what_does_not_say_its_unit_is_understood_but_not_used(text, unit):
    with pytest.raises(Refused) as refused:
        parse_money(text, unit, "人民币", RATES)
    assert refused.value.recognised


@given(
    st.integers(0, 10**10),
    st.integers(0, 99),
    st.sampled_from(["元", "万元", "亿元"]),
    st.booleans(),
    st.booleans(),
)
def test_written_amounts_come_back_exactly(whole, cents, unit, grouped, bracketed):
    number = f"{whole:,}.{cents:02d}" if grouped else f"{whole}.{cents:02d}"
    text = f"{number}({unit}人民币)" if bracketed else f"{number}{unit}"
    scale = {"元": 1, "万元": 10**4, "亿元": 10**8}[unit]
    wanted = (whole * 100 + cents) * scale
    if wanted > 10**17:
        with pytest.raises(Refused):
            parse_money(text, "元", "人民币", {})
    else:
        assert parse_money(text, "元", "人民币", {}) == wanted


@given(st.text(max_size=12))
def test_any_text_is_read_or_refused(text):
    readers = (
        (lambda: parse_money(text, "万元", "人民币", RATES), lambda v: type(v) is int),
        (lambda: parse_ratio(text, "%"), math.isfinite),
        (lambda: parse_count(text, "人"), math.isfinite),
        (lambda: parse_date(text), lambda v: date.fromisoformat(v).isoformat() == v),
        (lambda: parse_yes(text), lambda v: type(v) is bool),
    )
    for read, sound in readers:
        try:
            value = read()
        except Refused:
            continue
        assert sound(value), value


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-06-30", "2024-06-30"),
        ("2024/6/3", "2024-06-03"),
        ("2024年6月3日", "2024-06-03"),
        ("20240630", "2024-06-30"),
        ("2024.6.3", "2024-06-03"),
        ("2024-06-30 00:00:00", "2024-06-30"),
    ],
)
def test_days_are_read(text, day):
    assert parse_date(text) == day


@pytest.mark.parametrize(
    "text", ["2024-02-30", "2024-13-01", "24-6-3", "2024-06", "45000", "0000-00-00", "长期"]
)
def test_what_is_no_day_is_refused(text):
    with pytest.raises(Refused):
        parse_date(text)


def test_ratios_counts_truths_and_lists():
    assert parse_ratio("12.5%", "") == 0.125
    assert parse_ratio("12.5", "%") == 0.125
    assert parse_ratio("0.125", "") == 0.125
    assert parse_ratio("3‰", "%") == 0.003
    assert parse_count("1,200人", "人") == 1200
    assert parse_count("3名", "人") == 3
    assert parse_count("1.5万", "") == 15000
    with pytest.raises(Refused):
        parse_count("12家", "人")
    assert parse_yes("是") is True
    assert parse_yes("0") is False
    assert parse_list("甲；乙; 甲、丙", "；;、|") == ["甲", "乙", "丙"]


def test_cells_of_a_spreadsheet_read_as_texts():
    assert cell_text(12345678901234.0) == "12345678901234"
    assert cell_text(0.1) == "0.1"
    assert cell_text(float("nan")) == ""
    assert cell_text(None) == ""
    assert cell_text(True) == "是"


@example("丁一丁一")
@example("偍偍偍偍")
@given(st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=4, max_size=12))
def test_utf8_read_as_another_encoding_is_found(text):
    assert is_mojibake(text.encode().decode("latin-1"))
    assert is_mojibake(text.encode().decode("gb18030", errors="replace"))
    assert is_mojibake(text.encode().decode("cp1252", errors="ignore"))


COMMON = st.sampled_from(
    [chr(c) for c in range(0x4E00, 0x9FA6) if len(chr(c).encode("gb2312", "ignore")) == 2]
)


@given(st.text(alphabet=COMMON, min_size=4, max_size=12))
def test_misread_names_are_found_though_bytes_were_lost_on_the_way(text):
    name = f"天津{text}有限公司"
    assert not is_mojibake(name)
    assert is_mojibake(name.encode().decode("gbk", errors="ignore"))
    assert is_mojibake(name.encode("gb2312").decode("latin-1"))
    assert is_mojibake(name.encode("ascii", errors="replace").decode())


def test_sound_names_are_not_mojibake():
    for name in (
        "滨海瀚海科技有限公司",
        "天津渌水淼淼商贸有限公司",
        "café 有限公司",
        "A·B（中国）公司——分公司",
        "浜崎商贸",
        "五交化",
        "制冷设备、空调设备",
        "Nestlé——中国",
    ):
        assert not is_mojibake(name)
