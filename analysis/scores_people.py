"""从人学习: pairs that were open on a night and have since been settled, by facts, answers or decisions; how good the
scores given to them were; and a new model that replaces the old one only where it would have done better on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.scores import ScoreModel, Scoring, has_ask
from analysis.scores_evaluate import brier, ece
from analysis.scores_file import save
from analysis.scores_learn import distinct_units, learn
from engine.columns import Floats
from engine.program import BoundItem
from store.database import Engine
from store.night_scores import read_scores, scored_with
from store.nights import CODE, Night, get_night, latest_night, list_nights
from store.review import REJECT, history
from store.scores import current_version, promote_model, read_card, write_card

NIGHTS, LATEST = 30, 2000
FEW = 40  # settled pairs below which they say nothing about a model
NOT_ELIGIBLE = {"2", "5", "6", "7"}  # reasons that say the firm does not qualify, whatever the data says
DRIFT_GAP, DRIFT_SIGMA = 0.05, 3.0
EVERY_DAYS, NEW_ANSWERS = 7, 50
COLUMNS = ["item", CODE, "night", "score", "held"]


def settled_pairs(engine: Engine, home: Path) -> pd.DataFrame:
    """已有结论的评分: item, code, night, score it was given, and whether it held; each pair once, by its last score."""
    last = latest_night(engine, home)
    if last is None:
        return pd.DataFrame(columns=COLUMNS)
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
            if (
                bound is None
                or before is None
                or before.conditions != bound.conditions
                or not scored_with(night.folder)
            ):
                continue
            parts.append(_settled(night, last, item, {c for i, c in rejected if i == item}))
    kept = [p for p in parts if len(p)]
    if not kept:
        return pd.DataFrame(columns=COLUMNS)
    return (
        pd.concat(kept, ignore_index=True)
        .drop_duplicates(["item", CODE])
        .sort_values(["item", CODE], ignore_index=True)
    )


def _settled(night: Night, last: Night, item: str, rejected: set[str]) -> pd.DataFrame:
    score = read_scores(night.folder, item)
    now = last.hits(item)
    verdict = now.set_index(CODE)["verdict"] if len(now) else pd.Series(dtype=object)
    there = score.index.isin(list(last.columns().codes))
    was = verdict.reindex(score.index).fillna("不符合")
    said_no = score.index.isin(list(rejected))
    done = there & ((was != "待核实").to_numpy() | said_no)
    held = (was == "符合").to_numpy() & ~said_no
    return pd.DataFrame(
        {"item": item, CODE: score.index, "night": night.no, "score": score.to_numpy(), "held": held}
    )[done]


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


def bound_of(night: Night) -> list[BoundItem]:
    """一夜的在办事项."""
    return [b for b in map(night.bound, night.items()["item"]) if b is not None]


def learn_again(engine: Engine, home: Path, seed: int = 0) -> dict[str, Any]:
    """重新学习 from the latest night; the card says whether the new model took over and why. Raises ValueError."""
    night = latest_night(engine, home)
    if night is None or not len(night.columns()):
        raise ValueError("还没有比对过，先跑一次 huiqi nightly")
    items, columns, answers = bound_of(night), night.columns(), night.answers()
    settled = settled_pairs(engine, home)
    model = learn(items, columns, answers, seed)
    before = current_version(home)
    trial = _trial(engine, home, items, settled, seed) if before else {}
    promoted, why = _judge(model, items, before, home, trial)
    card = {
        "as_of": night.as_of.isoformat(), "night": night.no, "firms": len(columns), "rules": len(model.scorers),
        "answers": sum(len(firms) for firms in answers.values()), "seed": seed, "replaces": before, "trial": trial,
        "promoted": promoted, "why": why, "drift": drift(settled).words(),
    }  # fmt: skip
    version = save(model, home, card, current=False)
    if promoted:
        promote_model(home, version)
    write_card(home, version, card)
    return {"version": version, **card}


def _trial(
    engine: Engine, home: Path, items: list[BoundItem], settled: pd.DataFrame, seed: int
) -> dict[str, Any]:
    """试比: what a model that has never seen the settled firms would have said that night, beside what was said."""
    part = settled.sort_values("night", kind="stable").tail(LATEST)
    if len(part) < FEW:
        return {"settled": len(part)}
    last = latest_night(engine, home)
    assert last is not None
    columns = last.columns()
    firms = set(part[CODE])
    rest = columns.take(np.flatnonzero([c not in firms for c in columns.codes]))
    answers = {k: {c: a for c, a in given.items() if c not in firms} for k, given in last.answers().items()}
    fresh = learn(items, rest, answers, seed)
    p = np.full(len(part), np.nan)
    for (no, item), frame in part.reset_index(drop=True).groupby(["night", "item"]):
        at = frame.index.to_numpy()
        night = get_night(engine, int(str(no)), home)
        p[at] = _said(night, str(item), part[CODE].to_numpy()[at], fresh) if night else np.nan
    y, known = part["held"].to_numpy(dtype=float), ~np.isnan(p)
    return {
        "settled": int(known.sum()),
        "brier_new": brier(p[known], y[known]),
        "brier_old": brier(part["score"].to_numpy(dtype=float)[known], y[known]),
    }


def _said(night: Night, item: str, codes: np.ndarray, model: ScoreModel) -> Floats:
    bound, waiting = night.bound(item), night.open_pairs(item).set_index(CODE)
    if bound is None:
        return np.full(len(codes), np.nan)
    place = {name: j for j, name in enumerate(bound.ids)}
    unknown = np.zeros((len(codes), len(place)), bool)
    for i, code in enumerate(codes):
        names: list[str] = list(waiting["unknown"][code])
        unknown[i, [place[n] for n in names]] = True
    rows = np.array([night.row(c) for c in codes], dtype=np.intp)
    return Scoring(model, night.columns(), night.answers()).pairs(bound, rows, unknown)


def _judge(
    model: ScoreModel, items: list[BoundItem], before: str, home: Path, trial: dict[str, Any]
) -> tuple[bool, str]:
    from analysis.scores_file import load

    if not before:
        return True, "第一个模型"
    if trial.get("settled", 0) >= FEW:
        better = trial["brier_new"] < trial["brier_old"]
        words = f"最近 {trial['settled']} 对有结论的，布里尔分新 {trial['brier_new']:.4f}、旧 {trial['brier_old']:.4f}"
        return better, words + ("，换用新的" if better else "，旧的不差，不换")
    try:
        old = load(home, before)
    except (ValueError, OSError) as error:
        return True, f"旧模型用不了：{error}"
    rules = [t for s, t in distinct_units(items) if model.scorer(t, s) is not None and not has_ask(t)]
    unknown = sum(old.scorer(t) is None for t in rules)
    if unknown > 0.1 * max(1, len(rules)):
        return True, f"{len(rules)} 条规则里有 {unknown} 条旧模型没学过"
    return False, "有结论的太少，比不出好坏，不换"


def is_due(engine: Engine, home: Path, day: date) -> str:
    """该不该学: why, or "" where it can wait."""
    night, version = latest_night(engine, home), current_version(home)
    if night is None:
        return ""
    if not version:
        return "还没有模型"
    card = read_card(home, newest_card(home) or version)
    learned = date.fromisoformat(card["as_of"]) if card.get("as_of") else date.min
    if (day - learned).days >= EVERY_DAYS:
        return f"上次学习用的是 {learned} 的数据"
    fresh = sum(len(firms) for firms in night.answers().values()) - int(card.get("answers", 0))
    if fresh >= NEW_ANSWERS:
        return f"新答复 {fresh} 条"
    return "估计偏了" if drift(settled_pairs(engine, home)).alarm else ""


def newest_card(home: Path) -> str:
    """最近学的一个版本."""
    from store.scores import versions

    found = versions(home)
    return found[-1] if found else ""
