"""Names of items: whole words, nothing dangling, told apart where two would be the same."""

from __future__ import annotations

import re

import pytest

from policies.decompose.model import Item
from policies.decompose.pipeline import decompose
from policies.decompose.titles import LONGEST, _tell_apart, shortened

TEXT = """某市促进产业发展若干措施
一、支持企业创新
（一）对首次认定为高新技术企业的，给予一次性奖励20万元；对重新认定为高新技术企业的，给予一次性奖励10万元。
（二）对主导或参与制定国际标准、国家标准、行业标准、地方标准和团体标准并获批准发布的企业，给予最高50万元资助。
（三）支持企业购置设备
对一并购置生产设备和检测设备的企业，按设备投资额的10%给予补助，最高100万元。
二、稳定就业
用人单位招用毕业年度高校毕业生并签订1年以上劳动合同的，按每人每月300元给予社会保险补贴。
"""
DANGLES = re.compile(r"(?:(?<!目)的|[、，和及与或且并在为由按将对（“《])$|^(?:的|[、，和及与或且])")


def test_titles_are_whole_phrases_and_told_apart() -> None:
    titles = [i.title for i in decompose(TEXT).items]
    assert len(titles) == len(set(titles)) >= 4
    for title in titles:
        assert 3 <= len(title) <= LONGEST + 10, title
        assert not DANGLES.search(title), title
        assert title.count("（") == title.count("）"), title
    assert any("高新技术企业" in t and t.endswith(("奖励", "元）")) for t in titles), titles
    assert any(t.endswith("社会保险补贴") or t.endswith("社保补贴") for t in titles), titles


@pytest.mark.parametrize(
    ("text", "room", "kept"),
    [
        ("主导制定国际标准、国家标准和行业标准", 12, "主导制定国际标准等"),
        ("见习人员的基本生活费不低于当地最低工资标准", 18, "见习人员的基本生活费"),
        ("两个或者两个以上的个人或者单位为共同申请人", 18, "两个或者两个以上的个人等"),
        ("见习单位应当每月向见习人员提供", 24, "见习单位"),
        ("核定征税的企业预缴所得税时", 24, "核定征税的企业预缴所得税"),
        ("工作8小时", 24, "工作8小时"),
        ("符合创新转型发展导向", 24, "符合创新转型发展导向"),
        ("获准在某某市场文化板挂牌的每家文化企业", 16, "获准在某某市场文化板挂牌"),
        ("认定为高新技术企业", 24, "认定为高新技术企业"),
        ("以营利为目的", 24, "以营利为目的"),
        ("在本市注册的", 24, "在本市注册"),
        ("投资额达到5000万元以上", 7, "投资额达到"),
    ],
)
def test_a_name_ends_with_a_whole_word(text: str, room: int, kept: str) -> None:
    assert shortened(text, room) == kept


def test_a_condition_is_not_cut_inside_a_word() -> None:
    found = decompose(TEXT)
    quotes = [c["quote"] for i in found.items for c in i.conditions] + [c["quote"] for c in found.conditions]
    assert any("一并购置" in q for q in quotes), quotes
    assert not any(q.endswith("一") for q in quotes), quotes


@pytest.mark.parametrize(
    ("sentence", "title"),
    [
        ("整体改造项目，按照实际投入的25%给予补助，单个项目最高不超过150万元。", "整体改造项目补助"),
        (
            "对被党委、政府及其科技部门评定为市级青年创业载体的，给予20万元一次性奖励。",
            "评定为市级青年创业载体奖励",
        ),
        ("对2025年1月1日以后转型升级为公司的，给予5000元一次性奖励。", "转型升级为公司奖励"),
        ("如符合园区产业目录的项目，给予5万元。", "符合园区产业目录支持"),
        ("企业应当建立财务制度，在本地新建冷链仓库的，给予3万元补贴。", "在本地新建冷链仓库补贴"),
    ],
)
def test_a_point_is_named_by_what_it_begins_with_and_not_by_its_ceiling(sentence: str, title: str) -> None:
    items = decompose(
        f"示例县若干措施\n一、支持改造\n（一）{sentence}\n（二）对新建仓库的单位，给予3万元补助。\n"
    ).items
    assert items[0].title == title


def test_a_row_of_brackets_is_taken_apart_in_one_way() -> None:
    """Forty would have taken days, each further one twice as long (found by scripts/fuzz_parsers.py)."""
    assert shortened("甲类企业（" * 300 + "）乙", 4) == "甲类企业"
    assert shortened("甲类企业" + "(" * 3000 + ")乙", 4) == "甲类企业"
    assert shortened("甲类企业（（（", 10) == "甲类企业"


def test_what_happens_alone_is_no_name_and_twins_are_told_apart_by_their_own_condition() -> None:
    text = (
        "示例市科技创新若干措施\n第一条 首次认定。对首次通过高新技术企业认定的企业，给予一次性奖励20万元。\n"
        "第二条 重新认定。对重新通过认定的高新技术企业，给予奖励10万元。\n"
    )
    assert [i.title for i in decompose(text).items] == [
        "首次通过高新技术企业认定奖励",
        "重新通过认定的高新技术企业奖励",
    ]
    twins = [Item([0], [], [{"quote": "给予补贴"}]), Item([1], [], [{"quote": "给予补贴"}])]
    twins[0].conditions = [{"quote": "甲园区的企业"}, {"quote": "正常经营满一年"}]
    twins[1].conditions = [{"quote": "乙园区的企业"}, {"quote": "正常经营满一年"}]
    _tell_apart("租金补贴", twins)
    assert [t.title for t in twins] == ["租金补贴（甲园区）", "租金补贴（乙园区）"]


def test_where_only_a_share_is_told_the_name_is_what_is_handed_out() -> None:
    text = "示例市创业担保贷款办法\n第一条 贷款人按时还清本息的，可以申请贴息。\n第二条 按贷款实际利率的40%给予财政贴息。\n"
    assert "财政贴息" in [i.title for i in decompose(text).items]
