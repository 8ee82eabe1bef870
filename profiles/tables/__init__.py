"""官方分类表: official classifications as plain tables (derived by scripts/make_tables.py)."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


@cache
def read(name: str) -> tuple[dict[str, str], ...]:
    """官方表: the rows of one table, every value as text; `name` without `.csv`."""
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        return tuple(csv.DictReader(handle))


@cache
def industry_names() -> dict[str, str]:
    """行业名称: GB/T 4754-2017 (with amendment 1), code without section letter (a section: its letter) → name."""
    return {row["code"]: row["name"] for row in read("gbt4754_2017")}


@cache
def industry_sections() -> dict[str, str]:
    """门类: code of any level → section letter."""
    return {row["code"]: row["section_code"] for row in read("gbt4754_2017")}


@cache
def industry_codes() -> dict[str, str]:
    """行业名称到代码: names of the sections and divisions of GB/T 4754-2017 → code with section letter; a section goes first."""
    out: dict[str, str] = {}
    for row in read("gbt4754_2017"):
        if int(row["level"]) <= 2:
            out.setdefault(row["name"], full_code(row["code"]))
    return out


def full_code(code: str) -> str:
    """行业代码: "3563" → "C3563", the form rules and profiles use; a section stays as it is."""
    return code if code.isalpha() else industry_sections()[code] + code


def bare_code(code: str) -> str:
    """去门类字母: "C3563" → "3563"; a section letter alone stays as it is."""
    return code[1:] if len(code) > 1 and code[0].isalpha() else code


@cache
def division_names() -> dict[str, str]:
    """行政区划: 6-digit code → name."""
    return {row["code"]: row["name"] for row in read("divisions_2026")}


@cache
def division_codes() -> dict[str, str]:
    """区划名称到代码前缀: full names of provinces, cities and counties, also behind the names over them, where only one place of the
    country has that name: 佛山市 → 4406*, 广州市天河区 → 440106*."""
    rows = {row["code"]: row for row in read("divisions_2026")}
    found: dict[str, set[str]] = {}
    for code, row in rows.items():
        prefix = code[: {"1": 2, "2": 4}.get(row["level"], 6)]
        over = [rows[c]["name"] for c in (code[:2] + "0000", code[:4] + "00") if c in rows and c != code]
        for lead in {"", "".join(over), *over}:
            found.setdefault(lead + row["name"], set()).add(prefix + "*")
    return {name: next(iter(codes)) for name, codes in found.items() if len(codes) == 1 and len(name) >= 3}
