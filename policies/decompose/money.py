"""读数字条件: a threshold's indicator, operator, number, unit and period, where the words fix them all; else a guess for the person."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rapidfuzz import fuzz, process

from engine.indicators import Dictionary, Indicator

from .conditions import parse_condition
from .quantities import Quantity, quantities
from .wanted import figure, wanted

if TYPE_CHECKING:
    from .facts import Lexicon

FUZZY = 88.0
_LASTYEAR = re.compile(r"上一?(?:个)?(?:会计|纳税|自然)?年度?末?|前一(?:会计)?年度?")
_LITERAL = re.compile(r"[\d.,]+(?:万|亿)?(?:元|%|[^\d%]{1,3})?")
_ADDS_NOTHING = re.compile(
    r"申报项目|获得|取得|拥有|完成|企业|单位|申[报请](?:人|单位|企业)?|项目单位|其|该|的|应当?|须|需|累计|实际|年度?|实现|人民币|不低于|不少于|不得低于|不得少于|不超过|不高于|超过|高于|低于|不足|不满|少于|多于|至少|达到?|满|"
    r"在|为|于|是|（含）|（含本数）|（含[\d.]+(?:万|亿)?(?:元|人|%)?）|含|及?以上|及?以下|以内|总?额|金额|数量?|总数|[（）]|大于|小于|等于"
)
_GROWTH = re.compile(
    r"(?:较|比)?(?:同期|上一?年度?|前一年度?|同比|年均)?(?:同比)?(?:增长|增幅|增速)(?:率|幅度)?(?:达到?|超过|不低于|在|为)?"
)
_SHARE = re.compile(
    r"(?P<a>[^，。；占]{2,14})占(?:同期|企业)?(?P<b>[^，。；]{2,14}?)的?(?:总额|总数)?的?(?:比例|比重)(?:应|须|达到?|为|在)?"
)


_BEARER = re.compile(r"园区|项目|产品|基金|机构|平台|集群|楼宇|店|品种|品牌|软件|服务|外包|电商|单[个家笔]")


class Numbers:
    """数值指标: the dictionary's numeric indicators by name and synonym."""

    def __init__(self, dictionary: Dictionary, words: Mapping[str, str] | None = None):
        self.words = dict(words or {})
        self.dictionary = dictionary
        self.names: dict[str, Indicator] = {}
        for name in dictionary:
            entry = dictionary[name]
            for word in (name, *entry.synonyms):
                if entry.kind in ("金额", "数量", "比例"):
                    bare = re.sub(r"[\s“”\"（）()]", "", word)
                    self.names.setdefault(bare, entry)
                    if entry.kind == "数量" and len(bare) > 4:
                        self.names.setdefault(bare.removesuffix("数"), entry)

    def find(self, words: str) -> tuple[Indicator | None, bool]:
        """找指标: the indicator that words name exactly (sure), else the nearest (not sure)."""
        bare = re.sub(
            r"^(?:申报项目|获得|取得|拥有|完成|企业|单位|项目单位|申报单位|申报企业|年度?|累计|实现|其|在|的)+",
            "",
            re.sub(r"[\s“”\"（）()]", "", words),
        )
        bare = re.sub(
            r"(?:不得低于|不得少于|达到?|不低于|不少于|超过|高于|在|为|累计|不超过|低于|满|不足|不高于|至少|应|须|需|的)+$",
            "",
            bare,
        )
        for body in (bare, re.sub(r"(?:总?额|总量|数量?|总数)$", "", bare)):
            if body in self.names:
                entry = self.names[body]
                own = re.match(r"自[有用管建]|实缴|境内", entry.name)
                return entry, not own or own[0] in words
        near = (
            process.extractOne(bare, list(self.names), scorer=fuzz.ratio, score_cutoff=FUZZY)
            if bare
            else None
        )
        return (self.names[near[0]], False) if near else (None, False)

    def alike(self, new: Indicator) -> Indicator | None:
        """同指: an indicator of the dictionary that a proposed one may merely be another name of."""
        bare = frozenset(re.sub(r"[数额量人的年均总]", "", new.name))
        for name, entry in self.names.items():
            if entry.kind != new.kind:
                continue
            if name == new.name or bare == frozenset(re.sub(r"[数额量人的年均总]", "", name)):
                return entry
            if len(name) >= 4 and new.name.endswith(name) and not _BEARER.match(new.name):
                return entry
        return None

    def redefined(self, op: str, flat: str) -> str:
        """改算符: the operator under the document's own meaning of 以上, 以下 …."""
        word = next((w for w in sorted(self.words, key=len, reverse=True) if w in flat), "")
        if not word or "（含" in flat:
            return op
        return op.rstrip("=") if self.words[word] == "不含" else op.rstrip("=") + "="


