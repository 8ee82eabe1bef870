"""词法: an expression's tokens; what an input method types counts as its plain forms (rule language, section 3)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from engine.errors import ExpressionError
from engine.nodes import Span

COMPARATORS = (">=", "<=", "!=", ">", "<", "=")
# Comparators as other languages and the policies themselves write them; each is refused with the sign that is meant.
MEANT = {"==": "=", "=>": ">=", "=<": "<=", "<>": "!=", "大于": ">", "高于": ">", "超过": ">", "多于": ">", "小于": "<", "低于": "<",
         "少于": "<", "不满": "<", "不足": "<", "大于等于": ">=", "不低于": ">=", "不少于": ">=", "不小于": ">=", "达到": ">=", "小于等于": "<=",
         "不超过": "<=", "不高于": "<=", "不大于": "<=", "等于": "=", "为": "=", "不等于": "!=", "不为": "!=", "属于": "in",
         "包含": "含", "包括": "含"}  # fmt: skip
IME = {"≥": ">=", "≤": "<=", "≠": "!=", "＞": ">", "＜": "<", "＝": "=", "！": "!", "％": "%", "（": "(", "）": ")", "，": ",",
       "＋": "+", "－": "-", "−": "-", "＊": "*", "×": "*", "／": "/", "÷": "/", "［": "[", "］": "]", "【": "[", "】": "]", "．": ".",
       "\u3000": " ", "\u00a0": " "}  # fmt: skip
QUOTES = {'"': '"', "“": "”", "”": "”", "＂": "＂"}
NAME = re.compile(r"[^\W\d][\w·]*")
NUMBER = re.compile(r"\d+(?:\.\d+)?")
DATE_LITERAL = re.compile(r"\d{4}-\d{1,2}-\d{1,2}(?![\w-])")


@dataclass(frozen=True)
class Token:
    """词."""

    kind: str  # number date text name op end
    value: str
    span: Span


def _plain(ch: str) -> str:
    if ch in IME:
        return IME[ch]
    if "０" <= ch <= "９":
        return chr(ord(ch) - 0xFEE0)
    return ch


def tokens(text: str) -> list[Token]:
    """词法: tokens of an expression; IME characters count as their plain forms. Raises ExpressionError."""
    flat: list[str] = []
    at: list[int] = []
    closing = ""
    for i, ch in enumerate(text):
        if closing:
            out = '"' if ch == closing else ch
            closing = "" if ch == closing else closing
        elif ch in QUOTES:
            closing, out = QUOTES[ch], '"'
        else:
            out = _plain(ch)
        flat += out
        at += [i] * len(out)
    at.append(len(text))
    return list(_scan("".join(flat), at))


def _scan(s: str, at: list[int]) -> Iterator[Token]:
    i = 0
    while i < len(s):
        if s[i].isspace():
            i += 1
            continue
        kind, j = _token_end(s, i, at)
        value = s[i:j]
        if kind == "text":
            value = value[1:-1]
        elif kind == "name":
            value = unicodedata.normalize("NFC", value)
        yield Token(kind, value, (at[i], at[j]))
        i = j
    yield Token("end", "", (at[-1], at[-1]))


def _token_end(s: str, i: int, at: list[int]) -> tuple[str, int]:
    if s[i] == '"':
        j = s.find('"', i + 1)
        if j < 0:
            raise ExpressionError(2, '引号没有配对，请在文字后面补上 "', (at[i], at[-1]))
        return "text", j + 1
    for kind, pattern in (("date", DATE_LITERAL), ("number", NUMBER), ("name", NAME)):
        m = pattern.match(s, i)
        if m:
            return kind, m.end()
    for op in (*COMPARATORS, ".."):
        if s.startswith(op, i):
            return "op", i + len(op)
    if s[i] in "+-*/()[],%‰":
        return "op", i + 1
    raise ExpressionError(2, f"不认识的符号“{s[i]}”", (at[i], at[i + 1]))


def nearest(name: str, known: Iterable[str]) -> str:
    """相近的名: " 您是不是想写“…”？" for the nearest known name, or ""."""
    hit = process.extractOne(name, list(known), scorer=fuzz.ratio, score_cutoff=50)
    return f"您是不是想写“{hit[0]}”？" if hit else ""


def nearest_indicator(name: str, indicators: Mapping[str, object]) -> str:
    """相近的指标: as `nearest`; another word for an indicator (营收) is told to be one, before names that look alike."""
    own = [known for known, spec in indicators.items() if name in getattr(spec, "synonyms", ())]
    if not own:
        return nearest(name, indicators)
    return f"这是别名，规则和数据里都写正式名{'或'.join(f'“{known}”' for known in own)}"
