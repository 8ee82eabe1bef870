"""工作日历: the official calendar with the years that the office entered."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Column, Integer
from sqlalchemy.engine import Engine
from sqlmodel import Field, SQLModel, select

from engine.workdays import Calendar
from policies.calendar import builtin_calendar
from store.database import json_column, session, utc_column, writing


class CalendarYear(SQLModel, table=True):
    """一年的放假安排: entered by the office; goes before the bundled one."""

    __tablename__ = "calendar_year"

    year: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    rest: list[str] = Field(sa_column=json_column())
    work: list[str] = Field(sa_column=json_column())
    who: str
    at: datetime = Field(sa_column=utc_column())


def office_calendar(engine: Engine) -> Calendar:
    """本单位的工作日历."""
    calendar = builtin_calendar()
    with session(engine) as opened:
        years = opened.exec(select(CalendarYear).order_by(CalendarYear.year)).all()  # type: ignore[arg-type]
    for row in years:
        calendar = calendar.with_year(
            row.year, map(date.fromisoformat, row.rest), map(date.fromisoformat, row.work)
        )
    return calendar


def enter_year(
    engine: Engine, year: int, rest: frozenset[date], work: frozenset[date], who: str, at: datetime
) -> None:
    """录入一年; `grants.redate` then moves the days that stood open for want of it. Raises ValueError for wrong days."""
    builtin_calendar().with_year(year, rest, work)
    with writing(engine) as opened:
        days = [d.isoformat() for d in sorted(rest)], [d.isoformat() for d in sorted(work)]
        opened.merge(CalendarYear(year=year, rest=days[0], work=days[1], who=who, at=at))
