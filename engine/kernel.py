"""快匹配: the answers of `matching.match`, hit for hit and to the bit, by compiled loops over bit planes.

Each distinct predicate is evaluated once per block of rows into two bit planes (possible, surely); items are monotone
programs over them; hits are counted, then listed into exactly sized arrays; amounts are worked out for hits only. What
the kernel has no form for (detail rows, some expressions, answered rows) is left to the plain evaluator and merged.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, partial
from itertools import pairwise
from threading import Lock
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from engine import matching
from engine.benefit import Calculator, round_fen
from engine.columns import Columns, Floats, Key, Selected
from engine.evaluate import Frame
from engine.kernel_plan import (
    AmountPlan,
    Amounts,
    Attached,
    Attacher,
    Finders,
    Plan,
    depth,
    plain_planes,
    plan,
    plannable,
)
from engine.kernel_threads import each, processors
from engine.matching import FAILS, FITS, OPEN, AnswerBook, ItemHits
from engine.nodes import Node
from engine.program import BoundItem

CHUNK = 1 << 17
SMALL = 1 << 20  # elements a kept array may be larger than asked for
SHAPES = 16  # of columns a plan keeps what it found for
LITTLE = 100  # comparisons of a block, in less than a tenth of a millisecond
FEW_SORTED = 8  # items that are listed before it is known which of their conditions are rare
PARTS = 4  # of the blocks for each thread, so that one that is held up leaves its rest to the other
WORTH_COMPILING = 0.5  # seconds of plain work; loading the compiled loops takes about as long
MASKS = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


class PackedHits(ItemHits):
    """紧凑结果: an ItemHits whose unknown conditions are bits of one number a row; unpacked when asked for."""

    def __init__(
        self, item: BoundItem, rows: NDArray[Any], marks: NDArray[Any], low: Floats, high: Floats, soon: bool
    ):
        put = object.__setattr__
        put(self, "item", item.program.item.id)
        put(self, "batch", item.batch.name)
        put(self, "ids", item.ids)
        put(self, "packed_rows", rows)
        put(self, "marks", marks)
        put(self, "low", low)
        put(self, "high", high)
        put(self, "upcoming", soon)

    packed_rows: NDArray[Any]
    marks: NDArray[Any]

    def __len__(self) -> int:
        return len(self.packed_rows)

    @cached_property
    def rows(self) -> NDArray[np.intp]:
        return self.packed_rows.astype(np.intp)

    @cached_property
    def verdict(self) -> NDArray[np.int8]:
        return np.where(self.marks != 0, OPEN, FITS).astype(np.int8)

    @cached_property
    def fails(self) -> NDArray[np.bool_]:
        return np.zeros((len(self), len(self.ids)), bool)

    @cached_property
    def unknown(self) -> NDArray[np.bool_]:
        return unpack(self.marks, len(self.ids))


@dataclass
class Listed:
    """一次列出的: the arrays all hits of a run stand in, item after item, and where each item's begin and end."""

    starts: list[int]
    ends: list[int]
    rows: NDArray[np.int32]
    raw: NDArray[np.uint8]
    mask_at: list[int]
    widths: list[int]
    ends_of: Callable[[int], tuple[Floats, Floats]]


class ListedHits(PackedHits):
    """列出的结果: PackedHits that cut their arrays out of a run's when asked; most nights look at few of many items."""

    def __init__(self, head: Mapping[str, Any], listed: Listed, at: int, soon: bool):
        vars(self).update(head, upcoming=soon, _listed=listed, _at=at)

    _listed: Listed
    _at: int

    def __len__(self) -> int:
        return self._listed.ends[self._at] - self._listed.starts[self._at]

    def __getstate__(self) -> dict[str, Any]:
        """Packed for another process with its own part of the arrays only."""
        for name in ("packed_rows", "marks", "low", "high"):
            getattr(self, name)
        return {**{k: v for k, v in vars(self).items() if k != "_listed"}, "_at": 0, "_listed": self._own()}

    def _own(self) -> Listed:
        n, width = len(self), self._listed.widths[self._at]
        return Listed([0], [n], self.packed_rows, self.marks.view(np.uint8), [0], [width], _none)

    @cached_property
    def packed_rows(self) -> NDArray[np.int32]:  # type: ignore[override]
        return self._listed.rows[self._listed.starts[self._at] : self._listed.ends[self._at]]

    @cached_property
    def marks(self) -> NDArray[Any]:  # type: ignore[override]
        begin, width = self._listed.mask_at[self._at], self._listed.widths[self._at]
        return self._listed.raw[begin : begin + len(self) * width].view(MASKS[width])

    @cached_property
    def _amounts(self) -> tuple[Floats, Floats]:
        return self._listed.ends_of(self._at)

    @cached_property
    def low(self) -> Floats:
        return self._amounts[0]

    @cached_property
    def high(self) -> Floats:
        return self._amounts[1]


