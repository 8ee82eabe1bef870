"""字形: characters that programs which print PDF put in place of ordinary ones, and the ordinary ones."""

from __future__ import annotations

import unicodedata

# Radicals that Unicode doesn't fold by itself (CJK Radicals Supplement): what fonts made for Chinese text print with them.
_SUPPLEMENT = dict(
    zip(
        "⺠⺡⻁⻄⻅⻆⻉⻋⻓⻔⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻧⻨⻩⻬⻮⻰⻳⻑⻒",
        "民氵虎西见角贝车长门青韦页风飞食马骨鬼鱼鸟卤麦黄齐齿龙龟長镸",
        strict=True,
    )
)
_PLAIN = str.maketrans(
    {chr(n): unicodedata.normalize("NFKC", chr(n)) for n in range(0x2E80, 0x2FE0)} | _SUPPLEMENT
)


def plain_characters(text: str) -> str:
    """常用字形: radicals as the characters they look like (⾦额 → 金额), each one for one, so that offsets stay.

    >>> plain_characters("⾦额、⻋辆")
    '金额、车辆'
    """
    return text.translate(_PLAIN)
