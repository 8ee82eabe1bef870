"""工作日: counting working days over a calendar with 调休; a year nobody entered is said, never guessed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta


class UnknownYear(ValueError):
    """没有这一年的工作日历."""

    def __init__(self, year: int):
        self.year = year
        super().__init__(
            f"没有{year}年的工作日历：国务院办公厅的放假通知发布后，请用 huiqi fulfil calendar --add 录入"
        )


@dataclass(frozen=True)
class Calendar:
    """工作日历: the years known, weekdays that are off (休) and weekend days that are worked (班)."""

    years: frozenset[int]
    rest: frozenset[date] = frozenset()
    work: frozenset[date] = frozenset()

    def is_workday(self, day: date) -> bool:
        """是否工作日. Raises UnknownYear."""
        if day.year not in self.years:
            raise UnknownYear(day.year)
        return day in self.work or (day.isoweekday() <= 5 and day not in self.rest)

    def add(self, start: date, days: int) -> date:
        """第 N 个工作日: the `days`-th working day after `start`, the starting day not counted (民法典第201条)."""
        day, left = start, days
        while left > 0:
            day += timedelta(days=1)
            left -= self.is_workday(day)
        return day

    def between(self, start: date, end: date) -> int:
        """相隔工作日: working days after `start` up to and with `end`; negative where `end` lies before."""
        if end < start:
            return -self.between(end, start)
        days = (start + timedelta(days=n) for n in range(1, (end - start).days + 1))
        return sum(self.is_workday(day) for day in days)

    def next_workday(self, day: date) -> date:
        """顺延: the day itself, or the next working day (民法典第203条)."""
        while not self.is_workday(day):
            day += timedelta(days=1)
        return day

    def with_year(self, year: int, rest: Iterable[date], work: Iterable[date]) -> Calendar:
        """录入一年: the calendar with one year put in place of what was known of it. Raises ValueError."""
        rest, work = frozenset(rest), frozenset(work)
        check_year(year, rest, work)
        return Calendar(
            self.years | {year},
            frozenset(d for d in self.rest if d.year != year) | rest,
            frozenset(d for d in self.work if d.year != year) | work,
        )


def check_year(year: int, rest: frozenset[date], work: frozenset[date]) -> None:
    """核对一年的放假安排. Raises ValueError naming the day and the cure."""
    for day in sorted(rest | work):
        if day.year != year:
            raise ValueError(f"{day} 不在{year}年里")
    for day in sorted(rest):
        if day.isoweekday() > 5:
            raise ValueError(f"{day} 本来就是周末，不用写“休”")
    for day in sorted(work):
        if day.isoweekday() <= 5:
            raise ValueError(f"{day} 本来就上班，不用写“班”")
    if not rest:
        raise ValueError(f"{year}年一个休息日也没有：请录入全年的放假安排")
