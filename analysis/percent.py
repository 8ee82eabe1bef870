"""笔记: notebooks kept as percent-format text: read, run and drawn as one HTML page."""

from __future__ import annotations

import ast
import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CELL = re.compile(r"^# %%(.*)$", re.M)
STYLE = (
    "body{max-width:60rem;margin:2rem auto;padding:0 1rem;font-family:sans-serif;line-height:1.6}"
    "pre{background:#f4f6f8;padding:.6rem;overflow:auto}table{border-collapse:collapse;font-size:.85rem}"
    "td,th{border:1px solid #ccd3da;padding:.2rem .5rem}svg{max-width:100%;height:auto}"
)


@dataclass(frozen=True)
class Cell:
    """一格: markdown or code, with the line it begins on."""

    kind: str
    text: str
    line: int


def cells(text: str) -> list[Cell]:
    """分格: the cells of a percent-format text."""
    marks = list(CELL.finditer(text))
    out = []
    for i, mark in enumerate(marks):
        body = text[mark.end() + 1 : marks[i + 1].start() if i + 1 < len(marks) else len(text)]
        line = text.count("\n", 0, mark.end() + 1) + 1
        if "[markdown]" in mark[1]:
            words = "\n".join(row.removeprefix("#").removeprefix(" ") for row in body.rstrip().split("\n"))
            out.append(Cell("markdown", words, line))
        elif body.strip():
            out.append(Cell("code", body.rstrip(), line))
    return out


def run(path: Path, show: Callable[[Cell, Any], None] = lambda cell, value: None) -> dict[str, Any]:
    """运行: every code cell in order in one namespace; `show` gets each cell and the value of its last expression."""
    space: dict[str, Any] = {"__name__": "__main__"}
    for cell in cells(path.read_text(encoding="utf-8")):
        value = None
        if cell.kind == "code":
            tree = ast.parse("\n" * (cell.line - 1) + cell.text, str(path))
            last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, str(path), "exec"), space)
            if isinstance(last, ast.Expr):
                value = eval(compile(ast.Expression(last.value), str(path), "eval"), space)
        show(cell, value)
    return space


def render(path: Path) -> str:
    """成页: the notebook run and drawn as HTML that needs nothing from elsewhere."""
    from markdown_it import MarkdownIt

    parts: list[str] = []
    words = MarkdownIt()

    def show(cell: Cell, value: Any) -> None:
        if cell.kind == "markdown":
            parts.append(words.render(cell.text))
            return
        parts.append(f"<pre>{html.escape(cell.text)}</pre>")
        if value is not None:
            parts.append(drawn(value))

    run(path, show)
    return (
        f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>{html.escape(path.stem)}</title>'
        f"<style>{STYLE}</style><body>{''.join(parts)}</body></html>"
    )


def drawn(value: Any) -> str:
    """画值: a chart, what draws itself as HTML, or plain text."""
    import pandas as pd
    from matplotlib.figure import Figure

    from analysis.charts import svg
    from analysis.tables import show

    if isinstance(value, Figure):
        return svg(value)
    if isinstance(value, pd.DataFrame | pd.Series):  # bare: as readable as with `show`
        value = show(value)
    if hasattr(value, "_repr_html_"):
        return str(value._repr_html_())
    return f"<pre>{html.escape(str(value))}</pre>"
