"""评分指标: calibration, skill, lift, and what joining gains over the product, of tested conditions and pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.columns import Floats

BINS = 10
SHARE = 0.10


@dataclass(frozen=True)
class HeldOut:
    """检验样本: conditions (p, base, held) and pairs (score, product, count, expected, released yuan, held, base, firm,
    whether a person's answer is among what is open).
    """

    condition: Floats
    pair: Floats


PAIR_COLUMNS = 9


def ece(p: Floats, y: Floats) -> float:
    """校准误差: mean distance of probability and frequency over ten equal-width bins, by size."""
    place = np.minimum((p * BINS).astype(int), BINS - 1)
    return float(sum(abs((p - y)[place == b].sum()) for b in range(BINS)) / max(1, len(p)))


def reliability(tested: HeldOut) -> dict[str, list[list[float]]]:
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


def gain(p: Floats, product: Floats, y: Floats, firm: Floats) -> tuple[float, float]:
    """合成的好处: how much less the Brier score of `p` is than the product's, and its standard error, firms being drawn.

    Pairs of one firm are not independent: the error is that of sums by firm (Liang and Zeger 1986).
    """
    each = (product - y) ** 2 - (p - y) ** 2
    _, place = np.unique(firm, return_inverse=True)
    by_firm = np.bincount(place, each - each.mean())
    return float(each.mean()), float(np.sqrt((by_firm**2).sum()) / len(each))


def measures(tested: HeldOut, seed: int = 0) -> dict[str, float]:
    """指标: conditions against each one's own base rate; pairs against product, base rate and orders of asking.

    `ece` is the worse of conditions and whole pairs. Lift is of pairs in a random order of equals. Pairs that also wait for
    a person's answer are told apart, as `asked_…`.
    """
    p, base, y = tested.condition.T
    shuffled = tested.pair[np.random.default_rng([seed, 10]).permutation(len(tested.pair))]
    asked = shuffled[:, 8] > 0
    score, product, count, expected, released, held, rate, firm, _ = shuffled[~asked].T
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
        more, error = gain(score[several], product[several], held[several], firm[several])
        out |= {
            "several_brier": brier(score[several], held[several]),
            "several_brier_product": brier(product[several], held[several]),
            "several_gain": more,
            "several_gain_error": error,
            "several_ece": ece(score[several], held[several]),
            "several_ece_product": ece(product[several], held[several]),
        }
    return {k: round(float(v), 5) for k, v in (out | _asked(shuffled[asked])).items()}


def _asked(pairs: Floats) -> dict[str, float]:
    if not len(pairs):
        return {}
    score, _, count, expected, released, held, rate, _, _ = pairs.T
    return {
        "asked_pairs": len(pairs),
        "asked_ece": ece(score, held),
        "asked_brier_skill": skill(score, held, rate),
        "asked_lift_at_10": captured(expected, released) / SHARE,
        "asked_lift_by_few_unknown": captured(-count, released) / SHARE,
    }
