"""列出的对子: pairs of many items as the matcher lists them in one run, told by arrays over the items: of a night of which
little changed there are few pairs, and what is done item by item in Python takes longer than all that is done pair by pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.kernel_hits import Ends, Listed, ListedHits, Listing
from engine.matching import ItemHits
from store.block_pairs import Payments, paid_pairs
from store.pairs import Column, Numbers, Pairs, Part, addresses, pairs_of

_NAN = float("nan")
AMOUNTS = {"amount_low": 0, "amount_high": 1, "paid_low": 0, "paid_high": 1}  # low and high ends
Places = NDArray[np.int64]


class Head(NamedTuple):
    """事项的头 of a part's items."""

    item: str
    batch: str
    ids: tuple[str, ...]


@dataclass(frozen=True)
class ListedPart(Part):
    """一次列出的对子: of the items at some places of a run; `moved` are other numbers for all rows of the run, and `paid` the
    pairs of items, by their place here, of which something else is payable than their amount."""

    pairs: Sequence[Any]  # heads
    listed: Listed = None  # type: ignore[assignment]
    at: Places = field(default_factory=lambda: np.zeros(0, np.int64))
    moved: NDArray[np.int32] | None = None
    paid: dict[int, Pairs] = field(default_factory=dict)

    def some(self, places: Places, moved: NDArray[np.int32] | None) -> ListedPart:
        """其中几个事项, with other numbers of their rows."""
        heads = self.pairs if len(places) == len(self.pairs) else [self.pairs[i] for i in places.tolist()]
        return ListedPart(heads, listed=self.listed, at=self.at[places], moved=moved)

    @cached_property
    def starts(self) -> Places:
        return np.array(self.listed.starts, np.int64)[self.at]

    @cached_property
    def counts(self) -> Places:
        return np.array(self.listed.ends, np.int64)[self.at] - self.starts

    @cached_property
    def rows(self) -> Places:
        rows = self.listed.rows if self.moved is None else self.moved
        return self._where(rows, self.starts * rows.itemsize)

    @cached_property
    def marks(self) -> Places:
        return self._where(self.listed.raw, np.array(self.listed.mask_at, np.int64)[self.at])

    @cached_property
    def widths(self) -> Places:
        return np.where(self.counts > 0, np.array(self.listed.widths, np.int64)[self.at], 0)

    @cached_property
    def verdicts(self) -> Places:
        return np.zeros(len(self.at), np.int64)

    def masks(self, name: str) -> tuple[Places, Places]:
        return (self.marks, self.widths) if name == "unknown" else (self.verdicts, self.verdicts)

    def _where(self, array: NDArray[Any], places: Places) -> Places:
        """Addresses of the items' parts of an array, so many bytes from its beginning."""
        return np.where(self.counts > 0, array.__array_interface__["data"][0] + places, 0)

    @property
    def _ends(self) -> Ends:
        assert self.listed.table is not None
        return self.listed.table

    @cached_property
    def program(self) -> NDArray[np.int64]:
        return np.array(self._ends.program, np.int64)[self.at]

    @cached_property
    def alone(self) -> NDArray[np.float64]:
        """Low and high ends that all of an item's pairs have."""
        return np.array(self._ends.constant, np.float64).reshape(-1, 2)[self.at]

    @cached_property
    def worked(self) -> dict[int, tuple[Numbers, Numbers]]:
        """Ends that no program lists, by item."""
        ends = {}
        for i in np.flatnonzero((self.program == -2) & (self.counts > 0)).tolist():
            low, high = self.listed.ends_of(int(self.at[i]))
            ends[i] = np.array(low, np.float64), np.array(high, np.float64)
        return ends

    def numbers(self, name: str) -> tuple[Places, Numbers]:
        n = len(self.at)
        arrays, alone = np.zeros(n, np.int64), np.full(n, _NAN)
        side = AMOUNTS.get(name)
        if side is not None:
            low_at = (self._ends.low_at if side == 0 else self._ends.high_at)[self.at]
            places = np.where(self.program >= 0, (low_at + self.starts) * 8, 0)
            arrays = np.where(self.program >= 0, self._where(self._ends.amounts, places), 0)
            alone = np.where(self.program == -1, self.alone[:, side], _NAN)
            for i, ends in self.worked.items():
                arrays[i] = addresses([ends[side]])[0]
        for i, one in self.paid.items():
            value = one.numbers.get(name, _NAN)
            arrays[i] = addresses([value if isinstance(value, np.ndarray) else None])[0]
            alone[i] = value if isinstance(value, float) else _NAN
        return arrays, alone

    def texts(self, name: str) -> Sequence[tuple[NDArray[np.int32], tuple[str, ...]] | None]:
        out: list[tuple[NDArray[np.int32], tuple[str, ...]] | None] = [None] * len(self.at)
        for i, one in self.paid.items():
            out[i] = one.texts.get(name)
        return out

    def each(self) -> Sequence[Pairs]:
        rows, raw, out = self.listed.rows if self.moved is None else self.moved, self.listed.raw, []
        begins = np.array(self.listed.mask_at, np.int64)[self.at]
        for head, a, n, at, width in zip(
            self.pairs,
            self.starts.tolist(),
            self.counts.tolist(),
            begins.tolist(),
            self.widths.tolist(),
            strict=True,
        ):
            marks = raw[at : at + n * width].reshape(n, width) if n else None
            out.append(Pairs(head.item, head.batch, head.ids, rows[a : a + n], marks, None, None, {}))
        return out

    def is_copy(self, column: Column) -> bool:
        return bool(column.like)  # of items of which nothing else is payable


def parts_of(
    found: Sequence[ItemHits], payments: dict[str, Payments], heads: Sequence[Head]
) -> list[tuple[Places, Part]]:
    """分成几份: the pairs of some items, those of one run together, with what is payable of each: the items' places and their
    pairs. Rows are counted as payments' are."""
    if isinstance(found, Listing) and found.listed.table is not None:
        first = found.first
        part = ListedPart(heads, listed=found.listed, at=np.arange(first, first + len(found)))
        return [(np.arange(len(found)), _with_paid(part, found, payments))]
    runs: dict[int, list[int]] = {}
    rest: list[int] = []
    for i, hits in enumerate(found):
        listed = hits.listed if isinstance(hits, ListedHits) else None
        if listed is not None and listed.table is not None:
            runs.setdefault(id(listed), []).append(i)
        else:
            rest.append(i)
    out: list[tuple[Places, Part]] = []
    for places in runs.values():
        some: list[Any] = [found[i] for i in places]
        at = np.array([hits.place for hits in some], np.int64)
        part = ListedPart([heads[i] for i in places], listed=some[0].listed, at=at)
        out.append((np.array(places), _with_paid(part, some, payments)))
    if rest:
        pairs = [paid_pairs(pairs_of(found[i]), payments.get(found[i].item), 0) for i in rest]
        out.append((np.array(rest), Part(pairs)))
    return out


def _with_paid(part: ListedPart, found: Sequence[ItemHits], payments: dict[str, Payments]) -> ListedPart:
    for i, head in enumerate(part.pairs) if payments else ():
        if head.item in payments:
            one = paid_pairs(pairs_of(found[i]), payments[head.item], 0)
            if any(one.numbers[f"paid_{end}"] is not one.numbers[f"amount_{end}"] for end in ("low", "high")):
                part.paid[i] = one
    return part
