"""The parsers of foreign input beside rules, documents and departments' tables: python scripts/fuzz_parsers.py runs them with the rest.

Lists that were paid, enterprises' data for a match, calendars, portrait rules, sets, answers, backups, settings, names, addresses
of webhooks and what comes back from them, statements of a sign-on, and the words in an address.
"""

from __future__ import annotations

import io
import json
import random
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx

from analysis.paid_tables import read_paid_list
from desk.listing import read_filters
from desk.oidc import Journey, Provider, SignOn
from desk.outward import Guarded, allowed_networks
from desk.pace import limits_of
from engine.errors import Problem
from jobs.backup import FORMAT, MANIFEST, _unpack
from jobs.channels import Settings, _answered
from jobs.robots import Robot, robot_of
from jobs.rules import parse_sets, read_answers
from policies.calendar import read_year
from profiles.dictionary import builtin_dictionary
from profiles.inputs import read_profiles
from profiles.names import core_names, normal_names
from profiles.portrait_rules import FOLDER, read_rules
from scripts.fuzz_parsers import (
    PAGE,
    Input,
    Parser,
    _in_file,
    _own,
    _root,
    _said,
    _table,
    a_document,
    a_workbook,
    broken_bytes,
    broken_text,
    library,
    of_archive,
    of_files,
    of_lines,
    of_texts,
    of_trees,
)
from store.office_settings import OPTIONS
from store.outbox import Parcel
from store.webhooks import check_url

NOW = datetime(2026, 6, 16, 1, 30, tzinfo=UTC)
LIST = '2025年公示名单（单位：万元）\n序号,企业名称,统一社会信用代码,金额（万元）\n1,澜图科技有限公司,91120116MA0700001X,3.5\n2,"甲\n公司",,1.2亿\n合计,,,4.7\n'
PAID_PAGE = (
    "<p>单位：万元</p><table><tr><th>企业名称<th colspan=2>金额（元）</tr><tr><td>澜图科技有限公司<td rowspan=2>35,000<td>x</tr></table>"
    + PAGE
)
ROWS = '{"统一社会信用代码": "91120116MA0700001X", "企业名称": "甲", "营业收入": {"2024": 1.5}, "成立日期": "2020-01-01", "项目": [{"投资额": 1}]}\n'
CELLS = "统一社会信用代码,企业名称,营业收入@2024,成立日期,高新技术企业\n91120116MA0700001X,甲,12.5,2020-01-01,是\n"
YEAR = "日期,安排,节日\n2027-01-01,休,元旦\n2027-01-02,休,元旦\n2027-01-03,休,元旦\n2027-02-14,班,春节\n"
ANSWER = '{"统一社会信用代码": "91120116MA0700001X", "item": "a/b", "batch": "2026", "id": "c1", "answer": true, "row": "1"}\n'
NAMES = (
    "滨海（天津）澜图科技有限责任公司",
    "天津市滨海新区澜图科技股份有限公司（原：天津市澜图有限公司）",
    "个体工商户·张三 饭店",
)
ADDRESSES = (
    "https://erp.example/hook",
    "http://[::ffff:127.0.0.1]:8080/x?y=1",
    "https://例子.中国/回调",
    "dingtalk://SECab@token",
    "https://oapi.dingtalk.com/robot/send?access_token=ab",
)
QUERY = "verdict=符合,待核实&why=x&stuck=1&since=7&state=全部&officer=lin&industry=C39&q=澜图&sort=code,-score&page=2&run=3"
REPLY = '{"key": "a", "errcode": 0, "code": 130101, "errmsg": "ok", "msg": "x", "StatusCode": 0}'
SET_LINES = "every_days=7\nquiet=2026-10-01~2026-10-07\nchannels=smtp sms\n本区=120116*,1201*\n30%\n0.3\n01:30\n管理员 财政\n3000 600 300\n10.0.0.0/8，192.168.1.1\n"


# ---------------------------------------------------------------- makers


