"""外地文件: what a second batch of texts of other cities showed to be read badly; every sentence here is invented."""

from __future__ import annotations

import re

import numpy as np
import pytest

from engine.text import cut_clauses
from policies.decompose.bars import barred_spans
from policies.decompose.binding import share_conditions
from policies.decompose.examples import Annotated
from policies.decompose.extents import refined
from policies.decompose.joins import joined
from policies.decompose.numbers import KEYS, corrected
from policies.decompose.pieces import Piece, Reading
from policies.decompose.pipeline import decompose, read_pieces, stored_models
from policies.decompose.quantities import quantities
from policies.decompose.roles import chosen_roles, role_scores
from policies.decompose.sift import asks_for, idle
from policies.decompose.spans import atoms_of, trimmed, view_of
from policies.segment import segment
from policies.wrapped import unwrapped

HEAD = "示例市产业扶持办法\n第一条 人才补贴\n对新引进的博士，给予安家补贴20万元。\n"
TAIL = "第九条 认证补贴\n对首次通过质量体系认证的企业，给予补助3万元。\n"


def _found(text: str) -> list[tuple[list[str], list[str]]]:
    items = decompose(HEAD + text + TAIL).items
    return [
        ([str(b["quote"]) for b in i.benefits], [str(c["quote"]) for c in i.conditions])
        for i in items
        if not any(w in str(b["quote"]) for b in i.benefits for w in ("安家补贴20", "补助3万元"))
    ]


def _reading(text: str) -> Reading:
    clauses = segment(text)
    return read_pieces(text, clauses, role_scores(clauses, stored_models()["roles"]), stored_models())


@pytest.mark.parametrize("text", ["在晚间19：30—21：30首播的短剧", "按上级资金1：1配套", "早9:00开馆的场馆"])
def test_times_and_ratios_are_not_cut(text: str) -> None:
    view = view_of(segment(text)[0])
    assert [a.text for a in atoms_of(0, view.flat)] == [text]


def test_a_threshold_of_money_is_a_condition() -> None:
    ((gives, asks),) = _found("第二条 展销奖励\n1.展会成交超过800万元的，一次性奖励人民币6万元；\n")
    assert gives == ["一次性奖励人民币6万元"]
    assert any("成交超过800万元" in c for c in asks)


def test_shares_under_a_field_of_conditions_are_asked() -> None:
    reading = _reading(
        "关于申报补贴的通知\n申报条件：\n1.大型企业上年度裁员率低于全国登记失业率3.9%；\n2.按保险费的50%给予补贴。\n"
    )
    asked = {a.text: asks_for(reading, n) for n, a in enumerate(reading.atoms)}
    assert asked["大型企业上年度裁员率低于全国登记失业率3.9%"]
    assert not any(asks for text, asks in asked.items() if "给予补贴" in text)


def test_a_sentence_leads_in_its_conditions_on_one_line() -> None:
    clauses = segment(
        "第三条 展会须同时具备下列条件，方可申请资助：列入年度展会计划；由专业机构承办；展览面积不小于2万平方米。资金由财政拨付。\n"
    )
    assert [c.field_name for c in clauses] == ["", "条件", "条件", ""]


def test_what_a_list_bars_is_no_list_of_conditions() -> None:
    clauses = segment("有下列情形之一的，不符合条件，不予支持：已停产；已迁出。\n")
    assert {c.field_name for c in clauses} == {""}


def test_cells_of_a_table_written_with_bars_name_their_field() -> None:
    text = "播出奖励 |\n申报条件 |\n本区注册的文化企业 |\n申报材料 |\n1.申请表； 2.营业执照复印件； 3.播出合同； |\n"
    fields = {c.text.strip(" |"): c.field_name for c in segment(text)}
    assert fields["本区注册的文化企业"] == "申报条件"
    assert fields["2.营业执照复印件；"] == "申报材料"


def test_two_steps_that_ask_for_the_same_amount_are_two_things() -> None:
    found = _found(
        "第二条 文创奖励\n对新设立、年营业收入达300万元以上的演艺企业，按营业收入的2%给予奖励；"
        "对已经入统、营业收入增量达300万元以上的演艺企业，按增量的1%给予奖励。\n"
    )
    assert len(found) == 2


