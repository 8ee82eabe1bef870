"""报错: one line for a fault of use, and silence for a reader that has gone."""

from __future__ import annotations

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
