"""表格: what a command shows a person as a table in the terminal; sums in 万元, Chinese in columns that line up."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
