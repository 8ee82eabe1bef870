"""Measure every page of the desk over a store of many invented firms: p50 and p95 of each route, in the server's own process.

    .venv/bin/python scripts/desk_speed.py [--firms 100000] [--rounds 20] [--home DIR] [--only WORDS] [--json]

The store is what `huiqi demo --firms N` makes: files, a night, grants and pushes. Without --home it is made in a temporary
folder (some minutes for 10^5); with it that folder is made once and used again. A person 测速 is added to it, with a password
of this run's own. A first visit of each page, which reads the night's files, is told apart. Milliseconds of the whole answer
through the application, by one visitor at a time; the CPU time of the process stands beside.
"""

from __future__ import annotations

import argparse
import json
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "desk")]
GOAL = 300.0  # milliseconds, p95
FILES = re.compile(r"\.(xlsx|csv|pdf|png|svg|ics|xml|yaml)$")


def routes(app: Any) -> list[tuple[str, str]]:
    """(pattern, address) of every page of the desk, the public zone and the API that answers a GET, with parts filled in."""
    from fastapi.routing import APIRoute

    from desk.pages.impact import boxes

    office = app.state.office
    night = office.night()
    frame = office.items(night)
    item = frame.sort_values("open")["item"].iloc[-1]
    code = str(office.hits(night, item).iloc[0]["统一社会信用代码"])
    doc, slug = item.split("/")
    fills = {"doc": doc, "slug": slug, "document": doc, "code": code, "number": "1", "no": "1"}

    def walk(router: Any) -> Iterator[APIRoute]:
        for route in router.routes:
            if isinstance(route, APIRoute):
                yield route
            elif hasattr(route, "original_router"):
                yield from walk(route.original_router)

    out = []
    for route in walk(app):
        if "GET" not in (route.methods or ()) or re.search(
            r"\{(?!doc|slug|document|code|number|no)\w+", route.path
        ):
            continue
        if re.search(r"/login|/logout|healthz|^/$", route.path):
            continue
        out.append((route.path, re.sub(r"{(\w+)(:\w+)?}", lambda m: fills[m[1]], route.path)))
    lists, impact = f"/desk/items/{item}/matches", f"/desk/items/{item}/impact"
    condition = next((name for name, _, _ in boxes(office.bound(night, item).program.item.conditions)), "")
    more = [
        lists + "?verdict=待核实&sort=-amount", lists + "?q=科技", lists + "?page=5", lists + "?page=500", lists + "?state=全部",
        "/desk/search?q=科技", "/desk/search?q=补助", "/desk/search?q=" + code, "/desk/firms?q=有限", "/desk/firms?page=900",
        "/desk/fulfil?page=900", "/desk/fulfil?scope=逾期", "/desk/fulfil?scope=逾期&page=90", "/desk/fulfil?scope=轮到我&page=300",
        "/desk/fulfil/arrears?by=firm", "/desk/push?state=due", "/desk/push?state=suppressed", "/desk/matches?state=全部",
        impact + "?" + urlencode({"budget": "1000000"}), impact + "?" + urlencode({"sweep": condition, "spend": "2000万元"}),
        f"/api/items/{item}/matches?size=500&page=100", "/api/grants?size=500&page=300", "/api/firms?size=500&page=150", "/api/firms?q=科技",
    ]  # fmt: skip
    return out + [(address, address) for address in more]


def visitors(home: Path) -> tuple[Any, Any, Any, Any]:
    """The application over the folder, as `huiqi desk` makes it, with an administrator, a token and a firm at its doors."""
    from clients import log_in
    from fastapi.testclient import TestClient

    from desk.app import create_app
    from jobs.cli.common import clock_of, library_path
    from jobs.cli.desk import open_home
    from store import accounts, credentials

    engine, folder = open_home(home)
    clock = clock_of(engine)
    app = create_app(engine, folder, clock, library=library_path(None), warm=False)
    password = secrets.token_urlsafe(16)
    if accounts.find_person(engine, "speed") is None:
        accounts.create_person(engine, "speed", "测速", ["管理员"], password, by="测速", now=clock())
    else:
        accounts.set_password(engine, "speed", password, by="测速", now=clock())
    secret = credentials.create_token(engine, "speed", "测速", ["read"], by="测速", now=clock())

    def client(**headers: str) -> TestClient:
        return TestClient(app, base_url="http://desk", follow_redirects=False, headers=headers)

    officer, token, firm = client(), client(Authorization=f"Bearer {secret}"), client()
    assert log_in(officer, "speed", password).status_code == 303
    office = app.state.office
    night = office.night()
    item = office.items(night).sort_values("open")["item"].iloc[-1]
    code = str(office.hits(night, item).iloc[0]["统一社会信用代码"])
    signed = accounts.firm_sign_on(engine, code, "测速", clock())
    firm.cookies.set("huiqi_firm", signed or "")
    return app, officer, token, firm


