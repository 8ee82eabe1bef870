"""依据页的材料: one pair's evidence and the policy's text with its quotes marked, in plain values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from analysis.groups import group_title
from desk.office import Office
from engine import kinds
from engine.columns import EPOCH, Columns
from engine.explain import explain
from engine.match import Evidence, Match, Seen
from engine.policy import Clause, PolicyDocument
from engine.program import BoundItem
from engine.words import say_holds_on, say_value
from profiles.file import CONFLICT, Fact
from profiles.source import source_title as source_title  # pages look for it here
from store.firms import provenance
from store.nights import Night

Key = tuple[str, int | None]


@dataclass(frozen=True)
class Line:
    """一行依据: a leaf or a numbered condition, as the page prints it."""

    verdict: str
    rule: str
    value: str
    source: str
    day: str
    gap: str
    note: str = ""
    depth: int = 0
    quote: str = ""


@dataclass(frozen=True)
class Rival:
    """相互矛盾的取值 and what the condition would be if it were taken."""

    source: str
    day: str
    value: str
    verdict: str
    gap: str


@dataclass(frozen=True)
class Row:
    """一条编号条件: the line, what stands below it, what it needs and the question to answer."""

    n: int
    id: str
    cite: str
    quote: str
    line: Line
    hidden: bool
    parts: tuple[Line, ...] = ()
    rivals: tuple[Rival, ...] = ()
    questions: tuple[tuple[str, str], ...] = ()
    needs: str = ""
    departments: tuple[str, ...] = ()

    @property
    def open(self) -> bool:
        return self.line.verdict == "待核实"


def facts_of(office: Office, night: Night, code: str) -> dict[Key, Fact]:
    """企业的取值与出处 on the night's day; empty where the firm came from a file, not from the store."""
    return dict(provenance(office.engine, code, night.as_of, office.library(night).dictionary))


def seen_of(facts: Mapping[Key, Fact]) -> dict[Key, Seen]:
    """所见取值, as the explanation takes them."""
    return {
        key: Seen(
            f.indicator,
            f.year,
            f.value,
            source_title(f.source, f.department),
            f.day if f.dated else None,
            f.state,
        )
        for key, f in facts.items()
    }


def rows_of(
    found: Match, bound: BoundItem, one: Columns, night: Night, facts: Mapping[Key, Fact]
) -> list[Row]:
    """逐条依据, undecided ones first, each group in the rule's order."""
    rows = [_row(e, bound, one, night, facts) for e in found.evidence]
    order = {"待核实": 0, "不符合": 1}
    return sorted(rows, key=lambda r: (not r.open, order.get(r.line.verdict, 2), r.n))


def _row(e: Evidence, bound: BoundItem, one: Columns, night: Night, facts: Mapping[Key, Fact]) -> Row:
    leaves = [leaf for leaf in _leaves(e) if leaf.kind in ("when", "ask")]
    seen = list(dict.fromkeys((s.indicator, s.year) for leaf in leaves for s in leaf.seen))
    parts = tuple(_parts(e, one)) if e.kind not in ("when", "ask") else ()
    head = _line(e, one) if not parts else _head(e, leaves, one)
    rivals = _rivals(e, bound, one, night, facts, seen) if e.verdict == "待核实" else ()
    questions = tuple(
        (leaf.id or e.id, leaf.text) for leaf in leaves if leaf.kind == "ask" and leaf.verdict == "待核实"
    )
    lacking = [
        s.indicator for leaf in leaves if leaf.verdict == "待核实" for s in leaf.seen if s.value is None
    ]
    owners = [one.dictionary[name].department for name in lacking if name in one.dictionary]
    return Row(
        e.number, e.id, e.cite, e.quote, head, e.hidden, parts, rivals, questions, e.needs,
        tuple(dict.fromkeys(o for o in owners if o)),
    )  # fmt: skip


def _leaves(e: Evidence) -> Iterable[Evidence]:
    yield e
    for child in e.children:
        yield from _leaves(child)


def _line(e: Evidence, one: Columns, depth: int = 0) -> Line:
    sources = list(dict.fromkeys(s.source for s in e.seen if s.source))
    days = [s.as_of for s in e.seen if s.as_of]
    gap = say_holds_on(e.holds_on) if e.holds_on else e.gap
    rule = "需人工判断" if e.kind == "ask" else tidy(e.text)
    notes = "；".join(dict.fromkeys(s.note for s in e.seen if s.note))
    value = "；".join(dict.fromkeys(say_seen(s, one) for s in e.seen)) or (
        "看材料和经营范围判断" if e.kind == "ask" else "—"
    )
    return Line(
        str(e.verdict), rule, value, "、".join(sources) or "—", max(days).isoformat() if days else "—", gap, notes, depth,
        e.quote,
    )  # fmt: skip


def tidy(rule: str) -> str:
    """判法的写法: 依法纳统 = 是, as the rule itself writes a plain mark."""
    return re.sub(r" 为 (?=[是否]$)", " = ", rule)


def say_seen(seen: Seen, one: Columns) -> str:
    """取值的说法: 2025 年 486.20 万元, or what is the matter with it."""
    spec = one.dictionary.get(seen.indicator)
    year = f"{seen.year} 年 " if seen.year else ""
    if seen.value is None:
        words = {"冲突": "有两个数值", "过期": "数据已过期", "无记录": "没有记录"}.get(seen.state, "缺")
        return f"{seen.indicator} {year}{words}"
    if spec is not None and spec.kind == kinds.CODE:
        return year + group_title(seen.indicator, str(seen.value))
    return f"{year}{say_value(seen.value, spec.kind if spec else '', spec.unit if spec else '')}"


