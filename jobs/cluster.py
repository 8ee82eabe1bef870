"""多机比对: the same matcher under Dask distributed, one task a Parquet row group; nothing of the engine knows about it.

A worker that dies only costs time: Dask gives its row groups to the others, and a task has no effect but its answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine.indicators import Dictionary
from engine.kernel import Matcher
from engine.kernel_hits import PackedHits
from engine.matching import AnswerBook, DetailHits, ItemHits
from engine.program import BoundItem
from profiles.inputs import CODE, from_table

Shared = tuple[list[BoundItem], Dictionary, date, AnswerBook]
FIELDS = ("verdict", "low", "high", "fails", "unknown")


@contextmanager
def connect(address: str) -> Iterator[Any]:
    """连接: `local` starts workers on this machine, anything else is a scheduler's address (tcp://…). Raises ValueError."""
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise ValueError("没有装 Dask：pip install 'huiqi[cluster]'") from None
    if address != "local":
        try:
            client = Client(address, timeout=20)
        except (OSError, ValueError) as error:
            raise ValueError(
                f"连不上调度机 {address}：{error}。请确认 dask scheduler 在跑，地址写成 tcp://机器:8786"
            ) from None
        with client:
            yield client
        return
    with (
        LocalCluster(processes=True, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client


def match_cluster(
    client: Any,
    profiles: Path,
    items: Sequence[BoundItem],
    dictionary: Dictionary,
    as_of: date,
    answers: AnswerBook | None = None,
) -> tuple[list[str], list[ItemHits]]:
    """多机比对: enterprises of the file and the hits of one process, worked by the cluster's workers.

    Every worker must see `profiles` (a Parquet file) under the same path. Raises ValueError where an enterprise stands
    in it twice.
    """
    codes = _codes(profiles)
    counts = [pq.ParquetFile(profiles).metadata.row_group(i).num_rows for i in range(_groups(profiles))]
    # a task's answer, unlike scattered data, is made again when the worker that holds it dies
    shared = client.submit(_given, (list(items), dictionary, as_of, dict(answers or {})), pure=False)
    futures = [client.submit(_work, shared, str(profiles), group, pure=False) for group in range(len(counts))]
    parts: list[list[ItemHits]] = client.gather(futures)
    starts = np.cumsum([0, *counts])[:-1]
    return codes, [_joined(item, [p[i] for p in parts], starts) for i, item in enumerate(items)]


def match_rows(
    client: Any,
    profiles: Path,
    ranges: Sequence[tuple[int, int]],
    items: Sequence[BoundItem],
    dictionary: Dictionary,
    as_of: date,
    answers: AnswerBook | None = None,
    loaded: frozenset[str] | None = None,
) -> Iterator[tuple[tuple[int, int], list[ItemHits]]]:
    """多机比对几段行: each range with its hits, rows counted from its first, as they come. A task a range.

    Every worker must see `profiles` (a Parquet file) under the same path; it reads the row groups of its range only.
    """
    from distributed import as_completed

    shared = client.submit(_given, (list(items), dictionary, as_of, dict(answers or {})), pure=False)
    waiting = list(ranges)
    most = 2 * max(
        len(client.scheduler_info()["workers"]), 1
    )  # the answers of the rest would fill this machine
    running: dict[Any, tuple[int, int]] = {}
    while waiting or running:
        while waiting and len(running) < most:
            part = waiting.pop(0)
            running[client.submit(_work_rows, shared, str(profiles), *part, loaded, pure=False)] = part
        done = next(iter(as_completed(list(running))))
        yield running.pop(done), done.result()
        done.release()


def _work_rows(
    shared: Shared, path: str, begin: int, end: int, loaded: frozenset[str] | None
) -> list[ItemHits]:
    """The rows begin..end of the file, in a worker."""
    items, dictionary, as_of, answers = shared
    file = pq.ParquetFile(path)
    ends = np.cumsum([file.metadata.row_group(i).num_rows for i in range(file.metadata.num_row_groups)])
    first, last = (int(np.searchsorted(ends, row, side="right")) for row in (begin, end - 1))
    start = int(ends[first - 1]) if first else 0
    table = file.read_row_groups(list(range(first, last + 1))).slice(begin - start, end - begin)
    columns = from_table(table, dictionary, lambda problem: None, Path(path))
    columns.loaded = loaded
    return list(Matcher(items, threads=1).match(columns, as_of, answers))


def _groups(path: Path) -> int:
    return int(pq.ParquetFile(path).metadata.num_row_groups)


def _codes(path: Path) -> list[str]:
    column = pq.read_table(path, columns=[CODE]).column(CODE)
    counts = pc.value_counts(column)
    if len(counts) != len(column) or column.null_count:
        raise ValueError(f"{path.name} 里有企业重复或没有{CODE}；多机比对前请先合并")
    return [str(code) for code in column.to_pylist()]


def _given(shared: Shared) -> Shared:
    """What all tasks have in common."""
    return shared


def _work(
    shared: tuple[list[BoundItem], Dictionary, date, AnswerBook], path: str, group: int
) -> list[ItemHits]:
    """One row group, in a worker."""
    items, dictionary, as_of, answers = shared
    faults: list[object] = []
    table = pq.ParquetFile(path).read_row_group(group)
    columns = from_table(table, dictionary, faults.append, Path(path))
    return list(Matcher(items, threads=1).match(columns, as_of, answers))


def _joined(item: BoundItem, parts: Sequence[ItemHits], starts: np.ndarray) -> ItemHits:
    """The hits of all row groups, with rows counted from the first."""
    if all(isinstance(p, PackedHits) for p in parts):
        rows = np.concatenate([p.packed_rows + start for p, start in zip(parts, starts, strict=True)])  # type: ignore[attr-defined]
        marks = np.concatenate([p.marks for p in parts])  # type: ignore[attr-defined]
        low, high = (np.concatenate([getattr(p, f) for p in parts]) for f in ("low", "high"))
        return PackedHits(item, rows, marks, low, high, parts[0].upcoming)
    rows = np.concatenate([p.rows + start for p, start in zip(parts, starts, strict=True)])
    verdict, low, high, fails, unknown = (
        np.concatenate([getattr(p, name) for p in parts]) for name in FIELDS
    )
    one = parts[0]
    detail = _joined_details([p.detail for p in parts], starts)
    return ItemHits(
        one.item, one.batch, one.ids, rows, verdict, low, high, fails, unknown, one.upcoming, detail
    )  # fmt: skip


def _joined_details(parts: Sequence[DetailHits | None], starts: np.ndarray) -> DetailHits | None:
    found = [(p, start) for p, start in zip(parts, starts, strict=True) if p is not None]
    if not found:
        return None
    owner = np.concatenate([p.owner + start for p, start in found])
    verdict, low, high = (np.concatenate([getattr(p, name) for p, _ in found]) for name in FIELDS[:3])
    return DetailHits(owner, tuple(i for p, _ in found for i in p.ids), verdict, low, high)
