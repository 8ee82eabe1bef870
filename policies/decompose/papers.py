"""材料: what a firm hands in, from lists of papers line by line and from sentences that say what is handed in."""

from __future__ import annotations

import re
from collections.abc import Sequence

from policies.segment import field_of, label_of, role_of_field

from .binding import entry, owners_of
from .model import Item
from .pieces import Piece, Reading
from .roles import ROLES
from .spans import body_of

_INSTRUCTS = re.compile(
    r"^报送要求|^附[件表]|\.(?:docx?|xlsx?|pdf|wps)|装订|封面[^，。]{2,}|胶装|按.{0,6}顺序|电子版发|目录应|[：:]$|必须提供|实际情况提供|不录入|统一标明|无需|不需|"
    r"登[录陆]|^(?:[（(]?[\d一二三四五六七八九十]{1,2}[)）.、．])?(?:填写|打印|点击|进入)|注册(?:账号|用户|后|获)|网上填报|上传要求|命名|打包|邮箱|填写一份|按要求汇总|分为|仅需|[：:]\d{4}年|"
    r"注意事项|合订成册|分类置于|内容[^，。；]{0,4}(?:须|应)与"
)
_HEAD = (
    r"(?:申[请报][表书]|推荐[表书函]|报告|任务书|立项书|证明(?:材料|文件)?|证件|复印件|扫描件|原件|凭证|票据|清单|承诺[书函]|协议书?|合同|发票|照片|"
    r"营业执照|登记证|身份证|证书|截图|名单|委托书|请求书|说明书?|材料|资料|文件|明细表|汇总表|计划|意见|信息表|归集表|声明|决议|方案|执照|函|表格|表)"
    r"(?=$|[，。；、：！和与或及并等的一两二三四打报提送上装在向到至作由经须应后前方才申（）复原扫为进])"
)
_LOOSE = r"(?:[^，。；、：（）》]|（[^）]*）|《[^》]*》)"
_TAIL = r"(?:复印件|原件)?(?:（[^）]*）)?(?:[一两二三四\d]式[^，。；]{1,3}份)?"
_ONE = rf"(?:《[^》]{{2,40}}》(?:{_LOOSE}{{0,8}}?{_HEAD})?|{_LOOSE}{{0,40}}?{_HEAD}){_TAIL}"
_PAPER = rf"{_ONE}(?:(?:、|[和与或]){_LOOSE}{{1,16}}?{_HEAD}{_TAIL}|、{_LOOSE}{{1,16}}?(?=[、和与]{_LOOSE}{{1,16}}?{_HEAD}))*(?:等[^，。；、]{{0,8}}(?:材料|资料|文件))?"
# Who hands in says so himself (提交, 凭 …); what an office issues or publishes is no paper of the firm.
_HANDS = re.compile(
    r"(?<!按时)(?<!依法)(?<!定期)(?<!按期)(?<!按规定)(?<!无需)(?<!无需再)(?<!不需)(?<!未)(?:(?<!请求)(?:提交|报送)(?:的(?=《|[^，。；的]{0,16}材料))?(?!申请(?!资|材|书|表))|"
    r"(?<!个人)提供(?!的|服务|担保|贷款|[^，。]{0,8}服务)|出具(?!的|评[价审估]|[初复]?审(?!计)|核查|推荐)|递交|(?<![为因])凭(?!借|证)|填写|填报|附上|上传|携带|连同|编写|编制|随附|报备|准备(?!金|期))"
    r"(?:完整|真实)?(?:下列|以下|盖章的|\d{4}年[^，。；]{4,40}?期间)?(?:(?:相应|有关|相关)的?(?=《))?"
)
_NEXT = re.compile(
    r"^(?:以及|及其?|并(?:提交|提供|填报|附|上传)|，(?!无需|不需|须|应|由|如|作为|方|才|经|并)(?=[^，。；]{2,40}(?:表|书|证|件|照片|合同|告|料|凭证)))"
)
_FRAGMENT = re.compile(r"^(?:的|件|一份|以|好|应|后|了|完|和|及|与|或|时|请|虚假|所属[^，。；]{0,24}部门)")
# What is written out for what others have passed (汇总通过初审的项目填写…) is an office's paper.
_BY_OFFICE = re.compile(r"汇总[^。；，]{0,12}(?:项目|名单|材料|情况)[^。；，]{0,4}$")
# 申报材料包括甲、乙、丙等。
_INCLUDES = re.compile(
    r"(?:申[请报领]|所需|提交|报送|应[备附])的?(?:材料|资料|文件)(?:主要|一般)?(?:(?:包括|包含)[：:]?|(?:有|为|如下)[：:])(?P<x>[^。；：，]{4,})"
)
# 满足条件2的企业请提交：某证书
_ASKED_OF = re.compile(r"^[^：:，。；]{0,24}(?:请|需|应|须)(?:提交|提供)[：:](?P<x>[^：:]{4,})$")
_SENT = re.compile(rf"(?:将|把)(?P<m>{_PAPER})(?:一并|分别|统一|打印|装订|报|提交|送|递|上传)")
_PASSIVE = re.compile(
    r"(?:^|，|：)(?P<m>[^，。；、：（）]{2,24}(?:（[^）]*）[^，。；、：（）]{0,12})?材料(?:报送|提交|一式)[一二三四五六七八九十\d]*[份式])"
)
_LISTED = re.compile(r"(?:提交|提供|报送|递交)[^，。；：]{0,12}(?:资料|材料|文件)[：:](?P<x>.{4,})$")
# 申报材料包括：（一）甲；（二）乙。 on one line: a point that a sentence holds, and the head before the first of them.
_POINT = re.compile(r"[（(][一二三四五六七八九十\d]{1,2}[）)]|\d{1,2}[.、．)）]|[①-⑳]")
_FIRST_POINT = re.compile(rf"(?:材料|资料|文件|要件|证件)[^，。；：]{{0,8}}[：:](?:{_POINT.pattern}).{{3,}}$")
_EXPLAINED = re.compile(r"^(?P<x>[^：:。；]{2,24}(?:报告|[申请报][请报][表书]|承诺书|证书|表))[：:].{6,}")
_NO_ROLE = {"title", "contact", "preamble", "orientation", "authority", "other", "definition"}


