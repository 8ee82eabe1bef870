"""认领: rows whose firm is not certain wait for a person; the person's answer is kept for the next time."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Text
from sqlmodel import Field, SQLModel

from store.database import BigId, id_column, json_column, utc_column

WAITING, CONFIRMED, DISMISSED = "待确认", "已确认", "已驳回"


class PendingRow(SQLModel, table=True):
    """待认领: a sound row without a certain firm: what it wrote, why it waits, candidates with scores, the answer."""

    __tablename__ = "pending_row"
    id: int | None = Field(default=None, sa_column=id_column())
    batch_id: int = Field(sa_column=Column(BigId, ForeignKey("source_batch.id"), nullable=False, index=True))
    source: str
    line: int
    why: str
    code: str = ""
    name: str = ""
    number: str = ""
    organisation: str = ""
    key: str = ""
    day: date | None = None
    content: str = Field(sa_column=Column(Text, nullable=False))
    refs: list[Any] = Field(default_factory=list, sa_column=json_column())
    digest: int = Field(sa_column=Column(BigInteger, nullable=False, index=True))
    candidates: list[Any] | None = Field(default=None, sa_column=json_column(nullable=True))
    state: str = Field(default=WAITING, index=True)
    answer: str = ""
    by: str = ""
    answered_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    landed_batch: int | None = Field(default=None, sa_column=Column(BigId, ForeignKey("source_batch.id")))


class IdentityAnswer(SQLModel, table=True):
    """认领答案: what a source writes (a wrong code, an old number, a bare name) is this firm; "" means none of ours."""

    __tablename__ = "identity_answer"
    id: int | None = Field(default=None, sa_column=id_column())
    source: str = Field(index=True)
    written: str = Field(index=True)
    code: str = Field(default="", max_length=18)
    by: str = ""
    at: datetime = Field(sa_column=utc_column())
    withdrawn_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
