"""兑现事项: one row a grant, every step an event; desk, jobs and finance move it by the same commands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import Column, Index, Integer, UniqueConstraint, func, insert
from sqlalchemy.engine import Engine
from sqlmodel import Field, Session, SQLModel, col, select

from engine import fulfilment
from engine.fulfilment import ENOUGH, LATER, TOO_LITTLE, Refused
from engine.grantmoves import FINAL, MORE, MOVES, NEEDS, OF_SYSTEM, SECOND, State
from engine.promise import BEGINS, BEGINS_ANEW, read_promise
from engine.workdays import Calendar, UnknownYear
from store import budgets, ledger, notices
from store.accounts import find_person_in
from store.database import BigId, Fen, fen_column, id_column, json_column, session, utc_column, writing
from store.faults import point

SUMS = ("reserved", "ordered", "arrived", "claimed", "recovered")


class GrantCase(SQLModel, table=True):
    """兑现事项: a firm's grant of one item and batch, as engine.fulfilment.Grant at rest."""

    __tablename__ = "grant_case"
    __table_args__ = (
        UniqueConstraint("code", "item", "batch", name="uq_grant_case"),
        Index("ix_grant_state_due", "state", "due"),
        Index("ix_grant_item", "item", "batch", "state"),
        Index("ix_grant_promised", "promised"),
    )

    id: int | None = Field(default=None, sa_column=id_column())
    code: str
    firm: str = ""
    item: str
    batch: str
    title: str = ""
    department: str = ""
    variant: str
    state: str
    since: date
    due: date | None = None
    due_note: str = ""
    holder: str = ""
    amount: int | None = Field(default=None, sa_column=Column(Fen, nullable=True))
    high: int | None = Field(default=None, sa_column=Column(Fen, nullable=True))
    reserved: int = Field(default=0, sa_column=fen_column())
    ordered: int = Field(default=0, sa_column=fen_column())
    arrived: int = Field(default=0, sa_column=fen_column())
    claimed: int = Field(default=0, sa_column=fen_column())
    recovered: int = Field(default=0, sa_column=fen_column())
    returned_from: str | None = None
    asked: list[str] = Field(default_factory=list, sa_column=json_column())
    notice_days: int = 5
    facts: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    run_no: int | None = None
    opened: date
    queued: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    updated: datetime = Field(sa_column=utc_column())
    promised_from: date | None = None
    promised: date | None = None

    @property
    def subject(self) -> str:
        return f"{self.item}|{self.batch}"

    @property
    def key(self) -> str:
        return f"{self.code}|{self.item}|{self.batch}"


class GrantEvent(SQLModel, table=True):
    """兑现经过: one step of a grant; `request` makes a repeated command harmless."""

    __tablename__ = "grant_event"
    __table_args__ = (
        UniqueConstraint("grant_id", "no", name="uq_grant_event"),
        UniqueConstraint("request", name="uq_grant_request"),
    )

    id: int | None = Field(default=None, sa_column=id_column())
    grant_id: int = Field(sa_column=Column(BigId, nullable=False, index=True))
    no: int = Field(sa_column=Column(Integer, nullable=False))
    action: str
    role: str
    who: str
    on: date = Field(sa_column_kwargs={"name": "on_day"})
    at: datetime = Field(sa_column=utc_column())
    came_from: str
    went_to: str
    facts: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    money: str = ""
    fen: int = Field(default=0, sa_column=fen_column())
    request: str | None = None


@dataclass(frozen=True)
class NewGrant:
    """待立项: what a night or an application says of a grant; money in fen."""

    code: str
    firm: str
    item: str
    batch: str
    title: str
    department: str
    variant: str
    amount: int | None
    high: int | None
    notice_days: int = 5
    run_no: int | None = None
    closes: date | None = None
    instalments: tuple[Mapping[str, str], ...] = ()
    mark: str = ""
    deadline: str = ""

    @property
    def facts(self) -> dict[str, object]:
        """What the grant keeps of its rule: the firm's name, the last day to hand in, how the money is parted."""
        said = {
            "企业名称": self.firm,
            "批次截止": self.closes.isoformat() if self.closes else "",
            "分期规则": [dict(r) for r in self.instalments],
            "比对变化": self.mark,
            "兑现时限": self.deadline,
        }
        return {k: v for k, v in said.items() if v}


