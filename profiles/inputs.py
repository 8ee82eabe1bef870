"""企业数据文件: .jsonl, .csv and .parquet profiles as columns (the command contract of `huiqi match`)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import local
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine import kinds
from engine.columns import (
    SUBJECT_LISTS,
    Builder,
    Categories,
    Columns,
    Floats,
    Key,
    Lists,
    SubRows,
    make_lists,
)
from engine.errors import Place, Problem
from engine.indicators import Dictionary, Indicator, column_meant
from profiles.cells import cell_of, header_fault, header_of, number_of
from profiles.codes import valid_codes, why_not
from profiles.encoding import tell_encoding
from profiles.firmcodes import FirmCodes, all_distinct, floats_of

CODE = "统一社会信用代码"
Report = Callable[[Problem], None]


class ProfilesError(ValueError):
    """企业数据错误: the file as a whole can't be used."""


def read_profiles(
    path: Path, dictionary: Dictionary, report: Report, only: set[str] | None = None
) -> Columns:
    """读企业数据: one row an enterprise; faults are reported with line and column, and the rest goes on.

    `only` limits tables to the named indicators. Raises ProfilesError where the file can't be read at all.
    """
    if not path.is_file():
        raise ProfilesError(f"没有企业数据文件：{path}")
    reader = {".jsonl": _read_jsonl, ".csv": _read_csv, ".parquet": _read_parquet}.get(path.suffix.lower())
    if reader is None:
        raise ProfilesError(f"不认识的企业数据格式：{path.name}（可以是 .jsonl .csv .parquet）")
    return reader(path, dictionary, report, only)


# ---------------------------------------------------------------- JSON lines


def _read_jsonl(path: Path, dictionary: Dictionary, report: Report, only: set[str] | None) -> Columns:
    codes: list[str] = []
    lines: list[int] = []
    records: list[dict[str, object]] = []
    seen: dict[str, int] = {}
    for number, record in _json_rows(path, report):
        code = record.pop(CODE, None)
        if not isinstance(code, str) or not code.strip():
            report(Problem(1, f"这一行没有“{CODE}”，没有读入", Place(path.name, number)))
            continue
        if code in seen:
            message = f"企业 {code} 重复，第 {seen[code]} 行已经有了；只用先出现的一行，请合并"
            report(Problem(4, message, Place(path.name, number)))
            continue
        seen[code] = number
        codes.append(code)
        lines.append(number)
        records.append(record)

    def complain(row: int, column: str, message: str) -> None:
        report(Problem(2, message, Place(path.name, lines[row], 1, column)))

    _check_codes(codes, lines, path, report)
    return Builder(dictionary, complain, number_of).build(codes, records)


def _json_rows(path: Path, report: Report) -> Iterator[tuple[int, dict[str, object]]]:
    with path.open("rb") as handle:
        for number, raw in enumerate(handle, 1):
            if not raw.strip():
                continue
            try:
                record = json.loads(raw.decode("utf-8-sig"))
            except UnicodeDecodeError:
                report(Problem(0, "这一行不是 UTF-8 编码，没有读入", Place(path.name, number)))
                continue
            except (json.JSONDecodeError, RecursionError) as error:
                report(Problem(0, f"这一行不是合法的 JSON，没有读入：{error}", Place(path.name, number)))
                continue
            if not isinstance(record, dict):
                report(Problem(0, "这一行应当是一个企业（{…}），没有读入", Place(path.name, number)))
                continue
            yield number, record


# ---------------------------------------------------------------- tables