def _head(e: Evidence, leaves: Sequence[Evidence], one: Columns) -> Line:
    met = sum(1 for c in e.children if c.verdict == "符合")
    words = {
        "any": f"{len(e.children)} 项满足一项",
        "all": f"{len(e.children)} 项都要满足",
        "not": "不得有下列情形",
    }[e.kind]
    value = (
        f"满足 {met} 项"
        if e.kind != "not"
        else ("没有" if e.verdict == "符合" else "有" if e.verdict == "不符合" else "未定")
    )
    if e.kind == "not" and len(leaves) == 1:
        single = _line(leaves[0], one)
        return replace(single, verdict=str(e.verdict), rule=f"不得 {single.rule}", gap=e.gap and single.gap)
    sources = list(dict.fromkeys(s.source for leaf in leaves for s in leaf.seen if s.source))
    gap = say_holds_on(e.holds_on) if e.holds_on else e.gap
    return Line(
        str(e.verdict), words, value, "、".join(sources[:2]) or "—", "见下" if len(leaves) > 1 else "—", gap
    )


def _parts(e: Evidence, one: Columns, depth: int = 0) -> Iterable[Line]:
    for child in e.children:
        if child.kind in ("when", "ask"):
            yield _line(child, one, depth)
        else:
            yield replace(_head(child, list(_leaves(child)), one), depth=depth)
            yield from _parts(child, one, depth + 1)


def _rivals(
    e: Evidence, bound: BoundItem, one: Columns, night: Night, facts: Mapping[Key, Fact], seen: Sequence[Key]
) -> tuple[Rival, ...]:
    """Values of equal authority that contradict each other, each with the verdict it would give."""
    out = []
    for key in seen:
        fact = facts.get(key)
        if fact is None or fact.state != CONFLICT:
            continue
        spec = one.dictionary[key[0]]
        for other in fact.others or (fact,):
            shown = other.shown if other.shown is not None else other.value
            tried = _if_it_were(bound, one, night, key, shown)
            found = next((x for x in tried.evidence if x.number == e.number), None) if tried else None
            verdict, gap = (str(found.verdict), found.gap) if found else ("待核实", "")
            out.append(
                Rival(
                    source_title(other.source, other.department),
                    other.day.isoformat(),
                    say_value(shown, spec.kind, spec.unit),
                    verdict,
                    gap,
                )
            )
    return tuple(out)


def _if_it_were(bound: BoundItem, one: Columns, night: Night, key: Key, value: Any) -> Match | None:
    """The same firm with one number put in; None where the value is no number or day."""
    if isinstance(value, date):
        value = value.toordinal() - EPOCH
    if not isinstance(value, int | float):
        return None
    changed = replace(one, numbers={**one.numbers, key: np.array([float(value)])})
    return explain(bound, changed, night.as_of, night.answers())


# ---------------------------------------------------------------- the policy's text


def law(document: PolicyDocument, cited: Sequence[tuple[str, str, str, str]]) -> list[dict[str, Any]]:
    """原文: the clauses that are cited, their paragraphs cut where quotes begin and end.

    `cited`: (number as shown, cite, quote, class of the mark).
    """
    wanted: dict[str, list[tuple[str, str, str]]] = {}
    for number, cite, quote, kind in cited:
        clause = clause_of(document.clauses, cite)
        if clause is not None:
            wanted.setdefault(clause.label, []).append((number, quote, kind))
    out = []
    for clause in document.clauses:
        if clause.label in wanted:
            paragraphs = [t.strip() for t in clause.text.splitlines() if t.strip() and not t.startswith("#")]
            head = clause.heading.strip()
            out.append({
                "label": clause.label, "heading": head if head != clause.label else "",
                "paragraphs": [pieces(t, wanted[clause.label]) for t in paragraphs],
            })  # fmt: skip
    return out


def clause_of(clauses: Sequence[Clause], cite: str) -> Clause | None:
    """条: the longest label the cite begins with, no digit following it."""
    fits = [
        c for c in clauses if c.label and cite.startswith(c.label) and not cite[len(c.label) :][:1].isdigit()
    ]
    return max(fits, key=lambda c: len(c.label), default=None)


def pieces(text: str, quotes: Sequence[tuple[str, str, str]]) -> list[dict[str, str]]:
    """一段拆开: plain text and marked quotes, in order; of overlapping quotes the longer one is marked."""
    spans: list[tuple[int, int, str, str]] = []
    for number, quote, kind in sorted(quotes, key=lambda q: -len(q[1])):
        found = (
            re.search(r"\s*".join(re.escape(ch) for ch in re.sub(r"\s+", "", quote)), text) if quote else None
        )
        if found and all(found.end() <= a or found.start() >= b for a, b, _, _ in spans):
            spans.append((found.start(), found.end(), number, kind))
    out, at = [], 0
    for start, end, number, kind in sorted(spans):
        if start > at:
            out.append({"text": text[at:start], "n": "", "kind": ""})
        out.append({"text": text[start:end], "n": number, "kind": kind})
        at = end
    if at < len(text):
        out.append({"text": text[at:], "n": "", "kind": ""})
    return out
