"""Put hostile words into every field and parameter of every page: no answer may be a fault of the server, nothing may come back as markup.

    .venv/bin/python scripts/fuzz_pages.py [--rounds 40] [--seed 1]

Fields are those that the code of a page asks a form or an address for; most stand sound (an item, an enterprise, a day) so
that the acts behind them are reached. Works on a small office of invented firms in a temporary folder; needs no network.
"""

from __future__ import annotations

import argparse
import inspect
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "desk")]

from fastapi.routing import APIRoute  # noqa: E402

MARK = "<svg/onload=1>"  # what must never stand in a page as it is
HOSTILE = (
    "' OR '1'='1", "'; DROP TABLE person; --", '" UNION SELECT password FROM person --', "%' ESCAPE '", MARK, f'"\'>{MARK}', f"</textarea>{MARK}",
    "{{7*7}}", "${7*7}", "javascript:alert(1)", "=cmd|' /C calc'!A0", "+1+1", "@SUM(1)", "\x00", "a\x00b", "\x08\x1b[31m", "\u202e\u2066甲\u2069", "\ufeff", "\u200b", "\U0010ffff",
    "9" * 5000, "²", "٣", "１２", "-1", "0", "1e999", "NaN", "99999999999999999999", "2026-13-45", "0001-01-01", "9999-12-31", "9999Q4", "0000Q1",
    "甲" * 20_000, "(" * 3000, "[" * 3000, '{"a":' * 3000, "*" * 300, "../../etc/passwd", "a,b,c;d", "\r\nSet-Cookie: x=1", "%s%n%d", "%", "%zz", "_", "\\", "？", " ", "",
)  # fmt: skip
SOUND = (
    "1",
    "2026-06-16",
    "2026",
    "10",
    "是",
    "愿意",
    "全部",
    "通过",
    "符合",
    "0.5",
    "张三",
    "说明几句",
    "1000000",
)
ASKED = re.compile(r"""(?:\.(?:text|many|whole|get|getlist)|query_params\.get)\(\s*["']([^"'{}]+)["']""")
ACTED = re.compile(r"""["']([一-鿿]{1,8})["']\s*:""")


@dataclass
class Tried:
    """试过的: how many requests, the answers by status, and what is wrong."""

    count: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


@cache
def names_in(module: ModuleType) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """一个模块要的字段, and the words that stand for its acts."""
    text = inspect.getsource(module)
    return tuple(sorted(set(ASKED.findall(text)))), tuple(sorted(set(ACTED.findall(text)))) or ("",)


def routes_of(router: Any, prefix: str = "") -> Iterator[APIRoute]:
    """工作台、企业端和公开区的页面."""
    for route in router.routes:
        if isinstance(route, APIRoute):
            if route.endpoint.__module__.startswith("desk.") and not route.path.startswith("/api"):
                yield route
        elif hasattr(route, "original_router"):
            yield from routes_of(route.original_router)


def request_of(
    route: APIRoute, method: str, known: dict[str, str], draw: random.Random
) -> tuple[str, dict[str, Any]]:
    """一次请求: its address and what it sends."""
    module = inspect.getmodule(route.endpoint)
    assert module is not None
    asked, acts = names_in(module)
    own = [
        p
        for p in inspect.signature(route.endpoint).parameters
        if p not in ("request", "visit", "given", "by")
    ]
    path = re.sub(r"{(\w+)(?::\w+)?}", lambda m: known.get(m[1], "1"), route.path)

    def value(name: str) -> str:
        if draw.random() < 0.35:
            return draw.choice(HOSTILE)
        if name == "do":
            return draw.choice(acts)
        return known.get(name) or draw.choice((*SOUND, known["item"], known["code"]))

    chosen = draw.sample(asked, min(len(asked), draw.randint(1, 12))) if asked else []
    query = {
        n: value(n)
        for n in (own if method == "POST" or draw.random() < 0.5 else [*own, *chosen])
        if "{" + n not in route.path
    }
    address = path + (
        "?"
        + "&".join(
            f"{quote(k)}={quote(v[: 6000 if v.isascii() else 1500].encode('utf-8', 'replace'))}"
            for k, v in query.items()
        )
        if query
        else ""
    )
    form = {n: value(n) for n in {*chosen, "do"}} if method == "POST" else {}
    return address, form


