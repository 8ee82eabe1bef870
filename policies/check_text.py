"""对照原文: quotes and cites against text.md (code 3), a quote's words and numbers against its expression (code 11)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from engine import kinds
from engine.errors import ExpressionError, Place, Problem
from engine.expression import parse_condition
from engine.nodes import Compare, Num, walk
from engine.nodes import Node as ExpressionNode
from engine.policy import Clause, Condition, PolicyDocument
from engine.yamltext import Node, Report
from policies.library import Library, LoadedDocument
from policies.quoting import why_not_quoted

INCLUSIVE = {"以上": (">=",), "不低于": (">=",), "不少于": (">=",), "达到": (">=",), "以下": ("<=",), "不超过": ("<=",),
             "不高于": ("<=",), "不多于": ("<=",), "以内": ("<=",)}  # fmt: skip
EXCLUSIVE = {"超过": (">",), "高于": (">",), "多于": (">",), "大于": (">",), "不满": ("<",), "低于": ("<",), "不足": ("<",),
             "少于": ("<",), "小于": ("<",)}  # fmt: skip
WORDS = re.compile(
    "不低于|不少于|不超过|不高于|不多于|以上|以下|达到|以内|超过|高于|多于|大于|不满|低于|不足|少于|小于"
)
MONEY = re.compile(r"(\d[\d,，]*(?:\.\d+)?) *(亿元|万元|元)")
NUMBER = re.compile(r"\d[\d,，]*(?:\.\d+)?")
BOUND = re.compile(r"[（(] *(不?包?含) *(?:本数|\d|[）)])")
SPACE = re.compile(r"\s+")
FLIP = {">=": "<=", "<=": ">=", ">": "<", "<": ">", "=": "=", "!=": "!="}


@dataclass(frozen=True)
class Quoted:
    """引文: a cite and quote with the places they stand at."""

    cite: str
    quote: str
    place: Place
    cite_place: Place
    node: Node


def quoted(node: Node) -> Iterator[Quoted]:
    """所有引文: every mapping below the node that has a cite or a quote."""
    if node.is_map:
        cite, quote = node.get("cite"), node.get("quote")
        if cite is not None or quote is not None:
            yield Quoted(
                (cite.text or "") if cite else "",
                (quote.text or "") if quote else "",
                quote.place if quote else node.place,
                cite.place if cite else node.place,
                node,
            )
        for _, child in node.items():
            yield from quoted(child)
    for child in node.list():
        yield from quoted(child)


def heading_of(cite: str, clauses: tuple[Clause, ...]) -> list[Clause]:
    """条款: the headings whose label the cite begins with, longest label first; no digit may follow the label."""
    fits = [
        c for c in clauses if cite.startswith(c.label) and not cite[len(c.label) : len(c.label) + 1].isdigit()
    ]
    longest = max((len(c.label) for c in fits), default=0)
    return [c for c in fits if len(c.label) == longest]


def squeeze(text: str) -> str:
    """去空白."""
    return SPACE.sub("", text)


class TextChecker:
    """对照原文: the quotes of one document's files."""

    def __init__(self, document: PolicyDocument, report: Report):
        self.document = document
        self.report = report
        self._whole = squeeze(document.text)
        self._under = {id(c): squeeze(c.text) for c in document.clauses}

    def check(self, root: Node) -> None:
        """引文核对 (code 3)."""
        for entry in quoted(root):
            if entry.quote and squeeze(entry.quote) not in self._whole:
                message, span = why_not_quoted(entry.quote, self.document.text)
                self.report(Problem(3, message, entry.place, source=entry.quote, span=span))
                continue
            if not entry.cite:
                continue
            heads = heading_of(entry.cite, self.document.clauses)
            if not heads:
                labels = "、".join(dict.fromkeys(c.label for c in self.document.clauses[:12]))
                message = f"text.md 里没有“{entry.cite}”这个标题；有：{labels}"
                self.report(
                    Problem(3, message, entry.cite_place, source=entry.cite, span=(0, len(entry.cite)))
                )
            elif entry.quote and not any(squeeze(entry.quote) in self._under[id(h)] for h in heads):
                message = f"这句话不在“{entry.cite}”下面；请核对 cite"
                self.report(
                    Problem(3, message, entry.cite_place, source=entry.cite, span=(0, len(entry.cite)))
                )


