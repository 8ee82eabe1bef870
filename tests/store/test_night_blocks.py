"""Blocks of a night: taken over where nothing differs, patched where little does, and then pairs of a night matched from
nothing."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Collection, Iterator, Sequence
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
from engine.kernel import available
from engine.matching import AnswerBook, ItemHits, live
from engine.program import BoundItem
from jobs.replay import differing_items
from policies.format import format_file
from policies.library import load_library
from profiles.dictionary import builtin_dictionary
from profiles.inputs import read_profiles
from store import block_pairs, night_blocks, night_patch, night_reads
from store.block_pairs import comings as comings_of
from store.block_pairs import tally
from store.night_blocks import Range, cut, file_hash, firm_names, night_columns, rows_of, write_blocks
from store.night_content import stored_content
from store.night_index import Made, kept_of
from store.night_patch import Earlier
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
    made: Made | None = None

    def rows(self, which: np.ndarray, only: Collection[str] | None) -> Columns:
        """As the profiles that a night keeps are read again."""
        found = self.columns.take(which)
        for kind in () if only is None else ("numbers", "categories", "lists", "rows"):
            own = getattr(found, kind)
            for key in [k for k in own if (k if kind == "rows" else k[0]) not in only]:  # type: ignore[operator]
                del own[key]
        return found

    def write(
        self, folder: Path, before: Path | None = None, was: Night | None = None
    ) -> night_blocks.Written:
        """Into a folder; `before` is an earlier night's, and `was` that night, where it may be patched."""

        def matched(ranges: Sequence[Range]) -> Iterator[tuple[Range, list[ItemHits]]]:
            for begin, end in ranges:
                part = self.columns.between(begin, end)
                yield (begin, end), matching.match(self.items, part, self.day, self.answers)

        earlier: Path | Earlier | None = before
        if before is not None and was is not None:
            same = was.columns is self.columns and was.answers == self.answers
            earlier = Earlier(before, lambda names: was.items, was.rows, lambda: was.answers, was.day, same)
        return write_blocks(
            folder,
            self.items,
            self.columns,
            self.day,
            self.answers,
            self.paid,
            matched,
            earlier,
            made=self.made,
        )


def contents(folder: Path, night: Night) -> dict[str, object]:
    """All that a night says: its pairs by item, and its figures."""
    pairs = {
        item.program.item.id: night_reads.item_table(folder, item.program.item.id) for item in night.items
    }
    found = {name: None if table is None else table.to_pydict() for name, table in pairs.items()}
    return {"pairs": repr(found), "figures": kept_of(folder).tally.figures.tolist()}


