"""运维: a restore drill on both kinds of database, damaged backups, the doctor's findings, contacts erased."""

from __future__ import annotations

import json
import shutil
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jobs.backup import MANIFEST, back_up, bring_back
from jobs.cli import _register, app
from jobs.doctor import BAD, GOOD, WARN, Patient, examine
from jobs.nightly import run_night
from jobs.replay import replay
from policies import __file__ as policies_file
from profiles import sample
from store import accounts, audit
from store.database import Engine, open_database, session, upgrade
from store.dumps import DumpError
from tests.databases import database_in

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
    with pytest.raises(DumpError, match="已经有了"):
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


def seen(engine: Engine, home: Path, now: datetime = NOW, **env: str) -> dict[str, list[tuple[str, str]]]:
    out: dict[str, list[tuple[str, str]]] = {}
    for check in examine(Patient(engine, home, LIBRARY, now, env)):
        assert check.state == GOOD or check.cure
        out.setdefault(check.name, []).append((check.state, check.words))
    return out


def test_the_doctor_finds_what_is_wrong_and_only_that(kept, tmp_path: Path) -> None:
    home = tmp_path / "home"
    bring_back(kept[2], home, database_in(home, bare=True))
    engine = open_database(database_in(home))
    well = seen(engine, home)
    for name in ("数据文件夹", "数据库", "政策库", "比对", "工作日历", "推送", "记录与台账", "内核"):
        assert [s for s, _ in well[name]] == [GOOD], name
    assert well["人员"][0][0] == WARN and well["定时"][0][0] == WARN
    assert BAD in [s for s, _ in seen(engine, home, HUIQI_WEBHOOK_URL="http://127.0.0.1:1")["推送"]]
    assert seen(engine, home, NOW + timedelta(days=3))["比对"][0][0] == BAD
    assert seen(engine, home, NOW + timedelta(days=4000))["工作日历"][0][0] == BAD
    shutil.move(home / "nights" / "1", home / "nights" / "9")
    assert "不见了" in str(seen(engine, home)["比对"])
    with session(engine) as opened:
        audit.record(opened, "x", "试", "", {}, NOW)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER IF EXISTS audit_entry_fixed")
        for (name,) in connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type='trigger' AND tbl_name='audit_entry'"
        ).fetchall():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.exec_driver_sql("UPDATE audit_entry SET who = 'y' WHERE number = 1")
    assert seen(engine, home)["记录与台账"][0][0] == BAD


def test_the_doctor_looks_at_an_empty_place_and_an_old_database(tmp_path: Path) -> None:
    engine = open_database(database_in(tmp_path, bare=True))
    empty = seen(engine, tmp_path)
    assert empty["数据库"][0][0] == WARN and "比对" not in empty
    upgrade(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    assert seen(engine, tmp_path)["数据库"][0][0] == BAD


def test_the_commands(kept, tmp_path: Path) -> None:
    _register()
    runner, home = CliRunner(), tmp_path / "home"
    assert runner.invoke(app, ["restore", str(kept[2]), "--home", str(home)]).exit_code == 0
    found = runner.invoke(app, ["doctor", "--home", str(home), "--json"])
    assert {c["name"] for c in json.loads(found.stdout)} >= {"数据库", "比对"}
    assert runner.invoke(app, ["backup", str(tmp_path / "b.zip"), "--home", str(home)]).exit_code == 0
    assert runner.invoke(app, ["restore", str(kept[2]), "--home", str(home)]).exit_code == 2
    assert runner.invoke(app, ["contacts", "erase", "--home", str(home)]).exit_code == 2
    assert accounts.people(open_database(database_in(home))) == []
