"""期限的话: what a firm is told of the day a step of its own is wanted by, before that day and after it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from engine.fulfilment import last_day
from engine.grantmoves import State
from store import grants

# Every message words its last day so; what the firm reads may be weeks old (tests/desk/test_firm_due.py reads them all).
# A day before which something may be done (评价) asks for nothing, so that nothing is over when it has passed.
IN_A_LETTER = re.compile(r"(\d{4}-\d{2}-\d{2}) 前(?!可以)")


@dataclass(frozen=True)
class Deadline:
    """期限: one sentence ("" where the step has no day), whether the day is over, and whether the step can still be taken."""

    words: str = ""
    over: bool = False
    open: bool = True


def deadline_of(case: grants.GrantCase, today: date) -> Deadline:
    """一件的期限, as it stands today. Once its day has passed the sentence says so and what happens now."""
    state = State(case.state)
    if state == State.SILENT:  # the day that runs now is the officer's
        return Deadline("确认的期限已经过了。现在确认仍然有效；不确认不会自动放弃，专员会联系您。", True)
    if state == State.INVITED:
        return _handing_in(case, today)
    step = {State.CONFIRM: "确认", State.CORRECTING: "补正"}.get(state)
    if step is None or case.due is None:
        return Deadline()
    if today <= case.due:
        return Deadline(f"请在 {said(case.due)} 前{step}。")
    after = (
        "现在确认仍然有效；不确认不会自动放弃，专员会联系您。"
        if state == State.CONFIRM
        else "现在补齐仍然接着办；一直不补的，部门可以不予兑现，并告诉您理由。"
    )
    return Deadline(f"{step}的期限（{said(case.due)}）已经过了。{after}", True)


def _handing_in(case: grants.GrantCase, today: date) -> Deadline:
    last = last_day(grants.to_pure(case))
    if last is not None and today > last:
        return Deadline(
            f"本批次已于 {said(last)} 截止，不再受理；批次延期以后才能提交，可以问{case.department or '政策办'}。",
            True,
            False,
        )
    if case.due is None or today <= case.due:
        return Deadline(f"请在 {said(case.due)} 前提交。" if case.due else "")
    rest = f"批次到 {said(last)} 截止，截止以前提交仍然有效。" if last else "现在提交仍然有效。"
    return Deadline(f"提交的期限（{said(case.due)}）已经过了。{rest}", True)


def over_in_letter(text: str, today: date) -> date | None:
    """信里已经过了的期限: the latest day that a letter asks for something by, None where it is still to come or none is named."""
    days = []
    for found in IN_A_LETTER.findall(text):
        try:
            days.append(date.fromisoformat(found))
        except ValueError:
            continue
    return max(days) if days and max(days) < today else None


def said(day: date) -> str:
    """6月16日"""
    return f"{day.month}月{day.day}日"
