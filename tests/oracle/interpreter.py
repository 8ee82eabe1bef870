"""Conditions, amounts and verdicts of one firm and one item (sections 4, 5 and 8)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

from tests.oracle.library import FORMS, NUMERIC, Batch, Item, RuleError, many, read_library
from tests.oracle.parser import MONEY, RATIO
from tests.oracle.values import NO, UNSURE, YES, Num, Scene, equal, evaluate, holds

End = Fraction | None  # one end of an amount in yuan; None is unknown
Interval = tuple[End, End]
ZERO = Fraction(0)
FIRM = "统一社会信用代码"
OPPOSITE = {YES: NO, NO: YES, UNSURE: UNSURE}


def both(verdicts: Iterable[str]) -> str:
    """Strong Kleene and."""
    seen = set(verdicts)
    return NO if NO in seen else UNSURE if UNSURE in seen else YES


def either(verdicts: Iterable[str]) -> str:
    """Strong Kleene or."""
    return OPPOSITE[both(OPPOSITE[verdict] for verdict in verdicts)]


def hull(parts: Iterable[Interval]) -> Interval:
    """The least interval around all parts; an unknown end stays unknown."""
    lows, highs = zip(*parts, strict=True)
    return (None if None in lows else min(lows), None if None in highs else max(highs))


def add(left: End, right: End) -> End:
    return None if left is None or right is None else left + right


def not_below(end: End, bound: Fraction) -> End:
    return None if end is None else max(end, bound)


def not_above(end: End, bound: Fraction) -> End:
    return None if end is None else min(end, bound)


def to_fen(end: End) -> End:
    """Rounded to the fen, half up of the exact value."""
    return None if end is None else Fraction(math.floor(end * 100 + Fraction(1, 2)), 100)


@dataclass
class Grant:
    """One item for one firm, or for one row of its list."""

    item: Item
    scene: Scene
    answers: Mapping[str, bool]

    def judge(self, node: dict[str, Any]) -> str:
        """The verdict of one node; one without a condition always holds."""
        if "when" in node:
            return holds(self.item.condition(node["when"]), self.scene)
        if "all" in node:
            return both(self.judge(child) for child in node["all"])
        if "any" in node:
            return either(self.judge(child) for child in node["any"])
        if "not" in node:
            return OPPOSITE[self.judge(node["not"])]
        if "ask" in node:
            answer = self.answers.get(node.get("id", ""))
            return UNSURE if answer is None else YES if answer else NO
        return YES

    def numbered(self) -> list[tuple[str, str]]:
        return [(node["id"], self.judge(node)) for node in self.item.numbered]

    def number(self, text: str, *kinds: str) -> Num | None:
        value = evaluate(self.item.sum(text, *kinds), self.scene)
        return value if isinstance(value, Num) else None

    def money(self, text: str) -> End:
        value = self.number(text, MONEY)
        return None if value is None else value.value

    def form(self, form: dict[str, Any]) -> Interval:
        """The amount of one form, before anything bounds it."""
        if "amount" in form:
            value = self.money(form["amount"])
            return value, value
        if "range" in form:
            low, high = self.money(form["range"]["low"]), self.money(form["range"]["high"])
            return (low, high) if low is None or high is None else (min(low, high), max(low, high))
        if "upto" in form:
            return ZERO, self.money(form["upto"])
        if "bands" in form:
            return self.bands(form["bands"])
        if "cases" in form:
            return self.cases(form["cases"])
        return None, None

    def cases(self, cases: list[dict[str, Any]]) -> Interval:
        """First that holds; an unknown one gives its own amount and what the following ones give."""
        parts: list[Interval] = []
        for case in cases:
            verdict = self.judge(case)
            if verdict != NO:
                own = self.floored(self.form(case), case.get("floor"))
                parts.append(self.capped(own, case.get("cap")))
            if verdict == YES:
                return hull(parts)
        return hull([*parts, (ZERO, ZERO)])

    def bands(self, bands: dict[str, Any]) -> Interval:
        by, of = self.number(bands["by"], *NUMERIC), self.base(bands)
        if bands.get("kind", "全额") == "超额":
            return self.unsure_marginal(bands) if by is None else (self.marginal(bands, by),) * 2
        steps = bands["steps"]
        if by is None:
            parts = [self.step(step, of) for step in steps]
            bounded = "from" in bands or "upto" in steps[-1] or "below" in steps[-1]
            return hull([*parts, (ZERO, ZERO)] if bounded else parts)
        if "from" in bands and self.beyond(by, bands["from"], included=False):
            return ZERO, ZERO
        for step in steps:
            if self.within(by, step):
                return self.step(step, of)
        return ZERO, ZERO

    def base(self, bands: dict[str, Any]) -> End:
        value = self.number(bands.get("of", bands["by"]), *NUMERIC)
        return None if value is None else value.value

    def edge(self, text: str) -> Num:
        value = self.number(text, *NUMERIC)
        if value is None:
            raise RuleError(2, f"{text} is no number")
        return value

    def beyond(self, by: Num, text: str, included: bool) -> bool:
        """Whether `by` lies below a bound, or at it where `included`."""
        edge = self.edge(text)
        return included if equal(by, edge) else by.value < edge.value

    def within(self, by: Num, step: dict[str, str]) -> bool:
        if "upto" in step:
            return self.beyond(by, step["upto"], included=True)
        return "below" not in step or self.beyond(by, step["below"], included=False)

    def step(self, step: dict[str, str], of: End) -> Interval:
        value = self.share(step["rate"], of) if "rate" in step else self.money(step["amount"])
        return value, value

    def share(self, rate: str, of: End) -> End:
        value = self.number(rate, RATIO)
        return None if value is None or of is None else value.value * of

    def unsure_marginal(self, bands: dict[str, Any]) -> Interval:
        """超额 where `by` is unknown: amounts of steps that may be reached are spread, a rate of it is unknown."""
        low: End = ZERO
        high: End = ZERO
        for place, step in enumerate(bands["steps"]):
            share = None if "rate" in step else self.money(step["amount"])
            certain = place == 0 and "from" not in bands
            low = add(low, share if certain or share is None else min(share, ZERO))
            high = add(high, share if certain or share is None else max(share, ZERO))
        return low, high

    def marginal(self, bands: dict[str, Any], by: Num) -> End:
        """超额: each step's rate of the part of `by` that lies in it, its amount once it is reached."""
        total, lower = ZERO, self.edge(bands["from"]).value if "from" in bands else ZERO
        reached = "from" not in bands or not self.beyond(by, bands["from"], included=False)
        for step in bands["steps"]:
            bound = step.get("upto", step.get("below"))
            upper = by.value if bound is None else self.edge(bound).value
            if "amount" in step:
                share = self.money(step["amount"]) if reached else ZERO
            else:
                share = self.share(step["rate"], max(min(by.value, upper) - lower, ZERO)) if reached else ZERO
            if share is None:
                return None
            total += share
            reached = bound is not None and not self.within(by, step)
            lower = upper
        return total

    def added(self, interval: Interval, benefit: dict[str, Any], beyond: bool) -> Interval:
        """adds: all that hold are added, an unknown one between 0 and its amount."""
        low, high = interval
        for extra in benefit.get("adds", []):
            if (extra.get("beyond_cap") == "是") != beyond:
                continue
            verdict = self.judge(extra)
            if verdict == NO:
                continue
            if "rate" in extra:
                amount = self.share(extra["rate"], self.base(benefit["bands"]))
            else:
                amount = self.money(extra["amount"])
            certain = verdict == YES
            low = add(low, amount if certain else ZERO if amount is None else min(ZERO, amount))
            high = add(high, amount if certain or amount is None else max(ZERO, amount))
        return low, high

    def capped(self, interval: Interval, caps: Any) -> Interval:
        low, high = interval
        for text in many(caps):
            cap = self.money(text)
            low = ZERO if cap is None else not_above(low, cap)
            high = high if cap is None else not_above(high, cap)
        return low, high

    def floored(self, interval: Interval, floors: Any) -> Interval:
        low, high = interval
        for text in many(floors):
            floor = self.money(text)
            low = low if floor is None else not_below(low, floor)
            high = None if floor is None else not_below(high, floor)
        return low, high

    def one(self, benefit: dict[str, Any], per_enterprise: bool) -> Interval:
        """One way the benefit may come out, in the order of section 5, not yet rounded."""
        low, high = self.form(benefit)
        interval = self.added((not_below(low, ZERO), not_below(high, ZERO)), benefit, beyond=False)
        interval = self.capped(self.floored(interval, benefit.get("floor")), benefit.get("cap"))
        low, high = self.added(interval, benefit, beyond=True)
        interval = (not_below(low, ZERO), not_below(high, ZERO))
        return self.shared(interval, benefit) if per_enterprise else interval

    def shared(self, interval: Interval, benefit: dict[str, Any]) -> Interval:
        """Bounded by the enterprise's own cap, last; never below zero."""
        low, high = self.capped(interval, benefit.get("cap_per_enterprise"))
        return not_below(low, ZERO), not_below(high, ZERO)

    def amount(self, per_enterprise: bool = True) -> Interval:
        """The amount over all the exceptions that hold or may hold, not yet rounded."""
        benefit = self.item.raw.get("benefit")
        if not benefit:
            return None, None
        parts = []
        for exception in benefit.get("exceptions", []):
            verdict = self.judge(exception)
            if verdict != NO:
                parts.append(self.one(replaced(benefit, exception), per_enterprise))
            if verdict == YES:
                return hull(parts)
        return hull([*parts, self.one(benefit, per_enterprise)])


