"""排除片段: which words of a clause shut something or somebody out, read from set phrases; the role's score only helps."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .pieces import Reading
from .roles import ROLES
from .spans import body_of

_GIVEN = r"(?:享受|给予|予以|支持|资助|奖励|补[贴助]|申[报请领]|受理|减[缴免]|贴息|批准|扶持|认定|入库|纳入|兑现|叠加|领取|列入)"
# What each phrase bars says itself whom it bars: no classifier is needed to believe it.
_SURE: tuple[re.Pattern[str], ...] = tuple(
    re.compile(p)
    for p in (
        r"(?:弄虚作假|虚假|骗取|套取|截留|挪用|隐瞒|违[反背法规约]|不诚信).*(?:追[回缴究]|收回|取消|停止|退[回还]|撤销|处理|不[得予再]|责任)",
        r"(?:任何|不得)[^，]{0,20}(?:骗取|套取|截留|挤占|挪用)",
        r"(?:不得?|避免|不予)重复(?!注册|认定)|不重复|重复(?:享受|申报)|多头申报|就高|从优不|择[高优][^，]{0,4}(?:不重复|执行|享受)",
        r"同一?[^，。；]{1,30}(?:只能|仅[能可限]|只[^，]{0,8}一|限(?:每年)?[^，]{0,6}(?:一|1)?[次项个家]|(?:最多|累计)?不超过[一二三四五六七八九十\d]+(?:次|年|届|件|项|家|个)(?!月)|最多)",
        r"(?:每人|每家|每户|单家|单个)[^，。；\d]{0,16}(?:仅|只能?|限)[^，。；\d]{0,14}(?:一|1|[两二三])[^，]{0,4}[次项笔类家]",
        r"(?:的|者|企业|单位|项目|部分|人员|机构)，?(?:一律|将|应|原则上)?(?:不予|不再|不得|停止|不享受|不能|取消|不给予)[^，。；]{0,10}?"
        + _GIVEN,
        r"不予(?:贴息|资助|支持|补[贴助]|奖励|减缴|享受|扶持)|不再(?:给予|予以|享受|补[贴助]|支持|资助|奖励)|(?:不|停止|不再|不得)享受|不给予",
        r"(?:机构|企业|单位|项目|个人|情形|规定|演出|部分)除外$|(?:不得用于|不作为)[^，]{2,}",
        r"未(?:曾)?(?:享受|获得)(?:过)?[^，。；]{0,24}(?:补[贴助]|资助|资金|奖励|支持|扶持)",
        r"不在(?:此|本|上述)[^，。；]{0,4}[列内]|，否则(?:一律)?(?:不予|不得|取消|视为放弃)",
        r"取消[^，。；]{0,24}资格|追回[^，。；]{0,16}(?:资金|补[贴助]|奖励)|所获[^，。]{0,8}资金[^，。]{0,4}退回",
    )
)
_BRACKET = re.compile(
    r"（(?P<x>(?:不含|不包括|除)(?![\d（])[^（）]{3,60}|[^（）]{3,40}除外|[^（）]{2,40}不(?:再给予|予|享受)[^（）]{0,10})）"
)
_AFTER = re.compile(r"，(?P<x>(?:不含|不包括)[^，。；（）]{2,40})")
_TRIGGER = re.compile(
    r"(?:的|者|后|时|期间|情况|情形)$|^(?:对|若|如|凡|一经|经|已|未|同一|申报|存在|发现|符合|或|不同)|^(?:[^，。；]{2,10})$"
)
_PART = re.compile(r"(?:（[^）]*）|“[^”]*”|[^，；:：])+")
_LEAD = re.compile(
    r"(?:下列|以下|情形|情况|之一)[^，。]{0,16}，?[^，。：:]{0,12}(?:不予|不得|不享受|不支持|取消|停止|不再|不列入|不纳入)[^：:]{0,16}[：:]"
)
_DRY = {"title", "contact", "preamble", "orientation"}
_ABOUT_STEPS = re.compile(r"受理|退回修改|重新提交|注册|登[录陆]|填报|放弃申请|解释|抵触")
_LIMIT = re.compile(r"不[得能应](?:少|低|高|多|超)[于过]|最多不|控制在")
STRONG_ROLE = 0.6


def barred_spans(reading: Reading, k: int, names: Sequence[str], score: float) -> list[tuple[int, int]]:
    """排除片段: the spans of a clause that shut something or somebody out."""
    flat = reading.views[k].flat
    start, end = body_of(flat)
    if _barring_lead(reading, k):
        return [(start, end)]
    if led := _LEAD.search(flat):
        return [(led.end(), end)] if end - led.end() > 6 else []
    out = [
        m.span("x")
        for p in (_BRACKET, _AFTER)
        for m in p.finditer(flat)
        if {"condition", "benefit"} & set(names)
    ]
    if set(names) <= _DRY:
        return out
    outside = re.sub(r"（[^）]*）", lambda m: "　" * len(m.group()), flat)
    hits = [m.span() for p in _SURE for m in p.finditer(outside, start)]
    weak = bool(_ABOUT_STEPS.search(flat)) and score < STRONG_ROLE
    if hits and not weak and score >= _least(reading, k):
        return [*out, _extent(flat, start, end, min(a for a, _ in hits), max(b for _, b in hits))]
    told = "exclusion" in names and score >= STRONG_ROLE and not {"benefit"} & set(names)
    if told and not out and end - start > 6 and not _LIMIT.search(flat):
        return [(start, end)]
    return out


def _least(reading: Reading, k: int) -> float:
    """How much of an exclusion a clause must look like: less where nothing is given in it."""
    return 0.0 if reading.roles[k][ROLES.index("benefit")] < 0.3 else 0.03


def _barring_lead(reading: Reading, k: int) -> bool:
    """Whether a clause is a point of a list that a line of the kind 有下列情形之一的，不予支持： leads in."""
    c = reading.clauses[k]
    for back in range(k - 1, max(-1, k - 12), -1):
        one = reading.clauses[back]
        if _LEAD.search(reading.views[back].flat):
            return one.line == c.line or bool(c.label) or (not one.last and not c.first)
        if one.line != c.line and one.sort != c.sort:
            return False
        if one.text.rstrip().endswith("。") and one.line != c.line:
            return False
    return False


def _extent(flat: str, start: int, end: int, hit: int, stop: int) -> tuple[int, int]:
    """From the words that say whom it bars to the end of what follows from it."""
    parts = [(m.start() + start, m.end() + start) for m in _PART.finditer(flat[start:end])]
    texts = [re.sub(r"（[^）]*）", "", flat[a:b]) for a, b in parts]
    first = next((n for n, (_, b) in enumerate(parts) if hit < b), 0)
    last = max(n for n, (a, _) in enumerate(parts) if a < stop)
    while first > 0 and _TRIGGER.search(texts[first - 1]) and not _gives(texts[first - 1]):
        first -= 1
    while last + 1 < len(parts) and not _gives(texts[last + 1]):
        last += 1
    return parts[first][0], parts[last][1]


def _gives(text: str) -> bool:
    return bool(
        re.search(r"(?:给予|奖励|补[贴助]|资助|支持)[^，]{0,16}(?:\d|%)|\d+%?的?(?:奖励|补[贴助])", text)
    )
