"""The store's tests run in a database of their own, once on SQLite and once on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from tests.databases import new_database


@pytest.fixture
def engine(database: str, tmp_path: Path) -> Iterator[Engine]:
    """An empty, upgraded database."""
    opened = new_database(tmp_path)
    yield opened
    opened.dispose()
