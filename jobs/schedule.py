"""定时: one process, or several of which one leads; every planned run done once, missed ones caught up."""

from __future__ import annotations

import io
import logging
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from time import sleep
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BlockingScheduler
from apscheduler.triggers.cron import CronTrigger

from engine.workdays import Calendar, UnknownYear
from jobs.channels import Settings
from jobs.fulfil import advance, write_facts
from jobs.process import fate, process_name
from jobs.push import push_once
from jobs.scoring import score_night
from store import audit, leases, ledger
from store.calendars import office_calendar
from store.database import DatabaseFault, Engine, open_database, upgrade
from store.nights import forget, latest_night
from store.review import setting

SHANGHAI = ZoneInfo("Asia/Shanghai")
LEADER = "schedule"
# seconds between renewals of the lead, between looks at what is left to do, and before a lost database is tried again
BEAT, TEND, AWAY = 15, 10, 15
Now = Callable[[], datetime]


@dataclass(frozen=True)
class Plan:
    """计划: at a time of day, or every so many minutes within hours; on working days only, or daily."""

    job: str
    title: str
    at: time | None = None
    every: int = 0
    hours: tuple[int, int] = (0, 24)
    workdays: bool = False

    def last(self, now: datetime) -> datetime:
        """最近的计划时刻, at or before `now`; aware."""
        here = now.astimezone(SHANGHAI)
        if self.at is not None:
            planned = here.replace(hour=self.at.hour, minute=self.at.minute, second=0, microsecond=0)
            return planned if planned <= here else planned - timedelta(days=1)
        slot = here.replace(minute=here.minute // self.every * self.every, second=0, microsecond=0)
        while not self.hours[0] <= slot.hour < self.hours[1]:
            slot -= timedelta(minutes=self.every)
        return slot

    def trigger(self) -> CronTrigger:
        """触发器, at Asia/Shanghai."""
        if self.at is not None:
            return CronTrigger(hour=self.at.hour, minute=self.at.minute, timezone=SHANGHAI)
        hours = f"{self.hours[0]}-{self.hours[1] - 1}"
        return CronTrigger(hour=hours, minute=f"*/{self.every}", timezone=SHANGHAI)

    def open_at(self, now: datetime) -> bool:
        """在时段内: a job of certain hours is not caught up outside of them."""
        return self.at is not None or self.hours[0] <= now.astimezone(SHANGHAI).hour < self.hours[1]

    def runs_on(self, day: date, calendar: Calendar) -> tuple[bool, str]:
        """这一天办不办; a year the calendar lacks is run, and said."""
        if not self.workdays:
            return True, ""
        try:
            return calendar.is_workday(day), ""
        except UnknownYear as error:
            return True, str(error)


PLANS = (
    Plan("facts", "已兑现写回收件箱", at=time(1, 30)),
    Plan("night", "每夜比对", at=time(2, 0)),
    Plan("check", "核台账、验操作记录", at=time(6, 0)),
    Plan("clocks", "兑现时钟", at=time(8, 30), workdays=True),
    Plan("push", "推送", every=10, hours=(9, 18), workdays=True),
    Plan("scores", "评分学习", at=time(4, 0)),
)


def plans_of(engine: Engine) -> tuple[Plan, ...]:
    """本单位的计划: with the times of day the office set."""
    own: Mapping[str, str] = setting(engine, "schedule", {}) or {}
    return tuple(
        Plan(p.job, p.title, time.fromisoformat(own[p.job]), 0, p.hours, p.workdays) if p.job in own else p
        for p in PLANS
    )


@dataclass(frozen=True)
class Context:
    """作业的环境."""

    engine: Engine
    home: Path
    library: Path
    now: Now


# ---------------------------------------------------------------- the jobs


def _facts(context: Context, day: date) -> str:
    path, count = write_facts(context.engine, context.home / "inbox", day)
    return f"{path.name}：{count} 行"


def _night(context: Context, day: date) -> str:
    from jobs.nightly import run_night

    sets = setting(context.engine, "sets", []) or []  # as `huiqi nightly --set`, for instance 本区=120116*
    report = run_night(context.engine, context.home, context.library, day, context.now, sets=sets)
    night = report.night
    assert night is not None
    held = f"；扣下：{'；'.join(report.jumps[:5])}" if report.jumps else ""
    fell = f"；自动降级：{'；'.join(report.fallen)}" if report.fallen else ""
    return f"第 {night.no} 次比对，符合 {night.counts['fits']}，推送 {report.pushes}{held}{fell}"


def _check(context: Context, day: date) -> str:
    found = [f"{f.kind}：{f.text}" for f in ledger.verify_ledger(context.engine)]
    chain = audit.verify(context.engine)
    found += [f"操作记录：{fault}" for fault in chain.broken]
    if found:
        raise CheckFailed("\n".join(found))
    sealed = ledger.seal(context.engine, day)
    return f"台账 {sealed.seq} 行，链完整，已封存"


class CheckFailed(RuntimeError):
    """核账不过: the books or the audit log are not whole."""


def _scores(context: Context, day: date) -> str:
    """Learn when it is due; a drift is a fault, so that it is seen."""
    from analysis.scores_people import is_due, learn_again
    from analysis.scores_settled import drift, settled_pairs

    why = is_due(context.engine, context.home, day)
    if not why:
        return drift(settled_pairs(context.engine, context.home)).words()
    card = learn_again(context.engine, context.home)
    night = latest_night(context.engine, context.home)
    scored = score_night(night, context.home) if night else 0
    told = f"{why}，学了 {card['version']}：{card['why']}；补评 {scored} 对\n{card['drift']}"
    if drift(settled_pairs(context.engine, context.home)).alarm and not card["promoted"]:
        raise CheckFailed(told)
    return told


def _clocks(context: Context, day: date) -> str:
    report = advance(context.engine, day, context.now())
    return f"{report.moved}" + "".join(f"\n{line}" for line in report.unknown)


def _push(context: Context, _day: date) -> str:
    report = push_once(context.engine, Settings.read(), context.now)
    if report.closed:
        raise RuntimeError(f"渠道不通：{'、'.join(report.closed)}；{report.words}")
    return report.words


WORK: dict[str, Callable[[Context, date], str]] = {
    "facts": _facts,
    "night": _night,
    "scores": _scores,
    "check": _check,
    "clocks": _clocks,
    "push": _push,
}


# ---------------------------------------------------------------- one planned run


def run_planned(context: Context, plan: Plan, holder: str) -> str:
    """办一次计划: where this process leads and nobody has done it; its outcome and log are kept. Returns the outcome."""
    now = context.now()
    if not leases.lead(context.engine, LEADER, holder, now, fate=fate):
        return "不是主班"
    if not plan.open_at(now):
        return "不在时段"
    planned = plan.last(now)
    day = planned.astimezone(SHANGHAI).date()
    due, note = plan.runs_on(day, office_calendar(context.engine))
    if not due:
        return "不是工作日"
    with _one_at_a_time(plan.job) as free:
        if not free or not leases.begin(context.engine, plan.job, planned, holder, now, fate=fate):
            return "已经办过"
        return _do(context, plan.job, planned, day, note)


_doing: set[str] = set()
_doing_lock = threading.Lock()


@contextmanager
def _one_at_a_time(job: str) -> Iterator[bool]:
    """Whether no other thread of this process does the job; a run of ours that nobody does has broken off."""
    with _doing_lock:
        free = job not in _doing
        _doing.add(job)
    try:
        yield free
    finally:
        if free:
            with _doing_lock:
                _doing.discard(job)


def _do(context: Context, job: str, planned: datetime, day: date, note: str) -> str:
    """Does the work of a run that was begun, and keeps its outcome and log."""
    log = io.StringIO(note + "\n" if note else "")
    log.seek(0, io.SEEK_END)
    try:
        log.write(WORK[job](context, day))
        outcome = leases.DONE
    except Exception as error:  # the boundary of a job: kept in its log and shown as failed, the others go on
        log.write("".join(traceback.format_exception(error)))
        outcome = leases.FAILED
    forget()  # this process lives for weeks, and the next job reads another night
    leases.finish(context.engine, job, planned, outcome, log.getvalue(), context.now())
    level = logging.INFO if outcome == leases.DONE else logging.ERROR
    logging.getLogger("huiqi.jobs").log(
        level, "job", extra={"job": job, "planned": planned.isoformat(), "outcome": outcome}
    )
    return outcome


def catch_up(context: Context, holder: str) -> dict[str, str]:
    """补办: every job whose last planned time has passed without a run; once each, however many were missed."""
    done = {}
    for plan in plans_of(context.engine):
        if stopping.is_set():
            break
        done[plan.job] = run_planned(context, plan, holder)
    return done


# Set once this process is asked to stop: what is raised in the midst of a library's code may be lost there.
stopping = threading.Event()


@contextmanager
def leading(context: Context, holder: str) -> Iterator[None]:
    """续班: keeps the lead, where this process has it, from a thread of its own, however long a job takes."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(BEAT):
            with suppress(
                Exception
            ):  # a locked or absent database: the next beat tries again, the lease says the rest
                if leases.leader(context.engine, LEADER, context.now(), fate) == holder:
                    leases.lead(context.engine, LEADER, holder, context.now(), fate=fate)

    thread = threading.Thread(target=beat, name="huiqi-lead", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(BEAT)
        with suppress(DatabaseFault):  # the lease ends by itself
            leases.leave(context.engine, LEADER, holder)


# ---------------------------------------------------------------- the process

_here: dict[str, Any] = {}  # what jobs kept in the database find in the process that runs them


def fire(job: str) -> None:
    """触发: called by the scheduler; whether it runs is for `run_planned` to say."""
    context, holder = _here["context"], _here["holder"]
    plan = next(p for p in plans_of(context.engine) if p.job == job)
    run_planned(context, plan, holder)


def tend() -> None:
    """照看: takes the lead where it is free, and does what was planned and not done: by whoever died, or failed."""
    catch_up(_here["context"], _here["holder"])


def build(context: Context) -> BlockingScheduler:
    """排好的定时器: jobs stored in the database, one instance each, late ones run once."""
    _here.update(context=context, holder=process_name())
    scheduler = BlockingScheduler(
        jobstores={
            "default": SQLAlchemyJobStore(engine=context.engine, tablename="schedule_job"),
            "here": MemoryJobStore(),
        },
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        timezone=SHANGHAI,
    )
    for plan in plans_of(context.engine):
        scheduler.add_job(
            fire, plan.trigger(), args=[plan.job], id=plan.job, name=plan.title, replace_existing=True
        )
    scheduler.add_job(tend, "interval", seconds=TEND, jobstore="here", id="tend")
    return scheduler


def serve_forever(url: str, home: Path, library: Path, now: Now) -> None:
    """开定时: until it is stopped (Ctrl-C or SIGTERM; a job under way is taken up again by the next process).

    A database that goes away is waited for, and what was missed meanwhile is caught up. Raises DatabaseFault where there
    is none at the start.
    """
    engine = open_database(url)
    upgrade(engine)
    context = Context(engine, home, library, now)

    stopping.clear()

    def stop(_number: int, _frame: object) -> None:
        stopping.set()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        while True:
            try:
                _serve(context)
            except Exception as fault:
                if stopping.is_set():  # the stop came amid a query, and what that left half done spoke first
                    raise KeyboardInterrupt from fault
                if not isinstance(fault, DatabaseFault):
                    raise
                log = logging.getLogger(__name__)
                log.error("database", extra={"problem": str(fault), "again_in_seconds": AWAY})
                sleep(AWAY)
    except KeyboardInterrupt:
        logging.getLogger(__name__).info("stopped")
    finally:
        signal.signal(signal.SIGTERM, before)
        engine.dispose()


def _serve(context: Context) -> None:
    """One spell: until it is stopped, or the database is gone."""
    scheduler = build(context)
    with leading(context, _here["holder"]):
        catch_up(context, _here["holder"])
        if stopping.is_set():
            raise KeyboardInterrupt
        try:
            scheduler.start()
        except DatabaseFault:
            with suppress(DatabaseFault):
                if scheduler.running:
                    scheduler.shutdown(wait=False)
            raise
