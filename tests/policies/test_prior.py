"""初判: what a reader says of a clause at first sight, on invented sentences in the forms of several kinds of text."""

from __future__ import annotations

import pytest

from policies.decompose.prior import opinions, places
from policies.decompose.subjects import subject_of
from policies.segment import role_of_field, segment


def _roles(text: str) -> list[set[str]]:
    clauses = segment(text)
    return [{r for r, _ in opinions(c, p)} for c, p in zip(clauses, places(clauses), strict=True)]


@pytest.mark.parametrize(
    ("sentence", "who", "mode"),
    [
        ("申报企业应具有独立法人资格", "firm", "must"),
        ("区工信局负责组织评审", "office", "does"),
        ("各区财政部门要加强资金监管", "office", "must"),
        ("对新认定的企业给予奖励", "target", "says"),
        ("支持企业建设实验室", "none", "says"),
    ],
)
def test_who_a_sentence_speaks_of_and_in_what_mood(sentence: str, who: str, mode: str) -> None:
    assert subject_of(sentence) == (who, mode)


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("申报材料", "material"),
        ("联络方式", "contact"),
        ("支持方式", "benefit"),
        ("申报时间及方式", "procedure"),
        ("受理范围、资助额度", ""),
        ("发文字号", "other"),
    ],
)
def test_a_field_lends_the_role_of_what_it_names(name: str, role: str) -> None:
    assert role_of_field(name) == role


def test_the_points_of_a_list_are_what_its_lead_says() -> None:
    text = "某办法\n第六条 有下列情形之一的，不予支持：\n（一）欠缴税款的；\n（二）用房闲置的。\n第七条 应当提交以下材料：\n（一）用房合同；\n（二）缴费单据。"
    said = _roles(text)
    assert said[2] == said[3] == {"exclusion"}
    assert said[5] == said[6] == {"material"}


def test_a_chapter_without_a_field_lends_its_role() -> None:
    text = "某办法\n第三章 监督管理\n第九条 定期通报进展，如实记载结果。\n第四章 申报和审批\n第十条 由镇街汇总后统一送交区里。"
    said = _roles(text)
    assert said[2] == {"authority"}
    assert "procedure" in said[4]


def test_an_answer_plays_the_role_that_its_question_asks_for() -> None:
    text = "一、最多可以贷多少额度？\n答：个人三十万元以内。\n二、需要哪些材料？\n答：身份证和合同。\n三、如何办理？\n答：到街道窗口。"
    said = _roles(text)
    assert "benefit" in said[1]
    assert "material" in said[3]
    assert "procedure" in said[5]


def test_short_lines_before_longer_ones_are_headings_even_with_a_stop() -> None:
    text = "若干政策\n" + "".join(
        f"支持{name}建设。对首次建成{name}的企业，给予10万元奖励。\n" for name in ("平台", "园区", "载体")
    )
    clauses = segment(text)
    assert [c.sort for c in clauses[1::2]] == ["h", "h", "h"]
    assert all(clauses[k].headings == (clauses[k - 1].number,) for k in (2, 4, 6))


def test_points_that_begin_again_leave_the_heading_that_is_gone() -> None:
    text = "通知\n二、申报条件\n（一）在本区登记。\n（二）正常经营。\n（一）网上注册\n在系统上注册。"
    clauses = segment(text)
    assert clauses[2].field_name == "申报条件"
    assert clauses[5].field_name == ""


def test_what_is_to_be_stopped_is_given_to_nobody() -> None:
    (said,) = _roles("杜绝违法给予特定经营者优惠政策和奖励等问题，及时清理。")[0:1] or [set()]
    assert "benefit" not in said


def test_a_record_of_no_bad_faith_is_a_condition_and_no_exclusion() -> None:
    said = _roles("指南\n申报条件\n近三年内无失信记录的企业。\n对列入失信名单的企业，不予支持。")
    assert said[2] == {"condition"}
    assert "exclusion" in said[3]


@pytest.mark.parametrize(
    ("sentence", "roles"),
    [
        ("项目验收合格后，拨付剩余40%的资助资金。", {"procedure"}),
        ("资助资金主要用于补助场地租金，不含差旅费。", {"condition", "exclusion"}),
        ("补贴期限累计不超过2年。", {"benefit"}),
        ("网址：https://example.cn/apply", {"procedure"}),
        ("首次申请应于办理登记之日起1年内提出。", {"window"}),
        ("已享受同类资助的，不能再申请本项资助。", {"exclusion"}),
        ("3.承诺书（企业）.docx", {"other"}),
    ],
)
def test_what_set_phrases_of_staged_spent_and_limited_money_are(sentence: str, roles: set[str]) -> None:
    said = _roles(f"某办法\n第一条 总则内容。\n{sentence}")[-1]
    assert roles <= said
    assert "benefit" in roles or "benefit" not in said


def test_duties_of_firms_are_conditions_and_contents_of_a_contract_steps() -> None:
    said = _roles("某办法\n第一条 见习单位应当履行下列职责：\n（一）提供岗位；\n（二）安排指导人员。")
    assert said[2] == said[3] == {"condition"}
    said = _roles("某办法\n第一条 见习协议包括下列内容：\n（一）岗位安排；\n（二）违约责任。")
    assert said[2] == said[3] == {"procedure"}


def test_what_is_encouraged_among_conditions_is_orientation() -> None:
    said = _roles(
        "指南\n申报条件\n在本区登记的企业。\n鼓励申报单位面向社区、学校、园区等基层一线持续开展各类公益活动和惠民服务。"
    )
    assert (said[2], said[3]) == ({"condition"}, {"orientation"})


@pytest.mark.parametrize(
    ("name", "role"),
    [("装订要求", "material"), ("受理责任部门", "procedure"), ("经办机构", "procedure")],
)
def test_fields_of_binding_and_of_who_receives(name: str, role: str) -> None:
    assert role_of_field(name) == role


@pytest.mark.parametrize(
    ("sentence", "roles"),
    [
        ("单家企业当年补贴不超过50万元。", {"benefit"}),
        ("设立总规模2亿元的产业基金，推动装备制造业集聚。", {"authority", "orientation"}),
        ("上述贴息资金由县财政承担。", {"authority"}),
        ("自2026年1月1日起，对新招用的职工每人补贴1000元。", {"benefit", "condition", "window"}),
        ("根据《示例市促进办法》，现组织开展2026年度申报工作。", {"preamble"}),
        ("在示例区开展产业用地混合利用试点。", {"orientation"}),
    ],
)
def test_limits_funds_pilots_and_days_at_the_head(sentence: str, roles: set[str]) -> None:
    text = f"示例市产业办法\n第一章 扶持内容\n第一条 对企业给予10万元奖励。\n{sentence}\n"
    assert _roles(text)[-1] == roles


def test_a_short_point_with_more_behind_it_is_its_heading() -> None:
    roles = _roles(
        "示例市产业办法\n（一）贷款贴息。对企业按50%给予贴息。\n（二）奖励实行申报制。企业提出申请。\n（三）实行灵活供地。允许分期缴纳。\n"
    )
    assert [roles[k] == {"title"} for k in (1, 3, 5)] == [True, False, True]


def test_papers_under_a_lead_of_conditions_are_papers() -> None:
    roles = _roles("示例市抵扣指南\n一、申报条件：\n1、《研发费用归集表》；\n2、会计核算健全；\n")
    assert roles[-2:] == [{"material"}, {"condition"}]
