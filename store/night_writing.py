"""存一夜: what a night is made of, and how its files and its row in the database are written."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sqlalchemy import Engine

from engine.claims import Payable
from engine.columns import Columns
from engine.matching import AnswerBook, live
from engine.program import BoundItem, Program
from policies.library import Library, without_collector
from profiles.arrow_columns import CODE, open_rows
from store import faults, night_reads
from store.database import session
from store.night_answers import answers_text, received_text
from store.night_blocks import Matching, Written, write_blocks
from store.night_index import FACTS, LAYERS, Made, kept_of
from store.night_patch import Earlier
from store.nights import FINISHED, ItemRun, Night, Run, get_night, latest_night
from store.versions import keep_library


@dataclass(frozen=True)
class NightInputs:
    """一夜的材料: the day, compiled items, columns (also as a table, with its digest), answers, place words, and what
    was received before in groups that pay the difference (补差): yuan by (code, group)."""

    as_of: date
    library: Library
    items: Sequence[BoundItem]
    columns: Columns
    table: pa.Table
    profiles_hash: str
    answers: AnswerBook
    sets: Mapping[str, Sequence[str]]
    received: Mapping[tuple[str, str], float] = field(default_factory=dict)
    facts: str = ""  # what the columns were made of, without the day; empty where nobody knows
    made: Made | None = None  # the same, in two parts: what they rest on, and the newer rows

    @property
    def programs(self) -> dict[str, Program]:
        return {b.program.item.id: b.program for b in self.items}


def same_night(engine: Engine, inputs: NightInputs, home: Path) -> Night | None:
    """同样的一夜: the latest night, where it was made of exactly these inputs."""
    last = latest_night(engine, home)
    if last is None or last.run.as_of != inputs.as_of:
        return None
    wanted = _hashes(inputs, home)
    had = (last.run.library_hash, last.run.profiles_hash, last.run.answers_hash)
    same = had == wanted and last.run.settings.get("received") == _received_hash(inputs)
    return last if same else None


def _hashes(inputs: NightInputs, home: Path) -> tuple[str, str, str]:
    library = keep_library(inputs.library.root, inputs.sets, home)
    answers = hashlib.sha256(answers_text(inputs.answers).encode()).hexdigest()
    return library, inputs.profiles_hash, answers


def _received_hash(inputs: NightInputs) -> str | None:
    if not inputs.received:
        return None
    return hashlib.sha256(received_text(inputs.received).encode()).hexdigest()


def write_night(
    engine: Engine,
    home: Path,
    inputs: NightInputs,
    matching: Matching,
    paid: Mapping[tuple[str, str], Payable],
    *,
    started: datetime,
    finished: datetime,
    software: str,
    counts: Mapping[str, Any],
    state: str = FINISHED,
) -> Night:
    """存一夜: files first, then the run in one transaction, so that a killed night leaves nothing behind it counts on.

    `matching` is asked for what the night before has not got already.
    """
    received = _received_hash(inputs)
    if received is not None:
        _write_text(home / "versions" / f"received-{received}.jsonl", received_text(inputs.received))
    previous = latest_night(engine, home)
    part = home / "nights" / f".part-{os.getpid()}"
    shutil.rmtree(part, ignore_errors=True)
    with ThreadPoolExecutor(
        2
    ) as beside:  # what a past night is opened from is written while this one is matched
        hashes, kept = beside.submit(_hashes, inputs, home), beside.submit(keep_profiles, inputs, home)
        with without_collector(freeze=False):  # a hundred thousand small objects, none of them in a circle
            written = write_blocks(
                part, inputs.items, inputs.columns, inputs.as_of, inputs.answers, paid, matching,
                None if previous is None else earlier_of(previous, inputs), made=inputs.made,
            )  # fmt: skip
        library, profiles, answers = hashes.result()
        kept.result()
    kept_answers = home / "versions" / f"answers-{answers}.jsonl"
    if not kept_answers.exists():
        _write_text(kept_answers, answers_text(inputs.answers))
    loaded = None if inputs.columns.loaded is None else sorted(inputs.columns.loaded)
    with session(engine) as opened:
        run = Run(
            as_of=inputs.as_of, started=started, finished=finished, library_hash=library, profiles_hash=profiles,
            answers_hash=answers, hits_hash=written.digest, previous=previous.no if previous else None, software=software, state=state,
            settings={"sets": {k: list(v) for k, v in inputs.sets.items()}, "loaded": loaded,
                      "received": received, "facts": inputs.facts},
        )  # fmt: skip
        opened.add(run)
        opened.flush()
        assert run.no is not None
        rows = _item_runs(run.no, inputs, written, part, previous)
        run.counts = {
            **counts, **_totals(rows, len(inputs.columns)),
            "blocks": len(written.blocks), "fresh_blocks": len(written.fresh), "patched_blocks": len(written.patched),
        }  # fmt: skip
        opened.add_all(rows)
        final = home / "nights" / str(run.no)
        shutil.rmtree(final, ignore_errors=True)
        part.rename(final)
        faults.point("nights.renamed")
        no = run.no
    faults.point("nights.recorded")
    if previous is not None and previous.run.previous is not None:
        let_go(home / "nights" / str(previous.run.previous))
    night = get_night(engine, no, home)
    assert night is not None
    return night


def let_go(folder: Path) -> None:
    """放掉 what only the night after asks for of a night, once there are two after it (one may have been killed); nights share
    what still counts."""
    for path in [*folder.glob(f"{FACTS}/*.facts"), *folder.glob(f"{LAYERS}/*.facts")]:
        path.unlink(missing_ok=True)


def earlier_of(previous: Night, inputs: NightInputs) -> Earlier:
    """上一夜 as the next one asks it; its columns are read as tonight's are."""

    def rows(which: NDArray[np.int64], only: Collection[str] | None) -> Columns:
        firms = len(kept_of(previous.folder).codes)
        found = open_rows(previous.profiles, inputs.columns.dictionary, which, firms, only)
        found.loaded = inputs.columns.loaded
        return found

    said = hashlib.sha256(answers_text(inputs.answers).encode()).hexdigest()
    facts = previous.run.settings.get("facts")
    same = bool(inputs.facts) and (facts, previous.run.answers_hash) == (inputs.facts, said)
    return Earlier(
        previous.folder,
        lambda names: live((p for p in previous.library().programs if p.item.id in names), previous.as_of),
        rows,
        previous.answers,
        previous.as_of,
        same,
    )