@dataclass(frozen=True)
class Actor:
    """办理人: who acts in which role."""

    name: str
    role: str


SYSTEM = Actor("系统", "系统")


def open_grants(
    engine: Engine, found: Sequence[NewGrant], on: date, at: datetime, calendar: Calendar, chunk: int = 500
) -> int:
    """立项: a grant for each pair that has none; how many were new. Safe to repeat, and for two at once."""
    new = 0
    for begin in range(0, len(found), chunk):
        part = found[begin : begin + chunk]
        with writing(engine) as opened:
            # Two openers of the same pairs: the second waits here, then sees the first one's rows.
            opened.exec(select(ledger.LedgerHead).where(ledger.LedgerHead.id == 1).with_for_update()).one()
            known = _known(opened, [f.code for f in part])
            fresh = [f for f in part if (f.code, f.item, f.batch) not in known]
            _open(opened, list({(f.code, f.item, f.batch): f for f in fresh}.values()), on, at, calendar)
            new += len(fresh)
            point("grants.opened")
    return new


def _known(opened: Session, codes: list[str]) -> set[tuple[str, str, str]]:
    columns = select(GrantCase.code, GrantCase.item, GrantCase.batch)
    return {tuple(r) for r in opened.exec(columns.where(GrantCase.code.in_(codes))).all()}  # type: ignore[attr-defined,misc]


def _open(opened: Session, found: Sequence[NewGrant], on: date, at: datetime, calendar: Calendar) -> None:
    """The cases and their first events, in two statements however many there are."""
    if not found:
        return
    rows: list[dict[str, Any]] = []
    begun: list[list[tuple[str, str, fulfilment.Step | None]]] = []
    for new in found:
        start = fulfilment.start(new.variant, on, new.amount, new.high, new.notice_days)
        start = replace(start, facts=MappingProxyType(dict(new.facts)))
        steps: list[tuple[str, str, fulfilment.Step | None]] = [("立项", start.state.value, None)]
        grant = start
        if start.state == State.MATCHED:
            listed = fulfilment.step(start, "上名单", SYSTEM.role, {}, on, calendar)
            steps.append(("上名单", start.state.value, listed))
            grant = listed.grant
        rows.append(
            {"code": new.code, "firm": new.firm, "item": new.item, "batch": new.batch, "title": new.title,
             "department": new.department, "variant": new.variant, "notice_days": new.notice_days,
             "run_no": new.run_no, "opened": on, **_at_rest(grant, at, calendar)}
        )  # fmt: skip
        begun.append(steps)
    ids = opened.execute(
        insert(GrantCase).returning(col(GrantCase.id), sort_by_parameter_order=True), rows
    ).scalars()
    events = []
    for case_id, steps in zip(ids, begun, strict=True):
        for no, (action, state, result) in enumerate(steps, 1):
            states = ("", state) if result is None else (state, result.grant.state.value)
            events.append(_event(case_id or 0, no, action, SYSTEM, on, at, states, {}, result, None))
    opened.execute(insert(GrantEvent), events)


@dataclass(frozen=True)
class Found:
    """比对的结果 of a pair: its sums in fen (None unknown), or why it fits no more."""

    amount: int | None = None
    high: int | None = None
    gone: str = ""


