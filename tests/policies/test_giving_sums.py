"""给予金额: sums that a verb of giving takes give in any clause; steps of one figure are one item; refunds give nothing."""

from __future__ import annotations

import pytest

from policies.decompose.pipeline import decompose
from policies.segment import field_of, segment

FRAME = """青溪市扶持办法
一、支持企业上规模。对首次纳入规模以上工业统计的企业，一次性奖励20万元。
二、支持技术改造。总投资500万元以上的技术改造项目，按设备投资额的8%给予补助，最高不超过800万元。
三、{}
"""


def items(said: str) -> list[list[str]]:
    """The benefits' quotes of the items beyond the frame's two."""
    return [[b["quote"] for b in i.benefits] for i in decompose(FRAME.format(said)).items][2:]


def test_steps_that_differ_in_their_figure_only_are_one_item() -> None:
    said = "支持企业增效。企业年缴税金达到30万元以上的，一次性给予10万元奖励；企业年缴税金达到50万元以上的，一次性给予20万元奖励。"
    assert [len(i) for i in items(said)] == [2]


def test_a_step_told_by_its_figure_alone_goes_on_with_the_one_before() -> None:
    said = "支持代理机构。专利代理机构年代理授权50件以上的，奖励5万元；100件以上的，奖励12万元。"
    assert [len(i) for i in items(said)] == [2]


def test_other_triggers_with_figures_stay_items_of_their_own() -> None:
    said = "支持平台。新建孵化器面积达到2000平方米以上的，给予50万元奖励；众创空间服务企业达到30家以上的，给予20万元奖励。"
    assert [len(i) for i in items(said)] == [1, 1]


def test_money_that_firms_must_give_back_is_no_item() -> None:
    assert items("退出机制。享受奖励的企业五年内迁出的，应当全额退回奖励资金。") == []


def test_places_that_are_urged_to_give_give_nothing() -> None:
    assert items("推动数字赋能。鼓励有条件的县区对数字化改造项目给予补助。") == []


def test_payment_step_by_step_is_one_item() -> None:
    said = "支持上市。企业首发上市的，给予总额500万元奖励，分阶段兑付：完成股改的，奖励50万元；完成辅导验收的，奖励150万元；成功上市的，奖励300万元。"
    assert len(items(said)) == 1


def test_a_ceiling_told_in_a_sentence_of_its_own_bounds_what_stands_before_it() -> None:
    said = "支持参展。企业参加境外展会的，给予每个展位2万元补助。单个企业每年补助金额最高不超过20万元。"
    assert items(said) == [["给予每个展位2万元补助", "单个企业每年补助金额最高不超过20万元"]]


def test_a_list_of_fields_without_headings_is_an_item_a_round() -> None:
    text = "支持政策清单\n" + "".join(
        f"支持对象：{who}\n支持条件：{what}\n支持标准：{sum_}\n"
        for who, what, sum_ in (
            ("建筑业企业", "晋升施工总承包特级资质", "一次性奖励300万元"),
            ("城市配送企业", "新购置纯电动货车10辆以上", "每辆车每年补贴5000元"),
            ("交通运输企业", "首次升规纳统", "一次性奖励20万元"),
        )
    )
    found = decompose(text).items
    assert len(found) == 3
    assert [len(i.conditions) >= 1 for i in found] == [True] * 3
    assert all("晋升" not in c["quote"] for i in found[1:] for c in i.conditions)


def test_words_that_give_or_aim_are_no_condition() -> None:
    said = "支持创新。为扩大优惠政策覆盖面，新认定的省级企业技术中心符合以下条件之一的，给予50万元奖励，奖励额度不设上限。"
    found = decompose(FRAME.format(said)).items[-1]
    quotes = [c["quote"] for c in found.conditions]
    assert not any(q.startswith("为扩大") or "不设上限" in q for q in quotes), quotes


def test_a_label_before_a_year_is_a_label() -> None:
    text = "支持政策\n一、认定奖励\n1.2024年新认定的国家级小巨人企业，奖励100万元；\n2.2024年新认定的创新型中小企业，奖励5万元。\n"
    assert [c.label for c in segment(text)][2:] == ["1", "2"]
    assert [len(i.benefits) for i in decompose(text).items] == [1, 1]


def test_a_field_in_square_brackets_is_a_field() -> None:
    assert [field_of(t) for t in ("【申报条件】", "第三条 【支持标准】", "【夜间经济】")] == [
        "申报条件",
        "支持标准",
        "",
    ]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("2.申报时间。", "申报时间"),
        ("2.网上填写的时间。", "时间"),
        ("申报时间。", ""),  # without a number it is a sentence
        ("2.应提交的材料。", ""),  # says what is to be done
        ("2.网上申报系统填写的时间。", "时间"),
        ("2.网上申报系统里填写的时间。", ""),  # too long to be a name
    ],
)
def test_a_numbered_name_of_a_field_may_end_in_a_stop(text: str, field: str) -> None:
    assert field_of(text) == field
