"""表格: what a command shows a person as a table in the terminal: within its width, Chinese in columns that line up."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

import typer

from engine.errors import display_width

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 30
WIDTH = 100  # columns where no terminal says how many it has
GAP = "  "
LEAST = 12  # a column of words is not made narrower than six characters
MOST_LINES = 3
_TOKEN = re.compile(r"[!-~]+|.", re.DOTALL)  # a code or a number is not broken where it need not be


def show(frame: pd.DataFrame, rest: str = "用 --excel 文件.xlsx 或 --json 看全", most: int = SHOWN) -> None:
    """显示: the first rows, and how many more there are; a table too wide for the terminal one row below the other."""
    from analysis.tables import readable

    if len(frame):
        shown = readable(frame.head(most))
        cells = [[str(v).replace("\n", " ") for v in row] for row in shown.to_numpy().tolist()]
        for line in laid_out([str(name) for name in shown.columns], cells, terminal_width()):
            typer.echo(line)
    if len(frame) > most:
        typer.echo(f"…… 另有 {len(frame) - most} 行，{rest}")


def terminal_width() -> int:
    """终端几列: of the terminal or COLUMNS; WIDTH for a pipe or a file."""
    return shutil.get_terminal_size((WIDTH, 24)).columns


def laid_out(heads: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """排版: lines of at most `width` columns: side by side where they fit, words wrapped; else each row as a paragraph."""
    from analysis.tables import NUMBER

    numeric = [all(NUMBER.fullmatch(row[j]) for row in rows) for j in range(len(heads))]
    widths = _fitted(heads, rows, numeric, width)
    if widths is None:
        return [line for row in rows for line in _paragraph(heads, row, width)]
    named = [_parted(head, own) for head, own in zip(heads, widths, strict=True)]
    body = [[wrapped(text, own) for text, own in zip(row, widths, strict=True)] for row in rows]
    return [line for parts in (named, *body) for line in _line(parts, widths, numeric)]


def _fitted(
    heads: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool], width: int
) -> list[int] | None:
    """Widths of the columns: heads give way first, then the widest words; None where even the least don't fit."""
    columns = [[row[j] for row in rows] for j in range(len(heads))]
    body = [max(map(display_width, cells)) for cells in columns]
    least = [
        own if number else min(own, max(LEAST, *(_longest_token(c) for c in cells)))
        for own, number, cells in zip(body, numeric, columns, strict=True)
    ]
    least = [max(own, _narrowest_head(head)) for own, head in zip(least, heads, strict=True)]
    found = [max(own, display_width(head)) for own, head in zip(body, heads, strict=True)]
    room = width - display_width(GAP) * (len(heads) - 1)
    while (over := sum(found) - room) > 0:
        slack = [(own - low, j) for j, (own, low) in enumerate(zip(found, least, strict=True)) if own > low]
        if not slack:
            return None
        widest = max((found[j], j) for _, j in slack)[1]
        found[widest] -= min(over, max(1, (found[widest] - least[widest]) // 8))
    return found


def _longest_token(text: str) -> int:
    return max((len(t) for t in _TOKEN.findall(text)), default=0)


def _narrowest_head(head: str) -> int:
    """A head stands on up to MOST_LINES lines."""
    return max(_longest_token(head), 2 * -(-display_width(head) // (2 * (MOST_LINES - 1))))


def _parted(head: str, width: int) -> list[str]:
    """A head on its lines: its unit on a line of its own where the head has to be broken."""
    name, bracket, unit = head.partition("（")
    if display_width(head) <= width or not bracket or display_width(bracket + unit) > width:
        return wrapped(head, width)
    return [*wrapped(name, width), bracket + unit]


def _line(parts: Sequence[Sequence[str]], widths: Sequence[int], numeric: Sequence[bool]) -> list[str]:
    """One row of the table, on as many lines as its longest cell takes."""
    out = []
    for n in range(max(map(len, parts))):
        pieces = [
            padded(part[n] if n < len(part) else "", own, number)
            for part, own, number in zip(parts, widths, numeric, strict=True)
        ]
        out.append(GAP.join(pieces).rstrip())
    return out


def _paragraph(heads: Sequence[str], row: Sequence[str], width: int) -> list[str]:
    """A row as a paragraph: its first cell leads, what is empty is left out."""
    said = [f"{head} {text}" for head, text in zip(heads[1:], row[1:], strict=True) if text not in ("", "—")]
    lines, line = [row[0]], ""
    for words in said:
        joined = f"{line} · {words}" if line else words
        if line and display_width(joined) > width - 4:
            lines.append(f"  {line}")
            joined = words
        if display_width(joined) > width - 4:
            *whole, joined = wrapped(joined, width - 4, most=99)
            lines += [f"  {part}" for part in whole]
        line = joined
    return [*lines, *([f"  {line}"] if line else [])]


def wrapped(text: str, width: int, most: int = MOST_LINES) -> list[str]:
    """折行: lines of at most `width` columns, at most `most` of them; what is left out ends in …."""
    lines, line = [], ""
    for token in _TOKEN.findall(text):
        while display_width(token) > width:  # longer than a whole line: it has to be broken
            room = width - display_width(line)
            if room <= 0:
                lines.append(line)
                line, room = "", width
            line, token = line + token[:room], token[room:]
        if display_width(line + token) > width:
            lines.append(line.rstrip())
            line = token.lstrip()
        else:
            line += token
    lines.append(line)
    if len(lines) > most:
        last = lines[most - 1]
        while display_width(last) > width - 2:
            last = last[:-1]
        return [*lines[: most - 1], last + "…"]
    return lines


def padded(text: str, width: int, right: bool) -> str:
    """补齐: to `width` columns; numbers on the right."""
    space = " " * (width - display_width(text))
    return space + text if right else text + space


def lines(head: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[str] = ()) -> None:
    """列表: on a terminal a table that fits its width, elsewhere the same cells with tabs between, heading first.

    `right` names the columns of figures. Nothing at all is printed where there is no row.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    cells = [["" if c is None else str(c) for c in row] for row in rows]
    if not cells:
        return
    console = Console()
    if not console.is_terminal:
        for row in ([*head], *cells):
            typer.echo("\t".join(row))
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for at, name in enumerate(head):  # what one copies into the next command stays in one piece
        justify: Literal["left", "right"] = "right" if name in right else "left"
        table.add_column(name, justify=justify, overflow="fold", no_wrap=at == 0)
    for row in cells:
        table.add_row(*(Text(c) for c in row))
    console.print(table)
