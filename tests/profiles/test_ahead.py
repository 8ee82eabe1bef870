"""先行解析: a second process parses exactly what this one would."""

from __future__ import annotations

import pytest

from profiles.ahead import parsed_chunks
from profiles.ingest import Plan, load_dictionary
from profiles.reading import open_table
from profiles.source import SourceError, parse_source

SOURCE = parse_source(
    "source: t\ndepartment: 局\nfirm: {code: 代码, name: 名称}\n"
    "columns: {名称: {indicator: 企业名称}, 资本: {indicator: 注册资本, unit: 万元}}\n",
    "t.yaml",
)


def test_parsing_ahead_changes_nothing(tmp_path):
    path = tmp_path / "a.csv"
    rows = "".join(f"91120116MA05J7AB5W,企业{n},{n if n % 3 else '约' + str(n)}\n" for n in range(50))
    path.write_text("代码,名称,资本\n" + rows, "utf-8")
    found = []
    for ahead in (None, path):
        with open_table(path, SOURCE, chunk=7) as table:
            plan = Plan(SOURCE, table.header, load_dictionary())
            found.append(list(parsed_chunks(plan, table, ahead)))
    assert found[0] == found[1]
    assert sum(parsed.rows for _, parsed in found[1]) == 50


def test_a_fault_over_there_is_raised_here(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("代码,名称,资本\n", "utf-8")
    with open_table(path, SOURCE) as table:
        plan = Plan(SOURCE, table.header, load_dictionary())
        with pytest.raises(SourceError, match="没有这个文件"):
            list(parsed_chunks(plan, table, tmp_path / "b.csv"))
