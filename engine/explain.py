"""依据: for one pair, every numbered condition with clause, values, gap, the day it will hold and what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from engine import kinds
from engine.columns import EPOCH, Columns, Detail
from engine.evaluate import Frame, Tree, Values
from engine.match import Evidence, Match, Seen, Verdict
from engine.matching import (
    FAILS,
    FITS,
    OPEN,
    VERDICTS,
    AnswerBook,
    RowIndex,
    amount_of,
    best_rows,
    enterprise_answers,
    identifiers,
    masks,
    match_one,
    row_answers,
    verdicts,
)
from engine.nodes import Call, Compare, Node, Ref, Window, bind, references, walk
from engine.policy import Batch, Condition
from engine.program import BoundItem
from engine.truth import Truth, all_of
from engine.words import say, say_gap
from engine.working import working

Provenance = Mapping[tuple[str, int | None], Seen]
HORIZON = 20 * 365  # days ahead within which time alone may satisfy a condition
OFFICE, FIRM = "office", "firm"


@dataclass
class Explainer:
    """说明人: what is needed to explain one row of a frame."""

    bound: BoundItem
    frame: Frame
    row: int
    answers: Mapping[str, Truth]
    provenance: Provenance

    def evidence(self, tree: Tree, node: Condition, negated: bool, number: int = 0) -> Evidence:
        """依据树: one node and everything below it; `negated` inside a not."""
        verdict = verdict_of(self.frame.tree(tree, self.answers), self.row)
        text, needs, gap, holds_on = "", "", "", None
        seen: tuple[Seen, ...] = ()
        children: tuple[Evidence, ...] = ()
        if tree.kind == "ask":
            text = node.text
            needs = f"需要人工判断：{node.text}" if verdict == Verdict.UNDETERMINED else ""
        elif tree.kind == "when":
            assert tree.expr is not None
            text, gap = say(tree.expr), self.gap(tree.expr)
            seen, needs, holds_on = self.leaf(verdict, tree.expr, node, negated)
        else:
            inside = negated != (tree.kind == "not")
            children = tuple(
                self.evidence(child, written, inside)
                for child, written in zip(tree.children, node.children, strict=True)
            )
            if verdict == Verdict.UNDETERMINED:
                needs = "；".join(dict.fromkeys(c.needs for c in children if c.needs))
            holds_on = _joint_day(tree.kind, children, [c.holds_on for c in children if c.holds_on])
            gap = children[0].gap if len(children) == 1 else ""
        return Evidence(
            tree.kind, verdict, text, node.id, number, node.cite, node.quote, node.label, node.hidden, seen, gap, holds_on,
            needs, children,
        )  # fmt: skip

    def leaf(
        self, verdict: Verdict, expr: Node, node: Condition, negated: bool
    ) -> tuple[tuple[Seen, ...], str, date | None]:
        """叶的依据: values seen, what is missing, the day it will hold."""
        seen = tuple(self.seen(name, year) for name, year in references(expr))
        if verdict == Verdict.UNDETERMINED:
            missing = (self.need(s) for s in seen if s.value is None)
            return seen, "；".join(missing) or "算式无法得出结果（例如除数为零）", None
        wanted = Verdict.INELIGIBLE if negated else Verdict.ELIGIBLE
        return seen, "", None if verdict == wanted else self.day(node, expr, not negated)

    def seen(self, name: str, year: int | None) -> Seen:
        """所见取值: with its provenance where there is one."""
        value = value_at(self.frame.columns, self.row, name, year)
        known = self.provenance.get((name, year))
        spec = self.frame.columns.dictionary[name]
        if known is not None:
            return known if value is None or known.value is not None else replace(known, value=value)
        if value is not None:
            return Seen(name, year, value, spec.source)
        meaning = self.frame.columns.speaks(name)
        note = f"登记中没有，视为“{meaning}”" if meaning else ""
        return Seen(name, year, None, spec.source, state="无记录" if meaning else "缺失", note=note)

    def need(self, seen: Seen) -> str:
        """还缺什么: the missing fact and who holds it."""
        spec = self.frame.columns.dictionary[seen.indicator]
        what = f"{seen.year}年{seen.indicator}" if seen.year else seen.indicator
        why = {"过期": "数据过期", "冲突": "来源不一致"}.get(seen.state, "缺数据")
        holder = spec.department or spec.source
        return f"{what}：{why}" + (f"，由{holder}提供" if holder else "")

    def gap(self, expr: Node) -> str:
        """差距: how far the value lies from the threshold, in its own units."""
        if not isinstance(expr, Compare) or expr.op in ("=", "!="):
            return ""
        kind = kinds.comparable(expr.left.kind, expr.right.kind)
        if kind is None or kind.name not in (*kinds.NUMERIC, kinds.DATE, kinds.SPAN):
            return ""
        left, right = (float(self.at(self.frame.values(side))) for side in (expr.left, expr.right))
        if np.isnan(left) or np.isnan(right):
            return ""
        if not references(expr.left):
            left, right = right, left
            op = {">=": "<=", "<=": ">=", ">": "<", "<": ">"}[expr.op]
        else:
            op = expr.op
        over = left - right
        said = say_gap(abs(over), kind.name, kind.unit)
        if over == 0:
            return "刚好相等"
        if kind.name == kinds.DATE:
            return f"{'晚' if over > 0 else '早'} {said}"
        if op in (">=", ">"):
            return f"多 {said}" if over > 0 else f"还差 {said}"
        return f"超出 {said}" if over > 0 else f"还有 {said} 余地"

    def at(self, values: Values) -> float:
        value = values.value
        return float(value[self.row] if np.ndim(value) and len(value) > 1 else np.ravel(value)[0])

    def day(self, node: Condition, expr: Node, want: bool) -> date | None:
        """时间一到即符合的那一天: the first 申报开始 on which the leaf has the wanted answer, all else unchanged."""
        if not any(isinstance(p, Ref) and p.kind.name == kinds.DATE for p in walk(expr)):
            return None
        raw = self.raw(node)
        if raw is None or not any(
            isinstance(p, Window) or (isinstance(p, Call) and p.name == "周岁") for p in walk(raw)
        ):
            return None
        batch = self.bound.batch
        if not self.holds(raw, batch, HORIZON, want):
            return None
        low, high = 0, HORIZON
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.holds(raw, batch, middle, want) else (middle, high)
        return batch.opens + timedelta(days=high)

    def raw(self, node: Condition) -> Node | None:
        """The leaf's expression before the batch was put in."""
        for condition in self.bound.program.conditions:
            found = _find(condition.tree, condition.condition, node)
            if found is not None:
                return found.expr
        return None

    def holds(self, raw: Node, batch: Batch, later: int, want: bool) -> bool:
        opens, closes = (d.toordinal() - EPOCH + later for d in (batch.opens, batch.closes))
        truth = self.frame.truth(bind(raw, batch.year, opens, closes, dict(batch.rates)))
        return bool(truth.sure[self.row] if want else ~truth.maybe[self.row])


