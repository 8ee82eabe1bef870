"""评分: what 待核实 pairs are worth a question; a model of probabilities and how it is put to a night's pairs.

Scores order and propose; no verdict is made here. Learning is in scores_learn.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.scores_ask import AskModel, firm_texts
from engine.columns import Columns, Floats
from engine.evaluate import Frame, Tree
from engine.matching import OPEN, AnswerBook, ItemHits
from engine.program import BoundItem
from engine.score import ConditionScorer, PairCombiner
from engine.score_features import FeaturePlan, FeatureTable
from engine.score_joint import EDGE, expit, logit, together

NEUTRAL = 0.5  # where the model abstains: an ask nobody has answered yet says nothing either way
CHUNK = 100_000
Masks = NDArray[np.bool_]


@dataclass
class ScoreModel:
    """评分模型: one scorer for each distinct rule, how rules go together, what a whole pair is worth, past answers, and the
    lesson of pairs settled since (log odds to add, by rule set).
    """

    plan: FeaturePlan
    scorers: dict[str, ConditionScorer] = field(default_factory=dict)
    links: dict[str, float] = field(default_factory=dict)
    usual_link: float = 0.0
    combiner: PairCombiner = field(default_factory=PairCombiner)
    groups: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, ConditionScorer] = field(default_factory=dict)
    asks: AskModel = field(default_factory=AskModel)
    peers: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    typical: dict[str, float] = field(default_factory=dict)
    pair_rates: dict[str, float] = field(default_factory=dict)
    lesson: dict[str, float] = field(default_factory=dict)
    seed: int = 0

    def scorer(self, tree: Tree, subject: str = "企业") -> ConditionScorer | None:
        """这条规则的评分器; None where none was learned."""
        return self.scorers.get(fingerprint(tree, subject))

    def link(self, a: str, b: str) -> float:
        """两条规则剩下的相关, by fingerprint."""
        return self.links.get(f"{min(a, b)} {max(a, b)}", self.usual_link)


_marks: dict[tuple[Tree, str], str] = {}


def fingerprint(tree: Tree, subject: str = "企业") -> str:
    """规则指纹: equal for equal rules, whatever item or batch they stand in; other rules have no scorer of it."""
    key = (tree, subject)
    if key not in _marks:
        if len(_marks) > 100_000:
            _marks.clear()
        _marks[key] = hashlib.sha256(f"{subject} {_canonical(tree)}".encode()).hexdigest()[:16]
    return _marks[key]


def _canonical(value: Any) -> str:
    if isinstance(value, frozenset):
        return "{" + ",".join(sorted(map(_canonical, value))) + "}"
    if isinstance(value, tuple):
        return "(" + ",".join(map(_canonical, value)) + ")"
    if dataclasses.is_dataclass(value):
        shown = (f.name for f in dataclasses.fields(value) if f.compare)
        inner = ",".join(f"{n}={_canonical(getattr(value, n))}" for n in shown)
        return f"{type(value).__name__}({inner})"
    return repr(value)


def has_ask(tree: Tree) -> bool:
    """含不含人工问题."""
    return tree.kind == "ask" or any(map(has_ask, tree.children))


def units(tree: Tree) -> Iterator[Tree]:
    """单元: the largest parts of a condition that no person has to answer; each is learned as one."""
    if not has_ask(tree):
        yield tree
    else:
        for child in tree.children:
            yield from units(child)


class Scoring:
    """评分过程: a model put to one set of columns; a rule is asked once a firm, whatever items share it."""

    def __init__(self, model: ScoreModel, columns: Columns, answers: AnswerBook | None = None):
        self.model, self.columns, self.answers = model, columns, answers or {}
        self._done: dict[
            str, tuple[NDArray[np.intp], Floats]
        ] = {}  # firms asked of a rule, ascending, and what it said
        self._table = FeatureTable(columns, model.plan)
        self._frame = Frame(columns)
        self._texts: Any = None

    def unit(self, tree: Tree, rows: NDArray[np.intp], subject: str = "企业") -> Floats:
        """一条规则的概率, shape (rows,); NaN where the model abstains."""
        name = fingerprint(tree, subject)
        scorer = self.model.scorers.get(name)
        if scorer is None:
            return np.full(len(rows), np.nan)
        if scorer.fallback_:
            return np.full(len(rows), scorer.base_rate_)
        none = (np.zeros(0, np.intp), np.zeros(0))
        known, said = self._done.get(name, none)
        at = np.searchsorted(known, rows)
        at[at == len(known)] = 0
        new = np.unique(rows[known[at] != rows] if len(known) else rows)
        if len(new):
            parts = [
                scorer.held(self._table.of(new[start : start + CHUNK], scorer.used), scorer.used)
                for start in range(0, len(new), CHUNK)
            ]
            place = np.searchsorted(known, new)
            known, said = np.insert(known, place, new), np.insert(said, place, np.concatenate(parts))
            self._done[name] = known, said
        return said[np.searchsorted(known, rows)]

    def condition(self, bound: BoundItem, j: int, rows: NDArray[np.intp]) -> Floats:
        """一个编号条件的概率, shape (rows,); NaN where the model abstains on all of it."""
        tree = bound.conditions[j]
        return (
            self._tree(bound, tree, rows)
            if has_ask(tree)
            else self.unit(tree, rows, bound.program.item.subject)
        )

    def _tree(self, bound: BoundItem, tree: Tree, rows: NDArray[np.intp]) -> Floats:
        """A tree with a question in it: parts known are certain, parts asked are taken as independent of the rest."""
        subject = bound.program.item.subject
        if not has_ask(tree):
            p = self.unit(tree, rows, subject)
            if subject == "企业":
                truth = self._frame.tree(tree, {})
                p = np.where(truth.sure[rows], 1.0, np.where(truth.maybe[rows], p, 0.0))
            return p
        if tree.kind == "ask":
            return self._asked(bound, tree, rows)
        parts = [self._tree(bound, child, rows) for child in tree.children]
        if tree.kind == "not":
            return 1 - parts[0]
        filled = [np.where(np.isnan(p), NEUTRAL, p) for p in parts]
        dull = np.logical_and.reduce([np.isnan(p) for p in parts])
        if tree.kind == "all":
            return np.where(dull, np.nan, np.prod(filled, axis=0))
        return np.where(dull, np.nan, 1 - np.prod([1 - p for p in filled], axis=0))

    def _asked(self, bound: BoundItem, tree: Tree, rows: NDArray[np.intp]) -> Floats:
        key = (bound.program.item.id, bound.batch.name, tree.ask)
        if not self.model.asks.knows(key):
            return np.full(len(rows), np.nan)
        if self._texts is None:
            self._texts = firm_texts(self.columns)
        return self.model.asks.predict(key, self._texts, rows)

    def pairs(self, bound: BoundItem, rows: NDArray[np.intp], unknown: Masks) -> Floats:
        """成对概率, shape (rows,): P(符合) of pairs whose `unknown` conditions (rows, conditions) are open."""
        p = self.conditions(bound, rows, unknown)
        asked = np.array([has_ask(t) for t in bound.conditions])
        rest = unknown & ~asked
        out = np.ones(len(rows))
        some = np.flatnonzero(rest.any(1))
        for start in range(0, len(some), CHUNK):
            at = some[start : start + CHUNK]
            out[at] = self._whole(bound, rows[at], p[at], rest[at])
        out *= np.where(unknown & asked, p, 1.0).prod(1)
        taught = self.model.lesson
        if taught:
            out = expit(logit(out) + taught.get("", 0.0) + taught.get(whole_of(bound), 0.0))
        return np.clip(out, EDGE, 1 - EDGE)

    def _whole(self, bound: BoundItem, rows: NDArray[np.intp], p: Floats, rest: Masks) -> Floats:
        """What the conditions no person has to answer come to, together."""
        subject = bound.program.item.subject
        asked = [has_ask(t) for t in bound.conditions]
        names = [fingerprint(t, subject) for t in bound.conditions]
        whole = whole_of(bound)
        table = describe(self.model, names, p, rest)
        second = self.model.seconds.get(whole) if subject == "企业" else None
        if second is not None:
            kept, width = ~np.array(asked), len(self.model.plan.names)
            firm = [c for c in second.used if c < width]
            shown = with_pair(self._table.of(rows, firm), table, p[:, kept], rest[:, kept])
            places = [*firm, *range(width, width + shown.shape[1] - len(firm))]
            table[:, 4] = second.held(shown, places)
        return self.model.combiner.held(table, self.model.groups.get(whole, 0))

    def conditions(self, bound: BoundItem, rows: NDArray[np.intp], unknown: Masks) -> Floats:
        """各未知条件的概率, shape (rows, conditions): NaN where not unknown, 0.5 where the model abstains."""
        p = np.full(unknown.shape, np.nan)
        for j in range(unknown.shape[1]):
            at = np.flatnonzero(unknown[:, j])
            if len(at):
                found = self.condition(bound, j, rows[at])
                p[at, j] = np.where(np.isnan(found), NEUTRAL, found)
        return p


def describe(model: ScoreModel, names: Sequence[str], p: Floats, unknown: Masks) -> Floats:
    """合成特征: joint probability by the links, product, least and count of the unknown conditions, and room for a second
    opinion; shape (rows, 5)."""
    held = np.where(unknown, p, 1.0)
    joint = held.prod(1)
    packed = np.packbits(unknown, axis=1)
    patterns, inverse = np.unique(packed, axis=0, return_inverse=True)
    for k in range(len(patterns)):
        rows = np.flatnonzero(inverse.reshape(-1) == k)
        at = np.flatnonzero(unknown[rows[0]])
        if len(at) < 2:
            continue
        links = np.array(
            [[1.0 if a == b else model.link(names[int(a)], names[int(b)]) for b in at] for a in at]
        )
        joint[rows] = together(p[np.ix_(rows, at)], links)
    none = np.full(len(p), np.nan)
    return np.column_stack([joint, held.prod(1), held.min(1, initial=1.0), unknown.sum(1), none])


def with_pair(firm: Floats, table: Floats, p: Floats, unknown: Masks) -> Floats:
    """第二意见的特征: the firm's, the joint log odds and the count, then which conditions are open and their log odds."""
    odds = np.where(unknown, logit(p), np.nan)
    return np.column_stack([firm, logit(table[:, 0]), table[:, 3], unknown, odds])


