"""往外连: a connection to an address an administrator entered goes to the internet, or to the networks the office named, and nowhere else."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import httpx

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
NAMED = "HUIQI_WEBHOOK_NETWORKS"
# Where clouds tell a machine its own keys, wherever they put it; naming a network does not open these.
METADATA = tuple(
    ipaddress.ip_network(n)
    for n in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "100.100.100.200/32", "192.0.0.0/24")
)
# IPv4 addresses in the clothes of IPv6: translated (RFC 6052), translated (RFC 2765), compatible (RFC 4291, retired).
CLOTHED = tuple(ipaddress.IPv6Network(n) for n in ("64:ff9b::/96", "::ffff:0:0:0/96", "::/96"))
UNICAST = ipaddress.IPv6Network(
    "2000::/3"
)  # what of IPv6 belongs to the internet; `is_global` lets more pass


class Refusal(httpx.HTTPError):
    """不许连: the message is for the person."""


def allowed_networks(env: Mapping[str, str]) -> tuple[Network, ...]:
    """许连的内网: HUIQI_WEBHOOK_NETWORKS, networks or addresses apart by commas. Raises ValueError."""
    out: list[Network] = []
    for part in env.get(NAMED, "").replace("，", ",").split(","):
        if part.strip():
            try:
                out.append(ipaddress.ip_network(part.strip()))
            except ValueError:
                raise ValueError(
                    f"{NAMED} 里的“{part.strip()}”不是网段；写成 10.1.0.0/16，多个用逗号分开"
                ) from None
    return tuple(out)


def why_not(address: Address, networks: Sequence[Network] = ()) -> str:
    """为什么不许连: "" where it may be. An IPv4 address inside an IPv6 one counts as itself."""
    plain = _inner(address)
    if any(plain in net for net in METADATA if net.version == plain.version):
        return f"{plain} 是本机或云平台自用的地址，不许连"
    if any(plain in net for net in networks if net.version == plain.version):
        return ""
    strange = isinstance(plain, ipaddress.IPv6Address) and plain not in UNICAST
    if strange or not plain.is_global or plain.is_multicast:
        return f"{plain} 在内网；确要连，把它的网段写进 {NAMED} 后重启"
    return ""


def _inner(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if int(address) > 1 and any(address in net for net in CLOTHED):
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def look_up(host: str, port: int) -> list[Address]:
    """查地址 of a host. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ipaddress.ip_address(str(f[4][0]).partition("%")[0]) for f in found]


@dataclass
class Guarded(httpx.BaseTransport):
    """看住的连接: looks a name up once, refuses it where any of its addresses is refused, and connects to the address it
    looked at, so that a name that answers otherwise a moment later (DNS rebinding) gains nothing. Raises Refusal."""

    inner: httpx.BaseTransport
    networks: Sequence[Network] = ()
    resolve: Callable[[str, int], list[Address]] = look_up

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        try:
            found = self.resolve(host, port)
        except (OSError, ValueError, UnicodeError):
            raise Refusal(f"查不到 {host} 的地址") from None
        for address in found:
            if problem := why_not(address, self.networks):
                raise Refusal(problem)
        if not found:
            raise Refusal(f"查不到 {host} 的地址")
        # The Host header was set with the name; TLS goes on asking for, and checking, the name too.
        request.extensions = {**request.extensions, "sni_hostname": host}
        for address in found[:-1]:
            try:
                return self._to(request, address)
            except httpx.ConnectError:
                continue
        return self._to(request, found[-1])

    def _to(self, request: httpx.Request, address: Address) -> httpx.Response:
        request.url = request.url.copy_with(host=str(address))
        return self.inner.handle_request(request)

    def close(self) -> None:
        self.inner.close()


def guarded_client(networks: Sequence[Network] = ()) -> httpx.Client:
    """看住的客户端: no proxy of the environment, no redirects."""
    return httpx.Client(
        transport=Guarded(httpx.HTTPTransport(retries=0), networks), follow_redirects=False, trust_env=False
    )