def test_steps_told_from_above_make_one_item() -> None:
    text = "年度网络零售额在500万元以上的，奖励5万元；在200万元至500万元的，奖励2万元。"
    reading = _reading(text)
    pieces = [
        Piece("benefit", k, v.flat.index("奖励"), len(v.flat) - 1, 0.9) for k, v in enumerate(reading.views)
    ]
    assert joined(reading, *pieces)


def test_amounts_for_different_things_are_parted() -> None:
    found = _found(
        "第二条 展会支持\n引进类展销项目分为国际性展销、全国性展销，按照展销面积分别给予20元/平方米、15元/平方米补助，单个项目补助金额分别最高不超过90万元、60万元。"
        "区内自办类研学活动按照展销面积给予10元/平方米补助，单个项目补助金额最高不超过40万元。\n"
    )
    assert len(found) == 2


def test_paying_in_stages_does_not_hold_who_comes_next() -> None:
    found = _found(
        "第二条 校企合作\n对共建特色学院的企业，给予最高150万元分阶段资助；对课程共建、人才实训等合作项目，给予最高40万元支持。\n"
    )
    assert len(found) == 2


@pytest.mark.parametrize(
    "more",
    ["次年每增加1个示范村，再奖励30万元。", "第4年起，每年按增量部分的80%给予奖励。"],
)
def test_later_years_and_more_of_it_stay_with_what_is_given(more: str) -> None:
    reading = _reading("对验收合格的示范镇，给予150万元奖励。" + more + "\n")
    flat = reading.views[1].flat
    at = max(flat.find("再奖励"), flat.find("每年按"))
    assert joined(reading, Piece("benefit", 0, 10, 18, 0.9), Piece("benefit", 1, at, len(flat) - 1, 0.9))


def test_a_bound_on_each_work_stays_with_what_it_bounds() -> None:
    reading = _reading("在央视首播的原创动画，每分钟补助900元。每部动画作品补助总额不超过120万元。\n")
    one, two = (Piece("benefit", k, a, len(reading.views[k].flat) - 1, 0.9) for k, a in ((0, 11), (1, 0)))
    assert joined(reading, one, two)


@pytest.mark.parametrize(
    "words",
    [
        "自投产之日起",
        "第3年起",
        "连续3年奖励给企业",
        "每年以上一年度贡献额为基数",
        "按照展览面积",
        "区财政",
        "单个企业",
        "视创新水平",
        "自设备投入使用时间起",
        "连续三年按照实缴租金",
        "在市级奖励基础上",
        "参照第八条标准",
    ],
)
def test_since_when_and_by_what_asks_nothing(words: str) -> None:
    for _, asks in _found(f"第二条 总部奖励\n对纳税总额100万元以上的总部项目，{words}，给予奖励8万元。\n"):
        assert words not in asks


@pytest.mark.parametrize("words", ["按照实际投资规模", "在稳定经营方面", "该局负责人介绍"])
def test_what_is_weighed_and_who_tells_asks_nothing(words: str) -> None:
    reading = _reading(f"{words}，给予奖励8万元。\n")
    told = Piece("condition", 0, 0, len(words), 0.9)
    assert share_conditions(reading, [told], [], [["benefit", "condition"]]) == []


def test_who_may_give_is_no_part_of_who_is_given() -> None:
    flat = "各县（市、区）可对承担保供任务的零售企业"
    assert flat[slice(*trimmed(flat, 0, len(flat)))] == "承担保供任务的零售企业"


@pytest.mark.parametrize(
    "sentence",
    [
        "市政府另行支持的展会以及在商场举办的展销活动不在此列。",
        "所填数据须与统计报表一致，否则不予推荐。",
        "同一展览资助不超过五届。",
    ],
)
def test_further_words_that_bar(sentence: str) -> None:
    reading = _reading(sentence)
    assert barred_spans(reading, 0, ["exclusion"], 0.3)


