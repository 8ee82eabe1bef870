"""台账的查法: counts, sums and one page of the grants, reckoned in the database so that 10^5 of them stay quick."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import case, func
from sqlalchemy.engine import Engine
from sqlmodel import col, select

from engine.grantmoves import FINAL, State
from engine.workdays import Calendar, UnknownYear
from store.database import session
from store.grants import GrantCase, GrantEvent

SCOPES = ("在办", "逾期", "超承诺", "轮到我", "已到账", "不再办")
LARGE = 5000
PAID = (State.ARRIVED.value, State.DONE.value)
OVER = tuple(s.value for s in FINAL)
GONE = tuple(s.value for s in FINAL if s != State.DONE)


@dataclass(frozen=True)
class Caseload:
    """要看的台账: whose, of which item, whose turn; `late_before` and `late_from` bound the due days that are late (None: none)."""

    department: str = ""
    firms: frozenset[str] | None = None
    item: str = ""
    turns: frozenset[str] = frozenset()
    late_before: date | None = None
    late_from: date | None = None

    def on(self, today: date, calendar: Calendar) -> Caseload:
        """在这一天: with the due days that are late by working days; days of years that the calendar does not know never are."""
        try:
            last = today
            while not calendar.is_workday(last):
                last -= timedelta(days=1)
        except UnknownYear:
            return self
        year = last.year
        while year - 1 in calendar.years:
            year -= 1
        return replace(self, late_before=last, late_from=date(year, 1, 1) - timedelta(days=1))


@dataclass(frozen=True)
class Part:
    """一部分: the grants of one state, holder and lateness; fen."""

    state: str
    holder: str
    late: bool
    count: int
    amount: int
    arrived: int
    undecided: int
    broken: bool = False

    def within(self, scope: str, turns: frozenset[str]) -> bool:
        """属于哪个范围."""
        if scope == "在办":
            return self.state not in OVER and self.state != State.ARRIVED
        if scope == "逾期":
            return self.late
        if scope == "超承诺":
            return self.broken
        if scope == "轮到我":
            return self.state not in OVER and self.holder in turns
        return self.state in (PAID if scope == "已到账" else GONE)


def parts(engine: Engine, load: Caseload) -> list[Part]:
    """各部分的笔数和金额, in one query."""
    late, broken = case((_late(load), 1), else_=0), case((_broken(load), 1), else_=0)
    c = GrantCase
    query: Any = select(
        col(c.state), col(c.holder), late, func.count(), func.coalesce(func.sum(col(c.amount)), 0),
        func.coalesce(func.sum(col(c.arrived)), 0), func.sum(case((col(c.amount).is_(None), 1), else_=0)), broken,
    )  # type: ignore[call-overload]  # fmt: skip
    query = query.where(*_wheres(load)).group_by(col(c.state), col(c.holder), late, broken)
    with session(engine) as opened:
        return [
            Part(s, h, bool(x), int(n), int(a), int(p), int(u), bool(b))
            for s, h, x, n, a, p, u, b in opened.exec(query)
        ]


def many(engine: Engine) -> bool:
    """是不是大台账: too many grants to go through while somebody waits."""
    with session(engine) as opened:
        return int(opened.exec(select(func.max(GrantCase.id))).one() or 0) > LARGE


def page(engine: Engine, load: Caseload, scope: str, start: int, size: int) -> list[GrantCase]:
    """一页, the most urgent first: what has no day after what has one, what is over last.

    The first so many of each state are read off the index of states and days and put together, so that a page near the
    beginning costs the same however many there are.
    """
    if scope == "超承诺":
        return _page_of_broken(engine, load, start, size)
    wheres, c = _wheres(load), GrantCase
    if scope == "轮到我":
        wheres.append(col(c.holder).in_(sorted(load.turns)))
    ids: list[tuple[bool, bool, date, int]] = []
    with session(engine) as opened:
        for state in _states(scope):
            query: Any = select(col(c.due), col(c.id)).where(c.state == state, *wheres)
            dated = query.where(col(c.due).is_not(None)).order_by(col(c.due), col(c.id))
            if scope == "逾期":
                dated = dated.where(_late(load))
            ids += [(state in OVER, False, due, n) for due, n in opened.exec(dated.limit(start + size))]
            if scope != "逾期":
                bare = query.where(col(c.due).is_(None)).order_by(col(c.id)).limit(start + size)
                ids += [(state in OVER, True, date.max, n) for _, n in opened.exec(bare)]
        wanted = [row[-1] for row in sorted(ids)[start : start + size]]
        held = {g.id: g for g in opened.exec(select(c).where(col(c.id).in_(wanted)))}
    return [held[n] for n in wanted]


def _page_of_broken(engine: Engine, load: Caseload, start: int, size: int) -> list[GrantCase]:
    """超过承诺时限的一页, the longest first."""
    query = select(GrantCase).where(_broken(load), *_wheres(load))
    ordered = query.order_by(col(GrantCase.promised), col(GrantCase.id)).offset(start).limit(size)
    with session(engine) as opened:
        return list(opened.exec(ordered))


LISTED = ("code", "firm", "title", "batch", "state", "holder", "amount", "arrived", "due", "promised")


def each(engine: Engine, load: Caseload, portion: int = 5000) -> Iterator[Sequence[Any]]:
    """全部, columns LISTED in portions: what is under way first, then what arrived, then what is over; the earliest day first."""
    c = GrantCase
    group = case((col(c.state).in_(GONE), 2), (col(c.state).in_(PAID), 1), else_=0)
    query: Any = select(*(col(getattr(c, name)) for name in LISTED)).where(*_wheres(load))
    ordered = query.order_by(group, col(c.due).is_(None), col(c.due), col(c.id))
    with session(engine) as opened:
        yield from opened.exec(ordered.execution_options(yield_per=portion)).partitions(portion)


def how_many(engine: Engine, load: Caseload) -> int:
    """多少笔."""
    with session(engine) as opened:
        return int(opened.exec(select(func.count()).select_from(GrantCase).where(*_wheres(load))).one())


def _states(scope: str) -> list[str]:
    """范围里的状态."""
    open_ones = [s.value for s in State if s not in FINAL]
    if scope == "在办":
        return [s for s in open_ones if s != State.ARRIVED.value]
    if scope in ("逾期", "轮到我"):
        return open_ones
    return list(PAID if scope == "已到账" else GONE)


def late_count(engine: Engine, load: Caseload) -> int:
    """逾期的笔数."""
    c, total = GrantCase, 0
    with session(engine) as opened:
        for state in _states("逾期"):
            query: Any = (
                select(func.count()).select_from(c).where(c.state == state, _late(load), *_wheres(load))
            )
            total += int(opened.exec(query).one())
    return total


def version(engine: Engine) -> int:
    """台账的版本: the newest step's number; every move of a grant writes one."""
    with session(engine) as opened:
        return int(opened.exec(select(func.max(GrantEvent.id))).one() or 0)


