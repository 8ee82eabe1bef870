"""学习曲线: how the estimates of people's answers get better with the number of answers, on the generated population.

The reviewer is a simulation with a rule of its own (what the firm does, how many it employs, and chance), of which the
model is told nothing but answers; what it can use are the firm's words.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.scores_ask import FirmTexts, Key, joined, learn_asks, questions
from analysis.scores_figures import brier, ece, skill
from engine.columns import Columns, Floats
from engine.program import BoundItem

DECISIONS = (0, 50, 200, 500, 1000, 2000, 5000)


def simulated(columns: Columns, key: Key, seed: int) -> NDArray[np.bool_]:
    """模拟的答复: depends on the division of industry by a drawn inclination, on staff, and on chance; shape (firms,)."""
    rng = np.random.default_rng([seed, zlib.crc32("|".join(key).encode())])
    found = columns.category("行业代码", None)
    division = np.array([*(n[:3] for n in found.names), ""], dtype=object)[found.codes]
    names, place = np.unique(division.astype(str), return_inverse=True)
    inclined = rng.normal(0, 2.2, len(names))[place]
    years = [y for n, y in columns.numbers if n == "从业人数" and y is not None]
    staff = columns.number("从业人数", max(years)) if years else np.full(len(columns), np.nan)
    size = 0.4 * (np.log1p(np.nan_to_num(staff, nan=20.0)) - 3)
    z = rng.normal(-0.3, 0.5) + inclined + size
    return rng.random(len(columns)) < 1 / (1 + np.exp(-z))


def learning_curve(
    bound_items: Sequence[BoundItem], columns: Columns, seed: int = 0, decisions: Sequence[int] = DECISIONS
) -> list[dict[str, Any]]:
    """学习曲线: for each number of answers, ECE, Brier score and skill over 0.5 and over each question's rate, on firms
    nobody answered for."""
    asked = sorted(questions(bound_items))
    if not asked or len(columns) < 40:
        raise ValueError("没有人工问题，或者企业太少（要 40 家），画不出学习曲线")
    rng, n = np.random.default_rng([seed, 21]), len(columns)
    shuffled = rng.permutation(n)
    tested, taught = shuffled[: n // 3], shuffled[n // 3 :]
    truth = {key: simulated(columns, key, seed) for key in asked}
    pairs = [(key, int(row)) for key in asked for row in taught]
    order = rng.permutation(len(pairs))
    texts, out = FirmTexts(columns), []
    for count in decisions:
        book: dict[Key, dict[str, bool]] = {}
        for k in order[:count]:
            key, row = pairs[k]
            book.setdefault(key, {})[columns.codes[row]] = bool(truth[key][row])
        model = learn_asks(bound_items, columns, book, seed)
        p: list[Floats] = []
        base: list[Floats] = []
        for key in asked:
            held, known = model.rates.get(joined(key), [0.0, 0.0])
            base.append(np.full(len(tested), (held + 1) / (known + 2)))
            p.append(model.predict(key, texts, tested) if model.knows(key) else np.full(len(tested), 0.5))
        y = np.concatenate([truth[key][tested] for key in asked]).astype(float)
        said, rate = np.concatenate(p), np.concatenate(base)
        out.append(
            {"decisions": min(count, len(pairs)), "ece": round(ece(said, y), 5), "brier": round(brier(said, y), 5),
             "skill_over_half": round(skill(said, y, np.full(len(y), 0.5)), 5), "skill_over_rate": round(skill(said, y, rate), 5)}
        )  # fmt: skip
    return out
