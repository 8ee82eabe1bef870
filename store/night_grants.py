"""夜里的立项: grants that a night opens by itself, and what it says of those under way."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlalchemy.engine import Engine

from engine.grantmoves import AUTOMATIC, ONCE, variant_of
from store import grants
from store.approved import APPROVED, approved_against
from store.calendars import office_calendar
from store.database import to_fen
from store.wanted import CODE, number_of, sums_of, wanted_of, works_as
from store.words import About, Wanted, about_item

if TYPE_CHECKING:
    from store.nights import Night


def _begins_by_itself(about: About) -> bool:
    return variant_of(about.delivery) in (AUTOMATIC, ONCE) and about.item.pays


def open_wanted(
    engine: Engine, night: Night, as_of: date, now: datetime, only: Collection[str] | None = None
) -> int:
    """立项: 免申即享 goes on the list, 即申即享 gets its prefilled form; the rest waits for an application."""
    opened = 0
    calendar = office_calendar(engine)
    for about, told in wanted_of(engine, night, as_of, only, _begins_by_itself):
        variant = variant_of(about.delivery)
        fitting = (w for group in told if group.verdict in ("符合", APPROVED) for w in group.wanted(about))
        found = [new_grant(about, w, variant, night.no) for w in fitting]
        opened += grants.open_grants(engine, found, as_of, now, calendar)
    return opened


def follow_night(engine: Engine, night: Night, as_of: date, now: datetime) -> int:
    """Grants under way follow the night: new sums, and marks where a pair fits no more or gave way."""
    calendar, programs = office_calendar(engine), {p.item.id: p for p in night.library().programs}
    known = grants.batches_with(engine, grants.UNDER_WAY)
    approved = approved_against(engine, as_of)
    moved = 0
    for row in night.items().itertuples():
        program = programs.get(str(row.item))
        if program is None or (program.item.id, str(row.batch)) not in known:
            continue
        about = about_item(program, str(row.batch), works_as(night, program, str(row.batch)))
        found = _found_of(night, about, approved.get((about.item.id, about.batch), frozenset()))
        moved += grants.follow_night(
            engine, about.item.id, about.batch, found, night.no, as_of, now, calendar, about.closes
        )
    return moved


def _found_of(night: Night, about: About, approved: Collection[str]) -> Callable[[str], grants.Found | None]:
    """What a night says of an enterprise's grant; an open verdict says nothing, nor does one against which people decided."""
    frame = night.hits(about.item.id)
    names = [CODE, "verdict", *sums_of(about), "gave_way"]
    rows = frame[names].itertuples(index=False, name=None) if len(frame) else ()
    said: dict[str, grants.Found | None] = {}
    for code, verdict, low, high, gave in rows:
        if gave:
            said[code] = grants.Found(gone=f"让位于 {gave}")
        elif verdict == "符合":
            low, high = number_of(low), number_of(high)
            fen = None if high is None else to_fen(high)
            said[code] = grants.Found(fen if low == high else None, fen)
        else:
            said[code] = None
    return lambda code: (
        said[code] if code in said else None if code in approved else grants.Found(gone="不再符合")
    )


def new_grant(about: About, wanted: Wanted, variant: str, run_no: int | None) -> grants.NewGrant:
    """待立项: of a pair that fits."""
    high = None if wanted.high is None else to_fen(wanted.high)
    exact = wanted.high is not None and wanted.low == wanted.high
    days = dict(about.item.guide).get("publicity")
    digits = "".join(ch for ch in str(days or "") if ch.isdecimal())
    return grants.NewGrant(
        wanted.firm, wanted.name, wanted.item, wanted.batch, about.item.title, about.item.department, variant,
        high if exact else None, high, int(digits) if digits else 5, run_no, about.closes,
        about.item.benefit.instalments if about.item.benefit else (), deadline=about.item.deadline,
    )  # fmt: skip
