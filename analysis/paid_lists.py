"""兑现名单: a list of what was paid, read from a file, and its rows linked to firms; a row that can't be is kept with the reason."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.naming import near_names
from analysis.night import CODE, NAME, View
from engine.kinds import MONEY_UNITS
from policies.read import read_tables
from profiles.codes import is_code, looks_like_code, tidy_code, why_not
from profiles.names import normal_name
from profiles.reading import tell_encoding
from profiles.source import SourceError
from profiles.values import cell_text
from profiles.workbook import open_book, sheet_rows
from store.nights import firm_names

CODE_HEADS = (CODE, "信用代码", "社会信用代码")
NAME_HEADS = (NAME, "单位名称", "申报单位", "企业", "名称")
MONEY_HEAD = re.compile(r"(金额|资金|奖励|奖补|补贴|补助|拨付)")
SUM_WORDS = frozenset({"合计", "总计", "小计", "共计", "总合计"})  # a row that adds up others is no firm


def read_paid_list(path: Path) -> pd.DataFrame:
    """读兑现名单: .xlsx, .csv, or the tables of a .docx, .pdf or .html, as columns 统一社会信用代码, 企业名称 and 金额
    (yuan), of what it has.

    The header may stand a few rows down, below a title; a table that goes on over a page needs it once. Raises
    ValueError where no row names codes or firms.

    >>> import tempfile; path = Path(tempfile.mkdtemp()) / "名单.csv"
    >>> _ = path.write_text("2025年公示名单\\n序号,企业名称,金额（万元）\\n1,澜图科技有限公司,3.5\\n", encoding="utf-8")
    >>> read_paid_list(path)["金额"].tolist()
    [35000.0]
    """
    if not path.is_file():
        raise ValueError(f"没有这个文件：{path}")
    suffix = path.suffix.lower()
    if suffix in (".xlsx", ".xlsm"):
        tables = _sheets(path)
    elif suffix == ".csv":
        with path.open(encoding=tell_encoding(path), newline="") as file:
            tables = [list(csv.reader(file))]
    else:
        tables = read_tables(path)
    parts: list[pd.DataFrame] = []
    heads: list[str] | None = None
    above = ""
    for table in tables:
        cells = [[_cell(c) for c in row] for row in table]
        at = next((i for i, row in enumerate(cells[:10]) if set(row) & {*CODE_HEADS, *NAME_HEADS}), None)
        if at is not None:
            heads, above = cells[at], "".join(c for row in cells[:at] for c in row)
        if heads is not None:
            body = list(enumerate(cells[0 if at is None else at + 1 :], 1 if at is None else at + 2))
            parts.append(
                _named_columns([(n, r) for n, r in body if len(r) == len(heads)], heads, above, path.name)
            )
            parts.append(_misfits([(n, r) for n, r in body if len(r) != len(heads)], len(heads)))
    if not parts:
        raise ValueError(f"{path.name}：没有一张表的前十行里有“{CODE}”或“{NAME}”的表头")
    return pd.concat([p for p in parts if len(p)] or parts[:1], ignore_index=True)


FIRM_LIKE = re.compile(r"[\u4e00-\u9fff]{2}.*(?:公司|厂|合作社|研究院|中心|集团|事务所|银行)$")


def _misfits(rows: list[tuple[int, list[str]]], width: int) -> pd.DataFrame:
    """格数不对的行 that speak of a firm: kept as unread with the reason; a note or a signature below the table is none."""
    out = []
    for n, row in rows:
        code = next((c for c in row if looks_like_code(c)), "")
        name = next((c for c in row if FIRM_LIKE.search(c)), "")
        if code or name:
            why = f"这一行有 {len(row)} 格，表头有 {width} 格，读不出哪格是什么"
            out.append({CODE: code, NAME: name, "行": n, "金额": float("nan"), "读不出": why})
    return pd.DataFrame(out, columns=[CODE, NAME, "行", "金额", "读不出"])


def _sheets(path: Path) -> list[list[list[str]]]:
    """Every sheet's rows as texts; a formula that nobody computed stays what it is and is no amount."""
    try:
        book = open_book(path)
        try:
            return [
                [[cell_text(c) for c in row] for row in sheet_rows(path, book, name)[0]]
                for name in book.sheetnames
            ]
        finally:
            book.close()
    except SourceError as error:
        raise ValueError(f"{path.name}  {str(error).removeprefix(str(path)).strip()}") from None


def _cell(value: object) -> str:
    return re.sub(r"\s+", "", str(value))


def _money_column(heads: list[str], above: str, file: str) -> tuple[str, int]:
    """付了多少的一列 and its unit in yuan, from the header or from 单位：万元 above it. Raises ValueError without a unit."""
    head = next((h for h in heads if MONEY_HEAD.search(h)), None)
    if head is None:
        return "", 1
    inside = re.search(r"[（(].*?((?:亿|万)?元).*?[）)]$", head) or re.search(
        r"单位[：:]?((?:人民币)?(?:亿|万)?元)", above
    )
    if inside is None and head != "金额":
        raise ValueError(f"{file} 的“{head}”一列没写单位，请把表头改成“{head}（元）”或“{head}（万元）”")
    return head, MONEY_UNITS[inside[1].removeprefix("人民币")] if inside else 1


