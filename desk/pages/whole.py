"""整份文件试算: what a document as it stands in the library now, its drafts counted as in force, would do to firms and money."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from analysis import Impacts, View, charts, compare_all
from desk.access import sees_item
from desk.exports import workbook
from desk.pages.export import EXCEL, file_answer, logged, notes_of
from desk.pages.impact import FIRM_HEAD, MOST_FIRMS, firm_row, limits_of
from desk.web import Visit, need, plain_name, render
from store.nights import Night

router = APIRouter()


@router.get("/desk/policies/{doc}/impact")
def whole_page(request: Request, doc: str, visit: Visit = need("items")) -> HTMLResponse:
    """整份文件试算页: the same figures as `huiqi impact --document`; nothing is saved or told."""
    night = _night(visit)
    found, fault = whole_impact(visit, night, doc)
    held = visit.office.library(night).documents.get(doc)
    return render(
        request, "whole.html", doc=doc, title=held.document.title if held else doc, found=found, fault=fault,
        approval=found.approval(limits_of(visit.office)) if found else [],
        firms=found.firms.head(MOST_FIRMS).to_dict("records") if found else [],
    )  # fmt: skip


@router.get("/desk/policies/{doc}/impact.svg")
def whole_drawing(request: Request, doc: str, visit: Visit = need("items")) -> Response:
    """整份文件试算的图."""
    found = _wanted(visit, doc)[1]
    return Response(charts.svg(charts.impact_chart(found)), media_type="image/svg+xml")


@router.get("/desk/policies/{doc}/impact.xlsx")
def whole_excel(request: Request, doc: str, visit: Visit = need("export")) -> Response:
    """整份文件试算的表: one row a firm and item, with why it comes or goes."""
    night, found = _wanted(visit, doc)
    said = [
        found.words(),
        *(f"要领导批准：{w}" for w in found.approval(limits_of(visit.office))),
        *notes_of(night, visit),
    ]
    rows = [[r["名称"], *firm_row(r)] for r in found.changes.to_dict("records")]
    logged(visit, "导出文件试算", doc, len(rows))
    return file_answer(
        workbook(f"{doc} 试算", said, ("事项", *FIRM_HEAD), rows), f"{doc}_试算_{night.as_of}.xlsx", EXCEL
    )


def whole_impact(visit: Visit, night: Night, doc: str) -> tuple[Impacts | None, str]:
    """整份文件的影响, of the items that the visitor may see; with the fault in words where the document can't be read."""
    folder = visit.office.library_root / plain_name(doc)
    view = View(night)
    try:
        after = view.with_document(folder)
    except ValueError as error:
        return None, str(error)
    found = compare_all(view, after)
    own = (after.program(p.item) if after.live(p.item) else view.program(p.item) for p in found.parts)
    seen = [
        p
        for p, program in zip(found.parts, own, strict=True)
        if sees_item(visit.person, program.item.department)
    ]
    return Impacts(tuple(seen)), ""


def _night(visit: Visit) -> Night:
    night = visit.office.night()
    if night is None:
        raise HTTPException(404, "还没有比对过，算不出影响")
    return night


def _wanted(visit: Visit, doc: str) -> tuple[Night, Impacts]:
    night = _night(visit)
    found, fault = whole_impact(visit, night, doc)
    if found is None or not found.parts:
        raise HTTPException(404, fault or "没有一个事项有变化")
    return night, found
