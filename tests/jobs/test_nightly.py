"""每夜: a whole night on a small sample, again, replayed, and after a kill."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest

from jobs import lists_aside
from jobs.nightly import NightReport, run_night
from jobs.replay import replay
from policies import __file__ as policies_file
from policies.library import load_library
from profiles import sample
from profiles.dictionary import builtin_dictionary
from store import grants, night_blocks, nights, outbox, review
from store.database import Engine, open_database, session
from store.nights import Night, latest_night, list_nights, set_state
from tests.databases import copy_database, database_in
from tests.store.test_night_blocks import as_it_was

pytestmark = pytest.mark.usefixtures("database")
LIBRARY = Path(policies_file).with_name("library")
DAY = date(2026, 6, 17)


def now() -> datetime:
    return datetime(2026, 6, 17, 18, 0, tzinfo=UTC)


def night(engine: Engine, home: Path, day: date = DAY) -> NightReport:
    return run_night(engine, home, LIBRARY, day, now)


@pytest.fixture(scope="module")
def made(database: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Engine, Path, NightReport]:
    home = tmp_path_factory.mktemp("home")
    sample.write_sample(sample.generate(150, 4), home / "inbox", 0.02)
    engine = open_database(database_in(home))
    return engine, home, night(engine, home)


def first(made: tuple[Engine, Path, NightReport]) -> Night:
    found = made[2].night
    assert found is not None
    return found


def test_every_row_of_the_inbox_is_accounted_for(made: tuple[Engine, Path, NightReport]) -> None:
    totals = made[2].inbox.totals()
    parts = ("new", "changed", "unchanged", "rejected", "to_confirm")
    assert totals["rows"] > 1000 and totals["rows"] == sum(totals[p] for p in parts)
    assert totals["rejected"] > 0 and not made[2].inbox.strangers and not made[2].inbox.failures


def test_every_item_of_the_library_is_matched_or_said_to_rest(made: tuple[Engine, Path, NightReport]) -> None:
    report = made[2]
    assert report.night is not None
    whole = len(load_library(LIBRARY, builtin_dictionary(), {}).programs)
    assert report.night.counts["items"] + sum(report.resting.values()) == whole
    assert set(report.resting) == {"不在受理期", "失效"}


def test_the_figures_of_a_night_agree_with_its_lists(made: tuple[Engine, Path, NightReport]) -> None:
    found = first(made)
    items = found.items()
    assert len(items) >= 45 and found.counts["fits"] == items["fits"].sum() > 0
    for row in items.itertuples():
        hits = found.hits(row.item)
        fits = hits[hits["verdict"] == "符合"] if len(hits) else hits
        assert (len(fits), len(hits) - len(fits)) == (row.fits, row.open)


def test_a_second_night_of_the_same_material_changes_nothing(made: tuple[Engine, Path, NightReport]) -> None:
    engine, home, _ = made
    again = night(engine, home)
    assert again.repeated and again.night is not None and again.night.no == first(made).no
    totals = again.inbox.totals()
    assert totals["new"] == totals["changed"] == 0
    assert len(list_nights(engine, home)) == 1


def test_a_night_is_replayed_pair_for_pair(made: tuple[Engine, Path, NightReport]) -> None:
    engine, home, _ = made
    assert replay(engine, home, first(made).no) == []
    victim = next((first(made).folder / "hits").glob("*.parquet"))
    kept = victim.read_bytes()
    table = pq.read_table(victim)
    item = table["item"][len(table) // 2].as_py()
    try:
        victim.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
        assert set(replay(engine, home, first(made).no)) == set(table["item"].to_pylist())
        pq.write_table(table.slice(0, len(table) // 2), victim)
        assert item in replay(engine, home, first(made).no)
        victim.unlink()
        assert item in replay(engine, home, first(made).no)
    finally:
        victim.write_bytes(kept)
    assert replay(engine, home, first(made).no) == []


def keep_hash(engine: Engine, no: int, digest: str) -> None:
    with session(engine) as opened:
        run = opened.get(nights.Run, no)
        assert run is not None
        run.hits_hash = digest


def test_a_night_kept_before_layers_is_replayed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    sample.write_sample(sample.generate(40, 4), home / "inbox", 0.0)
    engine = open_database(database_in(home))
    old = night(engine, home).night
    assert old is not None
    keep_hash(engine, old.no, as_it_was(old.folder))
    assert replay(engine, home, old.no) == []
    keep_hash(engine, old.no, "0" * 64)
    assert replay(engine, home, old.no), "another hash than that of the files"
    nights.forget()
    after = night(engine, home, DAY + timedelta(days=1)).night
    assert after is not None and after.counts["fresh_blocks"] == after.counts["blocks"] > 0
    assert replay(engine, home, after.no) == []


@pytest.mark.parametrize("patching", [False, True])
def test_nights_take_over_what_did_not_change(
    patching: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Days go by and files come; each night equals one that is matched from nothing, and can be replayed."""
    for name, size in (("LEAST", 4), ("CHANCE", 8), ("MOST", 24)):
        monkeypatch.setattr(night_blocks, name, size)
    if patching:
        monkeypatch.setattr(night_blocks, "WORTH_PATCHING", 0)
        monkeypatch.setattr(night_blocks, "WORTH_FIRMS", 0)
        monkeypatch.setattr(night_blocks, "SHARE", 0.9)
    home = tmp_path / "home"
    sample.write_sample(sample.generate(60, 4), home / "inbox", 0.0)
    engine = open_database(database_in(home))
    first_night = night(engine, home).night
    assert first_night is not None and first_night.counts["fresh_blocks"] == first_night.counts["blocks"] > 5
    told = home / "inbox" / "税务_年度申报_20260615.csv"
    head, one, *rest = told.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    again = one.split(",")
    again[3] = "987654.32"  # one firm restates its turnover
    text = "".join([head, ",".join(again), *rest])
    told.with_name("税务_年度申报_20260616.csv").write_text(text, encoding="utf-8")
    for day in (DAY, DAY + timedelta(days=1)):
        report = night(engine, home, day)
        made = report.night
        assert made is not None and not report.repeated
        assert made.counts["fresh_blocks"] < made.counts["blocks"]
        touched = made.counts["fresh_blocks"] + made.counts["patched_blocks"]
        assert (touched > 0) == (day == DAY) and (made.counts["patched_blocks"] > 0) == (
            patching and touched > 0
        )
        assert replay(engine, home, made.no) == []
        for row in made.items().itertuples():
            hits = made.hits(row.item)
            fits = hits[hits["verdict"] == "符合"] if len(hits) else hits
            assert (len(fits), len(hits) - len(fits)) == (row.fits, row.open)
            earlier = first_night.fitting(row.item) if made.run.previous == first_night.no else None
            if earlier is not None:
                now_fitting = made.fitting(row.item)
                assert (row.new_fits, row.gone) == (len(now_fitting - earlier), len(earlier - now_fitting))


