"""分配: 就高不重复 within an enterprise and budgets over a batch, after matching (rule language, section 6)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

FITS, OPEN = "符合", "待核实"


@dataclass(frozen=True)
class Claim:
    """一笔: a pair with its amount in yuan (None unknown), the groups it shares and what decides ties.

    `key` is the enterprise, or enterprise and 项目编号; `issued` and `item` break ties; `order` is the place in the
    queue (先到先得) or the points (按评分, more first).
    """

    key: str
    item: str
    batch: str
    verdict: str
    low: float | None
    high: float | None
    groups: tuple[tuple[str, str], ...] = ()
    issued: date | None = None
    order: float | None = None


@dataclass(frozen=True)
class Settled:
    """分配结果: amounts after, whether it gave way, to what and the money lost; `shared` marks others left open."""

    claim: Claim
    low: float | None
    high: float | None
    gave_way_to: str = ""
    lost: float | None = None
    marked: bool = False
    reduced_by: str = ""


def settle(claims: Sequence[Claim], received: Mapping[tuple[str, str], float] | None = None) -> list[Settled]:
    """就高不重复与补差: one Settled a claim, in order; `received` is 已兑现金额 in yuan by (key, group)."""
    out = [Settled(c, c.low, c.high) for c in claims]
    groups: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for i, claim in enumerate(claims):
        for group, pick in claim.groups:
            groups[claim.key, group, pick].append(i)
    for (key, group, pick), members in groups.items():
        if pick == "就高" and len(members) > 1:
            _highest(out, members)
        elif pick == "补差":
            _difference(out, members, (received or {}).get((key, group), 0.0))
        elif pick == "企业选择" and len(members) > 1:
            for i in members:
                out[i] = replace(out[i], marked=True)
    return out


def _rank(claim: Claim) -> tuple[date, str]:
    return claim.issued or date.max, claim.item


def _beats(a: Claim, b: Claim) -> bool:
    """Whether `b` certainly is not above `a`; equal exact amounts go to the earlier document, then the item's id."""
    if a.verdict != FITS or a.low is None or b.high is None or b.high > a.low:
        return False
    if b.high < a.low or b.verdict != FITS or b.low is None or a.high is None:
        return True
    return not (b.low >= a.high) or _rank(a) < _rank(b)


def _highest(out: list[Settled], members: list[int]) -> None:
    """就高: whoever is certainly not the highest gives way, to the best of those that stay."""
    claims = [out[i].claim for i in members]
    dropped = {
        i
        for i, claim in zip(members, claims, strict=True)
        if any(_beats(o, claim) for o in claims if o is not claim)
    }
    stay = [i for i in members if i not in dropped]
    for i in dropped:
        claim = out[i].claim
        over = [out[j].claim for j in stay if _beats(out[j].claim, claim)]
        best = min(over, key=lambda c: (-(c.low or 0.0), *_rank(c)))
        one = out[i]
        out[i] = Settled(one.claim, 0.0, 0.0, best.item, claim.high, one.marked, one.reduced_by)
    if len(stay) > 1:
        for i in stay:
            one = out[i]
            out[i] = Settled(one.claim, one.low, one.high, one.gave_way_to, one.lost, True, one.reduced_by)


def _difference(out: list[Settled], members: list[int], paid: float) -> None:
    """补差: what the amount is above what was already received in the group."""
    for i in members:
        low, high = (
            None if end is None else max(0.0, _cents(end - paid)) for end in (out[i].low, out[i].high)
        )
        out[i] = replace(out[i], low=low, high=high, marked=paid > 0)


def _cents(yuan: float) -> float:
    return round(yuan * 100) / 100


def share_budget(settled: Sequence[Settled], budget: float, how: str) -> list[Settled]:
    """预算: only 符合 claims of one batch share it; 按比例核减, 先到先得 or 按评分. Budget in yuan."""
    payable = [s for s in settled if s.claim.verdict == FITS and not s.gave_way_to]
    total = sum((_fraction(s.high) for s in payable if s.high is not None), Fraction(0))
    limit = _fraction(budget)
    if total <= limit:
        return list(settled)
    if how == "按比例核减":
        factor = limit / total
        ids = {id(s) for s in payable}
        return [_reduced(s, factor) if id(s) in ids else s for s in settled]
    return _queue(settled, payable, limit, how)


def _fraction(yuan: float | None) -> Fraction:
    return Fraction(round((yuan or 0.0) * 100), 100)


def _reduced(settled: Settled, factor: Fraction) -> Settled:
    ends = (
        None if end is None else float(math.floor(_fraction(end) * factor))
        for end in (settled.low, settled.high)
    )
    low, high = ends
    return replace(settled, low=low, high=high, reduced_by="按比例核减")


def _queue(
    settled: Sequence[Settled], payable: Iterable[Settled], limit: Fraction, how: str
) -> list[Settled]:
    """先到先得 by order, 按评分 by points: each is paid in full while the budget lasts, the last one what is left."""
    sign = -1 if how == "按评分" else 1

    def place(s: Settled) -> tuple[float, str]:
        return (math.inf if s.claim.order is None else sign * s.claim.order, s.claim.key)

    paid: dict[int, Settled] = {}
    for one in sorted(payable, key=place):
        if one.high is None:
            continue
        give = min(_fraction(one.high), limit)
        limit -= give
        if give < _fraction(one.high):
            low = None if one.low is None else min(one.low, float(give))
            paid[id(one)] = replace(one, low=low, high=float(give), reduced_by=how)
    return [paid.get(id(s), s) for s in settled]