def _read_csv(path: Path, dictionary: Dictionary, report: Report, only: set[str] | None) -> Columns:
    frame = _csv_frame(path)
    headers = [header_of(str(name)) for name in frame.columns]
    at = next((i for i, (name, _) in enumerate(headers) if name == CODE), None)
    if at is None:
        raise ProfilesError(f"{path.name} 没有“{CODE}”这一列")
    keep = _distinct(frame.iloc[:, at].str.strip().tolist(), path, report, first_line=2)
    frame = frame.iloc[keep]
    columns = Columns(frame.iloc[:, at].str.strip().tolist(), dictionary)
    _check_codes(columns.codes, [int(i) + 2 for i in keep], path, report)
    taken: dict[Key, str] = {}
    for i, (name, unit) in enumerate(headers):
        key = _key(name, dictionary, path, report)
        if key is None or (only is not None and key[0] not in only):
            continue
        wrong = f"和“{taken[key]}”是同一列" if key in taken else header_fault(dictionary[key[0]], unit)
        if wrong:
            message = f"“{frame.columns[i]}”这一列没有读入：{wrong}"
            report(Problem(2, message, Place(path.name, 1, 1, frame.columns[i])))
            continue
        taken[key] = frame.columns[i]
        _csv_column(columns, key, frame.iloc[:, i].tolist(), keep, unit, path, report)
    return columns


def _csv_frame(path: Path) -> Any:
    """The cells as texts, whichever encoding the file is in."""
    import pandas as pd  # a third of a second, for .csv alone

    told = tell_encoding(path)
    for encoding in dict.fromkeys(("utf-8-sig" if told == "utf-8" else told, "gb18030")):
        try:
            return pd.read_csv(path, dtype=str, keep_default_na=False, encoding=encoding)
        except UnicodeError:
            continue
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            raise ProfilesError(f"{path.name} 读不成表格：{error}") from None
    raise ProfilesError(f"{path.name} 既不是 UTF-8 也不是 GB18030 编码，请另存为 UTF-8")


def _csv_column(
    columns: Columns,
    key: Key,
    cells: list[str],
    keep: np.ndarray,
    unit: str,
    path: Path,
    report: Report,
) -> None:
    def complain(row: int, column: str, message: str) -> None:
        report(Problem(2, message, Place(path.name, int(keep[row]) + 2, 1, column)))

    builder = Builder(columns.dictionary, complain, number_of)
    name, year = key
    spec, values = columns.dictionary[name], []
    for row, cell in enumerate(cells):
        try:
            values.append(cell_of(cell, spec, unit) if cell.strip() else "")
        except ValueError as error:
            complain(row, name if year is None else f"{name}@{year}", str(error))
            values.append("")
    records: list[dict[str, object]] = [
        {} if v == "" else {name: v if year is None else {str(year): v}} for v in values
    ]
    built = builder.build(columns.codes, records)
    columns.numbers.update(built.numbers)
    columns.categories.update(built.categories)
    columns.lists.update(built.lists)


def _read_parquet(path: Path, dictionary: Dictionary, report: Report, only: set[str] | None) -> Columns:
    """Only the columns that are used, one after another in each thread, so that one's memory serves the next."""
    try:
        names = pq.read_schema(path).names
        if CODE not in names:
            raise ProfilesError(f"{path.name} 没有“{CODE}”这一列")
        codes, opened = pq.read_table(path, columns=[CODE]).column(CODE), local()

        def read(name: str) -> pa.ChunkedArray:
            if not hasattr(opened, "file"):  # one reader serves one thread at a time
                opened.file = pq.ParquetFile(path, memory_map=True, read_dictionary=texts)
            return opened.file.read([name], use_threads=False).column(0)

        texts = [
            n
            for n in names
            if n.partition("@")[0] in dictionary and _is_text(dictionary[n.partition("@")[0]])
        ]
        return _columns(codes, names, read, dictionary, report, path, only)
    except (pa.ArrowInvalid, OSError) as error:
        raise ProfilesError(f"{path.name} 不是 Parquet 文件：{error}") from None


def _is_text(spec: Indicator) -> bool:
    return spec.kind in (kinds.TEXT, kinds.CODE)


def from_table(
    table: pa.Table, dictionary: Dictionary, report: Report, path: Path, only: set[str] | None = None
) -> Columns:
    """由表造列: an Arrow table with one column an indicator (名称@2024 for a year)."""
    if CODE not in table.column_names:
        raise ProfilesError(f"{path.name} 没有“{CODE}”这一列")
    return _columns(table.column(CODE), table.column_names, table.column, dictionary, report, path, only)


