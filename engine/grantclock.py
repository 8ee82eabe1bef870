"""期限和催办: by which day the present step of a grant is to be done and by whom, how late it is, who else is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from engine.grant import Grant, last_day
from engine.grantmoves import CLOCKS, ESCALATION, State
from engine.instalments import kept_plan, next_of
from engine.workdays import Calendar, UnknownYear


@dataclass(frozen=True)
class Due:
    """期限: the last day (None: the calendar does not know it), who must act, on what ground, or why there is none."""

    day: date | None
    holder: str
    basis: str
    note: str = ""


def due(grant: Grant, calendar: Calendar, days: Mapping[str, int] | None = None) -> Due | None:
    """期限: when the present step is to be done and by whom; None in a state without a clock.

    `days` are an office's own working days by state name.
    """
    clock = CLOCKS.get(grant.state)
    if clock is None:
        return None
    length = (days or {}).get(grant.state.value, clock.days)
    if grant.state == State.NOTICE:
        length = grant.notice_days
    begun = grant.since
    if grant.state == State.NOTICE and grant.facts.get("公示开始"):
        begun = date.fromisoformat(str(grant.facts["公示开始"]))
    basis = clock.basis
    if grant.state == State.PAYING and (parts := kept_plan(grant.facts.get("分期"))):
        whole = grant.arrived + grant.ordered + grant.reserved
        part = next_of(parts, grant.arrived, whole)
        if part is not None:
            if part.begins is None:
                waits = f"第{part.no}期等“{part.condition}”成立"
                return Due(None, clock.holder, basis, waits)
            begun, basis = part.begins, f"第{part.no}期从 {part.begins} 起{length}个工作日内拨付"
    try:
        day = calendar.add(begun, length)
        last = last_day(grant) if grant.state == State.INVITED else None
        return Due(min(day, last) if last else day, clock.holder, basis)
    except UnknownYear as error:
        last = last_day(grant) if grant.state == State.INVITED else None
        if last is not None and _reached(calendar, begun, last, length):
            return Due(last, clock.holder, basis)
        return Due(None, clock.holder, clock.basis, str(error))


def _reached(calendar: Calendar, begun: date, last: date, length: int) -> bool:
    """Whether a known last day comes before so many working days are over."""
    try:
        return calendar.between(begun, last) <= length
    except UnknownYear:
        return False


def lateness(due_day: date | None, on: date, calendar: Calendar) -> int | None:
    """逾期: working days past the due day (negative: left); None where either day is unknown."""
    if due_day is None:
        return None
    try:
        return calendar.between(due_day, on)
    except UnknownYear:
        return None


def escalate(holder: str, late: int | None) -> tuple[str, ...]:
    """催办对象: the holder, from the 4th working day late also 复核, from the 11th also 管理员."""
    if late is None or late <= 0:
        return (holder,)
    more = [who for limit, who in ESCALATION if late > limit]
    return tuple(dict.fromkeys((holder, *reversed(more))))  # 复核 may hold it itself
