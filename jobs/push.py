"""推送: deliver what is due: claim, send, record, until nothing is left; safe to kill and to run twice at once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue
from zoneinfo import ZoneInfo

from jobs.channels import Channel, Chat, FileDrop, Inbox, Mail, Settings, Webhook
from jobs.process import is_dead, worker_name
from store.database import Engine
from store.outbox import SENT, Outcome, Parcel, claim, let_fall, next_due, record
from store.push_index import mend_index
from store.reach import addresses
from store.waiting import recheck

SHANGHAI = ZoneInfo("Asia/Shanghai")
THREADS = 8
BATCH = 400
RECORD_EVERY = 0.05
GIVE_UP = 25  # failures in a row after which a channel is left alone for this round
PATIENCE = 6.0  # seconds that `push --once` waits for a retry that is nearly due

LOG = logging.getLogger("huiqi.push")
Now = Callable[[], datetime]


@dataclass
class PushReport:
    """推送小结: pushes by outcome, channels that were left alone, and how many changed in the check before sending."""

    counts: dict[str, int] = field(default_factory=dict)
    closed: list[str] = field(default_factory=list)
    woken: int = 0

    @property
    def words(self) -> str:
        """小结的话."""
        sent, again, dead = (self.counts.get(state, 0) for state in ("sent", "retry", "dead"))
        return f"送达 {sent:,} 条，失败待重试 {again:,} 次，死信 {dead:,} 条"

    def add(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            self.counts[outcome.state] = self.counts.get(outcome.state, 0) + len(outcome.parcel.pushes)


def open_channels(engine: Engine, settings: Settings) -> dict[str, Channel]:
    """启用渠道: those that are set up; the inbox always."""
    reach = addresses(engine)
    channels: dict[str, Channel] = {"inbox": Inbox()}
    if settings.webhook_url:
        channels["webhook"] = Webhook(settings.webhook_url, settings.webhook_secret)
    if settings.smtp_url:
        channels["smtp"] = Mail(settings.smtp_url, {r.code: r.email for r in reach if r.email})
    if settings.apprise_urls:
        channels["apprise"] = Chat(settings.apprise_urls)
    if settings.sms_dir:
        channels["sms"] = FileDrop(Path(settings.sms_dir), {r.code: r.phone for r in reach if r.phone})
    return channels


def push_once(
    engine: Engine, settings: Settings, now: Now, *, threads: int = THREADS, patience: float = PATIENCE,
    tell: Callable[[int], None] = lambda n: None,
) -> PushReport:  # fmt: skip
    """推送一轮: everything that is due, and what comes due within `patience` seconds of trying again."""
    report = PushReport()
    today = now().astimezone(SHANGHAI).date()
    mend_index(engine)
    let_fall(engine, is_dead, now())
    report.woken = recheck(engine, today, now())
    channels = open_channels(engine, settings)
    round_ = _Round(engine, channels, now, report, tell)
    waited = 0.0
    with ThreadPoolExecutor(threads) as pool:
        while True:
            round_.drain(pool)
            pause = _pause(engine, round_, now)
            if pause is None or waited + pause > patience:
                return report
            time.sleep(pause)
            waited += pause


def _pause(engine: Engine, round_: _Round, now: Now) -> float | None:
    """等多久: seconds until the first channel has something due and does not rest; None where there is nothing more."""
    waits = []
    for channel in round_.open:
        soon = next_due(engine, (channel,))
        if soon is not None:
            waits.append(max((soon - now()).total_seconds(), round_.rest_of(channel)))
    return max(0.05, min(waits) + 0.01) if waits else None


class _Round:
    """一轮: claims batch after batch while threads send; results are recorded every few hundredths of a second."""

    def __init__(
        self,
        engine: Engine,
        channels: Mapping[str, Channel],
        now: Now,
        report: PushReport,
        tell: Callable[[int], None],
    ):
        self._engine, self._now, self._report, self._tell = engine, now, report, tell
        self.open = dict(channels)
        self._worker = worker_name()
        self._failures: dict[str, int] = {}
        self._rests: dict[str, float] = {}

    def rest_of(self, channel: str) -> float:
        """还要歇几秒: what is left of the pause its receiver asked for."""
        return max(0.0, self._rests.get(channel, 0.0) - time.monotonic())

    def drain(self, pool: ThreadPoolExecutor) -> None:
        """发完到期的."""
        while awake := tuple(c for c in self.open if not self.rest_of(c)):
            parcels = claim(self._engine, awake, self._worker, self._now(), BATCH)
            if not parcels:
                return
            self._send_all(pool, parcels)

    def _send_all(self, pool: ThreadPoolExecutor, parcels: list[Parcel]) -> None:
        answers: SimpleQueue[Outcome | BaseException] = SimpleQueue()
        for parcel in parcels:
            pool.submit(self._answer, parcel, answers)
        done: list[Outcome] = []
        last = time.monotonic()
        for left in range(len(parcels) - 1, -1, -1):
            answer = answers.get()
            if isinstance(answer, BaseException):
                raise answer
            done.append(answer)
            if not left or time.monotonic() - last >= RECORD_EVERY:
                self._keep(done)
                done, last = [], time.monotonic()

    def _answer(self, parcel: Parcel, answers: SimpleQueue[Outcome | BaseException]) -> None:
        try:
            answers.put(self._send(parcel))
        except BaseException as error:
            answers.put(error)
            raise

    def _send(self, parcel: Parcel) -> Outcome:
        channel = self.open.get(parcel.channel)
        if channel is None:
            return Outcome(parcel, "skipped", "渠道暂时不通，下一轮再发")
        if self.rest_of(parcel.channel):
            return Outcome(parcel, "skipped", "对方嫌太快，歇一歇再发")
        outcome = channel.send(parcel)
        if outcome.state == "retry" and outcome.after:  # "too fast": whoever knocks on is shut out for longer
            self._rests[parcel.channel] = time.monotonic() + outcome.after
        failures = 0 if outcome.state != "retry" else self._failures.get(parcel.channel, 0) + 1
        self._failures[parcel.channel] = failures
        if failures >= GIVE_UP and self.open.pop(parcel.channel, None) is not None:
            self._report.closed.append(parcel.channel)
        return outcome

    def _keep(self, outcomes: list[Outcome]) -> None:
        now = self._now()
        skipped = [o for o in outcomes if o.state == "skipped"]
        record(self._engine, outcomes, now)
        self._report.add(outcomes)
        for outcome in outcomes:
            _tell_log(outcome)
        self._tell(len(outcomes) - len(skipped))


def _tell_log(outcome: Outcome) -> None:
    """A line a delivery: its name, channel and outcome, and the matches it was about; never the address or the words."""
    pushes = outcome.parcel.pushes
    level = logging.INFO if outcome.state in (SENT, "skipped") else logging.WARNING
    LOG.log(level, "push", extra={
        "parcel": outcome.parcel.name, "channel": outcome.parcel.channel, "outcome": outcome.state, "attempts": outcome.parcel.attempts,
        "matches": [f"{p.item}:{p.firm}" for p in pushes][:20], "run": max((p.run_no or 0 for p in pushes), default=0) or None,
        "note": outcome.note[:200],
    })  # fmt: skip


__all__ = ["SENT", "PushReport", "open_channels", "push_once"]
