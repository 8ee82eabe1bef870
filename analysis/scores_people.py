"""从人学习: a new model from the latest night and from what people settled; it replaces the old one only where it would
have done better on them.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.scores import ScoreModel, Scoring, has_ask, whole_of
from analysis.scores_figures import brier
from analysis.scores_file import save
from analysis.scores_learn import MOST_FIRMS, distinct_units, learn
from analysis.scores_settled import FEW, LATEST, drift, lesson, settled_pairs
from engine.columns import Floats
from engine.program import BoundItem
from engine.score_joint import expit, logit
from store.database import Engine
from store.nights import CODE, Night, get_night, latest_night
from store.scores import current_version, promote_model, read_card, write_card

EVERY_DAYS, NEW_ANSWERS = 7, 50


def bound_of(night: Night) -> list[BoundItem]:
    """一夜的在办事项."""
    return [b for b in map(night.bound, night.items()["item"]) if b is not None]


def learn_again(engine: Engine, home: Path, seed: int = 0, most: int = MOST_FIRMS) -> dict[str, Any]:
    """重新学习 from the latest night; the card says whether the new model took over and why. Raises ValueError.

    `most` firms are looked at: a first look at few is quick, and gives way to a model of twice as many.
    """
    night = latest_night(engine, home)
    if night is None or not len(night.columns()):
        raise ValueError("还没有比对过，先跑一次 huiqi nightly")
    items, columns, answers = bound_of(night), night.columns(), night.answers()
    settled = settled_pairs(engine, home)
    model = learn(items, columns, answers, seed, most)
    before = current_version(home)
    trial = _trial(engine, home, items, settled, seed) if before else {}
    model.lesson = trial.pop("lesson", {})
    promoted, why = _judge(model, items, min(len(columns), most), before, home, trial)
    card = {
        "as_of": night.as_of.isoformat(), "night": night.no, "firms": min(len(columns), most), "rules": len(model.scorers),
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
    """试比: what a model that has never seen the settled firms would have said that night, beside what was said; and what
    the settled teach. In the comparison each half of the firms is corrected by the lesson of the other.
    """
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
    known = ~np.isnan(p)
    part, p = part[known].reset_index(drop=True), p[known]
    y = part["held"].to_numpy(dtype=float)
    names = [_whole(last, str(item)) for item in part["item"]]
    return {
        "settled": len(part),
        "by": {str(k): int(n) for k, n in part["by"].value_counts().sort_index().items()},
        "brier_new": brier(_taught(names, p, y, part[CODE].tolist()), y),
        "brier_untaught": brier(p, y),
        "brier_old": brier(part["score"].to_numpy(dtype=float), y),
        "lesson": lesson(names, p, y),
    }


def _whole(night: Night, item: str) -> str:
    bound = night.bound(item)
    assert bound is not None  # settled pairs are of items that are live
    return whole_of(bound)


def _taught(names: list[str], p: Floats, y: Floats, codes: list[str]) -> Floats:
    place = {code: k for k, code in enumerate(sorted(set(codes)))}
    half, out = np.array([place[code] % 2 for code in codes]), p.copy()
    for side in (0, 1):
        taught, asked = np.flatnonzero(half != side), np.flatnonzero(half == side)
        moves = lesson([names[k] for k in taught], p[taught], y[taught])
        shift = np.array([moves.get("", 0.0) + moves.get(names[k], 0.0) for k in asked])
        out[asked] = expit(logit(p[asked]) + shift)
    return out


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
    model: ScoreModel, items: list[BoundItem], firms: int, before: str, home: Path, trial: dict[str, Any]
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
    seen = int(read_card(home, before).get("firms", 0))
    if firms >= 2 * seen:
        return True, f"旧模型只看过 {seen:,} 家企业，新的看了 {firms:,} 家"
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
