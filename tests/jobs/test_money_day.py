"""一天的钱: the commands of docs/money-day.md, typed in their order on a fresh store."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

from jobs.cli import _register, app

PAGE = Path(__file__).resolve().parents[2] / "docs" / "money-day.md"
FINDS = ("fulfil clocks", "readiness")  # may end with 1 where there is something to say, besides what they do


def commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


class Shell:
    """As much of a shell as the page needs: NAME=$(huiqi …) and $NAME."""

    def __init__(self, runner: CliRunner):
        self._runner, self.names, self.said = runner, {}, []

    def type(self, line: str) -> str:
        name, _, inner = line.partition("=$(")
        if inner:
            self.names[name] = self.run(inner.removesuffix(")")).strip()
            return self.names[name]
        return self.run(line)

    def run(self, line: str) -> str:
        words = [re.sub(r"\$(\w+)", lambda m: self.names[m[1]], w) for w in shlex.split(line)]
        assert words.pop(0) == "huiqi"
        done = self._runner.invoke(app, words)
        allowed = (0, 1) if " ".join(words).startswith(FINDS) else (0,)
        assert done.exit_code in allowed, (line, done.output, done.exception)
        self.said.append((line, done.output))
        return done.stdout


@pytest.fixture
def shell(tmp_path, monkeypatch):
    for name in (
        "HUIQI_DB",
        "HUIQI_LIBRARY",
        "HUIQI_WEBHOOK_URL",
        "HUIQI_SMTP_URL",
        "HUIQI_APPRISE_URLS",
        "HUIQI_SMS_DIR",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HUIQI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HUIQI_PASSWORD", "correct horse battery")
    monkeypatch.chdir(tmp_path)
    _register()
    return Shell(CliRunner())


def finance_pays(shell, folder: Path) -> None:
    """Finance's file, as the page shows it, of the firms of the day."""
    name, text = re.search(r"```csv (\S+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S).groups()
    codes = {str(c["id"]): c["code"] for c in json.loads(shell.run("huiqi fulfil list --json"))}
    filled = re.sub(r"\{(\w)\}", lambda m: codes[shell.names[m[1]]], text)
    (folder / name).write_text(filled, encoding="utf-8-sig")


def test_a_day_of_the_money_goes_as_the_page_says(shell, tmp_path):
    lines = commands()
    assert len(lines) > 40
    for line in lines:
        if line.startswith("huiqi fulfil reconcile"):
            finance_pays(shell, tmp_path)
        shell.type(line)
    found = {str(c["id"]): c for c in json.loads(shell.run("huiqi fulfil list --json"))}
    a, b, c = (found[shell.names[n]] for n in "ABC")
    assert [x["variant"] for x in (a, b, c)] == ["免申即享", "即申即享", "申报兑现"]
    assert [x["state"] for x in (a, b, c)] == ["办结", "办结", "已追回"]
    assert (a["arrived"], b["arrived"], c["arrived"]) == (100_000_00, 4_500_00, 10_000_00)
    told = dict(shell.said)
    assert (
        told["huiqi fulfil verify"] == "台账完整，账平\n"
        and "与财政的支付日志一致" in told["huiqi fulfil findings"]
    )
    assert "钱守正" in told["huiqi fulfil due --who qian --as-of 2026-07-01"]
    for name in ("考核.xlsx", "拖欠.xlsx", "付款清单.xlsx"):
        book = openpyxl.load_workbook(tmp_path / name)
        assert all(sheet.max_row > 2 for sheet in book), name
