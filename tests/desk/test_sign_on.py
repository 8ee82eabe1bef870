"""统一认证: a small OpenID provider on loopback; who is named comes in, everything forged or stale stays out."""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from browsing import browser, needs_browser, served
from clients import Desk
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from desk.oidc import Provider, SignOn, from_environment
from store import accounts, audit

CLIENT, SECRET = "huiqi", "shared with the provider"


@dataclass
class Idp:
    """认证方: hands out codes without asking, and statements as the test wants them."""

    base: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k1"}))
    subject: str = "emp-0042"
    now: int = 0
    forge: dict[str, Any] = field(default_factory=dict)
    unsigned: bool = False
    other_key: Any = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def token(self, asked: dict[str, str]) -> str:
        claims = {
            "iss": self.base, "aud": CLIENT, "sub": self.subject, "nonce": asked["nonce"], "iat": self.now, "exp": self.now + 300,
        } | self.forge  # fmt: skip
        if self.unsigned:
            head, body = (
                base64.urlsafe_b64encode(json.dumps(x).encode()).rstrip(b"=").decode()
                for x in ({"alg": "none"}, claims)
            )
            return f"{head}.{body}."
        key = self.other_key or self.key
        alg = "HS256" if isinstance(key, OctKey) else "RS256"
        return jwt.encode({"alg": alg, "kid": key.kid or "k1"}, claims, key)


class Handler(http.server.BaseHTTPRequestHandler):
    idp: Idp

    def do_GET(self) -> None:
        parts, idp = urlsplit(self.path), self.idp
        asked = {k: v[0] for k, v in parse_qs(parts.query).items()}
        if parts.path == "/.well-known/openid-configuration":
            ends = {f"{k}_endpoint": f"{idp.base}/{k}" for k in ("authorization", "token")}
            self.say({"issuer": idp.base, "jwks_uri": f"{idp.base}/keys", **ends})
        elif parts.path == "/keys":
            self.say({"keys": [idp.key.as_dict(private=False)]})
        else:
            code = f"code{len(idp.codes)}"
            idp.codes[code] = asked
            self.send_response(302)
            self.send_header(
                "Location", asked["redirect_uri"] + "?" + urlencode({"code": code, "state": asked["state"]})
            )
            self.end_headers()

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        asked = self.idp.codes.pop(form["code"][0], None)
        known = base64.b64decode(self.headers["Authorization"].split()[1]).decode()
        digest = hashlib.sha256(form["code_verifier"][0].encode()).digest()
        proven = asked and base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked["code_challenge"]
        if (
            asked is None
            or not proven
            or known != f"{CLIENT}:{SECRET}"
            or form["redirect_uri"][0] != asked["redirect_uri"]
        ):
            self.send_error(400)
            return
        self.say({"id_token": self.idp.token(asked), "token_type": "Bearer", "access_token": "x"})

    def say(self, what: dict[str, Any]) -> None:
        body = json.dumps(what).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def idp() -> Iterator[Idp]:
    made = Idp()
    handler = type("Bound", (Handler,), {"idp": made})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    made.base = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join(60)


@pytest.fixture
def signed(fresh: Desk, idp: Idp) -> Desk:
    """A desk with the provider, at which 林知遥 is known as emp-0042."""
    fresh.app.state.office.sign_on = Provider(SignOn(idp.base, CLIENT, SECRET, "单位认证"))
    idp.now = int(fresh.moment.timestamp())
    accounts.set_subject(fresh.engine, "lin", "emp-0042", by="admin", now=fresh.moment)
    return fresh


def go(desk: Desk, idp: Idp, **changed: str) -> Any:
    """From the login page to the provider and back."""
    import httpx

    client = desk.anyone()
    away = client.get("/desk/login/away", params={"next": "/desk/items"})
    assert away.status_code == 303 and away.headers["location"].startswith(idp.base)
    back = httpx.get(away.headers["location"]).headers["location"]
    query = {k: v[0] for k, v in parse_qs(urlsplit(back).query).items()} | changed
    return client, client.get("/desk/login/back", params=query)


