"""必并: benefit pieces that make one item whatever the model thinks: fields of one block, steps of one scale, bounds, what goes on."""

from __future__ import annotations

import re

from rapidfuzz.fuzz import partial_ratio, ratio

from .numbers import KEYS
from .pieces import Piece, Reading
from .quantities import quantities
from .spans import body_of

CONTINUES = re.compile(
    r"^(?:其中|同时|并|每|单个|单项|同一|累计|年度|最高|总额|全年|当期|合计|奖励|补[贴助]|资助|支持|贷款|享受|超过|以上|上述|对其|该|此项|期限|具体|按)"
)


def keys_of(reading: Reading, piece: Piece) -> list[str]:
    """所给之键: the keys of a piece's numbers, ["words"] where it has none."""
    out = []
    for q, scores in zip(reading.mentions[piece.clause], reading.keys[piece.clause], strict=True):
        if piece.a <= q.start < piece.b:
            out.append(KEYS[int(scores.argmax())])
    return out or ["words"]


GRADES = tuple(
    re.compile(p)
    for p in (
        r"主板|创业板|科创板|新三板|四板",
        r"[一二三四五]星|[1-5]星",
        r"[1-5]A",
        r"[一二三]等奖",
        r"[一二三]档",
        r"(?:国家|省|市|区|县)级",
        r"(?:国际|国家|行业|地方|团体)标准",
    )
)
ANY_GRADE = re.compile(r"[\d.]+|" + "|".join(p.pattern for p in GRADES))


def other_grade(a: str, b: str) -> bool:
    """他级: whether two triggers tell grades of one scale and not the same ones; two things that are each graded 国家级、省级 are
    no steps of one."""
    told = ((set(p.findall(a)), set(p.findall(b))) for p in GRADES)
    return any(x and y and x != y for x, y in told)


def joined(reading: Reading, one: Piece, two: Piece) -> bool:
    """必并: pieces that make one item whatever the model thinks: other fields of one block, steps of one scale."""
    a, b = reading.clauses[one.clause], reading.clauses[two.clause]
    if a.block and a.block == b.block and a.field_name and b.field_name and a.field_name != b.field_name:
        return True
    if _announces(reading, one, two) or _bounds(reading, one, two) or _staged(reading, one, two):
        return True
    if _later_or_more(reading, one, two) or _of_which(reading, one, two) or _steps_on(reading, one, two):
        return True
    if _gives_on(reading, one, two) or _case_by_case(reading, one, two) or _tells_standard(reading, one, two):
        return True
    if (
        _goes_on_relieved(reading, one, two)
        or _amounts_of_kinds(reading, one, two)
        or _under_one_award(reading, one, two)
    ):
        return True
    together = a.headings == b.headings or a.line == b.line
    if one.clause == two.clause or not together or two.clause - one.clause > 2:
        return False
    fa, fb = reading.views[one.clause].flat, reading.views[two.clause].flat
    head_a, head_b = fa[: one.a], fb[: two.a]
    if _ends_of_steps(head_a, True) & _ends_of_steps(head_b, False) or _ends_of_steps(
        head_a, False
    ) & _ends_of_steps(head_b, True):
        return True
    if (a.line == b.line or not b.label) and _next_step(trigger_of(fa, one), trigger_of(fb, two)):
        return True
    if other_grade(head_a, head_b):
        return float(ratio(ANY_GRADE.sub("", fa), ANY_GRADE.sub("", fb))) >= 70.0
    return _the_others(reading, one, two)


_KIND = re.compile(
    r"(?:^|[：:])(?!对|每|另|再|按|最高|单)[^，。；：\d]{2,24}?(?:最高|不超过|每[^，。；\d]{1,3})?[\d.]+(?:万|亿)?元(?:/\w)?[；。]?$"
)


def _ends_of_steps(head: str, upper: bool) -> set[tuple[str, str, float]]:
    """The upper ends of the steps that a trigger tells, or the numbers that may be a lower end."""
    found = [q for q in quantities(head) if q.kind in ("money", "count")]
    if not upper:
        return {(q.kind, q.unit, q.low) for q in found}
    return {(q.kind, q.unit, q.high) for q in found if q.is_range or _is_top(head, q.start, q.end)}


def _is_top(head: str, a: int, b: int) -> bool:
    """Whether the number head[a:b] is the upper end of a step (…至300万元的, 不足300万元, 300万元以下); that two steps ask
    for the same least amount makes no scale of them."""
    return bool(
        re.search(r"(?:至|到|-|—|~|～|低于|不足|不满|未满|小于|少于|不超过|不高于)$", head[:a])
        or re.match(r"（[^）]*）?(?:及?以[下内])|(?:及?以[下内])", head[b:])
    )