def test_what_each_level_of_government_bears_gives_nothing() -> None:
    reading = _reading("补助资金市县按1：1比例承担。\n")
    assert idle(reading, Piece("benefit", 0, 0, 14, 0.9))


def test_news_of_a_policy_gives_what_its_rules_give() -> None:
    text = (
        "来某市旅游有奖\n近日，某市印发旅行社奖励办法，对招徕游客的旅行社给予奖励。\n对年接待过夜游客2000人以上的旅行社，每人每晚奖励8元。\n"
        "对组织专列的旅行社，每列奖励2万元。\n"
    )
    items = decompose(text).items
    assert not any(b["quote"] == "给予奖励" for i in items for b in i.benefits)


def test_a_text_that_begins_with_a_rule_has_no_title_there() -> None:
    text = "对承租国有经营性房产的企业，可以减免或减半收取1—3个月房租；对资金支付困难的，可以延期收取租金。\n"
    clauses = segment(text)
    roles = chosen_roles(role_scores(clauses, stored_models()["roles"]), stored_models()["roles"])
    assert "benefit" in roles[0] and "title" not in roles[0]


def test_steps_to_be_reached_before_a_further_condition_are_no_amounts() -> None:
    flat = "当年度销售额首次达到2亿元、4亿元、6亿元，且增幅高于全区平均水平的批发企业，分别给予奖励5万元、10万元、15万元。"
    found = quantities(flat)
    taken = np.tile([0.9 if k == "amount" else 0.03 for k in KEYS], (len(found), 1))
    keys = [KEYS[int(s.argmax())] for s in corrected(flat, found, taken)]
    assert keys == ["none"] * 3 + ["amount"] * 3


def test_steps_in_a_numbered_line_make_one_item() -> None:
    text = "四、餐饮企业新增量达到50万元且增速达到20%以上的，给予1万元奖励；餐饮企业新增量达到400万元且增速达到10%以上的，给予2万元奖励。\n"
    reading = _reading(text)
    one, two = (
        Piece("benefit", k, v.flat.index("给予"), len(v.flat) - 1, 0.9) for k, v in enumerate(reading.views)
    )
    assert joined(reading, one, two)


def test_what_something_costs_is_not_given() -> None:
    reading = _reading("新建标准茶园每亩投入1600元（投资概算为：每株价格0.4元），县奖补1200元。\n")
    said = [
        reading.views[0].flat[q.start : q.end]
        for q, s in zip(reading.mentions[0], reading.keys[0], strict=True)
        if KEYS[int(s.argmax())] != "none"
    ]
    assert said == ["1200元"]


@pytest.mark.parametrize(
    "words", ["可以同时享受上级财政给予的奖励和支持", "经区级备案认定", "由市财政按上述标准给予100%奖励"]
)
def test_what_others_give_or_what_comes_first_gives_nothing(words: str) -> None:
    reading = _reading(f"对新招引的企业，{words}，并完成搬迁手续。\n")
    at = reading.views[0].flat.index(words)
    assert idle(reading, Piece("benefit", 0, at, at + len(words), 0.9))


def test_a_comma_in_quotation_marks_does_not_cut() -> None:
    flat = view_of(segment("以“时尚滨城，乐享夏夜”为主题，举办购物节")[0]).flat
    assert [a.text for a in atoms_of(0, flat)] == ["以“时尚滨城，乐享夏夜”为主题", "举办购物节"]


def test_others_in_one_sentence_are_given_something_else() -> None:
    found = _found(
        "第二条 培育奖励\n对评选为瞪羚的企业给予30万元的奖励，对评选为服务型制造示范的企业给予20万元的奖励，对获得绿色工厂称号的单位给予10万元奖励。\n"
    )
    assert len(found) == 3


def test_whom_the_first_sentence_names_the_next_speak_of_too() -> None:
    found = _found(
        "第二条 新药奖励\n对本市企业研制的第一类生物制品，完成境外临床研究的，给予150万元资助；取得新药证书并实现产业化，每个品种给予一次性400万元奖励。\n"
    )
    assert len(found) == 2
    assert all(any("第一类生物制品" in c for c in asks) for _, asks in found)


