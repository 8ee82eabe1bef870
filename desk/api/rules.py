"""接口·事项: one item with its rule, drafts on their way to publication, documents and their proposals."""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import PurePath
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel, StringConstraints
from starlette.concurrency import run_in_threadpool

from desk.api.frame import (
    FAULTS,
    MOST_BODY,
    WRITES,
    Body,
    Caller,
    Done,
    JsonRoute,
    Number,
    Once,
    Page,
    PageNo,
    Part,
    Short,
    Size,
    Words,
    caller,
    night_of,
    sliced,
    writer,
)
from desk.pages import items as item_pages
from desk.pages import policies as policy_pages
from desk.ready import readiness_of
from desk.rules import impact_of, lines_of, rule_rows
from engine.program import Program
from store import drafts
from store.nights import Night

router = APIRouter(prefix="/api", tags=["事项"], route_class=JsonRoute)
Text = Annotated[str, StringConstraints(max_length=item_pages.MOST_TEXT)]


class RuleLine(BaseModel):
    """一条条件 beside its clause; `fill` is the share of firms with usable data."""

    number: int
    id: str
    quote: str
    cite: str
    says: list[str]
    data: str
    fill: float | None
    state: Literal["机器可判", "数据不全", "需人工判断"]
    hidden: bool


class BatchLine(BaseModel):
    """一个批次."""

    name: str
    opens: date
    closes: date


class FunnelLine(BaseModel):
    """漏斗的一级: enterprises left after a condition, and dropped at it."""

    number: int
    remaining: int
    dropped: int


class ItemAnswer(BaseModel):
    """一个事项与规则."""

    item: str
    title: str
    status: str
    department: str
    document: str
    conditions: list[RuleLine]
    benefit: list[str]
    batches: list[BatchLine]
    funnel: list[FunnelLine]
    ready: dict[str, bool]
    drafts: list[int]
    rule: str


class DraftAnswer(BaseModel):
    """规则草稿; `seen` goes back with the next save."""

    id: int
    item: str
    state: str
    author: str
    note: str
    returned: str
    text: str
    cases: str
    seen: str
    impact: dict[str, Any]
    changed: datetime
    signer: str


class Drafts(Page):
    """草稿的一页."""

    rows: list[DraftAnswer]


class DraftText(Body):
    """要检查的规则."""

    text: Text
    cases: Text | None = None


class DraftStep(Body):
    """草稿的一步: 存草稿 and 提交签发 carry the text and what was seen; 退回 its words."""

    do: Literal["存草稿", "提交签发", "作废", "退回", "批准", "签发并发布"]
    text: Text | None = None
    cases: Text | None = None
    note: Annotated[str, StringConstraints(max_length=500)] = ""
    seen: Annotated[str, StringConstraints(max_length=64)] = ""
    words: Words = ""


class Checked(BaseModel):
    """检查结果: problems as the checker words them, with carets; and what the draft would change."""

    errors: int
    problems: list[str]
    impact: dict[str, Any] | None


class ProposalAnswer(BaseModel):
    """机器的一条提议; `score` its confidence; `mark` what a person made of it."""

    key: str
    kind: str
    quote: str
    score: float
    item: str
    why: str
    mark: dict[str, Any] | None


class DocumentAnswer(BaseModel):
    """一份分解校对, least certain proposals first."""

    id: int
    document: str
    title: str
    state: str
    by: str
    open: int
    proposals: list[ProposalAnswer]


class ProposalMark(Body):
    """定一条提议."""

    key: Short
    do: Literal["采纳", "不要", "改为人工判断", "改", "重定"]
    quote: Words = ""


# ---------------------------------------------------------------- items


@router.get("/items/{document}/{slug}", response_model=ItemAnswer, responses=FAULTS)
def item(document: Part, slug: Part, by: Caller = caller("items")) -> dict[str, Any]:
    """一个事项与规则: conditions beside their clauses, coverage, funnel, batches, readiness."""
    office, name = by.office, f"{document}/{slug}"
    night, program = program_of(by, name)
    bound = office.bound(night, name)
    lines = [
        {"number": r.n, "id": r.id, "quote": r.quote, "cite": r.cite, "says": [w for _, w in r.says], "data": r.data,
         "fill": r.fill, "state": r.state, "hidden": r.hidden}
        for r in rule_rows(office, night, program, bound)
    ]  # fmt: skip
    funnel = office.funnel(night, name).to_dict("records") if bound else []
    under_way = drafts.drafts(office.engine, name, (drafts.DRAFT, drafts.SUBMITTED))
    return {
        "item": name, "title": program.item.title, "status": program.item.status, "department": program.item.department,
        "document": program.document.title, "conditions": lines,
        "benefit": [f"{what}：{how}" for what, how, _, _ in lines_of(program, bound)],
        "batches": [{"name": b.name, "opens": b.opens, "closes": b.closes} for b in program.item.batches],
        "funnel": [{"number": i, "remaining": int(f["remaining"]), "dropped": int(f["dropped"])} for i, f in enumerate(funnel, 1)],
        "ready": {t.name: t.passed for t in readiness_of(office, night, program).tests},
        "drafts": [d.id for d in under_way], "rule": item_pages.source_text(office, name),
    }  # fmt: skip


