"""主班与作业记录: one leader at a time, and every planned run of a job done once, however many processes there are."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Text, UniqueConstraint
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError
from sqlmodel import Column, Field, Session, SQLModel, select

from store.database import id_column, session, utc_column, writing
from store.faults import point

LENGTH = timedelta(seconds=60)
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


def lead(engine: Engine, name: str, holder: str, now: datetime, length: timedelta = LENGTH) -> bool:
    """争主班: takes or keeps the lead; False while another holds it. A lease dated far ahead (clock set back) is void."""
    try:
        with writing(engine) as opened:
            lease = opened.exec(select(Lease).where(Lease.name == name).with_for_update()).one_or_none()
            if lease is None:
                lease = Lease(name=name, holder=holder, until=now + length)
            elif lease.holder != holder and now < lease.until <= now + 2 * length:
                return False
            lease.holder, lease.until = holder, now + length
            opened.add(lease)
    except IntegrityError:  # two made the first row at once: the other one did
        return False
    point("leases.taken")
    return True


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
) -> bool:
    """开始一次: True where this planned run is ours to do; one that broke off is taken up again, so many times."""
    try:
        with writing(engine) as opened:
            run = opened.exec(
                select(JobRun).where(JobRun.job == job, JobRun.planned == planned).with_for_update()
            ).one_or_none()
            if run is None:
                opened.add(JobRun(job=job, planned=planned, started=now, outcome=RUNNING, holder=holder))
            elif not _fallen(opened, run, holder, now, limit):
                return False
            else:
                run.holder, run.started, run.tries = holder, now, run.tries + 1
                opened.add(run)
    except IntegrityError:
        return False
    point("leases.run")
    return True


def _fallen(opened: Session, run: JobRun, holder: str, now: datetime, limit: timedelta) -> bool:
    """Whether a run broke off under another who no longer leads, and may be taken up again."""
    if run.outcome != RUNNING or run.tries >= MOST_TRIES or run.holder == holder:
        return False
    held = opened.exec(select(Lease).where(Lease.holder == run.holder)).first()
    alive = held is not None and held.until > now
    return not (alive and abs(now - run.started) < limit)


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


def last_planned(engine: Engine, job: str) -> datetime | None:
    """最近一次计划时刻 that was begun."""
    found = runs(engine, job, 1)
    return found[0].planned if found else None
