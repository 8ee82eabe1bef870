"""许可与授予: what somebody may have without an amount, what a recognised applicant is conferred, and lead-ins inside paragraphs."""

from __future__ import annotations

import pytest

from policies.decompose.cues import cues_of
from policies.decompose.phrases import GIVES, SAYS_GIVING
from policies.decompose.pipeline import decompose
from policies.decompose.prior import prior_features
from policies.segment import segment
from tests.policies.more_plain_texts import MORE

RULES = """示例市创新工坊认定管理办法
第一章 总则
第一条 为规范创新工坊认定工作，制定本办法。
第二章 认定条件
第二条 申请认定创新工坊，应当符合以下条件：
（一）在本市依法登记，具有独立法人资格；
（二）运营时间满一年，入驻团队不少于10个；
（三）配备专职服务人员3名以上。
第三章 认定程序
第三条 符合条件的单位向市科技局提出申请。申请时提交下列材料：
（一）创新工坊认定申请书；
（二）营业执照复印件；
（三）场地证明。
第四条 市科技局组织专家评审，公示无异议的，认定为示例市创新工坊，并颁发证书。
"""


@pytest.mark.parametrize("kind", sorted(MORE))
def test_further_texts_without_a_grant_have_no_items(kind: str) -> None:
    assert [b["quote"] for i in decompose(MORE[kind]).items for b in i.benefits] == []


@pytest.mark.parametrize(
    "words",
    [
        "可以申请拍摄扶持",
        "可继续以划拨方式使用",
        "允许分期缴纳",
        "不征收增值税",
        "实行即征即退政策",
        "免缴场地使用费",
    ],
)
def test_permission_and_relief_are_words_of_giving(words: str) -> None:
    assert GIVES.search(words) and SAYS_GIVING.search(words)


@pytest.mark.parametrize("words", ["可以通过网站查询", "可持续发展", "可以拨打热线", "可行性研究"])
def test_what_everybody_can_do_is_no_permission(words: str) -> None:
    assert not GIVES.search(words)
    assert "permit" not in cues_of(words)


def test_a_lead_in_at_the_end_of_a_paragraph_lends_its_field_to_the_points() -> None:
    clauses = segment(RULES)
    lead = next(c for c in clauses if c.text.startswith("申请时提交"))
    papers = [c for c in clauses if lead.number in c.headings]
    assert [c.label for c in papers] == ["（一）", "（二）", "（三）"]
    assert {c.field_name for c in papers} == {"材料"}
    assert all(
        lead.number not in c.headings for c in clauses if c.label == "第四条"
    )  # the next 条 is no point of that list


def test_what_is_counted_under_a_definition_is_no_condition() -> None:
    text = "某指引\n一、研究开发费用的归集范围\n1.人员人工\n从事研究开发活动人员的全年工资薪金。\n2.直接投入\n为实施项目而购买的原材料等支出。"
    rows = prior_features(segment(text))
    assert "why:definition:chapter-definition" in rows[3]


def test_rules_of_recognition_give_what_they_confer() -> None:
    (item,) = decompose(RULES).items
    assert "认定为示例市创新工坊" in "".join(str(b["quote"]) for b in item.benefits)
    assert len(item.conditions) >= 3
    assert len(item.materials) == 3


def test_several_supports_that_one_may_apply_for_are_items_each() -> None:
    text = """某基金申报指南
一、支持内容
（一）选题孵化。重大题材的创作选题，在本地立项的，可以申请选题孵化扶持。
（二）剧本创作。完成备案并已展开创作的，可以申请剧本创作扶持。
（三）拍摄制作。已经开始摄制的项目，可以申请拍摄制作扶持。
二、申报条件
申报单位应在本市注册，具有独立法人资格。
"""
    quotes = ["".join(str(b["quote"]) for b in i.benefits) for i in decompose(text).items]
    assert len(quotes) == 3
    assert all("可以申请" in q for q in quotes)