def follow_night(
    engine: Engine, item: str, batch: str, found: Callable[[str], Found | None], run_no: int, on: date, at: datetime,
    calendar: Calendar, closes: date | None = None,
) -> int:  # fmt: skip
    """随比对走: grants under way take the night's sum while nobody has decided, and are marked where they fit no more.

    `found` tells of an enterprise, or None where the night leaves it open. How many moved; safe to repeat.
    """
    moved = 0
    for case in _under_way(engine, item, batch):
        now = found(case.code)
        if now is None:
            continue
        facts: dict[str, object] = {}
        if now.gone:
            action, facts = "比对不符", {"比对说明": f"第 {run_no} 次比对{now.gone}"}
            if case.facts.get("比对变化"):
                continue
        elif case.facts.get("比对变化"):
            action = "比对恢复"
        elif case.state in _UNDECIDED and not case.reserved and _renewed(case, now, closes):
            action, facts = "比对更新", {"比对金额": now.amount, "比对上限": now.high}
            if closes is not None:
                facts["批次截止"] = closes.isoformat()
        else:
            continue
        request = f"night:{run_no}:{action}:{case.id}"
        try:
            act(engine, case.id, action, SYSTEM, max(on, case.since), at, calendar, facts, request)
        except Refused:  # somebody moved it meanwhile: the next night looks again
            continue
        moved += 1
    return moved


class _Followed(NamedTuple):
    id: int
    code: str
    state: str
    since: date
    reserved: int
    amount: int | None
    high: int | None
    facts: dict[str, Any]


def _under_way(engine: Engine, item: str, batch: str) -> list[_Followed]:
    here = (GrantCase.item == item, GrantCase.batch == batch, col(GrantCase.state).in_(UNDER_WAY))
    query = select(*(getattr(GrantCase, name) for name in _Followed._fields)).where(*here)
    with session(engine) as opened:
        return [_Followed(*row) for row in opened.execute(query.order_by(col(GrantCase.id)))]


def _renewed(case: _Followed, now: Found, closes: date | None) -> bool:
    """Whether the night knows another sum, or the rule another last day."""
    moved = closes is not None and case.facts.get("批次截止", closes.isoformat()) != closes.isoformat()
    return moved or (now.amount, now.high) != (case.amount, case.high)


def redate(engine: Engine, calendar: Calendar, at: datetime, chunk: int = 1000) -> int:
    """重算期限: of every open grant, by the calendar as it is now; how many changed. Nothing else of a grant moves."""
    changed = 0
    with session(engine) as opened:
        open_ids = opened.exec(
            select(GrantCase.id).where(col(GrantCase.state).not_in([s.value for s in FINAL]))
        ).all()
    for begin in range(0, len(open_ids), chunk):
        with writing(engine) as opened:
            query = select(GrantCase).where(col(GrantCase.id).in_(open_ids[begin : begin + chunk]))
            for case in opened.exec(query.order_by(col(GrantCase.id)).with_for_update()).all():
                clock = fulfilment.due(to_pure(case), calendar)
                now = (*((clock.day, clock.note) if clock else (None, "")), promised_by(case, calendar))
                if now != (case.due, case.due_note, case.promised):
                    (case.due, case.due_note, case.promised), case.updated = now, at
                    opened.add(case)
                    changed += 1
    return changed


_UNDECIDED = (State.INVITED.value, State.LISTED.value)
UNDER_WAY = tuple(State(s) for s in sorted({s for m in MOVES if m.action == "比对不符" for s in m.sources}))


def to_pure(case: GrantCase) -> fulfilment.Grant:
    """转成状态机的事项."""
    return fulfilment.Grant(
        case.variant, State(case.state), case.since, case.amount, case.high, case.reserved, case.ordered,
        case.arrived, case.claimed, case.recovered, State(case.returned_from) if case.returned_from else None,
        tuple(case.asked), case.notice_days, MappingProxyType(dict(case.facts)),
    )  # fmt: skip


def _at_rest(grant: fulfilment.Grant, at: datetime, calendar: Calendar) -> dict[str, Any]:
    """The columns of a case that follow its grant."""
    clock = fulfilment.due(grant, calendar)
    return {
        "state": grant.state.value, "since": grant.since, "amount": grant.amount, "high": grant.high,
        **{name: getattr(grant, name) for name in SUMS},
        "returned_from": grant.returned_from.value if grant.returned_from else None,
        "asked": list(grant.asked), "facts": {k: _plain(v) for k, v in grant.facts.items()},
        "due": clock.day if clock else None, "holder": clock.holder if clock else "",
        "due_note": clock.note if clock else "", "updated": at,
    }  # fmt: skip