WRAPPED = (
    "为深入推进质量强区建设，推进质量变革、效率变革，促进全区经济社会持续发\n展，根据有关规定，结合我区实际，制定本办法。\n一、适用范围\n"
    "本办法适用于在本区行政区域内登记注册并具有固定生产经营场所的企业、个体\n工商户和其他组织。\n二、奖励标准\n"
    "1.对首次获得市级质量管理奖并持续改进质量管理水平的本区企业，给予一次性\n奖励30 万元。\n"
    "2.对获得国家级标准化示范项目并通过主管部门组织的验收的承担单位，给予补\n助20 万元。\n"
)


def test_lines_that_a_page_broke_are_one() -> None:
    items = decompose(WRAPPED).items
    assert [re.sub(r"\s", "", str(b["quote"])) for i in items for b in i.benefits] == [
        "给予一次性奖励30万元",
        "给予补助20万元",
    ]
    assert all(WRAPPED[b["start"] :].startswith(str(b["quote"])) for i in items for b in i.benefits)
    assert [c.text for c in segment(WRAPPED) if c.label == "一"] == ["一、适用范围"]


def test_short_lines_of_their_own_are_left_apart() -> None:
    card = "服务对象\n本区企业\n服务内容\n给予补助\n办理地点\n政务大厅\n联系电话\n见附件\n"
    assert unwrapped(card) == card
    titles = "关于组织申报示例市技术改造项目专项资金的通知\n各县区工信部门，市直有关单位，各有关企业和机构\n"
    assert unwrapped(titles) == titles


def test_roles_of_broken_lines_are_learnt_together() -> None:
    cuts = cut_clauses(WRAPPED)
    gold = {"clauses": {str(n): ["condition"] for n in range(1, len(cuts) + 1)}, "general": {}, "items": []}
    doc = Annotated("wrapped", "wrapped", WRAPPED, gold).prepare()
    assert len(doc.clauses) < len(cuts) and doc.role_labels.sum() == len(doc.clauses)


def test_news_of_today_gives_what_its_rules_give() -> None:
    reading = _reading("今日，某市印发旅行社奖励办法，对招徕游客的旅行社给予奖励。\n")
    flat = reading.views[0].flat
    assert idle(reading, Piece("benefit", 0, flat.index("给予奖励"), len(flat) - 1, 0.9))


def test_a_bar_between_cells_cuts_like_a_mark() -> None:
    flat = "仓储补贴|租用冷库面积500平方米以上|最高10万元"
    assert [a.text.strip("|") for a in atoms_of(0, flat)] == flat.split("|")


def test_a_first_line_set_in_is_as_wide_as_the_page() -> None:
    lines = [
        "            对在本区登记的小微企业因稳岗而",
        "承担的职业培训费用按照实际发生的金额给予补助并",
        "由所在街道登记。",
        "            对吸纳高校毕业生就业并签合同的",
        "企业按照实际吸纳的人数给予一次性补助并予以公布",
        "在政务网站。",
    ]
    assert len(unwrapped("\n".join(lines)).split("\n")) == 2


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        ("品牌服务机构为本区引进设计师", ["品牌服务机构", "为本区引进设计师"]),
        ("一般纳税人销售自研芯片", ["一般纳税人", "销售自研芯片"]),
        ("骨干制造业企业招用退役军人", ["骨干制造业企业", "招用退役军人"]),
        ("生态茶园面积连片60亩以上", ["生态茶园", "面积连片60亩以上"]),
        ("高新技术产业开发区内的商户", ["高新技术产业开发区内的商户"]),
        ("组织骨干企业参加境外展会", ["组织骨干企业参加境外展会"]),
        ("同一单位承担多个示范项目", ["同一单位承担多个示范项目"]),
    ],
)
def test_who_and_what_of_him_are_two_conditions(said: str, parts: list[str]) -> None:
    reading = _reading(said)
    assert [said[p.a : p.b] for p in refined(reading, Piece("condition", 0, 0, len(said), 0.9))] == parts
