"""条件成式: a condition's words as an expression of the rule language where every word is accounted for; else a question.

Readers take out of the words what they understand, one fact after another (`readers.py`); an expression is sure only where
nothing is left but words that add nothing, and where it is plain whether all of several facts must hold or any of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from engine.indicators import Dictionary

from .facts import PEOPLE, Found, Leaf, Lexicon, leaf
from .mixed import parts_of
from .money import measured, proposed
from .quantities import number
from .readers import read_facts

SURE = 0.85


@dataclass(frozen=True, slots=True)
class Proposal:
    """成式建议: `leaves` where the words are sure, joined as `join` says (all, any), else `ask`; `guess` an unsure expression
    for the person; `missing` an indicator that the dictionary lacks; `score` between 0 and 1; `parts`: where only some of the
    words are sure, exact pieces of the quote (start, end) with a proposal each; `note`: what the reading takes for granted."""

    leaves: tuple[Leaf, ...] = ()
    join: str = "all"
    ask: str = ""
    guess: str = ""
    missing: str = ""
    score: float = 0.0
    parts: tuple[tuple[int, int, Proposal], ...] = ()
    note: str = ""

    @property
    def sure(self) -> bool:
        """有把握: whether the words fixed an expression."""
        return bool(self.leaves)

    @property
    def when(self) -> str:
        """式子: the first leaf's expression; empty where the words are not sure."""
        return self.leaves[0].when if self.leaves else ""

    @property
    def indicators(self) -> set[str]:
        """所用指标: the indicators of the leaves, without years."""
        return {name for leaf in self.leaves for name in leaf.indicators}

    def node(self) -> dict[str, object]:
        """节点: the condition node of a rule file, without id, cite and quote."""
        if not self.leaves:
            return {"ask": self.ask}
        if len(self.leaves) == 1:
            return self.leaves[0].node()
        return {self.join: [leaf.node() for leaf in self.leaves]}

    @property
    def told(self) -> str:
        """写法: how a rule file would put it, in one line, for the person who is to agree."""
        if self.parts:
            return "；".join(p.told for _, _, p in self.parts)
        if not self.leaves:
            return f"ask: {self.ask}"
        whens = [f"not {x.when}" if x.negated else x.when for x in self.leaves]
        said = "when: " + {"any": " 或 "}.get(self.join, " 且 ").join(whens)
        new = sorted({name for x in self.leaves for name in x.new})
        beside = [*([f"拟设指标 {'、'.join(new)}"] if new else []), *([self.note] if self.note else [])]
        return f"{said}（{'；'.join(beside)}）" if beside else said

    def asked(self, question: str) -> Proposal:
        """改问: the same as a question; what was sure stays as a guess for the person."""
        return Proposal(ask=question, guess=self.when or self.guess, missing=self.missing, score=self.score)


def _before(text: str, at: int) -> str:
    """What the text says before a place in it; a line that ends without a mark goes on in the next."""
    said = text[max(0, at - 240) : at]
    return re.sub(r"\s*\n\s*", "", re.sub(r"(?<=[。；：！？:;])\s*\n\s*", "。", said))


_NEEDS = "经营满这些年的，成立必已满这些年；是否持续经营另问"
# A firm's own time in business; a project's, a fund's or a park's says nothing of when the firm was founded.
_IN_BUSINESS = re.compile(
    r"(?:(?:申[请报])?(?:企业|公司|单位)(?:已|须|应)?)?(?:已)?(?:依法)?(?:(?:工商)?(?:注册登记|登记注册|注册|成立|设立)(?:成功)?(?:后|并|且|以来)?，?)?(?:(?:已|持续|连续|正常|稳定|合法|依法|实际)*)"
    r"(?:经营|营业|生产经营)(?:时间|期限)?(?:已)?(?:满|达到?|不少于|不低于|在)?(?P<n>[一二两三四五六七八九十\d]+)年(?:（含）)?(?:及?以上)?(?:（含[^）]*）)?"
)
# A comparison of a figure, as against one of a date or a member of a list.
_FIGURE = re.compile(r"[<>]=? *[\d.]+(?:万|亿)?(?:元|%|[\u4e00-\u9fa5]|$)(?!\d*-)")

