"""命令 scores ask · relevance · disagree · explain: what to ask first, what a text goes with, where words and rules differ."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from jobs.cli.common import ExcelOption, telling
from jobs.cli.nightly import HomeOption
from jobs.cli.tables import show

RunOption = Annotated[int | None, typer.Option("--run", help="第几次比对；默认最近一次")]
JsonOption = Annotated[bool, typer.Option("--json", help="只印 JSON")]


def register(group: typer.Typer) -> None:
    """挂接命令."""
    group.command(
        "ask",
        help="每家企业最少问哪几样，能定下最多的钱。\n\n例：huiqi scores ask --top 50 --excel ask.xlsx",
    )(ask)
    group.command(
        "relevance",
        help="一段话或一家企业和哪些事项相关，因为哪些词。\n\n例：huiqi scores relevance --text 智能制造数字化改造",
    )(relevance)
    group.command("disagree", help="企业的文字和规则不一致的，按金额排。\n\n例：huiqi scores disagree")(
        disagree
    )
    group.command(
        "explain",
        help="一对待核实的估计凭什么。\n\n例：huiqi scores explain 91120116MA05ABCD1X bs-2025-06/rd-intensity",
    )(explain)


def ask(
    top: Annotated[int, typer.Option("--top", min=1, help="前几家")] = 50,
    home: HomeOption = None,
    run: RunOption = None,
    excel: ExcelOption = None,
    as_json: JsonOption = False,
) -> None:
    """问题单."""
    from analysis import open_night
    from analysis.questions import as_rows, question_sets

    with telling():
        rows = as_rows(question_sets(open_night(home, run), most=top))
    _tell(rows, "先问什么", excel, as_json)


def relevance(
    text: Annotated[str, typer.Option("--text", help="一段话")] = "",
    code: Annotated[str, typer.Option("--firm", help="统一社会信用代码")] = "",
    home: HomeOption = None,
    run: RunOption = None,
    as_json: JsonOption = False,
) -> None:
    """相关度."""
    from analysis import open_night
    from analysis.relevance import firm_text, relevance_of

    with telling():
        view = open_night(home, run)
        if bool(text) == bool(code):
            raise ValueError("--text 和 --firm 写一个")
        if code:
            row = view.night.row(code)
            if row is None:
                raise ValueError(f"那一夜没有企业 {code}")
            text = firm_text(view.columns, row)
        found = relevance_of(view.night, list(view.library.programs)).rank(text, firm=bool(code))
    titles = {p.item.id: p.item.title for p in view.library.programs}
    _tell([{"item": r.item, "事项": titles[r.item], "相关度": round(r.score, 4), "词": "、".join(r.words)} for r in found],
          "相关度", None, as_json)  # fmt: skip


def disagree(
    top: Annotated[int, typer.Option("--top", min=1, help="前几条")] = 100,
    home: HomeOption = None,
    run: RunOption = None,
    excel: ExcelOption = None,
    as_json: JsonOption = False,
) -> None:
    """不一致."""
    from analysis import open_night
    from analysis.disagree import disagreements

    with telling():
        rows = disagreements(open_night(home, run), top).to_dict("records")
    _tell(rows, "文字与规则不一致", excel, as_json)


def explain(
    code: Annotated[str, typer.Argument(help="统一社会信用代码")],
    item: Annotated[str, typer.Argument(help="事项编号")],
    home: HomeOption = None,
    run: RunOption = None,
    as_json: JsonOption = False,
) -> None:
    """理由."""
    import numpy as np

    from analysis import open_night
    from analysis.scores_file import load
    from analysis.scores_reason import about, reasons
    from store.night_scores import read_scores, scored_with

    with telling():
        night = open_night(home, run).night
        row, bound = night.row(code), night.bound(item)
        if row is None or bound is None:
            raise ValueError(f"第 {night.no} 次比对没有 {code} × {item}")
        waiting = night.open_pairs(item).set_index("统一社会信用代码")
        version = scored_with(night.folder)
        if code not in waiting.index or not version:
            raise ValueError(
                "这一对不是待核实，没有估计" if version else "这一夜没有评分，先 huiqi scores train"
            )
        unknown: list[str] = list(waiting["unknown"][code])
        one = night.columns().take(np.array([row]))
        found = reasons(load(night.home, version), one, bound, unknown, night.answers())
        score = float(read_scores(night.folder, item)[code])
    if as_json:
        told = {"score": score, "model": version, "reasons": [vars(r) for r in found]}
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    typer.echo(f"能符合的估计 {about(score)}（模型 {version}，只用于排先后）")
    for one_reason in found:
        typer.echo(f"  {one_reason.id}：{one_reason.words}")


def _tell(rows: list[Any], title: str, excel: Path | None, as_json: bool) -> None:
    import pandas as pd

    if excel is not None:
        from jobs.lists import open_workbook, write_sheet

        frame = pd.DataFrame([dict(r) for r in rows])
        with open_workbook(excel) as book:
            write_sheet(
                book,
                title[:31],
                title,
                ["估计只用于排先后，不是结论"],
                frame,
                {"统一社会信用代码": 21, "要问的": 50, "能定下的事项": 50},
            )
    if as_json:
        typer.echo(json.dumps([dict(r) for r in rows], ensure_ascii=False, default=float))
    elif not rows:
        typer.echo("没有")
    else:
        show(pd.DataFrame([dict(r) for r in rows]))
