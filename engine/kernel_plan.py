"""编排: items as shared predicates and monotone programs over their planes.

It depends on the items alone and may be kept; `kernel_attach` puts it to columns, `kernel_amounts` adds what is granted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from engine.columns import Key
from engine.evaluate import Tree
from engine.kernel_texts import Finders
from engine.nodes import Compare, Has, In, Node
from engine.program import BoundItem, benefit_expressions

if TYPE_CHECKING:
    from engine.kernel_amounts import AmountPlan

MAX_CONDITIONS = 64
ASKED = -1  # the predicate of a question without an answer


@dataclass
class Plan:
    """编排: distinct predicates and literals, the items' conditions as postfix programs over literals.

    `literals` number the planes of predicates; `programs` are the distinct conditions, in which 2 × literal stands for
    a plane and one more for its negation, -1 for and, -2 for or; `items` lists each item's conditions.
    """

    bound: list[BoundItem]
    predicates: dict[Node, int] = field(default_factory=dict)
    literals: dict[int, int] = field(default_factory=dict)
    programs: list[list[int]] = field(default_factory=list)
    items: list[list[int]] = field(default_factory=list)
    _trees: dict[Tree, int] = field(default_factory=dict)
    _whens: dict[int, int] = field(default_factory=dict)
    heads: list[dict[str, Any]] = field(default_factory=list)  # what all hits of an item have in common
    opens: list[date] = field(default_factory=list)  # each item's batch
    finders: Finders = field(default_factory=lambda: Finders())
    # what the plan is when put to columns, by the shape of these (see kernel_shape)
    shapes: dict[tuple[object, ...], Any] = field(default_factory=dict)
    # amounts by a digest of the columns they were traced over, where they are to be kept (see kernel_kept)
    traced: dict[str, tuple[AmountPlan, list[Key]]] | None = None

    def head(self, item: BoundItem) -> None:
        """抬头: what all hits of an item have in common."""
        self.opens.append(item.batch.opens)
        self.heads.append({"item": item.program.item.id, "batch": item.batch.name, "ids": item.ids})

    def literal(self, predicate: int) -> int:
        return self.literals.setdefault(predicate, len(self.literals))

    def predicate(self, node: Node) -> int:
        return self.predicates.setdefault(node, len(self.predicates))

    def condition(self, tree: Tree) -> int:
        """条件编号: equal conditions are one program."""
        if tree.kind == "when":  # equal texts of a library are one expression, so its identity often decides
            found = self._whens.get(id(tree.expr))
            if found is None:
                found = self._whens[id(tree.expr)] = self._program(tree)
            return found
        return self._program(tree if tree.kind != "ask" else _QUESTION)

    def _program(self, key: Tree) -> int:
        found = self._trees.get(key)
        if found is None:
            found = self._trees[key] = len(self.programs)
            out: list[int] = []
            self._postfix(key, False, out)
            self.programs.append(out)
        return found

    def _postfix(self, tree: Tree, negated: bool, out: list[int]) -> None:
        """Negation moves to the literals: not all = any not."""
        if tree.kind == "when":
            assert tree.expr is not None
            out.append(2 * self.literal(self.predicate(tree.expr)) + negated)
        elif tree.kind == "ask":
            out.append(2 * self.literal(ASKED))
        elif tree.kind == "not":
            self._postfix(tree.children[0], not negated, out)
        else:
            joins = (tree.kind == "all") != negated
            for i, child in enumerate(tree.children):
                self._postfix(child, negated, out)
                if i:
                    out.append(-1 if joins else -2)


_QUESTION = Tree("ask")


def plannable(item: BoundItem) -> bool:
    """能编排: items of the enterprise itself with a mask that fits a word; others stay plain."""
    return item.program.item.subject == "企业" and len(item.conditions) <= MAX_CONDITIONS


def plan(items: Iterable[BoundItem]) -> Plan:
    """编排事项: every item must be `plannable`."""
    out = Plan(list(items))
    for item in out.bound:
        out.items.append([out.condition(tree) for tree in item.conditions])
        out.head(item)
        if item.benefit is not None:
            for node in benefit_expressions(item.benefit):
                if isinstance(node, Compare | In | Has):
                    out.literal(out.predicate(node))
    return out


def depth(program: Sequence[int]) -> int:
    """栈深 of a postfix program."""
    top = most = 0
    for op in program:
        top += 1 if op >= 0 else -1
        most = max(most, top)
    return most
