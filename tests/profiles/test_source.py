"""来源声明: strict, and its errors name file, key and cure."""

from __future__ import annotations

import pytest

from profiles.ingest import Plan, load_dictionary
from profiles.reading import Chunk
from profiles.source import SourceError, find_source, load_sources, parse_source, read_source

GOOD = """
source: trial
department: 税务局
firm: {code: 代码, name: 名称}
columns:
  营收: {indicator: 营业收入, unit: 万元, year: 2024}
"""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("year: 2024", "jahr: 2024"), "没有“jahr”这个键"),
        (("indicator:", "indicater:"), "indicat"),
        (("department: 税务局\n", ""), "缺少“department”"),
        (("firm: {code: 代码, name: 名称}", "firm: {}"), "firm 至少要有"),
        (("source: trial", "source: trial\nsource: other"), "“source”写了两次"),
        (("department: 税务局", "department: 税务局\nrestates: 也许"), "要写 是 或 否"),
        (("department: 税务局", "department: 税务局\nrefresh: 常常"), "refresh 要写成"),
        (("department: 税务局", "department: [税务局"), "不是合法的 YAML"),
        (("unit: 万元", "unit: 万元, patterns: {'(': x}"), "columns › 营收 的正则“(”读不通"),
        (("indicator: 营业收入, unit", "unit"), "columns › 营收 要写 indicator"),
        (("columns:", "coverage: 半量\ncolumns:"), "只能是 '全量' 或 '部分'"),
    ],
)
def test_faults_are_named(change, said):
    with pytest.raises(SourceError) as error:
        parse_source(GOOD.replace(*change), "trial.yaml")
    assert said in str(error.value)
    assert str(error.value).startswith("trial.yaml")


def test_all_faults_are_told_at_once_with_their_lines():
    text = GOOD.replace("department:", "departement:").replace("unit: 万元", "units: 万元")
    with pytest.raises(SourceError) as error:
        parse_source(text, "trial.yaml")
    said = str(error.value).splitlines()
    assert [line.split("  ")[0] for line in said] == ["trial.yaml:1", "trial.yaml:3", "trial.yaml:6"]
    assert "缺少“department”" in said[0]
    assert "您是不是想写“unit”" in said[2]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("unit: 万元", "unit: 万万"), "没有“万万”这个金额单位"),
        (("unit: 万元", "unit: 元, currency: 贝壳"), "没有“贝壳”这个币种"),
        (("营业收入, unit: 万元, year: 2024", "外资比例, unit: 元"), "比例的单位只能是"),
    ],
)
def test_a_unit_the_indicator_cannot_have(change, said):
    source = parse_source(GOOD.replace(*change), "trial.yaml")
    with pytest.raises(SourceError, match=said):
        Plan(source, ["代码", "名称", "营收"], load_dictionary())


def test_an_unknown_indicator_gets_the_nearest_name():
    source = parse_source(GOOD.replace("营业收入", "营业收人"), "trial.yaml")
    with pytest.raises(SourceError, match="您是不是想写“营业收入”"):
        Plan(source, ["代码", "名称", "营收"], load_dictionary())


def test_a_yearly_indicator_needs_its_year():
    source = parse_source(GOOD.replace(", year: 2024", ""), "trial.yaml")
    with pytest.raises(SourceError, match="一年一个值"):
        Plan(source, ["代码", "名称", "营收"], load_dictionary())


def test_a_header_with_the_year_in_it():
    source = parse_source(GOOD.replace("营收:", '"{年}年营收":').replace(", year: 2024", ""), "trial.yaml")
    plan = Plan(source, ["代码", "名称", "2023年营收", "2024年营收"], load_dictionary())
    assert not plan.lacking
    assert not plan.extra


