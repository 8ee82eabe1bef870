"""取值解析: texts as departments write them to values; right or refused, never guessed.

At rest money is whole fen (int), ratios and broken counts are doubles, whole counts ints, days ISO texts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache

from engine import kinds
from engine.days import why_no_day
from profiles.places import division
from profiles.source import Column

Value = int | float | str | bool | list[str]
UNITS = {"": 0, "元": 0, "圆": 0, "百": 2, "千": 3, "千元": 3, "万": 4, "万元": 4, "百万": 6, "百万元": 6, "千万": 7, "千万元": 7,
         "亿": 8, "亿元": 8}  # fmt: skip
CURRENCIES = {
    "人民币": "人民币", "人民币元": "人民币", "rmb": "人民币", "cny": "人民币", "¥": "人民币", "￥": "人民币", "元人民币": "人民币",
    "美元": "美元", "美金": "美元", "usd": "美元", "us$": "美元", "$": "美元", "港币": "港币", "港元": "港币", "hkd": "港币", "日元": "日元",
    "日圆": "日元", "jpy": "日元", "欧元": "欧元", "eur": "欧元", "英镑": "英镑", "gbp": "英镑", "韩元": "韩元", "韩币": "韩元",
    "新加坡元": "新加坡元", "新加坡币": "新加坡元", "澳元": "澳元", "澳大利亚元": "澳元", "加元": "加元", "加拿大元": "加元",
    "台币": "新台币", "新台币": "新台币", "澳门元": "澳门元", "瑞士法郎": "瑞士法郎", "德国马克": "德国马克", "马克": "德国马克",
    "法国法郎": "法国法郎", "荷兰盾": "荷兰盾", "卢布": "卢布", "瑞典克朗": "瑞典克朗", "丹麦克朗": "丹麦克朗", "泰铢": "泰铢",
}  # fmt: skip
PLAIN = re.compile(r"[+-]?\d+(?:\.\d*)?|[+-]?\.\d+")
GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
NUMBER = re.compile(r"[+-]?(?:\d[\d,]*(?:\.\d*)?|\.\d+)")
CHINESE = re.compile(r"[零〇一二三四五六七八九十百千万亿两点]+")
MONEY = re.compile(
    r"(?P<before>[^\d.,+\-(]*)(?P<number>[+-]?[\d][\d,]*(?:\.\d+)?|[+-]?\.\d+)(?P<after>.*)", re.DOTALL
)
# Blanks beside a word mean nothing (100 万元); between digits they may part thousands or two amounts.
SPACE_BY_WORD = re.compile(r"(?<!\d) +| +(?!\d)")
CAPITALS = str.maketrans("壹贰叁肆伍陆柒捌玖拾佰仟萬億圆貳參陸", "一二三四五六七八九十百千万亿元二三六")
WRITTEN = "写明"
WHOLE = Decimal(1)
LARGEST_FEN = 10**17  # a quadrillion yuan: more is a slip, and doubles would lose yuan
DATES = (
    re.compile(
        r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
    ),
    re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})(?: \d{1,2}:\d{2}(?::\d{2})?)?"),
    re.compile(r"(\d{4})\.(\d{1,2})\.(\d{1,2})"),
    re.compile(r"(\d{4}) *年 *(\d{1,2}) *月 *(\d{1,2}) *[日号]?"),
    re.compile(r"(\d{4})(\d{2})(\d{2})(?:\d{6})?"),
)
TRUE, FALSE = (
    {"是", "有", "1", "true", "y", "yes", "√", "✓", "对"},
    {"否", "无", "0", "false", "n", "no", "×", "✗", "没有"},
)
COUNT_TAIL = re.compile("|".join(sorted(map(re.escape, kinds.COUNT_UNITS), key=len, reverse=True)))
WINDOWS = bytes(range(0x80, 0xA0)).decode("cp1252", errors="ignore")
MOJIBAKE = re.compile(
    "\ufffd|锟斤拷|烫烫烫|屯屯屯|[\u00c2\u00c3][\u0080-\u00bf]|[\u00e0-\u00ef][\u0080-\u00bf]{2}"
    f"|(?:[\u00e0-\u00ef][\u0080-\u00bf{WINDOWS}]{{2}}){{2}}"  # UTF-8 read as Windows-1252
    f"|(?:[\u00e0-\u00ef][\u0080-\u00bf{WINDOWS}]{{0,2}}){{4}}"  # the same, where bytes it lacks were dropped
    "|(?:[\u00b0-\u00f7][\u00a1-\u00fe]){3}"  # GB2312 read as Latin-1
    r"|\?{3}"  # what an encoder puts for characters it lacks
    "|[\x00-\x08\x0b\x0c\x0e-\x1f]|[\ue000-\uf8ff]{2}"
)
HAN = re.compile("[\u4e00-\u9fff]")
HAN_IN_UTF8 = re.compile(rb"[\xe4-\xe9][\x80-\xbf]{1,2}")
# What the first two bytes of Chinese UTF-8 (E4–E9, 80–BF) read as in GB18030: misread text is full of these.
MISREAD = "".join(
    bytes((high, low)).decode("gb18030", errors="ignore")
    for high in range(0xE4, 0xEA)
    for low in range(0x80, 0xC0)
)
SUSPECT = re.compile(f"{MOJIBAKE.pattern}|[{re.escape(MISREAD)}]")


class Refused(ValueError):
    """不能取用: why a cell can't be read; `code` groups the reasons, `recognised` says it was understood but is no use."""

    def __init__(self, code: str, message: str, recognised: bool = False):
        super().__init__(message)
        self.code = code
        self.message = message
        self.recognised = recognised


