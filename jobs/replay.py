"""重演: a past night rebuilt from stored versions and compared by the content of its pairs."""

from __future__ import annotations

import filecmp
import hashlib
import tempfile
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from engine.matching import live
from jobs.matching import allocation, match_ranges
from store.database import Engine
from store.night_blocks import Written, write_blocks
from store.night_content import stored_content
from store.night_index import kept_of
from store.night_reads import files
from store.night_writing import NightInputs
from store.nights import Night, get_night


def replay(engine: Engine, home: Path, no: int) -> list[str]:
    """重演: ids of the items whose pairs differ in any column, empty where all are the same. Raises ValueError.

    Everything is matched anew, also what the night took over from the night before it; files that differ in their bytes
    alone, as a patched block and one written whole do, hold the same night.
    """
    night = get_night(engine, no, home)
    if night is None:
        raise ValueError(f"没有第 {no} 次比对")
    with tempfile.TemporaryDirectory(prefix="huiqi-replay-") as name:
        folder = Path(name)
        inputs = _inputs(night, home)
        written = write_blocks(
            folder, inputs.items, inputs.columns, inputs.as_of, inputs.answers, allocation(inputs),
            partial(match_ranges, inputs), keeping=False,
        )  # fmt: skip
        differing = differing_items(folder, written, night.folder)
        if not differing and _hash_of(night, written) != night.run.hits_hash:
            return [b.program.item.id for b in inputs.items]
    return sorted(differing)


def _hash_of(night: Night, written: Written) -> str:
    """What the night's hash should be; that of nights older than layers is of their files' bytes."""
    blocks = kept_of(night.folder).blocks
    if not any(block.sha256 for block in blocks):
        return written.digest
    return hashlib.sha256("".join(f"{b.file} {b.sha256}\n" for b in blocks).encode()).hexdigest()


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


def differing_items(folder: Path, written: Written, other: Path) -> set[str]:
    """不同的事项: whose pairs, as they are read from another night's files through its layers, sum up to another content than
    those just written; all items that stood in a file that can't be read."""
    ours, theirs = files(folder), files(other)
    if [p.name for p in ours] == [p.name for p in theirs] and all(map(_same_bytes, ours, theirs)):
        return set()
    try:
        found = stored_content(other)
    except (OSError, pa.ArrowException):
        return {
            item
            for path in ours
            for item in pq.read_table(path, columns=["item"])["item"].unique().to_pylist()
        }
    wanted = {
        (key.item, key.batch): sums
        for key, sums in zip(
            written.keys, map(tuple, written.tally.content.sum(axis=0).tolist()), strict=True
        )
        if any(sums)
    }
    return {
        item
        for item, batch in found.keys() | wanted.keys()
        if found.get((item, batch)) != wanted.get((item, batch))
    }


def _same_bytes(one: Path, other: Path) -> bool:
    return one.is_file() and other.is_file() and filecmp.cmp(one, other, shallow=False)
