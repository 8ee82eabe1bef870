"""列出的结果: an item's hits as the compiled loops list them, unpacked, cut out and made only where somebody looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.columns import Floats
from engine.kernel_lazy import LazyHits
from engine.matching import FITS, OPEN, ItemHits
from engine.program import BoundItem

MASKS = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


class PackedHits(ItemHits):
    """紧凑结果: an ItemHits whose unknown conditions are bits of one number a row; unpacked when asked for."""

    def __init__(
        self, item: BoundItem, rows: NDArray[Any], marks: NDArray[Any], low: Floats, high: Floats, soon: bool
    ):
        put = object.__setattr__
        put(self, "item", item.program.item.id)
        put(self, "batch", item.batch.name)
        put(self, "ids", item.ids)
        put(self, "packed_rows", rows)
        put(self, "marks", marks)
        put(self, "low", low)
        put(self, "high", high)
        put(self, "upcoming", soon)

    packed_rows: NDArray[Any]
    marks: NDArray[Any]

    def __len__(self) -> int:
        return len(self.packed_rows)

    @cached_property
    def rows(self) -> NDArray[np.intp]:
        return self.packed_rows.astype(np.intp)

    @cached_property
    def verdict(self) -> NDArray[np.int8]:
        return np.where(self.marks != 0, OPEN, FITS).astype(np.int8)

    @cached_property
    def fails(self) -> NDArray[np.bool_]:
        return np.zeros((len(self), len(self.ids)), bool)

    @cached_property
    def unknown(self) -> NDArray[np.bool_]:
        return unpack(self.marks, len(self.ids))


@dataclass(frozen=True)
class Ends:
    """列出的数额: where each item's low and high ends begin in `amounts`, less where its hits begin (see Listed), for items
    whose `program` is 0 or more; at -1 `constant` holds both for all of its hits, at -2 they are worked out when asked for."""

    amounts: Floats
    low_at: NDArray[np.int64]
    high_at: NDArray[np.int64]
    program: Sequence[int]
    constant: Sequence[tuple[float, float]]


@dataclass
class Listed:
    """一次列出的: the arrays all hits of a run stand in, item after item, and where each item's begin and end."""

    starts: list[int]
    ends: list[int]
    rows: NDArray[np.int32]
    raw: NDArray[np.uint8]
    mask_at: list[int]
    widths: list[int]
    ends_of: Callable[[int], tuple[Floats, Floats]]
    table: Ends | None = None  # where all items' ends stand


class ListedHits(PackedHits):
    """列出的结果: PackedHits that cut their arrays out of a run's when asked; most nights look at few of many items."""

    def __init__(self, head: Mapping[str, Any], listed: Listed, at: int, soon: bool):
        vars(self).update(head, upcoming=soon, _listed=listed, _at=at)

    _listed: Listed
    _at: int

    @property
    def listed(self) -> Listed:
        """所在的一次列出."""
        return self._listed

    @property
    def place(self) -> int:
        """在其中的位置."""
        return self._at

    def __len__(self) -> int:
        return self._listed.ends[self._at] - self._listed.starts[self._at]

    def __getstate__(self) -> dict[str, Any]:
        """Packed for another process with its own part of the arrays only."""
        for name in ("packed_rows", "marks", "low", "high"):
            getattr(self, name)
        return {**{k: v for k, v in vars(self).items() if k != "_listed"}, "_at": 0, "_listed": self._own()}

    def _own(self) -> Listed:
        n, width = len(self), self._listed.widths[self._at]
        return Listed([0], [n], self.packed_rows, self.marks.view(np.uint8), [0], [width], _none)

    @cached_property
    def packed_rows(self) -> NDArray[np.int32]:  # type: ignore[override]
        return self._listed.rows[self._listed.starts[self._at] : self._listed.ends[self._at]]

    @cached_property
    def marks(self) -> NDArray[Any]:  # type: ignore[override]
        begin, width = self._listed.mask_at[self._at], self._listed.widths[self._at]
        return self._listed.raw[begin : begin + len(self) * width].view(MASKS[width])

    @cached_property
    def _amounts(self) -> tuple[Floats, Floats]:
        return self._listed.ends_of(self._at)

    @cached_property
    def low(self) -> Floats:
        return self._amounts[0]

    @cached_property
    def high(self) -> Floats:
        return self._amounts[1]


class Listing(LazyHits):
    """列出的各事项: the hits of a run's items from `begin` on, one for each of `soon`."""

    def __init__(self, heads: Sequence[Mapping[str, Any]], listed: Listed, begin: int, soon: Sequence[bool]):
        super().__init__(len(soon))
        self._heads, self.listed, self.first, self._soon = heads, listed, begin, soon

    def _make(self, place: int) -> ItemHits:
        item = self.first + place
        return ListedHits(self._heads[item], self.listed, item, self._soon[place])


def _none(at: int) -> tuple[Floats, Floats]:
    raise AssertionError("the ends travel with the hits")


def unpack(marks: NDArray[Any], width: int) -> NDArray[np.bool_]:
    """展开: bits of a number a row as a mask, shape (rows, width)."""
    wide = marks.astype(np.uint64)[:, None]
    return ((wide >> np.arange(width, dtype=np.uint64)) & np.uint64(1)).astype(bool)
