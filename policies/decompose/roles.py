"""条款角色: which roles a clause plays, with calibrated scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from policies.segment import Clause

from .features import clause_features
from .linear import LinearModel

ROLES = (
    "title",
    "preamble",
    "orientation",
    "condition",
    "benefit",
    "exclusion",
    "material",
    "procedure",
    "window",
    "contact",
    "definition",
    "authority",
    "other",
)


def with_neighbours(rows: Sequence[dict[str, float]], scores: np.ndarray) -> list[dict[str, float]]:
    """邻句特征: a clause's features with the first look's scores of itself and of the clauses around it."""
    out = []
    for i, row in enumerate(rows):
        more = dict(row)
        for step in (-2, -1, 0, 1, 2):
            if 0 <= i + step < len(rows):
                more |= {
                    f"r{step}:{ROLES[k]}": 2.0 * float(s) for k, s in enumerate(scores[i + step]) if s > 0.02
                }
        out.append(more)
    return out


def role_scores(clauses: Sequence[Clause], first: LinearModel, second: LinearModel) -> np.ndarray:
    """角色得分: clauses × roles; the second look knows what the first thought of the neighbours."""
    rows = clause_features(clauses)
    return second.scores(with_neighbours(rows, first.scores(rows)))


def chosen_roles(scores: np.ndarray, model: LinearModel) -> list[list[str]]:
    """角色: the roles above their thresholds, at least the best one."""
    out = []
    for row in scores:
        names = [model.names[k] for k in range(len(row)) if row[k] >= model.threshold[k]]
        out.append(names or [model.names[int(np.argmax(row / np.maximum(model.threshold, 1e-6)))]])
    return out