def of_parquet(draw: random.Random) -> Input:
    """A Parquet file with broken bytes, most of them in its footer, where everything is said."""
    data = bytearray(a_parquet())
    foot = int.from_bytes(data[-8:-4], "little") + 8
    if draw.random() < 0.7:
        for _ in range(draw.choice((1, 2, 8))):
            data[len(data) - draw.randint(1, foot)] = draw.randrange(256)
        return Input(bytes(data), ".parquet")
    return Input(broken_bytes(bytes(data), draw), ".parquet")


@cache
def a_parquet() -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"统一社会信用代码": ["91120116MA0700001X", "X"], "代码": ["1", None], "名称": ["甲", "乙"], "年度": [2024, 2023],
                      "营业收入@2024": [1.5, None], "营业收入(万元)": ["1,200", "x"]})  # fmt: skip
    kept = io.BytesIO()
    pq.write_table(table, kept)
    return kept.getvalue()


@cache
def a_backup() -> bytes:
    """A small sound backup: a database's file and one of the data folder."""
    import hashlib

    members = {"huiqi.db": b"SQLite format 3\x00" + b"x" * 200, "home/inbox/a.csv": "代码\n".encode()}
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as box:
        for name, data in members.items():
            box.writestr(zipfile.ZipInfo(name), data)
        listed = {n: {"sha256": hashlib.sha256(d).hexdigest(), "bytes": len(d)} for n, d in members.items()}
        about = {
            "format": FORMAT,
            "made": "2026-01-01T00:00:00",
            "revision": "1",
            "audit": {},
            "members": listed,
        }
        box.writestr(MANIFEST, json.dumps(about))
    return kept.getvalue()


# ---------------------------------------------------------------- readers


def _paid_list(given: Input) -> None:
    _in_file(given, read_paid_list)


def _profiles(given: Input) -> None:
    problems: list[Problem] = []
    _in_file(given, lambda path: read_profiles(path, builtin_dictionary(), problems.append))
    _said(problems)


def _parquet(given: Input) -> None:
    _own(lambda: _table(given))
    _profiles(given)


def _portrait(given: Input) -> None:
    problems: list[Problem] = []
    if _root(given, problems) is not None:
        read_rules(
            given.data.decode("utf-8-sig"), "a.yaml", builtin_dictionary(), library().sets, problems.append
        )
    _said(problems)


def _answers(given: Input) -> None:
    problems: list[Problem] = []
    _in_file(given, lambda path: read_answers(path, problems))
    _said(problems)


def _backup(given: Input) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a.zip").write_bytes(given.data)
        (Path(folder) / "trial").mkdir()
        try:
            _unpack(Path(folder) / "a.zip", Path(folder) / "trial")
        finally:
            assert {p.name for p in Path(folder).iterdir()} == {"a.zip", "trial"}, (
                "something was put elsewhere"
            )


def _settings(given: Input) -> None:
    for line in given.data.splitlines():
        for option in OPTIONS:
            _own(lambda option=option, line=line: option.read(line.strip()))
        _own(lambda line=line: parse_sets([line]))
        _own(lambda line=line: allowed_networks({"HUIQI_WEBHOOK_NETWORKS": line}))
        _own(lambda line=line: limits_of({"HUIQI_RATES": line}))


def _names(given: Input) -> None:
    names = given.data.split("，")
    normal = normal_names(names)
    assert len(normal) == len(names) == len(core_names(normal)), "a name is lost or made"


def _address(given: Input) -> None:
    """What an administrator enters, checked and then sent to as the desk does; and the same as an office's own channel."""
    _own(lambda: robot_of(given.data))
    _own(lambda: Settings.read({"HUIQI_WEBHOOK_URL": given.data, "HUIQI_WEBHOOK_SECRET": "x"}))
    check_url(given.data)
    wire = Guarded(
        httpx.MockTransport(lambda request: httpx.Response(204)),
        (),
        lambda host, port: [ip_address("8.8.8.8")],
    )
    with httpx.Client(transport=wire) as client, suppress(httpx.HTTPError, httpx.InvalidURL):
        client.post(given.data, content=b"x")


