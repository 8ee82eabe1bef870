"""明细逐个看: of an item about projects, products or persons, how each of an enterprise's own rows stands, not only the best."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from desk.office import number
from engine.columns import Columns, Detail, SubRows
from engine.evaluate import Frame
from engine.matching import VERDICTS, AnswerBook, RowIndex, best_rows, masks, match, row_answers, verdicts
from engine.program import BoundItem
from engine.truth import all_of

MOST = 100
ORDER = tuple(str(v) for v in VERDICTS)


@dataclass(frozen=True)
class DetailRow:
    """一个明细: its id, verdict, the mark of each numbered condition, yuan (None unknown), and whether the page's evidence is its."""

    id: str
    verdict: str
    marks: tuple[str, ...]
    low: float | None
    high: float | None
    speaks: bool


def detail_rows(bound: BoundItem, one: Columns, as_of: date, book: AnswerBook) -> list[DetailRow]:
    """逐个看: the rows of one enterprise (columns of one row), the one that speaks for it first, then those that fit or may.

    Empty for an item about the enterprise itself, and where no list of rows is known.
    """
    rows = one.rows.get(bound.program.item.subject)
    if bound.program.item.subject == "企业" or rows is None or not len(rows.ids):
        return []
    detail, found, fails, unknown = _judged(bound, one, rows, book)
    best = int(best_rows(detail.owner, found, fails, unknown, 1)[0])
    hits = match([bound], one, as_of, book, every=True)[0].detail
    sums = {i: (hits.low[k], hits.high[k]) for k, i in enumerate(hits.ids)} if hits is not None else {}
    out = []
    for i in range(len(detail.ids)):
        low, high = sums.get(detail.ids[i], (np.nan, np.nan)) if found[i] != 2 else (np.nan, np.nan)
        marks = tuple(
            str(VERDICTS[2 if fails[i, j] else 1 if unknown[i, j] else 0]) for j in range(fails.shape[1])
        )
        word = str(VERDICTS[int(found[i])])
        out.append(
            DetailRow(detail.ids[i] or "—", word, marks, number(float(low)), number(float(high)), i == best)
        )
    return sorted(out, key=lambda r: (not r.speaks, ORDER.index(r.verdict), r.id))[:MOST]


def _judged(
    bound: BoundItem, columns: Columns, rows: SubRows, book: AnswerBook
) -> tuple[Detail, np.ndarray, np.ndarray, np.ndarray]:
    """逐行判: the detail rows of some enterprises with verdicts, and masks of failing and unknown conditions, rows first."""
    detail = Detail(columns, rows, np.flatnonzero(rows.missing))
    frame = Frame(detail)
    answers = row_answers(bound, book, RowIndex(columns.codes), detail)
    truths = [frame.tree(tree, answers) for tree in bound.conditions]
    fails, unknown = masks(truths, np.arange(frame.n))
    return detail, verdicts(all_of(truths, frame.n)), fails, unknown


def speakers(bound: BoundItem, columns: Columns, book: AnswerBook) -> list[tuple[str, int]]:
    """各家由哪一个说话: per enterprise the row nearest to fitting and how many rows it has; ("", 0) without rows.

    Empty for an item about the enterprise itself.
    """
    rows = columns.rows.get(bound.program.item.subject)
    if bound.program.item.subject == "企业" or rows is None:
        return []
    detail, found, fails, unknown = _judged(bound, columns, rows, book)
    best = best_rows(detail.owner, found, fails, unknown, len(columns.codes))
    counts = np.bincount(rows.owner, minlength=len(columns.codes))
    return [(detail.ids[b] or "" if b >= 0 else "", int(n)) for b, n in zip(best, counts, strict=True)]


def narrowed(one: Columns, subject: str, row_id: str) -> Columns | None:
    """只留一个: an enterprise (columns of one row) as if the row were its only one; None where it has no such row."""
    rows = one.rows.get(subject)
    if rows is None or row_id not in rows.ids:
        return None
    at = np.array([rows.ids.index(row_id)], dtype=np.intp)
    out = one.take(np.array([0], dtype=np.intp))
    out.rows[subject] = SubRows(rows.owner[at], (row_id,), rows.columns.take(at), rows.missing)
    return out
