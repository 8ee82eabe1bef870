"""领起的地方: items of one text that are told place by place (《甲镇…办法》对…；《乙镇…办法》对…) hold each for its place only."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .binding import entry
from .model import Item
from .pieces import Reading
from .spans import body_of

_PLACE = r"(?:[\u4e00-\u9fa5]{2,4}?[省市])?[\u4e00-\u9fa5]{1,4}?(?:新区|开发区|高新区|街道|[市区县镇乡])"
# A town, county or city that a line begins with, alone (甲县：…), before its own rules (《甲镇…办法》) or its giving (甲市对…).
_LEADS = re.compile(
    rf"(?P<rules>《)?(?P<p>{_PLACE}(?:(?:、|和){_PLACE}|、[\u4e00-\u9fa5]{{1,4}}港)*)(?(rules)[^》]{{2,60}}》|(?:：|对|给予|按))"
)
_NO_PLACE = re.compile(
    r"(?:本|我|全|各|该|其|一个|每个)[省市区县镇乡]|^(?:省|市|区|县)|小区|园区|社区|景区|地区|超市|上市|城市|都市"
)


def lead_places(reading: Reading, items: Sequence[Item]) -> dict[int, tuple[int, int, int]]:
    """领起地: item → (clause, from, to) of the place that leads its line; empty unless several lines lead with different ones."""
    out: dict[int, tuple[int, int, int]] = {}
    said: set[str] = set()
    for n, item in enumerate(items):
        if item.title_only or not item.pieces:
            continue
        first = min(p.clause for p in item.pieces)
        k = next(j for j in range(first, -1, -1) if reading.clauses[j].first)
        flat = reading.views[k].flat
        a, _ = body_of(flat)
        m = _LEADS.match(flat[a:])
        if m is not None and not _NO_PLACE.search(m["p"]):
            out[n] = (k, a + m.start("p"), a + m.end("p"))
            said.add(m["p"])
    return out if len(said) > 1 else {}


def bind_places(reading: Reading, items: Sequence[Item]) -> dict[int, str]:
    """地方成条件: the place that leads an item's line becomes a condition of it; returns the places by item, for their names."""
    out = {}
    for n, (k, a, b) in lead_places(reading, items).items():
        found = entry(reading, k, a, b, 0.8) | {"kind": "place"}
        ends = int(found["start"]) + len(str(found["quote"]))
        if not any(
            int(c["start"]) <= int(found["start"]) and ends <= int(c["start"]) + len(str(c["quote"]))
            for c in items[n].conditions
        ):
            items[n].conditions.insert(0, found)
        out[n] = reading.views[k].flat[a:b]
    return out
