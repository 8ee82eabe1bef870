"""同类企业: how many firms of the same industry, size and district meet a rule, for the reason beside a probability."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.columns import Columns
from engine.truth import Truth

INDUSTRY, SIZE, PLACE = "行业代码", "企业规模", "登记地区划"
FEW = 10
EVERYONE = "||"


def peer_groups(columns: Columns) -> NDArray[np.object_]:
    """同类: per firm its groups from narrow to wide, "行业|规模|区划" with empty parts left open; shape (n, 4)."""
    division = [n[:3] for n in columns.category(INDUSTRY, None).names]
    industry, size, place = (
        np.array([*names, ""], dtype=object)[columns.category(key, None).codes]
        for key, names in (
            (INDUSTRY, division),
            (SIZE, columns.category(SIZE, None).names),
            (PLACE, columns.category(PLACE, None).names),
        )
    )
    wide = industry + "|" + size
    return np.column_stack([np.where((industry == "") | (size == ""), "", w) for w in (wide + "|" + place, wide + "|")]
                           + [np.where(industry == "", "", industry + "||"), np.full(len(industry), EVERYONE, object)])  # fmt: skip


def peer_table(groups: NDArray[np.object_], truth: Truth) -> dict[str, list[int]]:
    """同类中的情形: group → [known, met], of groups with enough known firms."""
    known = ~truth.unknown
    out: dict[str, list[int]] = {}
    for column in groups[known].T:
        names, inverse = np.unique(column.astype(str), return_inverse=True)
        count = np.bincount(inverse, minlength=len(names))
        met = np.bincount(inverse, weights=truth.sure[known].astype(float), minlength=len(names))
        out |= {n: [int(c), int(m)] for n, c, m in zip(names, count, met, strict=True) if n and c >= FEW}
    return out


def peer_words(table: dict[str, list[int]], groups: NDArray[np.object_]) -> str:
    """同类的说法: of the narrowest group with enough known firms, "" where none has."""
    for group in groups:
        if group in table:
            known, met = table[group]
            _, size, place = str(group).split("|")
            same = "同行业" + ("同规模" if size else "") + ("同区划" if place else "") + "的"
            return f"{'全部' if group == EVERYONE else same} {known:,} 家已知企业中 {met / known:.0%} 满足"
    return ""