def parser(kind: str, column: Column, rates: dict[str, float], unit: str = "") -> Callable[[str], Value]:
    """解析函数: text → value for an indicator's kind and a column's declaration; raises Refused."""
    if column.lookup:
        return _division
    if kind == kinds.MONEY:
        return lambda text: parse_money(text, column.unit or "元", column.currency, rates)
    if kind == kinds.RATIO:
        return lambda text: parse_ratio(text, column.unit)
    if kind in (kinds.COUNT, kinds.SPAN):
        return lambda text: parse_count(text, column.unit or unit)
    if kind == kinds.DATE:
        return parse_date
    if kind == kinds.BOOL:
        return parse_yes
    if kind == kinds.LIST:
        return lambda text: parse_list(text, column.separator)
    return parse_text


def unit_fault(kind: str, column: Column) -> str:
    """单位有没有毛病: one clause for a declaration whose unit or currency this kind of indicator can't have, or ""."""
    if kind == kinds.MONEY and column.unit not in (*UNITS, WRITTEN):
        return f"没有“{column.unit}”这个金额单位，可以是 元、千元、万元、百万元、亿元、{WRITTEN}"
    if kind == kinds.MONEY and column.currency.lower() not in CURRENCIES:
        return f"没有“{column.currency}”这个币种"
    if kind == kinds.RATIO and column.unit not in ("", "%", "‰"):
        return f"比例的单位只能是 % 或 ‰，不能是“{column.unit}”"
    return ""


def parse_money(text: str, unit: str, currency: str, rates: dict[str, float]) -> int:
    """解析金额: whole fen; the unit and currency written in the cell go before the column's. Raises Refused.

    `unit` is the column's, for bare numbers; 写明 means that every cell has to say its own. A foreign amount needs a
    declared rate.
    """
    tidy = _tidy(text)
    if PLAIN.fullmatch(tidy):
        if unit == WRITTEN:
            raise Refused("unit", f"“{_short(text)}”没有写单位，不能断定是元还是万元", recognised=True)
        return _fen(Decimal(tidy), _scale(unit), currency, rates, text)
    found = MONEY.fullmatch(SPACE_BY_WORD.sub("", tidy))
    if found is None:
        return _fen(_chinese_number(tidy, text), 0, currency, rates, text)
    amount = _number(found["number"], text)
    written = (found["after"] or "").strip("()[]").replace(")(", "").replace("(", "").replace(")", "")
    scale, money = _unit_and_currency(found["before"].strip("()"), written, text)
    if scale is None and money and unit not in ("", "元"):
        raise Refused("unit", f"“{_short(text)}”写了币种没写单位，不能断定是元还是万元", recognised=True)
    if scale is None:
        scale = _scale(unit) if not money else 0
    elif not money and currency == "人民币" and written in ("万", "亿", "千", "百万", "千万", "百"):
        raise Refused("currency", f"“{text}”没有写币种和“元”，不能断定是人民币", recognised=True)
    return _fen(amount, scale, money or currency, rates, text)


