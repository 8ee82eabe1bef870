"""及于谁: whether a condition that no found item holds binds every item of the document, may do so, or is a point's own affair."""

from __future__ import annotations

import re
from collections.abc import Sequence

from policies.segment import field_of, role_of_field

from .model import Item
from .pieces import Reading
from .spans import body_of

ALL, UNSURE, ASIDE = "", "unsure", "aside"

# Words that speak of everybody who applies, or of the document as a whole.
_EVERYBODY = re.compile(
    r"本(?:办法|措施|政策|意见|规定|细则|通知|条例|若干|专项|项目)[^，。；]{0,8}(?:所称|支持|适用|扶持|对象|中|由)"
    r"|(?:^|，|；)(?:各类|所有|凡)?申[请报](?:单位|主体|人|企业|机构|项目|者|对象|奖励|补贴|资助|扶持|享受)[^，。；]{0,12}?(?:应|须|需|必须|可|不得|为|是|符合)"
    r"|(?:申请)?享受(?:本|上述|以上|各项|政策|扶持)|(?:扶持|支持|奖励|补贴|服务)对象|(?:上述|以上|所有|各类|各项)(?:政策|扶持|奖励|补贴|条款|事项)"
)
# Headings that speak of the whole: who may apply, how, from when; or rules for all at the end of a text.
_WHOLE = re.compile(
    r"附则|总则|其他|其它|条件|要求|范围|对象|主体|资格|说明|注意|适用|申[报请领]|审[核批定]|兑现|拨付|监督|名词|定义|解释|所称|实施细则"
)
_GIVES = re.compile(
    r"支持|鼓励|奖|补[贴助]|扶持|资助|培育|引进|吸引|促进|推动|推进|加快|加强|强化|优化|提升|完善|做[大强]|建立|打造|职责|义务"
)


def reach_of(reading: Reading, k: int, names: Sequence[str], items: Sequence[Item]) -> str:
    """及于: of a clause whose conditions bind no item found: ALL, UNSURE (asked of every item) or ASIDE (a person says whose it is)."""
    flat = reading.views[k].flat
    if len(items) > 1 and _of_one_applicant(reading, k):
        return ASIDE
    if len(items) > 1 and not _EVERYBODY.search(flat):
        if role_of_field(reading.clauses[k].field_name) == "benefit" and "condition" not in _own_field(
            reading, k
        ):
            return ASIDE
        if _beside_items(reading, k, items) or (
            {"benefit", "orientation"} & set(names) and not _whole_heading(reading, k)
        ):
            return ASIDE
    return UNSURE if _narrow(reading, k) else ALL


# A lead that names one kind of applicant (小微企业借款人申请条件：), not whoever applies.
_LEAD = re.compile(r"^(?:答[：:])?(?P<who>[^，。：:；]{3,14}?)的?(?:申[请报]|认定|贷款)条件[：:]$")
_WHOEVER = re.compile(
    r"^(?:申[请报](?:人|单位|企业|主体|者|项目)?|项目(?:单位)?|本.*|基本|上述.*|.*(?:政策|项目|补贴|奖励|资助|贷款))$"
)


def _of_one_applicant(reading: Reading, k: int) -> bool:
    """Whether the lead over a clause names one kind of applicant, where other leads of the text name others."""
    whos = {
        j: m["who"]
        for j, v in enumerate(reading.views)
        if (m := _LEAD.match(v.flat)) and not _WHOEVER.match(m["who"])
    }
    if len(set(whos.values())) < 2:
        return False
    over = max((j for j in whos if j < k), default=None)
    if over is None:
        return False
    outer = {n for n in reading.clauses[over].headings}
    return outer <= set(reading.clauses[k].headings)


def _own_field(reading: Reading, k: int) -> set[str]:
    """The roles of the fields that a clause's nearest headings name."""
    c = reading.clauses[k]
    return {role_of_field(field_of(reading.clauses[h - 1].text)) for h in c.headings[-1:]}


def _head(reading: Reading, number: int) -> str:
    flat = reading.views[number - 1].flat
    return flat[body_of(flat)[0] :][:24]


def _whole_heading(reading: Reading, k: int) -> bool:
    c = reading.clauses[k]
    return any(_WHOLE.search(_head(reading, h)) for h in (*c.headings, *([c.number] if c.label else [])))


def _beside_items(reading: Reading, k: int, items: Sequence[Item]) -> bool:
    """Whether a clause stands in a point without an item, beside points of its kind that hold items of their own."""
    c = reading.clauses[k]
    stated = [reading.clauses[x] for i in items for x in i.clauses if not i.title_only]
    held = {n for s in stated for n in (*s.headings, s.number)}
    for number in (*c.headings, *([c.number] if c.rank else [])):
        point, head = reading.clauses[number - 1], _head(reading, number)
        if _WHOLE.search(head) or field_of(point.text):
            return False
        if number in held or (point.sort == "条" and not _GIVES.search(head)):
            continue
        alike = [
            x.number
            for x in reading.clauses
            if x.rank and (x.sort, x.headings) == (point.sort, point.headings)
        ]
        if any(n in held for n in alike):
            return True
    return False


def _narrow(reading: Reading, k: int) -> bool:
    """Whether a clause stands under a point that speaks of some only (引导…需要符合以下条件：), so that it may not bind all."""
    c = reading.clauses[k]
    if not c.headings:
        return False
    lead = reading.clauses[c.headings[-1] - 1]
    body = reading.views[c.headings[-1] - 1].flat[body_of(reading.views[c.headings[-1] - 1].flat)[0] :]
    return bool(lead.label) and len(body) > 8 and not field_of(body)


__all__ = ["ALL", "ASIDE", "UNSURE", "reach_of"]