def promised_by(case: GrantCase, calendar: Calendar) -> date | None:
    """承诺的最后一天 by the item's own 兑现时限; None before the firm has done its part, or where no day can be told."""
    promise = read_promise(str(case.facts.get("兑现时限", "")))
    if promise is None or case.promised_from is None:
        return None
    try:
        return promise.until(case.promised_from, calendar)
    except UnknownYear:
        return None


def _take(case: GrantCase, grant: fulfilment.Grant, at: datetime, calendar: Calendar) -> None:
    for name, value in _at_rest(grant, at, calendar).items():
        setattr(case, name, value)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _event(
    case_id: int, no: int, action: str, actor: Actor, on: date, at: datetime, states: tuple[str, str],
    facts: Mapping[str, object], result: fulfilment.Step | None, request: str | None,
) -> dict[str, Any]:  # fmt: skip
    """The row of a step: where it came from and went to, and its money."""
    return {
        "grant_id": case_id, "no": no, "action": action, "role": actor.role, "who": actor.name, "on": on, "at": at,
        "came_from": states[0], "went_to": states[1], "facts": {k: _plain(v) for k, v in facts.items()},
        "money": result.money if result else "", "fen": result.fen if result else 0, "request": request,
    }  # fmt: skip


def act(
    engine: Engine, grant_id: int, action: str, actor: Actor, on: date, at: datetime, calendar: Calendar,
    facts: Mapping[str, object] | None = None, request: str | None = None,
) -> GrantCase:  # fmt: skip
    """办一步, in one transaction; a `request` seen before changes nothing. Raises Refused with the reason and cure."""
    if actor.role != SYSTEM.role:
        _only_given(action, facts or {})
    with writing(engine) as opened:
        case = act_in(opened, grant_id, action, actor, on, at, calendar, facts or {}, request)
        point("grants.before_commit")
    point("grants.after_commit")
    return case


def act_in(
    opened: Session, grant_id: int, action: str, actor: Actor, on: date, at: datetime, calendar: Calendar,
    facts: Mapping[str, object], request: str | None,
) -> GrantCase:  # fmt: skip
    """办一步, within the caller's `writing` transaction."""
    case = opened.exec(select(GrantCase).where(GrantCase.id == grant_id).with_for_update()).one_or_none()
    if case is None:
        raise Refused(f"没有第 {grant_id} 号兑现事项")
    if request is not None and opened.exec(select(GrantEvent).where(GrantEvent.request == request)).first():
        return case
    pure = to_pure(case)
    facts = {**facts, "经办人": actor.name}
    facts = dict(fulfilment.with_request(pure, action, facts))
    if any(m.second and m.action == action for m in fulfilment.moves_from(pure, actor.role)):
        _two_people(opened, str(facts.get("提请人", "")), actor.name, action)
    needed = fulfilment.wants(pure, action, actor.role, facts)
    budget = budgets.locked(opened, case.item, case.batch)
    result = fulfilment.step(
        pure, action, actor.role, facts, on, calendar, _verdict(opened, case, action, budget, needed)
    )
    came_from = case.state
    _take(case, result.grant, at, calendar)
    if action in BEGINS or (action == BEGINS_ANEW and case.promised_from is not None):
        case.promised_from = on
        case.promised = promised_by(case, calendar)
    if case.state == State.QUEUED.value and came_from != case.state:
        case.queued = at
    count = opened.exec(select(func.count()).where(GrantEvent.grant_id == grant_id)).one()
    states = (came_from, result.grant.state.value)
    opened.add(
        GrantEvent(**_event(case.id or 0, count + 1, action, actor, on, at, states, facts, result, request))
    )
    opened.flush()
    notices.tell(opened, case, action, count + 1, facts, at)
    if result.money:
        if budget is not None:
            budgets.shift(budget, result.money, result.fen)
            opened.add(budget)
        ledger.append(
            opened, result.money, result.fen, subject=case.subject, on=on, at=at, who=actor.name,
            grant_id=grant_id, ref=str(facts.get("流水号", "")),
        )  # fmt: skip
        # Both hold the ledger's head: a first budget counts what stood before it, or this step sees the budget.
        if budget is None and budgets.locked(opened, case.item, case.batch) is not None:
            raise Refused("这个批次刚刚下达了额度，请再办一次")
    opened.add(case)
    opened.flush()
    return case


