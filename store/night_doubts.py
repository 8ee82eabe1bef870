"""一夜的不一致: what words and rules see differently, beside a night's hits and never in them; worked out on some nights only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy.engine import Engine

from store.database import session
from store.settings import read_setting

FILE = "doubts.parquet"
DAY = b"as_of"
EVERY_DAYS = 7


@dataclass(frozen=True)
class Kept:
    """留着的一次对照: the night and the day whose data were looked at, and what was found then."""

    run: int
    day: date
    rows: pd.DataFrame


def write_doubts(folder: Path, found: pd.DataFrame, day: date) -> int:
    """写不一致 of a night's `folder`, with the day of its data: all or none; how many."""
    part = folder / f".{FILE}-{os.getpid()}"
    table = pa.Table.from_pandas(found, preserve_index=False)
    about = {**(table.schema.metadata or {}), DAY: day.isoformat().encode()}
    pq.write_table(table.replace_schema_metadata(about), part, compression="zstd")
    part.replace(folder / FILE)
    return len(found)


def latest_doubts(home: Path, run: int, as_of: date) -> Kept | None:
    """最近一次的不一致 at or before a night: the newest day; None where none was ever kept with its day."""
    found = [(day, no) for no, day in _days(home, run) if day <= as_of]
    if not found:
        return None
    day, no = max(found)
    return Kept(no, day, pq.read_table(home / "nights" / str(no) / FILE).to_pandas())


def _days(home: Path, run: int) -> Iterator[tuple[int, date]]:
    """Nights up to `run` that looked, and the day of their data; a file without one is older than that was written down."""
    for path in (home / "nights").glob(f"[0-9]*/{FILE}"):
        if path.parent.name.isdecimal() and int(path.parent.name) <= run:
            said = (pq.read_schema(path).metadata or {}).get(DAY, b"")
            with suppress(ValueError):
                yield int(path.parent.name), date.fromisoformat(said.decode())


def every_days(engine: Engine) -> int:
    """隔几天对照一次, as the office set it (`huiqi settings doubts every_days=…`)."""
    with session(engine) as opened:
        own = read_setting(opened, "doubts", {})
    return int((own or {}).get("every_days", EVERY_DAYS))


def next_day(engine: Engine, day: date) -> date:
    """下一次: the first day whose night looks again, after one that looked on `day`."""
    return day + timedelta(days=every_days(engine))
