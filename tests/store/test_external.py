"""外部数据库: a table or a query lands like a file, is never written to, and its faults are one clear line."""

from __future__ import annotations

import sqlite3

import pytest
from files import DICTIONARY, MARCH, code, numbers

from profiles.source import SourceError, parse_source
from profiles.trial import try_table
from store.external import import_query, open_query
from store.firms import provenance


def declared(where: str):
    return parse_source(
        f"source: 税库\ndepartment: 税务局\ndatabase: {{url_env: TAX_DB, {where}}}\nfirm: {{code: 代码}}\n"
        "year: {column: 年度}\ncolumns: {营收: {indicator: 营业收入, unit: 万元}}\n",
        "税库.yaml",
    )


@pytest.fixture
def other(tmp_path):
    path = tmp_path / "tax.db"
    with sqlite3.connect(path) as made:
        made.execute('CREATE TABLE "年度 申报" (代码 TEXT, 年度 INTEGER, 营收 REAL)')
        rows = [(code(1), 2024, 1234.5), (code(2), 2024, None), ("9112", 2024, 1)]
        made.executemany('INSERT INTO "年度 申报" VALUES (?, ?, ?)', rows)
    made.close()
    return path


@pytest.mark.parametrize("where", ["table: 年度 申报", "query: 'SELECT * FROM \"年度 申报\" ORDER BY 代码'"])
def test_a_table_and_a_query_land_like_a_file(engine, other, where):
    source, env = declared(where), {"TAX_DB": str(other)}
    before = sorted(other.parent.iterdir()), other.read_bytes()
    report = import_query(engine, source, env=env, dictionary=DICTIONARY, arrived_at=MARCH)
    assert numbers(report) == (3, 2, 0, 0, 1, 0)
    facts = provenance(engine, code(1), MARCH.date())
    assert facts["营业收入", 2024].value == 12_345_000
    again = import_query(engine, source, env=env, dictionary=DICTIONARY, arrived_at=MARCH)
    assert numbers(again) == (3, 0, 0, 2, 1, 0)
    with open_query(source, env) as table:
        trial = try_table(source, table, "税库", DICTIONARY, 1)
    assert "    营业收入@2024：12,345,000.00元" in trial.lines
    after = [path for path in sorted(other.parent.iterdir()) if not path.name.startswith("huiqi")]
    assert (after, other.read_bytes()) == (
        [p for p in before[0] if not p.name.startswith("huiqi")],
        before[1],
    )


@pytest.mark.parametrize(
    ("url", "where", "said"),
    [
        ("", "table: t", "请设环境变量 TAX_DB"),
        ("/nowhere/at/all.db", "table: t", "读不了：unable to open"),
        ("nonsense://x", "table: t", "读不懂"),
        (None, "table: 没有这张表", "读不了：no such table"),
        (None, "query: selct 1", "读不了：near"),
    ],
)
def test_what_cannot_be_read_is_one_line(engine, other, url, where, said):
    env = {"TAX_DB": str(other) if url is None else url}
    with pytest.raises(SourceError, match=said) as error:
        import_query(engine, declared(where), env=env, dictionary=DICTIONARY, arrived_at=MARCH)
    assert "\n" not in str(error.value)


def test_a_declaration_names_a_table_or_a_query():
    with pytest.raises(SourceError, match="要写 table 或 query"):
        declared("table: a, query: b")
