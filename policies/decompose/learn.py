"""改正与重训: the officer's corrections beside the annotated documents, and the facts of a fitted model."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import sklearn

from .examples import Annotated
from .linear import LinearModel
from .roles import ROLES


def model_facts(docs: Sequence[Annotated], models: Mapping[str, LinearModel], as_of: str) -> dict[str, Any]:
    """模型卡数据: what a model was fitted from; counts a role, no sentence of any document."""
    digest = hashlib.sha256()
    for d in docs:
        digest.update(d.stem.encode() + b"\0" + d.text.encode())
    total = sum(d.role_labels.sum(axis=0) for d in docs)
    return {
        "date": as_of,
        "scikit_learn": sklearn.__version__,
        "documents": len(docs),
        "clauses": sum(len(d.clauses) for d in docs),
        "roles": {r: int(n) for r, n in zip(ROLES, total, strict=True)},
        "features": {name: len(m.vocabulary) for name, m in models.items()},
        "data_sha256": digest.hexdigest(),
    }
