"""Every notebook runs from a clean small night, ends with an assertion, and can be drawn."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from analysis.percent import cells, drawn, render
from tests.analysis.sample_night import make_night
from tests.databases import database_in

ROOT = Path(__file__).resolve().parents[2]
MOST_ROWS = 62
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))


@pytest.fixture(scope="session")
def home(database: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_night(tmp_path_factory.mktemp("notebooks"))


def test_the_six_are_there() -> None:
    subjects = ["开始", "调规则", "政策影响测算", "数据价值", "回测", "分解质量"]
    assert [p.stem.split("_")[1] for p in NOTEBOOKS] == subjects


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_it_runs_and_ends_with_an_assertion(path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUIQI_HOME", str(home))
    monkeypatch.setenv("HUIQI_DB", database_in(home))
    assert cells(path.read_text(encoding="utf-8"))[-1].text.startswith("assert ")
    page = render(path)
    assert "<h1>" in page
    assert not re.search(r"""(src|href)=["']http|url\(http""", page)
    shown = re.sub(r"(?s)<svg.*?</svg>|<pre>.*?</pre>", "", page)
    assert "NaN" not in shown and not re.search(
        r"\de[+-]\d", shown
    )  # no missing mark or notation of the machine's
    assert not re.search(r"<th[^>]*>(?:paid_)?(?:low|high)<", shown)
    assert all(
        table.count("<tr") <= MOST_ROWS for table in shown.split("<table")[1:]
    )  # heads, never whole lists


def test_cells_know_their_lines() -> None:
    found = cells("# %% [markdown]\n# # 题\n\n# %%\na = 1\na\n")
    assert [(c.kind, c.text, c.line) for c in found] == [("markdown", "# 题", 2), ("code", "a = 1\na", 5)]
    assert drawn("<b>") == "<pre>&lt;b&gt;</pre>"


def test_a_bare_frame_is_drawn_for_a_person() -> None:
    frame = pd.DataFrame({"企业名称": ["甲"] * 40, "paid_high": [1.234e8] * 39 + [float("nan")]})
    page = drawn(frame)
    assert "应付高（万元）" in page and "12,340.00" in page and "共 40 行，列前 10 行" in page
    assert "—" in drawn(frame.tail(1)) and "NaN" not in drawn(frame.tail(1))
