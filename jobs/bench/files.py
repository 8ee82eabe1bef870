"""测速 files: seven departments' files of invented firms into a store, its columns made anew, one firm changed."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from jobs.bench.match import Report, Row
from profiles.ingest import load_dictionary
from profiles.sample.facts import DATA_DAY, generate
from profiles.sample.write import write_sample
from profiles.source import load_sources, parse_source
from store.database import open_database, upgrade
from store.firms import firm_codes, provenance
from store.imports import import_file
from store.snapshots import build_snapshot

SOURCES = (
    "market_registration", "statistical_register", "tax_annual", "social_insurance", "customs", "high_tech", "credit_lists",
)  # fmt: skip
ONE = "source: bench_one\ndepartment: 统计局\nauthority: 1\nexpect_rows: 不定\nfirm: {code: 代码}\ncolumns: {人数: {indicator: 参保人数, year: 2024}}\n"
AT = datetime(2026, 7, 1, tzinfo=UTC)


def bench_files(firms: int, seed: int, repeat: int, folder: Path | None = None) -> Report:
    """测速: columns of all firms; then one firm's row changes and the columns follow, `repeat` times; wall and CPU seconds."""
    report, words, as_of = Report(firms, 1), load_dictionary(), DATA_DAY + timedelta(days=30)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        place = Path(name)
        manifest = write_sample(generate(firms, seed), place / "in", only=SOURCES)
        engine = open_database(f"sqlite:///{place / 'store.db'}")
        upgrade(engine)
        sources = load_sources()
        for file in manifest["files"]:
            path, source = place / "in" / file["file"], sources[file["source"]]
            held = import_file(engine, path, source, dictionary=words, arrived_at=AT, accept=True)
            if held.rows != held.new + held.changed + held.unchanged + held.rejected + held.to_confirm:
                report.problems.append(f"{file['file']}：各项合计不等于{held.rows}行")
        made = _clocked(report, "huiqi 快照全部重建", lambda: build_snapshot(engine, place / "snap", as_of))
        if made.rows != len(firm_codes(engine)):
            report.problems.append(f"快照{made.rows}家，库里{len(firm_codes(engine))}家")
        codes = firm_codes(engine)[:: max(1, firms // repeat)][:repeat]
        _one_by_one(report, engine, place, codes, as_of)
        again = build_snapshot(engine, place / "anew", as_of).table()
        if not again.equals(build_snapshot(engine, place / "snap", as_of).table().select(again.column_names)):
            report.problems.append("逐家更新的快照与重建的不同")
        engine.dispose()
    return report


def _one_by_one(report: Report, engine: Any, place: Path, codes: list[str], as_of: date) -> None:
    source, words = parse_source(ONE, "bench_one.yaml"), load_dictionary()
    wall, cpu, shown = [], [], []
    for number, code in enumerate(codes):
        path = place / f"one-{number}.csv"
        path.write_text(f"代码,人数\n{code},{number + 1}\n", "utf-8")
        import_file(engine, path, source, dictionary=words, arrived_at=AT, accept=True)
        begun, used = time.perf_counter(), time.process_time()
        build_snapshot(engine, place / "snap", as_of)
        wall.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - used)
        begun = time.perf_counter()
        provenance(engine, code, as_of, words)
        shown.append(time.perf_counter() - begun)
    report.rows.append(Row("一家变了，快照更新", wall))
    report.rows.append(Row("看一家的档案", shown))
    report.facts["一家变了 CPU 毫秒（中位）"] = 1000 * sorted(cpu)[len(cpu) // 2]


def _clocked(report: Report, title: str, job: Callable[[], Any]) -> Any:
    begun, used = time.perf_counter(), time.process_time()
    result = job()
    report.rows.append(Row(title, [time.perf_counter() - begun]))
    report.facts[f"{title} CPU 秒"] = time.process_time() - used
    return result
