"""Databases for the store's tests: SQLite always, PostgreSQL where `HUIQI_TEST_POSTGRES` names one."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.engine import Engine, make_url

from store.database import open_database, upgrade

POSTGRES = os.environ.get("HUIQI_TEST_POSTGRES", "")


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path) -> Iterator[Engine]:
    """An empty, upgraded database of each kind."""
    if request.param == "sqlite":
        opened = open_database(f"sqlite:///{tmp_path / 'huiqi.db'}")
        upgrade(opened)
        yield opened
        opened.dispose()
        return
    if not POSTGRES:
        pytest.skip("HUIQI_TEST_POSTGRES names no PostgreSQL server")
    yield from _postgres_database()


def _postgres_database() -> Iterator[Engine]:
    name = f"huiqi_{uuid.uuid4().hex[:12]}"
    server = open_database(POSTGRES).execution_options(isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    opened = open_database(make_url(POSTGRES).set(database=name).render_as_string(hide_password=False))
    try:
        upgrade(opened)
        yield opened
    finally:
        opened.dispose()
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name}"))
        server.dispose()
