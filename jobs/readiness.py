"""就绪度: of every live item on the last night's data, printed, as JSON or as Excel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from engine.errors import ExpressionError
from policies.readiness import AUTOMATIC, SOURCE_OF_LAW, TESTS, Readiness, readiness, requests
from store.nights import Night

HEAD = ("事项编号", "事项", "现在", "实际按", *TESTS, "卡在哪里", "归口部门", "升降")


def of_night(night: Night, only: str = "") -> list[Readiness]:
    """一夜的就绪度: items live that night (of one 兑现方式 only), 免申即享 first, then by how many blocks are left."""
    library, columns = night.library(), night.columns()
    found = []
    for row in night.items().itertuples():
        program = library.program(str(row.item))
        if program is None or (only and program.item.delivery != only):
            continue
        try:
            found.append(readiness(program, str(row.batch), columns))
        except ExpressionError as error:
            raise ValueError(f"{row.item} {row.batch}：{error.message}") from None
    return sorted(found, key=lambda r: (r.delivery != "免申即享", len(r.blocks), r.item))


def fallen(night: Night) -> list[str]:
    """自动降级: items declared 免申即享 that run as 即申即享 tonight, each with what blocks it and who could lift that."""
    return [
        f"{one.title}：{one.blocks[0].what}（{one.blocks[0].department or '归口部门不明'}）"
        for one in of_night(night, only=AUTOMATIC)
        if one.falls
    ]


def as_row(one: Readiness) -> list[str]:
    """一行."""
    marks = ["过" if one.passes(t) else "还差" for t in TESTS]
    first = one.blocks[0] if one.blocks else None
    what = "；".join(b.what for b in one.blocks)
    return [
        one.item,
        one.title,
        one.delivery,
        one.works_as,
        *marks,
        what,
        first.department if first else "",
        one.word,
    ]


def as_short_row(one: Readiness) -> list[str]:
    """一行, with the three tests in one cell and two ways of delivery only where they differ; what lowers it is said once."""
    item, title, declared, works_as, *tests, what, department, word = as_row(one)
    way = declared if declared == works_as else f"{declared}，实际按{works_as}"
    return [item, title, way, "、".join(tests), what, department, word.partition("：")[0]]


def as_dict(one: Readiness) -> dict[str, Any]:
    """一项, for machines."""
    blocks = [{"test": b.test, "condition": b.condition, "cite": b.cite, "what": b.what, "department": b.department,
               "indicator": b.indicator} for b in one.blocks]  # fmt: skip
    tests = {t: one.passes(t) for t in TESTS}
    return {"item": one.item, "title": one.title, "batch": one.batch, "delivery": one.delivery,
            "works_as": one.works_as, "tests": tests, "blocks": blocks, "word": one.word}  # fmt: skip


def write_excel(found: Sequence[Readiness], note: str, path: Path) -> None:
    """写 Excel: the items, every block with its clause, and the list of data to ask for; text stays text."""
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    path.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(str(path), options) as book:
        bold = book.add_format({"bold": True, "bg_color": "#F0F0F0", "border": 1})
        wrap = book.add_format({"text_wrap": True, "valign": "top"})
        blocks = [
            [r.item, r.title, b.test, b.condition, b.cite, b.what, b.department]
            for r in found
            for b in r.blocks
        ]
        asked = [[d, i, str(n), "、".join(items)] for d, i, n, items in requests(found)]
        _sheet(
            book,
            "就绪度",
            HEAD,
            [as_row(r) for r in found],
            bold,
            wrap,
            f"{note}；三项测试依据{SOURCE_OF_LAW}",
        )
        _sheet(
            book,
            "卡点",
            ("事项编号", "事项", "测试", "条件", "条款", "卡在哪里", "归口部门"),
            blocks,
            bold,
            wrap,
            note,
        )
        _sheet(book, "数据需求清单", ("归口部门", "指标", "放开事项数", "事项"), asked, bold, wrap, note)


def _sheet(
    book: Any, name: str, head: Sequence[str], rows: Sequence[Sequence[str]], bold: Any, wrap: Any, note: str
) -> None:
    sheet = book.add_worksheet(name)
    sheet.write(0, 0, note)
    for column, title in enumerate(head):
        sheet.write(1, column, title, bold)
        widest = max([len(title), *(len(str(r[column])) for r in rows)], default=8)
        sheet.set_column(column, column, min(10 + widest, 60))
    for number, row in enumerate(rows, 2):
        for column, value in enumerate(row):
            sheet.write_string(number, column, str(value), wrap)
    sheet.freeze_panes(2, 2)
    sheet.autofilter(1, 0, max(1, len(rows) + 1), len(head) - 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(1)
