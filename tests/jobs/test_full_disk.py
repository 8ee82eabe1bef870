"""磁盘满了: a database that can't grow and files that can't: one plain message, nothing lost, on after space is back."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import event

from engine.grantmoves import AUTOMATIC
from jobs.channels import Settings
from jobs.cli.common import say_error
from jobs.push import push_once
from profiles import sample
from store import grants, ledger, outbox
from store.calendars import office_calendar
from store.database import DiskFull, Engine, open_database, upgrade, writing
from store.grants import Actor, NewGrant
from tests.jobs.receivers import HttpReceiver

D, AT = date(2026, 6, 1), datetime(2026, 6, 1, 1, tzinfo=UTC)


def limited(url: str, spare: int | None) -> Engine:
    """A database that may grow by so many pages only (None: as it likes)."""
    engine = open_database(url)

    @event.listens_for(engine, "connect")
    def limit(raw, _record) -> None:
        pages = raw.execute("PRAGMA page_count").fetchone()[0]
        raw.execute(f"PRAGMA max_page_count={pages + spare if spare is not None else 2**30}")

    return engine


@pytest.fixture
def url(tmp_path) -> str:
    name = f"sqlite:///{tmp_path / 'h.db'}"
    engine = open_database(name)
    upgrade(engine)
    engine.dispose()
    return name


def test_grants_that_do_not_fit_leave_nothing_half_done(url):
    calendar = office_calendar(open_database(url))
    many = [
        NewGrant(f"C{n:04d}", "甲" * 40, "d/i", "2026", "奖", "局", AUTOMATIC, 100, 100) for n in range(400)
    ]
    full = limited(url, 8)
    with pytest.raises(DiskFull, match="磁盘已满") as told:
        grants.open_grants(full, many, D, AT, calendar, chunk=50)
    assert say_error(told.value) == f"{url.removeprefix('sqlite:///')}：{told.value.strerror}"
    full.dispose()
    engine = limited(url, None)
    kept = len(grants.find(engine))
    assert kept % 50 == 0 and kept < 400
    assert grants.open_grants(engine, many, D, AT, calendar, chunk=50) == 400 - kept
    assert all(len(grants.history(engine, c.id)) == 2 for c in grants.find(engine)[:60])
    case = grants.find(engine)[0]
    grants.act(engine, case.id, "通过名单", Actor("林", "经办"), D, AT, calendar, {"核定金额": 100})
    assert ledger.verify_ledger(engine) == []


def test_pushes_whose_end_could_not_be_written_are_the_same_effect_again(url):
    with writing(open_database(url)) as opened:
        for i in range(300):
            key = outbox.push_key(f"F{i}", "i", "2026", "webhook", "inform", 1)
            opened.add(
                outbox.Push(key=key, firm=f"F{i}", item="i", batch="2026", channel="webhook", kind="inform", state="due",
                            next_at=AT, created=AT, subject="s", body=json.dumps({"text": "惠" * 50}))
            )  # fmt: skip
    receiver, clock = HttpReceiver(), lambda: datetime.now(UTC)
    settings = Settings(webhook_url=receiver.url, webhook_secret="s")
    try:
        full = limited(url, 0)
        with pytest.raises(DiskFull):
            for _ in range(50):  # small as it is, the room that rows leave is used up in a few rounds
                push_once(full, settings, clock, threads=2, patience=0)
                with writing(full) as opened:
                    opened.connection().exec_driver_sql(
                        "UPDATE push SET receipt = receipt || hex(randomblob(200))"
                    )
        full.dispose()
        engine = limited(url, None)
        push_once(engine, settings, clock, threads=2, patience=0)
    finally:
        receiver.close()
    rows = outbox.list_pushes(engine)
    assert {r.state for r in rows} == {"sent"} and set(receiver.effects) == {r.key for r in rows}
    assert not receiver.bad


def test_a_night_on_a_full_disk_says_so_and_goes_on_when_there_is_room(tmp_path):
    """For real where a small file system may be mounted (root), in a process of its own."""
    home, inbox = tmp_path / "small", tmp_path / "inbox"
    home.mkdir()
    if (
        not shutil.which("mount")
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(home)], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("no file system may be mounted here")
    try:
        sample.write_sample(sample.generate(60, 5), inbox, 0.0)
        command = [sys.executable, "-m", "jobs.cli", "nightly", "--home", str(home), "--inbox", str(inbox)]
        command += ["--as-of", "2026-06-17"]
        env = {k: v for k, v in os.environ.items() if not k.startswith("HUIQI_")}
        ran = subprocess.run(command, capture_output=True, text=True, env=env, timeout=600, check=False)
        *steps, told = ran.stderr.strip().splitlines()
        assert ran.returncode == 2 and all(line.startswith("…") for line in steps), ran.stderr
        assert "磁盘已满" in told and "重跑" in told
        subprocess.run(["mount", "-o", "remount,size=96m", str(home)], check=True)
        again = subprocess.run(command, capture_output=True, text=True, env=env, timeout=600, check=False)
        assert again.returncode == 0, again.stderr
        assert "第 1 次比对" in again.stdout and "排队" in again.stdout
        assert (home / "nights" / "1" / "lists" / "总览.xlsx").is_file()
    finally:
        subprocess.run(["umount", str(home)], check=False)


def test_other_faults_are_said_as_they_are():
    assert say_error(ValueError("缺列")) == "缺列"
    assert "a.xlsx：文件写不下了" in say_error(OSError(errno.ENOSPC, "No space left on device", "a.xlsx"))
    assert "没有这个" in say_error(FileNotFoundError(errno.ENOENT, "没有这个", "x"))
