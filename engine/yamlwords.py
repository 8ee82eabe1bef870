"""YAML 的错: what a parser says of a text that is no YAML, in the reader's words, with the place of the slip."""

from __future__ import annotations

import re
from dataclasses import dataclass

# What the parsers (libyaml and PyYAML's own) say, by a part of it: the first that fits speaks.
SAID = (
    ("mapping values are not allowed", "这里的冒号多了，或者这一行的缩进不对；文字里有冒号就给整段文字加引号"),
    ("block sequence entries are not allowed", "“- ”不能写在这里；请另起一行，和同一列的其他“- ”对齐"),
    ("mapping keys are not allowed", "“?”不能写在这里；请给整段文字加引号"),
    ("could not find expected ':'", "这一行少了冒号；请写成“键: 值”，冒号是半角的，后面空一格"),
    ("expected ':'", "这一行少了冒号；请写成“键: 值”，冒号是半角的，后面空一格"),
    ("did not find expected key", "这一行没有和同级的键左对齐，或者上一行没有写完；请把同级的键写在同一列"),
    ("did not find expected '-' indicator", "这一行的缩进不对：列表的每一项都以“- ”开头并且左对齐，属于一项的键和它的第一个键左对齐"),
    ("expected <block end>", "这一行的缩进不对，和同级的行没有左对齐；请把同级的键、同级的“- ”写在同一列"),
    ("found character", "这个字符不能放在开头（如 % @ ` 和制表符）；请给整段文字加引号"),
    ("did not find expected ',' or", "花括号或方括号里少了半角逗号或右括号；请逐项核对，文字里有逗号、冒号就加引号"),
    ("expected ',' or", "花括号或方括号里少了半角逗号或右括号；请逐项核对，文字里有逗号、冒号就加引号"),
    ("found unexpected end of stream", "引号没有配对：从这里开始的引号一直到文件结束都没有收尾"),
    ("found unexpected document", "引号或括号没有收尾就遇到了“---”或“...”"),
    ("did not find expected node content", "这里应当有一个值；请核对括号、逗号，空值写 ~"),
    ("expected the node content", "这里应当有一个值；请核对括号、逗号，空值写 ~"),
    ("found undefined alias", "不支持引用（*）；含 * 的文字请加引号"),
    ("found duplicate anchor", "不支持锚点（&）；含 & 的文字请加引号"),
    ("second occurrence", "不支持锚点（&）；含 & 的文字请加引号"),
    ("alphabetic or numeric character", "不支持锚点和引用（& 和 *）；文字以它们开头就加引号"),
    ("escape", "双引号里的反斜杠 \\ 有别的意思；请改用单引号"),
    ("hexdecimal", "双引号里的反斜杠 \\ 有别的意思；请改用单引号"),
    ("single document", "一个文件只能有一份内容；请去掉中间的“---”"),
    ("another document", "一个文件只能有一份内容；请去掉中间的“---”"),
    ("document start", "前一份内容已经结束；请去掉多余的行，或者核对缩进"),
    ("tab character", "缩进里有制表符（Tab），请改用空格"),
    ("indentation indicator", "“|”或“>”后面的数字不对；请去掉它，正文另起一行并缩进"),
    ("comment or line break", "“|”或“>”后面不能再写字；正文请另起一行并缩进"),
    ("directive", "行首的 % 有别的意思；请给整段文字加引号"),
    ("version number", "行首的 % 有别的意思；请给整段文字加引号"),
    ("tag", "行首的 ! 有别的意思；请给整段文字加引号"),
    ("whitespace or line break", "! 后面有别的意思；请给整段文字加引号"),
    ("control characters", "有看不见的控制字符，请删去"),
)  # fmt: skip
GENERAL = "这一行或者上一行的写法不合 YAML；请核对缩进、半角冒号后的空格、引号和括号"

