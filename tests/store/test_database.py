"""数据库: opening, upgrading, transactions, types."""

from __future__ import annotations

import ast
from decimal import Decimal
from pathlib import Path
from threading import Event, Thread

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlmodel import SQLModel

from store import database
from store.database import (
    CACHE,
    READ_CACHE,
    DatabaseBusy,
    database_url,
    from_fen,
    migration_config,
    newest_revision,
    open_database,
    require_tables,
    session,
    to_fen,
    upgrade,
    writing,
)
from tests.databases import database_in

ROOT = Path(__file__).resolve().parents[2]


def test_the_address_comes_from_the_environment():
    assert database_url({}) == "sqlite:///var/huiqi.db"
    assert database_url({"HUIQI_DB": "/tmp/a.db"}) == "sqlite:////tmp/a.db"
    assert database_url({"HUIQI_DB": "postgresql://u@h/d"}) == "postgresql+psycopg://u@h/d"
    assert database_url({"HUIQI_DB": "sqlite:///x.db"}) == "sqlite:///x.db"


def test_the_history_has_one_head():
    assert len(ScriptDirectory.from_config(migration_config()).get_heads()) == 1


def test_models_and_migrations_agree(engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, SQLModel.metadata)
    assert differences == []


def test_upgrading_twice_at_once_is_harmless(tmp_path, database):
    opened = open_database(database_in(tmp_path, "two.db", bare=True))
    failures: list[BaseException] = []

    def run() -> None:
        try:
            upgrade(opened)
        except BaseException as error:
            failures.append(error)

    threads = [Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    upgrade(opened)


def test_sqlite_is_set_up(tmp_path):
    opened = open_database(f"sqlite:///{tmp_path / 'deep' / 'er' / 'x.db'}")
    with opened.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
        assert (
            connection.execute(text("PRAGMA synchronous")).scalar() == 2
        )  # FULL: a commit outlives a power cut


@pytest.mark.parametrize("opener", [session, writing])
def test_an_error_leaves_nothing_behind(engine, opener):
    with opener(engine) as opened:
        opened.connection().execute(text("CREATE TABLE trial (n INTEGER)"))
    with pytest.raises(ZeroDivisionError), opener(engine) as opened:
        opened.connection().execute(text("INSERT INTO trial VALUES (1)"))
        1 / 0  # noqa: B018
    with opener(engine) as opened:
        opened.connection().execute(text("INSERT INTO trial VALUES (2)"))
    with session(engine) as opened:
        assert opened.connection().execute(text("SELECT n FROM trial")).scalars().all() == [2]


def test_fen_are_exact():
    assert to_fen("0.005") == 1
    assert to_fen(0.1) + to_fen(0.2) == to_fen(0.3)
    assert from_fen(to_fen(Decimal("12345678901234.56"))) == Decimal("12345678901234.56")


def test_what_is_read_and_then_written_takes_the_write_lock():
    """A `session` that reads and then writes ends with "database is locked" on SQLite as soon as another writes in between."""
    found = []
    for room in ("store", "jobs", "desk", "analysis", "profiles"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.With) and (name := _plain_session(node)):
                    does = {
                        x.func.attr
                        for x in ast.walk(node)
                        if isinstance(x, ast.Call) and isinstance(x.func, ast.Attribute) and isinstance(x.func.value, ast.Name)
                        and x.func.value.id == name
                    }  # fmt: skip
                    if does & {"get", "exec", "execute", "scalar"} and does & {
                        "add",
                        "add_all",
                        "delete",
                        "merge",
                    }:
                        found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == []


def _plain_session(node: ast.With) -> str:
    for item in node.items:
        call = item.context_expr
        if (
            isinstance(call, ast.Call)
            and getattr(call.func, "id", "") == "session"
            and isinstance(item.optional_vars, ast.Name)
        ):
            return item.optional_vars.id
    return ""


def test_the_newest_revision_is_alembics_head() -> None:
    assert newest_revision() == ScriptDirectory.from_config(migration_config()).get_current_head()


def test_a_large_cache_is_had_while_writing_and_given_back(engine):
    if engine.dialect.name != "sqlite":
        return  # the server's own memory
    with session(engine) as opened:
        assert opened.connection().exec_driver_sql("PRAGMA cache_size").scalar() == -READ_CACHE
    with writing(engine) as opened:
        assert opened.connection().exec_driver_sql("PRAGMA cache_size").scalar() == -CACHE
    with session(engine) as opened:
        assert opened.connection().exec_driver_sql("PRAGMA cache_size").scalar() == -READ_CACHE


def _counted(engine):
    with writing(engine) as opened:
        opened.connection().execute(text("CREATE TABLE t (n INTEGER)"))


def test_who_waits_comes_before_the_next_of_many_writes(tmp_path):
    """A night writes one transaction after another; an officer's waits for the one that is going on, not for the night."""
    night, officer = (open_database(f"sqlite:///{tmp_path / 'a.db'}") for _ in range(2))
    _counted(night)
    begun, over = Event(), Event()

    def many():
        while not over.is_set():
            with writing(night) as opened:
                opened.connection().execute(text("INSERT INTO t VALUES (1)"))
                begun.set()
                over.wait(0.05)  # long beside the gap between two transactions

    going = Thread(target=many)
    going.start()
    begun.wait(120)
    seen = []
    for _ in range(5):
        with officer.connect() as reading:
            before = reading.execute(text("SELECT count(*) FROM t WHERE n = 1")).scalar_one()
        with writing(officer) as opened:
            seen.append(
                opened.connection().execute(text("SELECT count(*) FROM t WHERE n = 1")).scalar_one() - before
            )
            opened.connection().execute(text("INSERT INTO t VALUES (2)"))
    over.set()
    going.join()
    night.dispose()
    officer.dispose()
    assert max(seen) <= 2  # what was going on, and one that began before this one asked


def test_who_never_gets_the_lock_is_told_in_plain_words(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0)
    one, other = (open_database(f"sqlite:///{tmp_path / 'a.db'}") for _ in range(2))
    _counted(one)
    with writing(one) as holding:
        holding.connection().execute(text("INSERT INTO t VALUES (1)"))
        with pytest.raises(DatabaseBusy, match="没有保存"), writing(other) as opened:
            opened.connection().execute(text("INSERT INTO t VALUES (1)"))
    with writing(other) as opened:  # and the next one does
        opened.connection().execute(text("INSERT INTO t VALUES (1)"))
    one.dispose()
    other.dispose()


@pytest.mark.parametrize("act", [upgrade, require_tables], ids=["upgrade", "read"])
def test_tables_of_a_later_version_are_left_alone(engine, act) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ValueError, match="（9999）比这一版程序新"):
        act(engine)
