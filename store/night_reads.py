"""读一夜的结果: an item's pairs, a firm's pairs, one pair, out of the blocks of a night; files of a night never change."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from store.night_blocks import CODE, read_blocks

REPEATED = [
    CODE,
    "企业名称",
    "item",
    "batch",
    "verdict",
    "gave_way",
    "note",
]  # texts that stand in many pairs
KEPT_BYTES = 256 << 20  # of pairs kept in memory: two nights of some 10^6 pairs


def files(folder: Path) -> list[Path]:
    """一夜的结果文件, in the order of the firms."""
    blocks = read_blocks(folder)
    if blocks:
        return [folder / "hits" / block.file for block, _ in blocks]
    return sorted((folder / "hits").glob("*.parquet"))


def item_table(folder: Path, item: str, columns: Sequence[str] | None = None) -> pa.Table | None:
    """一事项的对子, in the order of the firms; None where there are none."""
    parts = [part for path in files(folder) if (part := _item_part(path, item, columns)) is not None]
    if not parts:
        return None
    return plain(pa.concat_tables(parts, promote_options="default"))


def plain(table: pa.Table) -> pa.Table:
    """不带字典的表: texts as texts."""
    return pa.table(
        [c.cast(c.type.value_type) if pa.types.is_dictionary(c.type) else c for c in table.columns],
        names=table.column_names,
    )


def _item_part(path: Path, item: str, columns: Sequence[str] | None) -> pa.Table | None:
    found = []
    for group in _groups_of(path, item):
        table, places = _group(path, group)
        where = places.get(item)
        if where is not None:
            part = table.slice(where[0], where[1] - where[0])
            found.append(part if columns is None else part.select(list(columns)))
    return pa.concat_tables(found) if found else None


def _groups_of(path: Path, item: str) -> list[int]:
    """Row groups that may hold the item, by their least and greatest."""
    return [i for i, (least, most) in enumerate(_bounds(path)) if least is None or least <= item <= most]


def _bounds(path: Path) -> list[tuple[str | None, str]]:
    about = path.stat()
    return _bounds_of(path, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=4096)
def _bounds_of(path: Path, changed: int, size: int) -> list[tuple[str | None, str]]:
    meta = pq.read_metadata(path)
    out: list[tuple[str | None, str]] = []
    for i in range(meta.num_row_groups):
        group = meta.row_group(i)
        at = [group.column(j).path_in_schema for j in range(meta.num_columns)].index("item")
        stats = group.column(at).statistics
        out.append((stats.min, stats.max) if stats is not None and stats.has_min_max else (None, ""))
    return out


Places = dict[str, tuple[int, int]]
_kept: dict[tuple[object, ...], tuple[pa.Table, Places]] = {}
_asked: set[tuple[object, ...]] = set()
_lock = Lock()


def _group(path: Path, group: int) -> tuple[pa.Table, Places]:
    """A row group and where each item's pairs begin and end in it; whoever goes through the items reads each file once.

    So many bytes are kept, those read last; a desk's threads share them, and nights share the blocks that did not change
    between them (one file under two names).
    """
    about = path.stat()
    key = (about.st_dev, about.st_ino, about.st_mtime_ns, about.st_size, group)
    with _lock:
        found = _kept.pop(key, None)
        _asked.add(key)
        if found is not None:
            _kept[key] = found
            return found
    found = _read_group(path, group)
    with _lock:
        _kept[key] = found
        while len(_kept) > 1 and sum(table.nbytes for table, _ in _kept.values()) > KEPT_BYTES:
            _kept.pop(next(iter(_kept)))
    return found


def forget(all_: bool = True) -> None:
    """忘掉: what is kept of nights that were read, for a process that is done with them; or what nobody asked for since the last time."""
    with _lock:
        for key in [k for k in _kept if all_ or k not in _asked]:
            _kept.pop(key)
        _asked.clear()


def _read_group(path: Path, group: int) -> tuple[pa.Table, Places]:
    table = pq.ParquetFile(path, read_dictionary=REPEATED).read_row_group(group)
    column = table.column("item").combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = column.unify_dictionaries().combine_chunks()
    codes = column.indices.to_numpy(zero_copy_only=False)
    starts = (
        np.concatenate([[0], np.flatnonzero(np.diff(codes)) + 1]) if len(codes) else np.zeros(0, np.int64)
    )
    ends = [*starts[1:].tolist(), len(codes)] if len(codes) else []
    names = column.dictionary.to_pylist()
    return table, {names[codes[a]]: (int(a), int(b)) for a, b in zip(starts, ends, strict=True)}


def firm_table(
    folder: Path, code: str, row: int | None, columns: Sequence[str] | None = None
) -> pa.Table | None:
    """一企业的对子; with its row among the firms only its block is read."""
    paths = files(folder)
    blocks = read_blocks(folder)
    if blocks and row is not None:
        ends = np.cumsum([block.firms for block, _ in blocks])
        at = int(np.searchsorted(ends, row, side="right"))
        paths = paths[at : at + 1]
    names = None if columns is None else list(dict.fromkeys([CODE, "item", *columns]))
    parts = []
    for path in paths:
        table = pq.ParquetFile(path, read_dictionary=REPEATED).read(names)
        parts.append(table.filter(pc.equal(table.column(CODE).cast(pa.string()), code)))
    found = pa.concat_tables(parts, promote_options="default") if parts else None
    return plain(found).sort_by("item") if found is not None and len(found) else None


def pair(folder: Path, item: str, code: str, columns: Sequence[str]) -> dict[str, Any] | None:
    """一对: some columns of one firm and item, None where it is 不符合."""
    table = item_table(folder, item, list(dict.fromkeys([CODE, *columns])))
    rows = [] if table is None else table.filter(pc.equal(table.column(CODE), code)).to_pylist()
    return rows[0] if rows else None
