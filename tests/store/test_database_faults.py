"""A database that can't be used says in one sentence which it is, what is wrong and what to do."""

import socket
import sqlite3
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

import jobs.cli
from jobs.doctor import BAD, Patient, examine
from store.database import DatabaseFault, open_database, require_tables, upgrade
from store.database_faults import DatabaseDamaged, DatabaseOut


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "huiqi.db"
    path.write_bytes(b"\x01\x02 no database at all" * 100)
    with pytest.raises(DatabaseDamaged, match=rf"^{path}：不是数据库文件，或者已经损坏；.*huiqi restore"):
        require_tables(open_database(f"sqlite:///{path}"))


def test_a_file_with_broken_pages(tmp_path: Path) -> None:
    path = tmp_path / "huiqi.db"
    with sqlite3.connect(path) as made:
        made.execute("CREATE TABLE t (words TEXT)")
        made.executemany("INSERT INTO t VALUES (?)", [("词" * 200,)] * 500)
    made.close()
    whole = bytearray(path.read_bytes())
    whole[4096 * 2 : 4096 * 40] = b"\xa5" * (4096 * 38)
    path.write_bytes(whole)
    engine = open_database(f"sqlite:///{path}")
    with pytest.raises(DatabaseDamaged, match="已经损坏"), engine.connect() as opened:
        opened.execute(text("SELECT sum(length(words)) FROM t")).all()


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    with pytest.raises(DatabaseOut, match="打不开：它是文件夹"):
        upgrade(open_database(f"sqlite:///{tmp_path}"))


def test_a_server_that_is_gone_is_told_without_its_password() -> None:
    with socket.socket() as held:  # bound and not listening: nobody answers there
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        engine = open_database(f"postgresql://huiqi:geheim@127.0.0.1:{port}/huiqi")
        with pytest.raises(DatabaseOut, match=rf"^127\.0\.0\.1:{port}/huiqi：连不上数据库；") as told:
            require_tables(engine)
    assert "geheim" not in str(told.value)


def test_a_server_says_which_of_its_doors_is_shut(postgres_server: str) -> None:
    wrong = open_database(postgres_server.rpartition("/")[0] + "/no_such_library")
    with pytest.raises(DatabaseOut, match="没有这个库"):
        require_tables(wrong)


def test_what_a_person_stops_is_no_fault_of_the_server(
    postgres_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    def stopped(*_args: object, **_kept: object) -> None:
        raise KeyboardInterrupt

    engine = open_database(postgres_server)
    with engine.connect() as opened:
        monkeypatch.setattr(psycopg.Cursor, "execute", stopped)
        with pytest.raises(KeyboardInterrupt):
            opened.execute(text("SELECT 1"))
        monkeypatch.undo()
    engine.dispose()


def test_a_missing_table_is_no_fault_of_the_server(postgres_server: str) -> None:
    engine = open_database(postgres_server)
    with pytest.raises(Exception, match="no_such_table") as told, engine.connect() as opened:
        opened.execute(text("SELECT * FROM no_such_table"))
    assert not isinstance(told.value, DatabaseFault)
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mysql://lin:geheim@h/x", "只能是 PostgreSQL 或 SQLite，不能是 mysql"),
        ("foo://", "只能是 PostgreSQL 或 SQLite，不能是 foo"),
        ("postgresql://lin:geheim@h:x1/y", "不是数据库地址：postgresql://…@h:x1/y"),
    ],
)
def test_what_is_no_address_of_one(url: str, told: str) -> None:
    with pytest.raises(ValueError, match=told) as said:
        open_database(url)
    assert "geheim" not in str(said.value)


@pytest.mark.parametrize(
    "command",
    [
        ["nightly", "--as-of", "2026-06-18"],
        ["verify-audit"],
        ["explain", "91120117MA31461836", "cn-2023-12/small-profit"],
        ["schedule", "--once"],
        ["desk"],
        ["pushes"],
        ["fulfil", "list"],
    ],
)
def test_commands_tell_it_in_a_line(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "huiqi.db").write_bytes(b"\x01\x02 no database at all" * 100)
    monkeypatch.setenv("HUIQI_HOME", str(tmp_path))
    monkeypatch.delenv("HUIQI_DB", raising=False)
    if jobs.cli.app.registered_commands:
        monkeypatch.setattr(jobs.cli, "_register", lambda: None)
    monkeypatch.setattr(sys, "argv", ["huiqi", *command])
    with pytest.raises(SystemExit) as ended:
        jobs.cli.main()
    said = capsys.readouterr().err.splitlines()[-1]
    assert ended.value.code == 2 and said.startswith("错误：") and "已经损坏" in said


def test_the_doctor_names_it_with_its_cure(tmp_path: Path) -> None:
    (tmp_path / "huiqi.db").write_bytes(b"\x01\x02 no database at all" * 100)
    engine = open_database(f"sqlite:///{tmp_path / 'huiqi.db'}")
    told = examine(Patient(engine, tmp_path, tmp_path / "library", datetime(2026, 6, 18, tzinfo=UTC), {}))
    found = next(c for c in told if c.name == "数据库")
    assert found.state == BAD and "已经损坏" in found.words and "从备份恢复" in found.cure
