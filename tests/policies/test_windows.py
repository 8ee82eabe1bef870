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
