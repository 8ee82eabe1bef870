"""Measure every page of the desk over a store of many invented firms: p50 and p95 of each route, in the server's own process.

    .venv/bin/python scripts/desk_speed.py [--firms 100000] [--rounds 20] [--home DIR] [--json]

Without --home a night of invented firms against the sample library is made in a temporary folder (some minutes for 10^5);
with it that folder is made once and used again. A first visit of each page, which reads the night's files, is told apart.
Milliseconds of the whole answer through the application, by one visitor at a time; the CPU time of the process stands beside.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "desk")]
GOAL = 300.0  # milliseconds, p95


def routes(app: Any) -> list[tuple[str, str]]:
    """(pattern, address) of every page of the desk, the public zone and the API that answers a GET, with parts filled in."""
    from fastapi.routing import APIRoute

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
        if re.search(r"/login/|/logout|healthz|^/$|^/my", route.path):
            continue
        out.append((route.path, re.sub(r"{(\w+)(:\w+)?}", lambda m: fills[m[1]], route.path)))
    lists = f"/desk/items/{item}/matches"
    more = {
        lists + "?verdict=待核实&sort=-amount": lists, lists + "?q=科技": lists, lists + "?page=5": lists,
        "/desk/search?q=科技": "/desk/search", "/desk/search?q=补助": "/desk/search", "/desk/firms?q=有限": "/desk/firms",
    }  # fmt: skip
    return out + [(address, address) for address in more]


def measure(home: Path, rounds: int) -> list[dict[str, Any]]:
    """量各页: one row a page, slowest first."""
    import numpy as np
    import world
    from clients import Desk
    from fastapi.testclient import TestClient

    from store import accounts

    library = home / "library"
    desk = Desk(home, library)
    desk.app.state.office.warm()
    client = desk.client("admin")
    token = accounts.create_token(desk.engine, "admin", "测速", ["read"], by="admin", now=world.NOW)
    api = TestClient(desk.app, base_url="http://desk", headers={"Authorization": f"Bearer {token}"})
    out = []
    for pattern, address in routes(desk.app):
        visits = 2 if re.search(r"\.(xlsx|csv|pdf|png|svg|ics)$", pattern) else rounds
        asked = api if address.startswith("/api") else client
        times, cpu, size, status = [], [], 0, 0
        for _ in range(visits + 1):
            wall, used = time.perf_counter(), time.process_time()
            answer = asked.get(address)
            times.append((time.perf_counter() - wall) * 1000)
            cpu.append((time.process_time() - used) * 1000)
            size, status = len(answer.content), answer.status_code
        p50, p95 = (float(np.percentile(times[1:], q)) for q in (50, 95))
        out.append({
            "page": pattern, "status": status, "first": round(times[0], 1), "p50": round(p50, 1), "p95": round(p95, 1),
            "cpu50": round(float(np.median(cpu[1:])), 1), "cpu95": round(float(np.percentile(cpu[1:], 95)), 1), "kB": round(size / 1000, 1),
        })  # fmt: skip
        print(f"{p95:8.1f}  {pattern}", file=sys.stderr)
    desk.engine.dispose()
    return sorted(out, key=lambda r: -r["p95"])


def make(home: Path, firms: int) -> None:
    """一间办公室 with a night over many invented firms."""
    import world

    import policies

    world.make_office(home, firms=firms).dispose()
    shutil.copytree(Path(policies.__file__).with_name("library"), home / "library")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--firms", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="huiqi-speed-") as folder:
        home = given.home or Path(folder) / "home"
        if not (home / "huiqi.db").exists():
            make(home, given.firms)
        rows = measure(home, given.rounds)
    if given.json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    print(
        f"{'p50':>8} {'p95':>8} {'CPU p50':>8} {'CPU p95':>8} {'first':>8} {'kB':>8}  page   (ms; {given.rounds} visits each)"
    )
    for r in rows:
        print(
            f"{r['p50']:8.1f} {r['p95']:8.1f} {r['cpu50']:8.1f} {r['cpu95']:8.1f} {r['first']:8.1f} {r['kB']:8.1f}  {r['page']} {'' if r['status'] == 200 else r['status']}"
        )
    pages = [r for r in rows if "." not in r["page"].rsplit("/", 1)[-1]]
    slow = [r for r in pages if r["p95"] >= GOAL]
    print(
        f"{len(pages)} pages ({len(rows) - len(pages)} files beside), {len(slow)} at {GOAL:.0f} ms or more at p95"
    )


if __name__ == "__main__":
    main()
