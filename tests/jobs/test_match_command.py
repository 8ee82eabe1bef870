"""比对命令: the contract of `huiqi match` and what it says of bad input."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import jobs.cli
from engine.columns import to_value
from engine.errors import Problem
from engine.literal import parse_number
from jobs import rules
from jobs.bench import work
from jobs.cli import app
from policies.library import LibraryError
from profiles.dictionary import builtin_dictionary
from profiles.inputs import ProfilesError, read_profiles

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


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_firm_twice_in_a_table_is_told_with_both_lines(tmp_path: Path, library: Path, form: str) -> None:
    """The first row counts, and the second is not silently lost; a row without a code is told as well."""
    path, codes = tmp_path / f"p.{form}", ["A", "B", "A", ""]
    if form == "csv":
        rows = "".join(f"{code},990155,{n}000000\n" for n, code in enumerate(codes, 6))
        path.write_text(f"{CODE},登记地区划,研发费用@2025\n{rows}", encoding="utf-8")
    else:
        spent = [6e6, 7e6, 8e6, 9e6]
        pq.write_table(pa.table({CODE: codes, "登记地区划": ["990155"] * 4, "研发费用@2025": spent}), path)
    first = 2 if form == "csv" else 1  # a line of the file, a row of the table
    code, out, said = match(library, path, tmp_path / "o.jsonl", "--all")
    assert code == 1 and "企业 2 家" in out
    assert [r["amount_low"] for r in lines(tmp_path / "o.jsonl")] == [600000.0, 700000.0]
    assert f"p.{form}:{first + 2}\n  企业 A 重复，第 {first} 行已经有了" in said
    assert f"p.{form}:{first + 3}\n  这一行没有“{CODE}”，没有读入" in said


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
    told = run(*args)[1]
    assert lines(tmp_path / "o.jsonl") == [] and "1 个事项这一天不比对：不在受理期 1\n" in told
    told = run(*args, "--upcoming", "30")[1]
    assert len(lines(tmp_path / "o.jsonl")) == 1 and "不比对" not in told


def test_a_library_of_drafts_says_why_it_matches_nothing(tmp_path: Path, library: Path) -> None:
    """Somebody's first library: 62 drafts, 6,576 firms, 0 pairs and not a word why."""
    (library / "d" / "items" / "a.yaml").write_text(
        RULE.replace("title: 甲", "title: 甲\nstatus: 草稿"), "utf-8"
    )
    profiles = write_jsonl(tmp_path / "p.jsonl", FIRMS[:1])
    code, told, _ = match(library, profiles, tmp_path / "o.jsonl")
    assert (
        code == 0
        and "事项 0 个" in told
        and "草稿 1；" in told
        and "删掉规则文件里 status: 草稿 那一行" in told
    )


def test_check_prints_the_contract(library: Path) -> None:
    code, out, _ = run("check", library, "--json")
    found = json.loads(out)
    assert code == 1 and found["documents"] == 1 and found["items"] == 1 and found["cases"] == 0
    assert set(found["problems"][0]) == {"code", "level", "file", "line", "column", "message"}


VALID = "91120116MA05ABCA4M"
OTHER, THIRD = "91120116MA05ABCB2G", "91120116MA05ABCC0B"
READINGS = [
    ("营业收入@2025", "3000万元", 3e7),
    ("营业收入@2025", '"3,000万元"', 3e7),
    ("营业收入@2025", "3000", 3000.0),
    ("营业收入@2025", "1e7", 1e7),
    ("营业收入@2025（万元）", "3000", 3e7),
    ("营业收入@2025 (万元)", '"3,000.5"', 3.0005e7),
    ("营业收入@2025（万元）", "3000元", 3000.0),
    ("外资比例", "5e-05", 5e-05),
    ("外资比例", "12%", 0.12),
    ("外资比例（%）", "12", 0.12),
]


@pytest.mark.parametrize(("header", "cell", "yuan"), READINGS)
def test_a_cell_is_read_as_import_reads_it(tmp_path: Path, header: str, cell: str, yuan: float) -> None:
    path = tmp_path / "p.csv"
    path.write_text(f"{CODE},{header}\n{VALID},{cell}\n", encoding="utf-8")
    problems: list[Problem] = []
    columns = read_profiles(path, builtin_dictionary(), problems.append)
    assert not problems
    assert [float(c[0]) for c in columns.numbers.values()] == [yuan]


