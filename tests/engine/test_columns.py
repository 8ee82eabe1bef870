"""Rows taken out of columns say what they said."""

from __future__ import annotations

import numpy as np
import pytest

from engine.columns import FEW, Categories


@pytest.mark.parametrize("count", [1, FEW, FEW * 3 + 1, 5000])
def test_few_rows_of_many_texts_keep_their_own(count: int) -> None:
    rng = np.random.default_rng(count)
    names = tuple(f"企业{i}" for i in range(count))
    whole = Categories(rng.integers(-1, count, 300).astype(np.int32), names)
    rows = np.array([7, 3, 299])
    part = whole.take(rows)
    said = [whole.names[c] if c >= 0 else None for c in whole.codes[rows]]
    assert [part.names[c] if c >= 0 else None for c in part.codes] == said
    assert part.codes.dtype == np.int32 and len(part.names) <= max(3 * FEW, 3)
