"""一块的对子: what a night writes of its pairs beyond the matcher's own, and what they add up to."""

from __future__ import annotations

import hashlib
import os
import struct
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from engine.claims import Payable
from engine.columns import Columns
from engine.kernel import available
from engine.matching import FITS, OPEN
from profiles.firmcodes import arrow_codes
from store.pairs import Amounts, Column, Firms, Ids, Items, Pairs, Part, Remarks, Verdicts, addresses

CODE, NAME = "统一社会信用代码", "企业名称"
FIGURES = ("fits", "open", "low_fen", "high_fen", "unknown_amounts")
LANES = 2  # of 64 bits each, of a content's sum
NUMBERS = ("amount_low", "amount_high", "paid_low", "paid_high", "lost")
TEXTS = ("gave_way", "note")
Paid = Mapping[tuple[str, str], Payable]


def rows_of(columns: Columns, codes: Sequence[str]) -> NDArray[np.int64]:
    """行号 of some codes, -1 where they are not there; without a table of all firms' codes in Python."""
    if not codes:
        return np.zeros(0, np.int64)
    wanted = pa.array(list(dict.fromkeys(codes)), pa.string())
    found = pc.index_in(arrow_codes(columns.codes), wanted).fill_null(-1).to_numpy(zero_copy_only=False)
    place = np.full(len(wanted), -1, np.int64)
    there = np.flatnonzero(found >= 0)
    place[found[there]] = there
    at = pc.index_in(pa.array(codes, pa.string()), wanted).to_numpy(zero_copy_only=False)
    return place[at]


def night_columns(codes: pa.Array, names: pa.Array, base: int) -> list[Column]:
    """一夜结果的列: those of `huiqi match` with the firm's name and what is payable after 就高不重复 and budgets."""
    return [
        Firms(CODE, codes, base, unique=True), Firms(NAME, names, base),
        Items("item", lambda p: p.item), Items("batch", lambda p: p.batch), Verdicts("verdict"),
        Amounts("amount_low"), Amounts("amount_high"),
        Ids("fails", lambda p: p.fails), Ids("unknown", lambda p: p.unknown), Amounts("score"),
        Amounts("paid_low", like="amount_low"), Amounts("paid_high", like="amount_high"), Remarks("gave_way"), Amounts("lost"), Remarks("note"),
    ]  # fmt: skip


def firm_names(columns: Columns) -> pa.Array:
    """企业名称列, empty where unknown."""
    cats = columns.category(NAME, None)
    lookup = pa.array([*cats.names, ""], pa.string())
    return lookup.take(pa.array(np.where(cats.codes < 0, len(cats.names), cats.codes)))


Who = tuple[pa.Array, pa.Array]  # firms' codes and names


def firms_at(columns: Columns, rows: NDArray[Any]) -> Who:
    """几家企业 (see firm_names), without a table of all firms' names."""
    cats = columns.category(NAME, None)
    names = ["" if at < 0 else cats.names[at] for at in cats.codes[rows].tolist()]
    return arrow_codes(columns.codes).take(pa.array(rows)), pa.array(names, pa.string())


@dataclass(frozen=True)
class Payments:
    """应付 of one item: rows ascending, with what was decided."""

    rows: NDArray[np.int64]
    payables: list[Payable]


def payments_of(columns: Columns, paid: Paid) -> dict[str, Payments]:
    out = {}
    by_item = sorted(paid.items(), key=lambda entry: entry[0][1])
    for item, entries in groupby(by_item, key=lambda entry: entry[0][1]):
        known = [(code, payable) for (code, _), payable in entries]
        rows = rows_of(columns, [code for code, _ in known])
        order = np.argsort(rows, kind="stable")
        out[item] = Payments(rows[order], [known[i][1] for i in order])
    return out


def paid_pairs(pairs: Pairs, payments: Payments | None, shift: int) -> Pairs:
    """The pairs with their payable columns; `shift` is the columns' row of the pairs' row 0."""
    low, high = pairs.numbers["amount_low"], pairs.numbers["amount_high"]
    numbers = {**pairs.numbers, "paid_low": low, "paid_high": high}
    if payments is None or not len(pairs):
        return _with(pairs, numbers, {})
    rows = pairs.rows.astype(np.int64) + shift
    at = np.searchsorted(payments.rows, rows)
    at[at == len(payments.rows)] = 0
    here = np.flatnonzero(payments.rows[at] == rows) if len(payments.rows) else np.zeros(0, np.int64)
    if not len(here):
        return _with(pairs, numbers, {})
    decided = [payments.payables[i] for i in at[here]]
    for name, end in (("paid_low", "low"), ("paid_high", "high"), ("lost", "lost")):
        values = np.full(len(pairs), np.nan) if name == "lost" else np.array(_wide(numbers[name], len(pairs)))
        values[here] = [np.nan if (v := getattr(p, end)) is None else v for p in decided]
        numbers[name] = values
    texts = {}
    for name, words in (
        ("gave_way", [p.gave_way_to for p in decided]),
        ("note", [p.note for p in decided]),
    ):
        distinct = ["", *sorted(set(words) - {""})]
        which = np.zeros(len(pairs), np.int32)
        which[here] = [distinct.index(w) for w in words]
        texts[name] = (which, tuple(distinct))
    return _with(pairs, numbers, texts)