@dataclass(frozen=True, slots=True)
class Threshold:
    """门槛: `when` where everything is fixed; `guess` where the indicator is known but not all; `missing` a name not known;
    `new` the indicators proposed for it."""

    when: str = ""
    holds: Mapping[str, str] = field(default_factory=dict)
    fails: Mapping[str, str] = field(default_factory=dict)
    guess: str = ""
    missing: str = ""
    new: Mapping[str, Indicator] = field(default_factory=dict)


def read_number(flat: str, names: Numbers, context: str = "") -> Threshold | None:
    """读门槛: one segment with one number; None where it holds no comparison. `context`: what the text says before it."""
    flat = re.sub(
        r"（(?:不?含)[\d.]+(?:万|亿)?(?:元|人|家|户|名|%)?(?:本数)?）",
        lambda m: "" if "不" in m[0] else "（含）",
        flat,
    )
    found = [q for q in quantities(flat) if q.kind in ("money", "percent", "count")]
    if len(found) != 1 or "或" in flat:
        return None
    q = found[0]
    if q.kind == "percent" and q.unit == "%" and (part := _PART.match(flat[: q.start])):
        return _part(flat, q, part)
    parsed = parse_condition(flat)
    if parsed.kind != "numeric" or parsed.op in ("", "between", "==") or isinstance(parsed.value, str):
        return None
    if _stepped(q, context):
        return (
            Threshold()
        )  # the step of a scale that begins where the one before it ends: 以上 may exclude that end
    op = names.redefined(parsed.op, flat)
    literal = _literal(q, flat[q.start : q.end].replace("％", "%").replace(",", ""))
    if q.unit in ("百分点", "全额", "分数") or not _LITERAL.fullmatch(literal):
        return None
    if (spread := _over_years(flat, q, op, literal, names)) is not None:
        return spread
    if (share := _SHARE.search(flat[: q.start])) and q.kind == "percent":
        return _share(flat, q, op, literal, share, names)
    return _plain(flat, q, op, literal, names, re.split(r"[。；]", context)[-1])


def _stepped(q: Quantity, context: str) -> bool:
    """Whether the text before told a range that ends at this number."""
    return any(
        x.kind == q.kind
        and x.unit == q.unit
        and x.high == q.high
        and (x.is_range or re.search(r"[至到—~-]$", context[: x.start]))
        for x in quantities(context)
    )


def _literal(q: Quantity, said: str) -> str:
    """The number as rules write it: numerals in digits, 万 without 元 as 万元, 1万人次 as 10000人次."""
    if q.kind == "money" and q.unit == "元" and not re.fullmatch(r"[\d.]+(?:万|亿)?元", said):
        big = next(
            ((w, n) for w, n in (("亿元", 1e8), ("万元", 1e4)) if q.high >= n and q.high % (n / 100) == 0),
            ("元", 1.0),
        )
        return f"{round(q.high / big[1], 4):.10g}{big[0]}"
    if q.kind == "count" and q.high == int(q.high):
        return f"{int(q.high)}{_UNITS.get(q.unit, q.unit)}"
    return said


_NEAR_YEARS = re.compile(r"(?:最?近|前)(?P<n>[二两三四五2345])个?(?:会计|自然|纳税)?年度?(?:内|的)?")
_HOW = re.compile(r"(?P<sum>合计|累计|总和|之和)|(?P<mean>平均|年均)|(?P<each>均|每年)")


