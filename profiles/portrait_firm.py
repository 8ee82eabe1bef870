"""一家企业的画像: rules, text tags, product lines to check, completeness and freshness, from its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from engine.columns import Builder, Columns
from engine.explain import value_at
from engine.indicators import Dictionary
from engine.literal import parse_number
from profiles import tables
from profiles.file import Fact, Key
from profiles.portrait import Line, Portrayer, portrait_year
from profiles.portrait_quality import Completeness, Freshness, completeness, freshness
from profiles.portrait_sets import ProductLine, product_lines
from profiles.portrait_tags import Proposals, TextTag, text_tags


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
    confirmed_industry: str = ""
    confirmed_themes: tuple[str, ...] = ()

    def state(self, tag: TextTag) -> str:
        """标签的状态: 已确认 where an officer has confirmed it (or a class within it), else the classifier's own word."""
        if tag.level == "主题":
            return "已确认" if tag.code in self.confirmed_themes else tag.state
        said = self.confirmed_industry
        bare = said[:1] if tag.level == "门类" else said[1 : 1 + len(tag.code)]
        return "已确认" if said and bare == tag.code else tag.state


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
    themes = value_at(columns, row, "确认主题", None)
    return FirmPortrait(
        columns.codes[row], year, tuple(Portrayer(columns, as_of).lines(row)), proposals,
        tuple(product_lines(industry, scope)), completeness(columns, year), fresh,
        str(value_at(columns, row, "确认行业代码", None) or ""), tuple(themes) if isinstance(themes, list) else (),
    )  # fmt: skip


def confirmation(
    code: str,
    industry: str,
    themes: Sequence[str],
    by: str,
    day: date,
    facts: Mapping[Key, Fact],
    note: str = "",
) -> dict[str, str]:
    """确认行: one row of the source officer_tags; what is not said again stays as it was confirmed before.

    Raises ValueError for an industry that is not in GB/T 4754-2017 and a theme that is not in the classification.
    """
    if not by.strip():
        raise ValueError("确认要写明经办人（--by）")
    known = {row["level1"] for row in tables.read("strategic_emerging_2018")}
    for theme in themes:
        if theme not in known:
            raise ValueError(f"没有“{theme}”这个主题，可以是：{'、'.join(sorted(known))}")
    bare = tables.bare_code(industry)
    if industry and bare not in tables.industry_names():
        raise ValueError(f"GB/T 4754—2017 里没有“{industry}”，请写 C3983 这样的代码")
    before = {name: facts.get((name, None)) for name in ("确认行业代码", "确认主题")}
    old_code, old_themes = (fact.value if fact else None for fact in before.values())
    row = {"统一社会信用代码": code, "确认日期": day.isoformat(), "经办人": by, "说明": note}
    row["确认行业代码"] = tables.full_code(bare) if industry else str(old_code or "")
    row["确认主题"] = "；".join(themes or old_themes or ())
    if not row["确认行业代码"] and not row["确认主题"]:
        raise ValueError("没有说确认什么：写 --industry C3983 或 --theme 生物产业")
    return row