def test_a_known_person_comes_in_and_goes_on(signed: Desk, idp: Idp) -> None:
    assert "用单位认证登录" in signed.anyone().get("/desk/login").text
    client, answer = go(signed, idp)
    assert answer.status_code == 200 and "url=/desk/items" in answer.text
    assert "林知遥" in client.get("/desk/items").text
    assert audit.entries(signed.engine, what="登录")[0][0].detail == {"方式": "统一认证"}
    accounts.revoke_sessions(signed.engine, "lin", by="admin", now=signed.moment)
    assert client.get("/desk/items").status_code == 303


@pytest.mark.parametrize(
    ("forge", "words"),
    [
        ({"nonce": "another"}, "不是给这一次登录的"),
        ({"aud": "another"}, "签名或有效期不对"),
        ({"iss": "https://evil.example"}, "不是约定的认证方"),
        ({"exp": 1}, "签名或有效期不对"),
        ({"azp": "another"}, "给别的系统的"),
        ({"sub": ""}, "没有登录"),
        ({"sub": "emp-9999"}, "还没有对应的人员"),
    ],
)
def test_a_wrong_statement_lets_nobody_in(signed: Desk, idp: Idp, forge: dict[str, Any], words: str) -> None:
    idp.forge = forge
    client, answer = go(signed, idp)
    assert answer.status_code == 401 and words in answer.text
    assert client.get("/desk/today").status_code == 303


def test_neither_an_unsigned_nor_a_wrongly_signed_statement_counts(signed: Desk, idp: Idp) -> None:
    idp.unsigned = True
    assert go(signed, idp)[1].status_code == 401
    idp.unsigned, idp.other_key = False, RSAKey.generate_key(2048, {"kid": "k1"})
    assert go(signed, idp)[1].status_code == 401
    idp.other_key = OctKey.import_key(SECRET)
    assert go(signed, idp)[1].status_code == 401, "the shared secret is no signing key"


def test_a_provider_may_change_its_keys(signed: Desk, idp: Idp) -> None:
    assert go(signed, idp)[1].status_code == 200
    idp.key = RSAKey.generate_key(2048, {"kid": "k2"})
    assert go(signed, idp)[1].status_code == 200


def test_what_was_not_begun_here_or_is_repeated_is_refused(signed: Desk, idp: Idp) -> None:
    assert go(signed, idp, state="forged")[1].status_code == 401
    assert go(signed, idp, code="guessed")[1].status_code == 401
    assert signed.anyone().get("/desk/login/back", params={"code": "c", "state": "s"}).status_code == 401
    client, answer = go(signed, idp)
    assert answer.status_code == 200 and "huiqi_journey" not in client.cookies


def test_who_may_not_come_in_does_not_by_another_door(signed: Desk, idp: Idp) -> None:
    accounts.change_person(
        signed.engine, "lin", by="admin", now=signed.moment, roles=["经办"], department="", active=False
    )
    assert go(signed, idp)[1].status_code == 401
    with pytest.raises(accounts.AccountError, match="已经是 lin 的"):
        accounts.set_subject(signed.engine, "shen", "emp-0042", by="admin", now=signed.moment)


def test_a_provider_that_is_away_is_told_in_words(fresh: Desk) -> None:
    fresh.app.state.office.sign_on = Provider(SignOn("http://127.0.0.1:9", CLIENT, SECRET))
    answer = fresh.anyone().get("/desk/login/away")
    assert answer.status_code == 401 and "现在连不上" in answer.text
    assert fresh.client("lin").get("/desk/today").status_code == 200, "the password still works"


def test_an_old_statement_is_stale(signed: Desk, idp: Idp) -> None:
    signed.moment += timedelta(minutes=20)
    assert go(signed, idp)[1].status_code == 401


