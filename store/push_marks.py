"""记号: of each item and batch, of what its pushes were last asked, so that a night that says the same asks nothing again.

A mark stands for all that queueing looks at: its first half for what the item's pairs were read as (store.push_asking), its
second for what they hang on, known without reading them (store.push_unchanged). It is written in the transaction that leaves
the item's pushes so, and taken away in every other one that changes what waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.engine import Engine
from sqlmodel import Field, Session, SQLModel

from store.database import session, writing


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
_MOVE = update(_TABLE).where(_OF, _TABLE.c.mark == bindparam("was")).values(mark=bindparam("now"))


HALF = 32
NONE = "-" * HALF


class Mark(NamedTuple):
    """记号的两半: what the pairs were read as (none where nobody is to be told), and what they hang on (none where unknown)."""

    pairs: str
    quick: str

    @classmethod
    def of(cls, kept: str) -> Mark:
        """读."""
        return cls(kept[:HALF], kept[HALF:])

    @property
    def kept(self) -> str:
        """写."""
        return (self.pairs[:HALF] or NONE) + (self.quick[:HALF] or NONE)

    @property
    def silent(self) -> bool:
        """没有谁要告知."""
        return self.pairs == NONE


def stands(engine: Engine, item: str, batch: str, pairs: str) -> bool:
    """记号还在: whether queueing would change nothing."""
    with session(engine) as opened:
        kept = opened.connection().execute(_MARK, {"i": item, "b": batch}).scalar()
    return kept is not None and Mark.of(kept).pairs == pairs[:HALF]


def all_marks(engine: Engine) -> dict[tuple[str, str], Mark]:
    """各事项的记号."""
    with session(engine) as opened:
        rows = opened.connection().execute(select(_TABLE.c.item, _TABLE.c.batch, _TABLE.c.mark)).all()
    return {(item, batch): Mark.of(kept) for item, batch, kept in rows}


def keep_mark(opened: Session, item: str, batch: str, mark: Mark) -> None:
    """留记号, in the last transaction that asks an item's pushes."""
    connection = opened.connection()
    connection.execute(_TAKE, {"i": item, "b": batch})
    connection.execute(_KEEP, {"item": item, "batch": batch, "mark": mark.kept})


def keep_quick(
    engine: Engine, still: Mapping[tuple[str, str], tuple[str, str]], silent: Mapping[tuple[str, str], str]
) -> None:
    """补后半: of items whose pairs turned out as they were (first halves and new second ones), where their mark stands still; and
    of those of which nobody is to be told."""
    known = all_marks(engine)
    moved = [
        {"i": item, "b": batch, "was": known[item, batch].kept, "now": Mark(pairs, quick).kept}
        for (item, batch), (pairs, quick) in still.items()
        if (item, batch) in known and known[item, batch].pairs == pairs[:HALF]
    ]
    moved = [row for row in moved if row["was"] != row["now"]]
    fresh = {
        pair: Mark(NONE, quick) for pair, quick in silent.items() if known.get(pair) != Mark(NONE, quick)
    }
    if not moved and not fresh:
        return
    with writing(engine) as opened:
        if moved:
            opened.connection().execute(_MOVE, moved)
        for (item, batch), mark in fresh.items():
            keep_mark(opened, item, batch, mark)


def take_marks(opened: Session, pairs: Iterable[tuple[str, str]]) -> None:
    """撤掉记号 of items and batches whose waiting pushes another than the night changes, in its transaction."""
    known = sorted(set(pairs))
    for at in range(0, len(known), 200):
        here = [and_(_TABLE.c.item == i, _TABLE.c.batch == b) for i, b in known[at : at + 200]]
        opened.connection().execute(delete(_TABLE).where(or_(*here)))
