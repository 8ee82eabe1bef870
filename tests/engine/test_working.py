"""算给人看: the lines that lead to an amount, for every form of money there is."""

from __future__ import annotations

from pathlib import Path

import pytest

import policies
from engine.explain import explain
from engine.match import Match
from policies.cases import answer_book, columns_of
from policies.check import read_cases
from policies.library import Library, load_library
from profiles.dictionary import builtin_dictionary

DOCUMENT = "title: 甲\n"
RULE = """
item: d/a
title: 甲
subject: 企业
batches: {{2026: {{year: 2025, opens: 2026-01-01, closes: 2026-12-31}}}}
conditions:
  all:
    - {{id: rd, when: "研发费用[Y] >= 0元"}}
benefit: {benefit}
"""
CASES = """
item: d/a
batch: 2026
given: {given}
cases:
  - {{name: 甲, expect: {{verdict: 符合}}}}
"""
STEPS = "[{upto: 1000万元, rate: 3%}, {rate: 2%}]"
MANY = [
    ("{amount: 20万元}", "研发费用: {2025: 1元}", ["定额：20 万元"]),
    ("{upto: 30万元}", "研发费用: {2025: 1元}", ["最高：30 万元"]),
    ("{amount: '研发费用[Y] * 10%', cap: 100万元}", "研发费用: {2025: 1234.56万元}",
     ["算式：2025年研发费用 × 10%（2025年研发费用 1,234.56 万元） = 1,234,560.00 元",
      "封顶 100 万元：超过，按封顶"]),
    ("{amount: '研发费用[Y] * 10%', floor: 5万元}", "研发费用: {2025: 10万元}",
     ["算式：2025年研发费用 × 10%（2025年研发费用 10 万元） = 1 万元", "保底 5 万元：不足，按保底"]),
    ("{amount: '研发费用[Y]'}", "营业收入: {2025: 1元}", ["算式：2025年研发费用 待定"]),
    (f"{{bands: {{by: '研发费用[Y]', kind: 超额, from: 300万元, steps: {STEPS}}}}}", "研发费用: {2025: 2000万元}",
     ["按 2025年研发费用 2,000 万元 超额分档", "第 1 档（300 万元 至 1,000 万元）：这一段 700 万元 × 3% = 21 万元",
      "第 2 档（1,000 万元 以上）：这一段 1,000 万元 × 2% = 20 万元"]),
    (f"{{bands: {{by: '研发费用[Y]', kind: 全额, from: 300万元, steps: {STEPS}}}}}", "研发费用: {2025: 2000万元}",
     ["按 2025年研发费用 2,000 万元 全额分档", "第 2 档（1,000 万元 以上）：2,000 万元 × 2% = 40 万元"]),
    (f"{{bands: {{by: '研发费用[Y]', kind: 全额, from: 300万元, steps: {STEPS}}}}}", "研发费用: {2025: 200万元}",
     ["按 2025年研发费用 200 万元 全额分档", "没有到起点，0 元"]),
    ("{bands: {by: '研发费用[Y] / 营业收入[Y]', steps: [{below: 5%, amount: 1万元}, {amount: 3万元}]}}",
     "研发费用: {2025: 60万元}, 营业收入: {2025: 1000万元}",
     ["按 2025年研发费用 ÷ 2025年营业收入（2025年研发费用 60 万元，2025年营业收入 1,000 万元） = 6%， 全额分档",
      "第 2 档（5% 以上）：3 万元"]),
    ("{cases: [{when: '营业收入[Y] >= 1亿元', amount: 5万元}, {amount: 1万元}]}", "营业收入: {2025: 2亿元}",
     ["第 1 种情形（2025年营业收入 不低于 10,000 万元）成立", "定额：5 万元"]),
    ("{cases: [{when: '营业收入[Y] >= 1亿元', amount: 5万元}, {amount: 1万元}]}", "研发费用: {2025: 1元}",
     ["第 1 种情形（2025年营业收入 不低于 10,000 万元）是否成立待定，成立则定额：5 万元", "第 2 种情形（其他）", "定额：1 万元"]),
    ("{amount: 10万元, adds: [{when: '营业收入[Y] >= 1亿元', amount: 2万元, beyond_cap: 是}], cap: 10万元}",
     "营业收入: {2025: 1亿元}", ["定额：10 万元", "封顶 10 万元：刚好到", "另加：2 万元，不受封顶限制"]),
    ("{amount: '研发费用[Y]', cap: 10万元, exceptions: [{when: '营业收入[Y] >= 1亿元', cap: 20万元}]}",
     "研发费用: {2025: 15万元}, 营业收入: {2025: 1亿元}",
     ["例外（2025年营业收入 不低于 10,000 万元）成立", "算式：2025年研发费用 15 万元", "封顶 20 万元：没有到"]),
    ("{words: 一事一议}", "研发费用: {2025: 1元}", ["标准要由人定，机器算不出"]),
]  # fmt: skip


def explained(library: Library, at: int = 0, item: int = 0) -> Match:
    loaded = library.items[item]
    assert loaded.program is not None, library.problems
    case = read_cases(loaded, library, lambda p: None).cases[at]
    columns = columns_of([case.facts], library.dictionary, [case.place], lambda p: None)
    batch = loaded.item.batch(case.batch)
    assert batch is not None
    return explain(loaded.program.bind(batch), columns, batch.opens, answer_book([case], loaded.item.id))


@pytest.mark.parametrize(("benefit", "given", "lines"), MANY)
def test_the_lines_of_an_amount(tmp_path: Path, benefit: str, given: str, lines: list[str]) -> None:
    items = tmp_path / "d" / "items"
    items.mkdir(parents=True)
    (tmp_path / "d" / "document.yaml").write_text(DOCUMENT, encoding="utf-8")
    (items / "a.yaml").write_text(RULE.format(benefit=benefit), encoding="utf-8")
    (items / "a.test.yaml").write_text(CASES.format(given=f"{{{given}}}"), encoding="utf-8")
    assert list(explained(load_library(tmp_path, builtin_dictionary())).working) == lines


def test_every_item_of_the_sample_library_that_gives_money_says_how() -> None:
    library = load_library(Path(policies.__file__).with_name("library"), builtin_dictionary())
    for number, loaded in enumerate(library.items):
        found = explained(library, item=number)
        assert bool(found.working) == (loaded.item.benefit is not None), loaded.item.id
        assert not any("nan" in line or "inf" in line for line in found.working), loaded.item.id
