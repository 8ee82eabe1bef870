"""约束归属: conditions and exclusions to the items they bind, or to the whole document."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from policies.segment import field_of

from .applicants import applicants, graded
from .bars import barred_spans
from .conditions import parse_condition
from .extents import refined
from .joins import plain_giving
from .model import Item
from .parallel import same_point
from .phrases import ASKS_NOTHING, MEASURED_BY
from .pieces import Piece, Reading
from .quantities import quantities
from .reach import reach_of
from .roles import ROLES
from .spans import body_of, trimmed
from .whom import given_to, without_amount


def entry(reading: Reading, clause: int, a: int, b: int, score: float) -> dict[str, Any]:
    """引文: the exact quote of flat[a:b] with where it starts and its score."""
    view = reading.views[clause]
    s, e = view.span(*trimmed(view.flat, a, b))
    return {"quote": reading.text[s:e], "start": s, "score": round(score, 3)}


def _condition(reading: Reading, p: Piece) -> dict[str, Any]:
    view = reading.views[p.clause]
    a, b = trimmed(view.flat, p.a, p.b)
    parsed = parse_condition(view.flat[a:b], _tops(reading, p))
    out = entry(reading, p.clause, p.a, p.b, p.score) | {"kind": parsed.kind}
    if parsed.op:
        out |= {"field": parsed.field, "op": parsed.op, "value": parsed.value, "unit": parsed.unit}
    if parsed.period:
        out["period"] = parsed.period
    return out


def _same(one: dict[str, Any], two: dict[str, Any]) -> bool:
    """Whether two conditions say the same word for word at different places."""
    return bool(re.sub(r"\s+", "", one["quote"]) == re.sub(r"\s+", "", two["quote"]))


def _tops(reading: Reading, p: Piece) -> frozenset[float]:
    """Upper ends of the ranges told right before a piece, in its clause or in the step before it."""
    before = reading.views[p.clause].flat[: p.a]
    k = p.clause - 1
    if k >= 0 and reading.clauses[k].headings == reading.clauses[p.clause].headings:
        before = reading.views[k].flat + before
    if not re.search(r"至|到|—|-", before):
        return frozenset()
    return frozenset(q.high for q in quantities(before) if q.kind != "years")


def share_conditions(
    reading: Reading,
    pieces: Sequence[Piece],
    items: list[Item],
    roles: list[list[str]],
    barred: Sequence[Piece] = (),
) -> list[dict[str, Any]]:
    """条件归属: condition pieces to the items they bind; what binds all comes back. What bars (`barred`) is no condition."""
    general = []
    giving = {p.clause for i in items for p in i.pieces}
    for p in pieces:
        if p.label != "condition" or not _says(reading, p, barred):
            continue
        if p.clause not in giving and not _plausible(p, roles[p.clause]):
            continue
        owners = owners_of(reading, p, items)
        for piece in refined(reading, p):
            part = without_amount(reading, piece)
            if part is None:
                continue
            entry = _condition(reading, part)
            for i in owners:
                if not any(_same(c, entry) for c in items[i].conditions):
                    items[i].conditions.append(dict(entry))
            if not owners and p.score >= FOR_ALL:
                scope = reach_of(reading, p.clause, roles[p.clause], items)
                general.append(entry | ({"scope": scope} if scope else {}))
    _share_leads(reading, items)
    _share_subjects(reading, items)
    for item in items:
        _add_whom(reading, item)
    return general


def _add_whom(reading: Reading, item: Item) -> None:
    """Whom an item's own words name, where no condition has told him already."""
    for p in [q for piece in item.pieces if piece.label == "benefit" for q in given_to(reading, piece)]:
        found = _condition(reading, p)
        if all(_likeness(found, c) < 0.4 for c in item.conditions):
            item.conditions.append(found)


def _likeness(one: dict[str, Any], two: dict[str, Any]) -> float:
    """What two quotes share of what they cover together."""
    a, b = one["start"], one["start"] + len(one["quote"])
    c, d = two["start"], two["start"] + len(two["quote"])
    return max(0, min(b, d) - max(a, c)) / (max(b, d) - min(a, c))


def _share_leads(reading: Reading, items: Sequence[Item]) -> None:
    """Who a sentence says is given something is also whom the amounts behind it are for (…的企业，给予资金支持。其中甲类…；乙类…。)."""
    leads = [
        (p.clause, n)
        for n, i in enumerate(items)
        for p in i.pieces
        if p.label == "benefit" and plain_giving(reading, p)
    ]
    for k, n in leads:
        span = reading.clauses[k]
        told = [c for c in items[n].conditions if span.start <= int(c["start"]) < span.end]
        for m, other in enumerate(items):
            if (
                m == n
                or other.title_only
                or min(other.clauses) <= k
                or not _goes_on(reading, k, min(other.clauses))
            ):
                continue
            have = {(c["start"], c["quote"]) for c in other.conditions}
            other.conditions[:0] = [dict(c) for c in told if (c["start"], c["quote"]) not in have]


