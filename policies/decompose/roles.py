"""条款角色: which roles a clause plays, with calibrated scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from policies.segment import Clause

from .features import clause_features
from .linear import Features, LinearModel

ROLE_WORDS = {
    "title": "标题", "preamble": "引言", "orientation": "倡导", "condition": "条件", "benefit": "奖补", "exclusion": "除外",
    "material": "材料", "procedure": "程序", "window": "期限", "contact": "联系", "definition": "定义", "authority": "职责",
    "other": "其他",
}  # fmt: skip
ROLES = tuple(ROLE_WORDS)


def role_scores(
    clauses: Sequence[Clause], model: LinearModel, said: Sequence[Features] | None = None
) -> np.ndarray:
    """角色得分: clauses × roles; `said`: the clauses' prior features, where they are known already."""
    return model.scores(clause_features(clauses, said))


def chosen_roles(scores: np.ndarray, model: LinearModel) -> list[list[str]]:
    """角色: the roles above their thresholds, at least the best one."""
    out = []
    for row in scores:
        names = [model.names[k] for k in range(len(row)) if row[k] >= model.threshold[k]]
        out.append(names or [model.names[int(np.argmax(row / np.maximum(model.threshold, 1e-6)))]])
    return out


def in_code(clauses: Any) -> Any:
    """角色归一: of annotated clauses, Chinese words as the models name them; whatever else is there stays, to be told."""
    if not isinstance(clauses, dict):
        return clauses
    names = {words: role for role, words in ROLE_WORDS.items()}
    return {
        n: [names.get(r, r) if isinstance(r, str) else r for r in roles] if isinstance(roles, list) else roles
        for n, roles in clauses.items()
    }