def _amounts_of_kinds(reading: Reading, one: Piece, two: Piece) -> bool:
    """Whether two neighbouring clauses of a paragraph are a list of kinds with their amounts (甲类10万元；乙类5万元。)."""
    a, b = reading.clauses[one.clause], reading.clauses[two.clause]
    if two.clause - one.clause != 1 or a.line != b.line or b.label:
        return False
    return all(_KIND.search(reading.views[p.clause].flat) for p in (one, two))


# The name of one subsidy (灵活就业社保补贴); 奖励 and 支持 name whole chapters as often.
_ONE_AWARD = re.compile(r"[^，。；：、]{2,20}?(?<!奖励)(?:补[贴助]|津贴|贴息|贴租|安家费|生活费)")


def _under_one_award(reading: Reading, one: Piece, two: Piece) -> bool:
    """Whether both stand in the fields of one block whose heading names one subsidy."""
    a, b = reading.clauses[one.clause], reading.clauses[two.clause]
    if not a.block or a.block != b.block or a.block not in a.headings or a.block not in b.headings:
        return False
    flat = reading.views[a.block - 1].flat
    return bool(_ONE_AWARD.fullmatch(flat[body_of(flat)[0] :].rstrip("。：:")))


# How much the sentence before gives, where no figure says it (补贴标准参照当地最低工资标准执行).
STANDARD_TOLD = re.compile(
    r"(?:具体)?(?:补[贴助]|奖励|奖补|资助|扶持|津贴|发放)(?:标准|金额|额度)(?:参照|比照|按照?|为|与|不[低高]于)[^，。；]{4,}"
)


def _tells_standard(reading: Reading, one: Piece, two: Piece) -> bool:
    """Whether a sentence says by which standard the one before it gives."""
    a, b = reading.clauses[one.clause], reading.clauses[two.clause]
    flat = reading.views[two.clause].flat
    near = two.clause - one.clause == 1 and (b.line == a.line or not b.label)
    return near and bool(STANDARD_TOLD.match(flat[body_of(flat)[0] :]))


# Whom the sentence before leaves out of those it speaks of (对主导产业企业，…；其他企业，…).
_THE_OTHERS = re.compile(
    r"(?:对|属于)?其[他余它](?!条件|情[况形]|方面|规定)[^，。；、]{2,20}(?:，|的|给予|按|奖励|补[贴助])"
)


def _the_others(reading: Reading, one: Piece, two: Piece) -> bool:
    """Whether a sentence behind a semicolon gives the rest of those that the one before it speaks of something else."""
    return bool(_THE_OTHERS.match(_said_next(reading, one, two))) and keys_of(reading, one) != ["words"]


def _said_next(reading: Reading, one: Piece, two: Piece) -> str:
    """The sentence of the second piece, where it follows the first one's in the same paragraph; else ""."""
    a, b = reading.clauses[one.clause], reading.clauses[two.clause]
    flat = reading.views[two.clause].flat
    return flat[body_of(flat)[0] :] if b.number - a.number == 1 and a.line == b.line else ""


_BARE_STEP = re.compile(r"^(?:其中)?，?[\d.]+[^，。；、的]{0,6}?(?:（含[^）]*）)?(?:及?以[上下])?的?，?$")


def trigger_of(flat: str, p: Piece) -> str:
    """触发语: what a clause says before a piece gives; of a piece that is the whole clause, what stands before its verb."""
    a = body_of(flat)[0]
    return flat[a : p.a] if p.a > a else re.split(r"每|奖励|补[贴助]|给予|发放|资助", flat[a : p.b])[0]


def _next_step(head_a: str, head_b: str) -> bool:
    """Whether two triggers differ only in the figure they must reach (…达到30万元以上的 and …达到50万元以上的), the
    second maybe told by its figure alone (100件以上的)."""
    units = {(q.kind, q.unit) for q in quantities(head_a)}
    if not any((q.kind, q.unit) in units for q in quantities(head_b)):
        return False
    if _BARE_STEP.match(head_b):
        return True
    if _same_step(head_a, head_b):
        return True
    one, two = (ANY_GRADE.sub("", h).rstrip("，的") for h in (head_a, head_b))
    return "，" not in two and len(two) >= 5 and float(partial_ratio(two, one)) >= 90.0


