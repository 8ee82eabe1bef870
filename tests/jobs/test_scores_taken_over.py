"""沿用的评分: a night that takes over what did not change has, to the last bit, the scores of one scored from nothing."""

from __future__ import annotations

import multiprocessing
import shutil
import signal
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import policies
from analysis.scores import Scoring
from analysis.scores_file import load, save
from analysis.scores_learn import learn
from analysis.scores_people import bound_of
from jobs.list_keys import list_keys
from jobs.matching import allocation, matching
from jobs.nightly import run_night
from jobs.replay import _inputs
from jobs.scoring import replay_scores, score_night
from jobs.scoring_pairs import scored_anew
from policies.library import load_library
from profiles import sample
from profiles.dictionary import builtin_dictionary
from profiles.inputs import from_table
from store import faults, nights
from store.database import open_database
from store.night_scores import kept_scores, read_scores, scored_with
from store.night_writing import NightInputs, write_night
from store.nights import CODE, FINISHED, Night
from store.scores import current_version, promote_model
from tests.databases import database_in
from tests.jobs.test_scoring import DAY

FIRMS = 200
DOCUMENTS = ("cn-2017-115", "bs-2025-05", "bs-2025-06", "sets")  # with project lists, and questions


@pytest.fixture(scope="module")
def learned(database: str, tmp_path_factory: pytest.TempPathFactory):
    home = tmp_path_factory.mktemp("taken")
    sample.write_sample(sample.generate(FIRMS, 3), home / "inbox", 0.01)
    engine = open_database(database_in(home))
    for name in DOCUMENTS:
        shutil.copytree(Path(policies.__file__).with_name("library") / name, home / "library" / name)
    report = run_night(engine, home, home / "library", DAY, lambda: datetime(2026, 6, 17, 1, tzinfo=UTC))
    night = report.night
    assert night is not None
    save(learn(bound_of(night), night.columns(), night.answers()), home, {})
    assert score_night(night, home) > 100
    return engine, home, night


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pairs were asked of the model, call by call."""
    counts: list[int] = []
    own = Scoring.pairs

    def pairs(self: Scoring, bound, rows, unknown):
        counts.append(len(rows))
        return own(self, bound, rows, unknown)

    monkeypatch.setattr(Scoring, "pairs", pairs)
    return counts


def _changed(
    table: pa.Table, rng: np.random.Generator, firms: int, gone: int, cells: float = 0.3
) -> pa.Table:
    """Some firms say other things, facts of theirs are lost or found at other firms, and some are gone."""
    rows = rng.choice(len(table), firms, replace=False)
    for i, field in enumerate(table.schema):
        if field.name == CODE or pa.types.is_nested(field.type) or rng.random() > cells:
            continue
        order = np.arange(len(table))
        order[rows] = rng.integers(0, len(table), len(rows))
        table = table.set_column(i, field, table.column(i).take(pa.array(order)))
    return table.take(pa.array(np.sort(rng.permutation(len(table))[gone:])))


def _after(night: Night, home: Path, day: int, table: pa.Table, **other) -> Night:
    """The night after, of a table and whatever else is other than it was."""
    was = _inputs(night, home)
    digest = f"{day:064x}"
    columns = from_table(table, was.library.dictionary, lambda problem: None, home)
    columns.loaded = was.columns.loaded
    library = load_library(home / "library", builtin_dictionary(), {})
    inputs: NightInputs = replace(
        was, library=library, table=table, columns=columns, profiles_hash=digest, facts="", **other
    )
    at = datetime(2026, 6, 17, 2, tzinfo=UTC) + timedelta(hours=day)
    return write_night(
        night.engine, home, inputs, matching(inputs, home), allocation(inputs), started=at, finished=at,
        software="t", counts={}, state=FINISHED,
    )  # fmt: skip


def _same_as_from_nothing(night: Night, home: Path) -> int:
    """How many pairs have scores, which are those of a night from nothing."""
    _, parts = scored_anew(night, home, scored_with(night.folder))
    kept, count = kept_scores(night.folder), 0
    assert kept is not None
    wanted = {item: some for item, some in parts if len(some.rows)}
    assert list(wanted) == list(kept.places)
    for item, some in wanted.items():
        own = kept.of(item)
        assert np.array_equal(own.rows, some.rows)
        assert own.values.tobytes() == some.values.tobytes(), item
        waiting = night.open_pairs(item)[CODE].tolist()
        assert read_scores(night.folder, item).index.tolist() == waiting
        count += len(some.rows)
    assert replay_scores(night, home) == []
    return count


def test_a_row_of_days_has_the_scores_of_nights_from_nothing(learned, asked) -> None:
    _, home, night = learned
    rng = np.random.default_rng(5)
    table = pq.read_table(night.profiles)
    shares = []
    for day in range(1, 7):
        table = _changed(table, rng, firms=int(rng.integers(1, 12)), gone=int(rng.integers(0, 3)))
        night = _after(night, home, day, table)
        asked.clear()
        count, whole = score_night(night, home), sum(asked)
        assert count == _same_as_from_nothing(night, home)
        shares.append(whole / count)
    assert 0 < max(shares) < 0.2, "few pairs are asked of the model where few firms changed"


def _unread(*_: object) -> None:
    raise AssertionError("a model that is asked nothing is not read")


def test_a_night_of_which_nothing_changed_asks_the_model_nothing(learned, asked, monkeypatch) -> None:
    engine, home, _ = learned
    before = nights.latest_night(engine, home)
    table = pq.read_table(before.profiles)
    night = _after(before, home, 20, table)
    score_night(night, home)
    again = _after(night, home, 21, table)
    asked.clear()
    with monkeypatch.context() as unread:
        unread.setattr("analysis.scores_file.load", _unread)
        assert score_night(again, home) > 100 and asked == []
    assert _same_as_from_nothing(again, home) > 100
    assert list_keys(again) == list_keys(night), "a list whose scores are the same has the same key"


def test_what_was_answered_and_another_set_of_items_is_scored_anew(learned, asked) -> None:
    engine, home, _ = learned
    night = nights.latest_night(engine, home)
    item, ask = _asked_item(night)
    codes = night.open_pairs(item.program.item.id)[CODE].tolist()[:6]
    answers = {(item.program.item.id, item.batch.name, ask): {c: i % 2 == 0 for i, c in enumerate(codes)}}
    others = [
        b for b in _inputs(night, home).items if b.program.item.id != bound_of(night)[0].program.item.id
    ]
    table = pq.read_table(night.profiles)
    told = _after(night, home, 30, table, answers=answers)
    asked.clear()
    assert score_night(told, home) > 0
    assert 0 < sum(asked) <= len(told.open_pairs(item.program.item.id))
    _same_as_from_nothing(told, home)
    fewer = _after(told, home, 31, table, answers=answers, items=others)
    score_night(fewer, home)
    _same_as_from_nothing(fewer, home)
    more = _after(fewer, home, 32, table)
    score_night(more, home)
    _same_as_from_nothing(more, home)


def _asked_item(night: Night):
    """An item with a question that is open for some firms, and the question's id."""
    from analysis.scores_ask import questions

    for bound in bound_of(night):
        for _, _, ask in questions([bound]):
            if len(night.open_pairs(bound.program.item.id)):
                return bound, ask
    raise AssertionError("no item asks a person anything")


