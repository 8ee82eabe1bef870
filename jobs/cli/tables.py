"""表格: what a command shows a person as a table in the terminal, laid out by rich: within its width, nothing cut off."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

import typer

from engine.errors import display_width

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

SHOWN = 30
WIDTH = 100  # columns where no terminal says how many it has
GAP = 3  # columns between two of a table
LEAST = 12  # a column of words is not made narrower than six characters


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


def lines(head: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[str] = ()) -> None:
    """列表: on a terminal a table that fits its width, elsewhere the same cells with tabs between, heading first.

    `right` names the columns of figures; what stands first is copied into the next command and stays in one piece.
    Nothing at all is printed where there is no row.
    """
    from rich.console import Console

    cells = [["" if c is None else str(c) for c in row] for row in rows]
    if not cells:
        return
    console = Console()
    if not console.is_terminal:
        for row in ([*head], *cells):
            typer.echo("\t".join(row))
        return
    numeric = [name in right for name in head]
    table = _table(head, cells, numeric, [j == 0 for j in range(len(head))], console.width)
    if table is None:
        _paragraphs(console, head, cells)
    else:
        console.print(table)


def terminal_width() -> int:
    """终端几列: of the terminal or COLUMNS; WIDTH for a pipe or a file."""
    return shutil.get_terminal_size((WIDTH, 24)).columns


def laid_out(heads: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """排版: lines of at most `width` columns: side by side where they fit, words wrapped; else each row as a paragraph.

    Figures stand on the right; figures and codes are never broken.
    """
    from rich.console import Console

    from analysis.tables import NUMBER

    numeric = [all(NUMBER.fullmatch(row[j]) for row in rows) for j in range(len(heads))]
    whole = [n or all(row[j].isascii() for row in rows) for j, n in enumerate(numeric)]
    kept = io.StringIO()
    console = Console(file=kept, width=width, color_system=None)
    table = _table(heads, rows, numeric, whole, width)
    if table is None:
        _paragraphs(console, heads, rows)
    else:
        console.print(table)
    return [line.rstrip() for line in kept.getvalue().splitlines()]


def _table(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    numeric: Sequence[bool],
    whole: Sequence[bool],
    width: int,
) -> Table | None:
    """The table, columns of `whole` in one piece; None where they don't leave the others room."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    body = [max((display_width(row[j]) for row in rows), default=0) for j in range(len(heads))]
    named = [_head(name, own) for name, own in zip(heads, body, strict=True)]
    widest = [max(map(display_width, name.split("\n"))) for name in named]
    full = [max(own, head) for own, head in zip(body, widest, strict=True)]
    least = [own if kept else min(own, LEAST) for own, kept in zip(full, whole, strict=True)]
    if sum(least) + GAP * (len(heads) - 1) > width:
        return None
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name, right, kept, low in zip(named, numeric, whole, least, strict=True):
        justify: Literal["left", "right"] = "right" if right else "left"
        table.add_column(Text(name), justify=justify, overflow="fold", no_wrap=kept, min_width=low)
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _head(name: str, width: int) -> str:
    """A head on its lines: its unit on one of its own where the column is narrower than both."""
    word, bracket, unit = name.partition("（")
    return f"{word}\n{bracket}{unit}" if word and bracket and display_width(name) > width else name


def _paragraphs(console: object, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Each row as a paragraph: its first cell leads, what is empty is left out."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    assert isinstance(console, Console)
    for row in rows:
        said = [
            f"{head}：{text}" for head, text in zip(heads[1:], row[1:], strict=True) if text not in ("", "—")
        ]
        console.print(Text(row[0]), overflow="fold")
        if said:
            console.print(Padding(Text(" · ".join(said)), (0, 0, 0, 2)), overflow="fold")
