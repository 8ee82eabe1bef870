"""兑现考核: the quarter's sheet: 兑现率, 按时率, 免申即享占比, 平均天数, 应享未享."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import func
from sqlalchemy.engine import Engine
from sqlmodel import col, select

from engine.grantmoves import AUTOMATIC
from engine.workdays import Calendar, UnknownYear
from store.database import session, to_fen
from store.grants import GrantCase, GrantEvent
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
    with session(engine) as opened:
        cases = opened.exec(select(GrantCase).where(GrantCase.opened <= last)).all()
        events = opened.exec(
            select(GrantEvent).where(GrantEvent.action == "到账", GrantEvent.on <= last)
        ).all()
    arrived_on: dict[int, date] = {}
    for event in events:
        arrived_on[event.grant_id] = max(event.on, arrived_on.get(event.grant_id, event.on))
    begun = [c for c in cases if first <= c.opened]
    paid = [
        c
        for c in cases
        if c.arrived and not c.reserved and first <= arrived_on.get(c.id or 0, date.min) <= last
    ]
    lengths = [(c, _days(c, arrived_on[c.id or 0], calendar)) for c in paid]
    known = [(c, n) for c, n in lengths if n is not None]
    night = last_night_of(engine, first, last, home) if home is not None else None
    waiting = [(c.amount or 0) for c in begun if not c.arrived and c.state in WAITING]
    unclaimed = waiting if night is None else list(_unclaimed(night, cases))
    return Kpi(
        quarter, len(begun), len(paid), sum(e.fen for e in events if first <= e.on),
        _share(sum(1 for c in begun if c.arrived), len(begun)),
        _share(sum(1 for c, n in known if n <= WHOLE_CHAIN[c.variant]), len(known)),
        _share(sum(1 for c in paid if c.variant == AUTOMATIC), len(paid)),
        round(sum(n for _, n in known) / len(known), 1) if known else None,
        len(unclaimed), sum(unclaimed), len(lengths) - len(known), night.no if night else None,
    )  # fmt: skip


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


def _unclaimed(night: Night, cases: Sequence[GrantCase]) -> Iterator[int]:
    """Fen of each pair of the night that fits, is money, and has neither come nor is under way."""
    served = {(c.code, c.item, c.batch) for c in cases if c.arrived or c.state not in WAITING}
    for row in night.items().itertuples():
        if row.category not in ("奖补", "减免"):
            continue
        hits = night.hits(str(row.item))
        if not len(hits):
            continue
        fits = hits[(hits["verdict"] == "符合") & (hits["gave_way"] == "")]
        for code, high in zip(fits["统一社会信用代码"], fits["paid_high"], strict=True):
            if (code, row.item, row.batch) not in served:
                yield 0 if high != high else to_fen(float(high))


def _days(case: GrantCase, arrived: date, calendar: Calendar) -> int | None:
    try:
        return calendar.between(case.opened, arrived)
    except UnknownYear:
        return None


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
