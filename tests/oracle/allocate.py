"""Section 6, one enterprise after another: 就高不重复, 补差 and budgets cut in proportion (enterprise-level items)."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

from tests.oracle.interpreter import FIRM, Answers, End, decide
from tests.oracle.library import Batch, Item, read_library
from tests.oracle.parser import parse_sum
from tests.oracle.values import NO, YES

Received = dict[str, dict[str, Fraction]]  # enterprise, group → yuan


@dataclass
class Claim:
    """One pair that is 符合 or 待核实, with its amount as it changes."""

    firm: str
    item: Item
    batch: Batch
    verdict: str
    low: End
    high: End
    gave_way_to: str = ""
    lost: End = None
    rank: tuple[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.rank = (str(self.item.document.get("issued", "9999")), self.item.id)

    @property
    def exclusive(self) -> dict[str, str]:
        """The item's own group, else the document's."""
        general = self.item.document.get("general", {}).get("exclusive", {})
        return self.item.raw.get("exclusive") or general


def drops(winner: Claim, loser: Claim) -> bool:
    """Whether `loser` is certainly not the highest beside `winner`; ties go to the earlier document, then the id."""
    if winner.verdict != YES or winner.low is None or loser.high is None or loser.high > winner.low:
        return False
    tie = loser.verdict == YES and loser.low == loser.high == winner.low == winner.high
    return winner.rank < loser.rank if tie else True


def highest_only(members: list[Claim]) -> None:
    lost = [any(drops(other, one) for other in members if other is not one) for one in members]
    kept = [one for one, gone in zip(members, lost, strict=True) if not gone]
    for one, gone in zip(members, lost, strict=True):
        if gone:
            over = [other for other in kept if drops(other, one)]
            best = min(over, key=lambda other: (-(other.low or 0), other.rank))
            one.gave_way_to, one.lost = best.item.id, one.high


def difference_only(members: list[Claim], paid: Fraction) -> None:
    for one in members:
        one.low = None if one.low is None else max(one.low - paid, Fraction(0))
        one.high = None if one.high is None else max(one.high - paid, Fraction(0))


def cut_in_proportion(payable: list[Claim], budget: Fraction) -> None:
    """One factor from the highs, on both ends, each rounded down to the yuan."""
    total = sum((one.high for one in payable if one.high is not None), Fraction(0))
    if total <= budget:
        return
    for one in payable:
        one.low = None if one.low is None else Fraction(math.floor(one.low * budget / total))
        one.high = None if one.high is None else Fraction(math.floor(one.high * budget / total))


def constant(item: Item, text: str) -> Fraction:
    value = parse_sum(text, item.names, "金额").value
    if not isinstance(value, Fraction):
        raise ValueError(f"{text} is no amount")
    return value


def allocate(
    library: Path, firms: list[dict[str, Any]], as_of: date, answers: list[dict[str, Any]], received: Received
) -> list[Claim]:
    """Every pair that is not 不符合, after 就高不重复, 补差 and budgets."""
    given, claims = Answers(answers), []
    for item in read_library(library):
        if batch := item.live(as_of):
            item.prepare(batch)
            for firm in firms:
                out = decide(item, batch, firm, given)
                if out["verdict"] != NO:
                    claims.append(Claim(str(firm[FIRM]), item, batch, out["verdict"], *out["amount"]))
    groups: dict[tuple[str, str, str], list[Claim]] = defaultdict(list)
    for claim in claims:
        if claim.exclusive:
            groups[claim.firm, claim.exclusive["group"], claim.exclusive["pick"]].append(claim)
    for (firm, group, pick), members in groups.items():
        if pick == "就高":
            highest_only(members)
        elif pick == "补差":
            difference_only(members, received.get(firm, {}).get(group, Fraction(0)))
    for budgeted in {id(claim.item): claim for claim in claims}.values():
        rule = budgeted.item.raw.get("budget", {}).get("when_short")
        if rule == "按比例核减" and budgeted.batch.budget:
            mine = [c for c in claims if c.item is budgeted.item and c.verdict == YES and not c.gave_way_to]
            cut_in_proportion(mine, constant(budgeted.item, budgeted.batch.budget))
    return claims
