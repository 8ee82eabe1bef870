"""页面与版式: page furniture, openings and lists of formats nobody had read; every sentence here is invented."""

from __future__ import annotations

import pytest

from policies.decompose.pipeline import decompose
from policies.decompose.places import places
from policies.decompose.prior import opinions
from policies.furniture import is_furniture
from policies.segment import field_of, role_of_field, segment


def _said(text: str) -> list[set[str]]:
    clauses = segment(text)
    return [{r for r, _ in opinions(c, p)} for c, p in zip(clauses, places(clauses), strict=True)]


def _roles(text: str) -> list[set[str]]:
    found = decompose(text).as_json()["clauses"]
    return [set(c["roles"]) for c in found]


@pytest.mark.parametrize(
    "line",
    [
        "当前位置： 首页 > 政策 > 详情",
        "青溪产业网 > 项目申报 > 青溪市 > 白石区",
        "信息来源：白石区招商局",
        "时间：2024-05-06 09:30",
        "打印 关闭 分享到：",
        "上一篇 下一篇",
        "IMG_2024.png",
        "白石区产业办法.docx_第3页",
        "欢迎光临青溪企业服务平台",
        "本文来自网络，不代表本站观点",
        "浏览次数：",
    ],
)
def test_lines_of_the_page_are_known(line: str) -> None:
    assert is_furniture(line)


@pytest.mark.parametrize(
    "line",
    [
        "申报时间：2024年5月6日至6月6日",
        "资金来源：区级财政",
        "/",
        "下载申请表并填写后报送区工信局",
        "时间安排",
        "发布日期",
        "欢迎符合条件的企业申报",
        "根据《青溪市办法》和《白石区细则》，制定本细则",
    ],
)
def test_lines_of_the_text_are_no_furniture(line: str) -> None:
    assert not is_furniture(line)


def test_furniture_heads_nothing_and_the_title_stands_below_it() -> None:
    text = "当前位置：首页 > 政策\n白石区稳岗奖励办法\n浏览次数：12\n打印 关闭\n一、奖励标准\n每家企业奖励2万元。"
    clauses = segment(text)
    assert [c.rank for c in clauses[2:4]] == [0, 0]
    assert _roles(text)[:4] == [{"other"}, {"title"}, {"other"}, {"other"}]


def test_a_text_that_begins_with_a_sentence_has_no_title_there() -> None:
    text = "为深入落实制造强区战略，推动园区企业提质增效，结合我区实际，制定如下扶持政策。\n一、厂房补助\n对新建厂房的企业，给予补助5万元。"
    assert _roles(text)[0] == {"preamble"}


@pytest.mark.parametrize(
    ("sentence", "role"),
    [
        (
            "第一条【制定目的】为规范园区专项资金（以下简称专项资金）的使用和管理，提高资金使用效益，制定本细则。",
            "preamble",
        ),
        ("现将有关事项通知如下：", "preamble"),
        ("特制定如下扶持措施：", "preamble"),
        ("青溪晚报讯（记者 某某）近日，白石区印发了新的会展办法。", "preamble"),
        ("补助资金由市、区按3:7比例承担。", "authority"),
        ("项目的运行经费由市财政与县级财政共同承担。", "authority"),
        ("（2024年修订）", "title"),
    ],
)
def test_what_stands_around_the_rules(sentence: str, role: str) -> None:
    assert _said(f"白石区办法\n第一条 总则\n某某。\n{sentence}\n后文。")[3] == {role}


def test_what_a_kind_of_person_bears_is_no_affair_of_offices() -> None:
    assert "authority" not in _said("白石区办法\n一、保险\n保险费的其余部分由用人单位承担。\n")[2]


def test_names_listed_under_attachments_are_no_headings() -> None:
    text = "通知\n请于5月1日前报送。\n附件：\n1.白石区项目申报说明\n2.白石区重点产业方向\n地址：白石路1号"
    assert _said(text)[2:5] == [{"other"}, {"other"}, {"other"}]
    assert _said(text)[5] == {"contact"}


def test_points_behind_whom_a_sentence_shuts_out_are_shut_out() -> None:
    text = "办法\n一、支持对象\n支持对象不含以下企业：（1）房地产企业；（2）近两年有不良信用记录的企业；（3）已享受补助的企业。"
    assert [c.field_name for c in segment(text)[3:]] == ["除外", "除外"]
    assert _said(text)[3:] == [{"exclusion"}, {"exclusion"}]


def test_a_numbered_field_that_ends_as_a_sentence_is_a_heading() -> None:
    text = "指南\n一、厂房补助\n1.支持对象。\n上年产值增长的规模以上工业企业。"
    assert _said(text)[2] == {"title"}


def test_papers_are_known_by_their_copies_and_by_longer_names_of_their_field() -> None:
    assert role_of_field(field_of("2、申请相关材料下载")) == "material"
    assert role_of_field(field_of("三、申报材料清单")) == "material"
    text = "指南\n一、大学生创业\n1、创业补助申请表一式三份（加盖公章）\n2、就业人员花名册 2份\n3、申请表应一式三份报送窗口"
    said = _said(text)
    assert said[2] == said[3] == {"material"}
    assert said[4] != {"material"}


def test_the_line_under_a_numbered_field_is_its_value() -> None:
    text = "通知\n三、其他事项\n（二）联系方式\n白石区工业和信息化局   运行处\n联系人：某某   0000000"
    assert _said(text)[3:] == [{"contact"}, {"contact"}]


def test_what_is_given_only_once_shuts_out_a_second_time() -> None:
    assert {r for r in _said("办法\n一、奖励\n同一级别只配套奖励一次，不同级别可以叠加。")[2]} >= {
        "exclusion"
    }


def test_points_on_top_are_of_the_share_before_them() -> None:
    text = (
        "白石区办法\n第一条 对首次通过验收的示范车间，按照设备购置额的8%给予补助；其中属于专精特新企业的，再提高3个百分点。\n"
        "第二条 对新建厂房的企业，给予补助5万元。\n"
    )
    items = decompose(text).as_json()["items"]
    assert [any("3个百分点" in b["quote"] for b in i["benefits"]) for i in items] in (
        [True, False],
        [False, False],
    )
    assert len(items) == 2


@pytest.mark.parametrize(
    ("line", "of_the_page"),
    [
        ("时间：2025-03-01 来源：本站", True),
        ("时间：2025年3月1日", True),
        ("时间：2025年3月1日至4月30日", False),
        ("时间：2025年4月30日前", False),
    ],
)
def test_a_span_of_days_is_when_to_apply_and_not_when_a_page_was_put_up(line: str, of_the_page: bool) -> None:
    assert is_furniture(line) is of_the_page
