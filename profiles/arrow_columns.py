"""表列: Arrow columns in the engine's terms, all at once in threads or each when it is first looked at."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import local
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from engine import kinds
from engine.columns import (
    ROW_ID,
    SUBJECT_LISTS,
    Builder,
    Categories,
    Columns,
    Deferred,
    Floats,
    Key,
    Lists,
    SubRows,
    make_lists,
)
from engine.errors import Place, Problem
from engine.indicators import Dictionary, Indicator, column_meant
from profiles.cells import number_of
from profiles.firmcodes import FirmCodes, all_distinct, codes_of, floats_of

CODE = "统一社会信用代码"
Report = Callable[[Problem], None]
Read = Callable[[str], pa.ChunkedArray]


class ProfilesError(ValueError):
    """企业数据错误: the file as a whole can't be used."""


def columns_of(
    codes: pa.ChunkedArray, names: Sequence[str], read: Read, dictionary: Dictionary, report: Report, path: Path,
    only: set[str] | Future[set[str]] | None,
) -> Columns:  # fmt: skip
    """成列: the columns `read` gives, converted in threads; copies of whole columns are made outside the interpreter.

    Where it is not known yet which indicators are wanted, all are read meanwhile, and the others dropped unsaid.
    """
    texts, read = _firms(codes, read, path, report)
    columns = Columns(FirmCodes(texts), dictionary)
    plain: list[tuple[str, Key]] = []
    for name in names:
        if name in SUBJECT_LISTS:
            found = _detail_column(read(name), name, columns, path, report)
            if found is not None:
                columns.rows[name] = found
            continue
        key = key_of(name, dictionary, path, report)
        if key is not None and (only is None or isinstance(only, Future) or key[0] in only):
            plain.append((name, key))

    def convert(one: tuple[str, Key]) -> Floats | Categories | Lists | str:
        return _converted(read(one[0]), dictionary[one[1][0]])

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        converted = list(zip(plain, pool.map(convert, plain), strict=True))
    wanted = only.result() if isinstance(only, Future) else only
    for (name, key), column in converted:
        if wanted is None or key[0] in wanted:
            _keep(columns, name, key, column, path, report)
    return columns


def open_columns(path: Path, dictionary: Dictionary) -> Columns:
    """迟读的列: of a Parquet file that was read once without fault; each column is read when first looked at."""
    read, names = parquet_reader(path, dictionary)
    texts, read = _firms(read(CODE), read, path, _silent)
    columns = Columns(FirmCodes(texts), dictionary)
    loads: dict[str, dict[Any, Callable[[], Any]]] = {"numbers": {}, "categories": {}, "lists": {}}
    for name in names:
        key = None if name in SUBJECT_LISTS else key_of(name, dictionary, path, _silent)
        if key is not None:
            side = _side(dictionary[key[0]])
            loads[side][key] = partial(_load, read, name, dictionary[key[0]], len(columns))
    columns.numbers, columns.categories = Deferred(loads["numbers"]), Deferred(loads["categories"])
    columns.lists = Deferred(loads["lists"])
    columns.rows = Deferred(
        {n: partial(_load_detail, read, n, columns, path) for n in names if n in SUBJECT_LISTS}
    )
    return columns


def open_rows(
    path: Path, dictionary: Dictionary, rows: NDArray[np.int64], firms: int, only: Collection[str] | None = None
) -> Columns:  # fmt: skip
    """读几行: some rows, ascending, of a Parquet file of so many firms that was read once without fault; of its row groups
    those they stand in, one after another. `only` limits to some indicators (all years of each)."""
    names = pq.read_schema(path).names
    texts = _text_names(names, dictionary)
    wanted = None if only is None else [n for n in names if n == CODE or n.partition("@")[0] in only]
    file = pq.ParquetFile(path, memory_map=True, read_dictionary=texts)
    if file.metadata.num_rows != firms:  # a firm stands in it twice: row numbers are of those that were taken
        return open_columns(path, dictionary).take(rows.astype(np.intp))
    parts: list[pa.Table] = []
    begin = 0
    for group in range(file.metadata.num_row_groups):
        end = begin + file.metadata.row_group(group).num_rows
        mine = rows[np.searchsorted(rows, begin) : np.searchsorted(rows, end)]
        if len(mine) or not parts:
            found = file.read_row_group(group, wanted).take(pa.array(mine - begin))
            parts.append(_undictionaried(found))
        begin = end
    table = pa.concat_tables(parts)
    return columns_of(table.column(CODE), table.column_names, table.column, dictionary, _silent, path, None)


def _undictionaried(table: pa.Table) -> pa.Table:
    """Texts as themselves: some rows' dictionaries still hold the texts of all."""
    return pa.table(
        [c.cast(c.type.value_type) if pa.types.is_dictionary(c.type) else c for c in table.columns],
        names=table.column_names,
    )


