"""轮到我的兑现: which steps of grants wait for a visitor, how many and how much, by the working-day clocks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from desk.office import Office
from desk.urls import url
from engine.fulfilment import lateness
from engine.grantmoves import CLOCKS, State
from engine.workdays import Calendar
from store import caseload
from store.calendars import office_calendar
from store.caseload import Caseload, Part

SOON = 1  # working days left, at most, of what is said to end soon
SENT = "等到账"
# What is to be done where a grant waits; of 拨付 it depends on whether the money is under way.
TO_DO = {
    State.FINANCE: "核对金额和账户，通过或退回补正", State.PAYING: "下达支付", State.RECOVERING: "收回退款",
    State.LISTED: "核查名单，定下金额", State.CREDIT: "查信用，发公示", State.HELD: "复查信用",
    State.OBJECTED: "答复异议", State.QUEUED: "看有没有额度", State.POOLED: "分配额度", State.SILENT: "联系企业确认",
}  # fmt: skip


@dataclass(frozen=True)
class Task:
    """一步要办的: grants of one step together; money in yuan, `left` the working days of the most urgent (negative: late)."""

    words: str
    to_do: str
    basis: str
    count: int
    yuan: float
    open_amounts: int
    late: int
    soon: int
    left: int | None
    href: str


def tasks(office: Office, load: Caseload) -> list[Task]:
    """轮到这个人的各步, the most urgent first; none for who has no turn."""
    key = ("turn", load, caseload.version(office.engine))
    mine = office.memory.get(
        key, lambda: caseload.parts(office.engine, load, mine=True) if load.turns else []
    )
    calendar, today = office_calendar(office.engine), office.today()
    lateness_of = {d: lateness(d, today, calendar) for d in {p.due for p in mine}}
    groups: dict[tuple[str, bool], list[Part]] = {}
    for part in mine:
        groups.setdefault((part.state, part.sent), []).append(part)
    found = [_task(state, sent, parts, lateness_of) for (state, sent), parts in groups.items()]
    return sorted(found, key=lambda t: (t.left is None, t.left or 0, -t.yuan))


def _task(state: str, sent: bool, parts: Iterable[Part], late: Mapping[date | None, int | None]) -> Task:
    parts = list(parts)
    days = [(late[p.due], p.count) for p in parts]
    known = [-d for d, _ in days if d is not None]
    clock = CLOCKS.get(State(state))
    to_do = "等银行到账，导入支付日志" if sent else TO_DO.get(State(state), "")
    return Task(
        SENT if sent else state, to_do, clock.basis if clock and not sent else "", sum(p.count for p in parts),
        sum(p.amount - p.arrived for p in parts) / 100, sum(p.undecided for p in parts),
        sum(n for d, n in days if d is not None and d > 0), sum(n for d, n in days if d is not None and -SOON <= d <= 0),
        min(known, default=None), url("fulfil", scope="轮到我", state=state),
    )  # fmt: skip


def parts_of(office: Office, load: Caseload) -> list[Part]:
    """台账的各部分, counted once a step of any grant."""
    key = ("parts", load, caseload.version(office.engine))
    return office.memory.get(key, lambda: caseload.parts(office.engine, load))


@dataclass(frozen=True)
class Bounced:
    """退回的一笔: money that a bank sent back and that waits to be paid again."""

    id: int
    firm: str
    title: str
    yuan: float
    on: date
    why: str


def bounced(office: Office, load: Caseload) -> list[Bounced]:
    """退票和冲回, not yet paid anew, the oldest first."""
    key = ("bounced", load, caseload.version(office.engine))
    found = office.memory.get(key, lambda: caseload.bounced(office.engine, load))
    return [
        Bounced(c.id or 0, c.firm or c.code, c.title, e.fen / 100, e.on, str(e.facts.get("理由") or e.action))
        for c, e in found
    ]


def urgent(office: Office, load: Caseload, most: int, others: int = 3) -> list[caseload.GrantCase]:
    """最急的: a visitor's own turns first; some of what is under way elsewhere always has room, since it may be late there."""
    mine = caseload.page(office.engine, load, "轮到我", 0, most) if load.turns else []
    seen = {c.id for c in mine}
    rest = [c for c in caseload.page(office.engine, load, "在办", 0, 2 * most) if c.id not in seen]
    rest = rest[: max(most - len(mine), others)]
    return [*mine[: most - len(rest)], *rest]


def clock_of(case: caseload.GrantCase, today: date, calendar: Calendar) -> tuple[int, int] | None:
    """时限: working days used and allowed of a grant's step; None where no day is known."""
    late = lateness(case.due, today, calendar)
    if late is None or case.due is None:
        return None
    limit = max(calendar.between(case.since, case.due) if case.due >= case.since else 0, 1)
    return max(limit + late, 0), limit