def _same_step(head_a: str, head_b: str) -> bool:
    """Whether the first thing that a trigger asks is what one before asked in the same words, with another figure
    (在本地住宿1晚，并…；在本地住宿2晚，并…)."""
    first = re.split(r"[，；]", head_b.lstrip("，；"))[0].rstrip("的")
    bare = ANY_GRADE.sub("", first)
    if len(bare) < 5 or bare == first or head_b.startswith("对"):
        return False
    return any(
        said != first and ANY_GRADE.sub("", said) == bare
        for x in re.split(r"[，；]", head_a)
        for said in (x.rstrip("的"), x.rstrip("的").removeprefix("并"))
    )


def _staged(reading: Reading, one: Piece, two: Piece) -> bool:
    """Whether both stand in one paragraph that says before that it pays step by step (分阶段兑付：…)."""
    a, b = reading.clauses[one.clause], reading.clauses[two.clause]
    if a.line != b.line:
        return False
    first = next(k for k, c in enumerate(reading.clauses) if c.line == b.line)
    before = "".join(reading.views[k].flat for k in range(first, two.clause))
    m = _STAGES.search(before + reading.views[two.clause].flat[: two.a])
    if two.clause != one.clause and re.match(r"对(?!其|上述)", reading.views[two.clause].flat):
        return False  # who else is given something
    return m is not None and "。" not in before[m.end() :]


_STAGES = re.compile(r"分(?:阶段|步骤?|环节)[^，。；：]{0,10}(?:奖励|兑[付现]|给予|补[贴助]|资助)")
_BOUND = re.compile(
    r"(?:其中|但|且|并且?)?，?(?:对?单[家个笔项户一]|每[家个笔项人户部件场届套台集]|对?同[一个]|年度|当期|累计|全年|上述|以上|合计|申[请报](?:人|单位|企业|主体)|(?:资助|补[贴助]|奖励|支持|扶持|贴息)(?:总额|金额|资金|额度|期限|时间|比例))"
    r"[^。；]{0,40}?(?:不[得应]?(?:超过|高于|多于)|最高|最多|最长|上限|封顶|以内)[^，。；]{0,16}$"
)


def _bounds(reading: Reading, one: Piece, two: Piece) -> bool:
    """Whether a sentence says only how much at most (单个企业每年不超过…): it bounds what was given before it."""
    a, b = reading.clauses[one.clause], reading.clauses[two.clause]
    flat = reading.views[two.clause].flat
    near = a.headings == b.headings and (b.line == a.line or not b.label)
    if not (0 < two.clause - one.clause <= 3 and near) or set(keys_of(reading, two)) - {
        "cap",
        "words",
        "none",
    }:
        return False
    said = flat[body_of(flat)[0] : two.b]
    return bool(_BOUND.match(said)) and not re.search(r"的，|^对(?![同单])", said)


# A sentence that goes on giving to whom the one before it named: a verb of giving with nothing before it but when and to which of them.
_GIVES_ON = re.compile(
    r"(?:(?:另|再|并|同时|还|一次性|每[年月]|按[月年季]|(?:连续)?[\d一二三两五]+年内?|分[\d一二三两五]+年)*)(?:另|再|一次性|每[年月]|均)*(?:给予|发放|奖励|补[贴助])(?:给)?(?:(?:个人|单位|企业|用人单位|本人|团队|其)(?!.{0,8}的，))?[^，。；：对的]{0,10}\d"
)


# A later year of what the sentence before it gives, or more of it for more of the same (第6年起…奖励, 每增加1个…再奖励).
_LATER = re.compile(r"(?:从|自)?(?:第[一二三四五六七八九十\d]+年(?:起|至|开始|及以后)|次年)")
_MORE = re.compile(r"每[增多超]加?过?\d+[^，。；：]{1,20}，?(?:另|再|可再)(?:给予|奖励|补[贴助]|资助|增加)")


# Points on top of a share (再提高2个百分点) are of the share before them in their line, whoever gets them.
_POINTS = re.compile(
    r"^(?:可|将|可以|给予)?(?:在[^，。；]{0,16}基础上)?(?:再|额外|另)?[^，。；\d]{0,8}(?:提高|上浮|增加|上调)[\d.]+个?百分点"
)


def _later_or_more(reading: Reading, one: Piece, two: Piece) -> bool:
    """Whether a sentence of the same paragraph goes on with a later year of what the one before gives, or with more of it."""
    said, given = _said_next(reading, one, two), reading.views[two.clause].flat[two.a : two.b]
    return bool(said and (_LATER.match(said) or _MORE.search(said[:40]) or _POINTS.match(given)))


