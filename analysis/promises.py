"""已承诺受损: firms that were told of money or whose grant is under way, and that would get less after a change."""

from __future__ import annotations

import pandas as pd

from analysis.night import CODE, HALF_A_FEN, NAME
from engine.grantmoves import FINAL
from store.database import Engine
from store.grants import states_of
from store.told import told

UNDER_WAY, TOLD = "在办", "已告知"
OFFERED = ("奖补", "减免", "权益")  # a reminder or a list of hopefuls promises nobody anything
HEADS = [CODE, NAME, "承诺", "办理状态", "原结论", "新结论", "原应付高", "新应付高"]


def promised(
    engine: Engine, item: str, batch: str, firms: pd.DataFrame, offered: bool = True
) -> pd.DataFrame:
    """已承诺受损: one row a firm: 承诺 在办 (a grant that is not over) or 已告知 (a message went out, no grant yet).

    `firms` are those that change, with verdicts and payable yuan before and after; what is paid, refused or given up is no
    promise any more, nor is a message where the item is not `offered`. 在办 first, then the most money.

    >>> from analysis import compare
    >>> impact = compare(view, view, "bs-2025-06/rd-intensity")
    >>> list(impact.promised.columns) == HEADS, len(impact.promised)
    (True, 0)
    """
    less = firms["新应付高"].fillna(0.0) < firms["原应付高"].fillna(0.0) - HALF_A_FEN
    hurt = firms[less | (firms["变化"] == "不再符合")]
    held = _held(engine, item, batch, offered) if len(hurt) else {}
    out = hurt[hurt[CODE].isin(list(held))].copy()
    out["承诺"] = [held[code][0] for code in out[CODE]]
    out["办理状态"] = [held[code][1] for code in out[CODE]]
    out["_told"] = out["承诺"] == TOLD
    return out.sort_values(["_told", "原应付高", CODE], ascending=[True, False, True], ignore_index=True)[
        HEADS
    ]


def _held(engine: Engine, item: str, batch: str, offered: bool) -> dict[str, tuple[str, str]]:
    """What stands with each firm: a grant under way, else a message that went out without any grant."""
    grants = states_of(engine, item, batch)
    sent = told(engine, item, batch) if offered else {}
    only = {code: (TOLD, one.words) for code, one in sent.items() if code not in grants}
    return only | {code: (UNDER_WAY, state) for code, state in grants.items() if state not in FINAL}


def counted(found: pd.DataFrame) -> tuple[int, int]:
    """几家在办、几家只是告知过.

    >>> counted(pd.DataFrame({"承诺": ["在办", "已告知", "在办"]}))
    (2, 1)
    """
    if not len(found):
        return 0, 0
    under_way = int((found["承诺"] == UNDER_WAY).sum())
    return under_way, len(found) - under_way


def in_words(found: pd.DataFrame, unit: str = "家") -> str:
    """一句话: how many of those promised would lose, apart by how; "" where none.

    >>> in_words(pd.DataFrame({"承诺": ["在办", "已告知", "在办"]}))
    '已承诺的 3 家会受损（在办 2，已告知还没立项 1）'
    """
    under_way, only_told = counted(found)
    if not len(found):
        return ""
    parts = [f"{word} {n}" for word, n in (("在办", under_way), ("已告知还没立项", only_told)) if n]
    return f"已承诺的 {len(found)} {unit}会受损（{'，'.join(parts)}）"
