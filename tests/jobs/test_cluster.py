"""Distributed matching gives the answers of one process, also when a worker is killed in the middle."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from engine import matching
from engine.matching import live
from jobs.bench import work
from jobs.cluster import connect, match_cluster, match_rows
from tests.engine.test_kernel import assert_same

distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")


def test_same_answers_though_a_worker_dies(tmp_path: Path) -> None:
    work.write_library(tmp_path / "library", 30, 3, 100)
    library = work.load(tmp_path / "library")
    items = live(library.programs, work.AS_OF)
    columns = work.make_columns(6_000, 3, library.dictionary)
    profiles = tmp_path / "profiles.parquet"
    pq.write_table(work.to_arrow(columns), profiles, row_group_size=250)
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with cluster, distributed.Client(cluster) as client:
        victim = next(iter(client.run(os.getpid).values()))
        killer = threading.Timer(0.7, lambda: os.kill(victim, signal.SIGKILL))
        killer.start()
        codes, found = match_cluster(client, profiles, items, library.dictionary, work.AS_OF)
        killer.join()
    assert codes == list(columns.codes)
    assert_same(found, matching.match(items, columns, work.AS_OF))


def test_a_night_of_blocks_though_a_worker_dies(tmp_path: Path) -> None:
    work.write_library(tmp_path / "library", 30, 4, 100)
    library = work.load(tmp_path / "library")
    items = live(library.programs, work.AS_OF)
    columns = work.make_columns(5_000, 4, library.dictionary)
    profiles = tmp_path / "profiles.parquet"
    pq.write_table(work.to_arrow(columns), profiles, row_group_size=640)
    ranges = [(a, min(a + 230, 5_000)) for a in range(0, 5_000, 230)]
    found = {}
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with cluster, distributed.Client(cluster) as client:
        given = match_rows(client, profiles, ranges, items, library.dictionary, work.AS_OF)
        for part, hits in given:
            if not found:
                os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)
            found[part] = hits
    assert sorted(found) == ranges
    for (begin, end), hits in found.items():
        assert_same(hits, matching.match(items, columns.between(begin, end), work.AS_OF))


def test_a_firm_that_stands_twice_is_named(tmp_path: Path) -> None:
    work.write_library(tmp_path / "library", 1, 3, 50)
    library = work.load(tmp_path / "library")
    table = work.to_arrow(work.make_columns(10, 3, library.dictionary))
    profiles = tmp_path / "profiles.parquet"
    pq.write_table(table.take([0, 1, 1]), profiles)
    with pytest.raises(ValueError, match="重复"):
        match_cluster(None, profiles, [], library.dictionary, work.AS_OF)


def test_a_scheduler_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="连不上调度机 nonsense://x"), connect("nonsense://x"):
        pass
