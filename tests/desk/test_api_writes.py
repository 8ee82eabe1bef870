"""接口·写: what the desk can do can be done by token, once, by those who may, and other systems are told."""

from __future__ import annotations

import hmac
import http.server
import json
import re
import threading
from collections.abc import Iterator
from hashlib import sha256

import httpx
import pytest
import world
from clients import Desk
from test_api import Api
from test_review import fitting

from desk import access, api, hooks
from store import api_requests, audit, drafts, review, webhooks

WRITE = ("read", "write")


@pytest.fixture
def lin(fresh: Desk) -> Api:
    return Api(fresh, "lin", WRITE)


def decision(item: str, codes: list[str], kind: str = "问企业", **more: object) -> dict[str, object]:
    return {"item": item, "kind": kind, "pairs": [{"code": c} for c in codes], **more}


def test_a_decision_is_previewed_made_and_undone(fresh: Desk, lin: Api) -> None:
    item, codes = fitting(fresh)
    seen = lin.post("/decisions/preview", decision(item, codes[:2], "通过")).json()
    assert {r["code"] for r in seen["rows"]} == set(codes[:2]) and review.history(fresh.engine) == []
    made = lin.post("/decisions", decision(item, codes[:2], "通过"))
    assert made.status_code == 201 and [d["kind"] for d in made.json()["rows"]] == ["通过", "通过"]
    listed = {r["code"]: r for r in lin.get(f"/items/{item}/matches", size=500).json()["rows"]}
    one = made.json()["rows"][0]
    assert listed[one["code"]]["last"] == one["id"]
    assert listed[one["code"]]["state"] in ("已通过", "待复核")
    late = lin.post("/decisions", decision(item, codes[:1], "问企业"))
    assert late.status_code == 409 and "已经“通过”" in late.json()["detail"]
    assert lin.post(f"/decisions/{one['id']}/undo").json()["state"] == "撤回"
    assert audit.verify(fresh.engine).whole


def test_the_same_key_acts_once_and_answers_the_same(fresh: Desk, lin: Api) -> None:
    item, codes = fitting(fresh)
    first = lin.post("/decisions", decision(item, codes[:1]), key="night-2026-06-16-001")
    again = lin.post("/decisions", decision(item, codes[:1]), key="night-2026-06-16-001")
    assert first.status_code == again.status_code == 201 and first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true" and len(review.history(fresh.engine)) == 1
    other = lin.post("/decisions", decision(item, codes[1:2]), key="night-2026-06-16-001")
    assert other.status_code == 422 and "内容不同" in other.json()["detail"]
    assert len(review.history(fresh.engine)) == 1
    stranger = Api(fresh, "admin", WRITE)
    assert (
        stranger.post("/decisions", decision(item, codes[1:2]), key="night-2026-06-16-001").status_code == 201
    )


