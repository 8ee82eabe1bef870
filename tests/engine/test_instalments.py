"""分期: plans from a rule's rows, what can't be planned, and the clock and the gate of each part."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from engine.fulfilment import Grant, Refused, due, step
from engine.grantmoves import AUTOMATIC, State
from engine.instalments import Instalment, PlanUnknown, next_of, open_by, plan, written_plan
from policies.calendar import builtin_calendar

CALENDAR = builtin_calendar()
D = date(2026, 1, 31)
HALVES = [{"share": "60%"}, {"share": "40%", "after": "1个月"}]


@pytest.mark.parametrize(
    ("rows", "fen", "parts"),
    [
        (HALVES, 100_01, [(60_00, D), (40_01, date(2026, 2, 28))]),
        ([{"share": "33.3%"}, {"after": "1年"}, {"share": "33.3%", "after": "2年"}], 100,
         [(33, D), (34, date(2027, 1, 31)), (33, date(2028, 1, 31))]),
        ([{"amount": "1.5万元"}, {"on": "2026-12-10"}], 2_000_000, [(1_500_000, D), (500_000, date(2026, 12, 10))]),
        ([{"share": "50%", "on": "2025-01-01"}, {"share": "50%", "when": "项目验收合格"}], 10, [(5, D), (5, None)]),
        ([{"share": "50%"}, {"share": "50%", "after": "3个工作日"}], 10, [(5, D), (5, date(2026, 2, 4))]),
        ([{"share": "50%"}, {"share": "50%", "after": "30日"}], 10, [(5, D), (5, date(2026, 3, 2))]),
    ],
)  # fmt: skip
def test_a_rules_rows_become_sums_and_days(rows: list, fen: int, parts: list):
    found = plan(rows, fen, D, CALENDAR)
    assert [(p.fen, p.begins) for p in found] == parts and sum(p.fen for p in found) == fen


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([{"quote": "分两年拨付"}, {"quote": "分两年拨付"}], "“分两年拨付”，没有写每期多少"),
        ([{"share": "60%"}, {"share": "30%", "after": "1年"}], "合计 90.00 元，要付的是 100.00 元"),
        ([{"share": "60%"}, {"share": "40%"}], "没有写第2期什么时候付"),
        ([{"share": "六成"}, {"after": "1年"}], "比例“六成”读不懂"),
        ([{"share": "60%"}, {"after": "明年"}], "时间“明年”读不懂"),
        ([{"share": "60%"}, {"on": "明年"}], "日子“明年”读不懂"),
        ([{"amount": "很多"}, {"after": "1年"}], "金额“很多”读不懂"),
        ([{"amount": "200元"}, {"after": "1年"}], "合计 200.00 元"),
    ],
)
def test_what_the_rule_does_not_say_is_not_guessed(rows: list, told: str):
    with pytest.raises(PlanUnknown, match=told):
        plan(rows, 100_00, D, CALENDAR)


def test_a_person_may_write_the_plan():
    assert written_plan("60@2026-07-01、40.00@2027-07-01", 100_00) == (
        Instalment(1, 60_00, date(2026, 7, 1)), Instalment(2, 40_00, date(2027, 7, 1)),
    )  # fmt: skip
    for text, told in (("60@2026-07-01", "合计 60.00 元"), ("60；40", "要写成"), ("60@2026-07-01 40@2026-13-01", "要写成"),
                       ("60@2027-07-01 40@2026-07-01", "从早到晚"), ("100@2026-07-01 0@2026-07-02", "合计")):  # fmt: skip
        with pytest.raises(PlanUnknown, match=told):
            written_plan(text, 100_00)


def passed(rows: list, on: date = date(2026, 6, 11), **facts: object) -> Grant:
    """A grant of 100 yuan that finance passes on a day."""
    kept = {"分期规则": rows} if rows else {}
    grant = Grant(AUTOMATIC, State.FINANCE, date(2026, 6, 10), 100_00, 100_00, 100_00, facts=kept)
    return step(grant, "财政通过", "财政", facts, on, CALENDAR).grant


def go(grant: Grant, action: str, on: date, **facts: object) -> Grant:
    return step(grant, action, "财政", facts, on, CALENDAR).grant


def pay(grant: Grant, fen: int, on: date, **facts: object) -> Grant:
    return go(go(grant, "下达", on, 支付金额=fen, 流水号="1", **facts), "到账", on, 支付金额=fen, 流水号="1")


def test_each_part_has_its_own_clock_and_none_goes_out_before_its_day():
    grant = passed([{"share": "60%"}, {"share": "40%", "after": "3个月"}])
    assert due(grant, CALENDAR).day == date(2026, 6, 18)
    with pytest.raises(Refused, match=r"可以付的只有 60\.00 元；第2期从 2026-09-11 起才付") as early:
        go(grant, "下达", date(2026, 6, 12), 支付金额=60_01, 流水号="1")
    assert early.value.missing == ("提前支付说明",)
    first = pay(grant, 60_00, date(2026, 6, 12))
    clock = due(first, CALENDAR)
    assert (first.state, clock.day, clock.basis[:18]) == (
        State.PAYING,
        date(2026, 9, 18),
        "第2期从 2026-09-11 起5",
    )
    assert pay(first, 40_00, date(2026, 9, 11)).state == State.ARRIVED
    assert pay(first, 40_00, date(2026, 7, 1), 提前支付说明="企业迁址，提前结清").state == State.ARRIVED
    cut = replace(first, reserved=0, ordered=10_00)  # stopped but for what is on its way
    assert due(cut, CALENDAR).day == date(2026, 9, 18)


def test_a_part_that_waits_for_an_event_has_no_day_until_somebody_says_it_came():
    first = pay(
        passed([{"share": "50%"}, {"share": "50%", "when": "项目验收合格"}]), 50_00, date(2026, 6, 12)
    )
    clock = due(first, CALENDAR)
    assert clock.day is None and clock.note == "第2期等“项目验收合格”成立"
    with pytest.raises(Refused, match="等“项目验收合格”成立才付"):
        go(first, "下达", date(2026, 6, 15), 支付金额=50_00, 流水号="2")
    with pytest.raises(Refused, match="第1期不在等条件；在等的：第2期（项目验收合格）"):
        go(first, "条件成立", date(2026, 8, 3), 期次="1", 依据="验收报告")
    ready = go(first, "条件成立", date(2026, 8, 3), 期次="2", 依据="验收报告")
    assert due(ready, CALENDAR).day == date(2026, 8, 10)
    assert pay(ready, 50_00, date(2026, 8, 4)).state == State.ARRIVED


def test_finance_writes_the_plan_where_the_rule_has_none_to_follow():
    with pytest.raises(Refused, match="分期排不出：规则写“分两年拨付”") as short:
        passed([{"quote": "分两年拨付"}, {}])
    assert short.value.missing == ("分期计划",)
    grant = passed([{"quote": "分两年拨付"}, {}], 分期计划="60@2026-06-11、40@2026-12-01")
    assert due(pay(grant, 60_00, date(2026, 6, 11)), CALENDAR).day == date(2026, 12, 8)
    with pytest.raises(Refused, match="没有2027年的工作日历"):
        passed([{"share": "50%"}, {"share": "50%", "after": "200个工作日"}], 分期计划="")
    assert due(passed([]), CALENDAR).day == date(2026, 6, 18)


def test_the_next_part_is_what_the_money_so_far_does_not_cover():
    parts = (Instalment(1, 60, D), Instalment(2, 40, None, "验收"))
    assert open_by(parts, D) == 60 and open_by(parts, date(2026, 1, 30)) == 0
    assert [next_of(parts, paid, 100) and next_of(parts, paid, 100).no for paid in (0, 59, 60, 100)] == [
        1,
        1,
        2,
        None,
    ]
    assert next_of(parts, 60, 60) is None
