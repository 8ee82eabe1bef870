"""恶意的字段: SQL, markup, formulas, unseen characters and endless numbers in every field and parameter of every page, and bodies without end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from clients import Desk
from starlette.exceptions import HTTPException

from desk.bounds import MOST_BODY, BoundedBody
from scripts.fuzz_pages import HOSTILE, MARK, names_in, on_a_desk, routes_of
from store import audit
from store.ledger import verify_ledger


def test_no_field_and_no_parameter_brings_the_server_down_or_comes_back_as_markup(fresh: Desk) -> None:
    """A short round of scripts/fuzz_pages.py over all routes, and the books are whole after it."""
    tried = on_a_desk(fresh, rounds=2, seed=11)
    assert tried.wrong == []
    assert tried.count > 200 and {200, 303, 404} <= set(tried.answers)
    assert not audit.verify(fresh.engine).broken and verify_ledger(fresh.engine) == []


def test_the_round_reaches_the_fields_that_pages_ask_for(desk: Desk) -> None:
    import desk.pages.settings as settings

    asked, acts = names_in(settings)
    assert {"login", "quiet", "limit"} <= set(asked) and len(list(routes_of(desk.app))) > 100
    assert len(acts) > 5 and MARK in HOSTILE


FINDINGS = [
    ("GET", "/desk/matches?page=" + "9" * 5000, {}),
    ("GET", "/desk/firms/{code}/history?of=营业收入@" + "9" * 5000, {}),
    ("GET", "/desk/audit?page=99999999999999999999", {}),
    ("GET", "/desk/audit?page=-99999999999999999999", {}),
    ("POST", "/desk/doubts", {"csrf": "令牌"}),
]


@pytest.mark.parametrize(("method", "path", "form"), FINDINGS, ids=[f"{m}-{p[:20]}" for m, p, _ in FINDINGS])
def test_what_once_brought_a_page_down_does_no_more(
    desk: Desk, method: str, path: str, form: dict[str, str]
) -> None:
    office = desk.app.state.office
    path = path.replace("{code}", str(office.night().columns().codes[0]))
    answer = desk.client("lin").request(method, path, **({"data": form} if form else {}))
    assert answer.status_code < 500


def test_what_is_said_back_of_a_long_text_fits_a_header(fresh: Desk) -> None:
    answer = fresh.post("admin", "/desk/me/factor", do="甲" * 20_000)
    assert answer.status_code == 303 and len(answer.headers["location"]) < 3000
    shown = fresh.client("admin").get(answer.headers["location"]).text
    assert "没有“甲甲" in shown and "…" in shown


@pytest.mark.parametrize("path", ["/desk/login", "/desk/login/code", "/my/login", "/api/settings", "/zone"])
def test_a_body_that_says_it_is_too_long_is_not_read(desk: Desk, path: str) -> None:
    for said in (str(MOST_BODY + 1), "9" * 400):
        answer = desk.anyone().post(path, content=b"x", headers={"Content-Length": said})
        assert answer.status_code == 413 and "20 MB" in answer.text


@pytest.mark.parametrize("path", ["/desk/login", "/my/login"])
def test_a_body_that_says_nothing_of_its_length_is_counted(desk: Desk, path: str) -> None:
    parts = (b"a" * (1 << 20) for _ in range((MOST_BODY >> 20) + 1))
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert desk.anyone().post(path, content=parts, headers=kind).status_code == 413


def test_no_more_than_the_limit_is_ever_taken() -> None:
    taken: list[int] = []

    async def endless() -> dict[str, object]:
        return {"type": "http.request", "body": b"a" * 1000, "more_body": True}

    async def hoards(scope: object, receive: Callable[[], Awaitable[dict[str, bytes]]], send: object) -> None:
        while True:
            taken.append(len((await receive())["body"]))

    with pytest.raises(HTTPException):
        asyncio.run(BoundedBody(hoards, most=10_500)({"type": "http", "headers": []}, endless, endless))  # type: ignore[arg-type]
    assert sum(taken) == 10_000
