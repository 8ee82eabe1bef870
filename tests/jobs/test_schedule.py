"""定时、时钟、监测: planned times, one leader, catching up, what time alone moves, health and metrics."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from engine.grantmoves import AUTOMATIC
from jobs import fulfil, metrics, schedule
from jobs.schedule import Context, Plan, run_planned
from store import grants, leases
from store.calendars import office_calendar
from store.database import open_database, upgrade
from store.grants import Actor, NewGrant
from store.review import change_setting

AT = datetime(2026, 6, 1, 1, tzinfo=UTC)


@pytest.fixture
def engine(tmp_path):
    opened = open_database(f"sqlite:///{tmp_path / 'h.db'}")
    upgrade(opened)
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


def test_a_job_that_fails_is_kept_with_its_log_and_turns_health_red(engine, tmp_path, monkeypatch):
    counting(monkeypatch, fail=True)
    context = Context(engine, tmp_path, tmp_path, lambda: utc("2026-06-02 02:00"))
    assert run_planned(context, schedule.PLANS[1], "a") == "失败"
    run = leases.runs(engine, "night")[0]
    assert run.outcome == "失败" and "坏了" in run.log
    assert metrics.health(engine, AT)[0] is False


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
    assert {j.id for j in built.get_jobs()} == {p.job for p in schedule.PLANS} | {"renew"}


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


def get(server, path: str) -> tuple[int, str]:
    url = f"http://127.0.0.1:{server.server_port}{path}"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
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
    server.shutdown()
