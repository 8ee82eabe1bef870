"""渠道: how a parcel leaves the house: signed webhook, SMTP, chat by apprise, a file for an SMS gateway, the inbox."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import re
import smtplib
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from jobs.robots import REFUSED, TAKEN, Reply, Robot, robot_of
from store.outbox import DEAD, SENT, Outcome, Parcel

TIMEOUT = 10.0
RETRY = "retry"
PERMANENT = (400, 410, 413, 422)


class Channel(Protocol):
    """渠道: sends one parcel and says what came of it; never raises for a fault of the other side."""

    def send(self, parcel: Parcel) -> Outcome: ...


@dataclass
class Settings:
    """渠道设置, from the environment."""

    webhook_url: str = ""
    webhook_secret: str = ""
    smtp_url: str = ""
    apprise_urls: tuple[str, ...] = ()
    sms_dir: str = ""

    @staticmethod
    def read(env: Mapping[str, str] = os.environ) -> Settings:
        """读设置: HUIQI_WEBHOOK_URL, HUIQI_WEBHOOK_SECRET, HUIQI_SMTP_URL, HUIQI_APPRISE_URLS, HUIQI_SMS_DIR."""
        named = {
            k: env.get(f"HUIQI_{k.upper()}", "").strip()
            for k in ("webhook_url", "webhook_secret", "smtp_url", "sms_dir")
        }
        urls = tuple(env.get("HUIQI_APPRISE_URLS", "").split())
        if named["webhook_url"] and not _is_web(named["webhook_url"]):
            raise ValueError("HUIQI_WEBHOOK_URL 应当是 http:// 或 https:// 开头的地址")
        if named["webhook_url"] and not named["webhook_secret"]:
            raise ValueError(
                "设了 HUIQI_WEBHOOK_URL，还要设 HUIQI_WEBHOOK_SECRET：没有签名的推送对方无法核验"
            )
        return Settings(**named, apprise_urls=urls)


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
        here = "%" in parts.netloc  # one of this machine's own networks
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not here
    except ValueError:  # a port beyond 65535, brackets that don't close
        return False


def sign(secret: str, body: bytes) -> str:
    """签名: HMAC-SHA256 of the body, as the X-Huiqi-Signature header."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class Webhook:
    """网络回调: POST of the push's own bytes; the key is the Idempotency-Key, so that a repeat is no second effect."""

    def __init__(self, url: str, secret: str):
        self._parts = urlsplit(url)
        self._secret = secret
        self._local = threading.local()

    def send(self, parcel: Parcel) -> Outcome:
        body = parcel.pushes[0].body.encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Idempotency-Key": parcel.name,
            "X-Huiqi-Signature": sign(self._secret, body),
            "User-Agent": "huiqi",
        }
        try:
            status, after, text = self._post(body, headers)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._drop()
            return Outcome(parcel, RETRY, f"连不上：{type(error).__name__}")
        return _answered(parcel, status, after, text)

    def _post(self, body: bytes, headers: dict[str, str]) -> tuple[int, str, bytes]:
        path = self._parts.path or "/"
        target = f"{path}?{self._parts.query}" if self._parts.query else path
        connection = self._connection()
        try:
            connection.request("POST", target, body, headers)
            answer = connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            if not getattr(self._local, "used", False):
                raise
            self._drop()  # a kept connection that the other side has closed: once more on a fresh one, same key
            connection = self._connection()
            connection.request("POST", target, body, headers)
            answer = connection.getresponse()
        text = answer.read(65536)
        self._local.used = True
        if answer.will_close or not answer.isclosed():
            self._drop()
        return answer.status, answer.headers.get("Retry-After", ""), text

    def _connection(self) -> http.client.HTTPConnection:
        kept = getattr(self._local, "connection", None)
        if kept is None:
            host, port = self._parts.hostname or "", self._parts.port
            secure = self._parts.scheme == "https"
            kept = (
                http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=ssl.create_default_context())
                if secure
                else http.client.HTTPConnection(host, port, timeout=TIMEOUT)
            )
            self._local.connection, self._local.used = kept, False
        return kept

    def _drop(self) -> None:
        kept = getattr(self._local, "connection", None)
        if kept is not None:
            kept.close()
        self._local.connection = None


def _answered(parcel: Parcel, status: int, after: str, text: bytes) -> Outcome:
    """What the receiver's answer means; one that names another key did not take ours."""
    if 200 <= status < 300 or status == 409:
        said = _echoed(text)
        if said and said != parcel.name:
            return Outcome(parcel, RETRY, "对方答复的是另一条推送")
        return Outcome(parcel, SENT, f"HTTP {status}")
    if status in PERMANENT:
        return Outcome(parcel, DEAD, f"对方不收：HTTP {status}")
    wait = float(after) if re.fullmatch("[0-9]{1,9}", after) and status in (429, 503) else None
    return Outcome(parcel, RETRY, f"对方暂时不收：HTTP {status}", wait)


def _echoed(text: bytes) -> str:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):  # whatever it is, it names no other key
        return ""
    return str(said.get("key", "")) if isinstance(said, dict) else ""


def text_of(parcel: Parcel) -> tuple[str, str]:
    """合并的消息: one subject and one text for everything that goes to a firm at once."""
    if len(parcel.pushes) == 1:
        return parcel.pushes[0].subject, parcel.pushes[0].body
    subject = f"惠企政策 {len(parcel.pushes)} 项：{parcel.pushes[0].subject}等"
    return subject, "\n————————\n\n".join(p.body for p in parcel.pushes)


