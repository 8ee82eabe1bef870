"""文件的用语: what a document defines for all its items: 以上 with or without the number, short names, how it is paid out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from policies.segment import Clause

_WORDS = (
    r"以上|以下|以内|以外|超过|不超过|高于|低于|不低于|不高于|不少于|多于|少于|不满|不足|达到|届满|至少|最高"
)
_QUOTED = rf"[“\"‘]?(?:{_WORDS})[”\"’]?"
_NUMBER_WORDS = re.compile(
    rf"(?P<w>{_QUOTED}(?:(?:、|，|和|及|与|或)?{_QUOTED})*)[^。；，]{{0,14}}?，?(?:均|都|皆)?(?P<not>不)?(?:包括|包含|含)(?P<not2>不)?(?:本数|本级|该数)"
)
_SHORT = re.compile(
    r"(?P<full>[\u4e00-\u9fa5]{3,24}?)（以下(?:简称|统称|称)[：:]?[“\"‘]?(?P<x>[\u4e00-\u9fa5A-Za-z]{2,12})[”\"’]?）"
)
_FIRST_WORD = re.compile(
    r"^.*(?:是指|包括|对于|支持|鼓励|培育|推动|申报|认定|对|为|的|和|及|与|等|向|由|在)(?=[\u4e00-\u9fa5]{3,}$)"
)


def number_words(clauses: Sequence[Clause]) -> dict[str, str]:
    """本数约定: what the document says of its own number words (“以上”含本数，“以下”不含本数): word → 含 or 不含."""
    out: dict[str, str] = {}
    for c in clauses:
        for m in _NUMBER_WORDS.finditer(re.sub(r"\s+", "", c.text)):
            for word in re.findall(_WORDS, m["w"]):
                out[word] = "不含" if m["not"] or m["not2"] else "含"
    return out


def short_names(clauses: Sequence[Clause]) -> dict[str, str]:
    """简称: the short names a document gives (…（以下简称“…”）), each to its full name."""
    out: dict[str, str] = {}
    for c in clauses:
        for m in _SHORT.finditer(re.sub(r"\s+", "", c.text).replace("(", "（").replace(")", "）")):
            full = _FIRST_WORD.sub("", m["full"])
            if m.string[: m.start()].endswith("、"):  # the last of a list that the short name stands for
                continue
            if m["x"] not in full and len(full) >= 3:
                out[m["x"]] = full
    return out


_MEANING = re.compile(
    r"(?:本(?:办法|措施|政策|细则|意见|规定|通知|指南|实施细则|若干措施)(?:中)?|上述|前款|以上)所(?:称|指)的?[“\"]?(?P<x>[\u4e00-\u9fa5A-Za-z]{2,14}?)[”\"]?，?(?:是)?指(?P<m>[^。；]{4,120})[。；]?"
)


def meanings(clauses: Sequence[Clause]) -> dict[str, str]:
    """定义: the terms a document explains (本办法所称…，是指…), each with its words."""
    out: dict[str, str] = {}
    for c in clauses:
        for m in _MEANING.finditer(re.sub(r"\s+", "", c.text).replace("(", "（").replace(")", "）")):
            out.setdefault(m["x"], m["m"].lstrip("：:"))
    return out


_DELIVERIES: tuple[tuple[str, str, re.Pattern[str]], ...] = (
    (
        "免申即享",
        "no_application",
        re.compile(
            r"免申即享|免申请即|免申报即|无需(?:企业|单位|个人)?(?:提出)?申[请报](?:即|，直接)|免于申[请报]"
        ),
    ),
    ("即申即享", "on_request", re.compile(r"即申即享|即申即兑|即报即享|即来即办")),
    ("快申快享", "application", re.compile(r"快申快享")),
    ("承诺兑现", "application", re.compile(r"承诺兑现|告知承诺|承诺制|信用承诺(?:后|即)")),
)
# A service that is to be built some day says nothing of how this text's own items are paid out.
_SERVES = re.compile(
    r"(?:推[行广进动]|全面实[行施]|探索|深化|加快|完善|扩大|优化|提升|梳理|打造)[^，。；]{0,16}[“\"]?(?:免申|即申|快申|承诺|告知承诺)"
)
_APPLYING = re.compile(r"(?:申请|申报|申领)(?!专利|日|人类)|提交[^，。；]{0,20}(?:材料|资料|申请)|受理")


def delivery_words(texts: Sequence[str]) -> tuple[str, str]:
    """兑现方式: (the name in rule files, the code of the evaluation) that texts speak of; ("", "unspecified") where they don't."""
    said = [re.sub(r"\s+", "", t) for t in texts]
    for name, code, pattern in _DELIVERIES:
        if any(pattern.search(s) and not _SERVES.search(s) for s in said):
            return name, code
    if any(_APPLYING.search(s) for s in said):
        return "申报兑现", "application"
    return "", "unspecified"