def _text_names(names: Sequence[str], dictionary: Dictionary) -> list[str]:
    """Columns that are read as numbers into their texts."""
    return [n for n in names if (spec := dictionary.get(n.partition("@")[0])) and _is_text(spec)]


def parquet_reader(path: Path, dictionary: Dictionary) -> tuple[Read, list[str]]:
    """读列: a function that reads a column of a Parquet file by name, from any thread, and the names there are."""
    names = pq.read_schema(path).names
    if CODE not in names:
        raise ProfilesError(f"{path.name} 没有“{CODE}”这一列")
    texts = _text_names(names, dictionary)
    opened = local()

    def read(name: str) -> pa.ChunkedArray:
        if not hasattr(opened, "file"):  # one reader serves one thread at a time
            opened.file = pq.ParquetFile(path, memory_map=True, read_dictionary=texts)
        return opened.file.read([name], use_threads=False).column(0)

    return read, names


def _silent(_: Problem) -> None:
    """Of a file whose faults were told when it was first read."""


def _firms(codes: pa.ChunkedArray, read: Read, path: Path, report: Report) -> tuple[pa.Array, Read]:
    """The distinct codes, and `read` for their rows."""
    texts = codes.cast(pa.string()).combine_chunks()
    if all_distinct(texts):
        return texts, read
    keep = pa.array(distinct(texts.to_pylist(), path, report, range(1, len(texts) + 1)))
    return texts.take(keep), lambda name: read(name).take(keep)


def _side(spec: Indicator) -> str:
    """Where `Columns` has an indicator's column."""
    if spec.kind == kinds.LIST:
        return "lists"
    return "categories" if _is_text(spec) else "numbers"


def _is_text(spec: Indicator) -> bool:
    return spec.kind in (kinds.TEXT, kinds.CODE)


def _converted(column: pa.ChunkedArray, spec: Indicator) -> Floats | Categories | Lists | str:
    """A column, or why it is none."""
    try:
        return _arrow_column(column, spec)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
        return str(error)


def _load(read: Read, name: str, spec: Indicator, rows: int) -> Floats | Categories | Lists:
    """A column of a kept file; one that could not be read at the time is unknown for every firm, as it was then."""
    found = _converted(read(name), spec)
    if not isinstance(found, str):
        return found
    if spec.kind == kinds.LIST:
        return make_lists([None] * rows)
    return Categories(np.full(rows, -1, np.int32), ()) if _is_text(spec) else np.full(rows, np.nan)


def _load_detail(read: Read, name: str, columns: Columns, path: Path) -> SubRows:
    found = _detail_column(read(name), name, columns, path, _silent)
    n = len(columns)
    return found or SubRows(np.zeros(0, np.intp), (), Columns([], columns.dictionary), np.ones(n, bool))


def _keep(
    columns: Columns, name: str, key: Key, found: Floats | Categories | Lists | str, path: Path, report: Report
) -> None:  # fmt: skip
    if isinstance(found, str):
        message = f"“{name}”应当是{columns.dictionary[key[0]].kind}，这一列没有读入：{found}"
        report(Problem(2, message, Place(path.name, 1, 1, name)))
    else:
        _put(columns, key, found)


def _put(columns: Columns, key: Key, found: Floats | Categories | Lists) -> None:
    if isinstance(found, Categories):
        columns.categories[key] = found
    elif isinstance(found, Lists):
        columns.lists[key] = found
    else:
        columns.numbers[key] = found


def _detail_column(
    column: pa.ChunkedArray, name: str, columns: Columns, path: Path, report: Report
) -> SubRows | None:
    """明细行: whole columns of their fields where all are as the dictionary has them, else record by record with each
    fault told."""
    found = _detail_fields(column, columns.dictionary)
    if found is not None:
        return found if len(found.owner) or not found.missing.all() else None

    def complain(row: int, field: str, message: str) -> None:
        report(Problem(2, message, Place(path.name, row + 1, 1, field)))

    plain = [None if r is None else [_plain_row(part) for part in r] for r in column.to_pylist()]
    builder = Builder(columns.dictionary, complain, number_of)
    built = builder.build(columns.codes, [{} if r is None else {name: r} for r in plain])
    return built.rows.get(name)


def _detail_fields(column: pa.ChunkedArray, dictionary: Dictionary) -> SubRows | None:
    """The rows of a list of structs; None where a field is not plainly one of the dictionary's."""
    whole = column.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks) if whole.num_chunks else pa.array([], column.type)
    if not pa.types.is_list(whole.type) or not pa.types.is_struct(whole.type.value_type):
        return None
    parts = whole.flatten()  # without what stands under null lists
    if parts.null_count:
        return None
    missing = whole.is_null().to_numpy(zero_copy_only=False)
    lengths = whole.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    owner = np.repeat(np.arange(len(whole), dtype=np.intp), lengths)
    inner = Columns([""] * len(parts), dictionary)
    ids: tuple[str, ...] = ("",) * len(parts)
    for name, values in zip((f.name for f in whole.type.value_type), parts.flatten(), strict=True):
        if values.null_count == len(values):
            continue
        if name == ROW_ID:
            ids = tuple(str(v or "") for v in values.to_pylist())
        if not _detail_field(inner, name, values, dictionary):
            return None
    return SubRows(owner, ids, inner, missing)