def test_a_night_on_a_cluster_is_the_same(tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    hashes = []
    for name, cluster in (("here", ""), ("there", "local")):
        home = tmp_path / name
        sample.write_sample(sample.generate(60, 5), home / "inbox", 0.0)
        engine = open_database(database_in(home))
        made = run_night(engine, home, LIBRARY, DAY, now, cluster=cluster).night
        assert made is not None
        hashes.append(made.run.hits_hash)
    assert hashes[0] == hashes[1]


def test_the_workbooks_open_and_hold_codes_as_text(made: tuple[Engine, Path, NightReport]) -> None:
    paths = made[2].lists
    assert any(p.name == "总览.xlsx" for p in paths)
    row = first(made).items().sort_values("fits").iloc[-1]
    path = next(p for p in paths if p.stem == row["item"].replace("/", "__"))
    sheet = openpyxl.load_workbook(path).active
    assert sheet is not None and sheet.freeze_panes == "C6"
    head = [cell.value for cell in sheet[5]]
    assert str(sheet["A4"].value).startswith("次序：")
    assert head[:3] == ["统一社会信用代码", "企业名称", "结论"]
    codes = [sheet.cell(i, 1) for i in range(6, 6 + int(row["fits"]))]
    assert all(cell.data_type == "s" and len(str(cell.value)) == 18 for cell in codes)
    assert f"第 {first(made).no} 次比对" in str(sheet["A2"].value)


def test_the_overview_says_of_every_item_what_the_night_counted(
    made: tuple[Engine, Path, NightReport],
) -> None:
    sheet = openpyxl.load_workbook(next(p for p in made[2].lists if p.name == "总览.xlsx")).active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))
    top = next(i for i, r in enumerate(rows) if r[0] == "事项编号")
    told = {str(r[0]): dict(zip(rows[top], r, strict=True)) for r in rows[top + 1 :]}
    items = first(made).items()
    assert set(told) == set(items["item"])
    for row in items.itertuples():
        line = told[row.item]
        assert (line["符合"], line["待核实"]) == (row.fits, row.open), row.item
        assert line["金额下限（元）"] == pytest.approx(row.low), row.item
        assert line["金额上限（元）"] == pytest.approx(row.high), row.item


def test_a_pair_is_explained_from_the_night(made: tuple[Engine, Path, NightReport]) -> None:
    found = first(made)
    item = found.items().sort_values("fits").iloc[-1]["item"]
    hit = found.hits(item).query("verdict == '符合'").iloc[0]
    match = found.explain(hit["统一社会信用代码"], item)
    assert match is not None and match.verdict == "符合"
    assert all(e.verdict == "符合" and e.quote for e in match.evidence)


