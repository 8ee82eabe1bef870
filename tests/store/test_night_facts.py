"""Records of what a night knew of its firms: read again as they were, or not at all."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pytest

from engine.columns import Categories, Columns, make_lists
from profiles.dictionary import builtin_dictionary
from store import night_facts
from store.night_facts import Known, read_facts, write_facts

MONEY, STATE, PAST = ("营业收入", 2024), ("登记状态", None), ("曾用名", None)
NAMES = {"营业收入", "登记状态", "曾用名", "经营范围", "注册资本"}


def some(seed: int, firms: int, names: Collection[str] = ("存续", "注销", "吊销")) -> Columns:
    rng = np.random.default_rng(seed)
    out = Columns([f"c{i}" for i in range(firms)], builtin_dictionary())
    for key in (MONEY, ("注册资本", None), ("从业人数", 2024)):
        out.numbers[key] = np.where(rng.random(firms) < 0.3, np.nan, rng.normal(0, 1e6, firms))
    out.categories[STATE] = Categories(rng.integers(-1, len(names), firms).astype(np.int32), tuple(names))
    wide = tuple(f"范围{i}" for i in range(firms))
    out.categories["经营范围", None] = Categories(np.arange(firms, dtype=np.int32), wide)
    out.lists[PAST] = make_lists([[f"旧{i}"] if i % 3 else None for i in range(firms)])
    return out


@pytest.mark.parametrize("firms", [0, 1, 5000])
def test_what_is_written_is_read_again(firms: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(night_facts, "MOST_TEXTS", min(100, max(firms - 1, 0)))
    columns, marks = some(1, firms), np.arange(firms, dtype=np.uint64) * 7
    write_facts(tmp_path / "a", columns, NAMES, marks)
    rows = np.arange(firms - 1, -1, -3)
    found = read_facts(tmp_path / "a", rows)
    assert found is not None and found.words[:, 0].tolist() == marks[rows].tolist()
    asked: list[set[str]] = []

    def elsewhere(names: Collection[str]) -> Columns:
        asked.append(set(names))
        out = Columns([columns.codes[i] for i in rows], columns.dictionary)
        out.categories["经营范围", None] = columns.categories["经营范围", None].take(rows)
        out.lists[PAST] = columns.lists[PAST].take(rows)
        return out

    known = Known(len(rows), [(np.arange(len(rows)), found)])
    again = known.columns([columns.codes[i] for i in rows], columns.dictionary, NAMES, elsewhere)
    assert again is not None and ("从业人数", 2024) not in again.numbers, "nobody asked for it"
    assert np.array_equal(again.numbers[MONEY], columns.numbers[MONEY][rows], equal_nan=True)
    assert asked and {"曾用名"} <= asked[0] <= {"曾用名", "经营范围", "登记状态"}
    if firms > 100:
        was, now = columns.categories[STATE], again.categories[STATE]
        assert [(*was.names, "")[c] for c in was.codes[rows]] == [(*now.names, "")[c] for c in now.codes]
    assert known.columns([], columns.dictionary, {*NAMES, "从业人数"}, elsewhere) is None


def test_records_of_several_files_are_put_together(tmp_path: Path) -> None:
    """Texts numbered otherwise, and a column that one of the files had not."""
    one, other = some(1, 40), some(2, 40, ("在业", "注销", "存续", "迁出"))
    del other.numbers["注册资本", None]
    for name, columns in (("a", one), ("b", other)):
        write_facts(tmp_path / name, columns, NAMES, np.zeros(40, np.uint64))
    which = np.array([5, 8, 30])
    parts = []
    for place, name in (([0, 2, 4], "a"), ([1, 3, 5], "b")):
        found = read_facts(tmp_path / name, which)
        assert found is not None
        parts.append((np.array(place), found))
    again = Known(6, parts).columns([], one.dictionary, NAMES - {"曾用名"}, lambda names: pytest.fail("none"))
    assert again is not None
    for first, columns in ((0, one), (1, other)):
        was, now = columns.categories[STATE], again.categories[STATE]
        texts = [(*now.names, "")[c] for c in now.codes[first::2]]
        assert texts == [(*was.names, "")[c] for c in was.codes[which]]
        assert np.array_equal(again.numbers[MONEY][first::2], columns.numbers[MONEY][which], equal_nan=True)
    assert np.isnan(again.numbers["注册资本", None][1::2]).all()


def test_a_file_that_is_not_whole_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a"
    assert read_facts(path, np.array([0])) is None
    write_facts(path, some(1, 40), NAMES, np.zeros(40, np.uint64))
    assert read_facts(path, np.array([40])) is None, "no such firm"
    whole = path.read_bytes()
    for spoilt in (whole[:-1], whole[:100], whole[:4], b"", b"\xff" * 9000, whole[:8] + b"[" + whole[9:]):
        path.write_bytes(spoilt)
        assert read_facts(path, np.array([0])) is None
