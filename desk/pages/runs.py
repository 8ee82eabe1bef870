"""比对与操作记录: past nights with their versions, the audit chain."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from desk.urls import url
from desk.web import Posted, Visit, need, posted, render, see
from store import accounts, audit
from store.guard import release_night
from store.pushes import queue_pushes

router = APIRouter()
PAGE = 100


@router.get("/desk/runs")
def run_index(request: Request, visit: Visit = need("runs")) -> HTMLResponse:
    """历次比对."""
    return render(request, "runs.html", nights=visit.office.nights()[:200])


@router.get("/desk/runs/{number}")
def run_page(request: Request, number: int, visit: Visit = need("runs")) -> HTMLResponse:
    """一次比对: versions, counts, what differs from the one before."""
    night = visit.office.night(number)
    if night is None:
        raise HTTPException(404, f"没有第 {number} 次比对")
    rows = visit.office.items(night, visit.person).to_dict("records")
    before = visit.office.night(night.run.previous) if night.run.previous else None
    had = (
        {r["item"]: r for r in visit.office.items(before, visit.person).to_dict("records")} if before else {}
    )
    moved = [(r, had.get(r["item"])) for r in rows]
    moved.sort(key=lambda m: -abs(m[0]["fits"] - (m[1]["fits"] if m[1] else 0)))
    return render(request, "run.html", night=night, before=before, moved=moved)


@router.post("/desk/runs/{number}")
def release(request: Request, number: int, given: Posted = posted("sign")) -> Response:
    """放行: a night the guard held is let through by a person, with the reason."""
    office = given.visit.office
    try:
        release_night(office.engine, number, given.visit.who, given.text("why"), office.now())
    except ValueError as error:
        return see(url("run", no=number, told=f"没有放行：{error}"))
    night = office.night(number)
    assert night is not None
    counts = queue_pushes(office.engine, night, night.as_of, office.now())
    return see(url("run", no=number, told="已放行，" + "，".join(f"{k} {v}" for k, v in counts.items())))


@router.get("/desk/audit")
def audit_index(
    request: Request, who: str = "", what: str = "", q: str = "", page: int = 1, visit: Visit = need("audit")
) -> HTMLResponse:
    """操作记录: who did what; is the chain whole?"""
    engine = visit.office.engine
    rows, total = audit.entries(
        engine, who=who[:64], what=what[:64], query=q[:60], limit=PAGE, offset=(max(page, 1) - 1) * PAGE
    )
    report = audit.verify(engine) if request.query_params.get("verify") == "1" else None
    return render(
        request, "audit.html", rows=rows, total=total, page=max(page, 1), pages=max(-(-total // PAGE), 1), who=who, what=what,
        q=q, kinds=audit.kinds(engine), report=report, names={p.login: p.name for p in accounts.people(engine)},
    )  # fmt: skip
