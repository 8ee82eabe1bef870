"""Let an office work for many simulated nights with everybody in the desk at once, and look for growth, lock-ups and errors.

    .venv/bin/python scripts/soak.py [--firms 2000] [--nights 5] [--officers 3] [--visitors 10] [--database sqlite|postgresql]
                                     [--changes 0.01] [--think 1] [--pause 2] [--minutes N] [--home DIR] [--json FILE]

The full size of docs/promises.md: --firms 100000 --nights 30 --officers 20 --visitors 200. Three processes as in an office:
the desk (`huiqi desk` without the limits on rates, since everybody comes from this one address), the nights (one process
that lives through all of them, as `huiqi schedule` does) and the people, who go on while the nights run. Each day a share of
the firms restates its turnover in a file of its own. Ends with 1 where an answer was an error or took over 30 s, a night
failed, or a process holds over a tenth more memory in the last third of the nights than in the second.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import os
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

FIRST = date(2026, 6, 17)
PASSWORD = "soaked for thirty nights"
LOCKED, GROWTH = 30.0, 0.10
INCREMENTS = "税务_增量*.csv"


# ---------------------------------------------------------------- the office


def open_office(home: Path, firms: int, officers: int) -> None:
    """开一间办公室: files of invented firms (or those that lie there), a source for the daily increments, and the people."""
    from profiles import sample
    from store import accounts
    from store.database import database_url, open_database, upgrade

    if not (home / "inbox").exists():
        sample.write_sample(sample.generate(firms, 4), home / "inbox", 0.01)
    (home / "sources").mkdir(exist_ok=True)
    tax = (ROOT / "profiles" / "sources" / "tax_annual.yaml").read_text("utf-8")
    tax = tax.replace("source: tax_annual", "source: tax_increment").replace(
        "inbox: 税务_年度申报*.csv", f"inbox: {INCREMENTS}"
    )
    (home / "sources" / "tax_increment.yaml").write_text(
        tax.replace("refresh: 400天", "refresh: 400天\nexpect_rows: 不定"), "utf-8"
    )
    engine = open_database(database_url(dict(os.environ)))
    upgrade(engine)
    now = datetime.now(UTC)
    for n in range(officers):
        if accounts.find_person(engine, f"o{n}") is None:
            accounts.create_person(engine, f"o{n}", f"经办{n}", ["经办"], PASSWORD, by="soak", now=now)
    engine.dispose()


def tell_changes(inbox: Path, day: int, share: float) -> int:
    """一天的变动: some firms restate their turnover, in a file of their own."""
    source = next(inbox.glob("税务_年度申报_*.csv"))
    draw, count = random.Random(day), 0
    on = FIRST + timedelta(days=day - 1)
    with source.open(encoding="utf-8-sig", newline="") as read:
        head, *rows = csv.reader(read)
    turnover = head.index("营业收入(万元)")
    with (inbox / f"税务_增量_{on:%Y%m%d}.csv").open("w", encoding="utf-8", newline="") as made:
        out = csv.writer(made)
        out.writerow(head)
        for row in rows:
            if draw.random() < share and len(row) == len(head):
                row[turnover] = f"{draw.uniform(10, 90_000):.2f}"
                out.writerow(row)
                count += 1
    return count


def live_nights(home: Path) -> None:
    """一个一直活着的夜: a day's number a line in, what came of it a line out."""
    import policies
    from jobs.nightly import run_night
    from store.database import database_url, open_database
    from store.nights import FINISHED, forget, set_state

    engine = open_database(database_url(dict(os.environ)))
    library = Path(policies.__file__).with_name("library")
    for line in sys.stdin:
        day = FIRST + timedelta(days=int(line))
        at = datetime(day.year, day.month, day.day, 18, tzinfo=UTC)
        began, used = time.monotonic(), time.process_time()
        report = run_night(engine, home, library, day, lambda at=at: at)  # type: ignore[misc]
        assert report.night is not None
        told = {
            "no": report.night.no, "seconds": time.monotonic() - began, "cpu": time.process_time() - used,
            "changed": report.inbox.totals()["changed"], "jumps": report.jumps, "fits": report.night.counts["fits"],
        }  # fmt: skip
        if report.jumps:  # a leader looks at it and lets it out, or the desk shows the last one for ever
            set_state(engine, report.night.no, FINISHED)
        forget()  # as the scheduler does after each job
        print(json.dumps(told, ensure_ascii=False), flush=True)


