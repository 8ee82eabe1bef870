"""The loops compiled for a processor without the wide instructions: another way of listing, the same answers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_a_processor_without_wide_instructions() -> None:
    root = Path(__file__).parents[2]
    plain = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    tests = "tests/engine/test_kernel.py"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests, "-k", "random or many or narrow"],
        cwd=root, env={**os.environ, **plain}, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
