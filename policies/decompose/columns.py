"""表格行: a row of a table read as 表头：格，表头：格; each cell says what its column's head says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from policies.segment import role_of_field

from .pieces import Piece, Reading
from .spans import View

_HEAD = re.compile(r"(?:^|(?<=，))(?P<h>[^，。；：:\d]{2,10}?)(?:（(?P<u>[^）]{1,8})）)?：")
# Heads that number or name a row; what stands there is the row's name, no condition.
_NAME = re.compile(r"(?:类[别型]|名称|项目|事项|层次|等级|级别|档次|奖项|政策|方向|赛事|平台|荣誉|称号)$")
_LEVEL = re.compile(r"层次|等级|级别|档次|奖项|名次|学历|职称")
_GIVES = re.compile(
    r"(?:奖励|补[贴助]|资助|扶持|支持|贴息)(?:金额|标准|额度|比例|资金|方式)?$|^(?:金额|标准|额度|比例|最高金额)$"
)
_ASKS = re.compile(r"(?:条件|要求|对象|范围|标准要求)$")


@dataclass(frozen=True, slots=True)
class Cell:
    """格: flat[a:b] of a row under a head; `role` benefit, condition, name or empty."""

    head: str
    unit: str
    role: str
    a: int
    b: int


def cells_of(view: View) -> list[Cell]:
    """行内各格: the cells of a clause that is a table's row; an empty list where it is none."""
    flat = view.flat
    heads = list(_HEAD.finditer(flat))
    if len(heads) < 2 or heads[0].start() != 0:
        return []
    ends = [*(m.start() - 1 for m in heads[1:]), len(flat.rstrip("。；"))]
    cells = [
        Cell(m["h"], m["u"] or "", _role(m["h"]), m.end(), end) for m, end in zip(heads, ends, strict=True)
    ]
    return cells if any(c.role == "benefit" for c in cells) else []


def _role(head: str) -> str:
    if _GIVES.search(head):
        return "benefit"
    if _ASKS.search(head):
        return "condition"
    if _NAME.search(head):
        return "name"
    return role_of_field(head)


def is_row(view: View) -> bool:
    """是否表格行: whether a clause is a row of a table that gives something."""
    return bool(cells_of(view))


def row_name(view: View) -> str:
    """行名: what a row is about, by its first column that names something, with what its column of giving is called
    (企业技术中心奖励); empty where the view is no row, or its rows are told apart by levels only."""
    cells = cells_of(view)
    name = next((c for c in cells if c.role == "name" and not _LEVEL.search(c.head)), None)
    given = next((m.group() for c in cells if c.role == "benefit" and (m := _NOUN.search(c.head))), "")
    if name is None:
        return ""
    said = view.flat[name.a : name.b]
    return said if _NOUN.search(said) else said + given


_NOUN = re.compile(r"奖励|补[贴助]|资助|扶持|贴息")


def one_item(one: View, two: View) -> bool:
    """同项: whether two rows tell levels of one thing: their first naming column says the same, or names a level."""
    names = [next((c for c in cells_of(v) if c.role == "name"), None) for v in (one, two)]
    a, b = names
    if a is None or b is None or a.head != b.head:
        return False
    return bool(_LEVEL.search(a.head)) or one.flat[a.a : a.b] == two.flat[b.a : b.b]


def with_rows(reading: Reading, pieces: Sequence[Piece]) -> list[Piece]:
    """表格成片: in rows of tables the heads say what is a benefit and what a condition, whatever the words look like."""
    rows = {k: cells for k, v in enumerate(reading.views) if (cells := cells_of(v))}
    out = [p for p in pieces if p.clause not in rows]
    for k, cells in rows.items():
        for c in cells:
            if c.role in ("benefit", "condition"):
                out += [Piece(c.role, k, a, b, 0.9) for a, b in _parts(reading.views[k].flat, c)]
    return sorted(out, key=lambda p: (p.clause, p.a, p.label))


def _parts(flat: str, c: Cell) -> list[tuple[int, int]]:
    """The statements of a cell; what is given stays whole, since its ceiling belongs to it."""
    if c.role == "benefit":
        return [(c.a, c.b)] if c.b > c.a else []
    marks = re.finditer(r"(?:（[^）]*）|[^，；。])+", flat[c.a : c.b])
    return [(c.a + m.start(), c.a + m.end()) for m in marks if len(m.group()) > 1]
