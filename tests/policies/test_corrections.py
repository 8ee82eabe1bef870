"""改正: what an officer corrected changes the next proposal, is tested before it is taken, and a slip in it gets one clear message."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from jobs.cli import documents
from policies.decompose.kept import restored
from policies.decompose.learn import NotBetter, keep_correction, learn_corrections
from policies.decompose.own import Memory, learn, office_memory, own_path, save
from policies.decompose.pipeline import decompose

FIRST = """\
示例高新区促进工业企业发展若干措施
第一条 为推动工业企业发展，制定本措施。
第二条 上一年度研发费用在800万元以上的企业，按照研发费用的5%给予补助，最高不超过100万元。
第三条 申报企业应当在本区登记注册，具有独立法人资格。
第四条 区属平台公司应当为企业提供融资对接，年服务企业不少于50家。
"""
NEXT = """\
示例高新区支持平台服务若干办法
第一条 区属平台公司应当为企业提供融资对接，年服务企业不少于80家。
第二条 对获评市级示范平台的，给予30万元一次性奖励。
"""
DUTY = 5  # the clause of FIRST that the machine takes for a condition


def corrected(folder: Path, text: str, stem: str, change: Callable[[dict[str, Any]], None]) -> Path:
    path = keep_correction(folder, stem, text, decompose(text).as_json())
    gold = json.loads(path.read_text(encoding="utf-8"))
    change(gold)
    path.write_text(json.dumps(gold, ensure_ascii=False), encoding="utf-8")
    return path


def duty_is_no_condition(gold: dict[str, Any]) -> None:
    assert "condition" in gold["clauses"][str(DUTY)], "else there is nothing to correct"
    assert "平台公司" in gold["条文"][str(DUTY)], "whoever corrects it sees which clause is which"
    gold["clauses"][str(DUTY)] = ["职责"]
    for holder in (gold["general"], *gold["items"]):
        holder["conditions"] = [
            c for c in holder["conditions"] if "平台" not in c["quote"] and "50家" not in c["quote"]
        ]


def conditions(text: str, memory: Memory | None) -> str:
    found = decompose(text, memory=memory)
    return "；".join(c["quote"] for c in [*found.conditions, *(c for i in found.items for c in i.conditions)])


def test_the_classifier_report_reads_corrections_in_chinese_too(tmp_path: Path) -> None:
    from analysis import role_report

    corrected(tmp_path, FIRST, "first", duty_is_no_condition)
    report = role_report(tmp_path)
    wrong = report.answers[~report.answers["对"].astype(bool)]
    assert len(report.answers) == 5 and ["authority", "condition"] in wrong[["应", "说"]].values.tolist()


def test_a_correction_changes_the_next_proposal_and_nothing_else(tmp_path: Path) -> None:
    assert "融资对接" in conditions(NEXT, None)
    corrected(tmp_path / "改正", FIRST, "first", duty_is_no_condition)
    told = learn_corrections(tmp_path / "改正", tmp_path / "home", "2026-11-28", [FIRST, NEXT])
    memory = office_memory(tmp_path / "home")
    assert memory is not None and "只有一份改正" in told and "说法会变的" in told
    said = decompose(NEXT, memory=memory)
    assert said.roles[1] == ["authority"] and "融资对接" not in conditions(NEXT, memory)
    assert said.roles[2] == decompose(NEXT).roles[2], "what nobody corrected is read as before"
    assert "具有独立法人资格" in conditions(FIRST, memory)
    assert memory.met(said.clauses) == 1


def test_what_was_learnt_outlives_an_upgrade_and_new_names(tmp_path: Path) -> None:
    """It stands in the data folder, by names: a role that the next version adds, or an order that it changes, does no harm."""
    folder = tmp_path / "改正"
    corrected(folder, FIRST, "first", duty_is_no_condition)
    learn_corrections(folder, tmp_path, "2026-11-28")
    path = own_path(tmp_path)
    told = json.loads(path.read_text(encoding="utf-8"))
    told["roles"] = [*told["roles"][::-1], "role_of_another_version"]
    told["clauses"] = {k: [*v[::-1], [1, 0]] for k, v in told["clauses"].items()}
    path.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    assert decompose(NEXT, memory=office_memory(tmp_path)).roles[1] == ["authority"]
    path.write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"corrections\.json 读不出来.*--learn"):
        office_memory(tmp_path)


def test_corrections_that_contradict_each_other_are_not_taken(tmp_path: Path) -> None:
    folder = tmp_path / "改正"
    corrected(folder, FIRST, "first", duty_is_no_condition)
    corrected(folder, NEXT, "next", lambda gold: None)  # the same words left as a condition
    with pytest.raises(NotBetter, match=r"学了反而差.*降了"):
        learn_corrections(folder, tmp_path, "2026-11-28")
    assert not own_path(tmp_path).exists()
    assert "已学 2 份" in learn_corrections(folder, tmp_path, "2026-11-28", anyway=True)


def test_words_people_read_both_ways_weigh_little(tmp_path: Path) -> None:
    memory = Memory({"某企业应当提供服务": [[1, 1]] * 13}, {})
    text = "某企业应当提供服务。"
    assert decompose(text, memory=memory).roles == decompose(text).roles


@pytest.mark.parametrize(
    ("slip", "told"),
    [
        (lambda g: g["clauses"].update({"2": ["benfit"]}), "第 2 条的角色“benfit”不认识；可以写：title（标题）、"),
        (lambda g: g["clauses"].update({"2": []}), "第 2 条没有角色"),
        (lambda g: g["clauses"].pop("2"), "clauses 有 4 条，原文切成 5 条"),
        (lambda g: g["items"][0]["benefits"][0].update(quote="按研发费用补助"), "第 1 个事项的奖补“按研发费用补助”在原文里找不到"),
        (lambda g: g.update(items={}), "items 要是"),
        (lambda g: g.update(file="没有.txt"), "没有.txt 不在"),
    ],
)  # fmt: skip
def test_a_slip_gets_one_clear_message(
    tmp_path: Path, slip: Callable[[dict[str, Any]], None], told: str
) -> None:
    path = corrected(tmp_path / "改正", FIRST, "first", slip)
    with pytest.raises(ValueError, match="没有学") as said:
        learn_corrections(tmp_path / "改正", tmp_path, "2026-11-28")
    assert told in str(said.value) and str(path) in str(said.value) and not own_path(tmp_path).exists()


def test_a_broken_file_is_told_with_its_line(tmp_path: Path) -> None:
    path = corrected(tmp_path / "改正", FIRST, "first", lambda gold: None)
    path.write_text(
        json.dumps(json.loads(path.read_text(encoding="utf-8")), indent=1).replace(": [", " [", 1), "utf-8"
    )
    with pytest.raises(ValueError, match=r"first\.json 第 \d+ 行第 \d+ 列不是 JSON"):
        learn_corrections(tmp_path / "改正", tmp_path, "2026-11-28")
    with pytest.raises(ValueError, match="没有改正"):
        learn_corrections(tmp_path / "空", tmp_path, "2026-11-28")


def test_the_commands_of_an_officer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUIQI_LIBRARY", raising=False)
    app = typer.Typer()
    documents.register(app)
    home, folder, file = tmp_path / "home", tmp_path / "改正", tmp_path / "next.txt"
    file.write_text(NEXT, encoding="utf-8")

    def run(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, [*words, "--home", str(home)])
        assert done.exit_code == code, done.output
        return done.output

    corrected(folder, FIRST, "first", duty_is_no_condition)
    assert "融资对接" in run("decompose", str(file))
    assert "已学 1 份改正" in run("decompose", "--learn", str(folder))
    after = run("decompose", str(file))
    assert "融资对接" not in after and "其中 1 条的话本局改正过" in after
    keep_correction(folder, "next", NEXT, decompose(NEXT).as_json())
    assert "没有学" in run("decompose", "--learn", str(folder), code=1)
    assert "融资对接" not in run("decompose", str(file)), "what was learnt before stands"
    assert "已忘掉" in run("decompose", "--forget") and "没有学过" in run("decompose", "--forget")
    assert "融资对接" in run("decompose", str(file))


def test_roles_that_nobody_read_teach_nothing_of_roles(tmp_path: Path) -> None:
    keep_correction(tmp_path, "a", FIRST, decompose(FIRST).as_json(), roles_read=False)
    from policies.decompose.corrections import read_corrections

    memory = learn(read_corrections(tmp_path))
    assert not memory.clauses and memory.atoms


def test_a_kept_decomposition_is_read_back_as_it_was(tmp_path: Path) -> None:
    found = decompose(FIRST)
    answer = json.loads(json.dumps(found.as_json(), ensure_ascii=False))
    answer["items"][0]["title"] = "people's own"
    again = restored(FIRST, answer)
    assert (
        again.items[0].title == "people's own" and again.roles == found.roles and again.issued == found.issued
    )
    assert {**again.as_json(), "items": 0} == {**found.as_json(), "items": 0}
    with pytest.raises(ValueError, match="切法变了"):
        restored(FIRST + "第五条 另有一条。\n", answer)


def test_saving_leaves_no_half_file(tmp_path: Path) -> None:
    path = own_path(tmp_path)
    save(path, Memory(), ["a"], "2026-11-28")
    assert [p.name for p in path.parent.iterdir()] == ["corrections.json"]
