"""数据快照: every firm's current values as Parquet columns, typed by the indicator dictionary.

A folder holds parts (blocks of firms), one small table of rows newer than their part, and manifest.json, which is
replaced last. Columns are `统一社会信用代码`, indicators by name, yearly ones as `名称@2024`, and lists of 项目, 产品, 人才
as lists of structs; null is a missing, stale or contested value. Columns that begin with `_` are the snapshot's own.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine import kinds
from engine.indicators import Dictionary
from profiles.file import ROW_ID, split

CODE = "统一社会信用代码"
FIRM, UNTIL, GONE = "_firm", "_until", "_gone"
OWN = (FIRM, UNTIL, GONE)
LISTS = ("项目", "产品", "人才")
MANIFEST = "manifest.json"
FORMAT = 1


@dataclass(frozen=True)
class FirmRow:
    """一行: a firm's id and code, its known values at rest by flat key, and the day on which time may change them.

    `code` None: the firm has no file any more.
    """

    firm: int
    code: str | None
    values: Mapping[str, Any]
    until: date


@dataclass(frozen=True)
class Part:
    """一块: firms `first` to `last`, in one file."""

    first: int
    last: int
    rows: int
    file: str


@dataclass(frozen=True)
class Snapshot:
    """快照: the folder and what it was made of; `digest` changes with any value in it."""

    folder: Path
    as_of: date
    known_on: date | None
    events: int
    dictionary: str
    loaded: frozenset[str]
    parts: tuple[Part, ...]
    newer: str = ""
    digest: str = ""
    versions: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """企业数."""
        return sum(part.rows for part in self.parts)

    def table(self, only: Iterable[str] | None = None) -> pa.Table:
        """数据列: all firms in id order; `only` limits to some indicators (all years of each)."""
        names = None if only is None else set(only)
        newer = self._newer()
        tables = []
        for part in self.parts:
            table = read_table(self.folder / part.file, names)
            if newer is not None:
                table = merged(table, inside(newer, part))
            tables.append(table)
        return without_own(joined(tables)) if tables else pa.table({CODE: pa.array([], pa.string())})

    def part_table(self, part: Part) -> pa.Table:
        """一块的列: with the snapshot's own columns, newer rows in place."""
        newer = self._newer()
        table = read_table(self.folder / part.file, None)
        return table if newer is None else merged(table, inside(newer, part))

    @property
    def standing(self) -> str:
        """底: a hash of the parts alone, by their files' content, and of how they are typed and what is loaded. Snapshots of one
        footing have the same values in all rows but those of `newer_rows`, where they have the same firms."""
        plain = repr(([part.file for part in self.parts], self.dictionary, sorted(self.loaded)))
        return hashlib.sha256(plain.encode()).hexdigest()

    def newer_rows(self) -> np.ndarray:
        """新近的行: which rows of `table()` stand in the small table of newer ones, ascending."""
        newer = self._newer()
        out, first = [np.zeros(0, np.int64)], 0
        for part in self.parts:
            ids = pq.read_table(self.folder / part.file, columns=[FIRM], use_threads=False).column(FIRM)
            ids = ids.to_numpy()
            if newer is not None:
                mine = inside(newer, part)
                told = mine.column(FIRM).to_numpy()
                alive = told[~mine.column(GONE).to_numpy()]
                ids = np.sort(np.concatenate([ids[~np.isin(ids, told)], alive]))
                out.append(first + np.searchsorted(ids, np.sort(alive)))
            first += len(ids)
        return np.concatenate(out)

    def _newer(self) -> pa.Table | None:
        return read_table(self.folder / self.newer, None) if self.newer else None