def _over_years(flat: str, q: Quantity, op: str, literal: str, names: Numbers) -> Threshold | None:
    """A sum, mean or least of the last years up to Y (近两年研发费用合计不低于1200万元); None where no span of years is told."""
    head = flat[: q.start]
    years = _NEAR_YEARS.search(head)
    if years is None:
        return None
    rest = _NEAR_YEARS.sub("", head, count=1)
    how = _HOW.search(rest)
    words = _HOW.sub("", rest, count=1)
    entry, sure = names.find(words)
    if how is None or entry is None or not entry.yearly or not _fits(entry, q, False) or q.kind == "percent":
        return Threshold()
    count = {"二": 2, "两": 2, "三": 3, "四": 4, "五": 5}.get(years["n"]) or int(years["n"])
    function = "合计" if how["sum"] else "平均" if how["mean"] else "最小" if op[0] == ">" else "最大"
    text = f"{function}({entry.name}[Y-{count - 1}..Y]) {op} {literal}"
    if not sure or _left_over(words + flat[q.end :], entry):
        return Threshold(guess=text)
    holds, fails = both_sides(op, literal, entry.kind)
    every = [f"{entry.name}[Y-{back}]" if back else f"{entry.name}[Y]" for back in range(count)]
    if function == "合计":
        zero = "0" + re.sub(r"[\d.]", "", literal)
        return Threshold(
            text,
            {n: holds if n == every[0] else zero for n in every},
            {n: fails if n == every[0] else zero for n in every},
        )
    return Threshold(text, dict.fromkeys(every, holds), dict.fromkeys(every, fails))


# Whose figure a threshold may be where the sentence speaks of them before it: then it is not the enterprise's own.
_OTHERS = re.compile(
    r"项目|产品|品种|新药|药品|园区|基地|基金|店|平台|机构|品牌|技术成果|专利|集群|楼宇|个人|人才|人员|每(?:家|个|户)"
)
_OF_PROJECTS = {"固定资产投资": "项目固定资产投资额", "设备投资": "设备购置额"}
_THE_YEAR = re.compile(r"^(?:年度?|全年)(?=[^年均])")


def _plain(flat: str, q: Quantity, op: str, literal: str, names: Numbers, context: str) -> Threshold:
    head = flat[: q.start]
    growth = _GROWTH.search(head) if q.kind == "percent" else None
    words = _LASTYEAR.sub("", head[: growth.start()] if growth else head, count=1)
    entry, sure = names.find(_THE_YEAR.sub("", words))
    if entry is None:
        return Threshold(missing=_noun(words)) if growth else _wanted(flat, q, op, literal, words, names)
    if entry.name in _OF_PROJECTS and "项目" in context + flat:
        entry = names.dictionary.get(_OF_PROJECTS[entry.name], entry)
    fits = _fits(entry, q, bool(growth))
    name = f"{entry.name}[Y]" if entry.yearly else entry.name
    number = literal if q.kind != "count" or entry.unit else re.sub(r"[^\d.]+$", "", literal)
    text = f"{f'增长率({name})' if growth else name} {op} {number}"
    said = _LASTYEAR.search(head) or (
        (_THE_YEAR.search(words) or _LASTYEAR.search(context)) and not _OTHERS.search(context + flat)
    )
    dated = bool(said) or not entry.yearly
    rest = (head.replace(growth.group(), "", 1) if growth else head) + flat[q.end :]
    rest = _THE_YEAR.sub("", _LASTYEAR.sub("", rest, count=1))
    if entry.name in _OF_PROJECTS.values():
        rest = re.sub(r"项目|固定资产投资|设备(?:购置|采购)?(?:投资|金额)?", "", rest)
    whole = not _left_over(rest, entry)
    odd = bool(growth) and re.search(r"年均|近|连续", growth.group() if growth else "")
    one_of_many = entry.name.startswith("贷款")  # said of one loan, held of the firm
    if not (sure and fits and dated and whole) or odd or one_of_many:
        return Threshold(guess=text if fits else "")
    if growth:
        return Threshold(text, *_grown(name, op, q.high, entry.unit if entry.kind == "数量" else "元"))
    holds, fails = both_sides(op, number, entry.kind)
    return Threshold(text, {name: holds}, {name: fails})


