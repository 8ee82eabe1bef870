"""台账: every movement of grant money, append-only and hash-chained; money in fen from one account to another."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, func
from sqlalchemy.engine import Engine
from sqlmodel import Field, Session, SQLModel, col, select

from store.database import BigId, fen_column, session, utc_column, writing
from store.faults import point

# What each kind of entry does: from which account to which. 可用 is what a batch may still promise.
KINDS = {
    "预算下达": ("财政", "可用"),
    "预算调减": ("可用", "财政"),
    "占用": ("可用", "占用"),
    "减占": ("占用", "可用"),
    "释放": ("占用", "可用"),
    "拨付": ("占用", "在途"),
    "到账": ("在途", "已付"),
    "退票": ("在途", "占用"),
    "冲回": ("已付", "占用"),
    "追回": ("已付", "待追回"),
    "退款": ("待追回", "已退回"),
    "登记欠款": ("应付登记", "拖欠"),
    "清偿欠款": ("拖欠", "已清偿"),
    "核销欠款": ("拖欠", "已核销"),
}
GENESIS = "0" * 64
BACKDATED_DAYS = 31


class LedgerEntry(SQLModel, table=True):
    """台账行: one movement; `seq` counts without gaps, `hash` covers the row and the hash before it."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        CheckConstraint("fen > 0", name="ck_ledger_fen"),
        Index("ix_ledger_grant", "grant_id"),
        Index("ix_ledger_subject", "subject"),
    )

    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    kind: str
    debit: str
    credit: str
    fen: int = Field(sa_column=fen_column())
    subject: str
    grant_id: int | None = Field(default=None, sa_column=Column(BigId, nullable=True))
    on: date = Field(sa_column_kwargs={"name": "on_day"})
    at: datetime = Field(sa_column=utc_column())
    who: str
    ref: str = ""
    note: str = ""
    prev: str
    hash: str


class LedgerHead(SQLModel, table=True):
    """台账链头: one row; whoever appends holds it."""

    __tablename__ = "ledger_head"

    id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    hash: str


class LedgerSeal(SQLModel, table=True):
    """台账封条: where the chain stood at a day's check."""

    __tablename__ = "ledger_seal"

    day: date = Field(primary_key=True)
    seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    hash: str
    last_event: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    events: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))


@dataclass(frozen=True)
class Finding:
    """对账发现: what is wrong (消失 改动 倒填 断链 不平), where, in one line."""

    kind: str
    seq: int | None
    text: str


def digest(entry: LedgerEntry) -> str:
    """一行的哈希: over every field but itself."""
    fields = [
        entry.seq, entry.kind, entry.debit, entry.credit, entry.fen, entry.subject, entry.grant_id,
        entry.on.isoformat(), entry.at.timestamp(), entry.who, entry.ref, entry.note, entry.prev,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(fields, ensure_ascii=False).encode()).hexdigest()


def append(
    opened: Session, kind: str, fen: int, *, subject: str, on: date, at: datetime, who: str,
    grant_id: int | None = None, ref: str = "", note: str = "",
) -> LedgerEntry:  # fmt: skip
    """记一行: within the caller's transaction (a `writing` one). Raises ValueError for a wrong kind or amount."""
    if kind not in KINDS or fen <= 0:
        raise ValueError(f"台账不能记“{kind}” {fen} 分")
    head = opened.exec(select(LedgerHead).where(LedgerHead.id == 1).with_for_update()).one()
    debit, credit = KINDS[kind]
    entry = LedgerEntry(
        seq=head.seq + 1, kind=kind, debit=debit, credit=credit, fen=fen, subject=subject, grant_id=grant_id,
        on=on, at=at, who=who, ref=ref, note=note, prev=head.hash, hash="",
    )  # fmt: skip
    entry.hash = digest(entry)
    head.seq, head.hash = entry.seq, entry.hash
    opened.add(entry)
    opened.add(head)
    opened.flush()
    point("ledger.appended")
    return entry


def head(engine: Engine) -> int:
    """链头的行号: it grows with every entry."""
    with session(engine) as opened:
        return int(opened.exec(select(LedgerHead.seq).where(LedgerHead.id == 1)).first() or 0)


