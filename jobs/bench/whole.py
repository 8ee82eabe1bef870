"""测速 night: a whole night in a store on SQLite: rule files and firms in; blocks, lists, guard and queued pushes out."""

from __future__ import annotations

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.matching import live
from jobs.bench import work
from jobs.bench.again import Told, bench_again, bench_next
from jobs.bench.match import Report, Row
from jobs.bench.scores import lent_model
from jobs.matching import allocation, matching
from jobs.nightly import finish_night
from profiles.inputs import from_table
from store.database import open_database, upgrade
from store.night_blocks import file_hash
from store.night_index import Made
from store.night_writing import NightInputs, write_night
from store.nights import UNGUARDED
from store.pushes import queue_pushes
from store.review import answer_book

NOW = datetime(2025, 6, 1, 1, tzinfo=UTC)
NAME = "企业名称"


def bench_night(
    firms: int,
    items: int,
    seed: int,
    follow: bool = True,
    folder: Path | None = None,
    again: bool = False,
    scores: bool = False,
) -> Report:
    """测速: one night's steps on an empty store, wall and CPU seconds; `follow`: lists, guard and pushes as well;
    `again`: the night after, of which little changed; `scores`: with estimates of a model learned from the first night."""
    report = Report(firms, items)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        home = Path(name)
        work.write_library(home / "library", items, seed)
        words = work.load(home / "library").dictionary
        table = work.to_arrow(work.make_columns(firms, seed, words))
        names = pa.array([f"测速企业{i}有限公司" for i in range(firms)])
        pq.write_table(table.append_column(NAME, names), home / "firms.parquet")
        del table
        _night(report, home, follow, again, scores)
    return report


def _night(report: Report, home: Path, follow: bool, again: bool, scores: bool) -> None:
    began, used = perf_counter(), _cpu()

    @contextmanager
    def step(title: str):
        start = perf_counter()
        yield
        report.rows.append(Row(title, [perf_counter() - start]))

    engine = open_database(f"sqlite:///{home / 'store.db'}")
    upgrade(engine)
    with step("读政策库"):
        loaded = work.load(home / "library")
        bound = live(loaded.programs, work.AS_OF)
    with step("读企业"):
        path = home / "firms.parquet"
        with ThreadPoolExecutor(1) as beside:
            hashed = beside.submit(file_hash, path)
            table = pq.read_table(path, read_dictionary=[*work.TEXTS, NAME])
            columns = from_table(table, loaded.dictionary, lambda problem: None, path)
            digest = hashed.result()
    inputs = NightInputs(
        work.AS_OF,
        loaded,
        bound,
        columns,
        table,
        digest,
        answer_book(engine),
        {},
        facts=digest,
        made=Made(digest, np.zeros(0, np.int64)),
    )
    with step("分配、比对、写结果块"):
        night = write_night(
            engine, home, inputs, matching(inputs, home), allocation(inputs), started=NOW, finished=NOW,
            software="bench", counts={}, state=UNGUARDED,
        )  # fmt: skip
    counts = night.items()[["fits", "open"]].sum()
    report.facts |= {"符合条数": float(counts["fits"]), "待核实条数": float(counts["open"])}
    if scores:  # another time of day does it: no part of the night
        begun, learning = perf_counter(), _cpu()
        lent_model(bound, columns, home)
        report.rows.append(Row("学习评分（不在一夜里）", [perf_counter() - begun]))
        began, used = began + report.rows[-1].median, used + _cpu() - learning
    if follow:
        told = Told("头一夜", report.facts)
        told.night = night
        finish_night(engine, night, told, lambda: NOW, lambda text: None)
        report.rows += [Row(title, [seconds]) for title, seconds in told.seconds.items()]
        report.facts["推送条数"] = told.pushes.get("排队", 0) + told.pushes.get("暂缓", 0)
        if not told.lists:
            report.problems.append("没有写出名单")
    report.rows.append(Row("huiqi 一夜", [perf_counter() - began]))
    report.facts["一夜 CPU 秒"] = _cpu() - used
    if (
        follow
    ):  # the night after, which says the same: what it costs to find that nobody is to be told anything
        used = _cpu()
        queued = queue_pushes(engine, night, night.as_of, NOW)
        report.facts["再来一夜、没有新的，排推送 CPU 秒"] = _cpu() - used
        if queued.get("排队", 0) + queued.get("暂缓", 0):
            report.problems.append("没有新的一夜又排了推送")
    if again:
        bench_again(report, inputs, night)
        if follow:
            bench_next(report, engine, inputs, night)
    engine.dispose()


def _cpu() -> float:
    """CPU seconds of this process and of those it waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
