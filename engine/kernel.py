"""快匹配: the answers of `matching.match`, hit for hit and to the bit, by compiled loops over bit planes.

Each distinct predicate is evaluated once per block of rows into two bit planes (possible, surely); items are monotone
programs over them; hits are counted, then listed into exactly sized arrays; amounts are worked out for hits only. What
the kernel has no form for (detail rows, some expressions, answered rows) is left to the plain evaluator and merged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import matching
from engine.columns import Columns
from engine.kernel_plan import Plan, plan, plannable
from engine.kernel_room import Room
from engine.kernel_run import CHUNK, Kept, Run
from engine.kernel_threads import processors
from engine.matching import AnswerBook, ItemHits
from engine.program import BoundItem

WORTH_COMPILING = 0.5  # seconds of plain work; loading the compiled loops takes about as long


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
        run = Run(self.plan, columns, as_of, self.threads, self._room, known)
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
        yield from Run(self.plan, columns, as_of, self.threads, self._room).lots(most)

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


def answered(answers: AnswerBook) -> Mapping[tuple[str, str], set[str]]:
    """已答复: enterprises with an answer, by item and batch."""
    out: dict[tuple[str, str], set[str]] = {}
    for (name, batch, _), given in answers.items():
        out.setdefault((name, batch), set()).update(given)
    return out
