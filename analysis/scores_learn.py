"""学习评分: from what a night knows of some firms, how likely what it doesn't know of others will turn out to hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.scores import (
    NEUTRAL,
    Masks,
    ScoreModel,
    describe,
    fingerprint,
    has_ask,
    units,
    whole_name,
    with_pair,
)
from analysis.scores_ask import learn_asks
from analysis.scores_money import typical_amounts
from analysis.scores_peers import peer_groups, peer_table
from analysis.scores_rehearsal import Chances, Rehearsed
from engine.columns import Columns, Detail, Floats
from engine.evaluate import Frame, Tree
from engine.matching import AnswerBook, match
from engine.program import BoundItem
from engine.score import ConditionScorer
from engine.score_features import features, plan
from engine.score_joint import Together, correlation_of
from engine.truth import all_of

MOST_FIRMS = 30_000  # more cost time and add little
MOST_LEARNED = 4000  # rows a rule learns from
MOST_REHEARSED = 40_000
ROUNDS = 6
CHANCE_ROUNDS = 12
MOST_TOGETHER, MOST_FACTS = 2000, 50.0
USUAL_DOUBT, DOUBT = (
    4.0,
    16.0,
)  # one over the variance a correlation is thought to have: about none, about the usual one


@dataclass
class _Study:
    """What learning looks at: columns, their frame, the half of each firm, and the model that grows."""

    columns: Columns
    frame: Frame
    half: NDArray[np.int64]
    model: ScoreModel
    rng: np.random.Generator
    chances: Chances


@dataclass
class _Pairs:
    """Rehearsed open pairs of one item: rules, their probabilities and answers, which are open, and what they were.

    `weight` sums to the number of firms: a firm rehearsed six times is still one.
    """

    item: str
    names: list[str]
    p: Floats
    open: Masks
    sure: Masks
    rows: NDArray[np.intp]
    weight: Floats

    @property
    def whole(self) -> str:
        return whole_name(self.names)

    @property
    def held(self) -> NDArray[np.bool_]:
        return np.asarray((self.sure | ~self.open).all(1))


def learn(
    bound_items: Sequence[BoundItem],
    columns: Columns,
    answers: AnswerBook | None = None,
    seed: int = 0,
    most: int = MOST_FIRMS,
) -> ScoreModel:
    """学习: from columns with gaps (of at most `most` firms), and past answers; deterministic for a seed."""
    rng = np.random.default_rng([seed, 1])
    asks = learn_asks(bound_items, columns, answers or {}, seed)
    if len(columns) > most:
        columns = columns.take(np.sort(rng.choice(len(columns), most, replace=False)))
    model = ScoreModel(plan(columns), asks=asks, seed=seed)
    half = rng.integers(0, 2, len(columns))
    chances = Chances(columns, CHANCE_ROUNDS, np.random.default_rng([seed, 2]))
    study = _Study(columns, Frame(columns), half, model, rng, chances)
    groups = peer_groups(columns)
    for number, (subject, tree) in enumerate(distinct_units(bound_items)):
        if subject == "企业":
            truth = study.frame.tree(tree, {})
            _learn_unit(study, tree, number)
            model.peers[fingerprint(tree)] = peer_table(groups, truth)
    _learn_details(study, bound_items)
    _learn_pairs(study, [b for b in bound_items if b.program.item.subject == "企业"])
    model.typical = typical_amounts(match(bound_items, columns, _a_day(bound_items), answers))
    return model


def _a_day(bound_items: Sequence[BoundItem]):
    return max((b.batch.opens for b in bound_items), default=None)


def distinct_units(bound_items: Sequence[BoundItem]) -> list[tuple[str, Tree]]:
    """各不相同的规则: (subject, tree), in the order they first come."""
    found: dict[tuple[str, Tree], None] = {}
    for bound in bound_items:
        for tree in bound.conditions:
            found.update(((bound.program.item.subject, part), None) for part in units(tree))
    return list(found)


def _learn_unit(study: _Study, tree: Tree, number: int) -> None:
    """One rule: known firms under the gaps of firms for which it is unknown, kept where it is unknown then.

    Firms are drawn by their weight, which undoes that some are known more easily than others.
    """
    truth = study.frame.tree(tree, {})
    known, donors = np.flatnonzero(~truth.unknown), np.flatnonzero(truth.unknown)
    if not len(known) or not len(donors):
        return
    rng = np.random.default_rng([study.model.seed, 3, number])
    size = min(MOST_LEARNED, max(len(known), len(donors)))
    donor = rng.permutation(donors)[:size] if len(donors) >= size else rng.choice(donors, size)
    weight = study.chances.weight(study.chances.known(tree)[known])
    firm = rng.permutation(known[_drawn(weight, size, rng)])
    masked = Rehearsed(study.columns, firm, donor)
    kept = np.flatnonzero(Frame(masked).tree(tree, {}).unknown)
    if not len(kept):
        return
    masked, firm = Rehearsed(study.columns, firm[kept], donor[kept]), firm[kept]
    scorer = ConditionScorer(seed=(study.model.seed + number) % 2**31)
    scorer.fit(features(masked, study.model.plan), truth.sure[firm], study.half[firm])
    study.model.scorers[fingerprint(tree)] = scorer


def _drawn(weight: Floats, size: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Systematic sampling: `size` places in proportion to their weight, each as often as it should be to within one."""
    order = rng.permutation(len(weight))
    ends = np.cumsum(weight[order])
    at = (np.arange(size) + rng.random()) * (ends[-1] / size)
    return order[np.minimum(np.searchsorted(ends, at, side="right"), len(weight) - 1)]


