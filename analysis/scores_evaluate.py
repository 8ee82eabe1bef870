"""评分检验: known facts hidden, probabilities held against what they were; ECE, Brier skill and lift.

The scores learn only from what is left visible. A pair counts where each of its hidden conditions is known in the full data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.scores import Scoring, describe, fingerprint, has_ask
from analysis.scores_learn import learn
from analysis.scores_money import worth
from engine.columns import Categories, Columns, Floats, Lists
from engine.evaluate import Frame
from engine.matching import OPEN, ItemHits, match
from engine.program import BoundItem

BINS = 10
SHARE = 0.10
ENOUGH_PAIRS = 20_000
MOST_FIRMS = 12_000
MOST_MASKS = 6
REGISTERED = ("企业名称", "登记地区划", "成立日期", "登记状态")


@dataclass(frozen=True)
class Tested:
    """检验样本: conditions (p, base, held) and pairs (score, product, count, expected, released yuan, held, base)."""

    condition: Floats
    pair: Floats


def hide(columns: Columns, seed: int, firms: float = 0.25, cells: float = 0.06) -> Columns:
    """遮盖: each source loses a quarter of the firms and some cells, as departments' files do; registers stay whole."""
    out = Columns(columns.codes, columns.dictionary, dict(columns.numbers), dict(columns.categories),
                  dict(columns.lists), dict(columns.rows), columns.loaded)  # fmt: skip
    n = len(columns)
    absent: dict[str, NDArray[np.bool_]] = {}
    keys = sorted({*columns.numbers, *columns.categories, *columns.lists}, key=lambda k: (k[0], k[1] or 0))
    for place, key in enumerate(keys):
        spec = columns.dictionary[key[0]]
        if columns.speaks(key[0]) or key[0] in REGISTERED:
            continue
        if spec.source not in absent:
            rng = np.random.default_rng([seed, 7, len(absent)])
            absent[spec.source] = rng.random(n) < firms
        gone = absent[spec.source] | (np.random.default_rng([seed, 8, place]).random(n) < cells)
        if key in out.numbers:
            out.numbers[key] = np.where(gone, np.nan, out.numbers[key])
        elif key in out.categories:
            cats = out.categories[key]
            out.categories[key] = Categories(np.where(gone, -1, cats.codes).astype(np.int32), cats.names)
        else:
            out.lists[key] = without(out.lists[key], gone)
    return out


def without(found: Lists, gone: NDArray[np.bool_]) -> Lists:
    """去掉一些企业的列表."""
    length = np.diff(found.offsets)
    offsets = np.concatenate([[0], np.cumsum(np.where(gone, 0, length))]).astype(np.int64)
    return Lists(found.codes[np.repeat(~gone, length)], offsets, found.missing | gone, found.names)


def evaluate(
    bound_items: Sequence[BoundItem], seen: Columns, truth: Columns, as_of: date, seed: int = 0
) -> dict[str, float]:
    """检验: learn from `seen`, test on what is unknown there and known in `truth` (same firms, same order)."""
    return measures(collect(bound_items, seen, truth, as_of, seed), seed)


def evaluate_hidden(
    bound_items: Sequence[BoundItem], truth: Columns, as_of: date, seed: int = 0
) -> dict[str, Any]:
    """遮盖检验: hide known facts of `truth` in several ways, each learned and tested by itself, all measured together."""
    if len(truth) > MOST_FIRMS:
        rows = np.random.default_rng([seed, 9]).choice(len(truth), MOST_FIRMS, replace=False)
        truth = truth.take(np.sort(rows))
    parts: list[Tested] = []
    for mask in range(MOST_MASKS):
        parts.append(collect(bound_items, hide(truth, seed + 1000 * mask), truth, as_of, seed + mask))
        if sum(len(t.pair) for t in parts) >= ENOUGH_PAIRS:
            break
    pooled = Tested(np.vstack([t.condition for t in parts]), np.vstack([t.pair for t in parts]))
    return measures(pooled, seed) | {
        "firms": len(truth),
        "masks": len(parts),
        "reliability": reliability(pooled),
    }


def collect(
    bound_items: Sequence[BoundItem], seen: Columns, truth: Columns, as_of: date, seed: int = 0
) -> Tested:
    """取样: every testable condition and pair with its probability and what it was."""
    items = [b for b in bound_items if b.program.item.subject == "企业"]
    model = learn(items, seen, seed=seed)
    scoring, full, now = Scoring(model, seen), Frame(truth), Frame(seen)
    found = match(items, seen, as_of)
    paid = {h.item: h for h in match(items, truth, as_of, every=True)}
    conditions, pairs, done = [np.zeros((0, 3))], [np.zeros((0, 7))], set()
    for bound, hits in zip(items, found, strict=True):
        for tree in bound.conditions:
            scorer = model.scorer(tree)
            if scorer is None or tree in done:
                continue
            done.add(tree)
            was = full.tree(tree, {})
            rows = np.flatnonzero(now.tree(tree, {}).unknown & ~was.unknown)
            p = scoring.unit(tree, rows)
            conditions.append(np.column_stack([p, np.full(len(rows), scorer.base_rate_), was.sure[rows]]))
        pairs.append(_pairs(bound, hits, scoring, full, paid[bound.program.item.id]))
    return Tested(np.vstack(conditions), np.vstack(pairs))


