"""Values, facts and the evaluation of one expression for one firm (sections 3 and 4)."""

from __future__ import annotations

import calendar
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from tests.oracle.parser import BOOL, COUNT, DATE, LIST, MONEY, RATIO, Indicator, Node

YES, NO, UNSURE = "符合", "不符合", "待核实"
TOLERANCE = Fraction(1, 10**9)


class Missing:
    """Nothing is known (`UNKNOWN`), or it is known that there is nothing (`ABSENT`, 无)."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


UNKNOWN, ABSENT = Missing("待核实"), Missing("无")


@dataclass(frozen=True)
class Num:
    """An exact number and the greatest magnitude among the terms it was added up from."""

    value: Fraction
    mag: Fraction

    @classmethod
    def of(cls, value: Fraction | int) -> Num:
        return cls(Fraction(value), abs(Fraction(value)))


def equal(left: Num, right: Num) -> bool:
    """Whether two numbers are equal within 1e-9 of the greatest magnitude concerned."""
    return abs(left.value - right.value) <= TOLERANCE * max(left.mag, right.mag)


def number(raw: object) -> Fraction:
    """The exact decimal value of a number as JSON wrote it."""
    return Fraction(raw if isinstance(raw, int) else str(raw))


def read(raw: object, kind: str) -> object:
    """A raw JSON value as a value of the kind."""
    if raw is None:
        return UNKNOWN
    if kind in (MONEY, RATIO, COUNT):
        return Num.of(number(raw))
    if kind == DATE:
        return date.fromisoformat(str(raw))
    if kind == BOOL:
        return raw in (True, "是")
    if kind == LIST:
        return tuple(raw)  # type: ignore[arg-type]
    return str(raw)


@dataclass
class Scene:
    """One firm (or one of its rows) in one batch: all that an expression may look at."""

    facts: Mapping[str, object]
    indicators: Mapping[str, Indicator]
    year: int
    opens: date
    closes: date

    def absent(self, name: str) -> object:
        """What the dictionary says of a missing fact."""
        said = self.indicators[name].absent
        if said is None:
            return UNKNOWN
        return ABSENT if said == "无" else False if said == "否" else Num.of(number(said))

    def fact(self, name: str) -> object:
        value = read(self.facts.get(name), self.indicators[name].kind)
        return self.absent(name) if value is UNKNOWN else value

    def recorded(self, name: str, year: int) -> object:
        """The value of one year, or what the dictionary says of a missing one."""
        years = self.facts.get(name) or {}
        value = read(years.get(str(year)), self.indicators[name].kind)  # type: ignore[attr-defined]
        return self.absent(name) if value is UNKNOWN else value

    def before_founding(self, year: int) -> bool:
        founded = self.fact("成立日期") if "成立日期" in self.indicators else UNKNOWN
        return isinstance(founded, date) and year < founded.year


def evaluate(node: Node, scene: Scene) -> object:
    """The value of an expression: Num, date, text, bool, list, days, UNKNOWN or ABSENT."""
    if node.op == "literal":
        return Num.of(node.value) if isinstance(node.value, Fraction) else node.value  # type: ignore[arg-type]
    if node.op == "Y":
        return Num.of(scene.year)
    if node.op in ("申报开始", "申报截止"):
        return scene.opens if node.op == "申报开始" else scene.closes
    if node.op == "fact":
        return scene.fact(str(node.value))
    if node.op == "yearly":
        name, offset = node.value  # type: ignore[misc]
        return scene.recorded(name, scene.year + offset)
    if node.op in ("合计", "平均", "最大", "最小"):
        return aggregate(node, scene)
    if node.op == "增长率":
        name, offset = node.args[0].value  # type: ignore[misc]
        return growth(scene, name, scene.year + offset)
    values = [evaluate(arg, scene) for arg in node.args]
    for missing in (ABSENT, UNKNOWN):
        if any(value is missing for value in values):
            return missing
    return OPERATIONS[node.op](*values, *([scene] if node.op == "周岁" else []))


def series(node: Node, scene: Scene) -> list[object]:
    """One value per year of a range; years before founding without a value are None (zero, uncounted)."""
    if node.op == "增长率":
        name, first, last = node.args[0].value  # type: ignore[misc]
        return [growth(scene, name, scene.year + offset) for offset in range(first, last + 1)]
    name, first, last = node.value  # type: ignore[misc]
    values: list[object] = []
    for year in range(scene.year + first, scene.year + last + 1):
        value = scene.recorded(name, year)
        young = value is UNKNOWN and node.kind in (MONEY, COUNT) and scene.before_founding(year)
        values.append(None if young else value)
    return values


def aggregate(node: Node, scene: Scene) -> object:
    """合计 平均 最大 最小 of a range or of several sums; unknown where any part is."""
    if node.args[0].series:
        values = series(node.args[0], scene)
    else:
        values = [evaluate(arg, scene) for arg in node.args]
    for missing in (ABSENT, UNKNOWN):  # a date known not to exist, in 最大(年度(a), 年度(b))
        if any(value is missing for value in values):
            return missing
    counted = [value for value in values if isinstance(value, Num)]
    if node.op == "平均":
        return divide(total(counted), Num.of(len(counted))) if counted else UNKNOWN
    parts = counted + [Num.of(0)] * (len(values) - len(counted))
    if node.op == "合计":
        return total(parts)
    best = (max if node.op == "最大" else min)(part.value for part in parts)
    return Num(best, max(part.mag for part in parts if part.value == best))


def total(parts: list[Num]) -> Num:
    value = sum((part.value for part in parts), Fraction(0))
    return Num(value, max([abs(value), *(part.mag for part in parts)]))


def growth(scene: Scene, name: str, year: int) -> object:
    """x[year] / x[year-1] - 1; unknown where a year is missing or the earlier value is not above zero."""
    now, before = scene.recorded(name, year), scene.recorded(name, year - 1)
    if not isinstance(now, Num) or not isinstance(before, Num) or before.value <= 0:
        return UNKNOWN
    ratio = now.value / before.value
    return Num(ratio - 1, max(abs(ratio), Fraction(1)))


def divide(left: Num, right: Num) -> object:
    """A quotient; unknown where the divisor is zero (within the tolerance)."""
    if equal(right, Num(Fraction(0), right.mag)):
        return UNKNOWN
    value = left.value / right.value
    return Num(value, max(abs(value), left.mag / abs(right.value)))


def whole_steps(quotient: Num) -> Num:
    """取整: towards zero, where a quotient within 1e-9 of a whole number is that number."""
    nearest = Fraction(math.floor(quotient.value + Fraction(1, 2)))
    if abs(quotient.value - nearest) <= TOLERANCE:
        return Num.of(nearest)
    return Num.of(math.trunc(quotient.value))


def full_years(born: date, scene: Scene) -> Num:
    today = scene.opens
    return Num.of(today.year - born.year - ((today.month, today.day) < (born.month, born.day)))


def shifted(day: date, span: tuple[Fraction, str], sign: int) -> date:
    """A date moved by a span; the day is kept, or is the month's last."""
    amount, unit = int(span[0]) * sign, span[1]
    if unit == "天":
        return day + timedelta(days=amount)
    months = day.year * 12 + day.month - 1 + amount * (12 if unit == "年" else 1)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def plus(left: object, right: object, sign: int) -> object:
    if isinstance(left, date):
        return shifted(left, right, sign)  # type: ignore[arg-type]
    value = left.value + sign * right.value  # type: ignore[attr-defined]
    return Num(value, max(abs(value), left.mag, right.mag))  # type: ignore[attr-defined]