# More of it for whoever sums up to more under the same conditions (…累计满10次的，另行奖励…).
_ON_TOP = re.compile(r"(?:另外|另行|额外|再|再另)(?:给予|奖励|奖补|补[贴助]|增加)")
_SUMMED = re.compile(r"累计|上述|前述|以上条件")


def _of_which(reading: Reading, one: Piece, two: Piece) -> bool:
    """Whether the next sentence of a paragraph says of which part (其中…) of what the one before gives, or what is given on top."""
    a, b = reading.clauses[one.clause], reading.clauses[two.clause]
    if two.clause - one.clause != 1 or a.line != b.line:
        return False
    flat = reading.views[two.clause].flat
    said = flat[body_of(flat)[0] :]
    if said.startswith("其中"):
        return not plain_giving(reading, one)
    on_top = _ON_TOP.match(flat[two.a : two.b]) and _SUMMED.search(flat[: two.a])
    return bool(on_top) and not re.match(r"对(?!其)", said)


def _steps_on(reading: Reading, one: Piece, two: Piece) -> bool:
    """Whether two pieces of one sentence are given for steps of one scale (满90张的，…，30张以上不足90张的，…)."""
    if one.clause != two.clause:
        return False
    flat = reading.views[one.clause].flat
    a, b = flat[: one.a], flat[one.b : two.a]
    ends = _ends_of_steps(a, True) & _ends_of_steps(b, False) or _ends_of_steps(a, False) & _ends_of_steps(
        b, True
    )
    return bool(ends)


_RELIEVED = re.compile(r"(?:免[征缴]|减半征收|减征)(?:[一二三四五\d]+年)?(?P<x>[^，。；、\d]{2,12})")


def _goes_on_relieved(reading: Reading, one: Piece, two: Piece) -> bool:
    """Whether a sentence lets others go on with the relief that the one before it in the paragraph gives."""
    if two.clause - one.clause != 1 or reading.clauses[one.clause].line != reading.clauses[two.clause].line:
        return False
    fa, fb = reading.views[one.clause].flat, reading.views[two.clause].flat
    a, b = _RELIEVED.search(fa), _RELIEVED.search(fb)
    return "继续" in fb and a is not None and b is not None and a["x"] == b["x"]


def _case_by_case(reading: Reading, one: Piece, two: Piece) -> bool:
    """Whether the first says only that it is settled case by case what the second of the same sentence gives."""
    said = reading.views[one.clause].flat[one.a : one.b]
    return one.clause == two.clause and bool(re.fullmatch(r"[^，。；\d]{0,6}“?一事一议[^，。；\d]*", said))


def _gives_on(reading: Reading, one: Piece, two: Piece) -> bool:
    """Whether a sentence behind a semicolon goes on with what the one before it gives (…资助；一次性给予个人…安家费)."""
    a, b = reading.clauses[one.clause], reading.clauses[two.clause]
    if two.clause - one.clause != 1 or (a.line != b.line and b.label):
        return False
    fa, fb = reading.views[one.clause].flat, reading.views[two.clause].flat
    return fa.endswith("；") and bool(_GIVES_ON.match(fb[body_of(fb)[0] :])) and not b.label


_PLAIN_GIVING = re.compile(
    r"(?:给予|予以|进行|提供|享受)(?:适当|一定|相应|分档|分级)?(?:的)?[^，。；\d]{0,16}?(?:支持|奖励|奖补|补贴|补助|资助|扶持)(?:资金)?[，。；：]?$"
)


_YEAR = re.compile(r"第[一二三四五\d]+(?:个?年|阶段|期)")


def plain_giving(reading: Reading, p: Piece) -> bool:
    """泛称给予: whether a piece says only that something is given (给予资金支持), not how much."""
    said = reading.views[p.clause].flat[p.a : p.b]
    return bool(_PLAIN_GIVING.search(said)) and keys_of(reading, p) == ["words"]


def _announces(reading: Reading, one: Piece, two: Piece) -> bool:
    """Whether a piece says only that something is given, and the next one of the same point how much."""
    a, b = reading.clauses[one.clause], reading.clauses[two.clause]
    flat = reading.views[two.clause].flat
    begins = flat[body_of(flat)[0] :]
    on = CONTINUES.search(begins) or (a.line == b.line and _YEAR.match(begins))
    if not 0 < two.clause - one.clause <= 3 or b.label or not on:
        return False
    if not (a.number in b.headings or a.line == b.line or a.headings == b.headings):
        return False
    return plain_giving(reading, one) and keys_of(reading, two) != ["words"]
