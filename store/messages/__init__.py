"""消息模板: plain Chinese that says why, what, by when, how to object and how to stop; versioned."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
KINDS = ("confirm", "invite", "inform", "ask")
CASE_KINDS = ("return", "paid", "refused", "recover")  # of one step of a firm's own case


@dataclass(frozen=True)
class Template:
    """模板: kind, version, subject and body with {fields}."""

    kind: str
    version: int
    subject: str
    body: str

    def render(self, fields: Mapping[str, str]) -> tuple[str, str]:
        """填写: subject and text. Raises KeyError for a field that is not given."""
        return self.subject.format_map(fields), self.body.format_map(fields)


@cache
def template(kind: str) -> Template:
    """读模板. Raises ValueError where the file lacks its version or subject."""
    text = (FOLDER / f"{kind}.txt").read_text(encoding="utf-8")
    head = re.match(r"版本: (\d+)\n标题: (.+)\n", text)
    if head is None:
        raise ValueError(f"{kind}.txt 的头两行应当是“版本: 数”和“标题: …”")
    return Template(kind, int(head[1]), head[2], text[head.end() :].strip() + "\n")


def money_words(low: float | None, high: float | None) -> str:
    """金额的话: exact, an interval, or 待定 with the most it can be; amounts in yuan."""
    if low is None and high is None:
        return "金额待定"
    if high is None:
        return "金额待定" if not low else f"金额不低于 {low:,.2f} 元，最高待定"
    if low is None or low != high:
        return f"金额待定，最高 {high:,.2f} 元" if not low else f"金额 {low:,.2f} 至 {high:,.2f} 元"
    return f"{high:,.2f} 元"
