"""变动: what differs between two nights, and the new night's hits made from the old ones by matching only that.

Firms are compared by a digest of their facts, items by their meaning (not their formatting), answers one by one. The day
decides only which batches are live and what is stale, and both show: as items that come or go, as facts that change.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from engine.columns import Categories, Columns, Key, Lists
from engine.kernel import Matcher, PackedHits, available
from engine.matching import AnswerBook, DetailHits, ItemHits
from engine.nodes import Node
from engine.program import BoundItem

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

Digests = NDArray[np.uint64]
ItemKey = tuple[str, str]
_MIX = np.uint64(0x9E3779B97F4A7C15)


# ---------------------------------------------------------------- what was matched


@dataclass(frozen=True)
class Fingerprint:
    """指纹 of a night's inputs: enterprises with the digest of their facts, items with that of their meaning, answers."""

    codes: tuple[str, ...]
    firms: Digests
    items: Mapping[ItemKey, str]
    answers: Mapping[ItemKey, Mapping[str, str]]


def fingerprint(
    items: Sequence[BoundItem], columns: Columns, as_of: date, answers: AnswerBook | None = None
) -> Fingerprint:
    """取指纹 of one night."""
    told: dict[ItemKey, dict[str, str]] = {}
    for (item, batch, ask), given in (answers or {}).items():
        of = told.setdefault((item, batch), {})
        for code, answer in given.items():
            said = sorted(answer.items()) if isinstance(answer, Mapping) else answer
            of[code] = f"{of.get(code, '')}{ask}={said!r};"
    ordered = {key: {c: ";".join(sorted(v.split(";"))) for c, v in of.items()} for key, of in told.items()}
    spoken: dict[str, str] = {}
    meanings = {_key(item): meaning(item, columns, as_of, spoken) for item in items}
    return Fingerprint(tuple(columns.codes), firm_digests(columns), meanings, ordered)


def renewed(before: Fingerprint, columns: Columns, rows: NDArray[np.intp]) -> Fingerprint:
    """换几行的指纹: of a night whose items, answers and firms are those of `before`, and whose facts may differ in some rows
    alone (ascending), as an import knows them: no other row is looked at."""
    firms = before.firms.copy()
    firms[rows] = firm_digests(columns.take(rows))
    return replace(before, firms=firms)


def _key(item: BoundItem) -> ItemKey:
    return item.program.item.id, item.batch.name


def meaning(
    item: BoundItem, columns: Columns, as_of: date, spoken: dict[str, str] | None = None
) -> str:  # fmt: skip
    """事项的含义: a digest of all that decides its hits: bound conditions, benefit, subject, and how its indicators read;
    `spoken` keeps what was written of indicators, for items of the same columns."""
    known = {} if spoken is None else spoken
    subject = item.program.item.subject
    parts = [own_meaning(item), columns.speaks(subject)]
    for name in sorted(item.reads):
        if name not in known:
            known[name] = _canonical((name, columns.dictionary.get(name), columns.speaks(name)))
        parts.append(known[name])
    return hashlib.sha256(f"{item.batch.opens > as_of} {' '.join(parts)}".encode()).hexdigest()


def own_meaning(item: BoundItem) -> str:
    """自己的含义: a digest of what an item says by itself, worked out once: it never changes."""
    known: dict[str, str] = item.__dict__
    if "_meaning" not in known:
        own = (item.conditions, item.benefit, item.ids, item.program.item.subject)
        known["_meaning"] = hashlib.sha256(_canonical(own).encode()).hexdigest()
    return known["_meaning"]


def _canonical(value: Any) -> str:
    """Text of nested plain data; fields left out of equality (kinds, places) are left out here too."""
    kind = type(value)
    if kind is str or kind is float or value is None:
        return repr(value)
    if kind is tuple or kind is list:
        return "[" + ",".join(map(_canonical, value)) + "]"
    known = value.__dict__.get("_canonical") if isinstance(value, Node) else None
    return known if known is not None else _writer(kind)(value)  # type: ignore[arg-type]


