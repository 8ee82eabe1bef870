"""Lexer and recursive-descent parser of expressions, with kinds (section 3 of the rule language)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

MONEY, RATIO, COUNT, DATE, SPAN, TEXT, CODE, BOOL, LIST = [
    "金额",
    "比例",
    "数量",
    "日期",
    "时长",
    "文本",
    "代码",
    "是否",
    "列表",
]
MONEY_UNITS = {"元": 1, "万元": 10**4, "亿元": 10**8}
FOREIGN_UNITS = {"美元": 1, "万美元": 10**4}
SPAN_UNITS = {"天": "天", "个月": "月", "年": "年"}
COUNT_UNITS = set(
    [
        "人",
        "户",
        "名",
        "家",
        "个",
        "次",
        "件",
        "项",
        "台",
        "套",
        "辆",
        "艘",
        "座",
        "亩",
        "平方米",
        "米",
        "公里",
        "吨",
        "公斤",
        "千瓦",
        "岁",
        "分",
    ]
)
FUNCTIONS = set(["合计", "平均", "最大", "最小", "增长率", "取整", "年度", "周岁"])
IME = str.maketrans("％（），", "%(),")
TOKEN = re.compile(
    r"""\s*(?:(?P<date>\d{4}-\d{2}-\d{2}(?!\d))|(?P<number>\d+(?:\.\d+)?)|(?P<text>"[^"]*")
        |(?P<op>>=|<=|!=|≥|≤|\.\.|[><=+\-*/()\[\],%‰])|(?P<name>[^\W\d][\w·]*))""",
    re.X,
)


class RuleError(Exception):
    """A rule that the checker refuses: `code` is the number of section 9."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Indicator:
    """One entry of the indicator dictionary."""

    kind: str
    yearly: bool = False
    unit: str | None = None
    absent: str | None = None


@dataclass
class Names:
    """What an expression may speak of: indicators, named sets, and the batch's rates of foreign money."""

    indicators: dict[str, Indicator]
    sets: dict[str, list[str]] = field(default_factory=dict)
    rates: dict[str, Fraction] = field(default_factory=dict)


@dataclass
class Node:
    """A typed tree: `op` says what it is, `args` its parts, `value` its literal, `unit` that of a count.

    `bare` marks a number written without unit (it may stand for a ratio); `series` one value per year.
    """

    op: str
    kind: str
    args: tuple[Node, ...] = ()
    value: object = None
    unit: str | None = None
    bare: bool = False
    series: bool = False


def tokens(text: str) -> list[tuple[str, str]]:
    """Cut an expression into (type, text) pairs."""
    text, out, at = text.translate(IME).strip(), [], 0
    while at < len(text):
        found = TOKEN.match(text, at)
        if not found:
            raise RuleError(2, f"cannot read {text[at:]!r}")
        kind = found.lastgroup or ""
        word = found.group(kind)
        out.append((kind, {"≥": ">=", "≤": "<="}.get(word, word)))
        at = found.end()
    return [*out, ("end", "")]


