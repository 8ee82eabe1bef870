"""变动: what differs between two nights, and the new night's hits made from the old ones by matching only that.

Firms are compared by a digest of their facts, items by their meaning (not their formatting), answers one by one. The day
decides only which batches are live and what is stale, and both show: as items that come or go, as facts that change.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date
from functools import cache, cached_property, lru_cache, partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, overload
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from engine.columns import Categories, Columns, Key, Lists
from engine.kernel import Matcher, PackedHits, available
from engine.kernel_threads import each, processors
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


class Renewed(Fingerprint):
    """换几行的指纹: a fingerprint that differs from another's in some rows alone; put together where all are asked for."""

    def __init__(self, before: Fingerprint, rows: NDArray[np.intp], digests: Digests, taken: Taken):
        vars(self).update(codes=before.codes, items=before.items, answers=before.answers, taken=taken)
        vars(self).update(_before=before, _of=ref(before), renewed_rows=rows, digests=digests)

    renewed_rows: NDArray[np.intp]
    digests: Digests
    taken: Taken
    _before: Fingerprint | None
    _of: ref[Fingerprint]

    @cached_property
    def firms(self) -> Digests:
        assert self._before is not None
        out = self._before.firms.copy()
        out[self.renewed_rows] = self.digests
        vars(self)["_before"] = None  # nights are not to hold on to all that came before them
        return out

    def differs_from(self, before: Fingerprint) -> NDArray[np.intp] | None:
        """变了的行's places among the rows that were renewed; None where another night was renewed."""
        if self._of() is not before:
            return None
        return np.flatnonzero(before.firms[self.renewed_rows] != self.digests)


@dataclass(frozen=True)
class Taken:
    """取出的行: the facts of some rows, and whose they are."""

    source: Columns
    facts: Columns

    def some(self, places: NDArray[np.intp]) -> Taken:
        """其中几行."""
        return self if len(places) == len(self.facts) else Taken(self.source, taken(self.facts, places))


def renewed(before: Fingerprint, columns: Columns, rows: NDArray[np.intp]) -> Fingerprint:
    """换几行的指纹: of a night whose items, answers and firms are those of `before`, and whose facts may differ in some rows
    alone (ascending), as an import knows them: no other row is looked at."""
    facts = taken(columns, rows)
    return Renewed(before, rows, firm_digests(facts), Taken(columns, facts))


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


def taken(columns: Columns, rows: NDArray[np.intp]) -> Columns:
    """取行: what `columns.take` gives, by compiled loops in threads: each fact of scattered rows is another line of memory,
    and two threads wait for twice as many."""
    plain = type(columns) is not Columns or type(columns.numbers) is not dict
    if plain or type(columns.categories) is not dict or len(rows) < WORTH_TAKING or not available():
        return columns.take(rows)
    from engine import kernel_digest as code

    rest = replace(columns, numbers={}, categories={}).take(rows)
    numbers = [np.ascontiguousarray(values, np.float64) for values in columns.numbers.values()]
    codes = [np.ascontiguousarray(side.codes, np.int32) for side in columns.categories.values()]
    words, places = np.empty((len(numbers), len(rows))), np.empty((len(codes), len(rows)), np.int32)
    at = np.array([values.ctypes.data for values in numbers], np.int64)
    codes_at = np.array([values.ctypes.data for values in codes], np.int64)
    edges = np.linspace(0, len(numbers), processors() + 1).astype(int).tolist()
    jobs = [partial(code.take_words, at[a:b], rows, words[a:b].view(np.uint64)) for a, b in pairwise(edges)]
    each([*jobs, partial(code.take_codes, codes_at, rows, places)], processors())
    rest.numbers.update(zip(columns.numbers, words, strict=True))
    sides = zip(columns.categories.values(), places, strict=True)
    rest.categories.update(
        zip(columns.categories, [side.renumbered(own) for side, own in sides], strict=True)
    )
    return rest


