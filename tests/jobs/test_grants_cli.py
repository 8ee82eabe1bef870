"""推送、兑现命令: what scripts and other offices call."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
import typer
from typer.testing import CliRunner

from jobs.cli import grants as commands
from store import outbox
from store.database import writing
from tests.databases import database_in, new_database
from tests.jobs.receivers import HttpReceiver

AT = datetime(2026, 4, 1, 1, tzinfo=UTC)


@pytest.fixture
def run(tmp_path, monkeypatch, database):
    for name in ("HUIQI_WEBHOOK_URL", "HUIQI_WEBHOOK_SECRET", "HUIQI_DB"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HUIQI_HOME", str(tmp_path))
    if database == "postgresql":
        monkeypatch.setenv("HUIQI_DB", database_in(tmp_path))
    app = typer.Typer()
    commands.register(app)
    return lambda *words: CliRunner().invoke(app, list(words))


def fill(tmp_path, count: int) -> list[str]:
    engine = new_database(tmp_path)
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


def test_every_state_of_a_channel_is_said_in_words(run, tmp_path):
    assert "还没有推送" in run("pushes").stdout
    fill(tmp_path, 3)
    engine = new_database(tmp_path)
    with writing(engine) as opened:
        for state, reason in (("sent", ""), ("suppressed", "公示中"), ("dead", "拒收")):
            opened.add(
                outbox.Push(key=f"k-{state}", firm="F9", item="d/i", batch="2026", channel="inbox", kind="inform",
                            state=state, reason=reason, next_at=AT, created=AT, body="{}")
            )  # fmt: skip
    engine.dispose()
    lines = run("pushes").stdout.splitlines()
    assert "走几个渠道就记几条" in lines[0]
    said = dict(line.split("\t", 1) for line in lines[1:])
    assert (
        "HUIQI_WEBHOOK_URL" in said["系统接口（webhook）"]
        and "待发（due）\t3\t" in said["系统接口（webhook）"]
    )
    text = "\n".join(lines)
    assert "收件箱（inbox）\t已发（sent）\t1\t已送到" in text
    assert "暂缓的理由\t条数\n公示中\t1\n退信的理由\t条数\n拒收\t1" in text and "--resend" in text


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
    wrong = run(
        "fulfil", "act", "7", "通过名单", "--who", "张", "--role", "经办", "--fact", "核定金额=二十万"
    )
    assert wrong.exit_code == 2 and "金额“二十万”不是数" in wrong.output
    assert run("fulfil", "release", "1", "--who", "张", "--why", "核过").exit_code == 2
    missing = run("readiness")
    assert missing.exit_code == 2


def test_budgets_are_taken_from_the_rules_set_and_shown(run):
    taken = run("fulfil", "budget", "--take", "--as-of", "2026-06-16")
    assert taken.exit_code == 0 and "接过来 2 个批次" in taken.stdout
    assert "接过来 0 个批次" in run("fulfil", "budget", "--take", "--as-of", "2026-06-16").stdout
    words = [
        "fulfil",
        "budget",
        "--set",
        "d/i",
        "--batch",
        "2026",
        "--yuan",
        "12,000.50",
        "--mode",
        "先到先得",
        "--json",
    ]
    rows = {b["item"]: b for b in json.loads(run(*words).stdout)}
    assert (rows["d/i"]["limit_fen"], rows["d/i"]["mode"]) == (12_000_50, "先到先得")
    assert rows["bs-2025-04/steady-growth"]["limit_fen"] == 1500_0000_00
    assert run("fulfil", "budget", "--set", "d/i", "--batch", "2026", "--yuan", "很多").exit_code == 2
    early = run("fulfil", "share", "bs-2025-04/steady-growth", "2026", "--who", "林", "--as-of", "2026-06-16")
    assert early.exit_code == 2
    assert run("fulfil", "verify").exit_code == 0


CLAIMS = """种类,统一社会信用代码,企业名称,部门,合同,金额(元),应付日期,依据
合同款,91120116MA05ABCD1X,甲,住建局,HT-1,"1,000.00",2026-01-10,合同第三条
保证金,91110000600037341L,乙,住建局,BZ-1,80,2025-01-01,退还期满
合同款,91110000600037341L,乙,住建局,,80,2025-01-01,
"""


def test_arrears_are_registered_from_a_file_settled_and_reported(run, tmp_path):
    path = tmp_path / "欠款.csv"
    path.write_bytes(CLAIMS.replace("91120116MA05ABCD1X", "91110000600037341L").encode("gb18030"))
    for new, known in ((2, 0), (0, 2)):
        told = run("fulfil", "claim", str(path), "--who", "钱")
        assert told.exit_code == 1 and f"新登记 {new}，登记过 {known}，退回 1" in told.stdout
        assert "欠款.csv:4 合同是空的" in told.stdout
    rows = json.loads(run("fulfil", "arrears", "--as-of", "2026-06-16", "--json").stdout)
    assert [(r["kind"], r["fen"], r["age"]) for r in rows] == [
        ("保证金", 80_00, "一年以上"), ("合同款", 1000_00, "91至180天"),
    ]  # fmt: skip
    number = str(rows[0]["claim"])
    assert run("fulfil", "settle", number, "--yuan", "80", "--who", "钱").exit_code == 2  # no bank number
    assert run("fulfil", "settle", number, "--yuan", "80", "--who", "钱", "--ref", "S9").exit_code == 0
    assert len(json.loads(run("fulfil", "arrears", "--as-of", "2026-06-16", "--json").stdout)) == 1
    assert run("fulfil", "verify").exit_code == 0 and run("fulfil", "findings").exit_code == 0


def test_what_has_nothing_to_show_says_so(run, tmp_path):
    assert "还没有登记联系方式" in run("reach").stdout
    wrong = run("reach", "123")
    assert wrong.exit_code == 2 and "18位" in wrong.stderr
    assert "可以是 facts night" in run("schedule", "--again", "nosuch").stderr
    assert "要以 .xlsx 结尾" in str(run("fulfil", "paylist", str(tmp_path / "p.pdf")).output)


def test_how_a_firm_is_reached_is_entered_by_hand_and_by_file(run, tmp_path):
    path = tmp_path / "联系.csv"
    path.write_text(
        "统一社会信用代码,邮箱,手机,同意\n91110000600037341L,a@b.cn,,是\n91,x,,\n", encoding="utf-8"
    )
    told = run("reach", "--file", str(path))
    assert told.exit_code == 1 and "改了 1 家，退回 1 行" in told.stdout and "联系.csv:3" in told.stdout
    assert run("reach", "91110000600037341L", "--stop", "--phone", "000").exit_code == 0
    row = json.loads(run("reach", "91110000600037341L", "--json").stdout)[0]
    assert (row["email"], row["phone"], row["consent"], row["stopped"]) == ("a@b.cn", "000", True, True)
    assert run("reach", "91", "--stop").exit_code == 2


@pytest.mark.parametrize(
    "words", [["push"], ["pushes"], ["readiness"], ["schedule"], ["fulfil", "reconcile"]]
)
def test_help_has_an_example(run, words: list[str]):
    text = run(*words, "--help").stdout
    assert "例：" in text and "huiqi" in text