def parse_ratio(text: str, unit: str) -> float:
    """解析比例: a fraction; `12%` and `12‰` say so themselves, a bare number needs the column's unit (%, ‰ or none)."""
    tidy = _tidy(text)
    own = {"%": 100, "‰": 1000}.get(tidy[-1:])
    number = _number(tidy[:-1] if own else tidy, text)
    divisor = own or {"%": 100, "‰": 1000}.get(unit, 1)
    return float(number / divisor)


def parse_count(text: str, unit: str) -> int | float:
    """解析数量: an int where whole; a unit written behind it must be the column's. Raises Refused."""
    tidy = _tidy(text)
    found = NUMBER.match(tidy)
    if found is None:
        raise Refused("number", f"“{_short(text)}”不是数")
    tail = tidy[found.end() :].strip(" ()")
    scale = {"万": 4, "亿": 8}.get(tail[:1], 0)
    tail = tail[1:] if scale else tail
    if tail and unit and kinds.canonical_unit(tail) != kinds.canonical_unit(unit):
        raise Refused("unit", f"“{_short(text)}”的单位应当是“{unit}”", recognised=True)
    if tail and not COUNT_TAIL.fullmatch(tail) and tail not in ("天", "个月", "年"):
        raise Refused("number", f"“{_short(text)}”不是数")
    number = _number(found[0], text).scaleb(scale)
    return int(number) if number == number.to_integral_value() else float(number)


def parse_date(text: str) -> str:
    """解析日期: ISO text from the ways days are written; two-digit years and months alone are refused."""
    tidy = _tidy(text)
    for form in DATES:
        found = form.fullmatch(tidy)
        if found:
            try:
                day = date(int(found[1]), int(found[2]), int(found[3]))
            except ValueError:
                break
            if not 1900 <= day.year <= 2200:
                break
            return day.isoformat()
    wrong = why_no_day(tidy)
    raise Refused("date", f"“{_short(text)}”不是日期（{wrong or '写成 2024-06-30'}）")


def parse_yes(text: str) -> bool:
    """解析是否."""
    tidy = _tidy(text).lower()
    if tidy in TRUE:
        return True
    if tidy in FALSE:
        return False
    raise Refused("yes-no", f"“{_short(text)}”不是 是 或 否")


def parse_list(text: str, separators: str) -> list[str]:
    """解析列表: members in their order, without repeats."""
    parts = re.split("[" + re.escape(separators) + "]", unicodedata.normalize("NFC", text))
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


def parse_text(text: str) -> str:
    """解析文本: NFC, outer blanks gone."""
    return unicodedata.normalize("NFC", text).strip()


def is_mojibake(text: str) -> bool:
    """乱码: replacement characters, bytes of UTF-8 read as another encoding, control characters."""
    if not SUSPECT.search(text):
        return False
    if MOJIBAKE.search(text):
        return True
    # Chinese text's GB18030 bytes are hardly ever sound UTF-8; where they are and read as Chinese, it was misread.
    raw = text.encode("gb18030")
    try:
        return HAN.search(raw.decode("utf-8")) is not None
    except UnicodeError:  # bytes were lost on the way
        whole = HAN_IN_UTF8.findall(raw)
        return len(whole) >= 3 and sum(map(len, whole)) >= 0.55 * sum(byte > 0x7F for byte in raw)