def program_of(by: Caller, item: str) -> tuple[Night, Program]:
    """事项的规则 of the latest night. Raises 404."""
    night = night_of(by.office)
    program = by.office.library(night).program(item)
    if program is None:
        raise HTTPException(404, f"第 {night.no} 次比对的规则库里没有 {item}")
    by.sees(program.item.department)
    return night, program


# ---------------------------------------------------------------- drafts


@router.get("/drafts", response_model=Drafts, responses=FAULTS)
def draft_list(
    item: Annotated[str, Query(max_length=128)] = "",
    page: PageNo = 1,
    size: Size = 50,
    by: Caller = caller("items"),
) -> dict[str, Any]:
    """规则草稿, newest first."""
    found = [d for d in drafts.drafts(by.office.engine, item) if _visible(by, d)]
    out = sliced(found, page, size)
    return {**out, "rows": [draft_answer(d) for d in out["rows"]]}


@router.post(
    "/items/{document}/{slug}/drafts",
    status_code=201,
    response_model=DraftAnswer,
    responses=WRITES,
    dependencies=[Once],
)
def begin_draft(document: Part, slug: Part, by: Caller = writer("edit")) -> dict[str, Any]:
    """起草 from the published rule; 409 while another draft of the item is under way."""
    office, name = by.office, f"{document}/{slug}"
    program_of(by, name)
    text = item_pages.source_text(office, name)
    if not text:
        raise HTTPException(404, "政策库里没有这个规则文件")
    tests = item_pages.rule_path(office, name).with_suffix(".test.yaml")
    cases = tests.read_text(encoding="utf-8") if tests.is_file() else ""
    try:
        return draft_answer(drafts.begin(office.engine, name, text, cases, by.who, office.now()))
    except drafts.DraftError as error:
        raise HTTPException(409, str(error)) from error


@router.get("/drafts/{number}", response_model=DraftAnswer, responses=FAULTS)
def one_draft(number: Number, by: Caller = caller("items")) -> dict[str, Any]:
    """一份草稿."""
    return draft_answer(draft_of(by, number))


@router.post("/drafts/{number}/check", response_model=Checked, responses=FAULTS)
def check_draft(number: Number, given: DraftText, by: Caller = caller("edit")) -> dict[str, Any]:
    """检查 a text against the draft's document, and its impact; nothing is saved."""
    made, office = draft_of(by, number), by.office
    checked = item_pages.check(office, made, given.text, given.cases)
    night = office.night()
    impact = impact_of(night, made.item, checked.program) if night and checked.program else None
    return {
        "errors": checked.errors, "problems": [words for _, words in checked.problems],
        "impact": impact.summary() if impact else None,
    }  # fmt: skip


@router.post("/drafts/{number}", response_model=DraftAnswer, responses=WRITES, dependencies=[Once])
def step_draft(number: Number, given: DraftStep, by: Caller = writer("items")) -> dict[str, Any]:
    """草稿的一步; 409 where it is not allowed, above all for signing one's own."""
    by.need(item_pages.STEPS[given.do])
    made, office, now = draft_of(by, number), by.office, by.office.now()
    try:
        if given.do in ("存草稿", "提交签发"):
            text = made.text if given.text is None else given.text
            saved = drafts.save(office.engine, number, text, given.note, by.who, now, given.seen, given.cases)
            made = item_pages.submit(office, saved, by.who) if given.do == "提交签发" else saved
        elif given.do == "退回":
            made = drafts.send_back(office.engine, number, by.who, given.words, now)
        elif given.do == "作废":
            drafts.drop(office.engine, number, by.who, now)
        elif given.do == "批准":
            item_pages.approve(office, made, by.who)
        else:
            item_pages.publish(office, made, by.who)
    except drafts.DraftError as error:
        raise HTTPException(409, str(error)) from error
    return draft_answer(drafts.draft(office.engine, number) or made)


# ---------------------------------------------------------------- documents


