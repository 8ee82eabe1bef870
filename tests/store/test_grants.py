"""兑现事项与台账: the chain at rest, budgets under concurrency, and what the daily check finds."""

from __future__ import annotations

import contextlib
import json
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from engine.fulfilment import Refused, moves_from
from engine.grantmoves import AUTOMATIC, ONCE, State
from policies.calendar import builtin_calendar
from store import budgets, grants, ledger, outbox, reach, waiting
from store.database import session, writing
from store.grants import Actor, NewGrant

CALENDAR = builtin_calendar()
D, AT = date(2026, 6, 1), datetime(2026, 6, 1, 1, tzinfo=UTC)
ITEM, BATCH = "bs-2025-04/steady-growth", "2026"
ACCOUNT = {"户名": "甲", "账号": "6222", "开户行": "银行", "确认人": "张"}
OFFICE, FIRM, FINANCE = Actor("林", "经办"), Actor("张", "企业"), Actor("钱", "财政")


def new(n: int, fen: int = 100_00, variant: str = AUTOMATIC) -> NewGrant:
    return NewGrant(f"C{n:04d}", "甲", ITEM, BATCH, "稳增长奖励", "经发局", variant, fen, fen)


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 1, tzinfo=UTC)


def act(engine, case, action, actor, day, request=None, **facts):
    return grants.act(engine, case.id, action, actor, day, at(day), CALENDAR, facts, request)


def to_confirm(engine, count: int, fen: int = 100_00) -> list[grants.GrantCase]:
    grants.open_grants(engine, [new(n, fen) for n in range(count)], D, AT, CALENDAR)
    for case in grants.find(engine):
        act(engine, case, "通过名单", OFFICE, D, 核定金额=fen)
        act(engine, case, "信用通过", OFFICE, D, 信用查询日期="2026-06-01", 公示地址="某网")
        act(engine, case, "公示期满", grants.SYSTEM, date(2026, 6, 9))
    return grants.find(engine)


def clean(engine) -> None:
    assert ledger.verify_ledger(engine) == []
    with session(engine) as opened:
        assert sum(ledger.balances(opened).values()) == 0


def test_a_grant_goes_from_match_to_money(engine):
    budgets.set_budget(engine, ITEM, BATCH, 300_00, budgets.FIRST_COME, who="钱", on=D, at=AT)
    case = to_confirm(engine, 1)[0]
    assert (case.holder, case.due) == ("企业", date(2026, 6, 16))
    day = date(2026, 6, 10)
    case = act(engine, case, "确认", FIRM, day, "click-1", **ACCOUNT)
    assert act(engine, case, "确认", FIRM, day, "click-1", **ACCOUNT).state == State.FINANCE.value
    act(engine, case, "财政通过", FINANCE, day)
    act(engine, case, "下达", FINANCE, day, 支付金额=100_00, 流水号="8800-1")
    case = act(engine, case, "到账", FINANCE, day, 支付金额=100_00, 流水号="8800-1")
    assert (case.state, case.arrived) == ("到账", 100_00)
    with session(engine) as opened:
        assert ledger.balances(opened, case.subject) == {
            "财政": -300_00, "可用": 200_00, "占用": 0, "在途": 0, "已付": 100_00,
        }  # fmt: skip
    actions = [e.action for e in grants.history(engine, case.id)]
    assert actions == [
        "立项",
        "上名单",
        "通过名单",
        "信用通过",
        "公示期满",
        "确认",
        "财政通过",
        "下达",
        "到账",
    ]
    clean(engine)


def test_opening_again_opens_nothing(engine):
    assert grants.open_grants(engine, [new(n) for n in range(30)], D, AT, CALENDAR, chunk=7) == 30
    assert grants.open_grants(engine, [new(n) for n in range(31)], D, AT, CALENDAR, chunk=9) == 1


