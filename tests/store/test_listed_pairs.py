"""Pairs told by arrays over the items say what the same pairs say one item after another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.claims import Payable
from engine.kernel import Matcher, available
from engine.matching import ItemHits, live
from jobs.bench import work
from store.block_pairs import Payments, comings, moved, night_columns, paid_pairs, tally
from store.listed_pairs import Head, ListedPart, parts_of
from store.pairs import Pairs, pairs_of, write_pairs, write_parts

pytestmark = pytest.mark.skipif(not available(), reason="no compiled loops on this machine")
FIRMS = 3000


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[list[ItemHits]]:
    """Hits of the same items with two sets of firms."""
    folder = tmp_path_factory.mktemp("library")
    work.write_library(folder, 60, 5, 200)
    library = work.load(folder)
    matcher = Matcher(live(library.programs, work.AS_OF))
    found = [matcher.match(work.make_columns(FIRMS, seed, library.dictionary), work.AS_OF) for seed in (1, 2)]
    return [list(hits) for hits in found]


def heads_of(hits: list[ItemHits]) -> list[Head]:
    return [Head(h.item, h.batch, h.ids) for h in hits]


def payments(hits: list[ItemHits]) -> dict[str, Payments]:
    """Of two items something else is payable to some firms, of a third to a firm that is not on its list."""
    full = [h for h in hits if len(h) > 9]
    out = {}
    for h, rows in ((full[0], h0 := full[0].rows[2:7]), (full[3], full[3].rows[:1])):
        ones = [Payable(None, float(i), "d/x", 5.0, "按比例核减") for i in range(len(rows))]
        out[h.item] = Payments(np.asarray(rows, np.int64), ones)
    absent = np.setdiff1d(np.arange(FIRMS), full[5].rows)[:1]
    out[full[5].item] = Payments(absent, [Payable(1.0, 1.0, "", 0.0, "无")])
    assert len(h0) == 5
    return out


def one_by_one(hits: list[ItemHits], paid: dict[str, Payments]) -> list[Pairs]:
    return [paid_pairs(pairs_of(h), paid.get(h.item), 0) for h in hits]


def listed(hits: list[ItemHits], paid: dict[str, Payments], untraced: bool = False) -> ListedPart:
    (at, part), *rest = parts_of(hits, paid, heads_of(hits))
    assert isinstance(part, ListedPart) and not rest and at.tolist() == list(range(len(hits)))
    if untraced:  # as where the amounts could not be listed
        table = part.listed.table
        assert table is not None
        program = [-2 if i % 3 == 0 and p >= 0 else p for i, p in enumerate(table.program)]
        assert -2 in program
        own = replace(part.listed, table=replace(table, program=program))
        return ListedPart(part.pairs, listed=own, at=part.at, paid=part.paid)
    return part


@pytest.mark.parametrize("untraced", [False, True])
@pytest.mark.parametrize("with_paid", [False, True])
def test_they_add_up_to_the_same(runs: list[list[ItemHits]], untraced: bool, with_paid: bool) -> None:
    rng = np.random.default_rng(1)
    firms, blocks = (
        rng.integers(0, 1 << 63, FIRMS).astype(np.uint64),
        (np.arange(FIRMS) // 700).astype(np.int32),
    )
    paid = payments(runs[0]) if with_paid else {}
    part, pairs = listed(runs[0], paid, untraced), one_by_one(runs[0], paid)
    assert len(part.paid) == (2 if with_paid else 0)
    one, other = tally(part, firms, blocks, 5), tally(pairs, firms, blocks, 5)
    assert np.array_equal(one.figures, other.figures) and one.figures.any(axis=(0, 1)).all()
    assert np.array_equal(one.content, other.content)
    then = listed(runs[1], {})
    assert np.array_equal(comings(part, then), comings(pairs, one_by_one(runs[1], {})))
    assert np.array_equal(comings(part.each(), then.each()), comings(part, then))


def test_they_are_written_alike(runs: list[list[ItemHits]], tmp_path: Path) -> None:
    texts = [pa.array([f"{kind}{i}" for i in range(FIRMS)]) for kind in ("c", "n")]
    shown = night_columns(*texts, 0)
    place = np.random.default_rng(2).permutation(FIRMS).astype(np.int32)
    some = np.flatnonzero([len(h) > 0 for h in runs[0]])
    part = listed(runs[0], {}).some(some, place[listed(runs[0], {}).listed.rows])
    pairs = [moved(p, place) for p in one_by_one(runs[0], {}) if len(p)]
    write_pairs(tmp_path / "a", shown, pairs)
    write_parts(tmp_path / "b", shown, iter([part]))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert len(pq.read_table(tmp_path / "b")) == sum(map(len, pairs))


def test_items_matched_otherwise_stand_apart(runs: list[list[ItemHits]]) -> None:
    """Where some are the plain evaluator's, or of another run."""
    rest = runs[0][7]
    plain = ItemHits(
        rest.item, rest.batch, rest.ids, rest.rows, rest.verdict, rest.low, rest.high, rest.fails, rest.unknown, False
    )  # fmt: skip
    mixed = [*runs[0][:7], plain, *runs[1][8:]]
    parts = parts_of(mixed, {}, heads_of(mixed))
    assert [type(p).__name__ for _, p in parts] == ["ListedPart", "ListedPart", "Part"]
    assert sorted(i for at, _ in parts for i in at.tolist()) == list(range(len(mixed)))
    firms, blocks = np.arange(FIRMS, dtype=np.uint64), np.zeros(FIRMS, np.int32)
    whole = tally(one_by_one(mixed, {}), firms, blocks, 1)
    for at, part in parts:
        assert np.array_equal(tally(part, firms, blocks, 1).content[0], whole.content[0, at])
