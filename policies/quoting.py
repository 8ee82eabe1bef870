"""引文: why a quote is not in the text, and what stands there instead."""

from __future__ import annotations

import re

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

COPY = "请从 text.md 逐字复制"
NEAR = 60.0  # per cent of characters that must agree for a passage to be worth showing
AROUND = 6  # characters by which the passage that was meant may be longer or shorter than the quote
PAIRS = (("“", "”"), ("‘", "’"), ("「", "」"), ('"', '"'), ("'", "'"))

Span = tuple[int, int]


def why_not_quoted(quote: str, text: str) -> tuple[str, Span]:
    """引文不符的原因: a message with the nearest passage and its line, and the part of the quote that differs."""
    whole = (0, len(quote))
    bare = _unquoted(quote)
    squeezed, at = _squeeze(text)
    if bare is not None and _squeeze(bare)[0] in squeezed:
        return f"引文两头的 {quote.strip()[0]} {quote.strip()[-1]} 原文里没有，请去掉", whole
    own, own_at = _squeeze(quote)
    found = _nearest(own, squeezed) if own and squeezed else None
    if found is None:
        return f"原文里没有这句话；{COPY}", whole
    start, end = found
    passage = squeezed[start:end]
    line = text.count("\n", 0, at[start]) + 1
    changes = _changes(own, passage)
    said = "，".join(_say(own[a:b], passage[c:d]) for a, b, c, d in changes[:3])
    more = "，另有别处不同" if len(changes) > 3 else ""
    first = own_at[min(changes[0][0], len(own) - 1)]
    last = own_at[min(max(changes[-1][1], changes[0][0] + 1), len(own)) - 1] + 1
    return f"原文里没有这句话，最接近的在 text.md 第 {line} 行：“{passage}”；{said}{more}。{COPY}", (
        first,
        last,
    )


def _changes(own: str, passage: str) -> list[tuple[int, int, int, int]]:
    """不同之处: (start, end) here and there of each; what touches is one, as in 三百 for 300."""
    out: list[tuple[int, int, int, int]] = []
    for op in Levenshtein.opcodes(own, passage):
        if op.tag == "equal":
            continue
        if out and (out[-1][1], out[-1][3]) == (op.src_start, op.dest_start):
            out[-1] = (out[-1][0], op.src_end, out[-1][2], op.dest_end)
        else:
            out.append((op.src_start, op.src_end, op.dest_start, op.dest_end))
    return out


def _say(here: str, there: str) -> str:
    if not here:
        return f"少了“{there}”"
    return f"多了“{here}”" if not there else f"这里写“{here}”，原文是“{there}”"


def _unquoted(quote: str) -> str | None:
    body = quote.strip()
    pair = next((p for p in PAIRS if len(body) > 2 and body.startswith(p[0]) and body.endswith(p[1])), None)
    return None if pair is None else body[1:-1]


def _squeeze(text: str) -> tuple[str, list[int]]:
    """The text without blanks, and where each of its characters stood."""
    kept = [(found.start(), found[0]) for found in re.finditer(r"\S", text)]
    return "".join(ch for _, ch in kept), [i for i, _ in kept]


def _nearest(quote: str, text: str) -> Span | None:
    """The passage of the text with the least changes to the quote, None where no passage is like it."""
    rough = fuzz.partial_ratio_alignment(quote, text, score_cutoff=NEAR)
    if rough is None or len(quote) > len(text):
        return None
    starts = range(max(rough.dest_start - AROUND, 0), rough.dest_start + AROUND + 1)
    ends = range(max(rough.dest_end - AROUND, 1), min(rough.dest_end + AROUND, len(text)) + 1)
    spans = [(start, end) for start in starts for end in ends if start < end]
    return min(
        spans, key=lambda s: (Levenshtein.distance(quote, text[s[0] : s[1]]), abs(s[1] - s[0] - len(quote)))
    )
