"""估计的理由: what a probability rests on, in an officer's words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.scores import ScoreModel, Scoring, fingerprint, has_ask, units
from analysis.scores_peers import peer_groups, peer_words
from engine.columns import Columns
from engine.matching import AnswerBook
from engine.program import BoundItem
from engine.score import ConditionScorer
from engine.score_features import features

MOST_NAMED, LEAST_MOVE = 2, 0.02
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
        return f"按过去的答复和经营范围的文字，约 {about(p)} 会答“是”"
    scorer = model.scorer(tree, subject)
    assert scorer is not None
    parts = [
        peer_words(model.peers.get(fingerprint(t, subject), {}), peer_groups(one)[0]) for t in units(tree)
    ]
    said = [w for w in parts if w] or [f"已知情形中 {about(scorer.base_rate_)} 满足"]
    if scorer.fallback_:
        return "；".join([*said, f"可比的太少，只按总体比例 {about(scorer.base_rate_)} 估计"])
    return "；".join([*said, *_moving(model, one, scorer, p), f"合起来估计 {about(p)}"])


def _moving(model: ScoreModel, one: Columns, scorer: ConditionScorer, p: float) -> list[str]:
    """What known facts move the estimate most: each indicator taken away by itself, and what the estimate were then."""
    names, used = model.plan.names, scorer.used
    row = features(one, model.plan, used)[0]
    groups: dict[str, list[int]] = {}
    for k, value in enumerate(row):
        if not np.isnan(value):
            groups.setdefault(indicator_of(names[used[k]]), []).append(k)
    if not groups:
        return ["该企业没有相关数据"]
    without = np.tile(row, (len(groups), 1))
    for line, places in zip(without, groups.values(), strict=True):
        line[places] = np.nan
    effect = p - scorer.held(without, used)
    told = []
    for k in np.argsort(-np.abs(effect), kind="stable")[:MOST_NAMED]:
        if abs(effect[k]) >= LEAST_MOVE:
            name, places = list(groups.items())[k]
            way = "升高" if effect[k] > 0 else "降低"
            grown = _grown([(names[used[c]], row[c]) for c in places])
            told.append(f"该企业的{name}{grown}使估计{way} {abs(effect[k]) * 100:.0f} 个百分点")
    return told or [f"该企业 {len(groups)} 项有关数据已知，没有哪一项单独明显拉高或拉低"]


def about(p: float) -> str:
    """说概率: an estimate is never certain, so never 0% or 100%."""
    return "不到1%" if p < 0.01 else "99%以上" if p > 0.99 else f"{p:.0%}"


def indicator_of(feature: str) -> str:
    """特征属于哪个指标: 研发费用@2025÷营业收入@2025 is of 研发费用."""
    for mark in "÷@·含":
        feature = feature.split(mark)[0]
    return feature


def _grown(known: list[tuple[str, float]]) -> str:
    for name, value in known:
        late, mark, early = name.partition("÷")
        if mark and indicator_of(late) == indicator_of(early):
            word = "增长" if value > GREW else "下降" if value < FELL else "持平"
            return f"（{early[-4:]}→{late[-4:]} 年{word}）"
    return ""
