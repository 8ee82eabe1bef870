"""标注存储: annotations kept as offsets into texts that are not in the project, and read back beside those texts.

A stored annotation holds roles by clause number, offsets, kinds, numbers and field nouns; no sentence of its document.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.text import cut_clauses

from .examples import Annotated, Span, place

FOLDER = Path(__file__).resolve().parent.parent / "models" / "annotations"
NUMBERS = ("amount", "rate", "cap", "floor", "min", "max")
BENEFIT = ("kind", *NUMBERS, "per")
CONDITION = ("kind", "field", "op", "value", "unit", "period", "any_of")
WINDOW = ("from", "to")
_DATE = re.compile(r"\d{4}(-\d{2}){0,2}")


def digest(text: str) -> str:
    """原文指纹: the SHA-256 of a text, by which an annotation knows its text."""
    return hashlib.sha256(text.encode()).hexdigest()


def stored(gold: Mapping[str, Any], text: str) -> dict[str, Any]:
    """存成位置: an annotation with quotes as one without; raises ValueError where a quote isn't in the text.

    Where the last clauses have no roles (page furniture, blank forms), `end` says how far the annotated part reaches.
    """
    cuts = cut_clauses(text)
    general = gold.get("general") or {}
    return {
        "sha256": digest(text),
        "end": cuts[len(gold["clauses"]) - 1][1],
        "doc_kind": gold.get("doc_kind", ""),
        "teaches": gold.get("teaches", True),
        "clauses": gold["clauses"],
        "general": _holder(general, text, []),
        "items": [
            {k: item[k] for k in ("kind", "delivery", "clauses") if k in item}
            | _holder(item, text, [cuts[n - 1] for n in item.get("clauses", []) if 0 < n <= len(cuts)])
            for item in gold["items"]
        ],
    }


def _holder(holder: Mapping[str, Any], text: str, near: Sequence[Span]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, keys in (("benefits", BENEFIT), ("conditions", CONDITION)):
        if entries := [_entry(e, keys, text, near) for e in holder.get(name, [])]:
            out[name] = entries
    for name in ("exclusions", "materials"):
        if spans := [list(_found(e, text, near)) for e in holder.get(name, [])]:
            out[name] = spans
    window = holder.get("window")
    if window and window.get("quote"):
        out["window"] = _entry(window, WINDOW, text, near)
    return out


def _found(entry: Any, text: str, near: Sequence[Span]) -> Span:
    span = place(text, entry, near)
    if span is None:
        raise ValueError(f"引文不在原文里：{entry if isinstance(entry, str) else entry.get('quote')}")
    return span


def _entry(entry: Mapping[str, Any], keys: Sequence[str], text: str, near: Sequence[Span]) -> dict[str, Any]:
    start, end = _found(entry, text, near)
    facts = {k: entry[k] for k in keys if k in entry and (k != "value" or _fact(entry[k]))}
    return {"start": start, "end": end} | facts


def _fact(value: Any) -> bool:
    """Whether a condition's value is a number or a date (words stay in the text)."""
    if isinstance(value, list):
        return all(_fact(v) for v in value)
    return isinstance(value, int | float) or bool(isinstance(value, str) and _DATE.fullmatch(value))


def quoted(kept: Mapping[str, Any], stem: str, text: str) -> dict[str, Any]:
    """还原: a stored annotation with its quotes, as GUIDE.md of the evaluation describes one; quotes carry `start`.

    Raises ValueError where the text isn't the one that was annotated.
    """
    if digest(text) != kept["sha256"]:
        raise ValueError(f"{stem}.txt 不是标注时的那一份原文（指纹不同）；请用标注时的原文，或重新标注")
    items = [
        {k: v for k, v in item.items() if k not in _PLACED} | {"id": n} | _quotes(item, text)
        for n, item in enumerate(kept["items"], 1)
    ]
    return {
        "file": f"{stem}.txt",
        "doc_kind": kept["doc_kind"],
        "clauses": kept["clauses"],
        "general": _quotes(kept["general"], text),
        "items": items,
    }


_PLACED = ("benefits", "conditions", "exclusions", "materials", "window")


def _quotes(holder: Mapping[str, Any], text: str) -> dict[str, Any]:
    def words(e: Mapping[str, Any]) -> dict[str, Any]:
        rest = {k: v for k, v in e.items() if k != "end"}
        return {"quote": text[e["start"] : e["end"]]} | rest

    out: dict[str, Any] = {name: [words(e) for e in holder.get(name, [])] for name in _PLACED[:2]}
    for name in _PLACED[2:4]:
        out[name] = [{"quote": text[a:b], "start": a} for a, b in holder.get(name, [])]
    if "window" in holder:
        out["window"] = words(holder["window"])
    return out


def load_stored(root: Path, cities: Mapping[str, str], folder: Path = FOLDER) -> list[Annotated]:
    """读标注存储: the stored annotations that teach and whose texts stand in root/raw, by stem; of each text the
    annotated part. `teaches` is false where a text is no policy of an office but somebody's digest of several.

    Raises ValueError where a text isn't the annotated one or is cut into another number of clauses.
    """
    out = []
    for path in sorted(folder.glob("*.json")):
        source = root / "raw" / f"{path.stem}.txt"
        if not source.is_file():
            continue
        text = source.read_text(encoding="utf-8")
        kept = json.loads(path.read_text(encoding="utf-8"))
        if not kept["teaches"]:
            continue
        gold = quoted(kept, path.stem, text)
        doc = Annotated(path.stem, cities.get(path.stem, path.stem), text[: kept["end"]], gold, second=True)
        doc.prepare()
        if len(gold["clauses"]) != len(doc.clauses):
            raise ValueError(
                f"{path.name} 标了 {len(gold['clauses'])} 条，原文切成 {len(doc.clauses)} 条；请按现在的切法重新标注"
            )
        out.append(doc)
    return out