@cache
def _writer(kind: Any) -> Callable[[Any], str]:
    """How values of a type are written; found once a type, as a night writes some hundred thousand of them."""
    if issubclass(kind, tuple | list):
        return lambda value: "[" + ",".join(map(_canonical, value)) + "]"
    if issubclass(kind, frozenset):
        return lambda value: "{" + ",".join(sorted(map(repr, value))) + "}"
    if not is_dataclass(kind):
        return repr
    name = str(kind.__name__)  # type: ignore[union-attr]
    compared = tuple(f.name for f in fields(kind) if f.compare)

    def write(value: Any) -> str:
        return f"{name}({','.join([_canonical(getattr(value, field)) for field in compared])})"

    if not issubclass(kind, Node):  # type: ignore[arg-type]
        return write
    return lambda value: value.kept("_canonical", write)  # one comparison stands in many items


def firm_digests(columns: Columns, names: Collection[str] | None = None) -> Digests:
    """企业指纹: 64 bits a row over its facts (of some names; None: all), detail rows included; the order of columns does not
    matter, nor a column that knows nothing of a row."""
    total = _plain_digests(columns, names)
    with np.errstate(over="ignore"):
        for key, lists in columns.lists.items():
            if names is not None and key[0] not in names:
                continue
            members = np.array([_seed((key, name)) for name in lists.names] or [np.uint64(0)], np.uint64)
            sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(members[lists.codes], dtype=np.uint64)])
            present = sums[lists.offsets[1:]] - sums[lists.offsets[:-1]] + _seed((key, "有"))
            total += np.where(lists.missing, np.uint64(0), _mixed(present))
        for subject, rows in columns.rows.items():
            ids = np.array([_seed((subject, i)) for i in rows.ids], np.uint64)
            each = _mixed(firm_digests(rows.columns) + ids)
            place = np.arange(len(each)) - np.searchsorted(rows.owner, rows.owner)
            np.add.at(total, rows.owner, _mixed(each + place.astype(np.uint64) * _MIX))
            total += np.where(rows.missing, np.uint64(0), _seed((subject, "有")))
    return _mixed(total)


DIGESTED = 1 << 14  # rows digested at once: what is worked out on the way stays in the cache
WORTH_COMPILED = 1 << 16  # rows from which loading the compiled loops pays


def _plain_digests(columns: Columns, names: Collection[str] | None) -> Digests:
    """The sums of the digests of numbers and texts, blocks of rows in threads."""
    total = np.zeros(len(columns), np.uint64)
    numbers = [
        (np.ascontiguousarray(columns.numbers[key], np.float64), _seed(key))
        for key in columns.numbers
        if names is None or key[0] in names
    ]
    texts = [
        (np.ascontiguousarray(cats.codes, np.int32), _text_seeds(key, cats.names))
        for key in columns.categories
        if (names is None or key[0] in names) and (cats := columns.categories[key])
    ]
    compiled = len(columns) >= WORTH_COMPILED or "numba" in sys.modules
    add: Sums = _compiled_sums(numbers, texts) if compiled and available() else _plain_sums(numbers, texts)
    parts = [(a, min(a + DIGESTED, len(columns))) for a in range(0, len(columns), DIGESTED)]
    if len(parts) == 1:
        add(*parts[0], total)
    else:
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            list(pool.map(lambda part: add(part[0], part[1], total), parts))
    return total


@lru_cache(maxsize=64)
def _text_seeds(key: Key, names: tuple[str, ...]) -> Digests:
    """64 bits for each text of a column, the last for a missing one; a register's texts come again part after part."""
    return np.array([*(_seed((key, name)) for name in names), np.uint64(0)], np.uint64)


Sums = Callable[[int, int, Digests], None]


def _plain_sums(
    numbers: Sequence[tuple[NDArray[np.float64], np.uint64]],
    texts: Sequence[tuple[NDArray[np.int32], Digests]],
) -> Sums:
    """Adds to the sums of some rows, by nothing compiled: the readable form."""

    def add(begin: int, end: int, total: Digests) -> None:
        part = total[begin:end]
        with np.errstate(over="ignore"):
            for values, seed in numbers:
                some = values[begin:end]
                known = ~np.isnan(some)
                bits = (np.where(known, some, 0.0) + 0.0).view(np.uint64)
                part += np.where(known, _mixed(bits ^ seed), np.uint64(0))
            for codes, names in texts:
                part += names[codes[begin:end]]

    return add


