"""片段: a clause without its layout spaces, cut into the smallest pieces a condition or benefit is made of.

Everything found in the squeezed text is mapped back to offsets of the document, so quotes stay verbatim.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from policies.segment import Clause

_ONE_TO_ONE = str.maketrans("０１２３４５６７８９％（），：；．〔〕－～＋", "0123456789%（），：；.〔〕-~+")


@dataclass(frozen=True, slots=True)
class View:
    """无空白视图: `flat` is the clause without white space; `at[i]` is the document offset of its i-th character."""

    flat: str
    at: tuple[int, ...]

    def span(self, a: int, b: int) -> tuple[int, int]:
        """原文位置: document offsets of flat[a:b] (b > a)."""
        return self.at[a], self.at[b - 1] + 1


def view_of(c: Clause) -> View:
    """去空白: the squeezed view of a clause; full-width digits and signs become plain ones, one for one."""
    kept = [(ch, c.start + i) for i, ch in enumerate(c.text) if not ch.isspace() and ch not in "​﻿"]
    flat = "".join(ch for ch, _ in kept).translate(_ONE_TO_ONE).replace("(", "（").replace(")", "）")
    flat = re.sub(r"(?<!\d),|,(?!\d{3})", "，", flat)
    return View(flat, tuple(i for _, i in kept))


@dataclass(slots=True)
class Atom:
    """最小片段: flat[a:b] of one clause."""

    clause: int  # index into the clauses
    a: int
    b: int
    text: str
    before: str  # the mark before it
    inside: bool = False  # stands in brackets


_LEAD = re.compile(
    r"^(?:[→>·•●\-—]*(?:第[一二三四五六七八九十百零〇\d]{1,5}[条章节款][：:]?|[（(][一二三四五六七八九十\d]{1,3}[）)]|[一二三四五六七八九十]{1,3}、|"
    r"\d{1,2}(?:[、．]|\.(?!\d)|\.(?=(?:19|20)\d\d年))|\d{1,2}[）)]|[①②③④⑤⑥⑦⑧⑨⑩]|【[^】]{2,12}】[：:]?|答：))+"
)
GIVE = (
    r"(?:(?:另外?|再|一次性|分别|额外|可|均|同时|每年|当年|最高|按[^，。]{1,30}?)?(?:一次性|分别|最高)?(?:给予|予以|给与)"
    r"(?!通报|追|取消|处|退|保留|批|公)"
    r"|(?:一次性|分别|事后|另外?|再|最高)(?:奖励|补[贴助]|资助|发放)|每[^，。、]{1,6}(?:奖励|补[贴助]|资助)(?!不|额|总|金)|"
    r"按照?(?:其|每|实际|照|不超过|[^，。、]{0,24}(?:%|比例|标准|倍))|参照其|减[按免缴征半]|免[收征费]|可(?:申[请报]|享受|优先|获得|返还))"
)
_BREAK = re.compile(rf"(?<=[的后业者员位构目人家队心])(?={GIVE})|(?={GIVE})(?<=.{{6}})")
_JOIN = re.compile(
    r"(?:(?<=.{5})(?=且(?!不限))|(?<=.{5})(?<![一兼合归吞])(?=并(?!购|网|列|且|轨|联|发|入))|(?<=.{5})(?<!一)(?=并且)|(?<=.{5})(?=或者?(?:[在具属符经有被取获]))|、(?=(?:具有|具备|属于|符合|在|已|无|未|依法|有|财务|生产|管理|经营)[^、]{3,}))"
)


def atoms_of(index: int, flat: str) -> list[Atom]:
    """切片段: the pieces of a clause in order, without marks, labels and empty ones."""
    out: list[Atom] = []
    lead = _LEAD.match(flat)
    at = lead.end() if lead else 0
    named = _NAMED.match(flat, at)
    if named and named.end() - at > 2:
        out.append(Atom(index, at, named.end(), flat[at : named.end()], ""))
    at = named.end() if named else at
    before = flat[at - 1] if at else ""
    for m in _STRETCH.finditer(flat, at):
        if re.match(r"[，；。：！？:;→|｜]$", m.group()):
            before = m.group()
            continue
        for a, b in _brackets(m.group()):
            _pieces(out, index, flat, m.start() + a, m.start() + b, before)
            before = "…"
    return _merge_brackets(out, flat)


# What stands between marks; the colon of a time or a ratio (20:00, 1：1) is none.
_STRETCH = re.compile(r"(?:[^，；。：！？:;→|｜]|(?<=\d)[：:](?=\d))+|[，；。：！？:;→|｜]")


def _brackets(text: str) -> list[tuple[int, int]]:
    return [(0, len(text))]


def _pieces(out: list[Atom], index: int, flat: str, a: int, b: int, before: str) -> None:
    text = flat[a:b]
    cuts = {0, len(text)}
    depth = [0]
    for ch in text:
        depth.append(depth[-1] + (ch == "（") - (ch == "）"))
    for pattern in (_BREAK, _JOIN):
        for m in pattern.finditer(text):
            if depth[m.start()] == 0:
                cuts |= {m.start()}
                break_after = m.end()
                cuts |= {break_after} if break_after > m.start() else set()
    marks = sorted(cuts)
    for x, y in itertools.pairwise(marks):
        if text[x:y].strip("、") and y - x > 1:
            out.append(Atom(index, a + x, a + y, text[x:y], before))
            before = "…"


_LONGEST = 400  # a quotation mark that nothing closes holds no whole clause together


def _merge_brackets(atoms: list[Atom], flat: str) -> list[Atom]:
    """A bracket that a comma cut in two stays with what it explains."""
    out: list[Atom] = []
    for atom in atoms:
        open_ = out and any(
            flat.count(x, out[-1].a, out[-1].b) > flat.count(y, out[-1].a, out[-1].b)
            for x, y in ("（）", "“”")
        )
        if open_ and atom.b - out[-1].a <= _LONGEST:
            out[-1].b = atom.b
            out[-1].text = flat[out[-1].a : atom.b]
        else:
            out.append(atom)
    return out


# 《某办法》对通过认定的…: the name of another policy before what it gives.
_NAMED = re.compile(r"(?:《[^》]{4,60}》|》)(?![的，。、；：（规要精等中第和及有])")
_FRONT = re.compile(
    r"^(?:(?:\d{1,2}(?:[、．]|\.(?!\d))|（[一二三四五六七八九十\d]{1,3}）|[①②③④⑤⑥⑦⑧⑨⑩])|"
    r"本(?:办法|细则|措施|政策|规定|意见|通知|指南|实施细则|若干措施)适用于|是指|对于|各[^，。；对]{1,14}可以?对|对(?!外|口|接)|凡是?|其中|同时|并且?|且|及(?!时|其他?)|以及|或者?|即|而|、|“(?=[^”]*$))+"
)


def trimmed(flat: str, a: int, b: int) -> tuple[int, int]:
    """去头尾: flat[a:b] without the particles and marks that hold pieces together (对…的，)."""
    m = _FRONT.match(flat[a:b])
    if m and m.end() < b - a - 2:
        a += m.end()
    end = re.search(r"(?:(?<!目)的)?[，。；、：:;.]*$", flat[a:b])
    if end and end.start() > 2:
        b = a + end.start()
    return a, _closed(flat, a, b)


def _closed(flat: str, a: int, b: int) -> int:
    """The end of flat[a:b] before a bracket that closes or opens only outside of it."""
    if flat.count("（", a, b) < flat.count("）", a, b) and flat[b - 1] == "）":
        return b - 1
    depth = 0
    for at in range(b - 1, a + 5, -1):
        depth += (flat[at] == "）") - (flat[at] == "（")
        if depth < 0:
            return at
    return b


def body_of(flat: str) -> tuple[int, int]:
    """正文: flat without the label it begins with."""
    lead = _LEAD.match(flat)
    return (lead.end() if lead else 0), len(flat)
