"""主班与作业记录: one leader at a time, and every planned run of a job done once, however many processes there are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Text, UniqueConstraint
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError
from sqlmodel import Column, Field, Session, SQLModel, col, select

from store.database import id_column, session, utc_column, writing
from store.faults import point

LENGTH = timedelta(seconds=60)
PATIENCE = timedelta(minutes=10)
RETRY_AFTER = timedelta(minutes=10)
RUNNING, DONE, FAILED = "进行中", "完成", "失败"
MOST_TRIES = 3


class Lease(SQLModel, table=True):
    """主班: who leads under a name, until when."""

    __tablename__ = "lease"

    name: str = Field(primary_key=True, max_length=40)
    holder: str = Field(max_length=80)
    until: datetime = Field(sa_column=utc_column())


class JobRun(SQLModel, table=True):
    """作业记录: one planned run of a job, who did it, how it ended and what it said."""

    __tablename__ = "job_run"
    __table_args__ = (UniqueConstraint("job", "planned", name="uq_job_run"),)

    id: int | None = Field(default=None, sa_column=id_column())
    job: str = Field(max_length=40)
    planned: datetime = Field(sa_column=utc_column(index=True))
    started: datetime = Field(sa_column=utc_column())
    finished: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    outcome: str = Field(max_length=8)
    holder: str = Field(max_length=80)
    tries: int = 1
    log: str = Field(default="", sa_column=Column(Text, nullable=False))


Fate = Callable[[str], bool | None]


def nobody_knows(_holder: str) -> bool | None:
    """说不准: nothing is known of whether a holder lives."""
    return None


def lead(
    engine: Engine,
    name: str,
    holder: str,
    now: datetime,
    length: timedelta = LENGTH,
    fate: Fate = nobody_knows,
) -> bool:
    """争主班: takes or keeps the lead; False while another holds it. A lease dated far ahead (clock set back) is void.

    `fate` tells of a holder: dead (False), its lead is free at once; alive here (True), it is given `PATIENCE` beyond
    its lease, for a long import may keep it from writing.
    """
    try:
        with writing(engine) as opened:
            lease = opened.exec(select(Lease).where(Lease.name == name).with_for_update()).one_or_none()
            if lease is None:
                lease = Lease(name=name, holder=holder, until=now + length)
            elif lease.holder != holder and _holds(lease, now, length, fate):
                return False
            lease.holder, lease.until = holder, now + length
            opened.add(lease)
    except IntegrityError:  # two made the first row at once: the other one did
        return False
    point("leases.taken")
    return True


def _holds(lease: Lease, now: datetime, length: timedelta, fate: Fate) -> bool:
    alive = fate(lease.holder)
    if alive is False or lease.until > now + 2 * length:
        return False
    return now < lease.until + (PATIENCE if alive else timedelta(0))


def leader(engine: Engine, name: str, now: datetime, fate: Fate = nobody_knows) -> str:
    """主班是谁: the holder of a lease that holds, or nobody (empty)."""
    with session(engine) as opened:
        lease = opened.get(Lease, name)
        return lease.holder if lease is not None and _holds(lease, now, LENGTH, fate) else ""


def leave(engine: Engine, name: str, holder: str) -> None:
    """交班: gives the lead up at once."""
    with writing(engine) as opened:
        lease = opened.get(Lease, name)
        if lease is not None and lease.holder == holder:
            opened.delete(lease)


def begin(
    engine: Engine,
    job: str,
    planned: datetime,
    holder: str,
    now: datetime,
    limit: timedelta = timedelta(hours=6),
    fate: Fate = nobody_knows,
) -> bool:
    """开始一次: True where this planned run is ours to do.

    One that broke off or failed is taken up again, `MOST_TRIES` times in all; one that broke off each time has failed.
    The caller sees to it that this holder does not do the job already.
    """
    try:
        with writing(engine) as opened:
            run = opened.exec(
                select(JobRun).where(JobRun.job == job, JobRun.planned == planned).with_for_update()
            ).one_or_none()
            if run is None:
                opened.add(JobRun(job=job, planned=planned, started=now, outcome=RUNNING, holder=holder))
            elif not _again(opened, run, holder, now, limit, fate):
                return False
            elif run.tries >= MOST_TRIES:
                run.outcome, run.finished = FAILED, now
                run.log += (
                    f"\n中断了 {run.tries} 次，不再试：请看为什么中断，再用 huiqi schedule --again {job} 重办"
                )
                opened.add(run)
                return False
            else:
                run.holder, run.started, run.tries, run.outcome = holder, now, run.tries + 1, RUNNING
                opened.add(run)
    except IntegrityError:
        return False
    point("leases.run")
    return True


def _again(opened: Session, run: JobRun, holder: str, now: datetime, limit: timedelta, fate: Fate) -> bool:
    """Whether a run may be taken up again: it failed a while ago, or broke off under one who no longer leads."""
    if run.outcome == FAILED:
        ended = run.finished or run.started
        return run.tries < MOST_TRIES and not timedelta(0) <= now - ended < RETRY_AFTER
    if run.outcome != RUNNING:
        return False
    if (
        run.holder == holder or fate(run.holder) is False
    ):  # ours, and we do not do it: its end could not be written
        return True
    held = opened.exec(select(Lease).where(Lease.holder == run.holder)).first()
    alive = held is not None and _holds(held, now, LENGTH, fate)
    return not (alive and abs(now - run.started) < limit)


def again(engine: Engine, job: str) -> bool:
    """重办: lets the last planned run of a job that failed be done anew; False where it did not fail."""
    with writing(engine) as opened:
        query = select(JobRun).where(JobRun.job == job).order_by(col(JobRun.planned).desc()).limit(1)
        run = opened.exec(query).first()
        if run is None or run.outcome != FAILED:
            return False
        run.tries = 0
        run.finished = run.started - RETRY_AFTER
        opened.add(run)
        return True


def finish(engine: Engine, job: str, planned: datetime, outcome: str, log: str, now: datetime) -> None:
    """记下一次的结果."""
    with writing(engine) as opened:
        run = opened.exec(select(JobRun).where(JobRun.job == job, JobRun.planned == planned)).one()
        run.outcome, run.log, run.finished = outcome, log[-20000:], now
        opened.add(run)


def runs(engine: Engine, job: str | None = None, limit: int = 50) -> list[JobRun]:
    """作业记录, newest first."""
    query = select(JobRun).order_by(JobRun.planned.desc(), JobRun.id.desc()).limit(limit)  # type: ignore[attr-defined,union-attr]
    with session(engine) as opened:
        return list(opened.exec(query.where(JobRun.job == job) if job else query).all())
