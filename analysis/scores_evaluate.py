"""评分检验: known facts hidden, probabilities held against what they were; ECE, Brier skill and lift.

The scores learn only from what is left visible. A pair counts where each of its hidden conditions is known in the full data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.scores import Scoring, describe, fingerprint, has_ask
from analysis.scores_ask import questions
from analysis.scores_curve import simulated
from analysis.scores_figures import PAIR_COLUMNS, HeldOut, measures, reliability
from analysis.scores_learn import learn
from analysis.scores_money import worth
from engine.columns import Categories, Columns, Floats, Lists
from engine.evaluate import Frame
from engine.matching import OPEN, AnswerBook, ItemHits, RowIndex, enterprise_answers, match
from engine.program import BoundItem

ENOUGH_PAIRS = 20_000
TOLD = 1 / 3
MOST_FIRMS = 12_000
MOST_MASKS = 6
REGISTERED = ("企业名称", "登记地区划", "成立日期", "登记状态")


Tell = Callable[[str], None]


def say_nothing(_: str) -> None:
    """不说进度."""


def hide(columns: Columns, seed: int, firms: float = 0.25, cells: float = 0.06) -> Columns:
    """遮盖: each source loses a quarter of the firms and some cells, as departments' files do; registers stay whole."""
    out = Columns(columns.codes, columns.dictionary, dict(columns.numbers), dict(columns.categories),
                  dict(columns.lists), dict(columns.rows), columns.loaded)  # fmt: skip
    n = len(columns)
    absent: dict[str, NDArray[np.bool_]] = {}
    keys = sorted({*columns.numbers, *columns.categories, *columns.lists}, key=lambda k: (k[0], k[1] or 0))
    for place, key in enumerate(keys):
        spec = columns.dictionary[key[0]]
        if columns.speaks(key[0]) or key[0] in REGISTERED:
            continue
        if spec.source not in absent:
            rng = np.random.default_rng([seed, 7, len(absent)])
            absent[spec.source] = rng.random(n) < firms
        gone = absent[spec.source] | (np.random.default_rng([seed, 8, place]).random(n) < cells)
        if key in out.numbers:
            out.numbers[key] = np.where(gone, np.nan, out.numbers[key])
        elif key in out.categories:
            cats = out.categories[key]
            out.categories[key] = Categories(np.where(gone, -1, cats.codes).astype(np.int32), cats.names)
        else:
            out.lists[key] = without(out.lists[key], gone)
    return out


def without(found: Lists, gone: NDArray[np.bool_]) -> Lists:
    """去掉一些企业的列表."""
    length = np.diff(found.offsets)
    offsets = np.concatenate([[0], np.cumsum(np.where(gone, 0, length))]).astype(np.int64)
    return Lists(found.codes[np.repeat(~gone, length)], offsets, found.missing | gone, found.names)


def evaluate(
    bound_items: Sequence[BoundItem], seen: Columns, truth: Columns, as_of: date, seed: int = 0
) -> dict[str, float]:
    """检验: learn from `seen`, test on what is unknown there and known in `truth` (same firms, same order)."""
    return measures(collect(bound_items, seen, truth, as_of, seed), seed)


def evaluate_hidden(
    bound_items: Sequence[BoundItem], truth: Columns, as_of: date, seed: int = 0, tell: Tell = say_nothing
) -> dict[str, Any]:
    """遮盖检验: hide known facts of `truth` in several ways, each learned and tested by itself, all measured together.

    `tell` is told of every way, as each takes a while. Questions to people are answered by a simulated reviewer, for a third of the firms before and for the others to test.
    """
    if len(truth) > MOST_FIRMS:
        rows = np.random.default_rng([seed, 9]).choice(len(truth), MOST_FIRMS, replace=False)
        truth = truth.take(np.sort(rows))
    answers = answered(bound_items, truth, seed)
    parts: list[HeldOut] = []
    for mask in range(MOST_MASKS):
        tell(f"遮住一部分已知的事实，学了再猜：第 {mask + 1} 遍，至多 {MOST_MASKS} 遍")
        given = answers if mask == 0 else None  # questions don't change with what is hidden: once is enough
        parts.append(collect(bound_items, hide(truth, seed + 1000 * mask), truth, as_of, seed + mask, given))
        if sum(len(t.pair) for t in parts) >= ENOUGH_PAIRS:
            break
    pooled = HeldOut(np.vstack([t.condition for t in parts]), np.vstack([t.pair for t in parts]))
    return measures(pooled, seed) | {
        "firms": len(truth),
        "masks": len(parts),
        "reliability": reliability(pooled),
    }


