"""兑现考核: the quarter's sheet: 兑现率, 按时率, 免申即享占比, 平均天数, 应享未享."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import case as sa_case
from sqlalchemy import func
from sqlalchemy.engine import Engine
from sqlmodel import Session, col, select

from engine.grantmoves import AUTOMATIC
from engine.workdays import Calendar, UnknownYear
from store.database import session, to_fen
from store.grants import GrantCase, GrantEvent
from store.night_blocks import CODE
from store.nights import Night, last_night_of

WHOLE_CHAIN = {AUTOMATIC: 60, "即申即享": 20, "申报兑现": 60}


@dataclass(frozen=True)
class Kpi:
    """一季的考核: counts, fen, shares as fractions (None: nothing to divide by), mean working days."""

    quarter: str
    opened: int
    arrived: int
    fen: int
    rate: float | None
    on_time: float | None
    automatic: float | None
    days: float | None
    unclaimed: int
    unclaimed_fen: int
    unknown_days: int
    night: int | None = None


def quarter_of(text: str) -> tuple[date, date]:
    """一季的首末日: of 2026Q2. Raises ValueError."""
    year, mark, number = text.upper().partition("Q")
    if not (year.isdecimal() and mark and number in ("1", "2", "3", "4")):
        raise ValueError(f"季度“{text}”要写成 2026Q2")
    first = date(int(year), int(number) * 3 - 2, 1)
    beyond = date(first.year + (first.month > 9), (first.month + 2) % 12 + 1, 1)
    return first, beyond - timedelta(days=1)


WAITING = ("待提交", "企业确认", "确认逾期", "放弃", "候补")


def kpi(engine: Engine, quarter: str, calendar: Calendar, home: Path | None = None) -> Kpi:
    """考核: grants opened in the quarter, and money that arrived in it.

    应享未享 are the pairs that fit on the quarter's last released night (files in `home`), and to whom nothing has come
    and nothing is under way; without such a night, the grants of the quarter that wait for their firm or for budget.
    """
    first, last = quarter_of(quarter)
    case, event = GrantCase, GrantEvent
    begun: Any = select(func.count(), func.sum(sa_case((col(case.arrived) != 0, 1), else_=0)))
    came: Any = select(func.coalesce(func.sum(col(event.fen)), 0)).where(event.action == "到账")
    with session(engine) as opened:
        opened_now, with_money = opened.exec(begun.where(col(case.opened).between(first, last))).one()
        fen = opened.exec(came.where(col(event.on).between(first, last))).one()
        paid = _paid_in(opened, first, last)
    lengths = [(variant, _days(begin, end, calendar)) for variant, begin, end in paid]
    known = [(variant, n) for variant, n in lengths if n is not None]
    night = last_night_of(engine, first, last, home) if home is not None else None
    count, owed = _waiting(engine, first, last) if night is None else _unclaimed(engine, night, last)
    return Kpi(
        quarter, int(opened_now), len(paid), int(fen), _share(int(with_money or 0), int(opened_now)),
        _share(sum(1 for variant, n in known if n <= WHOLE_CHAIN[variant]), len(known)),
        _share(sum(1 for variant, _, _ in paid if variant == AUTOMATIC), len(paid)),
        round(sum(n for _, n in known) / len(known), 1) if known else None,
        count, owed, len(lengths) - len(known), night.no if night else None,
    )  # fmt: skip


def _paid_in(opened: Session, first: date, last: date) -> list[tuple[str, date, date]]:
    """付清的: way, first day and day of the last payment, of grants whose last payment came in the quarter."""
    case, event = GrantCase, GrantEvent
    latest = func.max(col(event.on))
    query: Any = select(col(case.variant), col(case.opened), latest).join(
        event, col(event.grant_id) == col(case.id)
    )
    query = query.where(
        event.action == "到账",
        event.on <= last,
        case.opened <= last,
        col(case.arrived) != 0,
        col(case.reserved) == 0,
    )
    query = query.group_by(col(case.id), col(case.variant), col(case.opened)).having(latest >= first)
    return [(variant, begin, end) for variant, begin, end in opened.exec(query)]


def _waiting(engine: Engine, first: date, last: date) -> tuple[int, int]:
    """等企业或等额度的 of the quarter: how many, fen."""
    case = GrantCase
    query: Any = select(func.count(), func.coalesce(func.sum(func.coalesce(col(case.amount), 0)), 0)).where(
        col(case.opened).between(first, last), col(case.arrived) == 0, col(case.state).in_(WAITING)
    )
    with session(engine) as opened:
        count, fen = opened.exec(query).one()
    return int(count), int(fen)


@dataclass(frozen=True)
class Paid:
    """已兑现: one item and batch, to how many firms money came and how much stayed with them, in fen."""

    item: str
    title: str
    batch: str
    firms: int
    fen: int


def paid_by_item(engine: Engine) -> list[Paid]:
    """已兑现 by item and batch, the largest sum first; what was taken back is left out."""
    case = GrantCase
    kept = func.sum(col(case.arrived) - col(case.recovered))
    query = (
        select(col(case.item), func.max(case.title), col(case.batch), func.count())
        .add_columns(kept)
        .where(col(case.arrived) > col(case.recovered))
        .group_by(col(case.item), col(case.batch))
        .order_by(kept.desc(), col(case.item), col(case.batch))
    )
    with session(engine) as opened:
        return [Paid(i, t or i, b, int(n), int(fen)) for i, t, b, n, fen in opened.exec(query)]  # type: ignore[call-overload]


def _unclaimed(engine: Engine, night: Night, last: date) -> tuple[int, int]:
    """应享未享: how many pairs of the night fit, are money, and have neither come nor are under way; fen of those known."""
    case = GrantCase
    query: Any = select(col(case.item), col(case.batch), col(case.code)).where(
        case.opened <= last, (col(case.arrived) != 0) | col(case.state).not_in(WAITING)
    )
    served: dict[tuple[str, str], list[str]] = defaultdict(list)
    with session(engine) as opened:
        for item, batch, code in opened.exec(query):
            served[item, batch].append(code)
    count = fen = 0
    for row in night.items().itertuples():
        if row.category in ("奖补", "减免"):
            n, worth = _of_item(night, str(row.item), served[str(row.item), str(row.batch)])
            count, fen = count + n, fen + worth
    return count, fen


def _of_item(night: Night, item: str, served: Sequence[str]) -> tuple[int, int]:
    found = night.columns_of(item, [CODE, "verdict", "gave_way", "paid_high"])
    if found is None:
        return 0, 0
    fits = pc.and_(pc.equal(found["verdict"], "符合"), pc.equal(found["gave_way"], ""))
    kept = found.filter(fits)
    if served:
        kept = kept.filter(pc.invert(pc.is_in(kept[CODE], value_set=pa.array(served))))
    sums = Counter(kept["paid_high"].to_pylist())
    known = ((high, n) for high, n in sums.items() if high is not None and high == high)
    return len(kept), sum(to_fen(float(high)) * n for high, n in known)


def _days(begin: date, end: date, calendar: Calendar) -> int | None:
    try:
        return calendar.between(begin, end)
    except UnknownYear:
        return None


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
