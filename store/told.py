"""已告知: which firms have been told that an item's money is theirs: pushes that went out, on whatever channel."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from sqlalchemy.engine import Engine
from sqlmodel import col, select

from store.database import session
from store.outbox import SENT, Push

OFFERS = {
    "confirm": "免申即享通知",
    "invite": "即申即享邀请",
    "inform": "符合通知",
}  # a question promises nothing


class ToldFirm(NamedTuple):
    """告知过的一家: the first message that went out to it, and the day (UTC) it did; None where that is not on record."""

    code: str
    kind: str
    on: date | None

    @property
    def words(self) -> str:
        """什么时候告知了什么."""
        return f"{self.on or '日期不详'} {OFFERS[self.kind]}"


def told(engine: Engine, item: str, batch: str) -> dict[str, ToldFirm]:
    """告知过的企业 of one item and batch, by code: columns only, since a register has a push a firm and channel."""
    query = select(Push.firm, Push.kind, Push.sent).where(
        Push.item == item, Push.batch == batch, Push.state == SENT, col(Push.kind).in_(list(OFFERS))
    )
    out: dict[str, ToldFirm] = {}
    with session(engine) as opened:
        for code, kind, sent in opened.exec(query.order_by(col(Push.sent), Push.key)):
            out.setdefault(code, ToldFirm(code, kind, sent.date() if sent else None))
    return out