def _learn_details(study: _Study, bound_items: Sequence[BoundItem]) -> None:
    """Rules over projects, products and people: their rate among the rows for which they are known."""
    frames: dict[str, Frame] = {}
    for subject, tree in distinct_units(bound_items):
        if subject == "企业":
            continue
        if subject not in frames:
            own = study.columns.rows.get(subject)
            frames[subject] = Frame(Detail(study.columns, own, np.zeros(0, np.intp)))
        truth = frames[subject].tree(tree, {})
        known = ~truth.unknown
        if known.any():
            rate = ConditionScorer(least=2**31)
            rate.fit(np.zeros((int(known.sum()), 1)), truth.sure[known].astype(int))
            study.model.scorers[fingerprint(tree, subject)] = rate


# ---------------------------------------------------------------- pairs


def _learn_pairs(study: _Study, bound_items: Sequence[BoundItem]) -> None:
    if not len(study.columns):
        return
    asking = _Asking(study)
    found = list(_rehearse(study, asking, bound_items))
    _learn_links(study, found)
    if not found:
        return
    model = study.model
    model.groups = {pairs.whole: k + 1 for k, pairs in enumerate(found)}
    model.pair_rates = {f.item: float((f.weight[f.held].sum() + 1) / (f.weight.sum() + 2)) for f in found}
    tables = [describe(model, f.names, f.p, f.open) for f in found]
    for number, (pairs, table) in enumerate(zip(found, tables, strict=True)):
        _learn_second(asking, pairs, table, number)
    group = np.concatenate([np.full(len(f.rows), model.groups[f.whole]) for f in found])
    held = np.concatenate([f.held for f in found]).astype(int)
    weight = np.concatenate([f.weight for f in found])
    model.combiner.fit(np.vstack(tables), held, group, weight)


def _learn_second(asking: _Asking, pairs: _Pairs, table: Floats, number: int) -> None:
    """第二意见: the pair as a whole from the firm's facts; what the first knows goes in with them."""
    model, half = asking.study.model, asking.half[pairs.rows]
    scorer = ConditionScorer(rounds=25, leaf=40, seed=(model.seed + 7919 + number) % 2**31)
    shown = with_pair(asking.table[pairs.rows], table, pairs.p, pairs.open)
    scorer.fit(shown, pairs.held.astype(int), half, pairs.weight)
    if not scorer.fallback_:
        model.seconds[pairs.whole] = scorer
        table[:, 4] = scorer.predict_proba(shown, half)[:, 1]


