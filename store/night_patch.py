"""补一层: pairs of the firms and items that changed since the night before, and what they change in its figures.

Nothing of the night before is read but its index: what its pairs were is matched again from what it was made of.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from engine.columns import Categories, Columns
from engine.kernel import match_fast
from engine.kernel_facts import taken
from engine.matching import AnswerBook, ItemHits
from engine.program import BoundItem
from profiles.firmcodes import FirmCodes, arrow_codes
from store import faults
from store.block_pairs import (
    Paid,
    Tally,
    Who,
    both,
    comings,
    firm_marks,
    firm_names,
    firms_at,
    moved,
    night_columns,
    paid_pairs,
    payments_of,
    picked,
    tally,
)  # fmt: skip
from store.listed_pairs import Head, ListedPart, parts_of
from store.night_facts import Known, read_facts, write_facts
from store.night_index import LAYERS, Block, ItemKey, Kept, Layer, Made, keep_layer, read_paid
from store.night_plans import planned_matcher
from store.pairs import NONE, Column, Pairs, Part, grouped, pairs_of, write_pairs, write_parts

Rows = NDArray[np.int64]
Marks = NDArray[np.uint64]
Range = tuple[int, int]


@dataclass(frozen=True)
class Earlier:
    """上一夜: its folder, and what it was made of; each is asked for only where it is needed."""

    folder: Path
    items: Callable[[Collection[str]], Sequence[BoundItem]]  # those of some ids
    rows: Callable[
        [Rows, Collection[str] | None], Columns
    ]  # what is known of some, of some indicators or all
    answers: Callable[[], AnswerBook]
    as_of: date
    same: bool = False  # whether tonight's firms, facts and answers are known to be that night's


@dataclass(frozen=True)
class Some:
    """几家企业: their rows (ascending), what is known of them (their name aside), codes and names, and marks."""

    rows: Rows
    columns: Columns
    who: Who
    marks: Marks

    def of(self, rows: Rows) -> Some:
        """其中几家."""
        if len(rows) == len(self.rows):
            return self
        at = np.searchsorted(self.rows, rows)
        codes, names = (texts.take(pa.array(at)) for texts in self.who)
        return Some(rows, taken(self.columns, at.astype(np.intp)), (codes, names), self.marks[at])


@dataclass(frozen=True)
class Now:
    """这一夜: what it is made of."""

    items: Sequence[BoundItem]
    keys: Sequence[ItemKey]
    columns: Columns
    as_of: date
    answers: AnswerBook
    paid: Paid
    made: Made | None = None

    def some(self, rows: Rows, names: Collection[str]) -> Some:
        """几家企业, with what is known of them of some indicators."""
        columns, who = self.columns, firms_at(self.columns, rows)
        part = replace(
            columns,
            numbers={k: columns.numbers[k] for k in columns.numbers if k[0] in names},
            categories={k: columns.categories[k] for k in columns.categories if k[0] in names},
            lists={k: columns.lists[k] for k in columns.lists if k[0] in names},
        )
        return Some(rows, taken(part, rows.astype(np.intp)), who, firm_marks(*who))


@dataclass
class Patch:
    """一层要补的: blocks of tonight with their rows and their place in the night before, and rows of each that changed."""

    now: Now
    earlier: Earlier
    before: Kept
    blocks: Sequence[int]
    ranges: Sequence[Range]
    was: Sequence[int]
    changed: Sequence[NDArray[np.int32]]
    keys: Sequence[str]  # of the blocks
    touched: frozenset[str]  # items (see `changed_items`)
    reads: Collection[str]  # indicators that tonight's items read
    facts: bool  # whether what is known of the changed firms is kept for the next night
    may_differ: Some | None = None  # the changed firms, and maybe others, where they are taken already
    coming: dict[str, int] = field(default_factory=dict)  # 新符合 by item
    going: dict[str, int] = field(default_factory=dict)  # 不再符合 by item

    @cached_property
    def places(self) -> dict[ItemKey, int]:
        return {key: at for at, key in enumerate(self.before.index.items)}

    @cached_property
    def same(self) -> list[int]:
        """Items that were there in the same meaning."""
        return [i for i, key in enumerate(self.now.keys) if key in self.places]

    @cached_property
    def fresh(self) -> list[int]:
        """Items that were not."""
        return [i for i, key in enumerate(self.now.keys) if key not in self.places]

    @cached_property
    def rows(self) -> Rows:
        """Changed rows of tonight's columns."""
        return _joined([r.astype(np.int64) + a for r, (a, _) in zip(self.changed, self.ranges, strict=True)])

    @cached_property
    def rows_before(self) -> Rows:
        """The same firms' rows in the night before."""
        starts = self.before.starts
        return _joined([r.astype(np.int64) + starts[w] for r, w in zip(self.changed, self.was, strict=True)])

    @cached_property
    def some(self) -> Some:
        """The changed firms, with what tonight's items read."""
        known = self.may_differ
        return self.now.some(self.rows, self.reads) if known is None else known.of(self.rows)

    @property
    def name(self) -> str:
        return hashlib.sha256("".join(self.keys).encode()).hexdigest()[:16]


