"""画像: derived indicators of firms, batch and single, each with the rule and the data it came from.

Three answers here too: a tag holds, does not hold, or is open because a fact is missing. The evaluation is the
engine's own; text tags (profiles/portrait_tags.py) are proposals beside it and never enter it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from engine import kinds
from engine.columns import EPOCH, Columns
from engine.evaluate import Frame, Tree
from engine.explain import value_at
from engine.nodes import Node, bind, references
from engine.policy import Condition
from engine.program import bind_tree
from engine.truth import Truth
from engine.words import say, say_value
from profiles.portrait_rules import Rule, TagRule, bundled_rules

# Yearly tax returns (汇算清缴) are in by the end of May; before that the last full year is the year before.
SETTLED_MONTH = 6
FITS, FAILS, OPEN = "符合", "不符合", "待核实"
Bools = NDArray[np.bool_]


def portrait_year(as_of: date) -> int:
    """画像年度: the last year whose returns are in on the day: last year from June on, else the year before it."""
    return as_of.year - 1 if as_of.month >= SETTLED_MONTH else as_of.year - 2


@dataclass(frozen=True)
class Derived:
    """派生指标列: of n firms. `numbers` for a value (NaN unknown); for tags `holds` and `open`, shape (n, tags)."""

    rule: Rule
    numbers: NDArray[np.float64] | None
    holds: Bools
    open: Bools

    def tag(self, row: int) -> str | None:
        """定下的标签: the tag of a rule with cases, None where it is open."""
        at = np.flatnonzero(self.holds[row])
        return self.rule.options[int(at[0])].tag if len(at) else None

    def tags(self, row: int) -> list[str]:
        """成立的标签."""
        return [self.rule.options[int(i)].tag for i in np.flatnonzero(self.holds[row])]

    def possible(self, row: int) -> list[str]:
        """仍可能的标签: those a missing fact leaves open."""
        return [self.rule.options[int(i)].tag for i in np.flatnonzero(self.open[row])]


@dataclass(frozen=True)
class Reason:
    """理由: a condition in words, its verdict, and the values it saw."""

    text: str
    verdict: str
    seen: tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """画像一行: a derived indicator of one firm; `possible` where a fact is missing; `department` if its word differs."""

    name: str
    title: str
    section: str
    source: str
    verdict: str
    tags: tuple[str, ...]
    number: float | None
    text: str
    possible: tuple[str, ...]
    reasons: tuple[Reason, ...]
    missing: tuple[str, ...]
    note: str = ""
    department: str = ""


class Portrayer:
    """画像人: one set of columns, one day; every rule is computed once for all firms."""

    def __init__(
        self, columns: Columns, as_of: date, rules: Sequence[Rule] | None = None, year: int | None = None
    ):
        self.columns = columns
        self.rules = tuple(rules) if rules is not None else bundled_rules()
        self.year = year if year is not None else portrait_year(as_of)
        self.frame = Frame(columns)
        self._day = as_of.toordinal() - EPOCH

    def bound(self, node: Node) -> Node:
        """代入: Y and the day put in; foreign money needs no rate in a portrait."""
        return bind(node, self.year, self._day, self._day, {})

    def derive(self, rule: Rule) -> Derived:
        """派生: one rule over all firms. A case that is only possible leaves the ones after it possible too."""
        n = len(self.columns)
        if rule.value is not None:
            value = np.broadcast_to(self.frame.values(self.bound(rule.value)).value, (n,)).astype(float)
            return Derived(rule, value, np.zeros((n, 0), bool), np.zeros((n, 0), bool))
        holds = np.zeros((n, len(rule.options)), bool)
        opens = np.zeros((n, len(rule.options)), bool)
        sure, maybe = np.ones(n, bool), np.ones(n, bool)
        for place, option in enumerate(rule.options):
            truth = self._truth(option)
            holds[:, place] = truth.sure & sure
            opens[:, place] = truth.maybe & maybe & ~holds[:, place]
            if rule.cases:
                sure, maybe = sure & ~truth.maybe, maybe & ~truth.sure
        return Derived(rule, None, holds, opens)

    def _truth(self, option: TagRule) -> Truth:
        n = len(self.columns)
        if option.tree is None:
            return Truth(np.ones(n, bool), np.ones(n, bool))
        return self.frame.tree(bind_tree(option.tree, self.bound), {})

    def all(self) -> dict[str, Derived]:
        """全部派生指标: name → column."""
        return {rule.name: self.derive(rule) for rule in self.rules}

    # ------------------------------------------------------------ one firm, with reasons
    def lines(self, row: int = 0) -> list[Line]:
        """一家企业的画像: every rule with tags, reasons and what is missing."""
        return [self.line(rule, row) for rule in self.rules]

    def line(self, rule: Rule, row: int = 0) -> Line:
        """画像一行."""
        derived = self.derive(rule)
        if rule.value is not None:
            return self._number_line(rule, derived, row)
        tags, possible = tuple(derived.tags(row)), tuple(derived.possible(row))
        shown = [o for o, on in zip(rule.options, derived.holds[row] | derived.open[row], strict=True) if on]
        reasons = tuple(r for option in shown for r in self._reasons(option, row))
        if rule.cases and tags and not reasons:
            # The last case, which always holds: say what the cases above it lacked.
            reasons = tuple(r for o in rule.cases[:-1] for r in self._denials(o, row))
        undecided = bool(possible) and not (rule.cases and tags)
        text = "、".join(tags) or ("或".join(possible) if possible else "无")
        missing = tuple(
            dict.fromkeys(m for r in reasons if r.verdict == OPEN for m in r.seen if m.endswith("缺"))
        )
        return Line(
            rule.name, rule.title, rule.section, rule.source, OPEN if undecided else FITS, tags, None, text,
            possible, reasons, missing if undecided else (), rule.note, self._department(rule, row, tags),
        )  # fmt: skip

    def _number_line(self, rule: Rule, derived: Derived, row: int) -> Line:
        assert rule.value is not None and derived.numbers is not None
        number = float(derived.numbers[row])
        bound = self.bound(rule.value)
        seen = self._seen(bound, row)
        known, gaps = not np.isnan(number), tuple(s for s in seen if s.endswith("缺"))
        text = say_value(round(number, 6), rule.value.kind.name, rule.value.kind.unit)
        if known and rule.value.kind.name == kinds.RATIO:
            text = f"{number * 100:,.2f}%"
        reason = Reason(say(bound), FITS if known else OPEN, tuple(seen))
        if not known:
            text = OPEN if gaps else "不可算（除数为0或上年不为正）"
        return Line(
            rule.name, rule.title, rule.section, rule.source, FITS if known else OPEN, (), number if known else None,
            text, (), (reason,), () if known else gaps, rule.note,
        )  # fmt: skip

    def _department(self, rule: Rule, row: int, tags: tuple[str, ...]) -> str:
        """A department's own word for the same thing, where it differs."""
        if not rule.compare or not tags:
            return ""
        said = value_at(self.columns, row, rule.compare, None)
        return str(said) if said is not None and str(said) not in tags else ""

    def _reasons(self, option: TagRule, row: int) -> list[Reason]:
        if option.tree is None or option.condition is None:
            return []
        return self._walk(bind_tree(option.tree, self.bound), option.condition, row, True)

    def _denials(self, option: TagRule, row: int) -> list[Reason]:
        if option.tree is None or option.condition is None:
            return []
        return self._walk(bind_tree(option.tree, self.bound), option.condition, row, False)[:1]

    def _walk(self, tree: Tree, node: Condition, row: int, want: bool) -> list[Reason]:
        """Leaves that carry the wanted answer, or keep it open; of alternatives that all fail, the one that came nearest."""
        if not self._speaks(tree, row, want):
            return []
        if tree.kind == "ask":
            return [Reason(node.text, OPEN, ())]
        if tree.kind == "when":
            assert tree.expr is not None
            return [
                Reason(
                    node.label or say(tree.expr), self._verdict(tree, row), tuple(self._seen(tree.expr, row))
                )
            ]
        if tree.kind == "not":
            return self._walk(tree.children[0], node.children[0], row, not want)
        arms = list(zip(tree.children, node.children, strict=True))
        if tree.kind == "any" and not want and all(arm.kind == "all" for arm, _ in arms):
            nearest = max(range(len(arms)), key=lambda place: self._nearness(arms[place][0], row))
            arms = [arms[nearest]]
        return [reason for t, c in arms for reason in self._walk(t, c, row, want)]

    def _speaks(self, tree: Tree, row: int, want: bool) -> bool:
        truth = self.frame.tree(tree, {})
        sure, maybe = bool(truth.sure[row]), bool(truth.maybe[row])
        return (maybe and not sure) or (sure if want else not maybe)

    def _nearness(self, tree: Tree, row: int) -> float:
        """Share of an arm's parts that hold, its first part (the industry) counting most."""
        holds = [bool(self.frame.tree(child, {}).sure[row]) for child in tree.children]
        return holds[0] + sum(holds) / len(holds)

    def _verdict(self, tree: Tree, row: int) -> str:
        truth = self.frame.tree(tree, {})
        return FITS if truth.sure[row] else OPEN if truth.maybe[row] else FAILS

    def _seen(self, expr: Node, row: int) -> list[str]:
        found = []
        for name, year in references(expr):
            spec = self.columns.dictionary[name]
            value = value_at(self.columns, row, name, year)
            absent = self.columns.speaks(name)
            # A full register that does not name the firm says so; that is not a gap.
            text = (
                f"{absent}（名单未列）"
                if value is None and absent
                else say_value(value, spec.kind, spec.unit)
            )
            found.append(f"{name} {f'{year}年 ' if year is not None else ''}{text}")
        return found


def by_section(lines: Sequence[Line]) -> Mapping[str, list[Line]]:
    """按栏目: lines grouped by section, in the order of the rules."""
    found: dict[str, list[Line]] = {}
    for line in lines:
        found.setdefault(line.section, []).append(line)
    return found
