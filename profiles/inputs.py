"""企业数据文件: .jsonl, .csv and .parquet profiles as columns (the command contract of `huiqi match`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from engine.columns import Builder, Columns, Key
from engine.errors import Place, Problem
from engine.indicators import Dictionary
from profiles.arrow_columns import CODE, ProfilesError, Report, columns_of, distinct, key_of, parquet_reader
from profiles.cells import cell_of, header_fault, header_of, number_of
from profiles.codes import valid_codes, why_not

UNREAD = "\ufffd"  # what stands for bytes that an encoding does not have

__all__ = ["CODE", "ProfilesError", "from_table", "read_profiles"]


def read_profiles(
    path: Path, dictionary: Dictionary, report: Report, only: set[str] | Future[set[str]] | None = None
) -> Columns:
    """读企业数据: one row an enterprise; faults are reported with line and column, and the rest goes on.

    `only` limits tables to the named indicators, or what will be named while a Parquet is read. Raises ProfilesError where the file can't be read at all.
    """
    if path.is_dir():
        raise ProfilesError(f"{path} 是文件夹，请写明里面的哪个文件")
    if not path.is_file():
        raise ProfilesError(f"没有企业数据文件：{path}")
    suffix = path.suffix.lower()
    reader: Any = {".jsonl": _read_jsonl, ".csv": _read_csv, ".parquet": _read_parquet}.get(suffix)
    if reader is None:
        raise ProfilesError(f"不认识的企业数据格式：{path.name}（可以是 .jsonl .csv .parquet）")
    if suffix != ".parquet" and isinstance(only, Future):
        only = only.result()
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


def _why_no_json(error: ValueError | RecursionError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"从第 {error.colno} 个字起读不下去，请核对引号、逗号和括号"
    return "括号套得太深" if isinstance(error, RecursionError) else "有一个数太长"


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
            except (ValueError, RecursionError) as error:
                wrong = _why_no_json(error)
                report(Problem(0, f"这一行不是合法的 JSON，没有读入：{wrong}", Place(path.name, number)))
                continue
            if not isinstance(record, dict):
                report(Problem(0, "这一行应当是一个企业（{…}），没有读入", Place(path.name, number)))
                continue
            yield number, record


# ---------------------------------------------------------------- tables


def _read_csv(path: Path, dictionary: Dictionary, report: Report, only: set[str] | None) -> Columns:
    names, lines, rows = _csv_rows(path, report)
    headers = [header_of(name) for name in names]
    at = next((i for i, (name, _) in enumerate(headers) if name == CODE), None)
    if at is None:
        raise ProfilesError(f"{path.name} 没有“{CODE}”这一列")
    codes = [row[at].strip() for row in rows]
    keep = distinct(codes, path, report, lines)
    rows, lines = [rows[i] for i in keep], [lines[i] for i in keep]
    columns = Columns([codes[i] for i in keep], dictionary)
    _check_codes(columns.codes, lines, path, report)
    taken: dict[Key, str] = {}
    for i, (name, unit) in enumerate(headers):
        key = key_of(name, dictionary, path, report)
        if key is None or (only is not None and key[0] not in only):
            continue
        wrong = f"和“{taken[key]}”是同一列" if key in taken else header_fault(dictionary[key[0]], unit)
        if wrong:
            message = f"“{names[i]}”这一列没有读入：{wrong}"
            report(Problem(2, message, Place(path.name, 1, 1, names[i])))
            continue
        taken[key] = names[i]
        _csv_column(columns, key, [row[i] for row in rows], lines, unit, path, report)
    return columns


def _csv_rows(path: Path, report: Report) -> tuple[list[str], list[int], list[Sequence[str]]]:
    """Header, lines and rows of texts, whichever encoding the file is in; a row that is none is told and left out."""
    from profiles.reading import csv_rows  # for .csv alone
    from profiles.source import FileForm, SourceError

    lines: list[int] = []
    rows: list[Sequence[str]] = []
    try:
        with csv_rows(path, FileForm()) as (names, chunks, encoding):
            for chunk in chunks(len(names)):
                for line, _, why in chunk.bad:
                    report(Problem(0, f"{why}，没有读入", Place(path.name, line)))
                for line, row in zip(chunk.lines, chunk.rows, strict=True):
                    if UNREAD in "".join(row):
                        message = f"这一行有 {encoding.upper()} 读不出的字，没有读入；请整份另存为 UTF-8"
                        report(Problem(0, message, Place(path.name, line)))
                        continue
                    lines.append(line)
                    rows.append(row)
    except (SourceError, UnicodeError) as error:
        raise ProfilesError(f"{path.name} 读不成表格：{str(error).removeprefix(str(path)).strip()}") from None
    return names, lines, rows


def _csv_column(
    columns: Columns,
    key: Key,
    cells: list[str],
    lines: Sequence[int],
    unit: str,
    path: Path,
    report: Report,
) -> None:
    def complain(row: int, column: str, message: str) -> None:
        report(Problem(2, message, Place(path.name, lines[row], 1, column)))

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


def _read_parquet(
    path: Path, dictionary: Dictionary, report: Report, only: set[str] | Future[set[str]] | None
) -> Columns:
    """Only the columns that are used, one after another in each thread, so that one's memory serves the next."""
    try:
        read, names = parquet_reader(path, dictionary)
        return columns_of(read(CODE), names, read, dictionary, report, path, only)
    except (pa.ArrowException, OSError, UnicodeError, MemoryError):
        raise ProfilesError(f"{path.name} 不是可读的 Parquet（坏了或没有传完），请重新导出") from None


def from_table(
    table: pa.Table, dictionary: Dictionary, report: Report, path: Path, only: set[str] | None = None
) -> Columns:
    """由表造列: an Arrow table with one column an indicator (名称@2024 for a year)."""
    if CODE not in table.column_names:
        raise ProfilesError(f"{path.name} 没有“{CODE}”这一列")
    return columns_of(table.column(CODE), table.column_names, table.column, dictionary, report, path, only)


def _check_codes(codes: Sequence[str], lines: Sequence[int], path: Path, report: Report) -> None:
    """A code with a wrong check character is another firm's, or nobody's: said once, and the row is matched."""
    wrong = np.flatnonzero(~valid_codes(list(codes)))
    if len(wrong):
        first = int(wrong[0])
        message = f"{len(wrong)} 家的代码不合 GB 32100，请核对；第一家 {codes[first]}：{why_not(codes[first])}。照常比对"
        report(Problem(11, message, Place(path.name, int(lines[first]), 1, CODE), level="warning"))
