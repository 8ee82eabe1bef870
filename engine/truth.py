"""三值: strong Kleene logic on whole columns as two planes, surely true and possibly true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.bool_]


@dataclass(frozen=True)
class Truth:
    """三值列: `sure` where it holds, `maybe` where it holds or is unknown; sure implies maybe. Shape (n,) each."""

    sure: Plane
    maybe: Plane

    @property
    def fails(self) -> Plane:
        """不符合: shape (n,)."""
        return ~self.maybe

    @property
    def unknown(self) -> Plane:
        """待核实: shape (n,)."""
        return self.maybe & ~self.sure

    def __invert__(self) -> Truth:
        return Truth(~self.maybe, ~self.sure)

    def __and__(self, other: Truth) -> Truth:
        return Truth(self.sure & other.sure, self.maybe & other.maybe)

    def __or__(self, other: Truth) -> Truth:
        return Truth(self.sure | other.sure, self.maybe | other.maybe)

    def take(self, rows: NDArray[np.intp]) -> Truth:
        """取行: the truth of some rows."""
        return Truth(self.sure[rows], self.maybe[rows])


def constant(n: int, sure: bool, maybe: bool) -> Truth:
    """常值列: n rows of one answer."""
    return Truth(np.full(n, sure), np.full(n, maybe))


def all_of(parts: Sequence[Truth], n: int) -> Truth:
    """全部: 符合 where all are, 不符合 where one is not."""
    return reduce(Truth.__and__, parts) if parts else constant(n, True, True)


def any_of(parts: Sequence[Truth], n: int) -> Truth:
    """任一: 符合 where one is, 不符合 where none may be."""
    return reduce(Truth.__or__, parts) if parts else constant(n, False, False)
