"""折行: lines of a plain text that end only because the page did (pdftotext, e-mail), not because a sentence or heading does."""

from __future__ import annotations

import itertools
import re

_ENDS = re.compile(r"[。；;：:！!？?|｜”】》]$")
_BEGINS = re.compile(
    r"[【\[]|[（(]?[一二三四五六七八九十\d]{1,3}[）)、．]|\d{1,2}\.(?!\d)|第[一二三四五六七八九十百\d]+[章节条]|[①②③④⑤⑥⑦⑧⑨⑩]"
)
# Fewer than so many lines that might go on are headings; a page is so wide (in half widths), give or take a word.
LEAST, NARROW, WIDE, RAGGED = 4, 36, 120, 8
SHARE = 0.6  # of the lines that might go on so many are as wide as the page


def unwrapped(text: str) -> str:
    """接行: the text with a space for every line end that a page made, of the same length; unchanged where no page did.

    A line may go on where it ends without a stop and the next begins without a label. It does where nearly all such lines
    of the text are of one width.
    """
    found: list[tuple[int, int]] = []
    at = 0
    lines = text.split("\n")
    for line, after in itertools.pairwise(lines):
        at += len(line)
        here, there = line.strip(), after.strip()
        if here and there and not _ENDS.search(here) and not _BEGINS.match(there):
            found.append((_width(line.rstrip()), at))
        at += 1
    page = max((w for w, _ in found), default=0)
    full = [p for w, p in found if w >= page - RAGGED]
    if not NARROW <= page <= WIDE or len(full) < max(LEAST, SHARE * len(found)):
        return text
    out = list(text)
    for p in full:
        out[p] = " "
    return "".join(out)


def _width(line: str) -> int:
    return sum(2 if ord(ch) > 0x2E7F else 1 for ch in line)
