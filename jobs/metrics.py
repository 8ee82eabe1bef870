"""健康与指标: what a monitor asks of the running system: /healthz and Prometheus' /metrics."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from jobs.fulfil import deadlines
from jobs.process import fate
from store import leases, outbox
from store.database import DatabaseFault, Engine
from store.nights import list_nights

Now = Callable[[], datetime]
SHANGHAI = ZoneInfo("Asia/Shanghai")
LONGEST = timedelta(hours=6)


class Collector:
    """指标: read from the database when asked, so that they are true after a restart."""

    def __init__(self, engine: Engine, now: Now):
        self._engine, self._now = engine, now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """各项指标."""
        pushes = GaugeMetricFamily("huiqi_pushes", "Pushes by channel and state", labels=["channel", "state"])
        for (channel, state), count in outbox.counts(self._engine).items():
            pushes.add_metric([channel, state], count)
        yield pushes
        jobs = GaugeMetricFamily("huiqi_job_last_success_timestamp", "Last success of a job", labels=["job"])
        for job, at in last_successes(self._engine).items():
            jobs.add_metric([job], at.timestamp())
        yield jobs
        yield GaugeMetricFamily(
            "huiqi_scheduler_leads", "Whether a scheduler leads",
            value=float(bool(leases.leader(self._engine, "schedule", self._now(), fate))),
        )  # fmt: skip
        late = GaugeMetricFamily(
            "huiqi_grants_late", "Grants past their day, by who must act", labels=["holder"]
        )
        counts: dict[str, int] = {}
        for one in deadlines(self._engine, self._now().astimezone(SHANGHAI).date(), within=0):
            if one.late is not None and one.late > 0:
                counts[one.case.holder] = counts.get(one.case.holder, 0) + 1
        for holder, count in counts.items():
            late.add_metric([holder], count)
        yield late
        yield from self._nights()

    def _nights(self) -> Iterator[GaugeMetricFamily]:
        nights = list_nights(self._engine)
        yield GaugeMetricFamily("huiqi_nights", "Finished nights", value=len(nights))
        yield GaugeMetricFamily(
            "huiqi_nights_held", "Nights held", value=sum(n.state == "扣下" for n in nights)
        )
        if nights:
            yield GaugeMetricFamily(
                "huiqi_last_night", "End of the last night", value=nights[0].run.finished.timestamp()
            )


def last_successes(engine: Engine) -> dict[str, datetime]:
    """各作业最近一次成功."""
    found: dict[str, datetime] = {}
    for run in leases.runs(engine, limit=500):
        if run.outcome == leases.DONE and run.finished is not None:
            found.setdefault(run.job, run.finished)
    return found


def health(engine: Engine, now: datetime) -> tuple[bool, dict[str, object]]:
    """健康: good while no job's last run failed and no run hangs."""
    latest: dict[str, leases.JobRun] = {}
    for run in leases.runs(engine, limit=500):
        latest.setdefault(run.job, run)
    failed = sorted(j for j, r in latest.items() if r.outcome == leases.FAILED)
    hanging = sorted(
        j for j, r in latest.items() if r.outcome == leases.RUNNING and now - r.started > LONGEST
    )
    dead = sum(n for (_, state), n in outbox.counts(engine).items() if state == outbox.DEAD)
    good = not failed and not hanging
    report = {
        "ok": good, "failed": failed, "hanging": hanging, "leader": leases.leader(engine, "schedule", now, fate),
        "dead_letters": dead, "at": now.isoformat(),
    }  # fmt: skip
    return good, report


def serve(engine: Engine, now: Now, host: str, port: int) -> ThreadingHTTPServer:
    """开监测口: /healthz and /metrics on a thread of its own."""
    registry = CollectorRegistry()
    registry.register(Collector(engine, now))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                self._tell()
            except DatabaseFault as fault:
                told = {"ok": False, "database": str(fault), "at": now().isoformat()}
                self._answer(503, "application/json", json.dumps(told, ensure_ascii=False).encode())

        def _tell(self) -> None:
            if self.path == "/metrics":
                self._answer(200, "text/plain; version=0.0.4; charset=utf-8", generate_latest(registry))
            elif self.path == "/healthz":
                good, report = health(engine, now())
                body = json.dumps(report, ensure_ascii=False).encode()
                self._answer(200 if good else 503, "application/json", body)
            else:
                self._answer(404, "text/plain; charset=utf-8", "没有这一页".encode())

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Probes are not news."""

    server = ThreadingHTTPServer((host, port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
