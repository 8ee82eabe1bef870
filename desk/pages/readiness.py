"""就绪度: which items can be 免申即享, what blocks the others, which data request frees most money, and the letters that ask."""

from __future__ import annotations

from collections import Counter

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response

from desk.asking import Wanted, by_department, letter, wanted
from desk.exports import workbook
from desk.pages.export import EXCEL, file_answer, logged, notes_of
from desk.ready import Gap, all_items, gaps
from desk.web import Visit, need, render
from engine.grantmoves import variant_of
from policies.readiness import TESTS
from store.nights import Night

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
        gaps=gaps(office, night)[:30], departments=by_department(office, night),
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


def _asked(visit: Visit, department: str) -> tuple[Night, list[Gap]]:
    """这个部门的缺口. Raises 404 where it is asked for nothing."""
    night = visit.office.night()
    found = dict(by_department(visit.office, night)) if night else {}
    if night is None or department not in found:
        raise HTTPException(404, f"没有要请“{department}”补的数据")
    return night, found[department]


def _cells(visit: Visit, night: Night, department: str, found: list[Gap]) -> list[Wanted]:
    key = ("wanted", night.no, department)
    return visit.office.memory.get(key, lambda: wanted(visit.office, night, {g.name for g in found}))


@router.get("/desk/readiness/letter.pdf")
def letter_pdf(department: str = Query("", max_length=40), visit: Visit = need("export")) -> Response:
    """数据需求函 PDF, to one department."""
    night, found = _asked(visit, department)
    count = len(_cells(visit, night, department, found))
    logged(visit, "导出数据需求函", department, len(found))
    body = letter(visit.office, night, department, found, count)
    return file_answer(body, f"数据需求函_{department}_{night.as_of}.pdf", "application/pdf")


@router.get("/desk/readiness/letter.xlsx")
def letter_annex(department: str = Query("", max_length=40), visit: Visit = need("export")) -> Response:
    """数据需求函的附表 Excel: which enterprises' values are asked for."""
    night, found = _asked(visit, department)
    cells = _cells(visit, night, department, found)
    rows = [[w.name, w.code, w.indicator, w.year, "", "、".join(w.items)] for w in cells]
    head = ("企业名称", "统一社会信用代码", "缺的数据", "年度", "请填写", "用在哪些事项")
    logged(visit, "导出数据需求函附表", department, len(rows))
    data = workbook(f"请{department}补的数据", notes_of(night, visit), head, rows)
    return file_answer(data, f"数据需求函附表_{department}_{night.as_of}.xlsx", EXCEL)
