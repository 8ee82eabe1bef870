"""草稿存疑: lists of kinds, of which one suffices, on invented texts."""

from __future__ import annotations

import datetime as dt

import pytest

from policies.decompose.expressions import Proposer
from policies.decompose.pipeline import decompose
from policies.draft_doubts import kinds_listed, kinds_with_amounts, one_kind_of_a_row
from policies.drafts import draft
from policies.segment import segment
from profiles.dictionary import builtin_dictionary

KINDS = """第三层次人才
(1)具有大学本科及以上学历的人才；
(2)具有中级及以上职称、且在本市缴纳社会保险的人才；
(3)本区紧缺急需的其他人才。
"""
STATEMENTS = """申报条件
(1)申报单位在本市注册；
(2)上一年度营业收入不低于2000万元；
(3)申报单位应为依法设立的企业。
"""


@pytest.mark.parametrize("words", ["大学本科", "中级及以上职称", "紧缺急需"])
def test_points_that_name_kinds_are_alternatives(words: str) -> None:
    assert kinds_listed(segment(KINDS), KINDS.index(words))


OTHERS = """个人条件
1、具有大学本科及以上学历；
2、具有中级及以上职称；
3、为本区做出突出贡献的其他人才。
"""


@pytest.mark.parametrize("words", ["大学本科", "中级及以上职称"])
def test_a_list_that_ends_with_whoever_else_is_one_of_alternatives(words: str) -> None:
    assert kinds_listed(segment(OTHERS), OTHERS.index(words))


@pytest.mark.parametrize("words", ["在本市注册", "营业收入", "依法设立"])
def test_points_that_say_what_must_be_so_are_not(words: str) -> None:
    assert not kinds_listed(segment(STATEMENTS), STATEMENTS.index(words))


@pytest.mark.parametrize(
    ("text", "quote", "asked"),
    [
        ("申请对象：在本市注册的小微企业，民办非企业单位和农民合作社。", "民办非企业单位和农民合作社", True),
        ("在本市注册的小微企业，民办非企业单位和农民合作社。", "小微企业", True),
        ("支持小微企业、个体工商户发展。", "小微企业", True),
        ("对小微企业，给予10万元补贴。", "小微企业", False),
        ("对农民专业合作社给予10万元补贴。", "农民专业合作社", False),
    ],
)
def test_one_kind_of_a_row_is_asked(text: str, quote: str, asked: bool) -> None:
    leaves = Proposer(builtin_dictionary(), {}).propose(quote).leaves
    assert leaves and one_kind_of_a_row(leaves, text, text.index(quote), quote) is asked


def test_kinds_with_an_amount_each_are_alternatives() -> None:
    text = "对系统改造，最高限额为甲类企业20万元、乙类企业10万元。"
    told = "最高限额为甲类企业20万元、乙类企业10万元"
    sums = [{"quote": told, "start": text.index(told), "cap": n} for n in (200000, 100000)]
    every = [{"quote": q, "start": text.index(q)} for q in ("系统改造", "甲类企业", "乙类企业")]
    shared, kinds = kinds_with_amounts(every, sums)
    assert [c["quote"] for c in shared] == ["系统改造"] and [c["quote"] for c in kinds] == [
        "甲类企业",
        "乙类企业",
    ]
    assert kinds_with_amounts(every[:2], sums) == (every[:2], [])


def test_one_kind_of_a_row_is_asked_where_its_quote_was_cut() -> None:
    text = "示例市担保贷款办法\n第一条 申请对象：在本市注册经营的小微企业，民办非企业单位和农民合作社。\n第二条 给予最高30万元贷款贴息。\n"
    quote = "申请对象：在本市注册经营的小微企业"
    found = decompose(text)
    entry = {"quote": quote, "start": text.index(quote), "score": 0.9}
    assert found.items
    found.items[0].conditions[:] = [entry]
    found.conditions.clear()
    made = draft(found, "demo", "demo.txt", builtin_dictionary(), {}, dt.date(2026, 11, 28))
    item = next(t for name, t in made.files.items() if "/items/" in name)
    assert "quote: 小微企业" in item and "when:" not in item
