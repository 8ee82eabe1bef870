"""An incremental night equals a full one, hit for hit, over random sequences of changes."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine import matching
from engine.columns import Columns
from engine.kernel import Matcher
from engine.kernel_changes import changes, fingerprint, firm_digests, rematch
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
