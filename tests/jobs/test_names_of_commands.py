"""越界的名字 on the command line: ids, codes and words become no path outside of the folder they belong to."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jobs.cli import _register, app
from store.scores import promote_model, versions
from tests.databases import database_in

NASTY = (
    "../x",
    "../../x",
    "/etc/x",
    "a/../../x",
    "..",
    ".",
    "",
    "a\\..\\x",
    "x\x00y",
    "x\n",
    "．．／x",
    "-rf",
    "x" * 300,
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: str):  # type: ignore[no-untyped-def]
    _register()
    monkeypatch.setenv("HUIQI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HUIQI_DB", database_in(tmp_path / "home", bare=True))
    runner = CliRunner()
    return lambda *words: runner.invoke(app, [str(w) for w in words])


def files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if not p.name.startswith("huiqi.db")}


@pytest.mark.parametrize("name", [n for n in NASTY if n])
def test_a_documents_id_stays_inside_of_the_library(run, tmp_path: Path, name: str) -> None:
    paper, library = tmp_path / "办法.txt", tmp_path / "a" / "b" / "library"
    paper.write_text("第一条 对当年新入库的企业，给予10万元奖励。\n", "utf-8")
    library.mkdir(parents=True)
    before = files(tmp_path)
    done = run("decompose", paper, "--into", library, "--id", name, "--set", "本区=120116*")
    assert done.exit_code == 2 and ("文件编号" in done.output or "选项" in done.output), done.output
    assert files(tmp_path) - before <= {"home"}


@pytest.mark.parametrize("word", ["../x=1*", "a/b=1*", "..=1*", "=1*", "本区"])
def test_a_word_of_a_place_names_no_other_file(run, tmp_path: Path, word: str) -> None:
    paper, library = tmp_path / "办法.txt", tmp_path / "a" / "library"
    paper.write_text("第一条 对本区企业给予10万元奖励。\n", "utf-8")
    library.mkdir(parents=True)
    before = files(tmp_path)
    done = run("decompose", paper, "--into", library, "--id", "x-1", "--set", word)
    assert done.exit_code == 2 and "词=代码" in done.output
    assert files(tmp_path) - before <= {"home"}


@pytest.mark.parametrize("name", NASTY)
def test_an_enterprises_code_names_no_other_file(run, tmp_path: Path, name: str) -> None:
    (tmp_path / "x.yaml").write_text("canary", "utf-8")
    run("file", "export", name, "--to", tmp_path / "a" / "out")
    assert {f for f in files(tmp_path) if not f.startswith(("a", "home"))} == {"x.yaml"}
    assert (tmp_path / "x.yaml").read_text("utf-8") == "canary"
    assert not [f for f in files(tmp_path / "a" / "out") if f.endswith(".yaml")]


@pytest.mark.parametrize("name", NASTY)
def test_a_models_version_is_one_of_those_there(tmp_path: Path, name: str) -> None:
    (tmp_path / "home" / "scores").mkdir(parents=True)
    (tmp_path / "x.skops").write_bytes(b"")
    (tmp_path / "home" / "x.skops").write_bytes(b"")
    with pytest.raises(FileNotFoundError, match="没有评分模型"):
        promote_model(tmp_path / "home", name)
    assert versions(tmp_path / "home") == [] and not (tmp_path / "home" / "scores" / "current").exists()


@pytest.mark.parametrize("name", [n for n in NASTY if n and "\x00" not in n])
def test_a_source_is_one_that_is_declared(run, tmp_path: Path, name: str) -> None:
    table = tmp_path / "a.csv"
    table.write_text("代码\n1\n", "utf-8")
    done = run("import", table, "--source", name)
    assert done.exit_code == 2 and not isinstance(done.exception, OSError | KeyError), done.output


def test_a_symbolic_link_in_an_inbox_is_read_and_never_written_through(tmp_path: Path) -> None:
    """What an inbox holds is the keeper's; a sweep of half nights must not follow a link out of the folder."""
    from datetime import UTC, datetime

    from jobs.nightly import sweep

    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("x", "utf-8")
    nights = tmp_path / "home" / "nights"
    nights.mkdir(parents=True)
    subprocess.run(["ln", "-s", str(outside), str(nights / ".part-1")], check=True)
    sweep(tmp_path / "home", datetime(2100, 1, 1, tzinfo=UTC))
    assert (outside / "kept").read_text("utf-8") == "x"
