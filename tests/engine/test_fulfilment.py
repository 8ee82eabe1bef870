"""兑现: the machine's arrows, needs, rules and clocks, and random walks over it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.fulfilment import (
    ENOUGH,
    LATER,
    TOO_LITTLE,
    Grant,
    Refused,
    arrows,
    due,
    escalate,
    lateness,
    moves_from,
    start,
    step,
    wants,
)
from engine.grantmoves import (
    APPLIED,
    ASKED_FOR,
    AUTOMATIC,
    CLOCKS,
    FINAL,
    MOVES,
    NEEDS,
    ONCE,
    ROLES,
    VARIANTS,
    State,
    variant_of,
)
from policies.calendar import builtin_calendar

CALENDAR = builtin_calendar()
D = date(2026, 6, 1)
ACCOUNT = {"户名": "甲公司", "账号": "6222", "开户行": "银行", "确认人": "张"}


def go(grant: Grant, action: str, role: str, on: date, budget: str = ENOUGH, **facts: object) -> Grant:
    return step(grant, action, role, facts, on, CALENDAR, budget).grant


def to_confirm() -> Grant:
    grant = start(AUTOMATIC, D, None, 10_000_000)
    grant = go(grant, "上名单", "系统", D)
    grant = go(grant, "通过名单", "经办", D, 核定金额=10_000_000)
    grant = go(grant, "信用通过", "经办", D, 信用查询日期="2026-06-01", 公示地址="某网")
    return go(grant, "公示期满", "系统", date(2026, 6, 9))


def to_paying() -> Grant:
    grant = go(to_confirm(), "确认", "企业", date(2026, 6, 10), **ACCOUNT)
    return go(grant, "财政通过", "财政", date(2026, 6, 11))


def test_money_arrives_without_an_application_in_two_instalments():
    grant = to_paying()
    assert grant.reserved == 10_000_000
    for no in (1, 2):
        grant = go(grant, "下达", "财政", date(2026, 6, 12), 支付金额=5_000_000, 流水号=f"A{no}")
        assert grant.state == State.PAYING
        grant = go(grant, "到账", "系统", date(2026, 6, 15), 支付金额=5_000_000, 流水号=f"A{no}")
    assert grant.state == State.ARRIVED
    assert (grant.reserved, grant.ordered, grant.arrived) == (0, 0, 10_000_000)
    assert go(grant, "评价", "企业", date(2026, 6, 16), 满意度=5).state == State.DONE


@pytest.mark.parametrize("variant", [ONCE, APPLIED])
def test_a_submitted_grant_reserves_at_submission_and_frees_what_the_review_cuts(variant: str):
    grant = start(variant, D, None, 800)
    assert wants(grant, "提交", "企业", ACCOUNT) == 800
    grant = go(grant, "提交", "企业", D, **ACCOUNT)
    assert (grant.state, grant.reserved) == (State.LISTED, 800)
    cut = step(grant, "通过名单", "经办", {"核定金额": 500}, D, CALENDAR)
    assert (cut.money, cut.fen, cut.grant.reserved) == ("减占", 300, 500)
    noticed = go(cut.grant, "信用通过", "经办", D, 信用查询日期="x", 公示地址="y")
    assert go(noticed, "公示期满", "系统", date(2026, 6, 9)).state == State.FINANCE


def test_notice_runs_five_working_days_over_a_holiday_and_its_objection_does_not_restart_it():
    grant = start(AUTOMATIC, date(2026, 9, 30), 5, 5)
    grant = go(grant, "上名单", "系统", date(2026, 9, 30))
    grant = go(grant, "通过名单", "经办", date(2026, 9, 30), 核定金额=5)
    grant = go(grant, "信用通过", "经办", date(2026, 9, 30), 信用查询日期="x", 公示地址="y")
    clock = due(grant, CALENDAR)
    assert clock is not None and clock.day == date(2026, 10, 13)
    with pytest.raises(Refused, match="2026-10-13"):
        go(grant, "公示期满", "系统", date(2026, 10, 13))
    objected = go(grant, "异议", "企业", date(2026, 10, 12), 异议内容="a", 异议人="b")
    back = go(objected, "异议不成立", "复核", date(2026, 10, 14), 答复="c")
    assert go(back, "公示期满", "系统", date(2026, 10, 14)).state == State.CONFIRM


def test_everything_missing_is_said_at_once_and_only_once():
    grant = to_confirm()
    with pytest.raises(Refused) as refused:
        step(grant, "确认", "企业", {"户名": "甲"}, date(2026, 6, 10), CALENDAR)
    assert refused.value.missing == ("账号", "开户行", "确认人")
    listed = go(start(AUTOMATIC, D, 5, 5), "上名单", "系统", D)
    returned = go(listed, "退回补正", "经办", D, 缺项=["审计报告", "合同"])
    with pytest.raises(Refused) as short:
        go(returned, "补正", "企业", D, 已补=["合同"])
    assert short.value.missing == ("审计报告",)
    mended = go(returned, "补正", "企业", D, 已补=["合同", "审计报告"])
    assert mended.state == State.LISTED
    with pytest.raises(Refused, match="已经一次性告知过"):
        go(mended, "退回补正", "经办", D, 缺项=["发票"])
    assert go(mended, "退回补正", "经办", D, 缺项=["合同"]).state == State.CORRECTING


def test_silence_does_not_forfeit_and_refusal_can_be_taken_back():
    grant = to_confirm()
    with pytest.raises(Refused, match="还没有过"):
        go(grant, "逾期未确认", "系统", date(2026, 6, 12))
    silent = go(grant, "逾期未确认", "系统", date(2026, 6, 17))
    assert go(silent, "确认", "企业", date(2026, 6, 30), **ACCOUNT).state == State.FINANCE
    declined = go(grant, "放弃", "企业", date(2026, 6, 10), 理由="不需要")
    assert go(declined, "恢复", "企业", date(2026, 6, 11)).state == State.LISTED


def test_a_short_budget_queues_and_a_shared_one_pools():
    queued = go(to_confirm(), "确认", "企业", date(2026, 6, 10), TOO_LITTLE, **ACCOUNT)
    assert (queued.state, queued.reserved) == (State.QUEUED, 0)
    with pytest.raises(Refused, match="额度不够"):
        go(queued, "递补", "系统", date(2026, 6, 11), TOO_LITTLE)
    moved = go(queued, "递补", "系统", date(2026, 6, 11))
    assert (moved.state, moved.reserved) == (State.FINANCE, 10_000_000)
    pooled = go(to_confirm(), "确认", "企业", date(2026, 6, 10), LATER, **ACCOUNT)
    assert (pooled.state, pooled.reserved) == (State.POOLED, 0)
    shared = go(pooled, "分配", "经办", date(2026, 6, 11), LATER, 分配金额=7_000_000)
    assert (shared.state, shared.reserved, shared.amount) == (State.FINANCE, 7_000_000, 7_000_000)
    empty = go(pooled, "分配", "经办", date(2026, 6, 11), LATER, 分配金额=0)  # the pool gave out before it
    assert (empty.state, empty.reserved, empty.amount) == (State.FINANCE, 0, 0)


def test_money_comes_back_by_bounce_stop_and_clawback():
    grant = to_paying()
    ordered = go(grant, "下达", "财政", date(2026, 6, 12), 支付金额=4_000_000, 流水号="1")
    bounced = go(ordered, "退票", "财政", date(2026, 6, 13), 支付金额=4_000_000, 流水号="1", 理由="户名错")
    assert (bounced.reserved, bounced.ordered) == (10_000_000, 0)
    with pytest.raises(Refused, match="请办“追回”"):
        ask(ordered, "撤销", date(2026, 6, 13))
    paid = go(ordered, "到账", "系统", date(2026, 6, 13), 支付金额=4_000_000, 流水号="1")
    with pytest.raises(Refused, match="未下达"):
        ask(paid, "追回", date(2026, 6, 14), 追回金额=4_000_000)
    stopped = go(ask(paid, "停付", date(2026, 6, 14)), "停付", "复核", date(2026, 6, 14), 经办人="李")
    assert (stopped.state, stopped.reserved) == (State.ARRIVED, 0)
    with pytest.raises(Refused) as short:
        ask(stopped, "追回", date(2026, 6, 15))
    assert short.value.missing == ("追回金额",)
    asked = ask(stopped, "追回", date(2026, 6, 15), 追回金额=4_000_000)
    clawed = go(asked, "追回", "复核", date(2026, 6, 15), 经办人="李")
    assert clawed.claimed == 4_000_000 and "提请" not in clawed.facts and clawed.facts["理由"] == "虚报"
    part = go(clawed, "退款", "财政", date(2026, 6, 16), 退款金额=1_000_000, 流水号="r1")
    assert part.state == State.RECOVERING
    assert (
        go(part, "退款", "财政", date(2026, 6, 17), 退款金额=3_000_000, 流水号="r2").state == State.RECOVERED
    )


@pytest.mark.parametrize(
    ("action", "role", "facts", "fault"),
    [
        ("财政通过", "经办", {}, "由财政办理"),
        ("评价", "企业", {}, "不能“评价”"),
        ("财政通过", "财政", {"day": date(2026, 6, 1)}, "不能倒填"),
    ],
)
def test_a_wrong_step_says_what_is_possible(action: str, role: str, facts: dict, fault: str):
    grant = go(to_confirm(), "确认", "企业", date(2026, 6, 10), **ACCOUNT)
    with pytest.raises(Refused, match=fault):
        step(grant, action, role, facts, facts.get("day", date(2026, 6, 20)), CALENDAR)


def test_the_account_is_the_firms_own():
    grant = replace(to_confirm(), facts={"企业名称": "甲有限公司"})
    with pytest.raises(Refused, match="不一致"):
        go(grant, "确认", "企业", date(2026, 6, 10), **ACCOUNT)
    assert (
        go(grant, "确认", "企业", date(2026, 6, 10), **ACCOUNT, 户名说明="分公司账户").state == State.FINANCE
    )


def test_what_takes_money_back_is_asked_by_one_and_done_by_another():
    grant = to_confirm()
    with pytest.raises(Refused, match="要两个人办"):
        go(grant, "撤销", "复核", date(2026, 6, 10), 依据="x", 理由="y", 经办人="李")
    asked = ask(grant, "撤销", date(2026, 6, 10))
    assert asked.state == grant.state
    with pytest.raises(Refused, match="请另一个人复核"):
        go(asked, "撤销", "复核", date(2026, 6, 10), 经办人="林")
    with pytest.raises(Refused, match="由复核办理"):
        go(asked, "撤销", "经办", date(2026, 6, 10), 经办人="李")
    with pytest.raises(Refused, match="不能“追回”"):
        go(asked, "追回", "复核", date(2026, 6, 10), 经办人="李")
    with pytest.raises(Refused, match="不能提请“停付”"):
        ask(grant, "停付", date(2026, 6, 10))
    back = go(asked, "退回提请", "复核", date(2026, 6, 10), 理由="依据不对", 经办人="李")
    assert "提请" not in back.facts
    with pytest.raises(Refused, match="没有等着复核的提请"):
        go(back, "退回提请", "复核", date(2026, 6, 10), 理由="再退", 经办人="李")
    done = go(asked, "撤销", "复核", date(2026, 6, 10), 经办人="李")
    assert (done.state, done.facts["依据"]) == (State.REVOKED, "第九条")


def ask(grant: Grant, what: str, on: date, **more: object) -> Grant:
    """提请 by 林."""
    return go(grant, "提请", "经办", on, 提请事项=what, 依据="第九条", 理由="虚报", 经办人="林", **more)


def test_a_firm_hands_in_until_its_batch_closes_and_its_clock_says_so():
    grant = replace(start(ONCE, date(2026, 6, 10), 5, 5), facts={"批次截止": "2026-06-16"})
    clock = due(grant, CALENDAR)
    assert clock is not None and clock.day == date(2026, 6, 16)
    with pytest.raises(Refused, match="已于 2026-06-16 截止"):
        go(grant, "提交", "企业", date(2026, 6, 17), **ACCOUNT)
    assert go(grant, "提交", "企业", date(2026, 6, 16), **ACCOUNT).state == State.LISTED
    noticed = replace(
        to_confirm(), state=State.NOTICE, since=date(2026, 12, 29), facts={"公示开始": "2026-12-29"}
    )
    with pytest.raises(Refused, match="不能“公示期满”：没有2027年的工作日历"):
        go(noticed, "公示期满", "经办", date(2027, 1, 20))
    over_new_year = replace(grant, since=date(2026, 12, 20), facts={"批次截止": "2026-12-31"})
    assert due(over_new_year, CALENDAR).day == date(2026, 12, 31)  # reached before the unknown year
    assert due(replace(over_new_year, facts={}), CALENDAR).day is None


def test_clocks_say_late_unknown_and_whom_to_tell():
    grant = to_confirm()
    clock = due(grant, CALENDAR)
    assert clock is not None and (clock.day, clock.holder) == (date(2026, 6, 16), "企业")
    late = lateness(clock.day, date(2026, 6, 24), CALENDAR)
    assert late == 5  # 端午节 of 2026: 19 June is off
    assert escalate("企业", late) == ("企业", "复核")
    assert escalate("企业", 11) == ("企业", "复核", "管理员")
    assert escalate("企业", -1) == ("企业",)
    assert escalate("复核", 11) == ("复核", "管理员"), "nobody is told twice"
    unknown = due(replace(grant, since=date(2026, 12, 30)), CALENDAR)
    assert unknown is not None and unknown.day is None and "2027" in unknown.note
    assert lateness(None, date(2026, 6, 24), CALENDAR) is None


def test_the_table_is_whole():
    """Every state but the first is reached, every state but the last is left and has a clock, every need is said."""
    for variant in VARIANTS:
        drawn = [(a, b) for v, a, _, b in arrows() if v == variant]
        reached = {b for _, b in drawn} | {start(variant, D, 1, 1).state}
        assert {a for a, _ in drawn} <= reached | {State.MATCHED, State.INVITED, State.CONFIRM, State.SILENT}
    states = {s for m in MOVES for s in m.sources}
    assert states | FINAL == set(State)
    assert set(CLOCKS) == set(State) - FINAL
    for move in MOVES:
        assert set(move.roles) <= set(ROLES) and set(move.needs) <= set(NEEDS), move
    assert [variant_of(d) for d in ("免申即享", "即申即享", "快申快享", "承诺兑现")] == [
        AUTOMATIC,
        ONCE,
        APPLIED,
        APPLIED,
    ]


FACTS = st.fixed_dictionaries(
    {
        **{n: st.just("x") for n in NEEDS if not n.endswith("金额")},
        "提请事项": st.sampled_from(ASKED_FOR),
        "经办人": st.sampled_from("甲乙"),
        **{n: st.integers(-1, 1200) for n in NEEDS if n.endswith("金额")},
        "缺项": st.lists(st.sampled_from("甲乙丙"), max_size=2),
        "已补": st.just(["甲", "乙", "丙"]),
        "满意度": st.integers(0, 6),
    }
)
EVENTS = st.lists(
    st.tuples(st.integers(0, 40), FACTS, st.integers(0, 9), st.sampled_from([ENOUGH, TOO_LITTLE, LATER])),
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(VARIANTS), st.one_of(st.none(), st.integers(1, 1000)), EVENTS)
def test_random_walks_keep_to_the_arrows_and_the_money_adds_up(variant: str, high: int | None, events: list):
    grant, day, drawn = start(variant, D, high, high), D, arrows()
    for pick, facts, days, budget in events:
        open_moves = list(moves_from(grant))
        if not open_moves:
            break
        move = open_moves[pick % len(open_moves)]
        day += timedelta(days=days)
        try:
            after = step(grant, move.action, move.roles[0], facts, day, CALENDAR, budget).grant
        except Refused:
            continue
        assert (variant, grant.state, move.action, after.state) in drawn
        sums = (after.reserved, after.ordered, after.arrived, after.claimed, after.recovered)
        assert min(sums) >= 0 and after.recovered <= after.claimed <= after.arrived
        assert after.reserved + after.ordered + after.arrived <= max(after.amount or 0, after.high or 0)
        if after.state in FINAL:
            assert after.reserved == 0 and after.ordered == 0
        grant = after
