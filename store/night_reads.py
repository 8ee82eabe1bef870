"""读一夜的结果: an item's pairs, a firm's pairs, one pair, out of the blocks of a night; files of a night never change."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from threading import Lock, local
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from store.block_pairs import CODE
from store.night_index import Kept, kept_of

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
    """一夜的结果文件, in the order of the firms, then its layers' from the oldest on."""
    kept = kept_of(folder)
    if kept.blocks:
        layers = [kept.layer_file(name) for name in kept.index.layers]
        return [*(folder / "hits" / block.file for block in kept.blocks), *layers]
    return sorted((folder / "hits").glob("*.parquet"))


def item_table(folder: Path, item: str, columns: Sequence[str] | None = None) -> pa.Table | None:
    """一事项的对子, in the order of the firms; None where there are none."""
    kept = kept_of(folder)
    if kept.index.layers:
        return layered(kept).item_table(item, columns)
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
        table, places = _group(path, group, item)
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


@contextmanager
def among(items: Collection[str]) -> Iterator[None]:
    """只看这些事项, for this thread: of what is read while it lasts only their pairs are kept. Who goes through all items of a
    large night some hundreds at a time reads each file once for these; else one item's group puts out the next one's."""
    asked = _asking.__dict__.get("items", _ALL)
    _asking.items = frozenset(items)
    try:
        yield
    finally:
        _drop(lambda key: key[-1] is _asking.items)
        _asking.items = asked


_ALL: frozenset[str] = frozenset()
_asking = local()


def _drop(which: Callable[[tuple[object, ...]], bool]) -> None:
    with _lock:
        for key in [k for k in _kept if which(k)]:
            _kept.pop(key)


def _group(path: Path, group: int, item: str) -> tuple[pa.Table, Places]:
    """A row group and where each item's pairs begin and end in it; whoever goes through the items reads each file once.

    So many bytes are kept, those read last; a desk's threads share them, and nights share the blocks that did not change
    between them (one file under two names).
    """
    about = path.stat()
    asked: frozenset[str] = _asking.__dict__.get("items", _ALL)
    only = asked if item in asked else _ALL
    key = (about.st_dev, about.st_ino, about.st_mtime_ns, about.st_size, group, only)
    with _lock:
        found = _kept.pop(key, None)
        _asked.add(key)
        if found is not None:
            _kept[key] = found
            return found
    found = _read_group(path, group)
    if only:
        found = _some_items(*found, only)
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
        if all_:
            _views.clear()


def _some_items(table: pa.Table, places: Places, items: frozenset[str]) -> tuple[pa.Table, Places]:
    """A copy of some items' pairs, so that the rest is let go."""
    mine = sorted((place, name) for name, place in places.items() if name in items)
    parts = [table.slice(a, b - a) for (a, b), _ in mine]
    whole = table.slice(0, 0) if not parts else pa.concat_tables(parts).combine_chunks()
    ends = np.cumsum([0, *(b - a for (a, b), _ in mine)]).tolist()
    return whole, {name: (ends[i], ends[i + 1]) for i, (_, name) in enumerate(mine)}


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
    """一企业的对子; with its row among the firms only its block is read, and the layers over it."""
    kept = kept_of(folder)
    paths = files(folder)
    over: list[int] = []  # numbers of the layers, from 1 on, or 0 for the block's own file
    if kept.blocks and row is not None:
        at = int(np.searchsorted(kept.starts[1:], row, side="right"))
        own = kept.blocks[at] if at < len(kept.blocks) else None
        over = [0, *(1 + kept.index.layers.index(name) for name in (own.layers if own else ()))]
        paths = [
            kept.layer_file(kept.index.layers[j - 1]) if j else p for j in over for p in paths[at : at + 1]
        ]
    names = None if columns is None else list(dict.fromkeys([CODE, "item", *columns]))
    parts = []
    for number, path in enumerate(paths):
        table = pq.ParquetFile(path, read_dictionary=REPEATED).read(names)
        found = plain(table.filter(pc.equal(table.column(CODE).cast(pa.string()), code)))
        if kept.index.layers and row is not None:
            owners = layered(kept).owners_of(row, found.column("item").to_pylist())
            found = found.filter(pa.array(owners == over[number]))
        parts.append(found)
    whole = pa.concat_tables(parts, promote_options="default") if parts else None
    return whole.sort_by("item") if whole is not None and len(whole) else None