def changed_items(now: Sequence[ItemKey], before: Sequence[ItemKey]) -> frozenset[str]:
    """变了的事项: whose pairs in the older files say nothing any more: of another meaning or batch, new or gone."""
    return frozenset(key.item for key in set(now) ^ set(before))


def _joined(parts: Sequence[Rows]) -> Rows:
    return np.concatenate([np.zeros(0, np.int64), *parts])


def write_patch(folder: Path, patch: Patch) -> tuple[Tally, Layer]:
    """写一层 into the night's folder: the tally of the patched blocks, in their order, and the layer."""
    total = _carried(patch)
    (folder / LAYERS).mkdir(exist_ok=True)
    space, who, pairs = _fresh_items(patch, total)
    listed: list[ListedPart] = []
    if len(patch.rows):
        place = np.searchsorted(space, patch.rows).astype(np.int32)
        stays = len(place) == len(space)
        for at, part in _changed_firms(patch, total, folder / LAYERS / f"{patch.name}.facts"):
            if isinstance(part, ListedPart):
                mine, apart = _without_paid(part, None if stays else place)
                listed.append(mine)
            else:
                apart = dict(enumerate(part.pairs))
            for i, one in apart.items():
                pairs[patch.same[at[i]]] = one if stays else moved(one, place)
    shown = night_columns(*who, 0)
    paid_low = next(c for c in shown if c.field.name == "paid_low")
    ordered = sorted((pairs[i] for i in sorted(pairs)), key=lambda p: not paid_low.is_copy(p))
    _write(folder / LAYERS / f"{patch.name}.parquet", shown, listed, ordered)
    faults.point("nights.layer_written")
    bases = [patch.before.blocks[w].base for w in patch.was]
    layer = Layer(patch.name, patch.touched, dict(zip(bases, patch.changed, strict=True)))
    keep_layer(folder, layer)
    faults.point("nights.layer_kept")
    return total, layer


def _without_paid(part: ListedPart, place: NDArray[np.int32] | None) -> tuple[ListedPart, dict[int, Pairs]]:
    """The items with pairs of which nothing else is payable, their rows in their place; and the others by theirs."""
    some = part.counts > 0
    some[list(part.paid)] = False
    rows = None if place is None else place[part.listed.rows]
    return part.some(np.flatnonzero(some), rows), part.paid


def _write(path: Path, shown: Sequence[Column], listed: Sequence[ListedPart], pairs: Sequence[Pairs]) -> None:
    """A layer's pairs."""
    listed = [part for part in listed if len(part.counts)]
    if not listed:  # without a compiler, too
        write_pairs(path, shown, pairs)
        return
    copies = [c for c in shown if c.like]
    groups = grouped([p for p in pairs if len(p)], copies)
    write_parts(path, shown, iter([*listed, *(Part(group) for group in groups)]))


def _carried(patch: Patch) -> Tally:
    """What the night before had of the items that stay."""
    out = Tally.of(len(patch.blocks), len(patch.now.items))
    old = patch.before.tally
    there = [patch.places[patch.now.keys[i]] for i in patch.same]
    if there:
        of_blocks = np.array(patch.was)[:, None]
        out.figures[:, patch.same] = old.figures[of_blocks, np.array(there)]
        out.content[:, patch.same] = old.content[of_blocks, np.array(there)]
    return out


def _put(total: Tally, at: Sequence[int], part: Tally, sign: int = 1) -> None:
    if len(at) == total.figures.shape[1]:  # all of them, in their order
        total.put(part) if sign > 0 else total.take(part)
        return
    if sign > 0:
        total.figures[:, at] += part.figures
        total.content[:, at] += part.content
    else:
        total.figures[:, at] -= part.figures
        total.content[:, at] -= part.content


# ---------------------------------------------------------------- firms that changed


