"""导出: Excel that no cell turns into a formula, CSV likewise, and one match's evidence on paper as PDF."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

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
    count = book.add_format({"num_format": "0", "valign": "top"})
    for j, name in enumerate(head):
        sheet.set_column(j, j, WIDE.get(name, 14))
    sheet.write_string(0, 0, title, bold)
    for i, note in enumerate(notes, 1):
        sheet.write_string(i, 0, note, small)
    first = len(notes) + 1
    for j, name in enumerate(head):
        sheet.write_string(first, j, name, top)
    last = first
    for last, row in enumerate(rows, first + 1):
        for j, value in enumerate(row):
            if value is None:
                sheet.write_blank(last, j, None, text)
            elif isinstance(value, bool) or not isinstance(value, int | float):
                sheet.write_string(last, j, str(value), text)
            else:
                sheet.write_number(last, j, value, count if isinstance(value, int) else money)
    sheet.freeze_panes(first + 1, min(2, len(head)))
    sheet.repeat_rows(first)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L惠企直达&R第 &P 页，共 &N 页")
    if last > first:
        sheet.autofilter(first, 0, last, len(head) - 1)
    book.close()
    return out.getvalue()


def comma_separated(notes: Sequence[str], head: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """CSV 文件: with a byte order mark for Excel; a text that begins like a formula gets an apostrophe."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    for note in notes:
        writer.writerow([f"# {note}"])
    writer.writerow(head)
    for row in rows:
        writer.writerow([_cell(v) for v in row])
    return out.getvalue().encode("utf-8-sig")


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
