"""结果块: a night's hits by blocks of firms, one Parquet a block, with the key of all that decides what stands in it.

A block whose key the night before had already is that night's file again; only the other blocks are matched and written.
What differs is found by content, not kept as a list of changes, so an incremental night is a full one by construction.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

import engine
from engine.claims import Payable
from engine.columns import Columns
from engine.kernel import Room, available
from engine.kernel_changes import Facts, meaning
from engine.matching import FITS, AnswerBook, ItemHits
from engine.program import BoundItem
from profiles.firmcodes import arrow_codes, text_marks
from store.pairs import (
    Amounts,
    Column,
    Firms,
    Ids,
    Items,
    Pairs,
    Part,
    Remarks,
    Verdicts,
    addresses,
    pairs_of,
    write_pairs,
)  # fmt: skip
from store.straight_file import file_hash as file_hash

CODE, NAME = "统一社会信用代码", "企业名称"
MANIFEST = "blocks.json"
LEAST, CHANCE, MOST = (
    8192,
    8192,
    32768,
)  # firms of a block: the least, one cut in so many after them, the most
MANY_ITEMS = 1500
TOGETHER = 1 << 17  # firms matched at once
FIGURES = ("fits", "open", "low_fen", "high_fen", "unknown_amounts")
Range = tuple[int, int]
Paid = Mapping[tuple[str, str], Payable]
# hits of all items for ranges of the columns' rows, each range's counted from its first row
Matching = Callable[[Sequence[Range]], Iterable[tuple[Range, list[ItemHits]]]]


@dataclass(frozen=True)
class Block:
    """一块: its file in the night's hits/, the key of what it was made of, its bytes' hash, firms and pairs."""

    file: str
    key: str
    sha256: str
    firms: int
    pairs: int


@dataclass
class Written:
    """写好的结果: the blocks in the order of the firms, figures by item and which blocks were made anew."""

    blocks: list[Block] = field(default_factory=list)
    figures: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 0, len(FIGURES)), np.int64))
    fresh: list[int] = field(default_factory=list)
    reused: set[str] = field(default_factory=set)

    @property
    def digest(self) -> str:
        """结果哈希 over all blocks."""
        return hashlib.sha256("".join(f"{b.file} {b.sha256}\n" for b in self.blocks).encode()).hexdigest()


# ---------------------------------------------------------------- blocks and their keys


def cut(codes: pa.Array, items: int = 0) -> list[Range]:
    """分块: rows of each block. A cut hangs on the code it follows, so firms that come or go move the cuts near them only.

    With many items blocks are larger: each item costs each block some Python.
    """
    n = len(codes)
    times = 4 if items > MANY_ITEMS else 1
    places = np.flatnonzero(text_marks(codes) % np.uint64(CHANCE * times) == 0) + 1
    out: list[Range] = []
    start = 0
    while start < n:
        at = int(np.searchsorted(places, start + LEAST * times))
        stop = min(int(places[at]) if at < len(places) else n, start + MOST * times, n)
        out.append((start, stop))
        start = stop
    return out


@lru_cache(maxsize=1)
def software_digest() -> str:
    """程序指纹: of the code that decides and writes hits; after an upgrade no old block is taken for a new one."""
    digest = hashlib.sha256()
    files = [
        *Path(engine.__file__).parent.glob("*.py"),
        *Path(__file__).parent.glob("pa*.py"),
        Path(__file__),
    ]
    for path in sorted(files):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def block_keys(
    items: Sequence[BoundItem], columns: Columns, as_of: date, answers: AnswerBook, paid: Paid, blocks: Sequence[Range],
    names: pa.Array, scoring: str = "",
) -> list[str]:  # fmt: skip
    """块的钥匙: a hash of the items' meanings, and of the block's firms: codes, names, facts that are read, answers, what is
    payable."""
    meanings = [(i.program.item.id, i.batch.name, meaning(i, columns, as_of)) for i in items]
    head = hashlib.sha256(repr((software_digest(), scoring, meanings)).encode())
    said = _said(columns, answers, paid)
    facts = Facts.of(columns, set().union(*(item.reads for item in items)))
    shown = (arrow_codes(columns.codes), names)

    def key(block: Range) -> str:
        begin, end = block
        digest = head.copy()
        for texts in shown:
            _put_texts(texts.slice(begin, end - begin), digest)
        facts.put(begin, end, digest)
        for row, text in said.get_between(begin, end):
            digest.update(f"{row - begin} {text}\n".encode())
        return digest.hexdigest()

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:  # hashing runs outside the interpreter
        return list(pool.map(key, blocks))


def _put_texts(texts: pa.Array, digest: Any) -> None:
    """Texts into a hash: how long each is, and their letters."""
    plain = texts.cast(pa.string())
    offsets, letters = plain.buffers()[1:]
    ends = np.frombuffer(offsets, np.int32)[plain.offset : plain.offset + len(plain) + 1]
    digest.update(np.diff(ends).data)
    if letters is not None:
        digest.update(memoryview(letters)[int(ends[0]) : int(ends[-1])])


@dataclass(frozen=True)
class _Said:
    """What is said of single firms, by row."""

    rows: NDArray[np.int64]
    texts: list[str]

    def get_between(self, begin: int, end: int) -> Iterator[tuple[int, str]]:
        first, last = np.searchsorted(self.rows, [begin, end])
        return ((int(self.rows[i]), self.texts[i]) for i in range(first, last))


def _said(columns: Columns, answers: AnswerBook, paid: Paid) -> _Said:
    texts: list[tuple[str, str]] = []
    for about, given in answers.items():
        for code, answer in given.items():
            plain = sorted(answer.items()) if isinstance(answer, Mapping) else answer
            texts.append((code, f"答 {about} {plain!r}"))
    texts += [(code, f"付 {item} {payable!r}") for (code, item), payable in paid.items()]
    rows = rows_of(columns, [code for code, _ in texts])
    known = sorted((int(row), text) for row, (_, text) in zip(rows, texts, strict=True) if row >= 0)
    return _Said(np.array([r for r, _ in known], np.int64), [t for _, t in known])


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


# ---------------------------------------------------------------- pairs of a block


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


@dataclass(frozen=True)
class _Payments:
    """应付 of one item: rows ascending, with what was decided."""

    rows: NDArray[np.int64]
    payables: list[Payable]


def _payments(columns: Columns, paid: Paid) -> dict[str, _Payments]:
    out = {}
    by_item = sorted(paid.items(), key=lambda entry: entry[0][1])
    for item, entries in groupby(by_item, key=lambda entry: entry[0][1]):
        known = [(code, payable) for (code, _), payable in entries]
        rows = rows_of(columns, [code for code, _ in known])
        order = np.argsort(rows, kind="stable")
        out[item] = _Payments(rows[order], [known[i][1] for i in order])
    return out


def _paid_pairs(pairs: Pairs, payments: _Payments | None, shift: int) -> Pairs:
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


def _slice(pairs: Pairs, edges: NDArray[np.int32]) -> Pairs:
    """The pairs whose rows lie between the two edges."""
    a, b = (int(x) for x in np.searchsorted(pairs.rows, edges))

    def part(values: Any) -> Any:
        return values[a:b] if isinstance(values, np.ndarray) else values

    return Pairs(
        pairs.item, pairs.batch, pairs.ids, pairs.rows[a:b], part(pairs.unknown), part(pairs.fails), part(pairs.verdict),
        {k: part(v) for k, v in pairs.numbers.items()},
    )  # fmt: skip


def figures_of(pairs: Sequence[Pairs]) -> NDArray[np.int64]:
    """块的数字 by item: 符合 and 待核实, yuan of 符合 in fen, how many of them have no known amount."""
    out = np.zeros((len(pairs), len(FIGURES)), np.int64)
    if not available():
        for i, one in enumerate(pairs):
            out[i] = _figures(one)
        return out
    from store.pair_code import figures

    part = Part(pairs)
    ends = [[p.numbers[name] for p in pairs] for name in ("paid_low", "paid_high")]
    arrays = (addresses([v if isinstance(v, np.ndarray) else None for v in side]) for side in ends)
    constants = (np.array([v if isinstance(v, float) else 0.0 for v in side], np.float64) for side in ends)
    (lows, highs), (low_ends, high_ends) = arrays, constants
    verdicts = addresses([p.verdict for p in pairs])
    figures(
        part.counts, verdicts, part.marks, part.widths, lows, low_ends, highs, high_ends, FITS, out
    )  # fmt: skip
    return out


def _figures(pairs: Pairs) -> list[int]:
    """`figures_of` one item, by nothing compiled."""
    if pairs.verdict is not None:
        fits = pairs.verdict == FITS
    elif pairs.unknown is None:
        fits = np.ones(len(pairs), bool)
    else:
        fits = ~pairs.unknown.reshape(len(pairs), -1).any(1) if len(pairs) else np.zeros(0, bool)
    count = int(fits.sum())
    low, high = (_wide(pairs.numbers[n], len(pairs))[fits] for n in ("paid_low", "paid_high"))
    fen = [int(np.rint(v[~np.isnan(v)] * 100).astype(np.int64).sum()) for v in (low, high)]
    return [count, len(pairs) - count, *fen, int(np.isnan(high).sum())]


# ---------------------------------------------------------------- writing


def write_blocks(
    folder: Path, items: Sequence[BoundItem], columns: Columns, as_of: date, answers: AnswerBook, paid: Paid,
    matching: Matching, before: Path | None = None, scoring: str = "",
) -> Written:  # fmt: skip
    """写结果: into folder/hits, blocks of `before` (an earlier night's folder) taken over where their key is the same."""
    hits = folder / "hits"
    hits.mkdir(parents=True, exist_ok=True)
    ranges = cut(arrow_codes(columns.codes), len(items))
    names = firm_names(columns)
    keys = block_keys(items, columns, as_of, answers, paid, ranges, names, scoring)
    known = {block.key: (block, figures) for block, figures in read_blocks(before)} if before else {}
    out = Written(figures=np.zeros((len(ranges), len(items), len(FIGURES)), np.int64))
    out.fresh = [i for i, key in enumerate(keys) if key not in known]
    done: dict[int, Block] = {}
    for i, key in enumerate(keys):
        if key in known:
            block, figures = known[key]
            assert before is not None
            _share(before / "hits" / block.file, hits / _file(i))
            done[i] = Block(_file(i), key, block.sha256, block.firms, block.pairs)
            out.figures[i] = figures
            out.reused.add(block.file)
    _write_fresh(out, done, hits, ranges, keys, columns, names, paid, matching)
    out.blocks = [done[i] for i in range(len(ranges))]
    np.save(folder / "figures.npy", out.figures)
    (folder / MANIFEST).write_text(json.dumps([asdict(b) for b in out.blocks], indent=1), encoding="utf-8")
    return out


def _write_fresh(
    out: Written, done: dict[int, Block], hits: Path, ranges: Sequence[Range], keys: Sequence[str], columns: Columns,
    names: pa.Array, paid: Paid, matching: Matching,
) -> None:  # fmt: skip
    codes = arrow_codes(columns.codes)
    payments = _payments(columns, paid)
    members = {(ranges[g[0]][0], ranges[g[-1]][1]): g for g in together(out.fresh, ranges)}

    room = Room()  # of one block after another

    def write(i: int, where: Range, found: Sequence[Pairs]) -> None:
        begin, end = ranges[i]
        first = where[0]
        if where != (begin, end):
            edges = np.array([begin - first, end - first], np.int32)
            found = [_slice(p, edges) for p in found]
        mine = [_paid_pairs(p, payments.get(p.item), first) for p in found]
        shown = night_columns(codes.slice(begin, end - begin), names.slice(begin, end - begin), begin - first)
        path = hits / _file(i)
        # what is payable is kept once where it is the amount: such items stand together
        paid_low = next(c for c in shown if c.field.name == "paid_low")
        count, digest = write_pairs(
            path, shown, sorted(mine, key=lambda p: not paid_low.is_copy(p)), hashed=True, room=room
        )
        out.figures[i] = figures_of(mine)
        done[i] = Block(path.name, keys[i], digest, end - begin, count)

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        writing: list[Future[None]] = []  # of the firms before, while the next are matched
        for where, found in matching(list(members)):
            pairs = [pairs_of(h) for h in found]
            for job in writing:  # two lots at once, no more
                job.result()
            writing = [pool.submit(write, i, where, pairs) for i in members[where]]
        for job in writing:
            job.result()


def together(fresh: Sequence[int], ranges: Sequence[Range]) -> list[list[int]]:
    """一起比对的块: neighbours among the blocks to write, so many firms at once that memory stays bounded."""
    out: list[list[int]] = []
    for i in fresh:
        last = out[-1] if out else None
        if last and last[-1] == i - 1 and ranges[i][1] - ranges[last[0]][0] <= TOGETHER:
            last.append(i)
        else:
            out.append([i])
    return out


def _file(number: int) -> str:
    return f"block-{number:05d}.parquet"


def _share(source: Path, target: Path) -> None:
    """One file under two names where the disk can, a copy where it can't."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def read_blocks(folder: Path) -> list[tuple[Block, NDArray[np.int64]]]:
    """读块单: the blocks of a night with their figures by item; empty where the night was kept in another form."""
    path = folder / MANIFEST
    if not path.is_file():
        return []
    blocks = [Block(**plain) for plain in json.loads(path.read_text(encoding="utf-8"))]
    return list(zip(blocks, np.load(folder / "figures.npy"), strict=True))