OPERATIONS: dict[str, Callable[..., object]] = {
    "+": lambda a, b: plus(a, b, 1),
    "-": lambda a, b: plus(a, b, -1),
    "*": lambda a, b: Num(a.value * b.value, a.mag * b.mag),
    "/": divide,
    "days": lambda a, b: (Fraction((a - b).days), "天"),
    "span+": lambda a, b: (a[0] + b[0], "天"),
    "span-": lambda a, b: (a[0] - b[0], "天"),
    "取整": whole_steps,
    "年度": lambda day: Num.of(day.year),
    "周岁": full_years,
}


def compare(op: str, left: object, right: object) -> bool:
    """One comparison of two known values."""
    if isinstance(left, Num) and isinstance(right, Num):
        same, more = equal(left, right), left.value > right.value
    else:
        same = left == right
        more = not same and op not in ("=", "!=") and left > right  # type: ignore[operator]
    return {
        "=": same, "!=": not same, ">=": more or same, "<=": not more or same,
        ">": more and not same, "<": not more and not same,
    }[op]  # fmt: skip


def matches(text: str, member: str) -> bool:
    """Whether a text is a set's member: whole, or by the prefix before its `*`."""
    return text.startswith(member[:-1]) if member.endswith("*") else text == member


def holds(node: Node, scene: Scene) -> str:
    """The verdict of one comparison: unknown where a side is, 不符合 where it is known not to exist."""
    values = [evaluate(arg, scene) for arg in node.args]
    if any(value is ABSENT for value in values):
        return NO
    if any(value is UNKNOWN for value in values):
        return UNSURE
    if node.op == "in":
        return YES if any(matches(str(values[0]), m) for m in node.value) else NO  # type: ignore[attr-defined]
    if node.op == "含":
        return YES if node.value in values[0] else NO  # type: ignore[operator]
    return YES if compare(node.op, values[0], values[1]) else NO
