"""Shared by all tests: one PostgreSQL server a test run, and which of the two databases a test opens its store in."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import databases
from tests.postgres import binaries, server

pytest_plugins = ["pytester"]
NONE_HERE = "POSTGRESQL WAS NOT TRIED: no binaries here (make setup installs some), and HUIQI_TEST_POSTGRES names no server"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=[*databases.KINDS, "both"],
        default=os.environ.get("HUIQI_TEST_DB", "sqlite"),
        help="databases that tests open a store in (also HUIQI_TEST_DB); `make test` says both",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database" in metafunc.fixturenames:
        asked = metafunc.config.getoption("--database")
        kinds = databases.KINDS if asked == "both" else (asked,)
        metafunc.parametrize("database", kinds, scope="session", indirect=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a running server: `HUIQI_TEST_POSTGRES`, else one of our own."""
    named = os.environ.get("HUIQI_TEST_POSTGRES", "")
    if named:
        yield named
        return
    if binaries() is None:
        if os.environ.get("CI"):
            pytest.fail(NONE_HERE)  # in CI half of the proof would be missing without anybody noticing
        pytest.skip(NONE_HERE)
    with server() as url:
        yield url


@pytest.fixture(scope="session")
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Kind of the database that `database_in` names for as long as the tests with this parameter run."""
    databases.use(request.getfixturevalue("postgres_server") if request.param == "postgresql" else "")
    yield request.param
    databases.drop_below(Path("/"))
    databases.use("")


@pytest.fixture(autouse=True)
def _log_of_the_test() -> Iterator[None]:
    """A command that sets the log up leaves nothing of it to the next test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(autouse=True)
def _databases_of_the_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """Drop what was made for the test's own folder: a few hundred databases would fill the disk."""
    folder = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    yield
    if folder is not None and databases.kind() == "postgresql":
        databases.drop_below(folder)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    left = [r for r in terminalreporter.stats.get("skipped", []) if NONE_HERE in str(r.longrepr)]
    if left:
        terminalreporter.write_line(f"{NONE_HERE}; {len(left)} tests left out", red=True, bold=True)
