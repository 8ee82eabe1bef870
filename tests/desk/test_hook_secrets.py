"""The secrets that webhooks sign with: told once, kept sealed, and never replaced by an unsigned message."""

from __future__ import annotations

import hmac
from datetime import timedelta
from hashlib import sha256

import httpx
import pytest

from desk import hooks
from store import audit, sealed, webhooks
from store.database import writing
from tests.desk.clients import Desk

URL = "https://erp.example/hook"


class Receiver:
    """The other system, without a network."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.client = httpx.Client(transport=httpx.MockTransport(self.take))

    def take(self, request: httpx.Request) -> httpx.Response:
        self.heard.append((request.headers["X-Huiqi-Signature"], request.content))
        return httpx.Response(200)


def grant_told(desk: Desk) -> None:
    with writing(desk.engine) as opened:
        audit.record(opened, "lin", "兑现：拨付", "G1", {}, desk.moment)


def entered(desk: Desk) -> str:
    return webhooks.add(desk.engine, URL, ["grant"], by="admin", now=desk.moment)[1]


def test_without_its_key_a_hook_waits_and_nothing_goes_out(
    fresh: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, receiver = sealed.new_key(), Receiver()
    monkeypatch.setenv(sealed.KEY, key)
    secret = entered(fresh)
    (kept,) = webhooks.hooks(fresh.engine)
    assert sealed.is_sealed(kept.secret) and secret not in kept.secret
    grant_told(fresh)
    monkeypatch.setenv(sealed.KEY, sealed.new_key())
    assert hooks.deliver(fresh.engine, lambda: fresh.moment, receiver.client) == 0 and not receiver.heard
    assert "密钥打不开" in webhooks.hooks(fresh.engine)[0].problem
    monkeypatch.setenv(sealed.KEY, key)
    fresh.moment += timedelta(minutes=1)
    assert hooks.deliver(fresh.engine, lambda: fresh.moment, receiver.client) == 1
    ((signature, body),) = receiver.heard
    assert signature == "sha256=" + hmac.new(secret.encode(), body, sha256).hexdigest()


def test_a_secret_is_no_use_in_anothers_row(fresh: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(sealed.KEY, sealed.new_key())
    entered(fresh), entered(fresh)
    mine, others = webhooks.hooks(fresh.engine)
    others.secret = mine.secret
    with pytest.raises(sealed.SealError, match="别人的密文"):
        webhooks.secret_of(others)


def test_what_was_plain_is_sealed_by_command(fresh: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(sealed.KEY, raising=False)
    secret = entered(fresh)
    assert webhooks.seals(fresh.engine) == sealed.Seals(plain=1)
    with pytest.raises(sealed.SealError, match=sealed.KEY):
        webhooks.reseal(fresh.engine, "命令行", fresh.moment)
    monkeypatch.setenv(sealed.KEY, sealed.new_key())
    assert webhooks.reseal(fresh.engine, "命令行", fresh.moment) == 1
    assert webhooks.seals(fresh.engine) == sealed.Seals(whole=1)
    assert webhooks.secret_of(webhooks.hooks(fresh.engine)[0]) == secret