# Words that a sentence begins with that names itself whom it is for.
_NAMES_WHOM = re.compile(
    r"对|凡|鼓励|支持|新|首次|获|每|其中|同时|另|以上|上述|单|同一|[^，。；]{2,16}(?:企业|单位|机构|个人|人才|人员|项目)的?，"
)


def _share_subjects(reading: Reading, items: Sequence[Item]) -> None:
    """Whom the first sentence of a paragraph names (对甲类药品，完成一期的…；完成二期的…；) the sentences that go on behind a
    semicolon without naming anybody are said of too."""
    for item in items:
        if item.title_only or not item.clauses:
            continue
        k = min(item.clauses)
        flat = reading.views[k].flat
        if _NAMES_WHOM.match(flat[body_of(flat)[0] :]):
            continue
        first = _beginning(reading, k)
        if first is None:
            continue
        whom = _subject_of(reading, first)
        if whom is None:
            continue
        for other in items:
            for c in other.conditions if first in other.clauses else ():
                if whom[0] <= int(c["start"]) < whom[1] and not any(_same(c, d) for d in item.conditions):
                    item.conditions.insert(0, dict(c))


def _beginning(reading: Reading, k: int) -> int | None:
    """The first clause of the sentence that a clause goes on with behind semicolons, on the same line; None where it is it."""
    j = k
    while j > 0 and reading.clauses[j - 1].line == reading.clauses[k].line:
        if not reading.views[j - 1].flat.endswith("；"):
            break
        j -= 1
    return j if j < k else None


def _subject_of(reading: Reading, k: int) -> tuple[int, int] | None:
    """Where a clause names with 对 whom it is for, before the first of two commas (对某类产品，取得证书的，给予…)."""
    view = reading.views[k]
    a = body_of(view.flat)[0]
    m = re.match(
        r"对(?!其|上述|以上)[^，；]{3,}?(?=，(?!可?(?:给予|奖励|一次性|按|每|分别|最高|另|再|由))[^，；]+(?:，|给予|奖励|资助|补[贴助]))",
        view.flat[a:],
    )
    return view.span(a, a + m.end()) if m else None


def _goes_on(reading: Reading, k: int, j: int) -> bool:
    """Whether a clause stands in the words behind an earlier one that begin with 其中, in its paragraph or the next."""
    between = reading.clauses[k + 1 : j + 1]
    if len(between) > 6 or not between[0].text.lstrip().startswith("其中"):
        return False
    return not any(c.first for c in between[1:]) and not (between[0].first and between[0].label)


_DRY = {"title", "preamble", "contact", "other", "material", "authority", "orientation", "procedure"}


def _plausible(p: Piece, names: Sequence[str]) -> bool:
    """A condition outside clauses that state conditions or benefits needs a better score."""
    if {"condition", "benefit", "exclusion"} & set(names):
        return True
    return p.score >= (0.75 if set(names) <= _DRY else 0.5)