WORTH_TAKING = 512  # rows from which threads take them sooner
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
    size = min(DIGESTED, max(len(columns) // processors(), WORTH_TAKING) + 1)
    starts = range(0, len(columns), size)
    each([partial(add, a, min(a + size, len(columns)), total) for a in starts], processors())
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
    items to match anew, and by item the enterprises whose answers changed; the changed rows where they are taken already."""

    rows: NDArray[np.intp]
    moved: NDArray[np.intp] | None
    items: frozenset[ItemKey]
    answers: Mapping[ItemKey, frozenset[str]]
    taken: Taken | None = None

    def facts(self, columns: Columns) -> Columns:
        """变了的企业 of the new columns."""
        known = self.taken is not None and self.taken.source is columns
        return self.taken.facts if known and self.taken is not None else taken(columns, self.rows)


def changes(before: Fingerprint, after: Fingerprint) -> Changes:
    """比较两夜的指纹."""
    if isinstance(after, Renewed) and (places := after.differs_from(before)) is not None:
        rows = after.renewed_rows[places]
        return Changes(rows, None, frozenset(), {}, after.taken.some(places))
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
    keys, fresh = _to_match(before, change, items, matcher)

    def lacking(place: int) -> ItemHits:
        return _anew([place], items, columns, as_of, answers, matcher)[0]

    if not fresh and not change.answers and matcher is not None and keys is matcher.keys:
        found = matcher.match(change.facts(columns), as_of, answers)
        return Patched(keys, before, lacking, found, _Patch(change.rows, change.moved, len(columns)))
    if not len(change.rows) and change.moved is None and not change.answers:
        new = _anew(fresh, items, columns, as_of, answers, matcher)
        return Replaced(keys, before, lacking, dict(zip(fresh, new, strict=True)))
    fresh = [i for i, key in enumerate(keys) if key in change.items or key not in before]
    kept = sorted(set(range(len(items))).difference(fresh))
    out: dict[int, ItemHits] = {}
    out |= dict(zip(fresh, _anew(fresh, items, columns, as_of, answers, matcher), strict=True))
    if not len(change.rows) and change.moved is None:
        out |= {i: before[keys[i]] for i in kept}
    else:
        patch = _Patch(change.rows, change.moved, len(columns))
        found = Matcher([items[i] for i in kept]).match(change.facts(columns), as_of, answers)
        out |= {i: PatchedHits(before[keys[i]], new, patch) for i, new in zip(kept, found, strict=True)}
    _answered(out, change, items, columns, as_of, answers)
    return [out[i] for i in range(len(items))]


class _Night(Sequence[ItemHits]):
    """A night's hits in the order of its items, each made when asked for."""

    def __init__(
        self, keys: Sequence[ItemKey], before: Mapping[ItemKey, ItemHits], lacking: Callable[[int], ItemHits]
    ):
        self._keys, self._before, self._lacking = keys, before, lacking
        self._made: dict[int, ItemHits] = {}

    def _make(self, place: int) -> ItemHits:
        """Last night's hits of an item; of one that was not matched then, all of them."""
        old = self._before.get(self._keys[place])
        return self._lacking(place) if old is None else self._renew(old, place)

    def _renew(self, old: ItemHits, place: int) -> ItemHits:
        return old

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
            self._made[place] = self._make(place)
        return self._made[place]


class Patched(_Night):
    """补过的各事项: the same items, some firms matched anew."""

    def __init__(
        self,
        keys: Sequence[ItemKey],
        before: Mapping[ItemKey, ItemHits],
        lacking: Callable[[int], ItemHits],
        found: Sequence[ItemHits],
        patch: _Patch,
    ):
        super().__init__(keys, before, lacking)
        self._found, self._patch = found, patch

    def _renew(self, old: ItemHits, place: int) -> ItemHits:
        return PatchedHits(old, self._found[place], self._patch)


class Replaced(_Night):
    """换过的各事项: the same firms, some items (by place) matched anew."""

    def __init__(
        self,
        keys: Sequence[ItemKey],
        before: Mapping[ItemKey, ItemHits],
        lacking: Callable[[int], ItemHits],
        anew: Mapping[int, ItemHits],
    ):
        super().__init__(keys, before, lacking)
        self._made.update(anew)


def _anew(
    fresh: Sequence[int], items: Sequence[BoundItem], columns: Columns, as_of: date, answers: AnswerBook | None,
    matcher: Matcher | None,
) -> Sequence[ItemHits]:  # fmt: skip
    """All firms of the items that changed, with the planes the matcher kept."""
    if not fresh:
        return []
    own = [items[i] for i in fresh]
    if matcher is None:
        return Matcher(own).match(columns, as_of, answers)
    return Matcher(own, known=matcher.kept, room=matcher.aside).match(columns, as_of, answers)


def _to_match(
    before: Mapping[ItemKey, ItemHits], change: Changes, items: Sequence[BoundItem], matcher: Matcher | None
) -> tuple[Sequence[ItemKey], list[int]]:
    """Item and batch of each, and the places of those to match anew; a matcher of the same items but for these knows both
    without a look at each: of thousands of items most are not even in the processor's cache."""
    if matcher is not None and len(matcher.items) == len(items):
        places = sorted(matcher.at[key] for key in change.items if key in matcher.at)
        mine = list(matcher.items)
        for i in places:
            mine[i] = items[i]
        known = len(places) == len(change.items) and same_items(mine, items)
        if known and all(_key(items[i]) == matcher.keys[i] for i in places):
            return matcher.keys, places
    keys = [_key(item) for item in items]
    return keys, [i for i, key in enumerate(keys) if key in change.items or key not in before]


def same_items(one: Sequence[BoundItem], other: Sequence[BoundItem]) -> bool:
    """是不是同一批事项: the very same objects, or equal ones."""
    return list(one) == list(other)


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