class Parser:
    """Recursive descent over one expression."""

    def __init__(self, text: str, names: Names) -> None:
        self.tokens, self.at, self.names = tokens(text), 0, names

    @property
    def word(self) -> str:
        return self.tokens[self.at][1]

    @property
    def type(self) -> str:
        return self.tokens[self.at][0]

    def take(self, *words: str) -> str | None:
        """Consume the next token when it is one of `words` (never a quoted text)."""
        if self.word in words and self.type != "text":
            self.at += 1
            return self.tokens[self.at - 1][1]
        return None

    def need(self, word: str) -> None:
        if not self.take(word):
            raise RuleError(2, f"expected {word} before {self.word!r}")

    def finish(self, node: Node) -> Node:
        if self.type != "end":
            raise RuleError(2, f"unexpected {self.word!r}")
        return node

    def condition(self) -> Node:
        left = self.sum()
        if left.series:
            raise RuleError(2, "a range stands inside a function")
        if op := self.take(">=", "<=", ">", "<", "=", "!="):
            right = self.sum()
            comparable(op, left, right)
            return self.finish(Node(op, BOOL, (left, right)))
        if self.take("in"):
            if left.kind not in (TEXT, CODE):
                raise RuleError(2, f"in takes 文本 or 代码, not {left.kind}")
            return self.finish(Node("in", BOOL, (left,), tuple(self.set())))
        if self.take("含"):
            if left.kind not in (TEXT, LIST):
                raise RuleError(2, f"含 takes 文本 or 列表, not {left.kind}")
            return self.finish(Node("含", BOOL, (left,), self.quoted()))
        raise RuleError(2, f"a condition is one comparison, not {self.word!r}")

    def set(self) -> list[str]:
        if self.take("["):
            members = [self.quoted()]
            while self.take(","):
                members.append(self.quoted())
            self.need("]")
            return members
        name = self.word
        self.at += 1
        if name not in self.names.sets:
            raise RuleError(1, f"no set {name}")
        return self.names.sets[name]

    def quoted(self) -> str:
        if self.type != "text":
            raise RuleError(2, "a quoted text is needed here")
        self.at += 1
        return self.tokens[self.at - 1][1][1:-1]

    def sum(self) -> Node:
        left = self.product()
        while op := self.take("+", "-"):
            left = added(op, left, self.product())
        return left

    def product(self) -> Node:
        left = self.atom()
        while op := self.take("*", "/"):
            left = multiplied(op, left, self.atom())
        return left

    def atom(self) -> Node:
        type_, word = self.tokens[self.at]
        if self.take("("):
            inner = self.sum()
            self.need(")")
            return inner
        self.at += 1
        if type_ == "number":
            return self.number(Fraction(word))
        if type_ == "date":
            return Node("literal", DATE, value=date.fromisoformat(word))
        if type_ == "text":
            return Node("literal", TEXT, value=word[1:-1])
        if type_ != "name":
            raise RuleError(2, f"unexpected {word!r}")
        if word in ("是", "否"):
            return Node("literal", BOOL, value=word == "是")
        if word in ("申报开始", "申报截止"):
            return Node(word, DATE)
        if word == "Y":
            return Node("Y", COUNT)
        if self.word == "(":
            return self.call(word)
        return self.indicator(word)

    def number(self, value: Fraction) -> Node:
        if sign := self.take("%", "‰"):
            return Node("literal", RATIO, value=value / (100 if sign == "%" else 1000))
        if self.type != "name" or self.word in ("in", "含"):
            return Node("literal", COUNT, value=value, bare=True)
        unit = self.word
        self.at += 1
        if unit in MONEY_UNITS:
            return Node("literal", MONEY, value=value * MONEY_UNITS[unit])
        if unit in FOREIGN_UNITS:
            if "美元" not in self.names.rates:
                raise RuleError(1, f"no rate for {unit}")
            return Node("literal", MONEY, value=value * FOREIGN_UNITS[unit] * self.names.rates["美元"])
        if unit in SPAN_UNITS:
            return Node("literal", SPAN, value=(value, SPAN_UNITS[unit]), unit=SPAN_UNITS[unit])
        if unit in COUNT_UNITS:
            return Node("literal", COUNT, value=value, unit=unit)
        raise RuleError(1, f"no unit {unit}")

    def indicator(self, name: str) -> Node:
        if name not in self.names.indicators:
            raise RuleError(1, f"no indicator {name}")
        known = self.names.indicators[name]
        if not self.take("["):
            if known.yearly:
                raise RuleError(2, f"{name} needs a year")
            return Node("fact", known.kind, value=name, unit=known.unit)
        years = [self.year()]
        if self.take(".."):
            years.append(self.year())
        self.need("]")
        if not known.yearly:
            raise RuleError(2, f"{name} has no years")
        if len(years) == 1:
            return Node("yearly", known.kind, value=(name, years[0]), unit=known.unit)
        if years[0] > years[1]:
            raise RuleError(2, "a range runs forward")
        return Node("range", known.kind, value=(name, *years), unit=known.unit, series=True)

    def year(self) -> int:
        """The year as an offset from Y, 0 or negative."""
        self.need("Y")
        if not self.take("-"):
            return 0
        if self.type != "number" or "." in self.word:
            raise RuleError(2, "Y-digits")
        self.at += 1
        return -int(self.tokens[self.at - 1][1])

    def call(self, name: str) -> Node:
        if name not in FUNCTIONS:
            raise RuleError(1, f"no function {name}")
        self.need("(")
        args = [self.sum()]
        while self.take(","):
            args.append(self.sum())
        self.need(")")
        return called(name, args)


def numeric(node: Node) -> bool:
    return node.kind in (MONEY, RATIO, COUNT)


def common_kind(left: Node, right: Node) -> str | None:
    """The kind two numbers share; a bare number may stand for a ratio."""
    if left.kind == right.kind:
        return left.kind
    if {left.kind, right.kind} == {COUNT, RATIO} and (left.bare or right.bare):
        return RATIO
    return None


def same_unit(left: Node, right: Node) -> str | None:
    if left.unit and right.unit and left.unit != right.unit:
        raise RuleError(2, f"{left.unit} against {right.unit}")
    return left.unit or right.unit


def comparable(op: str, left: Node, right: Node) -> None:
    """Refuse a comparison whose sides' kinds disagree."""
    if left.series or right.series:
        raise RuleError(2, "a range stands inside a function")
    kinds = {left.kind, right.kind}
    if numeric(left) and numeric(right) and common_kind(left, right):
        if kinds == {COUNT}:
            same_unit(left, right)
        return
    if kinds == {DATE}:
        return
    if kinds == {SPAN} and left.unit == right.unit == "天":
        return
    if op in ("=", "!=") and (kinds == {BOOL} or kinds <= {TEXT, CODE}):
        return
    raise RuleError(2, f"{left.kind} {op} {right.kind}")


