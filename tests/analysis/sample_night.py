"""A sample night of 300 firms in a clean folder."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import policies
from jobs.nightly import run_night
from profiles import sample
from store.database import open_database
from tests.databases import database_in


def make_night(home: Path) -> Path:
    """A night made from nothing."""
    sample.write_sample(sample.generate(300, 1), home / "inbox", 0.01)
    engine = open_database(database_in(home))
    library = Path(policies.__file__).with_name("library")
    run_night(engine, home, library, date(2026, 6, 17), lambda: datetime(2026, 6, 17, 1, tzinfo=UTC))
    return home
