"""兑现时限: days are read as written or not at all, and counted by the calendar."""

from __future__ import annotations

from datetime import date

import pytest

from engine.promise import Promise, read_promise
from engine.workdays import UnknownYear
from policies.calendar import builtin_calendar


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("20个工作日", Promise(20, True)), ("5工作日内", Promise(5, True)), ("30日以内", Promise(30, False)), ("7天", Promise(7, False)),
        ("", None), ("按季集中兑现", None), ("0个工作日", None), ("收到材料后20个工作日", None), ("3个月", None), ("20至30个工作日", None),
    ],
)  # fmt: skip
def test_days_are_read_as_written_or_not_at_all(text: str, found: Promise | None) -> None:
    assert read_promise(text) == found


def test_days_are_counted_by_the_calendar_and_an_unknown_year_is_said() -> None:
    calendar = builtin_calendar()
    assert Promise(1, True).until(date(2026, 9, 30), calendar) == calendar.next_workday(date(2026, 10, 1))
    last = Promise(3, False).until(date(2026, 9, 30), calendar)
    assert last == calendar.next_workday(date(2026, 10, 3)) and calendar.is_workday(last)
    with pytest.raises(UnknownYear):
        Promise(400, True).until(date(2026, 9, 30), calendar)
