"""导出: Excel that no cell turns into a formula, CSV likewise, and one match's evidence on paper as PDF."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape

import pylopdf_fonts_zh_cn
import xlsxwriter
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

SAFE = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "constant_memory": True,  # rows go to a file as they come: a whole list of 10^5 firms takes no more memory than a page
}
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
MONEY, WIDE = (
    "万元",
    {
        "企业名称": 34,
        "统一社会信用代码": 22,
        "还差什么": 40,
        "事项": 30,
        "理由": 30,
        "为什么": 40,
        "政策依据": 36,
    },
)


def workbook(title: str, notes: Sequence[str], head: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Excel 文件: title, where it comes from, frozen head, codes as text, numbers as numbers, A4 landscape."""
    kept = list(rows)
    return b"".join(book_parts(title, notes, head, [kept], len(kept)))


def book_parts(
    title: str, notes: Sequence[str], head: Sequence[str], portions: Iterable[Sequence[Sequence[Any]]], count: int
) -> Iterator[bytes]:  # fmt: skip
    """Excel 文件, part by part as its `count` rows come, so that a long list begins to arrive at once and takes no memory.

    The form is XlsxWriter's, with one row; rows are put in here, ten times as fast as cell by cell. Raises ValueError where
    the portions hold another number of rows than was said.
    """
    form, styles = _form(title, notes, head, count)
    buffer = _Pipe()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in form.items():
            if name != SHEET:
                archive.writestr(zipfile.ZipInfo(name, STAMP), data, zipfile.ZIP_DEFLATED, 1)
        begin, _, end = form[SHEET].partition(ROWS_HERE)
        info = zipfile.ZipInfo(SHEET, STAMP)
        info.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(info, "w") as sheet:
            sheet.write(begin)
            first = last = len(notes) + 3  # Excel counts from 1, and the head stands above
            for rows in portions:
                sheet.write(_cells(rows, last, styles, len(head)))
                last += len(rows)
                yield buffer.taken()
            if last - first != count:
                raise ValueError(f"said {count} rows, got {last - first}")
            sheet.write(end)
    yield buffer.taken()


SHEET, STAMP = "xl/worksheets/sheet1.xml", (1980, 1, 31, 0, 0, 0)
MOST_ROWS = 1_048_000  # a sheet of Excel holds 2^20
ROWS_HERE = b"<!--rows-->"
LETTERS = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"] + [f"A{c}" for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
_ODD = re.compile("[&<>\x00-\x08\x0b-\x1f\ufffe\uffff]|_x[0-9a-fA-F]{4}_|^\\s|\\s$")
_ODD_LINE = re.compile(_ODD.pattern, re.MULTILINE)  # the same in any of many texts, a line each
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")


class _Pipe(io.RawIOBase):
    """管道: what was written since it was last taken; a zip written to it needs no seeking."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _cells(rows: Sequence[Sequence[Any]], first: int, styles: tuple[str, str, str], width: int) -> bytes:
    """行的 XML, column by column."""
    numbers = [str(n) for n in range(first, first + len(rows))]
    columns = [
        _column(LETTERS[j], column, numbers, styles)
        for j, column in enumerate(zip(*rows, strict=True))
        if j < width
    ]
    return "".join(
        f'<row r="{n}">{"".join(cells)}</row>' for n, *cells in zip(numbers, *columns, strict=True)
    ).encode()


def _column(
    letter: str, values: Sequence[Any], numbers: list[str], styles: tuple[str, str, str]
) -> list[str]:
    """一列的 XML. Most columns are of one type and hold nothing that XML must be told of: those are written at a stroke."""
    text, money, count = styles
    kinds = set(map(type, values))
    if kinds == {str} and not _ODD_LINE.search("\n".join(values)):
        begin, end = f'" s="{text}" t="inlineStr"><is><t>', "</t></is></c>"
        return [f'<c r="{letter}{n}{begin}{value}{end}' for n, value in zip(numbers, values, strict=True)]
    if kinds in ({int}, {float}):
        begin = f'" s="{count if kinds == {int} else money}"><v>'
        return [
            f'<c r="{letter}{n}{begin}{value!r}</v></c>' for n, value in zip(numbers, values, strict=True)
        ]
    return [f'<c r="{letter}{n}" {_cell_xml(v, styles)}' for n, v in zip(numbers, values, strict=True)]


def _cell_xml(value: Any, styles: tuple[str, str, str]) -> str:
    """一格, after its place: empty, a text, or a number by its kind."""
    text, money, count = styles
    if value is None:
        return f's="{text}"/>'
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f's="{text}" t="inlineStr"><is>{_text(str(value))}</is></c>'
    return f's="{count if isinstance(value, int) else money}"><v>{value!r}</v></c>'


def _text(words: str) -> str:
    """文字 of a cell: never a formula; what XML cannot hold is written as Excel writes it."""
    if not _ODD.search(words):
        return f"<t>{words}</t>"
    words = re.sub("(_x[0-9a-fA-F]{4}_)", r"_x005F\1", words)
    words = _CONTROL.sub(lambda m: f"_x{ord(m[0]):04X}_", words)
    return f'<t xml:space="preserve">{escape(words)}</t>'


def _form(
    title: str, notes: Sequence[str], head: Sequence[str], count: int
) -> tuple[dict[str, bytes], tuple[str, str, str]]:
    """表格的样子: the parts of the file with a mark where the rows go, and the styles of text, money and count."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, SAFE)
    sheet = book.add_worksheet("名单")
    bold, small = (
        book.add_format({"bold": True, "font_size": 14}),
        book.add_format({"font_color": "#666d76", "font_size": 9}),
    )
    top = book.add_format({"bold": True, "bottom": 1, "top": 2, "text_wrap": True, "valign": "vcenter"})
    text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
    money = book.add_format({"num_format": "#,##0.00", "valign": "top"})
    whole = book.add_format({"num_format": "0", "valign": "top"})
    for j, name in enumerate(head):
        sheet.set_column(j, j, WIDE.get(name, 14))
    sheet.write_string(0, 0, title, bold)
    for i, note in enumerate(notes, 1):
        sheet.write_string(i, 0, note, small)
    first = len(notes) + 1
    for j, name in enumerate(head):
        sheet.write_string(first, j, name, top)
    sheet.write_string(first + 1, 0, "", text)
    sheet.write_number(first + 1, 1, 0, money)
    sheet.write_number(first + 1, 2, 0, whole)
    sheet.freeze_panes(first + 1, min(2, len(head)))
    sheet.repeat_rows(first)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L惠企直达&R第 &P 页，共 &N 页")
    if count:
        sheet.autofilter(first, 0, first + count, len(head) - 1)
    book.close()
    with zipfile.ZipFile(out) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    xml = parts[SHEET].decode()
    begin, end = xml.index(f'<row r="{first + 2}"'), xml.index("</sheetData>")
    styles = re.findall(r'<c r="[A-Z]+\d+" s="(\d+)"', xml[begin:end])
    last = f"{LETTERS[max(len(head), 3) - 1]}{first + 1 + count}"
    above = re.sub(r'<dimension ref="A1:[A-Z]+\d+"', f'<dimension ref="A1:{last}"', xml[:begin])
    parts[SHEET] = above.encode() + ROWS_HERE + xml[end:].encode()
    return parts, (styles[0], styles[1], styles[2])


