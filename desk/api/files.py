"""接口·文件: what a browser downloads from the desk, by token: the same files, with the same note of who took them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response

from desk.api import rules
from desk.api.frame import FAULTS, Caller, Code, JsonRoute, Part, Short, caller
from desk.pages import export, impact, readiness
from desk.pages import items as item_pages

router = APIRouter(prefix="/api", tags=["文件"], route_class=JsonRoute)
EXCEL = {"content": {export.EXCEL: {}}, "description": "Excel 文件"}
CSV = {"content": {"text/csv": {}}, "description": "CSV 文件"}
YAML = {"content": {"application/yaml": {}}, "description": "规则文件"}
PDF = {"content": {"application/pdf": {}}, "description": "PDF 文件"}


def _file(kind: dict[str, Any]) -> dict[str, Any]:
    """说明里的一种文件."""
    return {"responses": {**FAULTS, 200: kind}, "response_class": Response}


@router.get("/items.xlsx", **_file(EXCEL))
def item_file(request: Request, by: Caller = caller("export")) -> Response:
    """事项清单."""
    return export.items_excel(request, by.visit())


@router.get("/items/{document}/{slug}/matches.xlsx", **_file(EXCEL))
def list_file(request: Request, document: Part, slug: Part, by: Caller = caller("export")) -> Response:
    """名单 Excel; the query is the desk's own: verdict, why, stuck, since, state, industry, q, sort, run."""
    return export.list_excel(request, document, slug, by.visit())


@router.get("/items/{document}/{slug}/matches.csv", **_file(CSV))
def list_text(request: Request, document: Part, slug: Part, by: Caller = caller("export")) -> Response:
    """名单 CSV; the query is the desk's own."""
    return export.list_csv(request, document, slug, by.visit())


@router.get("/items/{document}/{slug}/impact.xlsx", **_file(EXCEL))
def trial_file(request: Request, document: Part, slug: Part, by: Caller = caller("export")) -> Response:
    """试算 Excel; the query is the desk's own: c.CONDITION=expression, budget, or sweep, values and by."""
    return impact.impact_excel(request, document, slug, by.visit())


@router.get("/items/{document}/{slug}/rule.yaml", **_file(YAML))
def rule_file(document: Part, slug: Part, by: Caller = caller("items")) -> Response:
    """规则文件 as it stands in the library of rules: its own text, byte for byte."""
    item = f"{document}/{slug}"
    rules.program_of(by, item)
    text = item_pages.source_text(by.office, item)
    if not text:
        raise HTTPException(404, "政策库里没有这个规则文件")
    return Response(text, media_type="application/yaml")


@router.get("/items/{document}/{slug}/notice.xlsx", **_file(EXCEL))
def notice_file(request: Request, document: Part, slug: Part, by: Caller = caller("export")) -> Response:
    """公示名单."""
    return export.notice(request, document, slug, by.visit())


@router.get("/matches/{code}/{document}/{slug}/evidence.pdf", **_file(PDF))
def evidence_file(
    request: Request, code: Code, document: Part, slug: Part, by: Caller = caller("export")
) -> Response:
    """一条依据 PDF."""
    return export.evidence_pdf(request, code, document, slug, by.visit())


@router.get("/grants.xlsx", **_file(EXCEL))
def ledger_file(request: Request, by: Caller = caller("export")) -> Response:
    """兑现台账."""
    return export.ledger_excel(request, by.visit())


@router.get("/readiness.xlsx", **_file(EXCEL))
def readiness_file(request: Request, by: Caller = caller("export")) -> Response:
    """就绪度."""
    return readiness.readiness_excel(request, by.visit())


@router.get("/gaps/letter.pdf", **_file(PDF))
def letter_file(
    department: Annotated[Short, Query(description="归口部门")], by: Caller = caller("export")
) -> Response:
    """数据需求函, to one department."""
    return readiness.letter_pdf(department, by.visit())


@router.get("/gaps/letter.xlsx", **_file(EXCEL))
def annex_file(
    department: Annotated[Short, Query(description="归口部门")], by: Caller = caller("export")
) -> Response:
    """数据需求函的附表: which enterprises' values are asked for."""
    return readiness.letter_annex(department, by.visit())
