"""欠款登记表: contract money, deposits and the like from a file, a row each; once registered they stand."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from sqlalchemy.engine import Engine
from sqlmodel import select

from profiles.codes import is_code
from store.arrears import CLAIM_KINDS, ArrearsClaim, register_claim
from store.database import session
from store.faults import point
from store.sheets import read_day, read_fen, read_rows

COLUMNS = ("种类", "统一社会信用代码", "企业名称", "部门", "合同", "金额(元)", "应付日期", "依据")


@dataclass
class ClaimReport:
    """登记小结."""

    new: int = 0
    known: int = 0
    rejected: list[str] = field(default_factory=list)


def register_file(engine: Engine, path: Path, who: str, on: date, at: datetime) -> ClaimReport:
    """登记一张表: safe to kill and to repeat; a claim that stands with another sum is listed, not changed."""
    report = ClaimReport()
    for line, cells in read_rows(path, COLUMNS, "欠款登记"):
        try:
            claim = _claim(cells, at)
            standing = _standing(engine, claim)
            if standing is None:
                register_claim(engine, claim, who, on, at)
                report.new += 1
            elif (standing.fen, standing.due_on) == (claim.fen, claim.due_on):
                report.known += 1
            else:
                raise ValueError(
                    f"{claim.contract} 登记过 {standing.fen / 100:,.2f} 元、{standing.due_on} 应付，和这一行不同；登记的不改"
                )
        except ValueError as error:
            report.rejected.append(f"{path.name}:{line} {error}")
        point("claims.row")
    return report


def _claim(cells: dict[str, str], at: datetime) -> ArrearsClaim:
    if cells["种类"] not in CLAIM_KINDS:
        raise ValueError(f"种类“{cells['种类']}”应当是 {' '.join(CLAIM_KINDS)}")
    code = cells["统一社会信用代码"].upper()
    if not is_code(code):
        raise ValueError(f"“{code}”不是有效的统一社会信用代码")
    for name in ("部门", "合同"):
        if not cells[name]:
            raise ValueError(f"{name}是空的")
    return ArrearsClaim(
        kind=cells["种类"], code=code, firm=cells["企业名称"], department=cells["部门"], contract=cells["合同"],
        fen=read_fen(cells["金额(元)"]), due_on=read_day(cells["应付日期"], "应付日期"), evidence=cells["依据"],
        registered=at,
    )  # fmt: skip


def _standing(engine: Engine, claim: ArrearsClaim) -> ArrearsClaim | None:
    query = select(ArrearsClaim).where(
        ArrearsClaim.kind == claim.kind,
        ArrearsClaim.code == claim.code,
        ArrearsClaim.contract == claim.contract,
    )
    with session(engine) as opened:
        return opened.exec(query).first()
