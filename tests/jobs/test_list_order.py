"""The order of a night's list, against the same order said in pandas' words."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.scores_money import usual_amount, worth
from jobs import lists
from jobs.lists import CODE, list_frame


def frame_of(n: int, seed: int, ordered: bool) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    codes = [f"9{i:05d}" for i in range(n)]
    low, high = rng.integers(0, 3, n) * 1e4, rng.integers(3, 6, n) * 1e4
    score = np.where(rng.random(n) < 0.4, np.nan, rng.integers(0, 4, n) / 4)
    return pd.DataFrame(
        {
            CODE: codes if ordered else rng.permutation(codes),
            "企业名称": "x",
            "verdict": rng.choice(["符合", "待核实"], n),
            "paid_low": np.where(rng.random(n) < 0.2, np.nan, low),
            "paid_high": np.where(rng.random(n) < 0.2, np.nan, high),
            "gave_way": "",
            "note": "",
            "unknown": [["c1"] * int(k) for k in rng.integers(0, 3, n)],
            "score": score if seed % 3 else np.full(n, np.nan),
            "change": "",
        }
    )


@pytest.mark.parametrize("seed", range(12))
def test_order(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MOST_OPEN", 40)
    frame = frame_of(1 + 37 * seed, seed, ordered=seed % 2 == 0)
    night: Any = SimpleNamespace(hits=lambda item: frame)
    program: Any = SimpleNamespace(item=SimpleNamespace(id="d/a"), conditions=[])
    nearest = dict(
        zip(sorted(frame[CODE]), np.random.default_rng(seed).integers(0, 3, len(frame)), strict=True)
    )
    shown, left_out, words = list_frame(
        night, program, lambda item, codes: codes.map(nearest).to_numpy(float)
    )
    learned = bool(frame["score"].notna().any())
    assert words == (lists.LEARNED if learned else lists.PLAIN)
    low, high = (frame[n].to_numpy(dtype=float) for n in ("paid_low", "paid_high"))
    money = worth(low, high, usual_amount(low, high))
    keys = frame.assign(
        n=frame["unknown"].map(len), open=frame["verdict"] != "符合", money=money,
        expected=(frame["score"] * money).fillna(0.0),
        near=0.0 if learned else frame[CODE].map(nearest),
    )  # fmt: skip
    wanted = keys.sort_values(
        ["open", "expected", "n", "money", "near", CODE], ascending=[True, False, True, False, False, True]
    )
    kept = int((frame["verdict"] == "符合").sum()) + 40
    assert shown[CODE].tolist() == wanted[CODE].tolist()[:kept]
    assert left_out == max(0, len(frame) - kept)
