"""测速 night --again: the night after, of which little changed, beside the same night from nothing; both are the same."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np

from jobs.bench.match import Report, Row
from jobs.bench.nightly import changed_items, touched
from jobs.matching import allocation, match_ranges
from policies.library import without_collector
from store import nights
from store.night_blocks import Written, write_blocks
from store.night_index import Made
from store.night_writing import NightInputs, earlier_of
from store.nights import Night


def bench_again(report: Report, inputs: NightInputs, night: Night, repeat: int = 2) -> None:
    """测速: 1 % of the firms changed, one threshold, one item, nothing; seconds of what a night does from its columns on until
    its results are on disk, and how many times dearer a night from nothing is. Memory of the past is put out in between."""
    folder = night.home / "again"
    full = _Clock()
    _write(folder, inputs, None)  # the compiled loops are loaded, as they are for the others
    gc.collect()
    gc.freeze()  # as a night's own process does with the library; else a round of the collector falls on any of them
    for _ in range(repeat):
        full.time(folder, lambda: _write(folder, inputs, None))
    report.rows.append(Row("全量：比对、写结果块", full.seconds))
    report.facts["全量 CPU 秒"] = full.cpu
    for title, changed in _nights(inputs).items():
        clock, made = _Clock(), None
        for _ in range(repeat):
            nights.forget()
            made = clock.time(folder, lambda: _write(folder, changed, night))  # noqa: B023
        report.rows.append(Row(f"{title}：比对、写结果块", clock.seconds))
        report.facts |= {
            f"{title}，便宜几倍": min(full.seconds) / min(clock.seconds),
            f"{title}，CPU 秒": clock.cpu,
            f"{title}，补的块": float(len(made.patched) if made else 0),
        }
        if made is None or made.digest != _write(folder, changed, None).digest:
            report.problems.append(f"{title}：只比变动的一夜和全量的不同")
    shutil.rmtree(folder)


class _Clock:
    """Wall seconds of each time, and the CPU seconds of the last."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.cpu = 0.0

    def time(self, folder: Path, job: Callable[[], Written]) -> Written:
        shutil.rmtree(folder, ignore_errors=True)  # a gigabyte put away is no part of the night
        begun, used = perf_counter(), os.times()
        result = job()
        self.seconds.append(perf_counter() - begun)
        self.cpu = sum(os.times()[:2]) - sum(used[:2])
        return result


def _write(folder: Path, inputs: NightInputs, before: Night | None) -> Written:
    shutil.rmtree(folder, ignore_errors=True)
    with without_collector(freeze=False):  # as a night does
        return write_blocks(
            folder, inputs.items, inputs.columns, inputs.as_of, inputs.answers, allocation(inputs),
            lambda ranges: match_ranges(inputs, ranges), None if before is None else earlier_of(before, inputs),
            made=inputs.made,
        )  # fmt: skip


def _nights(inputs: NightInputs) -> dict[str, NightInputs]:
    """The night after, in four ways."""
    out = {"什么都没变": inputs, "变了 1% 的企业": _some_firms(inputs)}
    for title, items in changed_items(inputs.items).items():
        out[f"变了一个事项（{title}）"] = replace(inputs, items=items)
    return out


def _some_firms(inputs: NightInputs) -> NightInputs:
    """One firm in a hundred changed, as the snapshot tells it: newer rows over what the columns rest on."""
    rows = np.arange(0, len(inputs.columns), 100)
    made = None if inputs.made is None else Made(inputs.made.base, rows)
    return replace(inputs, columns=touched(inputs.columns), facts="", made=made)
