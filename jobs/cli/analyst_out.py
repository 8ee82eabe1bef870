"""分析命令的输出: JSON that any reader takes, workbooks, and words for the command line of the analysts."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    import pandas as pd

    from analysis import View

WIDTHS = {
    "企业名称": 30,
    "统一社会信用代码": 22,
    "原因": 44,
    "变化": 30,
    "指标": 24,
    "部门": 20,
    "名称": 24,
    "事项": 28,
}


def opened(home: Path | None, run: int | None) -> View:
    """打开一夜."""
    from analysis import open_night

    return open_night(home, run)


def pair(text: str) -> tuple[str, str]:
    """条件编号=新算式. Raises ValueError."""
    name, mark, expression = text.partition("=")
    compared = name.rstrip().endswith((">", "<", "!", "≥", "≤"))
    if compared or not mark or not name.strip() or not expression.strip():
        raise ValueError(f"“{text}”应当写成 条件编号=新算式，例如 'rd_scale=研发费用[Y] >= 500万元'")
    return name.strip(), expression.strip()


def tell_json(value: Any) -> None:
    """机器可读: on one line; what is not known is null, since NaN is no JSON."""
    typer.echo(json.dumps(_plain(value), ensure_ascii=False, default=float))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_book(path: Path, title: str, notes: list[str], parts: dict[str, pd.DataFrame]) -> None:
    """写成表格: one sheet a part, empty ones too, so that one sees that nothing is there; money stays in yuan."""
    from jobs.lists import open_workbook, write_sheet

    with open_workbook(path) as book:
        for name, frame in parts.items():
            write_sheet(book, name, f"{title}：{name}", [*notes, "金额单位：元"], frame, WIDTHS)
    typer.echo(f"已写 {path}", err=True)


def in_words(hits: pd.DataFrame, quotes: dict[str, str]) -> pd.DataFrame:
    """名单的话: hits for a person, the conditions that fail or are open by their clauses; the most money first."""
    names = ["统一社会信用代码", "企业名称", "verdict", "paid_low", "paid_high"]
    shown = hits.sort_values(["paid_high", "统一社会信用代码"], ascending=[False, True], na_position="last")
    out = shown[[*names, *(n for n in ("已付", "认定") if n in hits)]].rename(
        columns={"verdict": "规则结论", "paid_low": "应付低", "paid_high": "应付高"}
    )
    for column, title in (("fails", "不符合"), ("unknown", "待核实")):
        out[title] = ["；".join(quotes[c] for c in ids) for ids in shown[column]]
    return out
