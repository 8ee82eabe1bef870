"""条款引用: what 第八条, 前款, 上述条件 in a condition's words point to."""

from __future__ import annotations

import re
from collections.abc import Sequence

from policies.segment import Clause

from .quantities import number

_ARTICLE = re.compile(
    r"(?<![》〕])第(?P<n>[一二三四五六七八九十百零〇两]{1,5}|\d{1,3})条(?:第?[（(]?(?P<k>[一二三四五六七八九十\d]{1,3})[）)]?[款项])?"
)
_BEFORE = re.compile(r"前款|上款|前条|上述|前述|以上(?=条件|各项|规定)|本条(?:第一款|前款)")
# A condition that does nothing but point elsewhere: what is left beside the reference says nothing of its own.
_POINTS_ONLY = re.compile(
    r"符合|满足|具备|规定|条件|要求|情形|对象|范围|的|企业|单位|机构|个人|申[请报](?:人|单位|企业)|本(?:办法|措施|政策|意见|细则|规定|实施细则)|各项|所列|"
    r"同时|并|且|应当?|须|需|中|之一|全部|和|、|或者?|[，。（）]"
)
_OTHERS = re.compile(r"《[^》]*》[^，。；]{0,12}$|(?:法|条例)$")


def referred(flat: str, at: int, clauses: Sequence[Clause]) -> list[int]:
    """所指条款: indexes of the clauses that a condition's words at document offset `at` point to; none where they point to nothing
    of this document."""
    here = next((i for i, c in enumerate(clauses) if c.start <= at < c.end), None)
    if here is None:
        return []
    if _POINTS_ONLY.sub("", _BEFORE.sub("", _ARTICLE.sub("", flat))):
        return []
    out: list[int] = []
    for m in _ARTICLE.finditer(flat):
        if not _OTHERS.search(flat[: m.start()]):
            out += _article(m["n"], clauses, here)
    if not out and _BEFORE.search(flat):
        out = _above(clauses, here)
    return sorted(set(out))


def _article(name: str, clauses: Sequence[Clause], here: int) -> list[int]:
    wanted = number(name)
    heads = [c for c in clauses if c.sort == "条" and c.label and _number_of(c.label) == wanted]
    out = []
    for head in heads:
        for i, c in enumerate(clauses):
            if (
                c.number == head.number
                or head.number in c.headings
                or (c.line == head.line and c.number > head.number)
            ) and i != here:
                out.append(i)
    return out


def _number_of(label: str) -> float | None:
    m = re.search(r"第([一二三四五六七八九十百零〇两]+|\d+)条", label)
    return number(m[1]) if m else None


def _above(clauses: Sequence[Clause], here: int) -> list[int]:
    """The paragraph before, with the points of its list."""
    c = clauses[here]
    line = c.line - 1
    while line >= 0 and not any(x.line == line for x in clauses):
        line -= 1
    found = [i for i, x in enumerate(clauses) if x.line == line]
    while found and clauses[found[0]].label and clauses[found[0]].sort not in ("条", "一") and line > 0:
        line -= 1
        found = [i for i, x in enumerate(clauses) if x.line == line] + found
    same = [i for i, x in enumerate(clauses) if x.line == c.line and i < here]
    return found or same
