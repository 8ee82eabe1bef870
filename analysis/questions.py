"""先问什么: per firm the smallest set of facts and answers that settles most of the money its open pairs may bring."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from analysis.missing import expected_of, lacking_facts
from analysis.night import View
from engine.matching import OPEN

MOST_ASKED = 4  # no firm is asked more at once
EXACT = 12  # facts up to which every set is tried
ENOUGH = 0.8  # of the money that could be settled


@dataclass(frozen=True)
class QuestionSet:
    """一家企业的问题单: what to ask, the pairs that are settled then, and their expected yuan."""

    code: str
    questions: tuple[str, ...]
    items: tuple[str, ...]
    yuan: float
    all_yuan: float


def question_sets(view: View, items: Sequence[str] | None = None, most: int = 100) -> list[QuestionSet]:
    """问题单: of the firms with most expected money, the most first; a question is an indicator or “问（item）：its words”."""
    bundles: dict[int, list[tuple[str, frozenset[str], float]]] = defaultdict(list)
    for item in items or list(view.items["item"]):
        found = view.found(item)
        waiting = np.flatnonzero(found.verdict == OPEN)
        if not len(waiting):
            continue
        worth = expected_of(view, item, found, waiting)
        for row, facts, yuan in zip(
            found.rows[waiting], lacking_facts(view, item, found, waiting), worth, strict=True
        ):
            if facts and yuan > 0:
                bundles[int(row)].append((item, facts, float(yuan)))
    made = [_one(view.columns.codes[row], own) for row, own in bundles.items()]
    return sorted(made, key=lambda q: (-q.yuan, q.code))[:most]


def _one(code: str, bundles: list[tuple[str, frozenset[str], float]]) -> QuestionSet:
    chosen = smallest_set([(facts, yuan) for _, facts, yuan in bundles])
    settled = [(item, yuan) for item, facts, yuan in bundles if facts <= chosen]
    return QuestionSet(
        code,
        tuple(sorted(chosen)),
        tuple(i for i, _ in settled),
        sum(y for _, y in settled),
        sum(y for *_, y in bundles),
    )


def smallest_set(bundles: Sequence[tuple[frozenset[str], float]]) -> frozenset[str]:
    """最小的一组: the fewest facts (at most four) that settle four fifths of what four could; then the most money.

    >>> sorted(smallest_set([(frozenset({"a"}), 10.0), (frozenset({"b", "c"}), 1.0)]))
    ['a']
    """
    facts = sorted({f for own, _ in bundles for f in own})
    best = [_best(bundles, facts, k) for k in range(1, min(MOST_ASKED, len(facts)) + 1)]
    most = max(money for money, _ in best)
    return next(chosen for money, chosen in best if money >= ENOUGH * most)


def _best(
    bundles: Sequence[tuple[frozenset[str], float]], facts: list[str], k: int
) -> tuple[float, frozenset[str]]:
    """The set of k facts that settles most: every set where there are few facts, else bundle after bundle."""
    if len(facts) <= EXACT:
        sets = [frozenset(s) for s in combinations(facts, k)]
        return max(
            ((_settled(bundles, s), s) for s in sets), key=lambda m: (m[0], sorted(m[1], reverse=True))
        )
    chosen: frozenset[str] = frozenset()
    while True:
        fitting = [own - chosen for own, _ in bundles if own - chosen and len(own | chosen) <= k]
        if not fitting:
            return _settled(bundles, chosen), chosen
        gain = {
            more: (_settled(bundles, chosen | more) - _settled(bundles, chosen)) / len(more)
            for more in fitting
        }
        chosen |= max(sorted(gain, key=sorted), key=lambda more: gain[frozenset(more)])


def _settled(bundles: Sequence[tuple[frozenset[str], float]], chosen: frozenset[str]) -> float:
    return sum(yuan for own, yuan in bundles if own <= chosen)


def as_rows(sets: Sequence[QuestionSet]) -> list[Mapping[str, object]]:
    """问题单成行."""
    return [
        {"统一社会信用代码": s.code, "要问的": "；".join(s.questions), "能定下的事项": "；".join(s.items),
         "期望金额": round(s.yuan, 2), "占全部": round(s.yuan / s.all_yuan, 4) if s.all_yuan else 0.0}
        for s in sets
    ]  # fmt: skip