def measure(home: Path, rounds: int, only: str) -> list[dict[str, Any]]:
    """量各页: one row a page, slowest first."""
    import numpy as np

    from desk.web import warm_templates

    app, officer, token, firm = visitors(home)
    begun = time.process_time()
    warm_templates(app.state.templates)
    app.state.office.warm()
    print(f"{(time.process_time() - begun) * 1000:8.0f}  ms CPU to warm up", file=sys.stderr)
    out = []
    for pattern, address in routes(app):
        if only and not re.search(only, address):
            continue
        visits = min(rounds, 3) if FILES.search(pattern) else rounds
        asked = token if address.startswith("/api") else firm if address.startswith("/my") else officer
        times, cpu, size, status = [], [], 0, 0
        for _ in range(visits + 1):
            wall, used = time.perf_counter(), time.process_time()
            answer = asked.get(address)
            times.append((time.perf_counter() - wall) * 1000)
            cpu.append((time.process_time() - used) * 1000)
            size, status = len(answer.content), answer.status_code
        p50, p95 = (float(np.percentile(times[1:], q)) for q in (50, 95))
        out.append({
            "page": pattern, "status": status, "first": round(times[0], 1), "first_cpu": round(cpu[0], 1),
            "p50": round(p50, 1), "p95": round(p95, 1), "cpu50": round(float(np.median(cpu[1:])), 1),
            "cpu95": round(float(np.percentile(cpu[1:], 95)), 1), "kB": round(size / 1000, 1),
        })  # fmt: skip
        print(f"{p95:8.1f} {out[-1]['cpu95']:8.1f} {cpu[0]:8.1f}  {status} {pattern}", file=sys.stderr)
    app.state.office.engine.dispose()
    return sorted(out, key=lambda r: -r["p95"])


def make(home: Path, firms: int) -> None:
    """一间办公室 with a night over many invented firms, as everybody makes it."""
    command = [
        sys.executable,
        "-m",
        "jobs.cli",
        "demo",
        "--home",
        str(home),
        "--firms",
        str(firms),
        "--no-push",
    ]
    subprocess.run(command, check=True, cwd=ROOT)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--firms", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--only", default="", help="a pattern that addresses must match")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="huiqi-speed-") as folder:
        home = given.home or Path(folder) / "home"
        if not (home / "huiqi.db").exists():
            make(home, given.firms)
        rows = measure(home, given.rounds, given.only)
    if given.json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    print(
        f"{'p50':>8} {'p95':>8} {'CPU p50':>8} {'CPU p95':>8} {'first':>8} {'its CPU':>8} {'kB':>8}  page   (ms; {given.rounds} visits each)"
    )
    for r in rows:
        print(
            f"{r['p50']:8.1f} {r['p95']:8.1f} {r['cpu50']:8.1f} {r['cpu95']:8.1f} {r['first']:8.1f} {r['first_cpu']:8.1f} {r['kB']:8.1f}  {r['page']} {'' if r['status'] == 200 else r['status']}"
        )
    pages = [r for r in rows if "." not in r["page"].rsplit("/", 1)[-1]]
    slow = [r for r in pages if r["p95"] >= GOAL]
    print(
        f"{len(pages)} pages ({len(rows) - len(pages)} files beside), {len(slow)} at {GOAL:.0f} ms or more at p95"
    )


if __name__ == "__main__":
    main()