def test_fifty_confirm_at_once_on_a_budget_for_twenty(engine):
    cases = to_confirm(engine, 50)
    budgets.set_budget(engine, ITEM, BATCH, 20 * 100_00, budgets.FIRST_COME, who="钱", on=D, at=AT)

    def confirm(case):
        return act(engine, case, "确认", FIRM, date(2026, 6, 10), f"click-{case.id}", **ACCOUNT).state

    random.Random(1).shuffle(cases)
    with ThreadPoolExecutor(16) as pool:
        states = list(pool.map(confirm, cases))
    assert (states.count("财政审核"), states.count("候补")) == (20, 30)
    clean(engine)
    winner = next(c for c in grants.find(engine, states=[State.FINANCE]))
    first = grants.find(engine, states=[State.QUEUED], order="queued")[0]
    act(engine, winner, "放弃", FIRM, date(2026, 6, 11), 理由="不需要")
    assert grants.promote(engine, ITEM, BATCH, date(2026, 6, 11), at(date(2026, 6, 11)), CALENDAR) == 1
    assert grants.find(engine, code=first.code)[0].state == "财政审核"
    clean(engine)


def test_the_database_itself_refuses_an_overspend(engine):
    budgets.set_budget(engine, ITEM, BATCH, 100, budgets.FIRST_COME, who="钱", on=D, at=AT)
    with pytest.raises(DBAPIError), writing(engine) as opened:
        budget = budgets.locked(opened, ITEM, BATCH)
        budget.reserved = 101
        opened.add(budget)
        opened.flush()
    with pytest.raises(ValueError, match="没有“随便”"):
        budgets.set_budget(engine, ITEM, BATCH, 100, "随便", who="钱", on=D, at=AT)


def test_a_pooled_batch_is_shared_by_one_factor_to_the_yuan(engine):
    cases = to_confirm(engine, 3, 100_00)
    budgets.set_budget(engine, ITEM, BATCH, 200_50, budgets.PRO_RATA, who="钱", on=D, at=AT)
    day = date(2026, 6, 10)
    states = {act(engine, c, "确认", FIRM, day, **ACCOUNT).state for c in cases}
    assert states == {"待分配"}
    assert grants.share_out(engine, ITEM, BATCH, OFFICE, day, at(day), CALENDAR) == 3
    assert {c.reserved for c in grants.find(engine)} == {66_00}
    clean(engine)


def test_a_budget_follows_its_rule_file_where_the_file_changes(engine):
    def take(fen: int) -> tuple[int, list[str]]:
        return budgets.take_over(engine, [budgets.Ruled(ITEM, BATCH, fen, budgets.FIRST_COME)], on=D, at=AT)

    def held() -> budgets.BatchBudget:
        return budgets.list_budgets(engine, ITEM)[0]

    budgets.set_budget(engine, "d/own", BATCH, 5_00, budgets.OPEN, who="钱", on=D, at=AT)
    own = budgets.Ruled("d/own", BATCH, 9_00, budgets.PRO_RATA)
    for _ in range(2):  # a person was there before the rule file
        assert budgets.take_over(engine, [own], on=D, at=AT) == (0, [])
    assert budgets.list_budgets(engine, "d/own")[0].limit_fen == 5_00
    assert take(100_00) == (1, []) and take(100_00) == (0, [])
    budgets.set_budget(engine, ITEM, BATCH, 80_00, budgets.FIRST_COME, who="钱", on=D, at=AT)
    assert take(100_00) == (0, []) and held().limit_fen == 80_00  # a person's word, until the rule changes
    case = to_confirm(engine, 1, 60_00)[0]
    act(engine, case, "确认", FIRM, date(2026, 6, 10), **ACCOUNT)
    late = {"on": date(2026, 6, 10), "at": at(date(2026, 6, 10))}
    changed, faults = budgets.take_over(
        engine, [budgets.Ruled(ITEM, BATCH, 50_00, budgets.FIRST_COME)], **late
    )
    assert changed == 0 and "已经用了 60.00 元" in faults[0] and held().limit_fen == 80_00
    assert budgets.take_over(engine, [budgets.Ruled(ITEM, BATCH, 70_00, budgets.PRO_RATA)], **late) == (1, [])
    assert (held().limit_fen, held().mode) == (70_00, budgets.PRO_RATA)
    clean(engine)


