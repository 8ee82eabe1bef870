"""接口·日历与静默: the working days that clocks count by, and the days on which no firm is interrupted."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path
from pydantic import Field

from desk.api.frame import FAULTS, WRITES, Body, Caller, JsonRoute, Once, caller, writer
from desk.pages.settings import QUIET_DAYS, enter_calendar, set_quiet
from store import review
from store.calendars import office_calendar

router = APIRouter(prefix="/api", tags=["日历与静默"], route_class=JsonRoute)
Year = Annotated[int, Path(ge=2000, le=2100, description="年份")]
Days = Annotated[list[date], Field(max_length=366)]


class Span(Body):
    """一段日子, both ends in it."""

    first: date
    last: date


class Quiet(Body):
    """静默: periods without a message, and how many days lie at least between two messages to a firm on one channel."""

    periods: Annotated[list[Span], Field(max_length=100)]
    every_days: Annotated[int, Field(ge=0, le=365)]


class Workdays(Body):
    """一年的放假安排 as the State Council publishes it: days off (weekends among them do no harm) and weekend days worked."""

    rest: Days
    work: Days


class YearAnswer(Workdays):
    """一年的工作日历: weekdays that are off, weekend days that are worked."""

    year: int


@router.get("/quiet", response_model=Quiet, responses=FAULTS)
def quiet(by: Caller = caller("settings")) -> dict[str, Any]:
    """静默期."""
    push = review.setting(by.office.engine, "push", {}) or {}
    periods = [{"first": a, "last": b} for a, b in push.get("quiet", [])]
    return {"periods": periods, "every_days": int(push.get("every_days", QUIET_DAYS))}


@router.post("/quiet", response_model=Quiet, responses=WRITES, dependencies=[Once])
def change_quiet(given: Quiet, by: Caller = writer("settings")) -> dict[str, Any]:
    """改静默期, all of them."""
    try:
        set_quiet(by.office, by.who, [(p.first, p.last) for p in given.periods], given.every_days)
    except ValueError as error:
        raise HTTPException(409, f"没有保存：{error}") from error
    return quiet(by)


@router.get("/calendar", response_model=list[YearAnswer], responses=FAULTS)
def calendar(by: Caller = caller("today")) -> list[dict[str, Any]]:
    """工作日历: every year that is known; days of another are not counted but said to be unknown."""
    known = office_calendar(by.office.engine)
    return [
        {
            "year": year,
            "rest": sorted(d for d in known.rest if d.year == year),
            "work": sorted(d for d in known.work if d.year == year),
        }
        for year in sorted(known.years)
    ]


@router.post("/calendar/{year}", response_model=YearAnswer, responses=WRITES, dependencies=[Once])
def enter_year(year: Year, given: Workdays, by: Caller = writer("settings")) -> dict[str, Any]:
    """录入一年, in place of what was known of it; every clock that the year moves is set anew."""
    try:
        rest = enter_calendar(by.office, by.who, year, frozenset(given.rest), frozenset(given.work))
    except ValueError as error:
        raise HTTPException(409, f"没有保存：{error}") from error
    return {"year": year, "rest": sorted(rest), "work": sorted(given.work)}
