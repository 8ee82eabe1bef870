"""依据: the words an officer reads beside a verdict."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import date
from pathlib import Path

import policies
from engine.columns import Builder, Columns
from engine.errors import Problem
from engine.evaluate import Frame
from engine.explain import FIRM, explain
from engine.literal import parse_number
from engine.match import Seen, Verdict
from engine.nodes import references
from engine.policy import PolicyDocument
from engine.program import BoundItem, Compiler
from engine.rulefile import Reader
from engine.yamltext import read
from policies.library import load_library
from profiles.dictionary import builtin_dictionary

RULE = """
item: d/a
title: 甲
batches: {2026: {year: 2025, opens: 2026-03-01, closes: 2026-12-31}}
conditions:
  all:
    - {id: age, when: 成立日期 <= 申报开始 - 1年}
    - {id: rd, when: "研发费用[Y] >= 500万元"}
    - {id: ratio, when: "研发费用[Y] / 营业收入[Y] >= 3%"}
    - {id: clean, hidden: 是, not: {when: 严重违法失信名单 = 是}}
    - {id: lead, ask: 技术是否领先？}
benefit: {amount: 10万元}
"""


def bound(rule: str = RULE) -> BoundItem:
    faults: list[Problem] = []
    item = Reader(faults.append).item(read(rule, "a.yaml", faults.append))
    program = Compiler(builtin_dictionary(), {}, faults.append).item(
        item, PolicyDocument("d", item.place), ()
    )
    assert faults == []
    return program.bind(program.item.batches[0])


def one(**facts: object) -> Columns:
    def complain(row: int, column: str, message: str) -> None:
        raise AssertionError(message)

    return Builder(builtin_dictionary(), complain, parse_number).build(["A"], [facts])


def test_gaps_days_and_needs_are_said() -> None:
    firm = one(成立日期="2025-09-01", 研发费用={"2025": "300万元"})
    found = explain(bound(), firm, date(2026, 6, 1))
    age, rd, ratio, clean, lead = found.evidence
    assert found.verdict == Verdict.INELIGIBLE and found.fails == ("age", "rd")
    assert (age.verdict, age.holds_on, age.gap) == (Verdict.INELIGIBLE, date(2026, 9, 1), "晚 184 天")
    assert rd.text == "2025年研发费用 不低于 500 万元" and rd.gap == "还差 200 万元"
    assert ratio.verdict == Verdict.UNDETERMINED and ratio.needs == "2025年营业收入：缺数据，由税务局提供"
    assert clean.children[0].seen[0].note == "登记中没有，视为“否”"
    assert lead.needs == "需要人工判断：技术是否领先？"


def test_the_source_date_and_state_of_a_value_travel_with_it() -> None:
    facts = {("研发费用", 2025): Seen("研发费用", 2025, 8e6, "税务", date(2026, 5, 31))}
    firm = one(成立日期="2020-01-01", 研发费用={"2025": "800万元"}, 营业收入={"2025": "1亿元"})
    found = explain(bound(), firm, date(2026, 6, 1), provenance=facts)
    assert found.evidence[1].seen == (facts["研发费用", 2025],)
    assert found.evidence[2].gap == "多 5 个百分点"
    assert (
        found.verdict == Verdict.UNDETERMINED and found.unknown == ("lead",) and found.amount_high == 100_000
    )


def test_what_stands_under_a_not_tells_its_gap_and_of_several_none_speaks_for_all() -> None:
    rule = RULE.replace(
        "    - {id: clean,",
        '    - {id: small, not: {when: "研发费用[Y] >= 500万元"}}\n'
        '    - {id: either, any: [{when: "研发费用[Y] >= 900万元"}, {when: "营业收入[Y] >= 9000万元"}]}\n    - {id: clean,',
    )
    firm = one(研发费用={"2025": "300万元"}, 营业收入={"2025": "1000万元"})
    found = {e.id: e for e in explain(bound(rule), firm, date(2026, 6, 1)).evidence}
    assert found["small"].gap == found["small"].children[0].gap == "还差 200 万元"
    assert found["either"].gap == "" and [c.gap for c in found["either"].children] == [
        "还差 600 万元",
        "还差 8,000 万元",
    ]


def test_a_firm_never_sees_hidden_conditions() -> None:
    found = explain(bound(), one(成立日期="2020-01-01"), date(2026, 6, 1), audience=FIRM)
    assert [e.id for e in found.evidence] == ["age", "rd", "ratio", "lead"]
    assert [e.number for e in found.evidence] == [1, 2, 3, 5]


def test_a_list_that_is_shown_is_the_firms_own() -> None:
    rule = RULE.replace(
        "    - {id: clean,", '    - {id: marked, when: 产品认证 含 "有机产品认证"}\n    - {id: clean,'
    )
    told = []
    for facts in (
        {"产品认证": ["绿色产品认证"]},
        {"产品认证": ["有机产品认证", "其他"]},
        {},
        {"产品认证": []},
    ):
        found = explain(bound(rule), one(**facts), date(2026, 6, 1)).evidence
        told += [(e.verdict, e.seen[0].value) for e in found if e.id == "marked"]
    no, yes, open_ = Verdict.INELIGIBLE, Verdict.ELIGIBLE, Verdict.UNDETERMINED
    assert told == [(no, ["绿色产品认证"]), (yes, ["有机产品认证", "其他"]), (open_, None), (no, [])]


def test_a_past_deadline_does_not_come_by_waiting() -> None:
    rule = RULE.replace("成立日期 <= 申报开始 - 1年", "成立日期 >= 申报开始 - 1年")
    found = explain(bound(rule), one(成立日期="2020-01-01"), date(2026, 6, 1))
    assert found.evidence[0].holds_on is None


def test_the_best_row_speaks_for_a_project_item() -> None:
    rule = RULE.replace("title: 甲", "title: 甲\nsubject: 项目").replace(
        "研发费用[Y] >= 500万元", "项目投资额 >= 500万元"
    )
    rows = [{"项目编号": "P1", "项目投资额": "100万元"}, {"项目编号": "P2", "项目投资额": "600万元"}]
    firm = one(成立日期="2020-01-01", 项目=rows, 研发费用={"2025": "1万元"}, 营业收入={"2025": "10万元"})
    answers = {("d/a", "2026", "lead"): {"A": {"P2": True}}}
    found = explain(bound(rule), firm, date(2026, 6, 1), answers)
    assert found.verdict == Verdict.ELIGIBLE
    assert found.evidence[1].seen[0].value == 6_000_000


def test_many_items_explained_over_one_frame_are_explained_as_alone() -> None:
    library = load_library(Path(policies.__file__).with_name("library"), builtin_dictionary())
    day = date(2026, 6, 17)
    record = {"行业代码": "C3912", "研发费用": {"2025": 6e6}, "营业收入": {"2025": 9e7}, "登记状态": "存续"}
    columns = Builder(library.dictionary, lambda *_: None, parse_number).build(["A"], [record])
    frame = Frame(columns)
    bound = [p.bind(b) for p in library.programs if (b := p.item.live_batch(day)) is not None]
    assert len(bound) > 40
    for one in bound:
        alone = explain(one, columns, day)
        together = explain(one, columns, day, frame=frame)
        assert together == alone and together.evidence == alone.evidence and together.working == alone.working
        bare = explain(one, columns, day, frame=frame, worked=False)
        assert bare.working == () and replace(bare, working=alone.working) == alone


def test_a_node_keeps_its_hash_and_leaves_it_behind_when_it_travels() -> None:
    library = load_library(Path(policies.__file__).with_name("library"), builtin_dictionary())
    for node in list(library.programs[0].expressions())[:20]:
        hash(node), references(node)
        again = pickle.loads(pickle.dumps(node))
        assert not any(name.startswith("_") for name in again.__dict__)
        assert again == node and hash(again) == hash(node)
