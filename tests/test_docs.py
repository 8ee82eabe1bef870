"""The documents name only what is there: tests of docs/promises.md, commands and files of the front pages."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.main import get_command

from jobs.cli import _register, app

ROOT = Path(__file__).resolve().parents[1]
PAGES = ["promises.md", "push-and-fulfilment.md", "security.md"]


@pytest.mark.parametrize("page", PAGES)
def test_every_promise_names_a_test_that_exists(page: str) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs" / page).read_text(encoding="utf-8"))
    missing = [f"{f}::{n}" for f, n in named if f"def {n}(" not in (ROOT / f).read_text(encoding="utf-8")]
    assert len(named) > 20 and not missing


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_every_command_of_a_front_page_exists(page: str) -> None:
    _register()
    known = set(get_command(app).commands)  # type: ignore[attr-defined]
    named = set(re.findall(r"`huiqi ([a-z-]+)", (ROOT / page).read_text(encoding="utf-8")))
    assert len(named) > 15 and not named - known


def test_the_two_front_pages_have_the_same_rows() -> None:
    def rows(page: str) -> list[list[str]]:
        lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
        return [re.findall(r"`(?:huiqi )?([a-zA-Z_-]+)", line) for line in lines if line.startswith("| `")]

    english, chinese = rows("README.md"), rows("README.zh-CN.md")
    assert [r[0] for r in english] == [r[0] for r in chinese]


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.name}: {target}")
    assert not broken


def test_the_dashboard_shows_every_metric_and_no_other() -> None:
    board = json.loads((ROOT / "docs" / "grafana.json").read_text(encoding="utf-8"))
    asked = " ".join(t["expr"] for panel in board["panels"] for t in panel["targets"])
    served = re.findall(r'"(huiqi_\w+)"', (ROOT / "jobs" / "metrics.py").read_text(encoding="utf-8"))
    assert set(re.findall(r"huiqi_\w+", asked)) == set(served)
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
