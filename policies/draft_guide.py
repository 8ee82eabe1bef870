"""草稿的办事信息: what a text says of how to apply: steps, place, system, telephone, money, publication; in its own words."""

from __future__ import annotations

import re
from typing import Any

from policies.segment import role_of_field

from .decompose.model import Decomposition, Item
from .decompose.spans import body_of

STEPS, LONGEST = 8, 80  # so many steps of so many characters; the rest stands in the text

_READS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "channel",
        re.compile(
            r"(?:登[录陆入]|进入|通过|在)(?P<x>[“《]?[^，。；：“”（）《》]{2,24}(?:平台|系统|官网|网站|小程序|APP|服务网|网上办事大厅)[”》]?(?:（(?:网址[：:])?https?://[^）]{4,80}）)?)"
        ),
    ),
    ("channel", re.compile(r"(?P<x>https?://[\w./?=&%#:-]{6,120})")),
    ("address", re.compile(r"(?:受理|办公|联系|报送|提交|窗口)?地[址点][：:](?P<x>[^，。；：）\s]{6,60})")),
    (
        "phone",
        re.compile(
            r"(?:联系|咨询|办公|服务)?(?:电话|热线)[：:]?(?P<x>\d[\d-]{4,14}(?:[、，,/／]\d[\d-]{4,14}){0,5})"
        ),
    ),
    (
        "funding",
        re.compile(
            r"(?P<x>(?![^，。；]*(?:涉税|自筹|配套资金|违规|追回))[^，。；：]{0,30}(?:资金|经费)[^，。；]{0,14}?(?:由|从|在|纳入)[^，。；]{2,50}(?:列支|安排|承担|保障|支出|负担|统筹|预算|解决))"
        ),
    ),
    (
        "publicity",
        re.compile(r"(?P<x>[^，。；]{0,40}公示[^。；]{0,16}\d+(?:个)?(?:工作日|天|日)[^，。；]{0,12})"),
    ),
    ("objection", re.compile(r"(?P<x>[^，。；]{0,20}(?:有|存在|提出)异议[^。；]{4,60})")),
    (
        "complaint",
        re.compile(r"(?P<x>(?:监督|投诉|举报)(?:投诉|举报)?(?:电话|热线|渠道|邮箱)[：:]?[^，。；]{4,40})"),
    ),
    (
        "deadline",
        re.compile(
            r"(?P<x>[^，。；]{0,24}\d+个?(?:工作日|日|天|个月)(?:之?内|以内)[^，。；]{0,20}(?:拨付|兑现|发放|支付|到账|划拨|拨款)[^，。；]{0,12})"
        ),
    ),
)


def guide_of(found: Decomposition, item: Item) -> dict[str, Any]:
    """办事信息: the guide fields an item's text tells, each as it stands there; what it doesn't tell is left out."""
    out: dict[str, Any] = {}
    steps: dict[bool, list[str]] = {
        True: [],
        False: [],
    }  # under a field that names them, or as the sentence says
    for k, c in enumerate(found.clauses):
        if not _speaks_of(found, k, item):
            continue
        flat = re.sub(r"\s+", "", c.text)
        for key, pattern in _READS:
            if key not in out and (m := pattern.search(flat)):
                out[key] = m["x"]
        named = role_of_field(c.field_name) == "procedure"
        if "title" not in found.roles[k] and (named or "procedure" in found.roles[k]):
            steps[named] += _steps(flat)
    if told := steps[True] or steps[False]:
        out["process"] = list(dict.fromkeys(told))[:STEPS]
    return out


def _steps(flat: str) -> list[str]:
    a, b = body_of(flat)
    parts = [p.strip("。；，") for p in flat[a:b].split("→")]
    return [
        p if len(p) <= LONGEST else f"{p[:LONGEST]}…" for p in parts if len(p) > 3 and "公开方式" not in p
    ]


def _speaks_of(found: Decomposition, k: int, item: Item) -> bool:
    """Whether a clause speaks of an item: one in a section with items of its own speaks of those only."""
    if k in item.clauses:
        return True
    for heading in reversed(found.clauses[k].headings):
        under = [i for i in found.items if any(heading in found.clauses[x].headings for x in i.clauses)]
        if under:
            return any(i is item for i in under)
    return True


__all__ = ["guide_of"]
