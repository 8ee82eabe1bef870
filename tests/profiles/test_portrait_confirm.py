"""Confirming text tags: an officer's word lands as data with its origin; disagreements are listed, the surest first."""

from __future__ import annotations

import json
from datetime import date

import pytest
from typer.testing import CliRunner

from jobs import cli
from profiles import sample
from profiles.dictionary import builtin_dictionary
from profiles.inputs import read_profiles
from profiles.portrait_firm import confirmation
from profiles.portrait_tags import disagreements
from tests.databases import database_in

DAY = date(2026, 6, 16)


@pytest.fixture(scope="module")
def office(database, tmp_path_factory):
    """A store with the registration of 20 firms, and the firms' profiles file."""
    folder = tmp_path_factory.mktemp("office")
    made = sample.generate(20, 2)
    manifest = sample.write_sample(made, folder / "in")
    sample.write_profiles(made, folder / "firms.parquet")
    cli._register()
    run, env = CliRunner(), {"HUIQI_DB": database_in(folder, bare=True)}
    for name in ("market_registration", "statistical_register"):
        file = next(f["file"] for f in manifest["files"] if f["source"] == name)
        assert (
            run.invoke(cli.app, ["import", str(folder / "in" / file), "--source", name], env=env).exit_code
            == 0
        )
    return made.truth["统一社会信用代码"].tolist(), run, env, folder


def test_confirmation_lands_with_origin_and_stays_when_more_is_confirmed(office):
    codes, run, env, _ = office

    def invoke(*words: str):
        return run.invoke(cli.app, list(words), env=env)

    first = invoke("portrait-confirm", codes[0], "--industry", "C3983", "--by", "经办甲")
    assert first.exit_code == 0, first.output
    assert invoke("portrait-confirm", codes[0], "--theme", "生物产业", "--by", "经办乙").exit_code == 0
    facts = json.loads(invoke("file", "show", codes[0], "--json").stdout)
    kept = {f["indicator"]: f for f in facts if f["indicator"].startswith("确认")}
    assert kept["确认行业代码"]["value"] == "C3983" and kept["确认主题"]["value"] == ["生物产业"]
    shown = invoke("portrait", codes[0], "--json")
    states = {(t["level"], t["code"]): t["state"] for t in json.loads(shown.stdout)["text_tags"]}
    assert all(
        state == "已确认" for (level, code), state in states.items() if code in ("C", "39", "398", "3983")
    )
    assert "已由人确认：C3983 生物产业" in invoke("portrait", codes[0]).output
    assert (
        invoke("portrait-confirm", "91120116MA0000000X", "--industry", "C3983", "--by", "甲").exit_code == 1
    )
    assert invoke("portrait-confirm", codes[1], "--industry", "X1", "--by", "甲").exit_code == 2


def test_what_cannot_be_confirmed_is_said_plainly():
    for industry, themes, by, words in (
        ("C9999", [], "甲", "GB/T 4754"),
        ("", ["人工智能产业"], "甲", "主题"),
        ("", [], "甲", "确认什么"),
        ("C3983", [], " ", "经办人"),
    ):
        with pytest.raises(ValueError, match=words):
            confirmation("91", industry, themes, by, DAY, {})
    assert confirmation("91", "39", [], "甲", DAY, {})["确认行业代码"] == "C39"


def test_disagreements_are_sure_and_sorted(office):
    _, run, _, folder = office
    made = sample.generate(300, 8)
    path = folder / "more.parquet"
    sample.write_profiles(made, path)
    columns = read_profiles(path, builtin_dictionary(), lambda p: None)
    found = disagreements(columns)
    assert 0 < len(found) < 60
    assert [d.score for d in found] == sorted((d.score for d in found), reverse=True)
    assert all(d.score >= 0.6 and d.department[1:3] != d.proposed for d in found)
    done = run.invoke(cli.app, ["portrait-review", "--profiles", str(path), "--limit", "2"])
    assert done.exit_code == 0 and f"共 {len(found)} 家" in done.output and found[0].firm in done.output


def test_a_firm_that_a_person_has_confirmed_is_settled(office):
    _, _, _, folder = office
    path = folder / "settled.jsonl"
    made = sample.generate(300, 8)
    frame = made.truth[["统一社会信用代码", "企业名称", "经营范围", "行业代码"]]
    known = [{k: v for k, v in row.items() if isinstance(v, str)} for row in frame.to_dict("records")]

    def found(rows: list[dict[str, str]]) -> list[str]:
        path.write_text("\n".join(json.dumps(r, ensure_ascii=False) for r in rows), encoding="utf-8")
        return [d.firm for d in disagreements(read_profiles(path, builtin_dictionary(), lambda p: None))]

    before = found(known)
    for row in known:
        if row["统一社会信用代码"] == before[0]:
            row["确认行业代码"] = row["行业代码"]
    assert found(known) == before[1:]
