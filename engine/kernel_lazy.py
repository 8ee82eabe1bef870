"""用到才做的序列: a sequence whose members are made when asked for, each once; most nights look at few of many items."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import overload

from engine.matching import ItemHits


class LazyHits(Sequence[ItemHits]):
    """用到才做的各事项结果: `_make` gives the hits at a place 0 ≤ place < length; they are kept, a slice is a list of them."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._made: dict[int, ItemHits] = {}

    @abstractmethod
    def _make(self, place: int) -> ItemHits: ...

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, at: int) -> ItemHits: ...
    @overload
    def __getitem__(self, at: slice) -> list[ItemHits]: ...
    def __getitem__(self, at: int | slice) -> ItemHits | list[ItemHits]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(self._length))]
        place = range(self._length)[at]
        found = self._made.get(place)
        if found is None:
            found = self._made[place] = self._make(place)
        return found
