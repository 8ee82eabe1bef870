"""已有结论的评分: open pairs that have since been settled, by facts and answers, by a decision or by how the grant came out;
how good the scores given to them were, and what they teach about scores to come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.scores_figures import brier, ece
from engine.columns import Floats
from engine.grantmoves import State
from engine.score_joint import logit, shifted
from store import grants
from store.database import Engine
from store.night_scores import read_scores, scored_with
from store.nights import CODE, Night, latest_night, list_nights
from store.review import REJECT, history

NIGHTS, LATEST = 30, 2000
FEW, FEW_TAUGHT = 40, 20  # settled pairs below which they say nothing about a model, or teach nothing
NOT_ELIGIBLE = {"2", "5", "6", "7"}  # reasons that say the firm does not qualify, whatever the data says
PAID = {State.PAYING, State.ARRIVED, State.DONE}
REFUSING = ("不予兑现", "异议成立")
DRIFT_GAP, DRIFT_SIGMA = 0.05, 3.0
COLUMNS = ["item", CODE, "night", "score", "held", "by"]
FACTS, DECIDED, GRANTED = "比对", "复核", "兑现"
STIFF, STIFF_ITEM, FARTHEST = 60.0, 30.0, 2.0
Pair = tuple[str, str, str]


def outcomes(engine: Engine) -> dict[Pair, bool]:
    """兑现的结果: (item, batch, code) → whether the firm did qualify.

    Yes once finance has let it pass and nothing was taken back; no where it was refused, or an objection upheld, for a
    reason that says it does not qualify. Given up, revoked and recovered grants say neither: the cause may be another.
    """
    out = {(c.item, c.batch, c.code): True for c in grants.find(engine, states=PAID)}
    for case, event in grants.steps(engine, REFUSING):
        if case.state == State.REFUSED and str(event.facts.get("理由代码")) in NOT_ELIGIBLE:
            out[case.item, case.batch, case.code] = False
    return out


def settled_pairs(engine: Engine, home: Path) -> pd.DataFrame:
    """已有结论的评分: item, code, night, score it was given, whether it held and what said so; each pair once, by its
    last score. How a grant came out counts before a decision, a decision before the facts of the latest night.
    """
    last = latest_night(engine, home)
    if last is None:
        return pd.DataFrame(columns=COLUMNS)
    said = outcomes(engine)
    rejected = {
        (d.item, d.code)
        for d in history(engine)
        if d.kind == REJECT and d.reason in NOT_ELIGIBLE and d.state == "生效"
    }
    parts = []
    for item in last.items()["item"]:
        bound = last.bound(item)
        for night in list_nights(engine, home)[:NIGHTS]:
            before = night.bound(item)
            if bound is None or before is None or before.conditions != bound.conditions:
                continue
            if scored_with(night.folder):
                batch = before.batch.name
                granted = {c: held for (i, b, c), held in said.items() if (i, b) == (item, batch)}
                parts.append(_settled(night, last, item, {c for i, c in rejected if i == item}, granted))
    kept = [p for p in parts if len(p)]
    if not kept:
        return pd.DataFrame(columns=COLUMNS)
    return (
        pd.concat(kept, ignore_index=True)
        .drop_duplicates(["item", CODE])
        .sort_values(["item", CODE], ignore_index=True)
    )


def _settled(
    night: Night, last: Night, item: str, rejected: set[str], granted: dict[str, bool]
) -> pd.DataFrame:
    score = read_scores(night.folder, item)
    now = last.hits(item)
    verdict = now.set_index(CODE)["verdict"] if len(now) else pd.Series(dtype=object)
    there = score.index.isin(list(last.columns().codes))
    was = verdict.reindex(score.index).fillna("不符合")
    said_no = score.index.isin(list(rejected))
    paid = score.index.map(granted).to_numpy() if granted else np.full(len(score), None, object)
    came_out = pd.notna(paid)
    held = np.where(came_out, paid == True, (was == "符合").to_numpy() & ~said_no)  # noqa: E712
    by = np.where(came_out, GRANTED, np.where(said_no, DECIDED, FACTS))
    done = there & ((was != "待核实").to_numpy() | said_no | came_out)
    return pd.DataFrame(
        {"item": item, CODE: score.index, "night": night.no, "score": score.to_numpy(), "held": held.astype(bool), "by": by}
    )[done]  # fmt: skip


@dataclass(frozen=True)
class Drift:
    """漂移: the latest settled pairs against the scores they were given."""

    count: int
    expected: float = 0.0
    held: float = 0.0
    ece: float = 0.0
    brier: float = 0.0
    alarm: bool = False

    def words(self) -> str:
        """说法."""
        if self.count < FEW:
            return f"已有结论的只有 {self.count} 对，还看不出偏没偏（要 {FEW} 对）"
        mark = "偏了，请重新学习（huiqi scores train）" if self.alarm else "没有偏"
        return f"最近 {self.count} 对有了结论：估计平均 {self.expected:.1%}，实际 {self.held:.1%}，校准误差 {self.ece:.3f}：{mark}"


def drift(settled: pd.DataFrame) -> Drift:
    """看漂移: alarm where the mean is off by five points and by three standard errors."""
    part = settled.sort_values("night", kind="stable").tail(LATEST)
    p, y = part["score"].to_numpy(dtype=float), part["held"].to_numpy(dtype=float)
    if len(p) < FEW:
        return Drift(len(p))
    gap, sigma = p.mean() - y.mean(), float(np.sqrt((p * (1 - p)).sum())) / len(p)
    alarm = abs(gap) > DRIFT_GAP and abs(gap) > DRIFT_SIGMA * sigma
    return Drift(len(p), float(p.mean()), float(y.mean()), ece(p, y), brier(p, y), bool(alarm))


def lesson(names: Sequence[str], p: Floats, held: Floats) -> dict[str, float]:
    """教训: by how much log odds were off on settled pairs, over all ("") and for each rule set beyond that.

    Held back as by `STIFF` pairs, `STIFF_ITEM` for one rule set, so that a few refusals don't sink an item. What gaps
    that are not at random hide (a register knows those it enrolled) can be learned from nothing else.
    """
    if len(p) < FEW_TAUGHT:
        return {}
    raw = logit(p)
    out = {"": shifted(raw, held, STIFF)}
    of = np.array(names)
    for name in sorted(set(names)):
        at = of == name
        out[name] = shifted(raw[at] + out[""], held[at], STIFF_ITEM)
    return {name: float(np.clip(move, -FARTHEST, FARTHEST)) for name, move in out.items()}
