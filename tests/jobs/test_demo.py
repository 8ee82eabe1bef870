"""样例: grants of the months before, along the chain by real commands, and a folder that lives on a day of its own."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select
from typer.testing import CliRunner

import policies
from jobs import demo
from jobs.cli import _register, app
from jobs.nightly import run_night
from policies.library import load_library
from profiles.dictionary import builtin_dictionary
from store import grants, ledger
from store.database import open_database, session
from store.nights import night_on_show
from store.showing import make_showing, showing
from tests.databases import database_in, new_database

DAY = date(2026, 6, 17)
LIBRARY = Path(policies.__file__).with_name("library")


@pytest.fixture
def engine(tmp_path, database):
    made = new_database(tmp_path)
    yield made
    made.dispose()


def test_grants_of_the_months_before_stand_along_the_chain_and_the_books_agree(engine):
    library = load_library(LIBRARY, builtin_dictionary(), {})
    count = demo.earlier_grants(engine, library, 1500, 1, DAY)
    cases = grants.find(engine)
    states = Counter(c.state for c in cases)
    assert count == len(cases) >= 40
    assert {"名单核查", "公示", "企业确认", "拨付", "到账", "办结"} <= set(states)
    assert sum(c.arrived for c in cases) > 0
    assert ledger.verify_ledger(engine) == []
    with session(engine) as opened:
        days = [e.on for e in opened.exec(select(grants.GrantEvent))]
    assert min(days) >= DAY - demo.FIRST and max(days) < DAY
    assert demo.earlier_grants(engine, library, 1500, 1, DAY) == 0, "a second run begins nothing twice"


def test_a_folder_keeps_the_day_it_was_given_and_goes_on_with_the_clock(engine):
    now = datetime(2031, 2, 3, 4, tzinfo=UTC)
    assert showing(engine) is None
    shift = make_showing(engine, DAY, now)
    assert (now + shift).date() == DAY
    assert make_showing(engine, date(2020, 1, 1), now + timedelta(days=9)) == shift == showing(engine)


def test_a_folder_with_nights_of_its_own_is_not_made_a_showing(engine, tmp_path):
    run_night(engine, tmp_path, LIBRARY, DAY, lambda: datetime(2026, 6, 17, 2, tzinfo=UTC))
    with pytest.raises(ValueError, match="已有比对"):
        make_showing(engine, DAY, datetime(2026, 6, 18, tzinfo=UTC))
    assert showing(engine) is None


def test_a_look_back_or_ahead_takes_no_nights_place(engine, tmp_path):
    for day in (DAY, date(2026, 5, 1), date(2026, 9, 1)):
        run_night(engine, tmp_path, LIBRARY, day, lambda: datetime(2026, 6, 17, 2, tzinfo=UTC))
    shown = {today: night_on_show(engine, tmp_path, today) for today in (DAY, date(2026, 5, 2), date(2026, 9, 2), date(2026, 1, 1))}  # fmt: skip
    assert [n.no for n in shown.values() if n] == [1, 2, 3, 3]


def test_a_folder_that_no_command_has_filled_lives_by_the_clock(tmp_path: Path, database: str) -> None:
    engine = open_database(database_in(tmp_path, bare=True))
    assert showing(engine) is None
    engine.dispose()


def test_without_a_terminal_every_step_is_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    _register()
    monkeypatch.setenv("HUIQI_DB", database_in(tmp_path, bare=True))
    done = CliRunner().invoke(app, ["demo", "--firms", "40", "--home", str(tmp_path / "home")])
    assert done.exit_code in (0, 1), done.output
    steps = [line[2:] for line in done.stderr.splitlines() if line.startswith("… ")]
    wanted = ["此前几个月的兑现", "准备", "导入", "企业档案成列", "比对", "写名单", "排推送", "发推送"]
    assert [s for s in steps if s in wanted and s != "比对"] == [w for w in wanted if w != "比对"]
    assert not any(line.startswith("… ") for line in done.stdout.splitlines())
