"""Columns read when first looked at are those read at once, and whole detail columns those of records."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.columns import Builder, Categories, Columns, Lists, SubRows
from profiles import arrow_columns, sample
from profiles.arrow_columns import open_columns
from profiles.cells import number_of
from profiles.dictionary import builtin_dictionary
from profiles.inputs import CODE, from_table

WORDS = builtin_dictionary()


def plain(value: Any) -> Any:
    """A column as values that can be compared."""
    if isinstance(value, Columns):
        sides = {
            f.name: getattr(value, f.name) for f in fields(value) if f.name not in ("codes", "dictionary")
        }
        return list(value.codes), {
            name: plain(dict(side)) if hasattr(side, "items") else side for name, side in sides.items()
        }
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, Categories):
        return [None if c < 0 else value.names[c] for c in value.codes]
    if isinstance(value, Lists):
        texts = [value.names[c] for c in value.codes]
        ends = value.offsets.tolist()
        return [None if m else texts[a:b] for m, a, b in zip(value.missing, ends, ends[1:], strict=False)]
    if isinstance(value, SubRows):
        return value.owner.tolist(), value.ids, plain(value.columns), value.missing.tolist()
    return [None if v != v else v for v in value.tolist()]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("kept") / "profiles.parquet"
    sample.write_profiles(sample.generate(300, 3), path)
    return path


def test_columns_read_late_are_those_read_at_once(kept: Path) -> None:
    at_once = from_table(pq.read_table(kept), WORDS, lambda problem: None, kept)
    late = open_columns(kept, WORDS)
    assert at_once.rows and late.numbers.keys() == at_once.numbers.keys()
    assert plain(late.take(np.array([5, 2, 250]))) == plain(at_once.take(np.array([5, 2, 250])))
    assert plain(late.between(10, 40)) == plain(at_once.between(10, 40))
    assert plain(late) == plain(at_once)


def test_only_what_is_looked_at_is_read(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    whole = arrow_columns._load

    def counted(reader: Any, name: str, *rest: Any) -> Any:
        read.append(name)
        return whole(reader, name, *rest)

    monkeypatch.setattr(arrow_columns, "_load", counted)
    late = open_columns(kept, WORDS)
    assert len(late) == 300 and not read
    late.take(np.array([3])).number("研发费用", 2024)
    late.number("研发费用", 2024)
    assert read == ["研发费用@2024"]


def test_firms_that_stand_twice_stand_once_when_read_late(kept: Path, tmp_path: Path) -> None:
    table = pq.read_table(kept)
    path = tmp_path / "twice.parquet"
    pq.write_table(pa.concat_tables([table, table.slice(7, 3)]), path)
    assert plain(open_columns(path, WORDS)) == plain(open_columns(kept, WORDS))


def test_a_column_that_can_not_be_read_is_unknown_for_all(tmp_path: Path) -> None:
    path = tmp_path / "odd.parquet"
    pq.write_table(pa.table({CODE: ["a", "b"], "研发费用@2024": ["1", "x"], "企业名称": ["甲", "乙"]}), path)
    late = open_columns(path, WORDS)
    assert np.isnan(late.number("研发费用", 2024)).all() and late.category("企业名称", None).names == (
        "甲",
        "乙",
    )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", ("项目", "产品", "人才"))
def test_whole_detail_columns_are_those_of_records(name: str, seed: int, tmp_path: Path) -> None:
    path, rng = tmp_path / "profiles.parquet", np.random.default_rng(seed)
    sample.write_profiles(sample.generate(200, seed), path)
    found = pq.read_table(path)[name]
    rows = [r if rng.random() < 0.6 else None if rng.random() < 0.5 else [] for r in found.to_pylist()]
    whole = arrow_columns._detail_fields(pa.chunked_array([pa.array(rows, found.type)]), WORDS)
    records = [None if r is None else [arrow_columns._plain_row(part) for part in r] for r in rows]
    told: list[str] = []
    builder = Builder(WORDS, lambda row, column, message: told.append(message), number_of)
    built = builder.build([""] * len(rows), [{} if r is None else {name: r} for r in records])
    assert whole is not None and len(whole.owner) and not told
    assert plain(whole) == plain(built.rows[name])


def test_fields_that_are_not_as_the_dictionary_has_them_are_told_record_by_record(tmp_path: Path) -> None:
    path = tmp_path / "odd.parquet"
    odd: list[list[dict[str, Any]] | None] = [[{"项目编号": "p1", "项目投资额": "许多", "没有的": 1}], None]
    pq.write_table(pa.table({CODE: ["a", "b"], "项目": odd}), path)
    told: list[str] = []
    columns = from_table(pq.read_table(path), WORDS, lambda p: told.append(p.message), path)
    assert len(told) == 2 and columns.rows["项目"].ids == ("p1",)
