"""An incremental night equals a full one, hit for hit, over random sequences of changes."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from engine import matching
from engine.columns import Columns
from engine.kernel import Matcher
from engine.kernel_changes import rematch
from engine.kernel_facts import firm_digests, taken
from engine.kernel_prints import changes, fingerprint, renewed
from engine.kernel_threads import each
from engine.matching import AnswerBook
from engine.program import BoundItem
from tests.engine.test_kernel import assert_same, random_work


def altered(columns: Columns, rng: random.Random) -> Columns:
    """Some firms leave, the rest change places, some facts change."""
    rows = list(range(len(columns)))
    if rng.random() < 0.5:
        rows = rng.sample(rows, len(rows) - rng.randint(0, 5))
    out = columns.take(np.array(rows))
    for key in rng.sample(sorted(out.numbers, key=str), 3):
        values = out.numbers[key].copy()
        values[rng.randrange(len(values))] = rng.choice([np.nan, 0.0, 1.0, 5e6])
        out.numbers[key] = values
    return out


def fewer(answers: AnswerBook, rng: random.Random) -> AnswerBook:
    return {k: {c: a for c, a in of.items() if rng.random() < 0.9} for k, of in answers.items()}


@pytest.mark.parametrize("seed", range(6))
def test_sequences_of_changes(seed: int, tmp_path: Path) -> None:
    items, columns, day, answers = random_work(seed + 300, tmp_path, 50)
    other, _, _, _ = random_work(seed + 400, tmp_path / "other", 1)
    rng = random.Random(seed)
    hits = matching.match(items, columns, day, answers)
    for _ in range(4):
        before = fingerprint(items, columns, day, answers)
        known = {(h.item, h.batch): h for h in hits}
        columns, answers = altered(columns, rng), fewer(answers, rng)
        items = swapped(items, other, rng)
        change = changes(before, fingerprint(items, columns, day, answers))
        hits = rematch(known, change, items, columns, day, answers)
        assert_same(hits, matching.match(items, columns, day, answers))


def swapped(items: list[BoundItem], other: list[BoundItem], rng: random.Random) -> list[BoundItem]:
    """An item of another library takes the place of one, or one goes."""
    out = list(items)
    if out and rng.random() < 0.5:
        out.pop(rng.randrange(len(out)))
    names = {i.program.item.id for i in out}
    fits = [o for o in other if o.program.item.id not in names]
    return [*out, *fits[:1]] if rng.random() < 0.5 else out


def test_only_what_changed_is_found(tmp_path: Path) -> None:
    items, columns, day, answers = random_work(305, tmp_path, 40)
    before = fingerprint(items, columns, day, answers)
    key = next(iter(columns.numbers))
    values = columns.numbers[key].copy()
    values[7] = 123456.0
    columns.numbers[key] = values
    change = changes(before, fingerprint(items, columns, day, answers))
    assert change.rows.tolist() == [7] and not change.items and not change.answers
    assert len(set(firm_digests(columns).tolist())) == len(columns)


def test_formatting_is_no_change(tmp_path: Path) -> None:
    items, columns, day, _ = random_work(305, tmp_path, 5)
    again, _, _, _ = random_work(305, tmp_path / "again", 5)
    assert fingerprint(items, columns, day).items == fingerprint(again, columns, day).items


@pytest.mark.parametrize("seed", range(4))
def test_a_running_service_keeps_its_matcher(seed: int, tmp_path: Path) -> None:
    items, columns, day, answers = random_work(seed + 500, tmp_path, 60)
    other, _, _, _ = random_work(seed + 600, tmp_path / "other", 1)
    rng = random.Random(seed)
    matcher = Matcher(items, keep=True)
    hits = matcher.match(columns, day, answers)
    for turn in range(4):
        before = fingerprint(items, columns, day, answers)
        known = {(h.item, h.batch): h for h in hits}
        if turn % 2:  # firms change
            columns = columns.between(0, len(columns))
            for key in rng.sample(sorted(columns.numbers, key=str), 3):
                values = columns.numbers[key].copy()
                values[rng.randrange(len(values))] = rng.choice([np.nan, 0.0, 5e6])
                columns.numbers[key] = values
        else:  # an item changes: its comparisons are known but for the first condition's
            at = rng.randrange(len(items))
            first = next(o.conditions[:1] for o in other if len(o.conditions))
            changed = replace(items[at], conditions=(*first, *items[at].conditions[1:]))
            items = [*items[:at], changed, *items[at + 1 :]]
        change = changes(before, fingerprint(items, columns, day, answers))
        hits = rematch(known, change, items, columns, day, answers, matcher)
        assert_same(list(hits), matching.match(items, columns, day, answers))
        if not turn % 2:
            matcher = Matcher(items, keep=True)
            matcher.match(columns, day, answers)


@pytest.mark.parametrize("seed", range(3))
def test_rows_an_import_names_are_all_that_is_looked_at(seed: int, tmp_path: Path) -> None:
    items, columns, day, _ = random_work(seed + 700, tmp_path, 60)
    columns = columns.take(np.tile(np.arange(len(columns)), 30))
    matcher = Matcher(items, keep=True)
    known = {(h.item, h.batch): h for h in matcher.match(columns, day)}
    before = fingerprint(items, columns, day)
    rows = np.arange(0, len(columns), 2)
    after = columns.between(0, len(columns))
    for key in list(after.numbers)[:3]:
        values = after.numbers[key].copy()
        values[rows[::3]] = np.where(np.isnan(values[rows[::3]]), 5e6, np.nan)
        after.numbers[key] = values
    now = renewed(before, after, rows)
    change, plain = changes(before, now), changes(before, fingerprint(items, after, day))
    assert change.rows.tolist() == plain.rows.tolist() and len(change.rows)
    assert np.array_equal(now.firms, firm_digests(after))
    assert change.taken is not None and change.facts(after) is change.taken.facts
    assert np.array_equal(firm_digests(change.facts(columns)), firm_digests(columns.take(change.rows)))
    wanted = matching.match(items, after, day)
    assert_same(list(rematch(known, change, items, after, day, None, matcher)), wanted)
    assert not len(changes(now, renewed(now, after, rows)).rows)  # the night after


def test_hits_that_were_lost_are_matched_when_asked_for(tmp_path: Path) -> None:
    items, columns, day, answers = random_work(520, tmp_path, 60)
    matcher = Matcher(items, keep=True)
    known = {(h.item, h.batch): h for h in matcher.match(columns, day, answers)}
    before = fingerprint(items, columns, day, answers)
    key = matcher.keys[2]
    known.pop(key)
    same = changes(before, before)
    wanted = matching.match(items, columns, day, answers)
    assert_same(list(rematch(known, same, items, columns, day, answers, matcher)), wanted)
    one = replace(same, items=frozenset([matcher.keys[0]]))
    assert_same(list(rematch(known, one, items, columns, day, answers, matcher)), wanted)
    some = replace(same, rows=np.array([3, 5]))
    assert_same(list(rematch(known, some, items, columns, day, answers, matcher)), wanted)
    assert_same(
        list(rematch(known, replace(one, rows=np.array([3])), items, columns, day, answers, matcher)), wanted
    )


def test_scattered_rows_are_taken_as_columns_take_them(tmp_path: Path) -> None:
    _, columns, _, _ = random_work(305, tmp_path, 50)
    many = columns.take(np.tile(np.arange(len(columns)), 40))
    rows = np.arange(len(many) - 1, -1, -3)
    ours, plain = taken(many, rows), many.take(rows)
    assert list(ours.codes) == list(plain.codes) and ours.loaded == plain.loaded
    for key, values in plain.numbers.items():
        assert np.array_equal(ours.numbers[key], values, equal_nan=True)
    for key, side in plain.categories.items():
        assert ours.categories[key].names == side.names
        assert np.array_equal(ours.categories[key].codes, side.codes)
    assert np.array_equal(firm_digests(ours), firm_digests(plain))


def test_threads_do_every_job_once_and_tell_what_went_wrong() -> None:
    done: list[int] = []

    def inner(i: int) -> None:
        each([lambda: done.append(i), lambda: done.append(-i)], 2)

    each([lambda i=i: inner(i) for i in range(1, 40)], 3, lambda: done.append(0))  # type: ignore[misc]
    assert sorted(n for n in done if n) == [n for n in range(-39, 40) if n] and done.count(0) <= 1
    with pytest.raises(ZeroDivisionError):
        each([lambda: None, lambda: 1 // 0, lambda: None], 2)
    begun = Event()

    def wrong() -> None:
        begun.set()
        raise KeyError

    with pytest.raises(KeyError):
        each([lambda: begun.wait(60)], 2, wrong)  # type: ignore[list-item, return-value]
