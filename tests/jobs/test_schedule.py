"""定时、时钟、监测: planned times, one leader, catching up, what time alone moves, health and metrics."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import monotonic, sleep

import pandas as pd
import pyarrow as pa
import pytest
from sqlalchemy.exc import ProgrammingError

from engine.grantmoves import AUTOMATIC
from jobs import fulfil, metrics, process, schedule
from jobs.schedule import Context, Plan, run_planned
from profiles import sample
from store import grants, leases
from store.calendars import office_calendar
from store.database_faults import DatabaseOut
from store.grants import Actor, NewGrant
from store.review import change_setting
from tests.databases import database_in, new_database

AT = datetime(2026, 6, 1, 1, tzinfo=UTC)


@pytest.fixture
def engine(tmp_path, database):
    opened = new_database(tmp_path)
    yield opened
    opened.dispose()


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=schedule.SHANGHAI)


def test_planned_times_are_shanghais():
    night = Plan("night", "", at=time(2, 0))
    assert night.last(utc("2026-06-02 02:00")) == utc("2026-06-02 02:00")
    assert night.last(utc("2026-06-02 01:59")) == utc("2026-06-01 02:00")
    assert night.last(datetime(2026, 6, 1, 18, 5, tzinfo=UTC)) == utc("2026-06-02 02:00")
    push = Plan("push", "", every=10, hours=(9, 18))
    assert push.last(utc("2026-06-02 09:17")) == utc("2026-06-02 09:10")
    assert push.last(utc("2026-06-02 03:00")) == utc("2026-06-01 17:50")
    fires = schedule.PLANS[1].trigger().get_next_fire_time(None, utc("2026-06-02 03:00"))
    assert fires == utc("2026-06-03 02:00")


def test_working_days_know_the_holidays_and_say_unknown_years(engine):
    plan, calendar = Plan("clocks", "", at=time(8), workdays=True), office_calendar(engine)
    assert plan.runs_on(date(2026, 10, 5), calendar) == (False, "")
    assert plan.runs_on(date(2026, 10, 10), calendar) == (True, "")  # a Saturday that is worked
    runs, note = plan.runs_on(date(2027, 3, 1), calendar)
    assert runs and "2027" in note


def counting(monkeypatch, fail: bool = False) -> list[date]:
    days: list[date] = []

    def work(_context: Context, day: date) -> str:
        days.append(day)
        if fail:
            raise RuntimeError("坏了")
        return "好"

    monkeypatch.setitem(schedule.WORK, "night", work)
    return days


def test_two_schedulers_do_a_planned_run_once_and_missed_days_are_caught_up_once(
    engine, tmp_path, monkeypatch
):
    days = counting(monkeypatch)
    clock = [utc("2026-06-02 02:00:01")]
    context = Context(engine, tmp_path, tmp_path, lambda: clock[0])
    plan = schedule.PLANS[1]
    assert [run_planned(context, plan, h) for h in ("a", "b", "a")] == ["完成", "不是主班", "已经办过"]
    clock[0] = utc("2026-06-06 11:00")  # the machine was off for days
    assert [run_planned(context, plan, h) for h in ("b", "a", "b")] == ["完成", "不是主班", "已经办过"]
    assert days == [date(2026, 6, 2), date(2026, 6, 6)]
    clock[0] = utc("2026-06-05 11:00")  # the clock was set back: the day before was never done, and is
    assert run_planned(context, plan, "b") == "完成"
    assert run_planned(context, plan, "b") == "已经办过"


def test_a_job_of_certain_hours_is_not_caught_up_at_night(engine, tmp_path):
    context = Context(engine, tmp_path, tmp_path, lambda: utc("2026-06-02 21:00"))
    assert run_planned(context, schedule.PLANS[4], "a") == "不在时段"


def test_what_failed_is_tried_again_after_a_while_and_then_left_to_a_person(engine, tmp_path, monkeypatch):
    days = counting(monkeypatch, fail=True)
    clock = [utc("2026-06-02 02:00:01")]
    context, plan = Context(engine, tmp_path, tmp_path, lambda: clock[0]), schedule.PLANS[1]
    told = []
    for _ in range(5):
        told += [run_planned(context, plan, "a"), run_planned(context, plan, "a")]
        clock[0] += leases.RETRY_AFTER
    assert told == ["失败", "已经办过"] * 3 + ["已经办过"] * 4 and len(days) == 3
    assert not leases.again(engine, "check") and leases.again(engine, "night")
    counting(monkeypatch)
    assert run_planned(context, plan, "a") == "完成"


def test_a_run_whose_end_could_not_be_written_is_taken_up_again(engine, tmp_path, monkeypatch):
    days = counting(monkeypatch)
    context = Context(engine, tmp_path, tmp_path, lambda: utc("2026-06-02 02:00:01"))
    with monkeypatch.context() as full, pytest.raises(OSError, match="full"):
        full.setattr(leases, "finish", lambda *a: (_ for _ in ()).throw(OSError("disk full")))
        run_planned(context, schedule.PLANS[1], "a")
    assert run_planned(context, schedule.PLANS[1], "a") == "完成" and len(days) == 2


def test_a_dead_process_leads_no_longer_and_a_busy_one_is_given_time(engine, tmp_path):
    assert leases.lead(engine, "x", "a", AT)
    soon, late = AT + timedelta(seconds=5), AT + leases.LENGTH * 2
    assert not leases.lead(engine, "x", "b", late, fate=lambda h: True)
    assert leases.leader(engine, "x", late, lambda h: True) == "a" and leases.leader(engine, "x", late) == ""
    assert leases.lead(engine, "x", "b", soon, fate=lambda h: False)


def test_a_job_that_fails_is_kept_with_its_log_and_turns_health_red(engine, tmp_path, monkeypatch):
    counting(monkeypatch, fail=True)
    context = Context(engine, tmp_path, tmp_path, lambda: utc("2026-06-02 02:00"))
    assert run_planned(context, schedule.PLANS[1], "a") == "失败"
    run = leases.runs(engine, "night")[0]
    assert run.outcome == "失败" and "坏了" in run.log
    assert metrics.health(engine, AT)[0] is False


def test_between_two_jobs_nothing_is_held_of_a_night(engine, tmp_path, monkeypatch):
    from store import night_reads, nights

    def work(_context: Context, _day: date) -> str:
        nights._frames["home", 1, "d/i", ""] = pd.DataFrame()
        night_reads._kept["a block"] = (pa.table({}), {})
        raise RuntimeError("坏了")

    monkeypatch.setitem(schedule.WORK, "night", work)
    context = Context(engine, tmp_path, tmp_path, lambda: utc("2026-06-02 02:00"))
    assert run_planned(context, schedule.PLANS[1], "a") == "失败"
    assert not nights._frames and not night_reads._kept


def test_the_nightly_check_seals_whole_books_and_names_broken_ones(engine, tmp_path):
    from sqlalchemy import text

    from store import budgets

    budgets.set_budget(engine, "d/i", "2026", 100, budgets.OPEN, who="钱", on=date(2026, 6, 1), at=AT)
    context = Context(engine, tmp_path, tmp_path, lambda: AT)
    assert "已封存" in schedule.WORK["check"](context, date(2026, 6, 1))
    with engine.begin() as connection:
        connection.execute(text("UPDATE batch_budget SET limit_fen = 50"))
    with pytest.raises(schedule.CheckFailed, match="不平"):
        schedule.WORK["check"](context, date(2026, 6, 2))


def test_jobs_are_stored_under_their_names(engine, tmp_path):
    change_setting(engine, "schedule", {"night": "03:15"}, by="管", now=AT)
    built = schedule.build(Context(engine, tmp_path, tmp_path, lambda: AT))
    assert {p.job: p.at for p in schedule.plans_of(engine)}["night"] == time(3, 15)
    assert {j.id for j in built.get_jobs()} == {p.job for p in schedule.PLANS} | {"tend"}


def notice(engine, count: int) -> None:
    calendar = office_calendar(engine)
    found = [
        NewGrant(f"C{n}", "甲", "d/i", "2026", "奖", "局", AUTOMATIC, 100_00, 100_00) for n in range(count)
    ]
    grants.open_grants(engine, found, date(2026, 6, 1), AT, calendar)
    for case in grants.find(engine):
        for action, facts in (
            ("通过名单", {"核定金额": 100_00}),
            ("信用通过", {"信用查询日期": "x", "公示地址": "y"}),
        ):
            grants.act(engine, case.id, action, Actor("林", "经办"), date(2026, 6, 1), AT, calendar, facts)


def test_time_alone_moves_what_waits_for_it_and_lateness_is_told_upwards(engine):
    notice(engine, 2)
    assert fulfil.advance(engine, date(2026, 6, 8), AT).moved == {}
    assert fulfil.advance(engine, date(2026, 6, 9), AT).moved == {"公示期满": 2}
    assert fulfil.advance(engine, date(2026, 6, 9), AT).moved == {}
    late = fulfil.deadlines(engine, date(2026, 6, 16))
    assert [(one.late, one.tell) for one in late] == [(0, ("企业",))] * 2
    assert fulfil.advance(engine, date(2026, 6, 17), AT).moved == {"逾期未确认": 2}
    told = fulfil.deadlines(engine, date(2026, 7, 8))
    assert told[0].late == 4 and told[0].tell == ("专员", "复核")
    day = date(2026, 7, 8)
    assert (
        len(fulfil.deadlines(engine, day, tell="复核"))
        == 2
        == len(fulfil.deadlines(engine, day, department="局"))
    )
    assert (
        fulfil.deadlines(engine, day, tell="财政") == [] == fulfil.deadlines(engine, day, department="别局")
    )


def test_paid_grants_become_a_department_file(engine, tmp_path):
    notice(engine, 2)
    fulfil.advance(engine, date(2026, 6, 9), AT)
    calendar, case = office_calendar(engine), grants.find(engine)[0]
    day, pay = date(2026, 6, 10), {"支付金额": 100_00, "流水号": "S1"}
    account = {"户名": "甲", "账号": "1", "开户行": "b", "确认人": "c"}
    for action, role, facts in (
        ("确认", "企业", account), ("财政通过", "财政", {}), ("下达", "财政", pay), ("到账", "财政", pay),
    ):  # fmt: skip
        grants.act(engine, case.id, action, Actor("某", role), day, AT, calendar, facts)
    path, count = fulfil.write_facts(engine, tmp_path / "inbox", day)
    assert (path.name, count) == ("兑现台账_20260610.csv", 1)
    assert path.read_text(encoding="utf-8").splitlines()[1] == "C0,甲,2026,100.00,d/i"
    from profiles.source import load_sources

    declared = load_sources(Path(fulfil.__file__).resolve().parents[1] / "profiles" / "sources")["ledger"]
    assert path.match(declared.inbox)


def started(home: Path, log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "jobs.cli", "schedule", "--home", str(home)]
    env = {k: v for k, v in os.environ.items() if not k.startswith("HUIQI_")}
    env["HUIQI_DB"] = database_in(home)
    return subprocess.Popen(command, stdout=log.open("wb"), stderr=subprocess.STDOUT, env=env)


def until(true, seconds: float = 600.0) -> None:
    deadline = monotonic() + seconds
    while not true():
        assert monotonic() < deadline, "nothing came of it"
        sleep(0.1)


@pytest.mark.slow
def test_two_processes_of_which_one_leads_and_the_other_takes_over(tmp_path, database):
    """For real: two `huiqi schedule` on one database; the leader is killed amid the night, then the other stopped."""
    sample.write_sample(sample.generate(30, 5), tmp_path / "inbox", 0.0)
    engine = new_database(tmp_path)
    everyday = {"facts", "night", "check", "scores"}  # the others rest on days that are no working days
    both = [started(tmp_path, tmp_path / f"{n}.log") for n in "ab"]
    try:
        until(lambda: leases.runs(engine, "night"))
        led = leases.leader(engine, "schedule", datetime.now(UTC), process.fate)
        first = next(p for p in both if led.split(":")[1] == str(p.pid))
        os.kill(first.pid, signal.SIGKILL)
        first.wait(120)
        ended = lambda: {r.job for r in leases.runs(engine) if r.outcome == "完成"}  # noqa: E731
        until(lambda: ended() >= everyday)
        runs = leases.runs(engine)
        assert len(runs) == len({(r.job, r.planned) for r in runs})
        night = next(r for r in runs if r.job == "night")
        other = next(p for p in both if p is not first)
        assert (night.tries, night.holder.split(":")[1]) == (2, str(other.pid))
        other.send_signal(signal.SIGTERM)
        assert other.wait(120) == 0
        assert leases.leader(engine, "schedule", datetime.now(UTC), process.fate) == ""
    finally:
        for one in both:
            if one.poll() is None:
                one.kill()
                one.wait(120)
        engine.dispose()


def test_a_database_that_goes_away_is_waited_for(tmp_path, engine, monkeypatch):
    """Once amid the catching up and once amid the scheduler's own loop; then a person stops it."""
    gone = DatabaseOut(errno.ECONNREFUSED, "连不上数据库", "h:5432/huiqi")
    spells: list[str] = []

    def work(_context, holder):
        spells.append(leases.leader(engine, "schedule", datetime.now(UTC), process.fate))
        leases.lead(engine, "schedule", holder, datetime.now(UTC), fate=process.fate)
        if len(spells) != 2:
            raise gone if len(spells) == 1 else KeyboardInterrupt
        monkeypatch.setattr(schedule.SQLAlchemyJobStore, "get_next_run_time", raise_gone)

    def raise_gone(_self):
        monkeypatch.undo()
        monkeypatch.setattr(schedule, "AWAY", 0.01)
        monkeypatch.setattr(schedule, "catch_up", work)
        raise gone

    monkeypatch.setattr(schedule, "AWAY", 0.01)
    monkeypatch.setattr(schedule, "catch_up", work)
    url = engine.url.render_as_string(hide_password=False)
    schedule.serve_forever(url, tmp_path, tmp_path, lambda: datetime.now(UTC))
    assert spells == ["", "", ""]  # each spell gave the lead up


