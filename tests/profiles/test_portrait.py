"""The portrait: official tables, boundaries, three answers, reasons, and rules that are read like rules."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from engine.columns import Builder, Columns
from engine.literal import parse_number
from profiles import portrait, portrait_rules, portrait_sets, sample
from profiles.dictionary import builtin_dictionary
from profiles.portrait import FITS, OPEN, Line, Portrayer, portrait_year
from profiles.portrait_quality import completeness
from profiles.sample.other import size_class

DAY = date(2026, 6, 16)  # Y = 2025


def columns(*records: dict[str, Any], loaded: frozenset[str] | None = None) -> Columns:
    def complain(row: int, column: str, message: str) -> None:
        raise AssertionError(message)

    return Builder(builtin_dictionary(), complain, parse_number).build(
        [str(i) for i in range(len(records))], records, loaded
    )


def line(name: str, **record: Any) -> Line:
    rule = next(r for r in portrait_rules.bundled_rules() if r.name == name)
    return Portrayer(columns(record), DAY, [rule]).line(rule)


def yearly(**by_year: float) -> dict[str, float]:
    return {year.removeprefix("y"): value for year, value in by_year.items()}


def test_returns_of_last_year_are_in_from_june_on():
    assert portrait_year(date(2026, 5, 31)) == 2024
    assert portrait_year(date(2026, 6, 1)) == 2025


@pytest.mark.parametrize(
    ("industry", "staff", "revenue", "assets", "expected"),
    [
        ("C3983", 1000, 4e8, 0, "大型"),  # 工业 1000人 and 4亿元, both included
        ("C3983", 999, 4e8, 0, "中型"),
        ("C3983", 300, 2000e4, 0, "中型"),
        ("C3983", 300, 1999e4, 0, "小型"),
        ("C3983", 19, 4e8, 0, "微型"),
        ("F5164", 5, 1000e4, 0, "小型"),
        ("E4710", 1, 6000e4, 5000e4, "中型"),  # 建筑业 counts revenue and assets
        ("L7212", 300, 0, 12e8, "大型"),  # 租赁和商务服务 12亿元 of assets
        ("M7320", 10, 0, 0, "小型"),
        ("J6631", 500, 9e9, 9e9, "不适用"),
        ("G5310", 500, 9e9, 9e9, "不适用"),  # 铁路运输 stands outside
    ],
)
def test_size_by_the_table_of_2017(industry, staff, revenue, assets, expected):
    found = line(
        "规模",
        行业代码=industry,
        从业人数=yearly(y2025=staff),
        营业收入=yearly(y2025=revenue),
        资产总额=yearly(y2025=assets),
    )
    assert (found.verdict, found.tags) == (FITS, (expected,))


def test_size_with_a_missing_figure_names_what_is_still_possible():
    open_ = line("规模", 行业代码="C3983", 营业收入=yearly(y2025=3000e4))
    assert open_.verdict == OPEN and open_.possible == ("中型", "小型", "微型")
    assert open_.missing == ("从业人数 2025年 缺",)
    # below the floor of 小型 in one figure the other no longer matters
    sure = line("规模", 行业代码="C3983", 营业收入=yearly(y2025=299e4))
    assert (sure.verdict, sure.tags) == (FITS, ("微型",))


def test_size_says_where_the_statistical_office_differs():
    record = dict(行业代码="C3983", 从业人数=yearly(y2025=50), 营业收入=yearly(y2025=3000e4))
    assert line("规模", **record, 企业规模="中型").department == "中型"
    assert line("规模", **record, 企业规模="小型").department == ""


def test_size_rules_agree_with_the_table_read_another_way():
    truth = sample.generate(800, 21).truth
    records = [
        {
            "行业代码": code,
            "从业人数": {"2025": staff},
            "营业收入": {"2025": revenue},
            "资产总额": {"2025": assets},
        }
        for code, staff, revenue, assets in zip(
            truth["行业代码"],
            truth["从业人数@2025"].fillna(1),
            truth["营业收入@2025"].fillna(1),
            truth["资产总额@2025"].fillna(1),
            strict=True,
        )
    ]
    rule = next(r for r in portrait_rules.bundled_rules() if r.name == "规模")
    derived = Portrayer(columns(*records), DAY, [rule]).derive(rule)
    other = size_class(
        truth["行业代码"].to_numpy().astype(str),
        *(truth[f"{n}@2025"].fillna(1).to_numpy() for n in ("从业人数", "营业收入", "资产总额")),
    )
    assert [derived.tag(i) for i in range(len(records))] == [
        v if v is not None else "不适用" for v in other.tolist()
    ]


def test_strategic_industries_hold_by_code_or_wait_for_the_product():
    whole = line("战略性新兴产业", 行业代码="C3983")
    assert whole.verdict == FITS and whole.tags == ("新一代信息技术产业",)
    part = line("战略性新兴产业", 行业代码="C3921")
    assert part.verdict == OPEN and part.tags == () and "新一代信息技术产业" in part.possible
    assert any("主要产品或服务是否属于" in r.text for r in part.reasons)
    none = line("战略性新兴产业", 行业代码="H6210")
    assert none.verdict == FITS and none.text == "无"
    assert line("战略性新兴产业").verdict == OPEN  # no industry, no answer


def test_sets_follow_the_official_tables():
    sets = portrait_sets.portrait_sets()
    codes = {c for name, part in sets.items() if name.startswith("高技术制造") for c in part}
    assert len(codes) == 85 and "C3921" in codes
    lines = portrait_sets.product_lines("C3091", "石墨烯粉体的研发、生产；碳素制品销售")
    assert any("石墨烯粉体" in one.mentioned for one in lines) and all(one.partial for one in lines)
    assert portrait_sets.product_lines("H6210") == []


REVENUE = {"2022": 100e4, "2023": 130e4, "2024": 169e4, "2025": 219.7e4}


def test_growth_and_intensity_over_years():
    assert line("营业收入增速", 营业收入=REVENUE).number == pytest.approx(0.30)
    assert line("近三年平均增速", 营业收入=REVENUE).number == pytest.approx(0.30)
    assert line("成长性", 营业收入=REVENUE, 参保人数={"2022": 10}).tags == ("高成长",)
    assert line("成长性", 营业收入=REVENUE, 参保人数={"2022": 9}).tags == ("成长",)
    assert line("成长性", 营业收入=REVENUE).possible == ("高成长", "成长")
    # 合计 10万 of 518.7万 in three years
    rd = line("近三年研发强度", 营业收入=REVENUE, 研发费用={"2023": 2e4, "2024": 3e4, "2025": 5e4})
    assert rd.number == pytest.approx(10 / 518.7)
    # how it was worked is said in words and years, not in the rule's own signs
    assert rd.reasons[0].text == "合计（2023—2025年研发费用） ÷ 合计（2023—2025年营业收入）"
    assert line("研发强度", 营业收入={"2025": 0}, 研发费用={"2025": 5e4}).text.startswith("不可算")
    assert line("研发强度", 营业收入={"2025": 100}).text == OPEN


@pytest.mark.parametrize(
    ("revenue", "spend", "expected"),
    [
        (5000e4, 250e4, "达到高企比例"),  # 5% at 5000万元, both included
        (5000e4, 249e4, "有研发"),
        (5001e4, 250e4, "达到高企比例"),  # above 5000万元 4% is enough
        (2e8, 800e4, "达到高企比例"),
        (2.1e8, 630e4, "达到高企比例"),  # 3%
        (2.1e8, 0, "无研发"),
    ],
)
def test_research_share_by_the_three_bands(revenue, spend, expected):
    figures = {y: revenue for y in ("2023", "2024", "2025")}
    assert line("研发投入", 营业收入=figures, 研发费用={y: spend for y in figures}).tags == (expected,)


def operating(**record: Any) -> Line:
    base: dict[str, Any] = {
        "登记状态": "存续", "成立日期": "2015-01-01", "在保人数": 20, "资产负债率": {"2025": 0.5},
        "营业收入": {"2024": 1000e4, "2025": 1050e4}, "利润总额": {"2024": 10e4, "2025": 10e4}, "参保人数": {"2024": 20, "2025": 20},
    }  # fmt: skip
    return line("经营状况", **{**base, **record})


def test_state_of_business_with_its_reasons():
    assert operating().tags == ("平稳",)
    assert operating(营业收入={"2024": 1000e4, "2025": 1100e4}).tags == ("增长",)
    falling = operating(营业收入={"2024": 1000e4, "2025": 800e4})
    assert falling.tags == ("承压",) and any(
        "营业收入 2025年 800 万元" in s for r in falling.reasons for s in r.seen
    )
    assert operating(利润总额={"2024": -1, "2025": -1}).tags == ("承压",)
    assert operating(登记状态="歇业").tags == ("停滞",)
    unknown = operating(资产负债率={})
    assert unknown.verdict == OPEN and set(unknown.possible) == {"承压", "平稳"}
    assert unknown.missing == ("资产负债率 2025年 缺",)


def test_certificates_expire_on_their_day():
    for until, expected in (
        ("2026-06-15", "已过期"),
        ("2026-06-16", "即将到期"),
        ("2026-12-12", "即将到期"),
        ("2026-12-13", "有效"),
    ):
        assert line("高新技术企业", 高新技术企业有效期至=until).tags == (expected,), until
    assert line("高新技术企业").tags == ("未认定",)  # a profiles file counts as loaded
    rule = next(r for r in portrait_rules.bundled_rules() if r.name == "高新技术企业")
    never_received = Portrayer(columns({}, loaded=frozenset()), DAY, [rule]).line(rule)
    assert never_received.verdict == OPEN
    assert line("梯度", 专精特新中小企业有效期至="2027-01-01", 创新型中小企业有效期至="2027-01-01").tags == (
        "专精特新中小企业",
    )
    assert line("资质到期", 高新技术企业有效期至="2026-09-01", 排污许可证有效期至="2026-07-01").tags == (
        "高新技术企业",
        "排污许可证",
    )


def test_credit_lifecycle_and_trade():
    assert line("信用", 失信被执行人=True, 纳税信用等级={"2025": "A"}).tags == ("失信",)
    good = line("信用", 纳税信用等级={"2025": "A"}, 行政处罚次数={"2025": 0})
    assert good.tags == ("良好",)
    assert line("信用", 纳税信用等级={"2025": "A"}, 行政处罚次数={"2025": 3}).tags == ("关注",)
    assert line("生命周期", 登记状态="存续", 成立日期="2023-06-17").tags == ("初创期",)
    assert line("生命周期", 登记状态="注销", 成立日期="2023-06-17").tags == ("退出期",)
    assert line("外贸", 进出口总额={"2025": 100.0}, 出口额={"2025": 70.0}).tags == ("出口型",)
    assert line("外贸", 进出口总额={"2025": 100.0}, 出口额={"2025": 30.0}).tags == ("进口型",)
    rate = line("协定用惠率", 享惠进口额={"2025": 30.0}, 可享惠未享惠进口额={"2025": 10.0})
    assert rate.text == "75.00%"


def test_batch_and_single_agree_and_tags_never_overlap():
    truth = sample.generate(200, 4)
    seen = sample.observe(truth)
    records = [{} for _ in range(200)]
    sample.write._fill(records, seen.frame["行业代码"], "行业代码")
    for name in ("营业收入", "利润总额", "参保人数", "从业人数", "资产总额"):
        for year in (2022, 2023, 2024, 2025):
            column = f"{name}@{year}"
            if column in seen.frame:
                sample.write._fill(records, seen.frame[column], name, str(year))
    painter = Portrayer(columns(*records), DAY)
    for name, derived in painter.all().items():
        if derived.rule.cases:
            assert derived.holds.sum(axis=1).max() <= 1, name
            decided = derived.holds.any(axis=1)
            assert not derived.open[decided].any(), name
            assert (decided | derived.open.any(axis=1)).all(), name
    for row in (0, 50, 199):
        alone = Portrayer(columns(records[row]), DAY)
        for whole, single in zip(painter.lines(row), alone.lines(0), strict=True):
            assert (whole.tags, whole.possible, whole.number) == (single.tags, single.possible, single.number)


def test_every_rule_has_a_source_and_generated_files_are_current():
    from scripts.make_portrait_rules import FOLDER, family_rules, size_rules

    assert all(rule.source and rule.section for rule in portrait_rules.bundled_rules())
    assert (FOLDER / "size.yaml").read_text("utf-8") == size_rules()
    assert (FOLDER / "industries.yaml").read_text("utf-8") == family_rules()


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("甲: {source: 某, value: '营业收人[Y]'}", 1, "营业收入"),
        ("甲: {source: 某, value: 营业收入}", 2, "年度"),
        ("甲: {source: 某, value: '营业收入[Y]', cases: []}", 1, "之一"),
        ("甲: {value: '营业收入[Y]'}", 1, "source"),
        ("甲: {source: 某, cases: [{tag: 一}, {tag: 二, when: '营业收入[Y] > 1元'}]}", 7, "最后一档"),
        ("甲: {source: 某, tags: [{tag: 一, when: '营业收入[Y] > 1元', whne: x}]}", 1, "whne"),
        ("甲: {source: 某, compare: 规模大小, cases: [{tag: 一}]}", 1, "规模大小"),
        ("- 甲", 1, "名称"),
    ],
)
def test_faults_of_a_rule_are_told_with_code_and_cure(text, code, words):
    problems: list = []
    portrait_rules.read_rules(text, "x.yaml", builtin_dictionary(), {}, problems.append)
    assert [p for p in problems if p.code == code and words in p.render()], [p.render() for p in problems]


def test_completeness_counts_full_registers_as_known():
    found = completeness(columns({"企业名称": "甲", "营业收入": {"2025": 1.0}}, {}), 2025)
    assert "营业收入" not in found.missing(0) and "营业收入" in found.missing(1)
    assert "严重违法失信名单" not in found.missing(1)
    assert found.share[0] > found.share[1]
    assert found.sections(0)["登记"] == pytest.approx(1 / 8)
    assert isinstance(portrait.by_section(Portrayer(columns({}), DAY).lines()), dict)
    assert np.isfinite(found.share).all()