def _detail_field(inner: Columns, name: str, values: pa.Array, dictionary: Dictionary) -> bool:
    """A field put among the rows' own columns; False where records have to be looked at one by one."""
    faults: list[Problem] = []
    key = key_of(name, dictionary, Path(), faults.append)
    if key is None or faults:
        return False
    found = _converted(pa.chunked_array([values]), dictionary[key[0]])
    if isinstance(found, str):
        return False
    if isinstance(found, Categories | Lists):
        if any(n != unicodedata.normalize("NFC", n) for n in found.names):
            return False
    elif pa.types.is_floating(values.type) and np.isinf(values.to_numpy(zero_copy_only=False)).any():
        return False
    _put(inner, key, found)
    return True


def _plain_row(part: dict[str, object]) -> dict[str, object]:
    """A detail row with its 名称@2024 columns folded into yearly mappings."""
    out: dict[str, object] = {}
    for name, value in part.items():
        base, _, year = name.partition("@")
        if value is None:
            continue
        if year:
            yearly = out.setdefault(base, {})
            assert isinstance(yearly, dict)
            yearly[year] = value
        else:
            out[name] = value
    return out


def _arrow_column(column: pa.ChunkedArray, spec: Indicator) -> Floats | Categories | Lists:
    """One column in the engine's terms. Raises ValueError, or Arrow's own errors, for another type."""
    if spec.kind == kinds.LIST:
        return _arrow_lists(column)
    if spec.kind in (kinds.TEXT, kinds.CODE):
        return _arrow_categories(column)
    if spec.kind == kinds.DATE:
        return floats_of(column.cast(pa.date32()).cast(pa.int32()).cast(pa.float64()))
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_string(column.type) or (spec.kind == kinds.BOOL and not pa.types.is_boolean(column.type)):
        raise ValueError(f"类型是 {column.type}")
    if pa.types.is_boolean(column.type) and spec.kind != kinds.BOOL:
        raise ValueError(f"类型是 {column.type}")
    values = floats_of(column.cast(pa.float64()))
    infinite = np.isinf(values)
    return np.where(infinite, np.nan, values) if infinite.any() else values


def _arrow_categories(column: pa.ChunkedArray) -> Categories:
    if not (
        pa.types.is_string(column.type)
        or pa.types.is_large_string(column.type)
        or pa.types.is_dictionary(column.type)
        or pa.types.is_null(column.type)
    ):
        raise ValueError(f"类型是 {column.type}")
    if pa.types.is_null(column.type):
        return Categories(np.full(len(column), -1, np.int32), ())
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    encoded = column.unify_dictionaries().combine_chunks()
    codes = codes_of(encoded.indices)
    names = tuple("" if n is None else str(n) for n in encoded.dictionary.to_pylist())
    if "" in names:
        codes[codes == names.index("")] = -1
    return Categories(codes, names)


def _arrow_lists(column: pa.ChunkedArray) -> Lists:
    if not (pa.types.is_list(column.type) or pa.types.is_large_list(column.type)):
        raise ValueError(f"类型是 {column.type}")
    return make_lists(column.to_pylist())


def key_of(name: str, dictionary: Dictionary, path: Path, report: Report) -> Key | None:
    """列名: the indicator and year that a column's name says, None where it says none of the dictionary's."""
    if name == CODE:
        return None
    base, _, year = name.partition("@")
    spec = dictionary.get(base)
    place = Place(path.name, 1, 1, name)
    if spec is None:
        report(Problem(1, f"没有“{base}”这个指标，这一列没有读入。{column_meant(name, dictionary)}", place))
        return None
    if spec.yearly != bool(year):
        cure = f"请写成 {base}@2024" if spec.yearly else f"请写成 {base}"
        report(Problem(2, f"“{name}”这一列没有读入：{cure}", place))
        return None
    if year and not (year.isdecimal() and len(year) == 4):
        report(Problem(2, f"“{name}”的年度应当是四位年份，这一列没有读入", place))
        return None
    return base, int(year) if year else None


def distinct(codes: list, path: Path, report: Report, lines: Sequence[int]) -> np.ndarray:
    """不重的行: rows with a code that no row before has; the others are told by their lines."""
    seen: dict[str, int] = {}
    keep = []
    for i, code in enumerate(codes):
        if not code:
            report(Problem(1, f"这一行没有“{CODE}”，没有读入", Place(path.name, lines[i])))
        elif code in seen:
            message = f"企业 {code} 重复，第 {seen[code]} 行已经有了；只用先出现的一行，请合并"
            report(Problem(4, message, Place(path.name, lines[i])))
        else:
            seen[code] = lines[i]
            keep.append(i)
    return np.array(keep, dtype=np.intp)
