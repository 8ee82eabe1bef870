"""表达式: the one-line comparisons of a rule, parsed into a typed tree (rule language, section 3)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Protocol

from rapidfuzz import fuzz, process

from engine import kinds
from engine.errors import ExpressionError
from engine.kinds import BARE, BOOL, CODE, COUNT, DATE, LIST, MONEY, RATIO, SPAN, TEXT, Kind

AGGREGATES = ("合计", "平均", "最大", "最小")
FUNCTIONS = (*AGGREGATES, "增长率", "取整", "年度", "周岁")
WINDOW = ("申报开始", "申报截止")
MOST_DEPTH, MOST_OPERATIONS = 40, 100
COMPARATORS = (">=", "<=", "!=", ">", "<", "=")


class IndicatorLike(Protocol):
    """指标: what the parser must know of an indicator."""

    @property
    def kind(self) -> str: ...
    @property
    def yearly(self) -> bool: ...
    @property
    def unit(self) -> str: ...


Span = tuple[int, int]


@dataclass(frozen=True)
class Node:
    """表达式节点: its kind and where it stands; both are left out of equality."""

    kind: Kind = field(compare=False, kw_only=True)
    span: Span = field(default=(0, 0), compare=False, kw_only=True)


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


# ---------------------------------------------------------------- tokens

IME = {"≥": ">=", "≤": "<=", "≠": "!=", "＞": ">", "＜": "<", "＝": "=", "！": "!", "％": "%", "（": "(", "）": ")", "，": ",",
       "＋": "+", "－": "-", "−": "-", "＊": "*", "×": "*", "／": "/", "÷": "/", "［": "[", "］": "]", "【": "[", "】": "]", "．": ".",
       "\u3000": " ", "\u00a0": " "}  # fmt: skip
QUOTES = {'"': '"', "“": "”", "”": "”", "＂": "＂"}
NAME = re.compile(r"[^\W\d][\w·]*")
NUMBER = re.compile(r"\d+(?:\.\d+)?")
DATE_LITERAL = re.compile(r"\d{4}-\d{1,2}-\d{1,2}(?![\w-])")


@dataclass(frozen=True)
class Token:
    """词."""

    kind: str  # number date text name op end
    value: str
    span: Span


def _plain(ch: str) -> str:
    if ch in IME:
        return IME[ch]
    if "０" <= ch <= "９":
        return chr(ord(ch) - 0xFEE0)
    return ch


def tokens(text: str) -> list[Token]:
    """词法: tokens of an expression; IME characters count as their plain forms. Raises ExpressionError."""
    flat: list[str] = []
    at: list[int] = []
    closing = ""
    for i, ch in enumerate(text):
        if closing:
            out = '"' if ch == closing else ch
            closing = "" if ch == closing else closing
        elif ch in QUOTES:
            closing, out = QUOTES[ch], '"'
        else:
            out = _plain(ch)
        flat += out
        at += [i] * len(out)
    at.append(len(text))
    return list(_scan("".join(flat), at))


def _scan(s: str, at: list[int]) -> Iterator[Token]:
    i = 0
    while i < len(s):
        if s[i].isspace():
            i += 1
            continue
        kind, j = _token_end(s, i, at)
        value = s[i:j]
        if kind == "text":
            value = value[1:-1]
        elif kind == "name":
            value = unicodedata.normalize("NFC", value)
        yield Token(kind, value, (at[i], at[j]))
        i = j
    yield Token("end", "", (at[-1], at[-1]))


def _token_end(s: str, i: int, at: list[int]) -> tuple[str, int]:
    if s[i] == '"':
        j = s.find('"', i + 1)
        if j < 0:
            raise ExpressionError(2, '引号没有配对，请在文字后面补上 "', (at[i], at[-1]))
        return "text", j + 1
    for kind, pattern in (("date", DATE_LITERAL), ("number", NUMBER), ("name", NAME)):
        m = pattern.match(s, i)
        if m:
            return kind, m.end()
    for op in (*COMPARATORS, ".."):
        if s.startswith(op, i):
            return "op", i + len(op)
    if s[i] in "+-*/()[],%‰":
        return "op", i + 1
    raise ExpressionError(2, f"不认识的符号“{s[i]}”", (at[i], at[i + 1]))


# ---------------------------------------------------------------- names


def nearest(name: str, known: Iterable[str]) -> str:
    """相近的名: " 您是不是想写“…”？" for the nearest known name, or ""."""
    hit = process.extractOne(name, list(known), scorer=fuzz.ratio, score_cutoff=50)
    return f"您是不是想写“{hit[0]}”？" if hit else ""


def nearest_indicator(name: str, indicators: Mapping[str, object]) -> str:
    """相近的指标: as `nearest`, where another word for an indicator (营收) goes before names that look alike."""
    own = next((known for known, spec in indicators.items() if name in getattr(spec, "synonyms", ())), None)
    return nearest(name, indicators) if own is None else f"您是不是想写“{own}”？"


# ---------------------------------------------------------------- parser


class Parser:
    """解析器: one expression; `indicators` and `sets` are the library's. Raises ExpressionError at the first fault."""

    def __init__(
        self, text: str, indicators: Mapping[str, IndicatorLike], sets: Mapping[str, Collection[str]]
    ):
        self.text = text
        self.indicators = indicators
        self.sets = sets
        self.toks = tokens(text)
        self.i = 0
        self.depth = self.operations = 0

    # -- token helpers
    @property
    def tok(self) -> Token:
        return self.toks[self.i]

    def take(self) -> Token:
        tok = self.tok
        self.i += 1
        return tok

    def is_op(self, *values: str) -> bool:
        return self.tok.kind == "op" and self.tok.value in values

    def is_word(self, word: str) -> bool:
        return self.tok.kind == "name" and self.tok.value == word

    def expect(self, value: str) -> Token:
        if not self.is_op(value):
            raise self.fault(2, f"这里应当是“{value}”")
        return self.take()

    def fault(self, code: int, message: str, span: Span | None = None) -> ExpressionError:
        return ExpressionError(code, message, span or self.tok.span)

    def finish(self) -> None:
        tok = self.tok
        if tok.kind == "end":
            return
        if tok.value.lower() in ("and", "or", "且", "或", "并且", "或者", "not", "非"):
            raise self.fault(2, f"表达式里不能写“{tok.value}”，请用 all / any / not 分成几条")
        if tok.kind == "op" and tok.value in COMPARATORS:
            raise self.fault(2, "一条只能有一个比较，请用 all 分成几条")
        raise self.fault(2, f"“{tok.value}”多余了；一条只写一个比较，几个比较用 all / any 分开")

    # -- grammar
    def condition(self) -> Node:
        left = self.sum()
        tok = self.tok
        if tok.kind == "op" and tok.value in COMPARATORS:
            self.take()
            node: Node = self.compare(tok, left, self.sum())
        elif self.is_word("in"):
            self.take()
            node = self.membership(left, tok)
        elif self.is_word("含"):
            self.take()
            node = self.contains(left, tok)
        elif tok.kind == "end":
            raise self.fault(2, "这不是一个比较：请写出比较符号和另一边，例如 >= 500万元", left.span)
        else:
            self.finish()
            raise AssertionError
        self.finish()
        return node

    def value(self) -> Node:
        node = self.sum()
        if self.tok.kind == "op" and self.tok.value in COMPARATORS:
            raise self.fault(2, "这里要一个数额，不是比较")
        self.finish()
        return node

    def compare(self, op: Token, left: Node, right: Node) -> Node:
        both = (left.span[0], right.span[1])
        for side in (left, right):
            if is_ranged(side):
                raise self.fault(2, "一段年度不能直接比较，请用 合计 平均 最大 最小", side.span)
        common = kinds.comparable(left.kind, right.kind)
        if (
            common is None
            and {left.kind.name, right.kind.name} == {TEXT, CODE}
            and (isinstance(left, Text) or isinstance(right, Text))
        ):
            common = Kind(CODE)
        if common is None:
            raise self.fault(
                2, f"“{left.kind}”不能和“{right.kind}”比较{_unit_hint(left.kind, right.kind)}", both
            )
        if common.name == SPAN and common.calendar:
            raise self.fault(2, "日期之差只能和“天”比较；几年几个月请写成 日期 <= 申报开始 - 1年", both)
        if common.name == LIST:
            raise self.fault(2, "列表请用“含”", both)
        if common.name in (TEXT, CODE, BOOL) and op.value not in ("=", "!="):
            raise self.fault(2, f"“{common.name}”只能用 = 或 !=", op.span)
        return Compare(op.value, left, right, kind=Kind(BOOL), span=both)

    def membership(self, left: Node, op: Token) -> Node:
        if left.kind.name not in (TEXT, CODE):
            hint = "列表请用“含”" if left.kind.name == LIST else "in 的左边要是文本或代码"
            raise self.fault(2, f"“{left.kind}”不能用 in；{hint}", (left.span[0], op.span[1]))
        tok = self.take()
        if tok.kind == "name":
            if tok.value not in self.sets:
                cure = f"要新建就写 sets/{tok.value}.yaml（一行一个代码或文字），或者用 --set {tok.value}=…"
                near = nearest(tok.value, self.sets)
                raise self.fault(1, f"没有“{tok.value}”这个集合。{near}{cure}", tok.span)
            members = frozenset(self.sets[tok.value])
            return In(left, members, tok.value, kind=Kind(BOOL), span=(left.span[0], tok.span[1]))
        if tok.kind != "op" or tok.value != "[":
            raise self.fault(2, 'in 的右边要是集合名，或者 ["…", "…"]', tok.span)
        members_list = [self.text_literal()]
        while self.is_op(","):
            self.take()
            members_list.append(self.text_literal())
        end = self.expect("]")
        return In(left, frozenset(members_list), kind=Kind(BOOL), span=(left.span[0], end.span[1]))

    def text_literal(self) -> str:
        tok = self.take()
        if tok.kind != "text":
            raise self.fault(2, '这里要用引号括起来的文字，例如 "C39*"', tok.span)
        return unicodedata.normalize("NFC", tok.value)

    def contains(self, left: Node, op: Token) -> Node:
        if left.kind.name not in (TEXT, LIST):
            raise self.fault(2, f"“{left.kind}”不能用“含”；代码请用 in", (left.span[0], op.span[1]))
        start = left.span[0]
        text = self.text_literal()
        return Has(left, text, kind=Kind(BOOL), span=(start, self.toks[self.i - 1].span[1]))

    def inner(self) -> Node:
        """What stands in brackets; bounded, since every level is a level of every later walk over the tree too."""
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise self.fault(2, f"括号套得超过 {MOST_DEPTH} 层，请拆成几条")
        node = self.sum()
        self.depth -= 1
        return node

    def sum(self) -> Node:
        node = self.product()
        while self.is_op("+", "-"):
            op = self.take()
            node = self.binary(op, node, self.product())
        return node

    def product(self) -> Node:
        node = self.atom()
        while self.is_op("*", "/"):
            op = self.take()
            node = self.binary(op, node, self.atom())
        return node

    def binary(self, op: Token, left: Node, right: Node) -> Node:
        self.operations += 1
        if self.operations > MOST_OPERATIONS:
            raise self.fault(2, f"一条里的运算超过 {MOST_OPERATIONS} 个，请拆成几条", op.span)
        both = (left.span[0], right.span[1])
        for side in (left, right):
            if is_ranged(side):
                raise self.fault(2, "一段年度不能直接运算，请先用 合计 平均 最大 最小", side.span)
        a, b = left.kind, right.kind
        if op.value in "+-":
            kind = kinds.added(a, b, op.value == "-")
        elif op.value == "*":
            kind = kinds.multiplied(a, b)
        else:
            kind = kinds.divided(a, b)
        if kind is None:
            verb = {"+": "相加", "-": "相减", "*": "相乘", "/": "相除"}[op.value]
            raise self.fault(2, f"“{a}”和“{b}”不能{verb}{_unit_hint(a, b)}", both)
        return Bin(op.value, left, right, kind=kind, span=both)

    def atom(self) -> Node:
        tok = self.take()
        if tok.kind == "number":
            return self.number(tok)
        if tok.kind == "date":
            return self.day(tok)
        if tok.kind == "text":
            return Text(unicodedata.normalize("NFC", tok.value), kind=Kind(TEXT), span=tok.span)
        if tok.kind == "op" and tok.value == "(":
            node = self.inner()
            self.expect(")")
            return node
        if tok.kind == "name":
            return self.name(tok)
        if tok.kind == "end":
            raise self.fault(2, "表达式没有写完", tok.span)
        if tok.value == "-":
            raise self.fault(2, "没有负号；负数请写成 0 - …", tok.span)
        raise self.fault(2, f"这里不应当是“{tok.value}”", tok.span)

    def number(self, tok: Token) -> Node:
        value, end = Decimal(tok.value), tok.span[1]
        nxt = self.tok
        if self.is_op("%", "‰"):
            self.take()
            ratio = float(value / kinds.RATIO_UNITS[nxt.value])
            return Num(ratio, kind=Kind(RATIO), span=(tok.span[0], nxt.span[1]))
        glued = nxt.kind == "name" and (nxt.span[0] == end or nxt.value in kinds.ALL_UNITS)
        if not glued or nxt.value in ("in", "含"):
            return Num(float(value), kind=BARE, span=tok.span)
        self.take()
        return self.with_unit(value, nxt, (tok.span[0], nxt.span[1]))

    def with_unit(self, value: Decimal, unit: Token, span: Span) -> Node:
        name = unit.value
        if name in kinds.MONEY_UNITS:
            return Num(float(value * kinds.MONEY_UNITS[name]), kind=Kind(MONEY), span=span)
        if name in kinds.FOREIGN_UNITS:
            currency, factor = kinds.FOREIGN_UNITS[name]
            return Num(float(value * factor), currency, kind=Kind(MONEY), span=span)
        if name in kinds.SPAN_UNITS:
            if value != int(value):
                raise self.fault(2, "时长要写整数", span)
            months, days = (int(value) * n for n in kinds.SPAN_UNITS[name])
            return Dur(months, days, kind=Kind(SPAN, calendar=months > 0), span=span)
        if name in kinds.COUNT_UNITS:
            return Num(float(value), kind=Kind(COUNT, kinds.canonical_unit(name)), span=span)
        raise self.fault(1, f"没有“{name}”这个单位。{nearest(name, kinds.ALL_UNITS)}", unit.span)

    def day(self, tok: Token) -> Node:
        try:
            y, m, d = (int(p) for p in tok.value.split("-"))
            days = (date(y, m, d) - date(1970, 1, 1)).days
        except ValueError:
            raise self.fault(2, f"没有“{tok.value}”这一天", tok.span) from None
        return Day(days, kind=Kind(DATE), span=tok.span)

    def name(self, tok: Token) -> Node:
        word, span = tok.value, tok.span
        if self.is_op("("):
            return self.call(tok)
        if word in ("是", "否"):
            return Truth(word == "是", kind=Kind(BOOL), span=span)
        if word in WINDOW:
            return Window(word, kind=Kind(DATE), span=span)
        if word == "Y":
            return BatchYear(kind=Kind(COUNT), span=span)
        if word.lower() in ("and", "or", "not", "且", "或"):
            raise self.fault(2, f"表达式里不能写“{word}”，请用 all / any / not 分成几条", span)
        return self.indicator(tok)

    def indicator(self, tok: Token) -> Node:
        spec = self.indicators.get(tok.value)
        if spec is None:
            hint = nearest_indicator(tok.value, self.indicators)
            raise self.fault(1, f"没有“{tok.value}”这个指标。{hint}", tok.span)
        kind = Kind(spec.kind, kinds.canonical_unit(spec.unit))
        if not self.is_op("["):
            if spec.yearly:
                raise self.fault(2, f"“{tok.value}”是按年的指标，请写明年度，例如 {tok.value}[Y]", tok.span)
            return Ref(tok.value, kind=kind, span=tok.span)
        start = self.take()
        if not spec.yearly:
            raise self.fault(
                2, f"“{tok.value}”不是按年的指标，请去掉方括号", (start.span[0], self.bracket_end())
            )
        first = self.year()
        last = first
        ranged = self.is_op("..")
        if ranged:
            self.take()
            last = self.year()
        end = self.expect("]")
        span = (tok.span[0], end.span[1])
        if not ranged:
            return Ref(tok.value, first, kind=kind, span=span)
        if first < last:
            raise self.fault(2, "年度区间要由早到晚，例如 [Y-2..Y]", span)
        return Range(tok.value, first, last, kind=kind, span=span)

    def bracket_end(self) -> int:
        for tok in self.toks[self.i :]:
            if tok.value == "]":
                return tok.span[1]
        return self.toks[-1].span[1]

    def year(self) -> int:
        if not self.is_word("Y"):
            raise self.fault(2, "年度要写成 Y 或 Y-1（Y 是批次的年度）")
        self.take()
        if not self.is_op("-"):
            return 0
        self.take()
        tok = self.take()
        if tok.kind != "number" or "." in tok.value:
            raise self.fault(2, "年度要写成 Y 或 Y-1", tok.span)
        return int(tok.value)

    def call(self, tok: Token) -> Node:
        if tok.value not in FUNCTIONS:
            raise self.fault(1, f"没有“{tok.value}”这个函数。{nearest(tok.value, FUNCTIONS)}", tok.span)
        self.take()
        args = [self.inner()]
        while self.is_op(","):
            self.take()
            args.append(self.inner())
        end = self.expect(")")
        span = (tok.span[0], end.span[1])
        kind = self.call_kind(tok.value, args, span)
        return Call(tok.value, tuple(args), kind=kind, span=span)

    def call_kind(self, name: str, args: list[Node], span: Span) -> Kind:
        if name in AGGREGATES:
            return self.aggregate_kind(name, args, span)
        if len(args) != 1:
            raise self.fault(2, f"“{name}”只要一个参数", span)
        arg = args[0]
        check: Callable[[Node], bool]
        check, kind, need = {
            "增长率": (_growable, Kind(RATIO), "按年的金额、数量或比例，例如 增长率(研发费用[Y])"),
            "取整": (
                lambda a: a.kind.name in (RATIO, COUNT) and not is_ranged(a),
                Kind(COUNT),
                "一个数量或者两数之比",
            ),
            "年度": (lambda a: a.kind.name == DATE and not is_ranged(a), Kind(COUNT), "日期"),
            "周岁": (lambda a: a.kind.name == DATE and not is_ranged(a), Kind(COUNT, "岁"), "日期"),
        }[name]
        if not check(arg):
            raise self.fault(2, f"“{name}”要的是{need}，这里是“{arg.kind}”", arg.span)
        return kind

    def aggregate_kind(self, name: str, args: list[Node], span: Span) -> Kind:
        if len(args) == 1 and not is_ranged(args[0]):
            raise self.fault(2, f"“{name}”要一段年度或者几个数，例如 {name}(营业收入[Y-2..Y])", args[0].span)
        if len(args) > 1 and any(is_ranged(a) for a in args):
            raise self.fault(2, f"“{name}”要么一段年度，要么几个数，不能混在一起", span)
        common: Kind | None = args[0].kind
        for arg in args[1:]:
            common = kinds.comparable(common, arg.kind) if common else None
        ordered = (*kinds.NUMERIC, DATE) if name in ("最大", "最小") else kinds.NUMERIC
        if common is None or common.name not in ordered:
            shown = "、".join(str(a.kind) for a in args)
            raise self.fault(2, f"“{name}”不能用于：{shown}", span)
        return common