_MARK = "◆"
_BARE_MARK = "◇"  # a fact that is only a noun (高新技术企业, 制造业): 、 between two of them may mean either
FILLER = re.compile(
    r"本(?:办法|措施|政策|细则|意见|规定|通知|若干措施|实施细则)(?:仅)?适用于|(?:提出)?申[报请]时|申[报请领](?:人|单位|企业|主体|对象)|项目(?:申报|承担|实施|建设)?单位|上述|该|其|本项目|所创办的|创业(?:组织|主体|企业)|市场主体|经营主体|企业|单位|公司|机构|法人|的|应当|应该|应|必须|须|需|具有|具备|拥有|"
    r"属于|是|为|已|依法|依规|取得|获得|获|通过|经|认定|有效期内|有效|期内|资格|资质|称号|符合|满足|条件|当前|目前|现|对于|对|凡是|凡|在|且|并且|并|同时|以及|及|和|"
    r"[，、。（）“”《》：:；;\s]|处于|处在|以下|下列|基本|正常|国家级?(?=◇)|均|方可|才能|可"
)
_OR = re.compile(r"或者?|之一|任一|任意")
_AND = re.compile(r"且|并|同时|，|以及")


class Proposer:
    """成式: proposes expressions against one dictionary, the place words a library knows and the industries by name."""

    def __init__(
        self,
        dictionary: Dictionary,
        places: Mapping[str, str],
        own: Mapping[str, str] | None = None,
        industries: Mapping[str, str] | None = None,
        words: Mapping[str, str] | None = None,
        short: Mapping[str, str] | None = None,
        divisions: Mapping[str, str] | None = None,
        meanings: Mapping[str, str] | None = None,
    ):
        """`words`: what the document says of its own number words (以上: 不含); `short`: its short names; `divisions`: places of
        the country by name, with their codes; `meanings`: the terms it explains."""
        self.meanings = dict(meanings or {})
        self.dictionary = dictionary
        self.lexicon = Lexicon(dictionary, places, own or {}, industries or {}, words or {}, divisions)
        self.short = dict(short or {})

    def plain(self, quote: str) -> str:
        """整字: a quote without white space, in full names."""
        flat = plain(quote)
        for name, full in self.short.items():
            if full not in flat:
                flat = flat.replace(name, full)
        return flat

    def propose(self, quote: str, text: str = "", at: int = -1) -> Proposal:
        """建议: the expression or question of one quote, in parts where only some of its words are sure; `text` and `at` tell the
        sentence it stands in."""
        whole = self._whole(quote, text, at)
        if whole.sure:
            return whole

        def read(piece: str, a: int, at_de: bool = False) -> Proposal:
            said = self._whole(piece, text, at + a if at >= 0 else -1)
            return (
                replace(said, leaves=())
                if at_de and any(_FIGURE.search(x.when) for x in said.leaves)
                else said
            )

        spans = parts_of(quote, lambda piece, a, at_de: read(piece, a, at_de).sure)
        if spans:
            return replace(whole, parts=tuple((a, b, read(quote[a:b], a)) for a, b in spans))
        return self._implied(quote, whole)

    def _implied(self, quote: str, whole: Proposal) -> Proposal:
        """蕴含: who has been in business for two years was founded at least two years ago: that much is compared, the rest asked."""
        m = _IN_BUSINESS.fullmatch(plain(quote))
        years = number(m["n"]) if m and re.search(r"满|达|不少于|不低于|以上", quote) else None
        if not years or "成立日期" not in self.dictionary:
            return whole
        when = f"成立日期 <= 申报开始 - {int(years)}年"
        said = Proposal((leaf(when, "成立日期", "2000-01-01", "OPENS"),), score=SURE, note=_NEEDS)
        return replace(whole, parts=((0, len(quote), said), (0, len(quote), whole)))

    def _whole(self, quote: str, text: str, at: int) -> Proposal:
        flat = self.plain(quote)
        question = _question(plain(quote))
        lexicon = self.lexicon
        if text and at >= 0:
            behind = re.split(r"[，。；\n]", text[at + len(quote) : at + len(quote) + 24])[0]
            lexicon = lexicon.within(self.plain(_before(text, at)), plain(behind))
        found = read_facts(flat, lexicon)
        if (said := _joined(flat, found)) is not None and not _of_shame(said[0]):
            note = next((f.fact.note for f in found if f.fact.note), "")
            return Proposal(said[0], said[1], score=min(f.fact.score for f in found), note=note)
        if (term := self._term(flat)) and text:
            meant = self._whole(self.meanings[term], "", -1)
            if meant.sure:
                return meant
            question = f"{question}（本文所称{term}，是指{self.meanings[term]}）"
        guess, missing = proposed(flat, self.lexicon)
        if not guess and not found and (trade := _TRADE.search(flat)):
            guess = f'经营范围 含 "{trade["x"]}"'
        if not guess and found:
            guess = "；".join(leaf.when for f in found for leaf in f.fact.leaves)
        return Proposal(ask=question, guess=guess, missing=missing, score=0.5 if guess else 0.3)

    def _term(self, flat: str) -> str:
        """The term of the document's own that a quote consists of."""
        for term in sorted(self.meanings, key=len, reverse=True):
            if term in flat and not FILLER.sub("", flat.replace(term, "", 1)):
                return term
        return ""

    def barred(self, quote: str) -> Proposal:
        """排除建议: what an exclusion's words fix (列入失信被执行人名单的，不予支持): the leaves turned round."""
        flat = self.plain(quote)
        told = re.sub(
            r"(?:一律|将|原则上)?(?:不予|不再|不得|不能|不享受|不支持|不纳入|不适用|除外|不含|不包括).*$|^(?:不含|不包括|除)",
            "",
            flat,
        )
        if _CLEAN.search(flat):
            return self.propose(quote)  # told the right way round: what must not have happened
        limit = _LIMITS.search(flat) and not _BARS.search(flat)
        question = f"是否没有超出这项限制：{flat}？" if limit else f"是否确认没有下列排除情形：{flat}？"
        if re.search(r"不得(?!申[报请领]|享受|纳入|参与|参加|获得|列入|推荐|认定|给予)", flat):
            return Proposal(ask=question)  # a duty, whom it bars is told elsewhere
        if not told or not re.search(r"不|除外", flat):
            return Proposal(ask=question)
        found = read_facts(told, self.lexicon)
        said = _joined(told, found)
        if said is None or (len(said[0]) > 1 and said[1] == "all" and not _lists_registers(said[0])):
            return Proposal(ask=question)
        return Proposal(tuple(leaf.turned() for leaf in said[0]), "all", score=SURE)

    def measure(self, words: str) -> str:
        """计量: the money indicator that words name exactly, with its year; empty where they name none."""
        return measured(words, self.lexicon)


