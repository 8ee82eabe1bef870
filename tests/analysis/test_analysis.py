"""The analysts' face agrees with the night, and its short cuts with the long way."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from analysis import View, backtest, charts, compare, missing_value, sweep, sweep_two
from analysis.night import CODE, NAME
from jobs.cli import analyst

ITEM = "bs-2025-06/rd-intensity"
PLENTY = "bs-2025-03/unemployment-refund"


def test_lists_are_the_nights_own(view: View) -> None:
    for row in view.items.itertuples():
        hits = view.hits(row.item)
        assert (hits["verdict"] == "符合").sum() == row.fits
        assert hits["paid_high"].sum() == pytest.approx(row.high, abs=0.01)


def test_a_lower_threshold_lets_in_those_between(view: View) -> None:
    lower = view.with_rule(ITEM, conditions={"rd_scale": "研发费用[Y] >= 100万元"})
    impact = compare(view, lower, ITEM)
    for code in impact.gained[CODE]:
        assert "rd_scale" in {e.id for e in view.explain(code, ITEM).evidence if e.verdict == "不符合"}
    assert len(impact.gained) > 0 and len(impact.lost) == 0
    assert impact.after["fits"] - impact.before["fits"] == len(impact.gained)
    back = compare(lower, view, ITEM)
    assert set(back.lost[CODE]) == set(impact.gained[CODE])


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
    with pytest.raises(ValueError, match="都要超过"):
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


def test_a_backtest_links_and_never_guesses(view: View, tmp_path: Path) -> None:
    hits = view.hits(PLENTY)
    fits, fails = hits[hits["verdict"] == "符合"], hits[hits["verdict"] == "不符合"]
    names = [n for n in fits[NAME] if (hits[NAME] == n).sum() == 1]
    rows = [
        ["", names[0], "1.5"],
        [fits[CODE].iloc[5], "", "2"],
        [fails[CODE].iloc[0], "", "3"],
        ["91120116MA0000000X", names[1], "4"],
        ["", names[2][:-3], "5"],
    ]
    path = tmp_path / "名单.xlsx"
    table = [["2025年兑现名单", "", ""], ["统一社会信用代码", "企业名称", "金额（万元）"], *rows]
    pd.DataFrame(table).to_excel(path, header=False, index=False)
    found = backtest(view, PLENTY, path)
    assert set(found.matched[CODE]) == {fits.set_index(NAME).loc[names[0], CODE], fits[CODE].iloc[5]}
    assert list(found.missed[CODE]) == [fails[CODE].iloc[0]] and len(found.blame) > 0
    assert len(found.unlinked) == 2
    assert sorted(found.matched["已付"]) == [15_000, 20_000]
    assert found.recall == pytest.approx(2 / 3)
    assert len(found.unpaid) == len(fits) - 2


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
    assert runner.invoke(app, ["impact", ITEM, *at]).exit_code == 2
    rows = json.loads(runner.invoke(app, ["sweep", ITEM, "rd_scale", "100万元", "300万元", *at]).stdout)[
        "rows"
    ]
    assert rows[0]["符合"] > rows[1]["符合"]
    missing = json.loads(runner.invoke(app, ["missing", ITEM, *at]).stdout)
    assert missing[0]["指标"] and np.isfinite(missing[0]["最高金额"])
    paid = tmp_path / "paid.csv"
    hits = view.hits(PLENTY)
    hits.loc[hits["verdict"] == "不符合", [CODE]].head(2).to_csv(paid, index=False)
    assert runner.invoke(app, ["backtest", PLENTY, str(paid), "--gate", "0.5", *at]).exit_code == 1