def _pairs(bound: BoundItem, hits: ItemHits, scoring: Scoring, full: Frame, paid: ItemHits) -> Floats:
    """The open pairs of one item that can be tested: every unknown condition was learned and is known in full."""
    model, name = scoring.model, bound.program.item.id
    at = np.flatnonzero(hits.verdict == OPEN)
    rows, unknown = hits.rows[at], hits.unknown[at]
    was = [full.tree(t, {}) for t in bound.conditions]
    clear = np.column_stack(
        [~w.unknown[rows] & (not has_ask(t)) for w, t in zip(was, bound.conditions, strict=True)]
    )
    sure = np.column_stack([w.sure[rows] for w in was])
    kept = (clear | ~unknown).all(1)
    at, rows, unknown, sure = at[kept], rows[kept], unknown[kept], sure[kept]
    if not len(at):
        return np.zeros((0, 7))
    held = (sure | ~unknown).all(1)
    score = scoring.pairs(bound, rows, unknown)
    usual = model.typical.get(name, 0.0)
    expected = score * worth(hits.low[at], hits.high[at], usual)
    released = np.where(held, worth(paid.low[rows], paid.high[rows], usual), 0.0)
    names = [fingerprint(t) for t in bound.conditions]
    product = describe(model, names, scoring.conditions(bound, rows, unknown), unknown)[:, 1]
    base = np.full(len(at), model.pair_rates.get(name, 0.5))
    return np.column_stack([score, product, unknown.sum(1), expected, released, held, base])


# ---------------------------------------------------------------- figures


def ece(p: Floats, y: Floats) -> float:
    """校准误差: mean distance of probability and frequency over ten equal-width bins, by size."""
    place = np.minimum((p * BINS).astype(int), BINS - 1)
    return float(sum(abs((p - y)[place == b].sum()) for b in range(BINS)) / max(1, len(p)))


def reliability(tested: Tested) -> dict[str, list[list[float]]]:
    """可靠性: of conditions and pairs, by tenth of probability: mean probability, frequency, count."""
    out = {}
    for name, p, y in (
        ("conditions", tested.condition[:, 0], tested.condition[:, 2]),
        ("pairs", tested.pair[:, 0], tested.pair[:, 5]),
    ):
        place = np.minimum((p * BINS).astype(int), BINS - 1)
        rows = [(p[place == b], y[place == b]) for b in range(BINS)]
        out[name] = [
            [round(float(a.mean()), 4), round(float(b.mean()), 4), len(a)] for a, b in rows if len(a)
        ]
    return out


def brier(p: Floats, y: Floats) -> float:
    """布里尔分."""
    return float(np.mean((p - y) ** 2)) if len(p) else 0.0


def skill(p: Floats, y: Floats, base: Floats) -> float:
    """技巧分: how much of the base rate's Brier score is saved."""
    reference = brier(base, y)
    return 1 - brier(p, y) / reference if reference > 0 else 0.0


def captured(order: Floats, released: Floats, share: float = SHARE) -> float:
    """释放份额: of the money, by the first `share` of the questions; ties in the given order."""
    take = np.argsort(-order, kind="stable")[: max(1, round(len(order) * share))]
    return float(released[take].sum() / released.sum()) if released.sum() else 0.0


def measures(tested: Tested, seed: int = 0) -> dict[str, float]:
    """指标: conditions against each one's own base rate; pairs against product, base rate and orders of asking.

    `ece` is the worse of conditions and whole pairs. Lift is of pairs in a random order of equals.
    """
    p, base, y = tested.condition.T
    shuffled = tested.pair[np.random.default_rng([seed, 10]).permutation(len(tested.pair))]
    score, product, count, expected, released, held, rate = shuffled.T
    several = count >= 2
    out = {
        "ece": max(ece(p, y), ece(score, held)),
        "brier_skill": skill(p, y, base),
        "lift_at_10": captured(expected, released) / SHARE,
        "lift_by_few_unknown": captured(-count, released) / SHARE,
        "conditions": len(p),
        "condition_ece": ece(p, y),
        "pairs": len(score),
        "pair_ece": ece(score, held),
        "pair_brier_skill": skill(score, held, rate),
        "pairs_of_several": int(several.sum()),
    }
    if several.any():
        out |= {
            "several_brier": brier(score[several], held[several]),
            "several_brier_product": brier(product[several], held[several]),
            "several_ece": ece(score[several], held[several]),
            "several_ece_product": ece(product[several], held[several]),
        }
    return {k: round(float(v), 5) for k, v in out.items()}
