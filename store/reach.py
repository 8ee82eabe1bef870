"""联系与意愿: how a firm can be reached, what it consented to, refused or stopped, and credit holds."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy.engine import Engine
from sqlmodel import Field, SQLModel, select

from store.database import json_column, session, utc_column, writing


class FirmReach(SQLModel, table=True):
    """企业联系: addresses, consent (None: never asked), items it does not want, a credit hold with its cause."""

    __tablename__ = "firm_reach"

    code: str = Field(primary_key=True, max_length=18)
    email: str = Field(default="", max_length=200)
    phone: str = Field(default="", max_length=40)
    consent: bool | None = None
    stopped: bool = False
    refused: list[str] = Field(default_factory=list, sa_column=json_column())
    hold: str = Field(default="", max_length=200)
    hold_until: date | None = None
    updated: datetime = Field(sa_column=utc_column())


FIELDS = ("email", "phone", "consent", "stopped", "refused", "hold", "hold_until")


def reach(engine: Engine, code: str) -> FirmReach | None:
    """一家企业的联系."""
    with session(engine) as opened:
        return opened.get(FirmReach, code)


def addresses(engine: Engine) -> list[FirmReach]:
    """各企业的联系."""
    with session(engine) as opened:
        return list(opened.exec(select(FirmReach)).all())


def change_reach(engine: Engine, code: str, at: datetime, **changes: Any) -> FirmReach:
    """改联系与意愿: consent, stop, refusal of an item, address, hold. Raises ValueError for an unknown field."""
    unknown = set(changes) - set(FIELDS)
    if unknown:
        raise ValueError(f"没有这些联系字段：{'、'.join(sorted(unknown))}")
    with writing(engine) as opened:
        row = opened.get(FirmReach, code) or FirmReach(code=code, updated=at)
        for name, value in changes.items():
            setattr(row, name, value)
        row.updated = at
        opened.add(row)
        return row
