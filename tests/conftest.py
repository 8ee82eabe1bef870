"""Shared by all tests: one PostgreSQL server a test run, where the binaries are here."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.postgres import binaries, server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a running server: `HUIQI_TEST_POSTGRES`, else one of our own."""
    named = os.environ.get("HUIQI_TEST_POSTGRES", "")
    if named:
        yield named
        return
    if binaries() is None:
        pytest.skip("no PostgreSQL binaries here, and HUIQI_TEST_POSTGRES names no server")
    with server() as url:
        yield url
