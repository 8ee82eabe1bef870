"""规则草稿: drafts stand in the library's form, are sure only where every word is accounted for, and pass the checker."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from policies.check import check_library
from policies.decompose.expressions import Proposer, own_places
from policies.decompose.pipeline import decompose
from policies.drafts import clause_diff, draft, verbatim, write_draft
from policies.library import load_library
from profiles.dictionary import builtin_dictionary
from tests.policies.policy_text import MEASURES

DAY = dt.date(2025, 3, 1)


@pytest.fixture(scope="module")
def proposer() -> Proposer:
    return Proposer(builtin_dictionary(), {"本区": "120116*"})


@pytest.mark.parametrize(
    ("quote", "when"),
    [
        ("上一年度研发费用在500万元以上", "研发费用[Y] >= 500万元"),
        ("上年度营业收入不低于2000万元", "营业收入[Y] >= 2000万元"),
        ("上一年度应纳税所得额低于20万元（含20万元）", "应纳税所得额[Y] <= 20万元"),
        ("上年度营业收入同比增长10%以上", "增长率(营业收入[Y]) >= 10%"),
        ("注册资本5000万元以上", "注册资本 >= 5000万元"),
        ("具有独立法人资格", "法人资格 = 是"),
        ("未被列入严重违法失信名单", "严重违法失信名单 = 否"),
        ("属于有效期内的高新技术企业", "高新技术企业有效期至 >= 申报开始"),
        ("成立满一年", "成立日期 <= 申报开始 - 1年"),
        ("在本区登记注册", "登记地区划 in 本区"),
    ],
)
def test_plain_conditions_become_expressions(proposer: Proposer, quote: str, when: str) -> None:
    assert proposer.propose(quote).when == when


@pytest.mark.parametrize(
    "quote",
    [
        "研发费用在500万元以上",  # which year?
        "近三年研发费用累计500万元以上",
        "上一年度营业收入不低于2000万元且研发费用占比3%",
        "上一年度软件业务收入不低于2000万元",
        "在本区登记注册、具有独立法人资格、信誉良好",
        "在本区登记注册或者具有独立法人资格",
        "在本市注册",  # the library has no codes for 本市
        "项目技术达到国内先进水平",
        "新认定的高新技术企业",
        "高新技术企业或者科技型中小企业",
        "餐厅经营满一年",
        "上一年度研发费用500万美元以上",
    ],
)
def test_what_is_not_fixed_by_the_words_is_asked(proposer: Proposer, quote: str) -> None:
    said = proposer.propose(quote)
    assert said.when == ""
    assert said.ask


def test_several_plain_conditions_must_all_hold(proposer: Proposer) -> None:
    said = proposer.propose("在本区登记注册、具有独立法人资格")
    assert [p.when for p in said.parts] == ["登记地区划 in 本区", "法人资格 = 是"]


def test_a_document_speaks_of_its_own_place_by_name() -> None:
    own = own_places(["关于印发示例市某某区若干措施的通知", "示例市某某区人民政府"])
    assert own["示例市某某区"] == "本区"
    proposer = Proposer(builtin_dictionary(), {"本市": "1201*", "本区": "120116*"}, own)
    assert proposer.propose("在示例市某某区注册").when == "登记地区划 in 本区"
    assert proposer.propose("在示例市行政区域内登记注册").when == "登记地区划 in 本市"
    assert proposer.propose("在别的市注册").when == ""


def test_boundary_samples_stand_on_both_sides(proposer: Proposer) -> None:
    assert proposer.propose("上一年度研发费用在500万元以上").sample == ("研发费用[Y]", "500万元", "495万元")
    assert proposer.propose("上一年度应纳税所得额低于20万元").sample == (
        "应纳税所得额[Y]",
        "19.8万元",
        "20万元",
    )


def test_a_missing_indicator_is_proposed(proposer: Proposer) -> None:
    assert proposer.propose("上一年度软件业务收入不低于2000万元").missing == "软件业务收入"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets" / "本区.yaml").write_text('- "120116*"\n', encoding="utf-8")
    made = draft(decompose(MEASURES), "demo", "demo.txt", builtin_dictionary(), {"本区": "120116*"}, DAY)
    write_draft(made, tmp_path)
    return tmp_path


def test_drafts_pass_the_checker(library: Path) -> None:
    loaded = load_library(library, builtin_dictionary())
    assert len(loaded.items) >= 4
    report = check_library(loaded)
    problems = report if isinstance(report, list) else list(report.problems)
    assert [p.render() for p in problems if p.level == "error"] == []


def test_drafts_wait_for_a_person(library: Path) -> None:
    loaded = load_library(library, builtin_dictionary())
    assert {i.item.status for i in loaded.items} == {"草稿"}
    document = loaded.documents["demo"].document
    assert (document.number, str(document.effective), str(document.expires)) == (
        "示新规〔2025〕9号",
        "2025-02-01",
        "2028-01-31",
    )


def test_the_text_stays_verbatim(library: Path) -> None:
    text = (library / "demo" / "text.md").read_text(encoding="utf-8")
    kept = [line for line in verbatim(text).split("\n") if line]
    assert kept == [line for line in MEASURES.split("\n") if line]


def test_a_second_run_tells_which_clauses_changed() -> None:
    amended = MEASURES.replace("20万元奖励", "30万元奖励").replace("3.上一年度审计报告。\n", "")
    kinds = [(kind, new) for kind, _, new in clause_diff(MEASURES, amended)]
    assert ("改动", "对新认定的高新技术企业，给予30万元奖励。") in kinds
    assert ("删去", "") in kinds
    assert clause_diff(MEASURES, MEASURES.replace("给予20万元", "给予 20 万元")) == []
