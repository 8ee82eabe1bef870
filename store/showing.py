"""演示: a data folder of invented firms lives on a day of its own; how far its day is from the clock's."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import inspect
from sqlalchemy.engine import Engine
from sqlmodel import select

from store.database import session, writing
from store.nights import Run
from store.settings import OfficeSetting, read_setting

NAME = "demo"
SHANGHAI_HOURS = timedelta(hours=8)


def make_showing(engine: Engine, day: date, now: datetime) -> timedelta:
    """定演示日: what the clock shows now is `day` in this data folder from now on; a day fixed before stays.

    Returns how far the folder's day is from the clock's, in whole days. Raises ValueError where the folder has nights
    but no such day: they may be somebody's real work.
    """
    with writing(engine) as opened:
        kept = read_setting(opened, NAME)
        if kept is None and opened.exec(select(Run).limit(1)).first() is not None:
            raise ValueError("这个数据文件夹里已有比对，样例不和它混在一起；请用另一个文件夹：--home 文件夹")
        if kept is None:
            made = (now + SHANGHAI_HOURS).date()
            kept = {"day": day.isoformat(), "made": made.isoformat()}
            opened.add(OfficeSetting(name=NAME, value=kept))
    return _shift(kept)


def showing(engine: Engine) -> timedelta | None:
    """演示日与今天差几天: None where the folder lives by the clock, as one does that no command has filled yet."""
    if not inspect(engine).has_table(OfficeSetting.__tablename__):
        return None
    with session(engine) as opened:
        kept = read_setting(opened, NAME)
    return None if kept is None else _shift(kept)


def _shift(kept: dict[str, str]) -> timedelta:
    return date.fromisoformat(kept["day"]) - date.fromisoformat(kept["made"])
