"""台账的查法: counts, sums and one page of the grants, reckoned in the database so that 10^5 of them stay quick."""

from __future__ import annotations

from collections import Counter
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
BUCKET = 4096  # grants' numbers counted together, so that a place among many of one day is known
Place = tuple[bool, bool, date, int]  # over, without a day, the day, the number
FIRST: Place = (False, False, date.min, 0)
PAID = (State.ARRIVED.value, State.DONE.value)
OVER = tuple(s.value for s in FINAL)
GONE = tuple(s.value for s in FINAL if s != State.DONE)


@dataclass(frozen=True)
class Caseload:
    """要看的台账: whose, of which item and state, whose turn; `late_before` and `late_from` bound the due days that are late (None: none)."""

    department: str = ""
    firms: frozenset[str] | None = None
    item: str = ""
    turns: frozenset[str] = frozenset()
    late_before: date | None = None
    late_from: date | None = None
    state: str = ""

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
    """一部分: the grants of one state, holder and day, and of one span of BUCKET numbers; fen.

    `sent`: finance has ordered all that is due, it has not all arrived.
    """

    state: str
    holder: str
    due: date | None
    bucket: int
    late: bool
    count: int
    amount: int
    arrived: int
    undecided: int
    broken: bool = False
    sent: bool = False

    @property
    def place(self) -> Place:
        """排在哪里: where the part stands in a page's order."""
        return (self.state in OVER, self.due is None, self.due or date.max, self.bucket * BUCKET)

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


def parts(engine: Engine, load: Caseload, mine: bool = False) -> list[Part]:
    """各部分的笔数和金额, in one query; `mine`: of 轮到我 alone, which reads no grant that is over."""
    late, broken = case((_late(load), 1), else_=0), case((_broken(load), 1), else_=0)
    c = GrantCase
    under_way = (col(c.state) == State.PAYING.value) & (col(c.ordered) > 0) & (col(c.reserved) == 0)
    sent = case((under_way, 1), else_=0)
    keys = (col(c.state), col(c.holder), col(c.due), col(c.id) // BUCKET, late, broken, sent)
    query: Any = select(
        *keys, func.count(), func.coalesce(func.sum(col(c.amount)), 0),
        func.coalesce(func.sum(col(c.arrived)), 0), func.sum(case((col(c.amount).is_(None), 1), else_=0)),
    )  # type: ignore[call-overload]  # fmt: skip
    if mine:
        turn = col(c.holder).in_(sorted(load.turns))
        query = query.where(col(c.state).in_(_states("轮到我")), turn)
    query = query.where(*_wheres(load)).group_by(*keys)
    with session(engine) as opened:
        return [
            Part(s, h, day, int(k), bool(x), int(n), int(a), int(p), int(u), bool(b), bool(w))
            for s, h, day, k, x, b, w, n, a, p, u in opened.exec(query)
        ]


def many(engine: Engine) -> bool:
    """是不是大台账: too many grants to go through while somebody waits."""
    with session(engine) as opened:
        return int(opened.exec(select(func.max(GrantCase.id))).one() or 0) > LARGE


def page(
    engine: Engine, load: Caseload, scope: str, start: int, size: int, found: Sequence[Part] = ()
) -> list[GrantCase]:
    """一页, the most urgent first: what has no day after what has one, what is over last.

    The first so many of each state are read off the index of states and days and put together; `found`, the counts of the
    same grants, tell near which day and number a far page begins, so that it costs what the first one does.
    """
    if scope == "超承诺":
        return _page_of_broken(engine, load, start, size)
    first, before = _begins([p for p in found if p.within(scope, load.turns)], start)
    skip = start - before
    with session(engine) as opened:
        ids: list[Place] = []
        for state in _states(scope):
            for query in _runs(load, scope, state, first):
                rows = opened.exec(query.limit(skip + size))
                ids += [(state in OVER, due is None, due or date.max, n) for due, n in rows]
        wanted = [row[-1] for row in sorted(ids)[skip : skip + size]]
        held = {g.id: g for g in opened.exec(select(GrantCase).where(col(GrantCase.id).in_(wanted)))}
    return [held[n] for n in wanted]


def _begins(found: Iterable[Part], start: int) -> tuple[Place, int]:
    """从哪里读起: the last place that has at most `start` grants before it, and how many those are."""
    counts: Counter[Place] = Counter()
    for part in found:
        counts[part.place] += part.count
    at, before = FIRST, 0
    for place in sorted(counts):
        if before + counts[place] > start:
            return place, before
        at, before = place, before + counts[place]
    return (at, before - counts[at]) if counts else (FIRST, 0)


def _runs(load: Caseload, scope: str, state: str, first: Place) -> Iterator[Any]:
    """一种状态从那里起的各段, each in the order of the index: the rest of the day, the later days, what has no day."""
    over, bare, day, number = first
    c = GrantCase
    if (state in OVER) < over:
        return
    if (state in OVER) > over:
        bare, day, number = FIRST[1:]
    query: Any = select(col(c.due), col(c.id)).where(c.state == state, *_wheres(load))
    if scope == "轮到我":
        query = query.where(col(c.holder).in_(sorted(load.turns)))
    if scope == "逾期":
        query = query.where(_late(load))
    if not bare:
        yield query.where(col(c.due) == day, col(c.id) >= number).order_by(col(c.id))
        yield query.where(col(c.due) > day).order_by(col(c.due), col(c.id))
    if scope != "逾期":
        yield query.where(col(c.due).is_(None), col(c.id) >= (number if bare else 0)).order_by(col(c.id))


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


RETURNED = ("退票", "冲回")


def bounced(engine: Engine, load: Caseload) -> list[tuple[GrantCase, GrantEvent]]:
    """退回还没有再付的: grants whose newest payment came back from the bank, with that step; the oldest first."""
    c, e = GrantCase, GrantEvent
    wheres = [col(c.state) == State.PAYING.value, col(c.reserved) > 0, *_wheres(load)]
    query: Any = select(c, e).join(e, col(e.grant_id) == col(c.id)).where(*wheres)
    with session(engine) as opened:
        rows = opened.exec(query.where(col(e.action).in_((*RETURNED, "下达"))).order_by(col(e.id)))
        last = {case.id: (case, event) for case, event in rows}
    return sorted(
        (pair for pair in last.values() if pair[1].action in RETURNED), key=lambda pair: pair[1].id or 0
    )


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
    if load.state:
        out.append(col(GrantCase.state) == load.state)
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
