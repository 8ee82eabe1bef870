"""请求日志: one line a request: which route, how it ended, how long, about which item and match; never who, from where or what was typed."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request
from starlette.responses import Response

LOG = logging.getLogger("huiqi.desk")
QUIET = ("/static/", "/healthz")


async def journal(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """记一行 of each request; the address's own parts are told by their names, so that a search or a code typed is not kept."""
    if request.url.path.startswith(QUIET):
        return await call_next(request)
    began, name = time.perf_counter(), uuid.uuid4().hex[:12]
    try:
        response = await call_next(request)
    except Exception:
        LOG.exception("request", extra=_about(request, name, 500, began))
        raise
    response.headers["X-Request-Id"] = name
    LOG.info("request", extra=_about(request, name, response.status_code, began))
    return response


def _about(request: Request, name: str, status: int, began: float) -> dict[str, Any]:
    route, parts = request.scope.get("route"), request.path_params
    out: dict[str, Any] = {
        "request": name, "method": request.method, "route": getattr(route, "path", "") or "（没有这一页）", "status": status,
        "ms": round((time.perf_counter() - began) * 1000, 1),
    }  # fmt: skip
    item = "/".join(str(parts[p]) for p in ("doc", "document", "slug") if p in parts)
    if "slug" in parts:
        out["item"] = item
        if "code" in parts:
            out["match"] = f"{item}:{parts['code']}"
    shown = getattr(request.app.state.office, "shown", 0)
    return out | ({"run": shown} if shown else {})
