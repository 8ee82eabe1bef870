"""迁移: up from each revision and down to it again with rows in every table, on both databases, and nothing of them is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from store.database import migration_config, open_database, session, upgrade
from store.forms import PushForm, form_of, own_of, sum_of
from store.outbox import Push, list_pushes
from tests.databases import database_in

REVISIONS = [r.revision for r in ScriptDirectory.from_config(migration_config()).walk_revisions()][::-1]
ROWS = 3


def go(engine: Engine, revision: str, way: str) -> None:
    """Up or down to a revision, as the store does it."""
    with engine.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        sqlite = connection.dialect.name == "sqlite"
        if sqlite:
            raw.execute("PRAGMA foreign_keys=OFF")
        with connection.begin():
            config = migration_config(connection)
            (command.upgrade if way == "up" else command.downgrade)(config, revision)
        if sqlite:
            assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
            raw.execute("PRAGMA foreign_keys=ON")


def tables(connection: Connection) -> list[sa.Table]:
    found = sa.MetaData()
    found.reflect(connection)
    return [t for t in found.sorted_tables if t.name != "alembic_version"]


def value(column: sa.Column[Any], n: int, mark: int) -> Any:
    """A value of the column's kind, another for each row."""
    kind, number = column.type, mark * 100 + n
    if isinstance(kind, sa.Boolean):
        return n % 2 == 0
    if isinstance(kind, sa.Date) and not isinstance(kind, sa.DateTime):
        return date(2026, 1, 1 + n)
    if isinstance(kind, sa.DateTime):
        return datetime(2026, 1, 1 + n, tzinfo=UTC) if kind.timezone else datetime(2026, 1, 1 + n)
    if isinstance(kind, sa.JSON):
        return {"甲": n}
    if isinstance(kind, sa.Integer | sa.Numeric):
        return number
    if isinstance(kind, sa.LargeBinary):
        return bytes([n])
    return f"甲{number}"[: getattr(kind, "length", None) or 20]


def fill(connection: Connection, mark: int) -> set[str]:
    """Rows into every table; the names of those whose own rules (checks between columns) let none of these in."""
    left = set()
    for table in tables(connection):
        refers = {key.parent.name: key.column for key in table.foreign_keys}
        for n in range(ROWS):
            row = {}
            for column in table.columns:
                if column.name in refers:
                    kept = connection.execute(sa.select(refers[column.name])).scalars().all()
                    row[column.name] = kept[n % len(kept)] if kept else None
                else:
                    row[column.name] = value(column, n, mark)
            try:
                with connection.begin_nested():
                    connection.execute(table.insert().values(**row))
            except DBAPIError:
                left.add(table.name)
    return left


def counts(connection: Connection) -> dict[str, int]:
    return {
        t.name: connection.execute(sa.select(sa.func.count()).select_from(t)).scalar_one()
        for t in tables(connection)
    }


@pytest.fixture
def empty(database: str, tmp_path) -> Iterator[Engine]:
    opened = open_database(database_in(tmp_path, bare=True))
    yield opened
    opened.dispose()


def test_every_revision_up_and_down_again_with_rows_in_the_tables(empty: Engine) -> None:
    bare: set[str] = set()
    for mark, revision in enumerate(REVISIONS):
        with empty.connect() as connection:
            before = counts(connection)
        go(empty, revision, "up")
        with empty.connect() as connection:
            after = counts(connection)
            assert {n: after[n] for n in before if n in after} == {
                n: before[n] for n in before if n in after
            }, revision
            with connection.begin_nested() if connection.in_transaction() else connection.begin():
                bare |= fill(connection, mark)
            connection.commit()
    with empty.connect() as connection:
        full = counts(connection)
        assert (
            compare_metadata(
                MigrationContext.configure(connection, opts={"compare_type": True}), SQLModel.metadata
            )
            == []
        )
    unfilled = {n for n, rows in full.items() if not rows}
    assert len(full) - len(unfilled) >= 0.8 * len(full), unfilled
    for revision in [*REVISIONS[-2::-1], "base"]:
        with empty.connect() as connection:
            before = counts(connection)
        go(empty, revision, "down")
        with empty.connect() as connection:
            after = counts(connection)
        assert all(after[n] == before[n] for n in after), revision
    assert after == {}
    upgrade(empty)
    with empty.connect() as connection:
        assert (
            compare_metadata(
                MigrationContext.configure(connection, opts={"compare_type": True}), SQLModel.metadata
            )
            == []
        )


def test_words_in_forms_survive_the_way_back(database: str, tmp_path: Path) -> None:
    url = database_in(tmp_path)
    engine = open_database(url)
    upgrade(engine)
    form, at = form_of("关于\ue000", '{"name": "\ue000", "low": "\ue004"}'), datetime(2026, 4, 1, tzinfo=UTC)
    with session(engine) as opened:
        opened.add(PushForm(id=form.id, subject=form.subject, body=form.body))
        opened.add(
            Push(key="k1", firm="A", item="i", batch="b", channel="webhook", kind="inform", state="due", next_at=at,
                 created=at, form=form.id, body=own_of('甲"公司', sum_of("1 元", "1.0", "null")))
        )  # fmt: skip
    (push,) = list_pushes(engine)
    assert (push.subject, push.body) == ('关于甲"公司', '{"name": "甲\\"公司", "low": 1.0}')
    go(engine, "0014", "down")
    with engine.connect() as connection:
        row = connection.execute(sa.text("SELECT subject, body FROM push")).one()
    assert tuple(row) == (push.subject, push.body)