class Listing(Sequence[ItemHits]):
    """列出的各事项: the hits of a run's items begin..end, each made when asked for."""

    def __init__(self, heads: Sequence[Mapping[str, Any]], listed: Listed, begin: int, soon: Sequence[bool]):
        self._heads, self._listed, self._begin, self._soon = heads, listed, begin, soon
        self._made: dict[int, ListedHits] = {}

    def __len__(self) -> int:
        return len(self._soon)

    @overload
    def __getitem__(self, at: int) -> ItemHits: ...
    @overload
    def __getitem__(self, at: slice) -> list[ItemHits]: ...
    def __getitem__(self, at: int | slice) -> ItemHits | list[ItemHits]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        place = range(len(self))[at]
        found = self._made.get(place)
        if found is None:
            item = self._begin + place
            found = self._made[place] = ListedHits(self._heads[item], self._listed, item, self._soon[place])
        return found


def _none(at: int) -> tuple[Floats, Floats]:
    raise AssertionError("the ends travel with the hits")


class Room:
    """地方: large arrays, taken again by the next run once nobody holds a view of them: new memory costs as much as
    the work that fills it. Two of a name are kept: one is written into a file while the other is filled."""

    def __init__(self) -> None:
        self._kept: dict[str, list[NDArray[Any]]] = {}
        self._turn = Lock()

    def take(self, name: str, size: int, kind: Any) -> NDArray[Any]:
        """要一块: an array of a size; what stands in it is left over from before."""
        with self._turn:
            kept = self._kept.setdefault(name, [])
            free = [i for i in reversed(range(len(kept))) if sys.getrefcount(kept[i]) <= _UNHELD]
            for i in free:
                if size <= len(kept[i]) <= 4 * size + SMALL:
                    return kept[i][:size]
            if free:
                kept.pop(free[0])
            elif len(kept) > 1:
                kept.pop(0)
            kept.append(np.empty(size, kind))
            return kept[-1][:size]


_UNHELD = 2  # references to an array that a list alone holds, as sys.getrefcount counts


def unpack(marks: NDArray[Any], width: int) -> NDArray[np.bool_]:
    """展开: bits of a number a row as a mask, shape (rows, width)."""
    wide = marks.astype(np.uint64)[:, None]
    return ((wide >> np.arange(width, dtype=np.uint64)) & np.uint64(1)).astype(bool)


def available() -> bool:
    """能否编译: whether the compiled loops can be loaded on this machine."""
    try:
        from engine import kernel_code  # noqa: F401
    except Exception:  # numba raises its own and the system's kinds of errors while loading
        return False
    return True


def warm_up() -> None:
    """预热: loads the compiled loops, and the compiler's own start that the first call of any of them waits for."""
    if available():
        from engine import kernel_code as code

        code.densities(np.zeros((1, 1, 2, code.WORDS), np.uint64), 1, np.zeros(1, np.int64))


def match_fast(
    items: Sequence[BoundItem],
    columns: Columns,
    as_of: date,
    answers: AnswerBook | None = None,
    every: bool = False,
) -> Sequence[ItemHits]:
    """快匹配: what `matching.match` answers, in the order of the items; little work isn't worth loading the compiler."""
    plain_seconds = 5e-4 * len(items) + 1.7e-7 * len(items) * len(columns)
    if plain_seconds < WORTH_COMPILING:
        return matching.match(items, columns, as_of, answers, every)
    return Matcher(items).match(columns, as_of, answers, every)