def _wide(values: NDArray[np.float64] | float, n: int) -> NDArray[np.float64]:
    return np.full(n, values) if isinstance(values, float) else values


def _with(pairs: Pairs, numbers: Mapping[str, Any], texts: Mapping[str, Any]) -> Pairs:
    return Pairs(
        pairs.item, pairs.batch, pairs.ids, pairs.rows, pairs.unknown, pairs.fails, pairs.verdict, dict(numbers),
        dict(texts),
    )  # fmt: skip


def sliced(pairs: Pairs, edges: NDArray[np.int32]) -> Pairs:
    """The pairs whose rows lie between the two edges."""
    a, b = (int(x) for x in np.searchsorted(pairs.rows, edges))

    def part(values: Any) -> Any:
        return values[a:b] if isinstance(values, np.ndarray) else values

    return Pairs(
        pairs.item, pairs.batch, pairs.ids, pairs.rows[a:b], part(pairs.unknown), part(pairs.fails), part(pairs.verdict),
        {k: part(v) for k, v in pairs.numbers.items()},
    )  # fmt: skip


def moved(pairs: Pairs, place: NDArray[np.int32]) -> Pairs:
    """换行号: the same pairs, of row r now place[r]."""
    return Pairs(
        pairs.item, pairs.batch, pairs.ids, place[pairs.rows], pairs.unknown, pairs.fails, pairs.verdict,
        pairs.numbers, pairs.texts,
    )  # fmt: skip


def picked(pairs: Pairs, which: NDArray[np.bool_]) -> Pairs:
    """挑几对, with their verdicts alone."""
    return Pairs(
        pairs.item, pairs.batch, pairs.ids, pairs.rows[which], None, None, verdicts_of(pairs)[which], {}
    )  # fmt: skip


def both(one: Pairs, other: Pairs) -> Pairs:
    """两边的对子 of different firms, in the order of rows, with their verdicts alone."""
    rows = np.concatenate([one.rows, other.rows])
    verdict = np.concatenate([verdicts_of(one), verdicts_of(other)])
    order = np.argsort(rows, kind="stable")
    return Pairs(one.item, one.batch, one.ids, rows[order], None, None, verdict[order], {})


def verdicts_of(pairs: Pairs) -> NDArray[np.int8]:
    """结论 of each pair as numbers."""
    if pairs.verdict is not None:
        return pairs.verdict
    n = len(pairs)
    if pairs.unknown is None or not n:
        return np.full(n, FITS, np.int8)
    some = np.ascontiguousarray(pairs.unknown).view(np.uint8).reshape(n, -1).any(axis=1)
    return np.where(some, OPEN, FITS).astype(np.int8)


def comings(now: Sequence[Pairs] | Part, then: Sequence[Pairs] | Part) -> NDArray[np.int64]:
    """来去: of each item the firms that fit now and did not, and those that did and do not, shape (items, 2)."""
    if not available():
        return _comings_plainly(plainly(now), plainly(then))
    from store.pair_tally import comings as compiled

    one, other = as_part(now), as_part(then)
    out = np.zeros((len(one.counts), 2), np.int64)
    sides: list[NDArray[np.int64]] = []
    for part in (one, other):
        sides += [part.counts, part.rows, part.verdicts, part.marks, part.widths]
    compiled(*sides, FITS, out)  # type: ignore[call-arg]
    return out


def as_part(pairs: Sequence[Pairs] | Part) -> Part:
    """一份."""
    return pairs if isinstance(pairs, Part) else Part(pairs)


def plainly(pairs: Sequence[Pairs] | Part) -> Sequence[Pairs]:
    """一对对, for what works without a compiler."""
    return pairs.pairs if isinstance(pairs, Part) else pairs


