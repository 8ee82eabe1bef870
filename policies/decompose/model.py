"""拆解结果: the nouns of a decomposition."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from policies.segment import Clause

from .pieces import Piece


@dataclass(slots=True)
class Item:
    """拆出事项: one thing a firm could be told, before it becomes a rule file."""

    clauses: list[int]
    pieces: list[Piece]
    benefits: list[dict[str, Any]]
    conditions: list[dict[str, Any]] = field(default_factory=list)
    exclusions: list[dict[str, Any]] = field(default_factory=list)
    materials: list[dict[str, Any]] = field(default_factory=list)
    window: dict[str, Any] = field(default_factory=dict)
    title: str = ""
    delivery: str = "unspecified"
    score: float = 0.0
    title_only: bool = False  # named only by the title of a call for applications


@dataclass(slots=True)
class Decomposition:
    """拆解结果: the clauses with roles, the items, and what binds all of them."""

    text: str
    clauses: list[Clause]
    scores: np.ndarray
    roles: list[list[str]]
    items: list[Item]
    conditions: list[dict[str, Any]]
    exclusions: list[dict[str, Any]]
    issued: str | None = None

    def as_json(self) -> dict[str, Any]:
        """评测格式: the mapping that eval/score_decomposition.py reads."""
        return {
            "clauses": [
                {
                    "start": c.start,
                    "end": c.end,
                    "label": c.label,
                    "roles": r,
                    "score": round(float(s.max()), 3),
                }
                for c, r, s in zip(self.clauses, self.roles, self.scores, strict=True)
            ],
            "general": {"conditions": self.conditions, "exclusions": self.exclusions},
            "items": [
                {
                    "id": n,
                    "title": i.title,
                    "clauses": [self.clauses[k].number for k in i.clauses],
                    "delivery": i.delivery,
                    "score": round(i.score, 3),
                    "benefits": i.benefits,
                    "conditions": i.conditions,
                    "exclusions": i.exclusions,
                    "materials": i.materials,
                    "window": i.window,
                }
                for n, i in enumerate(self.items, 1)
            ],
        }
