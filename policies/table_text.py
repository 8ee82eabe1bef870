"""表格成行: tables of any format as lines of text: merged cells filled, heads of several rows joined, each row told by its heads."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

WIDEST, LONGEST_HEAD = 200, 24


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """格: one cell of a table; the same object stands at every place that a merged cell covers."""

    text: str


Grid = list[list[Cell]]
_NONE = Cell("")


def plain(rows: Iterable[Sequence[str]]) -> Grid:
    """无合并的表格: rows of texts, none merged."""
    return [[Cell(text.strip()) for text in row] for row in rows]


def spanned(rows: Iterable[Iterable[tuple[str, int, int]]]) -> Grid:
    """按跨行跨列展开: cells as (text, rows covered, columns covered), as HTML has them, put at every place they cover."""
    out: Grid = []
    reaching: dict[
        int, tuple[Cell, int]
    ] = {}  # column → the cell that reaches down to it, over how many rows yet
    for row in rows:
        line: dict[int, Cell] = {k: cell for k, (cell, _) in reaching.items()}
        left = {k: (cell, n - 1) for k, (cell, n) in reaching.items() if n > 1}
        at = 0
        for text, down, across in row:
            cell = Cell(text.strip())
            while at in line:
                at += 1
            for k in range(at, min(at + max(across, 1), WIDEST)):
                line[k] = cell
                if down > 1:
                    left[k] = (cell, down - 1)
            at += max(across, 1)
        reaching = left
        out.append([line.get(k, _NONE) for k in range(max(line, default=-1) + 1)])
    return out


# What stands over the two columns of a form says nothing of its rows.
_BARE_HEADS = {"项目", "内容", "事项", "说明", "名称", "栏目", "要素", "具体内容", "政策要素", "具体说明"}
_GIVES = re.compile(
    r"(?:奖励|补[贴助]|资助|扶持|支持|贴息)(?:金额|标准|额度|比例|资金)?$|^(?:金额|标准|额度|比例)$"
)
_NAMES = re.compile(
    r"类[别型]$|名称$|层次$|等级$|级别$|档次$|奖项$|等次$|人才$|^(?:项目|事项|对象|条件)$|区间$|情形$"
)


def table_lines(grid: Grid) -> Iterator[str]:
    """表格成行: two columns as a heading with what it holds; more as 表头：格 joined by commas, or, where a cell holds whole
    sentences, as a heading with its fields below."""
    kept = _squared(grid)
    while kept and _whole(kept[0]):
        yield from _parts(kept.pop(0)[0])
    if not kept:
        return
    if len(kept[0]) <= 2 and not _listed(kept):
        yield from _form(kept)
        return
    heads, depth = _heads(kept)
    if depth == 1 and _lies(heads, kept[1:]):
        kept = [list(column) for column in zip(*kept, strict=True)]
        heads, depth = _heads(kept)
    told = [tuple(c.text for c in row) for row in kept[:depth]]
    speaks = bool(heads) and any(_speaks(row) for row in kept[depth:] if not _whole(row))
    for row in kept[depth:]:
        if _whole(row):
            yield from _parts(row[0])
        elif tuple(c.text for c in row) not in told:  # a page repeats the heads
            yield from _card(heads, row) if speaks else [_row(heads, row)]


def _squared(grid: Grid) -> Grid:
    """Rows of one length, without rows and columns that hold nothing."""
    rows = [row for row in grid if any(c.text for c in row)]
    width = max((len(r) for r in rows), default=0)
    rows = [[*r, *[_NONE] * (width - len(r))] for r in rows]
    held = [k for k in range(width) if any(r[k].text for r in rows)]
    return [[r[k] for k in held] for r in rows]


def _whole(row: Sequence[Cell]) -> bool:
    """Whether one cell fills a whole row: a caption, the name of a group of rows, or a note."""
    return len(row) > 1 and all(c is row[0] for c in row)


def _parts(cell: Cell) -> list[str]:
    return [line.strip() for line in cell.text.split("\n") if line.strip()]


def _form(rows: Grid) -> Iterator[str]:
    bare = len(rows) > 1 and all(c.text in _BARE_HEADS for c in rows[0])
    for row in rows[1:] if bare else rows:
        for cell in dict.fromkeys(row):
            yield from _parts(cell)


def _listed(rows: Grid) -> bool:
    """Whether two columns are a list under heads (层次, 补贴标准), not the fields of one form."""
    if len(rows) < 3 or len(rows[0]) != 2:
        return False
    left, right = (_joined(c.text) for c in rows[0])
    fields = any(_GIVES.search(_joined(r[0].text)) for r in rows[1:])
    return bool(_NAMES.search(left) and _GIVES.search(_unit(right))) and not fields


def _unit(head: str) -> str:
    """A head without the unit in brackets behind it."""
    return re.sub(r"[（(][^）)]*[）)]$", "", head)


def _joined(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _heads(rows: Grid) -> tuple[list[str], int]:
    """The heads of the columns and how many rows they fill; no heads where the first row is none."""
    first = rows[0]
    if len(rows) < 2 or not all(_is_head(c, k) for k, c in enumerate(first)):
        return [], 0
    depth = 1
    while depth < len(rows) - 1 and _goes_on(rows[depth - 1], rows[depth]):
        depth += 1
    return [_stacked([row[k] for row in rows[:depth]]) for k in range(len(first))], depth


def _is_head(cell: Cell, column: int) -> bool:
    text = _unit(_joined(cell.text))
    return len(text) <= 12 and (bool(text) or column == 0) and not re.search(r"[。；，：:]", text)


def _goes_on(above: Sequence[Cell], row: Sequence[Cell]) -> bool:
    """Whether a row carries on the heads above: it parts a head that spans columns, the other columns reach down."""
    parted = any(a is b for a, b in itertools.pairwise(above))
    own = [c for a, c in zip(above, row, strict=True) if a is not c]
    return (
        parted
        and bool(own)
        and all(0 < len(_joined(c.text)) <= 12 and not _AMOUNT.search(c.text) for c in own)
    )


_AMOUNT = re.compile(r"\d+(?:\.\d+)?\s*(?:[万亿]?元|[%％])|^\s*\d+(?:\.\d+)?\s*$")


def _stacked(cells: Sequence[Cell]) -> str:
    """Heads that stand over each other as one: what is nearer to the cells first (国家级奖励标准)."""
    texts = [_joined(c.text) for c in dict.fromkeys(cells)]
    unit = next((m.group() for t in texts if (m := re.search(r"[（(][^）)]*元[^）)]*[）)]$", t))), "")
    return "".join(_unit(t) if unit else t for t in reversed(texts))[:LONGEST_HEAD] + unit


def _lies(heads: Sequence[str], body: Grid) -> bool:
    """Whether a table lies on its side: what is given is named at the left, the levels stand above."""
    left = [_unit(_joined(r[0].text)) for r in body if not _whole(r)]
    above = any(_GIVES.search(_unit(h)) or h == "标准" for h in heads)
    return not above and bool(left) and all(0 < len(t) <= 12 for t in left) and any(map(_GIVES.search, left))


def _speaks(row: Sequence[Cell]) -> bool:
    """Whether a cell holds sentences of its own, which a row in one line would tear from their heads."""
    return any(
        (len(_parts(c)) > 1 and len(c.text) > 24) or re.search(r"[。；;].", _joined(c.text)) for c in row
    )


def _row(heads: Sequence[str], row: Sequence[Cell]) -> str:
    told: dict[Cell, list[str]] = {}
    for k, cell in enumerate(row):
        told.setdefault(cell, []).append(heads[k] if heads else "")
    out = []
    for cell, names in told.items():
        text = re.sub(r"\s*\n\s*", "", cell.text).rstrip("。；;，")
        name = "、".join(dict.fromkeys(n for n in names if n))
        if text:
            out.append(f"{name}：{text}" if name else text)
    return "，".join(out)


def _card(heads: Sequence[str], row: Sequence[Cell]) -> Iterator[str]:
    """A row whose cells hold sentences: its name as a heading, below it each other cell under its head."""
    cells = {c: k for k, c in reversed(list(enumerate(row))) if c.text}
    order = sorted(cells, key=cells.__getitem__)
    named = [c for c in order if not _COUNTS.search(heads[cells[c]]) and len(_joined(c.text)) <= 40]
    title = next((c for c in named if _NAMES.search(heads[cells[c]])), None) or next(iter(named), None)
    if title is not None:
        yield _joined(title.text)
    for cell in order:
        head = heads[cells[cell]]
        if cell is title or _COUNTS.search(head):
            continue
        yield f"{head}：" if head else ""
        yield from _parts(cell)


_COUNTS = re.compile(r"^(?:序号|编号|No\.?)$", re.I)
