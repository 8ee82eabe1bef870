"""事项给什么、给谁: what the public zone sorts items by that no field of a rule says: the most money, the industries."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from engine.columns import Builder, Columns
from engine.evaluate import Frame, Tree
from engine.indicators import Dictionary
from engine.literal import parse_number
from engine.nodes import Node, references
from engine.program import Program, TypedBenefit, TypedForm, TypedLimits, tree_expressions
from policies.library import Library
from profiles import tables

INDUSTRY = ("行业代码", "行业门类", "登记行业代码")
BRACKETS: tuple[tuple[float, str], ...] = (
    (1e6, "最高 100 万元以上"),
    (5e5, "最高 50–100 万元"),
    (1e5, "最高 10–50 万元"),
    (0.01, "最高不到 10 万元"),
)
BY_FACTS, NO_MONEY = "看实际数额", "资格或服务"
MONEY = (*(words for _, words in BRACKETS), BY_FACTS, NO_MONEY)


def money_of(program: Program) -> str:
    """金额档: by the most one enterprise can get, where the rule alone says it."""
    if program.item.benefit is None or program.item.benefit.form is None or program.benefit is None:
        return NO_MONEY
    most = most_of(program.benefit, program.item.subject == "企业")
    if most is None:
        return BY_FACTS
    return next((words for least, words in BRACKETS if most >= least), NO_MONEY)


def most_of(benefit: TypedBenefit, of_firm: bool = True) -> float | None:
    """最多多少 yuan one enterprise gets; None where facts decide. `of_firm` False: the form is one row's, not the firm's."""
    whole = _least(benefit.limits.cap_per_enterprise)
    one = _bounded(_form(benefit.form), benefit.limits)
    for exception in benefit.exceptions:
        other = _bounded(_form(exception.form or benefit.form), exception.limits.over(benefit.limits))
        one = None if one is None or other is None else max(one, other)
    for add in benefit.adds:
        extra = _constant(add.amount)
        if add.beyond_cap or _least(benefit.limits.cap) is None:
            one = None if one is None or extra is None else one + extra
    if whole is not None:
        return whole if one is None or not of_firm else min(one, whole)
    return one if of_firm else None


def _bounded(amount: float | None, limits: TypedLimits) -> float | None:
    cap = _least(limits.cap)
    return cap if amount is None else amount if cap is None else min(amount, cap)


def _form(form: TypedForm | None) -> float | None:
    if form is None:
        return None
    if form.kind in ("amount", "upto"):
        return _constant(form.amount)
    if form.kind == "range":
        return _constant(form.high)
    if form.kind == "bands" and form.bands is not None:
        return _largest(_constant(s.amount) if s.rate is None else None for s in form.bands.steps)
    if form.kind == "cases":
        return _largest(_bounded(_form(c.form), c.limits) for c in form.cases)
    return None


def _largest(found: Iterable[float | None]) -> float | None:
    sums = list(found)
    return None if not sums or any(s is None for s in sums) else max(s for s in sums if s is not None)


def _least(nodes: tuple[Node, ...] | None) -> float | None:
    sums = [s for s in (_constant(n) for n in nodes or ()) if s is not None]
    return min(sums) if sums else None


def _constant(node: Node | None) -> float | None:
    if node is None or references(node):
        return None
    value = Frame(Columns(["-"], Dictionary({}))).values(node).value
    return float(np.asarray(value).reshape(-1)[0])


# ---------------------------------------------------------------- industries


def sections_of(library: Library, programs: Iterable[Program]) -> dict[str, frozenset[str]]:
    """行业门类 that each item leaves open, by letter: every class of GB/T 4754 is asked of the conditions that a firm may see.

    A condition that needs other facts too shuts nothing out by itself.
    """
    columns, letters = _classes(library.dictionary)
    frame = Frame(columns)
    every = frozenset(letters)
    out = {}
    for program in programs:
        may = np.ones(len(columns), bool)
        batch = program.item.batches[0] if program.item.batches else None
        trees = program.bind(batch).conditions if batch is not None else ()
        for numbered, tree in zip(program.conditions, trees, strict=False):
            if not numbered.condition.hidden and _reads_industry(tree):
                may &= frame.tree(tree, {}).maybe
        out[program.item.id] = every if may.all() else frozenset(np.array(letters)[may].tolist())
    return out


def _classes(dictionary: Dictionary) -> tuple[Columns, list[str]]:
    """小类各一家: a column set with one firm a class, of which only the industry is known."""
    codes = [tables.full_code(code) for code in tables.industry_names() if len(code) == 4]
    known = [name for name in INDUSTRY if name in dictionary]
    records: list[dict[str, object]] = [
        {name: code[0] if name == "行业门类" else code for name in known} for code in codes
    ]

    def complain(row: int, column: str, message: str) -> None:
        raise ValueError(f"{codes[row]}：{message}")

    built = Builder(dictionary, complain, parse_number).build(codes, records, frozenset())
    return built, [code[0] for code in codes]


def _reads_industry(tree: Tree) -> bool:
    return any(name in INDUSTRY for expr in tree_expressions(tree) for name, _ in references(expr))


def section_names() -> dict[str, str]:
    """门类的名称 by letter."""
    return {code: name for code, name in tables.industry_names().items() if code.isalpha()}
