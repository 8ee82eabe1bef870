"""拖欠: grants that are late with money, and registered claims on contracts and deposits; by age, department, firm."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.engine import Engine
from sqlmodel import Field, Session, SQLModel, col, select

from engine.grantmoves import CLOCKS, State
from engine.instalments import kept_plan
from engine.workdays import Calendar, UnknownYear
from store import ledger
from store.calendars import office_calendar
from store.database import fen_column, id_column, session, utc_column, writing
from store.grants import GrantCase

CLAIM_KINDS = ("合同款", "保证金", "奖补", "其他")
AGES = ((30, "30天以内"), (90, "31至90天"), (180, "91至180天"), (365, "181天至一年"), (10**6, "一年以上"))
OWED = (State.FINANCE, State.PAYING)


class ArrearsClaim(SQLModel, table=True):
    """欠款登记: what an office owes a firm beside grants; sums only move through the ledger."""

    __tablename__ = "arrears_claim"
    __table_args__ = (UniqueConstraint("kind", "code", "contract", name="uq_arrears_claim"),)

    id: int | None = Field(default=None, sa_column=id_column())
    kind: str = Field(max_length=8)
    code: str = Field(max_length=18, index=True)
    firm: str = Field(default="", max_length=200)
    department: str = Field(max_length=64)
    contract: str = Field(max_length=100)
    fen: int = Field(sa_column=fen_column())
    settled: int = Field(default=0, sa_column=fen_column())
    due_on: date
    evidence: str = Field(default="", max_length=300)
    registered: datetime = Field(sa_column=utc_column())

    @property
    def subject(self) -> str:
        return f"欠款|{self.kind}|{self.code}|{self.contract}"


@dataclass(frozen=True)
class Arrear:
    """一笔拖欠: amounts in fen, age in days past due."""

    kind: str
    code: str
    firm: str
    department: str
    what: str
    fen: int
    due_on: date
    days: int
    grant: int | None = None
    claim: int | None = None

    @property
    def age(self) -> str:
        return next(word for limit, word in AGES if self.days <= limit)


def register_claim(engine: Engine, claim: ArrearsClaim, who: str, on: date, at: datetime) -> ArrearsClaim:
    """登记欠款. Raises ValueError for a wrong kind or amount, or one that is registered already."""
    if claim.kind not in CLAIM_KINDS or claim.fen <= 0:
        raise ValueError(f"欠款种类应当是 {' '.join(CLAIM_KINDS)}，金额是正数")
    with writing(engine) as opened:
        same = select(ArrearsClaim).where(
            ArrearsClaim.kind == claim.kind,
            ArrearsClaim.code == claim.code,
            ArrearsClaim.contract == claim.contract,
        )
        if opened.exec(same).first():
            raise ValueError(f"{claim.contract} 的{claim.kind}已经登记过")
        opened.add(claim)
        opened.flush()
        ledger.append(
            opened, "登记欠款", claim.fen, subject=claim.subject, on=on, at=at, who=who, note=claim.evidence
        )
        return claim


def settle_claim(
    engine: Engine,
    claim_id: int,
    fen: int,
    who: str,
    on: date,
    at: datetime,
    *,
    ref: str,
    written_off: str = "",
) -> ArrearsClaim:
    """清偿欠款: with the bank's number; or written off, with the ground. Raises ValueError."""
    if not ref and not written_off:
        raise ValueError("清偿要有银行流水号：没有流水的“清偿”不能记账")
    with writing(engine) as opened:
        claim = opened.exec(
            select(ArrearsClaim).where(ArrearsClaim.id == claim_id).with_for_update()
        ).one_or_none()
        if claim is None or not 0 < fen <= claim.fen - claim.settled:
            raise ValueError("没有这笔欠款，或者金额超过还欠的数")
        if not written_off:
            _not_used_elsewhere(opened, claim, ref)
        claim.settled += fen
        opened.add(claim)
        kind = "核销欠款" if written_off else "清偿欠款"
        ledger.append(
            opened, kind, fen, subject=claim.subject, on=on, at=at, who=who, ref=ref, note=written_off
        )
        return claim