@dataclass(frozen=True)
class Kept:
    """留着的位面: the planes of a run's predicates, for items that come to be matched to the very same columns."""

    columns: Columns
    literals: Mapping[Node, int]
    planes: NDArray[np.uint64]
    finders: Finders


class Matcher:
    """匹配器: a plan of items, put to as many columns as wanted (chunks of rows, one firm, partitions).

    `keep` keeps the planes of the largest run (two bits a firm and distinct comparison), and `known` are planes another
    matcher kept: a running service matches a changed item by its new comparisons alone, in the `room` that the last such
    item left. `planned` plans in another way than by working it out (see kernel_kept).
    """

    def __init__(
        self,
        items: Sequence[BoundItem],
        threads: int | None = None,
        keep: bool = False,
        known: Kept | None = None,
        planned: Callable[[Sequence[BoundItem]], Plan] | None = None,
        room: Room | None = None,
    ):
        self.items = list(items)
        self.keys = [(item.program.item.id, item.batch.name) for item in self.items]
        self.keep, self._known = keep, known
        self.kept: Kept | None = None
        self.threads = threads or processors()
        self.compiled = available()
        self._fast = [i for i, item in enumerate(self.items) if self.compiled and plannable(item)]
        self.plan = (planned or plan)([self.items[i] for i in self._fast])
        if known is not None:
            self.plan.finders = known.finders
        self._room = room or Room()
        self.aside = Room()

    @cached_property
    def at(self) -> Mapping[tuple[str, str], int]:
        """各事项的位置 among the matcher's items, by item and batch."""
        return {key: i for i, key in enumerate(self.keys)}

    def match(
        self, columns: Columns, as_of: date, answers: AnswerBook | None = None, every: bool = False
    ) -> Sequence[ItemHits]:
        """匹配 (see matching.match)."""
        book = answers or {}
        if not self._fast or type(columns) is not Columns or not len(columns):
            return matching.match(self.items, columns, as_of, book, every)
        known = self._known if self._known is not None and self._known.columns is columns else None
        run = _Run(self.plan, columns, as_of, self.threads, self._room, known)
        if self.keep and (self.kept is None or len(self.kept.columns) <= len(columns)):
            self.kept = Kept(columns, run.literals(), run.planes, self.plan.finders)
        fast: Sequence[ItemHits] = run.every() if every else run.hits()
        if len(self._fast) == len(self.items) and not book:
            return fast
        out: list[ItemHits | None] = [None] * len(self.items)
        for at, hits in zip(self._fast, fast, strict=True):
            out[at] = hits
        slow = [i for i, hits in enumerate(out) if hits is None]
        plain = matching.match([self.items[i] for i in slow], columns, as_of, book, every) if slow else []
        for at, hits in zip(slow, plain, strict=True):
            out[at] = hits
        _patch(self.items, self._fast, out, columns, as_of, book, every)
        return out  # type: ignore[return-value]

    def lots(
        self, columns: Columns, as_of: date, answers: AnswerBook | None, most: int
    ) -> Iterator[Sequence[ItemHits]]:
        """分批匹配: what `match` gives, in its order, as many items at once as have about `most` pairs together.

        What is held while the next but one is asked for takes memory of its own; else two lots share theirs.
        """
        plain = not self._fast or len(self._fast) < len(self.items) or answers
        if plain or type(columns) is not Columns or not len(columns):
            yield self.match(columns, as_of, answers)
            return
        yield from _Run(self.plan, columns, as_of, self.threads, self._room).lots(most)

    def chunks(
        self, columns: Columns, as_of: date, answers: AnswerBook | None = None, size: int = CHUNK
    ) -> Iterator[tuple[int, Sequence[ItemHits]]]:
        """分段匹配: (first row, hits with rows counted from it) for chunks of rows, so that memory stays bounded."""
        for start in range(0, len(columns), size):
            stop = min(start + size, len(columns))
            yield start, self.match(columns.between(start, stop), as_of, answers)


