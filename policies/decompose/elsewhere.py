"""别处已说: words of giving that only name, head or open what other sentences of the text tell with their amounts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .benefits import keyed
from .columns import is_row
from .pieces import Piece, Reading


def over_amounts(reading: Reading, pieces: Sequence[Piece]) -> set[int]:
    """金额之上: numbers of the clauses under which labelled points, or the rows of a table right behind them, tell amounts."""
    out: set[int] = set()
    for p in pieces:
        if p.label != "benefit" or not keyed(reading, p):
            continue
        c = reading.clauses[p.clause]
        if is_row(reading.views[p.clause]):
            out |= _before_table(reading, p.clause)
        before = reading.clauses[max(0, p.clause - 1)]
        if c.label and not before.label and before.headings == c.headings:
            out.add(before.number)  # a line without a number right over the points of its field
        chain = [*c.headings, c.number]
        labelled = [n for n, number in enumerate(chain) if reading.clauses[number - 1].label]
        out |= set(chain[: labelled[-1]]) if labelled else set()
    return out


def before_all(reading: Reading, pieces: Sequence[Piece]) -> set[int]:
    """开头: numbers of the clauses before the first heading that only open a text whose headed parts tell amounts."""
    told = [
        p.clause
        for p in pieces
        if p.label == "benefit" and reading.clauses[p.clause].headings and keyed(reading, p)
    ]
    first = next((k for k, c in enumerate(reading.clauses) if c.label), len(reading.clauses))
    if not any(k > first for k in told):
        return set()
    return {c.number for c in reading.clauses[:first] if not c.headings}


def headline(reading: Reading, p: Piece, pieces: Sequence[Piece]) -> bool:
    """小标题: whether a heading without a number tells amounts that a sentence under it tells again: a headline of what it gives."""
    c = reading.clauses[p.clause]
    if c.sort != "h" and (c.number > 1 or c.text.strip().endswith(("。", "；"))):
        return False
    mine = {(q.kind, q.high) for q, _, _ in keyed(reading, p)}
    below = {
        (q.kind, q.high)
        for x in pieces
        if x.label == "benefit" and x.clause > p.clause and not is_row(reading.views[x.clause])
        for q, _, _ in keyed(reading, x)
    }
    return bool(mine) and mine <= below


def points_to_table(reading: Reading, p: Piece) -> bool:
    """见表: whether a sentence leaves to a table what it gives (给予一次性奖励，标准见下表)."""
    return bool(_SEE_TABLE.search(reading.views[p.clause].flat[p.b :])) and not keyed(reading, p)


_SEE_TABLE = re.compile(r"(?:详?见|如|按照?|以)(?:下|附)表|下表(?:执行|所示|所列)")


def _before_table(reading: Reading, k: int) -> set[int]:
    """The line that a table stands under, without captions between."""
    while k > 0 and is_row(reading.views[k]):
        k -= 1
    while k > 0 and not re.search(r"[。：:；]$", reading.views[k].flat) and not reading.clauses[k].label:
        k -= 1
    return {c.number for c in reading.clauses[max(0, k - 3) : k + 1] if c.line == reading.clauses[k].line}