def share_materials(reading: Reading, items: Sequence[Item], roles: list[list[str]]) -> None:
    """材料归属: a list under 申报材料 line by line; elsewhere what a sentence says is handed in; one paper once an item."""
    if not items:
        return
    lists = sum(
        in_list(reading, k) and bool(reading.clauses[k].label) and "title" not in names
        for k, names in enumerate(roles)
    )
    for k, names in enumerate(roles):
        # Where the papers are listed one by one, the list says it all.
        if lists >= 3 and not in_list(reading, k):
            continue
        for a, b, s in paper_spans(reading, k, names):
            found = entry(reading, k, a, b, s)
            for n in owners_of(reading, Piece("material", k, a, b, s), items) or range(len(items)):
                if all(m["quote"] != found["quote"] for m in items[n].materials):
                    items[n].materials.append(dict(found))


def in_list(reading: Reading, k: int) -> bool:
    """材料清单: whether a clause stands in a list of papers: by its field, else among points that are bare papers."""
    c = reading.clauses[k]
    if _attached(reading, k):
        return False
    if role_of_field(c.field_name) == "material":
        return True
    if not c.label:
        return False
    near = range(max(0, k - 4), min(len(reading.clauses), k + 5))
    beside = [
        j for j in near if reading.clauses[j].sort == c.sort and reading.clauses[j].headings == c.headings
    ]
    return sum(bare_paper(reading, j) for j in beside) >= 2 and bool(_PAPER_AT.search(reading.views[k].flat))


def _attached(reading: Reading, k: int) -> bool:
    """Whether a clause stands in the list of what is attached to the text (附件：1.…): blank forms, not papers handed in."""
    for j in range(k, max(-1, k - 16), -1):
        if re.match(r"附[件表][：:]?\d?[.、．：:]", reading.views[j].flat):
            return True
        if not reading.clauses[j].label or re.search(r"[。；]$", reading.views[j].flat):
            return False
    return False