_SAYS_NOTHING = re.compile(
    r"(?:请|望|要求)?各(?:地|级|县|市|区|单位|部门|有关)[^，。]{0,20}|(?:高度重视|加强(?:组织|领导|宣传|协调|监管)|确保|精心组织)[^，。]{0,12}|"
    r"(?:设立|安排|建立|推行|健全|完善)[^，。]{0,24}(?:资金|基金|机制|制度|平台|服务|体系|资料库|信息库|数据库|台账|目录)|《[^》]*》(?:（[^）]*）)?|(?:这样|例如|其中|同时|另外|此外|因此|即|以下|如下|具体|其余|按照?[^，]{0,6}(?:规定|要求|标准)|"
    r"(?:对)?(?:下列|以下|上述)(?:事项|项目|情形|企业|单位)?(?:给予)?|(?:给予)?(?:一次性)?(?:奖励|补[贴助]|资助|支持|扶持)|每[^，]{1,2}|[一二三]是|为[^，]{2,12}|对[^，]{1,2})|.{0,2}"
    r"|(?:应|可|另|再|均|由[^，。；]{2,16}|按规定|直接)*(?:给予|予以|实行“?一事一议)[^，。；\d]{0,12}(?:奖励|奖补|补[贴助]|资助|支持|扶持|贴息|议”?)?|"
    r"(?:按照?|每[^，。；\d]{1,8})?每?(?![^，。；\d]*(?<!不)(?<!不得)(?:超过|达到?|满|高于|低于|不足|突破))[^，。；\d]{0,6}[\d.]+(?:万|亿)?元(?:/[^，。；]{1,4})*(?:的?标准)?|"
    r"[^，。；]{0,10}(?:标准|额度|比例|上限)[^，。；]{0,4}(?:根据|按照?|参照|不设|由)[^，。；]*|(?:在?同等条件下|同一[^，。；的]{1,8}|原则上)|"
    r"(?:申[请报]|补[贴助]|支持|扶持|奖励)?(?:对象|条件|范围|标准|要求)|"
    r"[^，。；]{0,10}(?:符合|满足|具备)[^，。；]{0,8}(?:下列|以下|如下)[^，。；]{0,8}(?:条件|情形|标准|要求)?(?:之一)?(?:的[^，。；]{0,8})?|"
    r"(?:按|参照|从)(?:其|企业|该)[^，。；]{2,40}(?:贡献|费用?|金额|总额|投资额|利息|租金|标准)(?:的?[\d.]+%)?中?|"
    r"可?(?:给予|予以)[^，。；的]{0,14}的?(?:贴息|补[贴助]|奖励|资助|补偿)|"
    r"[^，。；]*(?:账号|用户名|密码|注册号)[^，。；]*|(?:无[须需])?重新注册|须?在[^，。；]{0,16}上?再次注册|"
    r"为[^，。；的]{4,}(?:覆盖面|环境|发展|水平|成本|能力)|(?:有效|切实|着力)(?:缓解|解决|提[升高]|降低)[^，。；]*|让[^，。；]{2,}享受[^，。；]*|"
    r"(?:降低|缓解|破解|引导撬动|撬动|构建完善|构建|推进|推动|做大|做强|优化|营造|强化|加强|健全|促进|深化)[^，。；]{2,}(?:成本|难题|规模|生态|升级|发展|环境|体系|建设|保障|水平|能力|管理)|"
    r"(?:方向|类型|专题|类别)[\d一二三四]|[^，。；]{0,12}(?:需|应|须)提[供交][^，。；]*|"
    r"(?:应当?|须|可以?)?(?:(?:在|于)[^，。；]{2,20})?向[^，。；]{2,30}(?:提出|提交|申请|申报|申领)[^，。；后]{0,16}|"
    r"自[^，。；\d]{2,16}之日起|第[一二三四五六\d]+年起|(?:连续)?[一二三四五两\d]+年内?(?:奖励|补[贴助]|给予|返还)(?:给[^，。；]{2,6})?|(?:每年)?以[^，。；]{4,30}为基数|"
    r"按照?[^，。；\d的]{2,10}(?:面积|人数)|(?:省|市|区|县|镇)级?财政(?:[和与、][^，。；]{2,6}财政)?|具体[^，。；]*由[^，。；]*|(?:单个|每[个家])(?:企业|单位|项目|机构|个人)?|如有[^，。；]{2,6}|"
    r"[^，。；]{0,12}(?:记者|传来消息|获悉)[^，。；]*|围绕[^，。；]*(?:体系|产业)建设|"
    r"(?:依据|根据|参考|参照|按)[^，。；]*(?:因素|综合评定|核定[^，。；]*|计算|测算|有关规定|规模|金额|情况|表现)|"
    r"视[^，。；]{2,30}(?:水平|面积|情况)|自[^，。；]{2,20}(?:时间|之日)起|[^，。；]{0,20}介绍|在[^，。；]{2,12}方面|"
    r"(?:连续)?[一二三四五六\d]年按照?[^，。；]*|在[^，。；]{2,24}(?:奖励|补[贴助]|政策|标准|条件)的?基础上|"
    r"参照[^，。；]{0,14}(?:条|款|标准|政策|办法)(?:标准)?(?:执行)?"
)
# What is asked of every item alike must be surer than what stands beside one: of such with less hardly one in four was right.
FOR_ALL = 0.4


def _says(reading: Reading, p: Piece, barred: Sequence[Piece]) -> bool:
    """Whether a piece says something a firm can meet or not: no bare title of a policy, no connective, nothing that bars."""
    view = reading.views[p.clause]
    a, b = trimmed(view.flat, p.a, p.b)
    if any(x.fullmatch(view.flat[a:b]) for x in (_SAYS_NOTHING, MEASURED_BY, ASKS_NOTHING)):
        return False
    if quantities(view.flat[a:b]):
        return True
    return not any(x.clause == p.clause and min(b, x.b) - max(a, x.a) > 0.6 * (b - a) for x in barred)


def owners_of(reading: Reading, p: Piece, items: Sequence[Item]) -> list[int]:
    """归属: the items a piece binds: those of its own sentence, else of the point that its heading names, else of its own
    section; none: the whole document."""
    if len(items) == 1:
        return [0]
    if items and p.clause in items[0].clauses and items[0].title_only:
        return [0]
    here = [(q.a, n) for n, i in enumerate(items) for q in i.pieces if q.clause == p.clause]
    if here:
        behind = [x for x in here if x[0] >= p.a]
        return [min(behind)[1]] if behind else [max(here)[1]]
    return (
        _named_owners(reading, p, items)
        or same_point(reading, p.clause, items)
        or _near_owners(reading, p, items)
    )


