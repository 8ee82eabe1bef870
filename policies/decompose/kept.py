"""留存的拆解: a decomposition as it was kept, whatever the models or the office's corrections say of its text today."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import numpy as np

from policies.segment import segment

from .model import Decomposition, Item
from .windows import issued_day

_OF_ITEM = ("benefits", "conditions", "exclusions", "materials", "window", "title", "delivery", "score")


def restored(text: str, answer: Mapping[str, Any]) -> Decomposition:
    """还原: from what `Decomposition.as_json` gave. Raises ValueError where the text is cut otherwise today, since its
    clauses would be others."""
    clauses = segment(text)
    if [(c.start, c.end) for c in clauses] != [(c["start"], c["end"]) for c in answer["clauses"]]:
        raise ValueError("这份文件是旧版软件分解的，条款的切法变了；请重新导入再校对")
    places = {c.number: k for k, c in enumerate(clauses)}
    items = [
        Item([places[n] for n in i["clauses"]], [], **{k: deepcopy(i[k]) for k in _OF_ITEM})
        for i in answer["items"]
    ]
    general = deepcopy(answer["general"])
    return Decomposition(
        text, clauses, np.array([[c["score"]] for c in answer["clauses"]]).reshape(-1, 1),
        [list(c["roles"]) for c in answer["clauses"]], items, general["conditions"], general["exclusions"],
        issued_day([c.text for c in clauses]),
    )  # fmt: skip
