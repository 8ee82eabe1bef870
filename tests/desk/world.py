"""A small office for the desk's tests: invented firms against the sample library, matched once, with people."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
from sqlalchemy.engine import Engine

import policies
from engine.matching import live
from jobs.matching import match_ranges
from policies.library import load_library
from profiles import sample
from profiles.dictionary import builtin_dictionary
from profiles.inputs import from_table
from store import accounts
from store.night_blocks import file_hash
from store.night_writing import NightInputs, write_night
from tests.databases import new_database

AS_OF = date(2026, 6, 16)
NOW = datetime(2026, 6, 16, 1, 30, tzinfo=UTC)
PASSWORD = "correct horse battery"
PEOPLE = {
    "admin": ("管理员", "管理员甲"),
    "lin": ("经办", "林知遥"),
    "shen": ("复核", "沈既白"),
    "cai": ("财政", "财政乙"),
    "zhuan": ("专员", "专员丙"),
    "fen": ("分析", "分析丁"),
    "kan": ("只读", "只读戊"),
}


def complain(problem: object) -> None:
    raise AssertionError(problem)


def make_office(home: Path, firms: int = 400, seed: int = 3) -> Engine:
    """A database and a data folder with one finished night and one person a role."""
    home.mkdir(parents=True, exist_ok=True)
    engine = new_database(home)
    for login, (role, name) in PEOPLE.items():
        accounts.create_person(engine, login, name, [role], PASSWORD, by="测试", now=NOW)
    make_night(engine, home, firms, seed)
    return engine


def make_night(engine: Engine, home: Path, firms: int, seed: int, day: date = AS_OF) -> None:
    """One night over invented firms."""
    made = sample.generate(firms, seed)
    snapshot = home / "profiles.parquet"
    sample.write_profiles(made, snapshot)
    dictionary = builtin_dictionary()
    library = load_library(Path(policies.__file__).with_name("library"), dictionary)
    table = pq.read_table(snapshot)
    columns = from_table(table, library.dictionary, complain, snapshot)
    items = live(library.programs, day)
    inputs = NightInputs(day, library, items, columns, table, file_hash(snapshot), {}, library.sets)
    write_night(
        engine,
        home,
        inputs,
        partial(match_ranges, inputs),
        {},
        started=NOW,
        finished=NOW,
        software="test",
        counts={},
    )
