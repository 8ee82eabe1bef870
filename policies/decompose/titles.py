"""事项名称: a short name for an item, from its own heading or from what triggers it and what it gives."""

from __future__ import annotations

import re
from collections.abc import Sequence

from policies.segment import field_of

from .model import Item
from .pieces import Reading
from .spans import body_of

_NOUN = re.compile(r"奖励|奖补|补贴|补助|资助|贴息|减免|返还|津贴|扶持|认定|担保|贷款|服务|支持")
_SHORT = 20


def name_items(reading: Reading, items: Sequence[Item]) -> None:
    """起名: every item gets a title of at most 24 characters, told apart where two would be the same."""
    counts: dict[int, int] = {}
    for i in items:
        for heading in _headings(reading, i):
            counts[heading] = counts.get(heading, 0) + 1
    seen: dict[str, int] = {}
    for i in items:
        title = _own_heading(reading, i, counts) or _made(i)
        seen[title] = seen.get(title, 0) + 1
        i.title = title if seen[title] == 1 else f"{title}（{seen[title]}）"


def _headings(reading: Reading, item: Item) -> tuple[int, ...]:
    c = reading.clauses[item.clauses[0]]
    return c.headings + ((c.number,) if c.heading and c.last is False else ())


def _own_heading(reading: Reading, item: Item, counts: dict[int, int]) -> str:
    for heading in reversed(_headings(reading, item)):
        if counts.get(heading, 0) != 1:
            return ""
        flat = reading.views[heading - 1].flat
        body = flat[body_of(flat)[0] :].rstrip("。：:；")
        if 3 <= len(body) <= 24 and not field_of(body) and "，" not in body:
            return body
    return ""


def _made(item: Item) -> str:
    given = re.sub(r"\s+", "", "".join(b["quote"] for b in item.benefits))
    noun = m.group() if (m := _NOUN.search(given)) else "扶持"
    if item.title_only:
        return given[:24]
    said = (
        next((re.sub(r"\s+", "", c["quote"]) for c in item.conditions if c.get("kind") != "place"), "")
        or given
    )
    said = re.split(r"[，。；（]", re.sub(r"^(?:在|对|经|被|当年|年度)", "", said))[0]
    said = re.sub(r"的(?:企业|单位|机构|个人|项目)?$", "", said)
    return (said[:_SHORT] + noun) if noun not in said else said[: _SHORT + 4]
