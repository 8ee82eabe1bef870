"""接口·对账: finance's payment file beside the ledger, and what does not agree."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePath
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from desk.api.frame import FAULTS, MOST_BODY, WRITES, Caller, JsonRoute, Once, caller, writer
from desk.pages.fulfil import books, take_payments
from store import payments

router = APIRouter(prefix="/api", tags=["兑现"], route_class=JsonRoute)
MOST_SAID = 500


class Reconciled(BaseModel):
    """对账的结果: rows by outcome; at most 500 lines each of bad rows, of differences to earlier files, and of rows that pay nothing we know."""

    file: str
    clean: bool
    counts: dict[str, int]
    rejected: list[str]
    differences: list[str]
    unmatched: list[str]


class Books(BaseModel):
    """账上要先看的事: what the ledger's check and finance's newest file say otherwise, at most 500; null `checked`: being looked for."""

    file: str
    taken: datetime | None
    checked: datetime | None
    findings: list[str]


@router.get("/payments", response_model=Books, responses=FAULTS)
def standing(by: Caller = caller("fulfil")) -> dict[str, Any]:
    """最近一批支付日志, and what is not settled."""
    newest = payments.newest_file(by.office.engine)
    found, checked = books(by.office)
    return {
        "file": newest.name if newest else "", "taken": newest.at if newest else None, "checked": checked,
        "findings": found[:MOST_SAID],
    }  # fmt: skip


@router.post("/payments", status_code=201, response_model=Reconciled, responses=WRITES, dependencies=[Once],
             openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}})  # fmt: skip
async def reconcile(
    request: Request,
    name: Annotated[
        str, Query(pattern=r"^[^/\\\x00]{1,100}\.(csv|xlsx|xlsm)$", description="文件名，后缀说明格式")
    ],
    by: Caller = writer("fulfil.act"),
) -> dict[str, Any]:
    """导入支付日志: the file is the body; a payment, known by its serial number, lands once however often the file comes."""
    if not {"财政", "管理员"} & set(by.person.roles):
        raise HTTPException(403, "支付日志由财政导入")
    data = await request.body()
    if len(data) > MOST_BODY:
        raise HTTPException(413, "文件超过 20 MB")
    try:
        found = await run_in_threadpool(take_payments, by.office, by.who, PurePath(name).name, data)
    except ValueError as error:
        raise HTTPException(409, f"没有对账：{error}") from error
    lists = {k: getattr(found, k)[:MOST_SAID] for k in ("rejected", "differences", "unmatched")}
    return {"file": found.file, "clean": found.clean, "counts": found.counts, **lists}
