"""样例脏数据: the faults that real exports show, each one written down, so that an import's accounts can be checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from profiles.sample.codes import CHARSET

# What an import must do with the row: not land it (reject it, or hold it for a person), land it with the
# cell missing, land it with the value unharmed, or count it as unchanged.
REJECTED, MISSING, SAME, DUPLICATE = "not_landed", "missing", "same", "duplicate"


@dataclass(frozen=True)
class Fault:
    """一处脏数据: file, line (1-based, the header is line 1; JSON lines have none), kind, column and texts."""

    file: str
    line: int
    kind: str
    column: str
    code: str
    original: str
    written: str
    expect: str


Frame = pd.DataFrame
Spoil = Callable[[np.random.Generator, Frame, int, str], tuple[str, str, str, str] | None]


def _bad_check(rng: np.random.Generator, rows: Frame, row: int, code: str) -> tuple[str, str, str, str]:
    """校验位错: another last character."""
    old = str(rows.at[row, code])
    last = CHARSET[(CHARSET.index(old[-1]) + 1 + int(rng.integers(29))) % 31]
    rows.at[row, code] = old[:-1] + last
    return code, old, old[:-1] + last, REJECTED


def _typo(rng: np.random.Generator, rows: Frame, row: int, code: str) -> tuple[str, str, str, str]:
    """代码错一位: an O for a 0 (not in the standard's character set), else a digit too few."""
    old = str(rows.at[row, code])
    place = old.find("0", 8)
    new = old[:place] + "O" + old[place + 1 :] if place > 0 else old[:-2] + old[-1]
    rows.at[row, code] = new
    return code, old, new, REJECTED


def _shifted(rng: np.random.Generator, rows: Frame, row: int, code: str) -> tuple[str, str, str, str]:
    """整行右移一列: the cells stand one column too far right, the first is empty."""
    values = [str(v) for v in rows.loc[row]]
    rows.loc[row] = ["", *values[:-1]]
    return code, values[list(rows.columns).index(code)], "", REJECTED


def _mojibake(rng: np.random.Generator, rows: Frame, row: int, code: str) -> tuple[str, str, str, str] | None:
    """乱码: UTF-8 bytes read as GB18030, with the replacement character where they don't fit."""
    names = [c for c in rows.columns if "名称" in c or "住所" in c or "经营范围" in c]
    if not names:
        return None
    column = names[int(rng.integers(len(names)))]
    old = str(rows.at[row, column])
    if not old:
        return None
    new = old.encode("utf-8").decode("gb18030", errors="replace")
    new = new if "�" in new else new + "�"
    rows.at[row, column] = new
    return column, old, new, REJECTED


def _money_columns(rows: Frame) -> list[str]:
    return [c for c in rows.columns if c.endswith("(万元)")]


def _pick_money(rng: np.random.Generator, rows: Frame, row: int) -> tuple[str, float] | None:
    columns = [c for c in _money_columns(rows) if rows.at[row, c] not in ("", "0.00")]
    if not columns:
        return None
    column = columns[int(rng.integers(len(columns)))]
    return column, float(str(rows.at[row, column]))


def _foreign(rng: np.random.Generator, rows: Frame, row: int, code: str) -> tuple[str, str, str, str] | None:
    """外币: `4,537.9(万美元)` in a column of 万元; without a declared rate the row can't land."""
    found = _pick_money(rng, rows, row)
    if found is None:
        return None
    column, value = found
    old, new = str(rows.at[row, column]), f"{value / 7.1:,.4f}(万美元)"
    rows.at[row, column] = new
    return column, old, new, REJECTED


def _spelled_unit(
    rng: np.random.Generator, rows: Frame, row: int, code: str
) -> tuple[str, str, str, str] | None:
    """带单位和千分号: `1,000.00(万元人民币)`; the same amount."""
    found = _pick_money(rng, rows, row)
    if found is None:
        return None
    column, value = found
    old, new = str(rows.at[row, column]), f"{value:,.2f}(万元人民币)"
    rows.at[row, column] = new
    return column, old, new, SAME


def _not_available(
    rng: np.random.Generator, rows: Frame, row: int, code: str
) -> tuple[str, str, str, str] | None:
    """N/A: a word for nothing."""
    columns = [c for c in rows.columns if c.endswith(("(万元)", "(元)", "(%)", "日期", "人数", "等级"))]
    columns = [c for c in columns if rows.at[row, c] != ""]
    if not columns:
        return None
    column = columns[int(rng.integers(len(columns)))]
    old, new = str(rows.at[row, column]), ("N/A", "-", "无数据")[int(rng.integers(3))]
    rows.at[row, column] = new
    return column, old, new, MISSING


SPOILS: dict[str, Spoil] = {
    "校验位错": _bad_check,
    "代码错字": _typo,
    "整行错位": _shifted,
    "乱码": _mojibake,
    "外币": _foreign,
    "带单位": _spelled_unit,
    "空值写法": _not_available,
}
REPEATED = "重复行"


def spoil(
    rng: np.random.Generator, rows: Frame, file: str, code: str, share: float, first_line: int
) -> tuple[Frame, list[Fault]]:
    """加脏数据: about `share` of the rows of a frame of texts get one fault each; returns the new frame and the list."""
    rows = rows.reset_index(drop=True)
    chosen = np.flatnonzero(rng.random(len(rows)) < share)
    names = (*SPOILS, REPEATED)
    faults, repeats = [], []
    for row in chosen.tolist():
        kind = names[int(rng.integers(len(names)))]
        before = str(rows.at[row, code])
        if kind == REPEATED:
            repeats.append(row)
            continue
        done = SPOILS[kind](rng, rows, row, code)
        if done is not None:
            column, old, new, expect = done
            faults.append(Fault(file, row + first_line, kind, column, before, old, new, expect))
    for place, row in enumerate(repeats):
        line = len(rows) + place + first_line
        faults.append(Fault(file, line, REPEATED, code, str(rows.at[row, code]), "", "", DUPLICATE))
    if repeats:
        rows = pd.concat([rows, rows.loc[repeats]], ignore_index=True)
    return rows, faults


def as_rows(faults: list[Fault]) -> list[dict[str, object]]:
    """清单: plain dictionaries, for the manifest."""
    return [asdict(fault) for fault in faults]
