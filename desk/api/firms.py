"""接口·企业: search, one enterprise's file with sources, corrections, officers, login codes, names to claim, batches of data."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, Field

from desk.api.frame import (
    FAULTS,
    WRITES,
    Body,
    Caller,
    Code,
    Done,
    FirmCode,
    JsonRoute,
    Number,
    Once,
    Page,
    PageNo,
    Short,
    Size,
    Words,
    caller,
    cut,
    night_of,
    sliced,
    writer,
)
from desk.finding import find_firms
from desk.pages.firms import mask
from engine.words import say_value
from profiles.file import Fact
from store import accounts, audit, batches, claims, corrections, credentials
from store.database import writing
from store.firms import provenance

router = APIRouter(prefix="/api", tags=["企业"], route_class=JsonRoute)


class Firm(BaseModel):
    """一家企业; `why` says how a search found it."""

    code: str
    name: str
    why: str = ""


class Firms(Page):
    """企业的一页."""

    rows: list[Firm]


class Value(BaseModel):
    """一个取值 in words with its source and day; contacts are masked."""

    indicator: str
    year: int | None
    value: str
    state: str
    source: str
    department: str
    day: date
    batch: int


class FirmAnswer(BaseModel):
    """一企一档."""

    code: str
    name: str
    as_of: date
    enterprise_officer: str
    service_officer: str
    values: list[Value]


class NewCorrection(Body):
    """指出错误: what it should be and why; `year` for yearly indicators."""

    indicator: Short
    year: int | None = Field(default=None, ge=1900, le=2200)
    claimed: Words
    reason: Words


class Officers(Body):
    """一企两专员, by login; empty for none."""

    enterprise_officer: Short = ""
    service_officer: Short = ""


class LoginCode(BaseModel):
    """一次性登录码, shown once."""

    secret: str
    hours: int


class PendingAnswer(BaseModel):
    """一行待认领."""

    id: int
    source: str
    line: int
    name: str
    code: str
    why: str
    candidates: list[Any] | None


class Pending(Page):
    """待认领的一页."""

    rows: list[PendingAnswer]


class Claim(Body):
    """答复认领: the code it is, or null for none of them."""

    code: FirmCode | None


class BatchAnswer(BaseModel):
    """一批数据, with counts that add up."""

    id: int
    source: str
    file_name: str
    day: date | None
    arrived_at: datetime
    rows: int
    new: int
    changed: int
    unchanged: int
    rejected: int
    to_confirm: int
    state: str


class Batches(Page):
    """批次的一页."""

    rows: list[BatchAnswer]


class Trouble(BaseModel):
    """退回的一处."""

    line: int
    column: str
    code: str
    message: str


class Troubles(Page):
    """退回清单的一页."""

    rows: list[Trouble]


# ---------------------------------------------------------------- enterprises


@router.get("/firms", response_model=Firms, responses=FAULTS)
def firms(
    q: Annotated[Short, Query(description="名称、曾用名的字，或代码")] = "", page: PageNo = 1, size: Size = 50,
    by: Caller = caller("firms"),
) -> dict[str, Any]:  # fmt: skip
    """企业: all by code, or found by name, part of a name, former name or code."""
    office = by.office
    night = night_of(office)
    if q.strip():
        return sliced(find_firms(office, night, q.strip()), page, size, night.no)
    codes = night.columns().codes
    part = codes[(page - 1) * size : page * size]
    return {
        **cut(len(codes), page, size, night.no),
        "rows": [{"code": c, "name": office.name(night, c)} for c in part],
    }


@router.get("/firms/{code}", response_model=FirmAnswer, responses=FAULTS)
def firm(
    code: Code, as_of: Annotated[date | None, Query(description="看哪一天；不写是最近一次比对的比对日")] = None,
    by: Caller = caller("firms"),
) -> dict[str, Any]:  # fmt: skip
    """一企一档: every value with its source and day; contacts masked."""
    office = by.office
    night = night_of(office)
    known(by, code)
    day = as_of or night.as_of
    found = provenance(
        office.engine, code, day, office.library(night).dictionary, known_on=day if day < night.as_of else None
    )  # fmt: skip
    mine = accounts.officers(office.engine).get(code)
    return {
        "code": code, "name": office.name(night, code), "as_of": day,
        "enterprise_officer": mine.enterprise_officer if mine else "",
        "service_officer": mine.service_officer if mine else "",
        "values": [_value(by, f) for f in sorted(found.values(), key=lambda f: (f.indicator, -(f.year or 0)))],
    }  # fmt: skip


def _value(by: Caller, fact: Fact) -> dict[str, Any]:
    spec = night_of(by.office).library().dictionary.get(fact.indicator)
    shown = fact.shown if fact.shown is not None else fact.value
    text = say_value(shown, spec.kind, spec.unit) if spec and not isinstance(shown, dict) else str(shown)
    return {
        "indicator": fact.indicator, "year": fact.year, "value": mask(fact.indicator, text), "state": fact.state,
        "source": fact.source, "department": fact.department, "day": fact.day, "batch": fact.batch,
    }  # fmt: skip


def known(by: Caller, code: str) -> None:
    """企业在档案里. Raises 404."""
    if code not in by.office.row_numbers(night_of(by.office)):
        raise HTTPException(404, f"企业档案里没有 {code}")


@router.post(
    "/firms/{code}/corrections", status_code=201, response_model=Done, responses=WRITES, dependencies=[Once]
)
def correct(code: Code, given: NewCorrection, by: Caller = writer("ask")) -> Done:
    """指出错误: puts a request on the owning department's list."""
    office = by.office
    known(by, code)
    try:
        number = corrections.file_correction(
            office.engine, code, given.indicator, dictionary=office.library(night_of(office)).dictionary, at=office.now(),
            claimed=given.claimed, reason=given.reason, by=by.who, year=given.year,
        )  # fmt: skip
    except ValueError as error:
        raise HTTPException(409, f"没有保存：{error}") from error
    with writing(office.engine) as opened:
        audit.record(
            opened, by.who, "请求更正", code, {"指标": given.indicator, "编号": number}, office.now()
        )
    return Done(told=f"第 {number} 号更正，已请归口部门核对")


