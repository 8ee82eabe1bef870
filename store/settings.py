"""设置: values of the office under names."""

from __future__ import annotations

from typing import Any

from sqlmodel import Field, Session, SQLModel

from store.database import json_column


class OfficeSetting(SQLModel, table=True):
    """设置: a value of the office under a name."""

    __tablename__ = "office_setting"

    name: str = Field(primary_key=True, max_length=64)
    value: Any = Field(sa_column=json_column(nullable=True))


def read_setting(opened: Session, name: str, default: Any = None) -> Any:
    """设置的值, within the caller's transaction."""
    row = opened.get(OfficeSetting, name)
    return default if row is None else row.value