def _changed_firms(patch: Patch, total: Tally, facts: Path) -> list[tuple[Rows, Part]]:
    """Pairs of the items that stay (by their places among them) with the firms that changed, rows counted among these; their
    figures in and out. What is known of the firms is kept in the file for `facts`."""
    now, before = patch.now, patch.earlier
    items = [now.items[i] for i in patch.same]
    with ThreadPoolExecutor(1) as beside:  # what the firms were is read while they are matched as they are
        reading = beside.submit(_as_they_were, patch, frozenset().union(*(item.reads for item in items)))
        marks, part = patch.some.marks, fewer_texts(patch.some.columns)
        if patch.facts:
            write_facts(facts, part, patch.reads, marks)
        with matching_of(items, 2 * len(part)) as match:
            found = match(part, now.as_of, now.answers)
            old, were = reading.result()
            old = alike(old, part)
            matched = (found, match(old, before.as_of, before.answers()))
    block = np.repeat(np.arange(len(patch.blocks), dtype=np.int32), [len(r) for r in patch.changed])
    heads = [Head(i.program.item.id, i.batch.name, i.ids) for i in items]
    both_paid = (now.paid, read_paid(before.folder))
    sides = [
        parts_of(hits, payments_of(columns, paid), heads)
        for columns, hits, paid in zip((part, old), matched, both_paid, strict=True)
    ]
    for parts, marked, sign in zip(sides, (marks, were), (1, -1), strict=True):
        for at, some in parts:
            same = [patch.same[i] for i in at.tolist()]
            _put(total, same, tally(some, marked, block, len(patch.blocks)), sign)
    _count(patch, [head.item for head in heads], *(_all_of(parts, heads) for parts in sides))
    return sides[0]


def _all_of(parts: Sequence[tuple[Rows, Part]], heads: Sequence[Head]) -> Sequence[Pairs] | Part:
    """All items' pairs, in the order of the items."""
    if len(parts) == 1 and len(parts[0][0]) == len(heads):
        return parts[0][1]
    out: list[Pairs | None] = [None] * len(heads)
    for at, part in parts:
        for i, one in zip(at.tolist(), part.each(), strict=True):
            out[i] = one
    return out  # type: ignore[return-value]


def _as_they_were(patch: Patch, names: Collection[str]) -> tuple[Columns, Marks]:
    """The changed firms as the night before knew them, of some indicators, with their marks: out of its records where they
    hold them, else out of its profiles."""
    known = _records(patch)
    codes = FirmCodes(patch.some.who[0])
    found = None
    if known is not None:
        found = known.columns(
            codes,
            patch.now.columns.dictionary,
            names,
            lambda away: patch.earlier.rows(patch.rows_before, away),
        )
    if known is None or found is None:
        old = patch.earlier.rows(patch.rows_before, None)
        return old, firm_marks(arrow_codes(old.codes), firm_names(old))
    found.loaded = patch.now.columns.loaded
    return found, known.marks()


def _records(patch: Patch) -> Known | None:
    """Records of the changed firms, of each the newest there is; None where a file of them is not there."""
    before, layers = patch.before, {layer.name: layer for layer in patch.before.layers}
    wanted: dict[tuple[str, bool], list[tuple[Rows, Rows]]] = {}  # by file: which firm, which record
    first = 0
    for rows, was in zip(patch.changed, patch.was, strict=True):
        block = before.blocks[was]
        left = np.ones(len(rows), bool)
        for name in reversed(block.layers):
            at = layers[name].places(block.base, rows)
            mine = np.flatnonzero(left & (at >= 0))
            if len(mine):
                wanted.setdefault((name, True), []).append((first + mine, at[mine]))
                left[mine] = False
        mine = np.flatnonzero(left)
        if len(mine):
            stem = block.file.removesuffix(".parquet")
            wanted.setdefault((stem, False), []).append((first + mine, rows[mine].astype(np.int64)))
        first += len(rows)
    out = Known(first)
    for (name, layer), some in wanted.items():
        found = read_facts(before.facts_file(name, layer), _joined([at for _, at in some]))
        if found is None:
            return None
        out.parts.append((_joined([which for which, _ in some]), found))
    return out


@contextmanager
def matching_of(items: Sequence[BoundItem], firms: int) -> Iterator[Match]:
    """比对的办法: by one plan where the compiled loops are there already, or worth loading."""
    if "numba" not in sys.modules or len(items) * firms < FAST_FROM:
        yield lambda columns, day, answers: match_fast(items, columns, day, answers)
    else:
        with planned_matcher(items) as matcher:
            yield matcher.match


Match = Callable[[Columns, date, AnswerBook], Sequence[ItemHits]]
FAST_FROM = 100_000  # pairs from which a plan pays


def fewer_texts(columns: Columns) -> Columns:
    """换小字典: columns of few firms whose text columns hold no more texts than these firms have."""
    categories = {}
    for key, cats in columns.categories.items():
        if len(cats.names) > len(columns):
            used, codes = np.unique(cats.codes, return_inverse=True)
            shift = int((used < 0).any())  # the missing text comes first
            names = tuple(cats.names[at] for at in used[shift:].tolist())
            cats = Categories(codes.astype(np.int32) - shift, names)
        categories[key] = cats
    return replace(columns, categories=categories)


