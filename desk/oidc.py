"""统一认证 (OpenID Connect): authorization code with PKCE; who comes is known by one claim that an administrator has entered."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
TIMEOUT = 10.0
LEEWAY = 60  # seconds by which the two clocks may differ
FRESH = timedelta(minutes=10)


class SignOnError(ValueError):
    """统一认证没有成: the message is for the person."""


@dataclass(frozen=True)
class SignOn:
    """统一认证的设置: `claim` is what names a person (its value stands in their file), `redirect` our address as the provider knows it."""

    issuer: str
    client: str
    secret: str
    title: str = "统一认证"
    scope: str = "openid profile"
    claim: str = "sub"
    redirect: str = ""


@dataclass(frozen=True)
class Journey:
    """去认证的一趟: what must come back unchanged; kept in the browser's own cookie."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def begin(cls) -> Journey:
        return cls(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48))

    def packed(self) -> str:
        return ".".join((self.state, self.nonce, self.verifier))

    @classmethod
    def unpacked(cls, text: str) -> Journey | None:
        parts = text.split(".")
        return cls(*parts) if len(parts) == 3 and all(parts) else None


OFFICE, FIRMS = "HUIQI_OIDC", "HUIQI_FIRM_OIDC"
# A provider for enterprises names one by its code; what the claim is called is the provider's own.
USUAL = {FIRMS: {"title": "电子营业执照", "claim": "uscc"}}


def from_environment(env: Mapping[str, str], prefix: str = OFFICE) -> SignOn | None:
    """从环境变量: {prefix}_ISSUER, _CLIENT, _SECRET; optional _NAME, _SCOPE, _CLAIM, _REDIRECT. Raises ValueError when half set."""
    given = {k: env.get(f"{prefix}_{k}", "").strip() for k in ("ISSUER", "CLIENT", "SECRET")}
    if not any(given.values()):
        return None
    missing = [f"{prefix}_{k}" for k, v in given.items() if not v]
    if missing:
        raise ValueError(f"统一认证还缺 {'、'.join(missing)}")
    issuer = given["ISSUER"].rstrip("/")
    parts = urlsplit(issuer)
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise ValueError(f"{prefix}_ISSUER 要用 https")
    names = {"title": "NAME", "scope": "SCOPE", "claim": "CLAIM", "redirect": "REDIRECT"}
    more = {field: env.get(f"{prefix}_{word}", "").strip() for field, word in names.items()}
    told = {**USUAL.get(prefix, {}), **{k: v for k, v in more.items() if v}}
    return SignOn(issuer, given["CLIENT"], given["SECRET"], **told)


@dataclass
class Provider:
    """认证方: its description and keys, read when needed and kept for ten minutes."""

    asked: SignOn
    _known: dict[str, Any] = field(default_factory=dict)
    _keys: KeySet | None = None
    _read: datetime | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def description(self, now: datetime, *, anew: bool = False) -> dict[str, Any]:
        """认证方的说明. Raises SignOnError where it cannot be reached or names another issuer."""
        with self._lock:
            if anew or self._read is None or now - self._read > FRESH:
                known = _fetch(f"{self.asked.issuer}/.well-known/openid-configuration")
                if str(known.get("issuer", "")).rstrip("/") != self.asked.issuer:
                    raise SignOnError("认证方的说明里写的是另一个发行者，请管理员核对发行者的设置")
                try:
                    self._keys = KeySet.import_key_set(_fetch(str(known["jwks_uri"])))  # type: ignore[arg-type]
                except (JoseError, KeyError, ValueError, TypeError) as error:
                    raise SignOnError("认证方的说明读不懂，请管理员核对") from error
                self._known, self._read = known, now
            return self._known

    def address(self, journey: Journey, redirect: str, now: datetime) -> str:
        """去认证的地址, with PKCE (S256)."""
        challenge = (
            urlsafe_b64encode(hashlib.sha256(journey.verifier.encode()).digest()).rstrip(b"=").decode()
        )
        query = {
            "response_type": "code", "client_id": self.asked.client, "redirect_uri": redirect, "scope": self.asked.scope,
            "state": journey.state, "nonce": journey.nonce, "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        base = str(self.description(now).get("authorization_endpoint", ""))
        return base + ("&" if "?" in base else "?") + urlencode(query)

    def subject(self, journey: Journey, code: str, redirect: str, now: datetime) -> str:
        """是谁: exchange the code, check the signed statement, read the claim. Raises SignOnError."""
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": journey.verifier,
        }  # fmt: skip
        known = self.description(now)
        try:
            answer = httpx.post(
                str(known["token_endpoint"]), data=form, auth=(self.asked.client, self.asked.secret), timeout=TIMEOUT
            )  # fmt: skip
            answer.raise_for_status()
            token = str(answer.json()["id_token"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise SignOnError("认证方没有认可这次登录，请重新登录") from error
        claims = self._claims(token, journey, now)
        found = claims.get(self.asked.claim)
        if not isinstance(found, str) or not found or len(found) > 200:
            raise SignOnError(f"认证方没有给出“{self.asked.claim}”，请管理员核对认证的设置")
        return found

    def _claims(self, token: str, journey: Journey, now: datetime) -> dict[str, Any]:
        try:
            claims = self._decoded(token, now)
            wanted = jwt.JWTClaimsRegistry(
                now=int(now.timestamp()), leeway=LEEWAY, aud={"essential": True, "value": self.asked.client},
                exp={"essential": True}, iat={"essential": True}, sub={"essential": True},
            )  # fmt: skip
            wanted.validate(claims)
        except (JoseError, ValueError, TypeError) as error:
            raise SignOnError("认证方的签名或有效期不对，没有登录") from error
        if str(claims.get("iss", "")).rstrip("/") != self.asked.issuer:
            raise SignOnError("签名的不是约定的认证方，没有登录")
        if claims.get("azp", self.asked.client) != self.asked.client:
            raise SignOnError("这份证明是给别的系统的，没有登录")
        if not hmac.compare_digest(
            str(claims.get("nonce", "")).encode("utf-8", "replace"), journey.nonce.encode()
        ):
            raise SignOnError("这份证明不是给这一次登录的，请重新登录")
        return claims

    def _decoded(self, token: str, now: datetime) -> dict[str, Any]:
        """The statement, its signature checked; keys are read anew once, for a provider that has changed them."""
        assert self._keys is not None
        try:
            return dict(jwt.decode(token, self._keys, algorithms=ALGORITHMS).claims)
        except (JoseError, ValueError):
            self.description(now, anew=True)
            return dict(jwt.decode(token, self._keys, algorithms=ALGORITHMS).claims)


def _fetch(address: str) -> dict[str, Any]:
    try:
        answer = httpx.get(address, timeout=TIMEOUT)
        answer.raise_for_status()
        found = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise SignOnError("统一认证现在连不上，请稍后再试，或用密码登录") from error
    if not isinstance(found, dict):
        raise SignOnError("认证方的说明读不懂，请管理员核对")
    return found