def keep_profiles(inputs: NightInputs, home: Path) -> Path:
    """存企业数据: one version of the columns by its content; its row groups are what workers elsewhere read."""
    target = home / "versions" / f"profiles-{inputs.profiles_hash}.parquet"
    with _keeping:  # a night's own thread and a cluster's may both come for it
        if not target.exists():
            _write_profiles(inputs.table, target)
    return target


_keeping = Lock()


def _write_profiles(table: pa.Table, target: Path) -> None:
    texts = [f.name for f in table.schema if pa.types.is_string(f.type)]
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part-{os.getpid()}")
    pq.write_table(
        table, part, compression="lz4", use_dictionary=texts, write_statistics=False, row_group_size=1 << 16
    )
    faults.point("nights.profiles_written")
    part.replace(target)


def _write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part-{os.getpid()}")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _item_runs(
    no: int, inputs: NightInputs, written: Written, folder: Path, previous: Night | None
) -> list[ItemRun]:
    totals = written.figures.sum(axis=0)
    new, gone = _comings_and_goings(inputs, written, folder, previous)
    out = []
    for i, bound in enumerate(inputs.items):
        item = bound.program.item
        fits, open_, low, high, unknown = (int(x) for x in totals[i])
        out.append(
            ItemRun(
                run=no, item=item.id, batch=bound.batch.name, title=item.title, category=item.category,
                delivery=item.delivery, department=item.department, pairs=len(inputs.columns), fits=fits, open=open_,
                low_fen=low, high_fen=high, unknown_amounts=unknown, new_fits=new.get(item.id, 0),
                gone=gone.get(item.id, 0),
            )
        )  # fmt: skip
    return out


def _comings_and_goings(
    inputs: NightInputs, written: Written, folder: Path, previous: Night | None
) -> tuple[dict[str, int], dict[str, int]]:
    """新符合 and 不再符合 by item. Blocks taken over hold the same pairs on both sides, and of patched ones it is known, so the
    others alone are compared."""
    if previous is None:
        fits = written.figures[:, :, 0].sum(axis=0)
        return {b.program.item.id: int(n) for b, n in zip(inputs.items, fits, strict=True)}, {}
    before = len(kept_of(previous.folder).blocks)
    now = _whole(night_reads.fitting_tables(folder, written.fresh))
    then = _whole(
        night_reads.fitting_tables(previous.folder, [i for i in range(before) if i not in written.kept])
    )
    new, gone = Counter(_only_in(now, then)), Counter(_only_in(then, now))
    new.update(written.coming)
    gone.update(written.going)
    return new, gone


def _whole(parts: Iterable[pa.Table]) -> pa.Table:
    """符合的对子: item and code."""
    none = pa.table({"item": pa.array([], pa.string()), CODE: pa.array([], pa.string())})
    return pa.concat_tables([none, *parts])


def _only_in(one: pa.Table, other: pa.Table) -> dict[str, int]:
    """How many pairs of each item the other lacks."""
    alone = one.join(other, keys=["item", CODE], join_type="left anti")
    counts = alone.group_by("item").aggregate([("item", "count")])
    return dict(zip(counts["item"].to_pylist(), counts["item_count"].to_pylist(), strict=True))


def _totals(rows: Sequence[ItemRun], firms: int) -> dict[str, Any]:
    return {
        "firms": firms,
        "items": len(rows),
        "pairs": firms * len(rows),
        "fits": sum(r.fits for r in rows),
        "open": sum(r.open for r in rows),
        "low_fen": sum(r.low_fen for r in rows),
        "high_fen": sum(r.high_fen for r in rows),
        "new_fits": sum(r.new_fits for r in rows),
        "gone": sum(r.gone for r in rows),
    }
