"""匹配: the nouns of a verdict and what it rests on; standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Verdict(StrEnum):
    """结论: three answers, never two."""

    ELIGIBLE = "符合"
    UNDETERMINED = "待核实"
    INELIGIBLE = "不符合"


@dataclass(frozen=True)
class Seen:
    """所见取值: a value a condition read, with its source, the date of the data and its state (已知 缺失 过期 冲突)."""

    indicator: str
    year: int | None
    value: object
    source: str = ""
    as_of: date | None = None
    state: str = "已知"
    note: str = ""


@dataclass(frozen=True)
class Evidence:
    """依据: one node of a rule beside what the enterprise's file says; `gap` and `holds_on` where there are any."""

    kind: str
    verdict: Verdict
    text: str = ""
    id: str = ""
    number: int = 0
    cite: str = ""
    quote: str = ""
    label: str = ""
    hidden: bool = False
    seen: tuple[Seen, ...] = ()
    gap: str = ""
    holds_on: date | None = None
    needs: str = ""
    children: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class Match:
    """匹配: an enterprise and an item in a batch, with verdict, amount in yuan and evidence."""

    code: str
    item: str
    batch: str
    verdict: Verdict
    amount_low: float | None = None
    amount_high: float | None = None
    fails: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = field(default=(), compare=False)
    score: float | None = None
    working: tuple[str, ...] = field(default=(), compare=False)
