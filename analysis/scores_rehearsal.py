"""预演: known firms under the gaps of others, so that the scores learn exactly what they will be asked.

A donor's missing facts are laid over a firm whose facts are known; what is unknown then, and was known before, is a
question with its answer. Registers whose silence has a meaning keep it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.columns import Categories, Columns, Floats, Lists
from engine.evaluate import Frame, Tree

Rows = NDArray[np.intp]


class Rehearsed(Columns):
    """预演列: row k is firm `firms[k]` with the gaps of `donors[k]` laid over its own; columns are made when asked for."""

    def __init__(self, base: Columns, firms: Rows, donors: Rows):
        super().__init__(
            np.array(base.codes, dtype=object)[firms].tolist(), base.dictionary, loaded=base.loaded
        )
        self.base, self.firms, self.donors = base, firms, donors

    def stored(self, name: str, year: int | None) -> Floats:
        column = self.base.stored(name, year)
        if self.base.speaks(name):
            return column[self.firms]
        return np.where(np.isnan(column[self.donors]), np.nan, column[self.firms])

    def category(self, name: str, year: int | None) -> Categories:
        found = self.base.category(name, year)
        codes = found.codes[self.firms]
        if not self.base.speaks(name):
            codes = np.where(found.codes[self.donors] < 0, -1, codes).astype(np.int32)
        return Categories(codes, found.names)

    def listing(self, name: str, year: int | None) -> Lists:
        found = self.base.listing(name, year)
        taken = found.take(self.firms)
        if self.base.speaks(name):
            return taken
        missing = found.missing[self.donors] | taken.missing
        length = np.diff(taken.offsets)
        codes = taken.codes[np.repeat(~missing, length)]
        offsets = np.concatenate([[0], np.cumsum(np.where(missing, 0, length))])
        return Lists(codes, offsets.astype(np.int64), missing, found.names)


class Chances:
    """被知道的机会: how often each firm would have a rule settled, had it the gaps of a firm drawn at random.

    A rule is settled by one fact that fails but needs all of them to hold, so the firms for which it is known are not
    like the others even where gaps fall at random: firms settled by luck stand for the many that were not (inverse
    probability weights, Horvitz and Thompson 1952).
    """

    def __init__(self, base: Columns, rounds: int, rng: np.random.Generator):
        n = len(base)
        drawn = (rng.permutation(n) for _ in range(rounds))
        self._frames = [Frame(Rehearsed(base, np.arange(n), donors)) for donors in drawn]
        self._known: dict[Tree, NDArray[np.bool_]] = {}

    def known(self, tree: Tree) -> NDArray[np.bool_]:
        """知不知道, shape (firms, rounds)."""
        if tree not in self._known:
            self._known[tree] = np.column_stack([~frame.tree(tree, {}).unknown for frame in self._frames])
        return self._known[tree]

    def weight(self, known: NDArray[np.bool_]) -> Floats:
        """一家顶几家, shape (n,), of whether it was known (n, rounds); the firm's own gaps are one round more."""
        return (known.shape[1] + 1) / (known.sum(1) + 1)
