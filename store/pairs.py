"""成对结果文件: pairs of firms and items as a Parquet file, encoded by compiled loops from the matcher's own arrays.

Arrow would need every pair's texts, lists and levels as arrays first: some thirty seconds of processor time for sixty
million pairs, where this takes about one. The file is ordinary Parquet: a row group holds some items' pairs, items then
firms; a page one item's.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from engine.kernel import available
from engine.kernel_hits import PackedHits
from engine.kernel_room import Room
from engine.matching import VERDICTS, ItemHits
from store.parquet_footer import (
    BYTE_ARRAY,
    DOUBLE,
    MAGIC,
    Chunk,
    Field,
    Group,
    Struct,
    dictionary_page,
    footer,
    plain_texts,
)  # fmt: skip
from store.straight_file import StraightFile, file_hash

EXPECTED = 16  # bytes a pair takes, about
GROUP_ROWS = 1 << 23  # pairs of a row group: its buffers are the writer's memory
NONE = np.zeros(0, np.int32)
_NAN = float("nan")
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Pairs:
    """一事项的对子: rows of the firms, masks as bytes (None: no bit set), verdicts where the mask does not tell, and
    numbers by column, each an array or one number for all pairs (NaN: null)."""

    item: str
    batch: str
    ids: tuple[str, ...]
    rows: NDArray[np.int32]
    unknown: NDArray[np.uint8] | None
    fails: NDArray[np.uint8] | None
    verdict: NDArray[np.int8] | None
    numbers: dict[str, Numbers | float]
    texts: dict[str, tuple[NDArray[np.int32], tuple[str, ...]]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def width(self) -> int:
        """掩码字节数 of a pair."""
        return (
            0
            if self.unknown is None or not len(self)
            else self.unknown.dtype.itemsize * self.unknown.size // len(self)
        )


def pairs_of(hits: ItemHits) -> Pairs:
    """取对子 of the matcher's hits; the compiled one's arrays are taken as they are."""
    low, high = _ends(hits.low), _ends(hits.high)
    numbers = {"amount_low": low, "amount_high": high}
    if isinstance(hits, PackedHits):
        rows = np.ascontiguousarray(hits.packed_rows, np.int32)
        marks = np.ascontiguousarray(hits.marks)
        return Pairs(hits.item, hits.batch, hits.ids, rows, marks, None, None, numbers)
    return Pairs(
        hits.item, hits.batch, hits.ids, hits.rows.astype(np.int32), _bits(hits.unknown), _bits(hits.fails),
        np.ascontiguousarray(hits.verdict, np.int8), numbers,
    )  # fmt: skip


def _bits(mask: NDArray[np.bool_]) -> NDArray[np.uint8] | None:
    return np.packbits(mask, axis=1, bitorder="little") if mask.any() else None


def _ends(values: Numbers) -> Numbers | float:
    """One number where all pairs have it: the matcher says so by a stride of nothing."""
    if len(values) and values.strides == (0,):
        return float(values[0])
    return np.ascontiguousarray(values, np.float64)


# ---------------------------------------------------------------- columns


@dataclass(frozen=True)
class Part:
    """一个行组的对子, with the addresses the compiled loops read, and room for what they write."""

    pairs: Sequence[Pairs]
    room: Room = field(default_factory=Room)
    expected: int = 0  # bytes that it and the rest of its lot are likely to take

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        return np.array([len(p) for p in self.pairs], np.int64)

    @property
    def size(self) -> int:
        return int(self.counts.sum())

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        return addresses([p.rows for p in self.pairs])

    @cached_property
    def marks(self) -> NDArray[np.int64]:
        return addresses([p.unknown for p in self.pairs])

    @cached_property
    def widths(self) -> NDArray[np.int64]:
        return np.array([p.width for p in self.pairs], np.int64)

    @cached_property
    def verdicts(self) -> NDArray[np.int64]:
        return addresses([p.verdict for p in self.pairs])

    def masks(self, name: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """掩码 of what is unknown or what fails: addresses, and bytes of a mask."""
        some = [p.unknown if name == "unknown" else p.fails for p in self.pairs]
        widths = [
            0 if m is None or not len(p) else m.nbytes // len(p)
            for m, p in zip(some, self.pairs, strict=True)
        ]
        return addresses(some), np.array(widths, np.int64)

    def numbers(self, name: str) -> tuple[NDArray[np.int64], Numbers]:
        """数额 of a column: addresses, and where there is none the number that all pairs have."""
        values = [p.numbers.get(name, _NAN) for p in self.pairs]
        arrays = addresses([v if isinstance(v, np.ndarray) else None for v in values])
        return arrays, np.array([v if isinstance(v, float) else _NAN for v in values], np.float64)

    def texts(self, name: str) -> Sequence[tuple[NDArray[np.int32], tuple[str, ...]] | None]:
        """文本 of a column, None for none."""
        return [p.texts.get(name) for p in self.pairs]

    def each(self) -> Sequence[Pairs]:
        """逐个事项的对子, with their verdicts at least."""
        return self.pairs

    def is_copy(self, column: Column) -> bool:
        """Whether all pairs have in a column what they have in the one it is like."""
        return column.is_copy(self.pairs[0])


def addresses(arrays: Sequence[NDArray[Any] | None]) -> NDArray[np.int64]:
    """地址 of arrays; 0 for none."""
    return np.array(
        [0 if a is None or not a.size else a.__array_interface__["data"][0] for a in arrays], np.int64
    )


class Column:
    """一列: how its chunk of a row group is encoded; `like` names a column that may hold the very same."""

    def __init__(self, name: str, type: int = BYTE_ARRAY, is_list: bool = False, like: str = ""):
        self.field, self.like = Field(name, type, is_list), like

    def is_copy(self, p: Pairs) -> bool:
        """Whether an item's pairs have here what they have in the column `like`; then it is written once."""
        return False

    def chunk(self, part: Part) -> Chunk:
        raise NotImplementedError

    def array(self, p: Pairs) -> pa.Array:
        """Arrow 数组 of one item's pairs: the readable form of `chunk`."""
        raise NotImplementedError