def _named_columns(
    rows: list[tuple[int, list[str]]], heads: list[str], above: str, file: str
) -> pd.DataFrame:
    def column(known: Iterable[str]) -> list[str]:
        at = next((i for i, h in enumerate(heads) if h in known), None)
        return ["" if at is None else row[at] for _, row in rows]

    out = pd.DataFrame({CODE: column(CODE_HEADS), NAME: column(NAME_HEADS)}, dtype=object)
    out["行"] = [n for n, _ in rows]
    money_head, unit = _money_column(heads, above, file)
    written = pd.Series(column([money_head]), dtype=object).str.replace(r"[,，]", "", regex=True)
    money = pd.to_numeric(written, errors="coerce")
    sums = pd.Series([not SUM_WORDS.isdisjoint(row) for _, row in rows], dtype=bool)
    named = ((out[CODE] != "") | (out[NAME] != "")) & ~sums
    nobody = (out[CODE] == "") & (out[NAME] == "") & ~sums & money.notna()
    wrong = money.isna() & (written != "") & named
    if wrong.any():
        line = rows[int(wrong.to_numpy().argmax())][0]
        raise ValueError(f"{file} 第 {line} 行的金额“{written[wrong].iloc[0]}”不是数字，请改成数字")
    out["金额"] = money * unit
    out["读不出"] = np.where(nobody, "有金额，没有代码也没有名称", "")
    return out[named | nobody].reset_index(drop=True)


LEFT = ["行", CODE, NAME, "原因"]
UNREAD = [*LEFT, "候选"]
ALIKE = 0.6  # likeness from which a name is worth a look; it only proposes


def link(view: View, table: pd.DataFrame) -> tuple[dict[str, tuple[float, str]], pd.DataFrame, pd.DataFrame]:
    """认企业: rows by a valid code that has a file, else by a name whose written form is one firm's alone.

    Returns code → (paid, how), the rows left with the reason, and rows that count but want a look. A wrong code is
    never repaired or passed over.
    """
    names = dict(zip(view.columns.codes, firm_names(view.columns).to_pylist(), strict=True))
    by_name: dict[str, list[str]] = defaultdict(list)
    for code, name in names.items():
        if name:
            by_name[normal_name(name)].append(code)
    linked: dict[str, tuple[float, str]] = {}
    left: list[dict[str, Any]] = []
    doubts: list[dict[str, Any]] = []
    for n, row in enumerate(table.to_dict("records"), 1):
        said = {"行": row.get("行", n), CODE: row.get(CODE, ""), NAME: row.get(NAME, "")}
        unread = row.get("读不出")
        code, how, why = (
            ("", "", unread) if isinstance(unread, str) and unread else _identify(row, names, by_name)
        )
        if why:
            left.append({**said, "原因": why})
            continue
        written, known = str(said[NAME] or ""), names[code] or ""
        if how == "代码" and written and known and normal_name(written) != normal_name(known):
            doubts.append({**said, "原因": f"代码是“{known}”的，名称写的是另一家或旧名，请核对"})
        if code in linked:
            doubts.append({**said, "原因": "同一家不止一行，金额已相加"})
        had = linked[code][0] if code in linked else 0.0
        linked[code] = (had + float(row.get("金额", float("nan"))), how)
    proposed = _candidates(names, [str(row[NAME] or "") for row in left])
    unlinked = pd.DataFrame(left, columns=LEFT).assign(候选=proposed)[UNREAD]
    return linked, unlinked, pd.DataFrame(doubts, columns=LEFT)


def _candidates(names: dict[str, str | None], written: list[str]) -> list[str]:
    """候选: for each row left over the firms whose names look most like its own, with code and likeness; a person decides."""
    if not any(written):
        return [""] * len(written)
    known = [(code, name) for code, name in names.items() if name]
    found = near_names([name for _, name in known], written)
    return [
        "；".join(f"{known[i][1]}（{known[i][0]}，像 {score:.2f}）" for i, score in own if score >= ALIKE)
        if text
        else ""
        for text, own in zip(written, found, strict=True)
    ]


def _identify(
    row: dict[Any, Any], known: Collection[str], by_name: dict[str, list[str]]
) -> tuple[str, str, str]:
    code = tidy_code(str(row.get(CODE, "") or ""))
    if code:
        if not is_code(code):
            return "", "", why_not(code)
        return (code, "代码", "") if code in known else ("", "", "代码有效，但没有这家企业的档案")
    same = by_name.get(normal_name(str(row.get(NAME, "") or "")), [])
    if len(same) == 1:
        return same[0], "名称", ""
    return "", "", f"同名企业 {len(same)} 家，请补代码" if same else "没有叫这个名称的企业，请补代码"
