"""回测: a past list against the rules: linked, never guessed; what cannot be read counts and is shown."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from analysis import (
    View,
    backtest,
    charts,
    read_paid_list,
)
from analysis.night import CODE, NAME
from jobs.cli import analyst

PLENTY = "bs-2025-03/unemployment-refund"


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


def test_a_row_that_adds_up_is_no_firm(tmp_path: Path) -> None:
    path = tmp_path / "名单.csv"
    path.write_text(
        "序号,企业名称,金额（万元）\n1,甲公司,3\n合计,,3\n,合计,3\n2,合计量器公司,1\n", encoding="utf-8"
    )
    assert read_paid_list(path)[NAME].tolist() == ["甲公司", "合计量器公司"]
