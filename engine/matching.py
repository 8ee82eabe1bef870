"""匹配: which enterprises an item fits on a day, with amounts, failing and unknown conditions; a pure function."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from engine.benefit import Calculator, Interval, capped, round_fen
from engine.columns import Columns, Detail, Floats, Selected
from engine.evaluate import Frame
from engine.match import Verdict
from engine.policy import Batch
from engine.program import BoundItem, Program
from engine.truth import Truth, all_of

# (item, batch, ask id) → enterprise → answer, or detail row → answer
AnswerBook = Mapping[tuple[str, str, str], Mapping[str, "bool | Mapping[str, bool]"]]
FITS, OPEN, FAILS = 0, 1, 2
VERDICTS = (Verdict.ELIGIBLE, Verdict.UNDETERMINED, Verdict.INELIGIBLE)


@dataclass(frozen=True)
class DetailHits:
    """明细结果: every detail row's enterprise (row of the columns), id, verdict and amounts before the enterprise's cap."""

    owner: NDArray[np.intp]
    ids: tuple[str | None, ...]
    verdict: NDArray[np.int8]
    low: Floats
    high: Floats


@dataclass(frozen=True)
class ItemHits:
    """一事项的结果: rows (indices into the columns), verdicts (0 符合, 1 待核实, 2 不符合), amounts in yuan (NaN
    unknown) and which numbered conditions fail or are unknown, shape (rows, conditions)."""

    item: str
    batch: str
    ids: tuple[str, ...]
    rows: NDArray[np.intp]
    verdict: NDArray[np.int8]
    low: Floats
    high: Floats
    fails: NDArray[np.bool_]
    unknown: NDArray[np.bool_]
    upcoming: bool = False
    detail: DetailHits | None = None

    def __len__(self) -> int:
        return len(self.rows)


def live(programs: Iterable[Program], as_of: date, upcoming: int = 0) -> list[BoundItem]:
    """在办事项: the programs that have a live batch on the day, with it put in."""
    out = []
    for program in programs:
        batch = program.item.live_batch(as_of, upcoming)
        if batch is not None:
            out.append(program.bind(batch))
    return out


def resting(programs: Iterable[Program], as_of: date, upcoming: int = 0) -> dict[str, int]:
    """没有参加的事项: how many programs the day leaves out, by status, those between two windows under 不在受理期."""
    waiting = (p.item for p in programs if p.item.live_batch(as_of, upcoming) is None)
    return dict(Counter("不在受理期" if i.status == "有效" else i.status for i in waiting))


def match(
    items: Sequence[BoundItem],
    columns: Columns,
    as_of: date,
    answers: AnswerBook | None = None,
    every: bool = False,
) -> list[ItemHits]:
    """匹配: one ItemHits an item, of the pairs that are 符合 or 待核实 (`every`: of all pairs). Pure."""
    frame = Frame(columns)
    index = RowIndex(columns.codes)
    return [match_one(item, frame, index, answers or {}, every, as_of) for item in items]


class RowIndex:
    """行号: row numbers by code, made when the first answer is looked up."""

    def __init__(self, codes: Sequence[str]):
        self._codes = codes
        self._rows: dict[str, int] | None = None

    def __getitem__(self, code: str) -> int | None:
        if self._rows is None:
            self._rows = {c: i for i, c in enumerate(self._codes)}
        return self._rows.get(code)


def match_one(
    item: BoundItem, frame: Frame, index: RowIndex, answers: AnswerBook, every: bool, as_of: date
) -> ItemHits:
    """匹配一事项 over a frame that has worked out some of its comparisons already, or will need them again."""
    subject = item.program.item.subject
    upcoming = item.batch.opens > as_of
    if subject != "企业":
        return _match_rows(item, frame, index, answers, every, upcoming)
    book = enterprise_answers(item, answers, index, len(frame.columns))
    truths = [frame.tree(tree, book) for tree in item.conditions]
    whole = all_of(truths, frame.n)
    rows = np.arange(frame.n) if every else np.flatnonzero(whole.maybe)
    verdict = verdicts(whole.take(rows))
    fails, unknown = masks(truths, rows)
    low, high = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    hit = verdict != FAILS
    if item.benefit is not None and hit.any():
        part, own = frame, book
        if int(hit.sum()) < frame.n:
            part = Frame(Selected(frame.columns, rows[hit]))
            own = {k: v.take(rows[hit]) for k, v in book.items()}
        amount = Calculator(part, item.benefit, own).grant().capped
        low[hit], high[hit] = round_fen(amount.low), round_fen(amount.high)
    name, batch = item.program.item.id, item.batch.name
    return ItemHits(name, batch, item.ids, rows, verdict, low, high, fails, unknown, upcoming)


def verdicts(truth: Truth) -> NDArray[np.int8]:
    """结论列: 0 符合, 1 待核实, 2 不符合."""
    return np.where(truth.sure, FITS, np.where(truth.maybe, OPEN, FAILS)).astype(np.int8)


def masks(truths: Sequence[Truth], rows: NDArray[np.intp]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """条件掩码: which conditions fail and which are unknown, shape (rows, conditions) each."""
    shape = (len(rows), len(truths))
    fails, unknown = np.zeros(shape, bool), np.zeros(shape, bool)
    for j, truth in enumerate(truths):
        fails[:, j] = truth.fails[rows]
        unknown[:, j] = truth.unknown[rows]
    return fails, unknown


def enterprise_answers(item: BoundItem, answers: AnswerBook, index: RowIndex, n: int) -> dict[str, Truth]:
    """答复列: reviewers' answers of one item and batch as columns, by ask id."""
    out = {}
    for (name, batch, ask), given in answers.items():
        if (name, batch) != (item.program.item.id, item.batch.name):
            continue
        sure, maybe = np.zeros(n, bool), np.ones(n, bool)
        for code, answer in given.items():
            row = index[code]
            if row is not None and isinstance(answer, bool):
                sure[row] = maybe[row] = answer
        out[ask] = Truth(sure, maybe)
    return out


