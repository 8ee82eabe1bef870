"""一图读懂: one item on one sheet, laid out once and drawn as SVG (text stays text) or PNG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from desk.exports import page_font, wrap
from engine.grantmoves import AUTOMATIC

WIDTH, EDGE, SHARP = 800, 40, 2
INK, MID = "#191c20", "#474d55"
SANS = "PingFang SC, Hiragino Sans GB, Microsoft YaHei, Noto Sans CJK SC, Source Han Sans SC, sans-serif"
SONG = "Songti SC, Noto Serif CJK SC, Source Han Serif SC, SimSun, serif"


@dataclass(frozen=True)
class Words:
    """一行字: where its baseline begins, how high it is in pixels, and in which voice."""

    x: float
    y: float
    size: float
    text: str
    song: bool = False
    bold: bool = False
    ink: str = INK


@dataclass
class Sheet:
    """一张图: lines of words and rules from the top down; pixels."""

    title: str
    y: float = EDGE
    words: list[Words] = field(default_factory=list)
    rules: list[tuple[float, float]] = field(default_factory=list)

    def say(self, text: str, size: float, gap: float = 8, indent: float = 0, **how: Any) -> None:
        """写一段, wrapped at the edge."""
        for line in wrap(text, (WIDTH - 2 * EDGE - indent) / size):
            self.y += size * 1.5
            self.words.append(Words(EDGE + indent, self.y - size * 0.35, size, line, **how))
        self.y += gap

    def rule(self, thickness: float) -> None:
        """一条线 with room around it."""
        self.rules.append((self.y + 4, thickness))
        self.y += 14

    @property
    def height(self) -> int:
        return round(self.y + EDGE)


def steps_of(delivery: str, channel: str) -> list[tuple[str, str]]:
    """怎么办: the steps of a way of delivery, each with a few words."""
    if delivery == AUTOMATIC:
        return [
            ("系统比对", "用部门数据核对，不用申请"), ("公示", "名单在网上公示"), ("您确认", "点一下，核对账户"), ("到账", "拨付后告诉您"),
        ]  # fmt: skip
    if delivery == "即申即享":
        return [
            ("系统比对", "符合的，我们发邀请"),
            ("您确认", "表已填好，核对、补账户"),
            ("审核公示", ""),
            ("到账", ""),
        ]
    return [
        ("您申请", channel or "向办理部门提出"),
        ("审核", "缺什么，一次告诉您"),
        ("公示", ""),
        ("到账", ""),
    ]


def sheet_of(
    title: str, facts: str, who: Sequence[tuple[str, str]], pay: str, steps: Sequence[tuple[str, str]], when: str, foot: str
) -> Sheet:  # fmt: skip
    """排一张图: who may have it (the policy's words with their clause), how much, what to do, when."""
    sheet = Sheet(title)
    sheet.say(title, 34, bold=True)
    sheet.say(facts, 16, ink=MID)
    sheet.rule(4)
    sheet.say("谁能享受", 22, bold=True)
    for text, cite in who or [("见申兑指南", "")]:
        sheet.say(f"· {text}", 18, 0, song=True)
        if cite:
            sheet.say(cite, 13, 6, 18, ink=MID)
    for head, text in (("给多少", pay), ("怎么办", ""), ("什么时候", when)):
        sheet.rule(1)
        sheet.say(head, 22, bold=True)
        if head == "怎么办":
            for i, (name, words) in enumerate(steps, 1):
                sheet.say(f"{i}. {name}{'：' + words if words else ''}", 18, 2)
        else:
            sheet.say(text, 26 if head == "给多少" and len(text) <= 20 else 18, bold=head == "给多少")
    sheet.rule(4)
    sheet.say(foot, 13, 0, ink=MID)
    return sheet


def as_svg(sheet: Sheet) -> str:
    """画成 SVG: no script, no picture, no font of another host."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{sheet.height}" '
        f'viewBox="0 0 {WIDTH} {sheet.height}" role="img" xml:lang="zh-CN">',
        f'<title>{escape(sheet.title)}：一图读懂</title><rect width="100%" height="100%" fill="#fff"/>',
    ]
    for y, thick in sheet.rules:
        lines.append(
            f'<rect x="{EDGE}" y="{y:.1f}" width="{WIDTH - 2 * EDGE}" height="{thick}" fill="{INK}"/>'
        )
    for w in sheet.words:
        lines.append(
            f'<text x="{w.x:.1f}" y="{w.y:.1f}" font-family="{SONG if w.song else SANS}" font-size="{w.size:g}" '
            f'font-weight="{700 if w.bold else 400}" fill="{w.ink}">{escape(w.text)}</text>'
        )
    return "\n".join([*lines, "</svg>"])


def as_png(sheet: Sheet) -> bytes:
    """画成 PNG, two pixels for one."""
    height, dpi = sheet.height, 100
    figure = Figure(figsize=(WIDTH / dpi, height / dpi), dpi=dpi * SHARP, facecolor="white")
    for y, thick in sheet.rules:
        at, ends = 1 - (y + thick / 2) / height, [EDGE / WIDTH, 1 - EDGE / WIDTH]
        figure.add_artist(Line2D(ends, [at, at], color=INK, linewidth=thick * 72 / dpi))
    for w in sheet.words:
        figure.text(
            w.x / WIDTH, 1 - w.y / height, w.text.replace("$", r"\$"), fontproperties=page_font(w.song),
            fontsize=w.size * 72 / dpi, va="baseline", color=w.ink,
            path_effects=[withStroke(linewidth=w.size * 0.03, foreground=w.ink)] if w.bold else [],
        )  # fmt: skip
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": "huiqi"})
    return out.getvalue()