# ---------------------------------------------------------------- the people


@dataclass
class Seen:
    """所见: milliseconds by page, errors, and what was done."""

    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)
    slow: list[tuple[float, str, float]] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    @property
    def slowest(self) -> float:
        return self.slow[0][0] if self.slow else 0.0

    async def ask(
        self, client: httpx.AsyncClient, page: str, method: str = "GET", **given: Any
    ) -> httpx.Response | None:
        began = time.monotonic()
        name = re.sub(
            r"/[0-9A-Z]{18}", "/CODE", re.sub(r"[a-z]+(?:-[\w]+)+/[\w-]+", "ITEM", page.partition("?")[0])
        )
        try:
            answer = await client.request(method, page, **given)
        except httpx.HTTPError as error:
            self.errors[f"{method} {name} {type(error).__name__}"] += 1
            return None
        took = (time.monotonic() - began) * 1000
        self.times[f"{method} {name}"].append(took)
        self.slow = sorted([*self.slow, (took, f"{method} {name}", began - self.began)], reverse=True)[:10]
        if answer.status_code >= 400:
            self.errors[f"{method} {name} {answer.status_code}"] += 1
        return answer


def _client(base: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=base, timeout=LOCKED, follow_redirects=True, trust_env=False, verify=False
    )


def _hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(csrf|last|here|next)" value="([^"]*)"', page))


async def officer(base: str, number: int, seen: Seen, stop: asyncio.Event) -> None:
    """一位经办: today, lists, one firm's evidence, and every few of them an opinion."""
    draw = random.Random(number)
    async with _client(base) as client:
        page = await seen.ask(client, "/desk/login")
        if page is None:
            return
        token = _hidden(page.text)
        form = {"login": f"o{number}", "password": PASSWORD, "csrf": token.get("csrf", ""), "next": ""}
        await seen.ask(client, "/desk/login", "POST", data=form)
        while not stop.is_set():
            for address in (
                "/desk/today",
                "/desk/matches",
                "/desk/firms?q=有限",
                "/desk/items",
                "/desk/fulfil",
            ):
                page = await seen.ask(client, address)
                await _think(stop, draw.uniform(0.5, 3))
                if stop.is_set() or page is None:
                    break
                if address == "/desk/matches":
                    await _look(client, seen, page.text, draw, stop)


async def _look(
    client: httpx.AsyncClient, seen: Seen, page: str, draw: random.Random, stop: asyncio.Event
) -> None:
    lists = sorted(set(re.findall(r'href="(/desk/items/[^"?]+/matches)', page)))
    if not lists:
        return
    found = await seen.ask(client, draw.choice(lists) + f"?page={draw.randint(1, 3)}")
    pairs = (
        sorted(set(re.findall(r'href="(/desk/matches/[0-9A-Z]{18}/[^"?/]+/[^"?/]+)["?]', found.text)))
        if found
        else []
    )
    for address in draw.sample(pairs, min(3, len(pairs))):
        shown = await seen.ask(client, address)
        await _think(stop, draw.uniform(0.5, 2))
        if shown is not None and shown.status_code == 200 and draw.random() < 0.5:
            do = draw.choice((("do", "通过"), ("do", "备注"), ("do", "不纳入")))
            form = {**_hidden(shown.text), "reason": "1", "text": "浸泡", do[0]: do[1]}
            told = await seen.ask(client, address + "/decide", "POST", data=form)
            refused = told is not None and "fault=" in str(told.url)
            seen.acts[f"{do[1]}{'（规则不许或别人先办）' if refused else ''}"] += 1


async def visitor(base: str, number: int, secret: str, seen: Seen, stop: asyncio.Event) -> None:
    """一家企业: in by its code, its own pages, and the public zone."""
    draw = random.Random(-number - 1)
    async with _client(base) as client:
        await _think(stop, draw.uniform(0, 10))
        page = await seen.ask(client, "/my/login")
        if page is None:
            return
        await seen.ask(
            client, "/my/login", "POST", data={"csrf": _hidden(page.text).get("csrf", ""), "code": secret}
        )
        while not stop.is_set():
            for address in (
                "/my",
                "/my/items",
                "/my/file",
                "/zone",
                "/my/money",
                "/zone/calendar",
                "/zone/check",
            ):
                await seen.ask(client, address)
                await _think(stop, draw.uniform(4, 16))
                if stop.is_set():
                    break


class _Think:
    times = 1.0


async def _think(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds * _Think.times)


# ---------------------------------------------------------------- the days


@contextmanager
def running(*words: str, **given: Any):  # type: ignore[no-untyped-def]
    """一个进程, ended with the block."""
    child = subprocess.Popen([sys.executable, *words], cwd=ROOT, **given)
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(30)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait(30)


def memory(pid: int) -> float:
    """MiB a process holds of its own (private pages); 0 where the system does not tell."""
    with suppress(OSError):
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        return sum(int(n) for n in re.findall(r"Private_(?:Clean|Dirty): +(\d+)", text)) / 1024
    return 0.0


def growth(held: list[float]) -> float:
    """增长: how much more the last third holds than the second, as a share."""
    third = len(held) // 3
    if third < 1:
        return 0.0
    middle, last = statistics.mean(held[third : 2 * third]), statistics.mean(held[-third:])
    return last / middle - 1 if middle else 0.0


async def _days(
    given: argparse.Namespace, home: Path, base: str, desk: Any, nights: Any, seen: Seen
) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []

    async def night(day: int) -> dict[str, Any]:
        nights.stdin.write(f"{day}\n")
        nights.stdin.flush()
        line = await asyncio.to_thread(nights.stdout.readline)
        if not line:
            raise SystemExit(f"night {day + 1} failed: process ended with {nights.poll()}")
        told = {
            **json.loads(line),
            "desk MiB": round(memory(desk.pid)),
            "nights MiB": round(memory(nights.pid)),
        }
        print(f"night {day + 1}: {json.dumps(told, ensure_ascii=False)}", flush=True)
        return told

    out.append(await night(0))
    await read_through(base)  # the doors open in the morning, when the desk has read the first night
    stop, codes, began = asyncio.Event(), login_codes(given.visitors), time.monotonic()
    people = [asyncio.create_task(officer(base, n, seen, stop)) for n in range(given.officers)]
    people += [asyncio.create_task(visitor(base, n, code, seen, stop)) for n, code in enumerate(codes)]
    try:
        for day in range(1, given.nights):
            if time.monotonic() - began > given.minutes * 60:
                break
            await asyncio.to_thread(tell_changes, home / "inbox", day, given.changes)
            out.append(await night(day))
            await asyncio.sleep(given.pause)
    finally:
        stop.set()
        await asyncio.wait_for(asyncio.gather(*people), 2 * LOCKED + 10)
    return out


async def read_through(base: str) -> None:
    """等工作台读完一夜: until it shows one and reads no newer one."""
    async with _client(base) as client:
        for _ in range(1200):
            told = (await client.get("/healthz")).json()
            if told["night"] is not None and told["reading"] is None:
                return
            await asyncio.sleep(0.5)
    raise SystemExit("the desk has not read the first night within ten minutes")


def unit_environment() -> dict[str, str]:
    """环境, as the unit of the desk in docs/operations.md sets it."""
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    unit = page.split("/etc/systemd/system/huiqi-desk.service", 1)[1].split("```", 1)[0]
    return dict(
        pair.split("=", 1) for line in re.findall(r"^Environment=(.+)$", unit, re.M) for pair in line.split()
    )


def login_codes(count: int) -> list[str]:
    """登录码 of so many firms."""
    from store import credentials
    from store.database import database_url, open_database
    from store.firms import firm_codes

    engine = open_database(database_url(dict(os.environ)))
    firms = firm_codes(engine)[:: max(1, len(firm_codes(engine)) // max(1, count))][:count]
    made = [credentials.make_code(engine, f, by="soak", now=datetime.now(UTC)) for f in firms]
    engine.dispose()
    return made


def soak(given: argparse.Namespace, home: Path) -> dict[str, Any]:
    """浸泡: what came of it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    base, seen, began = f"http://127.0.0.1:{port}", Seen(), time.monotonic()
    open_office(home, given.firms, given.officers)
    with (home / "desk.log").open("w") as log, ExitStack() as stack:
        served = [sys.executable, "-m", "jobs.cli", "desk", "--port", str(port)]
        desk = stack.enter_context(
            running(
                *served[1:],
                env={**os.environ, **unit_environment(), "HUIQI_RATES": "off"},
                stdout=log,
                stderr=log,
            )
        )
        nights = stack.enter_context(
            running(__file__, "--part", "nights", "--home", str(home), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )  # fmt: skip
        for _ in range(300):
            with suppress(httpx.HTTPError):
                httpx.get(f"{base}/healthz", trust_env=False)
                break
            time.sleep(0.2)
        done = asyncio.run(_days(given, home, base, desk, nights, seen))
    return figures(given, done, seen, time.monotonic() - began)


def figures(
    given: argparse.Namespace, done: list[dict[str, Any]], seen: Seen, seconds: float
) -> dict[str, Any]:
    """数字 of a soak."""
    every = sorted(t for times in seen.times.values() for t in times) or [0.0]
    worst = sorted(
        ((statistics.quantiles(t, n=20)[-1], page) for page, t in seen.times.items() if len(t) > 20),
        reverse=True,
    )
    grown = {who: growth([d[f"{who} MiB"] for d in done]) for who in ("desk", "nights")}
    failed = [f"{n} errors: {what}" for what, n in seen.errors.items()]
    failed += [f"the {who} process grew by {g:.0%}" for who, g in grown.items() if g > GROWTH]
    if len(done) > 3 and given.officers > 1 and not seen.acts:
        failed.append("no officer decided anything: the pages are not what this script takes them for")
    if seen.slowest > LOCKED * 1000:
        failed.append(f"an answer took {seen.slowest / 1000:.0f} s")
    return {
        "firms": given.firms, "nights": len(done), "officers": given.officers, "visitors": given.visitors, "think": given.think,
        "database": given.database, "hours": round(seconds / 3600, 2), "requests": len(every), "acts": dict(seen.acts),
        "errors": sum(seen.errors.values()), "p50": round(every[len(every) // 2]), "p95": round(every[int(len(every) * 0.95)]),
        "slowest": [f"{page} {took:.0f}, asked at {at:.0f} s" for took, page, at in seen.slow], "worst pages": [f"{page} {p95:.0f}" for p95, page in worst[:5]],
        "night s": [round(d["seconds"], 1) for d in done], "night CPU s": [round(d["cpu"], 1) for d in done],
        "MiB": {w: [d[f"{w} MiB"] for d in done] for w in ("desk", "nights")}, "growth": {w: round(g, 3) for w, g in grown.items()},
        "failed": failed,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--firms", type=int, default=2000)
    parser.add_argument("--nights", type=int, default=5)
    parser.add_argument("--officers", type=int, default=3)
    parser.add_argument("--visitors", type=int, default=10)
    parser.add_argument("--changes", type=float, default=0.01)
    parser.add_argument(
        "--think",
        type=float,
        default=1.0,
        help="times 0.5–3 s an officer reads a page, and 4–16 s a firm does",
    )
    parser.add_argument("--minutes", type=float, default=1e9, help="after so many no further night is begun")
    parser.add_argument("--pause", type=float, default=2.0, help="seconds of a day between two nights")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--home", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--part", choices=["nights"])
    given = parser.parse_args()
    _Think.times = given.think
    if given.part:
        live_nights(given.home)
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that desk and nights end with this process
    with ExitStack() as stack:
        home = given.home or Path(tempfile.mkdtemp(prefix="huiqi-soak-"))
        if given.home is None:
            stack.callback(shutil.rmtree, home, ignore_errors=True)
        home.mkdir(parents=True, exist_ok=True)
        os.environ["HUIQI_HOME"] = str(home)
        os.environ.pop("HUIQI_DB", None)
        if given.database == "postgresql":
            from tests.postgres import server

            os.environ["HUIQI_DB"] = stack.enter_context(server(durable=True))
        told = soak(given, home)
        print(json.dumps(told, ensure_ascii=False, indent=1))
        if given.json:
            given.json.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
    sys.exit(1 if told["failed"] else 0)


if __name__ == "__main__":
    main()