def _not_used_elsewhere(opened: Session, claim: ArrearsClaim, ref: str) -> None:
    """One bank payment can't be two repayments: not a grant's, and not another firm's. Raises ValueError."""
    query = select(ledger.LedgerEntry).where(
        ledger.LedgerEntry.ref == ref, col(ledger.LedgerEntry.kind).in_(["到账", "清偿欠款"])
    )
    for entry in opened.exec(query).all():
        if entry.kind == "到账":
            raise ValueError(f"流水 {ref} 是第 {entry.grant_id} 号兑现事项的到账，不能又算清偿欠款")
        if entry.subject == claim.subject or entry.subject.split("|")[2] != claim.code:
            raise ValueError(f"流水 {ref} 已经清偿过 {entry.subject}，不能再用一次")


def arrears(engine: Engine, on: date) -> list[Arrear]:
    """拖欠清单 on a day: the oldest first."""
    calendar = office_calendar(engine)
    with session(engine) as opened:
        late = select(GrantCase).where(GrantCase.state.in_([s.value for s in OWED]), GrantCase.due < on)  # type: ignore[attr-defined,operator]
        found = [
            Arrear(
                "奖补",
                g.code,
                g.firm,
                g.department,
                g.title or g.item,
                _late_money(g, on, calendar),
                g.due,
                (on - g.due).days,
                grant=g.id,
            )
            for g in opened.exec(late).all()
            if g.due is not None and _late_money(g, on, calendar)
        ]
        open_claims = select(ArrearsClaim).where(
            ArrearsClaim.settled < ArrearsClaim.fen, ArrearsClaim.due_on < on
        )
        found += [
            Arrear(
                c.kind,
                c.code,
                c.firm,
                c.department,
                c.contract,
                c.fen - c.settled,
                c.due_on,
                (on - c.due_on).days,
                claim=c.id,
            )
            for c in opened.exec(open_claims).all()
        ]
    return sorted(found, key=lambda a: (-a.days, a.code, a.what))


def _late_money(case: GrantCase, on: date, calendar: Calendar) -> int:
    """Fen that should have arrived: all of it, or of a grant paid in parts those whose last day is over."""
    left = case.reserved + case.ordered
    parts = kept_plan(case.facts.get("分期")) if case.state == State.PAYING.value else ()
    over = sum(p.fen for p in parts if p.begins is not None and _over(p.begins, on, calendar))
    return min(left, max(0, over - case.arrived)) if parts else left


def _over(begins: date, on: date, calendar: Calendar) -> bool:
    try:
        return calendar.add(begins, CLOCKS[State.PAYING].days) < on
    except UnknownYear:
        return False


def undated(engine: Engine) -> list[GrantCase]:
    """期限不明: grants with money to pay whose day the calendar does not know: said, never counted as in time."""
    with session(engine) as opened:
        query = select(GrantCase).where(GrantCase.state.in_([s.value for s in OWED]), GrantCase.due.is_(None))  # type: ignore[attr-defined,union-attr]
        return list(opened.exec(query.order_by(GrantCase.id)).all())  # type: ignore[arg-type]


def summary(found: Iterable[Arrear], by: str) -> dict[str, tuple[int, int]]:
    """拖欠小计 by age, department, firm or kind: how many and how much (fen)."""
    if by not in ("age", "department", "firm", "kind"):
        raise ValueError(f"不能按“{by}”分")
    totals: dict[str, tuple[int, int]] = {}
    for one in found:
        count, fen = totals.get(getattr(one, by), (0, 0))
        totals[getattr(one, by)] = (count + 1, fen + one.fen)
    return totals


def claim_disagreements(engine: Engine) -> list[ledger.Finding]:
    """欠款登记与台账不符: a claim that vanished, or whose sums are not the ledger's."""
    with session(engine) as opened:
        claims = {c.subject: c for c in opened.exec(select(ArrearsClaim)).all()}
        query = select(ledger.LedgerEntry.subject).where(ledger.LedgerEntry.kind == "登记欠款")
        found = [
            ledger.Finding("消失", None, f"台账里登记过的欠款不见了：{s}")
            for s in opened.exec(query).all()
            if s not in claims
        ]
        for subject, claim in claims.items():
            owed = ledger.balances(opened, subject).get("拖欠", 0)
            if owed != claim.fen - claim.settled:
                found.append(
                    ledger.Finding(
                        "不平", None, f"{subject} 还欠 {claim.fen - claim.settled} 分，台账是 {owed} 分"
                    )
                )
    return found
