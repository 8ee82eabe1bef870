"""测速 nightly: rule files and Parquet in, hits out as Parquet, and nights where little changed."""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np

from engine.columns import Columns
from engine.kernel import Matcher
from engine.kernel_changes import rematch
from engine.kernel_prints import Changes, changes, fingerprint, renewed
from engine.matching import ItemHits, live
from engine.program import BoundItem
from jobs.bench import work
from jobs.bench.match import Report, Row, timed
from profiles.inputs import read_profiles
from store.hits import write_hits


def bench_nightly(firms: int, items: int, seed: int, repeat: int) -> Report:
    """测速: the steps of a whole process on files, then 1 % changed firms and one changed item beside the full match."""
    report = Report(firms, items)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        work.write_library(folder / "library", items, seed)
        made = work.load(folder / "library")
        work.write_profiles(work.make_columns(firms, seed, made.dictionary), folder / "firms.parquet")
        del made
        steps = {"读政策库": 0.0, "读企业": 0.0, "比对": 0.0, "写结果": 0.0}
        begun = time.perf_counter()
        loaded = work.load(folder / "library")
        bound = live(loaded.programs, work.AS_OF)
        steps["读政策库"] = time.perf_counter() - begun
        begun = time.perf_counter()
        columns = read_profiles(folder / "firms.parquet", loaded.dictionary, lambda problem: None)
        steps["读企业"] = time.perf_counter() - begun
        begun = time.perf_counter()
        found = Matcher(bound).match(columns, work.AS_OF)
        steps["比对"] = time.perf_counter() - begun
        begun = time.perf_counter()
        report.facts["结果条数"] = write_hits(found, columns.codes, folder / "hits.parquet")
        steps["写结果"] = time.perf_counter() - begun
    report.rows += [Row(step, [seconds]) for step, seconds in steps.items()]
    gc.collect()
    gc.freeze()  # as a night has its library: else putting out the garbage between turns walks through all rules
    try:
        _incremental(report, bound, columns, found, repeat)
    finally:
        gc.unfreeze()
    return report


def _incremental(
    report: Report, bound: Sequence[BoundItem], columns: Columns, found: Sequence[ItemHits], repeat: int
) -> None:
    matcher = Matcher(bound, keep=True)
    matcher.match(columns, work.AS_OF)
    full, _ = timed(repeat, lambda: matcher.match(columns, work.AS_OF))
    report.rows.append(Row("huiqi 全量比对", full))
    before = fingerprint(bound, columns, work.AS_OF)
    known = {(h.item, h.batch): h for h in found}
    after = touched(columns)
    rows = np.arange(0, len(columns), 100)  # as an import says them
    whole, _ = timed(1, lambda: changes(before, fingerprint(bound, after, work.AS_OF)))
    report.rows.append(Row("找变动：全部企业、事项重取指纹", whole))

    def seek() -> Changes:
        now = renewed(before, after, rows)
        assert len(now.firms) == len(after)  # the next night asks for all of them
        return changes(before, now)

    seeking, sought = timed(repeat, seek)
    assert isinstance(sought, Changes)
    change: Changes = sought
    report.rows.append(Row("找变动：导入说出哪些行", seeking))
    firms, patched = timed(repeat, lambda: rematch(known, change, bound, after, work.AS_OF, matcher=matcher))
    report.rows.append(Row("改 1% 企业后只比变动", firms))
    assert isinstance(patched, Sequence)
    read, _ = timed(1, lambda: sum(len(h) for h in patched))
    report.rows.append(Row("和上一夜的合并、全部读出（用到才做）", read))
    _agree(report, patched, Matcher(bound).match(after, work.AS_OF))
    everything = [a + b for a, b in zip(seeking, firms, strict=True)]
    report.facts |= {
        "1% 企业便宜几倍（只算比对）": median(full) / median(firms),
        "1% 企业便宜几倍（连找变动；结果是上一夜的加一层）": median(full) / median(everything),
        "1% 企业便宜几倍（连全部重取指纹、合并读出每一对）": median(full)
        / (median(whole) + median(firms) + median(read)),
    }
    for title, items in changed_items(bound).items():
        change = changes(before, fingerprint(items, columns, work.AS_OF))
        one, again = timed(
            repeat,
            lambda: rematch(known, change, items, columns, work.AS_OF, matcher=matcher),  # noqa: B023
        )
        report.rows.append(Row(f"改一个事项（{title}）后只比它", one))
        assert isinstance(again, Sequence)
        _agree(report, again, [*Matcher(items[:1]).match(columns, work.AS_OF), *found[1:]])
        report.facts[f"一个事项（{title}）便宜几倍"] = median(full) / median(one)


def changed_items(bound: Sequence[BoundItem]) -> dict[str, list[BoundItem]]:
    """变了的事项: the items with the first one changed: one of its thresholds, and all of them."""
    with tempfile.TemporaryDirectory() as name:
        work.write_library(Path(name) / "library", 1, 77)
        other = live(work.load(Path(name) / "library").programs, work.AS_OF)[0]
    changed = {
        "一个门槛": (other.conditions[0], *bound[0].conditions[1:]),
        "条件全换": other.conditions[: len(bound[0].conditions)],
    }
    return {
        title: [replace(bound[0], conditions=conditions), *bound[1:]]
        for title, conditions in changed.items()
        if len(conditions) == len(bound[0].conditions)
    }


def _agree(report: Report, ours: Sequence[ItemHits], full: Sequence[ItemHits]) -> None:
    for a, b in zip(ours, full, strict=True):
        same = all(
            np.array_equal(getattr(a, f), getattr(b, f), equal_nan=f in ("low", "high"))
            for f in ("rows", "verdict", "low", "high")
        )
        if not same:
            report.problems.append(f"{a.item}：只比变动的结果和全量不同")


def touched(columns: Columns) -> Columns:
    """变了的企业: the same firms, one in a hundred with another turnover."""
    out = columns.between(0, len(columns))
    key = next(iter(columns.numbers))
    values = columns.numbers[key].copy()
    values[::100] = np.where(np.isnan(values[::100]), 1e6, values[::100] * 2 + 1)
    out.numbers[key] = values
    return out