def test_another_model_scores_every_pair_anew(learned, asked) -> None:
    engine, home, _ = learned
    night = nights.latest_night(engine, home)
    table, before = pq.read_table(night.profiles), current_version(home)
    taught = load(home)
    taught.lesson = {"": 0.25}
    try:
        other = save(taught, home, {})
        assert other != before
        after = _after(night, home, 40, table)
        asked.clear()
        count = score_night(after, home)
        assert sum(asked) == count == _same_as_from_nothing(after, home)
        assert scored_with(after.folder) == other
        item = next(iter(kept_scores(after.folder).places))
        assert not np.array_equal(
            kept_scores(after.folder).of(item).values, kept_scores(night.folder).of(item).values
        )
        asked.clear()
        next_ = _after(after, home, 41, table)
        assert score_night(next_, home) == count and asked == []
        promote_model(home, before)
        back = _after(next_, home, 42, table)
        score_night(back, home)
        _same_as_from_nothing(back, home)
    finally:
        promote_model(home, before)


@pytest.mark.parametrize("point", ["scores.written", "scores.kept"])
def test_a_killed_scoring_ends_as_an_undisturbed_one(learned, point: str) -> None:
    engine, home, _ = learned
    night = nights.latest_night(engine, home)
    table = _changed(pq.read_table(night.profiles), np.random.default_rng(9), 6, 0)
    after = _after(night, home, 50 + len(point), table)
    engine.dispose()
    child = multiprocessing.get_context("fork").Process(target=_killed, args=(after, home, point))
    child.start()
    child.join(120)
    assert child.exitcode == -signal.SIGKILL
    assert (scored_with(after.folder) != "") == (point == "scores.kept")
    score_night(after, home)
    _same_as_from_nothing(after, home)


def _killed(night: Night, home: Path, point: str) -> None:
    faults.arm(point)
    score_night(night, home)