def _compiled_sums(
    numbers: Sequence[tuple[NDArray[np.float64], np.uint64]],
    texts: Sequence[tuple[NDArray[np.int32], Digests]],
) -> Sums:
    from engine import kernel_digest as code

    columns = np.array([values.ctypes.data for values, _ in numbers], np.int64)
    seeds = np.array([seed for _, seed in numbers], np.uint64)
    codes = np.array([places.ctypes.data for places, _ in texts], np.int64)
    tables = np.array([(names.ctypes.data, len(names)) for _, names in texts], np.int64).reshape(-1, 2)

    def add(begin: int, end: int, total: Digests) -> None:
        assert (len(numbers), len(texts)) == (len(columns), len(codes))  # whose memory is read stays
        code.add_facts(begin, end, columns, seeds, codes, tables, total)

    return add


@dataclass(frozen=True)
class Facts:
    """事实: columns with what hashing a part of them needs: keys in a fixed order, 64 bits for each name of a text column
    (the last for a missing value), and the same of detail rows."""

    columns: Columns
    numbers: Sequence[Key]
    texts: Mapping[Key, Digests]
    details: Mapping[str, Facts]

    @classmethod
    def of(cls, columns: Columns, names: Collection[str] | None = None) -> Facts:
        """取事实 of the named indicators (None: all), and of all detail rows."""

        def wanted(side: Mapping[Key, Any]) -> list[Key]:
            return sorted((key for key in side if names is None or key[0] in names), key=repr)

        sides: dict[Key, Categories | Lists] = {**columns.categories, **columns.lists}
        texts = {
            key: np.array([*(_seed(name) for name in sides[key].names), np.uint64(0)], np.uint64)
            for key in wanted(sides)
        }
        details = {subject: cls.of(rows.columns) for subject, rows in sorted(columns.rows.items())}
        return cls(columns, wanted(columns.numbers), texts, details)

    def put(self, begin: int, end: int, digest: Hash) -> None:
        """放入哈希: the rows begin..end. Names' order does not matter, nor a column that knows nothing of these rows."""
        for key in self.numbers:
            values = self.columns.numbers[key][begin:end]
            if not np.isnan(values).all():
                digest.update(repr(key).encode())
                digest.update(np.ascontiguousarray(values + 0.0).data)
        for key, seeds in self.texts.items():
            if key in self.columns.categories:
                codes = self.columns.categories[key].codes[begin:end]
                if (codes >= 0).any():
                    digest.update(repr(key).encode())
                    digest.update(seeds[codes].data)
            else:
                self._put_list(key, seeds, begin, end, digest)
        for subject, inner in self.details.items():
            rows = self.columns.rows[subject]
            first, last = (int(x) for x in np.searchsorted(rows.owner, [begin, end]))
            digest.update(repr((subject, rows.ids[first:last])).encode())
            digest.update(np.ascontiguousarray(rows.owner[first:last] - begin).data)
            digest.update(np.ascontiguousarray(rows.missing[begin:end]).data)
            if first < last:
                inner.put(first, last, digest)

    def _put_list(self, key: Key, seeds: Digests, begin: int, end: int, digest: Hash) -> None:
        lists = self.columns.lists[key]
        missing = lists.missing[begin:end]
        if missing.all():
            return
        offsets = lists.offsets[begin : end + 1]
        digest.update(repr(key).encode())
        for part in (missing, offsets - offsets[0], seeds[lists.codes[offsets[0] : offsets[-1]]]):
            digest.update(np.ascontiguousarray(part).data)


def _seed(key: object) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.blake2b(repr(key).encode(), digest_size=8).digest(), "little"))


def _mixed(bits: Digests) -> Digests:
    """splitmix64, so that sums of digests don't cancel."""
    with np.errstate(over="ignore"):
        x = bits + _MIX
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))


# ---------------------------------------------------------------- what differs


@dataclass(frozen=True)
class Changes:
    """变动: changed or new rows of the new columns, where old rows went (-1: gone; None: all where they were),
    items to match anew, and by item the enterprises whose answers changed."""

    rows: NDArray[np.intp]
    moved: NDArray[np.intp] | None
    items: frozenset[ItemKey]
    answers: Mapping[ItemKey, frozenset[str]]


