"""huiqi import, file, sources, batch, identity, correction: contracts, exit codes, one clear line for a fault."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime

import pytest
import typer
from sqlmodel import select
from typer.testing import CliRunner

from jobs.cli import firms, identity, imports
from profiles.codes import check_character
from store.database import open_database, session, upgrade
from store.observations import SourceBatch
from store.showing import make_showing
from tests.databases import database_in

HEAD = "企业名称,统一社会信用代码,注册日期,企业类型,注册资金,经营范围,所在省份,地区,注册地址\n"


def code(body: str) -> str:
    total = sum(int(c) * w for c, w in zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    first = "91120116" + body + {10: "X", 11: "0"}.get(11 - total % 11, str(11 - total % 11))
    return first + check_character(first)


ONE, TWO = code("00000017"), code("00000025")


@pytest.fixture
def run(tmp_path, monkeypatch, database):
    app = typer.Typer()
    for part in (imports, firms, identity):
        part.register(app)
    monkeypatch.setenv("HUIQI_DB", database_in(tmp_path / "var", "x.db", bare=True))
    monkeypatch.delenv("HUIQI_SOURCES", raising=False)
    runner = CliRunner()
    return lambda *words: runner.invoke(app, [str(word) for word in words])


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "登记.csv"
    rows = (
        f'甲示范有限公司,{ONE},2016-05-20,N/A,"1,000(万元人民币)",软件开发,天津,滨海,某路1号\n'
        f'乙示范有限公司,{TWO},2018-01-02,N/A,"4,537.9(万美元)",批发,天津,保税区,某路2号\n'
        f"丙示范有限公司,{TWO[:-1]}@,2018-01-02,N/A,1万元,批发,天津,滨海,某路3号\n"
    )
    path.write_text(HEAD + rows, "utf-8")
    return path


def test_import_prints_its_accounts(run, file):
    done = run("import", file, "--source", "registration", "--json")
    assert done.exit_code == 1
    report = json.loads(done.stdout)
    assert [report[n] for n in ("rows", "new", "changed", "unchanged", "rejected", "to_confirm")] == [
        3,
        2,
        0,
        0,
        1,
        0,
    ]
    assert {(p["line"], p["column"], p["code"]) for p in report["problems"]} == {
        (3, "注册资金", "currency"), (4, "统一社会信用代码", "code"),
    }  # fmt: skip
    assert "3行 = 新0 + 变0 + 同2 + 退1 + 待人0" in run("import", file, "--source", "registration").stdout


def test_a_file_is_shown_exported_and_taken_back(run, file, tmp_path):
    run("import", file, "--source", "registration")
    shown = run("file", "show", ONE)
    assert shown.exit_code == 0
    assert "注册资本：10,000,000元" in shown.stdout
    assert "［不可取用］" in run("file", "show", TWO).stdout
    assert run("file", "show", ONE, "--as-of", "2001-01-01").exit_code == 1
    facts = {fact["indicator"]: fact for fact in json.loads(run("file", "show", ONE, "--json").stdout)}
    assert facts["成立日期"]["value"] == "2016-05-20"
    assert "注册资本: 10000000.00元" in run("file", "show", ONE, "--yaml").stdout
    told = run("file", "history", ONE, "注册资本").stdout
    assert "第1批" in told and told.rstrip().endswith("元")
    assert run("file", "export", "--all", "--to", tmp_path / "out").exit_code == 0
    assert run("file", "import", tmp_path / "out").exit_code == 0
    assert "代码" in run("batch", "show", "1").stdout
    assert run("batch", "take-back", "1", "--by", "张").exit_code == 0
    assert run("file", "show", ONE).exit_code == 1


def test_sources_are_tried_before_they_are_used(run, file, tmp_path):
    tried = run("sources", "check", file, "--source", "registration")
    assert f"第2行 → {ONE}" in tried.stdout
    assert tried.exit_code == 1
    declared = tmp_path / "mine.yaml"
    declared.write_text(
        "source: mine\ndepartment: 局\nfirm: {code: c}\ncolumns: {a: {indicatr: 企业名称}}\n", "utf-8"
    )
    faulty = run("sources", "check", declared)
    assert faulty.exit_code == 2
    assert "indicat" in faulty.stderr
    assert "registration" in run("sources", "list").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("import", "无.csv", "--source", "registration"), "没有这个文件"),
        (("import", "无.csv", "--source", "registratoin"), "您是不是想写“registration”"),
        (("import", "--source", "registration"), "要给文件"),
        (("batch", "take-back", "7"), "没有第7批"),
        (("identity", "answer", "7", ONE), "不在待认领之列"),
        (("identity", "answer", "7"), "要写企业代码"),
        (("correction", "file", ONE, "注册资本", "--claimed", "1", "--reason", "r"), "没有"),
        (
            ("correction", "file", ONE, "注册资本", "--claimed", "很多", "--reason", "r"),
            "“很多”不是金额（可以写 3000万元",
        ),
        (("correction", "file", ONE, "成立日期", "--claimed", "去年", "--reason", "r"), "不是日期"),
        (("file", "export"), "要写企业代码"),
    ],
)
def test_faults_of_use_are_one_line_and_exit_2(run, words, said):
    done = run(*words)
    assert done.exit_code == 2
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_correction_goes_to_its_department(run, file):
    run("import", file, "--source", "registration")
    assert (
        run("correction", "file", ONE, "注册资本", "--claimed", "2000万元", "--reason", "已增资").exit_code
        == 0
    )
    assert "企业称 2000万元" in run("correction", "list", "--department", "市场监管局").stdout
    assert run("correction", "answer", "1", "--answer", "已核", "--refused").exit_code == 0
    assert "不予更正" in run("correction", "list", "--code", ONE).stdout


def test_a_correction_is_agreed_first_and_made_when_new_data_come(run, file, tmp_path):
    run("import", file, "--source", "registration")
    run("correction", "file", ONE, "注册资本", "--claimed", "2000万元", "--reason", "已增资")
    assert "提出时为 10,000,000元" in run("correction", "list").stdout
    assert "档案才会变" in run("correction", "answer", "1", "--answer", "属实").stdout
    assert "同意更正，等部门报新数据" in run("correction", "list").stdout
    assert "注册资本：10,000,000元" in run("file", "show", ONE).stdout
    later = tmp_path / "登记2.csv"
    later.write_text(file.read_text("utf-8").replace("1,000(万元人民币)", "2,000(万元人民币)"), "utf-8")
    run("import", later, "--source", "registration", "--accept")
    assert "注册资本：20,000,000元" in run("file", "show", ONE).stdout
    listed = run("correction", "list").stdout
    assert "）已更正" in listed and "等部门" not in listed


def rows(*firms: str) -> str:
    return HEAD + "".join(f"{firm},软件开发,天津,滨海,某路1号\n" for firm in firms)


def test_rows_that_contradict_each_other_are_counted_alike_and_settled(run, tmp_path):
    path = tmp_path / "登记.csv"
    path.write_text(
        rows(
            f"甲有限公司,{ONE},2016-05-20,N/A,1万元",
            f"甲有限公司,{ONE},2016-05-20,N/A,2万元",
            f"乙有限公司,{TWO},2018-01-02,N/A,1万元",
        ),
        "utf-8",
    )
    tried = run("sources", "check", path, "--source", "registration")
    assert tried.exit_code == 1 and "可落1，互相矛盾2，代码有问题0，退回0" in tried.stdout, tried.stdout
    report = json.loads(run("import", path, "--source", "registration", "--json").stdout)
    assert (report["new"], report["to_confirm"]) == (1, 2)
    assert any("huiqi identity answer" in p["message"] for p in report["problems"])
    assert run("identity", "answer", "1", ONE).exit_code == 0
    assert run("identity", "answer", "2", "--none").exit_code == 0
    assert "注册资本：10,000元" in run("file", "show", ONE).stdout


def test_a_long_list_of_names_says_how_many_more_wait(run, tmp_path):
    path = tmp_path / "登记.csv"  # 15-digit numbers of before 2015 wait for a person
    path.write_text(
        rows(*(f"第{i}有限公司,1201160000000{i:02d},2016-05-20,N/A,{i + 1}万元" for i in range(7))), "utf-8"
    )
    waiting = json.loads(run("import", path, "--source", "registration", "--json", "--accept").stdout)[
        "to_confirm"
    ]
    assert waiting == 7
    first = run("identity", "list", "--limit", "3").stdout
    assert "还有 4 行" in first and "第3号" in first and "第4号" not in first
    assert "第4号" in run("identity", "list", "--limit", "3", "--page", "2").stdout
    last = run("identity", "list", "--all").stdout
    assert "第7号" in last and "还有" not in last
    assert run("identity", "list", "--batch", "99").stdout == ""


def test_a_declaration_is_told_by_line_and_by_the_words_of_check(run, tmp_path):
    declared = tmp_path / "mine.yaml"
    body = "source: mine\ndepartment: 局\nregistry: 税局\nfirm: {code: c}\ncolumns:\n  a: {indicator: 企业名称}\n  b: {indicator: 营收, year: 2024}\n"
    declared.write_text(body, "utf-8")
    faulty = run("sources", "check", declared)
    assert (
        faulty.exit_code == 2
        and "mine.yaml:7  columns › b  没有“营收”这个指标。这是别名，规则和数据里都写正式名“营业收入”"
        in faulty.stderr
    )
    declared.write_text(body.replace("营收", "营业收入"), "utf-8")
    odd = run("sources", "check", declared)
    assert odd.exit_code == 1 and "mine.yaml:3  registry  没有哪个指标归“税局”登记" in odd.stdout
    declared.write_text(body.replace("营收", "营业收入").replace("税局", "税务"), "utf-8")
    assert run("sources", "check", declared).exit_code == 0


def test_a_folder_on_a_day_of_its_own_takes_files_on_that_day(run, file):
    engine = open_database(os.environ["HUIQI_DB"])
    upgrade(engine)
    make_showing(engine, date(2020, 3, 4), datetime.now(UTC))
    done = run("import", file, "--source", "registration")
    assert done.exit_code == 0 or "退" in done.output, done.output
    with session(engine) as opened:
        (batch,) = opened.exec(select(SourceBatch))
    assert batch.arrived_at.date() in (date(2020, 3, 3), date(2020, 3, 4))  # one day, seen from two zones
    assert "甲示范" in run("file", "show", ONE).output, "a file is shown as of the folder's own day"
    engine.dispose()