def check_chain(opened: Session) -> list[Finding]:
    """验链: vanished, altered, back-dated rows, and seals that no longer fit."""
    found: list[Finding] = []
    last, prev, latest = 0, GENESIS, None
    hashes: dict[int, str] = {0: GENESIS}
    for entry in opened.exec(select(LedgerEntry).order_by(LedgerEntry.seq)).yield_per(5000):  # type: ignore[arg-type]
        found += [Finding("消失", n, f"台账第 {n} 行不见了") for n in range(last + 1, entry.seq)]
        if entry.hash != digest(entry):
            found.append(Finding("改动", entry.seq, f"台账第 {entry.seq} 行被改过：内容和哈希对不上"))
        elif entry.prev != prev and entry.seq == last + 1:
            found.append(Finding("断链", entry.seq, f"台账第 {entry.seq} 行接不上前一行"))
        found += _dated(entry, latest)
        last, prev, latest = entry.seq, entry.hash, entry.at
        hashes[entry.seq] = entry.hash
    head = opened.exec(select(LedgerHead).where(LedgerHead.id == 1)).one()
    found += [Finding("消失", n, f"台账第 {n} 行不见了") for n in range(last + 1, head.seq + 1)]
    if last > head.seq:
        found.append(Finding("断链", last, f"台账有 {last} 行，链头只记到 {head.seq}"))
    return found + _seals(opened, hashes)


def _dated(entry: LedgerEntry, latest: datetime | None) -> list[Finding]:
    written = (entry.at + timedelta(hours=8)).date()
    if latest is not None and entry.at < latest - timedelta(minutes=5):
        return [
            Finding("倒填", entry.seq, f"台账第 {entry.seq} 行的记账时刻早于前一行（时钟被拨回，或倒填）")
        ]
    if (written - entry.on).days > BACKDATED_DAYS:
        text = (
            f"台账第 {entry.seq} 行 {written} 才记，日期却写 {entry.on}，早了 {(written - entry.on).days} 天"
        )
        return [Finding("倒填", entry.seq, text)]
    return []


def _seals(opened: Session, hashes: dict[int, str]) -> list[Finding]:
    found = _vanished_steps(opened)
    for seal in opened.exec(select(LedgerSeal).order_by(LedgerSeal.day)).all():  # type: ignore[arg-type]
        if hashes.get(seal.seq) != seal.hash:
            found.append(
                Finding(
                    "改动", seal.seq, f"{seal.day} 封存时第 {seal.seq} 行的哈希和现在不同：整条链被重写过"
                )
            )
    return found


def _steps(opened: Session, until: int | None) -> tuple[int, int]:
    """The last step of any grant and how many there are, up to one."""
    from store.grants import GrantEvent

    query = select(func.max(GrantEvent.id), func.count())
    last, count = opened.exec(query if until is None else query.where(col(GrantEvent.id) <= until)).one()
    return last or 0, count


def _vanished_steps(opened: Session) -> list[Finding]:
    """Steps that were there when a day was sealed and are no more: a grant deleted with all its traces, before any money."""
    found = []
    query = select(LedgerSeal).where(col(LedgerSeal.events).is_not(None))
    for seal in opened.exec(query.order_by(col(LedgerSeal.day))):
        _, count = _steps(opened, seal.last_event)
        if count < (seal.events or 0):
            gone = (seal.events or 0) - count
            found.append(
                Finding("消失", None, f"{seal.day} 封存时兑现经过有 {seal.events} 步，现在少了 {gone} 步")
            )
            break  # later seals lack the same steps
    return found


def balances(opened: Session, subject: str | None = None) -> dict[str, int]:
    """各账户余额 in fen: credits less debits; they add up to nothing."""
    totals: dict[str, int] = {}
    query = select(LedgerEntry.debit, LedgerEntry.credit, func.sum(LedgerEntry.fen))
    if subject is not None:
        query = query.where(LedgerEntry.subject == subject)
    for debit, credit, fen in opened.exec(query.group_by(LedgerEntry.debit, LedgerEntry.credit)).all():
        totals[debit] = totals.get(debit, 0) - int(fen)
        totals[credit] = totals.get(credit, 0) + int(fen)
    return totals


def seal(engine: Engine, day: date) -> LedgerSeal:
    """封存: note where the chain stands; once a day, the first stays."""
    with writing(engine) as opened:
        existing = opened.get(LedgerSeal, day)
        if existing is not None:
            return existing
        head = opened.exec(select(LedgerHead).where(LedgerHead.id == 1)).one()
        last, count = _steps(opened, None)
        sealed = LedgerSeal(day=day, seq=head.seq, hash=head.hash, last_event=last, events=count)
        opened.add(sealed)
        return sealed


def verify_ledger(engine: Engine) -> list[Finding]:
    """每日核账: the chain, and that grants, budgets and claims say the same sums as the ledger."""
    from store.arrears import claim_disagreements
    from store.grants import disagreements

    with session(engine) as opened:
        found = check_chain(opened) + disagreements(opened)
    return found + claim_disagreements(engine)
