"""兑现考核: the quarter's sheet: 兑现率, 按时率, 免申即享占比, 平均天数, 应享未享."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import func
from sqlalchemy.engine import Engine
from sqlmodel import Session, col, select

from engine.grantmoves import AUTOMATIC, CLOCKS, State
from engine.instalments import kept_plan
from engine.workdays import Calendar, UnknownYear
from store.database import session, to_fen
from store.grants import GrantCase, GrantEvent
from store.night_blocks import CODE, NAME
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
    back: int = 0
    why: Mapping[str, int] = field(default_factory=dict)
    kept: float | None = None
    promises: int = 0


def quarter_of(text: str) -> tuple[date, date]:
    """一季的首末日: of 2026Q2. Raises ValueError."""
    year, mark, number = text.upper().partition("Q")
    if not (re.fullmatch("[12][0-9]{3}", year) and mark and number in ("1", "2", "3", "4")):
        raise ValueError(f"季度“{text}”要写成 2026Q2")
    first = date(int(year), int(number) * 3 - 2, 1)
    beyond = date(first.year + (first.month > 9), (first.month + 2) % 12 + 1, 1)
    return first, beyond - timedelta(days=1)


# What keeps money that a firm is entitled to from it, by the state its grant stood in; anything else is under way or refused.
WAITING = {
    State.INVITED: "已邀请，企业没有提交", State.CONFIRM: "等企业确认", State.SILENT: "企业逾期没有确认",
    State.QUEUED: "额度不够，候补",
}  # fmt: skip
NOT_OPENED, GAVE_UP = "没有立项或申报", "企业放弃"
COLUMNS = (
    "id",
    "code",
    "firm",
    "item",
    "title",
    "batch",
    "department",
    "variant",
    "opened",
    "amount",
    "promised",
)


@dataclass(frozen=True)
class Stood:
    """一件在季末: its state then, fen that had arrived and stayed, the day its last money came, working days from opening."""

    id: int
    code: str
    firm: str
    item: str
    title: str
    batch: str
    department: str
    variant: str
    opened: date
    amount: int | None
    promised: date | None
    state: State
    arrived: int
    finished: date | None = None
    days: int | None = None
    on_time: bool | None = None

    @property
    def kept(self) -> bool | None:
        """承诺兑现没有: paid in full by the day the item's own 兑现时限 promised; None without a promise or before that."""
        return None if self.promised is None or self.finished is None else self.finished <= self.promised


@dataclass(frozen=True)
class Unclaimed:
    """应享未享的一条: whose, of what, why, and how much (None: the sum is open)."""

    code: str
    firm: str
    item: str
    title: str
    department: str
    why: str
    fen: int | None


@dataclass(frozen=True)
class Quarter:
    """一季的材料: every grant as it stood at the end, those opened and those paid in full in it, and what came and went."""

    name: str
    stood: tuple[Stood, ...]
    begun: tuple[Stood, ...]
    paid: tuple[Stood, ...]
    fen: int
    back: int
    night: Night | None = None

    def unclaimed(self) -> Iterator[Unclaimed]:
        """应享未享: money pairs that fit on the quarter's last released night, that gave way to no other, and to whom nothing
        has come and nothing is under way at its end; without such a night, its grants that wait for firm or budget."""
        return _of_grants(self.begun) if self.night is None else _of_night(self.night, self.stood)


def kpi(engine: Engine, quarter: str, calendar: Calendar, home: Path | None = None) -> Kpi:
    """考核: grants opened in the quarter, and money that arrived in it; all as it stood at the quarter's end."""
    return figures(quarter_sheet(engine, quarter, calendar, home))


def figures(found: Quarter) -> Kpi:
    """考核的数 of a quarter. What firms gave up is not 应享未享: they were asked and said no."""
    timed = [s for s in found.paid if s.on_time is not None]
    days = [s.days for s in found.paid if s.days is not None]
    kept = [s.kept for s in found.paid if s.kept is not None]
    why, owed = _sums(found)
    return Kpi(
        found.name, len(found.begun), len(found.paid), found.fen,
        _share(sum(s.arrived > 0 for s in found.begun), len(found.begun)),
        _share(sum(bool(s.on_time) for s in timed), len(timed)),
        _share(sum(s.variant == AUTOMATIC for s in found.paid), len(found.paid)),
        round(sum(days) / len(days), 1) if days else None,
        sum(n for word, n in why.items() if word != GAVE_UP), owed, len(found.paid) - len(days),
        found.night.no if found.night else None, found.back, why, _share(sum(kept), len(kept)), len(kept),
    )  # fmt: skip