@dataclass(frozen=True)
class Answered:
    """模拟答复: what a reviewer would say of every firm, and what was said of some before."""

    all: AnswerBook
    told: AnswerBook


def answered(bound_items: Sequence[BoundItem], truth: Columns, seed: int) -> Answered:
    """模拟答复, of each question of an item of enterprises, told for a third of the firms."""
    asked = questions([b for b in bound_items if b.program.item.subject == "企业"])
    told = np.random.default_rng([seed, 12]).random(len(truth)) < TOLD
    said = {key: simulated(truth, key, seed) for key in sorted(asked)}
    everyone = {key: dict(zip(truth.codes, map(bool, answer), strict=True)) for key, answer in said.items()}
    before = {
        key: {code: book[code] for code, on in zip(truth.codes, told, strict=True) if on}
        for key, book in everyone.items()
    }
    return Answered(everyone, before)


def collect(
    bound_items: Sequence[BoundItem], seen: Columns, truth: Columns, as_of: date, seed: int = 0,
    answers: Answered | None = None,
) -> HeldOut:  # fmt: skip
    """取样: every testable condition and pair with its probability and what it was."""
    items = [b for b in bound_items if b.program.item.subject == "企业"]
    given = answers or Answered({}, {})
    model = learn(items, seen, given.told, seed=seed)
    scoring, full, now = Scoring(model, seen, given.told), Frame(truth), Frame(seen)
    found = match(items, seen, as_of, given.told)
    paid = {h.item: h for h in match(items, truth, as_of, given.all, every=True)}
    conditions, pairs, done = [np.zeros((0, 3))], [np.zeros((0, PAIR_COLUMNS))], set()
    for bound, hits in zip(items, found, strict=True):
        for tree in bound.conditions:
            scorer = model.scorer(tree)
            if scorer is None or tree in done:
                continue
            done.add(tree)
            was = full.tree(tree, {})
            rows = np.flatnonzero(now.tree(tree, {}).unknown & ~was.unknown)
            p = scoring.unit(tree, rows)
            conditions.append(np.column_stack([p, np.full(len(rows), scorer.base_rate_), was.sure[rows]]))
        pairs.append(_pairs(bound, hits, scoring, full, paid[bound.program.item.id], given.all))
    return HeldOut(np.vstack(conditions), np.vstack(pairs))


def _pairs(
    bound: BoundItem, hits: ItemHits, scoring: Scoring, full: Frame, paid: ItemHits, said: AnswerBook
) -> Floats:
    """The open pairs of one item that can be tested: every unknown condition was learned and is known in full."""
    model, name = scoring.model, bound.program.item.id
    at = np.flatnonzero(hits.verdict == OPEN)
    rows, unknown = hits.rows[at], hits.unknown[at]
    book = enterprise_answers(bound, said, RowIndex(full.columns.codes), full.n)
    was = [full.tree(t, book) for t in bound.conditions]
    clear = np.column_stack([~w.unknown[rows] for w in was])
    sure = np.column_stack([w.sure[rows] for w in was])
    kept = (clear | ~unknown).all(1)
    at, rows, unknown, sure = at[kept], rows[kept], unknown[kept], sure[kept]
    if not len(at):
        return np.zeros((0, PAIR_COLUMNS))
    held = np.asarray((sure | ~unknown).all(1))
    score = scoring.pairs(bound, rows, unknown)
    usual = model.typical.get(name, 0.0)
    expected = score * worth(hits.low[at], hits.high[at], usual)
    released = np.where(held, worth(paid.low[rows], paid.high[rows], usual), 0.0)
    names = [fingerprint(t) for t in bound.conditions]
    product = describe(model, names, scoring.conditions(bound, rows, unknown), unknown)[:, 1]
    asked = (unknown & np.array([has_ask(t) for t in bound.conditions])).any(1)
    base = np.full(len(at), model.pair_rates.get(name, 0.5))
    if asked.any():
        # the very rate: no rate of the past would serve better
        base = np.where(asked, float(held[asked].mean()), base)
    return np.column_stack([score, product, unknown.sum(1), expected, released, held, base, rows, asked])
