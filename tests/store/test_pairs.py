"""The compiled writer of pairs against Arrow's own tables: the same Parquet content, whoever reads it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine import matching
from engine.kernel import Matcher
from engine.matching import ItemHits
from store import pairs
from store.hits import hits_table
from store.night_blocks import night_columns
from store.pairs import pair_columns, pairs_of, write_pairs
from tests.engine.test_kernel import random_work


def written(found: list[ItemHits], codes: list[str], path: Path, threads: int = 1) -> pa.Table:
    write_pairs(path, pair_columns(pa.array(codes)), [pairs_of(h) for h in found], threads)
    return pq.read_table(path)


def expected(found: list[ItemHits], codes: list[str]) -> pa.Table:
    tables = [hits_table(h, pa.array(codes)) for h in found]
    return pa.concat_tables([t for t in tables if len(t)] or tables[:1])


def assert_equal(ours: pa.Table, theirs: pa.Table) -> None:
    assert ours.schema.equals(theirs.schema)
    for name in theirs.column_names:
        assert ours[name].combine_chunks().equals(theirs[name].combine_chunks()), name


@pytest.mark.parametrize("seed", range(8))
def test_random_hits(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items, columns, day, answers = random_work(seed + 50, tmp_path, 90)
    codes = list(columns.codes)
    monkeypatch.setattr(pairs, "GROUP_ROWS", 200)
    for every in (False, True):
        for found in (
            matching.match(items, columns, day, answers, every),
            Matcher(items).match(columns, day, None, every),
        ):
            ours = written(found, codes, tmp_path / "x.parquet", threads=1 + seed % 3)
            assert_equal(ours, expected(found, codes))


def made(n: int, ids: int, firms: int, rng: np.random.Generator) -> ItemHits:
    rows = np.sort(rng.choice(firms, n, replace=False))
    unknown = rng.random((n, ids)) < rng.choice([0.0, 0.02, 0.5])
    low = rng.normal(0, 1e6, n).round(2)
    low[rng.random(n) < rng.choice([0.0, 0.3, 1.0])] = np.nan
    high = np.broadcast_to(np.float64(rng.choice([5e4, np.nan, -0.0])), n)
    verdict = np.where(unknown.any(1), matching.OPEN, matching.FITS).astype(np.int8)
    names = tuple(f"条件{i}" for i in range(ids))
    return ItemHits("d/甲", "2025", names, rows, verdict, low, high, np.zeros_like(unknown), unknown)


def test_every_size_and_width(tmp_path: Path) -> None:
    """Sizes around the bytes and words of the encoding; masks beyond a word; dictionaries of few and many firms."""
    rng = np.random.default_rng(1)
    for firms in (1, 2, 3, 257, 70_000):
        codes = [f"91{i:016d}" for i in range(firms)]
        sizes = sorted({0, *(s for s in (1, 7, 8, 9, 63, 64, 65, 127, 300, 20_011, 65_537) if s <= firms)})
        for widths in ((0, 1, 9, 64, 70), (1, 2), (3, 5, 8), (4, 130)):
            found = [replace(made(n, ids, firms, rng), item=f"d/{n}-{ids}") for n in sizes for ids in widths]
            assert_equal(written(found, codes, tmp_path / "x.parquet", 2), expected(found, codes))


def test_no_pair_at_all(tmp_path: Path) -> None:
    table = written([], ["A"], tmp_path / "x.parquet")
    assert len(table) == 0 and table.schema.equals(
        hits_table(made(0, 1, 1, np.random.default_rng(0)), pa.array(["A"])).schema
    )


def test_other_readers_see_the_same(tmp_path: Path) -> None:
    polars, duckdb = pytest.importorskip("polars"), pytest.importorskip("duckdb")
    rng = np.random.default_rng(2)
    found = [replace(made(700, 9, 5000, rng), item=f"d/{i}") for i in range(12)]
    codes = [f"91{i:016d}" for i in range(5000)]
    path = tmp_path / "x.parquet"
    table = written(found, codes, path)
    frame = polars.read_parquet(path)
    assert frame.equals(polars.from_arrow(table))
    rows = duckdb.sql(f"select item, amount_low, unknown from '{path}' where item = 'd/7'").fetchall()
    wanted = table.filter(pa.compute.equal(table["item"], "d/7"))
    assert [r[2] for r in rows] == wanted["unknown"].to_pylist()
    assert [r[1] for r in rows] == wanted["amount_low"].to_pylist()


def test_a_reader_may_skip_row_groups_by_item(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "GROUP_ROWS", 900)
    rng = np.random.default_rng(3)
    found = [replace(made(500, 3, 600, rng), item=f"d/{i}") for i in range(6)]
    codes = [f"91{i:016d}" for i in range(600)]
    write_pairs(tmp_path / "x.parquet", pair_columns(pa.array(codes)), [pairs_of(h) for h in found])
    file = pq.ParquetFile(tmp_path / "x.parquet")
    assert file.num_row_groups == 6
    assert file.metadata.row_group(2).column(1).statistics.min == "d/2"
    assert len(pq.read_table(tmp_path / "x.parquet", filters=[("item", "=", "d/4")])) == 500


def test_without_a_compiler_arrow_writes_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    found = [replace(made(n, 9, 400, rng), item=f"d/{n}") for n in (0, 1, 300)]
    codes = [f"91{i:016d}" for i in range(400)]
    compiled = written(found, codes, tmp_path / "x.parquet")
    monkeypatch.setattr(pairs, "available", lambda: False)
    assert_equal(written(found, codes, tmp_path / "y.parquet"), compiled)


def test_what_is_payable_stands_once_where_it_is_the_amount(tmp_path: Path) -> None:
    """Whoever reads the file finds all columns whole, though two of them are the same bytes for most items."""
    polars, duckdb = pytest.importorskip("polars"), pytest.importorskip("duckdb")
    rng = np.random.default_rng(6)
    codes = [f"91{i:016d}" for i in range(3000)]
    found = [pairs_of(replace(made(900, 5, 3000, rng), item=f"d/{i}")) for i in range(9)]
    shown = night_columns(pa.array(codes), pa.array([f"企业{c}" for c in codes]), 0)

    def paid(p: pairs.Pairs, own: bool) -> pairs.Pairs:
        low, high = p.numbers["amount_low"], p.numbers["amount_high"]
        some = {"paid_low": np.full(len(p), 7.0), "paid_high": np.array(high * np.ones(len(p)))}
        return replace(p, numbers={**p.numbers, **(some if own else {"paid_low": low, "paid_high": high})})

    for name, some in (("none", []), ("some", [2, 3, 7]), ("all", list(range(9)))):
        path = tmp_path / f"{name}.parquet"
        here = [paid(p, i in some) for i, p in enumerate(found)]
        write_pairs(path, shown, here)
        wanted = pairs.arrow_table(shown, here)
        for pre_buffer in (False, True):
            assert_equal(pq.read_table(path, pre_buffer=pre_buffer), wanted)
        assert polars.read_parquet(path).equals(polars.from_arrow(wanted))
        rows = duckdb.sql(f"select item, paid_low, paid_high, amount_high from '{path}'").fetchall()
        columns = (wanted[n].to_pylist() for n in ("item", "paid_low", "paid_high", "amount_high"))
        assert repr(rows) == repr(list(zip(*columns, strict=True)))
    sizes = {name: (tmp_path / f"{name}.parquet").stat().st_size for name in ("none", "all")}
    assert sizes["all"] - sizes["none"] > 9 * 900 * 8, "the copies take no room"
