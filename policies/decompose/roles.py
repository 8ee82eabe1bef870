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


def role_scores(clauses: Sequence[Clause], model: LinearModel) -> np.ndarray:
    """角色得分: clauses × roles."""
    return model.scores(clause_features(clauses))


def chosen_roles(scores: np.ndarray, model: LinearModel) -> list[list[str]]:
    """角色: the roles above their thresholds, at least the best one."""
    out = []
    for row in scores:
        names = [model.names[k] for k in range(len(row)) if row[k] >= model.threshold[k]]
        out.append(names or [model.names[int(np.argmax(row / np.maximum(model.threshold, 1e-6)))]])
    return out
