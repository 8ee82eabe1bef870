"""发件箱: pushes claimed by workers, recorded, tried again, and read; each leaves once however workers fare."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from store import outbox
from store.database import writing
from store.outbox import DEAD, DUE, SENT, Outcome

AT = datetime(2026, 4, 1, 1, tzinfo=UTC)


def add(engine, n: int, channel: str = "webhook", firm: str = "") -> None:
    with writing(engine) as opened:
        for i in range(n):
            key = outbox.push_key(firm or f"F{i}", f"i{i}", "2026", channel, "inform", 1)
            opened.add(
                outbox.Push(key=key, firm=firm or f"F{i}", item=f"i{i}", batch="2026", channel=channel, kind="inform",
                            state=DUE, next_at=AT, created=AT, subject=f"s{i}", body=f"b{i}")
            )  # fmt: skip


def test_two_pushers_never_hold_the_same_push(engine):
    add(engine, 30)
    one = outbox.claim(engine, ["webhook"], "a", AT, 20)
    two = outbox.claim(engine, ["webhook"], "b", AT, 20)
    held = [p.key for parcel in one + two for p in parcel.pushes]
    assert len(held) == len(set(held)) == 30
    assert outbox.claim(engine, ["webhook"], "c", AT, 20) == []
    later = outbox.claim(engine, ["webhook"], "c", AT + outbox.LEASE, 50)
    assert {p.name for p in later} == set(held)  # fallen leases come again, under the same names


def test_workers_that_hold_the_same_rows_do_not_wait_in_a_ring(engine):
    """One whose lease ran out records what another holds by now, in the opposite order."""
    add(engine, 60)
    first = outbox.claim(engine, ["webhook"], "a", AT, 60)
    second = outbox.claim(engine, ["webhook"], "b", AT + outbox.LEASE, 60)
    assert len(first) == len(second) == 60

    def finish(parcels, times: int) -> None:
        for _ in range(times):
            outbox.record(engine, [Outcome(p, "retry", "HTTP 500", 0.0) for p in parcels], AT)

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(finish, first, 15), pool.submit(finish, list(reversed(second)), 15)]
        assert [f.result() for f in both] == [None, None]


def test_a_clock_set_back_neither_loses_nor_repeats(engine):
    add(engine, 2)
    ahead = AT + timedelta(days=400)
    parcels = outbox.claim(engine, ["webhook"], "a", ahead, 1)
    outbox.record(engine, [Outcome(parcels[0], SENT)], ahead)
    stuck = outbox.claim(engine, ["webhook"], "a", ahead, 1)
    outbox.record(engine, [Outcome(stuck[0], "retry", "x", 3600.0)], ahead)
    back = outbox.claim(engine, ["webhook"], "b", AT, 10)
    assert [p.name for p in back] == [stuck[0].name]


def test_backoff_dead_letter_and_resending(engine):
    add(engine, 1)
    at, waits = AT, []
    for _ in range(outbox.MOST_ATTEMPTS):
        parcel = outbox.claim(engine, ["webhook"], "a", at, 10)[0]
        outbox.record(engine, [Outcome(parcel, "retry", "HTTP 500")], at)
        push = outbox.list_pushes(engine)[0]
        waits.append((push.next_at - at).total_seconds())
        at = push.next_at
    assert waits[:8] == sorted(waits[:8]) and max(waits) < 1.3 * outbox.BACKOFF_MOST
    assert (push.state, push.attempts, push.reason) == (DEAD, 10, "HTTP 500")
    assert outbox.claim(engine, ["webhook"], "a", at + timedelta(days=3), 10) == []
    outbox.resend(engine, push.key, at)
    assert outbox.claim(engine, ["webhook"], "a", at, 10)[0].name == push.key
    with pytest.raises(ValueError, match="不是死信"):
        outbox.resend(engine, push.key, at)


def test_personal_channels_are_grouped_and_a_parcel_stays_together(engine):
    add(engine, 3, "smtp", firm="A")
    parcel = outbox.claim(engine, ["smtp"], "a", AT, 10)[0]
    assert len(parcel.pushes) == 3
    add(engine, 4, "sms", firm="A")
    again = outbox.claim(engine, ["smtp"], "b", AT + outbox.LEASE, 10)
    assert [p.name for p in again] == [parcel.name]


def test_what_a_dead_worker_held_is_free_at_once(engine):
    add(engine, 3)
    add(engine, 1, "apprise")
    for worker in ("dead", "alive"):
        assert outbox.claim(engine, ["webhook"], worker, AT, 1)
    outbox.claim(engine, ["apprise"], "dead", AT, 10)
    assert outbox.let_fall(engine, lambda w: w == "dead", AT) == 2
    assert outbox.next_due(engine, ["webhook"]) == AT
    assert len(outbox.claim(engine, ["webhook"], "c", AT, 10)) == 2
    broken = outbox.list_pushes(engine, channel="apprise")[0]
    assert (broken.state, broken.reason) == (DEAD, outbox.BROKEN_OFF)


def test_a_channel_that_cannot_tell_repeats_leaves_a_broken_sending_to_a_person(engine):
    add(engine, 1, "apprise")
    assert len(outbox.claim(engine, ["apprise"], "a", AT, 10)) == 1
    assert outbox.claim(engine, ["apprise"], "b", AT + outbox.LEASE, 10) == []
    assert outbox.list_pushes(engine)[0].state == DEAD


def test_reading_is_noted_once(engine):
    add(engine, 1, "inbox", firm="A")
    parcel = outbox.claim(engine, ["inbox"], "a", AT, 10)[0]
    outbox.record(engine, [Outcome(parcel, SENT, "收件箱")], AT)
    key = outbox.inbox(engine, "A")[0].key
    assert outbox.mark_read(engine, [key], AT) == 1 and outbox.mark_read(engine, [key], AT) == 0
