"""评分一夜: the current model put to a night's open pairs, kept beside its hits; and done again to see that it is the same."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from jobs.scoring_pairs import scored_anew
from store.night_doubts import Kept, every_days, latest_doubts, next_day, write_doubts
from store.night_index import FIRMS
from store.night_scores import kept_scores, read_scores, scored_items, scored_with, write_scores
from store.nights import Night
from store.scores import current_version


def score_night(night: Night, home: Path) -> int:
    """评分: 0 where no model was learned yet or the night has its scores; safe to repeat. Changes no verdict."""
    version = current_version(home)
    if not version or scored_with(night.folder):
        return 0
    before = None
    if night.run.previous is not None:
        before = kept_scores(night.home / "nights" / str(night.run.previous))
    origin, parts = scored_anew(night, home, version, before)
    return write_scores(night.folder, origin, parts, night.folder / FIRMS)


MOST_DOUBTS = 300


def doubt_night(night: Night, home: Path) -> Kept | None:
    """对照文字与规则: what they see differently, for the desk; None in an office that learns no scores. Changes no verdict.

    Looked again only where the last time is as many days ago as the office set, counted from one night's day to the
    other's, and then at other firms (the seed is the number of the week), since it costs much of a night. What it comes
    back with is what stands for this night, looked at now or before. Safe to repeat.
    """
    if not current_version(home):
        return None
    kept = latest_doubts(home, night.no, night.as_of)
    if kept is not None and night.as_of < next_day(night.engine, kept.day):
        return kept
    from analysis import View
    from analysis.disagree import disagreements

    seed = night.as_of.toordinal() // every_days(night.engine)
    found = disagreements(View(night), MOST_DOUBTS, seed)
    write_doubts(night.folder, found, night.as_of)
    return Kept(night.no, night.as_of, found)


def doubts_in_words(night: Night, kept: Kept) -> str:
    """对照的小结: when it was done last, what it found, and from which day on it is done again."""
    when = "今夜对照过" if kept.run == night.no else f"上次对照是第 {kept.run} 次比对（{kept.day}）"
    return f"文字与规则的不一致：{when}，{len(kept.rows)} 条；{next_day(night.engine, kept.day)} 起的那一夜再对照"


def replay_scores(night: Night, home: Path) -> list[str]:
    """重算评分 with the model the night was scored with, all of them anew: items whose scores differ. Raises FileNotFoundError."""
    version = scored_with(night.folder)
    if not version:
        return []
    with tempfile.TemporaryDirectory(prefix="huiqi-scores-") as name:
        folder = Path(name)
        write_scores(folder, *scored_anew(night, home, version))
        items = sorted({*scored_items(folder), *scored_items(night.folder)})
        exact = kept_scores(night.folder) is not None  # else of a program that added up in another order
        return [i for i in items if not _same(read_scores(folder, i), read_scores(night.folder, i), exact)]


def _same(one: pd.Series, other: pd.Series, exact: bool) -> bool:
    if exact or not one.index.equals(other.index):
        return one.equals(other)
    return bool(np.allclose(one.to_numpy(), other.to_numpy(), rtol=0, atol=1e-12))
