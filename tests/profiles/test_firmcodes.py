"""Columns taken from Arrow without a copy, and codes that stay Arrow's until they are read."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.errors import Problem
from profiles.dictionary import builtin_dictionary
from profiles.firmcodes import FirmCodes, all_distinct, arrow_codes, codes_of, floats_of
from profiles.inputs import CODE, read_profiles


def test_codes_are_a_sequence() -> None:
    texts = [f"91{i:016d}" for i in range(20)]
    codes = FirmCodes(pa.array(texts))
    assert list(codes) == texts and len(codes) == 20 and codes[3] == texts[3] and codes[-1] == texts[-1]
    assert list(codes[4:9]) == texts[4:9] and codes[4:9][0] == texts[4] and texts[7] in codes
    assert arrow_codes(codes[2:5]).to_pylist() == texts[2:5] == arrow_codes(texts[2:5]).to_pylist()
    assert list(codes[::3]) == texts[::3]


@pytest.mark.parametrize("size", (1, 7, 8, 18, 30))
def test_equal_codes_are_found(size: int) -> None:
    rng = np.random.default_rng(size)
    texts = [f"{n:0{size}d}"[-size:] for n in range(10**size if size == 1 else 3000)]
    rng.shuffle(texts)
    assert all_distinct(pa.array(texts)) == (len(set(texts)) == len(texts))
    assert not all_distinct(pa.array([*texts, texts[0]]))
    assert all_distinct(pa.array(["a", "bb", "ccc"])) and not all_distinct(pa.array(["a", "bb", "a"]))
    for bad in ("", None):
        assert not all_distinct(pa.array([*texts, bad]))


def test_numbers_outlive_their_table_and_keep_its_values() -> None:
    values = [None if i % 7 == 0 else i / 3 for i in range(10_000)]
    column = pa.chunked_array([pa.array(values, pa.float64())])
    found = floats_of(column)
    assert column.to_pylist() == values  # what stands in a null's place is nothing to Arrow
    del column
    gc.collect()
    pa.array(np.zeros(10_000))
    assert np.array_equal(found, [np.nan if v is None else v for v in values], equal_nan=True)
    assert np.isnan(floats_of(pa.chunked_array([pa.array([None, 1.0])]))[0])


@pytest.mark.parametrize("groups", (1000, 64))
def test_a_parquet_file_reads_as_its_table(groups: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(groups)
    n = 1000
    table = pa.table(
        {
            CODE: [f"{i:018d}" for i in rng.permutation(n)],
            "研发费用@2024": pa.array([None if i % 9 == 0 else float(i) for i in range(n)]),
            "从业人数@2024": pa.array(range(n), pa.int64()),
            "行业代码": [None if i % 4 == 0 else f"C{i % 50:04d}" for i in range(n)],
            "成立日期": pa.array([None if i % 5 == 0 else 10_000 + i for i in range(n)], pa.int32()).cast(
                pa.date32()
            ),
            "一般纳税人": [None if i % 6 == 0 else i % 2 == 0 for i in range(n)],
            "没有这个": [1.0] * n,
        }
    )
    pq.write_table(table, tmp_path / "p.parquet", row_group_size=groups)
    found: list[Problem] = []
    columns = read_profiles(tmp_path / "p.parquet", builtin_dictionary(), found.append)
    assert ["没有“没有这个”这个指标" in p.message for p in found] == [True]
    assert list(columns.codes) == table[CODE].to_pylist()
    cats = columns.category("行业代码", None)
    assert [None if c < 0 else cats.names[c] for c in cats.codes] == table["行业代码"].to_pylist()
    for key, name in ((("研发费用", 2024), "研发费用@2024"), (("从业人数", 2024), "从业人数@2024")):
        wanted = table[name].cast(pa.float64()).to_numpy()
        assert np.array_equal(columns.numbers[key], wanted, equal_nan=True)
    only = read_profiles(tmp_path / "p.parquet", builtin_dictionary(), found.append, {"行业代码"})
    assert list(only.numbers) == [] and list(only.categories) == [("行业代码", None)]


@pytest.mark.parametrize("kind", (pa.int8(), pa.int32(), pa.uint16(), pa.int64()))
def test_codes_are_whole_numbers_without_nulls(kind: pa.DataType) -> None:
    given = [3, None, 0, 7, None, *range(20), None]
    for begin in (0, 1, 5, 9):
        part = pa.array(given, kind).slice(begin)
        assert codes_of(part).tolist() == [-1 if n is None else n for n in given[begin:]]
        assert codes_of(part).dtype == np.int32
    assert codes_of(pa.array([], kind)).tolist() == []
    assert codes_of(pa.array([4, 2], kind)).tolist() == [4, 2]
