"""One small night for all tests of the analysts' face."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis import View
from tests.analysis.sample_night import make_night


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_night(tmp_path_factory.mktemp("analysis"))


@pytest.fixture(scope="session")
def view(home: Path) -> View:
    from analysis import open_night

    return open_night(home)