def replaced(benefit: dict[str, Any], exception: dict[str, Any]) -> dict[str, Any]:
    """The benefit with what an exception names replaced: a form wholly, bounds one by one."""
    kept = dict(benefit)
    if any(form in exception for form in FORMS):
        kept = {key: value for key, value in benefit.items() if key not in FORMS}
    names = (*FORMS, "cap", "floor", "cap_per_enterprise")
    return kept | {key: exception[key] for key in names if key in exception}


@dataclass
class Answers:
    """Reviewers' answers, by firm, item and batch; on rows also by 项目编号."""

    lines: list[dict[str, Any]]

    def of(self, firm: str, item: str, batch: str, row: str | None = None) -> dict[str, bool]:
        return {
            line["id"]: line["answer"]
            for line in self.lines
            if (line[FIRM], line["item"], str(line["batch"])) == (firm, item, batch)
            and line.get("row") == row
        }


def result(numbered: list[tuple[str, str]], amount: Interval) -> dict[str, Any]:
    verdict = both(answer for _, answer in numbered)
    return {
        "verdict": verdict,
        "amount": (None, None) if verdict == NO else amount,
        "fails": [name for name, answer in numbered if answer == NO],
        "unknown": [name for name, answer in numbered if answer == UNSURE],
    }


def decide(item: Item, batch: Batch, firm: Mapping[str, Any], answers: Answers) -> dict[str, Any]:
    """The verdict, amount, fails and unknown of one pair; the item is prepared for the batch."""
    scene = Scene(firm, item.names.indicators, batch.year, batch.opens, batch.closes)
    subject = item.raw.get("subject", "企业")
    key = (str(firm[FIRM]), item.id, batch.id)
    if subject == "企业":
        grant = Grant(item, scene, answers.of(*key))
        out = result(grant.numbered(), grant.amount())
    else:
        out = decide_rows(item, scene, firm.get(subject), key, answers)
    low, high = out["amount"]
    return out | {"amount": (to_fen(low), to_fen(high))}