@router.post("/documents", status_code=201, response_model=DocumentAnswer, responses=WRITES, dependencies=[Once],
             openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}})  # fmt: skip
async def import_document(
    request: Request,
    document: Annotated[
        str, Query(pattern=r"^[a-z0-9][a-z0-9-]{1,40}$", description="文件编号，例如 bs-2026-02")
    ],
    name: Annotated[
        str,
        Query(pattern=r"^[^/\\\x00]{1,200}\.(docx|pdf|html?|txt|md)$", description="文件名，后缀说明格式"),
    ],
    by: Caller = writer("edit"),
) -> dict[str, Any]:
    """导入一份政策: the file is the body; it is read and decomposed."""
    data = await request.body()
    if len(data) > MOST_BODY:
        raise HTTPException(413, "文件超过 20 MB")
    try:
        made = await run_in_threadpool(
            policy_pages.take_in, by.office, by.who, document, PurePath(name).name, data
        )
    except (ValueError, OSError) as error:
        raise HTTPException(409, f"没有导入：{_plain(error)}") from error
    return document_answer(made)


@router.get("/documents", response_model=list[int], responses=FAULTS)
def documents(by: Caller = caller("items")) -> list[int]:
    """分解校对的编号, newest first."""
    return [d.id for d in drafts.decompositions(by.office.engine) if d.id is not None]


@router.get("/documents/{number}", response_model=DocumentAnswer, responses=FAULTS)
def document(number: Number, by: Caller = caller("items")) -> dict[str, Any]:
    """一份分解校对."""
    return document_answer(_document(by, number))


@router.post(
    "/documents/{number}/proposals", response_model=DocumentAnswer, responses=WRITES, dependencies=[Once]
)
def mark(number: Number, given: ProposalMark, by: Caller = writer("edit")) -> dict[str, Any]:
    """定一条提议: 采纳, 改 (with the words of the document), 改为人工判断, 不要; 重定 opens it again."""
    made = _document(by, number)
    try:
        done = policy_pages.mark_of(made, given.key, given.do, given.quote)
        drafts.mark_proposal(by.office.engine, number, given.key, done, by.who, by.office.now())
    except drafts.DraftError as error:
        raise HTTPException(409, str(error)) from error
    return document_answer(_document(by, number))


@router.post("/documents/{number}/sign", response_model=Done, responses=WRITES, dependencies=[Once])
def sign(number: Number, by: Caller = writer("sign")) -> Done:
    """签发分解: the kept proposals become rule drafts in the library; a second person."""
    made, office = _document(by, number), by.office
    left = sum(p["mark"] is None for p in policy_pages.proposals(made))
    if left:
        raise HTTPException(409, f"还有 {left} 条提议没定，不能签发")
    try:
        drafts.sign_decomposition(
            office.engine, number, by.who, office.now(), lambda d: policy_pages.put(office, d)
        )
    except (drafts.DraftError, ValueError, OSError) as error:
        raise HTTPException(409, f"没有签发：{_plain(error)}") from error
    return Done(told="签发了；规则是草稿，在事项里改好、另一位签发后才参加比对")


# ---------------------------------------------------------------- plain values


def _plain(error: Exception) -> str:
    """The cause without the places of this machine."""
    return re.sub(r"(/[^\s/：:]+)+/", "", str(error))


def _visible(by: Caller, made: drafts.RuleDraft) -> bool:
    night = by.office.night()
    program = by.office.library(night).program(made.item) if night else None
    return by.person.department in ("", program.item.department if program else "")


def draft_of(by: Caller, number: int) -> drafts.RuleDraft:
    """草稿. Raises 404 for one that is not there or of another department."""
    made = drafts.draft(by.office.engine, number)
    if made is None or not _visible(by, made):
        raise HTTPException(404, f"没有第 {number} 份草稿")
    return made


def draft_answer(d: drafts.RuleDraft) -> dict[str, Any]:
    return {**d.model_dump(include=set(DraftAnswer.model_fields)), "seen": drafts.fingerprint(d.text)}


def _document(by: Caller, number: int) -> drafts.Decomposition:
    made = drafts.decomposition(by.office.engine, number)
    if made is None:
        raise HTTPException(404, f"没有第 {number} 份分解")
    return made


def document_answer(made: drafts.Decomposition) -> dict[str, Any]:
    rows = policy_pages.proposals(made)
    return {
        "id": made.id, "document": made.document, "title": made.title, "state": made.state, "by": made.by,
        "open": sum(p["mark"] is None for p in rows),
        "proposals": [{k: p[k] for k in ProposalAnswer.model_fields} for p in rows],
    }  # fmt: skip