def alike(old: Columns, new: Columns) -> Columns:
    """同样的列: the old columns with texts numbered as the new ones number them, so that one plan fits both."""
    numbers = {key: old.numbers[key] for key in new.numbers if key in old.numbers}
    if len(numbers) != len(new.numbers) or len(numbers) != len(old.numbers):
        return old
    categories = {}
    for key in [*new.categories, *(k for k in old.categories if k not in new.categories)]:
        mine, theirs = old.category(key[0], key[1]), new.category(key[0], key[1])
        known = {name: at for at, name in enumerate(theirs.names)}
        place = np.full(len(mine.names) + 1, -1, np.int32)  # the last for a missing text
        used = np.unique(mine.codes[mine.codes >= 0])
        place[used] = [known.setdefault(mine.names[at], len(known)) for at in used.tolist()]
        names = theirs.names if len(known) == len(theirs.names) else tuple(known)
        categories[key] = Categories(place[mine.codes], names)
    return replace(old, numbers=numbers, categories=categories)


def _count(
    patch: Patch, items: Sequence[str], now: Sequence[Pairs] | Part, then: Sequence[Pairs] | Part
) -> None:
    """新符合 and 不再符合 of each item."""
    found = comings(now, then)
    for counts, column in ((patch.coming, found[:, 0]), (patch.going, found[:, 1])):
        for i in np.flatnonzero(column).tolist():
            counts[items[i]] = counts.get(items[i], 0) + int(column[i])


# ---------------------------------------------------------------- items that changed


def _fresh_items(patch: Patch, total: Tally) -> tuple[Rows, Who, dict[int, Pairs]]:
    """Rows of the firms that the layer speaks of, these firms, and the pairs of items that changed with all firms of the
    blocks, rows counted among those; their figures in."""
    now = patch.now
    if not patch.fresh:
        return patch.rows, patch.some.who if len(patch.rows) else firms_at(now.columns, patch.rows), {}
    firms = _joined([np.arange(a, b) for a, b in patch.ranges])
    whole = len(firms) == len(now.columns)
    columns = now.columns if whole else now.columns.take(firms)
    with matching_of([now.items[i] for i in patch.fresh], len(columns)) as match:
        found = match(columns, now.as_of, now.answers)
    payments = payments_of(columns, now.paid)
    pairs = [paid_pairs(pairs_of(h), payments.get(h.item), 0) for h in found]
    seen = np.zeros(len(firms), bool)
    seen[np.searchsorted(firms, patch.rows)] = True
    for one in pairs:
        seen[one.rows] = True
    place = (np.cumsum(seen) - 1).astype(np.int32)
    space = firms[seen]
    block = np.repeat(np.arange(len(patch.blocks), dtype=np.int32), [b - a for a, b in patch.ranges])[seen]
    told = [moved(one, place) for one in pairs]
    who = firms_at(now.columns, space)
    _put(total, patch.fresh, tally(told, firm_marks(*who), block, len(patch.blocks)))
    _old_fits(patch, columns, firms, pairs)
    return space, who, dict(zip(patch.fresh, told, strict=True))


def _old_fits(patch: Patch, columns: Columns, firms: Rows, found: Sequence[Pairs]) -> None:
    """Comings and goings of the changed items; an item that was there in another meaning is matched in that again."""
    names = {key.item for key in patch.before.index.items} & {p.item for p in found}
    before = [i for i in (patch.earlier.items(names) if names else ()) if i.program.item.id in names]
    then: dict[str, Pairs] = {}
    if before:
        day, answers = patch.earlier.as_of, patch.earlier.answers()
        changed = np.searchsorted(firms, patch.rows).astype(np.int32)
        stay = np.ones(len(firms), bool)
        stay[changed] = False
        with matching_of(before, len(columns)) as match:
            was = [pairs_of(h) for h in match(columns, day, answers)]
            then = {p.item: picked(p, stay[p.rows]) for p in was}
            if len(changed):
                old = patch.earlier.rows(patch.rows_before, None)
                for one in match(old, day, answers):
                    then[one.item] = both(then[one.item], moved(pairs_of(one), changed))
    none = [Pairs(p.item, p.batch, p.ids, NONE, None, None, None, {}) for p in found]
    _count(
        patch, [p.item for p in found], found, [then.get(p.item, n) for p, n in zip(found, none, strict=True)]
    )


def patched_block(block: Block, file: str, key: str, layer: str, pairs: int) -> Block:
    """补过的一块: its file as it was, under tonight's key, with one layer more."""
    return Block(file, key, "", block.firms, pairs, block.base, block.codes, (*block.layers, layer))
