"""企业名称: one written form for comparing; names propose, they never decide."""

from __future__ import annotations

import re
import unicodedata

# Longest first: 有限责任公司 and 有限公司 are the same form of company (公司法 第7条).
FORMS = (
    ("股份有限责任公司", "股份公司"),
    ("股份有限公司", "股份公司"),
    ("有限责任公司", "公司"),
    ("集团有限公司", "集团公司"),
    ("有限公司", "公司"),
)
FORMER = re.compile(r"[(](?:曾用名|原名|原名称|原)[:：]?[^)]*[)]")
NOISE = re.compile(r"[\s·•.,，。、:：;；'\"“”‘’\-—_/\\()\[\]{}<>《》〈〉【】&]+")
REGION = re.compile(
    r"(?:中国|天津|北京|上海|重庆|[\u4e00-\u9fff]{2,3}(?:省|自治区|市|自治州|地区|盟|新区|区|县|旗))"
)
LEADING = re.compile(rf"^(?:{REGION.pattern})+")


def normal_name(name: str) -> str:
    """规范名称: NFKC, brackets and blanks gone, one word for each form of company, a remark of a former name dropped."""
    text = unicodedata.normalize("NFKC", name).strip().upper()
    text = NOISE.sub("", FORMER.sub("", text))
    for written, short in FORMS:
        if text.endswith(written):
            return text[: -len(written)] + short
    return text


def core_name(name: str) -> str:
    """名称主干: the normal name without region words at its beginning; the whole name where nothing would be left."""
    text = normal_name(name)
    rest = LEADING.sub("", text)
    return rest if len(rest) >= 4 else text
