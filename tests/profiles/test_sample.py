"""The invented sample: valid codes, believable figures, exact accounts of its dirt, the same for the same seed."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from stdnum.cn import uscc

from profiles import sample, tables
from profiles.dictionary import builtin_dictionary
from profiles.inputs import read_profiles
from profiles.sample.departments import SHEETS
from profiles.sample.other import size_class

FIRMS = 1500


@pytest.fixture(scope="module")
def made() -> sample.Sample:
    return sample.generate(FIRMS, 11)


def inner_check(code: str) -> str:
    """GB 11714, written out here once more: letters count from A=10."""
    body = code[8:16]
    total = sum(int(c, 36) * w for c, w in zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    return "0123456789X0"[(11 - total % 11)]


def test_codes_are_valid_outside_and_inside_and_all_different(made):
    codes = made.truth["统一社会信用代码"].tolist()
    assert len(set(codes)) == FIRMS
    assert all(uscc.is_valid(code) for code in codes)
    assert all(inner_check(code) == code[16] for code in codes)


def test_names_are_distinct_and_industries_and_places_are_official(made):
    truth = made.truth
    assert truth["企业名称"].is_unique
    names = tables.industry_names()
    assert all(
        code[1:] in names and tables.full_code(code[1:]) == code for code in truth["行业代码"].unique()
    )
    assert set(truth["登记地区划"]) <= set(tables.division_names())
    assert 0.7 < (truth["登记地区划"] == "120116").mean() < 0.9


def test_every_column_is_an_indicator_of_its_kind(made):
    dictionary = builtin_dictionary()
    for frame in (made.truth, *made.lists.values()):
        for column in frame.columns:
            name, _, year = column.partition("@")
            if name != "统一社会信用代码":
                assert dictionary[name].yearly == bool(year), column


def test_figures_hang_together(made):
    truth = made.truth
    assert (truth["研发费用@2025"].dropna() <= truth["营业收入@2025"].dropna()).all()
    assert (truth["研发人员数@2025"].dropna() <= truth["从业人数@2025"].dropna()).all()
    founded = truth["成立日期"].dt.year
    assert truth.loc[founded > 2024, "营业收入@2024"].isna().all()
    logs = np.log(truth[["从业人数@2025", "营业收入@2025", "资产总额@2025"]].dropna()).corr()
    assert logs.to_numpy().min() > 0.4
    holders = truth["高新技术企业有效期至"] >= pd.Timestamp(made.data_day)
    assert 0.02 < holders.mean() < 0.25
    ratio = truth["研发费用@2024"] / truth["营业收入@2024"]
    assert ratio[holders].median() > 3 * ratio[~holders].mean()
    assert (truth.loc[truth["专精特新小巨人有效期至"].notna(), "专精特新中小企业有效期至"].notna()).all()


def test_the_same_seed_gives_the_same_firms_and_another_gives_others(made):
    again = sample.generate(FIRMS, 11)
    pd.testing.assert_frame_equal(made.truth, again.truth)
    assert not made.truth["企业名称"].equals(sample.generate(FIRMS, 12).truth["企业名称"])


def test_departments_never_know_more_than_the_truth(made):
    seen = sample.observe(made)
    for name in seen.frame.columns:
        told = seen.frame[name].notna()
        assert made.truth.loc[told, name].notna().all(), name
    blank = seen.frame["营业收入@2025"].isna() & made.truth["营业收入@2025"].notna()
    assert 0.03 < blank.mean() < 0.15
    pairs = seen.frame["营业收入@2025"].dropna()
    assert (abs(pairs - made.truth.loc[pairs.index, "营业收入@2025"]) <= 50.01).all()


def test_files_and_manifest_account_for_every_fault(made, tmp_path: Path):
    manifest = sample.write_sample(made, tmp_path, 0.05)
    assert {f["source"] for f in manifest["files"]} == {sheet.source for sheet in SHEETS}
    assert {f["kind"] for f in manifest["faults"]} == {
        "校验位错",
        "代码错字",
        "整行错位",
        "乱码",
        "外币",
        "带单位",
        "空值写法",
        "重复行",
    }
    tax = next(f for f in manifest["files"] if f["source"] == "tax_annual")
    with (tmp_path / tax["file"]).open(encoding="utf-8-sig", newline="") as handle:
        lines = list(csv.reader(handle))
    assert len(lines) == tax["rows"] + 1
    faults = [f for f in manifest["faults"] if f["file"] == tax["file"]]
    assert 0.03 < len(faults) / tax["rows"] < 0.07
    for fault in faults:
        row = lines[fault["line"] - 1]
        if fault["kind"] in ("外币", "带单位", "空值写法", "乱码", "校验位错", "代码错字"):
            assert row[lines[0].index(fault["column"])] == fault["written"]
        elif fault["kind"] == "重复行":
            assert lines.count(row) >= 2
        else:
            assert row[0] == "" and row[1] == fault["code"]
    dirty = {f["line"] for f in faults}
    clean = [row for number, row in enumerate(lines[1:], 2) if number not in dirty]
    assert all(uscc.is_valid(row[0]) for row in clean)
    assert all(cell == "" or float(cell) is not None for row in clean for cell in row[3:20])


def test_files_are_the_same_bytes_for_the_same_seed(tmp_path: Path):
    for folder in ("a", "b"):
        sample.write_sample(sample.generate(60, 3), tmp_path / folder, 0.1)
    for path in (tmp_path / "a").iterdir():
        if path.suffix != ".xlsx":
            assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_profiles_of_every_ending_say_the_same(made, tmp_path: Path):
    small = sample.generate(80, 5)
    columns = []
    for name in ("p.parquet", "p.jsonl", "p.csv"):
        sample.write_profiles(small, tmp_path / name)
        problems: list = []
        columns.append(read_profiles(tmp_path / name, builtin_dictionary(), problems.append))
        assert problems == []
    first = columns[0]
    for other in columns[1:]:
        assert list(other.codes) == list(first.codes)
        for key, values in other.numbers.items():
            np.testing.assert_allclose(values, first.numbers[key], rtol=1e-12, equal_nan=True)
        for key, texts in other.categories.items():
            expected = first.categories[key]
            assert [texts.names[c] if c >= 0 else None for c in texts.codes] == [
                expected.names[c] if c >= 0 else None for c in expected.codes
            ]
    assert len(columns[1].rows["项目"].owner) == len(first.rows["项目"].owner) == len(small.lists["项目"])


def test_sources_declared_for_the_files_are_current():
    from scripts.make_sample_sources import FOLDER, declaration

    for sheet in SHEETS:
        assert (FOLDER / f"{sheet.source}.yaml").read_text(encoding="utf-8") == declaration(sheet)


@pytest.mark.parametrize(
    ("code", "staff", "revenue", "assets", "expected"),
    [
        ("C3983", 300, 2_000e4, 0, "中型"),  # 工业 300人、2000万元 are floors of 中型
        ("C3983", 299, 40_000e4, 0, "小型"),  # one figure below the floor: a class lower
        ("C3983", 19, 40_000e4, 0, "微型"),
        ("F5164", 200, 40_000e4, 0, "大型"),
        ("L7212", 100, 0, 8_000e4, "中型"),  # 商务服务 counts staff and assets
        ("M7320", 300, 0, 0, "大型"),  # 其他未列明 counts staff alone
        ("J6631", 500, 9e9, 9e9, None),  # finance has a standard of its own
        ("C3983", np.nan, 9e9, 0, None),
    ],
)
def test_size_class_by_the_standard_of_2017(code, staff, revenue, assets, expected):
    one = size_class(*(np.array([v]) for v in (code, float(staff), float(revenue), float(assets))))
    assert one[0] == expected


def test_command_refuses_what_it_cannot_write(tmp_path: Path):
    from typer.testing import CliRunner

    from jobs import cli

    cli._register()
    run = CliRunner()
    assert run.invoke(cli.app, ["sample", "--firms", "3"]).exit_code == 2
    assert run.invoke(cli.app, ["sample", "--firms", "3", "--profiles", "x.txt"]).exit_code == 2
    done = run.invoke(cli.app, ["sample", "--firms", "20", "--out", str(tmp_path / "in"), "--dirt", "0.1"])
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "in" / "manifest.json").read_text("utf-8"))["firms"] == 20
