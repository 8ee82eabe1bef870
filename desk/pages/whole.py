"""整份文件试算: what a document as it stands in the library now, its drafts counted as in force, would do to firms and money."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from analysis import Impacts
from desk.exports import book_parts
from desk.pages.export import logged, notes_of, streamed
from desk.pages.impact import FIRM_HEAD, MOST_FIRMS, firm_rows, limits_of
from desk.web import Visit, need, render
from desk.whole import Whole, folder_of, reckon, soon
from store.nights import Night

router = APIRouter()


@router.get("/desk/policies/{doc}/impact")
def whole_page(request: Request, doc: str, visit: Visit = need("items")) -> HTMLResponse:
    """整份文件试算页: the same figures as `huiqi impact --document`; nothing is saved or told."""
    night, folder = _asked(visit, doc)
    whole = soon(visit.office, night, doc, folder)
    found = whole.seen(visit.office, visit.person.department) if whole else None
    held = visit.office.library(night).documents.get(doc)
    return render(
        request, "whole.html", doc=doc, title=held.document.title if held else doc, found=found, working=whole is None,
        fault=whole.fault if whole else "", approval=found.approval(limits_of(visit.office)) if found else [],
        firms=found.firms.head(MOST_FIRMS).to_dict("records") if found else [],
        waiting=whole.waiting(visit.person.department) if whole else [],
    )  # fmt: skip


@router.get("/desk/policies/{doc}/impact.svg")
def whole_drawing(request: Request, doc: str, visit: Visit = need("items")) -> Response:
    """整份文件试算的图."""
    _, whole, _ = _reckoned(visit, doc)
    return Response(whole.drawing(visit.person.department), media_type="image/svg+xml")


@router.get("/desk/policies/{doc}/impact.xlsx")
def whole_excel(request: Request, doc: str, visit: Visit = need("export")) -> Response:
    """整份文件试算的表: one row a firm and item, with why it comes or goes."""
    night, _, found = _reckoned(visit, doc)
    said = [
        found.words(),
        *(f"要领导批准：{w}" for w in found.approval(limits_of(visit.office))),
        *notes_of(night, visit),
    ]
    count = len(found.changes)
    logged(visit, "导出文件试算", doc, count)
    parts = book_parts(
        f"{doc} 试算", said, ("事项", *FIRM_HEAD), firm_rows(found.changes, found.promised, "名称"), count
    )
    return streamed(parts, f"{doc}_试算_{night.as_of}.xlsx", count)


def _asked(visit: Visit, doc: str) -> tuple[Night, Path]:
    night, folder = visit.office.night(), folder_of(visit.office, doc)
    if night is None:
        raise HTTPException(404, "还没有比对过，算不出影响")
    if folder is None:
        raise HTTPException(404, f"政策库里没有编号是 {doc} 的文件")
    return night, folder


def _reckoned(visit: Visit, doc: str) -> tuple[Night, Whole, Impacts]:
    night, folder = _asked(visit, doc)
    whole = reckon(visit.office, night, doc, folder)
    found = whole.seen(visit.office, visit.person.department)
    if found is None or not found.parts:
        raise HTTPException(404, whole.fault or "没有一个事项有变化")
    return night, whole, found
