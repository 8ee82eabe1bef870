"""估计的理由: what a probability rests on, in an officer's words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.scores import ScoreModel, Scoring, fingerprint, has_ask, units
from analysis.scores_peers import peer_groups, peer_words
from engine.columns import Columns
from engine.matching import AnswerBook
from engine.program import BoundItem
from engine.score_features import features

MOST_NAMED = 3
GREW, FELL = 1.02, 0.98


@dataclass(frozen=True)
class Reason:
    """一条的理由: condition, probability (None where the model abstains) and words."""

    id: str
    p: float | None
    words: str


def reasons(
    model: ScoreModel, one: Columns, bound: BoundItem, unknown: list[str], answers: AnswerBook | None = None
) -> list[Reason]:
    """各未知条件的理由, of one firm (columns of one row)."""
    scoring, row = Scoring(model, one, answers), np.array([0])
    out = []
    for j, name in enumerate(bound.ids):
        if name in unknown:
            found = float(scoring.condition(bound, j, row)[0])
            out.append(Reason(name, None if np.isnan(found) else found, _words(model, one, bound, j, found)))
    return out


def _words(model: ScoreModel, one: Columns, bound: BoundItem, j: int, p: float) -> str:
    tree, subject = bound.conditions[j], bound.program.item.subject
    if np.isnan(p):
        return "没有可供学习的事实和答复，估不出；需要人工核实"
    if has_ask(tree):
        return f"按过去的答复和经营范围的文字，约 {p:.0%} 会答“是”"
    scorer = model.scorer(tree, subject)
    assert scorer is not None
    parts = [
        peer_words(model.peers.get(fingerprint(t, subject), {}), peer_groups(one)[0]) for t in units(tree)
    ]
    said = [w for w in parts if w] or [f"{scorer.n_known_} 家次已知情形中 {scorer.base_rate_:.0%} 满足"]
    if scorer.fallback_:
        return "；".join([*said, "可比的太少，只按总体比例估计"])
    return "；".join([*said, *_known(model, one, scorer.used), f"合起来估计 {p:.0%}"])


def _known(model: ScoreModel, one: Columns, used: list[int]) -> list[str]:
    """What of the facts looked at is known of this firm: how many, and which figures grew or fell."""
    names, table = model.plan.names, features(one, model.plan, used)[0]
    known = [(names[i], value) for i, value in zip(used, table, strict=True) if not np.isnan(value)]
    moved = []
    for name, value in known:
        late, mark, early = name.partition("÷")
        if mark and late.split("@")[0] == early.split("@")[0]:
            word = "增长" if value > GREW else "下降" if value < FELL else "持平"
            moved.append(f"{late.split('@')[0]} {early[-4:]}→{late[-4:]} 年{word}")
    plain = len({n.split("·")[0] for n, _ in known if "÷" not in n})
    said = [f"该企业 {plain} 项有关数据已知"] if plain else []
    return said + moved[:MOST_NAMED]
