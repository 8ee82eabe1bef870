"""步子与请求日志: who asks too fast waits, others do not; the log tells routes and matches, never who or what was typed."""

from __future__ import annotations

import io
import json
import logging

import pytest
from clients import Desk, log_in
from fastapi.testclient import TestClient
from world import PASSWORD

from desk.app import create_app
from desk.pace import Limits, Rates, limits_of
from jobs import logs


def test_a_bucket_fills_again_and_each_has_its_own() -> None:
    at = [0.0]
    rates = Rates(Limits(), clock=lambda: at[0])
    asked = [rates.wait(("visitor", "a", 60)) for _ in range(25)]
    assert asked[:20] == [0.0] * 20 and asked[20] == pytest.approx(1.0)
    assert rates.wait(("visitor", "b", 60)) == 0
    at[0] = 1.01
    assert [rates.wait(("visitor", "a", 60)) > 0 for _ in range(2)] == [False, True]
    at[0] = 1e6
    assert [rates.wait(("visitor", "a", 60)) for _ in range(20)] == [0.0] * 20, "never more than a burst"


def test_of_two_rates_the_shorter_holds_and_a_refusal_takes_nothing() -> None:
    rates = Rates(Limits(), clock=lambda: 0.0)
    both = ("address", "a", 600), ("known", "s", 30)
    assert [rates.wait(*both) > 0 for _ in range(12)] == [False] * 10 + [True] * 2
    assert [rates.wait(("address", "a", 600)) for _ in range(190)] == [0.0] * 190


def test_the_setting() -> None:
    assert limits_of({}) == Limits() and limits_of({"HUIQI_RATES": "off"}) is None
    assert limits_of({"HUIQI_RATES": "100 50 20"}) == Limits(100, 50, 20)
    assert limits_of({"HUIQI_RATES": "3000/600/300"}) == Limits()  # as the README writes it
    for wrong in ("1" * 5000 + " 1 1", "1 2", "a b c", "0 1 1", "-1 2 3"):
        with pytest.raises(ValueError, match="HUIQI_RATES"):
            limits_of({"HUIQI_RATES": wrong})


@pytest.fixture
def strict(fresh: Desk, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setattr("desk.app.Rates", lambda limits: Rates(limits, clock=lambda: 0.0))
    app = create_app(fresh.engine, fresh.home, lambda: fresh.moment, limits=Limits(60_000, 60, 30))
    return TestClient(app, base_url="http://desk", follow_redirects=False)


@pytest.mark.parametrize(
    "path", ["/zone", "/desk/login", "/my/login", "/api/openapi.json", "/zone/feed.xml", "/none"]
)
def test_every_public_page_is_bounded(strict: TestClient, path: str) -> None:
    answers = [strict.get(path) for _ in range(13)]
    assert [a.status_code == 429 for a in answers] == [False] * 10 + [True] * 3
    late = answers[-1]
    assert int(late.headers["Retry-After"]) >= 1 and late.headers["Content-Security-Policy"]
    assert ("detail" in late.json()) if path.startswith("/api") else "请求太快" in late.text
    assert strict.get("/healthz").status_code == 200


def test_a_token_is_bounded_by_itself_and_an_invented_one_by_the_address(fresh: Desk, monkeypatch) -> None:
    monkeypatch.setattr("desk.app.Rates", lambda limits: Rates(limits, clock=lambda: 0.0))
    app = create_app(fresh.engine, fresh.home, lambda: fresh.moment, limits=Limits(120, 60, 30))
    client = TestClient(app, base_url="http://desk")
    ask = lambda token: client.get("/api/items", headers={"Authorization": f"Bearer {token}"}).status_code  # noqa: E731
    assert [ask("one") for _ in range(21)] == [401] * 20 + [429]
    assert [ask("two") for _ in range(10)] == [401] * 10
    assert 429 in [ask(f"invented-{n}") for n in range(30)]


def test_a_request_is_logged_by_route_and_match_and_without_who(fresh: Desk) -> None:
    root, stream = logging.getLogger(), io.StringIO()
    before, level = root.handlers[:], root.level
    logs.configure({}, stream)
    try:
        client = fresh.anyone()
        log_in(client, "lin", PASSWORD)
        office = fresh.app.state.office
        night = office.night()
        item = office.items(night).sort_values("open")["item"].iloc[-1]
        code = str(office.hits(night, item).iloc[0]["统一社会信用代码"])
        answer = client.get(f"/desk/matches/{code}/{item}")
        client.get("/desk/search", params={"q": "张三 13812345678"})
        client.get("/desk/none-such-张三")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    found = [json.loads(line) for line in stream.getvalue().splitlines()]
    (one,) = [x for x in found if x.get("match")]
    assert (one["match"], one["item"], one["run"], one["status"]) == (f"{item}:{code}", item, night.no, 200)
    assert (
        one["route"] == "/desk/matches/{code}/{doc}/{slug}"
        and one["request"] == answer.headers["X-Request-Id"]
    )
    said = stream.getvalue()
    assert len(found) >= 5 and not [
        w for w in ("张三", "1381234", PASSWORD, "林知遥", "testclient", '"lin"') if w in said
    ]