def test_many_at_once_under_one_key_have_one_effect(fresh: Desk, lin: Api) -> None:
    item, codes = fitting(fresh)
    answers: list[int] = []

    def act() -> None:
        answers.append(lin.post("/decisions", decision(item, codes[:1]), key="together-1").status_code)

    threads = [threading.Thread(target=act) for _ in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(answers) == 6 and set(answers) <= {201, 409} and 201 in answers
    assert len(review.history(fresh.engine)) == 1


def test_a_refused_write_frees_its_key_and_an_unsure_one_does_not(fresh: Desk, lin: Api) -> None:
    item, codes = fitting(fresh)
    assert lin.post("/decisions", decision(item, codes[:1], "暂缓"), key="retry-me-1").status_code == 409
    good = lin.post("/decisions", decision(item, codes[:1], "暂缓", until="2026-09-01"), key="retry-me-1")
    assert good.status_code == 201
    token = 1
    body = {"item": item}
    assert api_requests.claim(fresh.engine, token, "crashed-1", "x", world.NOW) is None
    unsure = lin.post("/decisions", body, key="crashed-1")
    assert unsure.status_code == 422, "another content under the key is told as such"
    assert api_requests.claim(fresh.engine, token, "crashed-1", "x", world.NOW) == api_requests.Earlier(
        True, None, None
    )


def test_a_write_without_a_key_or_scope_does_nothing(fresh: Desk, lin: Api) -> None:
    item, codes = fitting(fresh)
    bare = lin.client.post("/api/decisions", json=decision(item, codes[:1]), headers=lin.headers)
    assert bare.status_code == 400 and "Idempotency-Key" in bare.json()["detail"]
    reader = Api(fresh, "lin", ("read",))
    assert reader.post("/decisions", decision(item, codes[:1])).status_code == 403
    assert review.history(fresh.engine) == []


def test_second_persons_rule_holds_over_the_api(fresh: Desk, lin: Api) -> None:
    item, codes = fitting(fresh)
    made = lin.post("/decisions", decision(item, codes[:1], "不纳入", reason="6")).json()["rows"][0]
    assert made["state"] == "待复核"
    shen = Api(fresh, "shen", WRITE)
    waiting = shen.get("/decisions", state="待复核").json()["rows"]
    assert [d["id"] for d in waiting] == [made["id"]]
    assert lin.post(f"/decisions/{made['id']}/second", {"agree": True}).status_code == 403
    own = Api(fresh, "admin", WRITE)
    admins = own.post("/decisions", decision(item, codes[1:2], "不纳入", reason="6")).json()["rows"][0]
    assert own.post(f"/decisions/{admins['id']}/second", {"agree": True}).status_code == 409
    assert shen.post(f"/decisions/{made['id']}/second", {"agree": True}).json()["state"] == "生效"


def test_a_question_is_answered_and_an_unknown_one_is_not(fresh: Desk, lin: Api) -> None:
    office = fresh.app.state.office
    night = office.night()
    item, ask = next(
        (i, leaf.id or c.id)
        for i in office.items(night)["item"]
        if (bound := office.bound(night, i)) and len(office.hits(night, i))
        for c in bound.program.conditions
        for leaf in c.condition.leaves()
        if leaf.kind == "ask"
    )
    code = str(office.hits(night, item).iloc[0]["统一社会信用代码"])
    body = {"item": item, "code": code, "ask": ask, "answer": True, "why": "看过现场"}
    assert lin.post("/answers", body | {"ask": "没有的"}).status_code == 404
    assert lin.post("/answers", body).json()["answer"] is True
    assert lin.get(f"/answers/{item}").json()["rows"][0]["why"] == "看过现场"


def test_a_rule_goes_from_draft_to_publication_by_two(fresh: Desk, lin: Api) -> None:
    item = "bs-2025-04/steady-growth"
    made = lin.post(f"/items/{item}/drafts").json()
    text = re.sub(r"title: .*", "title: 稳增长奖励（修订）", made["text"], count=1)
    broken = lin.post(f"/drafts/{made['id']}/check", {"text": text.replace("when: ", "when: (", 1)}).json()
    assert broken["errors"] and "^" in "".join(broken["problems"])
    step = {"do": "提交签发", "text": text, "note": "名称与文件一致", "seen": made["seen"]}
    assert lin.post(f"/drafts/{made['id']}", step).json()["state"] == "待签发"
    assert Api(fresh, "fen", WRITE).post(f"/drafts/{made['id']}", {"do": "签发并发布"}).status_code == 403
    shen = Api(fresh, "shen", WRITE)
    assert shen.post(f"/drafts/{made['id']}", {"do": "签发并发布"}).json()["state"] == drafts.PUBLISHED
    assert "（修订）" in lin.get(f"/items/{item}").json()["rule"]


def test_a_document_is_read_settled_and_signed(fresh: Desk, lin: Api) -> None:
    text = (fresh.home / "library" / "bs-2025-10" / "text.md").read_bytes()
    headers = {**lin.headers, "Idempotency-Key": "import-2026-99", "Content-Type": "application/octet-stream"}
    query = {"document": "bs-2026-99", "name": "措施.md"}
    made = lin.client.post("/api/documents", content=text, params=query, headers=headers)
    again = lin.client.post("/api/documents", content=text, params=query, headers=headers)
    assert made.status_code == 201 and again.json() == made.json()
    number = made.json()["id"]
    shen = Api(fresh, "shen", WRITE)
    assert shen.post(f"/documents/{number}/sign").status_code == 409
    for p in made.json()["proposals"]:
        assert lin.post(f"/documents/{number}/proposals", {"key": p["key"], "do": "采纳"}).status_code == 200
    assert lin.post(f"/documents/{number}/sign").status_code == 403
    assert shen.post(f"/documents/{number}/sign").json()["ok"]
    assert (fresh.home / "library" / "bs-2026-99" / "items").is_dir()


def test_people_limits_and_login_codes(fresh: Desk) -> None:
    admin = Api(fresh, "admin", WRITE)
    body = {"login": "new", "name": "新人", "roles": ["经办"], "password": "short"}
    assert admin.post("/people", body).status_code == 409
    assert admin.post("/people", body | {"password": "long enough now"}).status_code == 201
    assert "new" in {p["login"] for p in admin.get("/people").json()}
    assert admin.post("/settings", {"second_limit": 200000}).json()["second_limit"] == 200000
    code = fresh.app.state.office.night().columns().codes[0]
    first = admin.post(f"/firms/{code}/codes", key="code-for-firm-1").json()
    again = admin.post(f"/firms/{code}/codes", key="code-for-firm-1").json()
    assert first["secret"] and "secret" not in again, "a secret is shown once"


def forbidden() -> Iterator[tuple[str, str, str]]:
    """Every pair of a role and a route of the API that the role may not use."""
    for route in api.api_routes():
        right = next(
            d.call.__dict__["right"] for d in route.dependant.dependencies if "right" in d.call.__dict__
        )
        for login, (role, _name) in world.PEOPLE.items():
            if right and right not in access.RIGHTS[role]:
                yield login, next(iter(route.methods)), route.path


def test_every_route_of_the_api_needs_a_token_and_its_right(desk: Desk) -> None:
    fills = {"document": "bs-2025-04", "slug": "steady-growth", "code": "91120118MA0725753R", "login": "lin"}

    def address(path: str) -> str:
        return re.sub(r"{(\w+)}", lambda m: fills.get(m[1], "1"), path)

    for route in api.api_routes():
        for method in route.methods:
            assert desk.anyone().request(method, address(route.path)).status_code == 401, route.path
    callers = {login: Api(desk, login, WRITE) for login in world.PEOPLE}
    pairs = list(forbidden())
    assert len(pairs) > 60
    for login, method, path in pairs:
        one = callers[login]
        headers = {**one.headers, "Idempotency-Key": "forbidden-1"}
        answer = one.client.request(method, address(path), headers=headers)
        # A body that is missing is told before the right is looked at; nothing is done either way.
        assert answer.status_code in (403, 422), (login, path)
    writes = [
        r
        for r in api.api_routes()
        if "write" in str([d.call.__dict__.get("scope") for d in r.dependant.dependencies])
    ]
    keyless = {
        r.path
        for r in writes
        if "POST" in r.methods and not any(d.call is api.frame.idempotent for d in r.dependant.dependencies)
    }
    assert keyless == set(), "every write takes a key"


# ---------------------------------------------------------------- webhooks


class Listener(http.server.BaseHTTPRequestHandler):
    """Another system on loopback: keeps what it is told; answers what the test says."""

    status = 200
    heard: list[tuple[str, bytes]] = []  # noqa: RUF012

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.status == 200:
            self.heard.append((self.headers["X-Huiqi-Signature"], body))
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def listener() -> Iterator[str]:
    Listener.heard, Listener.status = [], 200
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/huiqi"
    server.shutdown()
    server.server_close()
    thread.join(60)


def test_other_systems_are_told_in_order_signed_and_after_a_failure(
    fresh: Desk, lin: Api, listener: str
) -> None:
    admin = Api(fresh, "admin", WRITE)
    assert admin.post("/webhooks", {"url": "ftp://x/y", "events": ["decision"]}).status_code == 409
    assert lin.post("/webhooks", {"url": listener, "events": ["decision"]}).status_code == 403
    hook = admin.post("/webhooks", {"url": listener, "events": ["decision"]}).json()
    item, codes = fitting(fresh)
    for code in codes[:3]:
        lin.post("/decisions", decision(item, [code]))
    lin.post("/decisions", decision(item, codes[3:4], "备注", text="不告诉别人"))
    with httpx.Client() as client:
        Listener.status = 503
        assert hooks.deliver(fresh.engine, lambda: fresh.moment, client) == 0
        assert "503" in admin.get("/webhooks").json()[0]["problem"]
        Listener.status = 200
        assert hooks.deliver(fresh.engine, lambda: fresh.moment, client) == 0, "it waits before the next try"
        fresh.moment = world.NOW.replace(hour=2)
        assert hooks.deliver(fresh.engine, lambda: fresh.moment, client) == 3
        assert hooks.deliver(fresh.engine, lambda: fresh.moment, client) == 0
    ((signature, body),) = Listener.heard
    assert signature == "sha256=" + hmac.new(hook["secret"].encode(), body, sha256).hexdigest()
    events = json.loads(body)["events"]
    assert [e["subject"].split(" ")[0] for e in events] == codes[:3]
    assert [e["event"] for e in events] == ["decision"] * 3 and events[0]["id"] < events[1]["id"]
    assert admin.client.delete(f"/api/webhooks/{hook['id']}", headers=admin.headers).status_code == 200
    assert webhooks.hooks(fresh.engine) == []
