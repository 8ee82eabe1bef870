"""评分一夜: the current model put to a night's open pairs, kept beside its hits; and done again to see that it is the same."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from store.night_doubts import Kept, every_days, latest_doubts, next_day, write_doubts
from store.night_scores import read_scores, scored_with, write_scores
from store.nights import CODE, Night
from store.scores import current_version

Part = tuple[str, list[str], NDArray[np.float64]]


def score_night(night: Night, home: Path) -> int:
    """评分: 0 where no model was learned yet or the night has its scores; safe to repeat. Changes no verdict."""
    version = current_version(home)
    if not version or scored_with(night.folder):
        return 0
    return write_scores(night.folder, version, scored_parts(night, home, version))


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


def scored_parts(night: Night, home: Path, version: str) -> Iterator[Part]:
    """逐事项评分: item, enterprise codes and P(符合) of its open pairs, by a stored model."""
    from analysis.scores import Scoring
    from analysis.scores_file import load

    columns, answers = night.columns(), night.answers()
    scoring = Scoring(load(home, version), columns, answers)
    place = {code: i for i, code in enumerate(columns.codes)}
    for item in night.items()["item"]:
        waiting, bound = night.open_pairs(item), night.bound(item)
        if bound is None or not len(waiting):
            continue
        at = {name: j for j, name in enumerate(bound.ids)}
        unknown = np.zeros((len(waiting), len(at)), bool)
        for i, names in enumerate(waiting["unknown"]):
            unknown[i, [at[n] for n in names]] = True
        codes = waiting[CODE].tolist()
        rows = np.array([place[c] for c in codes], np.intp)
        yield item, codes, scoring.pairs(bound, rows, unknown)


def replay_scores(night: Night, home: Path) -> list[str]:
    """重算评分 with the model the night was scored with: items whose scores differ. Raises FileNotFoundError."""
    version = scored_with(night.folder)
    if not version:
        return []
    with tempfile.TemporaryDirectory(prefix="huiqi-scores-") as name:
        folder = Path(name)
        write_scores(folder, version, scored_parts(night, home, version))
        names = {p.name for p in (night.folder / "scores").iterdir()} | {
            p.name for p in (folder / "scores").iterdir()
        }
        items = sorted(n.removesuffix(".parquet").replace("__", "/") for n in names if n != "model")
        return [i for i in items if not read_scores(folder, i).equals(read_scores(night.folder, i))]
