"""接口: everything the desk does, for other systems, by token; described at /api/openapi.json."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from desk.api import (
    calendar,
    decisions,
    files,
    firmfile,
    firms,
    money,
    payments,
    people,
    reads,
    rules,
    sheets,
    trial,
)
from desk.api.frame import JsonRoute

# `files` before `reads`: its addresses end in the kind of file.
ROOMS = (files, reads, decisions, rules, trial, firms, firmfile, money, payments, calendar, people, sheets)
router = APIRouter(route_class=JsonRoute)
for room in ROOMS:
    router.include_router(room.router)

ABOUT = (
    "令牌放在 Authorization: Bearer 里，范围 read 能读、write 能写，再受令牌主人的角色和部门限制。"
    "写操作要带 Idempotency-Key，重发用同一个键就不会办两次。金额以元计，null 是待定；名单以外的企业是不符合。"
)


def api_routes() -> list[APIRoute]:
    """接口的全部路由."""
    return [r for room in ROOMS for r in room.router.routes if isinstance(r, APIRoute)]


@lru_cache(maxsize=1)
def description() -> dict[str, Any]:
    """接口说明, made once."""
    return get_openapi(title="惠企直达接口", version="1", routes=api_routes(), description=ABOUT)


@router.get("/api/openapi.json", include_in_schema=False)
def openapi(request: Request) -> JSONResponse:
    """接口说明 (OpenAPI 3.1): the routes of the API alone; needs no token."""
    return JSONResponse(description())


@router.api_route(
    "/api/{rest:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"], include_in_schema=False
)
def nothing(rest: str) -> Response:
    """没有这个接口."""
    raise HTTPException(404, "没有这个接口，全部接口见 /api/openapi.json")
