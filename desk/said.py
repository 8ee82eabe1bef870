"""说法: small words the pages share: a condition's short name, a batch's window, amounts in a line."""

from __future__ import annotations

from datetime import date

import numpy as np

from engine.columns import Columns
from engine.evaluate import Frame
from engine.indicators import Dictionary
from engine.nodes import references
from engine.policy import Batch, Condition
from engine.program import BoundItem


def short_label(condition: Condition, room: int = 12) -> str:
    """条件的短名: its label, or the beginning of its quote, in at most `room` characters."""
    if condition.label:
        return condition.label
    text = whole_label(condition)
    for cut in "，；、。（(":
        head = text.split(cut, 1)[0]
        if 2 <= len(head) < len(text):
            text = head
    # a number cut in the middle would be another number
    return text if len(text) <= room else text[: room - 1].rstrip("0123456789.%") + "…"


def whole_label(condition: Condition) -> str:
    """条件的全名: its label, or all of its quote."""
    return condition.label or condition.quote or condition.text or condition.id


def window_words(batch: Batch, today: date) -> str:
    """窗口: 3月1日–6月30日，还剩 14 天."""
    span = f"{batch.opens.month}月{batch.opens.day}日–{batch.closes.month}月{batch.closes.day}日"
    if today < batch.opens:
        return f"{span}，{(batch.opens - today).days} 天后开始"
    left = (batch.closes - today).days
    return f"{span}，还剩 {left} 天" if left >= 0 else f"{span}，已截止"


def until_words(batch: Batch, today: date) -> str:
    """到哪天: 到 6月30日，还剩 14 天."""
    if today < batch.opens:
        return f"{batch.opens.month}月{batch.opens.day}日开始"
    left = (batch.closes - today).days
    day = f"到 {batch.closes.month}月{batch.closes.day}日"
    return f"{day}，还剩 {left} 天" if left >= 0 else f"{day}，已截止"


def cap_of(bound: BoundItem) -> float | None:
    """单笔封顶 in yuan where it is a plain number, else None."""
    caps = bound.benefit.limits.cap if bound.benefit is not None else None
    if not caps or any(references(node) for node in caps):
        return None
    frame = Frame(Columns(["-"], Dictionary({})))
    return min(float(np.asarray(frame.values(node).value).reshape(-1)[0]) for node in caps)


def money_words(low: float | None, high: float | None, cap: float | None = None) -> str:
    """金额一句话, 万元."""
    if low is None and high is None:
        return "待定" + (f"，最高 {cap / 1e4:,.2f} 万元" if cap else "")
    if low == high and low is not None:
        return f"{low / 1e4:,.2f} 万元"
    return f"{'待定' if low is None else f'{low / 1e4:,.2f}'}–{'待定' if high is None else f'{high / 1e4:,.2f}'} 万元"
