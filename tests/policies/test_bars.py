"""排除片段: what set phrases bar and how far the quote reaches, on invented clauses; roles play no part here."""

from __future__ import annotations

import numpy as np
import pytest

from policies.decompose.bars import barred_spans
from policies.decompose.pieces import start_reading
from policies.decompose.roles import ROLES
from policies.segment import segment


def _barred(text: str, names: tuple[str, ...] = ("condition",)) -> list[str]:
    clauses = segment(text)
    reading = start_reading(text, clauses, np.zeros((len(clauses), len(ROLES))))
    return [
        reading.views[k].flat[a:b].rstrip("。；")
        for k in range(len(clauses))
        for a, b in barred_spans(reading, k, names, 0.2)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "对提供虚假材料骗取资金的，追回已拨付资金，并取消其三年内申报资格。",
        "同一企业同一年度只能申报一类补贴。",
        "同一项目享受本政策累计不超过3次。",
        "已享受区级同类补贴的企业，不再享受本条支持。",
        "本办法与其他政策重叠的，按就高不重复的原则执行。",
        "未按期提出申请的，不予补助。",
    ],
)
def test_a_barring_sentence_is_quoted_whole(text: str) -> None:
    assert _barred(text) == [text.rstrip("。")]


def test_only_the_barring_part_of_a_giving_sentence() -> None:
    text = "对获奖企业给予50万元奖励，每家企业仅可申请一次。"
    assert _barred(text, ("benefit", "condition")) == ["每家企业仅可申请一次"]


def test_brackets_that_leave_somebody_out() -> None:
    text = "对新上工业项目（不含矿产资源类项目）给予10万元奖励。"
    assert _barred(text, ("benefit", "condition")) == ["不含矿产资源类项目"]


def test_points_under_a_barring_lead_are_bars_and_the_lead_is_none() -> None:
    text = "第九条 有下列情形之一的，不予支持：\n（一）列入严重失信名单的；\n（二）未按时报送统计数据的。\n第十条 企业应当按时报送进展。"
    assert _barred(text) == ["列入严重失信名单的", "未按时报送统计数据的"]


@pytest.mark.parametrize(
    "text",
    ["企业应当不断提高管理水平。", "补贴标准不得低于本市最低工资标准。", "对新设企业给予10万元奖励。"],
)
def test_what_bars_nobody(text: str) -> None:
    assert _barred(text) == []
