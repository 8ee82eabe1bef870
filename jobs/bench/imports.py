"""测速 import: a registration file of invented firms into an empty store, again unchanged, then one in a hundred changed."""

from __future__ import annotations

import csv
import multiprocessing
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from jobs.bench.match import Report, Row
from jobs.bench.names import make_names
from jobs.bench.text import make_scopes
from profiles.ingest import load_dictionary
from profiles.sample.codes import credit_codes
from profiles.source import load_sources
from store.database import open_database, upgrade
from store.imports import BatchReport, import_file

HEADER = [
    "企业名称",
    "统一社会信用代码",
    "注册日期",
    "企业类型",
    "注册资金",
    "经营范围",
    "所在省份",
    "地区",
    "注册地址",
]
OFFICES = np.array(["120116", "120118", "120110", "110108", "440305", "310115"])
KINDS = np.array(
    ["有限责任公司(自然人独资)", "有限责任公司", "股份有限公司(非上市、自然人投资或控股)", "N/A"]
)
AMOUNTS = np.array(["{:,}(万元人民币)", "{}万人民币", "{:,}.0000(万美元)", "N/A"])
AMOUNT_SHARES = (0.8, 0.1, 0.05, 0.05)
ROADS = np.array(
    [
        "天津港保税区海滨九路",
        "天津市滨海新区大港世纪大道",
        "天津开发区洞庭路",
        "天津市滨海高新区华苑产业区海泰发展五道",
    ]
)
FAULTS = 2_000  # one row in so many is shifted or wrongly coded


def write_file(path: Path, rows: int, seed: int, changed: int = 0) -> int:
    """写登记文件: `rows` rows as the registers write them; one in `changed` differs from the file without. Returns faults."""
    rng = np.random.default_rng([seed, rows])
    codes = credit_codes(rng, OFFICES[rng.integers(len(OFFICES), size=rows)], rng.random(rows) < 0.5).tolist()
    names, scopes = make_names(rows, seed), make_scopes(rows, seed)
    days = np.datetime64("1992-01-01") + rng.integers(0, 12_000, size=rows)
    kinds = KINDS[rng.integers(len(KINDS), size=rows)].tolist()
    forms = AMOUNTS[rng.choice(len(AMOUNTS), size=rows, p=AMOUNT_SHARES)].tolist()
    amounts = rng.integers(1, 20_000, size=rows).tolist()
    roads = ROADS[rng.integers(len(ROADS), size=rows)].tolist()
    doors = rng.integers(1, 9_999, size=rows).tolist()
    faulty = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(HEADER)
        for i, day in enumerate(days.astype(str).tolist()):
            door = f"{doors[i]}号" + ("附1号" if changed and i % changed == 0 else "")
            row = [
                names[i],
                codes[i],
                day,
                kinds[i],
                forms[i].format(amounts[i]),
                scopes[i],
                "天津",
                "滨海",
                roads[i] + door,
            ]
            if i % FAULTS == FAULTS - 1:
                row = [*row[:3], *row[4:]] if i % (2 * FAULTS) < FAULTS else [row[0], row[1][:-2], *row[2:]]
                faulty += 1
            out.writerow(row)
    return faulty


def bench_import(rows: int, seed: int, folder: Path | None = None) -> Report:
    """测速: first import, the same file again, one row in a hundred changed; wall and CPU seconds, memory, accounts."""
    report = Report(rows, 1)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        place = Path(name)
        # In a process of its own, so that what making the files takes does not count as the import's memory.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            faulty = pool.submit(write_file, place / "登记.csv", rows, seed).result()
            pool.submit(write_file, place / "登记_变.csv", rows, seed, 100).result()
        report.facts["文件 MB"] = (place / "登记.csv").stat().st_size / 1e6
        engine = open_database(f"sqlite:///{place / 'store.db'}")
        upgrade(engine)
        for title, file in (
            ("第一次", "登记.csv"),
            ("原样再来", "登记.csv"),
            ("百分之一变了", "登记_变.csv"),
        ):
            held = _take(report, title, engine, place / file)
            _check(report, title, held, rows, faulty)
        engine.dispose()
        report.facts["库 MB"] = sum(path.stat().st_size for path in place.glob("store.db*")) / 1e6
    return report


def _take(report: Report, title: str, engine, path: Path) -> BatchReport:
    before, begun = _cpu(), time.perf_counter()
    held = import_file(
        engine,
        path,
        load_sources()["registration"],
        dictionary=load_dictionary(),
        arrived_at=datetime.now(UTC),
        ahead=True,
    )
    report.rows.append(Row(f"huiqi {title}", [time.perf_counter() - begun]))
    report.facts[f"{title} CPU 秒（两个进程合计）"] = _cpu() - before
    report.facts[f"{title} 内存峰值 MB（本进程）"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return held


def _check(report: Report, title: str, held: BatchReport, rows: int, faulty: int) -> None:
    total = held.new + held.changed + held.unchanged + held.rejected + held.to_confirm
    if held.rows != rows or total != rows:
        report.problems.append(f"{title}：{held.rows}行，各项合计{total}，应当都是{rows}")
    if held.rejected + held.to_confirm != faulty:
        report.problems.append(f"{title}：退回和待确认{held.rejected + held.to_confirm}行，应当是{faulty}")


def _cpu() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
