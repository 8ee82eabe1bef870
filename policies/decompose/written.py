"""写成的范文: texts written for this project in the manner of offices of many places, marked up as an annotator would.

They stand in policies/models/written, one a file, and teach what the shared documents are too few to teach: how else such
texts give, ask and shut out. Nothing in them is quoted from a real document; places, amounts and days are made up.

Marks: `{c1:…}` is a condition of item 1, `{b1:…}` what item 1 gives, `{x1:…}` an exclusion, `{m1:…}` a paper; `{c1,2:…}` binds
both, item 0 is the whole document. `<t>` and the like at the edge of a clause tell a role that no mark tells.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from engine.text import cut_clauses

from .examples import Annotated

FOLDER = Path(__file__).resolve().parent.parent / "models" / "written"
TAGS = {
    "t": "title",
    "p": "preamble",
    "o": "orientation",
    "c": "condition",
    "b": "benefit",
    "x": "exclusion",
    "m": "material",
    "pr": "procedure",
    "w": "window",
    "k": "contact",
    "d": "definition",
    "a": "authority",
    "z": "other",
}
_LISTS = {"c": "conditions", "b": "benefits", "x": "exclusions", "m": "materials"}
_MARK = re.compile(r"\{(?P<sort>[cbxm])(?P<items>\d+(?:,\d+)*):(?P<said>[^{}\n]+)\}|<(?P<tag>[a-z]{1,2})>")


def load_written(folder: Path = FOLDER) -> list[Annotated]:
    """读范文: the written texts as annotated documents, each a city of its own.

    Raises ValueError where a clause has no role or a mark is broken.
    """
    return [parse_written(p.stem, p.read_text(encoding="utf-8")) for p in sorted(folder.glob("*.txt"))]


def parse_written(stem: str, marked: str) -> Annotated:
    """解标: one marked text as an annotated document. Raises ValueError."""
    text, marks, tags = _unmarked(marked)
    if left := re.search(r"[{}<>]", text):
        raise ValueError(f"{stem}：标记没写完整：{text[max(0, left.start() - 20) : left.start() + 10]}")
    cuts = cut_clauses(text)
    roles: list[set[str]] = [set() for _ in cuts]
    for at, tag in tags:
        roles[_clause_at(cuts, at)].add(TAGS[tag])
    items: dict[int, dict[str, Any]] = {}
    for sort, numbers, a, b in marks:
        k = _clause_at(cuts, a)
        roles[k].add(TAGS[sort])
        for n in numbers:
            held = items.setdefault(n, {"id": n, "clauses": []})
            held.setdefault(_LISTS[sort], []).append({"quote": text[a:b], "start": a})
            held["clauses"] += [k + 1] if k + 1 not in held["clauses"] else []
    if bare := [text[a:b] for (a, b), names in zip(cuts, roles, strict=True) if not names]:
        raise ValueError(f"{stem}：这一句没有标角色：{bare[0]}")
    gold = {
        "clauses": {str(n): sorted(names) for n, names in enumerate(roles, 1)},
        "general": items.pop(0, {}),
        "items": [items[n] for n in sorted(items) if "benefits" in items[n]],
    }
    return Annotated(stem, stem, text, gold, second=True, written=True).prepare()


def _unmarked(marked: str) -> tuple[str, list[tuple[str, list[int], int, int]], list[tuple[int, str]]]:
    """The text without its marks, and where they stand in it."""
    out: list[str] = []
    marks: list[tuple[str, list[int], int, int]] = []
    tags: list[tuple[int, str]] = []
    at = read = 0
    for m in _MARK.finditer(marked):
        out.append(marked[read : m.start()])
        at += m.start() - read
        read = m.end()
        if m["tag"]:
            tags.append((at, m["tag"]))
            continue
        out.append(m["said"])
        marks.append((m["sort"], [int(n) for n in m["items"].split(",")], at, at + len(m["said"])))
        at += len(m["said"])
    out.append(marked[read:])
    return "".join(out), marks, tags


def _clause_at(cuts: list[tuple[int, int]], at: int) -> int:
    """The clause a mark stands in, or at whose end it stands."""
    inside = next((k for k, (a, b) in enumerate(cuts) if a <= at < b), None)
    if inside is not None:
        return inside
    return max((k for k, (_, b) in enumerate(cuts) if b <= at), default=0)