def _of_shame(leaves: Iterable[Leaf]) -> bool:
    """Whether a condition would demand a bad record: then the words bar somebody and were taken for a condition."""
    return any(
        leaf.when.endswith("= 是") and leaf.indicators & _BAD_RECORDS and not leaf.negated for leaf in leaves
    )


_BAD_RECORDS = frozenset(
    ("严重违法失信名单", "经营异常名录", "失信被执行人", "重大税收违法", "科研失信", "环境违法")
)


def _lists_registers(leaves: Iterable[Leaf]) -> bool:
    return all(leaf.when.endswith(("= 是", "= 否")) for leaf in leaves)


def plain(quote: str) -> str:
    """整字: a quote without white space, full-width signs made plain."""
    flat = re.sub(r"\s+", "", quote).translate(str.maketrans("％０１２３４５６７８９", "%0123456789"))
    return (
        flat.replace("(", "（").replace(")", "）").replace(",", "，")
        if not re.search(r"\d,\d{3}", flat)
        else flat
    )


_PERSONS = re.compile(
    r"(?:已|并)?经[^，。；的]{2,16}(?:部门|局)认定的|人员|个人|人才|人士|者(?=$|[，。；])|申请人"
)


_BESIDE = re.compile(
    rf"(?:企业|单位|公司|机构|个人|团队|组织)(?:[、和及或与]|以及|或者){_BARE_MARK}|{_BARE_MARK}(?:[、和及或与]|以及|或者)(?:企业|单位|公司|机构|个人|团队|组织)"
)


def _joined(flat: str, found: list[Found]) -> tuple[tuple[Leaf, ...], str] | None:
    """The leaves of all facts with all or any, where nothing is left over and the join is plain."""
    if not found:
        return None
    text, at = "", 0
    for f in found:
        text += flat[at : f.start] + (_BARE_MARK if f.fact.bare else _MARK)
        at = f.end
    text += flat[at:]
    either = bool(_OR.search(text))
    if any(leaf.indicators & PEOPLE for f in found for leaf in f.fact.leaves):
        text = _PERSONS.sub("", text)
    if re.search(r"符合(?:规定|相关|有关|上述|以下|下列|申报|申请)?条件", text):
        return None  # which conditions?
    if FILLER.sub("", _OR.sub("", text) if either else text).strip(_MARK + _BARE_MARK):
        return None
    if any(f.fact.kinds for f in found) and _BESIDE.search(text):
        return None  # 企业、◇: another kind of applicant stands beside
    leaves = tuple(leaf for f in found for leaf in f.fact.leaves)
    if len(found) == 1:
        return leaves, found[0].fact.join
    if all(f.fact.kinds for f in found) and re.fullmatch(
        rf"[^{_BARE_MARK}]*{_BARE_MARK}(?:(?:[、和及或与，]|以及|或者){_BARE_MARK})+[^{_BARE_MARK}]*", text
    ):
        return leaves, "any"
    if any(len(f.fact.leaves) > 1 and f.fact.join == "any" for f in found):
        return None
    if sum(f.fact.kinds for f in found) > 1:
        return None
    if either:
        mixed = bool(_AND.search(text)) or any(len(f.fact.leaves) > 1 for f in found)
        return None if mixed else (leaves, "any")
    if re.search(rf"{_BARE_MARK}[企业]*(?:、|和|及){_BARE_MARK}", text):
        return None
    return leaves, "all"


