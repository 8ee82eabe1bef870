"""体检: each of the faults an office meets is put in, by itself, into a sound office; it is found, with a cure, and nothing else is."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from engine import kernel
from jobs import doctor
from jobs.doctor import BAD, GOOD, WARN, Patient, examine
from jobs.nightly import run_night
from policies import __file__ as policies_file
from profiles import sample
from store import accounts, audit, leases, outbox, sealed, second_factor, webhooks
from store.database import Engine, open_database, session, upgrade, writing
from store.nights import HELD, set_state
from tests.databases import copy_database, database_in

pytestmark = pytest.mark.usefixtures("database")
LIBRARY = Path(policies_file).with_name("library")
DAY, NOW = date(2026, 6, 17), datetime(2026, 6, 17, 18, 0, tzinfo=UTC)
PASSWORD = "thirteen-horses-1"


@dataclass
class Ward:
    """An office to put a fault into."""

    engine: Engine
    home: Path
    patch: pytest.MonkeyPatch
    library: Path = LIBRARY
    now: datetime = NOW
    env: dict[str, str] = field(default_factory=dict)

    def patient(self) -> Patient:
        return Patient(self.engine, self.home, self.library, self.now, self.env)

    def found(self) -> set[tuple[str, str]]:
        """(check, state) of everything that is not good; each tells a cure."""
        told = examine(self.patient())
        assert all(c.cure for c in told if c.state != GOOD)
        return {(c.name, c.state) for c in told if c.state != GOOD}


@pytest.fixture(scope="module")
def sound(database: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A night, an administrator, a reviewer, and a scheduler that has just run."""
    home = tmp_path_factory.mktemp("sound")
    sample.write_sample(sample.generate(40, 4), home / "inbox", 0.0)
    engine = open_database(database_in(home))
    run_night(engine, home, LIBRARY, DAY, lambda: NOW)
    for login, role in (("guan", "管理员"), ("fu", "复核")):
        accounts.create_person(engine, login, login, [role], PASSWORD, by="测试", now=NOW)
    a_run(engine, "完成", NOW)
    with session(engine) as opened:
        audit.record(opened, "guan", "试", "", {}, NOW)
    engine.dispose()
    return home


@pytest.fixture
def ward(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    home = tmp_path / "home"
    shutil.copytree(sound, home)
    copy_database(sound, home)
    engine = open_database(database_in(home))
    yield Ward(engine, home, monkeypatch)
    engine.dispose()


def a_run(engine: Engine, outcome: str, at: datetime) -> None:
    with writing(engine) as opened:
        opened.add(
            leases.JobRun(job="night", planned=at, holder="x", tries=1, started=at, finished=at, outcome=outcome, log="")
        )  # fmt: skip


def disk(w: Ward) -> None:
    w.patch.setattr(
        doctor.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1 << 40, 1 << 40, 1 << 30)
    )


def tables(w: Ward) -> None:
    sql(w, "UPDATE alembic_version SET version_num = '0001'")


def later_tables(w: Ward) -> None:
    sql(w, "UPDATE alembic_version SET version_num = '9999'")


def rules(w: Ward) -> None:
    w.library = w.home / "library"
    shutil.copytree(LIBRARY, w.library)
    path = next(p for p in sorted(w.library.glob("*/items/*.yaml")) if not p.name.endswith(".test.yaml"))
    path.write_text(path.read_text("utf-8").replace("when:", "whne:", 1), "utf-8")


def late(w: Ward) -> None:
    w.now = NOW + timedelta(hours=40)


def held(w: Ward) -> None:
    set_state(w.engine, 1, HELD)


def gone(w: Ward) -> None:
    shutil.rmtree(w.home / "nights" / "1")


def failed(w: Ward) -> None:
    a_run(w.engine, "失败", NOW + timedelta(minutes=1))


def silent(w: Ward) -> None:
    w.now = NOW + timedelta(days=3)


def stranger(w: Ward) -> None:
    (w.home / "inbox" / "没人认领.csv").write_text("a,b\n", "utf-8")


def overdue(w: Ward) -> None:
    sql(w, "UPDATE source_batch SET arrived_at = '2024-01-01 00:00:00'")


def calendar(w: Ward) -> None:
    w.now = datetime(2041, 3, 1, tzinfo=UTC)


def dead(w: Ward) -> None:
    with writing(w.engine) as opened:
        opened.add(
            outbox.Push(key="k", firm="F", item="d/i", batch="2026", channel="webhook", kind="inform", state="dead",
                        next_at=NOW, created=NOW, body="{}")
        )  # fmt: skip