def _patch(
    items: Sequence[BoundItem], fast: Sequence[int], out: list[ItemHits | None], columns: Columns, as_of: date,
    answers: AnswerBook, every: bool,
) -> None:  # fmt: skip
    """Rows that reviewers answered are worked again by the plain evaluator, with the answers."""
    told = answered(answers)
    if not told:
        return
    where = {code: row for row, code in enumerate(columns.codes)}
    for at in fast:
        item, hits = items[at], out[at]
        codes = told.get((item.program.item.id, item.batch.name), ())
        rows = np.array(sorted(where[c] for c in codes if c in where), np.intp)
        if not len(rows) or hits is None:
            continue
        again = matching.match([item], columns.take(rows), as_of, answers, every)[0]
        out[at] = _merged(hits, again, rows)


def _merged(hits: ItemHits, again: ItemHits, rows: NDArray[np.intp]) -> ItemHits:
    """The hits without `rows`, and those rows' new ones, in the order of rows."""
    keep = ~np.isin(hits.rows, rows)
    order = np.argsort(np.concatenate([hits.rows[keep], rows[again.rows]]), kind="stable")

    def joined(one: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
        return np.concatenate([one[keep], other])[order]

    return ItemHits(
        hits.item, hits.batch, hits.ids, joined(hits.rows, rows[again.rows]), joined(hits.verdict, again.verdict),
        joined(hits.low, again.low), joined(hits.high, again.high), joined(hits.fails, again.fails),
        joined(hits.unknown, again.unknown), hits.upcoming,
    )  # fmt: skip


# ---------------------------------------------------------------- one run over one set of columns


@dataclass(frozen=True)
class _Items:
    """The items' conditions as arrays, rarest first: (program, number) and where each item begins."""

    at: NDArray[np.int64]
    conditions: NDArray[np.int64]


class _Shape:
    """一种列: a plan put to columns of one shape: the same dictionary, columns and texts. Kept by the plan, so that
    chunks of rows, changed rows and the next night's columns find everything but the addresses done."""

    def __init__(self, planned: Plan, columns: Columns, skip: frozenset[int] = frozenset()):
        self.kept = (
            columns.dictionary,
            [c.names for c in columns.categories.values()],
        )  # what identities stand for
        self.attacher = Attacher(planned, columns)
        a = self.attached = self.attacher.attach(skip)
        table_at = np.cumsum([0, *(len(t) for t in a.tables)]).astype(np.int64)
        tables = np.concatenate(a.tables) if a.tables else np.zeros(0, np.uint64)
        self.predicates = (
            _table(a.direct, 4), _reals(a.direct_x, 2), _table(a.groups, 3), tables, table_at, _table(a.group_of, 2),
            _table(a.code, 5), np.array(a.code_x, np.float64), _table(a.compared, 9), _table(a.fixed, 3), a.registers,
        )  # fmt: skip
        self.codes = [key for key in self.attacher.coded_keys]
        self.first_keys = list(self.attacher.traced.keys)
        self.amounts: AmountPlan | None = None
        self.amount_tables: tuple[Any, ...] = ()
        self.keys: list[Any] = self.first_keys
        self.order: _Items | None = None
        self.attacher.columns = self.attacher.traced.base = Columns(
            [], columns.dictionary
        )  # no rows are kept alive
        self.program, self.program_at = _ragged(planned.programs)
        self.depth = max((depth(p) for p in planned.programs), default=1)

    def trace(self, planned: Plan, columns: Columns) -> AmountPlan:
        """录数额: once a shape; it reads more columns than the predicates do."""
        if self.amounts is None:
            plan = self.amounts = self._traced(planned, columns)
            self.amount_tables = (
                np.array(plan.program_of, np.int64), _table([c[0] for c in plan.code], 5),
                np.array([c[1] for c in plan.code], np.float64), np.array(plan.code_at, np.int64), plan.registers,
                np.array(plan.low, np.int64), np.array(plan.high, np.int64),
            )  # fmt: skip
        return self.amounts

    def _traced(self, planned: Plan, columns: Columns) -> AmountPlan:
        """The amounts, out of the plan where it brought them for columns like these, else traced and put there."""
        over = "" if planned.traced is None else _columns_digest(columns, self.first_keys)
        if planned.traced is not None and over in planned.traced:
            amounts, self.keys = planned.traced[over]
            return amounts
        self.attacher.traced.base = columns
        amounts = Amounts(planned, self.attacher.traced).build()
        self.keys = list(self.attacher.traced.keys)
        self.attacher.traced.base = Columns([], columns.dictionary)
        if planned.traced is not None:
            planned.traced[over] = amounts, self.keys
        return amounts


def _columns_digest(columns: Columns, first: Sequence[Key]) -> str:
    """What tracing sees of columns: which numbers there are, how indicators are read, and those that are loaded already."""
    loaded = None if columns.loaded is None else sorted(columns.loaded)
    seen = (sorted(columns.dictionary.items()), loaded, sorted(columns.numbers, key=repr), list(first))
    return hashlib.sha256(repr(seen).encode()).hexdigest()


def _shape(planned: Plan, columns: Columns, skip: frozenset[int]) -> _Shape:
    names = tuple((key, id(c.names)) for key, c in columns.categories.items())
    key = (id(columns.dictionary), columns.loaded, tuple(columns.numbers), names, skip)
    found = planned.shapes.get(key)
    if found is None:
        if len(planned.shapes) >= SHAPES:
            planned.shapes.clear()
        found = planned.shapes[key] = _Shape(planned, columns, skip)
    return found


class _Run:
    """One plan over one set of columns."""

    def __init__(
        self,
        planned: Plan,
        columns: Columns,
        as_of: date,
        threads: int,
        room: Room,
        known: Kept | None = None,
    ):
        from engine import kernel_code as code

        self.code: Any = code
        self.plan, self.columns, self.as_of, self.room = planned, columns, as_of, room
        self.known = known
        self.borrowed = (
            {}
            if known is None
            else {
                mine: known.literals[node] for node, mine in self.literals().items() if node in known.literals
            }
        )
        self.shape = _shape(planned, columns, frozenset(self.borrowed))
        self.attached: Attached = self.shape.attached
        self.rows = len(columns)
        self.blocks = (self.rows + code.BLOCK - 1) // code.BLOCK
        self.threads = threads
        self.block_parts, self.parts = _parts(self.blocks, len(planned.items), threads)
        new = len(planned.literals) - len(self.borrowed)
        if self.blocks * new < LITTLE:  # another thread would not have begun before this one was done
            self.block_parts = [(0, self.blocks)]
        if self.blocks * len(planned.items) < LITTLE:
            self.parts = [(0, self.blocks, 0, len(planned.items))]
        self.numbers = {
            key: np.ascontiguousarray(columns.numbers[key], np.float64) for key in self.shape.first_keys
        }
        # amounts are traced while other threads begin to fill the planes
        self.planes = self._planes(lambda: self.shape.trace(planned, columns))
        self.amounts: AmountPlan = self.shape.trace(planned, columns)
        for key in self.shape.keys:
            if key not in self.numbers:
                self.numbers[key] = np.ascontiguousarray(columns.numbers[key], np.float64)
        self.pointers = _pointers([self.numbers[key] for key in self.shape.keys])
        self.order = self._order()

    def literals(self) -> dict[Node, int]:
        """位面的编号 of each comparison."""
        return {
            node: self.plan.literals[predicate]
            for node, predicate in self.plan.predicates.items()
            if predicate in self.plan.literals
        }

    # -- planes
    def _planes(self, meanwhile: Callable[[], object]) -> NDArray[np.uint64]:
        code, literals = self.code, max(len(self.plan.literals), 1)
        flat = self.room.take("planes", self.blocks * literals * 2 * code.WORDS, np.uint64)
        planes = flat.reshape(self.blocks, literals, 2, code.WORDS)
        columns = [
            np.ascontiguousarray(self.columns.categories[key].codes, np.int32) for key in self.shape.codes
        ]
        pointers = _pointers([self.numbers[key] for key in self.shape.first_keys])
        codes = _pointers(columns)
        self._outside(planes)

        def work(begin: int, end: int) -> None:
            code.fill_planes(begin, end, self.rows, planes, pointers, codes, *self.shape.predicates)

        self._each([partial(work, *part) for part in self.block_parts], meanwhile)
        for mine, other in self.borrowed.items():
            assert self.known is not None
            planes[:, mine] = self.known.planes[:, other]
        return planes

    def _outside(self, planes: NDArray[np.uint64]) -> None:
        """Planes of predicates the kernel has no form for, by the plain evaluator, a chunk of rows at a time."""
        nodes = [node for _, node in self.attached.outside]
        if not nodes:
            return
        per = max(CHUNK // self.code.BLOCK, 1)

        def work(begin: int, end: int) -> None:
            for block in range(begin, end, per):
                last = min(block + per, end)
                part = self.columns.between(block * self.code.BLOCK, min(last * self.code.BLOCK, self.rows))
                for (literal, _), packed in zip(
                    self.attached.outside, plain_planes(nodes, part), strict=True
                ):
                    for side in (0, 1):
                        words = np.zeros((last - block) * self.code.WORDS * 8, np.uint8)
                        words[: len(packed[side])] = packed[side]
                        planes[block:last, literal, side] = words.view(np.uint64).reshape(-1, self.code.WORDS)

        self._threaded(work)

    def _threaded(self, work: Callable[[int, int], None]) -> None:
        self._each([partial(work, *part) for part in self.block_parts])

    def _each(
        self, jobs: Sequence[Callable[[], None]], meanwhile: Callable[[], object] | None = None
    ) -> None:
        each(jobs, self.threads, meanwhile)

    # -- items
    def _order(self) -> _Items:
        """Conditions of each item rarest first, by the share of some blocks' rows where they are possible; the order of
        the first run is kept: it decides how soon an empty block is left, not what is found."""
        if self.shape.order is None:
            self.shape.order = self._rarest_first()
        return self.shape.order

    def _rarest_first(self) -> _Items:
        rare = np.zeros(len(self.plan.programs) or 1)
        if len(self.plan.items) >= FEW_SORTED:
            sample = np.unique(np.linspace(0, self.blocks - 1, min(self.blocks, 4)).astype(np.int64))
            share = self.code.densities(self.planes, self.rows, sample)
            rare = np.array([_share(p, share) for p in self.plan.programs] or [0.0])
        flat: list[int] = []
        numbers: list[int] = []
        sizes: list[int] = []
        for conditions in self.plan.items:
            sizes.append(len(conditions))
            flat += conditions
            numbers += range(len(conditions))
        owner = np.repeat(np.arange(len(sizes)), sizes)
        programs = np.array(flat, np.int64)
        order = np.lexsort((rare[programs] if len(programs) else programs, owner))
        table = np.stack([programs, np.array(numbers, np.int64)], axis=1)[order]
        return _Items(np.cumsum([0, *sizes]).astype(np.int64), np.ascontiguousarray(table))

    def _item_args(self) -> tuple[Any, ...]:
        return (
            self.rows,
            self.planes,
            self.order.at,
            self.order.conditions,
            self.shape.program,
            self.shape.program_at,
            self.shape.depth,
        )

    def hits(self) -> Listing:
        """Hits of each planned item."""
        found = self._list(0, len(self.plan.items), *self._count())
        del self.planes  # the hits keep this run alive for their amounts, not its planes
        return found

    def lots(self, most: int) -> Iterator[Listing]:
        """Hits of each planned item, as many items at once as have about `most` together."""
        counted = self._count()
        _, starts, ends = counted
        for begin, end in _lots((ends - starts[0]).tolist(), most):
            yield self._list(begin, end, *counted)
        del self.planes

    def _list(
        self, begin: int, end: int, counts: NDArray[np.uint16], starts: NDArray[np.int64], ends: NDArray[np.int64]
    ) -> Listing:  # fmt: skip
        """Hits of the items begin..end, counted already; the others have no place in the arrays."""
        inside = np.zeros(len(ends), bool)
        inside[begin:end] = True
        base = starts[0, begin] if len(ends) else 0
        first, ends = (np.where(inside, at - base, 0) for at in (starts[0], ends))
        widths, mask_at, size = _mask_places([len(c) for c in self.plan.items], first, ends)
        rows = self.room.take("rows", int(ends[end - 1]) if len(ends) else 0, np.int32)
        raw = self.room.take("marks", size, np.uint8)
        shift = mask_at - first * widths
        low_at, high_at, amounts = self._amount_room(first, ends)

        def work(part: int) -> None:
            top, bottom, left, right = self.parts[part]
            if max(left, begin) < min(right, end):
                self.code.list_hits(
                    top, bottom, max(left, begin), min(right, end), *self._item_args(), counts, starts[part] - base, rows,
                    raw, shift, widths, self.pointers, *self.shape.amount_tables, low_at, high_at, amounts,
                )  # fmt: skip

        self._each([partial(work, p) for p in range(len(self.parts))])
        begins, stops = first.tolist(), ends.tolist()

        def ends_of(i: int) -> tuple[Floats, Floats]:
            a, b = begins[i], stops[i]
            return self._ends(i, a, b, low_at, high_at, amounts, rows[a:b])

        listed = Listed(begins, stops, rows, raw, mask_at.tolist(), widths.tolist(), ends_of)
        soon = [opens > self.as_of for opens in self.plan.opens[begin:end]]
        return Listing(self.plan.heads, listed, begin, soon)

    def _count(self) -> tuple[NDArray[np.uint16], NDArray[np.int64], NDArray[np.int64]]:
        """Hits by block and item; where each thread's part of each item begins; where each item ends."""
        n = len(self.plan.items)
        counts = np.zeros((self.blocks, n), np.uint16)
        totals = np.zeros((len(self.parts), n), np.int64)

        def work(part: int) -> None:
            self.code.count_hits(*self.parts[part], *self._item_args(), counts, totals[part])

        self._each([partial(work, p) for p in range(len(self.parts))])
        ends = np.cumsum(totals.sum(0))
        first = ends - totals.sum(0)
        starts = first + np.cumsum(totals, axis=0) - totals
        return counts, np.ascontiguousarray(starts), ends

    # -- amounts
    def _amount_room(
        self, starts: NDArray[np.int64], ends: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
        """Where each item's low and high ends go, less where its hits begin, and the room for all of them."""
        program_of, *_, lows, highs = self.shape.amount_tables
        worked = program_of >= 0
        two = np.zeros(len(program_of), bool)
        two[worked] = (lows != highs)[program_of[worked]]
        n = np.where(worked, ends - starts, 0)
        sizes = n + np.where(two, n, 0)
        low_at = np.cumsum(sizes) - sizes - starts
        high_at = np.where(two, low_at + n, low_at)
        return low_at, high_at, self.room.take("amounts", int(sizes.sum()), np.float64)

    def _ends(
        self, item: int, begin: int, end: int, low_at: NDArray[np.int64], high_at: NDArray[np.int64], amounts: Floats,
        rows: NDArray[np.int32],
    ) -> tuple[Floats, Floats]:  # fmt: skip
        """Low and high of an item's hits begin..end."""
        program = self.amounts.program_of[item]
        if program >= 0:
            low, high = int(low_at[item]), int(high_at[item])
            return amounts[low + begin : low + end], amounts[high + begin : high + end]
        if program == -1:
            low_end, high_end = self.amounts.constant[item]
            return np.broadcast_to(np.float64(low_end), end - begin), np.broadcast_to(
                np.float64(high_end), end - begin
            )
        return plain_amounts(self.plan.bound[item], self.columns, rows)

    # -- every pair
    def every(self) -> list[ItemHits]:
        """All pairs of each planned item, with what fails."""
        n = len(self.plan.items)
        fails, unknown = np.empty((n, self.rows), np.uint64), np.empty((n, self.rows), np.uint64)

        def work(begin: int, end: int) -> None:
            self.code.list_every(begin, end, *self._item_args(), fails, unknown)

        self._threaded(work)
        hit = [np.flatnonzero(fails[i] == 0).astype(np.int32) for i in range(n)]
        at = np.cumsum([0, *(len(h) for h in hit)]).astype(np.int64)
        flat = np.concatenate(hit) if hit else np.zeros(0, np.int32)
        low_at, high_at, amounts = self._amount_room(at[:-1], at[1:])
        self.code.amounts(
            at, flat, self.planes, self.pointers, *self.shape.amount_tables, low_at, high_at, amounts
        )  # fmt: skip
        out = []
        for i in range(n):
            ends = self._ends(i, int(at[i]), int(at[i + 1]), low_at, high_at, amounts, hit[i])
            out.append(self._all_pairs(i, fails[i], unknown[i], hit[i], *ends))
        return out

    def _all_pairs(
        self, i: int, fails: NDArray[np.uint64], unknown: NDArray[np.uint64], hit: NDArray[np.int32], low: Floats,
        high: Floats,
    ) -> ItemHits:  # fmt: skip
        item = self.plan.bound[i]
        ends = np.full((2, self.rows), np.nan)
        ends[0, hit], ends[1, hit] = low, high
        verdict = np.where(fails != 0, FAILS, np.where(unknown != 0, OPEN, FITS)).astype(np.int8)
        width = len(item.ids)
        return ItemHits(
            item.program.item.id, item.batch.name, item.ids, np.arange(self.rows), verdict, ends[0], ends[1],
            unpack(fails, width), unpack(unknown, width), item.batch.opens > self.as_of,
        )  # fmt: skip


def plain_amounts(item: BoundItem, columns: Columns, rows: NDArray[Any]) -> tuple[Floats, Floats]:
    """照读的数额 of some rows, by the reference calculator."""
    assert item.benefit is not None
    part = Frame(Selected(columns, rows.astype(np.intp)))
    amount = Calculator(part, item.benefit, {}).grant().capped
    return round_fen(amount.low), round_fen(amount.high)


# ---------------------------------------------------------------- arrays


Part = tuple[int, int, int, int]


def _parts(blocks: int, items: int, threads: int) -> tuple[list[tuple[int, int]], list[Part]]:
    """Blocks, and blocks with items (from, to, from, to), for the threads to take in turn; with few blocks the items
    are shared out instead."""
    many = blocks >= 2 * threads
    by_block = _shares(blocks, 1 if threads == 1 else threads * PARTS if many else threads)
    if many or threads == 1:
        return by_block, [(*part, 0, items) for part in by_block]
    return by_block, [(0, blocks, *part) for part in _shares(items, threads)]


def _shares(size: int, count: int) -> list[tuple[int, int]]:
    edges = np.linspace(0, size, min(count, max(size, 1)) + 1).astype(int)
    return [(int(a), int(b)) for a, b in pairwise(edges)]


def _lots(sizes: Sequence[int], most: int) -> Iterator[tuple[int, int]]:
    """Runs of items (from, to) that have about so much together, at least one item each."""
    begin = size = 0
    for i, own in enumerate(sizes):
        if i > begin and size + own > most:
            yield begin, i
            begin, size = i, 0
        size += own
    if begin < len(sizes):
        yield begin, len(sizes)


def _pointers(arrays: Sequence[NDArray[Any]]) -> NDArray[np.int64]:
    return np.array([a.ctypes.data for a in arrays], np.int64)


def _table(rows: Sequence[Sequence[int]], width: int) -> NDArray[np.int64]:
    return np.array(rows, np.int64).reshape(-1, width)


def _reals(rows: Sequence[Sequence[float]], width: int) -> NDArray[np.float64]:
    return np.array(rows, np.float64).reshape(-1, width)


def _ragged(lists: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    flat = [x for part in lists for x in part] or [0]
    return np.array(flat, np.int64), np.cumsum([0, *(len(part) for part in lists)]).astype(np.int64)


def _share(program: Sequence[int], density: NDArray[np.float64]) -> float:
    """An estimate of how often a condition is possible: products for and, sums for or."""
    stack: list[float] = []
    for op in program:
        if op >= 0:
            stack.append(float(density[op]))
        else:
            b, a = stack.pop(), stack.pop()
            stack.append(min(a, b) if op == -1 else a + b)
    return stack[0]


def _mask_places(
    conditions: Sequence[int], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Bytes a mask of each item takes, the byte where its masks begin (aligned), and the bytes of all."""
    widths = np.array([1 if c <= 8 else 2 if c <= 16 else 4 if c <= 32 else 8 for c in conditions], np.int64)
    sizes = (widths * (ends - starts) + 7) // 8 * 8
    begins = np.cumsum(sizes) - sizes
    return widths, begins, int(sizes.sum())


def answered(answers: AnswerBook) -> Mapping[tuple[str, str], set[str]]:
    """已答复: enterprises with an answer, by item and batch."""
    out: dict[tuple[str, str], set[str]] = {}
    for (name, batch, _), given in answers.items():
        out.setdefault((name, batch), set()).update(given)
    return out
