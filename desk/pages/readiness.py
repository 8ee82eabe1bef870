"""就绪度: which items can be 免申即享, what blocks the others, which data request frees most money."""

from __future__ import annotations

from collections import Counter

from fastapi import APIRouter, Request
from fastapi.responses import Response

from desk.ready import all_items, gaps
from desk.web import Visit, need, render

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
    kinds = Counter(
        "免申即享" if r.delivery == "免申即享" else "即申即享" if r.delivery == "即申即享" else "申报兑现"
        for r in rows
    )
    return render(
        request, "readiness.html", rows=[r for r in rows if scope in ("全部", r.advice)], total=len(rows), scope=scope,
        counts={s: len(rows) if s == "全部" else sum(r.advice == s for r in rows) for s in SCOPES}, kinds=kinds,
        gaps=gaps(office, night)[:30],
    )  # fmt: skip