def unsigned(w: Ward) -> None:
    w.env["HUIQI_WEBHOOK_URL"] = "http://127.0.0.1:1"


def nobody(w: Ward) -> None:
    accounts.change_person(w.engine, "fu", by="guan", now=NOW, roles=["只读"], department="", active=True)


def broken(w: Ward) -> None:
    with w.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            names = "SELECT name FROM sqlite_master WHERE type='trigger' AND tbl_name='audit_entry'"
            for (name,) in connection.exec_driver_sql(names).fetchall():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            names = (
                "SELECT tgname FROM pg_trigger WHERE tgrelid = 'audit_entry'::regclass AND NOT tgisinternal"
            )
            for (name,) in connection.exec_driver_sql(names).fetchall():
                connection.exec_driver_sql(f"DROP TRIGGER {name} ON audit_entry")
        connection.exec_driver_sql("UPDATE audit_entry SET who = 'y' WHERE number = 1")


def plain(w: Ward) -> None:
    w.patch.setattr(kernel, "available", lambda: False)


def sql(w: Ward, statement: str) -> None:
    with w.engine.begin() as connection:
        connection.execute(text(statement))


def factor(w: Ward, key: str) -> None:
    """A second factor that somebody began while this was the key, or none."""
    w.patch.setenv(sealed.KEY, key)
    person = accounts.find_person(w.engine, "guan")
    assert person is not None and person.id is not None
    second_factor.begin(w.engine, person.id, w.now)


def unsealed(w: Ward) -> None:
    factor(w, "")


def lost_key(w: Ward) -> None:
    factor(w, sealed.new_key())
    w.env[sealed.KEY] = sealed.new_key()


def hook(w: Ward, key: str) -> None:
    """Another system's address, entered while this was the key, or none."""
    w.patch.setenv(sealed.KEY, key)
    webhooks.add(w.engine, "https://erp.example/hook", ["grant"], by="guan", now=w.now)


def unsealed_hook(w: Ward) -> None:
    hook(w, "")


def lost_hook(w: Ward) -> None:
    hook(w, sealed.new_key())
    w.env[sealed.KEY] = sealed.new_key()


def no_key(w: Ward) -> None:
    w.env[sealed.KEY] = "0123456789"


FAULTS: dict[Callable[[Ward], None], set[tuple[str, str]]] = {
    disk: {("数据文件夹", BAD)}, tables: {("数据库", BAD)}, later_tables: {("数据库", BAD)}, rules: {("政策库", BAD)}, late: {("比对", BAD)}, held: {("比对", BAD)},
    gone: {("比对", BAD)}, failed: {("定时", BAD)}, silent: {("比对", BAD), ("定时", BAD)}, stranger: {("收件箱", WARN)},
    overdue: {("收件箱", WARN)}, dead: {("推送", BAD)}, unsigned: {("推送", BAD)}, nobody: {("人员", WARN)}, broken: {("记录与台账", BAD)},
    plain: {("内核", WARN)}, unsealed: {("密钥", WARN)}, lost_key: {("密钥", BAD)}, no_key: {("密钥", BAD)}, unsealed_hook: {("密钥", WARN)}, lost_hook: {("密钥", BAD)},
}  # fmt: skip


def test_a_sound_office_has_nothing(ward: Ward) -> None:
    assert ward.found() == set()


@pytest.mark.parametrize(("fault", "told"), FAULTS.items(), ids=[f.__name__ for f in FAULTS])
def test_each_fault_is_found_and_no_other(
    ward: Ward, fault: Callable[[Ward], None], told: set[tuple[str, str]]
) -> None:
    fault(ward)
    assert ward.found() == told


def test_a_year_without_a_calendar_is_found(ward: Ward) -> None:
    calendar(ward)
    assert ("工作日历", BAD) in ward.found()


def test_tables_of_a_later_version_are_not_to_be_upgraded(ward: Ward) -> None:
    later_tables(ward)
    told = next(c for c in examine(ward.patient()) if c.name == "数据库")
    assert "比这一版软件" in told.words and "换用升级过它的那一版" in told.cure and "升级" not in told.words


def test_an_empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = open_database(database_in(tmp_path, bare=True))
    ward = Ward(engine, tmp_path, monkeypatch)
    assert ward.found() == {("数据库", WARN)}
    upgrade(engine)
    assert {n for n, _ in ward.found()} == {"比对", "定时", "人员"}
    engine.dispose()
