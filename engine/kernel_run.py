"""一遍: one plan over one set of columns: planes filled, hits counted, listed and their amounts worked out, in threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.benefit import Calculator, round_fen
from engine.columns import Columns, Floats, Selected
from engine.evaluate import Frame
from engine.kernel_amounts import AmountPlan
from engine.kernel_attach import Attached, plain_planes
from engine.kernel_hits import Ends, Listed, Listing, unpack
from engine.kernel_plan import Plan
from engine.kernel_room import Room
from engine.kernel_shape import ItemOrder, addresses, shape_of
from engine.kernel_texts import Finders
from engine.kernel_threads import each
from engine.matching import FAILS, FITS, OPEN, ItemHits
from engine.nodes import Node
from engine.program import BoundItem

CHUNK = 1 << 17
LITTLE = 100  # comparisons of a block, in less than a tenth of a millisecond
FEW_SORTED = 8  # items that are listed before it is known which of their conditions are rare
PARTS = 4  # of the blocks for each thread, so that one that is held up leaves its rest to the other

Part = tuple[int, int, int, int]


@dataclass(frozen=True)
class Kept:
    """留着的位面: the planes of a run's predicates, for items that come to be matched to the very same columns."""

    columns: Columns
    literals: Mapping[Node, int]
    planes: NDArray[np.uint64]
    finders: Finders


class Run:
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
        self.shape = shape_of(planned, columns, frozenset(self.borrowed))
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
        # amounts are traced by another thread while this one begins to fill the planes, or else after it
        self.planes = self._planes(lambda: self.shape.trace(planned, columns))
        self.amounts: AmountPlan = self.shape.trace(planned, columns)
        for key in self.shape.keys:
            if key not in self.numbers:
                self.numbers[key] = np.ascontiguousarray(columns.numbers[key], np.float64)
        self.pointers = addresses([self.numbers[key] for key in self.shape.keys])
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
        pointers = addresses([self.numbers[key] for key in self.shape.first_keys])
        codes = addresses(columns)
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
    def _order(self) -> ItemOrder:
        """Conditions of each item rarest first, by the share of some blocks' rows where they are possible; the order of
        the first run is kept: it decides how soon an empty block is left, not what is found."""
        if self.shape.order is None:
            self.shape.order = self._rarest_first()
        return self.shape.order

    def _rarest_first(self) -> ItemOrder:
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
        return ItemOrder(np.cumsum([0, *sizes]).astype(np.int64), np.ascontiguousarray(table))

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

        table = Ends(amounts, low_at, high_at, self.amounts.program_of, self.amounts.constant)
        listed = Listed(begins, stops, rows, raw, mask_at.tolist(), widths.tolist(), ends_of, table)
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
