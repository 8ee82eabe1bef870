"""整理: a rule file rewritten canonically, expressions in one spelling, comments and layout untouched."""

from __future__ import annotations

import unicodedata

from engine import yamltext
from engine.errors import ExpressionError, Place, Problem
from engine.tokens import COMPARATORS, Token, tokens
from engine.yamltext import Node, Report

EXPRESSION_KEYS = ("when", "amount", "low", "high", "upto", "below", "rate", "by", "of", "from", "cap", "floor",
                   "cap_per_enterprise")  # fmt: skip
TIGHT_BEFORE = (")", "]", ",", "..", "[", "%", "‰")
TIGHT_AFTER = ("(", "[", "..")


def format_expression(text: str) -> str:
    """整理表达式: plain signs for IME ones, one space around operators, units by their numbers. Raises ExpressionError."""
    out = ""
    before: Token | None = None
    depth = 0
    for tok in tokens(text)[:-1]:
        piece = f'"{tok.value}"' if tok.kind == "text" else tok.value
        if before is not None and _spaced(before, tok, depth):
            out += " "
        out += piece
        depth += (tok.value == "[") - (tok.value == "]") if tok.kind == "op" else 0
        before = tok
    return out


def _spaced(before: Token, tok: Token, depth: int) -> bool:
    if (
        tok.kind == "op"
        and tok.value in TIGHT_BEFORE
        and not (tok.value == "[" and before.value in ("in", ","))
    ):
        return False
    if before.kind == "op" and before.value in TIGHT_AFTER:
        return False
    if before.kind == "number" and tok.kind == "name" and tok.value not in ("in", "含"):
        return False
    if tok.value == "(" and before.kind == "name" and before.value not in ("in", "含"):
        return False
    year = depth and "-" in (before.value, tok.value) and "op" in (before.kind, tok.kind)
    return not (year and before.value not in COMPARATORS)


def format_file(text: str, file: str, report: Report) -> str | None:
    """整理规则文件: the whole text, or None where it is not readable YAML (reported)."""
    text = unicodedata.normalize("NFC", text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"))
    root = yamltext.read(text, file, report)
    if root is None:
        return None
    lines = text.split("\n")
    edits = [(n.place.line - 1, n.place.column - 1, n.text or "") for n in _expressions(root)]
    for line, column, old in sorted(edits, reverse=True):
        try:
            new = format_expression(old)
        except ExpressionError as error:
            report(
                Problem(
                    error.code, error.message, Place(file, line + 1, column + 1), source=old, span=error.span
                )
            )
            continue
        here = lines[line]
        if here.startswith(old, column):  # a scalar folded over several lines stays as it is
            quote = here[column - 1] if column else ""
            if '"' in new and '"' not in old and quote == '"':
                continue
            lines[line] = here[:column] + new + here[column + len(old) :]
    body = "\n".join(line.rstrip() for line in lines).rstrip("\n")
    return body + "\n"


def _expressions(node: Node) -> list[Node]:
    out = []
    for key, child in node.items():
        if key in EXPRESSION_KEYS:
            out += [n for n in (child.list() if child.is_list else [child]) if n.text is not None]
        out += _expressions(child)
    for child in node.list():
        out += _expressions(child)
    return out
