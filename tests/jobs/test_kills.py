"""断电: a bounded number of kill -9 at named points and random moments, on both databases; `make torture` does 500."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.postgres import binaries

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_no_effect_and_no_money_is_lost_or_doubled(kind: str, request: pytest.FixtureRequest):
    """In a process of its own: it forks, and pytest has threads."""
    url = request.getfixturevalue("postgres_server") if kind == "postgresql" else ""
    command = [sys.executable, "scripts/torture.py", "--kills", "5", "--campaigns", "1", "--only", kind]
    ran = subprocess.run(
        [*command, *(["--postgres", url] if url else [])],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "no money lost" in ran.stdout, ran.stdout


@pytest.mark.slow
def test_a_killed_night_ends_as_the_undisturbed_one():
    if binaries() is None:
        pytest.skip("no PostgreSQL binaries here")
    command = [sys.executable, "scripts/torture_night.py", "2"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.count("equal to an undisturbed one") == 2, ran.stdout


@pytest.mark.slow
def test_a_killed_night_of_layers_ends_as_the_undisturbed_one():
    command = [sys.executable, "scripts/torture_layers.py", "--kills", "3", "--days", "5", "--only", "sqlite"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "all equal to undisturbed ones" in ran.stdout and "all replayed" in ran.stdout, ran.stdout
