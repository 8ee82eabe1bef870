"""定时作业: what ran when, by whom, how it ended and what it said; who leads now."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from desk.web import Visit, need, render
from store import leases

router = APIRouter()
TITLES = {
    "facts": "已兑现写回收件箱",
    "night": "每夜比对",
    "check": "核台账、验操作记录",
    "clocks": "兑现时钟",
    "push": "推送",
}


@router.get("/desk/jobs")
def jobs_index(request: Request, job: str = "", visit: Visit = need("runs")) -> HTMLResponse:
    """定时作业."""
    engine, now = visit.office.engine, visit.office.now()
    job = job if job in TITLES else ""
    last = [found[0] if (found := leases.runs(engine, name, 1)) else None for name in TITLES]
    return render(
        request, "jobs.html", rows=leases.runs(engine, job or None, 100), titles=TITLES, job=job, now=now,
        last=list(zip(TITLES, last, strict=True)), leader=leases.leader(engine, "schedule", now),
    )  # fmt: skip
