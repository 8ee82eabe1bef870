"""评分一夜: the current model put to a night's open pairs, kept beside its hits; and done again to see that it is the same."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from store.night_doubts import read_doubts, write_doubts
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


def doubt_night(night: Night, home: Path) -> int:
    """找不一致: what words and rules see differently, kept beside the night for the desk; only where the office learns scores.

    Safe to repeat; 0 where it was done. Changes no verdict.
    """
    if not current_version(home) or read_doubts(night.folder) is not None:
        return 0
    from analysis import View
    from analysis.disagree import disagreements

    return write_doubts(night.folder, disagreements(View(night), MOST_DOUBTS))


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
