"""拟设指标与拆分: conditions the dictionary can't decide yet become comparisons with indicators proposed under the words of the text;
what only partly is sure is cut into exact pieces."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from policies.check import check_library
from policies.decompose.definitions import meanings, short_names
from policies.decompose.expressions import Proposer, own_places
from policies.decompose.pipeline import decompose
from policies.drafts import draft, write_draft
from policies.library import load_library
from policies.segment import segment
from profiles.dictionary import builtin_dictionary
from profiles.tables import division_codes, industry_codes


@pytest.fixture(scope="module")
def proposer() -> Proposer:
    own = own_places(["示例市示例区人民政府"])
    places = {"本区": "120116*", "本市": "12*"}
    return Proposer(builtin_dictionary(), places, own, industry_codes(), divisions=division_codes())


@pytest.mark.parametrize(
    ("quote", "whens"),
    [
        ("自有冷库容积率不低于60%", ["自有冷库容积率 >= 60%"]),
        ("培训场地面积300平方米以上", ["培训场地面积 >= 300平方米"]),
        ("客房不少于50间", ["客房数 >= 50间"]),
        ("上年度技术服务合同金额达到五百万元", ["技术服务合同金额[Y] >= 500万元"]),
        ("骨干教师占专职教师的比例不低于30%", ["骨干教师占专职教师比例 >= 30%"]),
        ("新吸纳残疾职工达到本单位在职职工总数8%", ["新吸纳残疾职工占本单位在职职工总数比例 >= 8%"]),
        ("年度纳税额超过300万元", ["纳税总额[Y] > 300万元"]),
        ("企事业单位", ['主体类别 in ["企业", "事业单位"]']),
        ("小微企业、个体工商户", ['企业规模 in ["小型", "微型"]', '主体类别 = "个体工商户"']),
        ("企业、事业单位、社会团体", ['主体类别 in ["企业", "事业单位", "社会团体"]']),
        ("在科创板、北京证券交易所上市的企业", ['上市板块 in ["科创板", "北交所"]']),
        ("退役军人或登记失业人员", ['人员类别 含 "退役军人"', '人员类别 含 "登记失业人员"']),
        ("首次认定为省级工业设计中心", ["年度(省级工业设计中心首次认定日期) = Y"]),
        ("新评定为四星级、五星级的民宿", ["年度(四星级民宿认定日期) = Y", "年度(五星级民宿认定日期) = Y"]),
        ("经市商务局认定的夜间经济示范街区", ["夜间经济示范街区 = 是"]),
        ("新增规模以上服务业企业", ['一套表单位类别 = "规模以上服务业"', "年度(首次升规日期) = Y"]),
        ("在科创板、北交所上市的企业", ['上市板块 in ["科创板", "北交所"]']),
        ("与职工签订1年以上劳动合同", ["劳动合同终止日期 >= 劳动合同起始日期 + 1年 - 1天"]),
        ("毕业3年内", ["毕业日期 >= 申报开始 - 3年"]),
        ("距法定退休年龄不足5年", ["法定退休日期 >= 申报开始", "法定退休日期 < 申报开始 + 5年"]),
        (
            "合同签订日期在2025年1月1日至2025年12月31日",
            ["合同签订日期 >= 2025-01-01", "合同签订日期 <= 2025-12-31"],
        ),
        ("在佛山市顺德区注册", ['登记地区划 in ["440606*"]']),
        ("本市户籍", ["户籍地区划 in 本市"]),
        ("项目建设地在示例区", ["项目所在地区划 in 本区"]),
        ("具有高级工及以上职业技能等级证书", ['职业技能等级 in ["高级工", "技师", "高级技师"]']),
        ("具有硕士及以上学位", ['学历层次 in ["硕士", "博士"]']),
    ],
)
def test_words_fix_a_comparison_with_a_known_or_proposed_indicator(
    proposer: Proposer, quote: str, whens: list[str]
) -> None:
    assert [x.when for x in proposer.propose(quote).leaves] == whens


@pytest.mark.parametrize(
    "quote",
    [
        "单台设备价值5万元以上",  # of each one
        "同一企业年度申请不超过5件",
        "培训职工数100人以上",  # 职工培训人数 under another name: proposed to the person, not doubled
        "占营业收入的比例不低于5%",  # whose?
        "新设园区",
        "单位和个体工商户",  # which units?
        "为退役军人和企业、社会组织提供服务",
        "仓储面积不少于1万平方米",  # 自有 or rented?
        "总金额不超过5000万元",
        "2024年1月1日（含）以后引进在本区经营企业设立的店铺",
        "港澳青年企业",
        "企事业单位、社会团体等",  # an open list
        "列入失信被执行人名单",  # bars; taken for a condition it would shut out everybody else
        "符合条件的小微企业",  # which conditions?
        "国家级专精特新中小企业和省级制造业单项冠军",
        "在朝阳区注册",  # which of them?
        "未被认定为省级龙头企业",
        "2025年6月1日之后签订的采购合同",  # with that day, or without?
    ],
)
def test_what_the_words_leave_open_is_asked(proposer: Proposer, quote: str) -> None:
    said = proposer.propose(quote)
    assert (said.leaves, bool(said.ask)) == ((), True)


def test_the_step_of_a_scale_is_not_taken_alone(proposer: Proposer) -> None:
    text = "产值在1亿元至5亿元的，奖励10万元；年产值5亿元以上的，奖励20万元。"
    at = text.find("年产值5亿元以上")
    assert not proposer.propose("年产值5亿元以上", text, at).sure
    assert proposer.propose("年产值6亿元以上", text.replace("年产值5", "年产值6"), at).sure


def test_a_figure_of_a_product_is_not_the_firms(proposer: Proposer) -> None:
    text = "新药上市后，年销售额达到1亿元以上的，给予奖励。"
    assert not proposer.propose("年销售额达到1亿元以上", text, text.find("年销售额")).sure


def test_a_mixed_quote_is_cut_into_exact_pieces(proposer: Proposer) -> None:
    quote = "在本区登记注册，具有独立法人资格，从事智能装备研发"
    said = proposer.propose(quote)
    assert [(quote[a:b], p.node()) for a, b, p in said.parts] == [
        ("在本区登记注册", {"when": "登记地区划 in 本区"}),
        ("具有独立法人资格", {"when": "法人资格 = 是"}),
        ("从事智能装备研发", {"ask": "是否符合：从事智能装备研发？"}),
    ]
    for bound in (
        "在本区登记注册，或者在本市纳税并有研发团队",
        "为在本区注册的小微企业提供担保的机构",
        "从事研发的科技人员占职工总数的比例不低于10%",
    ):
        assert not any(p.sure for _, _, p in proposer.propose(bound).parts)


def test_a_duty_bars_nobody_by_its_subject(proposer: Proposer) -> None:
    assert not proposer.barred("见习单位不得有下列行为").sure
    assert proposer.barred("注册资本低于100万元的企业不予支持").node() == {
        "not": {"when": "注册资本 < 100万元"}
    }


def test_a_term_the_document_explains_is_read_as_explained() -> None:
    clauses = segment(
        "本措施所称新设企业，是指2025年1月1日以后注册成立的企业。本措施所称示范店，是指经营状况良好的门店。"
    )
    own = Proposer(builtin_dictionary(), {}, meanings=meanings(clauses))
    text = "对新设企业给予补助。"
    assert own.propose("新设企业", text, 1).when == "成立日期 >= 2025-01-01"
    assert own.propose("示范店", text, 1).ask.endswith("（本文所称示范店，是指经营状况良好的门店）")


def test_a_short_name_for_a_list_is_not_its_last_member() -> None:
    assert short_names(segment("退役军人、残疾人、脱贫人口（以下简称“重点人群”）。")) == {}


TEXT = """\
示例区促进住宿业发展若干措施
第一条 客房不少于50间，且上一年度住宿接待收入在800万元以上的企业，给予20万元奖励。
第二条 对首次认定为省级工业设计中心的企业，给予30万元奖励。
第三条 申报企业应在示例区登记注册，具有独立法人资格，社会评价良好。
"""


def test_drafts_bring_the_indicators_they_need(tmp_path: Path) -> None:
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets" / "本区.yaml").write_text('- "120116*"\n', encoding="utf-8")
    (tmp_path / "indicators.yaml").write_text("自家指标: {kind: 金额}  # 保留\n", encoding="utf-8")
    made = draft(
        decompose(TEXT), "demo", "demo.txt", builtin_dictionary(), {"本区": "120116*"}, dt.date(2026, 3, 1)
    )
    write_draft(made, tmp_path)
    write_draft(made, tmp_path)
    own = (tmp_path / "indicators.yaml").read_text(encoding="utf-8")
    assert own.startswith("自家指标: {kind: 金额}  # 保留\n")
    assert own.count("省级工业设计中心首次认定日期:") == 1
    loaded = load_library(tmp_path, builtin_dictionary())
    assert loaded.dictionary["省级工业设计中心首次认定日期"].kind == "日期"
    assert [p.render() for p in check_library(loaded).problems if p.level == "error"] == []


def test_a_proposal_is_told_in_one_line(proposer: Proposer) -> None:
    assert proposer.propose("上年度软件业务收入500万元以上").told == (
        "when: 软件业务收入[Y] >= 500万元（拟设指标 软件业务收入）"
    )
    assert proposer.propose("新认定的高新技术企业").told == (
        "when: 年度(高新技术企业认定日期) = Y（条文没有写哪一年，按批次年度 Y）"
    )
    assert proposer.propose("在本区登记注册，从事智能装备研发").told == (
        "when: 登记地区划 in 本区；ask: 是否符合：从事智能装备研发？"
    )


def test_questions_say_what_to_answer(proposer: Proposer) -> None:
    assert proposer.barred("未享受过省级财政补助").ask.startswith("是否符合：")  # told the right way round
    assert proposer.barred("未按规定缴纳社会保险费的").ask.startswith("是否确认没有下列排除情形：")
    assert proposer.barred("同一企业每年最多申报1项").ask.startswith("是否没有超出这项限制：")
    assert proposer.propose("近三年出现过安全事故的不得申报").ask.startswith("是否确认没有下列排除情形：")


LIMITED = """\
示例区住房补贴办法
第一条 对在本区就业的高校毕业生，每人每月给予500元补贴，补贴期限最长不超过3年。
"""


def test_what_only_limits_the_payment_is_no_question(tmp_path: Path) -> None:
    made = draft(
        decompose(LIMITED), "demo", "demo.txt", builtin_dictionary(), {"本区": "120116*"}, dt.date(2026, 3, 1)
    )
    items = [t for n, t in made.files.items() if "/items/" in n and not n.endswith(".test.yaml")]
    assert items
    assert all("ask: 是否符合：补贴期限" not in t for t in items)
    assert any("兑现时另有限制：" in t and "补贴期限最长不超过3年" in t for t in items)


EITHER = """\
示例区支持办法
一、申报条件
申报企业应符合下列条件之一：
（1）属于高新技术企业；
（2）注册资本500万元以上。
二、扶持标准
给予一次性补助10万元。
三、附则
本办法所称青年企业，是指负责人45周岁以下、在本区登记注册的企业。
"""


def test_one_of_several_conditions_and_words_of_a_definition_shut_nobody_out(tmp_path: Path) -> None:
    from policies.draft_doubts import in_definition, one_of_several

    at = EITHER.find("注册资本500")
    assert one_of_several(EITHER, at)
    assert not one_of_several(EITHER, EITHER.find("给予一次性"))
    assert in_definition(EITHER, EITHER.find("在本区登记"), "在本区登记注册")
    made = draft(
        decompose(EITHER), "demo", "demo.txt", builtin_dictionary(), {"本区": "120116*"}, dt.date(2026, 3, 1)
    )
    texts = "".join(t for n, t in made.files.items() if not n.endswith(".test.yaml"))
    assert "when:" not in texts.replace("when_short", "")
