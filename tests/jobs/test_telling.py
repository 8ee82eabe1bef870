"""报错: one line for a fault of use, and silence for a reader that has gone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from jobs.cli.common import telling


def test_a_fault_of_use_is_one_line_and_code_two(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, telling():
        raise ValueError("写法不对")
    assert ended.value.exit_code == 2 and capsys.readouterr().err == "错误：写法不对\n"


def test_a_reader_that_has_seen_enough_is_no_fault_of_use() -> None:
    with pytest.raises(BrokenPipeError), telling():
        raise BrokenPipeError


def test_a_reader_that_leaves_ends_it_quietly(tmp_path: Path) -> None:
    """`huiqi … | head -1`: nothing on stderr, and the code Unix tools end with, not our 1 "found problems"."""
    with subprocess.Popen(
        [sys.executable, "-m", "jobs.cli", "indicators"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, "HUIQI_HOME": str(tmp_path)},
    ) as told:
        assert told.stdout is not None and told.stderr is not None
        told.stdout.close()  # before anything is written: the first write finds nobody
        assert told.stderr.read() == b""
        assert told.wait(60) == 141