def cell_text(value: object) -> str:
    """单元格文字: what a spreadsheet or Parquet cell would read as."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        if value != value:
            return ""
        return (
            str(int(value)) if value.is_integer() and abs(value) < 1e15 else format(Decimal(repr(value)), "f")
        )
    if isinstance(value, list):
        return "；".join(map(str, value))
    return str(value)


def _division(text: str) -> str:
    """`省\t地区\t地址`, as the columns were joined."""
    parts = (*text.split("\t"), "", "")
    found = division(parts[0], parts[1], " ".join(parts[2:]))
    if found is None:
        raise Refused("value", f"“{_short(text.replace(chr(9), ' '))}”认不出是哪个区县", recognised=True)
    return found


def _tidy(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().replace("，", ",").replace("−", "-").replace("–", "-")


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "…"


def _number(text: str, shown: str) -> Decimal:
    """A number; commas only as thousands, `1,5` is neither 15 nor 1.5."""
    if "," in text and not GROUPED.fullmatch(text):
        raise Refused("number", f"“{_short(shown)}”里的逗号不是千分号")
    try:
        found = Decimal(text.replace(",", ""))
    except InvalidOperation:
        raise Refused("number", f"“{_short(shown)}”不是数") from None
    if not found.is_finite() or abs(found.adjusted()) > 60:  # 1e9991215 overflows in the first division
        raise Refused("number", f"“{_short(shown)}”不是数")
    return found


def _chinese_number(tidy: str, shown: str) -> Decimal:
    body = re.sub(r"(元人民币|人民币|元)(整|正)?$", "", tidy.translate(CAPITALS).removeprefix("人民币"))
    if not CHINESE.fullmatch(body):
        raise Refused("amount", f"“{_short(shown)}”不是金额")
    import cn2an  # takes a tenth of a second to load, for the few amounts in words

    try:
        return Decimal(str(cn2an.cn2an(body, "strict")))
    except (ValueError, KeyError, IndexError):
        raise Refused("amount", f"“{_short(shown)}”不是金额") from None


def _scale(unit: str) -> int:
    if unit not in UNITS:
        raise Refused("unit", f"没有“{unit}”这个金额单位")
    return UNITS[unit]


def _unit_and_currency(before: str, after: str, shown: str) -> tuple[int | None, str]:
    """Scale (None: not written) and currency ("": not written) of what stands around the number."""
    found = _around(before.lower(), after)
    if found is None:
        raise Refused("amount", f"“{_short(shown)}”的单位或币种认不出")
    return found


@lru_cache(maxsize=4096)
def _around(before: str, after: str) -> tuple[int | None, str] | None:
    money = CURRENCIES.get(before.rstrip(":"), "") if before else ""
    if before and not money:
        return None
    if not after:
        return None, money
    rest = after.removesuffix("整").removesuffix("正")
    for word in sorted(UNITS, key=len, reverse=True):
        if not rest.startswith(word):
            continue
        tail = rest[len(word) :]
        if not tail:
            return UNITS[word], money or ("人民币" if word.endswith(("元", "圆")) else "")
        known = CURRENCIES.get(tail.lower(), "")
        if known and (not money or money == known):
            # 100(人民币) says no unit; 100(美元) and 100(人民币元) do.
            return (UNITS[word] if word or tail.endswith(("元", "圆")) else None), known
    return None


def _fen(amount: Decimal, scale: int, currency: str, rates: dict[str, float], shown: str) -> int:
    money = CURRENCIES.get(currency.lower(), currency)
    if money != "人民币":
        if money not in rates:
            raise Refused(
                "currency",
                f"“{_short(shown)}”是{money}，来源没有声明折算率；请在来源声明里写 rates: {{{money}: 1{money}合多少元}}",
                recognised=True,
            )
        amount *= Decimal(str(rates[money]))
    exact = amount.scaleb(scale + 2)
    if abs(exact) > LARGEST_FEN:  # before rounding, which has no room for more digits than the context's
        raise Refused("amount", f"“{_short(shown)}”大得不像金额")
    return int(exact.quantize(WHOLE, rounding=ROUND_HALF_UP))
