"""The sample through the real import: every fault of the manifest is accounted for, and the facts are those observed."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from typer.testing import CliRunner

from jobs import cli
from profiles import sample
from profiles.dictionary import builtin_dictionary
from profiles.inputs import read_profiles
from profiles.portrait import Portrayer
from tests.databases import database_in

SOURCES = (
    "market_registration",
    "tax_annual",
    "customs",
    "high_tech",
    "credit_lists",
    "finance_loans",
    "talents",
)


@pytest.fixture(scope="module")
def imported(database, tmp_path_factory):
    """A store with some departments' files of 150 firms, 4 % of their rows dirty; and the reports of the imports."""
    folder = tmp_path_factory.mktemp("sample")
    made = sample.generate(150, 17)
    manifest = sample.write_sample(made, folder / "in", 0.04)
    run, env = CliRunner(), {"HUIQI_DB": database_in(folder, bare=True)}
    cli._register()
    reports = {}
    for name in SOURCES:
        file = next(f["file"] for f in manifest["files"] if f["source"] == name)
        done = run.invoke(cli.app, ["import", str(folder / "in" / file), "--source", name, "--json"], env=env)
        reports[file] = json.loads(done.stdout)
    return made, manifest, reports, run, env, folder


def test_imports_account_for_every_fault_and_for_nothing_else(imported):
    _, manifest, reports, *_ = imported
    for file, report in reports.items():
        faults = [f for f in manifest["faults"] if f["file"] == file]
        expected = Counter(f["expect"] for f in faults)
        assert report["rejected"] + report["to_confirm"] == expected["not_landed"], file
        assert report["unchanged"] == expected["duplicate"], file
        assert {p["line"] for p in report["problems"]} == {
            f["line"] for f in faults if f["expect"] == "not_landed"
        }, file
        counts = (
            report["new"]
            + report["changed"]
            + report["unchanged"]
            + report["rejected"]
            + report["to_confirm"]
        )
        assert counts == report["rows"], file
    assert sum(len([f for f in manifest["faults"] if f["file"] == file]) for file in reports) > 20


def test_facts_in_the_store_are_those_the_departments_told(imported):
    from store.database import open_database
    from store.firms import provenance

    made, manifest, _, _, env, _ = imported
    seen = sample.observe(made).frame
    spoiled = {f["code"] for f in manifest["faults"]}
    engine = open_database(env["HUIQI_DB"])
    dictionary = builtin_dictionary()
    rows = [row for row in range(len(seen)) if seen["统一社会信用代码"][row] not in spoiled][:25]
    names = ["营业收入", "研发费用", "资产负债率", "出口额", "贷款发生额"]
    compared = 0
    for row in rows:
        facts = provenance(engine, seen["统一社会信用代码"][row], made.data_day, dictionary)
        assert facts["企业名称", None].value == seen["企业名称"][row]
        assert facts["成立日期", None].value == seen["成立日期"][row].date()
        for name in names:
            for year in (2022, 2023, 2024, 2025):
                expected = seen[f"{name}@{year}"][row]
                fact = facts.get((name, year))
                if np.isnan(expected):
                    assert fact is None or fact.value is None, (name, year)
                else:
                    assert fact is not None and fact.value == pytest.approx(expected, abs=0.006), (name, year)
                    compared += 1
    assert compared > 150


def test_portrait_from_the_store_and_from_a_profiles_file(imported):
    made, manifest, _, run, env, folder = imported
    spoiled = {f["code"] for f in manifest["faults"]}
    code = next(
        c
        for c, r in zip(made.truth["统一社会信用代码"], made.truth["研发费用@2025"], strict=True)
        if c not in spoiled and r > 1e5
    )
    stored = run.invoke(cli.app, ["portrait", code, "--as-of", "2099-06-16", "--json"], env=env)
    assert stored.exit_code == 0, stored.output
    path = folder / "firms.parquet"
    sample.write_profiles(made, path)
    filed = run.invoke(
        cli.app, ["portrait", code, "--profiles", str(path), "--as-of", "2026-06-16", "--json"]
    )
    assert filed.exit_code == 0, filed.output
    columns = read_profiles(path, builtin_dictionary(), lambda problem: None)
    row = list(columns.codes).index(code)
    from datetime import date

    expected = {line.name: line.text for line in Portrayer(columns, date(2026, 6, 16)).lines(row)}
    assert {line["name"]: line["text"] for line in json.loads(filed.stdout)["lines"]} == expected
    told = json.loads(stored.stdout)
    assert told["code"] == code and told["text_tags"] and 0 < told["completeness"] < 1
    assert (
        run.invoke(cli.app, ["portrait", "91120116MA0000000X", "--as-of", "2026-06-16"], env=env).exit_code
        == 1
    )
    shown = run.invoke(cli.app, ["portrait", code, "--profiles", str(path), "--as-of", "2026-06-16"])
    assert "【文本标签】" in shown.output and "完整度" in shown.output
