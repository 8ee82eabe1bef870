"""运维: a restore drill on both kinds of database, damaged backups, the doctor's findings, contacts erased."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jobs.backup import MANIFEST, back_up, bring_back
from jobs.cli import _register, app
from jobs.nightly import run_night
from jobs.replay import replay
from policies import __file__ as policies_file
from profiles import sample
from store import accounts
from store.database import Engine, open_database
from store.dumps import DumpError
from tests.databases import database_in, kind

LIBRARY = Path(policies_file).with_name("library")
NOW = datetime(2026, 6, 17, 18, 0, tzinfo=UTC)


def office(home: Path, url: str) -> Engine:
    sample.write_sample(sample.generate(40, 4), home / "inbox", 0.0)
    engine = open_database(url)
    run_night(engine, home, LIBRARY, date(2026, 6, 17), lambda: NOW)
    return engine


@pytest.fixture(scope="module")
def kept(database: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Engine, Path, Path]:
    home = tmp_path_factory.mktemp("office")
    engine = office(home, database_in(home))
    return engine, home, back_up(engine, home, tmp_path_factory.mktemp("backup"), NOW).file


def test_a_backup_is_named_by_the_offices_own_day(kept) -> None:
    assert kept[2].name == "huiqi-20260618-020000.zip", "18:00 of London is two in the morning here"


def test_a_place_without_zip_is_a_folder_and_made(kept, tmp_path: Path) -> None:
    engine, home, _ = kept
    made = back_up(engine, home, tmp_path / "disk" / "backup", NOW).file
    assert made == tmp_path / "disk" / "backup" / "huiqi-20260618-020000.zip"
    with pytest.raises(DumpError, match="已经有了"):
        back_up(engine, home, tmp_path / "disk" / "backup", NOW)
    (tmp_path / "note").write_text("x")
    with pytest.raises(DumpError, match="是文件；请给一个文件夹"):
        back_up(engine, home, tmp_path / "note", NOW)


def rows(engine: Engine) -> dict[str, int]:
    from sqlalchemy import inspect, text

    with engine.connect() as connection:
        names = inspect(connection).get_table_names()
        return {n: connection.execute(text(f'SELECT count(*) FROM "{n}"')).scalar_one() for n in names}


def test_a_restore_brings_everything_back(kept, tmp_path: Path) -> None:
    engine, _, backup = kept
    target = tmp_path / "new"
    url = database_in(target, bare=True)
    assert bring_back(backup, target, url) == []
    again = open_database(url)
    assert rows(again) == rows(engine)
    assert replay(again, target, 1) == []
    assert run_night(again, target, LIBRARY, date(2026, 6, 17), lambda: NOW).repeated


def test_nothing_is_put_over_what_is_there(kept, tmp_path: Path) -> None:
    engine, home, backup = kept
    with pytest.raises(DumpError, match="不是空的"):
        bring_back(backup, home, database_in(home))
    with pytest.raises(DumpError, match="已经有"):
        bring_back(backup, tmp_path / "new", database_in(home))
    with pytest.raises(DumpError, match="换一个名字"):
        back_up(engine, home, backup, NOW)


@pytest.mark.parametrize("damage", ["byte", "missing", "extra", "path", "bomb", "text"])
def test_a_damaged_backup_restores_nothing(kept, tmp_path: Path, damage: str) -> None:
    bad, target = tmp_path / "bad.zip", tmp_path / "new"
    with zipfile.ZipFile(kept[2]) as box, zipfile.ZipFile(bad, "w") as out:
        about = json.loads(box.read(MANIFEST))
        names = [i for i in box.namelist() if i != MANIFEST]
        victim = next(n for n in names if n.endswith(".parquet"))
        for name in names:
            data = box.read(name)
            if name == victim and damage == "missing":
                continue
            if name == victim and damage == "byte":
                data = data[:-1] + bytes([data[-1] ^ 1])
            if name == victim and damage == "bomb":
                data += b"0" * 10_000_000
            out.writestr(name, data)
        if damage in ("extra", "path"):
            name = "home/extra" if damage == "extra" else "../../escaped"
            out.writestr(name, b"x")
            if damage == "path":
                about["members"][name] = {"sha256": "", "bytes": 1}
        out.writestr(MANIFEST, json.dumps(about))
    if damage == "text":
        bad.write_text("not a backup", encoding="utf-8")
    with pytest.raises(DumpError):
        bring_back(bad, target, database_in(target, bare=True))
    assert not target.exists() and not (tmp_path.parent / "escaped").exists()


def test_the_commands(kept, tmp_path: Path, monkeypatch) -> None:
    _register()
    runner, home = CliRunner(), tmp_path / "home"
    if kind() == "postgresql":
        monkeypatch.setenv("HUIQI_DB", database_in(home, bare=True))
    assert runner.invoke(app, ["restore", str(kept[2]), "--home", str(home)]).exit_code == 0
    found = runner.invoke(app, ["doctor", "--home", str(home), "--json"])
    assert {c["name"] for c in json.loads(found.stdout)} >= {"数据库", "比对"}
    assert runner.invoke(app, ["backup", str(tmp_path / "b.zip"), "--home", str(home)]).exit_code == 0
    assert runner.invoke(app, ["restore", str(kept[2]), "--home", str(home)]).exit_code == 2
    assert runner.invoke(app, ["contacts", "erase", "--home", str(home)]).exit_code == 2
    assert accounts.people(open_database(database_in(home))) == []
