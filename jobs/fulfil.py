"""兑现的时钟: what time alone moves, who is late and who must be told, and paid grants as data for tomorrow."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from engine.fulfilment import Refused, escalate, lateness
from engine.grantmoves import State
from engine.workdays import Calendar
from store import grants
from store.calendars import office_calendar
from store.database import Engine
from store.grants import SYSTEM, GrantCase
from store.turns import Turn, Turns

BY_TIME = {State.NOTICE: "公示期满", State.CONFIRM: "逾期未确认", State.ARRIVED: "归档"}
OPEN = tuple(
    s for s in State if s not in (State.DONE, State.DECLINED, State.REFUSED, State.REVOKED, State.RECOVERED)
)


@dataclass
class ClockReport:
    """时钟小结: moves by name, and what the calendar does not know."""

    moved: dict[str, int] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)


def advance(engine: Engine, on: date, at: datetime) -> ClockReport:
    """走时钟: every move that only time was waiting for; safe to kill and to repeat."""
    calendar = office_calendar(engine)
    report = ClockReport()
    # A calendar that was entered or mended since moves the days of what stands under it.
    if renewed := grants.redate(engine, calendar, at):
        report.moved["改期"] = renewed
    for state, action in BY_TIME.items():
        for case in grants.find(engine, states=[state]):
            if case.due is None:
                report.unknown.append(f"{case.key}：{case.due_note}")
            elif case.due < on:
                _try(engine, case, action, on, at, calendar, report)
    for item, batch in sorted({(c.item, c.batch) for c in grants.find(engine, states=[State.QUEUED])}):
        moved = grants.promote(engine, item, batch, on, at, calendar)
        report.moved["递补"] = report.moved.get("递补", 0) + moved
    return report


def _try(
    engine: Engine,
    case: GrantCase,
    action: str,
    on: date,
    at: datetime,
    calendar: Calendar,
    report: ClockReport,
) -> None:
    request = f"clock:{case.id}:{action}:{case.since}"
    try:
        grants.act(engine, case.id or 0, action, SYSTEM, on, at, calendar, request=request)
        report.moved[action] = report.moved.get(action, 0) + 1
    except Refused as refused:  # moved meanwhile, or an objection stands: said, not forced
        report.unknown.append(f"{case.key}：{refused}")


@dataclass(frozen=True)
class Late:
    """期限一行: a grant with its working days over (negative: left; None unknown), who is to be told, and how far it is past
    the day that its item promises (None: no promise, or the money has come)."""

    case: GrantCase
    late: int | None
    tell: tuple[str, ...]
    turn: Turn
    broken: int | None = None


def deadlines(
    engine: Engine, on: date, within: int = 3, *, tell: str = "", department: str = "", who: str = ""
) -> list[Late]:
    """到期与逾期: the latest first, then those due within so many working days; unknown years last, said.

    Only what one role is to be told of (`tell`: its own turn, or escalated to it), one department's, or what one
    person (`who`, a login) has to see to.
    """
    calendar, turns = office_calendar(engine), Turns(engine)
    found = []
    for case in grants.find(engine, states=OPEN, order="due"):
        if department and case.department != department:
            continue
        late = lateness(case.due, on, calendar)
        if late is None and case.due is not None and case.due > on and case.promised is None:
            continue  # known, and beyond the calendar: years away
        broken = None if case.state == State.ARRIVED else lateness(case.promised, on, calendar)
        worst = max((n for n in (late, broken) if n is not None), default=None)
        told = escalate(case.holder, worst)
        if (worst is not None and worst < -within) or (tell and tell not in told):
            continue
        turn = turns.of(case, told)
        if not who or who in turn.logins:
            found.append(Late(case, late, told, turn, broken))
    return sorted(found, key=lambda one: (one.late is None, -(one.late or 0), one.case.id or 0))


def paid_facts(engine: Engine) -> Iterator[tuple[str, str, int, int, str]]:
    """已兑现: per firm and year the fen that arrived and stayed, and the items, from the grants' own steps."""
    sums: dict[tuple[str, int], tuple[str, int, set[str]]] = {}
    for case, event in grants.steps(engine, ("到账", "冲回", "退款")):
        key = (case.code, event.on.year)
        firm, fen, items = sums.get(key, (case.firm, 0, set()))
        change = event.fen if event.action == "到账" else -event.fen
        sums[key] = (firm, fen + change, items | {case.item})
    for (code, year), (firm, fen, items) in sorted(sums.items()):
        yield code, firm, year, fen, ";".join(sorted(items))


def write_facts(engine: Engine, inbox: Path, on: date) -> tuple[Path, int]:
    """写回: the ledger as a department file in the inbox, read by tonight's import like any other."""
    inbox.mkdir(parents=True, exist_ok=True)
    target = inbox / f"兑现台账_{on:%Y%m%d}.csv"
    part = inbox / f".{target.name}.{os.getpid()}.part"
    count = 0
    with part.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["统一社会信用代码", "企业名称", "年度", "已兑现金额(元)", "已享受事项"])
        for code, firm, year, fen, items in paid_facts(engine):
            writer.writerow([code, firm, year, f"{max(fen, 0) / 100:.2f}", items])
            count += 1
    part.replace(target)
    return target, count