def _columns(
    codes: pa.ChunkedArray, names: Sequence[str], read: Callable[[str], pa.ChunkedArray], dictionary: Dictionary,
    report: Report, path: Path, only: set[str] | None,
) -> Columns:  # fmt: skip
    """The columns `read` gives, converted in threads; copies of whole columns are made outside the interpreter."""
    texts = codes.cast(pa.string()).combine_chunks()
    keep = None
    if not all_distinct(texts):
        keep = pa.array(_distinct(texts.to_pylist(), path, report, first_line=1))
        texts = texts.take(keep)
    columns = Columns(FirmCodes(texts), dictionary)
    plain: list[tuple[str, Key]] = []
    for name in names:
        if name in SUBJECT_LISTS:
            rows = read(name) if keep is None else read(name).take(keep)
            _detail_column(columns, name, rows.to_pylist(), path, report)
            continue
        key = _key(name, dictionary, path, report)
        if key is not None and (only is None or key[0] in only):
            plain.append((name, key))

    def convert(one: tuple[str, Key]) -> Floats | Categories | Lists | str:
        column = read(one[0]) if keep is None else read(one[0]).take(keep)
        try:
            return _arrow_column(column, dictionary[one[1][0]])
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
            return str(error)

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for (name, key), found in zip(plain, pool.map(convert, plain), strict=True):
            _keep(columns, name, key, found, path, report)
    return columns


def _keep(
    columns: Columns, name: str, key: Key, found: Floats | Categories | Lists | str, path: Path, report: Report
) -> None:  # fmt: skip
    if isinstance(found, str):
        message = f"“{name}”应当是{columns.dictionary[key[0]].kind}，这一列没有读入：{found}"
        report(Problem(2, message, Place(path.name, 1, 1, name)))
    elif isinstance(found, Categories):
        columns.categories[key] = found
    elif isinstance(found, Lists):
        columns.lists[key] = found
    else:
        columns.numbers[key] = found


def _detail_column(columns: Columns, name: str, rows: list, path: Path, report: Report) -> None:
    """Lists of details are few: they are read as records."""

    def complain(row: int, column: str, message: str) -> None:
        report(Problem(2, message, Place(path.name, row + 1, 1, column)))

    plain = [None if r is None else [_plain_row(part) for part in r] for r in rows]
    builder = Builder(columns.dictionary, complain, number_of)
    built = builder.build(columns.codes, [{} if r is None else {name: r} for r in plain])
    found: SubRows | None = built.rows.get(name)
    if found is not None:
        columns.rows[name] = found


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
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    names = tuple("" if n is None else str(n) for n in encoded.dictionary.to_pylist())
    if "" in names:
        codes[codes == names.index("")] = -1
    return Categories(codes, names)


def _arrow_lists(column: pa.ChunkedArray) -> Lists:
    if not (pa.types.is_list(column.type) or pa.types.is_large_list(column.type)):
        raise ValueError(f"类型是 {column.type}")
    return make_lists(column.to_pylist())


def _key(name: str, dictionary: Dictionary, path: Path, report: Report) -> Key | None:
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


def _check_codes(codes: Sequence[str], lines: Sequence[int], path: Path, report: Report) -> None:
    """A code with a wrong check character is another firm's, or nobody's: said once, and the row is matched."""
    wrong = np.flatnonzero(~valid_codes(list(codes)))
    if len(wrong):
        first = int(wrong[0])
        message = f"{len(wrong)} 家的代码不合 GB 32100，请核对；第一家 {codes[first]}：{why_not(codes[first])}。照常比对"
        report(Problem(11, message, Place(path.name, int(lines[first]), 1, CODE), level="warning"))


def _distinct(codes: list, path: Path, report: Report, first_line: int) -> np.ndarray:
    seen: dict[str, int] = {}
    keep = []
    for i, code in enumerate(codes):
        if not code:
            report(Problem(1, f"这一行没有“{CODE}”，没有读入", Place(path.name, i + first_line)))
        elif code in seen:
            message = f"企业 {code} 重复，第 {seen[code]} 行已经有了；只用先出现的一行，请合并"
            report(Problem(4, message, Place(path.name, i + first_line)))
        else:
            seen[code] = i + first_line
            keep.append(i)
    return np.array(keep, dtype=np.intp)
