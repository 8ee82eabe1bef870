"""草稿的批次: an item's window as the batches of a rule file."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from .decompose.amounts import one_line

UNTOLD = "条文没有写受理期，这两天是暂填的，请定"


def batches_of(
    window: Mapping[str, Any], facts: Mapping[str, Any], as_of: dt.date
) -> dict[int | str, dict[str, Any]]:
    """批次: the item's window as batches; several (第一批, 第二批) each its own, the next opening the day after the one before."""
    parts = [w for w in window.get("parts", ()) if len(str(w.get("to", ""))) == 10]
    if len(parts) < 2:
        return _batch(window, facts, as_of)
    out: dict[int | str, dict[str, Any]] = {}
    since = ""
    for n, part in enumerate(sorted(parts, key=lambda w: str(w["to"])), 1):
        own = {**part, "from": part.get("from") or since} if part.get("from") or since else part
        ((year, batch),) = _batch(own, facts, as_of).items()
        out[f"{year}-{n}"] = batch | {"note": f"{part['name']}：{one_line(str(part['quote']))}"}
        since = (dt.date.fromisoformat(batch["closes"]) + dt.timedelta(days=1)).isoformat()
    return out


def _batch(
    window: Mapping[str, Any], facts: Mapping[str, Any], as_of: dt.date
) -> dict[int | str, dict[str, Any]]:
    """One batch of a window; a day that comes each year (03-01), or at any time (常年), in the year of `as_of`."""
    start, stop = (_this_year(str(window.get(k) or ""), as_of) for k in ("from", "to"))
    always = window.get("kind") == "常年"
    if always or _yearly(window):
        start = start or f"{as_of.year}-01-01"
        stop = stop or min(facts.get("expires") or f"{start[:4]}-12-31", f"{start[:4]}-12-31")
    since = facts.get("effective") or facts.get("issued")
    opens = (
        (start if len(start) == 10 else "") or since or (stop and f"{stop[:4]}-01-01") or as_of.isoformat()
    )
    opens = max(opens, since or opens)
    closes = stop if len(stop) == 10 else facts.get("expires") or f"{opens[:4]}-12-31"
    if closes < opens:
        closes = f"{opens[:4]}-12-31"
    year = int(opens[:4])
    batch: dict[str, Any] = {"year": year - 1, "opens": opens, "closes": closes}
    note = one_line(str(window["quote"])) if always or _yearly(window) else "" if start or stop else UNTOLD
    return {year: batch | ({"note": note} if note else {})}


def _yearly(window: Mapping[str, Any]) -> bool:
    return any(re.fullmatch(r"\d\d-\d\d", str(window.get(k) or "")) for k in ("from", "to"))


def _this_year(day: str, as_of: dt.date) -> str:
    return f"{as_of.year}-{day}" if re.fullmatch(r"\d\d-\d\d", day) else day