def changes(before: Fingerprint, after: Fingerprint) -> Changes:
    """比较两夜的指纹."""
    items = frozenset(k for k, digest in after.items.items() if before.items.get(k) != digest)
    answers = {}
    for key in before.answers.keys() | after.answers.keys():
        old, new = before.answers.get(key, {}), after.answers.get(key, {})
        different = frozenset(c for c in old.keys() | new.keys() if old.get(c) != new.get(c))
        if different:
            answers[key] = different
    if before.codes is after.codes or before.codes == after.codes:
        return Changes(np.flatnonzero(before.firms != after.firms), None, items, answers)
    where = {code: row for row, code in enumerate(after.codes)}
    moved = np.array([where.get(code, -1) for code in before.codes], np.intp)
    same = np.zeros(len(after.codes), bool)
    kept = np.flatnonzero(moved >= 0)
    same[moved[kept]] = before.firms[kept] == after.firms[moved[kept]]
    return Changes(np.flatnonzero(~same), moved, items, answers)


# ---------------------------------------------------------------- the new hits


@dataclass(frozen=True)
class _Patch:
    """What the patched hits of all items have in common: the rows matched anew, and where old rows went."""

    rows: NDArray[np.intp]
    moved: NDArray[np.intp] | None
    firms: int

    @cached_property
    def anew(self) -> NDArray[np.bool_]:
        """Rows matched anew; the last place stands for rows that are gone."""
        out = np.zeros(self.firms + 1, bool)
        out[self.rows], out[-1] = True, True
        return out

    def place(self, rows: NDArray[Any]) -> NDArray[Any]:
        return rows if self.moved is None else self.moved[rows]


class PatchedHits(ItemHits):
    """补过的结果: last night's hits of an item less the rows matched anew, with those rows' hits; put together when read."""

    def __init__(self, old: ItemHits, new: ItemHits, patch: _Patch):
        detail = None
        if old.detail is not None or new.detail is not None:
            detail = _details(old.detail, new.detail, patch)
        vars(self).update(
            item=new.item,
            batch=new.batch,
            ids=new.ids,
            upcoming=new.upcoming,
            detail=detail,
            _parts=(old, new, patch),
        )

    _parts: tuple[ItemHits, ItemHits, _Patch]

    @cached_property
    def _merge(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Places of last night's pairs that stay, where the new ones go among them, and the rows of all."""
        old, new, patch = self._parts
        at = patch.place(old.packed_rows if isinstance(old, PackedHits) else old.rows)
        keep = np.flatnonzero(~patch.anew[at])
        own, stay = patch.rows[new.rows], at[keep].astype(np.intp)
        if patch.moved is not None:  # rows may have changed places among themselves
            order = np.argsort(stay, kind="stable")
            keep, stay = keep[order], stay[order]
        among = np.searchsorted(stay, own)
        return keep, among, np.insert(stay, among, own)

    def _put(self, name: str) -> NDArray[Any]:
        old, new, _ = self._parts
        keep, among, _ = self._merge
        return np.insert(getattr(old, name)[keep], among, getattr(new, name), axis=0)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def rows(self) -> NDArray[np.intp]:
        return self._merge[2]

    @cached_property
    def verdict(self) -> NDArray[np.int8]:
        return self._put("verdict")

    @cached_property
    def low(self) -> NDArray[np.float64]:
        return self._put("low")

    @cached_property
    def high(self) -> NDArray[np.float64]:
        return self._put("high")

    @cached_property
    def fails(self) -> NDArray[np.bool_]:
        return self._put("fails")

    @cached_property
    def unknown(self) -> NDArray[np.bool_]:
        return self._put("unknown")


def _details(old: DetailHits | None, new: DetailHits | None, patch: _Patch) -> DetailHits | None:
    """Detail rows of the enterprises that stay as they were, and the new ones, in the order of enterprises."""
    if old is None or new is None:
        return new if old is None else old
    owner = patch.place(old.owner)
    keep = np.flatnonzero(~patch.anew[owner])
    owners = np.concatenate([owner[keep], patch.rows[new.owner]])
    order = np.argsort(owners, kind="stable")
    ids = [*(old.ids[i] for i in keep), *new.ids]
    ends = [
        np.concatenate([getattr(old, f)[keep], getattr(new, f)])[order] for f in ("verdict", "low", "high")
    ]
    return DetailHits(owners[order], tuple(ids[i] for i in order), *ends)


def rematch(
    before: Mapping[ItemKey, ItemHits],
    change: Changes,
    items: Sequence[BoundItem],
    columns: Columns,
    as_of: date,
    answers: AnswerBook | None = None,
    matcher: Matcher | None = None,
) -> Sequence[ItemHits]:
    """只比变动: the hits a full match would give, from last night's (by item and batch) and what changed.

    `matcher` is last night's, kept by a running service; it is used where it is of the same items.
    """
    same = matcher is not None and same_items(matcher.items, items)
    keys = _keys(items, matcher)
    fresh = [i for i, key in enumerate(keys) if key in change.items or key not in before]
    if matcher is not None and same and not fresh and not change.answers:
        found = matcher.match(columns.take(change.rows), as_of, answers)
        return Patched(keys, before, found, _Patch(change.rows, change.moved, len(columns)))
    if not len(change.rows) and change.moved is None and not change.answers:
        whole = [before.get(key) for key in keys]
        for i, hits in zip(fresh, _anew(fresh, items, columns, as_of, answers, matcher), strict=True):
            whole[i] = hits
        return whole  # type: ignore[return-value]
    renewed = set(fresh)
    kept = [i for i in range(len(items)) if i not in renewed]
    out: dict[int, ItemHits] = {}
    out |= dict(zip(fresh, _anew(fresh, items, columns, as_of, answers, matcher), strict=True))
    if not len(change.rows) and change.moved is None:
        out |= {i: before[keys[i]] for i in kept}
    else:
        patch = _Patch(change.rows, change.moved, len(columns))
        found = Matcher([items[i] for i in kept]).match(columns.take(change.rows), as_of, answers)
        for i, new in zip(kept, found, strict=True):
            out[i] = PatchedHits(before[keys[i]], new, patch)
    _answered(out, change, items, columns, as_of, answers)
    return [out[i] for i in range(len(items))]


class Patched(Sequence[ItemHits]):
    """补过的各事项: a night's patched hits in the order of the items, each made when asked for."""

    def __init__(
        self,
        keys: Sequence[ItemKey],
        before: Mapping[ItemKey, ItemHits],
        found: Sequence[ItemHits],
        patch: _Patch,
    ):
        self._keys, self._before, self._found, self._patch = keys, before, found, patch
        self._made: dict[int, ItemHits] = {}

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, at: int) -> ItemHits: ...
    @overload
    def __getitem__(self, at: slice) -> list[ItemHits]: ...
    def __getitem__(self, at: int | slice) -> ItemHits | list[ItemHits]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        place = range(len(self))[at]
        if place not in self._made:
            old, new = self._before[self._keys[place]], self._found[place]
            self._made[place] = PatchedHits(old, new, self._patch)
        return self._made[place]


