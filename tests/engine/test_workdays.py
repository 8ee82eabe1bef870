"""工作日: arithmetic over the official calendar."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.workdays import Calendar, UnknownYear
from policies.calendar import builtin_calendar, read_year

OFFICIAL = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "cn_workdays_2018_2026.csv"
DAYS = st.dates(date(2018, 1, 1), date(2026, 11, 1))


def test_the_fifth_working_day_after_the_mid_autumn_of_2026():
    assert builtin_calendar().add(date(2026, 9, 30), 5) == date(2026, 10, 13)


def test_every_day_agrees_with_the_official_table():
    if not OFFICIAL.exists():
        pytest.skip("the official calendar of shared/data is not here")
    calendar = builtin_calendar()
    with OFFICIAL.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) > 3000
    for row in rows:
        assert calendar.is_workday(date.fromisoformat(row["date"])) == (row["is_workday"] == "1"), row


@given(DAYS, st.integers(0, 25))
def test_adding_and_counting_are_inverse(start: date, days: int):
    calendar = builtin_calendar()
    end = calendar.add(start, days)
    assert calendar.between(start, end) == days
    assert calendar.between(end, start) == -days
    assert days == 0 or calendar.is_workday(end)


def test_a_year_nobody_entered_is_said():
    calendar = builtin_calendar()
    with pytest.raises(UnknownYear, match="2027"):
        calendar.add(date(2026, 12, 30), 5)
    with pytest.raises(UnknownYear):
        calendar.next_workday(date(2027, 1, 1))


def test_the_office_enters_a_year(tmp_path):
    path = tmp_path / "2027.csv"
    path.write_text("日期,安排,节日\n2027-01-01,休,元旦\n2027-01-09,班,元旦\n", encoding="utf-8")
    calendar = builtin_calendar().with_year(*read_year(path))
    assert not calendar.is_workday(date(2027, 1, 1))
    assert calendar.is_workday(date(2027, 1, 9))
    assert calendar.add(date(2026, 12, 31), 1) == date(2027, 1, 4)
    assert calendar.is_workday(date(2026, 10, 10)) == builtin_calendar().is_workday(date(2026, 10, 10))


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("2027-01-02,休", "本来就是周末"),
        ("2027-01-04,班", "本来就上班"),
        ("2027年1月1日,休", "要写成"),
        ("2027-01-01,放", "每行要写"),
        ("2027-01-01,休\n2028-01-03,休", "只有一年"),
        ("2027-01-09,班", "一个休息日也没有"),
    ],
)
def test_a_wrong_calendar_file_names_its_fault(tmp_path, line: str, fault: str):
    path = tmp_path / "y.csv"
    path.write_text(f"日期,安排\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=fault):
        read_year(path)


def test_an_empty_calendar_knows_nothing():
    with pytest.raises(UnknownYear):
        Calendar(frozenset()).between(date(2026, 1, 1), date(2026, 1, 1) + timedelta(days=1))
