"""差一点: enterprises that fail exactly one numbered condition, nearest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from desk.office import Office
from desk.said import short_label
from engine import kinds
from engine.evaluate import Frame
from engine.matching import RowIndex, enterprise_answers
from engine.nodes import Compare
from engine.program import BoundItem
from store.nights import Night

SHOWN = 30


@dataclass(frozen=True)
class NearMiss:
    """差一点的一家: how far it lies from the threshold and the day time alone will bring it there."""

    code: str
    name: str
    gap: str
    day: date | None
    open_count: int


@dataclass(frozen=True)
class NearGroup:
    """卡在同一条的: the condition, how many, and the nearest."""

    number: int
    label: str
    quote: str
    count: int
    firms: tuple[NearMiss, ...]


def nearest_firms(office: Office, night: Night, bound: BoundItem) -> list[NearGroup]:
    """差一点, by condition: those with a distance first, then in the rule's order. Project items are judged by the enterprise's own facts."""
    columns = night.columns()
    frame = Frame(columns)
    book = enterprise_answers(bound, night.answers(), RowIndex(columns.codes), len(columns))
    truths = [frame.tree(tree, book) for tree in bound.conditions]
    fails = np.stack([np.broadcast_to(t.fails, (len(columns),)) for t in truths], axis=1)
    unknown = np.stack([np.broadcast_to(t.unknown, (len(columns),)) for t in truths], axis=1).sum(axis=1)
    alone = fails.sum(axis=1) == 1
    out = []
    for i, numbered in enumerate(bound.program.conditions):
        rows = np.flatnonzero(alone & fails[:, i])
        if not len(rows):
            continue
        distance = _distance(frame, bound, i)[rows]
        order = np.lexsort((unknown[rows], distance))[:SHOWN]
        firms = tuple(_miss(office, night, bound, i, int(rows[k]), int(unknown[rows[k]])) for k in order)
        condition = numbered.condition
        out.append(NearGroup(i + 1, short_label(condition), condition.quote, len(rows), firms))
    # Where a distance can be told, something can be done about it: those groups come first.
    return sorted(out, key=lambda g: (not any(f.gap or f.day for f in g.firms), g.number))


def _distance(frame: Frame, bound: BoundItem, i: int) -> np.ndarray:
    """How far each firm lies from a numeric threshold, relative to it; where there is none all are equally far."""
    expr = bound.conditions[i].expr
    if not isinstance(expr, Compare) or expr.left.kind.name not in (*kinds.NUMERIC, kinds.DATE):
        return np.zeros(frame.n)
    left = np.broadcast_to(frame.values(expr.left).value, (frame.n,))
    right = np.broadcast_to(frame.values(expr.right).value, (frame.n,))
    with np.errstate(invalid="ignore", divide="ignore"):
        far = np.abs(left - right) / np.maximum(np.abs(right), 1e-9)
    return np.where(np.isnan(far), np.inf, far)


def _miss(office: Office, night: Night, bound: BoundItem, i: int, row: int, unknown: int) -> NearMiss:
    code = night.columns().codes[row]
    match = night.explain(code, bound.program.item.id)
    piece = match.evidence[i] if match and len(match.evidence) > i else None
    return NearMiss(
        code, office.name(night, code), piece.gap if piece else "", piece.holds_on if piece else None, unknown
    )
