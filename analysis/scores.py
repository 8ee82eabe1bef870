"""评分: what 待核实 pairs are worth a question; learned from the firms for which the same condition is known.

A firm with known answer borrows the gaps of a firm without (a donor), so that the model sees in learning what it will see
in use. Scores order and propose; no verdict is made here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.columns import Columns, Floats
from engine.evaluate import Frame, Tree
from engine.matching import OPEN, AnswerBook, ItemHits
from engine.program import BoundItem
from engine.score import ConditionScorer, PairCombiner
from engine.score_features import Features
from engine.truth import Truth

NEUTRAL = 0.5  # where the model abstains: an ask nobody has answered yet says nothing either way
FEW_ANSWERS = 5
MOST_LEARNED = 4000  # firms a condition learns from; more cost time and add little


@dataclass
class ScoreModel:
    """评分模型: one scorer a condition (by item, batch and id), shared where the rule is the same; and the combiner."""

    names: list[str]
    scorers: dict[str, ConditionScorer] = field(default_factory=dict)
    keys: dict[tuple[str, str, str], str] = field(default_factory=dict)
    asked: dict[tuple[str, str, str], float] = field(default_factory=dict)
    combiner: PairCombiner | None = None
    seed: int = 0


def learn(
    bound_items: Sequence[BoundItem], columns: Columns, answers: AnswerBook | None = None, seed: int = 0
) -> ScoreModel:
    """学习: from columns with gaps; deterministic for a seed."""
    features, frame = Features(columns), Frame(columns)
    model = ScoreModel(features.names, seed=seed, asked=_asked(bound_items, answers or {}))
    half = np.random.default_rng([seed, 1]).integers(0, 2, len(columns))
    by_tree: dict[Tree, str] = {}
    for bound, condition, tree in conditions(bound_items):
        name = by_tree.get(tree)
        if name is None:
            name = by_tree[tree] = f"c{len(by_tree)}"
            truth = frame.tree(tree, {})
            if truth.unknown.any() and not truth.unknown.all():
                model.scorers[name] = _learn_one(features, truth, half, seed + len(by_tree))
        model.keys[(bound.program.item.id, bound.batch.name, condition)] = name
    model.combiner = _learn_pairs(bound_items, features, frame, model, half)
    return model


def conditions(bound_items: Sequence[BoundItem]) -> Iterator[tuple[BoundItem, str, Tree]]:
    """编号条件: of all items."""
    for bound in bound_items:
        for condition, tree in zip(bound.ids, bound.conditions, strict=True):
            yield bound, condition, tree


def _asked(bound_items: Sequence[BoundItem], answers: AnswerBook) -> dict[tuple[str, str, str], float]:
    """过去答复的比例: of single-question conditions, once there are a few."""
    out = {}
    for bound, condition, tree in conditions(bound_items):
        if tree.kind != "ask":
            continue
        given = answers.get((bound.program.item.id, bound.batch.name, tree.ask), {})
        said = [a for a in given.values() if isinstance(a, bool)]
        if len(said) >= FEW_ANSWERS:
            rate = (sum(said) + 1) / (len(said) + 2)
            out[(bound.program.item.id, bound.batch.name, condition)] = rate
    return out


def _learn_one(features: Features, truth: Truth, half: NDArray, seed: int) -> ConditionScorer:
    rng = np.random.default_rng(seed)
    known, donors = np.flatnonzero(~truth.unknown), np.flatnonzero(truth.unknown)
    if len(known) > MOST_LEARNED:
        known = np.sort(rng.choice(known, MOST_LEARNED, replace=False))
    gaps = np.isnan(features.matrix[rng.choice(donors, len(known))])
    table = np.where(gaps, np.nan, features.matrix[known])
    return ConditionScorer(seed=seed % 2**31).fit(table, truth.sure[known], half[known])


def _learn_pairs(
    bound_items: Sequence[BoundItem], features: Features, frame: Frame, model: ScoreModel, half: NDArray
) -> PairCombiner:
    """Pairs whose unknown conditions are known at another firm: that firm under the same gaps, and what it was."""
    rng = np.random.default_rng([model.seed, 2])
    tables, answers = [], []
    for bound in bound_items:
        truths = [frame.tree(t, {}) for t in bound.conditions]
        learned = [_scorer(model, bound, c) for c in bound.ids]
        use = [j for j, s in enumerate(learned) if s is not None and not s.fallback_]
        if len(use) < 2:
            continue
        unknown = np.column_stack([truths[j].unknown for j in use])
        donors = np.flatnonzero(unknown.sum(1) >= 2)
        if not len(donors):
            continue
        donor = rng.choice(donors, min(len(unknown), 600))
        firm = rng.integers(0, len(unknown), len(donor))
        asked = unknown[donor]
        usable = ~(asked & unknown[firm]).any(1)
        donor, firm, asked = donor[usable], firm[usable], asked[usable]
        if not len(firm):
            continue
        table = np.where(np.isnan(features.matrix[donor]), np.nan, features.matrix[firm])
        p, holds = np.full((len(firm), len(use)), np.nan), np.ones(len(firm), bool)
        for k, j in enumerate(use):
            rows = np.flatnonzero(asked[:, k])
            scorer = learned[j]
            if len(rows) and scorer is not None:
                p[rows, k] = scorer.predict_proba(table[rows], half[firm[rows]])[:, 1]
                holds[rows] &= truths[j].sure[firm[rows]]
        tables.append(p)
        answers.append(holds)
    if not tables:
        return PairCombiner().fit(np.zeros((0, 1)), np.zeros(0))
    width = max(t.shape[1] for t in tables)
    padded = [np.pad(t, ((0, 0), (0, width - t.shape[1])), constant_values=np.nan) for t in tables]
    return PairCombiner().fit(np.vstack(padded), np.concatenate(answers))


def _scorer(model: ScoreModel, bound: BoundItem, condition: str) -> ConditionScorer | None:
    return model.scorers.get(model.keys.get((bound.program.item.id, bound.batch.name, condition), ""))


class Scoring:
    """算分: probabilities for one set of columns by one model; equal conditions are computed once."""

    def __init__(self, model: ScoreModel, columns: Columns):
        self.model = model
        self.table = Features(columns).aligned(model.names)
        self._done: dict[str, Floats] = {}

    def condition(self, bound: BoundItem, condition: str, rows: NDArray[np.intp]) -> Floats:
        """条件概率 of the rows, NaN where the model abstains."""
        key = (bound.program.item.id, bound.batch.name, condition)
        if key in self.model.asked:
            return np.full(len(rows), self.model.asked[key])
        name = self.model.keys.get(key, "")
        scorer = self.model.scorers.get(name)
        if scorer is None:
            return np.full(len(rows), np.nan)
        kept = self._done.setdefault(name, np.full(len(self.table), np.nan))
        new = rows[np.isnan(kept[rows])]
        if len(new):
            kept[new] = scorer.predict_proba(self.table[new])[:, 1]
        return kept[rows]

    def conditions(self, bound: BoundItem, rows: NDArray[np.intp], unknown: NDArray[np.bool_]) -> Floats:
        """各未知条件的概率, shape (rows, conditions): NaN where not unknown, 0.5 where the model abstains."""
        p = np.full(unknown.shape, np.nan)
        for j, condition in enumerate(bound.ids):
            at = np.flatnonzero(unknown[:, j])
            if len(at):
                found = self.condition(bound, condition, rows[at])
                p[at, j] = np.where(np.isnan(found), NEUTRAL, found)
        return p

    def pairs(self, bound: BoundItem, rows: NDArray[np.intp], unknown: NDArray[np.bool_]) -> Floats:
        """成对概率."""
        assert self.model.combiner is not None
        return self.model.combiner.predict_proba(self.conditions(bound, rows, unknown))[:, 1]


def score_hits(
    columns: Columns,
    bound_items: Sequence[BoundItem],
    hits: Sequence[ItemHits],
    model: ScoreModel | None = None,
    answers: AnswerBook | None = None,
) -> dict[str, Floats]:
    """给名单评分: item id → P(符合) of each row of its hits, NaN for a row that is not 待核实.

    Without a model it first learns one from these very columns.
    """
    scoring = Scoring(model or learn(bound_items, columns, answers), columns)
    by_item = {b.program.item.id: b for b in bound_items}
    out = {}
    for found in hits:
        score = np.full(len(found), np.nan)
        at = np.flatnonzero(found.verdict == OPEN)
        if len(at) and found.item in by_item:
            score[at] = scoring.pairs(by_item[found.item], found.rows[at], found.unknown[at])
        out[found.item] = score
    return out


def typical_amounts(hits: Sequence[ItemHits]) -> dict[str, float]:
    """常见数额: per item the median midpoint of what is known, for pairs whose amount is not."""
    out = {}
    for found in hits:
        middle = (found.low + found.high) / 2
        if np.isfinite(middle).any():
            out[found.item] = float(np.nanmedian(middle))
    return out


def expected_yuan(found: ItemHits, score: Floats, typical: Mapping[str, float]) -> Floats:
    """期望金额: P times the middle of the interval; an unknown end is replaced by what is usual for the item."""
    usual = typical.get(found.item, 0.0)
    middle = np.where(
        np.isnan(found.high), np.maximum(np.nan_to_num(found.low), usual), (found.low + found.high) / 2
    )
    return score * np.where(np.isnan(middle), usual, middle)


def reason(scoring: Scoring, bound: BoundItem, condition: str, row: int) -> str:
    """理由: what a probability rests on, in an officer's words."""
    p = float(scoring.condition(bound, condition, np.array([row]))[0])
    if np.isnan(p):
        return "还没有可供学习的答复，无法估计；需要人工核实"
    scorer = _scorer(scoring.model, bound, condition)
    if scorer is None:
        return f"按过去的答复，约 {p:.0%} 的企业满足"
    known = f"{scorer.n_known_} 家已知企业中 {scorer.base_rate_:.0%} 满足"
    if scorer.fallback_:
        return f"{known}；样本太少，只按总体比例估计"
    seen = int(np.isfinite(scoring.table[row, scorer.columns_]).sum())
    return f"{known}；按本企业已知的 {seen} 项相关数据估计为 {p:.0%}"
