"""事项的含义: a digest of all that decides an item's hits, whatever its file looks like."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from engine.columns import Columns
from engine.nodes import Node
from engine.program import BoundItem

if TYPE_CHECKING:
    pass


def meaning(
    item: BoundItem, columns: Columns, as_of: date, spoken: dict[str, str] | None = None
) -> str:  # fmt: skip
    """事项的含义: a digest of all that decides its hits: bound conditions, benefit, subject, and how its indicators read;
    `spoken` keeps what was written of indicators, for items of the same columns."""
    known = {} if spoken is None else spoken
    parts = [str(item.batch.opens > as_of), own_meaning(item), columns.speaks(item.program.item.subject)]
    for name in sorted(item.reads):
        if name not in known:
            said = _canonical((name, columns.dictionary.get(name), columns.speaks(name)))
            known[name] = hashlib.sha256(said.encode()).hexdigest()
        parts.append(known[name])
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def own_meaning(item: BoundItem) -> str:
    """自己的含义: a digest of what an item says by itself, worked out once: it never changes."""
    known: dict[str, str] = item.__dict__
    if "_meaning" not in known:
        own = (item.conditions, item.benefit, item.ids, item.program.item.subject)
        known["_meaning"] = hashlib.sha256(_canonical(own).encode()).hexdigest()
    return known["_meaning"]


def _canonical(value: Any) -> str:
    """Text of nested plain data; fields left out of equality (kinds, places) are left out here too."""
    kind = type(value)
    if kind is str or kind is float or value is None:
        return repr(value)
    if kind is tuple or kind is list:
        return "[" + ",".join(map(_canonical, value)) + "]"
    known = value.__dict__.get("_canonical") if isinstance(value, Node) else None
    return known if known is not None else _writer(kind)(value)  # type: ignore[arg-type]


@cache
def _writer(kind: Any) -> Callable[[Any], str]:
    """How values of a type are written; found once a type, as a night writes some hundred thousand of them."""
    if issubclass(kind, tuple | list):
        return lambda value: "[" + ",".join(map(_canonical, value)) + "]"
    if issubclass(kind, frozenset):
        return lambda value: "{" + ",".join(sorted(map(repr, value))) + "}"
    if not is_dataclass(kind):
        return repr
    name = str(kind.__name__)  # type: ignore[union-attr]
    compared = tuple(f.name for f in fields(kind) if f.compare)

    def write(value: Any) -> str:
        return f"{name}({','.join([_canonical(getattr(value, field)) for field in compared])})"

    if not issubclass(kind, Node):  # type: ignore[arg-type]
        return write
    return lambda value: value.kept("_canonical", write)  # one comparison stands in many items
