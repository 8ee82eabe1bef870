"""再说一遍: amounts that a field of conditions tells again (申报条件：…可获得10万元奖励) are those of the item that gives them."""

from __future__ import annotations

from collections.abc import Sequence

from policies.segment import role_of_field

from .benefits import keyed
from .model import Item
from .pieces import Reading


def once(reading: Reading, items: Sequence[Item]) -> list[Item]:
    """只算一次: the items, without those of a field of conditions that only tell again what another of their part gives; what
    they say is that item's, so that the conditions beside it bind it."""
    out: list[Item] = []
    for item in items:
        told = _first_told(reading, item, items)
        if told is None:
            out.append(item)
        else:
            told.pieces += item.pieces
            told.clauses = sorted({*told.clauses, *item.clauses})
    return out


def _first_told(reading: Reading, item: Item, items: Sequence[Item]) -> Item | None:
    """The item before that gives the same amounts in another field under the same heading, where only one does."""
    numbers = _numbers(reading, item)
    if not numbers or not _asks(reading, item):
        return None
    over = set(reading.clauses[item.clauses[0]].headings)
    same = [
        i
        for i in items
        if i.clauses[0] < item.clauses[0]
        and not _asks(reading, i)
        and over & set(reading.clauses[i.clauses[0]].headings)
        and numbers <= _numbers(reading, i)
    ]
    return same[0] if len(same) == 1 else None


def _numbers(reading: Reading, item: Item) -> set[tuple[str, float]]:
    return {(q.kind, q.high) for p in item.pieces for q, _, _ in keyed(reading, p)}


def _asks(reading: Reading, item: Item) -> bool:
    return role_of_field(reading.clauses[item.clauses[0]].field_name) == "condition"