def added(op: str, left: Node, right: Node) -> Node:
    if left.series or right.series:
        raise RuleError(2, "a range stands inside a function")
    if left.kind == DATE and right.kind == SPAN:
        return Node(op, DATE, (left, right))
    if op == "-" and left.kind == right.kind == DATE:
        return Node("days", SPAN, (left, right), unit="天")
    if left.kind == right.kind == SPAN and left.unit == right.unit == "天":
        return Node("span" + op, SPAN, (left, right), unit="天")
    kind = common_kind(left, right) if numeric(left) and numeric(right) else None
    if not kind:
        raise RuleError(2, f"{left.kind} {op} {right.kind}")
    unit = same_unit(left, right) if kind == COUNT else None
    return Node(op, kind, (left, right), unit=unit, bare=left.bare and right.bare)


def multiplied(op: str, left: Node, right: Node) -> Node:
    if left.series or right.series or not (numeric(left) and numeric(right)):
        raise RuleError(2, f"{left.kind} {op} {right.kind}")
    kind, unit = product_kind(left, right) if op == "*" else quotient_kind(left, right)
    return Node(op, kind, (left, right), unit=unit, bare=left.bare and right.bare)


def product_kind(left: Node, right: Node) -> tuple[str, str | None]:
    kinds = {left.kind, right.kind}
    if left.bare or right.bare:
        other = right if left.bare else left
        return other.kind, other.unit
    if kinds == {MONEY}:
        raise RuleError(2, "金额 * 金额")
    if MONEY in kinds:
        return MONEY, None
    if kinds == {COUNT}:
        return COUNT, None if left.unit and right.unit else left.unit or right.unit
    if kinds == {RATIO}:
        return RATIO, None
    return COUNT, left.unit or right.unit


def quotient_kind(left: Node, right: Node) -> tuple[str, str | None]:
    if right.bare:
        return left.kind, left.unit
    if left.kind == right.kind:
        return RATIO, None
    if left.kind == MONEY or (right.kind == RATIO and left.kind == COUNT):
        return (RATIO, None) if left.bare else (left.kind, left.unit)
    raise RuleError(2, f"{left.kind} / {right.kind}")


def called(name: str, args: list[Node]) -> Node:
    """The typed call of a function; refuses what the function does not take."""
    if name in ("年度", "周岁", "取整", "增长率") and len(args) != 1:
        raise RuleError(2, f"{name} takes one argument")
    first = args[0]
    if name in ("年度", "周岁"):
        if first.kind != DATE or first.series:
            raise RuleError(2, f"{name} takes 日期")
        return Node(name, COUNT, (first,), unit="岁" if name == "周岁" else None)
    if name == "取整":
        if first.kind not in (COUNT, RATIO) or first.series:
            raise RuleError(2, f"取整 takes a quotient, not {first.kind}")
        return Node(name, COUNT, (first,))
    if name == "增长率":
        if first.op not in ("yearly", "range") or first.kind not in (MONEY, COUNT):
            raise RuleError(2, "增长率 takes one yearly amount or count")
        return Node(name, RATIO, (first,), series=first.op == "range")
    return aggregated(name, args)


def aggregated(name: str, args: list[Node]) -> Node:
    """合计 平均 最大 最小: over one series, or over several sums."""
    if not all(numeric(arg) for arg in args):
        raise RuleError(2, f"{name} takes numbers")
    if len(args) == 1:
        if not args[0].series:
            raise RuleError(2, f"{name} takes a range or several sums")
        return Node(name, args[0].kind, (args[0],), unit=args[0].unit)
    whole = args[0]
    for arg in args:
        kind = None if arg.series else common_kind(whole, arg)
        if not kind:
            raise RuleError(2, f"{name}({whole.kind}, {arg.kind})")
        unit = same_unit(whole, arg) if kind == COUNT else None
        whole = Node("", kind, unit=unit, bare=whole.bare and arg.bare)
    return Node(name, whole.kind, tuple(args), unit=whole.unit, bare=whole.bare)


def parse_condition(text: str, names: Names) -> Node:
    """A comparison, as a `when:` holds it."""
    return Parser(text, names).condition()


def parse_sum(text: str, names: Names, *kinds: str) -> Node:
    """A sum of one of the kinds, as an amount, a cap or a rate holds it."""
    parser = Parser(text, names)
    node = parser.finish(parser.sum())
    kind = RATIO if node.bare and RATIO in kinds else node.kind
    if node.series or (kinds and kind not in kinds):
        raise RuleError(2, f"{node.kind} where {'/'.join(kinds)} is needed")
    return node
