"""数据文件的单元格: headers and cells of a table of `huiqi match`, as people and spreadsheets write them."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from engine import kinds
from engine.indicators import Indicator
from engine.literal import parse_number

if TYPE_CHECKING:
    from profiles.source import Column

# What reads other than the plainest cells (profiles.values) takes a third of a second to load: only where it is asked.
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
HEADER = re.compile(r"(?P<name>[^(]+)\((?P<unit>[^()]+)\)")
LIKE = {
    kinds.MONEY: "3000万元、30000000（不写单位按元）",
    kinds.RATIO: "12%、0.12（不写 % 按小数）",
    kinds.COUNT: "120、120人",
}


def header_of(text: str) -> tuple[str, str]:
    """表头: the name (`营业收入@2025`) and the unit written behind it in brackets, "" where there is none."""
    plain = "".join(unicodedata.normalize("NFKC", text).split())
    found = HEADER.fullmatch(plain)
    return (found["name"], found["unit"]) if found else (plain, "")


def header_fault(spec: Indicator, unit: str) -> str:
    """表头的单位有没有毛病: one clause, or "" for a unit that cells of this indicator can have."""
    if not unit:
        return ""
    if spec.kind == kinds.COUNT:
        if spec.unit and kinds.canonical_unit(unit) == kinds.canonical_unit(spec.unit):
            return ""
        return (
            f"“{spec.name}”的单位是“{spec.unit}”，不能是“{unit}”"
            if spec.unit
            else f"“{spec.name}”没有单位，请去掉（{unit}）"
        )
    if spec.kind in (kinds.MONEY, kinds.RATIO):
        from profiles.values import unit_fault

        return unit_fault(spec.kind, _column(spec, unit))
    return f"“{spec.name}”是{spec.kind}，没有单位，请去掉（{unit}）"


def number_of(text: str, spec: Indicator, unit: str = "") -> float:
    """数值: yuan, fraction, count or days of a cell. Raises ValueError with a message for people.

    A bare number is in the base unit or in `unit`; else it is read as in a rule (3000万元, 12%), and what rules don't
    know (thousands, 人民币, 三千万元整) as `huiqi import` reads it.
    """
    plain = NUMBER.fullmatch(text.strip())
    if plain and not unit:
        return float(text)
    try:
        if not plain:
            return parse_number(text, spec)
    except ValueError:
        pass
    from profiles.values import Refused, parser

    try:
        value = parser(spec.kind, _column(spec, unit), {}, spec.unit)(text)
    except Refused as refused:
        like = f"（可以写 {LIKE[spec.kind]}）" if spec.kind in LIKE else ""
        raise ValueError(f"“{spec.name}”的值读不懂：{refused.message}{like}") from None
    return float(Decimal(str(value)) / 100) if spec.kind == kinds.MONEY else float(value)  # type: ignore[arg-type]


def cell_of(text: str, spec: Indicator, unit: str = "") -> object:
    """单元格: what the column builder takes for the text of a cell. Raises ValueError with a message for people."""
    if spec.kind == kinds.LIST:
        return [part.strip() for part in re.split("[;；]", text) if part.strip()]
    if spec.kind in kinds.NUMERIC or spec.kind == kinds.SPAN:
        return number_of(text, spec, unit)
    if spec.kind not in (kinds.DATE, kinds.BOOL) or text in ("是", "否") or _is_iso(text):
        return text
    from profiles.values import Refused, parse_date, parse_yes

    try:
        return parse_date(text) if spec.kind == kinds.DATE else parse_yes(text)
    except Refused as refused:
        raise ValueError(f"“{spec.name}”的值读不懂：{refused.message}") from None


def _column(spec: Indicator, unit: str) -> Column:
    from profiles.source import Column

    return Column.model_validate({"indicator": spec.name, "unit": unit})


def _is_iso(text: str) -> bool:
    try:
        date.fromisoformat(text.strip())
    except ValueError:
        return False
    return True
