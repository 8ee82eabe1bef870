"""接口: items, lists, evidence and runs for other systems, by token; read only, paged, described at /api/openapi.json."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from math import ceil
from typing import Annotated, Any, Literal

import pandas as pd
from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

from desk.access import rights_of, sees_item
from desk.evidence import facts_of, seen_of
from desk.office import CODE, NAME, Office, number
from desk.pages.match import hit_of
from desk.web import office_of
from engine.explain import explain
from engine.match import Evidence, Seen
from store.accounts import Person, who_has
from store.nights import Night

MOST_SIZE = 500
LONGEST_TOKEN = 200


class JsonRoute(APIRoute):
    """接口路由: faults are JSON in one line of plain words, never a page."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await inner(request)
            except RequestValidationError as error:
                wrong = [".".join(str(p) for p in e["loc"][1:]) for e in error.errors()]
                return JSONResponse(
                    {"detail": f"参数写错了：{'、'.join(dict.fromkeys(wrong))}", "fields": wrong}, 422
                )
            except HTTPException as error:
                return JSONResponse({"detail": error.detail}, error.status_code, error.headers)

        return handle


router = APIRouter(prefix="/api", tags=["接口"], route_class=JsonRoute)
bearer = HTTPBearer(auto_error=False, description="设置页新建的接口令牌，范围含 read")

