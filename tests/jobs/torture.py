"""A working day of the office that is killed again and again: children are forked, killed -9, and started anew.

Every child does the whole day from where the database says it stands. At the end nothing may be lost or twice.
"""

from __future__ import annotations

import csv
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
from sqlalchemy.engine import Engine
from sqlmodel import select

import policies
from engine.fulfilment import Refused
from engine.grantmoves import AUTOMATIC, State
from jobs.channels import Settings
from jobs.push import push_once
from policies.library import Library, load_library
from profiles.dictionary import builtin_dictionary
from store import budgets, faults, grants, ledger, outbox, payments, push_index, pushes, reach
from store.calendars import office_calendar
from store.database import open_database, session, upgrade
from store.grants import Actor, NewGrant
from store.review import change_setting
from tests.jobs.receivers import HttpReceiver, SmtpReceiver

D, AT = date(2026, 4, 1), datetime(2026, 4, 1, 1, tzinfo=UTC)
BASE, STARTED = datetime(2026, 4, 22, 1, tzinfo=UTC), datetime.now(UTC)
FIRMS, ENOUGH_FOR, FEN = 18, 12, 100_00
ITEM = "bs-2025-04/steady-growth"
WAVERING = ("F03", "F11")
# The points that a day passes; a night's are in torture_layers, the scheduler's in test_schedule.
PASSED = [p for p in faults.POINTS if not p.startswith(("leases.", "claims.", "nights.", "scores."))]
# In the order of the day, since a child that dies late has done all that comes before.
IN_A_DAY = [
    "budgets.taken", "pushes.queued", "grants.opened", "pushes.rechecked", "pushes.claimed", "pushes.delivered", "pushes.recorded", "ledger.appended",
    "grants.before_commit", "grants.after_commit", "payments.read", "payments.row", "payments.done",
]  # fmt: skip
assert sorted(IN_A_DAY) == sorted(PASSED)
ACCOUNT = {"户名": "甲", "账号": "6222", "开户行": "银行", "确认人": "张"}
LIBRARY = load_library(Path(policies.__file__).with_name("library"), builtin_dictionary(), {})
TOLD = next(p.item for p in LIBRARY.programs if p.item.delivery == "即申即享" and p.item.live_batch(D))


REVISED = next(p for p in LIBRARY.programs if p.item.id == "bs-2025-06/rd-increment")


def ruled_yuan(more: int) -> int:
    """What the rule file gives the revised item's batch: a little more each time that the day is opened again."""
    return 30_000_000 + more * 10_000


def revised(more: int) -> Library:
    """The library after so many firms were added: its budget follows, so that there is one to take over each time."""
    item = REVISED.item
    batches = tuple(
        replace(b, budget=float(ruled_yuan(more)) if b.name == "2026" else b.budget) for b in item.batches
    )
    program = replace(REVISED, item=replace(item, batches=batches))
    documents = {
        name: replace(d, items=[replace(i, program=program) if i.program is REVISED else i for i in d.items])
        for name, d in LIBRARY.documents.items()
    }
    return replace(LIBRARY, documents=documents)


class MadeUpNight:
    """A night in which every firm fits one item; more firms, and more money for another, where the folder says so."""

    no, state, as_of = 1, "完成", D

    def __init__(self, folder: Path):
        self.folder = folder
        more = folder / "more"
        self._more = int(more.read_text()) if more.exists() else 0
        self._firms = FIRMS + self._more
        self.counts = {"fits": self._firms}

    def library(self):
        return revised(self._more)

    def items(self):
        return pd.DataFrame([{"item": TOLD.id, "batch": TOLD.live_batch(D).name}])

    def hits(self, item):
        names = ["统一社会信用代码", "企业名称", "verdict", "paid_low", "paid_high", "gave_way", "unknown", "amount_low",
                 "amount_high"]  # fmt: skip
        return pd.DataFrame(
            [(f"F{i:02d}", "甲", "符合", 5e4, 5e4, "", [], 5e4, 5e4) for i in range(self._firms)],
            columns=names,
        )

    def pairs(self, item, columns):
        frame = self.hits(item)[columns]
        table = pa.Table.from_pandas(frame, preserve_index=False) if len(frame) else None
        if table is None or "unknown" not in columns:
            return table
        at = columns.index("unknown")
        return table.set_column(at, "unknown", table["unknown"].cast(pa.list_(pa.string())))


