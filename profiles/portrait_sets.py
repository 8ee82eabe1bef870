"""产业分类的代码集合: named sets of GB/T 4754 codes from the official classifications, for portrait rules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from rapidfuzz import fuzz

from profiles import tables

WHOLE, PART = "整类", "部分"


@dataclass(frozen=True)
class Family:
    """产业分类: one official classification by GB/T 4754 codes; `partial` classes count only with listed products."""

    name: str
    title: str
    table: str
    column: str
    source: str
    note: str = ""
    short: str = ""


FAMILIES = (
    Family(
        "战略性新兴产业", "战略性新兴产业分类（2018）", "strategic_emerging_2018", "level1", "国家统计局令第23号 战略性新兴产业分类（2018）",
        "带*的行业只有所列重点产品和服务属于，须由人核对产品；核对前为待核实", "战新",
    ),
    Family(
        "高技术制造业", "高技术产业（制造业）分类（2017）", "hightech_manufacturing_2017", "category1", "国家统计局 高技术产业（制造业）分类（2017）",
        short="高技术制造",
    ),
    Family(
        "高技术服务业", "高技术产业（服务业）分类（2018）", "hightech_service_2018", "category1", "国家统计局 高技术产业（服务业）分类（2018）",
        "带*的行业只有部分活动属于，须由人核对", "高技术服务",
    ),
    Family(
        "数字经济核心产业", "数字经济及其核心产业统计分类（2021）", "digital_economy_core_2021", "category1",
        "国家统计局令第33号 数字经济及其核心产业统计分类（2021）", "第5类（数字化效率提升业）来源不全，只作提示", "数字经济",
    ),
    Family(
        "知识产权密集型产业", "知识产权（专利）密集型产业统计分类（2019）", "ip_intensive_2019", "category1",
        "国家统计局令第25号 知识产权（专利）密集型产业统计分类（2019）", short="专利密集",
    ),
)  # fmt: skip


@cache
def categories(family: Family) -> dict[str, dict[str, tuple[str, ...]]]:
    """类别: category → 整类 or 部分 → codes with section letter; a code listed whole is not listed in part too."""
    found: dict[str, dict[str, set[str]]] = {}
    for row in tables.read(family.table):
        kind = PART if row["partial"] == "1" else WHOLE
        found.setdefault(row[family.column], {}).setdefault(kind, set()).add(tables.full_code(row["gb_code"]))
    made = {}
    for name, kinds in found.items():
        whole = kinds.get(WHOLE, set())
        parts = {WHOLE: whole, PART: kinds.get(PART, set()) - whole}
        made[name] = {kind: tuple(sorted(codes)) for kind, codes in parts.items() if codes}
    return made


def set_name(family: Family, category: str, kind: str) -> str:
    """集合名: letters only, as the rule language wants."""
    return f"{family.short or family.name}_{re.sub(r'[^0-9A-Za-z一-鿿]', '', category)}_{kind}"


@cache
def portrait_sets() -> dict[str, tuple[str, ...]]:
    """代码集合: every named set of the portrait's rules."""
    return {
        set_name(family, category, kind): codes
        for family in FAMILIES
        for category, kinds in categories(family).items()
        for kind, codes in kinds.items()
    }


@dataclass(frozen=True)
class ProductLine:
    """重点产品行: a line of the strategic-emerging classification for an industry code, and what of it the scope names."""

    theme: str
    group: str
    leaf: str
    partial: bool
    products: tuple[str, ...]
    mentioned: tuple[str, ...]


def product_lines(code: str, scope: str = "", least: float = 80.0) -> list[ProductLine]:
    """重点产品: lines of one industry code (C3983); `mentioned` are the products whose words stand in the scope.

    A mention helps the person who answers; it decides nothing.
    """
    found = []
    for row in tables.read("strategic_emerging_2018"):
        if tables.full_code(row["gb_code"]) != code:
            continue
        products = tuple(p.strip() for p in row["partial_products"].split(" | ") if p.strip())
        mentioned = tuple(p for p in products if scope and _mentions(scope, p) >= least)
        found.append(
            ProductLine(row["level1"], row["level2"], row["leaf"], row["partial"] == "1", products, mentioned)
        )
    return found


def _mentions(scope: str, product: str) -> float:
    core = re.sub(r"[（(].*?[）)]", "", product)
    return fuzz.partial_ratio(core, scope) if len(core) > 2 else 0.0