def test_a_budget_is_never_set_below_what_is_promised(engine):
    case = to_confirm(engine, 1)[0]
    budgets.set_budget(engine, ITEM, BATCH, 100_00, budgets.FIRST_COME, who="钱", on=D, at=AT)
    act(engine, case, "确认", FIRM, date(2026, 6, 10), **ACCOUNT)
    with pytest.raises(ValueError, match=r"已经用了 100\.00 元"):
        budgets.set_budget(engine, ITEM, BATCH, 99_99, budgets.FIRST_COME, who="钱", on=D, at=AT)


def test_a_refused_step_writes_nothing(engine):
    case = to_confirm(engine, 1)[0]
    before = len(grants.history(engine, case.id))
    with pytest.raises(Refused, match="还缺 3 项"):
        act(engine, case, "确认", FIRM, date(2026, 6, 10), 户名="甲")
    assert len(grants.history(engine, case.id)) == before
    with pytest.raises(Refused, match="没有第 999 号"):
        grants.act(engine, 999, "确认", FIRM, D, AT, CALENDAR)


def _tamper(engine, sql: str) -> None:
    """As somebody would who owns the database: the triggers are dropped first."""
    with engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.execute(text("DROP TRIGGER ledger_no_update"))
            connection.execute(text("DROP TRIGGER ledger_no_delete"))
        else:
            connection.execute(text("DROP TRIGGER ledger_no_change ON ledger_entry"))
        connection.execute(text(sql))


@pytest.mark.parametrize("sql", ["UPDATE ledger_entry SET fen = 1", "DELETE FROM ledger_entry"])
def test_the_ledger_is_append_only_in_the_database(engine, sql: str):
    budgets.set_budget(engine, ITEM, BATCH, 100, budgets.FIRST_COME, who="钱", on=D, at=AT)
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(text(sql))


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("DELETE FROM ledger_entry WHERE seq = 2", "消失"),
        ("DELETE FROM ledger_entry WHERE seq = 4", "消失"),
        ("UPDATE ledger_entry SET fen = fen + 1 WHERE seq = 3", "改动"),
        ("UPDATE ledger_entry SET on_day = '2026-01-05' WHERE seq = 3", "倒填"),
        ("UPDATE grant_case SET reserved = reserved - 1 WHERE id = 1", "不平"),
        ("DELETE FROM grant_event WHERE grant_id = 2 AND no = 3", "消失"),
        ("UPDATE grant_case SET state = '到账' WHERE id = 3", "改动"),
        ("DELETE FROM grant_case WHERE id = 2", "消失"),
    ],
)
def test_the_daily_check_names_vanished_altered_and_backdated_rows(engine, sql: str, kind: str):
    cases = to_confirm(engine, 3)
    budgets.set_budget(engine, ITEM, BATCH, 400_00, budgets.FIRST_COME, who="钱", on=D, at=AT)
    for case in cases:
        act(engine, case, "确认", FIRM, date(2026, 6, 10), **ACCOUNT)
    ledger.seal(engine, date(2026, 6, 10))
    clean(engine)
    _tamper(engine, sql)
    assert kind in {f.kind for f in ledger.verify_ledger(engine)}


def test_a_chain_rewritten_as_a_whole_breaks_yesterdays_seal(engine):
    for n in range(3):
        budgets.set_budget(engine, ITEM, BATCH, 100 + n, budgets.OPEN, who="钱", on=D, at=AT)
    ledger.seal(engine, D)
    _tamper(engine, "DELETE FROM ledger_entry WHERE seq = 3")
    with writing(engine) as opened:
        head = opened.get(ledger.LedgerHead, 1)
        entry = opened.get(ledger.LedgerEntry, 2)
        head.seq, head.hash = 2, entry.hash
        opened.add(head)
    with writing(engine) as opened:
        ledger.append(
            opened, "预算下达", 1, subject=f"{ITEM}|{BATCH}", on=D, at=at(date(2026, 6, 3)), who="改"
        )
    found = ledger.verify_ledger(engine)
    assert [f for f in found if "封存" in f.text]


