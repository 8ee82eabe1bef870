"""兑现名单的表: a list of what was paid as offices publish it, read from a file into rows; nothing of it is left out silently."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.night import CODE, NAME
from engine.kinds import MONEY_UNITS
from policies.characters import plain_characters
from policies.read import read_document, read_tables
from profiles.codes import looks_like_code
from profiles.reading import tell_encoding
from profiles.source import SourceError
from profiles.values import cell_text
from profiles.workbook import open_book, sheet_rows

CODE_HEAD = re.compile(r"(?:纳税人识别号.*|.*信用代码.*)")
NAME_HEAD = re.compile(
    r"(?:(?!推荐|主管|归口|开户|项目|产品).{0,6}(?:企业|单位|公司|机构|主体)(?:名称|全称)|名称|企业"
    r"|(?:申报|申请|获奖|获评|承担|实施|兑现|拟.{0,4})(?:企业|单位))(?:[（(].*[）)])?"
)
MONEY_HEAD = re.compile(r"(金额|资金|奖励|奖补|补贴|补助|拨付)")
NO_MONEY = re.compile(
    r"(类型|类别|级别|等级|项目|名称|事项|依据|标准|年度|批次|方式|日期|时间|比例|原因|理由|名次)(?:[（(].*)?$"
)
SUM_WORDS = frozenset({"合计", "总计", "小计", "共计", "总合计"})  # a row that adds up others is no firm
FIRM_LIKE = re.compile(r"[\u4e00-\u9fff]{2}.*(?:公司|厂|合作社|研究院|中心|集团|事务所|银行)$")
IN_BRACKETS = re.compile(r"[（(].*?((?:亿|万)?元).*?[）)]$")
SAID_ABOVE = re.compile(r"单位[：:]?(?:人民币)?((?:亿|万)?元)")
AMOUNT = re.compile(r"(-?\d+(?:\.\d+)?)((?:亿|万)?元?)")
NOTHING = frozenset({"", "-", "—", "——", "/", "无"})
COLUMNS = [CODE, NAME, "行", "金额", "读不出"]
Row = tuple[int, list[str]]


def read_paid_list(path: Path) -> pd.DataFrame:
    """读兑现名单: .xlsx, .csv, or the tables of a .docx, .pdf or .html, as columns 统一社会信用代码, 企业名称 and 金额
    (yuan), of what it has.

    The header may stand below a title, once for a table that goes on over pages, again for every table of a file, or
    twice side by side. Raises ValueError where no row names codes or firms.

    >>> import tempfile; path = Path(tempfile.mkdtemp()) / "名单.csv"
    >>> _ = path.write_text("2025年公示名单\\n序号,企业名称,金额（万元）\\n1,澜图科技有限公司,3.5\\n", encoding="utf-8")
    >>> read_paid_list(path)["金额"].tolist()
    [35000.0]
    """
    if not path.is_file():
        raise ValueError(f"没有这个文件：{path}")
    tables, around = _tables(path)
    parts: list[pd.DataFrame] = []
    last: Part | None = None
    for table in tables:
        for part in _parts([[_cell(c) for c in row] for row in table], last):
            parts.append(_rows(part, around, path.name))
            last = part
    if last is None:
        raise ValueError(
            f"{path.name}：没有一张表的前十行里有“{CODE}”或“{NAME}”的表头；名单要是一张表（一家一行，头一行写企业名称），一段一段的文字读不了"
        )
    found = [p for p in parts if len(p)]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=COLUMNS)


def _tables(path: Path) -> tuple[list[list[list[str]]], str]:
    """The tables of a file, and what it says outside of them."""
    suffix = path.suffix.lower()
    if suffix in (".xlsx", ".xlsm"):
        return _sheets(path), ""
    if suffix == ".csv":
        return [_csv_rows(path)], ""
    return read_tables(path), re.sub(r"\s+", "", read_document(path))


def _csv_rows(path: Path) -> list[list[str]]:
    encoding, data = tell_encoding(path), path.read_bytes()
    try:
        return list(csv.reader(io.StringIO(data.decode(encoding), newline="")))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{path.name}:{line} 这里不是 {encoding} 的文字，请另存为 UTF-8 的 CSV") from None
    except csv.Error:
        raise ValueError(
            f"{path.name}：不是一张 CSV 表（有空字符或太长的格），请另存为 UTF-8 的 CSV"
        ) from None


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
    return plain_characters(re.sub(r"\s+", "", str(value)))


@dataclass(frozen=True)
class Part:
    """一张表里一个表头管的: its heads, the words above it, its rows by line."""

    heads: list[str]
    above: str
    rows: list[Row]


def _parts(cells: Sequence[list[str]], before: Part | None) -> Iterator[Part]:
    """A table cut at its headers; without one it goes on with the header of the table before."""
    heads = before.heads if before is not None else None
    above, rows = before.above if before is not None else "", list[Row]()
    words: list[str] = []
    cut = False  # whether this table has shown a header of its own
    for n, row in enumerate(cells, 1):
        found = _is_head(row, heads) if cut else n <= 10 and _is_head(row, None)
        if found:
            if heads is not None and rows:
                yield from _aside(Part(heads, above, rows))
            heads, above, rows = row, "".join(words) or above, []
            words, cut = [], True
            continue
        said = [c for c in row if c]
        words = [*words, *said] if len(said) == 1 or heads is None else []  # a title stands alone on its row
        if heads is not None:
            rows.append((n, row))
    if heads is not None:
        yield from _aside(Part(heads, above, rows))


def _is_head(row: Sequence[str], known: Sequence[str] | None) -> bool:
    """Whether a row names the columns: two heads at least, or the one of a single column."""
    said = [c for c in row if c]
    if known is not None and (list(row) == list(known) or {CODE, NAME} & set(said)):
        return True
    if len(said) == 1:
        return said[0] in (CODE, NAME, "单位名称", "公司名称")
    return any(CODE_HEAD.fullmatch(c) or NAME_HEAD.fullmatch(c) for c in said) and not any(
        looks_like_code(c) for c in said
    )


def _aside(part: Part) -> Iterator[Part]:
    """A list printed in several columns side by side, as one below the other."""
    heads, named = part.heads, [i for i, h in enumerate(part.heads) if NAME_HEAD.fullmatch(h)]
    exact = [i for i in named if heads[i] == heads[named[0]]]
    if len(exact) < 2:
        yield part
        return
    width = exact[1] - exact[0]
    blocks = [slice(at, at + width) for at in range(0, len(heads), width)]
    if any(heads[b] != heads[blocks[0]] for b in blocks):
        raise ValueError(f"表头里有 {len(exact)} 个“{heads[exact[0]]}”，读不出哪格配哪格；请把名单排成一列")
    odd = [(n, r) for n, r in part.rows if len(r) != len(heads)]
    for n, block in enumerate(blocks):
        own = [(line, row[block]) for line, row in part.rows if len(row) == len(heads)]
        yield Part(heads[block], part.above, [*own, *(odd if n == 0 else [])])


def _rows(part: Part, around: str, file: str) -> pd.DataFrame:
    """The rows of one header; those of another width that speak of a firm are kept as unread."""
    width = len(part.heads)
    code, name = _column(part.heads, CODE_HEAD, CODE), _column(part.heads, NAME_HEAD, NAME)
    money = _money_column(part.heads)
    unit: int | None = None
    out = []
    for n, row in part.rows:
        if not SUM_WORDS.isdisjoint(row):
            continue
        if len(row) != width:
            if (unread := _misfit(n, row, width)) is not None:
                out.append(unread)
            continue
        said = [row[code] if code is not None else "", row[name] if name is not None else ""]
        written = unicodedata.normalize("NFKC", row[money]).replace(",", "") if money is not None else ""
        if money is not None and unit is None and written not in NOTHING and any(said):
            unit = _unit(part.heads[money], part.above, around, written, file)
        if any(said):
            out.append([*said, n, _yuan(written, unit or 1, n, file), ""])
        elif AMOUNT.fullmatch(written):
            out.append([*said, n, _yuan(written, unit or 1, n, file), "有金额，没有代码也没有名称"])
    frame = pd.DataFrame(out, columns=COLUMNS)
    return frame.astype({"金额": float})


def _column(heads: Sequence[str], pattern: re.Pattern[str], best: str) -> int | None:
    """The column of that very name, else the first that is named like it."""
    if best in heads:
        return list(heads).index(best)
    return next((i for i, h in enumerate(heads) if pattern.fullmatch(h)), None)


def _money_column(heads: Sequence[str]) -> int | None:
    """付了多少的一列: a head that names its unit before one that doesn't."""
    known = [i for i, h in enumerate(heads) if MONEY_HEAD.search(h) and not NO_MONEY.search(h)]
    return next((i for i in known if IN_BRACKETS.search(heads[i])), known[0] if known else None)


