"""统一社会信用代码: GB 32100-2015 check character and the GB 11714-1997 organisation code inside."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

CHARSET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100: no I O S V Z
WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)  # GB 11714, letters count 10 to 35
# Letters the standard leaves out because they look like these; only ever proposed to a person.
LOOKS_LIKE = {"O": "0", "I": "1", "S": "5", "Z": "2", "V": "U"}
# Pairs inside the character set that are mistaken for each other.
CONFUSED = {
    "0": "DQ",
    "D": "0",
    "Q": "0",
    "1": "L7",
    "L": "1",
    "8": "B",
    "B": "8",
    "2": "7",
    "7": "12",
    "5": "6",
    "U": "W",
}
MOST_PROPOSED = 8
_SPACES = re.compile("[\\s\u200b\ufeff'\u2019`-]+")
_VALUE = np.full(256, -1, np.int64)
_LETTER = np.full(256, -1, np.int64)
for _i, _ch in enumerate(CHARSET):
    _VALUE[ord(_ch)] = _i
for _i, _ch in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"):
    _LETTER[ord(_ch)] = _i


def tidy_code(text: str) -> str:
    """整理代码: full width to half, no blanks, hyphens or leading apostrophe, capitals. No character is replaced."""
    return _SPACES.sub("", unicodedata.normalize("NFKC", text)).upper()


def tidy_codes(texts: Sequence[str]) -> list[str]:
    """整理代码: `tidy_code` of each; what is plain capitals and digits already is taken as it is."""
    return [
        text if text.isascii() and text.isalnum() and text.isupper() else text and tidy_code(text)
        for text in texts
    ]


def is_code(code: str) -> bool:
    """是否有效代码: 18 characters, both check characters right."""
    return bool(valid_codes([code])[0])


def valid_codes(codes: Sequence[str]) -> NDArray[np.bool_]:
    """有效代码: for each of n tidy codes whether its form (positions 3–8, the office, are digits) and both check
    characters are right; shape (n,).
    """
    found = np.zeros(len(codes), bool)
    sized = [i for i, code in enumerate(codes) if len(code) == 18 and code.isascii()]
    if not sized:
        return found
    raw = np.frombuffer("".join([codes[i] for i in sized]).encode("ascii"), np.uint8).reshape(-1, 18)
    values = _VALUE[raw]
    check = (31 - values[:, :17] @ np.array(WEIGHTS) % 31) % 31
    inside = 11 - _LETTER[raw[:, 8:16]] @ np.array(ORGANISATION_WEIGHTS) % 11
    wanted = np.where(inside == 10, ord("X"), np.where(inside == 11, ord("0"), inside + ord("0")))
    office = (values[:, 2:8] <= 9).all(1)
    found[sized] = (values >= 0).all(1) & office & (check == values[:, 17]) & (wanted == raw[:, 16])
    return found


def check_character(first17: str) -> str:
    """校验码: the 18th character of a code from its first 17."""
    total = sum(CHARSET.index(ch) * weight for ch, weight in zip(first17, WEIGHTS, strict=True))
    return CHARSET[(31 - total % 31) % 31]


def proposals(code: str) -> list[str]:
    """可能的代码: valid codes that look like a wrong one (O for 0, I for 1 …); for a person, never applied."""
    if len(code) != 18 or not code.isalnum() or not code.isascii():
        return []
    wrong = [i for i, ch in enumerate(code) if ch not in CHARSET]
    if any(code[i] not in LOOKS_LIKE for i in wrong):
        return []
    base = "".join(LOOKS_LIKE.get(ch, ch) for ch in code)
    tried = [base] if wrong else []
    tried += [base[:i] + other + base[i + 1 :] for i, ch in enumerate(base) for other in CONFUSED.get(ch, "")]
    tried += [base[:i] + base[i + 1] + base[i] + base[i + 2 :] for i in range(17) if base[i] != base[i + 1]]
    return [one for one in dict.fromkeys(tried) if is_code(one)][:MOST_PROPOSED]


def why_not(code: str) -> str:
    """错在哪里: one clause for the report, or "" for a valid code."""
    if not code:
        return "没有统一社会信用代码"
    if re.fullmatch(r"\d{15}", code):
        return "是15位旧注册号"
    if re.fullmatch(r"[0-9A-Z]{8}[0-9X]", code):
        return "是9位组织机构代码"
    if len(code) != 18:
        return f"代码应当18位，实有{len(code)}位"
    odd = [ch for ch in code if ch not in CHARSET]
    if odd:
        return f"代码里有标准不用的字符“{odd[0]}”"
    if not code[2:8].isdigit():
        return "第3至8位（登记机关区划）应当都是数字"
    if check_character(code[:17]) != code[17]:
        return "第18位校验码不符"
    return "" if is_code(code) else "第17位组织机构代码校验码不符"


def looks_like_code(text: str) -> bool:
    """像代码: 18 letters and digits with at least 12 digits; a sign that a row ran into the next."""
    return (
        bool(re.search(r"(?<![0-9A-Z])[0-9A-Z]{18}(?![0-9A-Z])", text)) and sum(map(str.isdigit, text)) >= 12
    )