def pair(folder: Path, item: str, code: str, columns: Sequence[str]) -> dict[str, Any] | None:
    """一对: some columns of one firm and item, None where it is 不符合."""
    table = item_table(folder, item, list(dict.fromkeys([CODE, *columns])))
    rows = [] if table is None else table.filter(pc.equal(table.column(CODE), code)).to_pylist()
    return rows[0] if rows else None


# ---------------------------------------------------------------- layers


class Layered:
    """带层的一夜: which file's pairs count, of a firm (by row) and an item; layers are numbered from 1 on, 0 is the block's."""

    def __init__(self, kept: Kept):
        self.kept = kept
        self.number = {name: j for j, name in enumerate(kept.index.layers, 1)}
        self.over = [[self.number[name] for name in block.layers] for block in kept.blocks]
        self.block = np.repeat(np.arange(len(kept.blocks)), [b.firms for b in kept.blocks])
        self.firms = np.zeros(len(self.block), np.int32)  # the newest layer that holds all pairs of a firm
        for at, block in enumerate(kept.blocks):
            for j in self.over[at]:
                self.firms[kept.starts[at] + kept.layers[j - 1].rows.get(block.base, _NO_ROWS)] = j
        self._rows: dict[tuple[object, ...], tuple[pa.Array, NDArray[np.int64]]] = {}

    def items(self, item: str) -> NDArray[np.int32]:
        """By block, the newest layer that holds all pairs of an item."""
        held = {j for j, layer in enumerate(self.kept.layers, 1) if item in layer.items}
        return np.array([max((j for j in over if j in held), default=0) for over in self.over], np.int32)

    def owners_of(self, row: int, items: Sequence[str]) -> NDArray[np.int32]:
        """Of one firm and some items, the number of what counts."""
        at = int(self.block[row])
        return np.array([max(self.items(item)[at], self.firms[row]) for item in items], np.int32)

    def rows_of(self, path: Path, group: int, part: pa.Table, block: int | None) -> NDArray[np.int64]:
        """Rows of a part's pairs among the night's firms, -1 where none is; the firms of a block's file are in that block."""
        column = part.column(CODE).combine_chunks()
        if isinstance(column, pa.ChunkedArray):
            column = column.unify_dictionaries().combine_chunks()
        dictionary = column.dictionary
        key = (
            path,
            group,
            dictionary.buffers()[2].address,
            len(dictionary),
        )  # kept, so that no other stands there
        if key not in self._rows:
            start, end = (0, None) if block is None else self.kept.starts[block : block + 2].tolist()
            while len(self._rows) >= 256:
                self._rows.pop(next(iter(self._rows)), None)
            found = places(dictionary, self.kept.codes[start:end])
            self._rows[key] = dictionary, np.where(found < 0, -1, found + start)
        return self._rows[key][1][column.indices.to_numpy(zero_copy_only=False)]

    def parts(self, item: str) -> Iterator[tuple[int, pa.Table, NDArray[np.int64]]]:
        """Pairs of an item in all files: the number of the layer, and each pair's row."""
        hits = self.kept.folder / "hits"
        named = [(0, i, hits / block.file) for i, block in enumerate(self.kept.blocks)]
        named += [(j, None, self.kept.layer_file(name)) for name, j in self.number.items()]  # type: ignore[misc]
        for number, block, path in named:
            for group in _groups_of(path, item):
                table, places_ = _group(path, group, item)
                where = places_.get(item)
                if where is not None:
                    part = table.slice(where[0], where[1] - where[0])
                    yield number, part, self.rows_of(path, group, part, block)

    def item_table(self, item: str, columns: Sequence[str] | None) -> pa.Table | None:
        """一事项的对子 (see item_table)."""
        least = self.items(item)
        parts, rows = [], []
        for number, part, at in self.parts(item):
            counts = (at >= 0) & (np.maximum(least[self.block[at]], self.firms[at]) == number)
            if number and not counts.any():
                continue
            part = part if columns is None else part.select(list(columns))
            parts.append(plain(part if counts.all() else part.filter(pa.array(counts))))
            rows.append(at[counts])
        if not parts:
            return None
        whole, order = pa.concat_tables(parts, promote_options="default"), np.concatenate(rows)
        if not len(whole):
            return None
        if (np.diff(order) < 0).any():
            whole = whole.take(pa.array(np.argsort(order, kind="stable")))
        return whole

    def fitting(self, blocks: Sequence[int]) -> Iterator[pa.Table]:
        """符合的对子 of some blocks (see fitting_tables)."""
        wanted = np.zeros(len(self.kept.blocks), bool)
        wanted[blocks] = True
        hits = self.kept.folder / "hits"
        named = [(0, hits / self.kept.blocks[i].file) for i in blocks]
        over = {j for i in blocks for j in self.over[i]}
        named += [(j, self.kept.layer_file(name)) for name, j in self.number.items() if j in over]
        for number, path in named:
            table = _fitting(path)
            yield table.filter(pa.array(self.counting(table, number, wanted)))

    def counting(
        self, table: pa.Table, number: int, wanted: NDArray[np.bool_] | None = None
    ) -> NDArray[np.bool_]:
        """Which pairs of a file, the block's own (0) or a layer's, count; of the wanted blocks."""
        codes = _one(table.column(CODE))
        at = places(codes, self.kept.codes)
        items = _one(table.column("item")).dictionary_encode()
        least = np.array([self.items(name) for name in items.dictionary.to_pylist()], np.int32)
        own = least.reshape(-1, len(self.over))[items.indices.to_numpy(), self.block[at]]
        counts = (at >= 0) & (np.maximum(own, self.firms[at]) == number)
        return counts if wanted is None else counts & wanted[self.block[at]]


