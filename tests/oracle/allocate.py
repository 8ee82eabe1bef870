"""Section 6, one enterprise after another: 就高不重复 (among projects of one 项目编号), 补差 and budgets cut in proportion."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

from tests.oracle.interpreter import FIRM, ZERO, Answers, End, decide, each_row, to_fen
from tests.oracle.library import Batch, Item, read_library
from tests.oracle.parser import parse_sum
from tests.oracle.values import NO, YES, Scene

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
    project: str = ""
    rows: list[Claim] = field(default_factory=list)
    sure: End = field(init=False)  # the high end of what is 符合: all of it but where some rows are 待核实

    def __post_init__(self) -> None:
        self.sure = self.high
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
        one.low = None if one.low is None else max(one.low - paid, ZERO)
        one.high = None if one.high is None else max(one.high - paid, ZERO)
        one.sure = None if one.sure is None else max(one.sure - paid, ZERO)


def cut_in_proportion(payable: list[Claim], budget: Fraction) -> None:
    """One factor from the highs, on both ends, each rounded down to the yuan."""
    total = sum((one.sure for one in payable if one.sure is not None), ZERO)
    if total <= budget:
        return
    for one in payable:
        one.low = None if one.low is None else Fraction(math.floor(one.low * budget / total))
        if one.sure is None:
            one.high = None
            continue
        more = None if one.high is None else one.high - one.sure
        one.sure = Fraction(math.floor(one.sure * budget / total))
        one.high = None if more is None else one.sure + more


def rows_of(claim: Claim, firm: dict[str, Any], answers: Answers) -> list[Claim]:
    """The claims of an enterprise's rows on a project-level item, each rounded as it is paid."""
    item, batch, subject = claim.item, claim.batch, claim.item.raw.get("subject", "企业")
    if subject == "企业" or not firm.get(subject):
        return []
    scene = Scene(firm, item.names.indicators, batch.year, batch.opens, batch.closes)
    out = []
    decided = each_row(item, scene, firm[subject], (claim.firm, item.id, batch.id), answers)
    for row, one in zip(firm[subject], decided, strict=True):
        if one["verdict"] != NO:
            ends = map(to_fen, one["amount"])
            out.append(Claim(claim.firm, item, batch, one["verdict"], *ends, project=row["项目编号"]))
    return out


def bounded(amount: End, most: End) -> End:
    return amount if amount is None or most is None else min(amount, most)


def gather(claim: Claim) -> None:
    """Put an enterprise's rows together again after some gave way; the match has bounded them by the enterprise's cap."""
    gone = [row for row in claim.rows if row.gave_way_to]
    sure = [row for row in claim.rows if row.verdict == YES]
    if sure:
        some = [ZERO if row.gave_way_to else row.high for row in sure]
        claim.sure = bounded(None if None in some else sum(some, ZERO), claim.high)  # type: ignore[arg-type]
    if not gone:
        return
    lows = [ZERO if row.gave_way_to else row.low for row in sure or claim.rows]
    low: End = None if None in lows else sum(lows, ZERO) if sure else min(lows)  # type: ignore[type-var,arg-type]
    highs = [ZERO if row.gave_way_to else row.high for row in claim.rows]
    high: End = None if None in highs else sum(highs, ZERO)  # type: ignore[arg-type]
    # Where the rows leave the low end unknown and the match says 0, it is the unknown cap of the enterprise that does.
    claim.low = claim.low if low is None else bounded(low, claim.low)
    claim.high = bounded(high, claim.high)
    if len(gone) == len(claim.rows):
        lost = [row.lost for row in gone]
        claim.gave_way_to = gone[0].gave_way_to
        claim.lost = None if None in lost else sum(lost, ZERO)  # type: ignore[arg-type]


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
                    claim = Claim(str(firm[FIRM]), item, batch, out["verdict"], *out["amount"])
                    claim.rows = rows_of(claim, firm, given)
                    claims.append(claim)
    highest: dict[tuple[str, str, str], list[Claim]] = defaultdict(list)
    for claim in claims:
        if claim.exclusive and claim.exclusive["pick"] == "就高":
            for one in claim.rows or [claim]:
                highest[claim.firm, one.project, claim.exclusive["group"]].append(one)
    for members in highest.values():
        highest_only(members)
    for claim in claims:
        gather(claim)
        if claim.exclusive and claim.exclusive["pick"] == "补差":
            difference_only([claim], received.get(claim.firm, {}).get(claim.exclusive["group"], ZERO))
    for budgeted in {id(claim.item): claim for claim in claims}.values():
        rule = budgeted.item.raw.get("budget", {}).get("when_short")
        if rule == "按比例核减" and budgeted.batch.budget:
            mine = [c for c in claims if c.item is budgeted.item and c.verdict == YES and not c.gave_way_to]
            cut_in_proportion(mine, constant(budgeted.item, budgeted.batch.budget))
    return claims
