"""给谁: who or what gets an amount, where the words that give it name him."""

from __future__ import annotations

import re

from policies.segment import role_of_field

from .benefits import keyed
from .phrases import GIVES
from .pieces import Piece, Reading
from .spans import trimmed

# Who or what an amount is said of, before the words that lead on to it (示范类项目资助比例不超过…).
_GIVEN_TO = re.compile(
    r"(?P<s>[^，。；：]{2,}?(?:项目|企业|单位|机构|公司|人才|人员|平台|基地|中心|园区|活动|企业家|团队|组织|产品|类|店|制作|[者户生商]))(?:的|可|均|分别|再|每[^，。；\d]{1,4})*"
    r"(?:市级|区级|省级)?(?:奖补|奖励|资助|支持|扶持|补[贴助]|申请|贷款|基金)*(?:资金|经费)*的?(?:比例|额度|总额|限额|标准|金额|上限)?(?:原则上|一般|分别|均|可|一次性)*"
    r"(?:最高|最多|不(?:得|应)?(?:超过|高于)|按照?|给予|予以|[为是：]|\d|$)"
)


# What must be reached is a threshold, though the words around it look like an amount.
_COMPARED = re.compile(
    r"(?:达到?|不低于|不少于|满|(?<!不)(?<!不得)超过|高于|大于|低于|不足)[^，。；\d]{0,6}$"
)
_ABOVE = re.compile(r"[^，。；]{0,3}?(?:及?以[上下内]|（含）)")


def without_amount(reading: Reading, p: Piece) -> Piece | None:
    """去金额: a condition piece without the amount that the item gives: who or what gets it; None where nothing is left."""
    view = reading.views[p.clause]
    given = next((q for q, _, s in keyed(reading, p) if s >= 0.5), None)
    if given is None or _COMPARED.search(view.flat[p.a : given.start]):
        return p
    if role_of_field(reading.clauses[p.clause].field_name) == "condition" and not GIVES.search(
        view.flat[p.a : p.b]
    ):
        return p  # what stands under 申报条件 is asked
    if _ABOVE.match(view.flat[given.end :]):
        return p
    a, _ = trimmed(view.flat, p.a, p.b)
    m = _GIVEN_TO.match(view.flat[a : given.start])
    if m is None or m.end("s") < 4:
        return None
    return Piece(p.label, p.clause, a, a + m.end("s"), p.score)


_SOME = r"(?:企业|项目|类|机构|人才|单位|公司|平台|基地|中心|人员|毕业生|店)"
# Kinds with an amount each (最高限额为甲类企业20万元、乙类企业10万元).
_KINDS = re.compile(
    rf"(?:^|[为、，：])(?P<x>(?!按|给予|最高|每|单)[^，。；、：\d为]{{2,16}}?{_SOME})(?:最高)?(?=[\d.]+万?元)"
)
_NAMED = (
    re.compile(rf"(?:^|[，、])(?:优先)?[为给](?P<x>[^，。；的]{{2,24}}?{_SOME})(?:提供|给予|发放|开展)"),
    re.compile(r"优先推荐(?P<x>[^，。；]{4,24}申[报请][^，。；]{3,20})$"),
    re.compile(
        r"^(?P<x>[^，。；]{2,24}?(?:人才|毕业生|人员|职工|家庭|企业|博士|硕士)(?:（[^）]*）)?)(?=[^，。；的]{2,8}(?:补贴|津贴|补助)(?:标准)?(?:为)?每)"
    ),
    re.compile(rf"(?:对|扶持|支持)(?P<x>[^，。；]{{3,20}}?(?:{_SOME}|社团))等?(?:发展|进行奖励|给予|予以)"),
)


def given_to(reading: Reading, p: Piece) -> list[Piece]:
    """给谁: who the words of a benefit say is given something: the kinds of a list of amounts, whom something is provided to."""
    said = reading.views[p.clause].flat[p.a : p.b]
    kinds = [m.span("x") for m in _KINDS.finditer(said)]
    found = kinds if len(kinds) > 1 else []
    found = found + [m.span("x") for pattern in _NAMED for m in pattern.finditer(said)]
    return [Piece("condition", p.clause, p.a + x, p.a + y, p.score) for x, y in found]