# ---------------------------------------------------------------- projects, products, people


def _match_rows(
    item: BoundItem, frame: Frame, index: RowIndex, answers: AnswerBook, every: bool, upcoming: bool
) -> ItemHits:
    """明细事项: evaluated over detail rows and rolled up to the enterprise (section 8)."""
    columns = frame.columns
    n = frame.n
    own = columns.rows.get(item.program.item.subject)
    missing = own.missing if own is not None else np.ones(n, bool)
    if columns.speaks(item.program.item.subject) == "无":
        missing = np.zeros(n, bool)
    alone = np.flatnonzero(missing)
    detail = Detail(columns, own, alone)
    inner = Frame(detail)
    book = row_answers(item, answers, index, detail)
    truths = [inner.tree(tree, book) for tree in item.conditions]
    whole = all_of(truths, inner.n)
    verdict = verdicts(whole)
    lonely = np.arange(inner.n) >= (len(own.owner) if own is not None else 0)
    verdict = np.where(lonely & (verdict == FITS), OPEN, verdict).astype(np.int8)
    fails, unknown = masks(truths, np.arange(inner.n))
    best = best_rows(detail.owner, verdict, fails, unknown, n)
    found = best >= 0
    rolled = np.full(n, FAILS, np.int8)
    rolled[found] = verdict[best[found]]
    rows = np.arange(n) if every else np.flatnonzero(rolled != FAILS)
    out_fails, out_unknown = np.zeros((n, len(truths)), bool), np.zeros((n, len(truths)), bool)
    out_fails[found], out_unknown[found] = fails[best[found]], unknown[best[found]]
    total, each = _row_amounts(item, frame, inner, detail, book, verdict)
    own_rows = np.flatnonzero(~lonely)
    details = DetailHits(
        detail.owner[own_rows], detail.ids[: len(own_rows)], verdict[own_rows],
        round_fen(each.low[own_rows]), round_fen(each.high[own_rows]),
    )  # fmt: skip
    blank = (rolled == FAILS) | missing
    low, high = (np.where(blank, np.nan, end) for end in (total.low, total.high))
    return ItemHits(
        item.program.item.id, item.batch.name, item.ids, rows, rolled[rows], low[rows], high[rows],
        out_fails[rows], out_unknown[rows], upcoming, details,
    )  # fmt: skip


