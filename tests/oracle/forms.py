"""Which forms of the rule language an item has: what the random rules must all make (see test_forms)."""

from __future__ import annotations

from collections.abc import Iterator

from engine.evaluate import Tree
from engine.nodes import Bin, Call, Compare, Dur, Has, In, Node, Num, Range, Ref, Window, walk
from engine.program import Program, TypedForm, TypedLimits

LIMITS = ("cap", "floor", "cap_per_enterprise")


def forms_of(program: Program) -> Iterator[str]:
    """Every form of an item, in words, again as often as it stands there."""
    for expression in program.expressions():
        for node in walk(expression):
            yield _node(node)
    for condition in program.conditions:
        yield from _tree(condition.tree, "general" if condition.general else "numbered")
    benefit = program.benefit
    if benefit is None:
        yield "no benefit"
        return
    yield from _form(benefit.form, "base")
    yield from _limits(benefit.limits, "base")
    for variant in benefit.exceptions:
        yield f"exception when {variant.tree.kind if variant.tree else 'always'}"
        yield "exception of a form" if variant.form else "exception of limits"
        if variant.form:
            yield from _form(variant.form, "exception")
        yield from _limits(variant.limits, "exception")
    for add in benefit.adds:
        yield f"add when {add.tree.kind if add.tree else 'always'}"
        yield f"add of {'a rate' if add.rate else 'an amount'}{' beyond the cap' if add.beyond_cap else ''}"


def _kind(node: Node) -> str:
    return "数" if node.kind.bare else node.kind.name


def _node(node: Node) -> str:
    if isinstance(node, Num):
        return f"literal {_kind(node)} {node.currency}".strip()
    if isinstance(node, Dur):
        return "literal 年月" if node.months else "literal 天"
    if isinstance(node, Ref):
        return f"fact {node.kind.name}{' of a year' if node.back is not None else ''}"
    if isinstance(node, Range):
        return f"years {node.kind.name}{' of one year' if node.first == node.last else ''}"
    if isinstance(node, Call):
        return f"{node.name} {_arguments(node)}".strip()
    if isinstance(node, Bin | Compare):
        return f"{_kind(node.left)} {node.op} {_kind(node.right)}"
    if isinstance(node, In):
        return f"{node.left.kind.name} in {'a set' if node.set_name else 'a list'}"
    if isinstance(node, Has):
        return f"{node.left.kind.name} 含"
    return f"literal {node.name if isinstance(node, Window) else node.kind.name}"


def _arguments(call: Call) -> str:
    first = call.args[0]
    if isinstance(first, Range):
        return "of years"
    if isinstance(first, Call) and first.name == "增长率" and isinstance(first.args[0], Range):
        return "of rates of years"
    return f"of {len(call.args)}" if len(call.args) > 1 else ""


def _tree(tree: Tree, above: str) -> Iterator[str]:
    yield f"{tree.kind} in {above}"
    for child in tree.children:
        yield from _tree(child, tree.kind)


def _limits(limits: TypedLimits, where: str) -> Iterator[str]:
    for key in LIMITS:
        nodes = getattr(limits, key)
        if nodes is not None:
            yield f"{where} {key}{' of several' if len(nodes) > 1 else ''}"


def _form(form: TypedForm, where: str) -> Iterator[str]:
    yield f"{where} {form.kind}"
    if form.bands is not None:
        bands = form.bands
        how = "超额" if bands.marginal else "全额"
        yield f"{how} by {bands.by.kind.name}"
        yield f"{how} {'from' if bands.start is not None else 'from nothing'}"
        yield f"{how} of {'itself' if bands.of is bands.by else 'another'}"
        for step in bands.steps:
            end = "open" if step.bound is None else "upto" if step.inclusive else "below"
            yield f"{how} {'rate' if step.rate else 'amount'} {end}"
    for case in form.cases:
        yield f"case when {case.tree.kind if case.tree else 'always'}"
        assert case.form is not None
        yield from _form(case.form, "case")
        yield from _limits(case.limits, "case")
