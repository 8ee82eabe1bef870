"""异议更正: a firm says a value is wrong; the owning department answers; its data is never overwritten here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey
from sqlalchemy.engine import Engine
from sqlmodel import Field, SQLModel, col, select

from engine.indicators import Dictionary
from profiles.cells import cell_of
from store.database import BigId, id_column, json_column, session, utc_column, writing
from store.firms import history
from store.observations import Firm

# An adopted request changes nothing by itself: it is 已更正 once a batch that came after the answer says another value.
OPEN, ADOPTED, CORRECTED, REFUSED = "待处理", "同意更正，等部门报新数据", "已更正", "不予更正"


class Correction(SQLModel, table=True):
    """异议更正: which value of which firm, what it should be, why, whose it is to answer, and the answer."""

    __tablename__ = "correction"
    id: int | None = Field(default=None, sa_column=id_column())
    firm_id: int = Field(sa_column=Column(BigId, ForeignKey("firm.id"), nullable=False, index=True))
    indicator: str
    year: int | None = None
    shown: Any = Field(default=None, sa_column=json_column(nullable=True))
    claimed: str = ""
    reason: str = ""
    department: str = Field(default="", index=True)
    by: str = ""
    filed_at: datetime = Field(sa_column=utc_column())
    state: str = Field(default=OPEN, index=True)
    answer: str = ""
    answered_by: str = ""
    answered_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


def file_correction(
    engine: Engine,
    code: str,
    indicator: str,
    *,
    dictionary: Dictionary,
    at: datetime,
    claimed: str,
    reason: str,
    by: str = "",
    year: int | None = None,
    shown: Any = None,
    department: str = "",
) -> int:
    """提出异议更正: puts the request on the owning department's list; returns its number. Raises ValueError."""
    spec = dictionary.get(indicator)
    if spec is None:
        raise ValueError(f"没有“{indicator}”这个指标")
    if spec.yearly != (year is not None):
        raise ValueError(f"“{indicator}”{'要写明年度' if spec.yearly else '不分年度'}")
    cell_of(claimed, spec)  # what it should be has to be a value of that kind
    with writing(engine) as opened:
        firm = opened.exec(select(Firm).where(col(Firm.code) == code)).one_or_none()
        if firm is None:
            raise ValueError(f"没有 {code} 的档案")
        request = Correction(
            firm_id=firm.id, indicator=indicator, year=year, shown=shown, claimed=claimed, reason=reason,
            department=department or spec.department, by=by, filed_at=at,
        )  # fmt: skip
        opened.add(request)
        opened.flush()
        return int(request.id or 0)


def corrections(engine: Engine, *, department: str = "", code: str = "", state: str = "") -> list[Correction]:
    """异议更正清单: oldest first; `state` as people see it: an adopted one is 已更正 once a later batch brought the value."""
    query = (
        select(Correction, Firm.code)
        .join(Firm, col(Firm.id) == col(Correction.firm_id))
        .order_by(col(Correction.id))
    )
    if department:
        query = query.where(col(Correction.department) == department)
    if code:
        query = query.where(col(Firm.code) == code)
    with session(engine) as opened:
        rows = list(opened.exec(query))
        opened.expunge_all()
    for request, firm in rows:
        if request.state in (ADOPTED, CORRECTED):
            request.state = CORRECTED if _brought(engine, firm, request) else ADOPTED
    return [request for request, _ in rows if not state or request.state == state]


def _brought(engine: Engine, code: str, request: Correction) -> bool:
    """Whether a batch that stands and arrived after the answer says something else than its source had said."""
    answered = request.answered_at
    if answered is None:
        return False
    said = [c for c in history(engine, code, request.indicator, request.year) if c.taken_back is None]
    before = {c.source: c.value for c in said if c.arrived <= answered}
    return any(c.arrived > answered and c.value != before.get(c.source) for c in said)


def answer_correction(
    engine: Engine, number: int, *, adopted: bool, answer: str, by: str, at: datetime
) -> None:
    """答复异议更正: adopted means the department will send the right value in its next batch. Raises ValueError."""
    with writing(engine) as opened:
        request = opened.get(Correction, number)
        if request is None:
            raise ValueError(f"没有第{number}号异议更正")
        if request.state != OPEN:
            raise ValueError(f"第{number}号异议更正{request.state}，不能再答复")
        request.state = ADOPTED if adopted else REFUSED
        request.answer, request.answered_by, request.answered_at = answer, by, at
