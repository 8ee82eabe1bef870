"""重演: a past night rebuilt from stored versions and compared byte for byte."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from engine.matching import live
from jobs.matching import allocation, match_ranges
from store.database import Engine
from store.night_blocks import write_blocks
from store.night_reads import files
from store.night_writing import NightInputs
from store.nights import Night, get_night


def replay(engine: Engine, home: Path, no: int) -> list[str]:
    """重演: ids of the items whose pairs differ, empty where every byte is the same. Raises ValueError.

    Everything is matched anew, also what the night took over from the night before it.
    """
    night = get_night(engine, no, home)
    if night is None:
        raise ValueError(f"没有第 {no} 次比对")
    with tempfile.TemporaryDirectory(prefix="huiqi-replay-") as name:
        folder = Path(name)
        inputs = _inputs(night, home)
        written = write_blocks(
            folder, inputs.items, inputs.columns, inputs.as_of, inputs.answers, allocation(inputs),
            partial(match_ranges, inputs),
        )  # fmt: skip
        ours, theirs = files(folder), files(night.folder)
        differing: set[str] = set()
        for path in {p.name for p in (*ours, *theirs)}:
            differing |= _differing(folder / "hits" / path, night.folder / "hits" / path)
        if not differing and written.digest != night.run.hits_hash:
            return [b.program.item.id for b in inputs.items]
    return sorted(differing)


def _inputs(night: Night, home: Path) -> NightInputs:
    library, columns = night.library(), night.columns()
    table = pq.read_table(home / "versions" / f"profiles-{night.run.profiles_hash}.parquet")
    items = live(library.programs, night.as_of)
    return NightInputs(
        night.as_of,
        library,
        items,
        columns,
        table,
        night.run.profiles_hash,
        night.answers(),
        {},
        night.received(),
    )


def _differing(one: Path, other: Path) -> set[str]:
    """Items whose pairs differ in two files; all of them where a file is gone, or spoiled so that it can't be read."""
    if one.is_file() and other.is_file() and one.read_bytes() == other.read_bytes():
        return set()
    ours = _by_item(one)
    theirs = _by_item(other)
    found = {item for item in {*ours, *theirs} if ours.get(item) != theirs.get(item)}
    return found or {*ours, *theirs}


def _by_item(path: Path) -> dict[str, pa.Table]:
    try:
        table = pq.ParquetFile(path).read()
    except (OSError, pa.ArrowException):
        return {}
    names = table.column("item").unique().to_pylist()
    return {name: table.filter(pa.compute.equal(table.column("item"), name)) for name in names}
