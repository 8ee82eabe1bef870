"""操作记录: an append-only log in which every entry holds the hash of the one before."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import event, func, text
from sqlalchemy.engine import Engine
from sqlmodel import Field, Session, SQLModel, col, or_, select

from store.database import json_column, session, utc_column

GENESIS = "0" * 64
PAGE = 5000
UNNAMED = "命令行"  # an act on the command line whose doer did not say a name


class AuditEntry(SQLModel, table=True):
    """操作记录: who did what to what, when; `number` counts from 1 without gaps."""

    __tablename__ = "audit_entry"

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_column=utc_column(index=True))
    who: str = Field(max_length=64, index=True)
    what: str = Field(max_length=64, index=True)
    subject: str = Field(max_length=200, index=True)
    detail: dict[str, Any] = Field(sa_column=json_column())
    previous: str = Field(max_length=64)
    hash: str = Field(max_length=64, unique=True)


@dataclass(frozen=True)
class ChainReport:
    """核验结果: entries read, the last hash, and where and how the chain is broken (empty: whole)."""

    count: int
    head: str
    broken: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        return not self.broken


def entry_hash(entry: AuditEntry) -> str:
    """记录的哈希: SHA-256 of its canonical JSON, the previous hash included."""
    moment = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    body = [entry.number, moment, entry.who, entry.what, entry.subject, entry.detail, entry.previous]
    return hashlib.sha256(
        json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    ).hexdigest()


def record(
    opened: Session, who: str, what: str, subject: str, detail: dict[str, Any] | None, at: datetime
) -> AuditEntry:
    """记一笔, in the caller's transaction: what is rolled back leaves no entry, what is kept cannot lack one.

    Use it in `store.database.writing`, which on SQLite holds the write lock; on PostgreSQL an advisory lock is taken.
    """
    if opened.connection().dialect.name == "postgresql":
        opened.connection().execute(text("SELECT pg_advisory_xact_lock(4752)"))
    opened.flush()
    last = opened.exec(select(AuditEntry).order_by(col(AuditEntry.number).desc()).limit(1)).first()
    entry = AuditEntry(
        number=(last.number if last else 0) + 1,
        at=at,
        who=who,
        what=what,
        subject=subject[:200],
        detail=json.loads(json.dumps(detail or {}, ensure_ascii=False, default=str)),
        previous=last.hash if last else GENESIS,
        hash="",
    )
    entry.hash = entry_hash(entry)
    opened.add(entry)
    opened.flush()
    return entry


def verify(engine: Engine, anchor: tuple[int, str] | None = None) -> ChainReport:
    """核验: walk the chain. `anchor` is a number and hash written down earlier: with it a cut-off tail shows too."""
    broken: list[str] = []
    count, head, expected = 0, GENESIS, 1
    anchored = anchor is None
    with session(engine) as opened:
        while page := _page(opened, expected):
            for entry in page:
                broken += _faults(entry, expected, head)
                anchored = anchored or (entry.number, entry.hash) == anchor
                count, head, expected = count + 1, entry.hash, entry.number + 1
    if not anchored and anchor is not None:
        broken.append(f"第 {anchor[0]} 笔和存档的哈希不同，或者已经不见了")
    return ChainReport(count, head, tuple(broken))


def _page(opened: Session, start: int) -> list[AuditEntry]:
    return list(
        opened.exec(
            select(AuditEntry).where(AuditEntry.number >= start).order_by(col(AuditEntry.number)).limit(PAGE)
        )
    )


def _faults(entry: AuditEntry, expected: int, head: str) -> list[str]:
    out = []
    if entry.number != expected:
        out.append(f"第 {expected} 笔到第 {entry.number - 1} 笔不见了")
    elif entry.previous != head:
        out.append(f"第 {entry.number} 笔接不上前一笔")
    if entry_hash(entry) != entry.hash:
        out.append(f"第 {entry.number} 笔的内容被改过（{entry.who} {entry.what} {entry.subject}）")
    return out


def entries(
    engine: Engine, *, who: str = "", what: str = "", query: str = "", limit: int = 100, offset: int = 0
) -> tuple[list[AuditEntry], int]:
    """查记录: newest first, with the number that fit."""
    wanted: list[Any] = []
    if who:
        wanted.append(AuditEntry.who == who)
    if what:
        wanted.append(AuditEntry.what == what)
    if query:
        wanted.append(or_(col(AuditEntry.subject).contains(query), col(AuditEntry.what).contains(query)))
    with session(engine) as opened:
        total = opened.exec(select(func.count()).select_from(AuditEntry).where(*wanted)).one()
        found = opened.exec(
            select(AuditEntry)
            .where(*wanted)
            .order_by(col(AuditEntry.number).desc())
            .limit(limit)
            .offset(offset)
        )
        return list(found), total


def kinds(engine: Engine) -> list[str]:
    """有过哪些操作."""
    with session(engine) as opened:
        return sorted(opened.exec(select(AuditEntry.what).distinct()))


def _refuse(_mapper: Any, _connection: Any, target: AuditEntry) -> None:
    raise RuntimeError(f"操作记录只能添加（第 {target.number} 笔）")


event.listen(AuditEntry, "before_update", _refuse)
event.listen(AuditEntry, "before_delete", _refuse)
