"""工作簿: an .xlsx as a stream of rows, whose formulas are believed only where the file holds what they came to."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from engine.archives import why_not_office
from profiles.source import SourceError

NOT_SOUND = "不是完好的 .xlsx，请用 Excel 或 WPS 打开后另存为新的一份"
PIECE = 1 << 20
FORMULA = re.compile(rb"<(?:\w+:)?f[ />]")
STALE = re.compile(rb"fullCalcOnLoad=[\"'](?:1|true)[\"']")


class Uncomputed(str):
    """没算过的公式: the formula of a cell whose value the file does not hold; `column` is its letter."""

    column: str

    def __new__(cls, formula: str, column: str) -> Uncomputed:
        cell = super().__new__(cls, formula)
        cell.column = column
        return cell

    @property
    def why(self) -> str:
        """The message of the row."""
        shown = f"{self[:40]}…" if len(self) > 40 else self
        return f"{self.column}列是没有算过的公式（{shown}），请用 Excel 或 WPS 打开、另存一次再导入"


def open_book(path: Path) -> Any:
    """打开工作簿: an .xlsx to be read as a stream. Raises SourceError for one that is not sound."""
    wrong = why_not_office(str(path), None)
    if wrong:
        raise SourceError(f"{path}  {wrong}")
    return _load(path, values=True)


def _load(path: Path, values: bool) -> Any:
    from openpyxl import load_workbook

    try:
        return load_workbook(path, read_only=True, data_only=values)
    except (
        Exception
    ) as error:  # openpyxl trusts the XML and fails in any way at all (scripts/fuzz_parsers.py)
        raise SourceError(f"{path}  {NOT_SOUND}") from error


def sheet_rows(
    path: Path, book: Any, sheet: str = "", first: int = 1
) -> tuple[Iterator[Sequence[object]], int]:
    """工作表的行: cells from line `first` on and the number of lines; "" is the first sheet. A formula that was never
    computed comes as `Uncomputed`: neither as a blank nor as the 0 some programs write in its place. Raises SourceError,
    while rows are read too.
    """
    try:
        page = book[sheet or book.sheetnames[0]]
        rows = page.iter_rows(min_row=first, values_only=True)
        if _has_formulas(path, page):
            rows = _told(path, page.title, rows, first)
        return _sound(path, rows), max(page.max_row or 1, 1)
    except Exception as error:
        raise SourceError(f"{path}  {NOT_SOUND}") from error


def _has_formulas(path: Path, page: Any) -> bool:
    """Whether the sheet's XML holds any formula: most sheets don't, and reading twice costs twice."""
    with zipfile.ZipFile(path) as archive, archive.open(page._worksheet_path) as file:
        tail = b""
        while piece := file.read(PIECE):
            if FORMULA.search(tail + piece):
                return True
            tail = piece[-16:]
    return False


def _told(
    path: Path, sheet: str, values: Iterator[Sequence[object]], first: int
) -> Iterator[Sequence[object]]:
    """Rows of values, with the formulas that have none. A book that says it must be computed on loading (fullCalcOnLoad,
    as programs write it that compute nothing) holds placeholders.
    """
    from openpyxl.utils import get_column_letter

    with zipfile.ZipFile(path) as archive:
        stale = STALE.search(archive.read("xl/workbook.xml")) is not None
    book = _load(path, values=False)
    try:
        written = book[sheet].iter_rows(min_row=first, values_only=True)
        for cells, formulas in zip(values, written, strict=True):
            out = list(cells)
            for i, formula in enumerate(formulas):
                if isinstance(formula, str) and formula.startswith("=") and (stale or cells[i] is None):
                    out[i] = Uncomputed(formula, get_column_letter(i + 1))
            yield out
    finally:
        book.close()


def _sound(path: Path, rows: Iterator[Sequence[object]]) -> Iterator[Sequence[object]]:
    try:
        yield from rows
    except Exception as error:
        raise SourceError(f"{path}  {NOT_SOUND}") from error
