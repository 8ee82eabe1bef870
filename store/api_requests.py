"""接口请求: writes that came with an idempotency key, so that a repeated one has no second effect."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import UniqueConstraint, delete
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, SQLModel, col, select

from store.database import id_column, json_column, session, utc_column, writing

KEEP_DAYS = 30


class ApiRequest(SQLModel, table=True):
    """接口请求: one write of one token under its key, and what was answered; `status` empty while it runs."""

    __tablename__ = "api_request"
    __table_args__ = (UniqueConstraint("token", "key", name="uq_api_request"),)

    id: int | None = Field(default=None, sa_column=id_column())
    token: int = Field(foreign_key="api_token.id")
    key: str = Field(max_length=80)
    body: str = Field(max_length=64)
    status: int | None = None
    answer: Any = Field(default=None, sa_column=json_column(nullable=True))
    at: datetime = Field(sa_column=utc_column())


@dataclass(frozen=True)
class Earlier:
    """以前的同键请求: `same` where its content was the same; `status` None where its outcome is not known."""

    same: bool
    status: int | None
    answer: Any


def claim(engine: Engine, token: int, key: str, body: str, now: datetime) -> Earlier | None:
    """占键 before anything is done: None where the key is new; `body` is the digest of method, address and content.

    Keys older than thirty days are forgotten.
    """
    try:
        return _claimed(engine, token, key, body, now)
    except (
        IntegrityError
    ):  # another took the key after it was looked for here: that one's request is the earlier one
        return _claimed(engine, token, key, body, now)


def _claimed(engine: Engine, token: int, key: str, body: str, now: datetime) -> Earlier | None:
    with writing(engine) as opened:
        opened.execute(delete(ApiRequest).where(col(ApiRequest.at) < now - timedelta(days=KEEP_DAYS)))
        found = opened.exec(
            select(ApiRequest).where(ApiRequest.token == token, ApiRequest.key == key)
        ).first()
        if found is not None:
            return Earlier(found.body == body, found.status, found.answer)
        opened.add(ApiRequest(token=token, key=key, body=body, at=now))
        return None


def settle(engine: Engine, token: int, key: str, status: int, answer: Any) -> None:
    """记下答复 of a write that took effect."""
    with writing(engine) as opened:
        found = opened.exec(select(ApiRequest).where(ApiRequest.token == token, ApiRequest.key == key)).one()
        found.status, found.answer = status, answer
        opened.add(found)


def free(engine: Engine, token: int, key: str) -> None:
    """放键: the write was refused and had no effect, so that the key may be used again."""
    with session(engine) as opened:
        opened.execute(delete(ApiRequest).where(col(ApiRequest.token) == token, col(ApiRequest.key) == key))
