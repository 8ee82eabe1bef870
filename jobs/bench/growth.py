"""测速 growth: the full match as firms and items grow; what a pair costs must not."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from engine.kernel import Matcher
from engine.matching import live
from jobs.bench import work
from jobs.bench.match import Report, Row, timed


def bench_growth(firms: Sequence[int], items: Sequence[int], seed: int, repeat: int) -> Report:
    """测速: every number of firms with the middle number of items, every number of items with the middle of firms."""
    report = Report(0, 0)  # of many sizes
    with tempfile.TemporaryDirectory() as folder:
        work.write_library(Path(folder), max(items), seed)
        loaded = work.load(Path(folder))
    bound = live(loaded.programs, work.AS_OF)
    middle = (sorted(firms)[len(firms) // 2], sorted(items)[len(items) // 2])
    sizes = [(n, middle[1]) for n in sorted(firms)] + [(middle[0], m) for m in sorted(items)]
    columns = None
    for n, m in dict.fromkeys(sizes):
        if columns is None or len(columns) != n:
            del columns
            gc.collect()
            columns = work.make_columns(n, seed, loaded.dictionary)
        matcher = Matcher(bound[:m])
        matcher.match(columns, work.AS_OF)
        seconds, _ = timed(repeat, lambda: matcher.match(columns, work.AS_OF))  # noqa: B023
        report.rows.append(Row(f"{n:,} 家 × {m:,} 项", seconds))
        report.facts[f"{n:,} 家 × {m:,} 项，每十亿对的秒数"] = median(seconds) / (n * m) * 1e9
    return report
