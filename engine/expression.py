"""表达式: the one-line comparisons of a rule, parsed into a typed tree (rule language, section 3)."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Mapping
from datetime import date
from decimal import Decimal
from typing import Protocol

from engine import kinds
from engine.errors import ExpressionError
from engine.kinds import BARE, BOOL, CODE, COUNT, DATE, LIST, MONEY, RATIO, SPAN, TEXT, Kind
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
    Span,
    Text,
    Truth,
    Window,
    is_ranged,
)
from engine.tokens import COMPARATORS, MEANT, Token, nearest, nearest_indicator, tokens

AGGREGATES = ("合计", "平均", "最大", "最小")
FUNCTIONS = (*AGGREGATES, "增长率", "取整", "年度", "周岁")
WINDOW = ("申报开始", "申报截止")
MOST_DEPTH, MOST_OPERATIONS = 40, 100


class IndicatorLike(Protocol):
    """指标: what the parser must know of an indicator."""

    @property
    def kind(self) -> str: ...
    @property
    def yearly(self) -> bool: ...
    @property
    def unit(self) -> str: ...


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
        if tok.kind == "name" and tok.value in MEANT:
            raise self.fault(2, f"没有“{tok.value}”这个比较，请写成“{MEANT[tok.value]}”")
        raise self.fault(2, f"“{tok.value}”多余了；一条只写一个比较，几个比较用 all / any 分开")

    # -- grammar
    def condition(self) -> Node:
        left = self.sum()
        tok = self.tok
        if tok.kind == "op" and tok.value in COMPARATORS:
            self.take()
            self.not_doubled(tok)
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

    def not_doubled(self, op: Token) -> None:
        """两个比较符号连写: `==`, `=>` and their like, told with the sign that is meant."""
        doubled = op.value + self.tok.value
        if self.tok.kind == "op" and doubled in MEANT:
            span = (op.span[0], self.tok.span[1])
            raise self.fault(2, f"没有“{doubled}”这个比较，请写成“{MEANT[doubled]}”", span)

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
            if not self.is_op(")"):
                raise self.fault(2, "“(”没有配上“)”；括号里只写算式，不写比较", tok.span)
            self.take()
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
        if self.is_op("+"):
            raise self.fault(2, "年度只能是 Y 或往前推的 Y-1；往后的年度还没有数据")
        if not self.is_op("-"):
            return 0
        self.take()
        tok = self.take()
        if tok.kind != "number" or "." in tok.value:
            raise self.fault(2, "年度要写成 Y 或 Y-1", tok.span)
        if len(tok.value) > 4:
            raise self.fault(2, "年度往前推得太多，没有这样的年份；写成 Y 或 Y-1", tok.span)
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
