"""登录: sessions that can be revoked, lockout, passwords."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from clients import csrf_of, log_in
from world import PASSWORD

from desk.pace import ADDRESSES, MOST, WINDOW, Failures
from store import accounts, audit, credentials, passwords
from store.accounts import LOCK_AFTER, LOCK_MINUTES, AccountError


def test_a_wrong_password_and_a_wrong_name_look_the_same(fresh):
    client = fresh.anyone()
    wrong, unknown = log_in(client, "lin", "no"), log_in(client, "nobody", "no")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text.count("没有登录") == unknown.text.count("没有登录") == 1


def test_five_failures_lock_and_time_unlocks(fresh):
    client = fresh.anyone()
    for _ in range(LOCK_AFTER):
        assert log_in(client, "lin", "wrong password").status_code == 401
    assert log_in(client, "lin", PASSWORD).status_code == 401
    fresh.moment += timedelta(minutes=LOCK_MINUTES, seconds=1)
    assert log_in(client, "lin", PASSWORD).status_code == 303
    found, _ = audit.entries(fresh.engine, what="登录失败")
    assert len(found) == LOCK_AFTER + 1


def test_many_failures_from_one_address_make_it_wait(fresh):
    client = fresh.anyone()
    for n in range(MOST):
        assert log_in(client, f"nobody{n}", "wrong password").status_code == 401
    held = log_in(client, "lin", PASSWORD)
    assert held.status_code == 429 and "一刻钟" in held.text
    firm = fresh.anyone()
    token = csrf_of(firm.get("/my/login").text)
    assert firm.post("/my/login", data={"csrf": token, "code": "x"}).status_code == 429
    fresh.moment += WINDOW
    assert log_in(client, "lin", PASSWORD).status_code == 303


def test_addresses_are_counted_apart_and_in_bounded_memory():
    failures, now = Failures(), datetime(2026, 6, 16, tzinfo=UTC)
    for _ in range(MOST):
        failures.count("a", now)
    assert failures.too_many("a", now) and not failures.too_many("b", now)
    for n in range(ADDRESSES):
        failures.count(str(n), now)
    assert not failures.too_many("a", now) and len(failures._seen) == ADDRESSES


def test_a_session_ends_by_logging_out_by_revoking_and_by_idling(fresh):
    client = fresh.client("lin")
    token = csrf_of(client.get("/desk/today").text)
    secret = client.cookies["huiqi_session"]
    client.post("/desk/logout", data={"csrf": token})
    assert accounts.who_is(fresh.engine, secret, fresh.moment) is None
    other = fresh.client("shen")
    assert other.get("/desk/today").status_code == 200
    accounts.revoke_sessions(fresh.engine, "shen", by="admin", now=fresh.moment)
    assert other.get("/desk/today").status_code == 303
    idle = fresh.client("fen")
    fresh.moment += timedelta(hours=accounts.IDLE_HOURS, minutes=1)
    assert idle.get("/desk/today").status_code == 303


def test_the_cookie_is_kept_from_scripts_and_other_sites(fresh):
    answer = log_in(fresh.anyone(), "lin", PASSWORD)
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("huiqi_session="))
    assert "HttpOnly" in cookie and "samesite=strict" in cookie.lower()


def test_a_login_form_needs_its_own_cookie(fresh):
    client = fresh.anyone()
    token = csrf_of(client.get("/desk/login").text)
    client.cookies.clear()
    answer = client.post("/desk/login", data={"login": "lin", "password": PASSWORD, "csrf": token})
    assert answer.status_code == 403


def test_passwords_are_long_and_hashed_with_argon2(fresh):
    with pytest.raises(AccountError, match="至少"):
        accounts.set_password(fresh.engine, "lin", "short", by="admin", now=fresh.moment)
    person = accounts.find_person(fresh.engine, "lin")
    assert person is not None and person.password.startswith("$argon2id$")


def test_changing_a_role_ends_the_sessions_and_one_administrator_stays(fresh):
    client = fresh.client("lin")
    accounts.change_person(
        fresh.engine, "lin", by="admin", now=fresh.moment, roles=["只读"], department="", active=True
    )
    assert client.get("/desk/today").status_code == 303
    with pytest.raises(AccountError, match="管理员"):
        accounts.change_person(
            fresh.engine, "admin", by="admin", now=fresh.moment, roles=["只读"], department="", active=True
        )


def test_a_one_time_code_works_once_and_only_in_time(fresh):
    code = credentials.make_code(fresh.engine, "91120118MA0725753R", by="lin", now=fresh.moment)
    late = credentials.make_code(fresh.engine, "91120118MA0725753R", by="lin", now=fresh.moment, hours=1)
    assert credentials.use_code(fresh.engine, late, "甲公司", fresh.moment + timedelta(hours=2)) is None
    secret = credentials.use_code(fresh.engine, code, "甲公司", fresh.moment)
    assert secret and credentials.use_code(fresh.engine, code, "甲公司", fresh.moment) is None
    login = accounts.who_is(fresh.engine, secret, fresh.moment)
    assert login is not None and login.person.firm == "91120118MA0725753R"
    firm = fresh.anyone()
    firm.cookies.set("huiqi_session", secret)
    assert firm.get("/desk/today").status_code == 303, "a firm has no business at the desk"


def test_tokens_can_be_revoked(fresh):
    secret = credentials.create_token(fresh.engine, "lin", "程序", ["read"], by="admin", now=fresh.moment)
    assert credentials.who_has(fresh.engine, secret, fresh.moment) is not None
    credentials.revoke_token(
        fresh.engine, credentials.tokens(fresh.engine)[0][0].id, by="admin", now=fresh.moment
    )
    assert credentials.who_has(fresh.engine, secret, fresh.moment) is None


def test_one_ends_ones_sessions_elsewhere_and_stays_here(fresh):
    here, there, other = fresh.client("lin"), fresh.anyone(), fresh.client("shen")
    assert log_in(there, "lin", PASSWORD).status_code == 303
    answer = fresh.post("lin", "/desk/me", sessions="others")
    assert answer.status_code == 303 and here.get("/desk/today").status_code == 200
    assert there.get("/desk/today").status_code == 303 and other.get("/desk/today").status_code == 200
    assert audit.entries(fresh.engine, what="结束其他会话")[0][0].detail == {"个数": 1}


def test_a_form_that_is_not_the_pages_own_is_refused_whatever_is_in_it(fresh):
    client = fresh.anyone()
    client.get("/desk/login")
    for token in ("", "别处来的", "x"):
        form = {"csrf": token, "login": "lin", "password": PASSWORD}
        assert client.post("/desk/login", data=form).status_code == 403


def test_logins_that_wait_for_their_turn_keep_nobody_from_a_page(fresh):
    """More of them than a server has threads for pages (40), and none may hash yet."""

    async def one(client: httpx.AsyncClient) -> int:
        form = {"csrf": "t", "login": "lin", "password": PASSWORD}
        headers = {"cookie": "huiqi_login=t", "origin": "http://desk"}
        return (await client.post("/desk/login", data=form, headers=headers)).status_code

    async def all_at_once() -> list[int]:
        there = httpx.ASGITransport(app=fresh.app)
        async with httpx.AsyncClient(transport=there, base_url="http://desk") as client:
            come = [asyncio.create_task(one(client)) for _ in range(60)]
            await asyncio.sleep(0.3)
            page = await asyncio.wait_for(client.get("/desk/login"), 20)
            assert page.status_code == 200 and not any(c.done() for c in come)
            for _ in range(passwords.AT_ONCE):
                passwords._turns.release()
            return await asyncio.gather(*come)

    for _ in range(passwords.AT_ONCE):
        passwords._turns.acquire()
    assert asyncio.run(all_at_once()) == [303] * 60