def test_a_signal_that_a_job_swallows_still_stops_it(tmp_path, engine, monkeypatch):
    """Libraries written in C may lose what a signal raises within them."""

    def deaf(_context, plan, _holder):
        done.append(plan.job)
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        return "完成"

    done: list[str] = []
    monkeypatch.setattr(schedule, "run_planned", deaf)
    url = engine.url.render_as_string(hide_password=False)
    schedule.serve_forever(url, tmp_path, tmp_path, lambda: datetime.now(UTC))
    assert done == ["facts"]


def test_a_stop_amid_a_query_is_a_stop_whatever_the_query_says_then(tmp_path, engine, monkeypatch):
    """The driver finds its connection half way through a statement, and its error takes the place of the signal's."""

    def interrupted(_self):
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            raise ProgrammingError("SELECT 1", None, ValueError("connection in transaction status ACTIVE"))

    monkeypatch.setattr(schedule, "catch_up", lambda *_: None)
    monkeypatch.setattr(schedule.SQLAlchemyJobStore, "get_next_run_time", interrupted)
    url = engine.url.render_as_string(hide_password=False)
    schedule.serve_forever(url, tmp_path, tmp_path, lambda: datetime.now(UTC))
    assert leases.leader(engine, "schedule", datetime.now(UTC), process.fate) == ""


