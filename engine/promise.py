"""兑现时限: the days an item itself promises, from when the firm has done its part; standard library only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from engine.workdays import Calendar

# What the firm does last before it is the office's turn; a return to be completed begins the days anew.
BEGINS = ("提交", "确认")
BEGINS_ANEW = "补正"
_DAYS = re.compile(r"(\d{1,3})\s*(个)?(工作)?(日|天)(以?内)?")


@dataclass(frozen=True)
class Promise:
    """承诺: so many days, working days or calendar days."""

    days: int
    working: bool

    def until(self, begin: date, calendar: Calendar) -> date:
        """最后一天, the day it begins not counted; a last calendar day that is off moves on (民法典第203条). Raises UnknownYear."""
        if self.working:
            return calendar.add(begin, self.days)
        return calendar.next_workday(begin + timedelta(days=self.days))


def read_promise(text: str) -> Promise | None:
    """读兑现时限: “20个工作日”, “30日内”; None for words that say no number of days: nothing is promised then, nor guessed.

    >>> read_promise("20个工作日")
    Promise(days=20, working=True)
    >>> read_promise("30日内")
    Promise(days=30, working=False)
    >>> read_promise("按季集中兑现") is None
    True
    """
    found = _DAYS.fullmatch(text.strip())
    if found is None or int(found[1]) == 0:
        return None
    return Promise(int(found[1]), bool(found[3]))
