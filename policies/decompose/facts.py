"""事实: what a condition's words fix, as comparisons with facts on both sides, and the vocabulary the readers know."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field, replace

from engine.indicators import Dictionary, Indicator

from .money import Numbers

Facts = Mapping[str, str]


def leaf(
    when: str, name: str, holds: str, fails: str, negated: bool = False, new: Indicator | None = None
) -> Leaf:
    """单指标叶子: a leaf over one indicator; `new` where the dictionary lacks it."""
    return Leaf(when, {name: holds}, {name: fails}, negated, {new.name: new} if new else {})


@dataclass(frozen=True, slots=True)
class Leaf:
    """叶子: one comparison, facts (indicator, with [Y] where yearly → value) under which it holds and fails; `negated` turns it;
    `new`: the indicators it needs that the dictionary lacks, as they are proposed."""

    when: str
    holds: Facts
    fails: Facts
    negated: bool = False
    new: Mapping[str, Indicator] = field(default_factory=dict)

    @property
    def indicators(self) -> frozenset[str]:
        """所用指标: the names of its indicators, without years."""
        return frozenset(name.split("[")[0] for name in self.holds)

    def node(self) -> dict[str, object]:
        """节点: as rule files write it."""
        return {"not": {"when": self.when}} if self.negated else {"when": self.when}

    def turned(self) -> Leaf:
        """反面: what must hold where this bars."""
        if self.when.endswith(("= 是", "= 否")):
            other = self.when[:-1] + ("否" if self.when.endswith("是") else "是")
            return replace(self, when=other, holds=self.fails, fails=self.holds)
        return replace(self, negated=not self.negated, holds=self.fails, fails=self.holds)


@dataclass(frozen=True, slots=True)
class Fact:
    """事实: leaves that must all or any hold; `bare` where it is only a noun; a score for the person; `kinds` where it tells of
    what kind an applicant is, so that two such facts are alternatives; `note` what the person should know of the reading."""

    leaves: tuple[Leaf, ...]
    join: str = "all"
    bare: bool = False
    score: float = 0.9
    kinds: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """所在: where in the words a fact stands."""

    start: int
    end: int
    fact: Fact


# Indicators of a person, who stands in a row of the enterprise's list.
PEOPLE = frozenset(
    (
        "出生日期",
        "学历层次",
        "人才层次",
        "毕业日期",
        "劳动合同起始日期",
        "劳动合同终止日期",
        "连续参保月数",
        "职业技能等级",
        "年度工资薪金",
        "人员类别",
        "职称等级",
        "法定退休日期",
        "户籍地区划",
        "工作地区划",
    )
)

# Municipalities go by one character behind 在 (在京, 在沪).
_SHORT_PLACES = {"北京": "京", "上海": "沪", "天津": "津", "重庆": "渝"}


class Lexicon:
    """词汇: the dictionary's names and synonyms, the place words with codes, the industries by name."""

    def __init__(
        self,
        dictionary: Dictionary,
        places: Mapping[str, str],
        own: Mapping[str, str],
        industries: Mapping[str, str],
        words: Mapping[str, str],
        divisions: Mapping[str, str] | None = None,
    ):
        self.divisions = dict(divisions or {})
        self.numbers = Numbers(dictionary, words)
        self.places = {k: v for k, v in places.items() if v}
        self.own = dict(own)
        for name, word in own.items():
            stem = re.sub(r"(?:省|市|县|区)$", "", name)
            if len(stem) >= 2 and stem != name:
                self.own.setdefault(stem, word)
            if stem in _SHORT_PLACES:
                self.own.setdefault(_SHORT_PLACES[stem], word)
        self.industries = {
            n: c for n, c in industries.items() if len(n) >= 3 and n.endswith(("业", "服务")) and n != "农业"
        }
        for name, code in list(self.industries.items()):
            if name.endswith("业") and len(name) >= 3 and "、" not in name and "和" not in name:
                self.industries.setdefault(f"{name[:-1]}企业", code)  # 制造业 → 制造企业
        if industries:
            self.industries |= {"工业": "工业"}
        self.named: dict[str, Indicator] = {}
        for name in dictionary:
            entry = dictionary[name]
            for word in (name, *entry.synonyms):
                if len(word) >= 4:
                    self.named.setdefault(re.sub(r"[“”\"（）]", "", word), entry)
        self.dictionary = dictionary
        self.before = self.after = ""

    def within(self, before: str, after: str) -> Lexicon:
        """在文中: the same vocabulary where the words stand between others."""
        out = copy(self)
        out.before, out.after = before, after
        return out

    @property
    def sentence(self) -> str:
        """本句前文: what stands before in the same sentence."""
        return re.split(r"[。；]", self.before)[-1]

    def area(self, text: str) -> tuple[str, str]:
        """地方: (what stands behind `in`, a code in it) of a place word or the full name of a place; ("", "") where neither is known."""
        if word := self.place(text):
            return word, self.places[word].rstrip("*")
        code = self.divisions.get(text, "") if text not in self.own else ""
        return (f'["{code}"]', code.rstrip("*")) if code else ("", "")

    def place(self, text: str) -> str:
        """地方词: the place word (本区, 本市, 本省) that a text stands for, where the library knows its codes."""
        word = self.own.get(text, "")
        if m := re.fullmatch(r"(?:本|我|全)(区|县|市|省|新区|开发区|园区|辖区|行政区)", text):
            word = {"市": "本市", "省": "本省"}.get(m[1], "本区")
        return word if word in self.places else ""
