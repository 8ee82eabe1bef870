"""权限矩阵: role × route × department: each route asked as each role, of the item's own department, of another and of none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import world
from clients import Desk, log_in

from desk import access
from scripts.make_rights import ROLES, office_routes, right_of, table
from store import accounts, credentials

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def staffed(desk: Desk) -> tuple[Desk, str, str, dict[tuple[str, str], str]]:
    """An item, a firm on its list, and a person for each role and department."""
    office = desk.app.state.office
    night = office.night()
    row = office.items(night).sort_values("open").iloc[-1]
    item, own = str(row["item"]), str(row["department"])
    code = str(office.hits(night, item).iloc[0]["统一社会信用代码"])
    people = {}
    for n, role in enumerate(ROLES):
        for where, department in (("own", own), ("other", "别的部门"), ("none", "")):
            login = f"m{n}{where}"
            accounts.create_person(
                desk.engine,
                login,
                login,
                [role],
                world.PASSWORD,
                by="测试",
                now=world.NOW,
                department=department,
            )
            people[role, where] = login
    return desk, item, code, people


def filled(path: str, item: str, code: str) -> str:
    doc, slug = item.split("/")
    fills = {"doc": doc, "document": doc, "slug": slug, "code": code, "source": "x", "name": "融资"}
    return re.sub(r"{(\w+)(:\w+)?}", lambda m: fills.get(m[1], "1"), path)


def test_the_table_is_what_the_routes_say(desk: Desk) -> None:
    assert (ROOT / "docs" / "rights.md").read_text("utf-8") == table(desk.app), "run scripts/make_rights.py"
    assert len(list(office_routes(desk.app))) > 100


@pytest.mark.parametrize("where", ["own", "other", "none"])
@pytest.mark.parametrize("role", ROLES)
def test_every_page_as_every_role_of_every_department(staffed, role: str, where: str) -> None:
    desk, item, code, people = staffed
    client, able, tried = desk.anyone(), access.RIGHTS[role], 0
    assert log_in(client, people[role, where], world.PASSWORD).status_code == 303
    for route in office_routes(desk.app):
        right = right_of(route)
        if right is None or "GET" not in route.methods or route.path.startswith("/api"):
            continue
        status, tried = client.get(filled(route.path, item, code)).status_code, tried + 1
        about_item = "{slug}" in route.path
        if right and right not in able:
            assert status == 403, (route.path, status)
        elif about_item and where == "other":
            assert status in (403, 404), (route.path, status)
        else:
            assert status < 500 and status != 403, (route.path, status)
    assert tried > 30


@pytest.mark.parametrize("where", ["own", "other", "none"])
@pytest.mark.parametrize("role", ROLES)
def test_every_act_of_a_page_as_every_role_of_every_department(staffed, role: str, where: str) -> None:
    """With the session's own token, so that nothing but the right and the department is in the way."""
    desk, item, code, people = staffed
    client, able, tried = desk.anyone(), access.RIGHTS[role], 0
    assert log_in(client, people[role, where], world.PASSWORD).status_code == 303
    found = accounts.who_is(desk.engine, client.cookies["huiqi_session"], desk.moment)
    assert found is not None
    for route in office_routes(desk.app):
        right = right_of(route)
        if (
            right is None
            or "POST" not in route.methods
            or route.path.startswith("/api")
            or "logout" in route.path
        ):
            continue
        form = {"csrf": found.csrf, "do": "没有这一步"}
        status, tried = client.post(filled(route.path, item, code), data=form).status_code, tried + 1
        if right and right not in able:
            assert status == 403, (route.path, status)
        elif "{slug}" in route.path and where == "other":
            assert status in (403, 404), (route.path, status)
        else:
            assert status < 500, (route.path, status)
    assert tried > 15


@pytest.mark.parametrize("where", ["own", "other", "none"])
@pytest.mark.parametrize("role", ROLES)
def test_every_call_of_the_api_as_every_role_of_every_department(staffed, role: str, where: str) -> None:
    desk, item, code, people = staffed
    secret = credentials.create_token(
        desk.engine, people[role, where], "矩阵", ["read", "write"], by="admin", now=world.NOW
    )
    client, able, tried = desk.anyone(), access.RIGHTS[role], 0
    head = {"Authorization": f"Bearer {secret}"}
    for route in office_routes(desk.app):
        right = right_of(route)
        if right is None or not route.path.startswith("/api"):
            continue
        for method in route.methods:
            given = (
                {}
                if method == "GET"
                else {
                    "json": {},
                    "headers": {**head, "Idempotency-Key": f"{ROLES.index(role)}-{where}-{tried:05d}"},
                }
            )
            answer = client.request(method, filled(route.path, item, code), **{"headers": head, **given})
            status, tried = answer.status_code, tried + 1
            if right and right not in able:
                assert status == 403, (method, route.path, status)
            elif "{slug}" in route.path and where == "other" and method == "GET":
                assert status in (403, 404), (route.path, status)
            else:
                assert status < 500, (method, route.path, status)
    assert tried > 30
