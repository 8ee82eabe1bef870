"""接口·一企一档的沿革和画像: how one value came about, what each batch changed, and an officer's word on industry and themes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, Field

from desk.api.firms import known
from desk.api.frame import (
    FAULTS,
    WRITES,
    Body,
    Caller,
    Code,
    Done,
    JsonRoute,
    Once,
    Page,
    PageNo,
    Short,
    Size,
    Words,
    caller,
    night_of,
    sliced,
    writer,
)
from desk.firmfile import change_rows, history_rows
from store.firm_changes import firm_changes
from store.firms import history

router = APIRouter(prefix="/api", tags=["企业"], route_class=JsonRoute)
Theme = Annotated[str, Field(min_length=1, max_length=40)]


class Said(BaseModel):
    """一批数据说的一个值, in words; `taken_back` when the batch was taken back."""

    value: str
    day: date
    arrived: datetime
    source: str
    source_name: str
    batch: int
    by: str
    taken_back: datetime | None


class ValueHistory(Page):
    """一个值的沿革, newest first."""

    indicator: str
    year: int | None
    rows: list[Said]


class ValueChanged(BaseModel):
    """改动的一个值, before and after in words; `about` names the project or person."""

    name: str
    year: str
    about: str
    before: str
    after: str


class FileChanged(BaseModel):
    """档案的一次变更."""

    kind: str
    at: datetime
    by: str
    batch: int | None
    source: str
    source_name: str
    file: str
    day: date | None
    values: list[ValueChanged]


class FileChanges(Page):
    """变更的一页, newest first."""

    rows: list[FileChanged]


class Tags(Body):
    """确认的行业 (a code of GB/T 4754—2017) and 主题; what is left empty stays as it was confirmed before."""

    industry: Annotated[str, Field(max_length=16)] = ""
    themes: list[Theme] = Field(default_factory=list, max_length=20)
    note: Words = ""


@router.get("/firms/{code}/history", response_model=ValueHistory, responses=FAULTS)
def value_history(
    code: Code,
    indicator: Annotated[Short, Query(min_length=1, description="指标名称，例如 研发费用")],
    year: Annotated[int | None, Query(ge=1900, le=2200, description="逐年指标的年份")] = None,
    page: PageNo = 1,
    size: Size = 50,
    by: Caller = caller("firms"),
) -> dict[str, Any]:
    """一个值的沿革: which batch of whom said what, when it arrived, for which day; contacts masked."""
    known(by, code)
    dictionary = by.office.library(night_of(by.office)).dictionary
    if indicator not in dictionary:
        raise HTTPException(404, f"没有“{indicator}”这个指标")
    found = history(by.office.engine, code, indicator, year)
    rows = history_rows(found, indicator, year, dictionary, contacts=False)
    return {**sliced(rows, page, size), "indicator": indicator, "year": year}


@router.get("/firms/{code}/changes", response_model=FileChanges, responses=FAULTS)
def file_changes(
    code: Code, page: PageNo = 1, size: Size = 50, by: Caller = caller("firms")
) -> dict[str, Any]:
    """变更: every batch that spoke of the firm and what it changed; contacts masked."""
    known(by, code)
    dictionary = by.office.library(night_of(by.office)).dictionary
    return sliced(change_rows(firm_changes(by.office.engine, code), dictionary, contacts=False), page, size)


@router.post(
    "/firms/{code}/tags", status_code=201, response_model=Done, responses=WRITES, dependencies=[Once]
)
def confirm(code: Code, given: Tags, by: Caller = writer("decide")) -> Done:
    """确认行业和主题: lands as data of the office with the person's name; no department's code is overwritten."""
    from desk.pages.firms import confirmed

    known(by, code)
    themes = list(dict.fromkeys(given.themes))
    try:
        confirmed(by.office, by.who, code, given.industry.strip(), themes, given.note)
    except ValueError as error:
        raise HTTPException(409, f"没有保存：{error}") from error
    return Done(told="记下了，下一次比对起可用；部门的代码没有动")
