"""测速 process: whole processes on work that neither has seen, `huiqi match` beside a program written with polars.

Both read the same rule files and the same Parquet of firms and write a Parquet of their hits; ours with masks and amounts,
the other with firm, item and verdict alone. Nothing compiled of the rules is kept between two runs of ours.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine.match import Verdict
from jobs.bench import peers, work
from jobs.bench.match import Report, Row

OURS, THEIRS = "huiqi match 整个进程", "polars 写的整个程序（只有行号、事项、结论）"


@dataclass(frozen=True)
class Ran:
    """跑过一次: wall seconds, and processor seconds of the process and whatever it started."""

    wall: float
    user: float
    system: float
    peak: int


def bench_process(firms: int, items: int, seed: int, repeat: int, folder: Path) -> Report:
    """测速: both programs in turn, `repeat` times each, in `folder`, and whether they found the same."""
    report = Report(firms, items)
    library, profiles = folder / "library", folder / "firms.parquet"
    work.write_library(library, items, seed)
    dictionary = work.load(library).dictionary
    work.write_profiles(work.make_columns(firms, seed, dictionary), profiles)
    ours, theirs = folder / "ours.parquet", folder / "theirs.parquet"
    match = [
        sys.executable, "-m", "jobs.cli", "match", "--library", str(library), "--profiles", str(profiles), "--as-of",
        work.AS_OF.isoformat(), "--out", str(ours),
    ]  # fmt: skip
    programs = {OURS: match}
    if peers.installed("polars"):
        programs[THEIRS] = [sys.executable, "-m", __name__, str(library), str(profiles), str(theirs)]
    else:
        report.problems.append("没有装 polars，没有比（pip install 'huiqi[bench]'）")
    runs: dict[str, list[Ran]] = {name: [] for name in programs}
    for _ in range(repeat):
        for name, command in programs.items():
            runs[name].append(_run(command, folder / "cache"))
    for name, found in runs.items():
        report.rows.append(Row(name, [one.wall for one in found]))
        least = min(found, key=lambda one: one.user + one.system)
        short = name.split()[0]
        report.facts[f"{short} 用户态秒（最少的一次）"] = least.user
        report.facts[f"{short} 内核态秒（同一次）"] = least.system
        report.facts[f"{short} 内存峰值 GB"] = max(one.peak for one in found) / 1e9
    if THEIRS in programs:
        report.problems += differing(ours, theirs)
    return report


def _run(command: Sequence[str], cache: Path) -> Ran:
    """One run to its end. Raises CalledProcessError where it fails."""
    # The compiled rules of a library are kept under XDG_CACHE_HOME: each run has a new one, as for work nobody has seen.
    fresh = cache / str(time.monotonic_ns())
    env = {**os.environ, "XDG_CACHE_HOME": str(fresh), "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    start = time.perf_counter()
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Ran(wall, used.ru_utime, used.ru_stime, used.ru_maxrss * 1024)


def differing(ours: Path, theirs: Path) -> list[str]:
    """不同之处: items of which the two files hold other firms or other verdicts, in words; none where they agree."""
    mine = pq.read_table(ours, columns=[work.CODE, "item", "verdict"])
    other = pq.read_table(theirs)
    if len(mine) != len(other):
        return [f"polars 有 {len(other):,} 对，我们有 {len(mine):,} 对"]
    for name in mine.column_names:
        left, right = (table[name].combine_chunks().cast(pa.string()) for table in (mine, other))
        same = pc.equal(left, right)
        if not pc.all(same).as_py():
            at = pc.index(same, False).as_py()
            return [f"{name} 不同，第 {at + 1} 对起：我们 {left[at]}，polars {right[at]}"]
    return []


def peer(library: Path, profiles: Path, out: Path) -> None:
    """polars 写的程序: rules by the rule language's own reader, the rest by polars."""
    import polars as pl

    from engine.matching import live

    loaded = work.load(library)
    bound = live(loaded.programs, work.AS_OF)
    facts = peers.PolarsFacts(profiles, loaded.dictionary)
    made = peers.Polars(bound, facts, facts.frame)
    firms = pl.read_parquet(profiles, columns=[work.CODE])[work.CODE]
    names = pl.Enum([item.program.item.id for item in bound])
    fits, open_ = Verdict.ELIGIBLE.value, Verdict.UNDETERMINED.value
    words = pl.Enum([fits, open_])
    parts = [
        pl.DataFrame({work.CODE: firms.gather(rows), "sure": sure}).select(
            work.CODE,
            pl.lit(item, dtype=names).alias("item"),
            pl.when("sure")
            .then(pl.lit(fits, dtype=words))
            .otherwise(pl.lit(open_, dtype=words))
            .alias("verdict"),
        )
        for item, (rows, sure) in made.run().items()
    ]
    pl.concat(parts).write_parquet(out, compression="uncompressed")


if __name__ == "__main__":
    peer(*(Path(argument) for argument in sys.argv[1:]))
