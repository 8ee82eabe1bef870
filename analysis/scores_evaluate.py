"""评分检验: known facts hidden, probabilities held against what they were; ECE, Brier skill and lift.

The scores learn only from what is left visible. A pair counts where each of its hidden conditions is known in the full data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from analysis.scores import Scoring, expected_yuan, learn, typical_amounts
from engine.columns import Categories, Columns, Floats
from engine.evaluate import Frame
from engine.matching import OPEN, ItemHits, match
from engine.program import BoundItem

BINS = 10
SHARE = 0.10


@dataclass(frozen=True)
class Tested:
    """检验样本: conditions (p, base, held) and pairs (p, product, k, expected, released yuan, held)."""

    condition: Floats
    pair: Floats


def hide(columns: Columns, seed: int, firms: float = 0.25, cells: float = 0.06) -> Columns:
    """遮盖: each source loses a quarter of the firms and some cells, as departments' files do; registers stay whole."""
    out = Columns(columns.codes, columns.dictionary, dict(columns.numbers), dict(columns.categories),
                  dict(columns.lists), dict(columns.rows), columns.loaded)  # fmt: skip
    n = len(columns)
    absent: dict[str, NDArray[np.bool_]] = {}
    for place, key in enumerate(
        sorted({*columns.numbers, *columns.categories}, key=lambda k: (k[0], k[1] or 0))
    ):
        spec = columns.dictionary[key[0]]
        if columns.speaks(key[0]) or key[0] in ("企业名称", "登记地区划", "成立日期", "登记状态"):
            continue
        if spec.source not in absent:
            rng = np.random.default_rng([seed, 7, len(absent)])
            absent[spec.source] = rng.random(n) < firms
        gone = absent[spec.source] | (np.random.default_rng([seed, 8, place]).random(n) < cells)
        if key in out.numbers:
            out.numbers[key] = np.where(gone, np.nan, out.numbers[key])
        else:
            cats = out.categories[key]
            out.categories[key] = Categories(np.where(gone, -1, cats.codes).astype(np.int32), cats.names)
    return out


def evaluate(
    bound_items: Sequence[BoundItem], seen: Columns, truth: Columns, as_of: date, seed: int = 0
) -> dict[str, float]:
    """检验: learn from `seen`, test on what is unknown there and known in `truth` (same firms, same order)."""
    tested = collect(bound_items, seen, truth, as_of, seed)
    return measures(tested)


def collect(
    bound_items: Sequence[BoundItem], seen: Columns, truth: Columns, as_of: date, seed: int = 0
) -> Tested:
    """取样: every testable condition and pair with its probability and what it was."""
    items = [b for b in bound_items if b.program.item.subject == "企业"]
    model = learn(items, seen, seed=seed)
    scoring, full = Scoring(model, seen), Frame(truth)
    found = match(items, seen, as_of)
    paid = {h.item: h for h in match(items, truth, as_of, every=True)}
    typical = typical_amounts(found)
    conditions, pairs, done = [], [], set()
    for bound, hits in zip(items, found, strict=True):
        rows = hits.rows[hits.verdict == OPEN]
        unknown = hits.unknown[hits.verdict == OPEN]
        p = scoring.conditions(bound, rows, unknown)
        truths = [full.tree(t, {}) for t in bound.conditions]
        testable, held = np.ones(len(rows), bool), np.ones(len(rows), bool)
        asks = np.zeros(len(rows), bool)
        for j, t in enumerate(truths):
            here = unknown[:, j]
            clear = ~t.unknown[rows]
            learned = model.scorers.get(model.keys[(bound.program.item.id, bound.batch.name, bound.ids[j])])
            asks |= here & (learned is None)
            testable &= ~here | clear
            held &= ~here | t.sure[rows]
            use = here & clear
            fresh = bound.conditions[j] not in done
            if learned is not None and fresh:
                conditions.append(
                    np.column_stack([p[use, j], np.full(use.sum(), learned.base_rate_), t.sure[rows][use]])
                )
                done.add(bound.conditions[j])
        keep = testable & ~asks & (unknown.any(1))
        pairs.append(_pairs(bound, hits, rows, unknown, p, scoring, typical, paid, held)[keep])
    return Tested(np.vstack(conditions), np.vstack(pairs))


def _pairs(bound, hits: ItemHits, rows, unknown, p, scoring: Scoring, typical, paid, held) -> Floats:
    score = scoring.model.combiner.predict_proba(p)[:, 1] if len(p) else np.zeros(0)  # type: ignore[union-attr]
    whole = np.full(len(hits), np.nan)
    whole[hits.verdict == OPEN] = score
    expected = expected_yuan(hits, whole, typical)[hits.verdict == OPEN]
    true = paid[bound.program.item.id]
    low, high = true.low[rows], true.high[rows]
    money = np.where(np.isnan(high), np.nan_to_num(low), (low + np.nan_to_num(high)) / 2)
    released = np.where(held, np.nan_to_num(money), 0.0)
    product = np.nanprod(p, axis=1) if len(p) else np.zeros(0)
    return np.column_stack([score, product, unknown.sum(1), expected, released, held])


# ---------------------------------------------------------------- figures


def ece(p: Floats, y: Floats) -> float:
    """校准误差: mean distance of probability and frequency over ten equal-width bins, by size."""
    place = np.minimum((p * BINS).astype(int), BINS - 1)
    return float(sum(abs((p - y)[place == b].sum()) for b in range(BINS)) / max(1, len(p)))


def brier(p: Floats, y: Floats) -> float:
    """布里尔分."""
    return float(np.mean((p - y) ** 2))


def skill(p: Floats, y: Floats, base: Floats) -> float:
    """技巧分: how much of the base rate's Brier score is saved."""
    reference = brier(base, y)
    return 1 - brier(p, y) / reference if reference > 0 else 0.0


def captured(order: Floats, released: Floats, share: float = SHARE) -> float:
    """释放份额: of the money, by the first `share` of the questions; ties in the given order."""
    take = np.argsort(-order, kind="stable")[: max(1, round(len(order) * share))]
    return float(released[take].sum() / released.sum()) if released.sum() else 0.0


def measures(tested: Tested) -> dict[str, float]:
    """指标: conditions against each one's own base rate; pairs against product and against orders of asking."""
    p, base, y = tested.condition.T
    score, product, count, expected, released, held = tested.pair.T
    several = count >= 2
    out = {
        "ece": ece(p, y),
        "brier_skill": skill(p, y, base),
        "lift_at_10": captured(expected, released) / SHARE,
        "lift_by_few_unknown": captured(-count, released) / SHARE,
        "conditions": len(p),
        "pairs": len(score),
        "pair_ece": ece(score, held),
        "pairs_of_several": int(several.sum()),
    }
    if several.any():
        out |= {
            "pair_brier": brier(score[several], held[several]),
            "product_brier": brier(product[several], held[several]),
            "pair_ece_of_several": ece(score[several], held[several]),
            "product_ece_of_several": ece(product[several], held[several]),
        }
    return {k: round(float(v), 5) for k, v in out.items()}
