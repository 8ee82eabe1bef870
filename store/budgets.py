"""额度: what a batch may still promise; it can't be overspent, whoever confirms at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, Column, UniqueConstraint, func
from sqlalchemy.engine import Engine
from sqlmodel import Field, Session, SQLModel, col, select

from store import ledger
from store.database import Fen, fen_column, id_column, session, to_fen, writing
from store.faults import point

if TYPE_CHECKING:
    from policies.library import Library

RULES = "规则文件"
FIRST_COME, PRO_RATA, BY_POINTS, OPEN = "先到先得", "按比例核减", "按评分", "不限"
MODES = (FIRST_COME, PRO_RATA, BY_POINTS, OPEN)


class BatchBudget(SQLModel, table=True):
    """批次额度: the limit (None: none set) and where its money is; the database itself refuses an overspend."""

    __tablename__ = "batch_budget"
    __table_args__ = (
        UniqueConstraint("item", "batch", name="uq_batch_budget"),
        CheckConstraint(
            "limit_fen IS NULL OR reserved + ordered + paid + claimed + refunded <= limit_fen",
            name="ck_budget_limit",
        ),
        CheckConstraint(
            "reserved >= 0 AND ordered >= 0 AND paid >= 0 AND claimed >= 0 AND refunded >= 0",
            name="ck_budget_signs",
        ),
    )

    id: int | None = Field(default=None, sa_column=id_column())
    item: str
    batch: str
    mode: str
    limit_fen: int | None = Field(default=None, sa_column=Column(Fen, nullable=True))
    reserved: int = Field(default=0, sa_column=fen_column())
    ordered: int = Field(default=0, sa_column=fen_column())
    paid: int = Field(default=0, sa_column=fen_column())
    claimed: int = Field(default=0, sa_column=fen_column())
    refunded: int = Field(default=0, sa_column=fen_column())
    ruled_fen: int | None = Field(default=None, sa_column=Column(Fen, nullable=True))
    ruled_mode: str | None = None

    @property
    def subject(self) -> str:
        return f"{self.item}|{self.batch}"

    @property
    def used(self) -> int:
        """已用: everything that is promised or has gone."""
        return self.reserved + self.ordered + self.paid + self.claimed + self.refunded

    @property
    def available(self) -> int | None:
        """可用: None where no limit is set."""
        return None if self.limit_fen is None else self.limit_fen - self.used

    @property
    def pooled(self) -> bool:
        """是否统一分配: shared out after the batch has closed."""
        return self.mode in (PRO_RATA, BY_POINTS) and self.limit_fen is not None


MOVED = {
    "占用": ("", "reserved"),
    "减占": ("reserved", ""),
    "释放": ("reserved", ""),
    "拨付": ("reserved", "ordered"),
    "到账": ("ordered", "paid"),
    "退票": ("ordered", "reserved"),
    "冲回": ("paid", "reserved"),
    "追回": ("paid", "claimed"),
    "退款": ("claimed", "refunded"),
}


def locked(opened: Session, item: str, batch: str) -> BatchBudget | None:
    """锁定额度: the row, held until the transaction ends."""
    query = select(BatchBudget).where(BatchBudget.item == item, BatchBudget.batch == batch)
    return opened.exec(query.with_for_update()).one_or_none()


def shift(budget: BatchBudget, kind: str, fen: int) -> None:
    """挪动: the sums of a ledger movement."""
    source, target = MOVED[kind]
    if source:
        setattr(budget, source, getattr(budget, source) - fen)
    if target:
        setattr(budget, target, getattr(budget, target) + fen)


def set_budget(
    engine: Engine, item: str, batch: str, limit: int | None, mode: str, *, who: str, on: date, at: datetime
) -> BatchBudget:
    """下达额度: set or change a batch's limit (fen). Raises ValueError where it is below what is already promised."""
    with writing(engine) as opened:
        return set_budget_in(opened, item, batch, limit, mode, who=who, on=on, at=at)


@dataclass(frozen=True)
class Ruled:
    """规则文件里的额度: of one item and batch, in fen."""

    item: str
    batch: str
    fen: int
    mode: str