def test_the_funnel_ends_with_the_list(made: tuple[Engine, Path, NightReport]) -> None:
    found = first(made)
    for row in found.items().head(10).itertuples():
        funnel = found.funnel(row.item)
        subject = found.library().program(row.item).item.subject
        if subject == "企业":
            assert funnel["remaining"].iloc[-1] == row.fits + row.open


def test_a_killed_night_leaves_nothing_behind_it_counts_on(tmp_path: Path) -> None:
    home = tmp_path / "home"
    sample.write_sample(sample.generate(60, 5), home / "inbox", 0.0)
    command = [sys.executable, "-m", "jobs.cli", "nightly", "--home", str(home), "--as-of", "2026-06-17"]
    env = {**os.environ, "HUIQI_DB": database_in(home)}
    for delay in (0.9, 1.6, 2.4):
        child = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        if child.poll() is None:
            os.kill(child.pid, signal.SIGKILL)
        child.wait(120)
    engine = open_database(database_in(home))
    report = night(engine, home)
    assert report.night is not None and len(list_nights(engine, home)) == report.night.no
    assert replay(engine, home, report.night.no) == []
    clean = tmp_path / "clean"
    sample.write_sample(sample.generate(60, 5), clean / "inbox", 0.0)
    other = night(open_database(database_in(clean)), clean)
    assert other.night is not None and other.night.run.hits_hash == report.night.run.hits_hash


def test_a_night_killed_before_its_lists_and_its_guard_is_finished_by_the_next(made) -> None:
    engine, home, report = made
    found = first(made)
    names = sorted(p.name for p in report.lists)
    assert found.state == "完成" and "总览.xlsx" in names
    shutil.rmtree(found.folder / "lists")
    (found.folder / f".lists-{os.getpid()}").mkdir()
    set_state(engine, found.no, "待把关")
    assert latest_night(engine, home, released=True) is None
    again = night(engine, home)
    assert again.repeated and sorted(p.name for p in again.lists) == names
    assert latest_night(engine, home, released=True).no == found.no
    assert not [p for p in found.folder.iterdir() if p.name.startswith(".lists")]


def sheet_of(path: Path) -> bytes:
    """What stands on a list; another part of the workbook says when it was made."""
    with zipfile.ZipFile(path) as book:
        return book.read("xl/worksheets/sheet1.xml")


def test_lists_written_by_another_process_are_the_same(made, monkeypatch: pytest.MonkeyPatch) -> None:
    found = first(made)
    lists = found.folder / "lists"
    here = {path.name: sheet_of(path) for path in lists.glob("*.xlsx")}
    written: list[int] = []
    monkeypatch.setattr(lists_aside, "WORTH", 1)
    monkeypatch.setattr(lists_aside.os, "sched_getaffinity", lambda pid: {0, 1})
    shutil.rmtree(lists)
    wait = lists_aside.begin_lists(found)
    monkeypatch.setattr("jobs.lists.write_lists", lambda *_: written.append(1))
    paths = wait()
    assert not written, "the other process wrote nothing"
    assert {path.name: sheet_of(path) for path in lists.glob("*.xlsx")} == here
    assert sorted(path.name for path in paths) == sorted(here)


def test_lists_that_another_process_could_not_write_are_written_here(made, monkeypatch) -> None:
    found = first(made)
    monkeypatch.setattr(lists_aside, "WORTH", 1)
    monkeypatch.setattr(lists_aside.os, "sched_getaffinity", lambda pid: {0, 1})
    monkeypatch.setattr(lists_aside, "_write", os._exit)  # called with what is no exit code: it dies
    shutil.rmtree(found.folder / "lists")
    assert len(lists_aside.begin_lists(found)()) > 40


def test_a_look_back_stores_a_night_and_sends_nothing(made) -> None:
    engine, home, _ = made
    before = [(p.key, p.state, p.reason) for p in outbox.list_pushes(engine)]
    cases = len(grants.find(engine))
    past = night(engine, home, date(2026, 6, 10))
    assert past.pushes == {"已有更近的比对": first(made).no}
    assert past.night is not None and past.night.no > first(made).no
    assert nights.later_night(engine, first(made), DAY) is None, "a look back is no later night"
    assert [(p.key, p.state, p.reason) for p in outbox.list_pushes(engine)] == before
    assert len(grants.find(engine)) == cases
    with engine.begin() as connection:  # the tests after this one count nights
        connection.exec_driver_sql(f"DELETE FROM item_run WHERE run = {past.night.no}")
        connection.exec_driver_sql(f"DELETE FROM run WHERE no = {past.night.no}")


