"""表格: what a command shows a person as a table in the terminal; sums with commas, Chinese in columns that line up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    import pandas as pd

SHOWN, WIDEST = 30, 60
SHARES = ("占预算", "占全部", "文字估计", "相关度")


def show(frame: pd.DataFrame, rest: str = "用 --excel 文件.xlsx 或 --json 看全") -> None:
    """显示: the first rows, and how many more there are."""
    import pandas as pd

    if len(frame):
        shown = readable(frame.head(SHOWN))
        with pd.option_context("display.unicode.east_asian_width", True):
            typer.echo(shown.to_string(index=False))
    if len(frame) > SHOWN:
        typer.echo(f"…… 另有 {len(frame) - SHOWN} 行，{rest}")


def readable(frame: pd.DataFrame) -> pd.DataFrame:
    """好读: sums with commas, shares in percent, — for what is not known, and long texts cut."""
    out = frame.copy()
    for name in out.columns:
        column = out[name]
        if column.dtype.kind == "f":
            out[name] = [_number(v, str(name) in SHARES) for v in column]
        elif column.dtype.kind == "b":
            out[name] = ["是" if v else "" for v in column]
        elif column.dtype.kind == "i":
            out[name] = [f"{v:,}" for v in column]
        else:
            out[name] = [
                v if not isinstance(v, str) or len(v) <= WIDEST else v[: WIDEST - 1] + "…" for v in column
            ]
    return out


def _number(value: float, share: bool) -> str:
    if value != value:
        return "—"
    if share:
        return f"{value:.1%}"
    return f"{value:,.2f}" if value % 1 else f"{value:,.0f}"
