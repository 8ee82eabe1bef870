"""推送、兑现命令: what scripts and other offices call."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
import typer
from typer.testing import CliRunner

from jobs.cli import grants as commands
from store import outbox
from store.database import open_database, upgrade, writing
from tests.jobs.receivers import HttpReceiver

AT = datetime(2026, 4, 1, 1, tzinfo=UTC)


@pytest.fixture
def run(tmp_path, monkeypatch):
    for name in ("HUIQI_WEBHOOK_URL", "HUIQI_WEBHOOK_SECRET", "HUIQI_DB"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HUIQI_HOME", str(tmp_path))
    app = typer.Typer()
    commands.register(app)
    return lambda *words: CliRunner().invoke(app, list(words))


def fill(tmp_path, count: int) -> list[str]:
    engine = open_database(f"sqlite:///{tmp_path / 'huiqi.db'}")
    upgrade(engine)
    keys = [outbox.push_key(f"F{i}", "d/i", "2026", "webhook", "inform", 1) for i in range(count)]
    with writing(engine) as opened:
        for i, key in enumerate(keys):
            opened.add(
                outbox.Push(key=key, firm=f"F{i}", item="d/i", batch="2026", channel="webhook", kind="inform",
                            state="due", next_at=AT, created=AT, body="{}")
            )  # fmt: skip
    engine.dispose()
    return keys


def test_push_and_pushes_keep_their_contract(run, tmp_path, monkeypatch):
    keys = fill(tmp_path, 5)
    names = {"key", "firm", "item", "channel", "state", "reason", "attempts"}
    rows = json.loads(run("pushes", "--json").stdout)
    assert [set(r) for r in rows] == [names] * 5 and {r["state"] for r in rows} == {"due"}
    waiting = run("push", "--once")
    assert waiting.exit_code == 0 and "没有设 HUIQI_WEBHOOK_URL" in waiting.stdout
    receiver = HttpReceiver()
    monkeypatch.setenv("HUIQI_WEBHOOK_URL", receiver.url)
    assert run("push", "--once").exit_code == 2  # no secret
    monkeypatch.setenv("HUIQI_WEBHOOK_SECRET", "s")
    assert run("push", "--once").exit_code == 0
    assert run("push", "--once").exit_code == 0
    receiver.close()
    assert set(receiver.effects) == set(keys) and receiver.requests == 5
    assert {(r["state"], r["attempts"]) for r in json.loads(run("pushes", "--json").stdout)} == {("sent", 1)}
    assert json.loads(run("pushes", "--json", "--state", "due").stdout) == []
    assert run("pushes", "--state", "lost").exit_code == 2


def test_fulfil_commands_answer_on_an_empty_house(run, tmp_path):
    assert run("fulfil", "verify").exit_code == 0
    assert json.loads(run("fulfil", "due", "--json").stdout) == []
    assert run("fulfil", "arrears").exit_code == 0
    assert run("fulfil", "kpi", "2026Q2").exit_code == 0
    assert run("fulfil", "kpi", "Q2").exit_code == 2
    year = tmp_path / "2027.csv"
    year.write_text("日期,安排\n2027-01-01,休\n", encoding="utf-8")
    assert "2027" in run("fulfil", "calendar", "--add", str(year)).stdout
    assert run("fulfil", "act", "7", "确认", "--who", "张", "--role", "企业").exit_code == 2
    assert run("fulfil", "release", "1", "--who", "张", "--why", "核过").exit_code == 2
    missing = run("readiness")
    assert missing.exit_code == 2


@pytest.mark.parametrize(
    "words", [["push"], ["pushes"], ["readiness"], ["schedule"], ["fulfil", "reconcile"]]
)
def test_help_has_an_example(run, words: list[str]):
    text = run(*words, "--help").stdout
    assert "例：" in text and "huiqi" in text
