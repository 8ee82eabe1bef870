"""评分的用处: questions worth asking, words that carry relevance, words against rules, and people's answers as teachers."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import typer
from openpyxl import load_workbook
from typer.testing import CliRunner

from analysis import View, missing_value
from analysis.disagree import disagreements
from analysis.missing import by_department
from analysis.questions import question_sets, smallest_set
from analysis.relevance import Relevance, relevance_of
from analysis.scores_curve import learning_curve
from engine.columns import Categories, Columns
from engine.text_space import TextSpace
from jobs.cli import analyst, scores
from profiles.dictionary import builtin_dictionary


def test_the_smallest_set_is_found_by_trying_them_all() -> None:
    rng = np.random.default_rng(0)
    from itertools import combinations

    for _ in range(60):
        bundles = [
            (
                frozenset(rng.choice(list("abcdef"), rng.integers(1, 4), replace=False).tolist()),
                float(rng.integers(1, 9)),
            )
            for _ in range(6)
        ]
        got = smallest_set(bundles)

        def money(chosen: frozenset[str], bundles=bundles) -> float:
            return sum(y for own, y in bundles if own <= chosen)

        facts = sorted({f for own, _ in bundles for f in own})
        by_size = [
            max(money(frozenset(s)) for s in combinations(facts, k)) for k in range(1, min(4, len(facts)) + 1)
        ]
        least = next(k for k, m in enumerate(by_size, 1) if m >= 0.8 * max(by_size))
        assert len(got) == least and money(got) == by_size[least - 1]


def test_many_facts_are_chosen_bundle_by_bundle() -> None:
    bundles = [(frozenset({f"f{i}"}), float(i)) for i in range(20)]
    assert len(smallest_set(bundles)) <= 4 and "f19" in smallest_set(bundles)


def test_a_firms_questions_settle_the_pairs_they_say(view: View) -> None:
    found = question_sets(view, most=20)
    assert found and all(0 < s.yuan <= s.all_yuan + 0.01 and 1 <= len(s.questions) <= 4 for s in found)
    assert [s.yuan for s in found] == sorted((s.yuan for s in found), reverse=True)
    first = found[0]
    row = view.night.row(first.code)
    from analysis.missing import lacking_facts

    for item in first.items:
        hits = view.found(item)
        at = np.flatnonzero(hits.rows == row)
        assert lacking_facts(view, item, hits, at)[0] <= set(first.questions)


def test_the_desk_and_the_analysts_say_the_same_yuan(view: View, tmp_path: Path) -> None:
    from datetime import UTC, datetime

    from desk.office import Office
    from desk.ready import gaps

    office = Office(view.night.engine, view.night.home, lambda: datetime(2026, 6, 17, 2, tzinfo=UTC))
    ours = missing_value(view).set_index("指标")["期望金额"]
    shown = {g.name: g.yuan for g in gaps(office, view.night)}
    assert shown == pytest.approx(ours.to_dict())
    assert by_department(missing_value(view))["期望金额"].sum() == pytest.approx(ours.sum())


def test_the_list_to_sign_has_a_sheet_by_department(home: Path, tmp_path: Path) -> None:
    app = typer.Typer()
    analyst.register(app)
    path = tmp_path / "需求.xlsx"
    assert CliRunner().invoke(app, ["missing", "--home", str(home), "--excel", str(path)]).exit_code == 0
    assert load_workbook(path).sheetnames == ["按指标", "按部门"]


def test_relevance_says_which_words_carried_it(view: View) -> None:
    programs = list(view.library.programs)
    found = Relevance.of(programs).rank("高校毕业生就业补贴")
    assert found[0].item == "bs-2025-03/graduate-hire" and "毕业生" in "".join(found[0].words)
    assert [r.score for r in found] == sorted((r.score for r in found), reverse=True)
    assert Relevance.of(programs).rank("qwxyz") == []
    taught = relevance_of(view.night, programs)
    assert taught.pull and all(0.25 <= w <= 4 for w in taught.pull.values())
    assert all(0 <= w <= 1 for w in taught.telling.values())


def test_a_long_word_goes_with_the_shorter_ones_inside_it(view: View) -> None:
    found = Relevance.of(list(view.library.programs)).rank("外贸出口")
    assert found and {"外贸", "出口"} & set(found[0].words)


def test_what_most_firms_are_called_carries_no_item(view: View) -> None:
    taught = relevance_of(view.night, list(view.library.programs))
    common = min(taught.telling, key=taught.telling.__getitem__)
    assert taught.telling[common] < 0.5
    [first, *_] = taught.rank(common)
    firmly = {r.item: r.score for r in taught.rank(common, firm=True)}
    assert firmly.get(first.item, 0) <= first.score * 0.5


def test_words_against_rules_are_listed_by_money(view: View) -> None:
    found = disagreements(view)
    assert len(found)
    assert list(found["金额"]) == sorted(found["金额"], reverse=True)
    for row in found.head(5).itertuples():
        verdict = "不符合" if row.方向.startswith("文字") else "符合"
        hits = view.found(row.item)
        at = int(np.flatnonzero(hits.rows == view.night.row(row.统一社会信用代码))[0])
        assert {"符合": 0, "不符合": 2}[verdict] == hits.verdict[at]


def test_another_week_looks_at_other_firms(view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more firms than are looked at in one go the seed says which; the same seed gives the same."""
    monkeypatch.setattr("analysis.disagree.MOST_FIRMS", len(view.columns) // 2)
    one, other = (set(disagreements(view, seed=s)["统一社会信用代码"]) for s in (1, 2))
    assert one - other and other - one
    assert set(disagreements(view, seed=1)["统一社会信用代码"]) == one


def test_answers_teach_and_more_answers_teach_more(view: View) -> None:
    bound = [b for b in map(view.night.bound, view.items["item"]) if b is not None]
    none, many = learning_curve(bound, view.columns, 1, (0, 800))
    assert none["brier"] == pytest.approx(0.25) and many["brier"] < 0.245
    assert learning_curve(bound, view.columns, 1, (800,)) == [many]


def test_the_word_space_is_the_same_each_time() -> None:
    texts = ["集成电路设计；软件开发", "餐饮服务；食品销售", "软件开发；信息技术服务", "食品销售；日用品销售"]
    one, two = TextSpace().fit(texts), TextSpace().fit(texts)
    assert one.place == two.place and np.array_equal(one.axes, two.axes)
    near = one.nearness("软件开发服务", texts)
    assert near[0] > near[1] and near.max() <= 1.0 + 1e-9


def test_the_commands_tell_what_they_find(home: Path, tmp_path: Path) -> None:
    app = typer.Typer()
    scores.register(app)
    run = CliRunner()
    asked = run.invoke(app, ["scores", "ask", "--home", str(home), "--top", "3", "--json"])
    assert asked.exit_code == 0 and len(json.loads(asked.stdout)) == 3
    related = run.invoke(
        app, ["scores", "relevance", "--home", str(home), "--text", "研发费用加计扣除", "--json"]
    )
    assert related.exit_code == 0 and json.loads(related.stdout)[0]["词"]
    assert run.invoke(app, ["scores", "relevance", "--home", str(home)]).exit_code == 2
    assert run.invoke(app, ["scores", "explain", "没有", "没有", "--home", str(home)]).exit_code == 2
    told = run.invoke(app, ["scores", "status", "--home", str(home), "--json"])
    assert told.exit_code == 0 and json.loads(told.stdout)["current"] == ""


def test_words_that_are_the_same_of_all_firms_doubt_no_rule() -> None:
    """A register without scopes, whose names differ in a number alone, has no words to hold against rules."""
    columns = Columns([f"F{i}" for i in range(150)], builtin_dictionary())
    names = tuple(f"测速企业{10_000 + i}有限公司" for i in range(150))
    columns.categories["企业名称", None] = Categories(np.arange(150, dtype=np.int32), names)
    assert disagreements(SimpleNamespace(columns=columns, items={"item": []})).empty
    assert TextSpace(directions_wanted=24).fit(list(names)).directions(list(names)).shape == (150, 0)