@router.post("/firms/{code}/officers", response_model=Done, responses=WRITES, dependencies=[Once])
def assign(code: Code, given: Officers, by: Caller = writer("settings")) -> Done:
    """分派两专员."""
    known(by, code)
    for login in (given.enterprise_officer, given.service_officer):
        if login and accounts.find_person(by.office.engine, login) is None:
            raise HTTPException(409, f"没有保存：没有登录名“{login}”")
    accounts.set_officers(
        by.office.engine, code, given.enterprise_officer, given.service_officer, by=by.who, now=by.office.now()
    )  # fmt: skip
    return Done(told="专员已分派")


@router.post(
    "/firms/{code}/codes", status_code=201, response_model=LoginCode, responses=WRITES, dependencies=[Once]
)
def login_code(code: Code, by: Caller = writer("contacts")) -> LoginCode:
    """发登录码: a one-time code for the firm's own page."""
    known(by, code)
    return LoginCode(
        secret=credentials.make_code(by.office.engine, code, by=by.who, now=by.office.now()), hours=72
    )


# ---------------------------------------------------------------- names to claim, batches


@router.get("/identity", response_model=Pending, responses=FAULTS)
def identity(page: PageNo = 1, size: Size = 50, by: Caller = caller("data")) -> dict[str, Any]:
    """认企业: rows whose firm is not certain, at most 1,000."""
    out = sliced(claims.pending(by.office.engine, limit=1000), page, size)
    return {**out, "rows": [r.model_dump(include=set(PendingAnswer.model_fields)) for r in out["rows"]]}


@router.post("/identity/{number}", response_model=Done, responses=WRITES, dependencies=[Once])
def claim(number: Number, given: Claim, by: Caller = writer("decide")) -> Done:
    """答复认领."""
    office = by.office
    try:
        claims.answer(office.engine, number, given.code or "", by=by.who, at=office.now())
    except ValueError as error:
        raise HTTPException(409, f"没有保存：{error}") from error
    return Done(told="记下了")


@router.get("/batches", response_model=Batches, responses=FAULTS)
def batch_list(
    source: Annotated[Short, Query(description="来源的编号")] = "", page: PageNo = 1, size: Size = 50,
    by: Caller = caller("data"),
) -> dict[str, Any]:  # fmt: skip
    """数据批次, newest first."""
    out = sliced(batches.batches(by.office.engine, source=source), page, size)
    return {**out, "rows": [b.model_dump(include=set(BatchAnswer.model_fields)) for b in out["rows"]]}


@router.get("/batches/{number}/troubles", response_model=Troubles, responses=FAULTS)
def troubles(
    number: Number, page: PageNo = 1, size: Size = 50, by: Caller = caller("data")
) -> dict[str, Any]:
    """一批里退回的每一处, with line and reason."""
    try:
        found = batches.troubles(by.office.engine, number)
    except ValueError as error:
        raise HTTPException(404, str(error)) from error
    out = sliced(found, page, size)
    return {
        **out,
        "rows": [
            {k: getattr(t, k) or "" if k != "line" else t.line or 0 for k in Trouble.model_fields}
            for t in out["rows"]
        ],
    }