def _one(column: pa.ChunkedArray) -> pa.Array:
    """A column of plain texts in one piece."""
    whole = column.cast(pa.string()).combine_chunks()
    return pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole


_NO_ROWS = np.zeros(0, np.int32)


def places(codes: pa.Array, among: pa.Array) -> NDArray[np.int64]:
    """位置 of codes among others, -1 where one is not there; the smaller side is what is looked up in."""
    if len(codes) >= len(among):
        return pc.index_in(codes, among).fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    distinct = codes.unique()
    found = pc.index_in(among, distinct).fill_null(-1).to_numpy(zero_copy_only=False)
    place = np.full(len(distinct), -1, np.int64)
    there = np.flatnonzero(found >= 0)
    place[found[there]] = there
    return place[pc.index_in(codes, distinct).to_numpy(zero_copy_only=False)]


def layered(kept: Kept) -> Layered:
    """带层的读法 of a night, kept."""
    with _lock:
        found = _views.pop(id(kept), None)
        if found is None or found.kept is not kept:
            found = Layered(kept)
        _views[id(kept)] = found
        while len(_views) > 4:
            _views.pop(next(iter(_views)))
        return found


_views: dict[int, Layered] = {}


def fitting_tables(folder: Path, blocks: Sequence[int]) -> Iterator[pa.Table]:
    """符合的对子 of some blocks, in no order: item and code; of a night without blocks, all there are."""
    kept = kept_of(folder)
    if kept.index.layers:
        yield from layered(kept).fitting(blocks)
        return
    paths = files(folder)
    yield from map(_fitting, [paths[i] for i in blocks] if kept.blocks else paths)


def _fitting(path: Path) -> pa.Table:
    table = pq.ParquetFile(path, read_dictionary=["verdict"]).read([CODE, "item", "verdict"])
    return table.filter(pc.equal(table["verdict"].cast(pa.string()), "符合")).select(["item", CODE])
