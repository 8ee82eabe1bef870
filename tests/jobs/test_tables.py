"""表格: within the terminal's width, columns line up though Chinese is twice as wide, and nothing is hidden silently."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from analysis.tables import WIDEST
from engine.errors import display_width
from jobs.cli.tables import SHOWN, laid_out, show
from jobs.cli.tables import lines as listed


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)


def test_a_table_for_a_person(capsys) -> None:
    long = "研发方向" * WIDEST
    frame = pd.DataFrame(
        {"企业": ["甲", "滨海示范半导体设备有限公司"], "说明": [long, ""], "金额": [9358882.49, float("nan")], "占全部": [0.862, 1.0]}
    )  # fmt: skip
    show(frame)
    lines = capsys.readouterr().out.splitlines()
    rule = next(i for i, line in enumerate(lines) if "───" in line)
    assert "金额" in "".join(lines[:rule]) and "（万元）" in "".join(lines[:rule])
    assert lines[rule + 1].startswith("甲  ") and lines[rule + 1].endswith("935.89    86.2%")
    assert "—   100.0%" in "".join(lines[rule + 2 :])
    assert max(map(display_width, lines)) <= 100
    assert "…" in "".join(lines), "a text that is cut says so"


def test_what_is_not_shown_is_said(capsys) -> None:
    show(pd.DataFrame({"家": range(SHOWN + 7)}))
    assert "另有 7 行" in capsys.readouterr().out
    show(pd.DataFrame({"家": []}))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("width", [40, 60, 100, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    heads = ["统一社会信用代码", "企业名称", "要问的", "能定下的事项", "期望金额（万元）", "最高金额（万元）"]
    rows = [["91120116MA05ABCD1X", "滨海示范半导体设备有限公司", "研发费用；营业收入", "研发投入强度奖励；首台套奖励", "12.00", "1,234,567.00"]]  # fmt: skip
    rows += [["91120116MA05ABCD2X", "甲", "", "—", "3.50", "20.00"]]
    lines = laid_out(heads, rows, width)
    assert max(map(display_width, lines)) <= width
    said = "".join("".join(lines).split())
    for word in ("91120116MA05ABCD1X", "1,234,567.00", "91120116MA05ABCD2X"):
        assert word in said
    assert all(line == line.rstrip() for line in lines)


def test_a_row_too_wide_for_the_terminal_becomes_a_paragraph_without_what_is_empty() -> None:
    heads = [f"第{n}项数据（万元）" for n in range(12)]
    lines = laid_out(heads, [["甲公司", *["123,456.00"] * 10, "—"]], 100)
    assert lines[0] == "甲公司" and lines[1].startswith("  第1项数据（万元）：123,456.00 · 第2项")
    assert max(map(display_width, lines)) <= 100 and "第11项" not in "".join(lines)


def test_nothing_that_is_long_is_left_out_and_codes_stay_whole() -> None:
    words = "一二三四五六七八九十" * 12
    for width in (50, 80):
        lines = laid_out(
            ["代码", "说明", "数（元）"], [["91120116MA05ABCD1X", words, "1,234.00"], ["B", "", "—"]], width
        )
        assert max(map(display_width, lines)) <= width
        said = "".join("".join(line[20:] for line in lines).split())
        assert sum(said.count(c) for c in "一二三四五六七八九十") == len(words)
        assert any("91120116MA05ABCD1X" in line and "1,234.00" in line for line in lines)


def test_lines_are_for_machines_in_a_pipe_and_fit_a_terminal(capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("bs-2025-04/giant-award", "专精特新“小巨人”企业认定奖励" * 3, 1), ("b", "[bold]甲[/bold]", None)]
    listed(("编号", "事项", "元"), rows, right=("元",))
    piped = capsys.readouterr().out.splitlines()
    assert piped == ["编号\t事项\t元", *("\t".join("" if c is None else str(c) for c in row) for row in rows)]
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")
    listed(("编号", "事项", "元"), rows, right=("元",))
    shown = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in capsys.readouterr().out.splitlines()]
    assert max(map(display_width, shown)) <= 60 and any("bs-2025-04/giant-award" in line for line in shown)
    assert any("[bold]甲[/bold]" in line for line in shown), "what stands in a cell is no markup"
    listed(("编号",), [])
    assert capsys.readouterr().out == ""
