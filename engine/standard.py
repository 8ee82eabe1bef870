"""标准的说法: how much an item gives, in an officer's words: no sign of the rule language, years as they are bound."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.evaluate import Tree
from engine.nodes import Node, Num
from engine.policy import Addition, Bands, Benefit, Condition, Expr, Form, Limits, Step, Variant
from engine.program import (
    TypedAddition,
    TypedBands,
    TypedBenefit,
    TypedForm,
    TypedLimits,
    TypedStep,
    TypedVariant,
)
from engine.words import say

Line = tuple[str, str, str, str]
BETWEEN_WORDS = re.compile(r"(?<=[一-鿿“”（）]) (?=[一-鿿“”（）])")
BASE_YEAR = re.compile(r"(?<![\w“])Y(?![\w”])")
YEARS = re.compile(r"\[Y(?:-(\d+))?(?:\.\.Y(?:-(\d+))?)?\]")


def standard_lines(benefit: Benefit | None, typed: TypedBenefit | None) -> Iterator[Line]:
    """钱怎么算: (what, how, cite, quote), in the order of the law; none where an item gives no money.

    `typed` is the same benefit compiled: bound to a batch its years are years, else they count from the batch's 基准年.
    """
    if benefit is None or typed is None:
        return
    yield "算式", say_form(benefit.form, typed.form), benefit.cite, benefit.quote
    for add, own in zip(benefit.adds, typed.adds, strict=True):
        yield "另加", _added(add, own, typed.form.bands), add.cite, add.quote
    for words in _limits(benefit.limits, typed.limits):
        name, _, how = words.partition(" ")
        yield name, how, "", ""
    for exception, variant in zip(benefit.exceptions, typed.exceptions, strict=True):
        yield "例外", _variant(exception, variant), exception.cite, exception.quote


def further_quotes(benefit: Benefit | None) -> list[tuple[str, str]]:
    """另有规定: (quote, cite) of additions and exceptions whose words the benefit's own quote does not hold already."""
    if benefit is None:
        return []
    found = [(a.quote, a.cite) for a in benefit.adds] + [(e.quote, e.cite) for e in benefit.exceptions]
    return [pair for pair in dict.fromkeys(found) if pair[0] and pair[0] not in benefit.quote]


def say_form(form: Form | None, typed: TypedForm | None) -> str:
    """数额形式的说法."""
    if form is None or typed is None:
        return "没有金额"
    if form.kind == "words":
        return f"{form.words}（算不出，由人定）"
    if form.kind == "range":
        return f"{_sum(form.low, typed.low)} 至 {_sum(form.high, typed.high)}"
    if form.kind == "bands" and form.bands is not None and typed.bands is not None:
        return _bands(form.bands, typed.bands)
    if form.kind == "cases":
        return "；".join(_variant(*pair) for pair in zip(form.cases, typed.cases, strict=True))
    if isinstance(typed.amount, Num) and typed.amount.value == 0:
        return "没有金额，给的是资格或服务"
    return ("最高 " if form.kind == "upto" else "") + _sum(form.amount, typed.amount)


def say_condition(condition: Condition, tree: Tree) -> str:
    """条件的说法, in one sentence; what a person has to judge is said to be so."""
    if tree.kind == "ask":
        return f"经人判断“{condition.text}”"
    if tree.kind == "when":
        assert tree.expr is not None
        return re.sub(r"(不?为)([是否])$", r"\1“\2”", _said(tree.expr))
    parts = [say_condition(*pair) for pair in zip(condition.children, tree.children, strict=True)]
    if tree.kind == "not":
        return f"没有“{'、'.join(parts)}”的情形"
    nested = [
        f"（{words}）" if below.kind in ("any", "all") and len(parts) > 1 else words
        for words, below in zip(parts, tree.children, strict=True)
    ]
    return ("，并且" if tree.kind == "all" else "，或者").join(nested)


def _said(node: Node) -> str:
    """A sentence as it is written in Chinese: no gap between words, a year as one counts it."""
    return BETWEEN_WORDS.sub("", BASE_YEAR.sub("基准年", YEARS.sub(_year, say(node))))


def _year(found: re.Match[str]) -> str:
    first, last = (f"前{n}年" if n else "" for n in found.groups())
    ranged = ".." in found[0]
    return f"（基准年{first}{'至' + (last or '基准年') if ranged else ''}）"


def _sum(expr: Expr | None, node: Node | None) -> str:
    """A sum that is a plain number stands as the rule has it (1亿元 is not 10,000 万元)."""
    if expr is None or node is None:
        return "—"
    return expr.text if isinstance(node, Num) else _said(node)


def _variant(variant: Variant, typed: TypedVariant) -> str:
    """When, and what then: the form, the limits of its own."""
    what = [say_form(variant.form, typed.form)] if variant.form is not None else []
    then = "，".join([*what, *_limits(variant.limits, typed.limits)])
    if variant.condition is None or typed.tree is None:
        return f"其他情形，{then}"
    return f"{say_condition(variant.condition, typed.tree)}时，{then}"


def _limits(limits: Limits, typed: TypedLimits) -> Iterator[str]:
    for name, exprs, nodes in (
        ("封顶", limits.cap, typed.cap),
        ("保底", limits.floor, typed.floor),
        ("每家封顶", limits.cap_per_enterprise, typed.cap_per_enterprise),
    ):
        if exprs and nodes:
            yield f"{name} {'、'.join(_sum(*pair) for pair in zip(exprs, nodes, strict=True))}"


def _added(add: Addition, typed: TypedAddition, bands: TypedBands | None) -> str:
    what = _sum(add.amount, typed.amount)
    if add.rate is not None:
        what = (f"{_said(bands.of)} × " if bands is not None else "") + _sum(add.rate, typed.rate)
    when = f"{say_condition(add.condition, typed.tree)}时，" if add.condition and typed.tree else ""
    return f"{when}{what}{'，不受封顶限制' if add.beyond_cap else ''}"


def _bands(bands: Bands, typed: TypedBands) -> str:
    """Each step with both its ends: “不超过 1000万元” alone would read as from zero."""
    told = []
    low = f"超过 {_sum(bands.start, typed.start)}" if bands.start else ""
    of = "" if typed.of == typed.by else f"{_said(typed.of)} × "
    for step, own in zip(bands.steps, typed.steps, strict=True):
        bound = _sum(step.bound, own.bound)
        high = f"{'不超过' if step.inclusive else '不到'} {bound}" if step.bound else ""
        told.append(f"{'、'.join(filter(None, (low, high)))}：{_worth(step, own, of)}")
        low = f"{'超过' if step.inclusive else '满'} {bound}" if step.bound else ""
    kind = "超额" if bands.marginal else "全额"
    return f"按 {_said(typed.by)} {kind}分档：" + "；".join(told)


def _worth(step: Step, own: TypedStep, of: str) -> str:
    if step.rate is not None:
        return of + _sum(step.rate, own.rate)
    return _sum(step.amount, own.amount) if step.amount is not None else "0元"