def _named_owners(reading: Reading, p: Piece, items: Sequence[Item]) -> list[int]:
    """Items whose own heading carries the name of another heading over a piece (2．精品剧目 under 内容 and under 条件), or whose
    own sentences begin with it (支持某事需要符合以下条件： and 支持某事，对… ), or whose headings name the applicants it speaks of."""
    over = {h for i in items for k in i.clauses for h in reading.clauses[k].headings}
    # A heading with items of its own under it speaks of them, though another part of the text repeats its name.
    wanted = {name: at for name, at in _names(reading, p.clause).items() if at not in over}
    hits = [
        n
        for n, i in enumerate(items)
        if any(_carries(reading, k, name, at) for k in i.clauses for name, at in wanted.items())
    ]
    hits = hits or graded(reading, p, items) or applicants(reading, p, items)
    return hits if len(hits) < len(items) else []


def _carries(reading: Reading, k: int, name: str, at: int) -> bool:
    """Whether a clause stands under the name, at another place, or begins with it."""
    own = _names(reading, k)
    if name in own and own[name] != at:
        return True
    if len(name) < 6:
        return False
    for number in (*reading.clauses[k].headings, reading.clauses[k].number):
        flat = reading.views[number - 1].flat
        if number != at and flat[body_of(flat)[0] :].startswith(name):
            return True
    return False


# A point that begins with what it speaks of (整体改造项目：投入不低于… and 整体改造项目，按…给予补助).
_LED = re.compile(
    r"(?:申[报请])?(?P<x>[^，。；：:\d]{3,20}(?:项目|类|奖|企业|机构|平台|补贴|奖励|人才|团队|基地))[：:，]"
)


def _names(reading: Reading, clause: int) -> dict[str, int]:
    """The names of the headings over a clause and of the clause itself, with where they stand."""
    c = reading.clauses[clause]
    out = {}
    for number in (*c.headings, c.number):
        k = number - 1
        flat = reading.views[k].flat
        a, _ = body_of(flat)
        if reading.clauses[k].sort == "方向1":
            out[reading.clauses[k].label] = number
        name = re.sub(
            r"(?:支持|申报|申请|项目|需要|应当?|须|同时)?(?:符合|具备|满足)?(?:以下|下列)?条件?[：:。]?$",
            "",
            flat[a:],
        )
        for said in (name, _LED.match(name)):
            said = said if isinstance(said, str) else said["x"] if said else ""
            if 4 <= len(said) <= 24 and not field_of(said):
                out[said] = number
    return out


NEAR = 6  # a statement this many clauses away still speaks of the item


def _near_owners(reading: Reading, p: Piece, items: Sequence[Item]) -> list[int]:
    c = reading.clauses[p.clause]
    if c.block and c.block not in c.headings and not c.heading:  # a round of fields without a heading
        return [n for n, i in enumerate(items) if any(reading.clauses[k].block == c.block for k in i.clauses)]
    for heading in reversed([*c.headings, *([c.number] if c.heading else [])]):
        under = [
            n
            for n, i in enumerate(items)
            if any(
                heading in reading.clauses[k].headings or reading.clauses[k].number == heading
                for k in i.clauses
            )
        ]
        near = [n for n in under if min(abs(k - p.clause) for k in items[n].clauses) <= NEAR]
        if len(under) == 1:
            return under if near or c.field_name else []
        if under:
            line = [n for n in near if any(reading.clauses[k].line == c.line for k in items[n].clauses)]
            if len(line) == 1:
                return line
            some = len(under) <= 8 and len(under) < len(items)  # what binds all is told once
            leads = heading == c.number  # what the line over some points says of whom, it says of each
            return under if (leads or c.block == heading) and some else []
    return []


def barred_pieces(reading: Reading, roles: Sequence[Sequence[str]]) -> list[Piece]:
    """排除片段: everything in a document that shuts something or somebody out."""
    out = []
    for k, names in enumerate(roles):
        score = float(reading.roles[k][ROLES.index("exclusion")])
        out += [Piece("exclusion", k, a, b, score) for a, b in barred_spans(reading, k, names, score)]
    return out


def share_exclusions(reading: Reading, barred: Sequence[Piece], items: list[Item]) -> list[dict[str, Any]]:
    """排除: 就高不重复, 失信不予支持, 不含… to the items they bind; what binds all comes back."""
    general: list[dict[str, Any]] = []
    for p in barred:
        found = entry(reading, p.clause, p.a, p.b, p.score)
        owners = owners_of(reading, p, items)
        for n in owners:
            items[n].exclusions.append(dict(found))
        if not owners:
            general.append(found)
    return general
