"""推送: queueing from a night, suppressions with reasons. How the queue is worked off: test_outbox.py."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import sqlalchemy

from engine.columns import Categories, Columns
from engine.grantmoves import State
from policies.library import load_library
from profiles.dictionary import builtin_dictionary
from store import budgets, forms, grants, ledger, outbox, push_index, pushes, reach, suppress, waiting, words
from store.calendars import enter_year, office_calendar
from store.database import writing
from store.messages import KINDS, money_words, template
from store.nights import Run
from store.outbox import DUE, SENT, SUPPRESSED, Outcome
from store.review import change_setting

D, AT = date(2026, 4, 1), datetime(2026, 4, 1, 1, tzinfo=UTC)
AUTO, ONCE = "bs-2025-04/srdi-award", "bs-2025-06/rd-increment"


@pytest.fixture(scope="module")
def library():
    from pathlib import Path

    import policies

    return load_library(Path(policies.__file__).with_name("library"), builtin_dictionary(), {})


class FakeNight:
    """A night of made-up frames, as store.nights.Night shows them."""

    missing, money = 0, 1000.0

    def __init__(self, library, rows, state="完成", no=1):
        self._library, self._rows, self.state, self.no, self.as_of = library, rows, state, no, D
        self.counts: dict[str, int] = {}
        self.folder = Path("无")  # a night of no files, so of no sums of its content

    def library(self):
        return self._library

    def items(self):
        found = sorted({r[0] for r in self._rows})
        live = {i: self._library.program(i).item.live_batch(D).name for i in found}
        return pd.DataFrame([{"item": i, "batch": live[i]} for i in found])

    def columns(self):
        return whole_columns(self.missing)

    def hits(self, item):
        names = ["统一社会信用代码", "企业名称", "verdict", "paid_low", "paid_high", "gave_way", "unknown", "amount_low",
                 "amount_high"]  # fmt: skip
        rows = [
            (f, f"{f}公司", v, self.money, self.money, gave, [], 1.5 * self.money, 1.5 * self.money)
            for i, f, v, gave in self._rows
            if i == item
        ]
        return pd.DataFrame(rows, columns=names)

    def pairs(self, item, columns):
        frame = self.hits(item)[columns]
        table = pa.Table.from_pandas(frame, preserve_index=False) if len(frame) else None
        if table is None or "unknown" not in columns:
            return table
        at = columns.index("unknown")
        return table.set_column(at, "unknown", table["unknown"].cast(pa.list_(pa.string())))


def whole_columns(missing: int) -> Columns:
    """Everything known of ten firms; of `missing` of them nothing that could be missing."""
    dictionary = builtin_dictionary()
    out = Columns([str(i) for i in range(10)], dictionary)
    gone = np.arange(10) < missing
    for name, spec in dictionary.items():
        for year in range(2019, 2028) if spec.yearly else [None]:
            if spec.kind in ("文本", "代码"):
                out.categories[name, year] = Categories(np.where(gone, -1, 0).astype(np.int32), ("x",))
            elif spec.kind != "列表":
                out.numbers[name, year] = np.where(gone, np.nan, 1.0)
    return out


def delivery(library, word):
    programs = [p for p in library.programs if p.item.live_batch(D) and p.item.category in ("奖补", "减免")]
    return next(p.item.id for p in programs if p.item.delivery == word)


@pytest.fixture
def items(library):
    return SimpleNamespace(auto=delivery(library, "免申即享"), once=delivery(library, "即申即享"))


def by(engine, **kw):
    return {(p.firm, p.channel): p for p in outbox.list_pushes(engine, **kw)}


def test_what_fits_is_due_once_and_only_once(engine, library, items):
    night = FakeNight(library, [(items.once, "A", "符合", ""), (items.once, "B", "符合", "别的事项")])
    first = pushes.queue_pushes(engine, night, D, AT)
    assert (first["立项"], first["排队"]) == (1, 2)
    before = [(p.key, p.body) for p in outbox.list_pushes(engine)]
    again = pushes.queue_pushes(engine, night, D, AT + timedelta(hours=1))
    assert (again["立项"], again["排队"], again["撤回"]) == (0, 0, 0)
    assert [(p.key, p.body) for p in outbox.list_pushes(engine)] == before
    body = json.loads(by(engine)["A", "webhook"].body)
    assert body["key"] == by(engine)["A", "webhook"].key
    for word in ("为什么", "异议", "停止", "12345", "1,000.00 元"):
        assert word in body["text"], word
    assert "严重违法失信" not in body["text"]  # hidden conditions are not told to the firm


def test_money_without_application_waits_for_its_public_notice(engine, library, items):
    night = FakeNight(library, [(items.auto, "A", "符合", "")])
    pushes.queue_pushes(engine, night, D, AT)
    assert by(engine)["A", "webhook"].reason in ("比对中", "名单核查中")
    case, calendar = grants.find(engine)[0], office_calendar(engine)
    steps = [
        ("通过名单", "经办", D, {"核定金额": 100_000}),
        ("信用通过", "经办", D, {"信用查询日期": "x", "公示地址": "y"}),
        ("公示期满", "系统", date(2026, 4, 20), {}),
    ]
    for action, role, day, facts in steps[:2]:
        grants.act(engine, case.id, action, grants.Actor("林", role), day, AT, calendar, facts)
    pushes.queue_pushes(engine, night, D, AT)
    assert by(engine)["A", "webhook"].reason == "公示中"
    assert waiting.recheck(engine, D, AT) == 0
    action, role, day, facts = steps[2]
    grants.act(engine, case.id, action, grants.Actor("林", role), day, AT, calendar, facts)
    assert waiting.recheck(engine, day, AT) == 2
    told = by(engine)["A", "webhook"]
    body, due = json.loads(told.body), grants.find(engine)[0].due.isoformat()
    assert (told.state, body["until"]) == (DUE, due) and f"请在 {due} 前确认" in body["text"]
    assert body["amount_high"] == 1000.0 and body["key"] == told.key
    assert f"请在 {due} 前确认" in by(engine)["A", "inbox"].body
    pushes.queue_pushes(engine, FakeNight(library, [(items.auto, "A", "符合", "")], no=2), D, AT)
    assert by(engine)["A", "webhook"].body == told.body


def test_what_waits_is_asked_again_before_it_leaves(engine, library):
    pushes.queue_pushes(engine, FakeNight(library, [(ONCE, "A", "符合", "")]), D, AT)
    assert waiting.recheck(engine, D, AT) == 0
    reach.change_reach(engine, "A", AT, stopped=True)
    assert waiting.recheck(engine, D, AT) == 1
    assert by(engine)["A", "webhook"].reason == "企业不再接收通知"
    assert by(engine)["A", "inbox"].state == DUE
    reach.change_reach(engine, "A", AT, stopped=False)
    assert waiting.recheck(engine, D, AT) == 1 and by(engine)["A", "webhook"].state == DUE


def test_words_follow_the_night_until_somebody_was_sent_them(engine, library):
    pushes.queue_pushes(engine, FakeNight(library, [(ONCE, "A", "符合", ""), (ONCE, "B", "符合", "")]), D, AT)
    sent = outbox.claim(engine, ["webhook"], "w", AT, 1)[0]
    outbox.record(engine, [Outcome(sent, "retry", "HTTP 500")], AT)
    night = FakeNight(library, [(ONCE, "A", "符合", ""), (ONCE, "B", "符合", "")], no=2)
    night.money = 2500.0
    pushes.queue_pushes(engine, night, D, AT)
    found = {p.firm: json.loads(p.body) for p in outbox.list_pushes(engine, channel="webhook")}
    assert (found["A"]["amount_high"], found["A"]["run"]) == (1500.0, 1)
    assert (found["B"]["amount_high"], found["B"]["run"]) == (3750.0, 2)


def test_a_budget_is_taken_over_and_its_forecast_is_not_what_a_grant_starts_from(engine, library):
    counts = pushes.queue_pushes(engine, FakeNight(library, [(ONCE, "A", "符合", "")]), D, AT)
    assert counts["额度"] >= 1
    held = budgets.list_budgets(engine, ONCE)[0]
    assert (held.batch, held.limit_fen, held.mode) == ("2026", 3000_0000_00, "按比例核减")
    assert [g.amount for g in grants.find(engine)] == [150_000]
    body = json.loads(by(engine)["A", "webhook"].body)
    assert body["amount_high"] == 1500.0 and "不够时按比例核减" in body["text"]
    again = pushes.queue_pushes(engine, FakeNight(library, [(ONCE, "A", "符合", "")], no=2), D, AT)
    assert "额度" not in again and ledger.verify_ledger(engine) == []


def test_a_new_template_replaces_what_nobody_was_sent_and_repeats_nothing(engine, library, monkeypatch):
    night = FakeNight(library, [(ONCE, "A", "符合", ""), (ONCE, "B", "符合", "")])
    pushes.queue_pushes(engine, night, D, AT)
    sent = outbox.claim(engine, ["webhook"], "w", AT, 1)
    outbox.record(engine, [Outcome(sent[0], SENT)], AT)
    newer = replace(template("invite"), version=2, body="新版 {until}")
    monkeypatch.setattr(words, "template", lambda kind: newer if kind == "invite" else template(kind))
    for _ in range(2):
        pushes.queue_pushes(engine, night, D, AT)
        waiting.recheck(engine, D, AT)
        rows = [(p.firm, p.version, p.state) for p in outbox.list_pushes(engine, channel="webhook")]
        assert sorted(rows) == [("A", 1, SENT), ("B", 1, SUPPRESSED), ("B", 2, DUE)]


def test_a_look_back_sends_nothing_and_takes_nothing_back(engine, library):
    pushes.queue_pushes(engine, FakeNight(library, [(ONCE, "A", "符合", "")]), D, AT)
    with writing(engine) as opened:
        opened.add(Run(as_of=D + timedelta(days=1), started=AT, finished=AT))
    past, later = FakeNight(library, [(ONCE, "B", "符合", "")], no=9), AT + timedelta(days=2)
    assert pushes.queue_pushes(engine, past, D, later) == {"已有更近的比对": 1}
    assert {(p.firm, p.state) for p in outbox.list_pushes(engine)} == {("A", DUE)}
    # A night dated ahead of today is a look ahead, and holds up nothing.
    assert pushes.queue_pushes(engine, past, D, AT)["排队"] == 2


def test_an_item_whose_data_went_stale_invites_instead_and_begun_grants_go_on(engine, library, items):
    pushes.queue_pushes(engine, FakeNight(library, [(items.auto, "A", "符合", "")]), D, AT)
    night = FakeNight(library, [(items.auto, "A", "符合", ""), (items.auto, "B", "符合", "")], no=2)
    night.missing = 4
    pushes.queue_pushes(engine, night, D, AT)
    assert {g.code: g.variant for g in grants.find(engine)} == {"A": "免申即享", "B": "即申即享"}
    assert {(f, p.kind) for (f, _), p in by(engine).items()} == {("A", "confirm"), ("B", "invite")}


def test_a_held_night_queues_nothing(engine, library, items):
    night = FakeNight(library, [(items.once, "A", "符合", "")], state="扣下")
    assert pushes.queue_pushes(engine, night, D, AT) == {"扣下": 1}
    assert outbox.list_pushes(engine) == [] and grants.find(engine) == []


@pytest.mark.parametrize(
    ("changes", "channel", "reason"),
    [
        ({"stopped": True}, "webhook", "企业不再接收通知"),
        ({"consent": False}, "webhook", "企业不同意接收通知"),
        ({}, "smtp", "还没有取得企业同意"),
        ({"consent": True}, "smtp", "没有联系方式：缺邮箱"),
        ({"hold": "失信被执行人"}, "inbox", "信用暂缓：失信被执行人"),
        ({"refused": [ONCE]}, "inbox", "企业表示不要这一项"),
    ],
)
def test_suppressions_say_why_and_end_with_their_cause(engine, library, changes, channel, reason):
    change_setting(engine, "push", {"channels": ["smtp"]}, by="管", now=AT)
    reach.change_reach(engine, "A", AT, **changes)
    night = FakeNight(library, [(ONCE, "A", "符合", "")])
    pushes.queue_pushes(engine, night, D, AT)
    assert (by(engine)["A", channel].state, by(engine)["A", channel].reason) == (SUPPRESSED, reason)
    cleared = {"stopped": False, "consent": True, "hold": "", "refused": [], "email": "a@b.c"}
    reach.change_reach(engine, "A", AT, **cleared)
    pushes.queue_pushes(engine, night, D, AT)
    assert by(engine)["A", channel].state == DUE


def test_quiet_days_hold_until_a_day_and_wake_by_themselves(engine, library):
    change_setting(engine, "push", {"quiet": [["2026-03-30", "2026-04-05"]]}, by="管", now=AT)
    pushes.queue_pushes(engine, FakeNight(library, [(ONCE, "A", "符合", "")]), D, AT)
    assert by(engine)["A", "webhook"].hold_until == date(2026, 4, 6)
    assert by(engine)["A", "inbox"].state == DUE
    assert waiting.recheck(engine, date(2026, 4, 5), AT) == 0
    assert waiting.recheck(engine, date(2026, 4, 6), AT) == 1


class DoubtfulNight(FakeNight):
    """A night on which a firm has a figure of its own to clear up wherever it is 待核实."""

    def hits(self, item):
        frame = super().hits(item)
        frame["unknown"] = [["rd"] if v == "待核实" else [] for v in frame["verdict"]]
        return frame


def test_what_is_told_otherwise_now_is_not_said_to_be_off_the_list(engine, library, monkeypatch):
    """A question to a firm that fits in the meantime is replaced by its invitation, and comes back with the doubt."""

    monkeypatch.setattr(words, "_questions", lambda program: {"rd": "研发费用：是多少"})

    def told(verdict: str, no: int) -> dict[str, tuple[str, str]]:
        night = DoubtfulNight(library, [(ONCE, "A", verdict, "")], no=no)
        pushes.queue_pushes(engine, night, D, AT)
        return {p.kind: (p.state, p.reason) for p in outbox.list_pushes(engine) if p.channel == "inbox"}

    other = (SUPPRESSED, "改了告知方式，由新的一条代替")
    assert told("待核实", 1) == {"ask": (DUE, "")}
    (kind,) = set(told("符合", 2)) - {"ask"}
    assert told("符合", 3) == {"ask": other, kind: (DUE, "")}
    waiting.recheck(engine, date(2026, 5, 1), AT)
    assert told("待核实", 4) == {"ask": (DUE, ""), kind: other}


def test_what_is_no_longer_on_the_list_is_withdrawn(engine, library):
    pushes.queue_pushes(engine, FakeNight(library, [(ONCE, "A", "符合", ""), (ONCE, "B", "符合", "")]), D, AT)
    counts = pushes.queue_pushes(engine, FakeNight(library, [(ONCE, "B", "符合", "")], no=2), D, AT)
    assert counts["撤回"] == 2
    assert by(engine)["A", "webhook"].reason == "不再在名单上"
    # The whole item is gone, and what waited for its quiet days does not wake.
    change_setting(engine, "push", {"quiet": [["2026-03-30", "2026-04-05"]]}, by="管", now=AT)
    pushes.queue_pushes(engine, FakeNight(library, [(ONCE, "B", "符合", "")], no=3), D, AT)
    assert by(engine)["B", "webhook"].hold_until is not None
    other = FakeNight(library, [(delivery(library, "免申即享"), "B", "符合", "")], no=4)
    assert pushes.queue_pushes(engine, other, D, AT)["撤回"] == 2
    waiting.recheck(engine, date(2026, 5, 1), AT)
    assert {p.reason for p in outbox.list_pushes(engine) if p.item == ONCE} == {"不再在名单上"}
    back = pushes.queue_pushes(engine, FakeNight(library, [(ONCE, "A", "符合", "")], no=5), D, AT)
    assert back["立项"] == 0 and by(engine)["A", "inbox"].state == DUE


def test_every_template_says_why_what_when_and_how_to_object_and_stop():
    for kind in KINDS:
        body = template(kind).body
        assert "{until}" in body and "{contact}" in body and "停止" in body and "{complaint}" in body
        assert "{why}" in body or "{questions}" in body
    assert money_words(None, 2e6) == "金额待定，最高 2,000,000.00 元"
    assert money_words(None, None) == "金额待定"


def test_the_signature_is_hmac_sha256_of_the_body():
    from jobs.channels import sign

    assert sign("k", b"x") == "sha256=" + hmac.new(b"k", b"x", hashlib.sha256).hexdigest()


def test_a_batch_that_has_closed_invites_nobody_any_more(engine, library, items):
    night = FakeNight(library, [(items.once, "A", "符合", "")])
    pushes.queue_pushes(engine, night, D, AT)
    closes = library.program(items.once).item.live_batch(D).closes
    assert {p.closes for p in outbox.list_pushes(engine)} == {closes}
    late = closes + timedelta(days=1)
    moment = datetime(late.year, late.month, late.day, 1, tzinfo=UTC)
    assert waiting.recheck(engine, closes, moment) == 0
    assert waiting.recheck(engine, late, moment) == 2
    rows = outbox.list_pushes(engine)
    assert {(p.state, p.reason) for p in rows} == {(SUPPRESSED, f"批次已于 {closes} 截止")}
    assert outbox.claim(engine, outbox.CHANNELS, "w", moment) == []
    with writing(
        engine
    ) as opened:  # the office gave the batch more time: the last day moves, and lets them go
        waiting.extend(opened, items.once, rows[0].batch, late)
    assert waiting.recheck(engine, late, moment) == 2
    assert {p.state for p in outbox.list_pushes(engine)} == {DUE}


def test_a_confirmation_goes_by_its_grants_day_and_not_by_its_batch(engine, library, items):
    enter_year(engine, 2027, frozenset({date(2027, 1, 1)}), frozenset(), "管", AT)
    pushes.queue_pushes(engine, FakeNight(library, [(items.auto, "A", "符合", "")]), D, AT)
    calendar, case = office_calendar(engine), grants.find(engine)[0]
    late = library.program(items.auto).item.live_batch(D).closes + timedelta(days=3)
    moment = datetime(late.year, late.month, late.day, 1, tzinfo=UTC)
    office = grants.Actor("林", "经办")
    for action, facts in (
        ("通过名单", {"核定金额": case.amount}),
        ("信用通过", {"信用查询日期": "x", "公示地址": "y"}),
    ):
        grants.act(engine, case.id, action, office, D, AT, calendar, facts)
    case = grants.act(engine, case.id, "公示期满", grants.SYSTEM, late, moment, calendar)
    waiting.recheck(engine, late, moment)
    assert {p.state for p in outbox.list_pushes(engine)} == {DUE}
    waiting.recheck(engine, case.due + timedelta(days=1), moment)
    assert {p.reason for p in outbox.list_pushes(engine)} == {f"确认期限 {case.due} 已过"}


@pytest.mark.parametrize("kind", ["inform", "ask"])
def test_words_from_a_form_are_the_words_rendered_whole(library, kind) -> None:
    program = library.programs[0]
    about = words.about_item(program, program.item.batches[0].name, program.item.delivery)
    said = words.Words(about, SimpleNamespace(grants={}))
    for name in ('甲"公司"\\有限', "乙{x}&<公司>", "丙\n公司", "丁\x01公司"):
        for low, high in ((1.0, 1.0), (None, None), (0.1, 12345.678), (0.0, 7.0)):
            wanted = words.Wanted("F1", name, about.item.id, about.batch, kind, "符合", low, high)
            until = about.closes.isoformat()
            subject, text = template(kind).render(words.fields_of(about, wanted, until))
            body = words.webhook_body("k", about, wanted, until, subject, text, 7)
            made, own = said.of(wanted, ["inbox", "webhook"], 7)
            for channel, key, whole in (("inbox", "j", text), ("webhook", "k", body)):
                form = made[channel]
                filler = forms.Filler(form.subject, form.body, channel == "webhook")
                assert filler.words(key, "F1", own) == (subject, whole)
            assert said.of(wanted, ["sms"], 7)[0]["sms"] == made["inbox"]


def test_firms_that_no_fact_speaks_of_are_held_as_if_asked_one_by_one():
    rng = np.random.default_rng(5)
    firms, items = [f"F{i}" for i in range(12)], ["a", "b"]

    def some(keys):
        return [key for key in keys if rng.random() < 0.3]

    pairs = [(f, i) for f in firms for i in items]
    row = SimpleNamespace(
        stopped=False,
        consent=True,
        refused=["a"],
        email="",
        phone="1",
        hold="",
        hold_until=None,
        every_days=None,
    )
    standing = SimpleNamespace(state=State.CONFIRM.value, arrived=False, due=None)
    for quiet in ((), ((D, D + timedelta(days=2)),)):
        facts = suppress.Facts(
            D, {f: row for f in some(firms)}, {(f, i, "2026"): standing for f, i in some(pairs)},
            {(i, "2026", f): "暂缓" for f, i in some(pairs)}, frozenset(some(pairs)),
            {(f, "smtp"): D for f in some(firms)}, quiet, 7,
        )  # fmt: skip
        for item in items:
            for closes in (D - timedelta(days=1), D + timedelta(days=9)):
                holds = suppress.Holds(facts, item, "2026", closes)
                for firm in firms:
                    for channel in outbox.CHANNELS:
                        for kind in ("inform", "ask"):
                            asked = suppress.Asked(firm, item, "2026", channel, kind, closes)
                            assert holds.of(firm, channel, kind) == suppress.held(asked, facts)


def index_there(engine):
    return any(i["name"] == "ix_push_order" for i in sqlalchemy.inspect(engine).get_indexes("push"))


def test_a_first_night_builds_the_index_at_its_end(engine, library, items, monkeypatch):
    night = FakeNight(library, [(items.once, f"F{i}", "符合", "") for i in range(30)])
    night.counts = {"fits": 30}
    seen = []
    monkeypatch.setattr(pushes, "point", lambda name: seen.append(index_there(engine)))
    monkeypatch.setattr(push_index, "WORTH", 50)
    assert pushes.queue_pushes(engine, night, D, AT)["排队"] == 60
    assert seen == [engine.dialect.name != "sqlite"] and index_there(engine)
    night._rows.append((items.once, "G", "符合", ""))
    assert pushes.queue_pushes(engine, night, D, AT)["排队"] == 2
    assert seen[1:] == [True], "the outbox is full already: the index stays"


def test_an_index_that_a_killed_night_left_out_is_built_before_anything_is_sent(
    engine, library, items, monkeypatch
):
    class Killed(BaseException):
        pass

    def kill(name):
        raise Killed

    night = FakeNight(library, [(items.once, f"F{i}", "符合", "") for i in range(30)])
    night.counts = {"fits": 30}
    with monkeypatch.context() as here:
        here.setattr(push_index, "WORTH", 50)
        here.setattr(push_index, "mend_index", lambda engine: None)  # killed: nothing more is done
        here.setattr(pushes, "point", kill)
        with pytest.raises(Killed):
            pushes.queue_pushes(engine, night, D, AT)
    assert index_there(engine) == (engine.dialect.name != "sqlite") and not outbox.list_pushes(engine)
    push_index.mend_index(engine)  # as jobs.push.push_once does first
    assert index_there(engine)
    assert pushes.queue_pushes(engine, night, D, AT)["排队"] == 60
