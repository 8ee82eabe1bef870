"""The analysts' face agrees with the night, and its short cuts with the long way."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from analysis import (
    View,
    charts,
    disagreeing,
    missing_value,
    open_night,
    role_report,
    sweep,
    sweep_two,
    tag_report,
    threshold_for,
)
from analysis.night import CODE
from engine.claims import allocate
from jobs.cli import analyst

ITEM = "bs-2025-06/rd-intensity"
PLENTY = "bs-2025-03/unemployment-refund"


def test_lists_are_the_nights_own(view: View) -> None:
    for row in view.items.itertuples():
        hits = view.hits(row.item)
        assert (hits["verdict"] == "符合").sum() == row.fits
        assert hits["paid_high"].sum() == pytest.approx(row.high, abs=0.01)


def test_what_one_item_pays_is_what_all_together_leave_it(view: View) -> None:
    programs = {i: view.program(i) for i in view.items["item"] if view.live(i)}
    found = [view.found(i) for i in programs]
    together = allocate(programs, found, view.columns.codes, view.night.received())
    assert len({item for _, item in together}) > 1
    for item in programs:
        alone = allocate(programs, found, view.columns.codes, view.night.received(), only=item)
        assert alone == {pair: paid for pair, paid in together.items() if pair[1] == item}


def test_a_sweep_is_what_changing_the_rule_gives(view: View) -> None:
    values = ["100万元", "300万元", "800万元"]
    found = sweep(view, ITEM, "rd_scale", values).table
    for value, fits, waiting in zip(values, found["符合"], found["待核实"], strict=True):
        changed = view.with_rule(ITEM, conditions={"rd_scale": f"研发费用[Y] >= {value}"}).hits(ITEM)
        assert (changed["verdict"] == "符合").sum() == fits
        assert (changed["verdict"] == "待核实").sum() == waiting
    assert list(found["符合"]) == sorted(found["符合"], reverse=True)


def test_two_thresholds_and_the_budget_question(view: View) -> None:
    grid = sweep_two(view, ITEM, ("rd_scale", ["100万元", "300万元"]), ("intensity", ["3%", "5%"]))
    one = sweep(view, ITEM, "rd_scale", ["100万元", "300万元"])
    same = grid[grid["intensity"] == "5%"]
    assert list(same["应付高"]) == list(one.table["应付高"])
    top = one.table["应付高"].max()
    assert one.spends(top)["应付高"] == top
    with pytest.raises(ValueError, match="最省的"):
        one.spends(0.0)


def test_faults_of_a_change_say_what_may_be_changed(view: View) -> None:
    with pytest.raises(ValueError, match=r"可以改的有.*rd_scale"):
        view.with_rule(ITEM, conditions={"没有": "研发费用[Y] >= 1元"})
    with pytest.raises(ValueError, match="改后的规则有错"):
        view.with_rule(ITEM, conditions={"rd_scale": "没有的指标 >= 1元"})
    with pytest.raises(ValueError, match="像原来的一样"):
        sweep(view, ITEM, "rd_scale", ["5%"])
    with pytest.raises(ValueError, match="政策库里没有事项"):
        view.hits("bs-2025-06/nothing")


def test_what_is_missing_alone_decides_the_pair(view: View) -> None:
    found = missing_value(view, [ITEM])
    waiting = (view.hits(ITEM)["verdict"] == "待核实").sum()
    assert 0 < found["对"].max() <= waiting
    assert found["单缺"].sum() <= waiting
    assert (found["单缺金额"] <= found["最高金额"]).all()


def test_what_most_firms_rightly_lack_is_not_the_first_to_be_asked_for(view: View) -> None:
    found = missing_value(view).set_index("指标")
    rare = found.loc["首台套产品认定日期"]
    assert rare["齐全率"] < 0.5 and "本来就没有" in rare["说明"] and rare["最高金额"] > 0
    assert found["期望金额"].is_monotonic_decreasing and found.index[0] != "首台套产品认定日期"
    assert found.iloc[0]["期望金额"] > rare["期望金额"]
    common = found[found["齐全率"] >= 0.5]
    assert len(common) and (common["说明"] == "").all()
    assert (found["期望金额"] <= found["最高金额"] + 1e-6).all()


@pytest.mark.parametrize("yuan", [1e5, 3e6, 1e12])
def test_the_threshold_for_a_sum_spends_it_as_nearly_as_any(view: View, yuan: float) -> None:
    found = threshold_for(view, ITEM, "rd_scale", yuan)
    assert found["应付高"] <= yuan
    again = sweep(view, ITEM, "rd_scale", [found["门槛"]]).table.iloc[0]
    assert again["应付高"] == found["应付高"] and again["符合"] == found["符合"]
    value = float(found["门槛"].removesuffix("万元")) * 1e4
    looser = sweep(view, ITEM, "rd_scale", [value * f for f in (0.9, 0.5, 0.1)]).table["应付高"]
    everyone = sweep(view, ITEM, "rd_scale", [0.0]).table["应付高"][0]
    assert (looser > yuan).any() or everyone <= yuan
    with pytest.raises(ValueError, match="都比"):
        threshold_for(view, ITEM, "rd_scale", -1.0)


def test_a_folder_without_data_is_told_and_stays_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HUIQI_DB", raising=False)  # which would name a database elsewhere
    with pytest.raises(ValueError, match="还没有数据"):
        open_night(tmp_path)
    assert not list(tmp_path.iterdir())


def test_charts_have_every_glyph(view: View, recwarn: pytest.WarningsRecorder) -> None:
    found = sweep(view, ITEM, "rd_scale", ["100万元", "300万元"])
    assert "<svg" in found._repr_html_()
    grid = sweep_two(view, ITEM, ("rd_scale", ["100万元"]), ("intensity", ["3%", "5%"]))
    assert "<svg" in charts.svg(charts.heat_map(grid))
    assert "<svg" in charts.svg(charts.funnel_chart(view.funnel(ITEM)))
    assert not [w for w in recwarn if "Glyph" in str(w.message)]


def test_the_commands(home: Path, tmp_path: Path, view: View) -> None:
    app = typer.Typer()
    analyst.register(app)
    runner = CliRunner()
    at = ["--home", str(home), "--json"]
    change = ["--when", "rd_scale=研发费用[Y] >= 100万元"]
    impact = runner.invoke(app, ["impact", ITEM, *change, *at])
    assert impact.exit_code == 0 and json.loads(impact.stdout)["gained"]
    bare = runner.invoke(app, ["impact", ITEM, *at])
    assert bare.exit_code == 2 and "--when 'rd_scale=研发费用[Y] >= 300万元'" in bare.output
    assert "bs-2025-06/items/rd-intensity.yaml" in bare.output.replace("\n", "")
    rows = json.loads(runner.invoke(app, ["sweep", ITEM, "rd_scale", "100万元", "300万元", *at]).stdout)[
        "rows"
    ]
    assert rows[0]["符合"] > rows[1]["符合"]
    spent = runner.invoke(
        app, ["sweep", ITEM, "rd_scale", "100万元", "--spend", "300万元", "--home", str(home)]
    )
    assert spent.exit_code == 0 and "不超过 300.00 万元，门槛可定在" in spent.stdout
    assert not re.search(r"\d 元", spent.stdout), "one unit in a table and in the sentence below it"
    book = tmp_path / "影响.xlsx"
    assert runner.invoke(app, ["impact", ITEM, *change, "--excel", str(book), *at]).exit_code == 0
    assert set(pd.ExcelFile(book).sheet_names) == {"企业", "分组", "已承诺受损"}
    both = ["--by", "企业规模", "--by", "登记地区划", "--excel", str(book)]
    swept = json.loads(runner.invoke(app, ["sweep", ITEM, "rd_scale", "100万元", *both, *at]).stdout)
    assert {g["按"] for g in swept["groups"]} == {"企业规模", "登记地区划"}
    assert {g["名称"] for g in swept["groups"] if g["组"] == "120116"} == {"滨海新区"}
    assert all("应付高" in g for g in swept["groups"]) and set(pd.ExcelFile(book).sheet_names) == {
        "门槛",
        "分组",
    }
    small = runner.invoke(app, ["sweep", ITEM, "rd_scale", "100万元", "--spend", "2000", "--home", str(home)])
    assert "按元读：2,000 元；要 2000 万元请写 2000万" in small.output and "不超过 0.20 万元" in small.stdout
    missing = json.loads(runner.invoke(app, ["missing", ITEM, *at]).stdout)
    assert missing[0]["指标"] and np.isfinite(missing[0]["最高金额"])
    paid = tmp_path / "paid.csv"
    hits = view.hits(PLENTY)
    hits.loc[hits["verdict"] == "不符合", [CODE]].head(2).to_csv(paid, index=False)
    assert runner.invoke(app, ["backtest", PLENTY, str(paid), "--gate", "0.5", *at]).exit_code == 1


ROWS = "bs-2025-08/equipment-invest"


def test_a_sweep_over_projects_is_what_changing_the_rule_gives(view: View) -> None:
    rule = view.program(ROWS).item
    assert rule.subject == "项目" and rule.conditions is not None
    leaf = next(c for c in rule.conditions.walk() if c.id and c.kind == "when" and "万元" in c.text)
    at = leaf.text.split(" ")[-1]
    values = [at, "9亿元"]
    found = sweep(view, ROWS, leaf.id, values).table
    for value, fits, waiting, high in zip(
        values, found["符合"], found["待核实"], found["应付高"], strict=True
    ):
        hits = view.with_rule(ROWS, conditions={leaf.id: leaf.text.replace(at, value)}).amounts(ROWS)
        assert (hits["verdict"] == "符合").sum() == fits
        assert (hits["verdict"] == "待核实").sum() == waiting
        assert hits.loc[hits["verdict"] == "符合", "high"].sum() == pytest.approx(high, abs=0.01)
    assert found["待核实"][0] > found["待核实"][1]


def test_groups_of_a_sweep_add_up(view: View) -> None:
    kinds = ["企业规模", "行业门类"]
    found = sweep(view, ITEM, "rd_scale", ["100万元", "300万元"], by=kinds)
    assert found.groups is not None and list(dict.fromkeys(found.groups["按"])) == kinds
    for kind in kinds:
        assert list(found.spread(kind).sum(axis=1)) == list(found.table["符合"])
        assert list(found.spread(kind, "应付高").sum(axis=1)) == pytest.approx(list(found.table["应付高"]))
    named = found.groups.set_index(["按", "组"])["名称"]
    assert set(named.loc["行业门类", "C"]) == {"制造业"} and "C 制造业" in found.spread("行业门类").columns
    with pytest.raises(ValueError, match="不是可以分组的"):
        sweep(view, ITEM, "rd_scale", ["100万元"], by="研发费用")


def test_a_report_on_roles_counts_every_clause_once(tmp_path: Path) -> None:
    text = (
        "关于支持企业的通知\n一、申报条件\n在本区登记注册，依法纳税。\n二、奖励标准\n给予10万元一次性奖励。\n"
    )
    (tmp_path / "raw").mkdir()
    (tmp_path / "gold").mkdir()
    (tmp_path / "raw" / "a.txt").write_text(text, encoding="utf-8")
    roles = {"1": ["title"], "2": ["title"], "3": ["condition"], "4": ["title"], "5": ["benefit"]}
    gold = {"file": "a.txt", "clauses": roles, "items": []}
    (tmp_path / "gold" / "a.json").write_text(json.dumps(gold), encoding="utf-8")
    report = role_report(tmp_path)
    assert len(report.answers) == 5 and set(report.answers["应"]) == {"title", "condition", "benefit"}
    assert report.answers["对"].mean() >= 0.6
    assert report.calibration["条"].sum() == 5 and 0 <= report.ece <= 1
    gold["clauses"] = {"1": ["title"]}
    (tmp_path / "gold" / "a.json").write_text(json.dumps(gold), encoding="utf-8")
    with pytest.raises(ValueError, match="标了 1 条"):
        role_report(tmp_path)


def test_a_report_on_tags_agrees_with_its_own_disagreements(view: View) -> None:
    report, odd = tag_report(view), disagreeing(view)
    wrong = report.answers[(report.answers["类型"] == "大类") & ~report.answers["对"].astype(bool)]
    assert len(odd) <= len(wrong) and set(odd["文本代码"]) <= set(wrong["说"])
    assert report.worst(5)["把握"].is_monotonic_decreasing
    named = report.confusions[report.confusions["应"].str.fullmatch("[A-T]?[0-9]{4}")]
    assert len(named) and (named["应名称"] != "").all()


def test_slips_of_the_command_line_are_told_before_anything_is_done(home: Path, tmp_path: Path) -> None:
    app = typer.Typer()
    analyst.register(app)

    def told(*words: str) -> str:
        done = CliRunner().invoke(app, [*words, "--home", str(home)])
        assert done.exit_code == 2
        return done.output.replace("\n", "")

    change = ["impact", ITEM, "--when", "rd_scale=研发费用[Y] >= 500万元"]
    assert "以 .xlsx 结尾" in told(*change, "--excel", str(tmp_path / "a.xls"))
    assert (
        "没有文件夹" in told(*change, "--excel", str(tmp_path / "无" / "a.xlsx"))
        and not (tmp_path / "无").exists()
    )
    assert "条件编号=新算式" in told("impact", ITEM, "--when", "rd_scale 研发费用[Y] >= 500万元")
    assert "没有这个文件" in told("impact", ITEM, "--rule", "没有.yaml")
    assert "没有第 9 次比对；最近的是第 1 次" in told(*change, "--run", "9")


SHARED = "safety"  # a condition with a number in the general part of the item's document


def test_a_threshold_of_the_general_part_is_said_to_move_every_item(view: View) -> None:
    assert [c.id for c in view.program(ITEM).conditions if c.general and c.id == SHARED]
    with pytest.raises(
        ValueError,
        match=f"可以扫的有：rd_scale（现在 300万元）、intensity（现在 5%）；总则里的.*：{SHARED}（现在 0",
    ):
        sweep(view, ITEM, "没有", ["1万元"])
    assert "总则里" in sweep(view, ITEM, SHARED, [0.0]).note and not sweep(view, ITEM, "rd_scale", [1e6]).note
    with pytest.raises(ValueError, match=f"“{SHARED}”写在 bs-2025-06 的总则里.*--document"):
        view.with_rule(ITEM, conditions={SHARED: "研发费用[Y] >= 1万元"})
