"""接口: tokens and scopes, paging, the evidence of one match, and no fault of the server on odd input."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

import pytest
import world
from clients import Desk

from store import accounts, credentials

CODE = "统一社会信用代码"


class Api:
    """A client that comes with a token."""

    def __init__(self, desk: Desk, login: str = "lin", scopes: tuple[str, ...] = ("read",)):
        secret = credentials.create_token(desk.engine, login, "测试", list(scopes), by="admin", now=world.NOW)
        self.client, self.headers = desk.anyone(), {"Authorization": f"Bearer {secret}"}

    def get(self, path: str, **query: object) -> Any:
        return self.client.get("/api" + path, params=query, headers=self.headers)

    def post(self, path: str, body: object = None, key: str = "", **query: object) -> Any:
        headers = {**self.headers, "Idempotency-Key": key or secrets.token_hex(8)}
        return self.client.post("/api" + path, json=body, params=query, headers=headers)

    def delete(self, path: str) -> Any:
        return self.client.delete("/api" + path, headers=self.headers)


@pytest.fixture(scope="module")
def api(desk: Desk) -> Api:
    return Api(desk)


def some_item(api: Api) -> dict[str, Any]:
    rows = api.get("/items", size=500).json()["rows"]
    return max(rows, key=lambda r: r["fits"] + r["open"])


def test_the_schema_names_the_routes_and_no_page(desk: Desk) -> None:
    answer = desk.anyone().get("/api/openapi.json")
    schema = answer.json()
    assert len(schema["paths"]) > 40 and all(p.startswith("/api/") for p in schema["paths"])
    for path, acts in schema["paths"].items():
        for method, act in acts.items():
            assert act["summary"] and act["description"].strip(), (method, path)
            assert {"401", "403", "404"} <= set(act["responses"]), (method, path)
    assert schema["openapi"].startswith("3.") and "HTTPBearer" in schema["components"]["securitySchemes"]


def test_nothing_is_told_without_a_live_token(fresh: Desk) -> None:
    assert fresh.anyone().get("/api/items").status_code == 401
    logged_in = fresh.client("lin").get("/api/items")
    assert logged_in.status_code == 401, "a browser's cookie is no token"
    api = Api(fresh)
    assert api.get("/items").status_code == 200
    token_id = credentials.tokens(fresh.engine)[0][0].id
    assert token_id is not None
    credentials.revoke_token(fresh.engine, token_id, by="admin", now=world.NOW)
    assert api.get("/items").status_code == 401
    late = Api(fresh)
    fresh.moment = world.NOW + timedelta(days=91)
    assert late.get("/items").status_code == 401


def test_scopes_and_roles_bound_a_token(desk: Desk) -> None:
    assert Api(desk, scopes=("write",)).get("/items").status_code == 403
    analyst, item = Api(desk, "fen"), "bs-2025-06/rd-increment"
    assert analyst.get("/items").status_code == 200
    assert analyst.get(f"/items/{item}/matches").status_code == 403
    assert Api(desk, "cai").get("/runs").status_code == 403


def test_a_department_sees_its_own_items_only(fresh: Desk) -> None:
    rows = Api(fresh).get("/items", size=500).json()["rows"]
    own, other = rows[0], next(r for r in rows if r["department"] != rows[0]["department"])
    accounts.create_person(
        fresh.engine, "bu", "部门庚", ["经办"], world.PASSWORD, by="admin", now=world.NOW, department=own["department"]
    )  # fmt: skip
    api = Api(fresh, "bu")
    assert {r["department"] for r in api.get("/items", size=500).json()["rows"]} == {own["department"]}
    assert api.get(f"/items/{own['item']}/matches").status_code == 200
    assert api.get(f"/items/{other['item']}/matches").status_code == 404


def test_pages_together_are_the_whole_list(api: Api) -> None:
    item = some_item(api)
    whole = api.get(f"/items/{item['item']}/matches", size=500).json()
    assert whole["total"] == item["fits"] + item["open"] == len(whole["rows"]) > 7
    seen: list[str] = []
    for page in range(1, -(-whole["total"] // 7) + 1):
        part = api.get(f"/items/{item['item']}/matches", size=7, page=page).json()
        assert part["pages"] == -(-whole["total"] // 7)
        seen += [r["code"] for r in part["rows"]]
    assert seen == [r["code"] for r in whole["rows"]]
    assert api.get(f"/items/{item['item']}/matches", page=9999).json()["rows"] == []
    fits = api.get(f"/items/{item['item']}/matches", size=500, verdict="符合").json()
    assert fits["total"] == item["fits"]


def test_one_match_comes_with_its_evidence(api: Api) -> None:
    item = some_item(api)
    pair = api.get(f"/items/{item['item']}/matches").json()["rows"][0]
    found = api.get(f"/matches/{pair['code']}/{item['item']}").json()
    for key in ("verdict", "low", "high", "name", "batch"):
        assert found[key] == pair[key]
    numbers = [e["number"] for e in found["evidence"]]
    assert numbers == list(range(1, len(numbers) + 1)) and all(e["cite"] for e in found["evidence"])
    firm = api.get(f"/firms/{pair['code']}/matches", size=500).json()
    assert pair in firm["rows"] and firm["total"] == len(firm["rows"])


def test_runs_carry_the_hashes_of_their_inputs(api: Api) -> None:
    (run,) = api.get("/runs").json()["rows"]
    assert run["run"] == 1 and run["as_of"] == "2026-06-16" and len(run["library_hash"]) == 64


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/items", {"page": "0"}, 422),
        ("/items", {"page": "x"}, 422),
        ("/items", {"size": "501"}, 422),
        ("/items", {"size": "-1"}, 422),
        ("/items", {"run": "99999999999999999999"}, 422),
        ("/items", {"run": "77"}, 404),
        ("/items/none/none/matches", {}, 404),
        ("/items/..%2f..%2fetc/passwd/matches", {}, 404),
        ("/items/a%00b/c/matches", {}, 422),
        ("/items/bs-2025-06/rd-increment/matches", {"verdict": "好"}, 422),
        ("/firms/123/matches", {}, 422),
        ("/firms/" + "9" * 18 + "/matches", {}, 404),
        ("/matches/" + "9" * 18 + "/bs-2025-06/rd-increment", {}, 404),
        ("/matches/" + "A" * 5000 + "/bs-2025-06/rd-increment", {}, 422),
        ("/nowhere", {}, 404),
    ],
)
def test_odd_input_is_answered_in_words(api: Api, path: str, query: dict[str, str], status: int) -> None:
    answer = api.get(path, **query)
    assert answer.status_code == status and answer.json()["detail"]


@pytest.mark.parametrize("token", ["", "x", "hq_" + "a" * 5000, "企业", "' or 1=1"])
def test_odd_tokens_are_refused(desk: Desk, token: str) -> None:
    answer = desk.anyone().get("/api/runs", headers={"Authorization": f"Bearer {token}".encode()})
    assert answer.status_code == 401
