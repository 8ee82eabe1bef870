"""取值文字: a value written by a person (800万元, 10%, 2016-05-20) as a number in base units."""

from __future__ import annotations

from engine import kinds
from engine.errors import ExpressionError
from engine.evaluate import fold
from engine.expression import parse_value
from engine.indicators import Indicator
from engine.nodes import Dur, Node, Num


def parse_number(text: str, spec: Indicator) -> float:
    """数值: yuan, fraction, count or days of a literal for the indicator. Raises ValueError with a message for people."""
    body = text.strip()
    negative = body.startswith(("-", "−"))
    try:
        node = parse_value(body[1:] if negative else body, {}, {})
    except ExpressionError as error:
        raise ValueError(f"“{spec.name}”的值“{text}”读不懂：{error.message}") from None
    value = _number(node, spec)
    if value is None:
        raise ValueError(f"“{spec.name}”是{kinds.Kind(spec.kind, spec.unit)}，不能是“{text}”")
    return -value if negative else value


def _number(node: Node, spec: Indicator) -> float | None:
    if isinstance(node, Dur):
        return float(node.days) if spec.kind == kinds.SPAN and not node.months else None
    if not isinstance(node, Num) or node.currency:
        return None
    if node.kind.bare:
        return node.value
    wanted = kinds.Kind(spec.kind, kinds.canonical_unit(spec.unit))
    return fold(node) if kinds.comparable(node.kind, wanted) is not None else None