def decide_rows(
    item: Item, scene: Scene, rows: list[dict[str, Any]] | None, key: tuple[str, str, str], answers: Answers
) -> dict[str, Any]:
    """A project-level item: every row decided, then rolled up (section 8)."""
    own = Grant(item, scene, {})
    if rows is None:
        out = result(own.numbered(), (None, None))
        return out | {"verdict": UNSURE if out["verdict"] == YES else out["verdict"]}
    decided = each_row(item, scene, rows, key, answers)
    if not decided:
        return {"verdict": NO, "amount": (None, None), "fails": [], "unknown": []}
    order = [YES, UNSURE, NO]
    best = min(decided, key=lambda r: (order.index(r["verdict"]), len(r["fails"]), len(r["unknown"])))
    if best["verdict"] == NO:
        return best
    benefit = item.raw.get("benefit") or {}
    return best | {"amount": own.shared(rolled_up(decided), benefit)}


def each_row(
    item: Item, scene: Scene, rows: list[dict[str, Any]], key: tuple[str, str, str], answers: Answers
) -> list[dict[str, Any]]:
    """Every row decided by itself, its amount before the enterprise's cap and not yet rounded."""
    decided = []
    for row in rows:
        facts = {**scene.facts, **{name: value for name, value in row.items() if says(value)}}
        seen = Scene(facts, scene.indicators, scene.year, scene.opens, scene.closes)
        number = row.get("项目编号")
        grant = Grant(item, seen, answers.of(*key, row=str(number)) if number is not None else {})
        decided.append(result(grant.numbered(), grant.amount(per_enterprise=False)))
    return decided


