"""就绪度: which items can be 免申即享, what blocks the others, which data request frees most money."""

from __future__ import annotations

from collections import Counter

from fastapi import APIRouter, Request
from fastapi.responses import Response

from desk.exports import workbook
from desk.pages.export import EXCEL, file_answer, logged, notes_of
from desk.ready import all_items, gaps
from desk.web import Visit, need, render
from engine.grantmoves import variant_of
from policies.readiness import TESTS

router = APIRouter()
SCOPES = ("全部", "可以升级", "差 1 项", "要降级")


@router.get("/desk/readiness")
def readiness_index(request: Request, scope: str = "全部", visit: Visit = need("readiness")) -> Response:
    """就绪度."""
    office, night = visit.office, visit.office.night()
    if night is None:
        return render(request, "no_night.html", active="readiness")
    rows = [r for r in all_items(office, night) if visit.person.department in ("", r.department)]
    scope = scope if scope in SCOPES else "全部"
    kinds = Counter(variant_of(r.works_as) for r in rows)
    return render(
        request, "readiness.html", rows=[r for r in rows if scope in ("全部", r.advice)], total=len(rows), scope=scope,
        counts={s: len(rows) if s == "全部" else sum(r.advice == s for r in rows) for s in SCOPES}, kinds=kinds,
        gaps=gaps(office, night)[:30],
    )  # fmt: skip


@router.get("/desk/readiness.xlsx")
def readiness_excel(request: Request, visit: Visit = need("export")) -> Response:
    """就绪度 Excel: the three tests, what blocks each item and who could lift it."""
    office, night = visit.office, visit.office.night()
    found = all_items(office, night) if night else []
    rows = [
        [r.item, r.title, r.delivery, r.works_as, *("过" if t.passed else t.why for t in r.tests), "、".join(r.lifters),
         r.advice or "已免申", r.fits, r.open]
        for r in found
        if visit.person.department in ("", r.department)
    ]  # fmt: skip
    head = ("事项编号", "事项", "兑现方式", "现在按", *TESTS, "能放开的部门", "升降", "符合 家", "待核实 家")
    logged(visit, "导出就绪度", "就绪度", len(rows))
    notes = notes_of(night, visit) if night else []
    return file_answer(workbook("免申即享就绪度", notes, head, rows), f"就绪度_{office.today()}.xlsx", EXCEL)
