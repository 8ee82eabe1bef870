"""标准的说法: how much an item gives reads as Chinese; nothing of the rule language is left in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import policies
from engine.program import Program
from engine.standard import further_quotes, standard_lines
from policies.library import Library, load_library
from profiles.dictionary import builtin_dictionary

RULE_LANGUAGE = re.compile(r"\bY\b|\bin\b|[<>=*]|(?<=\s)-(?=\s)|\b(?:when|all|any|not|ask|cap|amount)\b")


@pytest.fixture(scope="module")
def library() -> Library:
    return load_library(Path(policies.__file__).with_name("library"), builtin_dictionary())


def told(program: Program, year: int | None = None) -> dict[str, str]:
    own = program
    if year is not None:
        own = program.bind(next(b for b in program.item.batches if b.year == year))
    return {what: how for what, how, _, _ in standard_lines(program.item.benefit, own.benefit)}


def test_nothing_of_the_rule_language_is_left(library: Library) -> None:
    paying = [p for p in library.programs if p.item.benefit]
    assert len(paying) > 30
    for program in paying:
        for batch in (None, *(b.year for b in program.item.batches)):
            for what, how in told(program, batch).items():
                assert how and not RULE_LANGUAGE.search(how), (program.item.id, what, how)


def test_a_case_is_said_with_when_it_holds_and_its_own_limits(library: Library) -> None:
    items = {p.item.id: p for p in library.programs}
    assert told(items["bs-2025-05/equity"], 2025) == {
        "算式": "2025年股权融资额 × 1%",
        "封顶": "100万元",
        "例外": "行业代码属于先导产业时，2025年股权融资额 × 2%，封顶 200万元",
    }
    assert told(items["bs-2025-05/listing"])["算式"] == (
        "年度（上市日期）为基准年，并且上市板块属于主板、创业板、北交所、科创板时，300万元；其他情形，50万元"
    )
    green = told(items["bs-2025-08/green-factory"], 2025)
    assert green["算式"] == "绿色工厂级别为“国家级”时，50万元；其他情形，20万元"
    assert green["另加"] == "2025年单位产值能耗下降率高于 5%时，10万元"
    assert told(items["bs-2025-06/rd-increment"])["算式"] == (
        "（研发费用（基准年） − 研发费用（基准年前1年）） × 10%"
    )
    assert told(items["bs-2025-08/mu-priority"])["算式"] == "没有金额，给的是资格或服务"


def test_a_step_says_both_its_ends(library: Library) -> None:
    items = {p.item.id: p for p in library.programs}
    assert told(items["bs-2025-06/rd-intensity"], 2025)["算式"] == (
        "按 2025年研发费用 超额分档：超过 300万元、不超过 1000万元：3%；超过 1000万元、不超过 5000万元：2%；超过 5000万元：1%"
    )
    assert told(items["bs-2025-04/digital-scale"], 2025)["算式"] == (
        "按 2025年营业收入 全额分档：不到 1亿元：10万元；满 1亿元、不到 5亿元：20万元；满 5亿元：50万元"
    )


def test_what_some_get_besides_is_told_once(library: Library) -> None:
    items = {p.item.id: p.item.benefit for p in library.programs}
    assert further_quotes(items["bs-2025-05/equity"]) == [
        ("先导产业企业按照融资额的2%给予奖励，最高不超过200万元", "第六条")
    ]
    assert further_quotes(items["bs-2025-06/first-set"]) == [] == further_quotes(None)