def a_day(url: str, settings: Settings, folder: Path, late: timedelta) -> None:
    """The whole day: night, lists, confirmations, pushes, payments; every step safe to repeat."""
    engine = open_database(url)
    calendar = office_calendar(engine)
    now = lambda: BASE + (datetime.now(UTC) - STARTED) + late  # noqa: E731
    push_index.WORTH = (
        1  # in this process, which is here for one day: so that kills meet the night without its index
    )
    pushes.queue_pushes(engine, MadeUpNight(folder), D, now())
    found = [
        NewGrant(f"F{i:02d}", "甲", ITEM, "2026", "奖", "局", AUTOMATIC, FEN, FEN, run_no=1)
        for i in range(FIRMS)
    ]
    grants.open_grants(engine, found, D, now(), calendar, chunk=4)
    for (
        code
    ) in WAVERING:  # told before they agreed: what was held for them goes out after the check before sending
        reach.change_reach(engine, code, now(), consent=True)
    push_once(engine, settings, now, threads=2, patience=0)
    _walk(engine, calendar, now)
    paid = _payment_file(engine, folder)
    payments.reconcile(engine, paid, now(), calendar)
    engine.dispose()


def _walk(engine: Engine, calendar, now: Callable[[], datetime]) -> None:
    """Every automatic grant as far as 拨付: what is to be done next is read off its state."""
    steps = {
        "名单核查": ("通过名单", "经办", D, {"核定金额": FEN}),
        "信用核查": ("信用通过", "经办", D, {"信用查询日期": "x", "公示地址": "y"}),
        "公示": ("公示期满", "系统", date(2026, 4, 20), {}),
        "企业确认": ("确认", "企业", date(2026, 4, 20), ACCOUNT),
        "财政审核": ("财政通过", "财政", date(2026, 4, 21), {}),
    }
    for case in grants.find(engine, item=ITEM):
        while case.state in steps:
            action, role, day, facts = steps[case.state]
            try:
                case = grants.act(
                    engine,
                    case.id,
                    action,
                    Actor("某", role),
                    day,
                    now(),
                    calendar,
                    facts,
                    f"{action}-{case.id}",
                )
            except Refused:  # another child was faster
                case = grants.find(engine, item=ITEM, code=case.code)[0]


def _payment_file(engine: Engine, folder: Path) -> Path:
    path = folder / "payments.csv"
    if path.exists():
        return path
    part = folder / f"payments.{os.getpid()}.part"
    with part.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(payments.COLUMNS)
        for case in grants.find(engine, item=ITEM, states=[State.PAYING]):
            writer.writerow([f"S{case.id}", case.code, ITEM, "100.00", "2026-04-22", "成功"])
    part.replace(path)
    return path