def _unit(head: str, above: str, around: str, written: str, file: str) -> int:
    """The unit in yuan: of the header, of 单位：万元 above it or (where only one is named) in the text, or of the amount itself."""
    said = IN_BRACKETS.search(head) or SAID_ABOVE.search(above)
    elsewhere = set(SAID_ABOVE.findall(around))
    if said is None and len(elsewhere) == 1:
        return MONEY_UNITS[elsewhere.pop()]
    if said is None and head != "金额" and not written.endswith("元"):
        raise ValueError(f"{file} 的“{head}”一列没写单位，请把表头改成“{head}（元）”或“{head}（万元）”")
    return MONEY_UNITS[said[1]] if said else 1


def _yuan(written: str, unit: int, line: int, file: str) -> float:
    if written in NOTHING:
        return float("nan")
    amount = AMOUNT.fullmatch(written)
    if amount is None:
        raise ValueError(f"{file} 第 {line} 行的金额“{written}”不是数字，请改成数字")
    own = amount[2] and (amount[2] if amount[2].endswith("元") else amount[2] + "元")
    return float(amount[1]) * (MONEY_UNITS[own] if own else unit)


def _misfit(line: int, row: Sequence[str], width: int) -> list[object] | None:
    """格数不对的一行 that speaks of a firm: unread, with the reason; a note or a signature below the table is none."""
    code = next((c for c in row if looks_like_code(c)), "")
    name = next((c for c in row if FIRM_LIKE.search(c)), "")
    why = f"这一行有 {len(row)} 格，表头有 {width} 格，读不出哪格是什么"
    return [code, name, line, float("nan"), why] if code or name else None
