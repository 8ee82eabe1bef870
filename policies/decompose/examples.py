"""样本: what an annotated document teaches: roles of clauses, keys of numbers, labels of atoms, unions of units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.text import cut_clauses
from policies.segment import Clause, segment

from .numbers import KEYS
from .pieces import LABELS, Piece, Reading
from .roles import ROLES
from .spans import trimmed

Span = tuple[int, int]


@dataclass(slots=True)
class Annotated:
    """标注文件: a document's text with its annotation, as GUIDE.md of the evaluation describes it; `second` for one of
    the project's own annotations, `written` for a text written to teach."""

    stem: str
    city: str
    text: str
    gold: Mapping[str, Any]
    second: bool = False
    written: bool = False
    clauses: list[Clause] = field(default_factory=list)
    role_labels: np.ndarray = field(default_factory=lambda: np.zeros((0, len(ROLES))))

    def prepare(self) -> Annotated:
        """备样: cut the text and read the roles."""
        self.clauses = segment(self.text)
        names = self.gold["clauses"]
        cuts = [(c.start, c.end) for c in self.clauses]
        if len(names) != len(
            cuts
        ):  # numbered line by line: a clause over lines that a page broke has the roles of all
            cuts = cut_clauses(self.text)
        told = [(a, b, names.get(str(n), [])) for n, (a, b) in enumerate(cuts, 1)]
        of = [{r for a, b, some in told if c.start <= a and b <= c.end for r in some} for c in self.clauses]
        self.role_labels = np.array([[float(r in said) for r in ROLES] for said in of]).reshape(
            -1, len(ROLES)
        )
        return self


def locate(text: str, quote: str, near: Sequence[Span]) -> Span | None:
    """定位: where a quote stands, inside the spans `near` first."""
    for a, b in near:
        at = text.find(quote, a, max(b, a + len(quote)))
        if at >= 0:
            return at, at + len(quote)
    at = text.find(quote) if quote else -1
    return (at, at + len(quote)) if at >= 0 else None


def place(text: str, entry: str | Mapping[str, Any], near: Sequence[Span]) -> Span | None:
    """落位: where an annotated piece stands: a quote, or a mapping with a `quote` and maybe the `start` of its place."""
    if isinstance(entry, str):
        return locate(text, entry, near)
    quote, start = str(entry["quote"]), entry.get("start")
    if isinstance(start, int) and quote and text.startswith(quote, start):
        return start, start + len(quote)
    return locate(text, quote, near)


@dataclass(slots=True)
class Spans:
    """标注位置: where the annotated pieces stand."""

    conditions: list[Span]
    benefits: list[tuple[Span, int, Mapping[str, Any]]]  # span, item index, entry
    exclusions: list[Span]
    materials: list[Span]


def gold_spans(doc: Annotated) -> Spans:
    """标注位置: every annotated piece of a document as offsets."""
    cuts = cut_clauses(doc.text)
    out = Spans([], [], [], [])
    general = doc.gold.get("general") or {}
    groups: list[tuple[int, Mapping[str, Any], list[Span]]] = [(-1, general, [])]
    for n, item in enumerate(doc.gold["items"]):
        groups.append((n, item, [cuts[c - 1] for c in item.get("clauses", []) if 1 <= c <= len(cuts)]))
    for n, holder, near in groups:
        for c in holder.get("conditions", []):
            if span := place(doc.text, c, near):
                out.conditions.append(span)
        for b in holder.get("benefits", []):
            if span := place(doc.text, b, near):
                out.benefits.append((span, n, b))
        for name, into in (("exclusions", out.exclusions), ("materials", out.materials)):
            into.extend(s for q in holder.get(name, []) if (s := place(doc.text, q, near)))
    return out


_NUMBERS = {
    "amount": "amount",
    "rate": "rate",
    "cap": "cap",
    "floor": "cap",
    "min": "amount",
    "max": "amount",
}


def mention_labels(reading: Reading, spans: Spans) -> np.ndarray:
    """数字标注: mentions × KEYS, 1 where the annotation takes this number for that key."""
    out = []
    for i, found in enumerate(reading.mentions):
        view = reading.views[i]
        for q in found:
            a, b = view.span(q.start, q.end)
            row = np.zeros(len(KEYS))
            for (s, e), _, entry in spans.benefits:
                if s <= a and b <= e:
                    for key, name in _NUMBERS.items():
                        value = entry.get(key)
                        if isinstance(value, (int, float)) and any(
                            abs(value - v) <= 1e-4 * max(1.0, abs(value)) for v in (q.low, q.high)
                        ):
                            row[KEYS.index("rate" if name == "amount" and q.kind == "percent" else name)] = (
                                1.0
                            )
            if not row.any():
                row[KEYS.index("none")] = 1.0
            out.append(row)
    return np.array(out).reshape(-1, len(KEYS))


def atom_labels(reading: Reading, spans: Spans) -> np.ndarray:
    """片段标注: atoms × LABELS."""
    out = np.zeros((len(reading.atoms), len(LABELS)))
    groups = (
        ("condition", sorted(set(spans.conditions))),
        ("benefit", sorted({s for s, _, _ in spans.benefits})),
        ("exclusion", sorted(set(spans.exclusions))),
        ("material", sorted(set(spans.materials))),
    )
    previous: dict[str, set[Span]] = {}
    for i, atom in enumerate(reading.atoms):
        flat = reading.views[atom.clause].flat
        a, b = reading.views[atom.clause].span(*trimmed(flat, atom.a, atom.b))
        for label, known in groups:
            hits = {s for s in known if _covers(s, a, b)}
            if not hits:
                previous[label] = set()
                continue
            carried = hits & previous.get(label, set())
            out[i, LABELS.index(label)] = 1.0
            if carried and f"more_{label}" in LABELS:
                out[i, LABELS.index(f"more_{label}")] = 1.0
            previous[label] = hits
    return out


def _covers(span: Span, a: int, b: int) -> bool:
    s, e = span
    shared = min(e, b) - max(s, a)
    return shared > 0.5 * (b - a) or (shared > 0 and shared / (max(e, b) - min(s, a)) >= 0.5)


def item_of(span: Span, spans: Spans) -> set[int]:
    """归属: the annotated items whose benefits overlap a span by more than half of the shorter."""
    out = set()
    for (s, e), n, _ in spans.benefits:
        shared = min(e, span[1]) - max(s, span[0])
        if shared > 0.5 * min(e - s, span[1] - span[0]):
            out.add(n)
    return out


def gold_benefit_pieces(reading: Reading, labels: np.ndarray) -> list[Piece]:
    """标注奖补: benefit pieces as the annotation has them, to learn which of them make one item."""
    b, more = LABELS.index("benefit"), LABELS.index("more_benefit")
    out: list[Piece] = []
    for i, atom in enumerate(reading.atoms):
        if labels[i, more] and out and out[-1].clause == atom.clause:
            out[-1].b = atom.b
        elif labels[i, b] or labels[i, more]:
            out.append(Piece("benefit", atom.clause, atom.a, atom.b, 1.0))
    return out


def gold_condition_pieces(reading: Reading, labels: np.ndarray) -> list[Piece]:
    """标注条件: condition pieces as the annotation has them."""
    k = LABELS.index("condition")
    return [
        Piece("condition", a.clause, a.a, a.b, 1.0)
        for a, y in zip(reading.atoms, labels, strict=True)
        if y[k]
    ]
