"""影响: who comes, who goes, for how much and why, of one item and of a whole document."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

import policies
from analysis import (
    Impacts,
    Limits,
    View,
    compare,
    compare_all,
)
from analysis.night import CODE
from jobs.cli import analyst

ITEM = "bs-2025-06/rd-intensity"


def test_a_lower_threshold_lets_in_those_between(view: View) -> None:
    lower = view.with_rule(ITEM, conditions={"rd_scale": "研发费用[Y] >= 100万元"})
    impact = compare(view, lower, ITEM)
    for code in impact.gained[CODE]:
        assert "rd_scale" in {e.id for e in view.explain(code, ITEM).evidence if e.verdict == "不符合"}
    assert len(impact.gained) > 0 and len(impact.lost) == 0
    assert impact.after["fits"] - impact.before["fits"] == len(impact.gained)
    back = compare(lower, view, ITEM)
    assert set(back.lost[CODE]) == set(impact.gained[CODE])


def test_a_gain_without_money_and_a_cut_of_the_budget_are_said(view: View) -> None:
    lower = view.with_rule(ITEM, conditions={"rd_scale": "研发费用[Y] >= 1万元"})
    impact = compare(view, lower, ITEM)
    empty = int((impact.gained["新应付高"].fillna(0.0) == 0).sum())
    assert empty > 0 and f"新进的 {empty} 家没有钱可发" in impact.words()
    tight = view.with_rule(ITEM, budget=view.amounts(ITEM)["paid_high"].sum() / 2)
    cut = compare(view, tight, ITEM)
    assert cut.firms["只因核减"].all() and "只因额度核减" in cut.words()


def changed_document(folder: Path, limit: str) -> Path:
    """A copy of a bundled document that has lost an item and changed a threshold."""
    doc = folder / "bs-2025-06"
    shutil.copytree(Path(policies.__file__).with_name("library") / "bs-2025-06", doc)
    (doc / "items" / "patent-grant.yaml").unlink()
    rule = doc / "items" / "rd-intensity.yaml"
    text = rule.read_text(encoding="utf-8")
    rule.write_text(text.replace("研发费用[Y] >= 300万元", f"研发费用[Y] >= {limit}"), encoding="utf-8")
    return doc


def test_a_document_changed_added_and_taken_away(view: View, tmp_path: Path) -> None:
    doc = changed_document(tmp_path, "100万元")
    found = compare_all(view, view.with_document(doc))
    parts = {p.item: p for p in found.parts}
    assert set(parts) == {ITEM, "bs-2025-06/patent-grant"}
    assert len(parts[ITEM].gained) and not len(parts[ITEM].lost)
    assert parts["bs-2025-06/patent-grant"].after["fits"] == 0
    assert any("不再符合" in why for why in found.approval())
    assert found.approval(Limits(lost=10**6, yuan=1e12, over_budget=1e9, promised=10**6)) == []
    rule = doc / "items" / "rd-intensity.yaml"
    text = rule.read_text(encoding="utf-8")
    assert "研发费用[Y] >= 100万元" in text
    rule.write_text(text.replace("研发费用[Y] >= 100万元", "没有的指标 >= 1元"), encoding="utf-8")
    with pytest.raises(ValueError, match="规则有错"):
        view.with_document(doc)
    with pytest.raises(ValueError, match=r"document\.yaml"):
        view.with_document(tmp_path)


def test_a_draft_document_counts_as_in_force_and_ends_what_it_replaces(view: View, tmp_path: Path) -> None:
    doc = tmp_path / "bs-2026-99"
    (doc / "items").mkdir(parents=True)
    (doc / "document.yaml").write_text(
        "title: 新办法\nissued: 2026-01-01\neffective: 2026-01-01\nexpires: 2028-12-31\nreplaces: [bs-2025-06]\n",
        "utf-8",
    )
    (doc / "text.md").write_text("# 新办法\n\n## 第一条\n研发费用1000万元以上的企业，奖励10万元。\n", "utf-8")
    (doc / "items" / "rd.yaml").write_text(
        "item: bs-2026-99/rd\ntitle: 研发奖励\nstatus: 草稿\n"
        "batches:\n  2026: {year: 2025, opens: 2026-01-01, closes: 2026-12-31}\n"
        "conditions:\n  all:\n    - {id: rd, cite: 第一条, quote: 研发费用1000万元以上, when: '研发费用[Y] >= 1000万元'}\n"
        "benefit: {cite: 第一条, quote: 奖励10万元, amount: 10万元}\n",
        "utf-8",
    )
    found = {p.item: p for p in compare_all(view, view.with_document(doc)).parts}
    new = found.pop("bs-2026-99/rd")
    assert new.before["fits"] == 0 and new.after["high"] == new.after["fits"] * 100_000 > 0
    assert len(found) > 2 and all(p.after["fits"] == 0 for p in found.values())


def test_who_leaves_gets_nothing_and_that_is_known(view: View) -> None:
    higher = view.with_rule(ITEM, conditions={"rd_scale": "研发费用[Y] >= 900万元"})
    lost = compare(view, higher, ITEM).lost
    assert len(lost) and (lost["新应付低"] == 0).all() and (lost["新应付高"] == 0).all()


def test_why_each_firm_comes_and_goes_is_said(view: View) -> None:
    higher = view.with_rule(ITEM, conditions={"rd_scale": "研发费用[Y] >= 900万元"})
    impact = compare(view, higher, ITEM)
    rule = next(c.condition.quote for c in view.program(ITEM).conditions if c.id == "rd_scale")
    assert len(impact.lost) and all(
        w.startswith("现在不够：") and f"{rule}（改为 研发费用[Y] >= 900万元）" in w
        for w in impact.lost["原因"]
    )
    back = compare(higher, view, ITEM)
    assert set(back.gained["原因"]) == {f"原来不够：{rule}"}
    moved = (impact.firms["新应付高"].fillna(0) - impact.firms["原应付高"].fillna(0)).abs()
    assert moved.is_monotonic_decreasing
    groups = impact.groups
    for kind in ("行业门类", "企业规模", "登记地区划"):
        own = groups[groups["按"] == kind]
        assert own["出"].sum() == len(impact.lost) and own["原应付高"].sum() == pytest.approx(
            impact.before["high"]
        )
    assert "滨海新区" in set(groups["名称"]) and "制造业" in set(groups["名称"])


def test_a_whole_document_is_seen_by_group_and_by_reason(home: Path, view: View, tmp_path: Path) -> None:
    doc = changed_document(tmp_path, "900万元")
    app = typer.Typer()
    analyst.register(app)
    book = tmp_path / "文件.xlsx"
    asked = ["impact", "--document", str(doc), "--home", str(home)]
    shown = CliRunner(env={"COLUMNS": "300"}).invoke(app, [*asked, "--excel", str(book)])
    assert shown.exit_code == 0, shown.output
    for words in (
        "要领导批准：",
        "分行业、规模、区域（家次）",
        "滨海新区",
        "制造业",
        "事项停了",
        "现在不够：",
        "占预算",
    ):
        assert words in shown.stdout, words
    assert pd.ExcelFile(book).sheet_names == [
        "事项",
        "企业",
        "逐事项的企业",
        "分组",
        "逐事项分组",
        "已承诺受损",
    ]
    found = json.loads(CliRunner().invoke(app, [*asked, "--json"]).stdout)
    whole = compare_all(view, view.with_document(doc))
    assert {p["item"] for p in found["items"]} == {p.item for p in whole.parts}
    lost = sum(len(p.lost) for p in whole.parts)
    for kind in ("行业门类", "企业规模", "登记地区划"):
        assert sum(g["出"] for g in found["groups"] if g["按"] == kind) == lost > 0
    assert len(whole.changes) == sum(len(p.firms) for p in whole.parts)


def test_many_small_increases_are_one_large_one(view: View) -> None:
    one = compare(
        view, view.with_rule(ITEM, conditions={"intensity": "研发费用[Y] / 营业收入[Y] >= 1%"}), ITEM
    )
    more = one.after["high"] - one.before["high"]
    limits = Limits(lost=10**6, yuan=more * 1.5, over_budget=1e9, promised=10**6)
    assert more > 0 and Impacts((one,)).approval(limits) == []
    assert any("整份文件应付最多增加" in why for why in Impacts((one, one)).approval(limits))
