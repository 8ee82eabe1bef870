"""条件范围: a condition piece cut where it states two: who it is said of and what of him, a place and what is done there, two thresholds."""

from __future__ import annotations

import itertools
import re

from .pieces import Piece, Reading
from .quantities import quantities
from .spans import trimmed

_PLACE = re.compile(
    r"^(?:应|须|需)?(?:在|于)(?:本|我|全)?[^，。；、（）的\d]{1,14}?(?:[省市区县镇乡]域?|地区|园区|基地|境|辖区|区域)(?:行政区域|范围)?(?:内|里)?(?=[^，。；、的内外]{2,})"
)
# What a place is part of: where one is registered, or the name of what stands there.
_BELONGS = re.compile(r"注册|登记|[^，]{2,12}(?:机构|基地|平台)")
_EITHER = re.compile(r"(?:，)?(?:或者?|，且|且|、)(?=[^，。；（）]{3,})")
_COMPARES = re.compile(r"以上|以下|以内|不低于|不少于|不超过|超过|低于|达到?|高于|不足|满")
_HEAD = r"(?:企业|单位|机构|公司|项目|人才|人员|毕业生|青年|平台|载体|基地|团队|组织|旅行社|产业|院校|合作社|纳税人|园|制造业|服务业|机构等)"
# A noun that says only "the one who applies" adds no condition of its own.
_GENERAL = re.compile(
    r"(?:申[报请](?:人|单位|企业|主体|项目)?|项目(?:单位)?|企业|单位|个人|人员|机构|组织|符合条件|相关|有关|该|其|本|上述|所在|用人|各类|承担|实施|入选|入驻|引进|"
    r"获[奖得]|以上|以下|具体|其他|其余|重点|优秀|同一|的)*" + _HEAD + "?"
)
_SUBJECT = re.compile(
    rf"^(?!组织|推动|完善|取得)(?P<s>[^，。；的、（）\d]{{2,14}}?{_HEAD})(?P<b>（[^）]*）)?(?=(?:当年|年度|年|首次|固定资产|投资|新|取得|获|兼并|整体|将|在|面积|使用|购|开展|录用|吸纳|实施|主导|参与|完成|通过|进入|被|应用|招用|建立|建设|组织|承接|创办|销售|引进(?!计划|工程|奖)|发布|开设|接收|参加|升级|连续|享受|为|每引进|一年(?!以上)|自主|推荐|聘用|招录|出口|入选|开发(?!区)|研发|举办|承担)[^，。；、的]{{2,}})"
)
_WHOSE = re.compile(rf"^(?P<m>.{{4,}}?[^，。；、])的(?P<h>[^，。；的、（）\d]{{4,14}}{_HEAD})$")
_ALSO = re.compile(
    r"、(?=(?:具有|具备|属于|依法|在[^，、]{2,12}(?:注册|登记)|未被?|无[^，、]{2,}记录|符合)[^、]{2,})|，?并(?=在|具有|具备|已|未|依法|从事)"
)


# The verb that urges is no part of who is urged to do what.
_URGED = re.compile(r"(?:积极|大力|重点)?(?:鼓励|支持|引导)(?:[和与及](?:鼓励|支持|引导))?(?=[^，。；]{4,})")

BESIDE = 400  # characters on either side that are looked through: a sentence of 700 numbers was, 700 times


def refined(reading: Reading, p: Piece) -> list[Piece]:
    """细分: the statements of one piece; the piece itself where it makes one."""
    view = reading.views[p.clause]
    a, b = trimmed(view.flat, p.a, p.b)
    if p.label == "condition" and (m := _URGED.match(view.flat[a:b])):
        a += m.end()
    spans = [(a, b)]
    for cut in (_statements, _between_thresholds, _subject, _whose, _place):
        spans = [part for x, y in spans for part in _cut(view.flat, x, y, cut(view.flat[x:y]))]
    return [Piece(p.label, p.clause, x, y, p.score) for x, y in spans] if spans != [(p.a, p.b)] else [p]


def _cut(flat: str, x: int, y: int, at: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """flat[x:y] without the stretches `at` (offsets into it) that join its statements."""
    marks = [0, *itertools.chain.from_iterable(at), y - x]
    return [(x + a, x + b) for a, b in zip(marks[::2], marks[1::2], strict=True) if b - a > 1]


def _statements(text: str) -> list[tuple[int, int]]:
    return [m.span() for m in _ALSO.finditer(text) if m.start() > 3 and _outside(text, m.start())]


def _between_thresholds(text: str) -> list[tuple[int, int]]:
    """Where both sides hold a threshold of their own (…达25%以上或…达30%以上)."""
    out: list[tuple[int, int]] = []
    for m in _EITHER.finditer(text):
        before, behind = (
            text[max(out[-1][1] if out else 0, m.start() - BESIDE) : m.start()],
            text[m.end() : m.end() + BESIDE],
        )
        if _outside(text, m.start()) and _threshold(before) and _threshold(behind):
            out.append(m.span())
    return out


def _subject(text: str) -> list[tuple[int, int]]:
    m = _SUBJECT.match(text)
    return [(m.end(), m.end())] if m and not _GENERAL.fullmatch(m["s"]) else []


def _whose(text: str) -> list[tuple[int, int]]:
    m = _WHOSE.match(text)
    return [(m.end("m"), m.start("h"))] if m and quantities(m["m"]) and not _GENERAL.fullmatch(m["h"]) else []


def _place(text: str) -> list[tuple[int, int]]:
    m = _PLACE.match(text)
    rest = text[m.end() :] if m else ""
    if m and quantities(rest) and not quantities(m.group()) and not _BELONGS.match(rest):
        return [(m.end(), m.end())]
    return []


def _outside(text: str, at: int) -> bool:
    return text.count("（", 0, at) <= text.count("）", 0, at)


def _threshold(text: str) -> bool:
    return (
        bool(quantities(text))
        and bool(_COMPARES.search(text))
        and bool(re.search(r"[\u4e00-\u9fa5]{2,}[^，]*\d|满", text))
    )