def _comings_plainly(now: Sequence[Pairs], then: Sequence[Pairs]) -> NDArray[np.int64]:
    out = np.zeros((len(now), 2), np.int64)
    for i, (a, b) in enumerate(zip(now, then, strict=True)):
        ours, theirs = (p.rows[verdicts_of(p) == FITS] for p in (a, b))
        out[i] = len(np.setdiff1d(ours, theirs)), len(np.setdiff1d(theirs, ours))
    return out


# ---------------------------------------------------------------- figures and content


@dataclass
class Tally:
    """合计 by block and item: FIGURES, shape (blocks, items, 5), and the sum over the pairs' content, (blocks, items, 2)."""

    figures: NDArray[np.int64]
    content: NDArray[np.uint64]

    @classmethod
    def of(cls, blocks: int, items: int) -> Tally:
        """空的合计."""
        return cls(
            np.zeros((blocks, items, len(FIGURES)), np.int64), np.zeros((blocks, items, LANES), np.uint64)
        )

    def take(self, other: Tally) -> None:
        """减去 another, of pairs that go."""
        self.figures -= other.figures
        self.content -= other.content

    def put(self, other: Tally) -> None:
        """加上 another."""
        self.figures += other.figures
        self.content += other.content


def firm_marks(codes: pa.Array, names: pa.Array) -> NDArray[np.uint64]:
    """企业的数: 64 bits over each firm's code and name."""
    return mixed(text_sums(codes) + mixed(text_sums(names)))


def text_sums(texts: pa.Array) -> NDArray[np.uint64]:
    """文本的数: 64 bits a text, over its length and its letters eight at a time; a null is an empty text."""
    plain = texts.cast(pa.large_string()).fill_null("")
    _, offsets, data = plain.buffers()
    ends = np.frombuffer(offsets, np.int64)[plain.offset : plain.offset + len(plain) + 1]
    if not len(plain):
        return np.zeros(0, np.uint64)
    if len(plain) >= MANY and "numba" in sys.modules and data is not None and available():
        from store.pair_tally import sum_texts

        out, letters = np.empty(len(plain), np.uint64), np.frombuffer(data, np.uint8)
        if len(plain) < SEVERAL:
            sum_texts(0, len(plain), ends, letters, out)
            return out
        edges = np.linspace(0, len(plain), 2 * len(os.sched_getaffinity(0)) + 1).astype(int)

        def work(first: int, last: int) -> None:
            sum_texts(first, last, ends, letters, out)

        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            list(pool.map(work, edges[:-1], edges[1:]))
        return out
    return _sum_plainly(ends, np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8))


MANY, SEVERAL = 1 << 8, 1 << 16  # texts from which compiled loops pay, and from which threads do


def _sum_plainly(ends: NDArray[np.int64], data: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """`text_sums` by nothing compiled: the readable form."""
    letters = np.zeros(int(ends[-1] - ends[0]) + 8, np.uint8)
    letters[:-8] = data[ends[0] : ends[-1]]
    words = np.ndarray((len(letters) - 7,), "<u8", letters, strides=(1,))
    begins, sizes = ends[:-1] - ends[0], np.diff(ends)
    out = mixed(sizes.astype(np.uint64))
    live = np.flatnonzero(sizes > 0)
    for at in range(0, int(sizes.max()), 8):
        live = live[sizes[live] > at]
        left = np.minimum(sizes[live] - at, 8).astype(np.uint64)
        word = words[begins[live] + at] & (_ALL >> (np.uint64(64) - left * np.uint64(8)))
        out[live] = mixed(out[live] ^ word)
    return out


_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


def mixed(bits: Any) -> Any:
    """混合: splitmix64, so that sums of words don't cancel."""
    with np.errstate(over="ignore"):
        x = bits + np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))


