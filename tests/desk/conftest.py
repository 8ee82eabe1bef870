"""One small office for the desk's tests; every test that writes gets its own copy of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import world
from clients import Desk, copy_of

from tests.databases import drop_below


@pytest.fixture(scope="session")
def built(database: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one finished night and one person a role."""
    home = tmp_path_factory.mktemp("office")
    engine = world.make_office(home)
    engine.dispose()
    return home


@pytest.fixture(scope="module")
def desk(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk for the tests of one module."""
    made = copy_of(built, tmp_path_factory.mktemp("desk") / "home")
    yield made
    made.engine.dispose()
    drop_below(made.home)


@pytest.fixture
def fresh(built: Path, tmp_path: Path) -> Iterator[Desk]:
    """A desk of one's own."""
    made = copy_of(built, tmp_path / "home")
    yield made
    made.engine.dispose()
