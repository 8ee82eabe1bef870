"""条件树与样例骨架: a drafted condition as a tree, and cases around it: everything holds, and each part failing alone."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .expressions import Proposal
from .facts import PEOPLE, Leaf


@dataclass(slots=True)
class Tree:
    """条件树: a comparison, a question, or several trees that must all or any hold; `said` carries id, cite, quote, note."""

    said: dict[str, str] = field(default_factory=dict)
    leaf: Leaf | None = None
    ask: str = ""
    join: str = ""
    children: list[Tree] = field(default_factory=list)

    @property
    def ident(self) -> str:
        """编号."""
        return self.said.get("id", "")

    def node(self) -> dict[str, Any]:
        """节点: as rule files write it."""
        if self.children:
            return {**self.said, self.join: [c.node() for c in self.children]}
        return {**self.said, **(self.leaf.node() if self.leaf else {"ask": self.ask})}

    def leaves(self) -> list[Leaf]:
        """叶子: the comparisons of a tree."""
        return [self.leaf] if self.leaf else [x for c in self.children for x in c.leaves()]


def tree_of(said: dict[str, str], proposal: Proposal) -> Tree:
    """成树: a proposal as a tree."""
    if proposal.note:
        said = {**said, "note": proposal.note}
    if not proposal.leaves:
        return Tree(said, ask=proposal.ask)
    if len(proposal.leaves) == 1:
        return Tree(said, leaf=proposal.leaves[0])
    return Tree(said, join=proposal.join, children=[Tree(leaf=x) for x in proposal.leaves])


@dataclass(slots=True)
class _Change:
    """Facts and answers by which a case differs."""

    facts: dict[str, str] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)

    def __add__(self, other: _Change) -> _Change:
        return _Change({**self.facts, **other.facts}, {**self.answers, **other.answers})


def _set(tree: Tree, holds: bool) -> _Change:
    """What makes a tree hold, or fail: of several that all must hold one fails, of several of which any suffices the first holds."""
    if tree.leaf is not None:
        return _Change(dict(tree.leaf.holds if holds else tree.leaf.fails))
    if not tree.children:
        return _Change(answers={tree.ident: "是" if holds else "否"})
    out = _Change()
    if tree.join == "any":  # the one that holds goes last: two members of one list share their fact
        for child in tree.children[1:]:
            out += _set(child, False)
        return out + _set(tree.children[0], holds)
    for n, child in enumerate(tree.children):
        out += _set(child, holds or n > 0)
    return out


def _around(tree: Tree) -> list[tuple[str, _Change, bool]]:
    """The cases around a tree: (name, change, whether it still holds)."""
    if not tree.children:
        name = "、".join(sorted(tree.leaf.indicators)) if tree.leaf else "不满足"
        return [(name, _set(tree, False), False)]
    if tree.join == "all":
        return [x for c in tree.children for x in _around(c)]
    none = _Change()
    for c in tree.children:
        none += _set(c, False)
    out = [("一项也不满足", none, False)]
    for n, c in enumerate(tree.children, 1):
        if n > 1:
            out.append((f"只满足第{n}项", none + _set(c, True), True))
        if c.children:
            alone = none + _set(c, True)
            out += [(f"第{n}项差 {name}", alone + change, ok) for name, change, ok in _around(c)]
    return out


def of_rows(name: str) -> bool:
    """行上指标: whether an indicator belongs to a project or a person of an enterprise, not to the enterprise."""
    return name.split("[")[0] in PEOPLE or name.startswith("项目")


@dataclass(frozen=True, slots=True)
class _Setting:
    """Where the cases of one item stand: opening day, year Y and what one grant is for."""

    opens: dt.date
    year: int
    subject: str

    def facts(self, facts: Mapping[str, str], base: Mapping[str, str]) -> dict[str, Any]:
        """Facts as a sample enterprise; those of a project or person in its one row, which is given whole."""
        if self.subject == "企业":
            return self._dated(facts)
        own = {k: v for k, v in facts.items() if not of_rows(k)}
        row = {k: v for k, v in {**base, **facts}.items() if of_rows(k)}
        out = self._dated(own)
        if any(of_rows(k) for k in facts):
            out[self.subject] = [{"项目编号": "P1", **self._dated(row)}]
        return out

    def answers(self, answers: Mapping[str, str]) -> dict[str, Any]:
        """Answers, by row where the grant is for a project or person."""
        return dict(answers) if self.subject == "企业" else {k: {"P1": v} for k, v in answers.items()}

    def _dated(self, facts: Mapping[str, str]) -> dict[str, Any]:
        """Yearly facts under their year, days and ages counted from the opening day."""
        out: dict[str, Any] = {}
        for name, value in facts.items():
            told = f"{self.year}-06-30" if value == "INYEAR" else _literal(value, self.opens)
            m = re.fullmatch(r"(?P<n>.+)\[Y(?:-(?P<b>\d))?\]", name)
            if m:
                out.setdefault(m["n"], {})[self.year - int(m["b"] or 0)] = told
            else:
                out[name] = told
        return out


def case_skeleton(data: Mapping[str, Any], trees: Sequence[Tree], told: Sequence[str]) -> dict[str, Any]:
    """样例骨架: cases of an item's numbered conditions, general ones first.

    `told`: general conditions whose cases stand beside another item already.
    """
    batch = next(iter(data["batches"]))
    opens = dt.date.fromisoformat(str(data["batches"][batch]["opens"]))
    setting = _Setting(opens, int(data["batches"][batch]["year"]), str(data.get("subject", "企业")))
    base = _Change()
    for tree in trees:
        base += _set(tree, True)
    cases: list[dict[str, Any]] = [{"name": "基准：都满足，刚好在线上", "expect": {"verdict": "符合"}}]
    for tree in trees:
        if tree.ident in told:
            continue
        for name, change, holds in _around(tree):
            case: dict[str, Any] = {"name": f"{tree.ident} {name}"}
            if change.facts:
                case["with"] = setting.facts(change.facts, base.facts)
            if change.answers:
                case["answers"] = setting.answers(change.answers)
            case["expect"] = {"verdict": "符合"} if holds else {"verdict": "不符合", "fails": [tree.ident]}
            cases.append(case)
    given = setting.facts(base.facts, base.facts)
    if setting.subject != "企业":
        given.setdefault(setting.subject, [{"项目编号": "P1"}])
    answers = setting.answers(base.answers)
    return {
        "item": data["item"],
        "batch": batch,
        "given": given,
        "answers": answers,
        "cases": _distinct(cases),
    }


def _distinct(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    seen: dict[str, int] = {}
    for case in cases:
        name = case["name"]
        seen[name] = seen.get(name, 0) + 1
        case["name"] = name if seen[name] == 1 else f"{name}（{seen[name]}）"
    return cases


def _literal(value: str, opens: dt.date) -> Any:
    if value == "OPENS":
        return opens.isoformat()
    if value.startswith("["):
        return [value[1:-1]]
    if value.startswith("AGE"):
        return dt.date(opens.year - int(value[3:]), opens.month, min(opens.day, 28)).isoformat()
    return value
