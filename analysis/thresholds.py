"""门槛: the numbers of a rule that a sweep varies: found by a condition's id, read and written as rules do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from analysis.night import View
from engine.evaluate import Tree
from engine.expression import parse_value
from engine.kinds import MONEY, RATIO, comparable
from engine.nodes import Compare, Node, Num
from engine.policy import Condition
from engine.program import BoundItem


@dataclass(frozen=True)
class Leaf:
    """门槛: a leaf with a number: where it stands (condition number, path), its comparison, and whether the document's general
    conditions have it."""

    condition: int
    path: tuple[int, ...]
    compare: Compare
    general: bool = False

    @property
    def number(self) -> Num:
        """The threshold as the rule has it."""
        number = self.compare.left if isinstance(self.compare.left, Num) else self.compare.right
        assert isinstance(number, Num)
        return number

    def at(self, value: Num) -> Node:
        """The comparison with another number in the place of its threshold."""
        old = self.compare
        return replace(old, left=value) if isinstance(old.left, Num) else replace(old, right=value)


def rounder(value: float, up: bool) -> Iterator[float]:
    """取整: the value at two, three and four significant digits, rounded to the strict side."""
    for digits in (2, 3, 4):
        step = 10.0 ** (np.floor(np.log10(abs(value))) - digits + 1) if value else 1.0
        yield float((np.ceil if up else np.floor)(round(value / step, 9)) * step)


def as_written(value: float, like: Num) -> str:
    """写法: a number as a rule writes it."""
    times, unit = {MONEY: (1e-4, "万元"), RATIO: (100.0, "%")}.get(like.kind.name, (1.0, like.kind.unit))
    return np.format_float_positional(value * times, precision=6, trim="-") + unit


def leaf_of(bound: BoundItem, condition: str) -> Leaf:
    """一条里的门槛: the one comparison with a number below the condition (numbered, or a leaf inside one).

    Raises ValueError with the conditions that have one, those of the document's general conditions apart.
    """
    found: list[Leaf] = []
    own: list[str] = []
    shared: list[str] = []
    for j, (numbered, tree) in enumerate(zip(bound.program.conditions, bound.conditions, strict=True)):
        for path, node, ids in _walk(tree, numbered.condition, (), ()):
            if not (isinstance(node.expr, Compare) and _has_number(node.expr)):
                continue
            (shared if numbered.general else own).append(f"{ids[-1]}（现在 {_now(node.expr)}）")
            if condition in ids:
                found.append(Leaf(j, path, node.expr, numbered.general))
    if len(found) != 1:
        also = f"；总则里的（管这份文件的全部事项）：{'、'.join(shared)}" if shared else ""
        raise ValueError(
            f"“{condition}”不是只有一个数字门槛的条件；可以扫的有：{'、'.join(own) or '没有'}{also}"
        )
    return found[0]


def _now(expr: Compare) -> str:
    number = expr.left if isinstance(expr.left, Num) else expr.right
    assert isinstance(number, Num)
    return as_written(number.value, number)


def _walk(
    tree: Tree, written: Condition, path: tuple[int, ...], ids: tuple[str, ...]
) -> Iterator[tuple[tuple[int, ...], Tree, tuple[str, ...]]]:
    ids = (*ids, written.id) if written.id else ids
    yield path, tree, ids
    for k, (child, below) in enumerate(zip(tree.children, written.children, strict=True)):
        yield from _walk(child, below, (*path, k), ids)


def _has_number(node: Compare) -> bool:
    return isinstance(node.left, Num) != isinstance(node.right, Num)


def put(tree: Tree, path: tuple[int, ...], new: Node | Tree) -> Tree:
    """换上: the tree with the leaf at `path` replaced: its expression, or the whole leaf."""
    if not path:
        return new if isinstance(new, Tree) else replace(tree, expr=new)
    children = list(tree.children)
    children[path[0]] = put(children[path[0]], path[1:], new)
    return replace(tree, children=tuple(children))


def number_of(view: View, leaf: Leaf, value: str | float) -> Num:
    """门槛的数: as the rule writes it, or a number in base units. Raises ValueError for another kind of value."""
    old = leaf.number
    if not isinstance(value, str):
        return replace(old, value=float(value))
    node = parse_value(value, view.library.dictionary, view.library.sets)
    if not isinstance(node, Num) or comparable(node.kind, old.kind) is None:
        raise ValueError(f"门槛“{value}”应当像原来的一样是{old.kind}")
    return node
