"""群机器人的规矩: receivers on loopback that keep the services' own rules (key, signature and its age, keyword, length, so many a minute).

What they answer is what was seen of them: 钉钉 130101 and 310000, 飞书 9499 with HTTP 400, 19001, 19021 and 19024, 企业微信 45009 and 93000,
all but one of them under HTTP 200. Everything goes through the outbox, so that a refusal taken for a receipt would show as a loss.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections import Counter, deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy.engine import Engine

from jobs.channels import Settings
from jobs.push import push_once
from store import outbox, reach
from store.database import writing
from tests.databases import new_database
from tests.jobs.test_robots import Service, service

AT = datetime(2026, 4, 1, 1, tzinfo=UTC)
SECRET, TOKEN, HOUR = "SEC-of-the-robot", "Tk-1", 3600
OK = {
    "wecombot": {"errcode": 0, "errmsg": "ok"},
    "dingtalk": {"errcode": 0, "errmsg": "ok"},
    "feishu": {"code": 0, "msg": "success", "data": {}},
}


class Rules:
    """One robot's rules; `clock` is the service's own, by which it counts a minute."""

    def __init__(self, kind: str, clock: list[datetime], keyword: str = "惠企"):
        self.kind, self.clock, self.keyword = kind, clock, keyword
        self.taken: Counter[str] = Counter()
        self.refused: Counter[int] = Counter()
        self._lately: deque[datetime] = deque()
        self._barred = AT

    def answer(self, there: Service, n: int) -> tuple[int, dict]:
        path, body = there.told[n - 1]
        code, words, status = self.judge(path, body)
        if code:
            self.refused[code] += 1
            return status, {"errcode": code, "errmsg": words} if self.kind != "feishu" else {
                "code": code,
                "msg": words,
                "data": {},
            }
        self.taken[self.text(body)] += 1
        return 200, OK[self.kind]

    def text(self, body: dict) -> str:
        return body["content"]["text"] if self.kind == "feishu" else body["text"]["content"]

    def judge(self, path: str, body: dict) -> tuple[int, str, int]:
        query = {k: v[0] for k, v in parse_qs(urlsplit(path).query).items()}
        return getattr(self, f"_{self.kind}")(path, query, body) or self._pace()

    def _wecombot(self, path: str, query: dict, body: dict) -> tuple[int, str, int] | None:
        if query.get("key") != TOKEN:
            return 93000, "invalid webhook url", 200
        if body.get("msgtype") != "text":
            return 40008, "invalid message type", 200
        if len(self.text(body).encode()) > 2048:
            return 40058, "text.content exceed max length 2048", 200
        return None

    def _dingtalk(self, path: str, query: dict, body: dict) -> tuple[int, str, int] | None:
        if query.get("access_token") != TOKEN:
            return 300005, "token is not exist", 200
        stamp = query.get("timestamp", "0")
        if abs(time.time() * 1000 - int(stamp)) > HOUR * 1000:
            return 310000, "invalid timestamp", 200
        mark = hmac.new(SECRET.encode(), f"{stamp}\n{SECRET}".encode(), hashlib.sha256).digest()
        if query.get("sign") != base64.b64encode(mark).decode():
            return 310000, "sign not match", 200
        if self.keyword not in self.text(body):
            return 310000, "keywords not in content", 200
        if len(self.text(body).encode()) > 20000:
            return 460101, "message too long, exceed 20000 bytes", 200
        return None

    def _feishu(self, path: str, query: dict, body: dict) -> tuple[int, str, int] | None:
        if path.rpartition("/")[2] != TOKEN:
            return 19001, "param invalid: incoming webhook access token invalid", 200
        stamp = body.get("timestamp", "0")
        mark = hmac.new(f"{stamp}\n{SECRET}".encode(), b"", hashlib.sha256).digest()
        if abs(time.time() - int(stamp)) > HOUR or body.get("sign") != base64.b64encode(mark).decode():
            return 19021, "sign match fail or timestamp is not within one hour from current time", 200
        if self.keyword not in self.text(body):
            return 19024, "Key Words Not Found", 200
        return None

    def _pace(self) -> tuple[int, str, int]:
        now, most = self.clock[0], 100 if self.kind == "feishu" else 20
        while self._lately and now - self._lately[0] >= timedelta(minutes=1):
            self._lately.popleft()
        if now < self._barred or len(self._lately) >= most:
            if self.kind == "dingtalk" and now >= self._barred:
                self._barred = now + timedelta(minutes=10)
            return {"wecombot": (45009, "api freq out of limit", 200), "dingtalk": (130101, "send too fast, exceed 20 times per minute", 200),
                    "feishu": (9499, "too many request", 400)}[self.kind]  # fmt: skip
        self._lately.append(now)
        return 0, "", 200


@pytest.fixture
def engine(database: str, tmp_path) -> Iterator[Engine]:
    opened = new_database(tmp_path)
    yield opened
    opened.dispose()


def queue(engine: Engine, count: int, body: str = "内容") -> list[str]:
    """So many firms with one message each; what each is told."""
    for n in range(count):
        reach.change_reach(engine, f"F{n:03d}", AT, consent=True)
    with writing(engine) as opened:
        for n in range(count):
            key = outbox.push_key(f"F{n:03d}", "i", "2026", "apprise", "inform", 1)
            opened.add(
                outbox.Push(key=key, firm=f"F{n:03d}", item="i", batch="2026", channel="apprise", kind="inform", state="due",
                            next_at=AT, created=AT, subject=f"惠企通知 {n}", body=body)
            )  # fmt: skip
    return [f"惠企通知 {n}\n\n{body}" for n in range(count)]


def go(engine: Engine, url: str, clock: list[datetime], rounds: int, minutes: float) -> list[outbox.Push]:
    """The sender every so many minutes, as the scheduler does it."""
    for _ in range(rounds):
        push_once(engine, Settings(apprise_urls=(url,)), lambda: clock[0], patience=0)
        clock[0] += timedelta(minutes=minutes)
    return outbox.list_pushes(engine)


def of(kind: str, at: str, token: str = TOKEN, secret: str = SECRET) -> str:
    return f"{kind}://{'' if kind == 'wecombot' else secret + '@'}{token}?at={at}"


@pytest.mark.parametrize(
    ("kind", "count", "rounds", "minutes"),
    [("wecombot", 70, 8, 2), ("dingtalk", 50, 6, 11), ("feishu", 130, 4, 2)],
)
def test_more_than_a_robot_takes_in_a_minute_arrives_in_time_and_once(
    engine: Engine, kind: str, count: int, rounds: int, minutes: float
) -> None:
    told, clock = queue(engine, count), [AT]
    rules = Rules(kind, clock)
    with service(lambda n: rules.answer(there, n)) as there:
        rows = go(engine, of(kind, there.at), clock, rounds, minutes)
    assert Counter(r.state for r in rows) == {"sent": count}
    assert rules.taken == Counter(told), "lost or told twice"
    assert rules.refused, "the test never came to the limit"


@pytest.mark.parametrize(
    ("kind", "token", "secret", "code"),
    [("wecombot", "wrong", SECRET, 93000), ("dingtalk", "wrong", SECRET, 300005), ("dingtalk", TOKEN, "wrong", 310000), ("feishu", TOKEN, "wrong", 19021),
     ("feishu", "wrong", SECRET, 19001)],
)  # fmt: skip
def test_a_refusal_under_http_200_is_no_receipt_and_ends_as_a_dead_letter(
    engine: Engine, kind: str, token: str, secret: str, code: int
) -> None:
    queue(engine, 1)
    clock = [AT]
    rules = Rules(kind, clock)
    with service(lambda n: rules.answer(there, n)) as there:
        (row,) = go(engine, of(kind, there.at, token, secret), clock, 1, 0)
        assert (row.state, row.attempts) == ("due", 1) and str(code) in row.reason
        (row,) = go(engine, of(kind, there.at, token, secret), clock, outbox.MOST_ATTEMPTS + 2, 7 * 60)
    assert (
        row.state == "dead"
        and row.attempts == outbox.MOST_ATTEMPTS
        and str(code) in row.reason
        and row.sent is None
    )
    assert not rules.taken and rules.refused == {code: outbox.MOST_ATTEMPTS}


@pytest.mark.parametrize("kind", ["wecombot", "dingtalk", "feishu"])
def test_a_text_beyond_the_limit_is_cut_to_what_the_service_takes(engine: Engine, kind: str) -> None:
    queue(engine, 1, "惠" * 9000)
    clock = [AT]
    rules = Rules(kind, clock)
    with service(lambda n: rules.answer(there, n)) as there:
        (row,) = go(engine, of(kind, there.at), clock, 1, 0)
    assert row.state == "sent" and not rules.refused
    assert next(iter(rules.taken)).endswith("……（全文见企业收件箱）")


@pytest.mark.parametrize(("kind", "code"), [("dingtalk", 310000), ("feishu", 19024)])
def test_a_keyword_that_is_missing_is_said(engine: Engine, kind: str, code: int) -> None:
    queue(engine, 1)
    clock = [AT]
    rules = Rules(kind, clock, keyword="监控报警")
    with service(lambda n: rules.answer(there, n)) as there:
        (row,) = go(engine, of(kind, there.at), clock, 1, 0)
    assert (
        row.state == "due"
        and f"没有收：{code}" in row.reason
        and "eyword" in row.reason.replace("Key Words", "keyword")
    )
