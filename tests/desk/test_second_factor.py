"""动态口令: codes as the standards have them, none twice, and no way in without one where one is owed."""

from __future__ import annotations

import base64
import re
from datetime import timedelta
from pathlib import Path

import pytest
from clients import Desk, csrf_of, log_in
from sqlmodel import select
from world import NOW, PASSWORD

from store import accounts, audit, office_settings, sealed, second_factor
from store.accounts import LOCK_AFTER, LOCK_MINUTES
from store.database import session
from store.second_factor import DRIFT, HALF_MINUTES, STEP, RecoveryCode, SecondFactor, code_at, step_at


@pytest.mark.parametrize(
    ("moment", "code"),
    [(59, "94287082"), (1111111109, "07081804"), (1234567890, "89005924"), (20000000000, "65353130")],
)  # RFC 6238, appendix B: eight digits, of which ours are the last six
def test_codes_are_those_of_the_standard(moment: int, code: str) -> None:
    assert code_at(base64.b32encode(b"12345678901234567890").decode(), moment // STEP) == code[-6:]


@pytest.mark.parametrize("at", range(10))
def test_counters_are_those_of_rfc_4226(at: int) -> None:
    wanted = [
        "755224",
        "287082",
        "359152",
        "969429",
        "338314",
        "254676",
        "287922",
        "162583",
        "399871",
        "520489",
    ]  # appendix D
    assert code_at(base64.b32encode(b"12345678901234567890").decode(), at) == wanted[at]


def switch_on(desk: Desk, login: str) -> tuple[str, list[str]]:
    """Through the person's own page; the secret and the recovery codes."""
    assert "没有启用" in desk.client(login).get("/desk/me/factor").text
    refused = desk.post(login, "/desk/me/factor", do="开始", password="another password")
    assert "fault=" in refused.headers["location"]
    desk.post(login, "/desk/me/factor", do="开始", password=PASSWORD)
    page = desk.client(login).get("/desk/me/factor").text
    found = re.search(r"otpauth://totp/[^?]+\?secret=([A-Z2-7]{32})&", page)
    assert found
    wrong = desk.post(login, "/desk/me/factor", do="启用", code="000000")
    assert "fault=" in wrong.headers["location"]
    page = desk.post(login, "/desk/me/factor", do="启用", code=now_code(desk, found[1])).text
    codes = re.findall(r"<li>([\w-]{19})</li>", page)
    assert len(codes) == second_factor.RECOVERY
    return found[1], codes


def now_code(desk: Desk, secret: str, ahead: int = 0) -> str:
    return code_at(secret, step_at(desk.moment) + ahead)


def second_step(desk: Desk, login: str, code: str):
    """A password, then the code; the client and the last answer."""
    client = desk.anyone()
    first = log_in(client, login, PASSWORD)
    assert first.status_code == 303 and first.headers["location"].startswith("/desk/login/code")
    assert "huiqi_session" not in client.cookies
    return client, give(client, code)


def give(client, code: str):
    token = csrf_of(client.get("/desk/login/code").text)
    return client.post("/desk/login/code", data={"csrf": token, "code": code, "next": ""})


def test_a_password_alone_opens_nothing_and_no_code_works_twice(fresh: Desk) -> None:
    secret, _codes = switch_on(fresh, "lin")
    client, again = second_step(fresh, "lin", now_code(fresh, secret))
    assert again.status_code == 401, "the code that switched it on was used"
    assert client.get("/desk/today").headers["location"].startswith("/desk/login")
    fresh.moment += timedelta(seconds=STEP)
    code = now_code(fresh, secret)
    client, done = second_step(fresh, "lin", code)
    assert done.status_code == 303 and client.get("/desk/today").status_code == 200
    _, twice = second_step(fresh, "lin", code)
    assert twice.status_code == 401


def test_a_clock_a_step_off_will_do_and_two_will_not(fresh: Desk) -> None:
    secret, _codes = switch_on(fresh, "lin")
    fresh.moment += timedelta(hours=1)
    for ahead, status in ((DRIFT + 1, 401), (-DRIFT - 1, 401), (-DRIFT, 303), (DRIFT, 303)):
        assert second_step(fresh, "lin", now_code(fresh, secret, ahead))[1].status_code == status
    assert second_step(fresh, "lin", now_code(fresh, secret))[1].status_code == 401, "older than one used"


def test_a_demo_on_another_day_takes_the_codes_of_today(fresh: Desk) -> None:
    secret, _codes = switch_on(fresh, "lin")
    today = fresh.moment + timedelta(days=200, seconds=7)
    fresh.app.state.office.wall = lambda: today
    assert second_step(fresh, "lin", now_code(fresh, secret, 1))[1].status_code == 401
    assert second_step(fresh, "lin", code_at(secret, step_at(today)))[1].status_code == 303


def test_a_recovery_code_works_once_and_is_kept_as_a_hash(fresh: Desk) -> None:
    _secret, codes = switch_on(fresh, "lin")
    with session(fresh.engine) as opened:
        kept = [row.secret for row in opened.exec(select(RecoveryCode))]
    assert not set(codes) & set(kept) and all(len(k) == 64 for k in kept)
    assert second_step(fresh, "lin", codes[0].upper().replace("-", " "))[1].status_code == 303
    assert second_step(fresh, "lin", codes[0])[1].status_code == 401
    assert "恢复码还剩 9 个" in fresh.client("lin").get("/desk/me/factor").text
    assert [e.detail.get("方式") for e in audit.entries(fresh.engine, what="登录")[0]].count(
        "密码和恢复码"
    ) == 1


def test_guessing_locks_and_the_password_does_not_forgive_it(fresh: Desk) -> None:
    secret, _codes = switch_on(fresh, "lin")
    fresh.moment += timedelta(minutes=5)
    for _ in range(LOCK_AFTER - 1):  # one was the wrong password on the person's own page
        assert second_step(fresh, "lin", "12345")[1].status_code == 401
    client = fresh.anyone()
    assert log_in(client, "lin", PASSWORD).status_code == 401, "locked"
    fresh.moment += timedelta(minutes=LOCK_MINUTES, seconds=1)
    assert second_step(fresh, "lin", now_code(fresh, secret))[1].status_code == 303


def test_half_a_login_grows_old_and_is_no_session(fresh: Desk) -> None:
    secret, _codes = switch_on(fresh, "lin")
    client = fresh.anyone()
    log_in(client, "lin", PASSWORD)
    half = client.cookies["huiqi_half"]
    assert accounts.who_is(fresh.engine, half, fresh.moment) is None
    token = csrf_of(client.get("/desk/login/code").text)
    assert (
        client.post("/desk/login/code", data={"code": now_code(fresh, secret, 1), "csrf": "x"}).status_code
        == 403
    )
    fresh.moment += timedelta(minutes=HALF_MINUTES, seconds=1)
    late = client.post("/desk/login/code", data={"csrf": token, "code": now_code(fresh, secret), "next": ""})
    assert late.headers["location"] == "/desk/login" and "huiqi_session" not in client.cookies
    assert fresh.anyone().get("/desk/login/code").headers["location"] == "/desk/login"


def test_a_role_may_demand_it(fresh: Desk) -> None:
    fresh.post("admin", "/desk/settings", do="改动态口令", role=["复核", "财政"])
    assert log_in(fresh.anyone(), "lin", PASSWORD).headers["location"] == "/desk/today"
    client = fresh.anyone()
    log_in(client, "shen", PASSWORD)
    page = client.get("/desk/login/code").text
    found = re.search(r"\?secret=([A-Z2-7]{32})&", page)
    assert found and "先启用动态口令" in page
    assert give(client, "000000").status_code == 401
    done = give(client, now_code(fresh, found[1]))
    assert done.status_code == 200 and done.text.count("<li>") == second_factor.RECOVERY
    assert client.get("/desk/second").status_code == 200
    # from now on its secret is never shown, and the person can't put it off
    later = fresh.anyone()
    log_in(later, "shen", PASSWORD)
    assert found[1] not in later.get("/desk/login/code").text
    token = csrf_of(client.get("/desk/me/factor").text)
    fresh.moment += timedelta(minutes=1)
    form = {"csrf": token, "do": "停用", "code": now_code(fresh, found[1])}
    assert "fault=" in client.post("/desk/me/factor", data=form).headers["location"]
    assert second_factor.standing(fresh.engine, person_id(fresh, "shen"), ["复核"]).confirmed


def person_id(desk: Desk, login: str) -> int:
    found = accounts.find_person(desk.engine, login)
    assert found is not None and found.id is not None
    return found.id


def test_switching_off_and_new_codes_need_a_code_and_leave_a_trace(fresh: Desk) -> None:
    secret, codes = switch_on(fresh, "lin")
    fresh.moment += timedelta(minutes=1)
    assert "fault=" in fresh.post("lin", "/desk/me/factor", do="换恢复码", code="1").headers["location"]
    page = fresh.post("lin", "/desk/me/factor", do="换恢复码", code=now_code(fresh, secret)).text
    made = re.findall(r"<li>([\w-]{19})</li>", page)
    assert len(made) == 10 and not set(made) & set(codes)
    assert second_step(fresh, "lin", codes[1])[1].status_code == 401, "those from before count no more"
    assert "fault=" in fresh.post("lin", "/desk/me/factor", do="停用", code="000000").headers["location"]
    fresh.post("lin", "/desk/me/factor", do="停用", code=made[0])
    assert log_in(fresh.anyone(), "lin", PASSWORD).headers["location"] == "/desk/today"
    with session(fresh.engine) as opened:
        assert not opened.exec(select(SecondFactor)).all() and not opened.exec(select(RecoveryCode)).all()
    for what in ("启用动态口令", "换恢复码", "停用动态口令"):
        assert audit.entries(fresh.engine, what=what)[1] == 1


def test_an_administrator_resets_it_by_command(fresh: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from jobs.cli import _register, app

    _register()

    switch_on(fresh, "lin")
    monkeypatch.setenv("HUIQI_DB", fresh.engine.url.render_as_string(hide_password=False))
    run = CliRunner()
    listed = run.invoke(app, ["admin", "second-factor"]).output
    assert "lin\t经办\t启用" in listed and "shen\t复核\t没有启用" in listed
    assert run.invoke(app, ["admin", "second-factor", "lin"]).exit_code == 2
    done = run.invoke(app, ["admin", "second-factor", "lin", "--reset"])
    assert done.exit_code == 0 and "重设了" in done.output
    assert log_in(fresh.anyone(), "lin", PASSWORD).headers["location"] == "/desk/today"
    (entry,), _ = audit.entries(fresh.engine, what="重设动态口令")
    assert (entry.who, entry.subject) == ("命令行", "lin")


def test_the_setting_names_roles_that_there_are(fresh: Desk) -> None:
    with pytest.raises(ValueError, match="没有“会计”这个角色"):
        office_settings.change(fresh.engine, "login", ["second_factor=管理员 会计"], by="t", now=NOW)


def test_neither_secret_nor_code_stands_in_the_audit_log(fresh: Desk) -> None:
    secret, codes = switch_on(fresh, "lin")
    told = " ".join(str(e.detail) for e in audit.entries(fresh.engine)[0])
    assert secret not in told and not any(c in told for c in codes)


def kept(desk: Desk, login: str) -> str:
    with session(desk.engine) as opened:
        found = opened.get(SecondFactor, person_id(desk, login))
        assert found is not None
        return found.secret


def test_a_secret_is_sealed_and_no_use_in_anothers_row(fresh: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(sealed.KEY, sealed.new_key())
    secret, _codes = switch_on(fresh, "lin")
    assert sealed.is_sealed(kept(fresh, "lin")) and secret not in kept(fresh, "lin")
    switch_on(fresh, "cai")
    with session(fresh.engine) as opened:
        opened.get_one(SecondFactor, person_id(fresh, "cai")).secret = kept(fresh, "lin")
        opened.commit()
    fresh.moment += timedelta(minutes=1)
    assert second_step(fresh, "lin", now_code(fresh, secret))[1].status_code == 303
    _, stolen = second_step(fresh, "cai", now_code(fresh, secret))
    assert stolen.status_code == 401 and "打不开动态口令的密钥" in stolen.text


def test_a_plain_secret_is_sealed_by_its_next_use(fresh: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(sealed.KEY, raising=False)
    secret, _codes = switch_on(fresh, "lin")
    assert kept(fresh, "lin") == secret and second_factor.seals(fresh.engine).plain == 1
    monkeypatch.setenv(sealed.KEY, sealed.new_key())
    fresh.moment += timedelta(minutes=1)
    assert second_step(fresh, "lin", "000000")[1].status_code == 401 and kept(fresh, "lin") == secret
    assert second_step(fresh, "lin", now_code(fresh, secret))[1].status_code == 303
    assert sealed.is_sealed(kept(fresh, "lin")) and second_factor.seals(fresh.engine) == sealed.Seals(whole=1)
    fresh.moment += timedelta(minutes=1)
    assert second_step(fresh, "lin", now_code(fresh, secret))[1].status_code == 303


def test_without_the_key_a_recovery_code_lets_in_and_nobody_is_locked(
    fresh: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(sealed.KEY, sealed.new_key())
    secret, codes = switch_on(fresh, "lin")
    monkeypatch.setenv(sealed.KEY, sealed.new_key())
    fresh.moment += timedelta(minutes=1)
    for _ in range(LOCK_AFTER + 1):
        _, told = second_step(fresh, "lin", now_code(fresh, secret))
        assert told.status_code == 401 and "打不开动态口令的密钥" in told.text
    assert second_factor.seals(fresh.engine).shut == 1
    assert second_step(fresh, "lin", codes[0])[1].status_code == 303


def test_an_unfinished_beginning_that_no_key_opens_is_begun_anew(
    fresh: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh.post("admin", "/desk/settings", do="改动态口令", role=["复核"])
    monkeypatch.setenv(sealed.KEY, sealed.new_key())
    log_in(fresh.anyone(), "shen", PASSWORD)
    monkeypatch.setenv(sealed.KEY, sealed.new_key())
    client = fresh.anyone()
    log_in(client, "shen", PASSWORD)
    found = re.search(r"\?secret=([A-Z2-7]{32})&", client.get("/desk/login/code").text)
    assert found and give(client, now_code(fresh, found[1])).status_code == 200


def test_a_new_key_takes_over_from_the_old_one(
    fresh: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from typer.testing import CliRunner

    from jobs.cli import _register, app

    _register()
    run, file = CliRunner(), tmp_path / "key"
    monkeypatch.setenv("HUIQI_DB", fresh.engine.url.render_as_string(hide_password=False))
    monkeypatch.delenv(sealed.KEY, raising=False)
    secret, _codes = switch_on(fresh, "lin")
    none = run.invoke(app, ["admin", "secret-key", "--reseal"])
    assert none.exit_code == 2 and "HUIQI_SECRET_KEY" in none.output and kept(fresh, "lin") == secret
    old, new = (run.invoke(app, ["admin", "secret-key"]).output.strip() for _ in range(2))
    monkeypatch.setenv(sealed.KEY_FILE, str(file))
    for words in (old, f"{new}\n{old}\n"):
        file.write_text(words)
        done = run.invoke(app, ["admin", "secret-key", "--reseal"])
        assert done.exit_code == 0 and "封存了 1 个动态口令的密钥、0 个回调的密钥" in done.output, done.output
    file.write_text(new)
    fresh.moment += timedelta(minutes=1)
    assert second_step(fresh, "lin", now_code(fresh, secret))[1].status_code == 303
    file.write_text(old)
    assert second_factor.seals(fresh.engine).shut == 1


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"HUIQI_SECRET_KEY": "short"}, "不是密钥"),
        ({"HUIQI_SECRET_KEY_FILE": "/nowhere/key"}, "读不了"),
        ({"HUIQI_SECRET_KEY": "密钥" * 22}, "不是密钥"),
    ],
)
def test_what_is_no_key_is_said(env: dict[str, str], words: str) -> None:
    with pytest.raises(sealed.SealError, match=words):
        sealed.keys(env)
