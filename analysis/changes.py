"""改规则: one item or a whole document changed as an analyst asks, read and compiled like the library's own; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

from engine import yamltext
from engine.errors import Problem
from engine.policy import Condition, PolicyItem
from engine.program import Compiler, Program
from engine.rulefile import Reader
from policies.library import Library, LoadedDocument, read_document


def changed(
    library: Library, program: Program, as_of: date, text: str | None, conditions: Mapping[str, str],
    budget: float | None,
) -> Program:  # fmt: skip
    """改一个事项: by a whole rule file's text, by expressions of conditions by id, by the budget (yuan) of the batch that is
    live `as_of`. Raises ValueError with every fault of the change."""
    faults: list[Problem] = []
    item = program.item if text is None else _read_item(text, program.item.id, faults)
    shared = {c.id for c in program.conditions if c.general}
    for name, expression in conditions.items():
        if name in shared:
            document = item.document_id
            raise ValueError(
                f"“{name}”写在 {document} 的总则里，管它的全部事项，不能只为一个事项改：改 {document}/document.yaml 的副本，"
                f"再用 huiqi impact --document（Python：with_document）看全部事项"
            )
        item = _with_condition(item, name, expression)
    if budget is not None:
        live = item.live_batch(as_of)
        item = replace(
            item, batches=tuple(replace(b, budget=budget) if b is live else b for b in item.batches)
        )
    return _compile(library, item, faults)


def drafted(library: Library, folder: Path) -> tuple[LoadedDocument, dict[str, Program]]:
    """整份文件: a document's folder as in a library, its drafts as if signed. Raises ValueError with every fault."""
    read, problems = read_document(library, folder)
    wrong = [p for p in problems if p.level == "error" and p.code <= 2]
    if wrong:
        raise ValueError("这份文件的规则有错：\n" + "\n".join(p.render() for p in wrong))
    return read, {i.item.id: _in_force(i.program) for i in read.items if i.program is not None}


def may_change(item: PolicyItem) -> list[str]:
    """可以改的条件: each as `--when` takes it, with the expression it has now.

    >>> may_change(view.program("bs-2025-06/rd-intensity").item)[0]
    'rd_scale=研发费用[Y] >= 300万元'
    """
    out = []
    for node in item.conditions.walk() if item.conditions else ():
        leaves = [c for c in node.leaves() if c.kind == "when"]
        if node.id and len(leaves) == 1:
            out.append(f"{node.id}={leaves[0].text}")
    return out


def _compile(library: Library, item: PolicyItem, faults: list[Problem]) -> Program:
    loaded = library.documents[item.document_id]
    program = Compiler(library.dictionary, library.sets, faults.append).item(
        item, loaded.document, loaded.general
    )
    errors = [p for p in faults if p.level == "error" and p.code <= 2]
    if program is None or errors:
        raise ValueError("改后的规则有错：\n" + "\n".join(p.render() for p in errors))
    return program


def _in_force(program: Program) -> Program:
    """A draft as it would be once signed; any other status stays."""
    if program.item.status != "草稿":
        return program
    return replace(program, item=replace(program.item, status="有效"), bound={})


def _read_item(text: str, item: str, faults: list[Problem]) -> PolicyItem:
    root = yamltext.read(text, f"{item}（改）", faults.append)
    read = Reader(faults.append).item(root) if root is not None else None
    if read is None:
        raise ValueError("改后的规则读不出来：\n" + "\n".join(p.render() for p in faults))
    if read.id != item:
        raise ValueError(f"改的是 {item}，文件里写的是 item: {read.id}")
    return read


def _with_condition(item: PolicyItem, name: str, expression: str) -> PolicyItem:
    """One leaf's expression replaced, found by its id or the id of the condition it is all of."""
    known = [c for c in item.conditions.walk()] if item.conditions else []
    node = next((c for c in known if c.id == name), None)
    leaves = [c for c in node.leaves() if c.kind == "when"] if node else []
    if len(leaves) != 1 or item.conditions is None:
        raise ValueError(
            f"“{name}”不是只有一个算式的条件；{item.id} 可以改的有：{'；'.join(may_change(item))}"
        )
    return replace(item, conditions=_put(item.conditions, leaves[0], expression))


def _put(node: Condition, leaf: Condition, text: str) -> Condition:
    if node is leaf:
        return replace(node, text=text)
    return replace(node, children=tuple(_put(c, leaf, text) for c in node.children))
