"""Lists written by their form are the sheets XlsxWriter writes, cell for cell and part for part."""

from __future__ import annotations

import re
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from jobs.lists import WIDTHS, _form, open_workbook, write_sheet
from jobs.sheets import CORE, STRINGS

NASTY = [
    "甲公司",
    "",
    "A&B <有限>",
    " 前",
    "后 ",
    "=1+1",
    "_x0041_",
    "退\x07格",
    "换\n行",
    "00123",
    None,
    pd.NA,
]


def frame(rows: int) -> pd.DataFrame:
    money = [1.5, float("nan"), 2e6, 0.0, 123456789012.34, -0.01]
    data = {
        name: [(money if name.startswith("金额") else NASTY)[(i * 7 + j) % (6 if name.startswith("金额") else 12)] for i in range(rows)]
        for j, name in enumerate(WIDTHS)
    }  # fmt: skip
    return pd.DataFrame(data).astype({n: float if n.startswith("金额") else object for n in WIDTHS})


@pytest.mark.parametrize(("rows", "notes"), [(1, 1), (12, 2), (40, 3)])
def test_the_same_workbook(rows: int, notes: int, tmp_path: Path) -> None:
    lines = [f"说明 {i} & 其他" for i in range(notes)]
    given = frame(rows)
    with open_workbook(tmp_path / "slow.xlsx") as book:
        write_sheet(book, "名单", "标题 <一>", lines, given, WIDTHS)
    _form(notes).write(tmp_path / "fast.xlsx", "标题 <一>", lines, given)
    with zipfile.ZipFile(tmp_path / "slow.xlsx") as slow, zipfile.ZipFile(tmp_path / "fast.xlsx") as fast:
        assert {*slow.namelist(), STRINGS} == set(fast.namelist()) and fast.testzip() is None
        told = fast.read(STRINGS).decode().partition("<si>")[2].partition("</si>")[0]
        for name in set(slow.namelist()) - {CORE}:  # which says when it was made
            text = fast.read(name).decode().replace('t="s"><v>0</v>', f't="inlineStr"><is>{told}</is>')
            for more in re.findall(r"<(?:Override|Relationship) [^>]*sharedStrings[^>]*/>", text):
                text = text.replace(more, "")
            assert text == slow.read(name).decode(), name
    sheets = [openpyxl.load_workbook(tmp_path / f"{name}.xlsx")["名单"] for name in ("slow", "fast")]
    one, other = ([[cell.value for cell in row] for row in sheet] for sheet in sheets)
    assert one == other and one[1][0] == lines[0]
    for name in ("slow", "fast"):
        sheet = openpyxl.load_workbook(tmp_path / f"{name}.xlsx")["名单"]
        head, last = notes + 2, openpyxl.utils.get_column_letter(len(WIDTHS))
        assert sheet.auto_filter.ref == f"A{head}:{last}{head + rows}", "a leader filters the list"
        assert sheet.freeze_panes == f"C{head + 1}" and sheet.print_title_rows == f"${head}:${head}"


def test_a_list_retold_is_the_list_written_with_the_other_line(tmp_path: Path) -> None:
    """Byte for byte, and as often as one likes; the large part is not packed again."""
    form, day = _form(2), datetime(2026, 6, 17, 2, tzinfo=UTC)
    form.write(tmp_path / "a.xlsx", "标题", ["第 1 次比对", "其余"], frame(400), day)
    for number in range(2, 5):
        line, made = f"第 {number} 次比对 & <其他> " * number, day + timedelta(days=number)
        before = tmp_path / ("a.xlsx" if number == 2 else f"{number - 1}.xlsx")
        assert form.retold(before, tmp_path / f"{number}.xlsx", line, made)
        form.write(tmp_path / "anew.xlsx", "标题", [line, "其余"], frame(400), made)
        assert (tmp_path / f"{number}.xlsx").read_bytes() == (tmp_path / "anew.xlsx").read_bytes()
    book = openpyxl.load_workbook(tmp_path / "4.xlsx")
    assert book["名单"]["A2"].value == line.rstrip() or book["名单"]["A2"].value == line
    assert book.properties.created == datetime(2026, 6, 21, 2)


def test_what_is_no_list_is_not_retold(tmp_path: Path) -> None:
    form = _form(2)
    with open_workbook(tmp_path / "old.xlsx") as book:  # as lists were written before
        write_sheet(book, "名单", "标题", ["一", "二"], frame(3), WIDTHS)
    (tmp_path / "cut.xlsx").write_bytes((tmp_path / "old.xlsx").read_bytes()[:500])
    for name in ("old", "cut", "none"):
        assert not form.retold(tmp_path / f"{name}.xlsx", tmp_path / "b.xlsx", "第 2 次比对")
    assert not (tmp_path / "b.xlsx").exists()


def test_a_form_is_for_its_notes_and_for_rows(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one row"):
        _form(1).write(tmp_path / "a.xlsx", "t", ["n"], frame(0))
    with pytest.raises(ValueError, match="so many notes"):
        _form(1).write(tmp_path / "a.xlsx", "t", [], frame(1))
