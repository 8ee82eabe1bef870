"""表: how every table of the workbench is shown, in a terminal and in a notebook: 万元, percent, — for what is not known."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

WIDEST = 60
SHORT = 6  # characters of a verdict, a day or a kind: not broken where a long text makes the table narrow
NUMBER = re.compile(r"[-+−]?[\d,]+(?:\.\d+)?%?|—")
SHARES = (
    "占预算",
    "原占预算",
    "新占预算",
    "占全部",
    "文字估计",
    "相关度",
    "齐全率",
    "答对",
    "有把握答对",
    "弃权",
)
HEADS = {
    "item": "事项", "title": "名称", "batch": "批次", "category": "类别", "delivery": "兑现方式", "department": "部门",
    "fits": "符合", "open": "待核实", "new_fits": "新符合", "gone": "不再符合", "verdict": "结论", "low": "应付低", "high": "应付高",
    "paid_low": "应付低", "paid_high": "应付高", "fails": "不符合的条件", "unknown": "待核实的条件", "score": "能符合的估计",
}  # fmt: skip
YUAN = re.compile(r"^(?:[原新]?应付[低高]|含待核实最多|已付|预算|期望金额|最高金额|单缺金额|金额)$")


@dataclass(frozen=True, repr=False)
class Table:
    """好读的表: the first `rows` of a frame, drawn for a person; the frame itself keeps yuan and numbers.

    >>> Table(pd.DataFrame({"企业": ["甲", "乙"], "应付高": [1234567.0, 0.0]}), 1).rest
    '…… 共 2 行，列前 1 行'
    """

    frame: pd.DataFrame
    rows: int

    @property
    def rest(self) -> str:
        """没列出的: how many rows are not shown, or "".

        >>> Table(pd.DataFrame({"家": [1, 2, 3]}), 5).rest
        ''
        """
        left = len(self.frame) - self.rows
        return f"…… 共 {len(self.frame):,} 行，列前 {self.rows} 行" if left > 0 else ""

    def __repr__(self) -> str:
        with pd.option_context("display.unicode.east_asian_width", True):
            text = readable(self.frame.head(self.rows)).to_string(index=False)
        return "\n".join(part for part in (text, self.rest) if part)

    def _repr_html_(self) -> str:
        if not len(self.frame):
            return "<p>（一行也没有）</p>"
        return _html(readable(self.frame.head(self.rows))) + (f"<p>{self.rest}</p>" if self.rest else "")


def show(frame: pd.DataFrame | pd.Series, rows: int = 10) -> Table:
    """好读的表: a frame (or one row) for a notebook: heads in Chinese, yuan as 万元, — for what is not known.

    >>> show(pd.DataFrame({"verdict": ["符合", "待核实"], "paid_high": [50000.0, float("nan")]})).frame.shape
    (2, 2)
    """
    whole = frame.to_frame().T.infer_objects() if isinstance(frame, pd.Series) else frame
    if whole.index.name is not None:
        whole = whole.reset_index()
    return Table(whole, rows)


def readable(frame: pd.DataFrame) -> pd.DataFrame:
    """好读: every cell a text: yuan as 万元, sums with commas, shares in percent, — for what is not known, long texts cut.

    >>> readable(pd.DataFrame({"应付高": [35000.0], "占预算": [0.5]})).values.tolist()
    [['3.50', '50.0%']]
    """
    out: dict[str, list[Any]] = {}
    for name in frame.columns:
        head = HEADS.get(str(name), str(name))
        yuan = bool(YUAN.match(head))
        cells = [_cell(v, head in SHARES, yuan) for v in frame[name].tolist()]
        out[f"{head}（万元）" if yuan else head] = cells
    return pd.DataFrame(out, columns=list(out), dtype=object)


def _html(texts: pd.DataFrame) -> str:
    """Figures on the right; what is short or a code stays on one line, a column of long texts has room for some words."""
    cells = [[str(c) for c in row] for row in texts.to_numpy().tolist()]
    styles = []
    for j in range(texts.shape[1]):
        own = [row[j] for row in cells]
        numbers = all(NUMBER.fullmatch(c) for c in own)
        whole = all(len(c) <= SHORT or c.isascii() for c in own)
        room = (
            "white-space:nowrap"
            if whole
            else "min-width:12em"
            if max(map(len, own)) > 2 * SHORT
            else "min-width:8em"
        )
        styles.append(f"text-align:{'right' if numbers else 'left'};{room}")

    def row_of(tag: str, row: list[str]) -> str:
        parts = (f'<{tag} style="{style}">{escape(c)}</{tag}>' for c, style in zip(row, styles, strict=True))
        return f"<tr>{''.join(parts)}</tr>"

    body = "\n".join(row_of("td", row) for row in cells)
    head = row_of("th", [str(c) for c in texts.columns]).replace("white-space:nowrap", "")
    return f'<table border="1" class="dataframe">\n<thead>{head}</thead>\n<tbody>{body}</tbody>\n</table>'


def _cell(value: Any, share: bool, yuan: bool) -> str:
    if isinstance(value, bool):
        return "是" if value else ""
    if isinstance(value, list | tuple):
        return "；".join(str(v) for v in value)
    if value is None or value is pd.NA or value != value:
        return "—"
    if isinstance(value, int | float):
        return _number(float(value), share, yuan)
    text = str(value)
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def _number(value: float, share: bool, yuan: bool) -> str:
    if share:
        return f"{value:.1%}"
    if yuan:
        return f"{value / 1e4:,.2f}"
    return f"{value:,.2f}" if value % 1 else f"{value:,.0f}"
