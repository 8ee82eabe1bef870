"""声明里的正则: matched at the ordinary speed where that is bounded, and against a clock where it is not."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import regex

ENDLESS = 99  # the degree of a pattern whose steps may double with each character
MANY = 16  # repeats up to so many times apart count as none
STEPS = 5_000_000  # that the ordinary engine may take for one text, some tenths of a second
LONGEST = (
    10_000  # signs a pattern demands when its repeats are written out: compiling costs some 280 bytes each
)
SECONDS = 2.0  # of processor time for one text, where it may take more

REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT)


class TooSlow(ValueError):
    """正则太慢: the message is for the person who declared it."""


class Pattern:
    """一条正则: as `re`, but one text costs at most SECONDS. Raises ValueError where it can't be read, TooSlow when matching."""

    def __init__(self, text: str):
        try:
            self._plain = re.compile(text)
            parsed = parser.parse(text)
            if signs(parsed) > LONGEST:
                raise ValueError(f"正则“{text[:40]}”要的字太多：重复的次数乘起来不能超过 {LONGEST}")
            self._degree = degree(parsed)
            self._timed = regex.compile(text)
        except (re.error, regex.error, RecursionError, OverflowError) as error:
            raise ValueError(f"正则“{text[:40]}”读不通：{error}") from error
        self.text = text

    def fullmatch(self, text: str) -> Any:
        """整个合乎: a match object, or None."""
        if self._degree < ENDLESS and len(text) ** self._degree <= STEPS:
            return self._plain.fullmatch(text)
        return self._against_the_clock("fullmatch", text)

    def search(self, text: str) -> Any:
        """其中有: a match object, or None; it may begin anywhere, which costs one degree more."""
        if self._degree < ENDLESS and len(text) ** (self._degree + 1) <= STEPS:
            return self._plain.search(text)
        return self._against_the_clock("search", text)

    def _against_the_clock(self, how: str, text: str) -> Any:
        try:
            return getattr(self._timed, how)(text, timeout=SECONDS)
        except TimeoutError:
            raise TooSlow(
                f"正则“{self.text[:40]}”在“{text[:20]}…”（{len(text)} 字）上 {SECONDS:.0f} 秒没有比完；"
                "去掉套在重复里的重复，例如 (a+)+ 写成 a+"
            ) from None


@lru_cache(maxsize=512)
def pattern(text: str) -> Pattern:
    """正则, compiled once."""
    return Pattern(text)


def degree(parsed: Iterable[Any]) -> int:
    """次数: a text of n characters takes the backtracking engine about n to this power of steps; ENDLESS where more."""
    return min(ENDLESS, sum(_of(op, given) for op, given in parsed))


def signs(parsed: Iterable[Any]) -> int:
    """写开有多长: signs and branches with every repeat written out as often as it must match, which is what compiling keeps."""
    return sum(_signs(op, given) for op, given in parsed)


def _signs(op: Any, given: Any) -> int:
    if op in REPEATS:
        return max(1, given[0]) * signs(given[2])
    if op is sre.BRANCH:
        return 1 + sum(signs(one) for one in given[1])
    if op is sre.GROUPREF_EXISTS:
        return 1 + sum(signs(one) for one in given[1:] if one is not None)
    at = {sre.SUBPATTERN: 3, sre.ASSERT: 1, sre.ASSERT_NOT: 1}.get(op)
    if at is not None:
        return 1 + signs(given[at])
    return signs(given) if op is sre.ATOMIC_GROUP else 1


def _of(op: Any, given: Any) -> int:
    if op in REPEATS:
        least, most, inner = given
        if most <= 1:
            return degree(inner)
        if _chooses(inner):
            return ENDLESS
        return degree(inner) + (most - least > MANY)
    if op is sre.BRANCH:
        return max(degree(one) for one in given[1])
    if op is sre.SUBPATTERN:
        return degree(given[3])
    if op in (sre.ASSERT, sre.ASSERT_NOT):
        return degree(given[1])
    if op is sre.ATOMIC_GROUP:
        return degree(given)
    if op is sre.GROUPREF_EXISTS:
        return max(degree(one) for one in given[1:] if one is not None)
    return 0


def _chooses(parsed: Iterable[Any]) -> bool:
    """Whether one round of a repeat can go more than one way: a repeat or an alternative within it."""
    for op, given in parsed:
        if op in (sre.BRANCH, sre.GROUPREF_EXISTS):
            return True
        if op in REPEATS and given[0] != given[1]:
            return True
        inner = {sre.SUBPATTERN: 3, sre.ASSERT: 1, sre.ASSERT_NOT: 1}.get(op)
        if inner is not None and _chooses(given[inner]):
            return True
        if op in REPEATS and _chooses(given[2]):
            return True
        if op is sre.ATOMIC_GROUP and _chooses(given):
            return True
    return False
