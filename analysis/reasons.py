"""原因: why a firm comes or goes under a change, in the words of the policy."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.night import View


def reasons(before: View, after: View, item: str, moved: pd.DataFrame) -> list[str]:
    """为什么来、为什么走: what stood in a firm's way before, or stands there now, in the words of the policy."""
    here, there = before.live(item), after.live(item)
    if not (here and there):
        return ["事项停了" if here else "新事项"] * len(moved)
    rows = moved.index.to_numpy()
    was = _in_the_way(before, item, rows, _clauses(before, item, {}))
    now = _in_the_way(after, item, rows, _clauses(after, item, _written(before, item)))
    kinds, fits, cut = moved["变化"].tolist(), moved["新结论"].tolist(), moved["只因核减"].tolist()
    out = []
    for kind, verdict, only_cut, old, new in zip(kinds, fits, cut, was, now, strict=True):
        if kind == "金额变":
            out.append("就高或额度核减变了" if only_cut else "奖补标准或所按的数变了")
        elif kind == "新符合" or (kind == "待核实变" and verdict == "待核实"):
            out.append(f"原来{old}")
        else:
            out.append(f"现在{new}")
    return out


def _written(view: View, item: str) -> dict[str, str]:
    """The expressions below each condition, by its id."""
    return {
        c.id: "；".join(leaf.text for leaf in c.condition.leaves() if leaf.kind == "when")
        for c in view.program(item).conditions
    }


def _clauses(view: View, item: str, was: dict[str, str]) -> list[str]:
    """What each condition is called: its quote, and where it is written anew the new expression, which no quote says yet."""
    out = []
    for c, (name, text) in zip(view.program(item).conditions, _written(view, item).items(), strict=True):
        words = c.condition.quote or c.condition.label or name
        out.append(f"{words}（改为 {text}）" if was.get(name, text) != text else words)
    return out


def _in_the_way(view: View, item: str, rows: np.ndarray, clauses: list[str]) -> list[str]:
    """Of each row the clauses that fail, else those still open; one text a pattern, since few patterns serve all rows."""
    found = view.found(item)
    fails, open_ = found.fails[rows], found.unknown[rows]
    said: dict[bytes, str] = {}
    out = []
    for bad, left in zip(fails, open_, strict=True):
        key = bad.tobytes() + left.tobytes()
        if key not in said:
            which, mark = (bad, "不够") if bad.any() else (left, "待核实")
            said[key] = f"{mark}：" + "；".join(clauses[j] for j in np.flatnonzero(which))
        out.append(said[key])
    return out
