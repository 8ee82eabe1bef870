"""Measure one firm against all items, explained, over HTTP: CPU and wall milliseconds of a request to the running desk.

    .venv/bin/python scripts/selftest_speed.py --home DIR [--rounds 100]

Starts `huiqi desk` over the folder (as `huiqi demo` makes it) on a free port of loopback, asks the self-test page and ends
it. CPU is the server process's own, from /proc, so that other work on the machine does not count.
"""

from __future__ import annotations

import argparse
import http.client
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parents[1]
ANSWERS = {"行业代码": "C3912", "登记地区划": "120116", "研发费用@2025": "600", "营业收入@2025": "9000", "成立日期": "2015-03-01",
           "登记状态": "存续", "从业人数@2025": "88"}  # fmt: skip


def main(home: Path, rounds: int) -> None:
    """Start, ask, print, end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "HUIQI_RATES": "off"}
    command = [sys.executable, "-m", "jobs.cli", "desk", "--port", str(port), "--home", str(home.resolve())]
    server = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(server, port)
        for words, given in (("nothing answered", {}), (f"{len(ANSWERS)} answers", ANSWERS)):
            cpu, wall, size = _ask(server.pid, port, "/zone/check?" + urlencode(given), rounds)
            print(f"{words}: {cpu:.1f} ms CPU, {wall:.1f} ms wall (median), {size // 1000} kB")
    finally:
        server.terminate()
        server.wait(30)


def _wait(server: subprocess.Popen[bytes], port: int) -> None:
    """Until it answers and what it warms up beside is done, a minute at most."""
    for _ in range(240):
        if server.poll() is not None:
            raise SystemExit("the desk ended; try `huiqi desk --home DIR` to see why")
        before = _cpu(server.pid)
        time.sleep(0.25)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0 and _cpu(server.pid) == before:
                return


def _ask(pid: int, port: int, path: str, rounds: int) -> tuple[float, float, int]:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    walls, size, used = [], 0, 0.0
    for turn in range(-3, rounds):
        if turn == 0:
            used = _cpu(pid)
        began = time.perf_counter()
        client.request("GET", path)
        answer = client.getresponse()
        size = len(answer.read())
        walls.append(time.perf_counter() - began)
        if answer.status != 200:
            raise SystemExit(f"the page answers {answer.status}")
    return (_cpu(pid) - used) / rounds * 1000, median(walls[3:]) * 1000, size


def _cpu(pid: int) -> float:
    """CPU seconds of a process so far."""
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=100)
    given = parser.parse_args()
    main(given.home, given.rounds)
