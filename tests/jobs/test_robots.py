"""群机器人: receivers on loopback that answer as 企业微信, 钉钉 and 飞书 say they do; HTTP 200 is no receipt."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from jobs import robots
from jobs.channels import Chat, Settings
from jobs.push import push_once
from jobs.robots import MORE, REFUSED, TAKEN, UNSURE, Robot, cut, robot_of
from store import outbox, reach
from store.database import writing
from tests.databases import new_database

AT = datetime(2026, 4, 1, 1, tzinfo=UTC)
OK = {"wecombot": {"errcode": 0, "errmsg": "ok"}, "dingtalk": {"errcode": 0, "errmsg": "ok"},
      "feishu": {"code": 0, "msg": "success", "data": {}, "StatusCode": 0, "StatusMessage": "success"}}  # fmt: skip


class Service(ThreadingHTTPServer):
    """A robot's service: keeps what it was told and answers by `answer(n)`: (status, JSON or bytes), or None to hang up."""

    daemon_threads = True

    def __init__(self, answer):
        outer = self
        self.told: list[tuple[str, dict]] = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.told.append((self.path, body))
                said = answer(len(outer.told))
                if said is None:
                    self.close_connection = True
                    return
                status, reply = said
                raw = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *args):
                pass

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def at(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def service(answer):
    made = Service(answer)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        made.shutdown()
        made.server_close()


@pytest.mark.parametrize("kind", list(OK))
def test_each_service_is_spoken_to_as_it_wants(kind: str):
    with service(lambda n: (200, OK[kind])) as there:
        robot = robot_of(f"{kind}://{'' if kind == 'wecombot' else 's3@'}AbC-1?at={there.at}")
        assert robot.say("惠企通知", clock=1_700_000_000.4).state == TAKEN
    path, body = there.told[0]
    query = {k: v[0] for k, v in parse_qs(urlsplit(path).query).items()}
    if kind == "wecombot":
        assert (urlsplit(path).path, query) == ("/cgi-bin/webhook/send", {"key": "AbC-1"})
        assert body == {"msgtype": "text", "text": {"content": "惠企通知"}}
    elif kind == "dingtalk":
        mark = hmac.new(b"s3", b"1700000000000\ns3", hashlib.sha256).digest()
        assert query == {
            "access_token": "AbC-1",
            "timestamp": "1700000000000",
            "sign": base64.b64encode(mark).decode(),
        }
        assert body == {"msgtype": "text", "text": {"content": "惠企通知"}}
    else:
        mark = base64.b64encode(hmac.new(b"1700000000\ns3", b"", hashlib.sha256).digest()).decode()
        assert path == "/open-apis/bot/v2/hook/AbC-1"
        assert body == {
            "msg_type": "text",
            "content": {"text": "惠企通知"},
            "timestamp": "1700000000",
            "sign": mark,
        }


@pytest.mark.parametrize(
    ("kind", "status", "reply", "state", "after", "words"),
    [
        ("wecombot", 200, {"errcode": 93000, "errmsg": "invalid webhook url"}, REFUSED, None, "93000 invalid webhook url"),
        ("wecombot", 200, {"errcode": 45009, "errmsg": "api freq out of limit"}, REFUSED, 60.0, "45009"),
        ("dingtalk", 200, {"errcode": 310000, "errmsg": "keywords not in content"}, REFUSED, None, "310000 keywords"),
        ("dingtalk", 200, {"errcode": 130101, "errmsg": "send too fast"}, REFUSED, 600.0, "130101"),
        ("feishu", 200, {"code": 19024, "msg": "Key Words Not Found"}, REFUSED, None, "19024 Key Words"),
        ("feishu", 200, {"code": 11232, "msg": "frequency limited"}, REFUSED, 60.0, "11232"),
        ("feishu", 400, {"code": 9499, "msg": "Bad Request"}, REFUSED, 60.0, "9499"),
        ("feishu", 200, {"StatusCode": 0, "StatusMessage": "success"}, TAKEN, None, "飞书 0"),
        ("wecombot", 429, b"slow down", REFUSED, 60.0, "HTTP 429"),
        ("dingtalk", 404, b"no", REFUSED, None, "HTTP 404"),
        ("wecombot", 200, b"<html>please log in</html>", UNSURE, None, "读不懂"),
        ("wecombot", 200, {"hello": 1}, UNSURE, None, "读不懂"),
        ("dingtalk", 502, b"bad gateway", UNSURE, None, "HTTP 502"),
        ("feishu", 200, {"code": "0"}, UNSURE, None, "读不懂"),
    ],
)  # fmt: skip
def test_an_answer_means_what_the_service_says_it_means(kind, status, reply, state, after, words):
    with service(lambda n: (status, reply)) as there:
        said = robot_of(f"{kind}://T?at={there.at}").say("x")
    assert (said.state, said.after) == (state, after) and words in said.note


def test_what_breaks_off_is_unsure_and_what_never_left_is_not(monkeypatch):
    with service(lambda n: None) as there:
        assert robot_of(f"feishu://T?at={there.at}").say("x").state == UNSURE
    assert robot_of("feishu://T?at=http://127.0.0.1:9").say("x").state == REFUSED
    monkeypatch.setattr(robots, "TIMEOUT", 0.2)
    with service(lambda n: time.sleep(0.6) or (200, OK["feishu"])) as there:
        assert robot_of(f"feishu://T?at={there.at}").say("x").state == UNSURE


def test_addresses_are_known_as_apprise_and_as_the_services_write_them():
    assert robot_of("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k-1") == robot_of("wecombot://k-1")
    assert robot_of("https://open.feishu.cn/open-apis/bot/v2/hook/k1") == robot_of("feishu://k1")
    assert robot_of("https://oapi.dingtalk.com/robot/send?access_token=Tk&secret=s") == robot_of(
        "dingtalk://s@Tk"
    )
    assert robot_of("json://localhost") is None and robot_of("wecombot://") is None
    with pytest.raises(ValueError, match="认不出的地址"):
        Chat(("nonsense://x",))


def test_a_long_text_is_cut_at_a_character_and_says_so():
    long = "惠" * 2000
    short = cut(long, 2048)
    assert len(short.encode()) <= 2048 and short.endswith(MORE) and cut("短", 2048) == "短"
    with service(lambda n: (200, OK["wecombot"])) as there:
        assert Robot("wecombot", there.at).say(long).state == TAKEN
    assert there.told[0][1]["text"]["content"] == short


@pytest.fixture
def engine(database, tmp_path):
    opened = new_database(tmp_path)
    reach.change_reach(opened, "A", AT, consent=True)
    key = outbox.push_key("A", "i", "2026", "apprise", "inform", 1)
    with writing(opened) as session:
        session.add(
            outbox.Push(key=key, firm="A", item="i", batch="2026", channel="apprise", kind="inform", state="due",
                        next_at=AT, created=AT, subject="标题", body="内容")
        )  # fmt: skip
    yield opened
    opened.dispose()


def deliver(engine, *urls: str, hours: int = 0) -> outbox.Push:
    push_once(
        engine, Settings(apprise_urls=urls), lambda: datetime.now(UTC) + timedelta(hours=hours), patience=0
    )
    return outbox.list_pushes(engine)[0]


def test_a_refusal_is_tried_again_and_a_doubt_is_left_to_a_person(engine):
    answers = [(200, {"errcode": 45009, "errmsg": "freq"}), (200, {"errcode": 93000, "errmsg": "bad"}), None]
    with service(lambda n: answers[n - 1]) as there:
        url = f"wecombot://K?at={there.at}"
        first = deliver(engine, url)
        assert (first.state, first.attempts) == ("due", 1) and "45009" in first.reason
        assert deliver(engine, url).attempts == 1  # not before the pause is over
        second = deliver(engine, url, hours=1)
        assert (second.state, second.attempts) == ("due", 2) and "93000 bad" in second.reason
        third = deliver(engine, url, hours=2)
        assert third.state == "dead" and "不知道是否送达" in third.reason and len(there.told) == 3
        assert deliver(engine, url, hours=30).state == "dead" and len(there.told) == 3


def test_one_robot_of_two_that_took_it_is_not_told_twice(engine):
    with service(lambda n: (200, OK["feishu"])) as one, service(lambda n: (200, {"errcode": 310000})) as two:
        push = deliver(engine, f"feishu://T?at={one.at}", f"dingtalk://T?at={two.at}")
        assert push.state == "dead" and "钉钉没有收：310000" in push.reason and "已经收下" in push.reason
        deliver(engine, f"feishu://T?at={one.at}", f"dingtalk://T?at={two.at}", hours=30)
    assert (len(one.told), len(two.told)) == (1, 1)
