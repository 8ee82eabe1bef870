"""一夜的评分: P(符合) of the open pairs of a night, beside its hits and never in them; written once, with the model's version.

A night's hits are the same with and without scores, so that a replay of verdicts does not hang on a model.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

CODE, SCORE = "统一社会信用代码", "score"
MODEL = b"model"


def write_scores(
    folder: Path, model: str, parts: Iterable[tuple[str, Sequence[str], NDArray[np.float64]]]
) -> int:
    """写评分: one Parquet an item under `folder`/scores, all or none; returns the number of pairs."""
    final, part, count = folder / "scores", folder / f".scores-{os.getpid()}", 0
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    (part / "model").write_text(model, encoding="utf-8")
    for item, codes, score in parts:
        table = pa.table({CODE: pa.array(list(codes), pa.string()), SCORE: pa.array(score, pa.float64())})
        pq.write_table(
            table.replace_schema_metadata({MODEL: model.encode()}), _file(part, item), compression="zstd"
        )
        count += len(table)
    if final.exists():
        shutil.rmtree(part)  # another process was first
    else:
        part.rename(final)
    return count


def _file(folder: Path, item: str) -> Path:
    return folder / (item.replace("/", "__") + ".parquet")


def scored_with(folder: Path) -> str:
    """评分所用模型的版本, "" for a night without scores."""
    path = folder / "scores" / "model"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def read_scores(folder: Path, item: str) -> pd.Series:
    """读评分 of an item by enterprise code; empty where there are none."""
    path = _file(folder / "scores", item)
    if not path.is_file():
        return pd.Series(dtype=float)
    table = pq.read_table(path)
    return pd.Series(table[SCORE].to_numpy(), index=table[CODE].to_pylist(), dtype=float)


def with_scores(hits: pd.DataFrame, folder: Path, item: str) -> pd.DataFrame:
    """名单加评分: the hits with their `score` column filled where the night has one; everything else as it was."""
    found = read_scores(folder, item) if len(hits) else pd.Series(dtype=float)
    return hits.assign(**{SCORE: found.reindex(hits[CODE]).to_numpy()}) if len(found) else hits