_UNITS = {"批次": "批", "平米": "平方米", "周岁": "岁"}
_ENDS = re.compile(
    r"(?:不得低于|不得少于|达到?|不低于|不少于|超过|高于|在|为|不超过|低于|满|不足|不高于|至少|应|须|需|的|大于|小于|约)+$"
)
# A share of one figure in another, told without the word 占 (新招用人数达到职工总数10%).
_PART = re.compile(
    r"(?P<a>[^，。；]{2,16}?)(?:应|须)?(?P<v>达到?|不低于|不少于|不超过|超过)(?P<b>(?:企业|创业组织|单位|被)?[^，。；]{2,14}(?:总?数|总?人数|人员|总额|总量|收入|费用|股本|投资额?|产值))的?$"
)


def _wanted(flat: str, q: Quantity, op: str, literal: str, words: str, names: Numbers) -> Threshold:
    """A threshold on a figure the dictionary lacks: sure where its words are a plain noun and nothing else is said."""
    inner = re.search(r"年度?(?=营业|销售|产值|主营|税收|纳税|利润|产量|交易)", words)
    yearly = bool(_LASTYEAR.search(flat[: q.start]) or _THE_YEAR.search(words) or inner)
    noun = _ENDS.sub("", _THE_YEAR.sub("", words))
    noun = re.sub(r"年度?(?=营业|销售|产值|主营|税收|纳税|利润|产量|交易)", "", noun)
    after = _ADDS_NOTHING.sub("", flat[q.end :])
    entry = figure(noun, q.kind, _UNITS.get(q.unit, q.unit), yearly) if q.unit != "美元" else None
    if entry is None or after or (q.kind == "money" and q.unit != "元"):
        return Threshold(missing=_noun(words))
    if alike := names.alike(entry):
        return Threshold(guess=f"{alike.name}{'[Y]' if alike.yearly else ''} {op} {literal}")
    return _compared(entry, op, literal)


def _compared(entry: Indicator, op: str, literal: str) -> Threshold:
    name = f"{entry.name}[Y]" if entry.yearly else entry.name
    holds, fails = both_sides(op, literal, entry.kind)
    return Threshold(f"{name} {op} {literal}", {name: holds}, {name: fails}, new={entry.name: entry})


def _part(flat: str, q: Quantity, m: re.Match[str]) -> Threshold:
    after = flat[q.end :]
    if re.match(r"(?:及?以下|以内)", after):
        return Threshold()
    op = {"不超过": "<=", "超过": ">"}.get(m["v"], ">=")
    literal = flat[q.start : q.end].replace("％", "%")
    if re.search(r"(?:比例|比重|占比|率)$", m["a"]):
        entry = figure(m["a"], "percent", "", False)
        return Threshold() if entry is None or _ADDS_NOTHING.sub("", after) else _compared(entry, op, literal)
    return _proposed_share(m["a"], m["b"], after, op, literal)


def _proposed_share(a: str, b: str, after: str, op: str, literal: str) -> Threshold:
    """A share that no two indicators give: proposed as one figure under the words of the text."""
    bare = re.sub(r"（[^）]*）|[“”\"、的]", "", f"{a}占{b}比例")
    odd = re.search(r"不|未|或|且|其|同一|每|上述|按|将|由|增长", bare)
    entry = None if odd or _ADDS_NOTHING.sub("", after) else wanted(bare, "比例", note=f"条文写作“{a}…{b}”")
    return Threshold(missing=_noun(a)) if entry is None else _compared(entry, op, literal)


def _share(flat: str, q: Quantity, op: str, literal: str, m: re.Match[str], names: Numbers) -> Threshold:
    """A share of two yearly indicators (研发费用占营业收入的比例不低于3%)."""
    one, sure1 = names.find(_LASTYEAR.sub("", m["a"], count=1))
    two, sure2 = names.find(m["b"])
    if one is None or two is None:
        behind = flat[m.end() : q.start] + flat[q.end :]
        return _proposed_share(flat[: m.start()] + m["a"], m["b"], behind, op, literal)
    if one.kind != two.kind or one.kind == "比例" or not (one.yearly and two.yearly):
        return Threshold()
    text = f"{one.name}[Y] / {two.name}[Y] {op} {literal}"
    rest = flat[: m.start()] + flat[m.end() : q.start] + flat[q.end :]
    if not (sure1 and sure2 and _LASTYEAR.search(flat)) or _ADDS_NOTHING.sub("", _LASTYEAR.sub("", rest)):
        return Threshold(guess=text)
    a, b = f"{one.name}[Y]", f"{two.name}[Y]"
    unit = "元" if one.kind == "金额" else one.unit
    return Threshold(text, *_parts_of(a, b, op, q.high, unit))


