"""快写表格: many workbooks of one form, each the form's parts with other words and rows; a night has a thousand of them.

The form is what `jobs.lists.write_sheet` writes for one row, so that both look the same; only cells are put in here.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pandas as pd

SHEET, BOOK = "xl/worksheets/sheet1.xml", "xl/workbook.xml"
STAMP = (1980, 1, 31, 0, 0, 0)  # the day XlsxWriter dates its parts
_HEX = re.compile("(_x[0-9a-fA-F]{4}_)")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")
_PLAIN = re.compile("[^&<>_\x00-\x1f\ufffe\uffff]*")
_PLAINEST = re.compile(r"[^&<>_\s\x00-\x1f\ufffe\uffff]*")  # and no blank, which at an end has to be said
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
        numbers = [str(n) for n in range(self.first, self.first + len(frame))]
        parts: list[Iterable[str]] = [numbers]
        for name in frame.columns:
            parts += [numbers, self._cells(frame[name].tolist())]
        cells = "".join(f'<c r="{letter}%s%s' for letter in self._letters)
        # a row at once, by nothing but the interpreter's own loops
        return "".join(map(f'<row r="%s">{cells}</row>'.__mod__, zip(*parts, strict=True)))

    def _cells(self, values: list[object]) -> Iterable[str]:
        """What follows a cell's row number, value by value; each distinct value is made once."""
        distinct = dict.fromkeys(values)
        texts = [v for v in distinct if type(v) is str]
        known: dict[object, str]
        if len(texts) == len(distinct) and _PLAINEST.fullmatch("".join(texts)):
            begin, end = f'" s="{self._text_style}" t="inlineStr"><is><t>', "</t></is></c>"
            known = {text: f"{begin}{text}{end}" for text in texts}
        else:
            known = {value: self._cell(value) for value in distinct}
        return map(known.__getitem__, values)

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
