"""额度: what a batch may still promise; it can't be overspent, whoever confirms at once."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Column, UniqueConstraint
from sqlalchemy.engine import Engine
from sqlmodel import Field, Session, SQLModel, select

from store import ledger
from store.database import Fen, fen_column, id_column, writing

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
