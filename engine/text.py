"""分词: Chinese words for the learned parts. The only place that imports jieba.

Words decide nothing here; they are features of scores that order and propose.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice
from typing import Any

# Words of policy Chinese that jieba's general dictionary cuts in two.
USER_WORDS = [
    "免申即享",
    "即申即享",
    "快申快享",
    "直达快享",
    "承诺兑现",
    "小巨人",
    "专精特新",
    "保税区",
    "高新区",
    "经开区",
    "开发区",
    "自贸区",
    "独角兽",
    "瞪羚",
    "单项冠军",
    "高新技术企业",
    "科技型中小企业",
    "小型微利企业",
    "规上",
    "限上",
    "规模以上",
    "限额以上",
    "四上企业",
    "首台套",
    "首台（套）",
    "首版次",
    "首批次",
    "加计扣除",
    "一事一议",
    "就高不重复",
    "从优不重复",
    "择优扶持",
    "申兑指南",
    "营业收入",
    "地方财政贡献",
    "固定资产投资",
    "研发费用",
    "研发投入",
    "上一年度",
    "上年度",
    "本年度",
    "同比",
    "贷款贴息",
    "贴息",
    "担保费",
    "技改",
    "技术改造",
    "企业技术中心",
    "工程技术研究中心",
    "重点实验室",
    "统一社会信用代码",
    "独立法人",
    "失信被执行人",
    "经营异常",
    "专利代理",
    "专项资金",
    "引导基金",
    "孵化器",
    "众创空间",
    "稳岗",
    "见习",
    "社保补贴",
    "一次性",
    "分档",
    "超出部分",
    "配套",
    "补助",
    "奖补",
    "资助",
    "扶持",
    "申报",
    "申领",
    "兑现",
    "兑付",
    "拨付",
    "公示",
    "常年申报",
    "有效期",
    "试行",
    "本办法",
    "本措施",
    "本政策",
]

_CLAUSE = re.compile(r"[^\n。；]+[。；]?")
_NUMBER = re.compile(r"\d[\d,.]*")
# jieba cuts each run of Han, letters and digits alone, so that a text may be cut at what stands between runs. Only a
# comma may belong to a number; it is no cut unless Han, a Latin letter or a closing bracket is before it.
_MARKS = "；;。，,"
_INSIDE, _BETWEEN = "\x00", "\x01"
_BLOCK = 10_000
_NUMBER_COMMA = re.compile(r"([^\u4e00-\u9fffA-Za-z）)】”》\x01])([,，]+)")


@cache
def _tokenizer() -> Any:
    import jieba

    jieba.setLogLevel(logging.WARNING)
    cutter = jieba.Tokenizer()
    cutter.initialize()
    for word in USER_WORDS:
        cutter.add_word(word)
    return cutter


def tokens(text: str) -> list[str]:
    """分词: words of a text, NFKC, numbers folded to `0`, without white space and punctuation."""
    return _cut(_folded(text))


def parts(text: str) -> list[str]:
    """词和词里的词: as `tokens`, with the dictionary's shorter words inside long ones (外贸出口: 外贸, 出口, 外贸出口)."""
    flat = _folded(text)
    return [w for w in _tokenizer().cut_for_search(flat, HMM=False) if w.strip()] if flat.strip() else []


def _folded(text: str) -> str:
    return _NUMBER.sub("0", unicodedata.normalize("NFKC", text))


def _cut(flat: str) -> list[str]:
    return [w for w in _tokenizer().lcut(flat) if w.strip() and (w[0].isalnum())]


def cut_clauses(text: str) -> list[tuple[int, int]]:
    """断句: spans of the clauses of a text, cut at newline, 。 and ； (blank ones left out)."""
    return [(m.start(), m.end()) for m in _CLAUSE.finditer(text) if m.group().strip()]


class ClauseWords:
    """分句缓存分词: what `tokens` gives for many texts, with each distinct clause, and each part at a 、, segmented once;
    parts that differ in their numbers only are one.

    Registers say 货物进出口 a hundred thousand times. The cache lives as long as the object.
    """

    def __init__(self) -> None:
        self._clauses: dict[str, list[str]] = {}
        self._parts: dict[str, list[str]] = {}
        self._flat: dict[str, list[str]] = {}

    @property
    def segmented(self) -> int:
        """分过词的段数."""
        return len(self._flat)

    def rows(self, texts: Iterable[str]) -> Iterator[list[str]]:
        """逐篇分词: the words of each text, in order; texts are taken and given in blocks."""
        source = iter(texts)
        while block := list(islice(source, _BLOCK)):
            flat = _BETWEEN.join(block)
            if flat.count(_BETWEEN) != len(block) - 1 or _INSIDE in flat:
                yield from map(tokens, block)
                continue
            flat = _NUMBER_COMMA.sub(_kept_commas, flat)
            for mark in _MARKS[1:]:
                flat = flat.replace(mark, _MARKS[0])
            held = self._clauses
            for text in flat.split(_BETWEEN):
                words: list[str] = []
                for clause in text.split(_MARKS[0]):
                    words += held[clause] if clause in held else self._clause(clause)
                yield words

    def _clause(self, clause: str) -> list[str]:
        words: list[str] = []
        for part in clause.split("、"):
            if part not in self._parts:
                self._parts[part] = self._part(_folded(part.replace(_INSIDE, ",")))
            words += self._parts[part]
        self._clauses[clause] = words
        return words

    def _part(self, flat: str) -> list[str]:
        if flat not in self._flat:
            self._flat[flat] = _cut(flat)
        return self._flat[flat]


def _kept_commas(found: re.Match[str]) -> str:
    return found[1] + _INSIDE * len(found[2])