def check_text(library: Library, loaded: LoadedDocument, root: Node | None, report: Report) -> None:
    """一件文件的引文: document.yaml, items, and that numbered conditions have cite and quote."""
    document = loaded.document
    if root is not None and root.is_map and root.get("title") is None:
        report(Problem(1, "缺少 title（文件名称），请补上，例如 title: 关于……的若干措施", document.place))
    if not document.text:
        report(Problem(3, "缺少 text.md（政策原文，每条一个标题）", Place(f"{document.id}/text.md")))
        return
    checker = TextChecker(document, report)
    if root is not None and root.get("general") is not None:
        checker.check(root.get("general"))  # type: ignore[arg-type]
    for item in loaded.items:
        checker.check(item.root)


# ---------------------------------------------------------------- words and numbers (warnings)


def check_words(condition: Condition, library: Library, document: PolicyDocument, report: Report) -> None:
    """用词与数字: warns where the words or numbers of a quote don't agree with the expressions of its node."""
    for node in condition.walk():
        if not node.quote:
            continue
        leaves = [leaf for leaf in node.leaves() if leaf.kind == "when"]
        parsed = [(leaf, expr) for leaf in leaves if (expr := _parse(leaf.text, library)) is not None]
        if not parsed:
            continue
        if len(parsed) == 1 and not any(n.kind == "not" for n in node.walk()):
            _check_operator(node, *parsed[0], document, report)
        _check_numbers(node, [e for _, e in parsed], report)


def _parse(text: str, library: Library) -> ExpressionNode | None:
    try:
        return parse_condition(text, library.dictionary, library.sets)
    except ExpressionError:
        return None


def _check_operator(
    node: Condition, leaf: Condition, expr: ExpressionNode, document: PolicyDocument, report: Report
) -> None:
    if not isinstance(expr, Compare) or not any(isinstance(p, Num) for p in walk(expr)):
        return
    own = dict(document.words)
    allowed: set[str] = set()
    said = []
    for word in dict.fromkeys(WORDS.findall(node.quote)):
        ops: tuple[str, ...] = INCLUSIVE.get(word) or EXCLUSIVE[word]
        if word in own:
            ops = _redefined(ops[0], own[word])
        here = BOUND.search(node.quote)
        if here:  # 低于20万元（含20万元）: what stands in the brackets counts
            ops = _redefined(ops[0][0], here[1])
        allowed.update(ops)
        said.append(word)
    facing = expr.op if not isinstance(expr.left, Num) else FLIP[expr.op]
    directions = {op[0] for op in allowed}
    if (
        not said
        or facing[0] not in directions
        or len(directions) > 1
        or facing in allowed
        or len(allowed) > 1
    ):
        return
    expected = next(iter(allowed))
    message = f"原文写“{said[0]}”，规则用 {facing}；按原文应当用 {expected}"
    report(Problem(11, message, leaf.place, "warning", leaf.text, (0, len(leaf.text))))


def _redefined(op: str, how: str) -> tuple[str, ...]:
    if "不含" in how:
        return (op[0],)
    return (op[0] + "=",) if "含" in how else (op,)


def _check_numbers(node: Condition, exprs: list[ExpressionNode], report: Report) -> None:
    values = {part.value for expr in exprs for part in walk(expr) if isinstance(part, Num)}
    money = {
        part.value
        for e in exprs
        for part in walk(e)
        if isinstance(part, Num) and part.kind.name == kinds.MONEY
    }
    for digits, unit in MONEY.findall(node.quote):
        yuan = float(digits.replace(",", "").replace("，", "")) * kinds.MONEY_UNITS[unit]
        if yuan in money or not money:
            continue
        slip = next((m for m in money if m in (yuan * 10**4, yuan / 10**4)), None)
        if slip is not None:
            message = f"原文是“{digits}{unit}”，规则里的数差一万倍；请核对 元 和 万元"
            report(Problem(11, message, node.place, "warning", node.quote))
            return
    for digits in NUMBER.findall(node.quote):
        number = float(digits.replace(",", "").replace("，", ""))
        scaled = {number * s for s in (1, 10**4, 10**8)} | {number / 100, number / 1000}
        near = any(abs(v - s) <= 1e-9 * max(1.0, abs(s)) for v in values for s in scaled)
        if values and not near and not _is_date_or_year(node.quote, digits):
            message = f"原文里的数“{digits}”，规则里没有用到"
            report(Problem(11, message, node.place, "warning", node.quote))
            return


def _is_date_or_year(quote: str, digits: str) -> bool:
    """Numbers of dates, article numbers and spans of time are compared by other expressions."""
    return (
        re.search(
            rf"{re.escape(digits)} *(年|月|日|号|条|款|个月|天|周岁|岁)|(?:第|附件|附表|附录) *{re.escape(digits)}",
            quote,
        )
        is not None
    )
