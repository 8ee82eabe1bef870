"""申报通知: what a call for applications, or rules of recognition, give where only a title or a step of the procedure says it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from policies.segment import role_of_field

from .benefits import benefits_of
from .model import Item
from .pieces import Piece, Reading
from .spans import body_of

_APPLY = re.compile(r"申[报请领]|受理|认定|入库|征集|遴选|评选|备案")
_GIVEN = re.compile(
    r"认定|入库|补[贴助]|资助|奖[励补]|资金|示范|专项|项目|计划|培育|贴息|企业|平台|中心|基地|公寓|住房|用房|人才|券|称号|入户|津贴"
)


def title_item(reading: Reading, roles: list[list[str]], items: Sequence[Item]) -> list[Item]:
    """标题事项: a call for applications that names what is applied for only in its title, with conditions of its own."""
    stated = {k for i in items for k in i.clauses}
    if not items and (several := _listed(reading, roles)):
        return several
    own = [
        k
        for k, names in enumerate(roles)
        if "condition" in names
        and role_of_field(reading.clauses[k].field_name) == "condition"
        and k not in stated
        and not _under_items(reading, k, items)
    ]
    if not own:
        return [] if items else _applied_for(reading, roles)
    if items and not re.search(r"认定|入库|遴选", "".join(v.flat for v in reading.views[:4])):
        return []
    for k in range(min(8, len(reading.clauses))):
        flat = reading.views[k].flat
        if "title" not in roles[k] or not _APPLY.search(flat) or not _GIVEN.search(flat):
            continue
        conferred = _conferred(reading, roles) if _RULES.search(flat) else None
        span = None if re.search(r"办法$|意见$|措施$|方案$", flat) else _named(flat)
        if may := _MAY_APPLY.search(flat):
            span = may.span()
        if conferred or span:
            piece = conferred or Piece("benefit", k, *(span or (0, 0)), 0.6)
            if not conferred:
                piece = _called(reading, roles, piece)
            if parts := _directions(reading, own, piece):
                return parts
            entries = benefits_of(reading, [piece])
            return [Item(sorted({piece.clause, *own}), [piece], entries, score=0.6, title_only=True)]
    return [] if items else _applied_for(reading, roles)


# What offices confer or let on application, and what no grant is though one applies for it.
_CONFERRED = re.compile(
    r"认定|入库|补[贴助]|资助|奖[励补]|贴息|津贴|人才|公寓|住房|入户|落户|称号|示范|基地|培育|孵化|众创|消费券|创新券|高新技术|专精特新|小巨人"
)
_PERMITS = re.compile(r"许可|审批|备案|登记|验收|核准|注销|年检|公示(?!期)|名单|结果|解读|总结|招标|采购")
_HOW = re.compile(
    r"(?:办法|细则|规定|条件|程序|流程|规程|指引|指南|须知|通知|公告|方案|要求)[）)]?$|申[请报]"
)
_MAY_APPLY = re.compile(
    r"可以?(?:按[^，。；]{2,10})?(?:自愿)?申[请报领](?!人(?!才)|单位|企业)[^，。；：]{2,20}|可以?(?:直接|申办|办理)?[^，。；：]{0,8}(?:入户|落户)"
)


def _applied_for(reading: Reading, roles: list[list[str]]) -> list[Item]:
    """What one applies for by a text that gives nothing in other words, but says who may apply with which papers."""
    asked = [k for k, names in enumerate(roles) if "condition" in names]
    papers = sum(1 for names in roles if "material" in names)
    heads = [v.flat for k, v in enumerate(reading.views[:10]) if "title" in roles[k]]
    heads = [t for t in heads if _CONFERRED.search(t) and _HOW.search(t) and not _PERMITS.search(t)]
    if not heads or not asked:
        return []
    if several := _permitted(reading):
        return several
    if len(asked) + papers < 4 or papers < 2:
        return []
    piece = _conferred(reading, roles)
    for k in asked if piece is None else ():
        flat = reading.views[k].flat
        if m := _MAY_APPLY.search(flat):
            piece = Piece("benefit", k, m.start(), m.end(), 0.5)
            break
    if piece is None:
        return []
    clauses = sorted({piece.clause, *asked})
    return [Item(clauses, [piece], benefits_of(reading, [piece]), score=0.5, title_only=True)]


# What rules let one group after the other do (符合…的，可申请办理某事).
_PERMITTED = re.compile(
    r"[^，。；：、]{0,14}?可以?(?:直接|快速|优先|同时|按规定)*(?:申[请办领]|办理)(?:办理)?(?!变更|注销|登记|延期|复[核查议]|补办)[^，。；：、]{2,16}(?=[，。；：]|$)|"
    r"可以?在?[^，。；：]{0,14}(?:落户|入户)(?=[，。；]|$)"
)


def _permitted(reading: Reading) -> list[Item]:
    """An item of each point that lets somebody have what the rules are about, where several do."""
    found = []
    for k, view in enumerate(reading.views):
        m = _PERMITTED.search(view.flat[body_of(view.flat)[0] :])
        if m and (_CONFERRED.search(m.group()) or "引进" in m.group()):
            a = body_of(view.flat)[0]
            found.append(Piece("benefit", k, a + m.start(), a + m.end(), 0.5))
    if len(found) < 3:
        return []
    return [Item([p.clause], [p], benefits_of(reading, [p]), score=p.score) for p in found]


# A call that says what it is for in a sentence of its own (现组织申报2025年某某资助).
_CALLS = r"现(?:启动|开始)?(?:组织|开展|受理)(?:开展)?(?:申[报请]|受理)?"


def _called(reading: Reading, roles: list[list[str]], named: Piece) -> Piece:
    """The same words in the sentence that calls, which states what the title only names."""
    words = reading.views[named.clause].flat[named.a : named.b]
    for k in range(named.clause + 1, min(8, len(reading.clauses))):
        if "title" in roles[k]:
            continue
        if m := re.search(_CALLS + re.escape(words), reading.views[k].flat):
            return Piece(named.label, k, m.end() - len(words), m.end(), named.score)
    return named


_THING = r"[^，。；：、]{4,40}?(?:项目|专题|方向|类|资助|奖励|补贴)"
_THINGS = re.compile(rf"(?:包括|分为|设有|含)(?P<x>{_THING}(?:(?:、|[和与及]|以及){_THING})+)(?=[，。；]|$)")


def _listed(reading: Reading, roles: list[list[str]]) -> list[Item]:
    """Items of a call whose head lists what can be applied for (包括甲项目、乙项目), where each comes back with days of its own."""
    for k in range(min(8, len(reading.clauses))):
        flat = reading.views[k].flat
        m = _THINGS.search(flat)
        if m is None or not _APPLY.search(flat):
            continue
        names = [
            (x.start() + m.start("x"), x.end() + m.start("x"))
            for x in re.finditer(rf"(?!以及|[和与及]){_THING}(?=、|[和与及]|以及|$)", m["x"])
        ]
        behind = [v.flat for v in reading.views[k + 1 :]]
        if all(any(_dated(t, flat[a:b]) for t in behind) for a, b in names):
            pieces = [Piece("benefit", k, a, b, 0.6) for a, b in names]
            return [Item([k], [p], benefits_of(reading, [p]), score=0.6, title_only=True) for p in pieces]
    return []


def _dated(flat: str, name: str) -> bool:
    """Whether a sentence begins with a name and goes on with a day of it."""
    at = flat.find(name)
    return 0 <= at <= 12 and bool(re.match(r"[^，。；]{0,12}\d{1,2}月\d{1,2}[日号]", flat[at + len(name) :]))


# Who applies for one of several things that a call names (申报示范方向项目的单位，应…).
_APPLIES_FOR = re.compile(
    r"^申[报请](?P<x>[^，。；：\d]{4,20}?(?:项目|方向|类[别型]?|平台|基地|中心|专题))的(?:单位|企业|机构|个人|主体)?，?(?:应|须|需|必须)"
)


def _directions(reading: Reading, own: Sequence[int], call: Piece) -> list[Item]:
    """Items of a call that names several things to apply for, or groups who may, each with conditions of its own under
    its name; a group gets what the call is about."""
    found: dict[tuple[int, int, int], list[int]] = {}
    for k in own:
        view = reading.views[k]
        a, _ = body_of(view.flat)
        if m := _APPLIES_FOR.match(view.flat[a:]):
            found.setdefault((k, a + m.start("x"), a + m.end("x")), []).append(k)
            continue
        for h in reversed(reading.clauses[k].headings):
            if (span := _category(reading, h - 1)) is not None:
                found.setdefault((h - 1, *span), []).append(k)
                break
    if len(found) < 2:
        return []
    out = []
    for (k, a, b), clauses in sorted(found.items()):
        pieces = [Piece("benefit", k, a, b, 0.6)]
        if _WHO.search(reading.views[k].flat[a:b]):
            pieces.insert(0, call)
        entries = benefits_of(reading, pieces)
        out.append(Item(sorted({k, *clauses}), pieces, entries, score=0.6, title_only=True))
    return out


_WHO = re.compile(r"(?:人才|企业|机构|团队)$")


_CATEGORY = re.compile(r"[^，。；：\d（）]{2,14}(?:项目|人才|企业|平台|基地|中心|机构|团队|方向|类)")


def _category(reading: Reading, k: int) -> tuple[int, int] | None:
    """The name of what is applied for that a labelled heading is, or None."""
    c, flat = reading.clauses[k], reading.views[k].flat
    a, b = body_of(flat)
    body = flat[a:b].rstrip("。：:；")
    return (a, a + len(body)) if c.label and _CATEGORY.fullmatch(body) else None


# Rules of how somebody is recognised give the title or the certificate that they say is conferred.
_RULES = re.compile(
    r"(?:认定|评[定选]|遴选|命名|入库|管理|建设)[^，。]{0,14}(?:办法|细则|规定|程序|流程|条件|规程|指引)"
)
_CONFERS = re.compile(
    r"(?:颁发|授予|发给|核发)[^，。；]{0,30}(?:证书|牌匾|铭牌|称号|匾牌)|(?:认定|确定|命名|评定)为(?!.*的$)[^，。；]{2,24}$"
)


def _conferred(reading: Reading, roles: list[list[str]]) -> Piece | None:
    """What a recognised applicant is conferred, from the step of the procedure that says so."""
    for a in reading.atoms:
        names = set(roles[a.clause])
        if (
            names & {"procedure", "benefit"}
            and _CONFERS.search(a.text)
            and not re.search("取消|撤销", a.text)
        ):
            return Piece("benefit", a.clause, a.a, a.b, 0.6)
    return None


def _named(flat: str) -> tuple[int, int] | None:
    """What a call's title names: the words between 关于组织申报 and 的通知."""
    m = re.search(
        r"^.{0,30}?关于(?:[^，。]{0,8}(?:组织|开展|做好|受理|启动))?(?:申报|受理|开展|申请|征集)?", flat
    )
    a = m.end() if m else 0
    if m is None and (front := re.match(r"(?:（最新）|【[^】]{1,8}】|申报(?=\d{4}年))+", flat)):
        a = front.end()
    end = re.search(
        r"(?:项目)?(?:申[报请领])?(?:工作|条件及.{0,8}|有关.{0,6}|要求)?的?(?:预?通知|通告|公告|指南|的函)?$",
        flat[a:],
    )
    b = a + end.start() if end and end.start() > 3 else len(flat)
    return (a, b) if b - a >= 4 else None


def _under_items(reading: Reading, k: int, items: Sequence[Item]) -> bool:
    """Whether items stand under a heading of a clause, below the document itself."""
    above = set(reading.clauses[k].headings)
    return any(above & set(reading.clauses[x].headings) for i in items for x in i.clauses)