class Firms(Column):
    """企业的文本: one text a firm, such as its code; `base` is the number of the first firm. Texts that are not `unique`
    are written once: Arrow takes a dictionary for a set."""

    def __init__(self, name: str, texts: pa.Array, base: int = 0, unique: bool = False):
        super().__init__(name)
        self.texts, self.base, self.place = texts, base, NONE
        if not unique:
            encoded = texts.fill_null("").dictionary_encode()
            self.texts, self.place = encoded.dictionary, encoded.indices.to_numpy().astype(np.int32)

    def array(self, p: Pairs) -> pa.Array:
        rows = p.rows - self.base
        return self.texts.take(pa.array(self.place[rows] if len(self.place) else rows))

    @cached_property
    def whole(self) -> bytes:
        return _texts_page(self.texts)

    def chunk(self, part: Part) -> Chunk:
        from store import pair_code as code

        n, firms = len(self.texts), max(len(self.place), len(self.texts))
        seen = np.zeros(firms, np.bool_)
        code.seen_rows(part.counts, part.rows, self.base, seen)
        if len(self.place):
            texts = np.zeros(n, np.bool_)
            texts[self.place[seen]] = True
            seen = texts
        used = int(seen.sum())
        page, place = (self.whole, self.place) if used * 4 >= n * 3 else (None, NONE)
        if page is None:  # few firms have pairs: only their texts are written
            place = (np.cumsum(seen) - 1).astype(np.int32)
            place = place[self.place] if len(self.place) else place
            page, n = _texts_page(self.texts.filter(_flags(seen))), used
        width = max(n - 1, 1).bit_length()
        return _index_chunk(part, self.field.name, page, part.rows, None, width, self.base, place)


class Items(Column):
    """事项的文本: one text an item, such as its number."""

    def __init__(self, name: str, of: Callable[[Pairs], str]):
        super().__init__(name)
        self.of = of

    def array(self, p: Pairs) -> pa.Array:
        return pa.array([self.of(p)] * len(p), pa.string())

    def chunk(self, part: Part) -> Chunk:
        numbers: dict[str, int] = {}
        which = [numbers.setdefault(self.of(p), len(numbers)) for p in part.pairs]
        page = dictionary_page(len(numbers), plain_texts(list(numbers)))
        width = max(len(numbers) - 1, 1).bit_length()
        some = [self.of(p).encode() for p, n in zip(part.pairs, part.counts.tolist(), strict=True) if n]
        chunk = _index_chunk(part, self.field.name, page, None, which, width)
        least, most = (min(some).decode(), max(some).decode()) if some else (None, None)
        return Chunk(chunk.dictionary, chunk.pages, chunk.levels, least, most)


