"""Measure queueing and delivering N pushes to a receiver on loopback: python scripts/push_rate.py [N] [URL of a database]."""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from jobs.channels import Settings
from jobs.push import push_once
from store import outbox
from store.database import open_database, upgrade, writing


def _receive(pipe) -> None:  # type: ignore[no-untyped-def]
    """A receiver in its own process: answers every POST on kept connections, counts distinct keys."""
    import asyncio

    keys: set[bytes] = set()
    requests = 0

    async def serve(reader, writer) -> None:  # type: ignore[no-untyped-def]
        nonlocal requests
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
                await reader.readexactly(int(fields[b"Content-Length"]))
                requests += 1
                keys.add(fields[b"Idempotency-Key"])
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        while not pipe.poll():
            await asyncio.sleep(0.05)
        pipe.send((requests, len(keys)))

    asyncio.run(run())


def main(count: int, url: str) -> None:
    """Fill the outbox, deliver it, print both rates."""
    ours, theirs = multiprocessing.Pipe()
    receiver = multiprocessing.Process(target=_receive, args=(theirs,), daemon=True)
    receiver.start()
    port = ours.recv()
    engine = open_database(url)
    upgrade(engine)
    began, now = time.perf_counter(), datetime.now(UTC)
    for start in range(0, count, 2000):
        rows = [
            {
                "key": outbox.push_key(f"F{i}", "doc/item", "2026", "webhook", "inform", 1), "firm": f"F{i}",
                "item": "doc/item", "batch": "2026", "channel": "webhook", "kind": "inform", "version": 1,
                "state": "due", "reason": "", "attempts": 0, "next_at": now, "lease": "", "parcel": "",
                "subject": "一项政策", "body": '{"text": "' + "惠" * 300 + '"}', "created": now, "receipt": "",
            }
            for i in range(start, min(start + 2000, count))
        ]  # fmt: skip
        with writing(engine) as opened:
            opened.connection().execute(outbox.Push.__table__.insert(), rows)  # type: ignore[attr-defined]
    queued = time.perf_counter() - began
    settings = Settings(webhook_url=f"http://127.0.0.1:{port}/", webhook_secret="s")
    began = time.perf_counter()
    report = push_once(engine, settings, lambda: datetime.now(UTC), threads=8)
    took = time.perf_counter() - began
    ours.send("stop")
    requests, distinct = ours.recv()
    print(f"queued {count} in {queued:.1f} s ({count / queued:,.0f}/s)")
    print(
        f"delivered {report.counts} in {took:.1f} s ({count / took:,.0f}/s); {requests} requests, {distinct} keys"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        amount = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
        main(amount, sys.argv[2] if len(sys.argv) > 2 else f"sqlite:///{folder}/rate.db")