def test_a_table_saved_by_a_spreadsheet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes(f"{CODE} ,成立日期,法人资格,曾用名\n{VALID},2020/3/1,有,甲厂；乙厂\n".encode("gb18030"))
    problems: list[Problem] = []
    columns = read_profiles(path, builtin_dictionary(), problems.append)
    assert not problems and columns.codes[0] == VALID
    assert columns.numbers["成立日期", None][0] == to_value(
        "2020-03-01", builtin_dictionary()["成立日期"], parse_number
    )
    assert columns.numbers["法人资格", None][0] == 1.0 and "乙厂" in str(columns.lists["曾用名", None])


def test_rows_of_another_width_never_move_a_cell_under_another_name(tmp_path: Path) -> None:
    """A comma more at the end of each row is nothing; a cell more or less makes no row, and lines are the file's own."""
    path = tmp_path / "p.csv"
    rows = [
        f"{VALID},2020-03-01,12,",
        "",
        f"{OTHER},2020-03-02,13,,",
        f"{THIRD},2020-03-03",
        f"{THIRD},2020-03-03,1,4,x",
    ]
    path.write_text("\n".join([f"{CODE},成立日期,企业名称", *rows]) + "\n", encoding="utf-8")
    problems: list[Problem] = []
    columns = read_profiles(path, builtin_dictionary(), problems.append)
    assert list(columns.codes) == [VALID, OTHER]
    assert [(p.place.line, "错位" in p.message) for p in problems] == [(5, True), (6, True)]
    path.write_bytes(path.read_bytes() + f'{THIRD},"2020-03-03,1\n'.encode() + b"\xff,1,1\n")
    problems.clear()
    assert list(read_profiles(path, builtin_dictionary(), problems.append).codes) == [VALID, OTHER]
    assert [p.place.line for p in problems] == [5, 6, 7, 8]


@pytest.mark.parametrize(
    ("header", "cell", "says"),
    [
        ("营业收入2025", "1", "请写成 营业收入@2025"),
        ("2025年营业收入", "1", "请写成 营业收入@2025"),
        ("营收@2025", "1", "这是别名，规则和数据里都写正式名“营业收入”"),
        ("营业收入@2025（吨）", "1", "没有“吨”这个金额单位"),
        ("成立日期（年）", "2020-01-01", "没有单位"),
        ("营业收入@2025", "很多", "“很多”不是金额（可以写 3000万元"),
        ("营业收入@2025", "3000万", "不能断定是人民币"),
        ("营业收入@2025", '"1,5万元"', "不是千分号"),
        ("成立日期", "去年", "不是日期"),
    ],
)
def test_a_header_or_cell_that_cannot_be_read_is_told_with_a_cure(
    tmp_path: Path, library: Path, header: str, cell: str, says: str
) -> None:
    (tmp_path / "p.csv").write_text(f"{CODE},{header}\n{VALID},{cell}\n", encoding="utf-8")
    problems: list[Problem] = []
    read_profiles(tmp_path / "p.csv", builtin_dictionary(), problems.append)
    assert [p.message for p in problems if says in p.message], problems


def test_two_columns_of_one_indicator_are_not_both_read(tmp_path: Path) -> None:
    text = f"{CODE},营业收入@2025,营业收入@2025（万元）\n{VALID},1,2\n"
    (tmp_path / "p.csv").write_text(text, encoding="utf-8")
    problems: list[Problem] = []
    columns = read_profiles(tmp_path / "p.csv", builtin_dictionary(), problems.append)
    assert columns.numbers["营业收入", 2025][0] == 1 and "同一列" in problems[0].message


def test_a_code_with_a_wrong_check_character_is_told_and_matched(tmp_path: Path, library: Path) -> None:
    wrong = VALID[:-1] + ("2" if VALID[-1] != "2" else "3")
    (tmp_path / "p.csv").write_text(
        f"{CODE},登记地区划,研发费用@2025\n{VALID},990155,6000000\n{wrong},990155,6000000\n", encoding="utf-8"
    )
    code, _, err = match(library, tmp_path / "p.csv", tmp_path / "o.jsonl")
    assert code == 0 and "第18位校验码不符" in err and "p.csv:3" in err and wrong in err
    assert {row[CODE] for row in lines(tmp_path / "o.jsonl")} == {VALID, wrong}