def _only_given(action: str, facts: Mapping[str, object]) -> None:
    """Only what a step needs or may say: what the machine itself keeps (公示开始, 比对变化, 分期 …) nobody writes in."""
    wrong = [n for n in facts if n in OF_SYSTEM or (n not in NEEDS and n not in MORE)]
    if wrong:
        raise Refused(f"“{action}”里不能写“{'、'.join(wrong)}”")


def _two_people(opened: Session, asked_by: str, done_by: str, action: str) -> None:
    """Both known to the office, active and not one and the same; the second holds the role of 复核. Raises Refused."""
    if not asked_by:
        return  # the machine itself says that nobody asked
    first, second = find_person_in(opened, asked_by), find_person_in(opened, done_by)
    for name, found in ((asked_by, first), (done_by, second)):
        if found is None:
            raise Refused(
                f"没有叫“{name}”的在职人员：“{action}”要两个登记过的人办，先用 huiqi admin create 登记"
            )
    if first is not None and second is not None:
        if first.id == second.id:
            raise Refused(f"“{action}”是 {first.name} 自己提请的：请另一个人复核")
        if SECOND not in second.roles:
            raise Refused(f"{second.name}（{second.login}）没有“复核”角色，不能复核“{action}”")


def _verdict(
    opened: Session, case: GrantCase, action: str, budget: budgets.BatchBudget | None, needed: int
) -> str:
    """Whether the batch has the money: 够, 不够, 待分配; who queues goes before who comes."""
    if budget is None or budget.available is None:
        return ENOUGH
    if budget.pooled:
        return LATER if action != "分配" or needed <= budget.available else TOO_LITTLE
    if not needed:
        return ENOUGH
    if needed > budget.available or _queued_before(opened, case):
        return TOO_LITTLE
    return ENOUGH


def _queued_before(opened: Session, case: GrantCase) -> bool:
    query = select(GrantCase.id).where(
        GrantCase.item == case.item, GrantCase.batch == case.batch, GrantCase.state == State.QUEUED.value
    )
    if case.state == State.QUEUED.value:
        query = query.where(GrantCase.queued < case.queued)  # type: ignore[operator]
    return opened.exec(query.limit(1)).first() is not None


def promote(engine: Engine, item: str, batch: str, on: date, at: datetime, calendar: Calendar) -> int:
    """递补: moves the queue of a batch up as far as the budget reaches, in the order of confirmation; how many."""
    moved = 0
    for case in find(engine, item=item, batch=batch, states=[State.QUEUED], order="queued"):
        try:
            act(engine, case.id or 0, "递补", SYSTEM, on, at, calendar)
        except Refused:
            return moved
        moved += 1
    return moved


def share_out(
    engine: Engine, item: str, batch: str, actor: Actor, on: date, at: datetime, calendar: Calendar
) -> int:
    """按比例核减: shares a pooled batch's budget among all confirmed grants by one factor, down to the yuan; how many."""
    with writing(engine) as opened:
        query = select(GrantCase).where(
            GrantCase.item == item, GrantCase.batch == batch, GrantCase.state == State.POOLED.value
        )
        # Grants before the budget, as `act` takes them, so that two transactions can't wait for each other.
        pool = opened.exec(query.order_by(GrantCase.id).with_for_update()).all()  # type: ignore[arg-type]
        budget = budgets.locked(opened, item, batch)
        if budget is None or budget.available is None or not pool:
            return 0
        shares = pro_rata([c.amount or 0 for c in pool], budget.available)
        for case, fen in zip(pool, shares, strict=True):
            act_in(opened, case.id or 0, "分配", actor, on, at, calendar, {"分配金额": fen}, None)
        return len(pool)


