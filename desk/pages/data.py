"""数据与推送: which source arrived, late, odd; every rejected row; what goes out and what is held back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from desk.evidence import source_title
from desk.office import SHANGHAI, Office
from desk.web import Visit, need, render
from profiles.source import declared_sources
from store import batches
from store.database import session
from store.observations import SourceBatch

router = APIRouter()


@router.get("/desk/data")
def data_index(request: Request, visit: Visit = need("data")) -> HTMLResponse:
    """数据: one line a declared source with its newest batch."""
    office = visit.office
    newest: dict[str, SourceBatch] = {}
    back: dict[str, SourceBatch] = {}
    for batch in batches.batches(office.engine):
        if batch.taken_back_at is None:
            newest.setdefault(batch.source, batch)
        elif batch.source not in newest:  # newer than what stands, so that it is told why this one does
            back.setdefault(batch.source, batch)
    rows = [
        _source_row(office, name, s, newest.get(name)) | {"back": back.get(name)}
        for name, s in declared_sources().items()
    ]
    rows.sort(key=lambda r: (r["rank"], r["department"], r["title"]))
    return render(request, "data.html", rows=rows, arrived=sum(r["batch"] is not None for r in rows))


def _source_row(office: Office, name: str, source: Any, batch: SourceBatch | None) -> dict[str, Any]:
    late = 0
    digits = "".join(ch for ch in source.refresh if ch.isdecimal())
    if batch is not None and digits:
        due = batch.arrived_at.astimezone(SHANGHAI).date() + timedelta(days=int(digits))
        late = max((office.today() - due).days, 0)
    odd = batch is not None and (batch.state != "落库" or batch.rejected or batch.to_confirm)
    return {
        "name": name, "title": source.title or name, "department": source.department, "refresh": source.refresh, "batch": batch,
        "late": late, "rank": 0 if late else 1 if odd else 2 if batch else 3,
    }  # fmt: skip


@router.get("/desk/data/{source}/{number}")
def batch_page(request: Request, source: str, number: int, visit: Visit = need("data")) -> HTMLResponse:
    """一批: counts that add up, and every rejected row with line and reason."""
    with session(visit.office.engine) as opened:
        batch = opened.get(SourceBatch, number) if 0 < number < 2**62 else None
    if batch is None or batch.source != source:
        raise HTTPException(404, "没有这一批")
    found = batches.troubles(visit.office.engine, number)
    past = batches.batches(visit.office.engine, source=source, limit=20)
    return render(
        request,
        "batch.html",
        batch=batch,
        troubles=found[:500],
        count=len(found),
        past=past,
        title=source_title(source, ""),
    )
