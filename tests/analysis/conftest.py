"""One small night for all tests of the analysts' face."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis import View
from tests.analysis.sample_night import make_night
from tests.databases import database_in


@pytest.fixture(scope="session")
def home(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder with one night; as in an office on PostgreSQL, HUIQI_DB then says where its database is."""
    folder = make_night(tmp_path_factory.mktemp("analysis"))
    with pytest.MonkeyPatch.context() as patch:
        if database == "postgresql":
            patch.setenv("HUIQI_DB", database_in(folder))
        yield folder


@pytest.fixture(scope="session")
def view(home: Path) -> View:
    from analysis import open_night

    return open_night(home)
