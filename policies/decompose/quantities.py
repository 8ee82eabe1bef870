"""数量: money, rates, counts, durations and dates in squeezed policy Chinese, as values in base units.

cn2an turns Chinese numerals into numbers and nothing else; direction, range and unit are decided here.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache

_CN_DIGITS = "〇零一二两三四五六七八九十百千万亿"
NUM = rf"(?:\d[\d,]*(?:\.\d+)?|[{_CN_DIGITS}]+)"
_SCALE = {
    "": 1.0,
    "十": 10.0,
    "百": 1e2,
    "千": 1e3,
    "万": 1e4,
    "十万": 1e5,
    "百万": 1e6,
    "千万": 1e7,
    "亿": 1e8,
    "百亿": 1e10,
}
_DASH = r"(?:-|—|–|~|～|至|到|－)"
_MONEY_UNIT = r"(?P<scale>百亿|亿|千万|百万|十万|万|千|百)?(?P<unit>元|美元|欧元|港元|日元|人民币)"
COUNT_UNITS = (
    r"人次|人|名|户|家|个|次|件|项|台|套|辆|艘|座|间|亩|平方米|平米|公里|吨|公斤|千瓦时|千瓦|岁|周岁|分|场|张|批次|轴|倍|"
    r"种|部|篇|所|处|米|升|册|款|单|只|头|株|位|户次|课时|学时|门|期|轮|级"
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """数量: flat[start:end]; `low` and `high` differ where the text gives a range; kind money, percent, count, years."""

    start: int
    end: int
    kind: str
    low: float
    high: float
    unit: str
    text: str

    @property
    def is_range(self) -> bool:
        """区间: whether the text gives two ends."""
        return self.low != self.high


@lru_cache(maxsize=4096)
def number(text: str) -> float | None:
    """数字: the value of an Arabic or Chinese numeral; None where it is neither."""
    body = text.replace(",", "").replace("〇", "零")
    if re.fullmatch(r"\d+(?:\.\d+)?", body):
        return float(body)
    import cn2an  # takes a tenth of a second to load

    try:
        return float(cn2an.cn2an(body, "smart"))
    except (ValueError, KeyError, IndexError):
        # 亿 or 万 alone, 千百, and other strings that only look like numerals
        return None


def _scaled(num: str, scale: str | None) -> float | None:
    value = number(num)
    return None if value is None else value * _SCALE[scale or ""]


_MONEY_RANGE = re.compile(
    rf"(?P<a>{NUM})(?P<sa>百亿|亿|千万|百万|十万|万|千|百)?(?:元|美元)?{_DASH}(?P<b>{NUM}){_MONEY_UNIT}"
)
_MONEY = re.compile(rf"(?P<b>{NUM}){_MONEY_UNIT}")
_BARE_MONEY = re.compile(
    r"(?P<b>\d[\d,]*(?:\.\d+)?)(?P<scale>亿|千万|百万|万)(?![\d元人次户亩平台套件美吨千家辆名点册只株头瓦立米块份名字])"
)
# A table's head tells the unit of the cells under it: 标准（元/月）：2000.
_UNIT_HEAD = re.compile(r"(?<=）：)(?P<b>\d[\d,]*(?:\.\d+)?)(?=$|[，。；])")
_HEADED = re.compile(r"（(?P<scale>百万|万|千|百)?元(?:/[^）]{1,6})?）：$")
_PERCENT_RANGE = re.compile(rf"(?P<a>\d+(?:\.\d+)?)[%‰]?{_DASH}(?P<b>\d+(?:\.\d+)?)(?P<unit>[%‰])")
_PERCENT = re.compile(rf"(?P<b>\d+(?:\.\d+)?)(?P<unit>[%‰])|百分之(?P<c>{NUM})(?:{_DASH}百分之(?P<d>{NUM}))?")
_POINTS = re.compile(rf"(?P<b>{NUM})个?百分点|(?P<bp>\d+(?:\.\d+)?)(?:BP|bp|个?基点)")
_FRACTION = re.compile(
    r"(?<![\d/])(?P<n>\d)/(?P<d>\d{1,2})(?![\d/])|(?P<cd>[二三四五六七八九十])分之(?P<cn>[一二三四五六七八九])"
)
_WHOLE = re.compile(r"全额|全部费用|全场租")
_DURATION = re.compile(
    rf"(?<!第)(?<![\d年])(?:(?P<a>{NUM}){_DASH})?(?P<b>{NUM})(?P<unit>个?半?月|年(?!度|内?[起月第代版])|个?工作日|日(?![前至起止])|天|周(?!岁)|个?季度)(?P<half>半)?"
)
_COUNT = re.compile(
    rf"(?:(?P<a>{NUM})(?:{COUNT_UNITS})?{_DASH})?(?P<b>{NUM})(?P<scale>万|千|百|亿)?(?P<unit>{COUNT_UNITS})"
)
# No numeral is as long as this; looked through, such a run costs the cube of its length.
_ENDLESS = re.compile(rf"[\d,{_CN_DIGITS}]{{30,}}")


def quantities(flat: str) -> list[Quantity]:
    """找数量: the quantities of a squeezed text in order, none overlapping another."""
    return list(_quantities(flat))


@lru_cache(maxsize=8192)
def _quantities(flat: str) -> tuple[Quantity, ...]:
    flat = _ENDLESS.sub(lambda m: "■" * len(m.group()), flat)
    taken = [False] * (len(flat) + 1)
    out: list[Quantity] = []
    for m in DATE.finditer(flat):
        taken[m.start() : m.end()] = [True] * (m.end() - m.start())
    for m in re.finditer(
        r"〔\d{4}〕(?:第?\d+号)?|《[^》]*》|\d{7,}|\d{3,4}-\d{6,}|GB/?T?\s?[\d.\-]+|第\d+号", flat
    ):
        taken[m.start() : m.end()] = [True] * (m.end() - m.start())
    for reader in (_read_money, _read_percent, _read_years, _read_counts):
        for q in reader(flat):
            if not any(taken[q.start : q.end]):
                taken[q.start : q.end] = [True] * (q.end - q.start)
                out.append(q)
    return tuple(sorted(out, key=lambda q: q.start))


def _read_money(flat: str) -> list[Quantity]:
    out = []
    for m in _MONEY_RANGE.finditer(flat):
        low, high = _scaled(m["a"], m["sa"] or m["scale"]), _scaled(m["b"], m["scale"])
        if low is not None and high is not None and low < high:
            out.append(Quantity(m.start(), m.end(), "money", low, high, m["unit"], m.group()))
    for m in _UNIT_HEAD.finditer(flat):
        head = _HEADED.search(flat[: m.start()])
        value = _scaled(m["b"], head["scale"]) if head else None
        if value is not None:
            out.append(Quantity(m.start(), m.end(), "money", value, value, "元", m.group()))
    for pattern in (_MONEY, _BARE_MONEY):
        for m in pattern.finditer(flat):
            value = _scaled(m["b"], m["scale"])
            if value is not None:
                unit = m.groupdict().get("unit") or "元"
                out.append(Quantity(m.start(), m.end(), "money", value, value, unit, m.group()))
    return out


def _read_percent(flat: str) -> list[Quantity]:
    out = []
    for m in _PERCENT_RANGE.finditer(flat):
        base = 100.0 if m["unit"] == "%" else 1000.0
        out.append(
            Quantity(
                m.start(), m.end(), "percent", float(m["a"]) / base, float(m["b"]) / base, "%", m.group()
            )
        )
    for m in _POINTS.finditer(flat):
        value = float(m["bp"]) / 1e4 if m["bp"] else (number(m["b"]) or 0.0) / 100
        out.append(Quantity(m.start(), m.end(), "percent", value, value, "百分点", m.group()))
    for m in _PERCENT.finditer(flat):
        if m["b"]:
            low = high = float(m["b"]) / (100.0 if m["unit"] == "%" else 1000.0)
        else:
            low = (number(m["c"]) or 0.0) / 100
            high = (number(m["d"]) or 0.0) / 100 if m["d"] else low
        out.append(Quantity(m.start(), m.end(), "percent", low, high, "%", m.group()))
    for m in _FRACTION.finditer(flat):
        below = float(m["d"]) if m["n"] else number(m["cd"]) or 1.0
        if below == 0:  # 2/0 is a label or a slip
            continue
        value = (float(m["n"]) if m["n"] else number(m["cn"]) or 0.0) / below
        out.append(Quantity(m.start(), m.end(), "percent", value, value, "分数", m.group()))
    for m in _WHOLE.finditer(flat):
        out.append(Quantity(m.start(), m.end(), "percent", 1.0, 1.0, "全额", m.group()))
    return out


_YEARS = {
    "月": 1 / 12,
    "年": 1.0,
    "工作日": 1 / 250,
    "日": 1 / 365,
    "天": 1 / 365,
    "周": 7 / 365,
    "季度": 0.25,
}


def _read_years(flat: str) -> list[Quantity]:
    out = []
    for m in _DURATION.finditer(flat):
        unit = m["unit"].lstrip("个").replace("半月", "月")
        high = number(m["b"])
        if high is None or (unit == "年" and high > 60):
            continue
        half = 0.5 if m["half"] or "半月" in m["unit"] else 0.0
        low = number(m["a"]) if m["a"] else None
        scale = _YEARS[unit]
        top = (high + half) * scale
        out.append(
            Quantity(m.start(), m.end(), "years", top if low is None else low * scale, top, unit, m.group())
        )
    return out


def _read_counts(flat: str) -> list[Quantity]:
    out = []
    for m in _COUNT.finditer(flat):
        high = _scaled(m["b"], m["scale"])
        if high is None:
            continue
        low = number(m["a"]) if m["a"] else None
        out.append(
            Quantity(m.start(), m.end(), "count", high if low is None else low, high, m["unit"], m.group())
        )
    return out


_Y = r"(?P<y{0}>\d{{4}}|[〇零一二三四五六七八九]{{4}})年"
DATE = re.compile(
    r"(?P<y>(?:19|20)\d{2}|二[〇零][〇零一二三四五六七八九]{2})(?:年|[.\-/])(?P<m>\d{1,2}|[一二三四五六七八九十]{1,2})(?:月|[.\-/])"
    r"(?:(?P<d>\d{1,2}|[一二三四五六七八九十]{1,3})(?:日|号)?)?"
)
_SHORT_DATE = re.compile(r"(?P<m>\d{1,2})月(?:(?P<d>\d{1,2})(?:日|号))?")


def _int(text: str | None) -> int | None:
    if text is None:
        return None
    if text.isdecimal():
        return int(text)
    if len(text) == 4:
        return int("".join(str("零一二三四五六七八九".index(ch)) for ch in text.replace("〇", "零")))
    value = number(text)
    return None if value is None else int(value)


def date_of(m: re.Match[str], year: int | None = None) -> str | None:
    """日期: ISO date (or year-month where no day is given) of a date match; None where no such day exists."""
    y, month, day = _int(m.groupdict().get("y")) or year, _int(m["m"]), _int(m["d"])
    if y is None or month is None or not 1 <= month <= 12:
        return None
    if day is None:
        return f"{y:04d}-{month:02d}"
    try:
        return dt.date(y, month, day).isoformat()
    except ValueError:
        return None


def short_dates(flat: str, after: int) -> re.Match[str] | None:
    """月日: the first month and day without a year at or after a place."""
    return _SHORT_DATE.search(flat, after)