def _joint_day(kind: str, children: Sequence[Evidence], days: Sequence[date]) -> date | None:
    """The day a tree will hold by time alone: the last of its parts' days, or for any the first."""
    if not days:
        return None
    if kind == "any":
        return min(days)
    waiting = [c for c in children if c.verdict != Verdict.ELIGIBLE] if kind == "all" else list(children)
    return max(days) if len(days) == len(waiting) else None


def _find(tree: Tree, condition: Condition, node: Condition) -> Tree | None:
    if condition is node:
        return tree
    for child, written in zip(tree.children, condition.children, strict=True):
        found = _find(child, written, node)
        if found is not None:
            return found
    return None


def verdict_of(truth: Truth, row: int) -> Verdict:
    """一行的结论."""
    return VERDICTS[FITS if truth.sure[row] else OPEN if truth.maybe[row] else FAILS]


def value_at(columns: Columns, row: int, name: str, year: int | None) -> object:
    """一格的取值: a plain value, None where missing; before `absent_means`."""
    kind = columns.dictionary[name].kind
    if kind in (kinds.TEXT, kinds.CODE):
        cats = columns.category(name, year)
        return cats.names[cats.codes[row]] if cats.codes[row] >= 0 else None
    if kind == kinds.LIST:
        lists = columns.listing(name, year)
        if lists.missing[row]:
            return None
        return [lists.names[c] for c in lists.codes[lists.offsets[row] : lists.offsets[row + 1]]]
    number = columns.stored(name, year)[row]
    if np.isnan(number):
        return None
    if kind == kinds.DATE:
        return date.fromordinal(int(number) + EPOCH)
    return bool(number) if kind == kinds.BOOL else float(number)