def test_header_names_may_differ_in_width_and_blanks_only():
    source = parse_source(GOOD.replace("营收:", "营收(万元):"), "trial.yaml")
    plan = Plan(source, ["代 码", "名称", "营收（万元）", "别的（列）"], load_dictionary())
    assert (plan.lacking, plan.extra) == ([], ["别的（列）"])
    assert plan.header == ["代码", "名称", "营收(万元)", "别的（列）"]
    # Two columns that would both be it: neither is taken for it.
    assert Plan(source, ["代码", "名称", "营收（万元）", "营收 (万元)"], load_dictionary()).lacking == [
        "营收(万元)"
    ]


def test_the_file_name_is_the_source(tmp_path):
    path = tmp_path / "other.yaml"
    path.write_text(GOOD, "utf-8")
    with pytest.raises(SourceError, match="与文件名“other”不同"):
        read_source(path)


def test_all_bundled_sources_fit_the_dictionary():
    dictionary = load_dictionary()
    sources = load_sources()
    assert "registration" in sources
    for source in sources.values():
        header = [*source.columns, source.firm.code, source.firm.name]
        header += [source.year.column] if source.year else []
        header += [source.members.key] if source.members else []
        plan = Plan(source, list(dict.fromkeys(filter(None, header))), dictionary)
        assert plan.lacking == [], source.source


def test_the_nearest_source_is_named():
    with pytest.raises(SourceError, match="您是不是想写“registration”"):
        find_source(load_sources(), "registratoin")


def test_the_digest_follows_the_meaning():
    assert parse_source(GOOD, "a").digest == parse_source("# a comment\n" + GOOD, "b").digest
    assert parse_source(GOOD, "a").digest != parse_source(GOOD.replace("万元", "元"), "a").digest


@pytest.mark.parametrize(
    ("province", "lands"),
    [
        ("天津", True), ("天津市", True), ("广东省深圳市", True), ("广西壮族自治区", True), ("新疆生产建设兵团", True), ("N/A", True),
        ("", True), ("滨海", False), ("技术服务", False), ("天津市滨海新区大港世纪大道1号", False),
    ],
)  # fmt: skip
def test_a_register_row_whose_province_is_none_is_shifted(province, lands):
    source = load_sources()["registration"]
    plan = Plan(source, list(source.columns), load_dictionary())
    cells = {
        "企业名称": "甲公司",
        "统一社会信用代码": "91120116MA05J7AB5W",
        "注册日期": "2016-03-01",
        "所在省份": province,
    }
    parsed = plan.parse(Chunk([2], [[cells.get(name, "") for name in plan.header]]))
    assert (len(parsed.codes) + len(parsed.unsure), parsed.rejected) == ((1, 0) if lands else (0, 1))


@pytest.mark.parametrize(
    ("name", "legal"),
    [
        ("甲乙有限公司", "true"), ("甲乙有限责任公司", "true"), ("甲乙股份有限公司", "true"), ("甲乙有限公司滨海分公司", "false"),
        ("某银行某支行", "false"), ("甲乙贸易公司", None), ("甲乙贸易商行", None),
    ],
)  # fmt: skip
def test_a_company_name_tells_a_legal_person_as_far_as_the_law_does(name, legal):
    source = load_sources()["registration"]
    plan = Plan(source, list(source.columns), load_dictionary())
    read = next(c for c in plan._cells if c.column.indicator == "法人资格")
    assert plan._read(read, name) == legal


@pytest.mark.parametrize(
    ("code", "kind"),
    [("91120116MA05J7AB5W", "企业"), ("93120116MA05J7AB5W", "农民专业合作社"), ("52120116MA05J7AB5W", "民办非企业单位"), ("N1120116MA05J7AB5W", None)],
)  # fmt: skip
def test_a_credit_code_tells_the_kind_of_its_holder(code, kind):
    source = load_sources()["registration"]
    plan = Plan(source, list(source.columns), load_dictionary())
    read = next(c for c in plan._cells if c.column.indicator == "主体类别")
    told = plan._read(read, code)
    assert (told and told.strip('"')) == kind