class Mail:
    """邮件: SMTP; the Message-ID is the parcel's name, by which a repeat after a crash is known as the same letter."""

    def __init__(self, url: str, address_of: Mapping[str, str]):
        self._parts = urlsplit(url)
        self._query = parse_qs(self._parts.query)
        self._address_of = address_of

    def send(self, parcel: Parcel) -> Outcome:
        address = self._address_of.get(parcel.firm, "")
        if not address:
            return Outcome(parcel, DEAD, "没有联系方式：缺邮箱")
        try:
            with self._server() as server:
                server.send_message(self.letter(parcel, address))
        except smtplib.SMTPRecipientsRefused:
            return Outcome(parcel, DEAD, "邮箱被拒收")
        except smtplib.SMTPResponseException as error:
            permanent = 500 <= error.smtp_code < 600 and error.smtp_code not in (530, 534, 535)
            return Outcome(parcel, DEAD if permanent else RETRY, f"SMTP {error.smtp_code}")
        except (OSError, smtplib.SMTPException) as error:
            return Outcome(parcel, RETRY, f"邮件没有发出：{type(error).__name__}")
        return Outcome(parcel, SENT, f"<{parcel.name}@huiqi>")

    def letter(self, parcel: Parcel, address: str) -> EmailMessage:
        """信."""
        subject, text = text_of(parcel)
        letter = EmailMessage(policy=SMTP_POLICY)
        letter["Message-ID"] = f"<{parcel.name}@huiqi>"
        letter["From"] = self._query.get("from", ["huiqi@localhost"])[0]
        letter["To"], letter["Subject"] = address, subject
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(text)
        return letter

    def _server(self) -> smtplib.SMTP:
        host, port = self._parts.hostname or "localhost", self._parts.port
        if self._parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port or 465, timeout=TIMEOUT)
        else:
            server = smtplib.SMTP(host, port or 25, timeout=TIMEOUT)
            if self._query.get("starttls", ["0"])[0] == "1":
                server.starttls(context=ssl.create_default_context())
        if self._parts.username:
            server.login(unquote(self._parts.username), unquote(self._parts.password or ""))
        return server


class Chat:
    """聊天: 企业微信、钉钉、飞书 by their robots, anything else by apprise. A repeat can't be told apart there.

    So only a plain refusal is tried again; what may have been taken, by one robot of several too, is left to a person.
    """

    def __init__(self, urls: tuple[str, ...]):
        self._robots: list[Robot] = []
        others = []
        for url in urls:
            robot = robot_of(url)
            if robot is None:
                others.append(url)
            else:
                self._robots.append(robot)
        self._notify = _apprise(others) if others else None

    def send(self, parcel: Parcel) -> Outcome:
        subject, text = text_of(parcel)
        replies = [robot.say(f"{subject}\n\n{text}") for robot in self._robots]
        if self._notify is not None:
            taken = self._notify.notify(title=subject, body=text)
            replies.append(Reply(TAKEN, "apprise") if taken else Reply(REFUSED, "聊天渠道没有收下"))
        note = "；".join(r.note for r in replies if r.state != TAKEN) or "；".join(r.note for r in replies)
        if all(r.state == TAKEN for r in replies):
            return Outcome(parcel, SENT, note)
        if all(r.state == REFUSED for r in replies):
            return Outcome(parcel, RETRY, note, max((r.after for r in replies if r.after), default=None))
        part = "有的机器人已经收下" if any(r.state == TAKEN for r in replies) else "不知道是否送达"
        return Outcome(parcel, DEAD, f"{note}；{part}：请核实后再决定是否重发")


def _apprise(urls: list[str]) -> Any:
    import apprise

    made = apprise.Apprise()
    for url in urls:
        if not made.add(url):
            raise ValueError("HUIQI_APPRISE_URLS 里有认不出的地址（地址含密钥，这里不写出）")
    return made


class FileDrop:
    """短信网关的文件: one file a parcel, named after it, written beside and renamed; writing again changes nothing."""

    def __init__(self, folder: Path, phone_of: Mapping[str, str]):
        self._folder = folder
        self._phone_of = phone_of

    def send(self, parcel: Parcel) -> Outcome:
        phone = self._phone_of.get(parcel.firm, "")
        if not phone:
            return Outcome(parcel, DEAD, "没有联系方式：缺手机号")
        subject, _ = text_of(parcel)
        line = {
            "key": parcel.name,
            "firm": parcel.firm,
            "phone": phone,
            "text": f"【惠企直达】{subject}。详见收件箱。",
        }
        target = self._folder / f"{parcel.name}.json"
        part = self._folder / f".{parcel.name}.{os.getpid()}.part"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with part.open("w", encoding="utf-8") as handle:
                json.dump(line, handle, ensure_ascii=False)
                handle.flush()
                os.fsync(handle.fileno())
            part.replace(target)
        except OSError as error:
            with suppress(OSError):  # nothing was begun where even the folder is not there
                part.unlink()
            return Outcome(parcel, RETRY, f"文件没有写下：{error.strerror}")
        return Outcome(parcel, SENT, target.name)


class Inbox:
    """企业收件箱: the push itself is the entry; being recorded as sent is the whole effect."""

    def send(self, parcel: Parcel) -> Outcome:
        return Outcome(parcel, SENT, "收件箱")
