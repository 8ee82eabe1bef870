"""行政区划: the district that a province, a region word and an address speak of; one answer or none, never a guess."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from profiles import tables

_TAIL = re.compile(
    r"(?:特别行政区|(?:壮族|回族|维吾尔)?自治区|(?<=.{2})(?:新区|自治县|自治州|自治旗|地区|盟|省|市|区|县|旗))$"
)
PROVINCE, CITY, COUNTY = "1", "2", "3"


@dataclass(frozen=True)
class Province:
    """省级: its code, and names (full and short) of cities and counties below it → codes."""

    code: str
    full: dict[str, frozenset[str]]
    short: dict[str, frozenset[str]]
    names: re.Pattern[str]


def division(province: str, region: str, address: str) -> str | None:
    """区划代码: six digits of the county that the texts agree on, else of the city, else None.

    Full names anywhere in the texts speak (滨海新区, 朝阳区); the region word may be short (滨海, 西青). Where they
    name two counties of different cities, or two of one, there is no answer.
    """
    found = provinces().get(short_name(province.strip()))
    if found is None:
        return None
    word = region.strip()
    named: list[frozenset[str]] = [found.full[m] for m in found.names.findall(f"{word} {address}")]
    named += [found.short[word]] if word in found.short else []
    return _agreed(named)


def _agreed(named: list[frozenset[str]]) -> str | None:
    """The one code that fits every name: a county within each city named; else the one city."""
    cities = [found for names in named if (found := {code[:4] for code in names if code.endswith("00")})]
    # A short name of a city and of a county in it (朝阳, 长沙) is the city's.
    counties = [names for names in named if not any(code.endswith("00") for code in names)]
    if counties:
        common = [
            code for code in frozenset.intersection(*counties) if all(code[:4] in city for city in cities)
        ]
        return common[0] if len(common) == 1 else None
    common = sorted(set.intersection(*cities)) if cities else []
    return common[0] + "00" if len(common) == 1 else None


def short_name(name: str) -> str:
    """简称: 天津市 → 天津, 西青区 → 西青, 广西壮族自治区 → 广西; two characters at least remain."""
    return _TAIL.sub("", name)


@cache
def provinces() -> dict[str, Province]:
    """各省: short name of the province → its divisions."""
    rows = tables.read("divisions_2026")
    return {short_name(row["name"]): _province(row["code"]) for row in rows if row["level"] == PROVINCE}


def _province(code: str) -> Province:
    below = [
        row
        for row in tables.read("divisions_2026")
        if row["code"][:2] == code[:2] and row["level"] != PROVINCE
    ]
    full: dict[str, set[str]] = {}
    short: dict[str, set[str]] = {}
    for row in below:
        full.setdefault(row["name"], set()).add(row["code"])
        short.setdefault(short_name(row["name"]), set()).add(row["code"])
    longest = sorted(full, key=len, reverse=True)
    return Province(
        code,
        {name: frozenset(codes) for name, codes in full.items()},
        {name: frozenset(codes) for name, codes in short.items()},
        re.compile("|".join(map(re.escape, longest)) or "(?!)"),
    )
