"""群机器人: 企业微信, 钉钉 and 飞书 by their own documented webhooks, whose HTTP 200 may well be a refusal.

Their answer is read: 企业微信 and 钉钉 say `errcode`, 飞书 says `code` (older: `StatusCode`); only 0 means taken. They know
no idempotency key, so that whatever leaves open whether a message was taken is for a person to settle, not to repeat.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import re
import socket
import ssl
import time
from dataclasses import dataclass
from urllib.parse import parse_qs, quote_plus, unquote, urlsplit

TAKEN, REFUSED, UNSURE = "taken", "refused", "unsure"
TIMEOUT = 10.0
SERVICES = {
    "wecombot": ("企业微信", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={token}", 2048),
    "dingtalk": ("钉钉", "https://oapi.dingtalk.com/robot/send?access_token={token}", 20000),
    "feishu": ("飞书", "https://open.feishu.cn/open-apis/bot/v2/hook/{token}", 20000),
}
NATIVE = {
    "qyapi.weixin.qq.com": ("wecombot", "key"), "oapi.dingtalk.com": ("dingtalk", "access_token"), "open.feishu.cn": ("feishu", ""),
}  # fmt: skip
# Too many messages at once: 企业微信 20 a minute, 钉钉 20 a minute (then barred for ten), 飞书 100 a minute.
TOO_FAST = {"企业微信": (45009,), "钉钉": (130101, 410100, 660026), "飞书": (9499, 11232, 99991400)}
PAUSE = {"企业微信": 60.0, "钉钉": 600.0, "飞书": 60.0}
MORE = "……（全文见企业收件箱）"


@dataclass(frozen=True)
class Reply:
    """答复: taken, refused for certain, or unsure; what it said, and when to come again where it asked for a pause."""

    state: str
    note: str
    after: float | None = None


@dataclass(frozen=True)
class Robot:
    """一个机器人: its service, full address and signing secret."""

    service: str
    url: str
    secret: str = ""

    @property
    def name(self) -> str:
        return SERVICES[self.service][0]

    def say(self, text: str, clock: float | None = None) -> Reply:
        """说一条. Never raises for a fault of the other side."""
        moment = int(time.time() if clock is None else clock)
        target, body = self._signed(cut(text, SERVICES[self.service][2]), moment)
        try:
            connection = self._connect()
        except OSError as error:  # nothing has left the house
            return Reply(REFUSED, f"{self.name}连不上：{type(error).__name__}")
        try:
            connection.request("POST", target, body, {"Content-Type": "application/json; charset=utf-8"})
            answer = connection.getresponse()
            return self._read(answer.status, answer.read(65536))
        except (OSError, http.client.HTTPException) as error:
            return Reply(UNSURE, f"{self.name}断在半路：{type(error).__name__}")
        finally:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        made: http.client.HTTPConnection = (
            http.client.HTTPSConnection(
                host, parts.port, timeout=TIMEOUT, context=ssl.create_default_context()
            )
            if parts.scheme == "https"
            else http.client.HTTPConnection(host, parts.port, timeout=TIMEOUT)
        )
        made.connect()
        if made.sock is not None:
            made.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def _signed(self, text: str, moment: int) -> tuple[str, bytes]:
        """Path and body. 钉钉 signs milliseconds in the query, 飞书 seconds in the body with the text as the key."""
        parts = urlsplit(self.url)
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        if self.service == "feishu":
            said: dict[str, object] = {"msg_type": "text", "content": {"text": text}}
            if self.secret:
                mark = hmac.new(f"{moment}\n{self.secret}".encode(), b"", hashlib.sha256).digest()
                said |= {"timestamp": str(moment), "sign": base64.b64encode(mark).decode()}
        else:
            said = {"msgtype": "text", "text": {"content": text}}
            if self.service == "dingtalk" and self.secret:
                stamp = f"{moment * 1000}\n{self.secret}"
                mark = hmac.new(self.secret.encode(), stamp.encode(), hashlib.sha256).digest()
                target += f"&timestamp={moment * 1000}&sign={quote_plus(base64.b64encode(mark))}"
        return target, json.dumps(said, ensure_ascii=False).encode()

    def _read(self, status: int, body: bytes) -> Reply:
        try:
            said = json.loads(body)
        except (ValueError, RecursionError):
            said = None
        code = (
            next((said[k] for k in ("errcode", "code", "StatusCode") if k in said), None)
            if isinstance(said, dict)
            else None
        )
        if status == 200 and code == 0:
            return Reply(TAKEN, f"{self.name} 0")
        words = str(said.get("errmsg") or said.get("msg") or "")[:120] if isinstance(said, dict) else ""
        if isinstance(code, int) and code:  # a number of theirs is a plain no, whatever the HTTP status
            pause = PAUSE[self.name] if code in TOO_FAST[self.name] else None
            return Reply(REFUSED, f"{self.name}没有收：{code} {words}".strip(), pause)
        if status in (400, 401, 403, 404, 429):
            return Reply(
                REFUSED, f"{self.name}没有收：HTTP {status}", PAUSE[self.name] if status == 429 else None
            )
        return Reply(UNSURE, f"{self.name}的答复读不懂：HTTP {status}")


def cut(text: str, most: int) -> str:
    """截到上限: so many bytes of UTF-8 at most, never amid a character; what was cut is said."""
    if len(text.encode()) <= most:
        return text
    return text.encode()[: most - len(MORE.encode())].decode(errors="ignore") + MORE


def robot_of(url: str) -> Robot | None:
    """认机器人: wecombot://KEY, dingtalk://[SECRET@]TOKEN, feishu://[SECRET@]TOKEN, or the address the service shows; else None.

    `?at=http://host` sends to another address than the service's own, for a relay inside the office's network.
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets that are no address: whoever else may know it says so
        return None
    query = {k: v[0] for k, v in parse_qs(parts.query).items()}
    if parts.scheme in SERVICES:
        host = re.sub(r"^.*@", "", parts.netloc)  # the token may hold capitals, which `hostname` would lower
        token, secret = unquote(host), unquote(parts.netloc.removesuffix(host).rstrip("@"))
        service = parts.scheme
    elif parts.scheme == "https" and parts.hostname in NATIVE:
        service, key = NATIVE[parts.hostname]
        token = query.get(key, "") if key else parts.path.rstrip("/").rpartition("/")[2]
        secret = query.get("secret", "")
    else:
        return None
    if not token:
        return None
    address = SERVICES[service][1].format(token=token)
    if query.get("at"):
        own = urlsplit(address)
        address = query["at"].rstrip("/") + own.path + (f"?{own.query}" if own.query else "")
    return Robot(service, address, secret)