# What a firm deals in, where it can at least be looked up in its scope of business.
_TRADE = re.compile(
    r"(?:从事|主营(?:业务)?(?:为|是)?|主要经营)(?P<x>[\u4e00-\u9fa5]{2,6}?)(?=业|的|、|和|及|与|研发|生产|制造|经营|服务|管理|活动|业务|销售|$)"
)
_BARS = re.compile(r"(?:不得|不能|不可)(?:申[报请领]|享受|参与|参加)|不予|不再|取消.{0,6}资格|除外$|终止")
_CLEAN = re.compile(
    r"^(?!.*(?:不予|不得|除外|不再))(?:.*?[，、])?[^，。；]{0,14}(?:未|没有|不存在|无)(?=[^，。；]{3,}(?<!的)(?<!的企业)(?<!的单位)(?<!的项目)$)"
)
_LIMITS = re.compile(
    r"(?:不得?超过|最多|最高|至多|仅限?|只能|限)[^，。；]{0,10}?(?:[一二两三四五\d]+(?:次|项|个|家|人|件|年|轮)|一[次项个家人])"
)


def _question(flat: str) -> str:
    if _BARS.search(flat):
        return f"是否确认没有下列排除情形：{flat}？"
    return f"是否{'' if re.match(r'已|属于|具有|具备|符合|取得|在', flat) else '符合：'}{flat}？"


_OWN = re.compile(
    r"^(?:关于)?(?:印发|组织申报|实施|开展|受理|促进|支持)*[《]?(?P<p>[\u4e00-\u9fa5]{2,3}省)?(?P<c>[\u4e00-\u9fa5]{2,3}市)?"
    r"(?P<d>[\u4e00-\u9fa5]{1,5}?(?:新区|保税区|开发区|高新区|自贸区|工业园区|示范区|区|县))?"
)


_OFFICE = r"[\u4e00-\u9fa5]{0,10}?(?:局|委员会|委|政府|办公室)(?![\u4e00-\u9fa5]?长)"


def places_of_offices(text: str, divisions: Mapping[str, str]) -> dict[str, str]:
    """机关的地名: the city and the county whose own offices a text names again and again, as the place words they stand for."""
    counts: dict[str, dict[str, int]] = {"市": {}, "区": {}}
    for m in re.finditer(
        rf"(?<![省市区县\u4e00-\u9fa5])(?P<c>[\u4e00-\u9fa5]{{2,4}}市)?(?P<d>[\u4e00-\u9fa5]{{1,4}}[区县])?{_OFFICE}",
        text,
    ):
        for key, name in (("市", m["c"]), ("区", m["d"])):
            if name and name in divisions:
                counts[key][name] = counts[key].get(name, 0) + 1
    out = {}
    for key, found in counts.items():
        ranked = sorted(found.items(), key=lambda x: -x[1])
        if ranked and ranked[0][1] >= 2 and (len(ranked) == 1 or ranked[0][1] >= 3 * ranked[1][1]):
            out[ranked[0][0]] = "本" + key
    return out


def own_places(names: Iterable[str]) -> dict[str, str]:
    """自己的地名: the place names at the head of a document's title and issuer, as the place words they stand for."""
    out: dict[str, str] = {}
    for name in names:
        m = _OWN.match(re.sub(r"\s+|^中共", "", name))
        if m is None or m["d"] in ("市区", "城区", "县区"):
            continue
        for group, word in (("p", "本省"), ("c", "本市"), ("d", "本区")):
            if m[group]:
                out[m[group]] = word
                longer = (m["p"] or "") + (m["c"] or "") + (m["d"] or "")
                out[longer] = "本区" if m["d"] else "本市" if m["c"] else "本省"
    return out
