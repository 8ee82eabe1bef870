"""Blocks of a night: taken over where nothing differs, and then bytes of a night matched from nothing."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine import matching
from engine.claims import Payable
from engine.columns import Columns
from engine.matching import AnswerBook, ItemHits, live
from engine.program import BoundItem
from policies.format import format_file
from policies.library import load_library
from profiles.dictionary import builtin_dictionary
from profiles.inputs import read_profiles
from store import night_blocks, night_reads
from store.night_blocks import Range, cut, firm_names, night_columns, rows_of, write_blocks
from store.pairs import Pairs, arrow_table, pairs_of
from tests.engine.test_kernel_changes import altered, fewer
from tests.oracle.generate import sample


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in (("LEAST", 4), ("CHANCE", 6), ("MOST", 20), ("TOGETHER", 30)):
        monkeypatch.setattr(night_blocks, name, size)


@dataclass
class Night:
    items: list[BoundItem]
    columns: Columns
    day: date
    answers: AnswerBook
    paid: dict[tuple[str, str], Payable]

    def write(self, folder: Path, before: Path | None = None) -> night_blocks.Written:
        def matched(ranges: Sequence[Range]) -> Iterator[tuple[Range, list[ItemHits]]]:
            for begin, end in ranges:
                part = self.columns.between(begin, end)
                yield (begin, end), matching.match(self.items, part, self.day, self.answers)

        return write_blocks(
            folder, self.items, self.columns, self.day, self.answers, self.paid, matched, before
        )


def contents(folder: Path) -> dict[str, bytes]:
    found = {p.name: p.read_bytes() for p in sorted((folder / "hits").iterdir())}
    return {**found, "figures": (folder / "figures.npy").read_bytes()}


class World:
    """A library on disk, firms and answers, with changes as a night may meet them."""

    def __init__(self, seed: int, folder: Path):
        self.rng = random.Random(seed)
        self.given = sample(seed + 700, folder / "library", 90)
        self.sets = dict(self.given.sets)
        library = load_library(self.given.library, builtin_dictionary(), self.sets)
        profiles = folder / "profiles.jsonl"
        profiles.write_text("\n".join(json.dumps(f, ensure_ascii=False) for f in self.given.firms), "utf-8")
        self.columns = read_profiles(profiles, library.dictionary, lambda problem: None)
        self.answers = {
            (a["item"], a["batch"], a["id"]): {a["统一社会信用代码"]: a["answer"]}
            for a in self.given.answers
            if "row" not in a
        }
        self.day = self.given.as_of
        self.paid: dict[tuple[str, str], Payable] = {}

    def night(self) -> Night:
        library = load_library(self.given.library, builtin_dictionary(), self.sets)
        self.columns.dictionary = library.dictionary
        return Night(
            live(library.programs, self.day), self.columns, self.day, dict(self.answers), dict(self.paid)
        )

    def change(self) -> None:
        what = self.rng.choice(["facts", "day", "format", "answers", "sets", "rule", "paid", "facts"])
        if what == "facts":
            self.columns = altered(self.columns, self.rng)
        elif what == "day":
            self.day += timedelta(days=self.rng.choice([1, 40, 200]))
        elif what == "format":
            self._reformat()
        elif what == "answers":
            self.answers = fewer(self.answers, self.rng)  # type: ignore[assignment]
        elif what == "sets" and self.sets:
            name = self.rng.choice(sorted(self.sets))
            self.sets[name] = (*self.sets[name], f"99{self.rng.randrange(10)}*")
        elif what == "rule":
            path = self.rng.choice(sorted(self.given.library.glob("*/items/*.yaml")))
            path.write_text(path.read_text("utf-8").replace("1", str(self.rng.randrange(2, 9)), 1), "utf-8")
        else:
            item = self.night().items[0].program.item.id
            code = self.rng.choice(list(self.columns.codes))
            self.paid[code, item] = Payable(None, float(self.rng.randrange(9)), "d/x", 5.0, "按比例核减")

    def _reformat(self) -> None:
        for path in sorted(self.given.library.glob("*/items/*.yaml")):
            text = path.read_text("utf-8")
            path.write_text("# 一行说明\n" + (format_file(text, path.name, lambda p: None) or text), "utf-8")


@pytest.mark.parametrize("seed", range(8))
def test_an_incremental_night_is_a_full_one(seed: int, tmp_path: Path) -> None:
    world = World(seed, tmp_path)
    before = None
    for step in range(6):
        night = world.night()
        now, full = tmp_path / f"n{step}", tmp_path / f"f{step}"
        made, wanted = night.write(now, before), night.write(full)
        assert contents(now) == contents(full) and made.digest == wanted.digest
        assert len(wanted.fresh) == len(wanted.blocks)
        before = now
        world.change()


def test_only_what_is_touched_is_matched(tmp_path: Path) -> None:
    world = World(3, tmp_path)
    first = world.night()
    whole = first.write(tmp_path / "a")
    assert len(whole.blocks) > 5
    assert first.write(tmp_path / "b", tmp_path / "a").fresh == []
    world._reformat()
    assert world.night().write(tmp_path / "c", tmp_path / "a").fresh == []
    key = next(k for k in world.columns.numbers if any(k[0] in i.reads for i in first.items))
    values = world.columns.numbers[key].copy()
    values[40] = 123_456.0
    world.columns.numbers[key] = values
    made = world.night().write(tmp_path / "d", tmp_path / "a")
    begin, end = next(r for r in cut(pa.array(list(world.columns.codes))) if r[0] <= 40 < r[1])
    assert [night_blocks._file(i) for i in made.fresh] == [
        b.file
        for i, b in enumerate(made.blocks)
        if cut(pa.array(list(world.columns.codes)))[i] == (begin, end)
    ]
    shared = [p for p in (tmp_path / "d" / "hits").iterdir() if p.stat().st_nlink > 1]
    assert len(shared) == len(whole.blocks) - 1


def test_nights_share_what_is_kept_of_their_common_blocks_and_it_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = World(3, tmp_path).night()
    night.write(tmp_path / "a")
    night.write(tmp_path / "b", tmp_path / "a")
    items = [i.program.item.id for i in night.items]

    def read(folder: Path) -> list[object]:
        return [
            None if (t := night_reads.item_table(folder, item)) is None else t.to_pylist() for item in items
        ]

    night_reads.forget()
    wanted = read(tmp_path / "a")
    kept = len(night_reads._kept)
    assert kept > 5 and read(tmp_path / "b") == wanted and len(night_reads._kept) == kept
    night_reads.forget(all_=False)
    assert len(night_reads._kept) == kept, "what was asked for since stays"
    asked = items[0]
    night_reads.item_table(tmp_path / "a", asked)
    night_reads.forget(all_=False)
    assert 0 < len(night_reads._kept) <= kept
    night_reads.forget(all_=False)
    assert not night_reads._kept, "nobody asked for any of it between two nights"
    read(tmp_path / "a")
    night_reads.forget()
    assert not night_reads._kept
    monkeypatch.setattr(night_reads, "KEPT_BYTES", 1)
    assert read(tmp_path / "b") == wanted and len(night_reads._kept) == 1


def test_a_firm_more_or_less_moves_few_cuts() -> None:
    codes = [f"9{i * 7919 % 10**9:017d}" for i in range(2000)]
    cuts = {codes[end - 1] for _, end in cut(pa.array(codes))}
    fewer_codes = [c for i, c in enumerate(codes) if i not in (5, 900, 1500)]
    again = {fewer_codes[end - 1] for _, end in cut(pa.array(fewer_codes))}
    assert len(cuts) > 100 and len(cuts ^ again) <= 24
    assert [e - b for b, e in cut(pa.array(codes))] != [] and all(
        e - b <= 20 for b, e in cut(pa.array(codes))
    )


def test_reading_gives_back_what_was_written(tmp_path: Path) -> None:
    world = World(5, tmp_path)
    night = world.night()
    item = night.items[0].program.item.id
    codes = list(night.columns.codes)
    night.paid[codes[3], item] = Payable(1.0, 2.0, "d/别的", 7.5, "同组待定")
    night.write(tmp_path / "a")
    found = matching.match(night.items, night.columns, night.day, night.answers)
    shown = night_columns(pa.array(codes), firm_names(night.columns), 0)
    for hits in found:
        read = night_reads.item_table(tmp_path / "a", hits.item)
        pairs = pairs_of(hits)
        numbers = {
            **pairs.numbers,
            "paid_low": pairs.numbers["amount_low"],
            "paid_high": pairs.numbers["amount_high"],
        }
        wanted = arrow_table(shown, [replace(pairs, numbers=numbers)])
        if not len(hits):
            assert read is None
            continue
        assert read is not None
        same = [
            n
            for n in wanted.column_names
            if hits.item != item or n not in ("paid_low", "paid_high", "gave_way", "lost", "note")
        ]
        for name in same:
            assert read[name].to_pylist() == wanted[name].to_pylist(), name
        for row in (0, len(read) - 1):
            code = read["统一社会信用代码"][row].as_py()
            of_firm = night_reads.firm_table(tmp_path / "a", code, codes.index(code))
            assert of_firm is not None and hits.item in of_firm["item"].cast(pa.string()).to_pylist()
            one = night_reads.pair(tmp_path / "a", hits.item, code, ["verdict"])
            assert one is not None and one["verdict"] == read["verdict"][row].as_py()
    paid = night_reads.pair(tmp_path / "a", item, codes[3], ["paid_high", "gave_way", "lost", "note"])
    if paid is not None:
        assert [paid[k] for k in ("paid_high", "gave_way", "lost", "note")] == [
            2.0,
            "d/别的",
            7.5,
            "同组待定",
        ]
    assert night_reads.pair(tmp_path / "a", item, "没有", ["verdict"]) is None


def test_figures_are_the_same_without_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(8)
    some: list[Pairs] = []
    for n in (0, 1, 50, 333):
        for ids, given in ((3, False), (12, False), (0, False), (3, True)):
            marks = None if not ids else (rng.random((n, (ids + 7) // 8)) < 0.3).astype(np.uint8) * 5
            verdict = rng.integers(0, 3, n).astype(np.int8) if given else None
            low = np.where(rng.random(n) < 0.2, np.nan, rng.normal(0, 1e7, n).round(2))
            for high in (low, 12.345, float("nan"), np.where(rng.random(n) < 0.5, np.nan, 0.005)):
                for least in (low, -0.0, float("nan")):
                    numbers = {"paid_low": least, "paid_high": high}
                    names, rows = tuple("甲" * ids), np.arange(n, dtype=np.int32)
                    some.append(Pairs("d/a", "2025", names, rows, marks, None, verdict, numbers))  # type: ignore[arg-type]
    compiled = night_blocks.figures_of(some)
    monkeypatch.setattr(night_blocks, "available", lambda: False)
    assert np.array_equal(compiled, night_blocks.figures_of(some)) and compiled.any(axis=0).all()


def test_rows_of_codes() -> None:
    columns = Columns([f"c{i}" for i in range(50)], builtin_dictionary())
    assert rows_of(columns, ["c7", "x", "c0", "c7"]).tolist() == [7, -1, 0, 7]
    assert rows_of(columns, []).tolist() == []
    assert np.array_equal(rows_of(columns, list(columns.codes)), np.arange(50))


def test_an_older_nights_empty_file_is_an_item_without_pairs(tmp_path: Path) -> None:
    hits = tmp_path / "hits"
    hits.mkdir()
    names = list(dict.fromkeys(["统一社会信用代码", "item", *night_reads.REPEATED]))
    schema = pa.schema([(name, pa.string()) for name in names])
    pq.write_table(schema.empty_table(), hits / "a__empty.parquet")
    row = {name: ["a/full" if name == "item" else "一"] for name in names}
    pq.write_table(pa.table(row, schema=schema), hits / "a__full.parquet")
    found = night_reads.item_table(tmp_path, "a/full")
    assert found is not None and found.num_rows == 1
    assert night_reads.item_table(tmp_path, "a/empty") is None
