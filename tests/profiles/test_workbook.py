"""A formula counts for what the file says it came to, and for nothing where the file doesn't say."""

import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from openpyxl import Workbook

from analysis.backtesting import read_paid_list
from profiles.reading import open_table
from profiles.source import read_source
from profiles.workbook import Uncomputed, open_book, sheet_rows
from store.sheets import read_rows

SOURCE = """\
source: a
title: 甲
department: 税务局
authority: 3
coverage: 部分
firm: {code: 代码}
columns: {金额: {indicator: 注册资本, unit: 元}}
"""


def book(path: Path, value: bytes | None, stale: bool, heads: Sequence[str] = ("代码", "金额")) -> Path:
    """A sheet with a formula in its third line, of whose value the file says `value`."""
    workbook = Workbook()
    for row in (list(heads), ["1", 500], ["2", "=B2+100"], ["3", 700]):
        workbook.active.append(row)
    plain = path.with_suffix(".plain")
    workbook.save(plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "xl/worksheets/sheet1.xml" and value is not None:
                data, found = re.subn(rb"</f><v ?/?>(</v>)?", b"</f><v>" + value + b"</v>", data)
                assert found == 1
            if name == "xl/workbook.xml" and not stale:
                data = data.replace(b'fullCalcOnLoad="1"', b"")
            new.writestr(name, data)
    return path


def read(path: Path, tmp_path: Path) -> tuple[list, list]:
    (tmp_path / "a.yaml").write_text(SOURCE, "utf-8")
    with open_table(path, read_source(tmp_path / "a.yaml")) as table:
        chunks = list(table.chunks)
    return [r for c in chunks for r in zip(c.lines, c.rows, strict=True)], [b for c in chunks for b in c.bad]


def test_a_value_excel_computed_is_taken(tmp_path):
    rows, bad = read(book(tmp_path / "a.xlsx", b"600", stale=False), tmp_path)
    assert [(line, list(cells)) for line, cells in rows] == [
        (2, ["1", "500"]),
        (3, ["2", "600"]),
        (4, ["3", "700"]),
    ]
    assert bad == []


@pytest.mark.parametrize(
    ("value", "stale"),
    [(None, True), (None, False), (b"0", True)],
    ids=["no value", "nor asked for", "a placeholder"],
)
def test_a_formula_nobody_computed_costs_its_row_and_no_other(tmp_path, value, stale):
    rows, bad = read(book(tmp_path / "a.xlsx", value, stale), tmp_path)
    assert [line for line, _ in rows] == [2, 4]
    assert bad == [(3, "formula", "B列是没有算过的公式（=B2+100），请用 Excel 或 WPS 打开、另存一次再导入")]


def test_a_list_really_paid_has_no_amount_where_nobody_computed_it(tmp_path):
    with pytest.raises(ValueError, match="第 3 行的金额“=B2\\+100”不是数字"):
        read_paid_list(book(tmp_path / "a.xlsx", b"0", stale=True, heads=["企业名称", "金额（元）"]))


def test_finances_file_reads_the_formula_not_nothing(tmp_path):
    path = book(tmp_path / "a.xlsx", b"0", stale=True)
    found = open_book(path)
    rows = list(sheet_rows(path, found)[0])
    found.close()
    assert isinstance(rows[2][1], Uncomputed)
    assert [row["金额"] for _, row in read_rows(path, ("代码", "金额"), "付款文件")] == [
        "500",
        "=B2+100",
        "700",
    ]