def bare_paper(reading: Reading, k: int) -> bool:
    """单项材料: a labelled point that is nothing but the name of a paper."""
    flat = reading.views[k].flat
    a, b = body_of(flat)
    return bool(reading.clauses[k].label) and bool(_BARE.fullmatch(flat[a:b].rstrip("。；")))


_BARE = re.compile(
    r"(?:《[^》]{4,36}[表书证函告单]》|[^，。；：]{2,30}(?:申[请报][表书]|立项书|复印件|证明(?:材料)?|报告|承诺书|证书|营业执照))"
    r"(?:（[^）]*）)?(?:[一两二三四\d]式[^，。；]{1,3}份)?"
)
_PAPER_AT = re.compile(_PAPER)


def paper_spans(reading: Reading, k: int, names: Sequence[str]) -> list[tuple[int, int, float]]:
    """材料片段: spans of a clause that name what is handed in."""
    flat = reading.views[k].flat
    if _carries_on(reading, k):
        a, b = body_of(flat)
        return [(a, b, 0.6)]
    if in_list(reading, k) and not _LISTED.search(flat.rstrip("；。")):
        return _listed(reading, k, names)
    if "exclusion" in names or (
        set(names) <= _NO_ROLE and reading.roles[k][ROLES.index("material")] < LEAST_ROLE
    ):
        return []
    return _named_ones(flat, _handed(flat))


