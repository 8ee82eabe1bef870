"""测速用的评分模型: learned of some items, and lent to the others, since learning a thousand takes an hour and is no part of a night."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from analysis.scores import ScoreModel, fingerprint, has_ask, whole_of
from analysis.scores_file import save
from analysis.scores_learn import distinct_units, learn
from engine.columns import Columns
from engine.program import BoundItem
from engine.score import ConditionScorer

ITEMS, FIRMS = 8, 500  # learned of


def lent_model(items: Sequence[BoundItem], columns: Columns, home: Path) -> str:
    """借来的模型: what a night does with it is what it does with one learned of all items; returns its version."""
    taught = [b for b in items if b.program.item.subject == "企业"][:ITEMS]
    model = learn(taught, columns, {}, most=FIRMS)
    _lend_rules(model, items)
    _lend_wholes(model, taught, items)
    return save(model, home, {"lent": len(items) - len(taught)})


def _lend_rules(model: ScoreModel, items: Sequence[BoundItem]) -> None:
    known = list(model.scorers.values())
    for number, (subject, tree) in enumerate(distinct_units(items) if known else ()):
        model.scorers.setdefault(fingerprint(tree, subject), known[number % len(known)])


def _lend_wholes(model: ScoreModel, taught: Sequence[BoundItem], items: Sequence[BoundItem]) -> None:
    """Of an item of as many conditions, since what a whole pair is known by has a place for each."""
    by_width: dict[int, list[ConditionScorer]] = defaultdict(list)
    for bound in taught:
        second = model.seconds.get(whole_of(bound))
        if second is not None:
            by_width[_width(bound)].append(second)
    for number, bound in enumerate(items):
        some, whole = by_width[_width(bound)], whole_of(bound)
        if some:
            model.seconds.setdefault(whole, some[number % len(some)])
        model.groups.setdefault(whole, 1 + number % max(1, len(taught)))


def _width(bound: BoundItem) -> int:
    return sum(not has_ask(tree) for tree in bound.conditions)