_FLOWED = re.compile(r"^ *(?:- +)?(?P<key>when|amount|ask): *(?P<at>\[)")
NEAR = 4  # lines above the stumble in which its cause may stand
_KEY = r"[\w·@-]+"
# A text of a list may well begin with `申请表：`; a key there is taken for one only in Latin letters.
_WIDE_COLON = re.compile(
    rf"^ *(?P<key>(?:- +)(?:[A-Za-z]\w*)|{_KEY})(?P<at>：)|[{{,，] *(?P<inner>{_KEY})(?P<there>：)"
)
_WIDE_COMMA = re.compile(r"(?P<at>，) *(?P<key>[A-Za-z_]\w*) *[:：]")
_NO_SPACE = re.compile(r"^ *(?:- +)?(?P<key>[A-Za-z_]\w*)(?P<at>:)(?=[^\s:/])")
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'")


@dataclass(frozen=True)
class Slip:
    """笔误: what is wrong at columns `start` to `end` (from 0) of a line (from 1)."""

    message: str
    line: int
    start: int
    end: int


def say(said: str) -> str:
    """解析器的话: in Chinese, with the cure; a general sentence for words that are not in the table."""
    if not said.isascii():
        return said  # our own words already
    return next((words for part, words in SAID if part in said), GENERAL)


def find_slip(text: str, upto: int) -> Slip | None:
    """找笔误: a full-width colon or comma, or no space after a colon, at line `upto` (from 1) or close above it.

    A parser stumbles a line or more after such a slip; this is only asked where it has stumbled.
    """
    lines = text.splitlines()
    last = min(upto, len(lines))
    for number in range(last, max(last - NEAR, 0), -1):
        slip = slip_of(lines[number - 1], number)
        if slip is not None:
            return slip
    return None


def slip_of(line: str, number: int) -> Slip | None:
    """一行的笔误: as `find_slip`, of one line; what stands in quotes or behind # is left alone."""
    if line.lstrip().startswith("#"):
        return None
    bare = _QUOTED.sub(lambda found: "_" * len(found[0]), line)
    comma = _WIDE_COMMA.search(bare) if "{" in bare or "[" in bare else None
    flowed = _FLOWED.match(bare)
    if flowed is not None:
        message = f"{flowed['key']} 后面只写一个算式，不要加方括号；几个条件用 all / any，一行一个“- ”"
        return Slip(message, number, flowed.start("at"), flowed.end("at"))
    colon = next((c for c in _WIDE_COLON.finditer(bare) if c["at"] or "{" in bare), None)
    if colon is not None and not (comma and comma.start("at") < colon.start()):
        which = "at" if colon["at"] else "there"
        key = (colon["key"] or colon["inner"]).lstrip("- ")
        message = f"“{key}”后面是全角冒号“：”，请改成半角冒号再空一格：{key}: …"
        return Slip(message, number, colon.start(which), colon.end(which))
    if comma is not None:
        message = f"“{comma['key']}”前面是全角逗号“，”，请改成半角逗号再空一格：, {comma['key']}: …"
        return Slip(message, number, comma.start("at"), comma.end("at"))
    near = _NO_SPACE.match(bare)
    if near is None:
        return None
    message = f"“{near['key']}:”的冒号后面要空一格：{near['key']}: …"
    return Slip(message, number, near.start("at"), near.end("at"))


def slip_in_key(key: str) -> Slip | None:
    """键里的笔误: a key that swallowed a full-width colon or comma (`opens：2026-03-01， closes`); columns are the key's."""
    if "：" not in key and "，" not in key:
        return None
    at = next(i for i, ch in enumerate(key) if ch in "：，")
    if not re.fullmatch(rf"{_KEY}：.*|.*， *[A-Za-z_]\w*", key, re.DOTALL):
        return None
    what, half = ("冒号", ": ") if key[at] == "：" else ("逗号", ", ")
    message = f"这里是全角{what}“{key[at]}”，请改成半角{what}再空一格（{half}）；这一行其余的全角标点也一样"
    return Slip(message, 1, at, at + 1)
