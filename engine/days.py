"""日子: what is wrong with a day that the calendar has not."""

from __future__ import annotations

import calendar
import re

_DAY = re.compile(r"\D*?(\d{4})\D{0,2}(\d{1,2})\D{0,2}(\d{1,2})\D*")


def why_no_day(text: str) -> str:
    """没有的日子: "2026年6月没有31日" for 2026/6/31, "没有13月" for 2026-13-01; empty where the calendar is not to blame."""
    found = _DAY.fullmatch(text.strip())
    if found is None or found[1] == "0000":
        return ""
    year, month, day = (int(part) for part in found.groups())
    if not 1 <= month <= 12:
        return f"没有{month}月"
    if not 1 <= day <= calendar.monthrange(year, month)[1]:
        return f"{year}年{month}月没有{day}日"
    return ""