def whole_name(names: Iterable[str]) -> str:
    """整个事项的指纹, of the fingerprints of its conditions: another rule is another pair."""
    return hashlib.sha256(" ".join(names).encode()).hexdigest()[:16]


def whole_of(bound: BoundItem) -> str:
    """整个事项的指纹, of its conditions that no person has to answer."""
    subject = bound.program.item.subject
    return whole_name(fingerprint(t, subject) for t in bound.conditions if not has_ask(t))


def open_masks(found: ItemHits, at: NDArray[np.intp]) -> Masks:
    """未知条件 of some rows of hits, also of the compiled matcher's, which keep them as bits."""
    return np.asarray(found.unknown)[at]


def score_hits(
    columns: Columns,
    bound_items: Sequence[BoundItem],
    hits: Sequence[ItemHits],
    model: ScoreModel,
    answers: AnswerBook | None = None,
) -> dict[str, Floats]:
    """给名单评分: item id → P(符合) of each row of its hits, NaN for a row that is not 待核实."""
    scoring = Scoring(model, columns, answers)
    by_item = {b.program.item.id: b for b in bound_items}
    out = {}
    for found in hits:
        score = np.full(len(found), np.nan)
        at = np.flatnonzero(found.verdict == OPEN)
        if len(at) and found.item in by_item:
            score[at] = scoring.pairs(by_item[found.item], found.rows[at], open_masks(found, at))
        out[found.item] = score
    return out