def _named_ones(flat: str, spans: Sequence[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
    return [s for s in spans if not _NAMELESS.fullmatch(flat[s[0] : s[1]])]


def _holds(reading: Reading, k: int) -> bool:
    """Whether labelled points stand under a clause."""
    number = reading.clauses[k].number
    return any(c.label and number in c.headings for c in reading.clauses[k + 1 : k + 2])


# Papers that are not named (相关材料, 有关表格) tell a firm nothing to hand in.
_NAMELESS = re.compile(
    r"→?(?:上传|项目|相关|有关|详细|上述|以上|所有|网上|书面|纸质|电子|附件|及|申[请报]|信息)*(?:申[请报])?(?:材料|资料|表格|信息|附件)"
    r"|→?通过审核的.*|[^，]{0,12}(?:局|委|部门)[^，]{0,8}批复.*"
)


LEAST_ROLE, SOME_ROLE, SURE_ROLE = 0.1, 0.3, 0.5  # how much of a paper a clause must look like


def _listed(reading: Reading, k: int, names: Sequence[str]) -> list[tuple[int, int, float]]:
    """A point of a list of papers: the whole point, unless it explains the paper or tells how to hand in."""
    c, flat = reading.clauses[k], reading.views[k].flat
    a, b = body_of(flat)
    headed = c.heading and field_of(c.text) == flat[a:b].rstrip("：:。；")
    named = c.label and (re.search(r"[。；]$", flat) or (bare_paper(reading, k) and not _holds(reading, k)))
    if headed or ("title" in names and not named):
        return []
    if float(reading.roles[k][ROLES.index("material")]) < _least(reading, k):
        return []
    if _INSTRUCTS.search(re.sub(r"（[^）]*）", "", flat)):
        return []
    if m := _FIELD_BEFORE.match(flat[a:b]):
        a += m.end()
        a += body_of(flat[a:b])[0]
        if len(parts := [x.span() for x in _PARTS.finditer(flat[a:b].rstrip("；。"))]) > 1:
            return [(a + x, a + y, 1.0) for x, y in parts if y - x > 2]
        return [(a, b, 1.0)]
    if m := _ASKED_OF.match(flat[a:b].rstrip("；。")):
        return [(a + m.start("x"), a + m.end("x"), 1.0)]
    told = _named_ones(flat, _handed(flat))
    if ("procedure" in names and not c.label) or len(told) > 1:
        return told
    if re.match(r"(?:方向|政策)\S{1,3}[：:]", flat[a:]):
        return told
    if m := _EXPLAINED.match(flat[a:b]):
        return [(a, a + m.end("x"), 1.0)]
    return [(a, b, 1.0)]


# The field on one line with its papers (申报材料：（一）申请表), which are told apart by 、.
_FIELD_BEFORE = re.compile(
    r"(?:【(?:申[请报领]|所需|提交|报送|办理|应提交的?)(?:材料|资料)】[：:]?|(?:申[请报领]|所需|提交|报送|办理|应提交的?)(?:材料|资料)[：:])(?=[^，。；]{3,})"
)
_PARTS = re.compile(r"(?:（[^）]*）|《[^》]*》|[^、（])+")


def _least(reading: Reading, k: int) -> float:
    """How much of a paper a clause of a list must look like; what carries on a labelled point belongs to it."""
    c = reading.clauses[k]
    named = bool(_PAPER_AT.search(reading.views[k].flat))
    if not c.first and label_of(c.text)[0] and named:  # a numbered point inside a line of papers
        return 0.0
    if c.label:
        return 0.0 if bare_paper(reading, k) else LEAST_ROLE if named else SURE_ROLE
    point = next((j for j in range(k - 1, max(-1, k - 6), -1) if reading.clauses[j].first), None)
    if (
        not c.first
        and point is not None
        and reading.clauses[point].line == c.line
        and reading.clauses[point].label
    ):
        return SOME_ROLE
    return SOME_ROLE if named and c.first else 1.0


def _carries_on(reading: Reading, k: int) -> bool:
    """Whether a clause is one more paper of a list that its paragraph began (提交申请资料：甲、乙；丙；丁。)."""
    c, flat = reading.clauses[k], reading.views[k].flat
    point = _POINT.match(flat) is not None and not _INSTRUCTS.search(flat)
    if c.first or not (point or _PAPER_AT.fullmatch(flat.rstrip("；。"))):
        return False
    for j in range(k - 1, max(-1, k - 8), -1):
        if reading.clauses[j].line != c.line or (
            flat.endswith("。") and reading.views[j].flat.endswith("。")
        ):
            return False
        if (_FIRST_POINT if point else _LISTED).search(reading.views[j].flat.rstrip("；。")):
            return True
    return False


def _handed(flat: str) -> list[tuple[int, int, float]]:
    """What a sentence says is handed in, paper by paper."""
    if listed := _LISTED.search(flat.rstrip("；。")):
        parts = re.finditer(r"(?:（[^）]*）|[^、，；])+", listed["x"])
        at = listed.start("x")
        return [(at + m.start() + _label(m.group()), at + m.end(), 0.6) for m in parts]
    out: list[tuple[int, int, float]] = []
    for m in _INCLUDES.finditer(flat):
        found = m["x"].removesuffix("等")
        parts = re.finditer(r"(?:（[^）]*）|[^、])+", found)
        out += [
            (m.start("x") + x.start(), m.start("x") + x.end(), 0.6) for x in parts if x.end() - x.start() > 2
        ]
    for m in _HANDS.finditer(flat):
        if _BY_OFFICE.search(flat[: m.start()]):
            continue
        at = m.end()
        while (paper := _PAPER_AT.match(flat, at)) is not None:
            if len(paper.group()) >= 4 and not _FRAGMENT.match(paper.group()):
                out.append((paper.start(), paper.end(), 0.6))
            link = _NEXT.match(flat[paper.end() :])
            if link is None:
                break
            at = paper.end() + link.end()
    out += [(*m.span("m"), 0.6) for p in (_SENT, _PASSIVE) for m in p.finditer(flat)]
    return _apart(out)


def _label(words: str) -> int:
    """Length of the （一） or 1. before a paper."""
    point = _POINT.match(words)
    return point.end() if point else 0


def _apart(spans: list[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
    """Spans in order, none inside another."""
    out: list[tuple[int, int, float]] = []
    for s in sorted(spans, key=lambda x: (x[0], -x[1])):
        if not out or s[0] >= out[-1][1]:
            out.append(s)
    return out
