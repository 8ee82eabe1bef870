"""工作日历: the official one that comes with the product, and files in which an office enters a new year."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

from engine.workdays import Calendar, check_year

FILE = Path(__file__).with_name("calendar.csv")
HEADER = ["日期", "安排", "节日"]


@cache
def builtin_calendar() -> Calendar:
    """内置工作日历: the years of the bundled file (国务院办公厅 notices)."""
    rest, work = read_days(FILE)
    return Calendar(frozenset(d.year for d in rest | work), rest, work)


def read_days(path: Path) -> tuple[frozenset[date], frozenset[date]]:
    """读放假安排: a CSV of 日期, 安排 (休 or 班), 节日. Raises ValueError naming file and line."""
    rest: set[date] = set()
    work: set[date] = set()
    for number, row in _rows(path):
        place = f"{path.name}:{number}"
        if number == 1:
            if row not in (HEADER, HEADER[:2]):
                raise ValueError(f"{place} 表头应当是 {','.join(HEADER)}")
            continue
        if len(row) < 2 or row[1] not in ("休", "班"):
            raise ValueError(f"{place} 每行要写 日期,休 或 日期,班")
        try:
            day = date.fromisoformat(row[0])
        except ValueError:
            raise ValueError(f"{place} 日期“{row[0][:20]}”要写成 2027-01-01") from None
        (rest if row[1] == "休" else work).add(day)
    return frozenset(rest), frozenset(work)


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The lines that hold something, the first in any case. Raises ValueError for a file that is no table in UTF-8."""
    try:
        rows = csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""))
        yield 1, next(rows, [])
        for row in rows:
            if row:
                yield max(rows.line_num, 2), row
    except UnicodeDecodeError:
        raise ValueError(f"{path.name} 不是 UTF-8 编码，请另存为 UTF-8 的 CSV") from None
    except csv.Error:
        raise ValueError(f"{path.name} 不是一张 CSV 表，请另存为 UTF-8 的 CSV") from None


def read_year(path: Path) -> tuple[int, frozenset[date], frozenset[date]]:
    """读一年的放假安排: the file must hold one year. Raises ValueError."""
    rest, work = read_days(path)
    years = sorted({d.year for d in rest | work})
    if len(years) != 1:
        raise ValueError(f"{path.name} 应当只有一年的安排，现在有 {'、'.join(map(str, years)) or '零'} 年")
    check_year(years[0], rest, work)
    return years[0], rest, work
