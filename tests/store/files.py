"""What the tests of files share: made-up codes, small sources, ways to import texts."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from profiles.codes import check_character
from profiles.ingest import load_dictionary
from profiles.source import Source, parse_source
from store.imports import BatchReport, import_file

DICTIONARY = load_dictionary()
MARCH = datetime(2026, 3, 1, 2, tzinfo=UTC)


def code(number: int) -> str:
    """A valid, made-up code."""
    body = f"{number:08d}"
    total = sum(int(c) * w for c, w in zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    first = "91120116" + body + {10: "X", 11: "0"}.get(11 - total % 11, str(11 - total % 11))
    return first + check_character(first)


def source(name: str, columns: str, more: str = "") -> Source:
    """A source with `代码` and `名称` and the given columns (YAML flow)."""
    return parse_source(
        f"source: {name}\ndepartment: {name}局\nauthority: 2\nfirm: {{code: 代码, name: 名称}}\n"
        f"{more}\ncolumns: {{{columns}}}\n",
        f"{name}.yaml",
    )


REGISTER = source(
    "登记",
    "名称: {indicator: 企业名称}, 资本: {indicator: 注册资本, unit: 万元}, 状态: {indicator: 登记状态}",
)
TAX = source(
    "税务", "营收: {indicator: 营业收入, unit: 万元}, 人数: {indicator: 从业人数}", "year: {column: 年度}"
)


def put(
    engine, folder: Path, declared: Source, text: str, *, day: str = "", arrived: datetime = MARCH, **more
) -> BatchReport:
    """Import a text of CSV as a file of its own."""
    number = len(list(folder.glob("*.csv")))
    path = folder / f"{declared.source}-{number}.csv"
    path.write_text(text, "utf-8")
    return import_file(
        engine, path, declared, dictionary=DICTIONARY, arrived_at=arrived,
        day=date.fromisoformat(day) if day else None, **more,
    )  # fmt: skip


def numbers(report: BatchReport) -> tuple[int, ...]:
    """rows, new, changed, unchanged, rejected, to_confirm; checked to add up."""
    found = (report.rows, report.new, report.changed, report.unchanged, report.rejected, report.to_confirm)
    assert found[0] == sum(found[1:])
    return found
