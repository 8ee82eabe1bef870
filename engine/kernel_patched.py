"""补过的结果: last night's hits of an item less the firms matched anew, with theirs; put together when read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.kernel_hits import PackedHits
from engine.matching import DetailHits, ItemHits

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class Patch:
    """What the patched hits of all items have in common: the rows matched anew, and where old rows went."""

    rows: NDArray[np.intp]
    moved: NDArray[np.intp] | None
    firms: int

    @cached_property
    def anew(self) -> NDArray[np.bool_]:
        """Rows matched anew; the last place stands for rows that are gone."""
        out = np.zeros(self.firms + 1, bool)
        out[self.rows], out[-1] = True, True
        return out

    def place(self, rows: NDArray[Any]) -> NDArray[Any]:
        return rows if self.moved is None else self.moved[rows]


class PatchedHits(ItemHits):
    """补过的结果: last night's hits of an item less the rows matched anew, with those rows' hits; put together when read."""

    def __init__(self, old: ItemHits, new: ItemHits, patch: Patch):
        detail = None
        if old.detail is not None or new.detail is not None:
            detail = _details(old.detail, new.detail, patch)
        vars(self).update(
            item=new.item,
            batch=new.batch,
            ids=new.ids,
            upcoming=new.upcoming,
            detail=detail,
            _parts=(old, new, patch),
        )

    _parts: tuple[ItemHits, ItemHits, Patch]

    @cached_property
    def _merge(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Places of last night's pairs that stay, where the new ones go among them, and the rows of all."""
        old, new, patch = self._parts
        at = patch.place(old.packed_rows if isinstance(old, PackedHits) else old.rows)
        keep = np.flatnonzero(~patch.anew[at])
        own, stay = patch.rows[new.rows], at[keep].astype(np.intp)
        if patch.moved is not None:  # rows may have changed places among themselves
            order = np.argsort(stay, kind="stable")
            keep, stay = keep[order], stay[order]
        among = np.searchsorted(stay, own)
        return keep, among, np.insert(stay, among, own)

    def _put(self, name: str) -> NDArray[Any]:
        old, new, _ = self._parts
        keep, among, _ = self._merge
        return np.insert(getattr(old, name)[keep], among, getattr(new, name), axis=0)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def rows(self) -> NDArray[np.intp]:
        return self._merge[2]

    @cached_property
    def verdict(self) -> NDArray[np.int8]:
        return self._put("verdict")

    @cached_property
    def low(self) -> NDArray[np.float64]:
        return self._put("low")

    @cached_property
    def high(self) -> NDArray[np.float64]:
        return self._put("high")

    @cached_property
    def fails(self) -> NDArray[np.bool_]:
        return self._put("fails")

    @cached_property
    def unknown(self) -> NDArray[np.bool_]:
        return self._put("unknown")


def _details(old: DetailHits | None, new: DetailHits | None, patch: Patch) -> DetailHits | None:
    """Detail rows of the enterprises that stay as they were, and the new ones, in the order of enterprises."""
    if old is None or new is None:
        return new if old is None else old
    owner = patch.place(old.owner)
    keep = np.flatnonzero(~patch.anew[owner])
    owners = np.concatenate([owner[keep], patch.rows[new.owner]])
    order = np.argsort(owners, kind="stable")
    ids = [*(old.ids[i] for i in keep), *new.ids]
    ends = [
        np.concatenate([getattr(old, f)[keep], getattr(new, f)])[order] for f in ("verdict", "low", "high")
    ]
    return DetailHits(owners[order], tuple(ids[i] for i in order), *ends)
