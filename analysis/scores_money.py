"""期望金额: what an open pair is worth in yuan; of numbers alone, so that a page may ask without loading the learned parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.matching import ItemHits

Floats = NDArray[np.float64]


def usual_amount(low: Floats, high: Floats) -> float:
    """常见数额: the mean midpoint of what is known in yuan, 0 where nothing is."""
    middle = (low + high) / 2
    known = middle[np.isfinite(middle)]
    return float(known.mean()) if len(known) else 0.0


def typical_amounts(hits: Sequence[ItemHits]) -> dict[str, float]:
    """常见数额 by item, for pairs whose amount is not known; items that have none are left out."""
    found = {h.item: usual_amount(h.low, h.high) for h in hits}
    return {item: amount for item, amount in found.items() if amount}


def worth(low: Floats, high: Floats, usual: float) -> Floats:
    """值多少: the middle of the interval in yuan; an unknown end is what is usual for the item, never beyond the other end."""
    below = np.where(np.isnan(low), np.fmin(usual, high), low)
    above = np.where(np.isnan(high), np.fmax(usual, low), high)
    return np.where(np.isnan(low) & np.isnan(high), usual, (below + above) / 2)


def expected_yuan(found: ItemHits, score: Floats, typical: Mapping[str, float]) -> Floats:
    """期望金额: P times the middle of the interval."""
    return score * worth(found.low, found.high, typical.get(found.item, 0.0))
