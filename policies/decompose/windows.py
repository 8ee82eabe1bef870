"""时间窗口: when an item can be applied for, from 申报期 lines and from dates that open a benefit sentence."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

from policies.segment import role_of_field

from .binding import entry
from .model import Item
from .pieces import Reading
from .quantities import DATE, date_of
from .spans import body_of

_RANGE = re.compile(
    r"(?:（[^）]*）)?(?:起)?(?:至|到|-|—|～|~)(?:(?P<y>\d{4})年)?(?P<m>\d{1,2})月(?:(?P<d>\d{1,2})[日号])?"
)
_UNTIL = re.compile(r"^(?:（[^）]*）)?(?:\d{1,2}[：:时点]\d{0,2}时?)?(?:之?前|以前|止|截[止至]|下班前)")
_SINCE = re.compile(r"^(?:（[^）]*）)?(?:起|开始|以后|之后)")
_SHORT = re.compile(r"(?P<m>\d{1,2})月(?P<d>\d{1,2})[日号]")


def window_in(flat: str, year: int | None, issued: str | None) -> dict[str, Any]:
    """窗口: from and to of a squeezed sentence; an empty mapping where it names no day."""
    out: dict[str, Any] = {}
    first = DATE.search(flat)
    if first is None:
        return _short(flat, year)
    start = date_of(first)
    tail = flat[first.end() :]
    m = _RANGE.match(tail)
    before = flat[: first.start()]
    if m and start:
        out["from"] = start
        stop = date_of(m, int(start[:4]))
        if stop:
            out["to"] = stop
    elif re.search(r"(?:印发|发布|公布|即)之?日起?(?:至|到)?$", before) and issued:
        out = {"from": issued, "to": start}
    elif (
        re.search(r"截[止至]", before[-14:])
        or _UNTIL.match(tail)
        or re.search(r"(?:截[止至]|至)(?:时间)?(?:为)?$", before)
    ):
        out["to"] = start
    elif _SINCE.match(tail) or re.search(r"(?:自|从)$", before):
        out["from"] = start
    return {k: v for k, v in out.items() if v}


def _short(flat: str, year: int | None) -> dict[str, Any]:
    if year is None:
        return {}
    found = list(_SHORT.finditer(flat))
    if not found:
        return {}
    first = date_of(found[0], year)
    if re.search(r"开放|开始", flat[: found[0].start()]) and not re.search(r"截[止至]", flat):
        return {"from": first}
    if len(found) > 1 and re.match(r"(?:至|到|-|—|～)", flat[found[0].end() :]):
        return {"from": first, "to": date_of(found[1], year)}
    if re.search(r"截[止至]|于", flat[: found[0].start()]) or _UNTIL.match(flat[found[0].end() :]):
        return {"to": first}
    return {}


def issued_day(lines: list[str]) -> str | None:
    """成文日期: the day a document is signed with: the last line that is only a date, else the first."""
    only = re.compile(
        r"^[（(]?\s*(?:发布(?:时间|日期)[：:])?\s*\d{4}\s*[年.-]\s*\d{1,2}\s*[月.-]\s*\d{1,2}\s*日?(?:印发)?[^\d年]{0,2}(?:\d\d:\d\d.*)?[）)]?$"
    )
    days = []
    for line in lines:
        body = re.sub(r"\s+", "", line)
        if only.match(body) and not body.startswith("发布"):
            m = DATE.search(body)
            day = date_of(m) if m else None
            if day and len(day) == 10:
                days.append(day)
    return days[-1] if days else None


def later(day: str, years: int) -> str:
    """加年: the day `years` later, less one day."""
    d = dt.date.fromisoformat(day)
    month, number = d.month, d.day
    if (month, number) == (2, 29):
        number = 28
    return (dt.date(d.year + years, month, number) - dt.timedelta(days=1)).isoformat()


_VALID = re.compile(r"施行|实施|执行|有效期|实行年限|解释|废止|政策期限|适用期")
_APPLIES = re.compile(r"申[报请]|受理|填报|报送|提交|认定|注册|截[止至]")
_HARVEST = re.compile(r"公示|审核|评审|初审|拨付|查验")


def share_windows(
    reading: Reading, items: Sequence[Item], roles: list[list[str]], issued: str | None
) -> None:
    """时间归属: dates in an item's own sentences, else those of the 申报时间 of its section or the document."""
    year = _year(reading, issued)
    shared: list[tuple[float, int, dict[str, Any]]] = []
    for k, names in enumerate(roles):
        flat, timed = reading.views[k].flat, role_of_field(reading.clauses[k].field_name) == "window"
        own = [i for i in items if k in i.clauses and not i.title_only]
        if not ("window" in names or timed or own):
            continue
        found = window_in(flat, year, issued)
        if not found:
            continue
        told = entry(reading, k, *body_of(flat), 1.0) | found
        if own and not timed and "condition" in names and _opens(flat):
            for i in own:
                i.window = i.window or told
        elif "window" in names or timed:
            shared.append((_rank(flat, timed, found), k, told))
    best = max(shared, key=lambda x: (x[0], x[1]), default=None)
    for i in items:
        if not i.window and best is not None and best[0] > 0:
            i.window = dict(best[2])


def _opens(flat: str) -> bool:
    """A date that opens a giving sentence says from when it is given (从…起, …至…，对…)."""
    return bool(re.match(r"^.{0,16}?(?:[自从]?\d{4}年\d{1,2}月)", flat)) or bool(
        re.search(r"[自从]\d{4}年\d{1,2}月.{0,24}(?:起|至)", flat)
    )


def _rank(flat: str, timed: bool, found: dict[str, Any]) -> float:
    if _VALID.search(flat) and not _APPLIES.search(flat) and not timed:
        return -1.0
    return (
        (2.0 if timed else 0.0)
        + (1.0 if _APPLIES.search(flat) else 0.0)
        + (0.5 if re.search(r"系统|网上|企业", flat) else 0.0)
        + (0.3 if "from" in found and "to" in found else 0.0)
        - (2.0 if _HARVEST.search(flat) else 0.0)
    )


def _year(reading: Reading, issued: str | None) -> int | None:
    """The year that a day without one belongs to: that of the call's title, else of its date."""
    for v in reading.views[:6]:
        if m := re.search(r"(20\d{2})年(?!\d)", v.flat):
            return int(m[1])
    return int(issued[:4]) if issued else None
