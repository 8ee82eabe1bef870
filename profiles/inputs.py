"""企业数据文件: .jsonl, .csv and .parquet profiles as columns (the command contract of `huiqi match`)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from engine import kinds
from engine.columns import SUBJECT_LISTS, Builder, Categories, Columns, Key, Lists, SubRows, make_lists
from engine.errors import Place, Problem
from engine.indicators import Dictionary, Indicator
from engine.literal import parse_number

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

    return Builder(dictionary, complain, parse_number).build(codes, records)


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
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ProfilesError(f"{path.name} 不是 UTF-8 编码，请另存为 UTF-8") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ProfilesError(f"{path.name} 读不成表格：{error}") from None
    if CODE not in frame.columns:
        raise ProfilesError(f"{path.name} 没有“{CODE}”这一列")
    keep = _distinct(frame[CODE].tolist(), path, report, first_line=2)
    frame = frame.iloc[keep]
    columns = Columns(frame[CODE].tolist(), dictionary)
    for name in frame.columns:
        key = _key(name, dictionary, path, report)
        if key is None or (only is not None and key[0] not in only):
            continue
        _csv_column(columns, key, frame[name].tolist(), keep, dictionary[key[0]], path, report)
    return columns


def _csv_column(
    columns: Columns,
    key: Key,
    cells: list[str],
    keep: np.ndarray,
    spec: Indicator,
    path: Path,
    report: Report,
) -> None:
    def complain(row: int, column: str, message: str) -> None:
        report(Problem(2, message, Place(path.name, int(keep[row]) + 2, 1, column)))

    builder = Builder(columns.dictionary, complain, parse_number)
    name, year = key
    values: list[object] = [c.split(";") if spec.kind == kinds.LIST and c else c for c in cells]
    records: list[dict[str, object]] = [
        {name: v if year is None else {str(year): v}} if v else {} for v in values
    ]
    built = builder.build(columns.codes, records)
    columns.numbers.update(built.numbers)
    columns.categories.update(built.categories)
    columns.lists.update(built.lists)


def _read_parquet(path: Path, dictionary: Dictionary, report: Report, only: set[str] | None) -> Columns:
    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise ProfilesError(f"{path.name} 不是 Parquet 文件：{error}") from None
    return from_table(table, dictionary, report, path, only)


def from_table(
    table: pa.Table, dictionary: Dictionary, report: Report, path: Path, only: set[str] | None = None
) -> Columns:
    """由表造列: an Arrow table with one column an indicator (名称@2024 for a year)."""
    if CODE not in table.column_names:
        raise ProfilesError(f"{path.name} 没有“{CODE}”这一列")
    codes = table.column(CODE).cast(pa.string()).to_pylist()
    keep = _distinct(codes, path, report, first_line=1)
    if len(keep) != len(codes):
        table = table.take(pa.array(keep))
        codes = [codes[i] for i in keep]
    columns = Columns(codes, dictionary)
    for name in table.column_names:
        if name in SUBJECT_LISTS:
            _detail_column(columns, name, table.column(name).to_pylist(), path, report)
            continue
        key = _key(name, dictionary, path, report)
        if key is None or (only is not None and key[0] not in only):
            continue
        try:
            _arrow_column(columns, key, table.column(name), dictionary[key[0]])
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
            message = f"“{name}”应当是{dictionary[key[0]].kind}，这一列没有读入：{error}"
            report(Problem(2, message, Place(path.name, 1, 1, name)))
    return columns


def _detail_column(columns: Columns, name: str, rows: list, path: Path, report: Report) -> None:
    """Lists of details are few: they are read as records."""

    def complain(row: int, column: str, message: str) -> None:
        report(Problem(2, message, Place(path.name, row + 1, 1, column)))

    plain = [None if r is None else [_plain_row(part) for part in r] for r in rows]
    builder = Builder(columns.dictionary, complain, parse_number)
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


def _arrow_column(columns: Columns, key: Key, column: pa.ChunkedArray, spec: Indicator) -> None:
    if spec.kind == kinds.LIST:
        columns.lists[key] = _arrow_lists(column)
    elif spec.kind in (kinds.TEXT, kinds.CODE):
        columns.categories[key] = _arrow_categories(column)
    elif spec.kind == kinds.DATE:
        days = column.cast(pa.date32()).cast(pa.int32()).cast(pa.float64())
        columns.numbers[key] = days.to_numpy()
    else:
        if pa.types.is_string(column.type) or (
            spec.kind == kinds.BOOL and not pa.types.is_boolean(column.type)
        ):
            raise ValueError(f"类型是 {column.type}")
        if pa.types.is_boolean(column.type) and spec.kind != kinds.BOOL:
            raise ValueError(f"类型是 {column.type}")
        values = np.array(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
        values[~np.isfinite(values)] = np.nan
        columns.numbers[key] = values


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
    encoded = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(encoded, pa.ChunkedArray):
        encoded = pa.concat_arrays(encoded.chunks) if encoded.num_chunks else pa.array([]).dictionary_encode()
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
        report(Problem(1, f"没有“{base}”这个指标，这一列没有读入", place))
        return None
    if spec.yearly != bool(year):
        cure = f"请写成 {base}@2024" if spec.yearly else f"请写成 {base}"
        report(Problem(2, f"“{name}”这一列没有读入：{cure}", place))
        return None
    if year and not (year.isdigit() and len(year) == 4):
        report(Problem(2, f"“{name}”的年度应当是四位年份，这一列没有读入", place))
        return None
    return base, int(year) if year else None


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
