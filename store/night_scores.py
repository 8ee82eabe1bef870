"""一夜的评分: P(符合) of the open pairs of a night, beside its hits and never in them; written once, with the model's version.

A night's hits are the same with and without scores, so that a replay of verdicts does not hang on a model.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from store import faults
from store.night_index import FIRMS, keep_firms, open_firms

CODE, SCORE = "统一社会信用代码", "score"
INDEX, ROWS, VALUES, DIGESTS = "index.json", "rows.i4", "values.f8", "digests.npy"


class Scored(NamedTuple):
    """一事项的评分: rows of its open pairs among the night's firms, ascending, and P(符合) of each."""

    rows: NDArray[np.int32]
    values: NDArray[np.float64]


@dataclass(frozen=True)
class Origin:
    """评分的来历: the model's version, a hash of what the scores of all pairs hang on (model, code, how columns are read), the
    indicators the model looks at, the firms, a digest of what is known of each, and by item what its scores hang on."""

    model: str
    made: str
    reads: frozenset[str]
    codes: pa.Array
    digests: NDArray[np.uint64]
    items: dict[str, str]


@dataclass(frozen=True)
class KeptScores:
    """存着的评分 of a night; the arrays are looked at in their files."""

    folder: Path
    model: str = ""
    made: str = ""
    reads: tuple[str, ...] = ()
    keys: dict[str, str] = field(default_factory=dict)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)

    @cached_property
    def codes(self) -> pa.Array:
        """企业代码 by row."""
        return open_firms(self.folder / FIRMS)

    @cached_property
    def digests(self) -> NDArray[np.uint64]:
        """企业的指纹 by row."""
        return np.load(self.folder / DIGESTS)

    def of(self, item: str) -> Scored:
        """一事项的评分."""
        begin, end = self.places.get(item, (0, 0))
        return Scored(self._rows[begin:end], self._values[begin:end])

    @cached_property
    def _rows(self) -> NDArray[np.int32]:
        return _looked_at(self.folder / ROWS, np.int32)

    @cached_property
    def _values(self) -> NDArray[np.float64]:
        return _looked_at(self.folder / VALUES, np.float64)


def _looked_at(path: Path, kind: type) -> NDArray[Any]:
    return np.memmap(path, kind, "r") if path.stat().st_size else np.zeros(0, kind)


def write_scores(
    folder: Path, origin: Origin, parts: Iterable[tuple[str, Scored]], firms: Path | None = None
) -> int:
    """写评分 under `folder`/scores, all or none; returns the number of pairs. `firms` is a file of the same codes to share."""
    final, part = folder / "scores", folder / f".scores-{os.getpid()}"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    (part / "model").write_text(origin.model, encoding="utf-8")
    places: dict[str, tuple[int, int]] = {}
    count = 0
    with (part / ROWS).open("wb") as rows, (part / VALUES).open("wb") as values:
        for item, some in parts:
            if len(some.rows):
                rows.write(np.ascontiguousarray(some.rows, np.int32).data)
                values.write(np.ascontiguousarray(some.values, np.float64).data)
                places[item] = count, count + len(some.rows)
                count += len(some.rows)
    np.save(part / DIGESTS, origin.digests)
    try:
        os.link(firms or part / "none", part / FIRMS)
    except OSError:
        keep_firms(part, origin.codes)
    plain = {
        "model": origin.model, "made": origin.made, "reads": sorted(origin.reads), "keys": origin.items, "places": places,
    }  # fmt: skip
    (part / INDEX).write_text(json.dumps(plain, ensure_ascii=False), encoding="utf-8")
    faults.point("scores.written")
    if final.exists():
        shutil.rmtree(part)  # another process was first
    else:
        part.rename(final)
    faults.point("scores.kept")
    return count


def kept_scores(folder: Path) -> KeptScores | None:
    """存着的评分 of a night; None where there are none, or of a night from before they were kept so."""
    path = folder / "scores" / INDEX
    try:
        about = path.stat()
    except OSError:
        return None
    return _kept(path, about.st_mtime_ns, about.st_ino)


@lru_cache(maxsize=8)
def _kept(path: Path, changed: int, number: int) -> KeptScores:
    plain = json.loads(path.read_text(encoding="utf-8"))
    places = {item: (int(a), int(b)) for item, (a, b) in plain["places"].items()}
    return KeptScores(
        path.parent, plain["model"], plain["made"], tuple(plain["reads"]), plain["keys"], places
    )


def scored_with(folder: Path) -> str:
    """评分所用模型的版本, "" for a night without scores."""
    path = folder / "scores" / "model"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def scored_items(folder: Path) -> Iterator[str]:
    """有评分的事项."""
    kept = kept_scores(folder)
    if kept is not None:
        yield from kept.places
        return
    for path in sorted((folder / "scores").glob("*.parquet")):
        yield path.stem.replace("__", "/")


def read_scores(folder: Path, item: str) -> pd.Series:
    """读评分 of an item by enterprise code; empty where there are none."""
    kept = kept_scores(folder)
    if kept is not None:
        some = kept.of(item)
        codes = kept.codes.take(pa.array(some.rows)).to_pylist() if len(some.rows) else []
        return pd.Series(np.array(some.values), index=codes, dtype=float)
    path = folder / "scores" / (item.replace("/", "__") + ".parquet")  # a night of before
    if not path.is_file():
        return pd.Series(dtype=float)
    table = pq.read_table(path)
    return pd.Series(table[SCORE].to_numpy(), index=table[CODE].to_pylist(), dtype=float)


def with_scores(hits: pd.DataFrame, folder: Path, item: str) -> pd.DataFrame:
    """名单加评分: the hits with their `score` column filled where the night has one; everything else as it was."""
    if not len(hits):
        return hits
    kept = kept_scores(folder)
    if kept is not None:
        some = kept.of(item)
        if not len(some.rows):
            return hits
        place = pc.index_in(pa.array(hits[CODE]), kept.codes.take(pa.array(some.rows)))
        at = place.fill_null(-1).to_numpy(zero_copy_only=False)
        return hits.assign(**{SCORE: np.append(some.values, np.nan)[at]})
    found = read_scores(folder, item)
    return hits.assign(**{SCORE: found.reindex(hits[CODE]).to_numpy()}) if len(found) else hits
