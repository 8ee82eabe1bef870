"""条件成式: a condition's words as an expression of the rule language where every word is accounted for; else a question.

An expression is sure only where the indicator is named by the dictionary or one of its synonyms, the operator, number,
unit and period are read from the words, and nothing of the quote is left over that could be another condition.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from rapidfuzz import fuzz, process

from engine.indicators import Dictionary, Indicator

from .conditions import parse_condition
from .quantities import number, quantities

SURE, FUZZY = 1.0, 88.0
_LASTYEAR = re.compile(r"上一?(?:会计|纳税|自然)?年度?|上年末?|前一(?:会计)?年度?")
_FILLER = re.compile(
    r"企业|单位|申[报请](?:人|单位|企业)?|项目单位|法人|公司|的|且|并|应当?|须|需|其|该|总?额|金额|数量?|累计|达到?|在|为|于|年度?|实现|当年|人民币|"
    r"不低于|不少于|不超过|不高于|超过|高于|低于|不足|不满|至少|以上|以下|以内|及|（含）|含|满|具有|具备|属于|是|已|经|取得|获得|有效期内|认定|有效|依法|"
    r"[，、。（）“”《》\d.%％万亿元人户家个件项年月日]|大于|小于|等于|列入|未|被|无|没有|名单|记录|资格|不存在|企业[，]?"
)
_NEGATIVE = re.compile(r"未被?|没有|无(?!偿)|不存在|非(?=失信)|不属于|未列入")
_GROWTH = re.compile(
    r"(?:同比|比上年|较上年|比上一?年度?|较上一?年度?|比前一年度?|年均)?(?:增长|增幅|增速)(?:率|达到?|超过|不低于)?"
)
_PLACE = re.compile(
    r"(?P<w>本|我|全)?(?P<l>区|市|省|县)(?:地区|行政区域|辖区|范围|境)?(?:内)?(?:依法)?(?:工商)?(?:登记)?(?:注册|登记|设立|落户)(?:登记)?|"
    r"(?:注册|登记|设立)(?:登记)?(?:地址?)?(?:或登记地)?在(?P<w2>本|我)(?P<l2>区|市|省|县)(?:行政区域|辖区)?(?:内)?"
)
_AND = re.compile(r"[，、]|并且|且|并(?=具|在|有|符|依)|、")
_OR = re.compile(r"或|之一|任一")
_AGE = re.compile(
    r"(?:成立|设立|注册|登记)(?:登记|成立|注册)?(?:时间|年限)?(?:已|须|应|需)?(?:满|达到?|超过|不少于|不低于)?(?P<n>[一二三四五六两\d]+)(?:个)?(?P<u>年|月)(?:（含）)?(?:以上)?$"
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """成式建议: `when` where the words are sure, else `ask`; `guess` an unsure expression for the person; `missing` an
    indicator that the dictionary lacks; `score` between 0 and 1."""

    when: str = ""
    ask: str = ""
    guess: str = ""
    missing: str = ""
    score: float = 0.0
    sample: tuple[str, str, str] = ("", "", "")  # indicator, value that holds, value that fails
    parts: tuple[Proposal, ...] = ()  # several expressions that must all hold (在本区注册、具有独立法人资格)


class Proposer:
    """成式: proposes expressions against one dictionary and the place words a library knows."""

    def __init__(
        self, dictionary: Dictionary, places: Mapping[str, str], own: Mapping[str, str] | None = None
    ):
        self.dictionary = dictionary
        self.own = dict(own or {})  # the document's own place names → 本市, 本区 …
        self.places = dict(places)  # 本区 → a code of it
        self.names: dict[str, Indicator] = {}
        for name in dictionary:
            entry = dictionary[name]
            for word in (name, *entry.synonyms):
                self.names.setdefault(_bare(word), entry)

    def propose(self, quote: str) -> Proposal:
        """建议: the expression or question of one quote."""
        flat = re.sub(r"\s+", "", quote)
        question = Proposal(ask=_question(flat))
        said = self._one(flat, question)
        if said.when:
            return said
        pieces = [x for x in _AND.split(flat) if x]
        if len(pieces) > 1 and not _OR.search(flat):
            parts = tuple(self._one(piece, question) for piece in pieces)
            if all(p.when for p in parts):
                return Proposal(when=parts[0].when, score=min(p.score for p in parts), parts=parts)
        return said

    def _one(self, flat: str, question: Proposal) -> Proposal:
        for reader in (self._place, self._age, self._number, self._status):
            found = reader(flat)
            if found is not None:
                return found if found.when else replace(found, ask=question.ask)
        return question

    def _place(self, flat: str) -> Proposal | None:
        for name in sorted(self.own, key=len, reverse=True):
            flat = flat.replace(name, self.own[name])
        m = _PLACE.search(flat)
        if not m or not (m["w"] or m["w2"]):
            return None
        word = "本" + (m["l"] or m["l2"]).replace("县", "区")
        if word not in self.places or _left_over(flat.replace(m.group(), ""), ()):
            return Proposal(guess=f"登记地区划 in {word}", score=0.6)
        code = self.places[word].rstrip("*")
        return Proposal(
            when=f"登记地区划 in {word}", score=0.95, sample=("登记地区划", f'"{code}"', '"999999"')
        )

    def _age(self, flat: str) -> Proposal | None:
        m = _AGE.search(flat)
        if (
            not m
            or "超过" in m.group()
            or "入" in flat[: m.start()]
            or _left_over(flat.replace(m.group(), ""), ())
        ):
            return None
        n = number(m["n"])
        if n is None:
            return None
        span = f"{int(n)}{'个月' if m['u'] == '月' else '年'}"
        return Proposal(
            when=f"成立日期 <= 申报开始 - {span}", score=0.9, sample=("成立日期", "2000-01-01", "AFTER")
        )

    def _number(self, flat: str) -> Proposal | None:
        parsed = parse_condition(flat)
        if parsed.kind != "numeric" or parsed.op in ("", "between", "==") or isinstance(parsed.value, str):
            return None
        q = next((q for q in quantities(flat) if q.kind in ("money", "percent", "count")), None)
        if q is None:
            return None
        growth = _GROWTH.search(flat[: q.start])
        words = re.sub(r"^" + _LASTYEAR.pattern, "", flat[: growth.start() if growth else q.start])
        entry, sure = self._indicator(words)
        if entry is None:
            return Proposal(missing=_noun(words), score=0.3)
        literal = flat[q.start : q.end].replace("％", "%")
        if q.unit == "百分点" or not re.fullmatch(r"[\d.,]+(?:万|亿)?(?:元|%|[^\d%]{1,3})?", literal):
            return Proposal(guess=f"{entry.name}：{flat}", score=0.4)
        fits = _fits(entry, q.kind, q.unit, bool(growth))
        dated = bool(_LASTYEAR.search(flat)) or not entry.yearly
        name = f"{entry.name}[Y]" if entry.yearly else entry.name
        left = f"增长率({name})" if growth else name
        unit = literal if q.kind != "count" or entry.unit else re.sub(r"[^\d.]+$", "", literal)
        text = f"{left} {parsed.op} {unit.replace(',', '')}"
        rest = flat[: q.start].replace(growth.group() if growth else "", "") + flat[q.end :]
        if (
            not (sure and fits and dated)
            or _left_over(_LASTYEAR.sub("", rest), (entry.name, *entry.synonyms))
            or (growth and "比" in rest)
        ):
            return Proposal(guess=text if fits else "", score=0.55 if sure else 0.45)
        if growth:
            return Proposal(when=text, score=0.85)
        holds, fails = _both_sides(parsed.op, unit.replace(",", ""), entry.kind)
        return Proposal(when=text, score=0.9, sample=(name, holds, fails))

    def _status(self, flat: str) -> Proposal | None:
        negative = bool(_NEGATIVE.search(flat))
        for word in sorted(self.names, key=len, reverse=True):
            if len(word) < 4 or word not in _bare(flat):
                continue
            entry = self.names[word]
            rest = _bare(flat).replace(word, "", 1)
            if (
                entry.kind not in ("是否", "日期")
                or _left_over(rest, ())
                or re.search(r"或|、|首次|初次|新[获增认评列引入办]", flat)
            ):
                return None
            if entry.kind == "日期":
                if not entry.name.endswith("有效期至") or negative:
                    return None
                return Proposal(
                    when=f"{entry.name} >= 申报开始",
                    score=0.85,
                    sample=(entry.name, "2099-12-31", "2000-01-01"),
                )
            if entry.yearly:
                return Proposal(guess=f"{entry.name}[Y] = {'否' if negative else '是'}", score=0.5)
            value = "否" if negative else "是"
            other = "是" if negative else "否"
            return Proposal(when=f"{entry.name} = {value}", score=0.85, sample=(entry.name, value, other))
        return None

    def _indicator(self, words: str) -> tuple[Indicator | None, bool]:
        """The indicator that words name: exactly by name or synonym (sure), else the nearest (not sure)."""
        bare = _bare(
            re.sub(
                r"^(?:"
                + "|".join(
                    ("企业", "单位", "项目单位", "申报单位", "申报企业", "年度?", "累计", "实现", "其")
                )
                + r")+",
                "",
                words,
            )
        )
        bare = re.sub(r"(?:达到?|不低于|不少于|超过|高于|在|为|累计|不超过|低于|满|不足|不高于)+$", "", bare)
        for body in (bare, re.sub(r"(?:总?额|总量|数量?)$", "", bare)):
            if body in self.names:
                return self.names[body], True
        near = (
            process.extractOne(bare, list(self.names), scorer=fuzz.ratio, score_cutoff=FUZZY)
            if bare
            else None
        )
        return (self.names[near[0]], False) if near else (None, False)


def _bare(word: str) -> str:
    return re.sub(r"[\s“”\"（）()]", "", word)


def _noun(words: str) -> str:
    bare = re.sub(
        r"(?:达到?|不低于|不少于|不超过|不高于|超过|高于|低于|不足|不满|在|为|累计|满|至少)+$", "", words
    )
    return re.split(r"[，。；：的]", bare)[-1][-12:]


def _left_over(rest: str, known: tuple[str, ...]) -> bool:
    """Whether words are left that could say something more."""
    for word in sorted(known, key=len, reverse=True):
        rest = rest.replace(word, "")
    return len(_FILLER.sub("", _bare(rest))) > 0


def _fits(entry: Indicator, kind: str, unit: str, growth: bool) -> bool:
    if growth:
        return kind == "percent" and entry.yearly and entry.kind in ("金额", "数量")
    wanted = {"money": "金额", "percent": "比例", "count": "数量"}[kind]
    if entry.kind != wanted or (kind == "money" and unit != "元"):
        return False
    return kind != "count" or not entry.unit or entry.unit == unit or {entry.unit, unit} <= {"人", "名"}


def _both_sides(op: str, literal: str, kind: str) -> tuple[str, str]:
    """A value that holds and one that fails, at the boundary."""
    m = re.match(r"(?P<n>[\d.]+)(?P<u>.*)", literal)
    if m is None:
        return literal, literal
    n, unit = float(m["n"]), m["u"]
    step = max(n * 0.01, 0.01) if kind != "数量" else 1.0
    above, below = f"{n + step:g}{unit}", f"{max(n - step, 0):g}{unit}"
    exact = f"{n:g}{unit}"
    return {">=": (exact, below), ">": (above, exact), "<=": (exact, above), "<": (below, exact)}[op]


def _question(flat: str) -> str:
    return f"是否{'' if re.match(r'已|属于|具有|具备|符合|取得|在', flat) else '符合：'}{flat}？"


_OWN = re.compile(
    r"^(?:关于)?(?:印发|组织申报|实施|开展|受理)?[《]?(?P<p>[\u4e00-\u9fa5]{2,3}省)?(?P<c>[\u4e00-\u9fa5]{2,3}市)?(?P<d>[\u4e00-\u9fa5]{1,4}(?:区|县))?"
)


def own_places(names: Iterable[str]) -> dict[str, str]:
    """自己的地名: the place names at the head of a document's title and issuer, as the place words they stand for."""
    out: dict[str, str] = {}
    for name in names:
        m = _OWN.match(re.sub(r"\s+", "", name))
        if m is None:
            continue
        for group, word in (("p", "本省"), ("c", "本市"), ("d", "本区")):
            if m[group]:
                out[m[group]] = word
                longer = (m["p"] or "") + (m["c"] or "") + (m["d"] or "")
                out[longer] = "本区" if m["d"] else "本市" if m["c"] else "本省"
    return out