@lru_cache(maxsize=1 << 16)
def seed_of(text: str) -> int:
    """文本的种子: 64 bits for a text; nothing for an empty one, as where there is none."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") if text else 0


# odd multipliers of a pair's fields, two lanes: the item, NUMBERS, the firm, the verdict, unknown, fails, TEXTS
FACTORS = np.array(
    [[seed_of(f"{lane} {field}") | 1 for field in range(12)] for lane in range(LANES)], np.uint64
)


def tally(
    pairs: Sequence[Pairs] | Part, firms: NDArray[np.uint64], blocks: NDArray[np.int32], count: int,
    into: Tally | None = None,
) -> Tally:  # fmt: skip
    """合计对子, those of an item in its place: `firms` (see `firm_marks`) and numbers of the `count` blocks are by row."""
    heads = plainly(pairs)
    out = into or Tally.of(count, len(heads))
    seeds = np.array([seed_of(f"{p.item}|{p.batch}") for p in heads], np.uint64)
    if not available():
        for i, one in enumerate(heads):
            _tally_plainly(out, i, one, seeds[i], firms, blocks)
        return out
    from store.pair_tally import tallies

    part = as_part(pairs)
    id_seeds, id_at = _id_seeds(heads)
    given = [part.masks(name) for name in ("unknown", "fails")]
    masks, widths = (np.stack([one[k] for one in given], axis=1) for k in (0, 1))
    ends = [part.numbers(name) for name in NUMBERS]
    flat = np.stack([one[0] for one in ends], axis=1)
    alone = np.stack([one[1] for one in ends], axis=1)
    texts, text_seeds, text_at = _texts(part)
    tallies(
        part.counts, part.rows, part.verdicts, np.ascontiguousarray(masks), np.ascontiguousarray(widths), id_seeds, id_at,
        np.ascontiguousarray(flat), plain_bits(alone), np.ascontiguousarray(alone[:, 2:4]), texts, text_seeds, text_at,
        seeds, firms, blocks, FACTORS, FITS, out.figures, out.content,
    )  # fmt: skip
    return out


def _id_seeds(heads: Sequence[Pairs]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Seeds of the items' ids, and where each item's begin; many items number their conditions alike."""
    seeds: list[int] = []
    begins: dict[tuple[str, ...], int] = {}
    at = np.zeros(len(heads), np.int64)
    for i, head in enumerate(heads):
        if head.ids not in begins:
            begins[head.ids] = len(seeds)
            seeds += [seed_of(name) for name in head.ids]
        at[i] = begins[head.ids]
    return np.array([*seeds, 0], np.uint64), at


_NAN = float("nan")


def _texts(part: Part) -> tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.int64]]:
    """Addresses of the pairs' text numbers, the seeds of the texts, and where each item's begin."""
    shape = (len(part.counts), len(TEXTS))
    where, at = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    seeds: list[int] = [0]
    for j, name in enumerate(TEXTS):
        for i, one in enumerate(part.texts(name)):
            if one is not None:
                where[i, j], at[i, j] = addresses([one[0]])[0], len(seeds)
                seeds += [seed_of(word) for word in one[1]]
    return where, np.array(seeds, np.uint64), at


def plain_bits(values: NDArray[np.float64]) -> NDArray[np.uint64]:
    """数的位: one form of NaN and one of zero."""
    return np.where(np.isnan(values), _UNKNOWN, (values + 0.0).view(np.uint64))


_UNKNOWN = np.frombuffer(struct.pack("<Q", 0x7FF8000000000000), np.uint64)[0]


def _tally_plainly(
    out: Tally, i: int, p: Pairs, seed: np.uint64, firms: NDArray[np.uint64], blocks: NDArray[np.int32]
) -> None:
    """`tally` of one item, by nothing compiled: the readable form."""
    n = len(p)
    if not n:
        return
    unknown, fails = _bits(p.unknown, n, len(p.ids)), _bits(p.fails, n, len(p.ids))
    verdict = unknown.any(axis=1).astype(np.int8) if p.verdict is None else p.verdict
    ids = np.array([seed_of(name) for name in p.ids], np.uint64)
    numbers = {name: _wide(p.numbers.get(name, _NAN), n) for name in NUMBERS}
    fields: list[Any] = [np.full(n, seed), *(plain_bits(numbers[name]) for name in NUMBERS), firms[p.rows]]
    fields += [verdict.astype(np.uint64), unknown.astype(np.uint64) @ ids, fails.astype(np.uint64) @ ids]
    for name in TEXTS:
        which, words = p.texts.get(name, (np.zeros(n, np.int32), ("",)))
        fields.append(np.array([seed_of(word) for word in words], np.uint64)[which])
    at = blocks[p.rows]
    with np.errstate(over="ignore"):
        for lane in range(LANES):
            each = mixed(sum(f * factor for f, factor in zip(fields, FACTORS[lane], strict=True)))
            np.add.at(out.content[:, i, lane], at, each)
    fits = verdict == FITS
    low, high = numbers["paid_low"], numbers["paid_high"]
    fen = [np.rint(np.nan_to_num(v) * 100).astype(np.int64) for v in (low, high)]
    for j, values in enumerate((fits, ~fits, fits * fen[0], fits * fen[1], fits & np.isnan(high))):
        np.add.at(out.figures[:, i, j], at, values.astype(np.int64))


def _bits(mask: NDArray[np.uint8] | None, n: int, ids: int) -> NDArray[np.bool_]:
    if mask is None:
        return np.zeros((n, ids), bool)
    raw = np.ascontiguousarray(mask).view(np.uint8).reshape(n, -1)
    return np.unpackbits(raw, axis=1, bitorder="little")[:, :ids].astype(bool)
