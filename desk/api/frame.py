"""接口的架子: who calls, by which token and scope; faults as one JSON line; writes under an idempotency key."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from math import ceil
from typing import Annotated, Any

from fastapi import Depends, Header, HTTPException, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints
from starlette.concurrency import run_in_threadpool

from desk.access import rights_of, sees_item
from desk.office import Office
from desk.web import Visit, office_of
from store import api_requests
from store.accounts import LoggedIn, Person
from store.credentials import ApiToken, who_has
from store.nights import Night

MOST_SIZE = 500
MOST_BODY = 20 << 20
LONGEST_TOKEN = 200
KEY = re.compile(r"[\x21-\x7e]{8,80}")
UNSURE = "用这个键的上一次请求没有记下结果；请先查实它有没有生效，再换新的键"


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("不能含空字符")
    return text


Words = Annotated[str, StringConstraints(max_length=2000), AfterValidator(_storable)]
Short = Annotated[str, StringConstraints(max_length=64), AfterValidator(_storable)]
Code = Annotated[str, Path(pattern=r"^[0-9A-Z]{18}$", description="统一社会信用代码")]
Part = Annotated[str, Path(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$")]
Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="编号")]
PageNo = Annotated[int, Query(ge=1, le=1_000_000, description="第几页，从 1 起")]
Size = Annotated[int, Query(ge=1, le=MOST_SIZE, description=f"每页几条，最多 {MOST_SIZE}")]
RunNo = Annotated[int | None, Query(ge=1, le=2**31 - 1, description="第几次比对；不写是最近一次放行的")]
ItemId = Annotated[
    str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}/[0-9A-Za-z][0-9A-Za-z._-]{0,63}$")
]
FirmCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{18}$")]


class Body(BaseModel):
    """请求正文: an unknown field is refused, so that a misspelt one is not silently dropped."""

    model_config = ConfigDict(extra="forbid")


class Page(BaseModel):
    """一页: how many there are in all, and which part this is."""

    total: int
    page: int
    pages: int
    size: int
    run: int | None


class Done(BaseModel):
    """办成了."""

    ok: bool = True
    told: str = ""


class Fault(BaseModel):
    """错误."""

    detail: str


FAULTS: dict[int | str, dict[str, Any]] = {
    n: {"model": Fault, "description": words}
    for n, words in (
        (401, "没有令牌，或令牌已过期、已收回"),
        (403, "令牌的范围或人的角色不够"),
        (404, "没有这一条"),
        (409, "现在不能这样办：规则不许，别人先办了，或这次比对被扣下"),
        (422, "参数或正文写错了"),
    )
}
WRITES = FAULTS | {400: {"model": Fault, "description": "没有 Idempotency-Key，或正文读不懂"}}


# ---------------------------------------------------------------- one request


class JsonRoute(APIRoute):
    """接口路由: faults are JSON in one line of plain words, never a page; a repeated write is answered, not repeated."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()
        once = any(d.call is idempotent for d in self.dependant.dependencies)

        async def plain(request: Request) -> Response:
            try:
                return await inner(request)
            except RequestValidationError as error:
                return misuse(error)
            except HTTPException as error:
                return JSONResponse({"detail": _words(error)}, error.status_code, error.headers)

        async def handle(request: Request) -> Response:
            return await _once(request, plain) if once else await plain(request)

        return handle


def misuse(error: RequestValidationError) -> JSONResponse:
    """参数写错了: which ones; only names that are ours are repeated."""
    wrong = [".".join(_name(p) for p in e["loc"][1:]) or "正文" for e in error.errors()]
    known = list(dict.fromkeys(wrong))[:20]
    return JSONResponse({"detail": f"参数写错了：{'、'.join(known)}", "fields": known}, 422)


def _name(part: object) -> str:
    text = str(part).encode("utf-8", "replace").decode()
    return text if len(text) <= 40 else text[:40] + "…"


def _words(error: HTTPException) -> str:
    return str(error.detail) if re.search(r"[一-鿿]", str(error.detail)) else "正文读不懂，要写成 JSON"


def idempotent(
    idempotency_key: Annotated[
        str,
        Header(
            min_length=8,
            max_length=80,
            pattern=r"^[\x21-\x7e]+$",
            description="这次写操作的键，自己定，例如 UUID；重发时用同一个键，不会办两次",
        ),
    ],
) -> str:
    """写操作的键: declares the header; `_once` keeps the promise."""
    return idempotency_key


