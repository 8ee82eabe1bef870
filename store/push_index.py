"""推送的索引: the one by firm is left out while a first night fills the outbox, and built in one go at its end.

Each push goes into a place of that index of its own, so that keeping it up costs a third of writing them; sorting them
once costs a fifth of that. Nobody's answer hangs on it: whoever looks for a firm's pushes meanwhile reads all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Index, text
from sqlalchemy.engine import Engine

from store.database import session, writing
from store.outbox import Push

ORDER: Index = next(i for i in Push.__table__.indexes if i.name == "ix_push_order")  # type: ignore[attr-defined]
WORTH = 200_000  # pushes of a night from which it is


@contextmanager
def built_at_end(engine: Engine, coming: int) -> Iterator[None]:
    """最后建索引: for a night that brings about so many pushes, where the outbox has less than half as many."""
    if not _worth(engine, coming):
        mend_index(engine)
        yield
        return
    with writing(engine) as opened:
        ORDER.drop(opened.connection(), checkfirst=True)
    try:
        yield
    finally:
        mend_index(engine)


def _worth(engine: Engine, coming: int) -> bool:
    if engine.dialect.name != "sqlite" or coming < WORTH:
        return False
    with session(engine) as opened:  # the number of the last row: nothing is ever taken out of the outbox
        last = opened.connection().execute(text("SELECT max(rowid) FROM push")).scalar()
    return 2 * int(last or 0) < coming


def mend_index(engine: Engine) -> None:
    """补上索引: what a killed night left out; whoever is about to need it calls this."""
    if engine.dialect.name != "sqlite":
        return
    asked = text("SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = 'ix_push_order'")
    with session(engine) as opened:
        if opened.connection().execute(asked).scalar():
            return
    with writing(engine) as opened:
        ORDER.create(opened.connection(), checkfirst=True)
