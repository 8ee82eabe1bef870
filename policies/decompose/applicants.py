"""谁来申报: which items a list of conditions binds by the applicants or the grade that stand over it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .model import Item
from .pieces import Piece, Reading
from .spans import body_of

_GRADE = re.compile(r"[A-F]类|[甲乙丙丁]类|第[一二三四五]层次|第[一二三四五]档")


def graded(reading: Reading, p: Piece, items: Sequence[Item]) -> list[int]:
    """等级归属: items of the grade that a heading over a piece names (第一层次人才（A类） and A类人才，每人每月…)."""
    above = "".join(reading.views[h - 1].flat for h in reading.clauses[p.clause].headings)
    wanted = set(_GRADE.findall(above))
    if not wanted:
        return []
    out = []
    for n, i in enumerate(items):
        numbers = {h for k in i.clauses for h in (*reading.clauses[k].headings, reading.clauses[k].number)}
        told = set(_GRADE.findall("".join(reading.views[h - 1].flat[:30] for h in sorted(numbers))))
        if told and told <= wanted:
            out.append(n)
    return out


_MUST_MEET = re.compile(
    r"^(?:申[请报]的?)?(?P<who>[^，。：:]{2,40}?)(?:等金融机构|等)?(?:应当?|须|必须|需要?|要)?(?:同时)?(?:符合|满足|具备)[^，。]{0,8}条件[：:]"
)


def applicants(reading: Reading, p: Piece, items: Sequence[Item]) -> list[int]:
    """主体归属: items under headings that name one of the applicants of a lead (申报的银行和担保公司须满足以下条件：); where none does,
    those that speak of one and that no lead beside it names (1.申报的企业…：2.申报的银行…：)."""
    for number in reversed(reading.clauses[p.clause].headings):
        who = _who_must(reading, number)
        if not who:
            continue
        if becomes := _become(reading, who, items):
            return becomes
        heads = [_last_heads(reading, i) for i in items]
        named = [n for n, head in enumerate(heads) if len(head) <= 40 and any(w in head for w in who)]
        return named or _left_over(reading, number, who, items, heads)
    return []


def _become(reading: Reading, who: Sequence[str], items: Sequence[Item]) -> list[int]:
    """Items whose own words say one is recognised as what the lead speaks of."""
    names = [re.escape(w) for w in who if len(w) >= 4]
    if not names:
        return []
    said = re.compile(f"(?:认定|评定|评选|确定)为(?:{'|'.join(names)})")
    return [n for n, i in enumerate(items) if any(said.search(reading.views[k].flat) for k in i.clauses)]


def _who_must(reading: Reading, number: int) -> list[str]:
    """The applicants that a lead names."""
    flat = reading.views[number - 1].flat
    m = _MUST_MEET.match(flat[body_of(flat)[0] :])
    return [w for w in re.split(r"、|和|及|以及|或", m["who"]) if len(w) >= 2] if m else []


def _last_heads(reading: Reading, item: Item) -> str:
    return "".join(reading.views[h - 1].flat for k in item.clauses for h in reading.clauses[k].headings[-1:])


def _left_over(
    reading: Reading, number: int, who: Sequence[str], items: Sequence[Item], heads: Sequence[str]
) -> list[int]:
    """Items whose sentences speak of an applicant, of those that the leads beside this one don't name."""
    lead = reading.clauses[number - 1]
    beside = [
        w
        for c in reading.clauses
        if c.headings == lead.headings and c.sort == lead.sort and c.number != number
        for w in _who_must(reading, c.number)
    ]
    if not beside:
        return []
    return [
        n
        for n, i in enumerate(items)
        if not (len(heads[n]) <= 40 and any(w in heads[n] for w in beside))
        and any(w in reading.views[k].flat for k in i.clauses for w in who)
    ]
