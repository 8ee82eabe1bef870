"""一家企业的画像: rules, text tags, product lines to check, completeness and freshness, from its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from engine.columns import Builder, Columns
from engine.explain import value_at
from engine.indicators import Dictionary
from engine.literal import parse_number
from profiles.file import Fact, Key
from profiles.portrait import Line, Portrayer, portrait_year
from profiles.portrait_quality import Completeness, Freshness, completeness, freshness
from profiles.portrait_sets import ProductLine, product_lines
from profiles.portrait_tags import Proposals, text_tags


@dataclass(frozen=True)
class FirmPortrait:
    """一企画像: what an officer sees in the section 画像 of a file."""

    code: str
    year: int
    lines: tuple[Line, ...]
    proposals: Proposals
    products: tuple[ProductLine, ...]
    completeness: Completeness
    freshness: Freshness


def columns_of(
    code: str, facts: Mapping[Key, Fact], dictionary: Dictionary, loaded: frozenset[str] | None = None
) -> Columns:
    """单企数据列: one row of the facts that are known; stale and contested ones are unknown, as for rules."""
    record: dict[str, Any] = {}
    for (name, year), fact in facts.items():
        if fact.value is None or name not in dictionary:
            continue
        if year is None:
            record[name] = fact.value
        else:
            record.setdefault(name, {})[str(year)] = fact.value

    def complain(row: int, column: str, message: str) -> None:
        raise ValueError(f"{code} 的档案里 {column}：{message}")

    return Builder(dictionary, complain, parse_number).build([code], [record], loaded)


def firm_portrait(
    code: str,
    facts: Mapping[Key, Fact],
    dictionary: Dictionary,
    as_of: date,
    loaded: frozenset[str] | None = None,
) -> FirmPortrait:
    """一企画像: of a file as it stands; `loaded` names the indicators whose register has been received."""
    columns = columns_of(code, facts, dictionary, loaded)
    return portrait_of_row(columns, 0, as_of, freshness(facts.values()))


def portrait_of_row(columns: Columns, row: int, as_of: date, fresh: Freshness) -> FirmPortrait:
    """一企画像: of one row of columns."""
    year = portrait_year(as_of)
    name, scope, industry = (
        str(value_at(columns, row, indicator, None) or "")
        for indicator in ("企业名称", "经营范围", "行业代码")
    )
    proposals = text_tags([name], [scope], [industry or None])[0]
    return FirmPortrait(
        columns.codes[row], year, tuple(Portrayer(columns, as_of).lines(row)), proposals,
        tuple(product_lines(industry, scope)), completeness(columns, year), fresh,
    )  # fmt: skip
