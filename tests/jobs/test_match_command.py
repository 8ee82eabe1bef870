"""比对命令: the contract of `huiqi match` and what it says of bad input."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import jobs.cli
from jobs.cli import app

CODE = "统一社会信用代码"
RULE = """
item: d/a
title: 甲
batches: {2026: {year: 2025, opens: 2026-01-01, closes: 2026-12-31}}
conditions:
  all:
    - {id: place, when: 登记地区划 in 本区}
    - {id: rd, when: "研发费用[Y] >= 500万元"}
benefit: {amount: "研发费用[Y] * 10%", cap: 100万元}
"""


@pytest.fixture(scope="module", autouse=True)
def commands() -> None:
    if not app.registered_commands:
        jobs.cli._register()


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "lib" / "d" / "items"
    folder.mkdir(parents=True)
    (folder.parent / "document.yaml").write_text("title: 甲\n", encoding="utf-8")
    (folder / "a.yaml").write_text(RULE, encoding="utf-8")
    (tmp_path / "lib" / "sets").mkdir()
    (tmp_path / "lib" / "sets" / "本区.yaml").write_text('- "990155*"\n', encoding="utf-8")
    return tmp_path / "lib"


def run(*args: object) -> tuple[int, str, str]:
    found = CliRunner().invoke(app, [str(a) for a in args])
    return found.exit_code, found.stdout, found.stderr


def match(library: Path, profiles: Path, out: Path, *more: object) -> tuple[int, str, str]:
    return run(
        "match", "--library", library, "--profiles", profiles, "--as-of", "2026-06-01", "--out", out, *more
    )


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


FIRMS = [
    {CODE: "A", "登记地区划": "990155", "研发费用": {"2025": 6_000_000}},
    {CODE: "B", "登记地区划": "120116", "研发费用": {"2025": 6_000_000}},
    {CODE: "C", "登记地区划": "990155"},
]


def write_jsonl(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), encoding="utf-8")
    return path


def test_the_three_formats_give_the_same_pairs(tmp_path: Path, library: Path) -> None:
    jsonl = write_jsonl(tmp_path / "p.jsonl", FIRMS)
    table = pa.table(
        {
            CODE: ["A", "B", "C"],
            "登记地区划": ["990155", "120116", "990155"],
            "研发费用@2025": [6e6, 6e6, None],
        }
    )
    pq.write_table(table, tmp_path / "p.parquet")
    (tmp_path / "p.csv").write_text(
        f"{CODE},登记地区划,研发费用@2025\nA,990155,6000000\nB,120116,6000000\nC,990155,\n", encoding="utf-8"
    )
    expected = [
        {CODE: "A", "item": "d/a", "batch": "2026", "verdict": "符合", "amount_low": 600000.0, "amount_high": 600000.0,
         "fails": [], "unknown": [], "score": None},
        {CODE: "B", "item": "d/a", "batch": "2026", "verdict": "不符合", "amount_low": None, "amount_high": None,
         "fails": ["place"], "unknown": [], "score": None},
        {CODE: "C", "item": "d/a", "batch": "2026", "verdict": "待核实", "amount_low": None, "amount_high": None,
         "fails": [], "unknown": ["rd"], "score": None},
    ]  # fmt: skip
    for source in (jsonl, tmp_path / "p.parquet", tmp_path / "p.csv"):
        out = tmp_path / f"{source.suffix[1:]}.jsonl"
        assert match(library, source, out, "--all")[0] == 0
        assert lines(out) == expected
        assert match(library, source, out)[0] == 0
        assert lines(out) == [expected[0], expected[2]]
    match(library, jsonl, tmp_path / "o.parquet", "--all")
    assert pq.read_table(tmp_path / "o.parquet").to_pylist() == expected
    match(library, jsonl, tmp_path / "o.csv", "--all")
    with (tmp_path / "o.csv").open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [(r[CODE], r["verdict"], r["amount_low"], r["unknown"]) for r in rows] == [
        ("A", "符合", "600000.0", ""), ("B", "不符合", "", ""), ("C", "待核实", "", "rd"),
    ]  # fmt: skip


def test_the_office_sets_its_own_place(tmp_path: Path, library: Path) -> None:
    jsonl = write_jsonl(tmp_path / "p.jsonl", FIRMS)
    assert match(library, jsonl, tmp_path / "o.jsonl", "--set", "本区=120116*")[0] == 0
    assert [r[CODE] for r in lines(tmp_path / "o.jsonl")] == ["B"]
    code, _, said = match(library, jsonl, tmp_path / "o.jsonl", "--set", "本区")
    assert code == 2 and "本区=120116*" in said


def test_bad_profiles_are_told_line_by_line_and_the_rest_goes_on(tmp_path: Path, library: Path) -> None:
    text = "\n".join(
        [
            json.dumps(FIRMS[0], ensure_ascii=False),
            "{不是 JSON",
            json.dumps({CODE: "A"}),
            json.dumps({"研发费用": {}}),
            json.dumps({CODE: "D", "登记地区划": 990155, "研发费用": 5, "没有的": 1}, ensure_ascii=False),
        ]
    )
    (tmp_path / "p.jsonl").write_text(text, encoding="utf-8")
    code, out, said = match(library, tmp_path / "p.jsonl", tmp_path / "o.jsonl", "--all")
    assert code == 1 and "企业 2 家" in out
    assert [r[CODE] for r in lines(tmp_path / "o.jsonl")] == ["A", "D"]
    for words in ("p.jsonl:2", "不是合法的 JSON", "p.jsonl:3", "重复", "p.jsonl:4", "没有“统一社会信用代码”",
                  "代码要加引号", "按年的指标", "没有“没有的”这个指标"):  # fmt: skip
        assert words in said


def test_a_refused_item_is_named_and_the_others_matched(tmp_path: Path, library: Path) -> None:
    broken = RULE.replace("d/a", "d/b").replace("研发费用[Y] >= 500万元", "研发经费用[Y] >= 500万元")
    (library / "d" / "items" / "b.yaml").write_text(broken, encoding="utf-8")
    code, _, said = match(library, write_jsonl(tmp_path / "p.jsonl", FIRMS), tmp_path / "o.jsonl")
    assert code == 1 and "d/b" in said and "您是不是想写“研发费用”" in said
    assert {r["item"] for r in lines(tmp_path / "o.jsonl")} == {"d/a"}


def test_used_wrongly_is_exit_2_with_one_line(tmp_path: Path, library: Path) -> None:
    for args in (
        (tmp_path / "none", tmp_path / "p.jsonl", tmp_path / "o.jsonl"),
        (library, tmp_path / "none.jsonl", tmp_path / "o.jsonl"),
        (library, write_jsonl(tmp_path / "p.jsonl", FIRMS), tmp_path / "o.xls"),
    ):
        code, _, said = match(*args)
        assert code == 2 and said.startswith("错误：") and said.count("\n") == 1


def test_answers_decide_an_ask(tmp_path: Path, library: Path) -> None:
    asking = RULE.replace("    - {id: rd", "    - {id: lead, ask: 是否领先？}\n    - {id: rd")
    (library / "d" / "items" / "a.yaml").write_text(asking, encoding="utf-8")
    profiles = write_jsonl(tmp_path / "p.jsonl", FIRMS[:1])
    answer = {CODE: "A", "item": "d/a", "batch": "2026", "id": "lead", "answer": False}
    answers = write_jsonl(tmp_path / "a.jsonl", [answer])
    match(library, profiles, tmp_path / "o.jsonl", "--all", "--answers", answers)
    assert lines(tmp_path / "o.jsonl")[0]["fails"] == ["lead"]


def test_coming_batches_are_asked_for(tmp_path: Path, library: Path) -> None:
    profiles = write_jsonl(tmp_path / "p.jsonl", FIRMS[:1])
    args = (
        "match",
        "--library",
        library,
        "--profiles",
        profiles,
        "--out",
        tmp_path / "o.jsonl",
        "--as-of",
        "2025-12-20",
    )
    run(*args)
    assert lines(tmp_path / "o.jsonl") == []
    run(*args, "--upcoming", "30")
    assert len(lines(tmp_path / "o.jsonl")) == 1


def test_check_prints_the_contract(library: Path) -> None:
    code, out, _ = run("check", library, "--json")
    found = json.loads(out)
    assert code == 1 and found["documents"] == 1 and found["items"] == 1 and found["cases"] == 0
    assert set(found["problems"][0]) == {"code", "level", "file", "line", "column", "message"}
