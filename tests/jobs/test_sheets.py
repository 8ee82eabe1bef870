"""Lists written by their form are the sheets XlsxWriter writes, cell for cell and part for part."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pandas as pd
import pytest

from jobs.lists import WIDTHS, _form, open_workbook, write_sheet

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
        assert slow.namelist() == fast.namelist() and fast.testzip() is None
        for name in slow.namelist():
            if name != "docProps/core.xml":  # says when it was made
                assert fast.read(name).decode() == slow.read(name).decode(), name


def test_a_form_is_for_its_notes_and_for_rows(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one row"):
        _form(1).write(tmp_path / "a.xlsx", "t", ["n"], frame(0))
    with pytest.raises(ValueError, match="so many notes"):
        _form(1).write(tmp_path / "a.xlsx", "t", [], frame(1))