def ruled_budgets(library: Library, as_of: date, known: Iterable[tuple[str, str]] = ()) -> list[Ruled]:
    """规则里的额度: of batches that are open on a day, and of those in `known` (item, batch)."""
    wanted = set(known)
    found = []
    for program in library.programs:
        item = program.item
        for batch in item.batches:
            live = batch.opens <= as_of <= batch.closes or (item.id, batch.name) in wanted
            if batch.budget is not None and live:
                mode = item.budget.when_short if item.budget else PRO_RATA
                found.append(Ruled(item.id, batch.name, to_fen(batch.budget), mode))
    return found


def take_over(engine: Engine, ruled: Iterable[Ruled], *, on: date, at: datetime) -> tuple[int, list[str]]:
    """接过规则的额度: how many were set, and what could not be.

    A budget follows its rule file when the file changes; one that a person set since stays until then.
    """
    changed, faults = 0, []
    for one in ruled:
        with writing(engine) as opened:
            budget = locked(opened, one.item, one.batch)
            if budget is not None and (budget.ruled_fen, budget.ruled_mode) == (one.fen, one.mode):
                continue
            if budget is not None and budget.ruled_mode is None:  # a person was there before the rule file
                budget.ruled_fen, budget.ruled_mode = one.fen, one.mode
                opened.add(budget)
                continue
            try:
                budget = set_budget_in(
                    opened, one.item, one.batch, one.fen, one.mode, who=RULES, on=on, at=at
                )
            except ValueError as error:
                faults.append(f"规则把额度改为 {one.fen / 100:,.2f} 元，没有照改：{error}")
                continue
            budget.ruled_fen, budget.ruled_mode = one.fen, one.mode
            opened.add(budget)
            changed += 1
            point("budgets.taken")
    return changed, faults


def list_budgets(engine: Engine, item: str | None = None) -> list[BatchBudget]:
    """各批次的额度."""
    query = select(BatchBudget).order_by(col(BatchBudget.item), col(BatchBudget.batch))
    with session(engine) as opened:
        return list(opened.exec(query.where(BatchBudget.item == item) if item else query).all())


def set_budget_in(
    opened: Session, item: str, batch: str, limit: int | None, mode: str, *, who: str, on: date, at: datetime
) -> BatchBudget:
    """下达额度, within the caller's transaction."""
    if mode not in MODES:
        raise ValueError(f"没有“{mode}”这种分配办法：可以是 {' '.join(MODES)}")
    budget = locked(opened, item, batch)
    if budget is None:
        # Two that set a first limit at once: the second waits here, then finds the first one's row.
        opened.exec(select(ledger.LedgerHead).where(ledger.LedgerHead.id == 1).with_for_update()).one()
        budget = locked(opened, item, batch)
    if budget is None:
        budget = BatchBudget(item=item, batch=batch, mode=mode)
        for name, fen in _promised_before(opened, item, batch).items():
            setattr(budget, name, fen)
    if limit is not None and limit < budget.used:
        raise ValueError(f"{item} {batch} 已经用了 {budget.used / 100:,.2f} 元，额度不能低于这个数")
    change = (limit or 0) - (budget.limit_fen or 0)
    budget.limit_fen, budget.mode = limit, mode
    opened.add(budget)
    opened.flush()
    if change:
        kind = "预算下达" if change > 0 else "预算调减"
        ledger.append(opened, kind, abs(change), subject=budget.subject, on=on, at=at, who=who)
    return budget


def _promised_before(opened: Session, item: str, batch: str) -> dict[str, int]:
    """What grants had promised and been paid before their batch got a budget: it counts from the first."""
    from store.grants import GrantCase

    case = GrantCase
    sums = {
        "reserved": col(case.reserved), "ordered": col(case.ordered), "paid": col(case.arrived) - col(case.claimed),
        "claimed": col(case.claimed) - col(case.recovered), "refunded": col(case.recovered),
    }  # fmt: skip
    totals: Any = select(*(func.coalesce(func.sum(s), 0) for s in sums.values()))
    row = opened.exec(totals.where(case.item == item, case.batch == batch)).one()
    return {name: int(fen) for name, fen in zip(sums, row, strict=True)}
