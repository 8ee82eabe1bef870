"""档次: an item whose amounts hang on conditions of their own: which condition belongs to which amount, and which to all."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Entry = Mapping[str, Any]
KEYS = ("amount", "rate", "cap", "min", "max")
_MORE = re.compile(
    r"^(?:再|另|额外|追加|另行)|(?:再|另外|额外|追加|另行)(?:给予|奖励|补[贴助]|增加|提高|资助)?[^，。；]{0,10}$"
)


@dataclass(slots=True)
class Variant:
    """一档: conditions of its own and the benefits they bring."""

    conditions: list[Entry] = field(default_factory=list)
    benefits: list[Entry] = field(default_factory=list)


@dataclass(slots=True)
class Split:
    """分档: what binds all, the alternatives (none where there is only one), and what comes on top."""

    shared: list[Entry]
    variants: list[Variant]
    more: list[Variant]


def split(conditions: Sequence[Entry], benefits: Sequence[Entry], text: str) -> Split:
    """分档: conditions and benefits of one item in the order of the text; a condition belongs to the benefits behind it."""
    told = [b for b in benefits if any(k in b for k in KEYS)]
    told += [b for c in conditions if (b := _more_points(c, told, text)) is not None]
    marked = [(int(c["start"]), 0, c) for c in conditions] + [(int(b["start"]), 1, b) for b in told]
    runs = [Variant()]
    for _, sort, entry in sorted(marked, key=lambda x: x[:2]):
        if sort == 0:
            if runs[-1].benefits:
                runs.append(Variant())
            runs[-1].conditions.append(entry)
        else:
            runs[-1].benefits.append(entry)
    tail = runs.pop().conditions if runs[-1].conditions and not runs[-1].benefits else []
    more = [r for r in runs[1:] if _on_top(r.benefits[0], text)]
    base = [r for r in runs if not any(r is m for m in more)]
    if len(base) < 2 or any(not r.conditions for r in base):
        shared = [c for r in base for c in r.conditions] + tail
        return Split(shared, [], more)
    most = max(len(r.conditions) for r in base[1:])
    extra = max(0, len(base[0].conditions) - most)
    shared = base[0].conditions[:extra] + tail
    base[0].conditions = base[0].conditions[extra:]
    return Split(shared, base, more)


_POINTS = re.compile(
    r"的?(?:企业|单位|项目|机构)?的?[，,]\s*(?P<q>(?:可|将|可以|给予)?(?:在[^，。；]{0,16}基础上)?(?:再|额外|另)?(?:(?:按)?(?:补助|补贴|奖励|资助|支持|扶持)?(?:比例|标准)?(?:再)?)?(?:提高|上浮|增加|上调)\s*(?P<n>[\d.]+)\s*个?百分点)"
)


def _more_points(condition: Entry, told: Sequence[Entry], text: str) -> Entry | None:
    """The points that a condition brings on top (属于…的，再提高2个百分点), where they are no benefit of their own yet."""
    at = int(condition["start"]) + len(str(condition["quote"]))
    m = _POINTS.match(text, at)
    if m is None or any(m.start() <= int(b["start"]) < m.end() for b in told):
        return None
    return {"quote": m["q"], "start": m.start("q"), "kind": "rate", "rate": round(float(m["n"]) / 100, 6)}


def _on_top(benefit: Entry, text: str) -> bool:
    """Whether a benefit comes on top of the one before (再给予10万元)."""
    start = int(benefit["start"])
    if "百分点" in str(benefit["quote"]) and re.search(r"提高|上浮|增加|上调", str(benefit["quote"])):
        return True
    return bool(_MORE.search(str(benefit["quote"])[:6]) or _MORE.search(text[max(0, start - 6) : start]))
