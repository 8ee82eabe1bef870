"""A night killed -9 at random moments of import, files, match, lists and pushes; in the end it is the undisturbed night."""

from __future__ import annotations

import os
import random
import shutil
import signal
from datetime import UTC, date, datetime
from pathlib import Path

import policies
from jobs.nightly import run_night
from profiles import sample
from store import grants, outbox
from store.database import open_database, upgrade
from store.nights import latest_night
from tests.jobs.torture import _wait

DAY = date(2026, 6, 17)
LIBRARY = Path(policies.__file__).with_name("library")


def one_night(url: str, home: Path) -> None:
    """Import, files, match, lists, guard, pushes."""
    engine = open_database(url)
    run_night(engine, home, LIBRARY, DAY, lambda: datetime(2026, 6, 17, 2, tzinfo=UTC))
    engine.dispose()


def outcome(url: str, home: Path) -> dict[str, object]:
    """What a night left behind, without its times and its number."""
    engine = open_database(url)
    night = latest_night(engine, home)
    assert night is not None
    made = {
        "hits": night.run.hits_hash,
        "fits": night.counts["fits"],
        "firms": night.counts["firms"],
        "pushes": sorted((p.key, p.state, p.reason) for p in outbox.list_pushes(engine)),
        "grants": sorted((g.key, g.state, g.high) for g in grants.find(engine)),
    }
    engine.dispose()
    return made


def _killed(url: str, home: Path, seconds: float) -> int:
    pid = os.fork()
    if not pid:
        code = 1
        try:
            one_night(url, home)
            code = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(code)
    return _wait(pid, seconds)


def campaign(reference: str, url: str, folder: Path, kills: int, seed: int) -> int:
    """Kill so many nights on one database, let one finish, compare it with the undisturbed one; how many died."""
    rng = random.Random(seed)
    sample.write_sample(sample.generate(40, 3), folder / "a" / "inbox", 0.0)
    shutil.copytree(folder / "a" / "inbox", folder / "b" / "inbox")
    for address in (reference, url):
        engine = open_database(address)
        upgrade(engine)
        engine.dispose()
    assert _killed(reference, folder / "a", 120.0) == 0
    died = 0
    for _ in range(kills * 3):
        if died >= kills:
            break
        status = _killed(url, folder / "b", rng.uniform(0.05, 7.0))
        assert status in (0, -signal.SIGKILL), status
        died += status == -signal.SIGKILL
    assert _killed(url, folder / "b", 120.0) == 0
    expected, found = outcome(reference, folder / "a"), outcome(url, folder / "b")
    assert found == expected, {k: (found[k], expected[k]) for k in expected if found[k] != expected[k]}
    return died
