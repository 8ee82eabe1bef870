"""快写表格: many workbooks of one form, each the form's parts with other words and rows; a night has a thousand of them.

The form is what `jobs.lists.write_sheet` writes for one row, so that both look the same; only cells are put in here. The
line under the title, which tells of which night a list is, and the time of making stand in small parts of their own at the
file's end: a list that says the same the next night is the same file with these two changed (`retold`).
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

SHEET, BOOK = "xl/worksheets/sheet1.xml", "xl/workbook.xml"
CORE, STRINGS = "docProps/core.xml", "xl/sharedStrings.xml"  # the last parts, in this order
TYPES, LINKS = "[Content_Types].xml", "xl/_rels/workbook.xml.rels"
_OFFICE = "http://schemas.openxmlformats.org"
_STRINGS = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    f'<sst xmlns="{_OFFICE}/spreadsheetml/2006/main" count="1" uniqueCount="1"><si>%s</si></sst>'
)
MADE = datetime(1980, 1, 31, tzinfo=UTC)
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
        self._tell_apart()
        styles = re.findall(r'<c r="([A-Z]+)\d+" s="(\d+)"', row)
        self._letters = [letter for letter, _ in styles]
        by_money = {money: style for (_, style), money in zip(styles, columns.values(), strict=True)}
        self._text_style, self._money_style, self._notes = by_money[False], by_money.get(True, "0"), notes

    def _tell_apart(self) -> None:
        """The first line under the title becomes a shared text."""
        line = re.compile(rf't="inlineStr"><is><t>{_MARK}1{_MARK}</t></is>')
        self._head, found = line.subn('t="s"><v>0</v>', self._head)
        if found != 1:
            raise ValueError("a form has a line under its title")
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
        part = f'<Override PartName="/{STRINGS}" ContentType="{kind}"/></Types>'
        self._parts[TYPES] = self._parts[TYPES].replace("</Types>", part)
        kind = f"{_OFFICE}/officeDocument/2006/relationships/sharedStrings"
        link = f'<Relationship Id="rIdTold" Type="{kind}" Target="sharedStrings.xml"/></Relationships>'
        self._parts[LINKS] = self._parts[LINKS].replace("</Relationships>", link)
        self._core = self._parts.pop(CORE)

    def write(
        self, path: Path, title: str, notes: Sequence[str], frame: pd.DataFrame, made: datetime = MADE
    ) -> None:
        """写一本: the rows of the frame, at least one, whose columns are the form's; `made` is what it says of its making."""
        if len(notes) != self._notes or not len(frame):
            raise ValueError("this form is for so many notes, and for at least one row")
        last = self.first + len(frame) - 1
        head = self._head
        for i, words in enumerate([title, *notes]):
            head = head.replace(f"<t>{_MARK}{i}{_MARK}</t>", _text(words))
        head = re.sub(r'(<dimension ref="A1:[A-Z]+)\d+"', rf'\g<1>{last}"', head)
        tail = re.sub(r'(<autoFilter ref="[A-Z]+\d+:[A-Z]+)\d+"', rf'\g<1>{last}"', self._tail)
        book = re.sub(r"(_FilterDatabase[^>]*>[^<]*\$)\d+<", rf"\g<1>{last}<", self._parts[BOOK])
        whole = {
            **self._parts,
            SHEET: head + self._rows(frame) + tail,
            BOOK: book,
            **self._told(notes[0], made),
        }
        packed = io.BytesIO()  # a full disk then is one plain failure of one write
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            _add(archive, whole)
        path.write_bytes(packed.getvalue())

    def retold(self, source: Path, path: Path, line: str, made: datetime = MADE) -> bool:
        """换一句: a workbook of this form of which only the line under the title and the time of making differ, its sheet taken
        as it is packed. False, and nothing written, where `source` is not there or no workbook of this form."""
        try:
            data = source.read_bytes()
            with zipfile.ZipFile(io.BytesIO(data)) as old:
                infos = old.infolist()
        except (OSError, zipfile.BadZipFile):
            return False
        names = [info.filename for info in infos]
        if names != [*self._parts, CORE, STRINGS]:
            return False
        packed = io.BytesIO(data[: infos[-2].header_offset])
        with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.filelist += infos[:-2]
            _add(archive, self._told(line, made))
        path.write_bytes(packed.getvalue())
        return True

    def _told(self, line: str, made: datetime) -> dict[str, str]:
        """The parts that differ from night to night."""
        core = re.sub(
            r">[^<]*</dcterms:(created|modified)>", rf">{made:%Y-%m-%dT%H:%M:%SZ}</dcterms:\1>", self._core
        )
        return {CORE: core, STRINGS: _STRINGS % _text(line)}

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


def _add(archive: zipfile.ZipFile, parts: dict[str, str]) -> None:
    for name, text in parts.items():
        info = zipfile.ZipInfo(name, STAMP)
        info.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(info, text.encode(), compresslevel=1)


def _text(words: str) -> str:
    """A text element, escaped as XlsxWriter does it."""
    if not _PLAIN.fullmatch(words):
        words = _HEX.sub(r"_x005F\1", words)
        words = _CONTROL.sub(lambda found: f"_x{ord(found[0]):04X}_", words)
        words = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if words[:1].isspace() or words[-1:].isspace():
        return f'<t xml:space="preserve">{words}</t>'
    return f"<t>{words}</t>"