@dataclass
class Campaign:
    """One database, its receivers, and how often its children were killed."""

    url: str
    folder: Path
    seed: int
    kills: int = 0
    points: Counter[str] = field(default_factory=Counter)
    untried: list[str] = field(default_factory=list)
    children: int = 0
    more: int = 0

    def run(self, kills: int) -> None:
        """Kill so many children, then let one finish; check everything."""
        rng = random.Random(self.seed)
        self.untried = list(IN_A_DAY)  # each once before any is drawn: some are passed early only
        http, smtp = HttpReceiver(), SmtpReceiver()
        settings = Settings(webhook_url=http.url, webhook_secret="s", smtp_url=smtp.url)
        self._prepare()
        try:
            while self.kills < kills:
                self._round(rng, settings)
            for _ in range(2):  # what the last payments make to tell goes out the day after
                self.children += 1
                assert _wait(self._fork(settings, None), None) == 0, "the undisturbed child failed"
            self._check(http, smtp)
        finally:
            http.close()
            smtp.close()

    def _prepare(self) -> None:
        engine = open_database(self.url)
        upgrade(engine)
        change_setting(engine, "push", {"channels": ["smtp"]}, by="管", now=AT)
        for i in range(FIRMS):
            reach.change_reach(
                engine, f"F{i:02d}", AT, consent=f"F{i:02d}" not in WAVERING, email=f"f{i}@example.org"
            )
        budgets.set_budget(engine, ITEM, "2026", ENOUGH_FOR * FEN, budgets.FIRST_COME, who="钱", on=D, at=AT)
        engine.dispose()

    def _round(self, rng: random.Random, settings: Settings) -> None:
        """One or two children at once, each to be killed at a point or at a moment."""
        pids = []
        # Alone as long as a point is untried: a second child would do the work on which the first is to die.
        trying = self.untried[0] if self.untried else ""
        for _ in range(1 if trying else rng.choice([1, 1, 2])):
            spot = None
            if trying:
                spot = (self.untried.pop(0), 1)
            elif rng.random() < 0.5:
                spot = (rng.choice(PASSED), rng.randint(1, 12))
            pids.append((self._fork(settings, spot), spot, rng.uniform(0.0, 1.2)))
            self.children += 1
        for pid, spot, seconds in pids:
            status = _wait(pid, None if spot else seconds)
            self.kills += status == -signal.SIGKILL
            if status == -signal.SIGKILL and spot is not None:
                self.points[spot[0]] += 1
            assert status in (0, -signal.SIGKILL), f"a child failed with {status}"
            if status == 0 and spot is None and (self.folder / "payments.csv").exists():
                self._reopen()

    def _reopen(self) -> None:
        """The day was done: more firms fit the next time, so that there is something to kill again."""
        self.more += 12
        engine = open_database(self.url)
        for i in range(FIRMS + self.more - 12, FIRMS + self.more):
            reach.change_reach(engine, f"F{i:02d}", AT, consent=True, email=f"f{i}@example.org")
        engine.dispose()
        part = self.folder / "more.part"
        part.write_text(str(self.more))
        part.replace(self.folder / "more")

    def _fork(self, settings: Settings, spot: tuple[str, int] | None) -> int:
        """A child that does the day; later children live later, so that leases of the dead have run out."""
        late = timedelta(seconds=200 * self.children)
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            if spot:
                faults.arm(*spot)
            a_day(self.url, settings, self.folder, late)
            code = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(code)

    def _check(self, http: HttpReceiver, smtp: SmtpReceiver) -> None:
        engine = open_database(self.url)
        rows = outbox.list_pushes(engine)
        hooks = {r.key for r in rows if r.channel == "webhook"}
        assert {r.state for r in rows} == {outbox.SENT}, [
            (r.firm, r.channel, r.attempts, str(r.next_at), r.kind) for r in rows if r.state != outbox.SENT
        ][:6]
        assert set(http.effects) == hooks, (
            sorted(hooks ^ set(http.effects))[:4],
            len(hooks),
            len(http.effects),
        )
        assert not http.bad, http.bad[:3]
        assert set(smtp.letters) == {f"<{r.parcel}@huiqi>" for r in rows if r.channel == "smtp"}
        assert len({(r.firm, r.item, r.batch, r.channel, r.kind) for r in rows}) == len(rows)
        states = [c.state for c in grants.find(engine, item=ITEM)]
        assert (len(states), states.count("到账"), states.count("候补")) == (
            FIRMS,
            ENOUGH_FOR,
            FIRMS - ENOUGH_FOR,
        )
        found = ledger.verify_ledger(engine)
        assert found == [], found
        with session(engine) as opened:
            arrivals = opened.exec(
                select(ledger.LedgerEntry.ref).where(ledger.LedgerEntry.kind == "到账")
            ).all()
            assert len(arrivals) == len(set(arrivals)) == ENOUGH_FOR
            assert ledger.balances(opened, f"{ITEM}|2026")["已付"] == ENOUGH_FOR * FEN
            given = opened.exec(
                select(ledger.LedgerEntry.fen).where(ledger.LedgerEntry.subject == f"{REVISED.item.id}|2026")
            ).all()
        limit = next(b.limit_fen for b in budgets.list_budgets(engine, REVISED.item.id) if b.batch == "2026")
        assert limit == sum(given) == ruled_yuan(self.more) * 100, (limit, given, self.more)
        engine.dispose()


def _wait(pid: int, seconds: float | None) -> int:
    """The child's end: its exit code, or minus the signal; killed after so many seconds."""
    deadline = time.monotonic() + (seconds if seconds is not None else 600.0)
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= deadline:
            os.kill(pid, signal.SIGKILL)
            deadline = float("inf")
        time.sleep(0.002)
