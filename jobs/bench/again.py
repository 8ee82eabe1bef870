"""测速 night --again: the night after, of which little changed, beside the same night from nothing; both are the same."""

from __future__ import annotations

import gc
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import perf_counter

import numpy as np
import pyarrow as pa

from jobs.bench import work
from jobs.bench.match import Report, Row
from jobs.bench.nightly import changed_items, touched
from jobs.matching import allocation, match_ranges, matching
from jobs.nightly import NightReport, Tell, finish_night
from policies.library import without_collector
from store import nights
from store.database import Engine
from store.night_blocks import Written, write_blocks
from store.night_index import Made
from store.night_writing import NightInputs, earlier_of, write_night
from store.nights import UNGUARDED, Night


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


def bench_next(report: Report, engine: Engine, inputs: NightInputs, night: Night) -> None:
    """测速: whole nights after, one after another, with lists, guard and pushes: one of which nothing changed and one of which
    1 % of the firms did; CPU seconds of each step, those of the process that writes lists among them."""
    nights_after = {"什么都没变": inputs, "变了 1% 的企业": _with_table(_some_firms(inputs))}
    for day, (title, changed) in enumerate(nights_after.items(), 1):
        nights.forget()
        now = night.run.started + timedelta(days=day)
        told = Told(title, report.facts)
        with told.step("分配、比对、写结果块", lambda text: None):
            made = write_night(
                engine, night.home, changed, matching(changed, night.home), allocation(changed), started=now,
                finished=now, software="bench", counts={}, state=UNGUARDED,
            )  # fmt: skip
        told.night = made
        finish_night(engine, made, told, lambda: now, lambda text: None)  # noqa: B023
        report.facts |= {f"{title}，评分条数": float(told.scored)} if told.scored else {}
        report.facts[f"{title}，推送条数"] = told.pushes.get("排队", 0) + told.pushes.get("暂缓", 0)


class Told(NightReport):
    """小结 that puts the CPU seconds of its steps among a report's facts."""

    def __init__(self, title: str, facts: dict[str, float]):
        super().__init__()
        self._title, self._facts = title, facts

    @contextmanager
    def step(self, name: str, tell: Tell) -> Iterator[None]:
        used, key = sum(os.times()[:4]), f"{self._title}，{name}，CPU 秒"
        with super().step(name, tell):
            yield
        self._facts[key] = self._facts.get(key, 0.0) + sum(os.times()[:4]) - used


def _with_table(inputs: NightInputs) -> NightInputs:
    """The table of changed columns, of another hash."""
    key = next(iter(inputs.columns.numbers))
    name = work.column_name(key)
    values = pa.array(inputs.columns.numbers[key], from_pandas=True)
    table = inputs.table.set_column(inputs.table.schema.get_field_index(name), name, values)
    return replace(
        inputs, table=table, profiles_hash=hashlib.sha256(inputs.profiles_hash.encode()).hexdigest()
    )


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