def test_settings_come_from_the_environment_whole_or_not_at_all() -> None:
    env = {"HUIQI_OIDC_ISSUER": "https://id.example/", "HUIQI_OIDC_CLIENT": "a", "HUIQI_OIDC_SECRET": "b"}
    assert from_environment({}) is None
    assert from_environment(env) == SignOn("https://id.example", "a", "b")
    with pytest.raises(ValueError, match="HUIQI_OIDC_SECRET"):
        from_environment({k: v for k, v in env.items() if k != "HUIQI_OIDC_SECRET"})
    with pytest.raises(ValueError, match="https"):
        from_environment(env | {"HUIQI_OIDC_ISSUER": "http://id.example"})


@needs_browser
def test_a_browser_goes_there_and_back(signed: Desk, idp: Idp) -> None:
    with served(signed.app) as base, browser() as chromium:
        page = chromium.new_page()
        page.goto(f"{base}/desk/items")
        page.click("text=用单位认证登录")
        page.wait_for_url("**/desk/items")
        assert "林知遥" in page.inner_text(".mast")


# ---------------------------------------------------------------- enterprises


@pytest.fixture
def firms(fresh: Desk, idp: Idp) -> tuple[Desk, str]:
    """A desk whose enterprises come by a provider, and one of them."""
    office = fresh.app.state.office
    office.firm_sign_on = Provider(SignOn(idp.base, CLIENT, SECRET, "电子营业执照", claim="uscc"))
    idp.now = int(fresh.moment.timestamp())
    return fresh, str(office.night().columns().codes[3])


def enter_by_provider(desk: Desk, idp: Idp, claim: object, **changed: str) -> Any:
    import httpx

    idp.forge = {"uscc": claim}
    client = desk.anyone()
    away = client.get("/my/login/away")
    back = httpx.get(away.headers["location"]).headers["location"]
    query = {k: v[0] for k, v in parse_qs(urlsplit(back).query).items()} | changed
    return client, client.get("/my/login/back", params=query)


def test_an_enterprise_comes_in_as_the_one_its_provider_names(firms: tuple[Desk, str], idp: Idp) -> None:
    desk, code = firms
    assert "用电子营业执照登录" in desk.anyone().get("/my/login").text
    client, answer = enter_by_provider(desk, idp, code.lower())
    assert answer.status_code == 200 and "url=/my" in answer.text
    assert code in client.get("/my/file").text
    assert client.get("/desk/today").status_code == 303, "it is no way into the desk"
    assert audit.entries(desk.engine, what="登录")[0][0].detail == {"方式": "统一认证"}


@pytest.mark.parametrize(
    ("code", "changed", "words"),
    [
        ("91120118MA00000000", {}, "没有这家企业"),
        ("lin", {}, "没有这家企业"),
        (12, {}, "没有给出“uscc”"),
        (None, {"state": "another"}, "不是从这里开始的"),
        (None, {"code": ""}, "没有同意登录"),
        (None, {"code": "made up"}, "没有认可这次登录"),
    ],
)
def test_nobody_comes_in_by_a_code_we_do_not_know_or_a_journey_not_begun_here(
    firms: tuple[Desk, str], idp: Idp, code: object, changed: dict[str, str], words: str
) -> None:
    desk, real = firms
    client, answer = enter_by_provider(desk, idp, real if code is None else code, **changed)
    assert answer.status_code == 401 and words in answer.text
    assert client.get("/my").headers["location"] == "/my/login"


def test_without_a_provider_there_is_only_the_code(fresh: Desk) -> None:
    assert "登录</a>" not in fresh.anyone().get("/my/login").text.split("<form")[0].split("<main")[1]
    assert fresh.anyone().get("/my/login/away").status_code == 404
    half = {"HUIQI_FIRM_OIDC_ISSUER": "https://id.example.com"}
    with pytest.raises(ValueError, match="HUIQI_FIRM_OIDC_CLIENT"):
        from_environment(half, "HUIQI_FIRM_OIDC")
    whole = half | {"HUIQI_FIRM_OIDC_CLIENT": "a", "HUIQI_FIRM_OIDC_SECRET": "b"}
    found = from_environment(whole, "HUIQI_FIRM_OIDC")
    assert found is not None and (found.claim, found.title) == ("uscc", "电子营业执照")