@pytest.mark.parametrize(("back", "said"), [(31, []), (32, ["倒填"])])
def test_a_row_is_back_dated_by_the_days_of_beijing(engine, back, said):
    """At 02:00 UTC it is 10:00 of the same day there; a month after the fact is in order, a day more is told."""
    written = datetime(2026, 6, 18, 2, tzinfo=UTC)
    budgets.set_budget(
        engine,
        ITEM,
        BATCH,
        100,
        budgets.OPEN,
        who="钱",
        on=date(2026, 6, 18) - timedelta(days=back),
        at=written,
    )
    assert [f.kind for f in ledger.verify_ledger(engine)] == said


def test_a_clock_set_back_is_said(engine):
    budgets.set_budget(engine, ITEM, BATCH, 100, budgets.OPEN, who="钱", on=D, at=AT)
    budgets.set_budget(engine, ITEM, BATCH, 200, budgets.OPEN, who="钱", on=D, at=AT - timedelta(days=2))
    assert [f.kind for f in ledger.verify_ledger(engine)] == ["倒填"]


def test_later_nights_renew_the_sum_until_somebody_decided_and_mark_what_fits_no_more(engine):
    grants.open_grants(engine, [new(n) for n in range(3)], D, AT, CALENDAR)
    act(engine, grants.find(engine)[1], "通过名单", OFFICE, D, 核定金额=80_00)
    said = {"C0000": grants.Found(None, 250_00), "C0001": grants.Found(120_00, 120_00), "C0002": None}

    def follow(no: int) -> int:
        return grants.follow_night(engine, ITEM, BATCH, said.get, no, D, AT, CALENDAR)

    assert (follow(2), follow(2)) == (1, 0)
    assert [(c.amount, c.high) for c in grants.find(engine)] == [
        (None, 250_00),
        (80_00, 100_00),
        (100_00, 100_00),
    ]
    said |= {"C0000": grants.Found(gone="不再符合"), "C0001": grants.Found(gone="让位于 d/x")}
    assert (follow(3), follow(4)) == (2, 0)
    first, second, _ = grants.find(engine)
    assert first.facts["比对变化"] == "第 3 次比对不再符合"
    with pytest.raises(Refused, match=r"第 3 次比对不再符合：.*写明") as refused:
        act(engine, first, "通过名单", OFFICE, D, 核定金额=200_00)
    assert refused.value.missing == ("变化说明",)
    assert (
        act(engine, first, "通过名单", OFFICE, D, 核定金额=200_00, 变化说明="数据有误，已核").state
        == "信用核查"
    )
    said["C0001"] = grants.Found(120_00, 120_00)
    assert follow(5) == 1 and grants.find(engine)[1].facts["比对变化"] == "" and second.state == "信用核查"
    clean(engine)


def test_a_step_that_a_firm_must_hear_of_is_told_in_its_own_transaction(engine):
    case = to_confirm(engine, 1)[0]
    act(engine, case, "确认", FIRM, date(2026, 6, 10), **ACCOUNT)
    act(engine, case, "退回补正", FINANCE, date(2026, 6, 10), 缺项=["开户许可证", "承诺书"])
    told = {p.channel: p for p in outbox.list_pushes(engine)}
    assert set(told) == {"webhook", "inbox"} and told["inbox"].kind.startswith("return-")
    for words in ("· 开户许可证", "· 承诺书", "一次说全", "2026-06-17", "12345"):
        assert words in told["inbox"].body, words
    body = json.loads(told["webhook"].body)
    assert (body["key"], body["grant"], body["firm"]) == (told["webhook"].key, case.id, case.code)
    waiting.withdraw_items(engine, set())
    reach.change_reach(engine, case.code, AT, stopped=True)
    waiting.recheck(engine, date(2026, 6, 11), AT)
    assert {p.channel: p.state for p in outbox.list_pushes(engine)} == {
        "webhook": "suppressed",
        "inbox": "due",
    }
    with pytest.raises(Refused):
        act(engine, case, "补正", FIRM, date(2026, 6, 11), 已补=["承诺书"])
    act(engine, case, "补正", FIRM, date(2026, 6, 11), 已补=["承诺书", "开户许可证"])
    act(engine, case, "财政通过", FINANCE, date(2026, 6, 11))
    for no, fen in (("1", 40_00), ("2", 60_00)):
        act(engine, case, "下达", FINANCE, date(2026, 6, 11), 支付金额=fen, 流水号=no)
        act(engine, case, "到账", FINANCE, date(2026, 6, 11), 支付金额=fen, 流水号=no)
    paid = [p.body for p in outbox.list_pushes(engine, channel="inbox") if p.kind.startswith("paid-")]
    assert len(paid) == 2 and any("40.00 元，流水号 1，还有 60.00 元分期拨付" in b for b in paid)
    clean(engine)


