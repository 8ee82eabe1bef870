"""泛称给予: sentences that say that something is given and the amounts behind them, payments in parts, and talk about giving."""

from __future__ import annotations

import pytest

from policies.decompose.pieces import Piece
from policies.decompose.pipeline import decompose, read_pieces, stored_models
from policies.decompose.roles import role_scores
from policies.decompose.sift import idle, talk
from policies.segment import segment

HEAD = "示例市支持制造业发展若干措施\n第一条 对新建厂房的工业企业，给予一次性补助30万元。\n"
TAIL = "第三条 对首次获得省级质量奖的企业，给予一次性奖励20万元。\n"


def _items(text: str) -> list[list[str]]:
    return [[str(b["quote"]) for b in i.benefits] for i in decompose(text).items]


def test_a_plain_giving_belongs_to_the_amount_behind_it() -> None:
    found = _items(
        HEAD
        + "第二条 对购置生产设备的工业企业，给予资金支持。按照设备购置额的10%给予补助，单个企业最高不超过200万元。\n"
        + TAIL
    )
    mine = [i for i in found if any("10%" in q for q in i)]
    assert len(mine) == 1 and len(found) == 3
    assert any("给予资金支持" in q for q in mine[0])


def test_another_beneficiary_stays_an_item_of_his_own() -> None:
    found = _items(
        HEAD
        + "第二条 对购置生产设备的工业企业，给予资金支持。对租赁生产设备的工业企业，给予一次性补助15万元。\n"
        + TAIL
    )
    assert not any(any("资金支持" in q for q in i) and any("15万元" in q for q in i) for i in found)


def test_a_lead_over_points_with_amounts_is_no_item() -> None:
    found = _items(
        HEAD
        + "第二条 对符合条件的服务业企业给予奖励，具体如下：\n（一）落户奖励。对新设立的服务业企业，给予一次性奖励10万元。\n"
        + "（二）升规奖励。对首次纳入规模以上统计的服务业企业，给予一次性奖励5万元。\n"
        + TAIL
    )
    assert len(found) == 4
    assert not any("具体如下" in q or q == "给予奖励" for i in found for q in i)


def _idle(sentence: str, words: str) -> bool:
    clauses = segment(sentence)
    reading = read_pieces(sentence, clauses, role_scores(clauses, stored_models()["roles"]), stored_models())
    flat = reading.views[0].flat
    piece = Piece("benefit", 0, flat.index(words), flat.index(words) + len(words), 0.5)
    return idle(reading, piece) or talk(reading, piece)


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("立项后先期拨付资助资金总额的60%。", "先期拨付资助资金总额的60%"),
        ("验收合格后拨付剩余资金。", "拨付剩余资金"),
        ("获奖企业应当向区发改局提出奖励申请。", "向区发改局提出奖励申请"),
        ("享受本办法扶持的企业须守法经营。", "享受本办法扶持的企业须守法经营"),
        ("让小企业提前享受减税红利。", "让小企业提前享受减税红利"),
    ],
)
def test_talk_about_giving_gives_nothing(sentence: str, words: str) -> None:
    assert _idle(sentence, words)


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("对新建厂房的企业，给予30万元补助。", "给予30万元补助"),
        ("转制企业可享受税收优惠政策。", "可享受税收优惠政策"),
        ("优秀团队可以申请创业扶持。", "可以申请创业扶持"),
    ],
)
def test_giving_is_not_taken_for_talk(sentence: str, words: str) -> None:
    assert not _idle(sentence, words)


def test_steps_to_be_reached_are_no_amounts() -> None:
    text = (
        HEAD
        + "第二条 年营业收入首次突破1亿元、5亿元、10亿元的企业，分别给予20万元、50万元、100万元奖励。\n"
        + TAIL
    )
    told = [b["amount"] for i in decompose(text).items for b in i.benefits if "amount" in b]
    assert told == [300000, 200000, 500000, 1000000, 200000]


def test_a_loan_told_before_a_rate_is_no_ceiling_of_it() -> None:
    text = HEAD + "第二条 初创企业可申请最高30万元的担保贷款，财政按贷款利率的50%给予贴息。\n" + TAIL
    rate = next(b for i in decompose(text).items for b in i.benefits if b.get("rate") == 0.5)
    assert "cap" not in rate


def test_a_service_without_application_is_not_how_these_items_are_paid() -> None:
    text = HEAD + "第二条 全面推行惠企政策“免申即享”，设立服务专员。\n" + TAIL
    assert {i.delivery for i in decompose(text).items} == {"unspecified"}
    text = HEAD + "第二条 本措施奖励资金实行免申即享。\n" + TAIL
    assert {i.delivery for i in decompose(text).items} == {"no_application"}


CALL = """关于受理示例区人才公寓申请的公告
现面向辖区企业、人才受理示例区人才公寓申请。
一、申请类别及条件
1.高层次人才。申请人应为经认定的高层次人才，且在辖区企业工作。
2.重点企业人才。申请人所在企业应当纳入本区重点企业名录。
3.青年创业人才。申请人年龄应在18至45周岁，并在辖区创业基地创业。
二、申请材料
1.申请表；
2.身份证复印件；
3.劳动合同。
"""


def test_a_call_for_several_groups_has_an_item_for_each() -> None:
    items = decompose(CALL).items
    assert [i.title for i in items] == [
        "示例区人才公寓（高层次人才）",
        "示例区人才公寓（重点企业人才）",
        "示例区人才公寓（青年创业人才）",
    ]
    assert any("名录" in c["quote"] for c in items[1].conditions)
    assert not any("名录" in c["quote"] for c in items[2].conditions)
    assert all(len(i.materials) == 3 for i in items)


def test_a_point_begins_with_its_own_name() -> None:
    text = (
        "示例市电影资金项目\n服务内容\n1．资助新建影院2025年1月1日至2025年12月31日期间完成新建，正式营业的影院。\n"
        "2．获奖作品奖励：获得国家级奖项的影片。\n条件要求\n1．申报单位在示例市注册。\n"
    )
    quotes = [b["quote"] for i in decompose(text).items for b in i.benefits]
    assert "资助新建影院" in quotes and "获奖作品奖励" in quotes
