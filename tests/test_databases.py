"""两种数据库: the tests themselves name no kind of database, so that each that opens a store runs on both."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import databases

HERE = Path(__file__).parent
# Tests of what one kind alone has: its files, its limits, how its address is read.
OF_ONE_KIND = {
    "databases.py",
    "jobs/test_full_disk.py",
    "store/test_database.py",
    "store/test_database_faults.py",
    "test_databases.py",
}


def test_no_test_names_a_kind_of_database() -> None:
    named = [
        str(path.relative_to(HERE))
        for path in HERE.rglob("*.py")
        if re.search(r"sqlite:///|database_url\(\{", path.read_text("utf-8"))
    ]
    assert set(named) <= OF_ONE_KIND


def test_every_test_that_asks_for_a_database_says_so_to_the_fixture(request: pytest.FixtureRequest) -> None:
    """A module that opens a store has the fixture in the closure of each of its tests that use it, or it runs on SQLite alone."""
    asking = [
        p
        for p in HERE.rglob("test_*.py")
        if re.search(r"\b(?:new_database|database_in)\(", p.read_text("utf-8"))
    ]
    silent = [
        p.name
        for p in asking
        if not re.search(r"\bdatabase\b(?!\()", p.read_text("utf-8").replace("test_databases", ""))
    ]
    assert asking and silent == []


def test_a_database_is_a_folders_own_and_its_copy_another(database: str, tmp_path: Path) -> None:
    from sqlalchemy import text

    first = databases.new_database(tmp_path / "a")
    assert first.dialect.name == database == databases.kind()
    with first.begin() as connection:
        connection.execute(text("CREATE TABLE trial (n INTEGER)"))
    first.dispose()
    if database == "sqlite":
        (tmp_path / "b").mkdir()
        (tmp_path / "b" / "huiqi.db").write_bytes((tmp_path / "a" / "huiqi.db").read_bytes())
    databases.copy_database(tmp_path / "a", tmp_path / "b")
    copied, other = (databases.open_database(databases.database_in(tmp_path / n)) for n in "ba")
    with copied.begin() as connection:
        connection.execute(text("INSERT INTO trial VALUES (1)"))
    counts = [e.connect().execute(text("SELECT count(*) FROM trial")).scalar() for e in (copied, other)]
    assert counts == [1, 0]
    copied.dispose()
    other.dispose()


def test_where_there_is_no_postgresql_it_is_a_failure_in_ci_alone(
    pytester: pytest.Pytester, monkeypatch
) -> None:
    nowhere = "\nfrom tests import postgres\npostgres._places = lambda: iter(())\n"
    pytester.makeconftest((HERE / "conftest.py").read_text("utf-8") + nowhere)
    pytester.makepyfile("def test_one(database): pass")
    monkeypatch.setenv("PYTHONPATH", str(HERE.parent))
    for name in ("HUIQI_TEST_POSTGRES", "HUIQI_TEST_DB", "CI"):
        monkeypatch.delenv(name, raising=False)
    away = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--database", "both")
    away.assert_outcomes(passed=1, skipped=1)
    away.stdout.fnmatch_lines(["*POSTGRESQL WAS NOT TRIED*1 tests left out*"])
    monkeypatch.setenv("CI", "true")
    pytester.runpytest_subprocess("-p", "no:cacheprovider", "--database", "both").assert_outcomes(
        passed=1, errors=1
    )
