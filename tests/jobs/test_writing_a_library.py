"""写一个政策库: every file and command of docs/writing-a-library.md, as a reader would try them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import jobs.cli
from jobs.cli import app
from profiles.codes import is_code

PAGE = Path(__file__).resolve().parents[2] / "docs" / "writing-a-library.md"
FILE = re.compile(r"^`([^`\n]+\.(?:yaml|md|csv|jsonl))`\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The page's files, written where the commands look for them; what they should give is not written."""
    if not app.registered_commands:
        jobs.cli._register()
    found = dict(FILE.findall(PAGE.read_text(encoding="utf-8")))
    for name, text in found.items():
        if name != "结果.csv":
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return found


def commands() -> list[list[str]]:
    lines = "\n".join(SHELL.findall(PAGE.read_text(encoding="utf-8"))).splitlines()
    return [shlex.split(line)[1:] for line in lines if line.strip()]


def run(args: list[str]) -> Result:
    found = CliRunner().invoke(app, args)
    assert found.exit_code == 0, (args, found.stdout, found.stderr)
    return found


def test_the_page_names_the_files_of_a_whole_library(files: dict[str, str]) -> None:
    library = {name.removeprefix("示范库/") for name in files if name.startswith("示范库/")}
    assert library >= {"sf-2026-01/document.yaml", "sf-2026-01/text.md", "sf-2026-01/items/growth.yaml",
                       "sf-2026-01/items/growth.test.yaml", "sets/本区.yaml"}  # fmt: skip
    assert {args[0] for args in commands()} == {"indicators", "check", "fmt", "match", "explain"}


def test_the_library_is_sound_and_needs_no_formatting(files: dict[str, str]) -> None:
    assert "事项 1 个，样例 11 个；错误 0 处，提醒 0 处" in run(["check", "示范库"]).stdout
    assert "0 个需要整理" in run(["fmt", "--check", "示范库"]).stdout


def test_every_command_of_the_page_runs_and_gives_what_it_says(files: dict[str, str]) -> None:
    said = [run(args) for args in commands()]
    assert "营业收入　金额（元），按年" in said[0].stdout
    assert Path("结果.csv").read_text(encoding="utf-8-sig").splitlines() == files["结果.csv"].splitlines()
    assert "差" in next(s.stdout for a, s in zip(commands(), said, strict=True) if a[0] == "explain")
    assert "91120116MA05ABCA4M,sf-2026-01/growth,2026,符合" in Path("名单.csv").read_text(
        encoding="utf-8-sig"
    )


def test_the_two_tables_of_firms_give_the_same_and_their_codes_are_codes(files: dict[str, str]) -> None:
    for suffix in ("csv", "jsonl"):
        run(
            [
                "match",
                "--library",
                "示范库",
                "--profiles",
                f"企业.{suffix}",
                "--as-of",
                "2026-06-01",
                "--out",
                f"{suffix}.csv",
            ]
        )
    assert Path("csv.csv").read_bytes() == Path("jsonl.csv").read_bytes()
    assert all(is_code(line.split(",")[0]) for line in files["企业.csv"].splitlines()[1:])
