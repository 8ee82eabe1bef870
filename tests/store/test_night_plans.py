"""A plan kept by one night serves the next, and gives what a new one gives."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from engine import kernel_amounts
from engine.columns import Columns
from engine.kernel import Matcher, available
from engine.kernel_kept import plan_key
from engine.program import BoundItem
from policies.cache_files import read_entry
from store import night_plans
from store.night_plans import planned_matcher
from tests.engine.test_kernel import assert_same, random_work
from tests.engine.test_kernel_changes import altered, swapped

pytestmark = pytest.mark.skipif(not available(), reason="no compiled loops on this machine")


@pytest.fixture(autouse=True)
def few_are_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(night_plans, "WORTH_KEEPING", 1)


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One more for each time that amounts are traced."""
    count: list[int] = []
    build = kernel_amounts.Amounts.build

    def counting(amounts: kernel_amounts.Amounts) -> kernel_amounts.AmountPlan:
        count.append(1)
        return build(amounts)

    monkeypatch.setattr(kernel_amounts.Amounts, "build", counting)
    return count


@pytest.mark.parametrize("seed", range(4))
def test_a_kept_plan_gives_what_a_new_one_gives(seed: int, tmp_path: Path, traced: list[int]) -> None:
    items, columns, day, answers = random_work(seed + 700, tmp_path / "work", 50)
    rng, cache = random.Random(seed), tmp_path / "cache"
    with planned_matcher(items, cache) as matcher:
        assert_same(matcher.match(columns, day, answers), Matcher(items).match(columns, day, answers))
    traced.clear()
    for _ in range(3):  # facts of the same kind: the amounts stand in the plan
        columns = altered(columns, rng)
        with planned_matcher(items, cache) as matcher:
            found = matcher.match(columns, day, answers)
        assert not traced
        assert_same(found, Matcher(items).match(columns, day, answers))
        traced.clear()


def test_columns_of_another_kind_are_traced_again(tmp_path: Path, traced: list[int]) -> None:
    items, columns, day, answers = random_work(711, tmp_path / "work", 50)
    cache = tmp_path / "cache"
    less = columns.take(np.arange(len(columns)))
    for key in sorted(less.numbers, key=repr)[::2]:
        del less.numbers[key]
    for once, which in enumerate((columns, less, columns, less)):
        traced.clear()
        with planned_matcher(items, cache) as matcher:
            found = matcher.match(which, day, answers)
        assert len(traced) == (once < 2)
        assert_same(found, Matcher(items).match(which, day, answers))


def test_other_items_have_a_plan_of_their_own(tmp_path: Path) -> None:
    items, columns, day, answers = random_work(721, tmp_path / "work", 50)
    other, *_ = random_work(722, tmp_path / "other", 1)
    cache, rng = tmp_path / "cache", random.Random(3)
    names = set()
    for some in (items, swapped(items, other, rng), items[:-1]):
        names.add(plan_key(some, "code"))
        with planned_matcher(some, cache) as matcher:
            found = matcher.match(columns, day, answers)
        assert_same(found, Matcher(some).match(columns, day, answers))
    assert plan_key(items, "code") in names
    assert plan_key(items, "other code") not in names


def test_a_spoiled_entry_and_one_that_others_may_write_are_not_taken(
    tmp_path: Path, traced: list[int]
) -> None:
    items, columns, day, answers = random_work(731, tmp_path / "work", 50)
    cache = tmp_path / "cache"
    work = (items, columns, day, answers)
    assert _match(cache, *work)
    (entry,) = cache.glob("plan-*.pickle")
    good = entry.read_bytes()
    for bad in (good[:-7], good[:60] + bytes([good[60] ^ 1]) + good[61:], b""):
        entry.write_bytes(bad)
        traced.clear()
        assert _match(cache, *work)
        assert len(traced) == 1 and read_entry(entry) is not None  # mended by the way
    entry.chmod(0o666)
    traced.clear()
    assert _match(cache, *work) and traced


def _match(cache: Path, items: Sequence[BoundItem], columns: Columns, *rest: object) -> bool:
    with planned_matcher(items, cache) as matcher:
        return len(matcher.match(columns, *rest)) == len(items)  # type: ignore[arg-type]