EVERY = ("facts", "day", "format", "answers", "sets", "rule", "paid", "cells", "cells", "append")


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
        self.base, self.newer = 0, set[int]()  # as a snapshot has it: what the facts rest on, and newer rows

    def night(self) -> Night:
        library = load_library(self.given.library, builtin_dictionary(), self.sets)
        self.columns.dictionary = library.dictionary
        made = Made(f"base {self.base}", np.array(sorted(self.newer), np.int64))
        return Night(
            live(library.programs, self.day),
            self.columns,
            self.day,
            dict(self.answers),
            dict(self.paid),
            made,
        )

    def change(self, kinds: Sequence[str]) -> None:
        what = self.rng.choice(list(kinds))
        if what in ("facts", "append"):
            self.base, self.newer = self.base + 1, set()
        if what == "facts":
            self.columns = altered(self.columns, self.rng)
        elif what == "cells":
            self._cells()
        elif what == "append":  # a firm less at the end: the blocks before it stay
            self.columns = self.columns.take(np.arange(len(self.columns) - 1))
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
            text = path.read_text("utf-8")
            sums = [*re.finditer(r"\d+(?=(万元|亿元|元|%|人))", text), *re.finditer("1", text)]
            if sums:
                one = self.rng.choice(sums)
                changed = text[: one.start()] + str(self.rng.randrange(2, 99)) + text[one.end() :]
                path.write_text(changed, "utf-8")
        else:
            for code in self.rng.sample(list(self.columns.codes), 5):
                for item in self.night().items[:4]:
                    payable = Payable(None, float(self.rng.randrange(9)), "d/x", 5.0, "按比例核减")
                    self.paid[code, item.program.item.id] = payable

    def _cells(self) -> None:
        """Facts of some firms: numbers, and texts."""
        out = self.columns.between(0, len(self.columns))
        for key in self.rng.sample(sorted(out.numbers, key=str), 4):
            values = out.numbers[key].copy()
            value = self.rng.choice([np.nan, 0.0, 1.0, 5e6])
            values[row := self.rng.randrange(len(values))] = value
            self.newer.add(row)
            out.numbers[key] = values
        for key in self.rng.sample(sorted(out.categories, key=str), 2):
            cats = out.categories[key]
            codes = cats.codes.copy()
            value = self.rng.randrange(-1, len(cats.names))
            codes[row := self.rng.randrange(len(codes))] = value
            self.newer.add(row)
            out.categories[key] = replace(cats, codes=codes)
        self.columns = out

    def _reformat(self) -> None:
        for path in sorted(self.given.library.glob("*/items/*.yaml")):
            text = path.read_text("utf-8")
            path.write_text("# 一行说明\n" + (format_file(text, path.name, lambda p: None) or text), "utf-8")


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("how", ["by block", "patching", "patching little"])
def test_an_incremental_night_is_a_full_one(
    seed: int, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its pairs in every column, its figures, its hash, and what Arrow reads in its files; 新符合 and 不再符合 too."""
    monkeypatch.setattr(night_blocks, "WORTH_PATCHING", 0)
    monkeypatch.setattr(night_blocks, "WORTH_FIRMS", 0)
    monkeypatch.setattr(night_blocks, "WORTH_FACTS", 0 if seed % 4 else 1 << 40)
    if seed % 2 and available():  # by the compiled loops, whose pairs are told by arrays over the items
        monkeypatch.setattr(night_patch, "FAST_FROM", 0)
    monkeypatch.setattr(night_blocks, "SHARE", 0.6)
    world = World(seed, tmp_path)
    before = was = earlier = None
    patched = 0
    for step in range(8):
        night = world.night()
        now, full = tmp_path / f"n{step}", tmp_path / f"f{step}"
        made = night.write(now, before, was if how != "by block" else None)
        wanted = night.write(full)
        assert contents(now, night) == contents(full, night) and made.digest == wanted.digest
        assert len(wanted.fresh) == len(wanted.blocks) and not wanted.patched
        assert [b.pairs for b in made.blocks] == [b.pairs for b in wanted.blocks]
        same = {
            (k.item, k.batch): tuple(s) for k, s in zip(made.keys, content_of(made), strict=True) if any(s)
        }
        assert stored_content(now) == same == stored_content(full)
        assert not differing_items(full, wanted, now)
        if was is not None:
            assert comings(made, now, before, night) == comings(wanted, full, before, night)
        if step > 1 and before is not None:  # older nights stay what they were
            assert contents(before, was) == earlier
        earlier = contents(now, night)
        before, was, patched = now, night, patched + len(made.patched)
        little = ["rule", "answers", "paid", "cells", "cells"]
        for _ in range(world.rng.randint(1, 2)):
            world.change(little if how == "patching little" else EVERY)
    assert how != "patching little" or patched > 5 or not night.items
    assert how != "by block" or not patched


def content_of(made: night_blocks.Written) -> list[list[int]]:
    return made.tally.content.sum(axis=0).tolist()


def comings(
    made: night_blocks.Written, folder: Path, before: Path, night: Night
) -> dict[str, tuple[int, int]]:
    """新符合 and 不再符合 by item, as a night counts them."""
    blocks = len(kept_of(before).blocks)
    now = pa.concat_tables([NOBODY, *night_reads.fitting_tables(folder, made.fresh)]).to_pylist()
    gone = [i for i in range(blocks) if i not in made.kept]
    then = pa.concat_tables([NOBODY, *night_reads.fitting_tables(before, gone)]).to_pylist()
    ours, theirs = ({(r["item"], r["统一社会信用代码"]) for r in rows} for rows in (now, then))
    out = {}
    for item in night.items:
        name = item.program.item.id
        new, left = ({p for p in part if p[0] == name} for part in (ours - theirs, theirs - ours))
        out[name] = (len(new) + made.coming.get(name, 0), len(left) + made.going.get(name, 0))
    return out


NOBODY = pa.table({"item": pa.array([], pa.string()), "统一社会信用代码": pa.array([], pa.string())})


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


def test_items_read_some_at_a_time_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of blocks and of layers, and only what was asked for is kept meanwhile."""
    for name in ("WORTH_PATCHING", "WORTH_FIRMS", "WORTH_FACTS"):
        monkeypatch.setattr(night_blocks, name, 0)
    monkeypatch.setattr(night_blocks, "SHARE", 0.6)
    world = World(4, tmp_path)
    first = world.night()
    first.write(tmp_path / "a")
    for _ in range(4):
        world.change(["cells"])
    second = world.night()
    assert second.write(tmp_path / "b", tmp_path / "a", first).patched
    items = [i.program.item.id for i in second.items]

    def read(names: Sequence[str]) -> list[object]:
        found = [night_reads.item_table(tmp_path / night, name) for name in names for night in "ab"]
        return [None if table is None else table.to_pylist() for table in found]

    night_reads.forget()
    wanted = [read([name]) for name in items]
    night_reads.forget()
    half = len(items) // 2
    for some in (items[:half], items[half:]):
        with night_reads.among(some):
            assert [read([name]) for name in some] == [
                w for n, w in zip(items, wanted, strict=True) if n in some
            ]
            kept = [set(places) for _, places in night_reads._kept.values()]
            assert kept and all(names <= set(some) for names in kept)
            other = next(n for n in items if n not in some)
            assert read([other]) == wanted[items.index(other)], (
                "one that was not announced is read all the same"
            )
            night_reads._drop(lambda key: not key[-1])
        assert not night_reads._kept


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


def test_a_tally_is_the_same_without_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(8)
    some: list[Pairs] = []
    for n in (0, 1, 50, 333):
        for ids, given in ((3, False), (12, False), (0, False), (3, True)):
            marks = None if not ids else (rng.random((n, (ids + 7) // 8)) < 0.3).astype(np.uint8) * 5
            verdict = rng.integers(0, 3, n).astype(np.int8) if given else None
            low = np.where(rng.random(n) < 0.2, np.nan, rng.normal(0, 1e7, n).round(2))
            for high in (low, 12.345, float("nan"), np.where(rng.random(n) < 0.5, np.nan, 0.005)):
                for least in (low, -0.0, float("nan")):
                    numbers = {"amount_low": high, "amount_high": least, "paid_low": least, "paid_high": high}
                    numbers |= {"lost": low} if given else {}
                    rows = np.sort(rng.choice(400, n, replace=False)).astype(np.int32)
                    words = (rng.integers(0, 2, n).astype(np.int32), ("", "d/b"))
                    some.append(
                        Pairs("d/a", f"{len(some)}", tuple("甲乙丙丁戊己庚辛壬癸子丑"[:ids]), rows, marks, marks if given else None,
                              verdict, numbers, {"note": words} if n == 50 else {})  # type: ignore[arg-type]
                    )  # fmt: skip
    firms, blocks = rng.integers(0, 1 << 63, 400).astype(np.uint64), (np.arange(400) // 150).astype(np.int32)
    compiled = tally(some, firms, blocks, 3)
    again = tally(some[1:], firms, blocks, 3)
    back = comings_of(some[1:], some[:-1])
    monkeypatch.setattr(block_pairs, "available", lambda: False)
    plain = tally(some, firms, blocks, 3)
    assert np.array_equal(compiled.figures, plain.figures) and compiled.figures.any(axis=(0, 1)).all()
    assert np.array_equal(compiled.content, plain.content) and np.array_equal(
        again.content, plain.content[:, 1:]
    )
    full = [i for i, p in enumerate(some) if len(p)]
    assert len(np.unique(compiled.content[:, full].sum(axis=0), axis=0)) == len(full), (
        "each item says something else"
    )
    assert np.array_equal(back, comings_of(some[1:], some[:-1])) and back.any(axis=0).all()


def test_texts_are_summed_alike_without_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_pairs, "MANY", 1)
    texts = pa.array(
        ["", "a", None, "统一社会信用代码", "12345678", "123456789", "a" * 40, "企业"] * 9
    ).slice(2)
    compiled = block_pairs.text_sums(texts)
    monkeypatch.setattr(block_pairs, "available", lambda: False)
    assert np.array_equal(compiled, block_pairs.text_sums(texts))
    assert len(np.unique(compiled)) == 7  # nothing and an empty text say the same
    assert block_pairs.text_sums(pa.array([], pa.string())).tolist() == []


def test_rows_of_codes() -> None:
    columns = Columns([f"c{i}" for i in range(50)], builtin_dictionary())
    assert rows_of(columns, ["c7", "x", "c0", "c7"]).tolist() == [7, -1, 0, 7]
    assert rows_of(columns, []).tolist() == []
    assert np.array_equal(rows_of(columns, list(columns.codes)), np.arange(50))


def test_a_night_older_than_layers_is_read_and_hands_nothing_on(tmp_path: Path) -> None:
    night = World(3, tmp_path).night()
    made = night.write(tmp_path / "a")
    wanted = contents(tmp_path / "a", night)["pairs"]
    as_it_was(tmp_path / "a")
    assert contents(tmp_path / "a", night)["pairs"] == wanted
    again = night.write(tmp_path / "b", tmp_path / "a", night)
    assert len(again.fresh) == len(again.blocks) and again.digest == made.digest


def as_it_was(folder: Path) -> str:
    """A night's folder as it was kept before there were layers; its hash, which was of the files' bytes."""
    old = ("file", "key", "sha256", "firms", "pairs")
    path = folder / "blocks.json"
    blocks = [{name: one[name] for name in old} for one in json.loads(path.read_text("utf-8"))]
    for one in blocks:
        one["sha256"] = file_hash(folder / "hits" / one["file"])
    path.write_text(json.dumps(blocks), "utf-8")
    for name in ("index.json", "content.npy", "digests.npy", "firms.arrow", "paid.parquet"):
        (folder / name).unlink(missing_ok=True)
    return hashlib.sha256("".join(f"{b['file']} {b['sha256']}\n" for b in blocks).encode()).hexdigest()


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
