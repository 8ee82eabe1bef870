"""快写表格: many workbooks of one form, each the form's parts with other words and rows; a night has a thousand of them.

The form is what `jobs.lists.write_sheet` writes for one row, so that both look the same; only cells are put in here.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

SHEET, BOOK = "xl/worksheets/sheet1.xml", "xl/workbook.xml"
STAMP = (1980, 1, 31, 0, 0, 0)  # the day XlsxWriter dates its parts
_HEX = re.compile("(_x[0-9a-fA-F]{4}_)")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")
_PLAIN = re.compile("[^&<>_\x00-\x1f\ufffe\uffff]*")
_MARK = "\ue0a0"


class SheetForm:
    """表格的样子: a title, `notes` lines under it, text and money columns with a frozen head."""

    def __init__(
        self,
        write: Callable[[Path, str, list[str], pd.DataFrame], None],
        columns: dict[str, bool],
        notes: int,
    ):
        """`write` writes one workbook whole; `columns` tells which hold money."""
        marks = [f"{_MARK}{i}{_MARK}" for i in range(notes + 1)]
        one = pd.DataFrame({name: [1.0] if money else ["x"] for name, money in columns.items()})
        packed = io.BytesIO()
        write(packed, marks[0], marks[1:], one)  # type: ignore[arg-type]
        with zipfile.ZipFile(packed) as archive:
            self._parts = {name: archive.read(name).decode() for name in archive.namelist()}
        sheet = self._parts[SHEET]
        self.first = notes + 3
        begin = sheet.index(f'<row r="{self.first}">')
        end = sheet.index("</sheetData>")
        self._head, row, self._tail = sheet[:begin], sheet[begin:end], sheet[end:]
        styles = re.findall(r'<c r="([A-Z]+)\d+" s="(\d+)"', row)
        self._letters = [letter for letter, _ in styles]
        by_money = {money: style for (_, style), money in zip(styles, columns.values(), strict=True)}
        self._text_style, self._money_style, self._notes = by_money[False], by_money.get(True, "0"), notes

    def write(self, path: Path, title: str, notes: Sequence[str], frame: pd.DataFrame) -> None:
        """写一本: the rows of the frame, at least one, whose columns are the form's."""
        if len(notes) != self._notes or not len(frame):
            raise ValueError("this form is for so many notes, and for at least one row")
        last = self.first + len(frame) - 1
        head = self._head
        for i, words in enumerate([title, *notes]):
            head = head.replace(f"<t>{_MARK}{i}{_MARK}</t>", _text(words))
        head = re.sub(r'(<dimension ref="A1:[A-Z]+)\d+"', rf'\g<1>{last}"', head)
        tail = re.sub(r'(<autoFilter ref="[A-Z]+\d+:[A-Z]+)\d+"', rf'\g<1>{last}"', self._tail)
        book = re.sub(r"(_FilterDatabase[^>]*>[^<]*\$)\d+<", rf"\g<1>{last}<", self._parts[BOOK])
        whole = {**self._parts, SHEET: head + self._rows(frame) + tail, BOOK: book}
        packed = io.BytesIO()  # a full disk then is one plain failure of one write
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name, text in whole.items():
                info = zipfile.ZipInfo(name, STAMP)
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, text.encode(), compresslevel=1)
        path.write_bytes(packed.getvalue())

    def _rows(self, frame: pd.DataFrame) -> str:
        numbers = range(self.first, self.first + len(frame))
        columns = [
            self._column(letter, frame[name].tolist(), numbers)
            for letter, name in zip(self._letters, frame.columns, strict=True)
        ]
        return "".join(
            f'<row r="{number}">{"".join(cells)}</row>'
            for number, cells in zip(numbers, zip(*columns, strict=True), strict=True)
        )

    def _column(self, letter: str, values: list[object], numbers: range) -> list[str]:
        known: dict[object, str] = {}
        out = []
        for value, number in zip(values, numbers, strict=True):
            rest = known.get(value)
            if rest is None:
                rest = known[value] = self._cell(value)
            out.append(f'<c r="{letter}{number}{rest}')
        return out

    def _cell(self, value: object) -> str:
        if isinstance(value, float):
            if value == value:
                return f'" s="{self._money_style}"><v>{value:.16G}</v></c>'
            value = "待定"
        elif isinstance(value, int) and not isinstance(value, bool):
            return f'"><v>{value}</v></c>'
        words = "" if value is None or value is pd.NA else str(value)
        return f'" s="{self._text_style}" t="inlineStr"><is>{_text(words)}</is></c>'


def _text(words: str) -> str:
    """A text element, escaped as XlsxWriter does it."""
    if not _PLAIN.fullmatch(words):
        words = _HEX.sub(r"_x005F\1", words)
        words = _CONTROL.sub(lambda found: f"_x{ord(found[0]):04X}_", words)
        words = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if words[:1].isspace() or words[-1:].isspace():
        return f'<t xml:space="preserve">{words}</t>'
    return f"<t>{words}</t>"
