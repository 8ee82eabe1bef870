"""The compiled matcher against the plain one: same hits, same masks, same amounts to the bit, on random work."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from engine import kernel, matching
from engine.columns import Columns
from engine.evaluate import Tree
from engine.kernel import Matcher, match_fast
from engine.kernel_hits import ListedHits
from engine.kernel_plan import plannable
from engine.kernel_room import Room
from engine.matching import AnswerBook, ItemHits, live
from engine.program import BoundItem
from jobs.rules import read_answers
from policies.library import load_library
from profiles.dictionary import builtin_dictionary
from profiles.inputs import read_profiles
from tests.oracle.generate import Sample, sample
from tests.oracle.rare import rare_sample

Work = tuple[list[BoundItem], Columns, date, AnswerBook]


def assert_same(fast: list[ItemHits], plain: list[ItemHits]) -> None:
    assert len(fast) == len(plain)
    for one, other in zip(fast, plain, strict=True):
        name = (one.item, one.batch)
        assert name == (other.item, other.batch) and one.ids == other.ids and one.upcoming == other.upcoming
        for field in ("rows", "verdict", "fails", "unknown"):
            assert np.array_equal(getattr(one, field), getattr(other, field)), (name, field)
        for field in ("low", "high"):
            ours, theirs = getattr(one, field), getattr(other, field)
            same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
            assert same.all(), (name, field, ours[~same][:3], theirs[~same][:3])

        assert_same_details(one, other)


def assert_same_details(one: ItemHits, other: ItemHits) -> None:
    if one.detail is None or other.detail is None:
        assert one.detail is other.detail
        return
    assert one.detail.ids == other.detail.ids
    for field in ("owner", "verdict", "low", "high"):
        assert np.array_equal(
            getattr(one.detail, field), getattr(other.detail, field), equal_nan=field in ("low", "high")
        )


def random_work(
    seed: int, folder: Path, firms: int = 80, made: Callable[[int, Path, int], Sample] = sample
) -> Work:
    given = made(seed, folder / "library", firms)
    library = load_library(given.library, builtin_dictionary(), given.sets)
    profiles = folder / "profiles.jsonl"
    profiles.write_text("\n".join(json.dumps(f, ensure_ascii=False) for f in given.firms), encoding="utf-8")
    columns = read_profiles(profiles, library.dictionary, lambda problem: None)
    answers = folder / "answers.jsonl"
    answers.write_text("\n".join(json.dumps(a, ensure_ascii=False) for a in given.answers), encoding="utf-8")
    return live(library.programs, given.as_of), columns, given.as_of, read_answers(answers, [])


def test_numba_is_here() -> None:
    assert kernel.available()


@pytest.mark.parametrize("made", [sample, rare_sample])
@pytest.mark.parametrize("seed", range(12))
def test_random_rules_and_firms(seed: int, made: Callable[[int, Path, int], Sample], tmp_path: Path) -> None:
    items, columns, day, answers = random_work(seed, tmp_path, made=made)
    matcher = Matcher(items)
    for every in (False, True):
        for book in ({}, answers):
            plain = matching.match(items, columns, day, book, every)
            assert_same(matcher.match(columns, day, book, every), plain)


@pytest.mark.parametrize("seed", (101, 102, 103))
def test_many_blocks_and_threads(seed: int, tmp_path: Path) -> None:
    items, columns, day, _ = random_work(seed, tmp_path)
    rows = np.random.default_rng(seed).integers(0, len(columns), 9_001)
    many = columns.take(rows)
    many.rows = {}  # taken more than once, details have no owner
    many.codes = [f"{i:018d}" for i in range(len(rows))]
    plain = matching.match(items, many, day)
    assert_same(match_fast(items, many, day), plain)
    assert_same(Matcher(items, threads=3).match(many, day), plain)


@pytest.mark.parametrize("seed", (104, 105))
def test_lots_of_items_are_the_whole_in_order(seed: int, tmp_path: Path) -> None:
    items, columns, day, answers = random_work(seed, tmp_path)
    own = [i for i in items if i.program.item.subject == "企业" and plannable(i)]
    rows = np.random.default_rng(seed).integers(0, len(columns), 70_000)
    many = columns.take(rows)
    many.rows = {}
    many.codes = [f"{i:018d}" for i in range(len(rows))]
    matcher = Matcher(own, threads=2)
    whole = matcher.match(many, day)
    for most in (1, sum(map(len, whole)) // 3, 1 << 40):
        # one lot is looked at after the next is made, as by a writer beside the matcher, and none longer
        lots = matcher.lots(many, day, None, most)
        seen, before = [], next(lots)
        for lot in lots:
            assert most > 1 or len(before) == 1
            seen += _copies(before)
            before = lot
        seen += _copies(before)
        assert_same(seen, whole)
    assert_same([h for lot in Matcher(items).lots(columns, day, answers, 1) for h in lot],
                matching.match(items, columns, day, answers))  # fmt: skip


def _copies(lot: Sequence[ItemHits]) -> list[ItemHits]:
    return [
        ItemHits(h.item, h.batch, h.ids, np.array(h.rows), h.verdict, np.array(h.low), np.array(h.high), h.fails,
                 np.array(h.unknown), h.upcoming)
        for h in lot
    ]  # fmt: skip


def test_one_firm(tmp_path: Path) -> None:
    items, columns, day, answers = random_work(7, tmp_path)
    matcher = Matcher(items)
    for row in range(5):
        one = columns.between(row, row + 1)
        assert_same(matcher.match(one, day, answers, True), matching.match(items, one, day, answers, True))


@pytest.mark.parametrize("count", (9, 17, 33, 64, 65))
def test_many_conditions(count: int, tmp_path: Path) -> None:
    """Masks of two, four and eight bytes, and one condition more than a mask holds."""
    works = [random_work(seed, tmp_path / str(seed), 60) for seed in range(20, 26)]
    _, columns, day, _ = works[0]
    own = [i for items, *_ in works for i in items if i.program.item.subject == "企业"]
    numbered = [c for i in own for c in i.program.conditions]
    trees = [Tree("any", children=(t, Tree("not", children=(t,)))) for i in own for t in i.conditions]
    program = replace(own[0].program, conditions=tuple((numbered * count)[:count]))
    item = replace(own[0], program=program, conditions=tuple((trees * count)[:count]))
    for every in (False, True):
        plain = matching.match([item], columns, day, {}, every)
        assert plain[0].unknown.any()
        assert_same(Matcher([item]).match(columns, day, {}, every), plain)


def test_the_narrow_way_of_listing_is_for_processors_that_need_it() -> None:
    from engine import kernel_listing, kernel_vector

    wide = kernel_vector.compresses()
    assert (kernel_listing._list_block is kernel_listing._list_wide) == wide
    if os.environ.get("NUMBA_CPU_NAME") == "generic":
        assert not wide


def test_memory_is_taken_again_only_when_nobody_holds_it() -> None:
    room = Room()
    first = room.take("rows", 5000, np.int32)
    first[:] = 7
    part = first[10:20].view(np.uint8)
    del first
    second = room.take("rows", 5000, np.int32)
    assert not np.shares_memory(part, second) and (part.view(np.int32) == 7).all()
    del part
    where = second.ctypes.data
    del second
    assert room.take("rows", 4000, np.int32).ctypes.data == where


def test_hits_travel_without_the_other_items(tmp_path: Path) -> None:
    import pickle

    items, columns, as_of, _ = random_work(3, tmp_path)
    found = Matcher(items).match(columns, as_of)
    again = pickle.loads(pickle.dumps(found))
    assert_same(again, found)
    listed = [h for h in again if isinstance(h, ListedHits)]
    assert listed and all(len(h._listed.rows) == len(h) for h in listed)
