"""问题: what a checker says about a rule file or a datum; standard library only."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field, replace


@dataclass(unsafe_hash=True)
class Place:
    """位置: where something stands; line and column are 1-based, path reads like "conditions › age › when".

    Never changed once made; not frozen, since every node of a rule file has one and a frozen one takes four times as long.
    """

    file: str = ""
    line: int = 1
    column: int = 1
    path: str = ""


@dataclass(frozen=True)
class Problem:
    """问题: one finding; `code` is the number in section 9 of the rule language."""

    code: int
    message: str
    place: Place = field(default_factory=Place)
    level: str = "error"
    source: str = ""
    span: tuple[int, int] | None = None

    def at(self, place: Place) -> Problem:
        """位置: the same problem at another place; its span moves the column within one line."""
        column = place.column + (self.span[0] if self.span else 0)
        return replace(self, place=replace(place, column=column))

    def as_dict(self) -> dict[str, object]:
        """机器可读: the record `huiqi check --json` prints."""
        return {
            "code": self.code,
            "level": self.level,
            "file": self.place.file,
            "line": self.place.line,
            "column": self.place.column,
            "message": self.message,
        }

    def render(self, prefix: str = "") -> str:
        """给人看: file and line, the source with a caret below it, and the message with its cure."""
        head = f"{prefix}{self.place.file}:{self.place.line}"
        if self.place.path:
            head += f"  {self.place.path}"
        lines = [head]
        if self.source:
            lines.append(f"  {self.source}")
            if self.span:
                start, end = self.span
                lines.append(
                    "  "
                    + " " * display_width(self.source[:start])
                    + "^" * max(1, display_width(self.source[start:end]))
                )
        mark = "提醒：" if self.level == "warning" else ""
        lines.append(f"  {mark}{self.message}")
        return "\n".join(lines)


class ExpressionError(ValueError):
    """表达式错误: raised by the expression parser; carries the section 9 code and the span to underline."""

    def __init__(self, code: int, message: str, span: tuple[int, int]):
        super().__init__(message)
        self.code = code
        self.message = message
        self.span = span


def display_width(text: str) -> int:
    """显示宽度: columns a terminal gives to the text (full-width characters take two)."""
    return sum(2 if unicodedata.east_asian_width(ch) in "WF" else 1 for ch in text)
