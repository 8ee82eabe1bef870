"""地方: large arrays that serve one run after another."""

from __future__ import annotations

import sys
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

SMALL = 1 << 20  # elements a kept array may be larger than asked for


class Room:
    """地方: large arrays, taken again by the next run once nobody holds a view of them: new memory costs as much as
    the work that fills it. Two of a name are kept: one is written into a file while the other is filled."""

    def __init__(self) -> None:
        self._kept: dict[str, list[NDArray[Any]]] = {}
        self._turn = Lock()

    def take(self, name: str, size: int, kind: Any) -> NDArray[Any]:
        """要一块: an array of a size; what stands in it is left over from before."""
        with self._turn:
            kept = self._kept.setdefault(name, [])
            free = [i for i in reversed(range(len(kept))) if sys.getrefcount(kept[i]) <= _UNHELD]
            for i in free:
                if size <= len(kept[i]) <= 4 * size + SMALL:
                    return kept[i][:size]
            if free:
                kept.pop(free[0])
            elif len(kept) > 1:
                kept.pop(0)
            kept.append(np.empty(size, kind))
            return kept[-1][:size]


_UNHELD = 2  # references to an array that a list alone holds, as sys.getrefcount counts
