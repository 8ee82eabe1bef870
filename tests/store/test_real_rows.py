"""Real and generated department files: every row accounted for, every planted fault where it should be."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from stdnum.cn import uscc

from profiles.codes import is_code
from profiles.ingest import load_dictionary
from profiles.sample.facts import generate
from profiles.sample.write import write_sample
from profiles.source import load_sources
from store.batches import source_of
from store.firms import firm_codes, provenance
from store.imports import import_file
from store.snapshots import build_snapshot

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
REAL = SHARED / "data" / "enterprises" / "tianjin_binhai.csv"
DICTIONARY, SOURCES = load_dictionary(), load_sources()
AT = datetime(2026, 7, 1, tzinfo=UTC)


def test_every_planted_fault_of_the_sample_is_met_as_it_should_be(engine, tmp_path):
    manifest = write_sample(generate(60, 3), tmp_path / "files", 0.05)
    planted = defaultdict(dict)
    for fault in manifest["faults"]:
        planted[fault["file"]][fault["line"]] = fault["expect"]
    assert sum(map(len, planted.values())) > 40
    for path in sorted((tmp_path / "files").iterdir()):
        source = source_of(path.name, SOURCES.values())
        if source is None:
            assert path.suffix in (".md", ".json"), path.name
            continue
        report = import_file(engine, path, source, dictionary=DICTIONARY, arrived_at=AT, accept=True)
        assert (
            report.rows
            == report.new + report.changed + report.unchanged + report.rejected + report.to_confirm
        )
        listed = {problem.line for problem in report.problems}
        assert listed == {line for line, expect in planted[path.name].items() if expect == "not_landed"}, (
            path.name
        )
        assert report.unchanged == sum(expect == "duplicate" for expect in planted[path.name].values())


@pytest.mark.skipif(not REAL.is_file(), reason="the shared registration data are not here")
def test_the_real_registration_file(engine, tmp_path):
    with REAL.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    first = import_file(engine, REAL, SOURCES["registration"], dictionary=DICTIONARY, arrived_at=AT)
    assert (first.rows, first.new) == (len(rows), sum(uscc.is_valid(r["统一社会信用代码"]) for r in rows))
    assert all(is_code(r["统一社会信用代码"]) for r in rows)
    again = import_file(engine, REAL, SOURCES["registration"], dictionary=DICTIONARY, arrived_at=AT)
    assert (again.unchanged, again.new, again.changed) == (len(rows), 0, 0)
    assert firm_codes(engine) == sorted(r["统一社会信用代码"] for r in rows)
    table = build_snapshot(engine, tmp_path / "snap", date(2026, 7, 2)).table(only={"注册资本", "成立日期"})
    got = {r["统一社会信用代码"]: r for r in table.to_pylist()}
    for row in rows:
        found = got[row["统一社会信用代码"]]
        assert found["成立日期"] == date.fromisoformat(row["注册日期"])
        # An independent reading of the only forms that say renminbi beyond doubt; all others must be empty.
        plain = re.fullmatch(r"([\d,.]+)\(?万元?(?:人民币元?)?\)?", row["注册资金"])
        sure = plain and ("人民币" in row["注册资金"] or "万元" in row["注册资金"])
        expected = round(float(plain[1].replace(",", "")) * 10_000, 2) if sure and plain else None
        assert found["注册资本"] == expected, row["注册资金"]
    foreign = next(r for r in rows if "万美元" in r["注册资金"])
    fact = provenance(engine, foreign["统一社会信用代码"], date(2026, 7, 2))["注册资本", None]
    assert (fact.state, fact.value, fact.shown) == ("不可取用", None, foreign["注册资金"])


def shifted(row: list[str]) -> list[list[str]]:
    """A row as rows go wrong in such files: cells lost, doubled, rotated, swapped, cut in two, misread."""
    name, code, day, kind, money, scope, province, region, address = row
    half = max(1, len(scope) // 2)
    return [
        row[:3] + row[4:],
        [*row[:3], "多", *row[3:]],
        row[1:] + row[:1],
        row[-1:] + row[:-1],
        [*row[:3], *row[4:], ""],
        [name, code, day, kind, money, scope[:half], scope[half:] + "；", province, region],
        [name, code, day, kind, money, scope, region, address, ""],
        [name, code, kind, day, money, scope, province, region, address],
        [code, name, day, kind, money, scope, province, region, address],
        [name, code, day, "1,000(万元人民币)", kind, scope, province, region, address],
        [name.encode().decode("gbk", "replace"), *row[1:]],
        [*row[:5], scope.encode().decode("latin1"), *row[6:]],
        [name, code, "1992-13-01", *row[3:]],
        [name, code[:-1] + ("0" if code[-1] != "0" else "1"), *row[2:]],
    ]


@pytest.mark.skipif(not REAL.is_file(), reason="the shared registration data are not here")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_real_rows_gone_wrong_are_rejected_and_no_amount_is_wrong(engine, tmp_path, encoding):
    with REAL.open(encoding="utf-8-sig", newline="") as file:
        head, *rows = csv.reader(file)
    wrong = [one for row in rows[::97] for one in shifted(row)]
    # What is no amount at all is the only sign some shifted rows give.
    wrong += [[*row[:4], "1,00万元" if row[8] else "300-500万元", *row[5:]] for row in rows[2::97]]
    # Other amounts in sound rows: bare, without a currency, in another one, none.
    odd = ["5000", "100(万)", "4,537.9(万美元)", "N/A", "壹佰万元整", "1,234.5(万元人民币)"]
    sound = [[*row[:4], odd[i % len(odd)], *row[5:]] for i, row in enumerate(rows[1::97])]
    moved = [5, 0, 1, 2, 8, 3, 4, 6, 7]
    path = tmp_path / "登记.csv"
    with path.open("w", encoding=encoding, newline="", errors="replace") as file:
        out = csv.writer(file)
        out.writerow([head[i] for i in moved])
        for row in [*sound, *wrong]:
            out.writerow([row[i] for i in moved] if len(row) == len(head) else row)
    report = import_file(
        engine, path, SOURCES["registration"], dictionary=DICTIONARY, arrived_at=AT, accept=True
    )
    assert report.rows == len(sound) + len(wrong)
    assert (report.new, report.rejected, report.to_confirm) == (len(sound), len(wrong), 0)
    assert len({p.line for p in report.problems if p.line > len(sound) + 1}) == len(wrong)
    right = {"壹佰万元整": 1_000_000.0, "1,234.5(万元人民币)": 12_345_000.0}
    for row in sound:
        fact = provenance(engine, row[1], date(2026, 7, 2)).get(("注册资本", None))
        assert (fact.value if fact else None) == right.get(row[4]), row[4]
