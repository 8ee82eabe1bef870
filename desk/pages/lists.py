"""专题名单: the match lists again by what an analyst follows: 高企培育, RCEP, 融资, 信用修复, 白名单, 对标."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from desk.office import Office
from desk.pages.matches import SUBJECTS, item_rows
from desk.web import Visit, need, render
from store.nights import Night

router = APIRouter()


@router.get("/desk/lists/{name}")
def subject_list(request: Request, name: str, visit: Visit = need("items")) -> Response:
    """一个专题: its items with their lists. Raises 404 for a subject that is none."""
    office, night = visit.office, visit.office.night()
    if name not in SUBJECTS:
        raise HTTPException(404, f"没有“{name}”这个专题，有：{'、'.join(SUBJECTS)}")
    if night is None:
        return render(request, "no_night.html", active="matches")
    chosen = of_subject(office, night, name)
    rows: list[dict[str, Any]] = [r for r in item_rows(office, night, visit) if r["id"] in chosen]
    rows.sort(key=lambda r: (-r["fits"], -r["open"], r["id"]))
    total = {k: sum(r[k] for r in rows) for k in ("fits", "open", "todo")}
    return render(
        request, "subject.html", rows=rows, total=total, name=name, subjects=list(SUBJECTS), lists="matches" in visit.rights
    )  # fmt: skip


def of_subject(office: Office, night: Night, name: str) -> set[str]:
    """属于一个专题的事项: those whose title or category holds one of its words."""
    words = SUBJECTS[name]
    out = set()
    for program in office.library(night).programs:
        item = program.item
        if any(w in item.title or w == item.category for w in words):
            out.add(item.id)
    return out