@cache
def reading_code() -> str:
    """读法的指纹: of the code that makes columns of files; what an older program made of the same files may differ."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def read_snapshot(folder: Path) -> Snapshot | None:
    """读快照: None where the folder has none, or one of another format."""
    path = folder / MANIFEST
    if not path.is_file():
        return None
    plain = json.loads(path.read_text("utf-8"))
    if plain.pop("format", None) != FORMAT:
        return None
    return Snapshot(
        folder=folder,
        as_of=date.fromisoformat(plain["as_of"]),
        known_on=date.fromisoformat(plain["known_on"]) if plain["known_on"] else None,
        events=plain["events"],
        dictionary=plain["dictionary"],
        loaded=frozenset(plain["loaded"]),
        parts=tuple(Part(**part) for part in plain["parts"]),
        newer=plain["newer"],
        digest=plain["digest"],
        versions=plain["versions"],
    )


def keep_snapshot(snapshot: Snapshot) -> Snapshot:
    """存快照: its manifest, replaced at once; files it no longer names are removed."""
    names = [*sorted(part.file for part in snapshot.parts), snapshot.newer]
    digest = hashlib.sha256("|".join(names).encode()).hexdigest()[:16]
    done = Snapshot(**{**snapshot.__dict__, "digest": digest})
    plain = {
        "format": FORMAT,
        "as_of": done.as_of.isoformat(),
        "known_on": done.known_on.isoformat() if done.known_on else None,
        "events": done.events,
        "dictionary": done.dictionary,
        "loaded": sorted(done.loaded),
        "parts": [part.__dict__ for part in done.parts],
        "newer": done.newer,
        "digest": digest,
        "versions": done.versions,
    }
    done.folder.mkdir(parents=True, exist_ok=True)
    fresh = done.folder / (MANIFEST + ".part")
    fresh.write_text(json.dumps(plain, ensure_ascii=False, indent=1), "utf-8")
    os.replace(fresh, done.folder / MANIFEST)
    for path in done.folder.glob("*.parquet"):
        if path.name not in names:
            path.unlink(missing_ok=True)
    return done


def write_part(folder: Path, kind: str, table: pa.Table) -> str:
    """写一块: its name holds the hash of its bytes, so that equal content is an equal file."""
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f"{kind}.writing"
    pq.write_table(table, fresh, compression="lz4", use_dictionary=True, write_statistics=False)
    with fresh.open("rb") as file:
        name = f"{kind}-{hashlib.file_digest(file, 'sha256').hexdigest()[:16]}.parquet"
    os.replace(fresh, folder / name)
    return name


def rows_table(rows: Sequence[FirmRow], dictionary: Dictionary) -> pa.Table:
    """成列: rows in id order to typed columns, in the order of their names."""
    sparse: dict[str, tuple[list[int], list[Any]]] = {}
    for i, row in enumerate(rows):
        for flat, value in row.values.items():
            held = sparse.get(flat)
            if held is None:
                held = sparse[flat] = ([], [])
            held[0].append(i)
            held[1].append(value)
    columns: dict[str, pa.Array] = {
        CODE: pa.array([row.code for row in rows], pa.string()),
        FIRM: pa.array([row.firm for row in rows], pa.int64()),
        UNTIL: pa.array([row.until for row in rows], pa.date32()),
        GONE: pa.array([row.code is None for row in rows], pa.bool_()),
    }
    for flat in sorted(sparse):
        at, values = sparse[flat]
        name = split(flat)[0]
        if name in LISTS:
            columns[flat] = _list_column(len(rows), at, values, dictionary)
        elif name in dictionary:
            columns[flat] = _column(len(rows), at, values, dictionary[name].kind)
    return pa.table(columns)


def merged(part: pa.Table, newer: pa.Table) -> pa.Table:
    """并入: a part with newer rows in the place of its own, in id order, without firms that are gone."""
    if not len(newer):
        return part
    old = part.filter(pc.invert(pc.is_in(part.column(FIRM), newer.column(FIRM))))
    fresh = newer.filter(pc.invert(newer.column(GONE)))
    fresh = fresh.select(
        [name for name in fresh.column_names if name in part.column_names or wanted(name, part)]
    )
    table = joined([old, fresh])
    return table.take(pc.sort_indices(table.column(FIRM)))


def wanted(name: str, part: pa.Table) -> bool:
    """A column the part lacks belongs in unless the part was read for some indicators only."""
    return (part.schema.metadata or {}).get(b"only") is None or name in OWN


def inside(newer: pa.Table, part: Part) -> pa.Table:
    """落在一块里的行."""
    firms = newer.column(FIRM)
    return newer.filter(pc.and_(pc.greater_equal(firms, part.first), pc.less_equal(firms, part.last)))


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """拼接: tables whose columns may differ; a column one lacks is null there."""
    return pa.concat_tables(tables, promote_options="permissive")


def without_own(table: pa.Table) -> pa.Table:
    """去掉快照自用的列."""
    return table.select([name for name in table.column_names if name not in OWN]).replace_schema_metadata(
        None
    )


def read_table(path: Path, only: set[str] | None) -> pa.Table:
    """读一块: all columns, or those of some indicators besides the snapshot's own."""
    if only is None:
        return pq.read_table(path)
    names = pq.read_schema(path).names
    table = pq.read_table(path, columns=[n for n in names if n in (CODE, *OWN) or split(n)[0] in only])
    return table.replace_schema_metadata({"only": "1"})


def dictionary_digest(dictionary: Dictionary) -> str:
    """字典摘要: what the columns were typed by."""
    plain = "\n".join(
        f"{name}|{spec.kind}|{spec.yearly}|{spec.fresh_for}" for name, spec in sorted(dictionary.items())
    )
    return hashlib.sha256(plain.encode()).hexdigest()[:16]


def _column(n: int, at: list[int], values: list[Any], kind: str) -> pa.Array:
    if kind in (kinds.MONEY, kinds.RATIO, kinds.COUNT, kinds.SPAN):
        numbers = np.full(n, np.nan)
        numbers[at] = values
        return pa.array(numbers / 100 if kind == kinds.MONEY else numbers, pa.float64(), from_pandas=True)
    dense: list[Any] = [None] * n
    for i, value in zip(at, values, strict=True):
        dense[i] = value
    if kind == kinds.DATE:
        return pa.array(np.array([v or "NaT" for v in dense], "datetime64[D]"), pa.date32())
    if kind == kinds.BOOL:
        return pa.array(dense, pa.bool_())
    if kind == kinds.LIST:
        return pa.array(dense, pa.list_(pa.string()))
    return pa.array(dense, pa.string())


def _list_column(n: int, at: list[int], values: list[Any], dictionary: Dictionary) -> pa.Array:
    """项目 and the like: a list of structs, whose fields are typed as columns are."""
    members = [member for rows in values for member in rows]
    fields = sorted({flat for member in members for flat in member} - {ROW_ID})
    columns = [pa.array([member[ROW_ID] for member in members], pa.string())]
    for flat in fields:
        there = [i for i, member in enumerate(members) if flat in member]
        spec = dictionary.get(split(flat)[0])
        columns.append(
            _column(len(members), there, [members[i][flat] for i in there], spec.kind if spec else kinds.TEXT)
        )
    structs = pa.StructArray.from_arrays(columns, [ROW_ID, *fields])
    lengths = np.zeros(n, np.int64)
    lengths[at] = [len(rows) for rows in values]
    missing = np.ones(n, bool)
    missing[at] = False
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))
    return pa.ListArray.from_arrays(offsets, structs, mask=pa.array(missing))
