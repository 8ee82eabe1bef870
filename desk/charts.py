"""分布图: how enterprises lie around each numeric threshold, as plain numbers for an SVG."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from desk.office import Office
from desk.said import short_label
from engine import kinds
from engine.evaluate import Frame
from engine.nodes import Compare, references
from engine.program import BoundItem
from engine.words import say_value
from store.nights import Night

BINS, LEFT, WIDTH, HEIGHT = 32, 0.0, 560.0, 90.0


@dataclass(frozen=True)
class Bar:
    """一柱: x, y, width, height in the drawing's units; whether it meets the condition; what it stands for."""

    x: float
    y: float
    width: float
    height: float
    inside: bool
    title: str


@dataclass(frozen=True)
class Threshold:
    """一条门槛的分布."""

    number: int
    label: str
    at: float
    words: str
    bars: tuple[Bar, ...]
    known: int
    below: int
    near: int
    low: str
    high: str


def thresholds(office: Office, night: Night, bound: BoundItem) -> list[Threshold]:
    """各门槛的分布 over all firms whose value is known, between the 2nd and the 98th percentile and the threshold."""

    def make() -> list[Threshold]:
        frame = Frame(night.columns())
        drawn = [_one(frame, bound, i) for i in range(len(bound.conditions))]
        return [d for d in drawn if d is not None]

    return office.memory.get(("thresholds", night.no, bound.program.item.id), make)


def _one(frame: Frame, bound: BoundItem, i: int) -> Threshold | None:
    expr = bound.conditions[i].expr
    if (
        not isinstance(expr, Compare)
        or expr.op in ("=", "!=")
        or references(expr.right)
        or not references(expr.left)
    ):
        return None
    kind = expr.left.kind
    if kind.name not in kinds.NUMERIC:
        return None
    values = np.broadcast_to(frame.values(expr.left).value, (frame.n,))
    known = values[np.isfinite(values)]
    if len(known) < 5:
        return None
    at = float(np.asarray(frame.values(expr.right).value).reshape(-1)[0])
    low, high = (float(v) for v in np.percentile(known, [2, 98]))
    low, high = min(low, at), max(high, at)
    if high <= low:
        return None
    counts, edges = np.histogram(known, bins=BINS, range=(low, high))
    up = expr.op in (">=", ">")
    top = max(int(counts.max()), 1)
    step = WIDTH / BINS
    bars = tuple(
        Bar(
            round(LEFT + k * step, 1), round(HEIGHT * (1 - float(c / top) ** 0.5), 1), round(step - 1, 1),
            round(HEIGHT * float(c / top) ** 0.5, 1), bool((edges[k] >= at) if up else (edges[k + 1] <= at)),
            f"{say_value(float(edges[k]), kind.name, kind.unit)} 起：{int(c):,} 家",
        )
        for k, c in enumerate(counts)
    )  # fmt: skip
    missed = known < at if up else known > at
    near = missed & (np.abs(known - at) <= 0.1 * abs(at))
    condition = bound.program.conditions[i].condition
    return Threshold(
        i + 1, short_label(condition), round(LEFT + (at - low) / (high - low) * WIDTH, 1), say_value(at, kind.name, kind.unit), bars,
        len(known), int(missed.sum()), int(near.sum()), _end(low, kind.name, kind.unit), _end(high, kind.name, kind.unit),
    )  # fmt: skip


def _end(value: float, kind: str, unit: str) -> str:
    """An end of the drawing in words, rounded: it bounds a picture and decides nothing."""
    rounded = round(value, 4) if kind == "比例" else float(f"{value:.4g}")
    return say_value(rounded, kind, unit)
