"""权限: every role against every route, CSRF on every post, headers on every answer."""

from __future__ import annotations

import re

import pytest
from fastapi.routing import APIRoute
from world import PEOPLE

from desk import access, web
from desk.pages import __path__ as pages_path
from store import accounts

OPEN_POSTS = {"/desk/login", "/desk/login/code"}  # the second half of coming in
PUBLIC = {"/healthz", "/robots.txt", "/", "/desk/login", "/desk/login/away", "/desk/login/back"}


def routes(desk, method):
    """The desk's own routes: everything whose handler lives in desk.pages."""
    assert pages_path
    found = []

    def walk(router):
        for route in router.routes:
            if isinstance(route, APIRoute) and route.endpoint.__module__.startswith("desk.pages."):
                if method in route.methods:
                    found.append(route)
            elif hasattr(route, "original_router"):
                walk(route.original_router)
            elif hasattr(route, "router"):
                walk(route.router)

    walk(desk.app)
    return found


def right_of(route):
    rights = [
        d.call.__dict__["right"]
        for d in route.dependant.dependencies
        if "right" in getattr(d.call, "__dict__", {})
    ]
    return rights[0] if rights else None


def address(path):
    fills = {
        "doc": "bs-2025-04",
        "slug": "steady-growth",
        "code": "91120118MA0725753R",
        "source": "x",
        "name": "融资",
    }
    return re.sub(r"{(\w+)(:\w+)?}", lambda m: fills.get(m[1], "1"), path)


def test_every_route_says_what_right_it_needs(desk):
    got = routes(desk, "GET") + routes(desk, "POST")
    assert len(got) > 40
    for route in got:
        if route.path not in PUBLIC | OPEN_POSTS:
            assert right_of(route) is not None, route.path
            assert right_of(route) in (*access.ALL, ""), route.path


@pytest.mark.parametrize("login", list(PEOPLE))
def test_pages_open_to_those_with_the_right_and_to_nobody_else(desk, login):
    able = set(access.RIGHTS[PEOPLE[login][0]])
    client = desk.client(login)
    for route in routes(desk, "GET"):
        right = right_of(route)
        if right is None:
            continue
        status = client.get(address(route.path)).status_code
        if right in able:
            assert status in (200, 404), (route.path, status)
        else:
            assert status == 403, (route.path, status)


@pytest.mark.parametrize("login", list(PEOPLE))
def test_acts_are_refused_without_the_right_even_with_a_token(desk, login):
    able = set(access.RIGHTS[PEOPLE[login][0]])
    for route in routes(desk, "POST"):
        right = right_of(route)
        if right and right not in able:
            assert desk.post(login, address(route.path)).status_code == 403, route.path


def test_every_act_is_refused_without_the_token(desk):
    client = desk.client("admin")
    posts = [r for r in routes(desk, "POST") if r.path not in OPEN_POSTS]
    assert len(posts) > 15
    for route in posts:
        assert client.post(address(route.path), data={}).status_code == 403, route.path
        wrong = client.post(address(route.path), data={"csrf": "x" * 32})
        assert wrong.status_code == 403, route.path


def test_a_form_from_elsewhere_is_refused(desk):
    client, token = desk.client("lin"), desk.csrf("lin")
    for headers in ({"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}):
        assert (
            client.post("/desk/me", data={"csrf": token, "theme": "dark"}, headers=headers).status_code == 403
        )
    assert client.post("/desk/me", data={"csrf": token, "theme": "dark"}).status_code == 303


def test_nobody_sees_the_desk_without_logging_in(desk):
    stranger = desk.anyone()
    for route in routes(desk, "GET"):
        if right_of(route) is not None:
            answer = stranger.get(address(route.path))
            assert answer.status_code == 303 and answer.headers["location"].startswith("/desk/login"), (
                route.path
            )
    for route in routes(desk, "POST"):
        if route.path not in OPEN_POSTS:
            assert stranger.post(address(route.path)).status_code == 303, route.path


def test_answers_carry_a_strict_policy(desk):
    for path in ("/desk/today", "/desk/login", "/healthz", "/static/desk.css", "/nowhere"):
        headers = desk.client("lin").get(path).headers
        policy = headers["content-security-policy"]
        assert "unsafe" not in policy and "default-src 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"


def test_no_template_holds_inline_style_or_script():
    for path in sorted((web.HERE / "templates").glob("*.html")):
        text = path.read_text(encoding="utf-8")
        assert not re.search(
            r"\sstyle\s*=|<style|\son[a-z]+\s*=\s*[\"']|<script(?![^>]*\bsrc=)|javascript:", text
        ), path.name


def test_a_department_sees_its_own_items_only(fresh):
    accounts.create_person(
        fresh.engine,
        "dept",
        "某部门",
        ["经办"],
        "correct horse battery",
        by="测试",
        now=fresh.moment,
        department="商务局",
    )
    client = fresh.client("dept")
    assert client.get("/desk/items/bs-2024-09/aeo").status_code == 200
    assert client.get("/desk/items/bs-2025-04/steady-growth").status_code == 403
    assert client.get("/desk/items/bs-2025-04/steady-growth/matches").status_code == 403
    assert client.get("/desk/items/bs-2025-04/steady-growth/matches.csv").status_code == 403
    page = client.get("/desk/matches").text
    assert "bs-2024-09/" in page and "bs-2025-04/" not in page


def test_addresses_outside_are_not_followed(desk):
    assert web.inside("https://evil.example/", "/desk/today") == "/desk/today"
    assert web.inside("//evil.example/", "/desk/today") == "/desk/today"
    assert web.inside("/desk//evil", "/desk/today") == "/desk/today"
    assert web.inside("/desk/matches?x=1", "/desk/today") == "/desk/matches?x=1"
