"""越界的名字: no name from outside, in an address, a form or an upload, leads to a file outside of where it belongs."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import world
from clients import Desk
from fastapi.routing import APIRoute

from desk.web import plain_name
from scripts.make_rights import office_routes, right_of
from store import credentials

CANARY = "石榴树下的秘密"
PIECES = (
    "..", "../", "..\\", "%2e%2e", "%2e%2e%2f", "%252e%252e%252f", "..%c0%af", "．．／", "‥/", "....//", "/etc/passwd", "C:\\", "~/", "\\\\host\\", "file://",
    "secret", "items/secret", "nights", "versions", "huiqi.db", ".", "a", "a/../..", ";", "\x00", "%00", "\n", "\u202e", "NUL", "x" * 300, ".yaml", "*", "?", " ",
)  # fmt: skip


def a_name(draw: random.Random) -> str:
    """Pieces of what has led astray elsewhere, and whole ways to the canaries from each depth."""
    if draw.random() < 0.3:
        return "../" * draw.randint(1, 6) + draw.choice(
            ("secret", "secret.yaml", "items/secret.yaml", "secret.txt")
        )
    return "".join(draw.choice(PIECES) for _ in range(draw.randint(1, 5)))


def around(home: Path) -> dict[str, int]:
    """Every file below the folder that holds the data folder, but for the database and what a desk writes in its home."""
    base = home.parent
    return {
        str(p.relative_to(base)): p.stat().st_size
        for p in base.rglob("*")
        if p.is_file() and not p.name.startswith("huiqi.db")
    }


@pytest.fixture
def guarded(fresh: Desk) -> Iterator[Desk]:
    """A desk with canaries beside and inside its folders, wherever a path could stray to."""
    for folder in (
        fresh.home,
        fresh.home.parent,
        fresh.home / "nights",
        fresh.home / "nights" / "1",
        fresh.home / "items",
    ):
        for name in (
            "secret",
            "secret.yaml",
            "secret.txt",
            "secret.xlsx",
            "items/secret.yaml",
            "items/secret.test.yaml",
        ):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(f"title: {CANARY}\n", "utf-8")
    before = around(fresh.home)
    yield fresh
    assert around(fresh.home) == before, "a file appeared, vanished or changed"


def filled(path: str, draw: random.Random, item: str, code: str) -> str:
    """An address with one or all of its parts replaced."""
    doc, slug = item.split("/")
    sound = {
        "doc": doc,
        "document": doc,
        "slug": slug,
        "code": code,
        "source": "tax_annual",
        "name": "融资",
        "tab": "history",
    }
    names = re.findall(r"{(\w+)(?::\w+)?}", path)
    hit = set(names) if draw.random() < 0.3 else {draw.choice(names)}

    def part(found: re.Match[str]) -> str:
        if found[1] not in hit:
            return sound.get(found[1], "1")
        name = a_name(draw)
        return (
            quote(name, safe="%" if draw.random() < 0.5 else "")
            if draw.random() < 0.8
            else quote(name, safe="/%")
        )

    return re.sub(r"{(\w+)(?::\w+)?}", part, path)


def test_no_address_leads_outside(guarded: Desk) -> None:
    office = guarded.app.state.office
    night = office.night()
    row = office.items(night).sort_values("open").iloc[-1]
    item, code = str(row["item"]), str(office.hits(night, str(row["item"])).iloc[0]["统一社会信用代码"])
    token = credentials.create_token(
        guarded.engine, "admin", "越界", ["read", "write"], by="admin", now=world.NOW
    )
    client, asked, statuses = guarded.client("admin"), 0, set()
    routes: list[APIRoute] = [
        r for r in office_routes(guarded.app) if "{" in r.path and right_of(r) is not None
    ]
    for route in routes:
        for seed in range(12):
            draw = random.Random(f"{route.path}/{seed}")
            method = sorted(route.methods)[0]
            given = (
                {"data": {"csrf": guarded.csrf("admin"), "document": a_name(draw), "here": a_name(draw)}}
                if method == "POST"
                else {}
            )
            if route.path.startswith("/api"):
                given = {
                    "headers": {"Authorization": f"Bearer {token}"},
                    **({"json": {"item": a_name(draw)}} if method != "GET" else {}),
                }
            answer = client.request(method, filled(route.path, draw, item, code), **given)
            asked += 1
            statuses.add(answer.status_code)
            assert answer.status_code < 500, (method, route.path, seed)
            assert CANARY.encode() not in answer.content, (method, route.path, seed)
            location = answer.headers.get("location", "/desk/")
            assert location.startswith(("/desk/", "/my/", "http://desk/")), (
                method,
                route.path,
                seed,
                location,
            )
    assert asked > 500 and {404} <= statuses


def test_no_public_address_leads_outside(guarded: Desk) -> None:
    client = guarded.anyone()
    for seed in range(300):
        draw = random.Random(seed)
        name = quote(a_name(draw), safe=draw.choice(("", "/", "%", "/%")))
        for front in ("/static/", "/zone/items/", "/zone/", "/my/", "/desk/", "/api/", "/"):
            answer = client.get(front + name)
            assert answer.status_code < 500 and CANARY.encode() not in answer.content, (seed, front)
            assert b"root:" not in answer.content


@pytest.mark.parametrize("place", ["policy", "payments"])
def test_no_upload_lands_where_its_name_says(guarded: Desk, place: str) -> None:
    for seed in range(60):
        draw = random.Random(f"{place}{seed}")
        name = a_name(draw).replace("\n", "") + draw.choice((".txt", ".csv", ".docx", ""))
        data = {"csrf": guarded.csrf("admin"), "document": draw.choice(("x-1", a_name(draw)))}
        files = {"file": (name, "第一条 对企业给予10万元奖励。\n".encode(), "text/plain")}
        address = "/desk/policies" if place == "policy" else "/desk/fulfil/reconcile"
        answer = guarded.client("admin").post(address, data=data, files=files)
        assert answer.status_code in (303, 400, 413), (seed, answer.status_code)
        said = answer.headers.get("location", "")
        assert "Errno" not in said and "/tmp" not in said and "embedded" not in said, (seed, said)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../办法.docx", "办法.docx"), ("C:\\我的\\办法.docx", "办法.docx"), ("..", "文件"), ("", "文件"), ("a\x00\u202eb.txt", "ab.txt"),
        ("长" * 300 + ".pdf", "长" * 60 + ".pdf"), (".docx", "文件.docx"), ("x." + "y" * 90, "x." + "y" * 10), ("  办法 .txt ", "办法.txt"),
    ],
)  # fmt: skip
def test_the_name_of_an_upload_is_plain(given: str, kept: str) -> None:
    assert plain_name(given) == kept
