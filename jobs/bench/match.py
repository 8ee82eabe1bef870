"""测速 match: the full match beside polars, DuckDB, the plain form and a copy of the columns, in one run."""

from __future__ import annotations

import gc
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from engine import matching
from engine.columns import Columns
from engine.kernel import Matcher
from engine.matching import FITS, ItemHits, live
from engine.program import BoundItem
from jobs.bench import peers, rule_peers, work


@dataclass
class Row:
    """一行结果: seconds of each repetition, and what share of the work was run (the rest is extrapolated)."""

    name: str
    seconds: list[float]
    share: float = 1.0
    note: str = ""

    @property
    def median(self) -> float:
        return median(self.seconds) / self.share


@dataclass
class Report:
    """测速结果."""

    firms: int
    items: int
    rows: list[Row] = field(default_factory=list)
    facts: dict[str, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def row(self, name: str) -> Row | None:
        return next((r for r in self.rows if r.name == name), None)


def timed(repeat: int, job: Callable[[], object]) -> tuple[list[float], object]:
    """计时: seconds of each repetition and what the last one gave; the garbage is put out between."""
    seconds, result = [], None
    for _ in range(repeat):
        result = None
        gc.collect()
        start = time.perf_counter()
        result = job()
        seconds.append(time.perf_counter() - start)
    return seconds, result


def copy_columns(columns: Columns) -> int:
    """极限: read every column once and write it once."""
    total = 0
    for values in columns.numbers.values():
        total += len(values.copy())
    for cats in columns.categories.values():
        total += len(cats.codes.copy())
    return total


def verdicts(found: Sequence[ItemHits]) -> peers.Hits:
    """结论: rows and whether 符合, by item, as the peers give them."""
    return {h.item: (np.asarray(h.rows), np.asarray(h.verdict) == FITS) for h in found}


def differing(ours: peers.Hits, theirs: peers.Hits) -> list[str]:
    """不同的事项: ids whose rows or verdicts differ."""
    out = []
    for item, (rows, sure) in theirs.items():
        mine = ours[item]
        if not (np.array_equal(mine[0], rows) and np.array_equal(mine[1], sure)):
            out.append(item)
    return out


def bench_match(
    firms: int,
    items: int,
    seed: int,
    repeat: int,
    library: Path | None = None,
    peer_names: Sequence[str] = ("polars", "duckdb"),
) -> Report:
    """测速: our full match with masks and amounts, and the peers' verdicts, on the same work."""
    report = Report(firms, items)
    with tempfile.TemporaryDirectory() as folder:
        root = library or Path(folder) / "library"
        if library is None:
            work.write_library(root, items, seed)
        loaded = work.load(root)
    bound = live(loaded.programs, work.AS_OF)
    columns = work.make_columns(firms, seed, loaded.dictionary)
    report.rows.append(Row("复制数据列（极限）", timed(repeat, lambda: copy_columns(columns))[0]))
    ours = _ours(report, bound, columns, repeat)
    _plain(report, bound, columns)
    for name in peer_names:
        _peer(report, name, bound, columns, repeat, ours)
    return report


def _ours(report: Report, bound: Sequence[BoundItem], columns: Columns, repeat: int) -> peers.Hits:
    sizes = sum(c.nbytes for c in columns.numbers.values()) + sum(
        c.codes.nbytes for c in columns.categories.values()
    )
    small = columns.between(0, min(len(columns), 20_000))
    start = time.perf_counter()
    Matcher(bound).match(small, work.AS_OF)
    report.facts["第一次（编译或读缓存）秒"] = time.perf_counter() - start
    before = _resident()
    start = time.perf_counter()
    matcher = Matcher(bound)
    matcher.match(columns, work.AS_OF)
    report.facts["huiqi 第一次全量（连编排、新内存）秒"] = time.perf_counter() - start
    seconds, found = timed(repeat, lambda: matcher.match(columns, work.AS_OF))
    report.facts["输入 GB"] = sizes / 1e9
    report.facts["输入以外内存峰值 GB"] = (_peak() - before) / 1e9
    report.rows.append(Row("huiqi（结论、掩码、数额）", seconds))
    assert isinstance(found, Sequence)
    pairs = len(columns) * len(bound)
    hits = verdicts(found)
    report.facts["符合 %"] = 100 * sum(int(s.sum()) for _, s in hits.values()) / pairs
    report.facts["待核实 %"] = 100 * sum(int((~s).sum()) for _, s in hits.values()) / pairs
    return hits


def _plain(report: Report, bound: Sequence[BoundItem], columns: Columns) -> None:
    """The plain form on a part of the work, checked against the compiled one hit for hit."""
    rows, items = min(len(columns), 20_000), list(bound[:100])
    part = columns.between(0, rows)
    share = rows * len(items) / (len(columns) * len(bound))
    seconds, found = timed(1, lambda: matching.match(items, part, work.AS_OF))
    assert isinstance(found, list)
    report.rows.append(Row("普通列式（对照）", seconds, share, "外推"))
    for one, other in zip(Matcher(items).match(part, work.AS_OF), found, strict=True):
        same = all(
            np.array_equal(getattr(one, f), getattr(other, f), equal_nan=f in ("low", "high"))
            for f in ("rows", "verdict", "low", "high", "fails", "unknown")
        )
        if not same:
            report.problems.append(f"{one.item}：编译的和普通的结果不同")


@dataclass(frozen=True)
class Peer:
    """同场的工具: what it is installed as, how it is made, and of how many firms and items it can bear the work."""

    module: str
    make: Callable[[Sequence[BoundItem], Columns], Any]
    firms: int | None = None
    items: int | None = None


PEERS = {
    "polars": Peer("polars", peers.Polars),
    "duckdb": Peer("duckdb", peers.DuckDB, items=100),
    "openfisca": Peer("openfisca_core", rule_peers.OpenFisca, 200_000, 300),
    "zen": Peer("zen", rule_peers.Zen, 2_000, 100),
}


def usual_peers() -> tuple[str, ...]:
    """平常比的: polars and DuckDB, and the rule engines where they are installed."""
    return tuple(n for n, p in PEERS.items() if n in ("polars", "duckdb") or peers.installed(p.module))


def _peer(
    report: Report, name: str, bound: Sequence[BoundItem], columns: Columns, repeat: int, ours: peers.Hits
) -> None:
    peer = PEERS.get(name)
    if peer is None or not peers.installed(peer.module):
        report.problems.append(f"没有装 {name}，没有比（pip install 'huiqi[bench]'）")
        return
    items = list(bound if peer.items is None else bound[:: max(len(bound) // peer.items, 1)])
    rows = min(len(columns), peer.firms or len(columns))
    part = columns if rows == len(columns) else columns.between(0, rows)
    start = time.perf_counter()
    made = peer.make(items, part)
    report.facts[f"{name} 编排、装数据秒"] = time.perf_counter() - start
    seconds, found = timed(repeat if name == "polars" else 1, made.run)
    assert isinstance(found, dict)
    share = len(items) * rows / (len(bound) * len(columns))
    report.rows.append(Row(f"{name}（只有行号和结论）", seconds, share, "" if share == 1 else "外推"))
    if rows < len(columns):
        ours = {item: (at[at < rows], sure[at < rows]) for item, (at, sure) in ours.items()}
    wrong = differing(ours, found)
    if wrong:
        report.problems.append(f"{name} 有 {len(wrong)} 个事项和我们不同，例如 {wrong[0]}")


def _resident() -> int:
    """Resident bytes now."""
    with open("/proc/self/statm", encoding="ascii") as handle:
        return int(handle.read().split()[1]) * resource.getpagesize()


def _peak() -> int:
    """Greatest resident bytes so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