def comma_parts(
    notes: Sequence[str], head: Sequence[str], portions: Iterable[Sequence[Sequence[Any]]]
) -> Iterator[bytes]:
    """CSV 文件, part by part: with a byte order mark for Excel; a text that begins like a formula gets an apostrophe."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerows([[f"# {note}"] for note in notes])
    writer.writerow(head)
    yield b"\xef\xbb\xbf" + out.getvalue().encode()
    for rows in portions:
        out.seek(0)
        out.truncate()
        writer.writerows([[_cell(v) for v in row] for row in rows])
        yield out.getvalue().encode()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(DANGEROUS):
        return "'" + value
    return value


# ---------------------------------------------------------------- paper


@lru_cache(maxsize=2)
def page_font(song: bool) -> FontProperties:
    """字体: 宋体 for the policy's words, else 黑体."""
    path = pylopdf_fonts_zh_cn.serif_path() if song else pylopdf_fonts_zh_cn.sans_path()
    return FontProperties(fname=str(path))


@lru_cache(maxsize=1)
def warm_paper() -> None:
    """预热: read the fonts, whole of Chinese each, so that the first evidence on paper does not wait for them."""
    paper = Paper("预热")
    paper.say("预热", song=True)
    paper.say("预热")
    paper.done()


class Paper:
    """纸: A4 pages filled from the top; the policy speaks in 宋体, the office in 黑体."""

    WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 210.0, 297.0, 16.0, 280.0, 22.0

    def __init__(self, foot: str):
        self.out = io.BytesIO()
        self.pages = PdfPages(self.out, metadata={"Creator": "huiqi", "CreationDate": None})
        self.foot, self.number = foot, 0
        self.figure = Figure()
        self.y = self.TOP
        self._turn()

    def _turn(self) -> None:
        if self.number:
            self.pages.savefig(self.figure)
        self.number += 1
        self.figure = Figure(figsize=(self.WIDTH / 25.4, self.HEIGHT / 25.4))
        self.y = self.TOP
        self._put(self.LEFT, 12, f"{self.foot}　第 {self.number} 页", 7.5, False)

    def _put(self, x: float, y: float, text: str, size: float, song: bool, bold: bool = False) -> None:
        escaped = text.replace("$", r"\$")
        self.figure.text(
            x / self.WIDTH, y / self.HEIGHT, escaped, fontproperties=page_font(song), fontsize=size, va="baseline",
            weight="bold" if bold else "normal",
        )  # fmt: skip

    def say(
        self, text: str, size: float = 9.5, song: bool = False, indent: float = 0, gap: float = 1.2
    ) -> None:
        """写一段: wrapped at the margin; a page turns where it is full."""
        step = size * 0.3528 * 1.55
        for line in wrap(text, (self.WIDTH - 2 * self.LEFT - indent) / (size * 0.3528)):
            if self.y - step < self.BOTTOM:
                self._turn()
            self.y -= step
            self._put(self.LEFT + indent, self.y, line, size, song)
        self.y -= gap

    def rule(self, thick: bool = False) -> None:
        """一条线."""
        from matplotlib.lines import Line2D

        at = (self.y - 1) / self.HEIGHT
        ends = [self.LEFT / self.WIDTH, 1 - self.LEFT / self.WIDTH]
        self.figure.add_artist(Line2D(ends, [at, at], color="black", linewidth=1.4 if thick else 0.4))
        self.y -= 2.5

    def done(self) -> bytes:
        """收尾: the bytes of the file."""
        self.pages.savefig(self.figure)
        self.pages.close()
        return self.out.getvalue()


def wrap(text: str, widths: float) -> list[str]:
    """折行: `widths` full-width characters a line; others count as a little more than half."""
    lines, line, used = [], "", 0.0
    for ch in text:
        need = 1.0 if ord(ch) > 0x2E7F else 0.57
        if used + need > widths:
            lines.append(line)
            line, used = "", 0.0
        line += ch
        used += need
    return [*lines, line]
