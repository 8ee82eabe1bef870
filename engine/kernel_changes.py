"""只比变动: the new night's hits made from the old ones by matching only what differs (see kernel_prints)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

import numpy as np

from engine.columns import Columns
from engine.kernel import Matcher
from engine.kernel_lazy import LazyHits
from engine.kernel_patched import Patch, PatchedHits
from engine.kernel_prints import Changes, ItemKey, item_key
from engine.matching import AnswerBook, ItemHits
from engine.program import BoundItem


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
        return Patched(keys, before, lacking, found, Patch(change.rows, change.moved, len(columns)))
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
        patch = Patch(change.rows, change.moved, len(columns))
        found = Matcher([items[i] for i in kept]).match(change.facts(columns), as_of, answers)
        out |= {i: PatchedHits(before[keys[i]], new, patch) for i, new in zip(kept, found, strict=True)}
    _answered(out, change, items, columns, as_of, answers)
    return [out[i] for i in range(len(items))]


class _Night(LazyHits):
    """A night's hits in the order of its items."""

    def __init__(
        self, keys: Sequence[ItemKey], before: Mapping[ItemKey, ItemHits], lacking: Callable[[int], ItemHits]
    ):
        super().__init__(len(keys))
        self._keys, self._before, self._lacking = keys, before, lacking

    def _make(self, place: int) -> ItemHits:
        """Last night's hits of an item; of one that was not matched then, all of them."""
        old = self._before.get(self._keys[place])
        return self._lacking(place) if old is None else self._renew(old, place)

    def _renew(self, old: ItemHits, place: int) -> ItemHits:
        return old


class Patched(_Night):
    """补过的各事项: the same items, some firms matched anew."""

    def __init__(
        self,
        keys: Sequence[ItemKey],
        before: Mapping[ItemKey, ItemHits],
        lacking: Callable[[int], ItemHits],
        found: Sequence[ItemHits],
        patch: Patch,
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
        if known and all(item_key(items[i]) == matcher.keys[i] for i in places):
            return matcher.keys, places
    keys = [item_key(item) for item in items]
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
        codes = change.answers.get(item_key(item), frozenset())
        rows = np.array(sorted(where[c] for c in codes if c in where), np.intp)
        if len(rows):
            new = Matcher([item]).match(columns.take(rows), as_of, answers)[0]
            out[i] = PatchedHits(out[i], new, Patch(rows, None, len(columns)))