def quarter_sheet(engine: Engine, quarter: str, calendar: Calendar, home: Path | None = None) -> Quarter:
    """一季的材料, with the quarter's last released night where its files are in `home`."""
    first, last = quarter_of(quarter)
    with session(engine) as opened:
        ended = _endings(opened, first, last)
        facts = _facts_of(opened, ended)
        earlier = _earlier(opened, last)
        columns: list[Any] = [*(col(getattr(GrantCase, n)) for n in COLUMNS), col(GrantCase.state), _kept()]
        query: Any = select(*columns)
        rows = opened.exec(query.where(GrantCase.opened <= last).order_by(col(GrantCase.id))).all()
        fen = _came(opened, "到账", first, last) - _came(opened, "冲回", first, last)
        back = _came(opened, "退款", first, last)
    stood = []
    for *cells, state, arrived in rows:
        one = Stood(**dict(zip(COLUMNS, cells, strict=True)), state=State(state), arrived=int(arrived))
        if one.id in earlier:
            one = replace(one, state=earlier[one.id][0], arrived=earlier[one.id][1])
        if one.id in ended:
            one = _finished(one, ended[one.id], facts.get(one.id, {}), calendar)
        stood.append(one)
    night = last_night_of(engine, first, last, home) if home is not None else None
    begun, paid = (tuple(s for s in stood if s.opened >= first), tuple(s for s in stood if s.finished))
    return Quarter(quarter, tuple(stood), begun, paid, fen, back, night)


def _kept() -> Any:
    return col(GrantCase.arrived) - col(GrantCase.recovered)


def _came(opened: Session, action: str, first: date, last: date) -> int:
    query: Any = select(func.coalesce(func.sum(col(GrantEvent.fen)), 0))
    return int(
        opened.exec(query.where(GrantEvent.action == action, col(GrantEvent.on).between(first, last))).one()
    )


def _endings(opened: Session, first: date, last: date) -> dict[int, date]:
    """The day in the quarter on which a grant's last money came, of those whose bank has not returned it since (in it)."""
    event = GrantEvent
    query: Any = select(col(event.grant_id), col(event.action), col(event.on))
    arrived = (event.went_to == State.ARRIVED.value) & (event.came_from != State.ARRIVED.value)
    inside = col(event.on).between(first, last)
    found: dict[int, date] = {}
    for grant, action, on in opened.exec(
        query.where(inside, arrived | (event.action == "冲回")).order_by(col(event.id))
    ):
        if action == "冲回":
            found.pop(grant, None)
        else:
            found[grant] = on
    return found


def _facts_of(opened: Session, ids: Collection[int]) -> dict[int, dict[str, Any]]:
    numbers = sorted(ids)
    found: dict[int, dict[str, Any]] = {}
    for begin in range(0, len(numbers), 500):
        query: Any = select(col(GrantCase.id), col(GrantCase.facts))
        found |= dict(opened.exec(query.where(col(GrantCase.id).in_(numbers[begin : begin + 500]))).all())
    return found


def _earlier(opened: Session, last: date) -> dict[int, tuple[State, int]]:
    """State and money then, of the grants that have gone on since the quarter's end; of the others it is what it is now."""
    event = GrantEvent
    moved = select(event.grant_id).where(event.on > last).distinct()
    query: Any = select(col(event.grant_id), col(event.went_to), col(event.action), col(event.fen))
    query = query.where(event.on <= last, col(event.grant_id).in_(moved)).order_by(
        col(event.grant_id), col(event.no)
    )
    sign = {"到账": 1, "冲回": -1, "退款": -1}
    found: dict[int, tuple[State, int]] = {}
    for grant, went_to, action, fen in opened.exec(query):
        state, sum_ = found.get(grant, (State.MATCHED, 0))
        found[grant] = (State(went_to) if went_to else state, sum_ + sign.get(action, 0) * int(fen))
    return found