def pro_rata(amounts: Sequence[int], available: int) -> list[int]:
    """按比例核减: each amount by one factor, rounded down to the yuan; in full where the budget suffices."""
    total = sum(amounts)
    if total <= available:
        return list(amounts)
    return [a * available // total // 100 * 100 for a in amounts]


ORDERS = {"due": GrantCase.due, "queued": GrantCase.queued, "id": GrantCase.id}


def find(
    engine: Engine, *, item: str | None = None, batch: str | None = None, code: str | None = None,
    states: Iterable[State] | None = None, order: str = "id", limit: int | None = None,
) -> list[GrantCase]:  # fmt: skip
    """查兑现事项, sorted by `order` (due, queued, id), ties by id."""
    query = select(GrantCase).order_by(ORDERS[order], GrantCase.id)  # type: ignore[arg-type]
    for column, value in ((GrantCase.item, item), (GrantCase.batch, batch), (GrantCase.code, code)):
        if value is not None:
            query = query.where(column == value)
    if states is not None:
        query = query.where(GrantCase.state.in_([s.value for s in states]))  # type: ignore[attr-defined]
    with session(engine) as opened:
        return list(opened.exec(query.limit(limit) if limit else query).all())


class Standing(NamedTuple):
    """一项的现状: what a night needs of a grant, without its papers; sums in fen."""

    code: str
    item: str
    batch: str
    variant: str
    state: str
    amount: int | None
    high: int | None
    arrived: int
    since: date
    due: date | None


def standings(engine: Engine, item: str | None = None, batch: str | None = None) -> list[Standing]:
    """现状 of all grants, or of one item and batch: columns only, since a register has hundreds of thousands."""
    query = select(*(getattr(GrantCase, name) for name in Standing._fields))
    if item is not None:
        query = query.where(GrantCase.item == item, GrantCase.batch == batch)
    with session(engine) as opened:
        return [Standing(*row) for row in opened.execute(query)]


def states_of(engine: Engine, item: str, batch: str) -> dict[str, str]:
    """各企业的状态: of each enterprise's grant of an item and batch, by code; also of those that are over."""
    query = select(GrantCase.code, GrantCase.state).order_by(col(GrantCase.id))
    query = query.where(GrantCase.item == item, GrantCase.batch == batch)
    with session(engine) as opened:
        return dict(opened.exec(query).all())


def batches_with(engine: Engine, states: Iterable[State]) -> set[tuple[str, str]]:
    """有这些状态的 items and batches."""
    query = select(GrantCase.item, GrantCase.batch).where(col(GrantCase.state).in_([s.value for s in states]))
    with session(engine) as opened:
        return {(item, batch) for item, batch in opened.exec(query.distinct())}


def received_before(
    engine: Engine, groups: Mapping[str, Collection[str]], live: Collection[tuple[str, str]]
) -> dict[tuple[str, str], float]:
    """已兑现金额 by (code, group), in yuan, net of what was paid back, of items whose groups pay the difference.

    `groups` names the groups of each item; payments of a batch in `live` are the ones being reckoned and don't count.
    """
    if not groups:
        return {}
    out: dict[tuple[str, str], int] = defaultdict(int)
    with session(engine) as opened:
        query = select(GrantCase).where(col(GrantCase.arrived) > 0, col(GrantCase.item).in_(list(groups)))
        for case in opened.exec(query):
            if (case.item, case.batch) not in live:
                for group in groups[case.item]:
                    out[case.code, group] += case.arrived - case.recovered
    return {key: fen / 100 for key, fen in sorted(out.items()) if fen > 0}


def history(engine: Engine, grant_id: int) -> list[GrantEvent]:
    """兑现经过: every step of a grant, first to last."""
    with session(engine) as opened:
        query = select(GrantEvent).where(GrantEvent.grant_id == grant_id).order_by(GrantEvent.no)  # type: ignore[arg-type]
        return list(opened.exec(query).all())


def steps(engine: Engine, actions: Sequence[str]) -> list[tuple[GrantCase, GrantEvent]]:
    """某几种步骤 of all grants, with their grants, in the order they were made."""
    query = select(GrantCase, GrantEvent).join(GrantEvent, col(GrantEvent.grant_id) == col(GrantCase.id))
    with session(engine) as opened:
        rows = opened.exec(query.where(col(GrantEvent.action).in_(actions)).order_by(col(GrantEvent.id)))
        return [(case, event) for case, event in rows.all()]


def disagreements(opened: Session) -> list[ledger.Finding]:
    """不平: grants and budgets whose sums are not the ledger's."""
    entry = ledger.LedgerEntry
    columns: tuple[Any, ...] = (entry.grant_id, entry.debit, entry.credit)
    query: Any = select(*columns, func.sum(entry.fen)).where(entry.grant_id.is_not(None))  # type: ignore[call-overload,union-attr]
    held: dict[int, dict[str, int]] = {}
    for grant_id, debit, credit, fen in opened.exec(query.group_by(*columns)).all():
        sums = held.setdefault(grant_id or 0, {})
        sums[debit] = sums.get(debit, 0) - int(fen)
        sums[credit] = sums.get(credit, 0) + int(fen)
    found = []
    for case in opened.exec(select(GrantCase)).yield_per(2000):
        said = held.pop(case.id or 0, {})
        # The grant counts what was ever claimed and recovered; the ledger what stands on each account now.
        now = {
            "占用": case.reserved, "在途": case.ordered, "已付": case.arrived - case.claimed,
            "待追回": case.claimed - case.recovered, "已退回": case.recovered,
        }  # fmt: skip
        found += [
            ledger.Finding("不平", None, f"{case.key} 的“{name}”记 {fen} 分，台账是 {said.get(name, 0)} 分")
            for name, fen in now.items()
            if said.get(name, 0) != fen
        ]
    found += [ledger.Finding("消失", None, f"台账里有第 {n} 号兑现事项，事项不见了") for n in held]
    orphans = (
        select(GrantEvent.grant_id).where(col(GrantEvent.grant_id).not_in(select(GrantCase.id))).distinct()
    )
    found += [
        ledger.Finding("消失", None, f"第 {n} 号兑现事项有经过，事项不见了")
        for n in sorted(opened.exec(orphans).all())
        if n not in held
    ]
    return found + _broken_histories(opened) + _budget_disagreements(opened)


def _broken_histories(opened: Session) -> list[ledger.Finding]:
    """Grants whose steps have gaps, or that stand elsewhere than their last step led."""
    counted = func.count(), func.max(GrantEvent.no)
    query: Any = select(GrantEvent.grant_id, *counted).group_by(col(GrantEvent.grant_id))
    last: dict[int, int] = {}
    found = []
    for grant_id, count, most in opened.exec(query).all():
        last[grant_id] = most
        if count != most:
            found.append(
                ledger.Finding("消失", None, f"第 {grant_id} 号兑现事项办到第 {most} 步，经过只剩 {count} 步")
            )
    final: Any = select(GrantEvent.grant_id, GrantEvent.no, GrantEvent.went_to, GrantCase.state)
    joined = final.join(GrantCase, col(GrantCase.id) == col(GrantEvent.grant_id))
    for grant_id, no, went_to, state in opened.exec(
        joined.where(col(GrantEvent.went_to) != col(GrantCase.state))
    ):
        if no == last.get(grant_id):
            found.append(
                ledger.Finding(
                    "改动", None, f"第 {grant_id} 号兑现事项现在写“{state}”，最后一步办到的是“{went_to}”"
                )
            )
    return found


def _budget_disagreements(opened: Session) -> list[ledger.Finding]:
    names = {"占用": "reserved", "在途": "ordered", "已付": "paid", "待追回": "claimed", "已退回": "refunded"}
    found = []
    for budget in opened.exec(select(budgets.BatchBudget)).all():
        said = ledger.balances(opened, budget.subject)
        sums = {name: getattr(budget, column) for name, column in names.items()}
        if budget.available is not None:
            sums["可用"] = budget.available
        found += [
            ledger.Finding(
                "不平",
                None,
                f"{budget.item} {budget.batch} 的“{name}”记 {fen} 分，台账是 {said.get(name, 0)} 分",
            )
            for name, fen in sums.items()
            if said.get(name, 0) != fen
        ]
    return found