def fuzz(desk: Any, logins: dict[str, Any], known: dict[str, str], rounds: int, seed: int) -> Tried:
    """试页面: every route, as whoever may use it, `rounds` times; `logins` are clients with their CSRF tokens by beginning of the address."""
    tried = Tried()
    for route in routes_of(desk.app):
        if "logout" in route.path:
            continue
        for method in sorted(route.methods & {"GET", "POST"}):
            client, csrf = logins["/my" if route.path.startswith("/my") else "/desk"]
            for n in range(rounds):
                draw = random.Random(f"{seed}/{method}/{route.path}/{n}")
                address, form = request_of(route, method, known, draw)
                if method == "POST":
                    form["csrf"] = draw.choice(HOSTILE) if draw.random() < 0.05 else csrf()
                _ask(tried, client, method, address, form, f"{route.path} --seed {seed} #{n}")
    return tried


def _ask(tried: Tried, client: Any, method: str, address: str, form: dict[str, str], name: str) -> None:
    try:
        answer = client.request(method, address, **({"data": form} if method == "POST" else {}))
    except Exception as error:  # a fault that no handler turned into an answer
        tried.wrong.append(f"{method} {name}: {type(error).__name__}: {str(error)[:300]}")
        return
    tried.count += 1
    tried.answers[answer.status_code] += 1
    if answer.status_code >= 500:
        tried.wrong.append(f"{method} {name}: {answer.status_code}")
    if answer.headers.get("content-type", "").startswith("text/html") and MARK in answer.text:
        tried.wrong.append(f"{method} {name}: {MARK} stands in the page")
    if "set-cookie" in answer.headers and "x=1" in answer.headers["set-cookie"]:
        tried.wrong.append(f"{method} {name}: a header was written by the request")


def on_a_desk(desk: Any, rounds: int, seed: int) -> Tried:
    """在一个工作台上: an administrator who has every role, and an enterprise of the night."""
    import world
    from clients import csrf_of

    from store import accounts, credentials

    office = desk.app.state.office
    night = office.night()
    row = office.items(night).sort_values("open").iloc[-1]
    item = str(row["item"])
    code = str(office.hits(night, item).iloc[0]["统一社会信用代码"])
    doc, slug = item.split("/")
    known = {"item": item, "code": code, "doc": doc, "document": doc, "slug": slug, "name": "融资", "source": "tax_annual", "no": "1",
             "batch": str(row["batch"]), "section": "items", "tab": "history"}  # fmt: skip
    roles = [r for r in accounts.ROLES if r != "企业"]
    accounts.create_person(desk.engine, "all", "都会", roles, world.PASSWORD, by="测试", now=world.NOW)
    secret = credentials.make_code(desk.engine, code, by="lin", now=world.NOW)
    firm = desk.anyone()
    firm.post("/my/login", data={"csrf": csrf_of(firm.get("/my/login").text), "code": secret})
    mine = csrf_of(firm.get("/my").text)
    logins = {"/desk": (desk.client("all"), lambda: _again(desk)), "/my": (firm, lambda: mine)}
    return fuzz(desk, logins, known, rounds, seed)


def _again(desk: Any) -> str:
    """The token of a session that may have been ended by an act of its own; then another begins."""
    import world
    from clients import log_in

    from store.accounts import who_is

    client = desk.client("all")
    found = who_is(desk.engine, client.cookies.get("huiqi_session", ""), desk.moment)
    if found is None:
        log_in(client, "all", world.PASSWORD)
        found = who_is(desk.engine, client.cookies.get("huiqi_session", ""), desk.moment)
    return "" if found is None else found.csrf


def main() -> None:
    import shutil

    import world
    from clients import Desk

    import policies

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="huiqi-fuzz-") as folder:
        home = Path(folder) / "home"
        world.make_office(home, firms=60).dispose()
        shutil.copytree(Path(policies.__file__).with_name("library"), home / "library")
        tried = on_a_desk(Desk(home, home / "library"), given.rounds, given.seed)
    for line in dict.fromkeys(tried.wrong):
        print(line)
    print(
        f"{tried.count} requests, {len(tried.wrong)} findings; answers by status: {dict(sorted(tried.answers.items()))}"
    )
    sys.exit(1 if tried.wrong else 0)


if __name__ == "__main__":
    main()