async def _once(request: Request, act: Callable[[Request], Coroutine[Any, Any, Response]]) -> Response:
    """只办一次: claim the key, act, keep the answer; a refused write frees its key."""
    found = await run_in_threadpool(token_of, request)
    key = request.headers.get("idempotency-key", "")
    if found is None or not KEY.fullmatch(key):
        return await act(request) if found is None or key else _keyless()
    office, token = office_of(request), found[1].id
    assert token is not None
    body = await request.body()
    if len(body) > MOST_BODY:
        return JSONResponse({"detail": "正文超过 20 MB"}, 413)
    content = f"{request.method} {request.url.path}?{request.url.query}\n".encode() + body
    # Keyed by the token's secret, which is kept nowhere: a password in the body cannot be guessed from the digest.
    secret = request.headers["authorization"].partition(" ")[2]
    digest = hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
    earlier = await run_in_threadpool(api_requests.claim, office.engine, token, key, digest, office.now())
    if earlier is not None:
        return _again(earlier)
    answer = await act(request)
    if answer.status_code >= 400:
        await run_in_threadpool(api_requests.free, office.engine, token, key)
    else:
        said = json.loads(bytes(answer.body)) if answer.body else None
        if isinstance(said, dict):
            said.pop("secret", None)  # what is shown once is not kept for a second time
        await run_in_threadpool(api_requests.settle, office.engine, token, key, answer.status_code, said)
    return answer


def _keyless() -> JSONResponse:
    return JSONResponse({"detail": "写操作要带 Idempotency-Key（8–80 个可见字符），重发时用同一个"}, 400)


def _again(earlier: api_requests.Earlier) -> JSONResponse:
    if not earlier.same:
        return JSONResponse({"detail": "这个 Idempotency-Key 用过了，内容不同；请换新的键"}, 422)
    if earlier.status is None:
        return JSONResponse({"detail": UNSURE}, 409)
    return JSONResponse(earlier.answer, earlier.status, {"Idempotency-Replayed": "true"})


# ---------------------------------------------------------------- who asks

bearer = HTTPBearer(auto_error=False, description="设置页新建的接口令牌；读要 read，写要 write")


@dataclass(frozen=True)
class Caller:
    """调用方: the office, the person a token acts for, and the token."""

    office: Office
    person: Person
    token: ApiToken

    @property
    def who(self) -> str:
        return self.person.login

    @property
    def rights(self) -> frozenset[str]:
        return rights_of(self.person)

    def visit(self) -> Visit:
        """来访: as the desk's pages know a person; no session, no form."""
        return Visit(self.office, LoggedIn(self.person, 0, ""), self.rights)

    def need(self, right: str) -> None:
        """要有权利. Raises 403."""
        if right not in self.rights:
            raise HTTPException(403, f"{self.who} 的角色没有这个权限")

    def sees(self, department: str) -> None:
        """部门范围. Raises 404: another department's item is not said to exist."""
        if not sees_item(self.person, department):
            raise HTTPException(404, "没有这一项")


def token_of(request: Request) -> tuple[Person, ApiToken] | None:
    """令牌是谁的, from the header."""
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not 0 < len(secret) <= LONGEST_TOKEN:
        return None
    office = office_of(request)
    return who_has(office.engine, secret, office.now())


def caller(right: str, scope: str = "read") -> Any:
    """调用方要有权利: a live token with the scope, of a person with the right. Raises 401, 403."""

    def check(request: Request, given: HTTPAuthorizationCredentials | None = Depends(bearer)) -> Caller:
        found = token_of(request)
        if found is None:
            raise HTTPException(401, "令牌不对、已过期或已收回", {"WWW-Authenticate": "Bearer"})
        person, token = found
        if scope not in token.scopes:
            raise HTTPException(403, f"令牌的范围里没有 {scope}")
        if "企业" in person.roles or (right and right not in rights_of(person)):
            raise HTTPException(403, f"{person.login} 的角色没有这个权限")
        return Caller(office_of(request), person, token)

    check.__dict__["right"], check.__dict__["scope"] = right, scope
    return Depends(check)


def writer(right: str) -> Any:
    """写操作的调用方: the scope `write` and the right."""
    return caller(right, "write")


Once = Depends(idempotent)


# ---------------------------------------------------------------- what is asked about


def night_of(office: Office, run: int | None = None) -> Night:
    """哪一次比对. Raises 404 where there is none, 409 where the guard holds it back."""
    night = office.night(run)
    if night is None:
        raise HTTPException(404, "还没有做过比对" if run is None else f"没有第 {run} 次比对")
    if night.state == "扣下":
        raise HTTPException(409, f"第 {night.no} 次比对被扣下，还没有放行")
    return night


def department_of(office: Office, night: Night, item: str) -> str:
    """事项的部门. Raises 404 where the item was not in the night."""
    frame = office.items(night)
    found = frame.loc[frame["item"] == item, "department"]
    if not len(found):
        raise HTTPException(404, f"第 {night.no} 次比对里没有 {item}")
    return str(found.iloc[0])


def cut(rows: int, page: int, size: int, run: int | None) -> dict[str, Any]:
    """页数."""
    return {"total": rows, "page": page, "pages": max(1, ceil(rows / size)), "size": size, "run": run}


def sliced(rows: list[Any], page: int, size: int, run: int | None = None) -> dict[str, Any]:
    """一页 of rows that are all at hand."""
    return {**cut(len(rows), page, size, run), "rows": rows[(page - 1) * size : page * size]}