def _finished(one: Stood, day: date, facts: Mapping[str, Any], calendar: Calendar) -> Stood:
    """Of a grant paid in parts the last part's day decides whether it was in time, else the whole chain's length."""
    days = _days(one.opened, day, calendar)
    begins = [p.begins for p in kept_plan(facts.get("分期")) if p.begins is not None]
    on_time = None if days is None else days <= WHOLE_CHAIN[one.variant]
    if begins:
        try:
            on_time = day <= calendar.add(max(begins), CLOCKS[State.PAYING].days)
        except UnknownYear:
            on_time = None
    return replace(one, finished=day, days=days, on_time=on_time)


def _of_grants(begun: Iterable[Stood]) -> Iterator[Unclaimed]:
    for s in begun:
        if why := _why(s):
            yield Unclaimed(s.code, s.firm, s.item, s.title, s.department, why, s.amount)


def _why(one: Stood) -> str:
    """Why nothing came of a grant; "" where something did, it is under way, or the office refused it."""
    if one.arrived > 0:
        return ""
    return GAVE_UP if one.state == State.DECLINED else WAITING.get(one.state, "")


def _known(stood: Iterable[Stood]) -> dict[tuple[str, str], dict[str, Stood]]:
    found: dict[tuple[str, str], dict[str, Stood]] = defaultdict(dict)
    for one in stood:
        found[one.item, one.batch][one.code] = one
    return found


def _pairs(night: Night) -> Iterator[tuple[Any, pa.Table]]:
    """Per money item of a night, its row and the pairs that fit, gave way to no other and are worth something."""
    library = night.library()
    for row in night.items().itertuples():
        program = library.program(str(row.item))
        if program is None or not program.item.pays:
            continue
        found = night.columns_of(str(row.item), [CODE, NAME, "verdict", "gave_way", "paid_high"])
        if found is not None:
            fits = pc.and_(pc.equal(found["verdict"], "符合"), pc.equal(found["gave_way"], ""))
            kept = found.filter(fits)
            yield row, kept.filter(pc.fill_null(pc.not_equal(kept["paid_high"], 0.0), True))


def _of_night(night: Night, stood: Iterable[Stood]) -> Iterator[Unclaimed]:
    known = _known(stood)
    for row, pairs in _pairs(night):
        grants = known[str(row.item), str(row.batch)]
        for code, firm, high in zip(*(pairs[n].to_pylist() for n in (CODE, NAME, "paid_high")), strict=True):
            why = _why(grants[code]) if code in grants else NOT_OPENED
            if why:
                yield Unclaimed(
                    code, firm or "", str(row.item), str(row.title), str(row.department), why, _fen(high)
                )


def _sums(found: Quarter) -> tuple[dict[str, int], int]:
    """应享未享 by why, and the fen of those whose sum is known and who did not give up; without a row for each pair."""
    why: Counter[str] = Counter()
    owed = 0
    if found.night is None:
        for one in found.unclaimed():
            why[one.why] += 1
            owed += (one.fen or 0) if one.why != GAVE_UP else 0
        return dict(why), owed
    known = _known(found.stood)
    for row, pairs in _pairs(found.night):
        grants = known[str(row.item), str(row.batch)]
        begun = pc.is_in(pairs[CODE], value_set=pa.array(list(grants), pa.string()))
        fresh, under = pairs.filter(pc.invert(begun)), pairs.filter(begun)
        why[NOT_OPENED] += len(fresh)
        owed += sum((_fen(high) or 0) * n for high, n in Counter(fresh["paid_high"].to_pylist()).items())
        for code, high in zip(under[CODE].to_pylist(), under["paid_high"].to_pylist(), strict=True):
            word = _why(grants[code])
            why[word] += 1
            owed += (_fen(high) or 0) if word not in ("", GAVE_UP) else 0
    return {word: n for word, n in why.items() if word and n}, owed


def _fen(high: float | None) -> int | None:
    return None if high is None or high != high else to_fen(float(high))


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


def _days(begin: date, end: date, calendar: Calendar) -> int | None:
    try:
        return calendar.between(begin, end)
    except UnknownYear:
        return None


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
