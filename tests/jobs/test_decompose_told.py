"""拆解的样子: what `huiqi decompose FILE` prints for a person."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

import jobs.cli
from jobs.cli import app

TEXT = """某区促进创新若干措施
第一条 对首次通过高新技术企业认定的企业，给予20万元一次性奖励。
第二条 对新认定的国家级、省级、市级企业技术中心，分别给予300万元、100万元、30万元奖励。
第三条 申报时间
第一批：2026年3月1日至3月31日。
第二批：2026年9月1日至9月30日。
"""


def test_a_quote_of_several_amounts_stands_once_with_them(tmp_path: Path) -> None:
    if not app.registered_commands:
        jobs.cli._register()
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf-8")
    told = CliRunner().invoke(app, ["decompose", str(tmp_path / "a.txt")]).output.splitlines()
    assert [line for line in told if "分别给予" in line] == [
        "   奖补  分别给予300万元、100万元、30万元奖励（300 万元、100 万元、30 万元）"
    ]
    days = [line for line in told if line.startswith("   时间")]
    assert days[:2] == ["   时间  2026-03-01 至 2026-03-31", "   时间  2026-09-01 至 2026-09-30"], days


def test_drafts_are_said_to_wait_for_a_signature(tmp_path: Path) -> None:
    """Nothing told a newcomer that drafts take no part until the line is deleted."""
    if not app.registered_commands:
        jobs.cli._register()
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf-8")
    into = tmp_path / "库"
    told = CliRunner().invoke(app, ["decompose", str(tmp_path / "a.txt"), "--into", str(into)]).output
    assert "草稿不参加比对" in told and "删掉各事项的 status: 草稿" in told
    drafts = [p for p in into.glob("*/items/*.yaml") if not p.name.endswith(".test.yaml")]
    assert drafts and all("\nstatus: 草稿\n" in p.read_text(encoding="utf-8") for p in drafts)
