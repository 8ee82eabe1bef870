"""往外连: no webhook reaches the machine itself, the office's network or a cloud's metadata, whatever its name answers."""

from __future__ import annotations

import ipaddress
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest
import world
from clients import Desk

from desk import hooks
from desk.outward import Guarded, Refusal, allowed_networks, guarded_client, look_up, why_not
from store import webhooks
from store.database import session

INSIDE = (
    "127.0.0.1", "127.255.0.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "198.18.0.1",
    "169.254.169.254", "100.100.100.200", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.0.192", "::", "::1", "fe80::1", "fc00::1",
    "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "2002:7f00:1::", "2002:a9fe:a9fe::", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "::7f00:1", "::127.0.0.2", "::ffff:0:127.0.0.1", "::ffff:0:a9fe:a9fe", "64:ff9b:1::7f00:1", "fec0::1",
    "5f00::1", "2001:0:7f00:1::", "2001:db8::1",
)  # fmt: skip
OUTSIDE = ("8.8.8.8", "223.5.5.5", "2400:3200::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "::ffff:0:8.8.8.8")
SPELT = (
    "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "127.0.0.1.",
)  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_inside_is_refused(address: str) -> None:
    assert why_not(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", OUTSIDE)
def test_what_is_outside_may_be_reached(address: str) -> None:
    assert why_not(ipaddress.ip_address(address)) == ""


def test_an_office_opens_its_own_network_and_never_the_metadata() -> None:
    networks = allowed_networks(
        {"HUIQI_WEBHOOK_NETWORKS": "10.1.0.0/16, 127.0.0.1，169.254.0.0/16,100.64.0.0/10"}
    )
    for address, free in (
        ("10.1.9.9", True), ("127.0.0.1", True), ("10.2.0.1", False), ("127.0.0.2", False), ("169.254.169.254", False),
        ("100.64.0.1", True), ("100.100.100.200", False), ("::ffff:10.1.0.1", True),
    ):  # fmt: skip
        assert (why_not(ipaddress.ip_address(address), networks) == "") is free, address
    assert allowed_networks({}) == ()
    with pytest.raises(ValueError, match="/33”不是网段"):
        allowed_networks({"HUIQI_WEBHOOK_NETWORKS": "10.1.0.0/33"})


class Seen(BaseHTTPRequestHandler):
    hosts: list[str]

    def do_POST(self) -> None:
        type(self).hosts.append(self.headers["Host"])
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(302)
        self.send_header("Location", "http://169.254.169.254/latest/meta-data")
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def listener() -> Iterator[int]:
    Seen.hosts = []
    server = HTTPServer(("127.0.0.1", 0), Seen)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join(60)
    server.server_close()


@pytest.mark.parametrize("host", SPELT)
def test_however_this_machine_is_spelt(listener: int, host: str) -> None:
    with guarded_client() as client, pytest.raises((Refusal, httpx.InvalidURL)):
        client.post(f"http://{host}:{listener}/", content=b"x")
    assert Seen.hosts == []


def test_a_name_that_answers_otherwise_the_second_time_gains_nothing(listener: int) -> None:
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> list[Any]:
        asked.append(host)
        return [ipaddress.ip_address("8.8.8.8" if len(asked) == 1 else "127.0.0.1")]

    reached: list[str] = []

    class Wire(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            reached.append(
                f"{request.url.host} {request.headers['host']} {request.extensions['sni_hostname']}"
            )
            return httpx.Response(200)

    with httpx.Client(transport=Guarded(Wire(), (), rebinding)) as client:
        client.post("https://hook.example/x", content=b"x")
        assert reached == ["8.8.8.8 hook.example hook.example"] and asked == ["hook.example"]
        with pytest.raises(Refusal, match="内网"):
            client.post("https://hook.example/x", content=b"x")
    mixed = lambda *_: [ipaddress.ip_address("8.8.8.8"), ipaddress.ip_address("10.0.0.1")]  # noqa: E731
    with httpx.Client(transport=Guarded(Wire(), (), mixed)) as client, pytest.raises(Refusal):
        client.post("https://hook.example/x")
    assert len(reached) == 1


def test_a_named_network_is_reached_and_a_redirect_is_not_followed(listener: int) -> None:
    with guarded_client(allowed_networks({"HUIQI_WEBHOOK_NETWORKS": "127.0.0.0/8"})) as client:
        answer = client.post(f"http://localhost:{listener}/", content=b"x")
    assert answer.status_code == 302 and Seen.hosts == [f"localhost:{listener}"]


def test_the_certificate_is_still_checked_against_the_name() -> None:
    """The address stands in the URL, the name is what TLS asks for: a certificate of another name is refused."""
    found: list[str] = []

    def heard(_socket: Any, name: str | None, _context: Any) -> None:
        found.append(name or "")

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = heard
    server = HTTPServer(("127.0.0.1", 0), Seen)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    try:
        networks = allowed_networks({"HUIQI_WEBHOOK_NETWORKS": "127.0.0.1"})
        with guarded_client(networks) as client, pytest.raises(httpx.ConnectError):
            client.post(f"https://localhost:{server.server_port}/", content=b"x")
        assert found == ["localhost"]
    finally:
        thread.join(60)
        server.server_close()


def test_the_office_is_told_why_a_hook_inside_stays_silent(fresh: Desk, listener: int) -> None:
    hook, _secret = webhooks.add(
        fresh.engine, f"http://127.0.0.1:{listener}/", ["decision"], by="admin", now=world.NOW
    )
    with session(fresh.engine) as opened:
        from store import audit

        audit.record(opened, "lin", "通过", "x", {}, world.NOW)
    with guarded_client() as client:
        assert hooks.deliver(fresh.engine, lambda: fresh.moment, client) == 0
    (kept,) = webhooks.hooks(fresh.engine)
    assert "HUIQI_WEBHOOK_NETWORKS" in kept.problem and kept.failures == 1 and kept.id == hook.id
    hook, _secret = webhooks.add(
        fresh.engine, f"http://0177.0.0.1:{listener}/", ["decision"], by="admin", now=world.NOW
    )
    with guarded_client() as client:
        hooks.deliver(
            fresh.engine, lambda: fresh.moment, client
        )  # an address the client can't read is no fault of the desk
    assert Seen.hosts == [] and look_up("127.0.0.1", 1)


@pytest.mark.parametrize(
    "url",
    ["ftp://a/", "https://", "https://u:p@a/", "https://u@a/", "http://[::1", "http://a:99999/", "http://a:b/", "http://a:0/",
     "http://[::%元]/", "http://[fe80::1%eth0]/", "http://\u2100.com/", "https://a b/", "https://a/\n", "https://a/\u202e", "https://" + "a" * 500],
)  # fmt: skip
def test_an_address_that_is_none_is_told_in_one_sentence(desk: Desk, url: str) -> None:
    with pytest.raises(webhooks.WebhookError, match="地址要写成"):
        webhooks.add(desk.engine, url, ["decision"], by="admin", now=world.NOW)
    assert not webhooks.hooks(desk.engine)


def test_an_answer_that_never_ends_is_not_waited_for(fresh: Desk) -> None:
    """Only the status counts; reading on, the desk would hold whatever the receiver sends in memory."""
    read: list[int] = []

    class Endless(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                read.append(1)
                assert len(read) < 100
                yield b"x" * 65536

    wire = httpx.MockTransport(lambda request: httpx.Response(200, stream=Endless()))
    webhooks.add(fresh.engine, "https://hook.example/", ["decision"], by="admin", now=world.NOW)
    with session(fresh.engine) as opened:
        from store import audit

        audit.record(opened, "lin", "通过", "x", {}, world.NOW)
        opened.commit()
    with httpx.Client(transport=wire) as client:
        assert hooks.deliver(fresh.engine, lambda: fresh.moment, client) > 0
    assert len(read) < 3 and not webhooks.hooks(fresh.engine)[0].problem
