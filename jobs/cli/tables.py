"""表格: what a command shows a person as a table in the terminal; sums in 万元, Chinese in columns that line up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

import typer

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 30


def show(frame: pd.DataFrame, rest: str = "用 --excel 文件.xlsx 或 --json 看全") -> None:
    """显示: the first rows, and how many more there are."""
    import pandas as pd

    from analysis.tables import readable

    if len(frame):
        shown = readable(frame.head(SHOWN))
        with pd.option_context("display.unicode.east_asian_width", True):
            typer.echo(shown.to_string(index=False))
    if len(frame) > SHOWN:
        typer.echo(f"…… 另有 {len(frame) - SHOWN} 行，{rest}")


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
