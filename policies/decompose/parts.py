"""必分: benefit pieces that are of two items although the model would join them: each has a trigger or a receiver of its own."""

from __future__ import annotations

import re

from rapidfuzz.fuzz import ratio

from .joins import ANY_GRADE, keys_of, other_grade, trigger_of
from .pieces import Piece, Reading
from .spans import body_of

# Words at the head of a sentence that speak of what was given before.
_OF_BEFORE = re.compile(
    r"^(?:其中|同时|此外|另外?|再|并|上述|以上|前[述款]|对[其上同前以单每]|每|单[个家项]|同一|累计|年度|奖励|补[贴助]|资助|最高|按|在此|超过|不足|其[他它余]|包括|"
    r"(?:实际|贷款|补[贴助]|贴息|资助|奖励)(?:实际)?(?:利率|额度|标准|期限|比例))"
)
_FRONT_WORDS = re.compile(r"^(?:对于?|新|凡|每|首次|，)+")
_EACH_AT_MOST = re.compile(r"，?(?:每[^，。；\d]{0,3})?(?:最高|不超过)?(?:可以?)?(?:继续|为|是|均|分别)*，?$")
_IN_BRACKETS = re.compile(r"（[^）]*）")
ALIKE = 50.0  # triggers less alike than this are of two things


_TO = re.compile(
    r"(?:^|[，、；])对(?!其|上述|该|同|单|每|以)(?P<x>[^，；]{4,}?)(?=(?!，[^，；]{0,8}(?:提高|上浮|增加))(?:，|分别|一次性|给予|予以|奖励|补[贴助]|资助))"
)


def to_others(flat: str, one: Piece, two: Piece) -> bool:
    """另给他人: whether a sentence gives the second of its pieces to others (对甲给予…，对乙给予…), not to another grade of the same."""
    m = _TO.search(flat[one.b : two.b])
    if m is None:
        return False
    told = [x["x"] for x in _TO.finditer(flat[: one.b])] or [flat[body_of(flat)[0] : one.a]]
    a, b = told[-1], m["x"]
    if other_grade(a, b):
        return False
    return float(ratio(ANY_GRADE.sub("", a), ANY_GRADE.sub("", b))) < 80.0


def _whose(flat: str, p: Piece) -> str:
    """What a piece is given for: the noun it begins with itself (其中甲类培训，每人…), else what its sentence says before it."""
    own = re.split(r"每|最高|按|给予|发放|奖励|补[贴助]|资助", flat[p.a : p.b])[0]
    own = re.sub(r"^(?:其中|同时)，?", "", own).rstrip("，")
    return own if len(own) >= 4 else trigger_of(flat, p).rpartition("：")[2]


def parted(reading: Reading, one: Piece, two: Piece) -> bool:
    """各有触发: whether each of two pieces that give an amount has a trigger of its own, of another thing (对甲给予…；对乙给予…)."""
    if one.clause == two.clause:
        return to_others(reading.views[one.clause].flat, one, two)
    if not 0 < two.clause - one.clause <= 1 or set(keys_of(reading, one)) == {"words"} == set(
        keys_of(reading, two)
    ):
        return False
    fa, fb = reading.views[one.clause].flat, reading.views[two.clause].flat
    head_a, head_b = _whose(fa, one), _whose(fb, two)
    begins = fb[body_of(fb)[0] :]
    if min(len(head_a), len(head_b)) < 6 or _OF_BEFORE.search(head_b) or _OF_BEFORE.search(begins):
        return False
    a, b = (
        _FRONT_WORDS.sub("", _EACH_AT_MOST.sub("", ANY_GRADE.sub("", _IN_BRACKETS.sub("", h))))
        for h in (head_a, head_b)
    )
    kinds = a[-2:] == b[-2:] and not re.search(r"[，的]", a + b)
    return not kinds and b[:2] not in a and float(ratio(a, b)) < ALIKE