def _whatever_else(engine, rng: random.Random, day: date, mode: str) -> None:
    """What nights, budgets and queues do meanwhile."""
    fen, when = rng.choice([100_00, 200_00, 300_00]), at(day)
    match rng.randrange(5):
        case 0:
            budgets.take_over(engine, [budgets.Ruled(ITEM, BATCH, fen, mode)], on=day, at=when)
        case 1:
            with contextlib.suppress(ValueError):
                budgets.set_budget(engine, ITEM, BATCH, fen, mode, who="钱", on=day, at=when)
        case 2:
            said = rng.choice(
                [grants.Found(fen, fen), grants.Found(None, fen), grants.Found(gone="不再符合"), None]
            )
            grants.follow_night(
                engine, ITEM, BATCH, lambda code: said, rng.randrange(10**6), day, when, CALENDAR
            )
        case 3:
            grants.promote(engine, ITEM, BATCH, day, when, CALENDAR)
        case _:
            grants.share_out(engine, ITEM, BATCH, OFFICE, day, when, CALENDAR)


@pytest.mark.parametrize("seed", range(8))
def test_random_events_from_everybody_keep_the_books(engine, seed: int):
    rng = random.Random(seed)
    mode = [budgets.FIRST_COME, budgets.PRO_RATA, budgets.OPEN][seed % 3]
    budgets.set_budget(engine, ITEM, BATCH, 250_00, mode, who="钱", on=D, at=AT)
    grants.open_grants(engine, [new(n, 100_00, [AUTOMATIC, ONCE][n % 2]) for n in range(5)], D, AT, CALENDAR)
    day, done = D, 0
    for _ in range(120):
        if rng.random() < 0.15:
            _whatever_else(engine, rng, day, mode)
        case = rng.choice(grants.find(engine))
        moves = list(moves_from(grants.to_pure(case)))
        if not moves:
            continue
        move, day = rng.choice(moves), day + timedelta(days=rng.choice([0, 0, 0, 1]))
        facts = {n: rng.choice([50_00, 100_00]) if n.endswith("金额") else "甲" for n in move.needs}
        facts |= {"已补": list(case.asked), "满意度": 5}
        if case.arrived == 0 and move.action in ("放弃", "撤销", "不予兑现") and rng.random() < 0.8:
            continue  # or nothing would ever be paid
        try:
            act(engine, case, move.action, Actor("某", rng.choice(move.roles)), day, **facts)
            done += 1
        except Refused:
            continue
    assert done > 10
    clean(engine)


def test_a_first_budget_counts_what_was_promised_before_it(engine):
    first, second = to_confirm(engine, 2)
    act(engine, first, "确认", FIRM, date(2026, 6, 10), **ACCOUNT)
    with pytest.raises(ValueError, match=r"已经用了 100\.00 元"):
        budgets.set_budget(engine, ITEM, BATCH, 50_00, budgets.FIRST_COME, who="钱", on=D, at=AT)
    late = {"on": date(2026, 6, 11), "at": at(date(2026, 6, 11))}
    held = budgets.set_budget(engine, ITEM, BATCH, 150_00, budgets.FIRST_COME, who="钱", **late)
    assert (held.reserved, held.available) == (100_00, 50_00)
    assert act(engine, second, "确认", FIRM, date(2026, 6, 11), **ACCOUNT).state == "候补"
    act(engine, first, "财政通过", FINANCE, date(2026, 6, 11))
    act(engine, first, "下达", FINANCE, date(2026, 6, 11), 支付金额=100_00, 流水号="1")
    clean(engine)
