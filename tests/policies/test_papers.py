"""材料片段: what a sentence or a list says is handed in, on invented clauses."""

from __future__ import annotations

import numpy as np
import pytest

from policies.decompose.papers import paper_spans
from policies.decompose.pieces import start_reading
from policies.decompose.pipeline import decompose
from policies.decompose.roles import ROLES
from policies.segment import segment


def _papers(text: str, names: tuple[str, ...] = ("procedure",)) -> list[str]:
    clauses = segment(text)
    reading = start_reading(text, clauses, np.full((len(clauses), len(ROLES)), 0.2))
    return [
        reading.views[k].flat[a:b].rstrip("。；")
        for k in range(len(clauses))
        for a, b, _ in paper_spans(reading, k, names)
    ]


@pytest.mark.parametrize(
    ("text", "papers"),
    [
        ("申请人应当提交补贴申请书及相关证明材料。", ["补贴申请书", "相关证明材料"]),
        ("企业凭发票和交付凭证向主管部门申请兑付。", ["发票和交付凭证"]),
        ("请填写《项目申请表（表一）》。", ["《项目申请表（表一）》"]),
        ("企业提交上年度纳税申报表复印件。", ["上年度纳税申报表复印件"]),
        ("提交申请资料：项目申报表、剧本、演出视频。", ["项目申报表", "剧本", "演出视频"]),
        ("申报材料包括项目立项文件、资金申请报告等。", ["项目立项文件", "资金申请报告"]),
        ("在线填写相应《补助资金申请表》。", ["《补助资金申请表》"]),
        (
            "第六条 申报材料：（一）申请表；（二）营业执照复印件；（三）上年度纳税情况。",
            ["申请表", "营业执照复印件", "上年度纳税情况"],
        ),
        ("申请时应提供下列资料：1.申请表；2.上年度审计报告。", ["申请表", "上年度审计报告"]),
        ("提供设备购置合同、发票和付款凭证复印件。", ["设备购置合同、发票和付款凭证复印件"]),
    ],
)
def test_what_a_sentence_says_is_handed_in(text: str, papers: list[str]) -> None:
    assert _papers(text) == papers


@pytest.mark.parametrize(
    "text",
    [
        "为企业提供优质服务。",
        "未按时提交的，视为放弃。",
        "再次申请的，无需再提交证明材料。",
        "主管部门出具的意见。",
        "汇总通过初审的项目填写《申报情况汇总表》报市商务局。",
        "申报材料有弄虚作假行为的，取消资格。",
    ],
)
def test_what_is_handed_in_by_nobody(text: str) -> None:
    assert _papers(text) == []


def test_points_that_are_bare_papers_are_a_list_under_any_heading() -> None:
    text = "二、有关要求：\n1、《费用信息表》；\n2、研究项目立项书；\n3、上年度审计报告（加盖公章）；\n三、其他\n各单位应当加强管理。"
    assert _papers(text, ("condition",)) == ["《费用信息表》", "研究项目立项书", "上年度审计报告（加盖公章）"]


def test_a_list_under_its_field_leaves_out_how_to_bind_and_what_is_attached() -> None:
    text = "四、申报材料\n1.资金申请表；\n2.市场分析报告：从技术、效益等方面叙述。\n3.材料用A4纸装订成册。\n附件：申请表.docx"
    assert _papers(text, ("material",)) == ["资金申请表", "市场分析报告"]


def test_blank_forms_attached_to_a_text_and_papers_without_a_name_are_not_handed_in() -> None:
    text = "四、申报材料\n1.资金申请表；\n2.营业执照复印件。\n附表：1. 某基地申请表\n2. 某基地评估表\n3. 某补贴花名册"
    assert _papers(text, ("material",)) == ["资金申请表", "营业执照复印件"]
    assert _papers("企业应提交相关材料。") == []
    assert _papers("企业应提交相关证明材料。") == ["相关证明材料"]


def test_a_point_that_says_who_hands_in_what_names_the_paper() -> None:
    text = "四、申报材料\n1.资金申请表；\n2.满足条件2的企业请提交：高新技术企业证书；\n3.相关申请信息及上传附件材料；\n"
    assert _papers(text, ("material",)) == ["资金申请表", "高新技术企业证书", "相关申请信息及上传附件材料"]


@pytest.mark.parametrize(
    "line",
    [
        "申报材料：（一）申请表；（二）营业执照复印件；（三）专项审计报告。",
        "三、申报材料：1.申请表；2.营业执照复印件；3.专项审计报告。",
        "【申报材料】1、申请表；2、营业执照复印件；3、专项审计报告。",
        "三、申报材料：申请表、营业执照复印件、专项审计报告。",
    ],
)
def test_papers_on_one_line_with_their_field_are_told_apart_without_it(line: str) -> None:
    head = "示例市创新补助申报指南\n一、申报条件\n1.在本市注册的企业；\n二、补助标准\n按研发费用的10%给予补助，最高100万元。\n"
    item = decompose(head + line + "\n").items[0]
    assert [str(m["quote"]) for m in item.materials] == ["申请表", "营业执照复印件", "专项审计报告"]