class Remarks(Column):
    """对子的文本: a text of few pairs, empty for the rest."""

    def array(self, p: Pairs) -> pa.Array:
        which, words = p.texts.get(self.field.name, (np.zeros(len(p), np.int32), ("",)))
        return pa.array(list(words), pa.string()).take(pa.array(which))

    def chunk(self, part: Part) -> Chunk:
        numbers = {"": 0}
        arrays: list[NDArray[np.int32] | None] = []
        for given in part.texts(self.field.name):
            if given is None:
                arrays.append(None)
                continue
            at = np.array([numbers.setdefault(t, len(numbers)) for t in given[1]], np.int32)
            arrays.append(np.ascontiguousarray(at[given[0]], np.int32))
        page = dictionary_page(len(numbers), plain_texts(list(numbers)))
        width = max(len(numbers) - 1, 1).bit_length()
        return _index_chunk(part, self.field.name, page, addresses(arrays), [0] * len(arrays), width)


class Verdicts(Column):
    """结论."""

    page = dictionary_page(len(VERDICTS), plain_texts([v.value for v in VERDICTS]))

    def array(self, p: Pairs) -> pa.Array:
        numbers = (
            p.verdict if p.verdict is not None else np.asarray(_bytes(p.unknown, p).any(axis=1), np.int8)
        )
        return pa.array([VERDICTS[v].value for v in numbers], pa.string())

    def chunk(self, part: Part) -> Chunk:
        from store import pair_code as code

        out = part.room.take(self.field.name, part.size // 4 + (code.HEAD + 2) * len(part.pairs), np.uint8)
        size = code.verdict_pages(part.counts, part.verdicts, part.marks, part.widths, out)
        return Chunk(self.page, out.data[:size], part.size)


class Amounts(Column):
    """数额: a number a pair, null where unknown."""

    def __init__(self, name: str, like: str = ""):
        super().__init__(name, DOUBLE, like=like)

    def is_copy(self, p: Pairs) -> bool:
        return bool(self.like) and p.numbers.get(self.field.name) is p.numbers.get(self.like)

    def array(self, p: Pairs) -> pa.Array:
        value = p.numbers.get(self.field.name, float("nan"))
        wide = np.full(len(p), value) if isinstance(value, float) else value
        return pa.array(wide, pa.float64(), from_pandas=True)

    def chunk(self, part: Part) -> Chunk:
        from store import pair_code as code

        arrays, alone = part.numbers(self.field.name)
        numbers: dict[bytes, int] = {}  # by their bytes, for 0 and -0 are equal
        which = np.full(len(arrays), -1, np.int64)
        for i in np.flatnonzero((arrays == 0) & ~np.isnan(alone) & (part.counts > 0)).tolist():
            which[i] = numbers.setdefault(struct.pack("<d", alone[i]), len(numbers))
        width = max(len(numbers) - 1, 1).bit_length()
        plain = int(part.counts[arrays != 0].sum())
        out = part.room.take(self.field.name, plain * 9 + code.HEAD * len(arrays), np.uint8)
        size = code.number_pages(part.counts, arrays, which, width, out)
        page = dictionary_page(len(numbers), b"".join(numbers)) if numbers else b""
        return Chunk(page, out.data[:size], part.size)


class Ids(Column):
    """编号列表: the ids a mask marks, in the rule's order."""

    def __init__(self, name: str, mask: Callable[[Pairs], NDArray[np.uint8] | None]):
        super().__init__(name, is_list=True)
        self.mask = mask

    def array(self, p: Pairs) -> pa.Array:
        bits = np.unpackbits(_bytes(self.mask(p), p), axis=1, bitorder="little")
        lists = [[p.ids[j] for j in np.flatnonzero(row)] for row in bits]
        return pa.array(lists, pa.list_(pa.string()))

    def chunk(self, part: Part) -> Chunk:
        from store import pair_code as code

        marks, widths = part.masks(self.field.name)
        ones, levels = np.zeros_like(part.counts), np.zeros_like(part.counts)
        code.count_marks(part.counts, marks, widths, ones, levels)
        numbers: dict[str, int] = {}
        flat: list[int] = []
        starts = np.zeros(len(marks), np.int64)
        begins: dict[tuple[str, ...], int] = {}  # many items number their conditions alike
        for i in np.flatnonzero(ones).tolist():
            ids = part.pairs[i].ids
            if ids not in begins:
                begins[ids] = len(flat)
                flat += [numbers.setdefault(name, len(numbers)) for name in ids]
            starts[i] = begins[ids]
        width = max(len(numbers) - 1, 1).bit_length()
        total = int(levels.sum())
        size = total // 2 + int(ones.sum()) * width // 8 + (code.HEAD + width + 8) * len(marks)
        out = part.room.take(self.field.name, size, np.uint8)
        size = code.list_pages(
            part.counts, marks, widths, ones, levels, np.array([*flat, 0], np.int64),
            starts, width, out,
        )  # fmt: skip
        page = dictionary_page(len(numbers), plain_texts(list(numbers))) if numbers else b""
        return Chunk(page, out.data[:size], total)


def _bytes(mask: NDArray[np.uint8] | None, p: Pairs) -> NDArray[np.uint8]:
    """A mask as bytes, shape (pairs, bytes of a mask)."""
    if mask is None or not len(p):
        return np.zeros((len(p), 0), np.uint8)
    return np.ascontiguousarray(mask).view(np.uint8).reshape(len(p), -1)


def arrow_table(columns: Sequence[Column], pairs: Sequence[Pairs]) -> pa.Table:
    """成对结果 as an Arrow table: what `write_pairs` writes, by nothing compiled."""
    lists = pa.list_(pa.string())
    kinds = [
        lists if c.field.is_list else pa.float64() if c.field.type == DOUBLE else pa.string() for c in columns
    ]
    schema = pa.schema([(c.field.name, kind) for c, kind in zip(columns, kinds, strict=True)])
    tables = [pa.table([c.array(p) for c in columns], schema=schema) for p in pairs]
    return pa.concat_tables(tables) if tables else schema.empty_table()


def _flags(flags: NDArray[np.bool_]) -> pa.Array:
    """是否列: what `pa.array` makes of flags, which loads pandas where it is installed, for a third of a second."""
    return pa.Array.from_buffers(
        pa.bool_(), len(flags), [None, pa.py_buffer(np.packbits(flags, bitorder="little"))]
    )


def _texts_page(texts: pa.Array) -> bytes:
    from store import pair_code as code

    plain = texts.cast(pa.large_string())
    if plain.null_count:  # asked first: filling loads pandas where it is installed, for a third of a second
        plain = plain.fill_null("")
    _, offsets, data = plain.buffers()
    ends = np.frombuffer(offsets, np.int64)[plain.offset : plain.offset + len(plain) + 1]
    letters = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)
    out = np.empty(int(ends[-1] - ends[0]) + 4 * len(plain), np.uint8)
    code.text_values(ends, letters, out)
    return dictionary_page(len(plain), out.tobytes())