def _rehearse(study: _Study, asking: _Asking, bound_items: Sequence[BoundItem]) -> Iterator[_Pairs]:
    """Open pairs whose answers are known: any firm under the gaps of any other."""
    firm, frame = asking.masked.firms, Frame(asking.masked)
    for bound in bound_items:
        trees = [t for t in bound.conditions if not has_ask(t)]
        truths = [frame.tree(t, {}) for t in trees]
        rows = np.flatnonzero(all_of(truths, frame.n).unknown)
        if not len(rows) or not trees:
            continue
        unknown = np.column_stack([t.unknown[rows] for t in truths])
        was = [study.frame.tree(t, {}) for t in trees]
        clear = np.column_stack([~w.unknown[firm[rows]] for w in was])
        kept = (clear | ~unknown).all(1)
        rows, unknown = rows[kept], unknown[kept]
        if not len(rows):
            continue
        sure = np.column_stack([w.sure[firm[rows]] for w in was])
        p = np.full(unknown.shape, np.nan)
        for j, tree in enumerate(trees):
            at = np.flatnonzero(unknown[:, j])
            if len(at):
                p[at, j] = asking.unit(fingerprint(tree), rows[at])
        p = np.where(np.isnan(p), NEUTRAL, p)
        names = [fingerprint(t) for t in trees]
        weight = _weights(study, trees, firm[rows], unknown)
        yield _Pairs(bound.program.item.id, names, p, unknown, sure, rows, weight)


def _weights(study: _Study, trees: Sequence[Tree], firm: NDArray[np.intp], unknown: Masks) -> Floats:
    """How many firms a rehearsed pair stands for: by the chance that all that was laid open had been known of it."""
    known = np.ones((len(firm), CHANCE_ROUNDS), bool)
    for j, tree in enumerate(trees):
        known &= study.chances.known(tree)[firm] | ~unknown[:, [j]]
    weight = study.chances.weight(known)
    return weight * (len(np.unique(firm)) / weight.sum())


class _Asking:
    """Rehearsed rows and their cross-fitted probabilities: by the half of the model that has not seen the firm."""

    def __init__(self, study: _Study):
        self.study, n = study, len(study.columns)
        donor = study.rng.permutation(np.tile(np.arange(n), ROUNDS))[:MOST_REHEARSED]
        self.masked = Rehearsed(study.columns, study.rng.integers(0, n, len(donor)), donor)
        self.half = study.half[self.masked.firms]
        self.table = features(self.masked, study.model.plan)
        self.done: dict[str, Floats] = {}

    def unit(self, name: str, rows: NDArray[np.intp]) -> Floats:
        scorer = self.study.model.scorers.get(name)
        if scorer is None:
            return np.full(len(rows), np.nan)
        kept = self.done.setdefault(name, np.full(len(self.half), np.nan))
        new = rows[np.isnan(kept[rows])]
        if len(new):
            kept[new] = scorer.predict_proba(self.table[new], self.half[new])[:, 1]
        return kept[rows]


def _learn_links(study: _Study, found: Sequence[_Pairs]) -> None:
    """How two rules go together beyond what their probabilities say, over all pairs in which both are open."""
    seen: dict[str, list[Floats]] = defaultdict(list)
    for pairs in found:
        for i in range(len(pairs.names)):
            for j in range(i + 1, len(pairs.names)):
                at = np.flatnonzero(pairs.open[:, i] & pairs.open[:, j])
                if len(at) and pairs.names[i] != pairs.names[j]:
                    a, b = (i, j) if pairs.names[i] < pairs.names[j] else (j, i)
                    part = [pairs.p[at, a], pairs.p[at, b], pairs.sure[at, a], pairs.sure[at, b]]
                    name = f"{pairs.names[a]} {pairs.names[b]}"
                    seen[name].append(np.column_stack([*part, pairs.weight[at], pairs.rows[at]]))
    tables = {name: _once(np.vstack(seen[name])) for name in sorted(seen)}
    model = study.model
    alone = np.array([correlation_of([t], 0.0, USUAL_DOUBT) for t in tables.values()])
    facts = np.array([min(t.slope(0.0)[1], MOST_FACTS) for t in tables.values()])
    model.usual_link = float((alone * facts).sum() / facts.sum()) if facts.sum() else 0.0
    model.links = {k: correlation_of([t], model.usual_link, DOUBT) for k, t in tables.items()}


def _once(table: Floats) -> Together:
    """Each rehearsed firm once, whatever items share the two rules."""
    _, once = np.unique(table[:, 5], return_index=True)
    kept = table[once][:MOST_TOGETHER]
    return Together(kept[:, :2], kept[:, 2:4] > 0.5, kept[:, 4])
