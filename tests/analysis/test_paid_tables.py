"""兑现名单的表: as offices publish them: merged heads, several tables, two columns side by side, full-width digits, PDF radicals."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from analysis import View, backtest
from analysis.night import CODE, NAME
from analysis.paid_tables import read_paid_list

FIRMS = [f"滨海示范{word}科技有限公司" for word in "甲乙丙丁戊己庚辛"]
ITEM = "bs-2025-03/unemployment-refund"


def book(path: Path, *sheets: list[list[object]], merge: tuple[str, ...] = ()) -> Path:
    made = openpyxl.Workbook()
    for n, rows in enumerate(sheets):
        sheet = made.active if n == 0 else made.create_sheet()
        assert sheet is not None
        for row in rows:
            sheet.append(row)
        for cells in merge:
            sheet.merge_cells(cells)
    made.save(path)
    return path


def test_a_merged_head_of_two_rows_and_full_width_digits(tmp_path: Path) -> None:
    rows = [
        ["2025年度拟兑现名单"], ["（单位：万元）"], ["序号", "企业信息", None, "兑现情况"],
        [None, NAME, CODE, "奖励金额"], [1, FIRMS[0], "", "１０"], [2, FIRMS[1], "", "1,0.5"], ["合计", None, None, "20.5"],
    ]  # fmt: skip
    found = read_paid_list(book(tmp_path / "a.xlsx", rows, merge=("A1:D1", "A3:A4", "B3:C3")))
    assert found[NAME].tolist() == FIRMS[:2] and found["金额"].tolist() == [100_000.0, 105_000.0]
    assert found["行"].tolist() == [5, 6]


def test_every_table_of_a_file_is_read_each_with_its_own_head_and_unit(tmp_path: Path) -> None:
    first = [
        ["附件1（单位：万元）"],
        ["序号", "单位名称", "金额"],
        [1, FIRMS[0], 2],
        [],
        ["附件2（单位：元）"],
    ]
    second = [["序号", "单位名称", "金额"], [1, FIRMS[1], 30], [2, FIRMS[2], 40]]
    other = [["说明"], ["本表由科技局提供"]]
    third = [["企业名称"], [FIRMS[3]]]
    found = read_paid_list(book(tmp_path / "a.xlsx", [*first, *second], other, third))
    assert found[NAME].tolist() == FIRMS[:4] and found["金额"].tolist()[:3] == [20_000.0, 30.0, 40.0]


def test_two_columns_side_by_side_are_one_list(tmp_path: Path) -> None:
    rows = [
        ["序号", NAME] * 2,
        *([n, FIRMS[n], n + 1, FIRMS[n + 1]] for n in range(0, 6, 2)),
        [7, FIRMS[6], "", ""],
    ]
    found = read_paid_list(book(tmp_path / "a.xlsx", rows))
    assert sorted(found[NAME]) == sorted(FIRMS[:7])
    odd = [["序号", NAME, NAME, "金额（元）"], [1, FIRMS[0], FIRMS[1], 3]]
    with pytest.raises(ValueError, match=r"2 个“企业名称”.*排成一列"):
        read_paid_list(book(tmp_path / "b.xlsx", odd))


def test_an_amount_may_say_its_own_unit_and_a_kind_of_award_is_no_amount(tmp_path: Path) -> None:
    rows = [
        ["获奖单位", "奖励类型", "奖励资金"],
        [FIRMS[0], "省级", "20万元"],
        [FIRMS[1], "市级", "3000元"],
        [FIRMS[2], "", "—"],
    ]
    found = read_paid_list(book(tmp_path / "a.xlsx", rows))
    assert found["金额"].tolist()[:2] == [200_000.0, 3_000.0] and pd.isna(found["金额"][2])
    rows[1][2] = "若干"
    with pytest.raises(ValueError, match="第 2 行的金额“若干”不是数字"):
        read_paid_list(book(tmp_path / "b.xlsx", [["企业名称", "金额"], [FIRMS[0], "若干"]]))


def test_a_web_page_says_its_unit_outside_the_table_and_has_radicals(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    table = f"<table><tr><th>企业名称</th><th>奖励⾦额</th></tr><tr><td>{FIRMS[0]}⻋辆厂</td><td>5</td></tr></table>"
    path.write_text(f"<meta charset=utf-8><h1>名单</h1><p>单位：万元</p>{table}", encoding="utf-8")
    found = read_paid_list(path)
    assert found[NAME].tolist() == [f"{FIRMS[0]}车辆厂"] and found["金额"].tolist() == [50_000.0]


def test_words_without_a_table_say_what_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="名单要是一张表"):
        read_paid_list(book(tmp_path / "a.xlsx", [["名单如下"], [f"1. {FIRMS[0]}"]]))


def test_a_former_name_of_the_register_is_taken_and_shown(view: View, tmp_path: Path) -> None:
    lists = view.columns.listing("曾用名", None)
    row = next(r for r in range(len(view.columns)) if lists.offsets[r + 1] > lists.offsets[r])
    once = lists.names[lists.codes[lists.offsets[row]]]
    found = backtest(view, ITEM, book(tmp_path / "a.xlsx", [[NAME], [once], ["查无此名有限公司"]]))
    both = pd.concat([found.matched, found.missed])
    assert both[CODE].tolist() == [view.columns.codes[row]] and both["认定"].tolist() == ["曾用名"]
    assert "按登记的曾用名认作" in found.doubts["原因"][0] and len(found.unlinked) == 1