Code = Annotated[str, Path(pattern=r"^[0-9A-Z]{18}$", description="统一社会信用代码")]
Part = Annotated[str, Path(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$")]
PageNo = Annotated[int, Query(ge=1, le=1_000_000, description="第几页，从 1 起")]
Size = Annotated[int, Query(ge=1, le=MOST_SIZE, description=f"每页几条，最多 {MOST_SIZE}")]
RunNo = Annotated[int | None, Query(ge=1, le=2**31, description="第几次比对；不写是最近一次放行的")]


# ---------------------------------------------------------------- what is answered


class Page(BaseModel):
    """一页: how many there are in all, and which part this is."""

    total: int
    page: int
    pages: int
    size: int
    run: int | None


class Item(BaseModel):
    """事项 in one run; amounts in yuan."""

    item: str
    title: str
    batch: str
    category: str
    delivery: str
    department: str
    fits: int
    open: int
    low: float
    high: float
    unknown_amounts: int
    new_fits: int
    gone: int


class Pair(BaseModel):
    """名单上的一条; amounts in yuan after 就高不重复 and budgets, null unknown."""

    code: str
    name: str
    item: str
    batch: str
    verdict: Literal["符合", "待核实", "不符合"]
    low: float | None
    high: float | None
    fails: list[str]
    unknown: list[str]
    gave_way: str
    note: str


class SeenValue(BaseModel):
    """所见取值 with its source and day."""

    indicator: str
    year: int | None
    value: Any
    source: str
    as_of: date | None
    state: str
    note: str


class EvidenceNode(BaseModel):
    """依据: one node of the rule."""

    kind: str
    verdict: str
    number: int
    id: str
    cite: str
    quote: str
    text: str
    hidden: bool
    gap: str
    holds_on: date | None
    needs: str
    seen: list[SeenValue]
    children: list[EvidenceNode]


class MatchAnswer(BaseModel):
    """一条匹配 with everything it rests on."""

    run: int
    as_of: date
    code: str
    name: str
    item: str
    batch: str
    verdict: str
    low: float | None
    high: float | None
    gave_way: str
    note: str
    evidence: list[EvidenceNode]


class RunAnswer(BaseModel):
    """一次比对 with the hashes of what it was made of."""

    run: int
    as_of: date
    started: datetime
    finished: datetime
    state: str
    held_because: str
    library_hash: str
    profiles_hash: str
    answers_hash: str
    hits_hash: str
    counts: dict[str, Any]


class Items(Page):
    """事项的一页."""

    rows: list[Item]


class Pairs(Page):
    """名单的一页."""

    rows: list[Pair]


class Runs(Page):
    """比对的一页."""

    rows: list[RunAnswer]


class Fault(BaseModel):
    """错误."""

    detail: str


FAULTS: dict[int | str, dict[str, Any]] = {
    n: {"model": Fault, "description": words}
    for n, words in (
        (401, "没有令牌，或令牌已过期、已收回"),
        (403, "令牌的范围或人的角色不够"),
        (404, "没有这一条"),
        (409, "这次比对被扣下"),
    )
}


# ---------------------------------------------------------------- who asks


@dataclass(frozen=True)
class Caller:
    """调用方: the office and the person a token acts for."""

    office: Office
    person: Person

    def sees(self, department: str) -> None:
        """部门范围. Raises 404: another department's item is not said to exist."""
        if not sees_item(self.person, department):
            raise HTTPException(404, "没有这一项")


def caller(right: str) -> Any:
    """调用方要有权利: a live token with the scope `read`, of a person with the right. Raises 401, 403."""

    def check(request: Request, given: HTTPAuthorizationCredentials | None = Depends(bearer)) -> Caller:
        office = office_of(request)
        secret = given.credentials if given is not None else ""
        found = who_has(office.engine, secret, office.now()) if 0 < len(secret) <= LONGEST_TOKEN else None
        if found is None:
            raise HTTPException(401, "令牌不对、已过期或已收回", {"WWW-Authenticate": "Bearer"})
        person, token = found
        if "read" not in token.scopes:
            raise HTTPException(403, "令牌的范围里没有 read")
        if right not in rights_of(person):
            raise HTTPException(403, f"{person.login} 的角色没有这个权限")
        return Caller(office, person)

    return Depends(check)


def night_of(office: Office, run: int | None) -> Night:
    """哪一次比对. Raises 404 where there is none, 409 where the guard holds it back."""
    night = office.night(run)
    if night is None:
        raise HTTPException(404, "还没有做过比对" if run is None else f"没有第 {run} 次比对")
    if night.state == "扣下":
        raise HTTPException(409, f"第 {night.no} 次比对被扣下，还没有放行")
    return night


def cut(rows: int, page: int, size: int, run: int | None) -> dict[str, Any]:
    """页数."""
    return {"total": rows, "page": page, "pages": max(1, ceil(rows / size)), "size": size, "run": run}


# ---------------------------------------------------------------- routes


@router.get("/items", response_model=Items, responses=FAULTS)
def items(
    page: PageNo = 1, size: Size = 50, run: RunNo = None, by: Caller = caller("items")
) -> dict[str, Any]:
    """事项一览 of a run, those the person may see."""
    night = night_of(by.office, run)
    frame = by.office.items(night, by.person).sort_values("item")
    part = frame.iloc[(page - 1) * size : page * size]
    return {**cut(len(frame), page, size, night.no), "rows": part.to_dict("records")}


@router.get("/items/{document}/{slug}/matches", response_model=Pairs, responses=FAULTS)
def item_matches(
    document: Part,
    slug: Part,
    verdict: Literal["符合", "待核实"] | None = None,
    page: PageNo = 1,
    size: Size = 50,
    run: RunNo = None,
    by: Caller = caller("matches"),
) -> dict[str, Any]:
    """名单 of an item, by code: 符合 and 待核实; who is not on it is 不符合."""
    night, item = night_of(by.office, run), f"{document}/{slug}"
    by.sees(_department(by.office, night, item))
    frame = by.office.hits(night, item)
    if len(frame) and verdict is not None:
        frame = frame[frame["verdict"] == verdict]
    if len(frame):
        frame = frame.sort_values(CODE)
    return {
        **cut(len(frame), page, size, night.no),
        "rows": _pairs(frame.iloc[(page - 1) * size : page * size]),
    }


@router.get("/firms/{code}/matches", response_model=Pairs, responses=FAULTS)
def firm_matches(
    code: Code, page: PageNo = 1, size: Size = 50, run: RunNo = None, by: Caller = caller("firms")
) -> dict[str, Any]:
    """一家企业的名单 over all items the person may see."""
    night = night_of(by.office, run)
    if code not in by.office.row_numbers(night):
        raise HTTPException(404, f"企业档案里没有 {code}")
    frame = night.firm_hits(code)
    if len(frame):
        frame = frame[frame["item"].isin(set(by.office.items(night, by.person)["item"]))].sort_values("item")
    return {
        **cut(len(frame), page, size, night.no),
        "rows": _pairs(frame.iloc[(page - 1) * size : page * size]),
    }


@router.get("/matches/{code}/{document}/{slug}", response_model=MatchAnswer, responses=FAULTS)
def one_match(
    code: Code, document: Part, slug: Part, run: RunNo = None, by: Caller = caller("match")
) -> dict[str, Any]:
    """一条匹配与逐条依据, hidden conditions among them: for the office, not to be passed on to the firm."""
    office, item = by.office, f"{document}/{slug}"
    night = night_of(office, run)
    by.sees(_department(office, night, item))
    bound, one = office.bound(night, item), office.one(night, code)
    if bound is None or one is None:
        raise HTTPException(404, f"第 {night.no} 次比对里没有 {code} × {item}")
    found = explain(bound, one, night.as_of, night.answers(), seen_of(facts_of(office, night, code)))
    hit = hit_of(office, night, item, code)
    return {
        "run": night.no, "as_of": night.as_of, "code": code, "name": office.name(night, code), "item": item,
        "batch": bound.batch.name, "verdict": str(found.verdict), "low": hit["low"], "high": hit["high"],
        "gave_way": hit["gave"], "note": hit["note"], "evidence": [_node(e) for e in found.evidence],
    }  # fmt: skip


@router.get("/runs", response_model=Runs, responses=FAULTS)
def runs(page: PageNo = 1, size: Size = 50, by: Caller = caller("runs")) -> dict[str, Any]:
    """各次比对, newest first, held back ones too."""
    nights = by.office.nights()
    part = nights[(page - 1) * size : page * size]
    return {**cut(len(nights), page, size, None), "rows": [_run(n) for n in part]}


@router.get("/openapi.json", include_in_schema=False)
def openapi(request: Request) -> JSONResponse:
    """接口说明 (OpenAPI 3.1): the routes of the API alone; needs no token."""
    return JSONResponse(
        get_openapi(
            title="惠企直达接口",
            version="1",
            routes=[r for r in router.routes if isinstance(r, APIRoute)],
            description="只读。令牌放在 Authorization: Bearer 里；金额以元计，null 是待定；名单以外的企业是不符合。",
        )
    )


@router.get("/{rest:path}", include_in_schema=False)
def nothing(rest: str) -> Response:
    """没有这个接口."""
    raise HTTPException(404, "没有这个接口，全部接口见 /api/openapi.json")


# ---------------------------------------------------------------- plain values


def _department(office: Office, night: Night, item: str) -> str:
    frame = office.items(night)
    found = frame.loc[frame["item"] == item, "department"]
    if not len(found):
        raise HTTPException(404, f"第 {night.no} 次比对里没有 {item}")
    return str(found.iloc[0])


def _pairs(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [_pair(row) for row in frame.to_dict("records")]


def _pair(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "code": row[CODE], "name": row[NAME] or "", "item": row["item"], "batch": row["batch"], "verdict": row["verdict"],
        "low": number(row["paid_low"]), "high": number(row["paid_high"]), "fails": list(row["fails"]),
        "unknown": list(row["unknown"]), "gave_way": row["gave_way"] or "", "note": row["note"] or "",
    }  # fmt: skip


def _node(e: Evidence) -> dict[str, Any]:
    return {
        "kind": e.kind, "verdict": str(e.verdict), "number": e.number, "id": e.id, "cite": e.cite, "quote": e.quote,
        "text": e.text, "hidden": e.hidden, "gap": e.gap, "holds_on": e.holds_on, "needs": e.needs,
        "seen": [_seen(s) for s in e.seen], "children": [_node(c) for c in e.children],
    }  # fmt: skip


def _seen(s: Seen) -> dict[str, Any]:
    value = s.value if s.value is None or isinstance(s.value, bool | int | str | date) else _plain(s.value)
    return {
        "indicator": s.indicator, "year": s.year, "value": value, "source": s.source, "as_of": s.as_of,
        "state": s.state, "note": s.note,
    }  # fmt: skip


def _plain(value: object) -> object:
    if isinstance(value, list | tuple | set | frozenset):
        return [str(v) for v in value]
    return number(value) if isinstance(value, float) else str(value)


def _run(night: Night) -> dict[str, Any]:
    run = night.run
    return {
        "run": night.no, "as_of": run.as_of, "started": run.started, "finished": run.finished, "state": run.state,
        "held_because": run.held_because, "library_hash": run.library_hash, "profiles_hash": run.profiles_hash,
        "answers_hash": run.answers_hash, "hits_hash": run.hits_hash, "counts": run.counts,
    }  # fmt: skip
