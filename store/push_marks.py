"""记号: of each item and batch, of what its pushes were last asked, so that a night that says the same asks nothing again.

A mark stands for all that queueing looks at (store.push_asking.mark_of). It is written in the transaction that leaves the
item's pushes so, and taken away in every other one that changes what waits.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import and_, bindparam, delete, insert, or_, select
from sqlalchemy.engine import Engine
from sqlmodel import Field, Session, SQLModel

from store.database import session


class PushMark(SQLModel, table=True):
    """记号 of one item and batch."""

    __tablename__ = "push_mark"
    item: str = Field(primary_key=True, max_length=128)
    batch: str = Field(primary_key=True, max_length=32)
    mark: str = Field(max_length=64)


_TABLE = PushMark.__table__  # type: ignore[attr-defined]
# put together once: a night asks each of a thousand items
_OF = and_(_TABLE.c.item == bindparam("i"), _TABLE.c.batch == bindparam("b"))
_MARK, _TAKE, _KEEP = select(_TABLE.c.mark).where(_OF), delete(_TABLE).where(_OF), insert(_TABLE)


def stands(engine: Engine, item: str, batch: str, mark: str) -> bool:
    """记号还在: whether queueing would change nothing."""
    with session(engine) as opened:
        return opened.connection().execute(_MARK, {"i": item, "b": batch}).scalar() == mark


def keep_mark(opened: Session, item: str, batch: str, mark: str) -> None:
    """留记号, in the last transaction that asks an item's pushes."""
    connection = opened.connection()
    connection.execute(_TAKE, {"i": item, "b": batch})
    connection.execute(_KEEP, {"item": item, "batch": batch, "mark": mark})


def take_marks(opened: Session, pairs: Iterable[tuple[str, str]]) -> None:
    """撤掉记号 of items and batches whose waiting pushes another than the night changes, in its transaction."""
    known = sorted(set(pairs))
    for at in range(0, len(known), 200):
        here = [and_(_TABLE.c.item == i, _TABLE.c.batch == b) for i, b in known[at : at + 200]]
        opened.connection().execute(delete(_TABLE).where(or_(*here)))
