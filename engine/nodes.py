"""语法树: the typed nodes of an expression, what they read, and how a batch is put into them (rule language, section 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from typing import Any, TypeVar

from engine.errors import ExpressionError
from engine.kinds import DATE, Kind

Span = tuple[int, int]
T = TypeVar("T")


@dataclass(frozen=True)
class Node:
    """表达式节点: its kind and where it stands; both are left out of equality."""

    kind: Kind = field(compare=False, kw_only=True)
    span: Span = field(default=(0, 0), compare=False, kw_only=True)

    def __init_subclass__(cls, **given: Any) -> None:
        """A node is looked up in tables hundreds of times a question: its hash is worked out once, as it never changes."""
        super().__init_subclass__(**given)
        cls.__hash__ = _hash_kept  # type: ignore[assignment]  # a hash of one's own is left by dataclass

    def kept(self, name: str, work: Callable[[Node], T]) -> T:
        """记着: what `work` says of this very node, worked out once and left behind when it is pickled."""
        known = self.__dict__
        if name not in known:
            known[name] = work(self)
        found: T = known[name]
        return found

    def __getstate__(self) -> dict[str, object]:
        own = self.__dict__.copy()  # another thread may be noting what it worked out
        return {name: value for name, value in own.items() if not name.startswith("_")}


def _hash_kept(node: Node) -> int:
    found: int | None = node.__dict__.get("_hash")
    if found is None:
        own = tuple(getattr(node, f.name) for f in fields(node) if f.compare)
        found = node.__dict__["_hash"] = hash((type(node).__name__, own))
    return found


@dataclass(frozen=True)
class Num(Node):
    """数: a number in base units (yuan, fraction, count); a foreign amount keeps its currency until bound."""

    value: float
    currency: str = ""


@dataclass(frozen=True)
class Dur(Node):
    """时长: calendar months and days."""

    months: int
    days: int


@dataclass(frozen=True)
class Day(Node):
    """日期: days since 1970-01-01."""

    days: int


@dataclass(frozen=True)
class Text(Node):
    """文本."""

    value: str


@dataclass(frozen=True)
class Truth(Node):
    """是否."""

    value: bool


@dataclass(frozen=True)
class Window(Node):
    """申报开始 or 申报截止 of the batch."""

    name: str


@dataclass(frozen=True)
class BatchYear(Node):
    """Y: the batch's year."""


@dataclass(frozen=True)
class Ref(Node):
    """指标取值: `back` years before Y for a yearly one, else None; bound trees carry `year` instead."""

    name: str
    back: int | None = None
    year: int | None = None


@dataclass(frozen=True)
class Range(Node):
    """指标区间: years Y-first .. Y-last (first ≥ last), or bound years."""

    name: str
    first: int
    last: int
    bound: bool = False


@dataclass(frozen=True)
class Call(Node):
    """函数."""

    name: str
    args: tuple[Node, ...]


@dataclass(frozen=True)
class Bin(Node):
    """四则运算."""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Compare(Node):
    """比较."""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True)
class In(Node):
    """属于: members are texts, a trailing * marks a prefix; `set_name` is empty for a literal list."""

    left: Node
    members: frozenset[str]
    set_name: str = field(default="", compare=False)


@dataclass(frozen=True)
class Has(Node):
    """含."""

    left: Node
    text: str


def children(node: Node) -> tuple[Node, ...]:
    """子节点: the operands of a node."""
    if isinstance(node, Bin | Compare):
        return (node.left, node.right)
    if isinstance(node, In | Has):
        return (node.left,)
    if isinstance(node, Call):
        return node.args
    return ()


def walk(node: Node) -> Iterator[Node]:
    """遍历: the node and everything below it, operands in reading order."""
    yield node
    for child in children(node):
        yield from walk(child)


def references(node: Node) -> list[tuple[str, int | None]]:
    """引用的指标: (name, years back) of every value the expression reads, in order, once each."""
    return list(node.kept("_references", _references))


def _references(node: Node) -> list[tuple[str, int | None]]:
    seen: dict[tuple[str, int | None], None] = {}
    for part in walk(node):
        if isinstance(part, Ref):
            seen[part.name, part.back if part.year is None else part.year] = None
        elif isinstance(part, Range):
            step = 1 if part.bound else -1
            for year in range(part.first, part.last + step, step):
                seen[part.name, year] = None
        elif isinstance(part, Call) and part.name == "增长率":
            arg = part.args[0]
            if isinstance(arg, Ref) and arg.back is not None:
                seen[arg.name, arg.back + 1] = None
            elif isinstance(arg, Ref) and arg.year is not None:
                seen[arg.name, arg.year - 1] = None
            elif isinstance(arg, Range):
                seen[arg.name, arg.first - 1 if arg.bound else arg.first + 1] = None
    return list(seen)


def bind(node: Node, year: int | None, opens: int, closes: int, rates: Mapping[str, float]) -> Node:
    """代入批次: the tree with Y, 申报开始, 申报截止 and exchange rates put in, so that equal facts are equal trees.

    `year` is the batch's Y, `opens` and `closes` are days since 1970-01-01. Raises ExpressionError (code 1 for a
    currency without a rate, code 2 for Y in a batch without a year).
    """

    def need_year(part: Node) -> int:
        if year is None:
            raise ExpressionError(2, "这一批次没有写 year，表达式里却用到 Y", part.span)
        return year

    def money(part: Num) -> Node:
        if part.currency not in rates:
            cure = f"请在批次里写 rates: {{{part.currency}: 7.1}}"
            raise ExpressionError(1, f"批次没有给出{part.currency}的汇率，{cure}", part.span)
        yuan = Decimal(repr(part.value)) * Decimal(repr(rates[part.currency]))
        return replace(part, value=float(yuan), currency="")

    def go(part: Node) -> Node:
        if isinstance(part, Num):
            return money(part) if part.currency else part
        if isinstance(part, Window):
            return Day(opens if part.name == "申报开始" else closes, kind=part.kind, span=part.span)
        if isinstance(part, BatchYear):
            return Num(float(need_year(part)), kind=part.kind, span=part.span)
        if isinstance(part, Ref) and part.back is not None:
            return replace(part, back=None, year=need_year(part) - part.back)
        if isinstance(part, Range) and not part.bound:
            y = need_year(part)
            return replace(part, first=y - part.first, last=y - part.last, bound=True)
        if isinstance(part, Call):
            args = tuple(go(a) for a in part.args)
            if part.name == "周岁":
                args = (*args, Day(opens, kind=Kind(DATE), span=part.span))
            return replace(part, args=args)
        if isinstance(part, Bin | Compare):
            return replace(part, left=go(part.left), right=go(part.right))
        if isinstance(part, In | Has):
            return replace(part, left=go(part.left))
        return part

    return go(node)


def is_ranged(node: Node) -> bool:
    """逐年的值: whether a node stands for one value a year instead of one value."""
    return isinstance(node, Range) or (
        isinstance(node, Call) and node.name == "增长率" and isinstance(node.args[0], Range)
    )