def test_any_other_error_ends_it(tmp_path, engine, monkeypatch):
    def broken(*_args):
        raise ProgrammingError("SELECT 1", None, ValueError("no such column"))

    monkeypatch.setattr(schedule, "catch_up", broken)
    url = engine.url.render_as_string(hide_password=False)
    with pytest.raises(ProgrammingError):
        schedule.serve_forever(url, tmp_path, tmp_path, lambda: datetime.now(UTC))


def test_health_says_that_the_database_is_gone(engine, monkeypatch):
    server = metrics.serve(engine, lambda: AT, "127.0.0.1", 0)

    def gone(*_args, **_kwargs):
        raise DatabaseOut(errno.ECONNREFUSED, "连不上数据库", "h:5432/huiqi")

    monkeypatch.setattr(metrics.leases, "runs", gone)
    status, body = get(server, "/healthz")
    server.shutdown()
    assert status == 503 and "连不上数据库" in json.loads(body)["database"]


def get(server, path: str) -> tuple[int, str]:
    url = f"http://127.0.0.1:{server.server_port}{path}"
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_health_and_metrics_are_served(engine):
    notice(engine, 1)
    server = metrics.serve(engine, lambda: AT + timedelta(days=60), "127.0.0.1", 0)
    status, body = get(server, "/healthz")
    assert status == 200 and json.loads(body)["ok"] is True
    assert 'huiqi_grants_late{holder="系统"} 1.0' in get(server, "/metrics")[1]
    assert get(server, "/x")[0] == 404
    assert "huiqi_scheduler_leads 0.0" in get(server, "/metrics")[1]
    leases.begin(engine, "night", AT, "host:1:2", AT)
    status, body = get(server, "/healthz")
    assert status == 503 and json.loads(body)["hanging"] == ["night"]
    server.shutdown()