def _index_chunk(
    part: Part, name: str, page: bytes, arrays: NDArray[np.int64] | None, which: Sequence[int] | None, width: int,
    base: int = 0, place: NDArray[np.int32] = NONE,
) -> Chunk:  # fmt: skip
    from store import pair_code as code

    n = len(part.pairs)
    arrays = np.zeros(n, np.int64) if arrays is None else arrays
    constants = np.zeros(n, np.int64) if which is None else np.array(which, np.int64)
    packed = int(part.counts[arrays != 0].sum())
    out = part.room.take(name, packed * width // 8 + (code.HEAD + width) * n, np.uint8)
    size = code.index_pages(part.counts, arrays, constants, width, base, place, out)
    return Chunk(page, out.data[:size], part.size)


# ---------------------------------------------------------------- files


def pair_columns(codes: pa.Array, base: int = 0) -> list[Column]:
    """结果的列 of `huiqi match` (the command contract)."""
    return [
        Firms("统一社会信用代码", codes, base, unique=True),
        Items("item", lambda p: p.item),
        Items("batch", lambda p: p.batch),
        Verdicts("verdict"),
        Amounts("amount_low"),
        Amounts("amount_high"),
        Ids("fails", lambda p: p.fails),
        Ids("unknown", lambda p: p.unknown),
        Amounts("score"),
    ]


def grouped(
    pairs: Sequence[Pairs], columns: Sequence[Column] = (), most: int | None = None
) -> Iterator[list[Pairs]]:
    """分行组: runs of items with about so many pairs together, in which the same columns stand for others."""
    group: list[Pairs] = []
    size = 0
    kind: list[bool] = []
    for one in pairs:
        own = [column.is_copy(one) for column in columns]
        if group and (size + len(one) > (most or GROUP_ROWS) or own != kind):
            yield group
            group, size = [], 0
        group.append(one)
        kind = own
        size += len(one)
    if group:
        yield group


def write_pairs(
    path: Path, columns: Sequence[Column], pairs: Sequence[Pairs], threads: int = 1, hashed: bool = False,
    room: Room | None = None,
) -> tuple[int, str]:  # fmt: skip
    """写成对结果: returns the number of pairs and, where it is `hashed`, the file's SHA-256. Besides the pairs, two row
    groups at most are in memory."""
    if not available():  # nothing can be compiled here: the same table by Arrow
        table = arrow_table(columns, pairs)
        pq.write_table(table, path, compression="zstd", store_schema=False)
        return len(table), file_hash(path) if hashed else ""
    return write_lots(path, columns, iter([pairs]), threads, hashed, room)


def write_lots(
    path: Path, columns: Sequence[Column], lots: Iterator[Sequence[Pairs]], threads: int = 1, hashed: bool = False,
    room: Room | None = None,
) -> tuple[int, str]:  # fmt: skip
    """写一批批的成对结果 by the compiled writer, which has to be there; nothing is held of a lot that is written."""
    return write_parts(path, columns, _parts(lots, columns, room or Room()), threads, hashed)


def write_parts(
    path: Path, columns: Sequence[Column], parts: Iterator[Part], threads: int = 1, hashed: bool = False
) -> tuple[int, str]:
    """写一个个行组, each with a pair at least (see write_lots)."""
    first = next(parts, None)
    at, total, groups = len(MAGIC), 0, []
    with (
        StraightFile(path, first.expected if first else 0, hashed) as file,
        ThreadPoolExecutor(max(threads, 1)) as pool,
        ThreadPoolExecutor(1) as writer,
    ):
        file.put(MAGIC)
        writing: list[Future[None]] = []
        part = first
        while part is not None:
            stands_for = _stands_for(columns, part)
            jobs = [(mine, pool.submit(mine[0].chunk, part)) for mine in stands_for]
            _finish(writing)
            begin = at
            written: dict[str, Struct] = {}
            for mine, job in jobs:
                chunk = job.result()
                written |= {c.field.name: chunk.metadata(c.field, at) for c in mine}
                writing += [writer.submit(file.put, chunk.dictionary), writer.submit(file.put, chunk.pages)]
                at += chunk.size
            groups.append(Group(part.size, at - begin, [written[c.field.name] for c in columns]))
            total += part.size
            first = part = None  # let go before the next is made: it takes the place of the one before
            jobs.clear()
            part = next(parts, None)
        _finish(writing)
        file.put(footer([c.field for c in columns], groups))
    return total, file.digest


def _parts(lots: Iterator[Sequence[Pairs]], columns: Sequence[Column], room: Room) -> Iterator[Part]:
    """Row groups of the lots, one after another, with room to encode them in."""
    copies = [c for c in columns if c.like]
    for lot in lots:
        left = sum(len(p) for p in lot)
        groups = list(grouped([p for p in lot if len(p)], copies))
        del lot
        while groups:
            group = groups.pop(0)
            part = Part(group, room, left * EXPECTED)
            left -= part.size
            del group
            yield part
            del part


def _stands_for(columns: Sequence[Column], part: Part) -> list[list[Column]]:
    """The columns to encode, each with those that its bytes stand for too: a reader goes where a column's metadata points."""
    found = {c.field.name: [c] for c in columns if not part.is_copy(c)}
    for column in columns:
        if part.is_copy(column):
            found[column.like].append(column)
    return list(found.values())


def _finish(writing: list[Future[None]]) -> None:
    for one in writing:
        one.result()
    writing.clear()
