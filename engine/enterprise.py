"""企业: one file per enterprise and what it holds; standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class Source:
    """数据来源: a department's register or file."""

    name: str
    department: str = ""
    authority: int = 0


@dataclass(frozen=True)
class Observation:
    """指标取值: a value with its period, source, the date of the data and of its arrival, and the source's rank."""

    indicator: str
    year: int | None
    value: object
    source: str
    as_of: date
    arrived: date
    authority: int = 0
    batch: str = ""


@dataclass(frozen=True)
class Tag:
    """标签: a derived or classified property with its reason and, where learned, its score."""

    name: str
    value: object
    reason: str = ""
    score: float | None = None


@dataclass(frozen=True)
class Portrait:
    """画像: tags of one enterprise on a day."""

    code: str
    as_of: date
    tags: tuple[Tag, ...] = ()


@dataclass(frozen=True)
class EnterpriseProfile:
    """一企一档: all observations of one enterprise."""

    code: str
    name: str = ""
    observations: tuple[Observation, ...] = field(default=())
