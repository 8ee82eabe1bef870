"""文字与规则不一致: the analysts' queue of a night, as it or one before kept it, or worked out once beside; what was looked at is on record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from analysis import View
from analysis.disagree import disagreements
from desk.beside import beside
from desk.office import CODE, Office
from desk.said import short_label
from store import review
from store.night_doubts import Kept, latest_doubts, next_day
from store.nights import Night

MOST = 300
SEEN = "看过文字与规则的不一致："
NOT_YET = object()


@dataclass(frozen=True)
class Doubt:
    """一条不一致: a pair and condition, which way, how sure the words are (0 to 1), yuan at stake."""

    item: str
    title: str
    code: str
    name: str
    condition: str
    label: str
    quote: str
    way: str
    chance: float
    yuan: float
    industry: str
    scope: str


@dataclass(frozen=True)
class Queue:
    """一次对照: what still stands of it, and the night and day whose data were looked at."""

    run: int
    day: date
    rows: list[Doubt]


def doubts(office: Office, night: Night) -> Queue | None:
    """不一致的 that stand for a night, the most money first; None while they are being worked out."""
    found: Any = office.memory.get(("doubts", night.no), lambda: NOT_YET)
    if found is not NOT_YET:
        return found
    kept = latest_doubts(night.home, night.no, night.as_of)
    if kept is not None and (kept.run == night.no or night.as_of < next_day(office.engine, kept.day)):
        return _keep(office, night, kept)
    beside(("doubts", str(night.home), night.no), lambda: work_out(office, night))
    return None


def work_out(office: Office, night: Night) -> Queue:
    """算出来, and keep: some seconds of work for a night that did not look itself, since no scores are learned."""
    return _keep(office, night, Kept(night.no, night.as_of, disagreements(View(night), MOST)))


def _keep(office: Office, night: Night, kept: Kept) -> Queue:
    rows = kept.rows if kept.run == night.no else kept.rows[list(_standing(night, kept.rows))]
    made = Queue(kept.run, kept.day, _doubts(office, night, rows.to_dict("records")))
    office.memory.put(("doubts", night.no), made)
    return made


def _standing(night: Night, rows: pd.DataFrame) -> Iterator[bool]:
    """Whether the rule still says tonight what it said when they were found: what changed since is no difference to look at."""
    verdicts: dict[str, dict[str, str]] = {}
    for item, code, way in zip(rows["item"], rows[CODE], rows["方向"], strict=True):
        if item not in verdicts:
            part = night.part(item, [CODE, "verdict"])
            verdicts[item] = dict(zip(part[CODE], part["verdict"].astype(str), strict=True))
        yield verdicts[item].get(code, "不符合") == ("不符合" if way.startswith("文字像") else "符合")


def _doubts(office: Office, night: Night, rows: list[dict[Any, Any]]) -> list[Doubt]:
    columns = night.columns()
    out = []
    for r in rows:
        bound, row = office.bound(night, r["item"]), office.row_numbers(night).get(r[CODE])
        if bound is None or row is None or r["条件"] not in bound.ids:
            continue
        condition = bound.program.conditions[bound.ids.index(r["条件"])].condition
        out.append(
            Doubt(
                r["item"], r["事项"], r[CODE], r["企业名称"] or r[CODE], r["条件"], short_label(condition), condition.quote,
                r["方向"], float(r["文字估计"]), float(r["金额"]), _text(columns, "行业代码", row), _text(columns, "经营范围", row),
            )
        )  # fmt: skip
    return out


def _text(columns: Any, name: str, row: int) -> str:
    found = columns.category(name, None)
    at = int(found.codes[row])
    return str(found.names[at]) if at >= 0 else ""


def seen_pairs(office: Office) -> dict[tuple[str, str], review.ReviewDecision]:
    """看过的 by item and enterprise: the newest note that says so."""
    out: dict[tuple[str, str], review.ReviewDecision] = {}
    for made in review.notes_beginning(office.engine, SEEN):
        out.setdefault((made.item, made.code), made)
    return out