_WHOLE = 10_000_000  # a round denominator on which every rate of a policy is a whole number


def _grown(name: str, op: str, rate: float, unit: str) -> tuple[dict[str, str], dict[str, str]]:
    before = name.replace("[Y]", "[Y-1]")
    exact, off = _near(op, _WHOLE * (1 + rate))
    return {before: f"{_WHOLE}{unit}", name: f"{exact}{unit}"}, {
        before: f"{_WHOLE}{unit}",
        name: f"{off}{unit}",
    }


def _parts_of(a: str, b: str, op: str, rate: float, unit: str) -> tuple[dict[str, str], dict[str, str]]:
    exact, off = _near(op, _WHOLE * rate)
    return {a: f"{exact}{unit}", b: f"{_WHOLE}{unit}"}, {a: f"{off}{unit}", b: f"{_WHOLE}{unit}"}


def _near(op: str, value: float) -> tuple[int, int]:
    """A whole number that holds and one that fails, on both sides of the boundary."""
    at = round(value)
    return {">=": (at, at - 1000), ">": (at + 1000, at), "<=": (at, at + 1000), "<": (at - 1000, at)}[op]


def _left_over(rest: str, entry: Indicator) -> bool:
    names = {entry.name, *entry.synonyms, *(n.removesuffix("数") for n in (entry.name, *entry.synonyms))}
    for word in sorted(names, key=len, reverse=True):
        rest = rest.replace(word, "", 1) if word in rest else rest
    return bool(_ADDS_NOTHING.sub("", rest))


def _fits(entry: Indicator, q: Quantity, growth: bool) -> bool:
    if growth:
        return entry.yearly and entry.kind in ("金额", "数量")
    wanted = {"money": "金额", "percent": "比例", "count": "数量"}[q.kind]
    if entry.kind != wanted or (q.kind == "money" and q.unit != "元"):
        return False
    return q.kind != "count" or not entry.unit or entry.unit == q.unit or {entry.unit, q.unit} <= {"人", "名"}


def both_sides(op: str, literal: str, kind: str) -> tuple[str, str]:
    """两侧: a value that holds and one that fails, at the boundary."""
    m = re.match(r"(?P<n>[\d.]+)(?P<u>.*)", literal)
    if m is None:
        return literal, literal
    n, unit = float(m["n"]), m["u"]
    step = max(n * 0.01, 0.01) if kind != "数量" else 1.0
    above, below, exact = (f"{x:.12g}{unit}" for x in (n + step, max(n - step, 0), n))
    return {">=": (exact, below), ">": (above, exact), "<=": (exact, above), "<": (below, exact)}[op]


def proposed(flat: str, lexicon: Lexicon) -> tuple[str, str]:
    """猜测: a guess for the person and the name of an indicator the dictionary lacks."""
    for part in re.split(r"[，；、]|且|并且", flat):
        read = read_number(part, lexicon.numbers)
        if read is not None and (read.guess or read.missing):
            return read.guess, read.missing
    return "", ""


def measured(words: str, lexicon: Lexicon) -> str:
    """计量: the money indicator that words name exactly, with its year."""
    entry, sure = lexicon.numbers.find(_LASTYEAR.sub("", words))
    if entry is None or not sure or entry.kind != "金额":
        return ""
    return f"{entry.name}[Y]" if entry.yearly else entry.name


def _noun(words: str) -> str:
    bare = re.sub(
        r"(?:达到?|不低于|不少于|不超过|不高于|超过|高于|低于|不足|不满|在|为|累计|满|至少|应|须)+$",
        "",
        words,
    )
    return re.split(r"[，。；：的且并]", bare)[-1][-12:]