def _reply(given: Input) -> None:
    parcel = Parcel("a", "webhook", "91120116MA0700001X", (), 1)
    text = given.data.encode("utf-8", "replace")
    for status in (200, 409, 429, 503):
        _answered(parcel, status, given.data[:20], text)
        for service in ("wecombot", "dingtalk", "feishu"):
            Robot(service, "https://x/", "")._read(status, text)


class Known(Provider):
    """认证方 that is never asked: its keys are here."""

    def description(self, now: datetime, *, anew: bool = False) -> dict[str, Any]:
        return {}


@cache
def a_provider() -> tuple[Provider, str]:
    """A provider of one key, and a statement that it signed."""
    from joserfc import jwt
    from joserfc.jwk import KeySet, RSAKey

    key = RSAKey.generate_key(2048, {"kid": "k1"})
    said = {
        "iss": "https://idp",
        "aud": "huiqi",
        "sub": "e1",
        "nonce": "n",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 300,
    }
    provider = Known(SignOn("https://idp", "huiqi", "s"))
    provider._keys = KeySet([key])
    return provider, jwt.encode({"alg": "RS256", "kid": "k1"}, said, key)


def of_statements(draw: random.Random) -> Input:
    """Statements with a broken head, body or signature; the signature of most is no longer right."""
    from base64 import urlsafe_b64decode, urlsafe_b64encode

    parts = a_provider()[1].split(".")
    at = draw.randrange(3)
    if at < 2 and draw.random() < 0.7:
        plain = urlsafe_b64decode(parts[at] + "==").decode()
        parts[at] = (
            urlsafe_b64encode(broken_text(plain, (plain, REPLY), draw).encode("utf-8", "replace"))
            .rstrip(b"=")
            .decode()
        )
        return Input(".".join(parts))
    return Input(broken_text(".".join(parts), parts, draw))


def _statement(given: Input) -> None:
    provider, sound = a_provider()
    try:
        provider._claims(given.data, Journey("s", "n", "v"), NOW)
    except ValueError as error:
        assert type(error).__name__ == "SignOnError", error
    else:
        assert given.data == sound, "a changed statement was believed"


def _query(given: Input) -> None:
    many = parse_qs(given.data, errors="replace")
    read_filters({k: v[-1] for k, v in many.items()}, many)


def more_parsers() -> dict[str, Parser]:
    """其余的解析器 by name, as `fuzz_parsers.parsers`."""
    rules = tuple(p.read_text("utf-8") for p in sorted(FOLDER.glob("*.yaml")))
    calendar: Callable[[Input], Any] = lambda given: _in_file(given, read_year)  # noqa: E731
    return {
        "paid": (of_files([".csv", ".csv", ".html", ".md"], LIST, PAID_PAGE), _paid_list),
        "paid.docx": (of_archive(".docx", a_document), _paid_list),
        "paid.xlsx": (of_archive(".xlsx", a_workbook), _paid_list),
        "profiles": (of_files([".jsonl"], ROWS, ROWS * 2), _profiles),
        "profiles.csv": (of_files([".csv"], CELLS), _profiles),
        "parquet": (of_parquet, _parquet),
        "calendar": (of_files([".csv"], YEAR), calendar),
        "portrait": (of_trees(*rules), _portrait),
        "answers": (of_files([".jsonl"], ANSWER), _answers),
        "backup": (of_archive(".zip", a_backup), _backup),
        "settings": (of_lines(SET_LINES, *SET_LINES.splitlines()), _settings),
        "names": (of_texts(*NAMES), _names),
        "address": (of_texts(*ADDRESSES), _address),
        "reply": (of_texts(REPLY), _reply),
        "statement": (of_statements, _statement),
        "query": (of_texts(QUERY), _query),
    }  # fmt: skip
