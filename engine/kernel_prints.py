"""指纹: what a night was made of, and what differs between two nights.

Firms are compared by a digest of their facts, items by their meaning (not their formatting), answers one by one. The day
decides only which batches are live and what is stale, and both show: as items that come or go, as facts that change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from engine.columns import Columns
from engine.kernel_facts import Digests, firm_digests, taken
from engine.kernel_meaning import meaning
from engine.matching import AnswerBook
from engine.program import BoundItem

if TYPE_CHECKING:
    pass

ItemKey = tuple[str, str]


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
    meanings = {item_key(item): meaning(item, columns, as_of, spoken) for item in items}
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


def item_key(item: BoundItem) -> ItemKey:
    return item.program.item.id, item.batch.name


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
