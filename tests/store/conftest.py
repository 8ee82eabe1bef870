"""Databases for the store's tests: SQLite always, PostgreSQL where a server can be started or is named.

The migrations run once a session; each test gets a copy of that database.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import Engine, make_url

from store.database import open_database, upgrade

TEMPLATE = f"huiqi_template_{uuid.uuid4().hex[:8]}"


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty, upgraded database of each kind."""
    if request.param == "sqlite":
        path = tmp_path / "huiqi.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        opened = open_database(f"sqlite:///{path}")
        yield opened
        opened.dispose()
        return
    yield from _postgres_database(request.getfixturevalue("postgres_template"))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An upgraded SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "huiqi.db"
    opened = open_database(f"sqlite:///{path}")
    upgrade(opened)
    with opened.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    opened.dispose()
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    """The server's URL, with an upgraded database to copy."""
    _server_does(postgres_server, f"CREATE DATABASE {TEMPLATE}")
    opened = open_database(_named(postgres_server, TEMPLATE))
    upgrade(opened)
    opened.dispose()
    return postgres_server


def _postgres_database(url: str) -> Iterator[Engine]:
    name = f"huiqi_{uuid.uuid4().hex[:12]}"
    _server_does(url, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    opened = open_database(_named(url, name))
    try:
        yield opened
    finally:
        opened.dispose()
        _server_does(url, f"DROP DATABASE {name} WITH (FORCE)")


def _server_does(url: str, statement: str) -> None:
    server = open_database(url).execution_options(isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(statement))
    server.dispose()


def _named(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)