def row_answers(item: BoundItem, answers: AnswerBook, index: RowIndex, detail: Detail) -> dict[str, Truth]:
    """明细答复列: answers by detail row id; a row without an id, and an enterprise without a list, can't be answered."""
    out: dict[str, Truth] = {}
    key = (item.program.item.id, item.batch.name)
    asked = [(ask, given) for (name, batch, ask), given in answers.items() if (name, batch) == key]
    if not asked:
        return out
    where: dict[tuple[int, str | None], list[int]] = defaultdict(list)
    for r, (o, i) in enumerate(zip(detail.owner.tolist(), detail.ids, strict=True)):
        where[o, i].append(r)  # a register may list a project twice: an answer is of the project
    for ask, given in asked:
        sure, maybe = np.zeros(len(detail), bool), np.ones(len(detail), bool)
        for code, answer in given.items():
            owner = index[code]
            if owner is None or not isinstance(answer, Mapping):
                continue
            for row_id, said in answer.items():
                rows = where.get((owner, row_id), []) if row_id else []
                sure[rows] = maybe[rows] = said
        out[ask] = Truth(sure, maybe)
    return out


def best_rows(
    owner: NDArray[np.intp],
    verdict: NDArray[np.int8],
    fails: NDArray[np.bool_],
    unknown: NDArray[np.bool_],
    n: int,
) -> NDArray[np.intp]:
    """最好的一行: best verdict, then fewest fails, fewest unknown, first; -1 for an enterprise without rows."""
    best = np.full(n, -1, np.intp)
    order = np.lexsort((np.arange(len(owner)), unknown.sum(1), fails.sum(1), verdict, owner))
    owners, first = np.unique(owner[order], return_index=True)
    best[owners] = order[first]
    return best


def _row_amounts(
    item: BoundItem,
    outer: Frame,
    inner: Frame,
    detail: Detail,
    book: dict[str, Truth],
    verdict: NDArray[np.int8],
) -> tuple[Interval, Interval]:
    """明细合计: 符合 rows' lows, all open rows' highs; without a 符合 row the least low; rounded once."""
    n = outer.n
    if item.benefit is None or not len(detail):
        return _nothing(n), _nothing(len(detail))
    grant = Calculator(inner, item.benefit, book).grant()
    each = grant.amount
    fits, open_ = verdict == FITS, verdict != FAILS
    low = np.zeros(n)
    np.add.at(low, detail.owner[fits], each.low[fits])
    high = np.zeros(n)
    np.add.at(high, detail.owner[open_], each.high[open_])
    least = np.full(n, np.inf)
    with np.errstate(invalid="ignore"):  # an unknown low end stays unknown
        np.minimum.at(least, detail.owner[open_], each.low[open_])
    has_fit = np.zeros(n, bool)
    has_fit[detail.owner[fits]] = True
    rolled = Interval(np.where(has_fit, low, least), high)
    if any(e.limits.cap_per_enterprise is not None for e in item.benefit.exceptions):
        total = capped(rolled, _ceiling_over_rows(n, grant.ceiling, detail.owner, open_))
    else:
        total = Calculator(outer, item.benefit, {}).bounded(rolled, item.benefit.limits.cap_per_enterprise)
    total = total.at_least_zero()
    return Interval(round_fen(total.low), round_fen(total.high)), each


def _nothing(n: int) -> Interval:
    return Interval(np.full(n, np.nan), np.full(n, np.nan))


def _ceiling_over_rows(n: int, rows: Interval, owner: NDArray[np.intp], open_: NDArray[np.bool_]) -> Interval:
    """企业封顶: where exceptions of the rows change it, what it may be over them."""
    ceiling = Interval(np.full(n, np.inf), np.full(n, -np.inf))
    np.minimum.at(ceiling.low, owner[open_], rows.low[open_])
    np.maximum.at(ceiling.high, owner[open_], rows.high[open_])
    return ceiling


# ---------------------------------------------------------------- reading the result


def identifiers(ids: Sequence[str], mask: NDArray[np.bool_]) -> list[str]:
    """编号: the ids a mask row marks, in the rule's order."""
    return [name for name, on in zip(ids, mask, strict=True) if on]


def amount_of(value: float) -> float | None:
    """数额: yuan, or None where unknown."""
    return None if np.isnan(value) else float(value)


def batch_on(program: Program, as_of: date) -> Batch | None:
    """在办批次: the batch of a program live on the day."""
    return program.item.live_batch(as_of)