def says(value: object) -> bool:
    """Whether a row says something of an indicator; years without a value are as good as no key."""
    return any(one is not None for one in value.values()) if isinstance(value, dict) else value is not None


def rolled_up(decided: list[dict[str, Any]]) -> Interval:
    """The lows of the rows that hold and the highs of all that may."""
    certain = [row["amount"] for row in decided if row["verdict"] == YES]
    possible = [row["amount"] for row in decided if row["verdict"] != NO]
    low: End = ZERO
    for amount in certain:
        low = add(low, amount[0])
    if not certain:
        low = hull(possible)[0]
    high: End = ZERO
    for amount in possible:
        high = add(high, amount[1])
    return low, high


def refused(library: Path, as_of: date, sets: dict[str, list[str]] | None = None) -> dict[str, int]:
    """The items of a live batch that cannot be read, with the code of section 9."""
    out = {}
    for item in read_library(library, sets):
        if batch := item.live(as_of):
            try:
                item.prepare(batch)
            except RuleError as error:
                out[item.id] = error.code
    return out


def run(
    library: Path,
    profiles: list[dict[str, Any]],
    as_of: date,
    sets: dict[str, list[str]] | None = None,
    all_pairs: bool = True,
    answers: Iterable[dict[str, Any]] = (),
) -> list[dict[str, Any]]:
    """The rows that `huiqi match` writes; items that cannot be read are left out."""
    given, rows = Answers(list(answers)), []
    for item in read_library(library, sets):
        batch = item.live(as_of)
        if batch is None:
            continue
        try:
            item.prepare(batch)
        except RuleError:
            continue
        for firm in profiles:
            out = decide(item, batch, firm, given)
            if all_pairs or out["verdict"] != NO:
                rows.append(as_row(firm, item, batch, out))
    return rows


def as_row(firm: Mapping[str, Any], item: Item, batch: Batch, out: dict[str, Any]) -> dict[str, Any]:
    low, high = (None if end is None else float(end) for end in out["amount"])
    return {
        FIRM: firm[FIRM], "item": item.id, "batch": batch.id, "verdict": out["verdict"],
        "amount_low": low, "amount_high": high, "fails": out["fails"], "unknown": out["unknown"],
        "score": None,
    }  # fmt: skip