def test_a_night_without_a_library_says_so(tmp_path: Path) -> None:
    engine = open_database(database_in(tmp_path, bare=True))
    with pytest.raises(ValueError, match="没有政策库文件夹"):
        run_night(engine, tmp_path, tmp_path / "none", DAY, now)
    assert latest_night(engine, tmp_path) is None


def test_a_night_repeats_itself_after_time_made_values_stale(made, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(made[1], home)
    copy_database(made[1], home)
    engine = open_database(database_in(home))
    night(engine, home, date(2026, 6, 1))
    once = night(engine, home, DAY)
    again = night(engine, home, DAY)
    assert not once.repeated and again.repeated and again.night.no == once.night.no


def test_what_was_paid_before_is_taken_off_and_replays(
    made: tuple[Engine, Path, NightReport], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(made[1], home)
    copy_database(made[1], home)
    engine = open_database(database_in(home))
    before = latest_night(engine, home)
    assert before is not None
    item = "bs-2025-04/srdi-award"
    fits = before.hits(item)
    fits = fits[fits["verdict"] == "符合"]
    code = str(fits["统一社会信用代码"].iloc[0])
    assert list(fits["paid_high"]) == [100_000.0] * len(fits)
    paid = grants.GrantCase(
        code=code, item="bs-2025-04/giant-award", batch="2025", variant="免申即享", state="到账", since=DAY,
        opened=DAY, updated=now(), arrived=3_000_000, recovered=1_000_000,
    )  # fmt: skip
    with session(engine) as opened:
        opened.add(paid)
        opened.add(paid.model_copy(update={"id": None, "batch": "2026", "arrived": 9_900_000}))
    after = night(engine, home).night
    assert after is not None and after.no > before.no
    got = after.hits(item).set_index("统一社会信用代码")
    assert got.loc[code, "paid_high"] == got.loc[code, "paid_low"] == 80_000.0
    assert (got.loc[[c for c in fits["统一社会信用代码"] if c != code], "paid_high"] == 100_000.0).all()
    assert replay(engine, home, after.no) == [] and replay(engine, home, before.no) == []
    assert night(engine, home).repeated


def _askable(found: Night) -> list[tuple[str, str, str, str, str]]:
    """(item, batch, ask, code, row) of open questions for a reviewer, of enterprises and of detail rows."""
    out = []
    for row in found.items().itertuples():
        program = found.library().program(row.item)
        hits = found.hits(row.item)
        asks = {leaf.id for c in program.conditions for leaf in c.condition.leaves() if leaf.kind == "ask"}
        if not asks or not len(hits):
            continue
        codes = list(hits["统一社会信用代码"])
        if program.item.subject == "企业":
            out.append((row.item, row.batch, min(asks), codes[0], ""))
        else:
            detail = found.columns().rows.get(program.item.subject)
            owned = (
                [(found.columns().codes[o], i) for o, i in zip(detail.owner, detail.ids, strict=True) if i]
                if detail
                else []
            )
            out += [(row.item, row.batch, min(asks), code, i) for code, i in owned if code in codes][:1]
    return out


def test_a_night_with_answers_replays_after_rules_and_answers_changed(
    made: tuple[Engine, Path, NightReport], tmp_path: Path
) -> None:
    home, library = tmp_path / "home", tmp_path / "library"
    shutil.copytree(made[1], home)
    copy_database(made[1], home)
    shutil.copytree(LIBRARY, library)
    engine = open_database(database_in(home))
    before = latest_night(engine, home)
    assert before is not None
    asked = _askable(before)
    assert {bool(row) for *_, row in asked} >= {False}
    for item, batch, ask, code, row in asked:
        pair = review.Pair(item, batch, code, "待核实")
        review.answer_question(engine, "林", pair, ask, True, "查过", now(), row)
    answered = night(engine, home).night
    assert (
        answered is not None
        and answered.no > before.no
        and answered.run.answers_hash != before.run.answers_hash
    )
    # Afterwards the answer is taken back and a rule reads otherwise; what was decided that night stays what it was.
    for item, batch, ask, code, row in asked:
        review.answer_question(
            engine, "林", review.Pair(item, batch, code, "待核实"), ask, None, "收回", now(), row
        )
    rule = library / "bs-2025-04" / "items" / "srdi-award.yaml"
    rule.write_text(
        rule.read_text(encoding="utf-8").replace("status: 有效", "status: 暂停") + "\n# later\n",
        encoding="utf-8",
    )
    later = run_night(engine, home, library, DAY, now).night
    assert later is not None and later.no > answered.no
    assert [replay(engine, home, n.no) for n in (before, answered, later)] == [[], [], []]
