"""存着的事实: what a night knew of its firms, a record of fixed length each, so that the next night reads again what the few
firms were whose facts changed: in a file of columns some of every hundred firms are all of it.

A record holds the firm's mark (see block_pairs.firm_marks), its numbers, and its texts as numbers among the file's. Texts
that nearly every firm has of its own, lists and detail rows have no place in it; a file says so, and they are read of the
kept profiles.
"""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.columns import SUBJECT_LISTS, Categories, Columns, Key
from engine.indicators import Dictionary
from store.straight_file import StraightFile

MOST_TEXTS = 1 << 13  # distinct texts of a column that has a place in the records
STEP = 2048  # firms put into records at once: they stay in the cache
HEAD = 4096  # records begin at a multiple of it
Rows = NDArray[np.int64]
Words = NDArray[np.uint64]


@dataclass(frozen=True)
class Shape:
    """记录的样子: indicators that were asked for, those of them that have no place here, and the columns that have, with the
    texts of each text column."""

    firms: int
    names: tuple[str, ...]
    elsewhere: tuple[str, ...]
    numbers: tuple[Key, ...]
    texts: Mapping[Key, tuple[str, ...]]

    @property
    def words(self) -> int:
        """记录的长短, in words of 8 bytes."""
        return 1 + len(self.numbers) + (len(self.texts) + 1) // 2


def shape_of(columns: Columns, names: Collection[str]) -> Shape:
    """样子 of the records of some columns, of some indicators."""
    texts = {k: c.names for k, c in columns.categories.items() if k[0] in names}
    wide = {k[0] for k, known in texts.items() if len(known) > MOST_TEXTS}
    wide |= {k[0] for k in columns.lists if k[0] in names} | set(columns.rows)
    numbers = tuple(k for k in columns.numbers if k[0] in names and k[0] not in wide)
    kept = {k: known for k, known in texts.items() if k[0] not in wide}
    return Shape(len(columns), tuple(sorted(names)), tuple(sorted(wide)), numbers, kept)


def write_facts(path: Path, columns: Columns, names: Collection[str], marks: Words) -> None:
    """写记录 of all firms of some columns, with their marks; the larger ones past the system's cache."""
    shape = shape_of(columns, names)
    plain = {
        "firms": shape.firms, "names": shape.names, "elsewhere": shape.elsewhere, "numbers": shape.numbers,
        "texts": [[k, known] for k, known in shape.texts.items()],
    }  # fmt: skip
    head = json.dumps(plain, ensure_ascii=False).encode()
    numbers = [columns.numbers[k] for k in shape.numbers]
    texts = [columns.categories[k].codes for k in shape.texts]
    room = np.zeros((STEP, shape.words), np.uint64)
    reals, small = room.view(np.float64), room.view(np.int32)
    first = 2 * (1 + len(numbers))
    with StraightFile(path, len(columns) * shape.words * 8, hashed=False) as file:
        file.put(len(head).to_bytes(8, "little") + head + bytes(-(len(head) + 8) % HEAD))
        for a in range(0, len(columns), STEP):
            n = min(STEP, len(columns) - a)
            room[:n, 0] = marks[a : a + n]
            for j, values in enumerate(numbers, 1):
                reals[:n, j] = values[a : a + n]
            for j, codes in enumerate(texts, first):
                small[:n, j] = codes[a : a + n]
            file.put(room[:n].data)


@dataclass(frozen=True)
class Records:
    """读到的记录: some firms' as they stand in one file."""

    shape: Shape
    words: Words  # (firms, words of a record)

    def number(self, key: Key) -> NDArray[np.float64] | None:
        """数值列, None where the file has none."""
        if key not in self.shape.numbers:
            return None
        return self.words.view(np.float64)[:, 1 + self.shape.numbers.index(key)]

    def codes(self, key: Key) -> NDArray[np.int32] | None:
        """文本的编号, None where the file has none."""
        if key not in self.shape.texts:
            return None
        at = 2 * (1 + len(self.shape.numbers)) + list(self.shape.texts).index(key)
        return self.words.view(np.int32)[:, at]


def read_facts(path: Path, rows: Rows) -> Records | None:
    """读几条 of a file, by their numbers; None where there is no such file, or not all of it."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            whole = os.fstat(file.fileno()).st_size
            if size > whole:
                return None
            shape = _shape(json.loads(file.read(size)))
            begin = size + 8 + -(size + 8) % HEAD
            if whole != begin + shape.firms * shape.words * 8 or (rows >= shape.firms).any():
                return None
            if not shape.firms:
                return Records(shape, np.zeros((0, shape.words), np.uint64))
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as pages:
                if hasattr(pages, "madvise"):
                    pages.madvise(mmap.MADV_RANDOM)
                words = np.frombuffer(pages, np.uint64, shape.firms * shape.words, begin)
                found = words.reshape(-1, shape.words)[rows]
                del words
            return Records(shape, found)
    except (OSError, ValueError, KeyError):
        return None


def _shape(plain: Mapping[str, Any]) -> Shape:
    texts = {(k[0], k[1]): tuple(known) for k, known in plain["texts"]}
    numbers = tuple((name, year) for name, year in plain["numbers"])
    return Shape(plain["firms"], tuple(plain["names"]), tuple(plain["elsewhere"]), numbers, texts)


# ---------------------------------------------------------------- put together


@dataclass
class Known:
    """几家的事实, gathered from files: which of the firms each file speaks of, and its records."""

    firms: int
    parts: list[tuple[Rows, Records]] = field(default_factory=list)

    def marks(self) -> Words:
        """企业的数."""
        out = np.zeros(self.firms, np.uint64)
        for at, records in self.parts:
            out[at] = records.words[:, 0]
        return out

    def columns(
        self, codes: Sequence[str], dictionary: Dictionary, names: Collection[str],
        elsewhere: Callable[[Collection[str]], Columns],
    ) -> Columns | None:  # fmt: skip
        """成列, of some indicators; what a file has no place for comes from `elsewhere`. None where a file was not asked for all
        of them."""
        shapes = [records.shape for _, records in self.parts]
        if any(not set(names) <= set(s.names) for s in shapes):
            return None
        away = {n for s in shapes for n in s.elsewhere} & {*names, *SUBJECT_LISTS}
        out = elsewhere(away) if away else Columns(codes, dictionary)
        for key in dict.fromkeys(k for s in shapes for k in s.numbers):
            if key[0] in names and key[0] not in away:
                out.numbers[key] = self._numbers(key)
        for key in dict.fromkeys(k for s in shapes for k in s.texts):
            if key[0] in names and key[0] not in away:
                out.categories[key] = self._texts(key)
        return out

    def _numbers(self, key: Key) -> NDArray[np.float64]:
        out = np.full(self.firms, np.nan)
        for at, records in self.parts:
            values = records.number(key)
            if values is not None:
                out[at] = values
        return out

    def _texts(self, key: Key) -> Categories:
        """One numbering of the files' texts."""
        codes = np.full(self.firms, -1, np.int32)
        known: dict[str, int] = {}
        last: tuple[tuple[str, ...], NDArray[np.int32]] = ((), np.full(1, -1, np.int32))
        for at, records in self.parts:
            own = records.codes(key)
            if own is None:
                continue
            names = records.shape.texts[key]
            if names != last[0]:
                place = [known.setdefault(name, len(known)) for name in names]
                last = names, np.array([*place, -1], np.int32)
            codes[at] = last[1][own]
        return Categories(codes, tuple(known))
