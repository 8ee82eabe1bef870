"""The analysts' face agrees with the night, and its short cuts with the long way."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

import policies
from analysis import (
    Impacts,
    Limits,
    View,
    backtest,
    charts,
    compare,
    compare_all,
    disagreeing,
    missing_value,
    open_night,
    read_paid_list,
    role_report,
    sweep,
    sweep_two,
    tag_report,
    threshold_for,
)
from analysis.night import CODE, NAME
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
    assert found.recall == pytest.approx(2 / 5) and found.recall_of_linked == pytest.approx(2 / 3)
    near = found.unlinked.set_index("行")["候选"]
    code = fits.set_index(NAME).loc[names[2], CODE]
    assert f"{names[2]}（{code}，像 0." in near[7] and "读不出 2 行" in found.words()
    assert len(found.unpaid) == len(fits) - 2


def test_a_row_that_cannot_be_read_is_counted_and_shown(home: Path, view: View, tmp_path: Path) -> None:
    hits = view.hits(PLENTY)
    code = hits.loc[hits["verdict"] == "符合", CODE].iloc[0]
    path = tmp_path / "名单.csv"
    lines = [
        "统一社会信用代码,企业名称,金额（元）",
        f"{code},,1",
        "甲乙示范有限公司,1",
        ",,7",
        "合计,,9",
        "注：以上名单公示七天",
        "联系人,某",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    found = backtest(view, PLENTY, path)
    assert found.unlinked["行"].tolist() == [4, 3] or found.unlinked["行"].tolist() == [3, 4]
    assert any("有 2 格，表头有 3 格" in w for w in found.unlinked["原因"])
    assert found.recall == pytest.approx(1 / 3) and found.as_dict()["unread"] == 2
    app = typer.Typer()
    analyst.register(app)
    done = CliRunner().invoke(app, ["backtest", PLENTY, str(path), "--gate", "0.9", "--home", str(home)])
    assert done.exit_code == 1 and "读不出的行（算在查全的分母里）" in done.stdout


def test_what_most_firms_rightly_lack_is_not_the_first_to_be_asked_for(view: View) -> None:
    found = missing_value(view).set_index("指标")
    rare = found.loc["首台套产品认定日期"]
    assert rare["齐全率"] < 0.5 and "本来就没有" in rare["说明"] and rare["最高金额"] > 0
    assert found["期望金额"].is_monotonic_decreasing and found.index[0] != "首台套产品认定日期"
    assert found.iloc[0]["期望金额"] > rare["期望金额"]
    common = found[found["齐全率"] >= 0.5]
    assert len(common) and (common["说明"] == "").all()
    assert (found["期望金额"] <= found["最高金额"] + 1e-6).all()


def test_what_counts_but_wants_a_look(view: View, tmp_path: Path) -> None:
    fits = view.hits(PLENTY)
    fits = fits[fits["verdict"] == "符合"].reset_index(drop=True)
    path = tmp_path / "名单.csv"
    lines = ["2025年公示名单,,单位：万元", "统一社会信用代码,企业名称,拟奖励金额"]
    lines += [
        f"{fits[CODE][0]},{fits[NAME][1]},1",
        f"{fits[CODE][2]},,1",
        f",{fits[NAME][2]},2",
        ",查无此名有限公司,1",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    found = backtest(view, PLENTY, path)
    assert [r["行"] for r in found.doubts.to_dict("records")] == [3, 5]
    assert fits[NAME][0] in found.doubts["原因"][0] and "不止一行" in found.doubts["原因"][1]
    assert found.unlinked["行"].tolist() == [6]
    assert sorted(found.matched["已付"]) == [10_000, 30_000]
    high = found.matched["paid_high"]
    assert len(found.differs) == int(((found.matched["已付"] - high).abs() > 1).sum()) > 0
    path.write_text("\n".join(lines[1:]), encoding="utf-8")
    with pytest.raises(ValueError, match="没写单位"):
        backtest(view, PLENTY, path)
    with pytest.raises(ValueError, match="没有这个文件"):
        backtest(view, PLENTY, tmp_path / "没有.xlsx")


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


def test_a_gain_without_money_and_a_cut_of_the_budget_are_said(view: View) -> None:
    lower = view.with_rule(ITEM, conditions={"rd_scale": "研发费用[Y] >= 1万元"})
    impact = compare(view, lower, ITEM)
    empty = int((impact.gained["新应付高"].fillna(0.0) == 0).sum())
    assert empty > 0 and f"新进的 {empty} 家没有钱可发" in impact.words()
    tight = view.with_rule(ITEM, budget=view.amounts(ITEM)["paid_high"].sum() / 2)
    cut = compare(view, tight, ITEM)
    assert cut.firms["只因核减"].all() and "只因额度核减" in cut.words()


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
    assert spent.exit_code == 0 and "门槛可定在" in spent.stdout
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
    assert "按元读：2,000 元；要 2000 万元请写 2000万" in small.output and "不超过 2,000 元" in small.stdout
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


@pytest.mark.parametrize("kind", ["docx", "pdf", "html"])
def test_a_public_list_is_read_from_a_document(view: View, tmp_path: Path, kind: str) -> None:
    hits = view.hits(PLENTY)
    fits = hits[hits["verdict"] == "符合"].drop_duplicates(NAME).head(3)
    rows = [["序号", "企业名称", "金额（万元）"], *([str(i), n, "1.5"] for i, n in enumerate(fits[NAME], 1))]
    path = tmp_path / f"名单.{kind}"
    page = "<h1>2025年公示名单</h1><table border=1>" + "".join(
        "<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows
    )
    if kind == "docx":
        import docx

        document = docx.Document()
        document.add_paragraph("2025年公示名单")
        table = document.add_table(len(rows), 3)
        for r, row in enumerate(rows):
            for c, text in enumerate(row):
                table.cell(r, c).text = text
        document.save(path)
    elif kind == "html":
        path.write_text(f"<meta charset=utf-8>{page}</table>", encoding="utf-8")
    else:
        _list_as_pdf(rows, path)
    found = backtest(view, PLENTY, path)
    assert set(found.matched[CODE]) == set(fits[CODE]) and not len(found.unlinked)
    assert list(found.matched["已付"]) == [15_000.0] * 3


def _list_as_pdf(rows: list[list[str]], path: Path) -> None:
    """A ruled table as an office's printer makes it: lines, and text with a font that is in the file."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"pdf.fonttype": 42}):
        figure = Figure(figsize=(8, 4))
        axes = figure.subplots()
        axes.set_axis_off()
        table = axes.table(cellText=rows, loc="center")
        for cell in table.get_celld().values():
            cell.get_text().set_fontproperties(charts.font())
        figure.savefig(path, format="pdf")


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


def test_who_leaves_gets_nothing_and_that_is_known(view: View) -> None:
    higher = view.with_rule(ITEM, conditions={"rd_scale": "研发费用[Y] >= 900万元"})
    lost = compare(view, higher, ITEM).lost
    assert len(lost) and (lost["新应付低"] == 0).all() and (lost["新应付高"] == 0).all()


def test_a_row_that_adds_up_is_no_firm(tmp_path: Path) -> None:
    path = tmp_path / "名单.csv"
    path.write_text(
        "序号,企业名称,金额（万元）\n1,甲公司,3\n合计,,3\n,合计,3\n2,合计量器公司,1\n", encoding="utf-8"
    )
    assert read_paid_list(path)[NAME].tolist() == ["甲公司", "合计量器公司"]


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
