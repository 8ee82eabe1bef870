"""条件范围: what one condition piece is cut into, on invented clauses."""

from __future__ import annotations

import numpy as np
import pytest

from policies.decompose.conditions import parse_condition
from policies.decompose.extents import refined
from policies.decompose.numbers import KEYS
from policies.decompose.pieces import Piece, start_reading
from policies.decompose.roles import ROLES
from policies.decompose.whom import given_to, without_amount
from policies.segment import segment


def _cut(text: str) -> list[str]:
    reading = start_reading(text, segment(text), np.zeros((1, len(ROLES))))
    return [text[p.a : p.b] for p in refined(reading, Piece("condition", 0, 0, len(text), 0.9))]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("在本区注册、具有独立法人资格、属于工业企业", ["在本区注册", "具有独立法人资格", "属于工业企业"]),
        ("股权比例达25%以上或员工比例达30%以上", ["股权比例达25%以上", "员工比例达30%以上"]),
        ("医药企业取得新药证书", ["医药企业", "取得新药证书"]),
        ("营业收入达到80万元以上的连锁零售企业", ["营业收入达到80万元以上", "连锁零售企业"]),
        ("在示范园区工作满5年", ["在示范园区", "工作满5年"]),
        ("在某市注册登记满1年", ["在某市注册登记满1年"]),
        ("在本市创业服务机构从事服务满3年", ["在本市创业服务机构从事服务满3年"]),
    ],
)
def test_two_statements_are_two_conditions(text: str, parts: list[str]) -> None:
    assert _cut(text) == parts


@pytest.mark.parametrize(
    "text",
    ["年销售收入达到500万元以上的企业", "申报单位取得证书", "首次认定的企业技术中心", "具有较强的研发能力"],
)
def test_one_statement_stays_whole(text: str) -> None:
    assert _cut(text) == [text]


@pytest.mark.parametrize(
    ("text", "op", "value"),
    [
        ("期满留用率50%以下", "<=", 0.5),
        ("累计租赁不满3年", "<", 3),
        ("近3年内累计投入不低于500万元", ">=", 5_000_000),
        ("申请前1年内新招用人数达到职工人数10%", ">=", 0.1),
    ],
)
def test_the_threshold_is_compared_not_the_span_of_time(text: str, op: str, value: float) -> None:
    parsed = parse_condition(text)
    assert (parsed.op, parsed.value) == (op, value)


def test_an_amount_is_no_condition_but_who_gets_it_is() -> None:
    text = "企业发展类项目支持额度原则上不超过核定投资总额的50%，同一项目累计不低于三年。"
    reading = start_reading(text, segment(text), np.zeros((1, len(ROLES))))
    reading.keys = [np.eye(len(KEYS))[[KEYS.index("cap")] * len(reading.mentions[0])]]
    end = text.index("，")
    part = without_amount(reading, Piece("condition", 0, 0, end, 0.7))
    assert part is not None and text[part.a : part.b] == "企业发展类项目"
    assert without_amount(reading, Piece("condition", 0, text.index("不超过"), end, 0.7)) is None
    reached = "年度技术合同登记额达到1000万元的企业。"
    told = start_reading(reached, segment(reached), np.zeros((1, len(ROLES))))
    told.keys = [np.eye(len(KEYS))[[KEYS.index("amount")] * len(told.mentions[0])]]
    threshold = Piece("condition", 0, 0, len(reached) - 1, 0.7)
    assert without_amount(told, threshold) is threshold
    rest = Piece("condition", 0, end + 1, len(text) - 1, 0.7)
    assert without_amount(reading, rest) is rest


def test_a_list_of_kinds_with_amounts_says_who_gets_each() -> None:
    text = "每个项目最高限额为外贸服务企业20万元、“双自主”企业10万元、中小外贸企业5万元。"
    reading = start_reading(text, segment(text), np.zeros((1, len(ROLES))))
    found = given_to(reading, Piece("benefit", 0, 0, len(text) - 1, 0.9))
    assert [text[p.a : p.b] for p in found] == ["外贸服务企业", "“双自主”企业", "中小外贸企业"]
    one = "对外贸服务企业最高奖励20万元。"
    reading = start_reading(one, segment(one), np.zeros((1, len(ROLES))))
    assert given_to(reading, Piece("benefit", 0, one.index("最高"), len(one) - 1, 0.9)) == []