def listed(
    engine: Engine, load: Caseload, code: str, state: str, start: int, size: int
) -> tuple[int, list[GrantCase]]:
    """一页 by number, with how many there are in all."""
    wheres = _wheres(load)
    wheres += [col(GrantCase.code) == code] if code else []
    wheres += [col(GrantCase.state) == state] if state else []
    with session(engine) as opened:
        total = int(opened.exec(select(func.count()).select_from(GrantCase).where(*wheres)).one())
        query = select(GrantCase).where(*wheres).order_by(col(GrantCase.id)).offset(start).limit(size)
        return total, list(opened.exec(query))


def money_of_year(engine: Engine, year: int, department: str = "") -> list[tuple[str, int, int]]:
    """本年资金: arrived, ordered and not arrived, on notice; fen and how many, of grants opened in the year."""
    c = GrantCase
    first, last = date(year, 1, 1), date(year, 12, 31)
    base = [col(c.opened).between(first, last), *([col(c.department) == department] if department else [])]
    wanted: Iterable[tuple[str, Any, Any]] = (
        ("已到账", col(c.arrived), col(c.arrived) > 0),
        ("已拨出未到账", col(c.ordered), col(c.ordered) > 0),
        (
            "公示中",
            col(c.amount),
            (col(c.state) == State.NOTICE.value) & (func.coalesce(col(c.amount), 0) > 0),
        ),
    )
    out = []
    with session(engine) as opened:
        for words, fen, where in wanted:
            query: Any = select(func.coalesce(func.sum(fen), 0), func.count()).where(*base, where)
            total, count = opened.exec(query).one()
            out.append((words, int(total), int(count)))
    return out


def _wheres(load: Caseload) -> list[Any]:
    out: list[Any] = []
    if load.department:
        out.append(col(GrantCase.department) == load.department)
    if load.firms is not None:
        out.append(col(GrantCase.code).in_(sorted(load.firms)))
    if load.item:
        out.append(col(GrantCase.item) == load.item)
    return out


def _broken(load: Caseload) -> Any:
    """过了事项自己承诺的日子 and the money has not all come."""
    promised, state = col(GrantCase.promised), col(GrantCase.state)
    if load.late_before is None or load.late_from is None:
        return state.is_(None)
    inside = (promised < load.late_before) & (promised >= load.late_from)
    return promised.is_not(None) & inside & state.not_in((*OVER, State.ARRIVED.value))


def _late(load: Caseload) -> Any:
    due, state = col(GrantCase.due), col(GrantCase.state)
    if load.late_before is None or load.late_from is None:
        return state.is_(None)
    return state.not_in(OVER) & due.is_not(None) & (due < load.late_before) & (due >= load.late_from)
