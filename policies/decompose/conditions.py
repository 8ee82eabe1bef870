"""条件解析: operator and value of a condition's quote, read from its words; nothing where the words don't say it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .quantities import DATE, Quantity, date_of, quantities

_ABOVE = re.compile(r"^(?:（[^）]*）)?(?:及?以上|及其以上|及更高|（含）以上)")
_BELOW = re.compile(r"^(?:（[^）]*）)?(?:及?以下|及?以内|之内|内)")
_LEAST = re.compile(
    r"(?:不低于|不少于|不得低于|不得少于|至少|(?<!未)达到?|(?<![不未期])满|不小于|高于等于)(?:[^，。；\d]{0,4})?$"
)
_OVER = re.compile(r"(?:超过|高于|大于|多于|突破)(?:[^，。；\d]{0,4})?$")
_MOST = re.compile(
    r"(?:不超过|不得超过|不高于|不多于|不得高于|最长|最多|至多|最高|(?<!期)限|不大于|累计不超过|只能[^，]{0,6}|仅[^，]{0,6})(?:[^，。；\d]{0,4})?$"
)
_UNDER = re.compile(r"(?:低于|不足|不满|少于|小于|未满|未达到?)(?:[^，。；\d]{0,4})?$")
_CONTAINS = re.compile(r"^（?含|^[^，]{0,6}（含")
_PERIOD = re.compile(
    r"上一?(?:会计|纳税)?年度|本年度|当年度?|近[一二三四五两\d]+个?(?:会计)?年度?|连续[一二三四五两\d]+年|前[一二三两\d]+年|\d{4}年度?|每年|年均|累计|同期"
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """解析: what a condition's words fix; op "" where they fix no comparison."""

    kind: str
    op: str = ""
    value: Any = None
    unit: str = ""
    period: str = ""
    field: str = ""


def parse_condition(flat: str, tier_tops: frozenset[float] = frozenset()) -> Parsed:
    """解析条件: kind, operator, value and period of a squeezed quote.

    `tier_tops`: upper ends of ranges stated before in the same sentence; 以上 after such a range excludes its end.
    """
    period = m.group() if (m := _PERIOD.search(flat)) else ""
    dated = _parse_dates(flat)
    if dated is not None:
        return Parsed("time", dated[0], dated[1], "", period, _noun(flat, len(flat)))
    compared = [(q, *_compare(flat, q, tier_tops)) for q in quantities(flat)]
    said = [x for x in compared if x[1]]
    # Of a span of time and a threshold (近3年累计不低于500万元) the threshold is what is compared.
    firm = [
        x
        for x in said
        if not (x[0].kind == "years" and x[1] == "<=" and not _MOST.search(flat[: x[0].start]))
    ]
    for q, op, value in (firm or said)[:1]:
        if op:
            kind = "time" if q.kind == "years" or q.unit in ("岁", "周岁") else "numeric"
            unit = {"money": "元", "years": "年", "percent": ""}.get(q.kind, q.unit)
            return Parsed(kind, op, value, unit, period, _noun(flat, q.start))
    return Parsed(_kind_of(flat), "", None, "", period, "")


def _clean(value: float) -> float | int:
    return int(value) if value == int(value) else round(value, 6)


def _compare(flat: str, q: Quantity, tops: frozenset[float]) -> tuple[str, Any]:
    left, right = re.split(r"[，；。]", flat[: q.start])[-1], flat[q.end :]
    if q.is_range:
        return "between", [_clean(q.low), _clean(q.high)]
    value = q.high
    pair = re.match(r"(?:（[^）]*）)?(?:及?以上|（含）)?(?:至|到|-|—|、|，)?", right)
    if pair and ("以上" in pair.group() or re.search(r"至|到|—|-", pair.group())):
        rest = right[pair.end() :]
        later = [x for x in quantities(rest) if x.start <= 2 and x.kind == q.kind]
        if later and later[0].high > value and not re.match(r"(?:及?以上)", rest[later[0].end :]):
            return "between", [_clean(value), _clean(later[0].high)]
    inclusive = bool(_CONTAINS.search(right[:9]))
    if _MOST.search(left):
        return "<=", _clean(value)
    if _LEAST.search(left):
        return ">=", _clean(value)
    if _UNDER.search(left):
        return ("<=" if inclusive else "<"), _clean(value)
    if _ABOVE.match(right):
        return (">" if value in tops else ">="), _clean(value)
    if _OVER.search(left):
        return (">=" if inclusive else ">"), _clean(value)
    if _BELOW.match(right):
        return "<=", _clean(value)
    if q.kind == "years" and re.search(r"(?:期限|期|为期)(?:一般)?为?$", left):
        return "==", _clean(value)
    return "", None


def _parse_dates(flat: str) -> tuple[str, Any] | None:
    found = list(DATE.finditer(flat))
    if not found:
        return None
    first = found[0]
    start = date_of(first)
    if start is None:
        return None
    tail = flat[first.end() :]
    if len(found) > 1 and re.match(r"(?:（[^）]*）)?(?:起)?(?:至|到|-|—|～|~)", tail):
        return "between", [start, date_of(found[1])]
    short = re.match(
        r"(?:（[^）]*）)?(?:起)?(?:至|到|-|—|～|~)(?P<m>\d{1,2})月(?:(?P<d>\d{1,2})[日号])?", tail
    )
    if short:
        return "between", [start, date_of(short, int(start[:4]))]
    if re.match(r"(?:（[^）]*）)?(?:及)?(?:以后|之后|后|起|（含）)", tail) or re.search(
        r"(?:自|从)$", flat[: first.start()]
    ):
        return ">=", start
    if re.match(r"(?:（[^）]*）)?(?:及)?(?:以前|之前|前|止)", tail):
        return "<=", start
    return None


_NOUN_CUT = re.compile(
    r"[，。；、：（）“”]|的(?=[^的]*$)|且|并|达到?$|不低于|不少于|超过|满$|为$|在$|应$|年(?=度?[^年]{0,2}$)"
)


def _noun(flat: str, end: int) -> str:
    """The noun a number is said of: what stands between the last mark and the comparison."""
    head = re.sub(
        r"(?:不低于|不少于|不超过|不高于|超过|达到?|高于|低于|不足|不满|至少|最高|最长|满|在|为|应|需|须|累计|约|是|占)+$",
        "",
        flat[:end],
    )
    return re.split(r"[，。；：（）“”]|且|并|以及", head)[-1].strip("的、")[-16:]


_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("credit", re.compile(r"失信|违法|违规|信用|不良|处罚|黑名单|依法纳税|按期归还|拖欠")),
    ("place", re.compile(r"注册|登记|落户|户籍|[区市省县镇]内|本[区市省县]|在.{1,8}(?:建设|投资|举办|设立)")),
    (
        "event",
        re.compile(
            r"首次|新[增获认评列引入办建招]|初次|通过|获得|取得|认定|完成|上市|设立|举办|签订|实施|购置|引进|建设"
        ),
    ),
    ("industry", re.compile(r"产业|行业|领域|制造业|服务业|农业|工业")),
    ("manual", re.compile(r"良好|先进|完善|健全|较[高好强大]|一定|明显|优秀|符合条件|带动|示范|成熟|潜力")),
)


def _kind_of(flat: str) -> str:
    return next((kind for kind, pattern in _KINDS if pattern.search(flat)), "status")