def explain(
    bound: BoundItem,
    columns: Columns,
    as_of: date,
    answers: AnswerBook | None = None,
    provenance: Provenance | None = None,
    audience: str = OFFICE,
    frame: Frame | None = None,
    worked: bool = True,
) -> Match:
    """依据: one enterprise (columns of one row) and one item; for a firm's eyes without hidden conditions.

    Who explains many items of one enterprise gives one `frame` over its columns, where each comparison is worked out once,
    and no `worked` amounts where nobody reads how they came about.
    """
    book = answers or {}
    index, whole = RowIndex(columns.codes), frame or Frame(columns)  # worked out once, for both
    hits = match_one(bound, whole, index, book, True, as_of)
    if bound.program.item.subject == "企业":
        shown, row = whole, 0
        own = enterprise_answers(bound, book, index, 1)
    else:
        shown, row, own = _best_detail(bound, columns, book, index)
    explainer = Explainer(bound, shown, row, own, provenance or {})
    evidence = []
    if shown.n:
        for i, (numbered, tree) in enumerate(zip(bound.program.conditions, bound.conditions, strict=True), 1):
            evidence.append(explainer.evidence(tree, numbered.condition, False, i))
    sum_: tuple[str, ...] = ()
    if worked:
        sum_ = working(bound, shown, row, own, lambda name, year: value_at(shown.columns, row, name, year))
    if audience == FIRM:
        evidence = [kept for e in evidence if (kept := without_hidden(e)) is not None]
    return Match(
        columns.codes[0],
        hits.item,
        hits.batch,
        VERDICTS[hits.verdict[0]],
        amount_of(hits.low[0]),
        amount_of(hits.high[0]),
        tuple(identifiers(hits.ids, hits.fails[0])),
        tuple(identifiers(hits.ids, hits.unknown[0])),
        tuple(evidence),
        working=sum_,
    )


def _best_detail(
    bound: BoundItem, columns: Columns, book: AnswerBook, index: RowIndex
) -> tuple[Frame, int, dict[str, Truth]]:
    """The detail row that speaks for the enterprise."""
    own = columns.rows.get(bound.program.item.subject)
    missing = own.missing if own is not None else np.ones(1, bool)
    detail = Detail(columns, own, np.flatnonzero(missing))
    frame = Frame(detail)
    answers = row_answers(bound, book, index, detail)
    truths = [frame.tree(tree, answers) for tree in bound.conditions]
    fails, unknown = masks(truths, np.arange(frame.n))
    best = best_rows(detail.owner, verdicts(all_of(truths, frame.n)), fails, unknown, 1)
    return frame, int(best[0]), answers


def without_hidden(evidence: Evidence) -> Evidence | None:
    """给企业看的依据: without conditions marked hidden."""
    if evidence.hidden:
        return None
    children = tuple(c for child in evidence.children if (c := without_hidden(child)) is not None)
    if evidence.children and not children:
        return None
    return evidence if children == evidence.children else replace(evidence, children=children)
