"""Nights of which little changes, killed -9 while they write layers, write blocks anew and take their place; each must be the
undisturbed one's equal, and every night before it must be read as it was.

What makes a night worth layers is lowered in the children, and a file takes two at most: else only registers of a hundred
thousand firms would write any, and none would be written anew within a week.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import numpy as np

import policies
from jobs.nightly import run_night
from jobs.replay import replay
from profiles import sample
from store import faults, night_blocks, night_reads
from store.database import open_database, upgrade
from store.night_content import stored_content
from store.night_index import ItemKey, content_digest, kept_of
from store.nights import Night, list_nights
from store.outbox import list_pushes
from tests.jobs.torture import _wait

DAY = date(2026, 6, 17)
LIBRARY = Path(policies.__file__).with_name("library")
POINTS = [p for p in faults.POINTS if p.startswith("nights.")]
OFTEN = ("nights.block_shared", "nights.block_written")  # once a block, the others once a night
LOWERED = {
    "LEAST": 4, "CHANCE": 8, "MOST": 24, "WORTH_PATCHING": 0, "WORTH_FIRMS": 0, "SHARE": 0.5, "LAYERS_MOST": 2, "WORTH_FACTS": 0,
}  # fmt: skip
RULE = Path("bs-2025-04/items/steady-growth.yaml")
TOLD = "税务_年度申报_20260615.csv"


def day_of(number: int) -> date:
    return DAY + timedelta(days=number)


def deliver(side: Path, number: int, seed: int) -> None:
    """What arrives on a day: some firms restate their turnover; on every third day a threshold changes too, and on every
    fifth nothing arrives at all. The same for both sides, whenever it is delivered."""
    if number == 0:
        sample.write_sample(sample.generate(60, seed), side / "inbox", 0.0)
        shutil.copytree(LIBRARY, side / "library")
        shutil.copy(side / "inbox" / TOLD, side / "told.csv")
        return
    if number % 5 == 4:
        return
    rng = random.Random(f"{seed} {number}")
    if number % 3 == 0:
        rule = (LIBRARY / RULE).read_text(encoding="utf-8")
        (side / "library" / RULE).write_text(
            rule.replace("below: 20%, amount: 20万元", f"below: 20%, amount: {20 + number}万元"),
            encoding="utf-8",
        )
    head, *rows = (side / "told.csv").read_text(encoding="utf-8-sig").splitlines(keepends=True)
    for at in rng.sample(range(len(rows)), 8):
        cells = rows[at].split(",")
        cells[3] = f"{rng.randint(100, 90_000_000)}.00"
        rows[at] = ",".join(cells)
    text = "".join([head, *rows])
    (side / "told.csv").write_text(text, encoding="utf-8")
    name = f"税务_年度申报_{day_of(number - 1):%Y%m%d}.csv"
    (side / "inbox" / name).write_text(text, encoding="utf-8")


def one_night(url: str, side: Path, number: int) -> None:
    """Import, match with layers, lists, guard, pushes. What is lowered for it is as it was for whoever comes after."""
    engine, at = open_database(url), day_of(number)
    with patch.multiple(night_blocks, **LOWERED):
        run_night(
            engine, side, side / "library", at, lambda: datetime(at.year, at.month, at.day, 2, tzinfo=UTC)
        )
    engine.dispose()


def child(url: str, side: Path, number: int, seconds: float | None, point: str = "", nth: int = 1) -> int:
    """A night in a process of its own, killed after so many seconds or at a point; how it ended."""
    pid = os.fork()
    if not pid:
        code = 1
        try:
            if point:
                faults.arm(point, nth)
            one_night(url, side, number)
            code = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(code)
    return _wait(pid, seconds if seconds is not None else 180.0)


def told_of(night: Night) -> dict[str, object]:
    """What a night says of itself, without its number and times."""
    names = ["item", "batch", "fits", "open", "low", "high", "new_fits", "gone"]
    counts = {
        n: night.counts[n] for n in ("fits", "open", "firms", "blocks", "fresh_blocks", "patched_blocks")
    }
    return {
        "day": night.as_of, "hits": night.run.hits_hash, "state": night.run.state, **counts,
        "items": night.items()[names].sort_values("item").to_dict("records"),
    }  # fmt: skip


def nights_of(url: str, side: Path) -> list[dict[str, object]]:
    """What each night on a side says, the first first."""
    engine = open_database(url)
    found = [told_of(n) for n in sorted(list_nights(engine, side), key=lambda n: n.no)]
    engine.dispose()
    return found


def look_back(url: str, side: Path, again: bool) -> int:
    """Every night of a side is read whole: its files hold the content its hash says, its lists the pairs its figures say;
    `again`: and each is replayed from nothing. How many nights."""
    engine = open_database(url)
    nights = list_nights(engine, side)
    for night in nights:
        night_reads.forget()
        sums = stored_content(night.folder)
        keys = [ItemKey(k.item, k.batch, "") for k in kept_of(night.folder).index.items]
        whole = np.array([[sums.get((k.item, k.batch), (0, 0)) for k in keys]], np.uint64)
        assert content_digest(keys, whole) == night.run.hits_hash, (
            f"night {night.no} is not read as it was written"
        )
        for row in night.items().itertuples():
            assert len(night.hits(str(row.item))) == row.fits + row.open, (night.no, row.item)
        if again:
            assert replay(engine, side, night.no) == [], f"night {night.no} can't be replayed"
    engine.dispose()
    return len(nights)


class LayersCampaign:
    """一串日子: an undisturbed side and one whose nights are killed."""

    def __init__(
        self, reference: str, url: str, folder: Path, seed: int, tell: Callable[[str], None] = print
    ):
        self.urls, self.sides = (reference, url), (folder / "a", folder / "b")
        self.seed, self.rng, self.tell = seed, random.Random(seed), tell
        self.kills = 0
        self.points: Counter[str] = Counter()
        self.nights = self.patched = self.rewritten = self.read = 0

    def run(self, days: int, kills: int) -> None:
        """At least so many nights and so many kills. Raises AssertionError where a night is not the undisturbed one's equal."""
        for url, side in zip(self.urls, self.sides, strict=True):
            side.mkdir(parents=True)
            engine = open_database(url)
            upgrade(engine)
            engine.dispose()
        number = -1
        while (number := number + 1) < days or (self.kills < kills and number < 4 * days):
            for side in self.sides:
                deliver(side, number, self.seed)
            begun = time.monotonic()
            assert child(self.urls[0], self.sides[0], number, None) == 0
            self._disturbed(number, -(-kills * min(number + 1, days) // days), time.monotonic() - begun)
            self._compare(number)
        engines = [open_database(url) for url in self.urls]
        pushes = [sorted((p.key, p.state, p.reason) for p in list_pushes(e)) for e in engines]
        for engine in engines:
            engine.dispose()
        assert pushes[0] == pushes[1], "the pushes differ"
        self.read += look_back(self.urls[1], self.sides[1], again=True)
        self.nights = number
        assert self.kills >= kills, "too few nights were killed"
        assert self.patched and self.rewritten, "no layers were written, or none written anew"

    def _disturbed(self, number: int, wanted: int, seconds: float) -> None:
        """Kill the night until there were so many kills, then let it finish."""
        for _ in range(4 * wanted):
            if self.kills >= wanted:
                break
            point = "" if self.rng.random() < 0.4 else self._next_point()
            after = self.rng.uniform(0.05, seconds) if not point else None
            nth = self.rng.choice([1, 2, 4]) if point in OFTEN else 1
            status = child(self.urls[1], self.sides[1], number, after, point, nth)
            assert status in (0, -signal.SIGKILL), status
            self.kills += status == -signal.SIGKILL
            self.points[point or "random"] += status == -signal.SIGKILL
            if status == 0:  # the night is whole; what comes after has nothing to write any more
                break
        assert child(self.urls[1], self.sides[1], number, None) == 0

    def _next_point(self) -> str:
        """The one killed at least so far."""
        return min(POINTS, key=lambda p: (self.points[p], self.rng.random()))

    def _compare(self, number: int) -> None:
        expected, found = (nights_of(u, s) for u, s in zip(self.urls, self.sides, strict=True))
        assert len(expected) == len(found) == number + 1, (number, len(expected), len(found))
        for one, other in zip(expected, found, strict=True):
            assert one == other, {k: (other[k], one[k]) for k in one if one[k] != other[k]}
        last = expected[-1]
        self.patched += int(last["patched_blocks"])  # type: ignore[call-overload]
        self.rewritten += int(last["fresh_blocks"]) if number else 0  # type: ignore[call-overload]
        self.read += look_back(self.urls[1], self.sides[1], again=False)
        self.tell(
            f"  {last['day']}: {last['patched_blocks']} blocks with a layer more, {last['fresh_blocks']} written anew, "
            f"{self.kills} kills so far"
        )
