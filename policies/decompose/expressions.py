"""条件成式: a condition's words as an expression of the rule language where every word is accounted for; else a question.

Readers take out of the words what they understand, one fact after another (`readers.py`); an expression is sure only where
nothing is left but words that add nothing, and where it is plain whether all of several facts must hold or any of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engine.indicators import Dictionary

from .facts import Found, Leaf, Lexicon
from .money import measured, proposed
from .readers import read_facts

SURE = 0.85


@dataclass(frozen=True, slots=True)
class Proposal:
    """成式建议: `leaves` where the words are sure, joined as `join` says (all, any), else `ask`; `guess` an unsure expression
    for the person; `missing` an indicator that the dictionary lacks; `score` between 0 and 1."""

    leaves: tuple[Leaf, ...] = ()
    join: str = "all"
    ask: str = ""
    guess: str = ""
    missing: str = ""
    score: float = 0.0

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

    def asked(self, question: str) -> Proposal:
        """改问: the same as a question; what was sure stays as a guess for the person."""
        return Proposal(ask=question, guess=self.when or self.guess, missing=self.missing, score=self.score)


_MARK = "◆"
_BARE_MARK = "◇"  # a fact that is only a noun (高新技术企业, 制造业): 、 between two of them may mean either
FILLER = re.compile(
    r"申[报请领](?:人|单位|企业|主体|对象)|项目(?:申报|承担|实施|建设)?单位|上述|该|其|本项目|所创办的|创业(?:组织|主体|企业)|市场主体|经营主体|企业|单位|公司|机构|法人|的|应当|应该|应|必须|须|需|具有|具备|拥有|"
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
    ):
        """`words`: what the document says of its own number words (以上: 不含); `short`: its short names."""
        self.dictionary = dictionary
        self.lexicon = Lexicon(dictionary, places, own or {}, industries or {}, words or {})
        self.short = dict(short or {})

    def plain(self, quote: str) -> str:
        """整字: a quote without white space, in full names."""
        flat = plain(quote)
        for name, full in self.short.items():
            if full not in flat:
                flat = flat.replace(name, full)
        return flat

    def propose(self, quote: str) -> Proposal:
        """建议: the expression or question of one quote."""
        flat = self.plain(quote)
        question = _question(plain(quote))
        found = read_facts(flat, self.lexicon)
        if (said := _joined(flat, found)) is not None:
            return Proposal(said[0], said[1], score=min(f.fact.score for f in found))
        guess, missing = proposed(flat, self.lexicon)
        if not guess and found:
            guess = "；".join(leaf.when for f in found for leaf in f.fact.leaves)
        return Proposal(ask=question, guess=guess, missing=missing, score=0.5 if guess else 0.3)

    def barred(self, quote: str) -> Proposal:
        """排除建议: what an exclusion's words fix (列入失信被执行人名单的，不予支持): the leaves turned round."""
        flat = self.plain(quote)
        told = re.sub(
            r"(?:一律|将|原则上)?(?:不予|不再|不得|不能|不享受|不支持|不纳入|不适用|除外|不含|不包括).*$|^(?:不含|不包括|除)",
            "",
            flat,
        )
        question = f"是否确认没有下列排除情形：{flat}？"
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
    if FILLER.sub("", _OR.sub("", text) if either else text).strip(_MARK + _BARE_MARK):
        return None
    leaves = tuple(leaf for f in found for leaf in f.fact.leaves)
    if len(found) == 1:
        return leaves, found[0].fact.join
    if any(len(f.fact.leaves) > 1 and f.fact.join == "any" for f in found):
        return None
    if either:
        mixed = bool(_AND.search(text)) or any(len(f.fact.leaves) > 1 for f in found)
        return None if mixed else (leaves, "any")
    if re.search(rf"{_BARE_MARK}[企业]*(?:、|和|及){_BARE_MARK}", text):
        return None
    return leaves, "all"


def _question(flat: str) -> str:
    return f"是否{'' if re.match(r'已|属于|具有|具备|符合|取得|在', flat) else '符合：'}{flat}？"


_OWN = re.compile(
    r"^(?:关于)?(?:印发|组织申报|实施|开展|受理|促进|支持)*[《]?(?P<p>[\u4e00-\u9fa5]{2,3}省)?(?P<c>[\u4e00-\u9fa5]{2,3}市)?"
    r"(?P<d>[\u4e00-\u9fa5]{1,5}?(?:新区|保税区|开发区|高新区|自贸区|工业园区|示范区|区|县))?"
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