def _anew(
    fresh: Sequence[int], items: Sequence[BoundItem], columns: Columns, as_of: date, answers: AnswerBook | None,
    matcher: Matcher | None,
) -> list[ItemHits]:  # fmt: skip
    """All firms of the items that changed, with the planes the matcher kept."""
    if not fresh:
        return []
    known = matcher.kept if matcher is not None else None
    return Matcher([items[i] for i in fresh], known=known).match(columns, as_of, answers)


def _keys(items: Sequence[BoundItem], matcher: Matcher | None) -> list[ItemKey]:
    """Item and batch of each; those of items the matcher holds too are known there."""
    if matcher is None or len(matcher.items) != len(items):
        return [_key(item) for item in items]
    given = zip(matcher.keys, matcher.items, items, strict=True)
    return [key if mine is item else _key(item) for key, mine, item in given]


def same_items(one: Sequence[BoundItem], other: Sequence[BoundItem]) -> bool:
    """是不是同一批事项: the very same objects, or equal ones."""
    return len(one) == len(other) and all(a is b or a == b for a, b in zip(one, other, strict=True))


def _answered(
    out: dict[int, ItemHits], change: Changes, items: Sequence[BoundItem], columns: Columns, as_of: date,
    answers: AnswerBook | None,
) -> None:  # fmt: skip
    """Rows whose answers changed, item by item."""
    if not change.answers:
        return
    where = {code: row for row, code in enumerate(columns.codes)}
    for i, item in enumerate(items):
        codes = change.answers.get(_key(item), frozenset())
        rows = np.array(sorted(where[c] for c in codes if c in where), np.intp)
        if len(rows):
            new = Matcher([item]).match(columns.take(rows), as_of, answers)[0]
            out[i] = PatchedHits(out[i], new, _Patch(rows, None, len(columns)))
