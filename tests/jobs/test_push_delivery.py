"""推送投递: real receivers on loopback that are slow, fail, hang up and lie."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from jobs.channels import Settings
from jobs.process import _started, fate, is_dead, place, worker_name
from jobs.push import push_once
from store import outbox, reach
from store.database import writing
from store.outbox import DEAD, DUE, SENT
from tests.databases import new_database
from tests.jobs.receivers import HttpReceiver, SmtpReceiver

AT = datetime(2026, 4, 1, 1, tzinfo=UTC)


def now() -> datetime:
    return datetime.now(UTC)


def _later(by: timedelta) -> datetime:
    return now() + by


@pytest.fixture
def engine(tmp_path, database):
    opened = new_database(tmp_path)
    yield opened
    opened.dispose()


def fill(engine, n: int, channel: str = "webhook", firm: str = "") -> None:
    with writing(engine) as opened:
        for i in range(n):
            code = firm or f"F{i}"
            key = outbox.push_key(code, f"i{i}", "2026", channel, "inform", 1)
            opened.add(
                outbox.Push(key=key, firm=code, item=f"i{i}", batch="2026", channel=channel, kind="inform", state=DUE,
                            next_at=AT, created=AT, subject=f"标题{i}", body=f"内容{i}")
            )  # fmt: skip


def settings(**kw) -> Settings:
    return Settings(**{"webhook_secret": "s3", **kw})


@pytest.mark.parametrize(
    "plan",
    [
        lambda n, key: None,
        lambda n, key: 500 if n % 3 == 0 else None,
        lambda n, key: 429 if n <= 5 else None,
        lambda n, key: "cut" if n % 4 == 0 else None,
        lambda n, key: "drop" if n % 4 == 0 else None,
        lambda n, key: "lie" if n % 5 == 0 else None,
        lambda n, key: "slow" if n % 9 == 0 else None,
    ],
    ids=["well", "500", "429", "cut", "drop", "lie", "slow"],
)
def test_every_push_is_one_effect_whatever_the_receiver_does(engine, plan):
    fill(engine, 40)
    receiver = HttpReceiver(plan)
    try:
        for hours in range(8):  # an hour later each time, so that every back-off is over
            clock = partial(_later, timedelta(hours=hours))
            push_once(engine, settings(webhook_url=receiver.url), clock, threads=4, patience=0)
            if not outbox.list_pushes(engine, states=[DUE]):
                break
    finally:
        receiver.close()
    rows = outbox.list_pushes(engine)
    assert {r.state for r in rows} == {SENT}
    assert set(receiver.effects) == {r.key for r in rows} and receiver.bad == []
    for row in rows:
        expected = "sha256=" + hmac.new(b"s3", row.body.encode(), hashlib.sha256).hexdigest()
        assert receiver.signatures[row.key] == expected and receiver.bodies[row.key] == row.body.encode()


def test_what_the_receiver_will_never_take_is_a_dead_letter(engine):
    fill(engine, 3)
    receiver = HttpReceiver(lambda n, key: 422)
    report = push_once(engine, settings(webhook_url=receiver.url), now)
    receiver.close()
    assert report.counts == {"dead": 3}
    assert {(r.state, r.reason) for r in outbox.list_pushes(engine)} == {(DEAD, "对方不收：HTTP 422")}


def test_a_channel_that_is_down_does_not_burn_everyones_attempts(engine):
    fill(engine, 200)
    report = push_once(engine, settings(webhook_url="http://127.0.0.1:9/"), now, threads=2, patience=0)
    assert report.closed == ["webhook"]
    tried = [r.attempts for r in outbox.list_pushes(engine)]
    assert sum(tried) < 60 and max(tried) == 1


def test_who_is_too_fast_waits_as_long_as_it_was_asked(engine):
    fill(engine, 60)
    refused: list[int] = []

    def plan(n: int, key: str) -> int | None:
        if n > 20 and len(refused) < 2:
            refused.append(n)
            return 429
        return None

    receiver = HttpReceiver(plan)
    try:
        first = push_once(engine, settings(webhook_url=receiver.url), now, threads=1, patience=0)
        assert receiver.requests == 21 and first.counts["sent"] == 20, "after “too fast” it knocks no more"
        second = push_once(engine, settings(webhook_url=receiver.url), now, threads=1, patience=30)
    finally:
        receiver.close()
    assert receiver.requests == 62 and second.closed == []
    rows = outbox.list_pushes(engine)
    assert {r.state for r in rows} == {SENT} and sum(r.attempts for r in rows) == 62


def test_without_a_webhook_pushes_stay_due_and_the_inbox_is_filled(engine):
    fill(engine, 2)
    fill(engine, 2, "inbox")
    assert push_once(engine, Settings(), now).counts == {"sent": 2}
    assert {(r.channel, r.state) for r in outbox.list_pushes(engine)} == {("webhook", DUE), ("inbox", SENT)}


def test_one_letter_and_one_file_a_firm(engine, tmp_path):
    reach.change_reach(engine, "A", AT, consent=True, email="a@example.org", phone="000")
    fill(engine, 3, "smtp", firm="A")
    fill(engine, 3, "sms", firm="A")
    receiver = SmtpReceiver()
    push_once(engine, settings(smtp_url=receiver.url, sms_dir=str(tmp_path / "sms")), now)
    receiver.close()
    assert list(receiver.letters.values()) == [1]
    assert len(list((tmp_path / "sms").glob("*.json"))) == 1
    assert {r.state for r in outbox.list_pushes(engine)} == {SENT}


def test_a_process_is_known_by_its_name_while_it_lives():
    import os
    import time

    name = worker_name()
    assert fate(name) is True and len(name) <= 40
    assert fate("nowhere:1:1-abcd") is None and fate("12-abc") is None
    child = os.fork()
    if not child:
        time.sleep(30)
        os._exit(0)
    other = f"{place()}:{child}:{_started(child)}"
    assert fate(other) is True and fate(f"{place()}:{child}:1") is False
    os.kill(child, 9)
    os.waitpid(child, 0)
    assert fate(other) is False and is_dead(other)


def test_a_full_disk_is_tried_again(engine, tmp_path):
    reach.change_reach(engine, "A", AT, consent=True, phone="000")
    fill(engine, 1, "sms", firm="A")
    blocked = tmp_path / "sms"
    blocked.write_text("a file where the folder should be")
    push_once(engine, settings(sms_dir=str(blocked)), now, patience=0)
    row = outbox.list_pushes(engine)[0]
    assert row.state == DUE and "文件没有写下" in row.reason
    blocked.unlink()
    push_once(engine, settings(sms_dir=str(blocked)), now)
    assert outbox.list_pushes(engine)[0].state == SENT


def test_settings_that_cannot_work_are_refused():
    with pytest.raises(ValueError, match="HUIQI_WEBHOOK_SECRET"):
        Settings.read({"HUIQI_WEBHOOK_URL": "http://x/"})
    with pytest.raises(ValueError, match="http://"):
        Settings.read({"HUIQI_WEBHOOK_URL": "ftp://x/", "HUIQI_WEBHOOK_SECRET": "s"})
