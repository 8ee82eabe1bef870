"""表格: columns line up though Chinese is twice as wide, sums have commas, long texts are cut and nothing is hidden silently."""

from __future__ import annotations

import re
import unicodedata

import pandas as pd
import pytest

from analysis.tables import WIDEST
from jobs.cli.tables import SHOWN, lines, show


def width(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(ch) in "WF" else 1 for ch in line)


def test_a_table_for_a_person(capsys) -> None:
    long = "研发方向" * WIDEST
    frame = pd.DataFrame(
        {"企业": ["甲", "滨海示范半导体设备有限公司"], "说明": [long, ""], "金额": [9358882.49, float("nan")], "占全部": [0.862, 1.0]}
    )  # fmt: skip
    show(frame)
    lines = capsys.readouterr().out.splitlines()
    assert (
        len(lines) == 3
        and "935.89  86.2%" in lines[1]
        and "金额（万元）" in lines[0]
        and "— 100.0%" in lines[2]
    )
    assert long[: WIDEST - 1] + "…" in lines[1]
    assert len({width(line) for line in lines}) == 1


def test_what_is_not_shown_is_said(capsys) -> None:
    show(pd.DataFrame({"家": range(SHOWN + 7)}))
    assert "另有 7 行" in capsys.readouterr().out
    show(pd.DataFrame({"家": []}))
    assert capsys.readouterr().out == ""


def test_lines_are_for_machines_in_a_pipe_and_fit_a_terminal(capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("bs-2025-04/giant-award", "专精特新“小巨人”企业认定奖励" * 3, 1), ("b", "[bold]甲[/bold]", None)]
    lines(("编号", "事项", "元"), rows, right=("元",))
    piped = capsys.readouterr().out.splitlines()
    assert piped == ["编号\t事项\t元", *("\t".join("" if c is None else str(c) for c in row) for row in rows)]
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")
    lines(("编号", "事项", "元"), rows, right=("元",))
    shown = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in capsys.readouterr().out.splitlines()]
    assert max(map(width, shown)) <= 60 and any("bs-2025-04/giant-award" in line for line in shown)
    assert any("[bold]甲[/bold]" in line for line in shown), "what stands in a cell is no markup"
    lines(("编号",), [])
    assert capsys.readouterr().out == ""