def test_indicators_are_listed_with_the_librarys_own(library: Path) -> None:
    (library / "indicators.yaml").write_text(
        "展位数: {kind: 数量, unit: 个, yearly: 是, source: 商务}\n", encoding="utf-8"
    )
    code, out, _ = run("indicators", "--library", library, "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert code == 0 and rows["展位数"]["own"] and not rows["营业收入"]["own"] and rows["营业收入"]["yearly"]
    assert len(rows) == len(builtin_dictionary()) + 1
    code, out, _ = run("indicators", "营收", "--library", library)
    assert code == 0 and "营业收入　金额（元），按年" in out and "税务局" in out
    code, _, err = run("indicators", "没有的词", "--library", library)
    assert code == 1 and "indicators.yaml" in err


def test_much_work_read_beside_the_rules_and_written_in_lots_gives_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.write_library(tmp_path / "library", 40, 3)
    dictionary = work.load(tmp_path / "library").dictionary
    table = work.to_arrow(work.make_columns(3_000, 3, dictionary))
    read, unread = "营业收入@2024", "核准日期"  # a column that no rule asks of may be what it likes
    table = table.append_column(unread, pa.array(["去年"] * len(table)))
    pq.write_table(table, tmp_path / "firms.parquet")
    pq.write_table(
        table.set_column(table.column_names.index(read), read, pa.array(["很多"] * len(table))),
        tmp_path / "bad.parquet",
    )

    def run(name: str, out: str) -> tuple[pa.Table, list[str], int]:
        report = rules.match_files(tmp_path / "library", tmp_path / name, work.AS_OF, tmp_path / out)
        return pq.read_table(tmp_path / out), [p.render() for p in report.problems], report.pairs

    plain, broken = run("firms.parquet", "a.parquet"), run("bad.parquet", "b.parquet")
    assert (
        not plain[1] and any(read in text for text in broken[1]) and not any(unread in t for t in broken[1])
    )
    monkeypatch.setattr(rules, "FAST_FROM", 1)
    monkeypatch.setattr(rules, "LOT", 500)
    monkeypatch.setattr(rules, "keep_freed", lambda: None)  # both are for a process that ends then
    monkeypatch.setattr(rules, "without_extras", nullcontext)
    for name, out, before in (("firms.parquet", "c.parquet", plain), ("bad.parquet", "d.parquet", broken)):
        table, problems, pairs = run(name, out)
        assert table.equals(before[0]) and problems == before[1] and pairs == before[2] == len(table) > 2_000
    with pytest.raises(ProfilesError, match="不是可读的"):
        (tmp_path / "firms.parquet").write_bytes(b"PAR1" + bytes(400))
        run("firms.parquet", "e.parquet")
    shutil.rmtree(tmp_path / "library")
    with pytest.raises(LibraryError):
        run("bad.parquet", "f.parquet")


def test_an_empty_table_and_a_folder_are_told_in_chinese(tmp_path: Path, library: Path) -> None:
    (tmp_path / "p.csv").write_text("", encoding="utf-8")
    for profiles, says in ((tmp_path / "p.csv", "没有表头"), (tmp_path, "是文件夹")):
        code, _, err = match(library, profiles, tmp_path / "o.csv")
        assert code == 2 and says in err and "rror" not in err


def test_a_line_that_is_not_json_is_told_in_chinese(tmp_path: Path, library: Path) -> None:
    (tmp_path / "p.jsonl").write_text('{"统一社会信用代码": "A", \n', encoding="utf-8")
    code, out, err = match(library, tmp_path / "p.jsonl", tmp_path / "o.csv")
    assert code == 1 and "个字起读不下去" in out + err and "column" not in out + err


def test_parquet_to_parquet_takes_no_pandas_and_no_linear_algebra(tmp_path: Path) -> None:
    work.write_library(tmp_path / "library", 30, 4, 60)
    columns = work.make_columns(3000, 4, work.load(tmp_path / "library").dictionary)
    work.write_profiles(columns, tmp_path / "firms.parquet")
    program = (
        "import sys; from datetime import date; from pathlib import Path\n"
        "from jobs import rules; from store import hits; here = Path(sys.argv[1])\n"
        "rules.FAST_FROM = hits.FAST_FROM = 1; rules.LOT = 500\n"
        "found = rules.match_files(here / 'library', here / 'firms.parquet', date(2025, 6, 1), here / 'out.parquet')\n"
        "print(found.pairs, {'pandas', 'scipy.linalg'} & sys.modules.keys())\n"
        "import scipy.linalg"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], cwd=root, capture_output=True, text=True, timeout=600,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    pairs, taken = done.stdout.split()
    assert int(pairs) == pq.read_metadata(tmp_path / "out.parquet").num_rows > 0 and taken == "set()"
