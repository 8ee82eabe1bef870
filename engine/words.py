"""说法: expressions and values in an officer's words; an operator is one row of one table with all its faces."""

from __future__ import annotations

import re
from datetime import date

from engine import kinds
from engine.columns import EPOCH
from engine.nodes import (
    BatchYear,
    Bin,
    Call,
    Compare,
    Day,
    Dur,
    Has,
    In,
    Node,
    Num,
    Range,
    Ref,
    Text,
    Truth,
    Window,
)
from engine.policy import Benefit

# symbol: (said of a number, said of a date, the quote's usual words)
OPERATORS = {
    ">=": ("不低于", "不早于", "以上、不低于、达到"),
    "<=": ("不超过", "不晚于", "以下、以内、不超过"),
    ">": ("高于", "晚于", "超过、高于、多于"),
    "<": ("低于", "早于", "不满、低于、不足"),
    "=": ("为", "为", "为、是"),
    "!=": ("不为", "不为", "不为"),
    "in": ("属于", "属于", "属于"),
    "含": ("含", "含", "含有"),
}
ARITHMETIC = {"+": "＋", "-": "−", "*": "×", "/": "÷"}


MINUS = "−"


def say_money(yuan: float) -> str:
    """金额的说法: 万元 with two decimals, 元 below one 万元; − where it is negative, as everywhere."""
    text = f"{yuan:,.2f} 元" if abs(yuan) < 10_000 else f"{yuan / 10_000:,.2f} 万元"
    return text.replace(".00 ", " ").replace("-", MINUS)


def read_money(text: str) -> float:
    """写下的金额: “2000万元” (or 2000万), “1.5亿元” or plain yuan, commas allowed; in yuan. Raises ValueError."""
    found = re.fullmatch(r"(\d{1,15}(?:\.\d{1,6})?)([亿万]?)元?", re.sub(r"[,，\s]", "", text))
    value = float(found[1]) * kinds.MONEY_UNITS[found[2] + "元"] if found else -1.0
    if not 0 <= value < 1e15:
        raise ValueError(f"金额“{text}”要写成 2000万元 或 20000000")
    return value


def say_number(value: float) -> str:
    """数的说法: thousands apart (but for years), no trailing zeros, − where it is negative."""
    if 1900 <= value <= 2200 and value == int(value):
        return str(int(value))  # most likely a year
    return f"{value:,.4f}".rstrip("0").rstrip(".").replace("-", MINUS)


def say_value(value: object, kind: str, unit: str = "") -> str:
    """取值的说法."""
    if value is None:
        return "缺"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return "、".join(str(v) for v in value) or "（空）"
    if not isinstance(value, int | float):
        return str(value)
    if kind == kinds.MONEY:
        return say_money(value)
    if kind == kinds.RATIO:
        return f"{say_number(value * 100)}%"
    return f"{say_number(value)} {unit}".strip()


def say_gap(gap: float, kind: str, unit: str) -> str:
    """差距的说法: a distance in the units of the threshold."""
    if kind == kinds.MONEY:
        return say_money(gap)
    if kind == kinds.RATIO:
        return f"{say_number(round(gap * 100, 2))} 个百分点"
    if kind in (kinds.DATE, kinds.SPAN):
        return f"{int(gap)} 天"
    return f"{say_number(gap)} {unit}".strip()


def say_day(days: int) -> str:
    """日期的说法."""
    return date.fromordinal(days + EPOCH).isoformat()


def say_holds_on(day: date) -> str:
    """哪天符合的说法: what counts is the day on which applications of a batch open, not the day itself."""
    return f"{day.isoformat()} 起开始申报的批次会符合"


def say(node: Node) -> str:
    """表达式的说法: a (bound) expression as a sentence."""
    return node.kept("_said", _say)


def _say(node: Node) -> str:
    if isinstance(node, Compare):
        dated = node.left.kind.name == kinds.DATE
        return f"{say(node.left)} {OPERATORS[node.op][dated]} {say(node.right)}"
    if isinstance(node, In):
        listed = node.set_name or "、".join(sorted(m.replace("*", "…") for m in node.members))
        return f"{say(node.left)} 属于 {listed}"
    if isinstance(node, Has):
        return f"{say(node.left)} 含“{node.text}”"
    if isinstance(node, Bin):
        return f"{_inner(node.left, node.op)} {ARITHMETIC[node.op]} {_inner(node.right, node.op)}"
    if isinstance(node, Call):
        return f"{node.name}（{'，'.join(say(a) for a in node.args[: 1 if node.name == '周岁' else None])}）"
    return _atom(node)


def _inner(node: Node, op: str) -> str:
    said = say(node)
    return f"（{said}）" if isinstance(node, Bin) and op in "*/" and node.op in "+-" else said


def _atom(node: Node) -> str:
    if isinstance(node, Ref):
        if node.year is not None:
            return f"{node.year}年{node.name}"
        back = {None: "", 0: "[Y]"}.get(node.back, f"[Y-{node.back}]")
        return f"{node.name}{back}"
    if isinstance(node, Range):
        return (
            f"{node.first}—{node.last}年{node.name}"
            if node.bound
            else f"{node.name}[Y-{node.first}..Y-{node.last}]"
        )
    if isinstance(node, Num):
        suffix = f"（{node.currency}）" if node.currency else ""
        return say_value(node.value, node.kind.name, node.kind.unit) + suffix
    if isinstance(node, Dur):
        parts = (
            [f"{node.months}个月" if node.months % 12 else f"{node.months // 12}年"] if node.months else []
        )
        return "".join([*parts, f"{node.days}天" if node.days or not parts else ""])
    if isinstance(node, Day):
        return say_day(node.days)
    if isinstance(node, Text):
        return f"“{node.value}”"
    if isinstance(node, Truth):
        return "是" if node.value else "否"
    assert isinstance(node, Window | BatchYear), node
    return node.name if isinstance(node, Window) else "Y"


_MONEY = re.compile(r"\d+(\.\d+)? *[万亿]?元")


def say_amounts(benefit: Benefit | None) -> str:
    """标准的说法: how much an item gives, from its rule alone: the text's own words where facts decide."""
    if benefit is None or benefit.form is None:
        return "资格或服务"
    form, cap = benefit.form, benefit.limits.cap
    most = f"，最高 {cap[0].text}" if cap else ""
    if form.kind == "upto" and form.amount is not None:
        return f"最高 {form.amount.text}"
    ends = [end.text for end in (form.low, form.high) if end is not None]
    if form.kind == "range" and len(ends) == 2 and all(map(_MONEY.fullmatch, ends)):
        return " 至 ".join(ends)
    if form.kind == "amount" and form.amount is not None and _MONEY.fullmatch(form.amount.text):
        nothing = not float(
            form.amount.text.rstrip("元万亿 ")
        )  # a list, a priority: no money is promised by "0元"
        return (benefit.quote or "资格或服务") if nothing else form.amount.text
    return (benefit.quote or form.words or "按标准计算") + ("" if benefit.quote else most)
