"""外来的表: rows of a .csv (UTF-8 or GB18030) or .xlsx that people hand in, with their line numbers."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from profiles.reading import tell_encoding
from profiles.source import SourceError
from profiles.workbook import open_book, sheet_rows


def read_rows(path: Path, columns: Sequence[str], what: str) -> Iterator[tuple[int, dict[str, str]]]:
    """读表: line number and trimmed cells of each row that is not empty. Raises ValueError for a file that is no `what`."""
    if not path.is_file():
        raise ValueError(f"{path}：没有这个文件")
    rows = _excel(path) if path.suffix.lower() in (".xlsx", ".xlsm") else _csv(path)
    _, head = next(rows, (1, []))
    names = [n.strip().lstrip("\ufeff") for n in head]
    lacking = [c for c in columns if c not in names]
    if lacking:
        raise ValueError(f"{path.name}:1 {what}缺这些列：{'、'.join(lacking)}；要有：{'、'.join(columns)}")
    place = {c: names.index(c) for c in columns}
    for line, cells in rows:
        found = {c: cells[i].strip() if i < len(cells) else "" for c, i in place.items()}
        if any(found.values()):
            yield line, found


def _csv(path: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        with path.open(encoding=tell_encoding(path), newline="") as handle:
            reader = csv.reader(handle)
            for cells in reader:
                yield reader.line_num, cells
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path.name}：第 {error.start + 1} 个字节起认不出文字，请存成 UTF-8 或 GBK 的 .csv"
        ) from None
    except csv.Error as error:
        raise ValueError(f"{path.name}：不是完整的 .csv（{error}），请重新导出") from None


def _excel(path: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        book = open_book(path)
    except SourceError as error:  # whoever handed it in knows its name, not where it lies here
        raise ValueError(f"{path.name}：{str(error).removeprefix(str(path)).strip()}") from None
    try:
        for line, cells in enumerate(sheet_rows(path, book)[0], 1):
            yield line, [_text(cell) for cell in cells]
    finally:
        book.close()


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def read_fen(text: str) -> int:
    """读金额: positive yuan with at most two decimals, in fen. Raises ValueError."""
    try:
        yuan = Decimal(text.replace(",", "").replace("，", ""))
    except InvalidOperation:
        raise ValueError(f"金额“{text}”不是数") from None
    if not yuan.is_finite() or yuan <= 0 or yuan >= 10**13 or yuan * 100 != int(yuan * 100):
        raise ValueError(f"金额“{text}”要是正数、到分为止")
    return int(yuan * 100)


def read_day(text: str, what: str) -> date:
    """读日期. Raises ValueError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{what}“{text}”要写成 2026-06-12") from None
