"""约束归属: which items a condition binds, by the words of the headings over it, on invented texts."""

from __future__ import annotations

import numpy as np

from policies.decompose.binding import owners_of, share_conditions
from policies.decompose.model import Item
from policies.decompose.numbers import KEYS
from policies.decompose.pieces import Piece, Reading, start_reading
from policies.decompose.pipeline import decompose
from policies.decompose.roles import ROLES
from policies.segment import segment


def _reading(text: str) -> Reading:
    clauses = segment(text)
    return start_reading(text, clauses, np.zeros((len(clauses), len(ROLES))))


def _owners(text: str, benefits: tuple[str, ...], condition: str) -> list[int]:
    reading = _reading(text)

    def at(words: str) -> int:
        return next(k for k, c in enumerate(reading.clauses) if words in c.text)

    items = []
    for words in benefits:
        k = at(words)
        piece = Piece("benefit", k, 0, len(reading.views[k].flat), 0.9)
        items.append(Item([k], [piece], [{"quote": words, "start": text.index(words)}]))
    k = at(condition)
    return owners_of(reading, Piece("condition", k, 0, len(reading.views[k].flat), 0.9), items)


def test_a_lead_names_the_item_by_its_first_words() -> None:
    text = (
        "服务内容\n1．支持早期投资项目，给予100万元补贴。\n2．支持份额转让交易，给予50万元补贴。\n"
        "条件要求\n1．支持早期投资项目需要符合以下条件：\n（1）投资时间满一年。\n2．支持份额转让交易需要符合以下条件：\n（1）已经完成交割。\n"
    )
    benefits = ("给予100万元", "给予50万元")
    assert _owners(text, benefits, "投资时间满一年") == [0]
    assert _owners(text, benefits, "已经完成交割") == [1]


def test_a_grade_ties_conditions_to_amounts() -> None:
    text = (
        "一、人才条件\n1、第一层次人才（A类）\n（1）获得国家级奖项。\n2、第二层次人才（B类）\n（1）获得省级奖项。\n"
        "二、补贴标准\n（一）A类人才，每月1500元；\n（二）B类人才，每月1000元；\n"
    )
    benefits = ("每月1500元", "每月1000元")
    assert _owners(text, benefits, "获得国家级奖项") == [0]
    assert _owners(text, benefits, "获得省级奖项") == [1]


def test_a_lead_names_the_applicants() -> None:
    text = (
        "奖励标准\n（1）银行奖励。给予300万元奖励。\n（2）担保公司奖励。给予200万元奖励。\n（3）平台奖励。给予100万元奖励。\n"
        "有关要求\n1．申报的银行和担保公司须满足以下条件：\n（1）业务已经放款。\n"
    )
    benefits = ("给予300万元", "给予200万元", "给予100万元")
    assert _owners(text, benefits, "业务已经放款") == [0, 1]


def test_a_topic_that_comes_twice_keeps_its_own_conditions() -> None:
    text = (
        "甲规定\n一、关于财政税收\n（一）文化单位办理登记的，给予10万元补助。\n（二）说明应当在三月前完成。\n"
        "乙规定\n一、关于财政税收\n（一）放映单位下乡放映的，给予20万元补助。\n"
    )
    assert 1 not in _owners(text, ("给予10万元", "给予20万元"), "说明应当在三月前完成")


def test_a_point_that_begins_with_an_items_name_is_its_own() -> None:
    text = (
        "通知如下：\n一、申报条件\n（一）基本条件\n1.依法登记。\n（二）专项条件\n1.单点改造项目：投入不低于30万元。\n2.整体改造项目：投入不低于200万元。\n"
        "二、支持标准\n（一）单点改造项目，给予10万元补助。\n（二）整体改造项目，给予50万元补助。\n"
    )
    benefits = ("给予10万元", "给予50万元")
    assert _owners(text, benefits, "不低于30万元") == [0]
    assert _owners(text, benefits, "不低于200万元") == [1]
    assert _owners(text, benefits, "依法登记") == []  # binds all: told once


def test_who_a_plain_giving_speaks_of_is_whom_the_amounts_behind_it_are_for() -> None:
    text = (
        "示例市若干措施\n1．对新开设首店的企业，给予资金支持。\n其中零售企业按照投资额的50%给予支持；餐饮企业按照投资额的20%给予支持。\n"
        "2．对购置设备的企业，给予补助。\n对租用设备的企业，按租金的10%给予补助。\n"
    )
    reading = _reading(text)
    reading.keys = [np.zeros((len(m), len(KEYS))) for m in reading.mentions]

    def item(words: str, condition: str = "") -> Item:
        k = next(k for k, c in enumerate(reading.clauses) if words in c.text)
        a = reading.views[k].flat.index(words)
        told = [{"quote": condition, "start": text.index(condition)}] if condition else []
        piece = Piece("benefit", k, a, a + len(words), 0.9)
        return Item([k], [piece], [{"quote": words, "start": text.index(words)}], conditions=told)

    lead, food = item("给予资金支持", "新开设首店的企业"), item("按照投资额的20%给予支持")
    food.conditions += [{"quote": q, "start": text.index(q)} for q in ("餐饮企业", "投资额的20%")]
    other, rent = item("给予补助", "购置设备的企业"), item("按租金的10%给予补助")
    share_conditions(reading, [], [lead, food, other, rent], [["benefit"]] * len(reading.clauses))
    assert [c["quote"] for c in food.conditions] == ["新开设首店的企业", "餐饮企业", "投资额的20%"]
    assert not rent.conditions and len(lead.conditions) == 1


def test_what_applicants_must_meet_binds_the_items_that_no_lead_beside_names() -> None:
    text = """某市文化金融扶持办法
支持内容
1.降低文化企业融资成本。
（1）贷款贴息。对从银行获得贷款的文化企业，给予不超过40%的贴息支持，最高300万元。
（2）挂牌奖励。对在四板挂牌的文化企业，一次性奖励5万元。
2.鼓励金融机构服务文化企业。
（1）担保公司奖励。对为文化企业新增担保的，按照担保额的1%给予奖励，最高200万元。
条件要求
1.申报的文化企业须同时满足以下条件：
（1）在本市注册满一年；
（2）非上市企业。
2.申报的担保公司须同时满足以下条件：
（1）持续正常经营2年以上；
"""
    items = decompose(text).items
    assert len(items) == 3
    told = ["".join(c["quote"] for c in i.conditions) for i in items]
    assert ["注册满一年" in t for t in told] == [True, True, False]
    assert ["经营2年以上" in t for t in told] == [False, False, True]
