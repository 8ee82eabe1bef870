"""时间窗口: from and to of invented sentences, and which of several dates a firm applies by."""

from __future__ import annotations

from typing import Any

import pytest

from policies.decompose.pipeline import decompose
from policies.decompose.windows import window_in


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("2025年3月1日至4月30日", {"from": "2025-03-01", "to": "2025-04-30"}),
        ("自本通知印发之日起至2025年6月30日", {"from": "2025-01-20", "to": "2025-06-30"}),
        ("甲类项目从即日起至9月10日", {"from": "2025-01-20", "to": "2025-09-10"}),
        ("申报单位于8月15日前提交", {"to": "2025-08-15"}),
        ("网上申报截止时间为9月15日", {"to": "2025-09-15"}),
        ("自2024年5月31日（含）起，按50%贴息", {"from": "2024-05-31"}),
        ("政策执行至2027年底止", {"to": "2027-12-31"}),
        ("2026年年底前可免缴工会经费", {"to": "2026-12-31"}),
        ("企业应当依法经营", {}),
    ],
)
def test_dates_of_a_sentence(text: str, window: dict[str, Any]) -> None:
    assert window_in(text, 2025, "2025-01-20") == window


CALL = """\
示例市关于组织申报2025年设备补助的通知
各区工信部门：
现将有关事项通知如下。
一、补助标准
对购置设备的企业，按设备投资额的10%给予补助，最高不超过100万元。
二、申报条件
设备于2024年1月1日至2024年12月31日期间购置。
三、申报时间
企业网上申报截止时间为2025年5月20日。
各区工信部门于2025年6月10日前汇总报送。
示例市工业和信息化局
2025年4月1日
"""


def test_the_firms_day_counts_not_the_offices_nor_the_purchases() -> None:
    found = decompose(CALL)
    assert len(found.items) == 1
    assert (found.items[0].window.get("from"), found.items[0].window.get("to")) == (None, "2025-05-20")


def test_a_sentence_that_a_day_opens_binds_what_its_paragraph_goes_on_to_give() -> None:
    text = """\
示例市就业补贴办法
第一条 2025年1月1日至2026年12月31日，将培训补贴申领条件由参保3年放宽至参保1年。参保职工取得职业资格证书的，给予2000元培训补贴。
第二条 对吸纳就业的企业，每人给予1000元补贴。
"""
    first, second = decompose(text).items
    assert (first.window["from"], first.window["to"]) == ("2025-01-01", "2026-12-31") and not second.window


def test_the_offices_day_does_not_count_for_standing_under_a_heading_of_days() -> None:
    text = """\
示例市关于组织申报2025年新产品认定的通知
一、申报条件
企业在本市注册，新产品已投产。
二、认定奖励
对通过认定的企业给予5万元奖励。
三、申报流程
企业向区科技局报送材料的截止时间为2025年10月20日。
四、截至日期
请各区科技局于2025年10月30日前将材料汇总报送市科技局。
"""
    assert {i.window.get("to") for i in decompose(text).items} == {"2025-10-20"}


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("每年3月1日至4月30日受理申报", {"from": "03-01", "to": "04-30"}),
        ("申报单位于每年11月10日前提交", {"to": "11-10"}),
        ("从即日起至1月10日", {"from": "2024-07-26", "to": "2025-01-10"}),
    ],
)
def test_days_that_come_each_year_and_days_after_the_issue(text: str, window: dict[str, Any]) -> None:
    assert window_in(text, 2025, "2024-07-26") == window


BATCHES = """\
示例市关于组织申报2025年设备补助的通知
各有关企业：
一、补助标准
对购置设备的企业，按设备投资额的10%给予补助，最高不超过100万元。
二、申报时间
第一批：企业网上申报截止时间为2025年5月20日。
第二批：企业网上申报截止时间为2025年9月20日。
三、申报条件
申报单位应在本市注册。
示例市工业和信息化局
2025年4月1日
"""


def test_batches_are_told_apart() -> None:
    found = decompose(BATCHES)
    window = found.items[0].window
    assert window["to"] == "2025-09-20"
    assert [(p["name"], p["to"]) for p in window["parts"]] == [
        ("第一批", "2025-05-20"),
        ("第二批", "2025-09-20"),
    ]


def test_open_at_any_time() -> None:
    text = BATCHES.replace(
        "第一批：企业网上申报截止时间为2025年5月20日。\n第二批：企业网上申报截止时间为2025年9月20日。",
        "常年受理，企业随时可以申报。",
    )
    window = decompose(text).items[0].window
    assert (
        window["kind"] == "常年"
        and "from" not in window
        and text[window["start"] :].startswith(window["quote"])
    )


LISTED = """\
申报2025年专利资助项目
根据有关规定，我局组织申报2025年专利资助，包括专利优势企业认定项目和专利贯标后资助项目。
一、申报主体
申报单位应在本市注册。
二、申报时间
专利优势企业认定项目从即日起至9月10日；专利贯标后资助项目从即日起至2025年8月10日。
示例市知识产权局
2025年7月26日
"""


def test_a_call_that_lists_what_it_is_for_has_an_item_each_with_its_own_days() -> None:
    first, second = decompose(LISTED).items
    assert [first.benefits[0]["quote"], second.benefits[0]["quote"]] == [
        "专利优势企业认定项目",
        "专利贯标后资助项目",
    ]
    assert (first.window["to"], second.window["to"]) == ("2025-09-10", "2025-08-10")
