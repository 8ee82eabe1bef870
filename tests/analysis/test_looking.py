"""The order in which pairs are looked at where nothing was learned: plain facts, the same as said in plain words."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import policies
from analysis.looking import BUT, SCOPE, Scopes, ranks
from engine.columns import Categories, Columns
from policies.library import Library, load_library
from profiles.dictionary import builtin_dictionary

LIBRARY = Path(policies.__file__).with_name("library")


@pytest.fixture(scope="module")
def library() -> Library:
    return load_library(LIBRARY, builtin_dictionary())


def columns_of(scopes: list[str | None]) -> Columns:
    names = tuple(dict.fromkeys(s for s in scopes if s))
    codes = np.array([-1 if not s else names.index(s) for s in scopes], np.int32)
    out = Columns([f"9{i:05d}" for i in range(len(scopes))], builtin_dictionary())
    out.categories[SCOPE, None] = Categories(codes, names)
    return out


@pytest.mark.parametrize("seed", range(8))
def test_the_order_is_the_one_said(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(0, 60))
    frame = pd.DataFrame({
        "open": rng.random(n) < 0.6, "unknown": rng.integers(0, 3, n), "money": rng.choice([np.nan, 1e4, 2e4], n),
        "near": rng.choice([0.0, 0.5, 1.0], n), "code": rng.permutation(n),
    })  # fmt: skip
    found = ranks(*(frame[c].to_numpy() for c in frame))
    wanted = frame.sort_values(
        ["open", "unknown", "money", "near", "code"], ascending=[True, True, False, False, True]
    )
    assert found[wanted.index].tolist() == list(range(n))


def test_who_says_what_the_item_speaks_of_is_nearer(library: Library) -> None:
    item = next(p for p in library.programs if "跨境电商" in p.item.title)
    said = [
        "跨境电子商务；货物进出口；技术进出口。", "餐饮服务（不含进出口）；烟草零售。", None, "货物进出口；餐饮服务。",
        "餐饮服务；烟草零售。", "跨境电子商务；货物进出口；技术进出口。",
    ]  # fmt: skip
    scopes = Scopes(columns_of(said), library.programs)
    near = scopes.near(item.item.id, np.arange(len(said)))
    assert near[0] == near[5] > near[3] > near[4] == near[1] == near[2] == 0.0
    assert scopes.near(item.item.id, np.array([3, 0])).tolist() == [near[3], near[0]]
    assert not scopes.near("no/such", np.arange(6)).any()


def test_a_word_counts_by_its_weight_and_by_how_few_say_it(library: Library) -> None:
    """Against the same sum firm by firm."""
    rng = np.random.default_rng(5)
    clauses = [
        "软件开发",
        "集成电路设计",
        "货物进出口",
        "餐饮服务（不含进出口）",
        "融资租赁业务",
        "人才培训",
        "仓储服务",
    ]
    said = ["；".join(rng.choice(clauses, 3, replace=False)) + "。" for _ in range(40)]
    scopes = Scopes(columns_of(said), library.programs)
    plain = [re.sub(BUT, "；", s) for s in said]
    for program in library.programs:
        wanted = np.zeros(len(said))
        for word, weight in scopes._words[program.item.id]:
            has = np.array([word in s for s in plain])
            wanted += weight * (1 - has.mean()) * has
        found = scopes.near(program.item.id, np.arange(len(said)))
        assert found == pytest.approx(wanted)


def test_firms_that_say_nothing_stand_as_they_stood(library: Library) -> None:
    silent = Scopes(Columns(["a", "b"], builtin_dictionary()), library.programs)
    assert silent.silent
    assert silent.near(library.programs[0].item.id, np.array([1, 0])).tolist() == [0.0, 0.0]
    assert silent.near(library.programs[0].item.id, np.zeros(0, np.intp)).tolist() == []