def is_ranged(node: Node) -> bool:
    """逐年的值: whether a node stands for one value a year instead of one value."""
    return isinstance(node, Range) or (
        isinstance(node, Call) and node.name == "增长率" and isinstance(node.args[0], Range)
    )


def _growable(node: Node) -> bool:
    yearly = isinstance(node, Range) or (isinstance(node, Ref) and node.back is not None)
    return yearly and node.kind.name in kinds.NUMERIC


def _unit_hint(a: Kind, b: Kind) -> str:
    if a.name == b.name == COUNT:
        return "，计量单位不同"
    if {a.name, b.name} == {MONEY, COUNT}:
        return "；金额请写明单位，例如 500万元"
    return ""


def parse_condition(
    text: str, indicators: Mapping[str, IndicatorLike], sets: Mapping[str, Collection[str]]
) -> Node:
    """条件: one comparison as a typed tree. Raises ExpressionError with code 1 or 2 and the span at fault."""
    return Parser(text, indicators, sets).condition()


def parse_value(
    text: str, indicators: Mapping[str, IndicatorLike], sets: Mapping[str, Collection[str]]
) -> Node:
    """数额: a sum without a comparison, as a typed tree. Raises ExpressionError."""
    return Parser(text, indicators, sets).value()


# ---------------------------------------------------------------- trees


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
