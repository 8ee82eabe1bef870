"""查找: enterprises by name, part of a name, former name or code; items by any word."""

from __future__ import annotations

from typing import Any

import numpy as np

from desk.office import Office
from desk.web import Visit
from store.nights import Night

MOST = 50
FORMER = "曾用名"


def find_firms(office: Office, night: Night, text: str) -> list[dict[str, Any]]:
    """企业: an exact code first, then names that begin with the text, then those that contain it, then former names."""
    codes, names = night.columns().codes, office.names(night)
    upper = text.upper()
    if upper in office.row_numbers(night):
        return [{"code": upper, "name": office.name(night, upper), "why": "代码"}]
    joined = office.memory.get(("namearray", night.run.profiles_hash), lambda: names.astype(str))
    rows = np.flatnonzero(np.char.find(joined, text) >= 0)[: MOST * 4]
    out = [{"code": codes[r], "name": str(names[r]), "why": ""} for r in rows]
    out.sort(key=lambda f: (not f["name"].startswith(text), len(f["name"]), f["code"]))
    if len(out) < MOST and len(upper) >= 6 and upper.isascii():
        out += [{"code": c, "name": office.name(night, c), "why": "代码"} for c in codes if upper in c][:MOST]
    return (out + former(office, night, text, {f["code"] for f in out}))[:MOST]


def former(office: Office, night: Night, text: str, had: set[str]) -> list[dict[str, Any]]:
    """曾用名 that contain the text."""
    if FORMER not in night.columns().dictionary:
        return []
    lists = night.columns().listing(FORMER, None)
    hits = [i for i, name in enumerate(lists.names) if text in name]
    rows = np.flatnonzero(np.isin(lists.codes, hits))
    owners = np.searchsorted(lists.offsets, rows, side="right") - 1
    out = []
    for owner, row in zip(owners, rows, strict=True):
        code = night.columns().codes[owner]
        if code not in had:
            out.append(
                {
                    "code": code,
                    "name": office.name(night, code),
                    "why": f"曾用名 {lists.names[lists.codes[row]]}",
                }
            )
    return out[:MOST]


def find_items(office: Office, night: Night, text: str, visit: Visit) -> list[dict[str, Any]]:
    """事项: every word must occur in its title, department, quotes or its document's title."""
    out = []
    for program in office.library(night).programs:
        item = program.item
        if visit.person.department not in ("", item.department):
            continue
        quotes = [c.condition.quote for c in program.conditions]
        hay = " ".join([item.id, item.title, item.department, item.category, item.delivery, program.document.title,
                        program.document.number, *quotes, item.benefit.quote if item.benefit else ""])  # fmt: skip
        if all(word in hay for word in text.split()):
            quote = next((x for x in quotes if text in x), "")
            out.append({"id": item.id, "title": item.title, "department": item.department, "quote": quote})
    return sorted(out, key=lambda i: _rank(i, text))[:MOST]


def _rank(found: dict[str, Any], text: str) -> tuple[bool, str]:
    return (text not in found["title"], found["id"])
