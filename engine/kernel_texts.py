"""找类别: which texts of a column pass a test, found once by their order and kept."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

from engine.columns import Categories
from engine.evaluate import member_test

MOST_FINDERS = 64  # text columns whose texts are kept in order


class Exact(str):
    """A text compared whole, even where it ends in *."""


class Finders:
    """找类别: a finder for each column's texts, kept for the next plan that is put to the same ones."""

    def __init__(self) -> None:
        self._kept: dict[int, _Finder] = {}

    def of(self, side: Categories) -> _Finder:
        found = self._kept.get(id(side.names))  # whose texts it holds, so that no others come to that place
        if found is None:
            if len(self._kept) >= MOST_FINDERS:
                self._kept.clear()
            found = self._kept[id(side.names)] = _Finder(side.names)
        return found


class _Finder:
    """Codes whose names pass a test; prefixes by binary search in the sorted names."""

    def __init__(self, names: tuple[str, ...]):
        self.names = names
        self._at: dict[str, list[int]] | None = None
        self._sorted: list[str] = []
        self._order: list[int] = []

    def find(self, test: frozenset[str] | str) -> NDArray[np.intp]:
        if isinstance(test, str):
            return np.array([i for i, name in enumerate(self.names) if test in name], np.intp)
        if self._at is None:
            self._index()
        assert self._at is not None
        found: list[int] = []
        for member in test:
            if member.endswith("*") and not isinstance(member, Exact):
                found += self._prefixed(member[:-1])
            else:
                found += self._at.get(member, [])
        return np.unique(np.array(found, np.intp))

    def _index(self) -> None:
        self._at = {}
        for i, name in enumerate(self.names):
            self._at.setdefault(name, []).append(i)

    def _prefixed(self, prefix: str) -> list[int]:
        if len(self.names) > 50_000:  # sorting so many names costs more than looking at each
            test = member_test(frozenset([prefix + "*"]))
            return [i for i, name in enumerate(self.names) if test(name)]
        if not self._order:
            self._order = sorted(range(len(self.names)), key=self.names.__getitem__)
            self._sorted = [self.names[i] for i in self._order]
        start = bisect_left(self._sorted, prefix)
        stop = start
        while stop < len(self._sorted) and self._sorted[stop].startswith(prefix):
            stop += 1
        return self._order[start:stop]
