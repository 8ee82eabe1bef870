"""修订的文件: a second run of the command on an amended text tells what changed, and which items quote it."""

from __future__ import annotations

from pathlib import Path

import typer
from typer.testing import CliRunner

from jobs.cli.documents import register
from policies.draft_text import quotes_of, touched
from tests.policies.policy_text import MEASURES


def test_the_items_that_quote_a_changed_clause_are_named() -> None:
    quotes = {"item-01": ["按设备投资额的10%给予补助"], "item-02": ["给予一次性奖励20万元"]}
    assert touched("对购置设备的企业，按设备投资额的 10%给予补助。", quotes) == ["item-01"]
    assert quotes_of(
        "conditions:\n  - id: a\n    quote: 在本区注册\nbenefit:\n  quote: '奖励: 20 万元'\n"
    ) == ["在本区注册", "奖励:20万元"]


def _commands() -> typer.Typer:
    out = typer.Typer()
    register(out)
    return out


def test_a_second_run_lists_changes_and_what_they_touch(tmp_path: Path) -> None:
    file, library = tmp_path / "a.txt", tmp_path / "lib"
    file.write_text(MEASURES, encoding="utf-8")
    call = ["decompose", str(file), "--into", str(library), "--id", "demo", "--home", str(tmp_path / "home")]
    app = _commands()
    first = CliRunner().invoke(app, call)
    assert first.exit_code == 0, first.output
    before = {p.name: p.read_text(encoding="utf-8") for p in (library / "demo" / "items").iterdir()}
    file.write_text(MEASURES.replace("给予20万元", "给予30万元"), encoding="utf-8")
    told = CliRunner().invoke(app, call).stdout
    assert "条款改动 1 处" in told and "改动  " in told and "涉及  item-" in told and "没有改写" in told
    assert before == {p.name: p.read_text(encoding="utf-8") for p in (library / "demo" / "items").iterdir()}
