"""分析命令·数据: huiqi missing · backtest · classifiers; they read a night and change nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from jobs.cli.analyst_out import in_words, opened, tell_json, write_book
from jobs.cli.common import ExcelOption, telling
from jobs.cli.nightly import HomeOption
from jobs.cli.tables import show

JsonOption = Annotated[bool, typer.Option("--json", help="机器可读的结果")]
RunOption = Annotated[int | None, typer.Option("--run", help="第几次比对；默认最近一次")]
ItemArgument = Annotated[str, typer.Argument(help="事项编号，例如 bs-2025-06/rd-intensity")]
MISSING_WORDS = (
    "期望金额：补齐后预计真要付的钱，待核实各对的概率乘以金额中值，再乘以齐全率（多数企业本来没有的，没报不等于漏报），"
    "缺几项就由几项分担；排在前面的先去要。",
    "最高金额：这些对最多能拿多少，金额不定的按该事项常见数额算；单缺：只差这一项、又不等人判断的对。",
)


MOST_NAMED = 6


def register(app: typer.Typer) -> None:
    """登记命令."""
    app.command("missing")(missing_command)
    app.command("backtest")(backtest_command)
    app.command("classifiers")(classifiers_command)


def missing_command(
    items: Annotated[list[str] | None, typer.Argument(help="只看这些事项；默认全部")] = None,
    home: HomeOption = None,
    run: RunOption = None,
    excel: ExcelOption = None,
    as_json: JsonOption = False,
) -> None:
    """缺的数据各压着多少企业和钱，该找哪个部门要。

    例：huiqi missing --excel 数据需求清单.xlsx
    """
    from analysis import missing_value

    with telling():
        found = missing_value(opened(home, run), items or None)
        if excel:
            _to_sign(found, excel)
    if as_json:
        tell_json(found.to_dict("records"))
    else:
        show(found.drop(columns="说明"))
        for words in MISSING_WORDS:
            typer.echo(words)
        for advice, own in found[found["说明"] != ""].groupby("说明"):
            names = "、".join(own["指标"].head(MOST_NAMED)) + (" 等" if len(own) > MOST_NAMED else "")
            typer.echo(f"{names}（{len(own)} 项）：{advice}")


def backtest_command(
    item: ItemArgument,
    paid: Annotated[
        Path, typer.Argument(help="兑现名单 .xlsx .csv .docx .pdf .html，要有代码或企业名称一列")
    ],
    gate: Annotated[
        float, typer.Option("--gate", min=0, max=1, help="查全低于它就以 1 退出；读不出的行算没有找到")
    ] = 0.0,
    excel: ExcelOption = None,
    home: HomeOption = None,
    run: RunOption = None,
    as_json: JsonOption = False,
) -> None:
    """拿当年真付过的名单验规则：付了却判不符合的怪谁，符合却没付的有谁。

    例：huiqi backtest bs-2025-06/rd-intensity 2025年公示名单.xlsx --gate 0.95
    """
    from analysis import backtest
    from analysis.naming import item_of

    with telling():
        view = opened(home, run)
        item = item_of(view.library, item)
        found = backtest(view, item, paid)
    quotes = found.quotes
    missed = in_words(found.missed, quotes)
    if excel:
        parts = {"付了却不符合": missed, "符合却没付": in_words(found.unpaid, quotes), "读不出的行": found.unlinked,
                 "要看一眼": found.doubts, "金额不同": in_words(found.differs, quotes)}  # fmt: skip
        write_book(excel, "回测", [found.words()], parts)
    if as_json:
        tell_json(found.as_dict())
    else:
        typer.echo(found.words())
        for title, frame in (
            ("付了却判不符合或待核实", missed), ("怪哪条", found.blame),
            ("读不出的行（算在查全的分母里）；候选只供人看，认定后把代码补进名单", found.unlinked), ("认出了但要看一眼", found.doubts),
        ):  # fmt: skip
            if len(frame):
                typer.echo(f"\n{title}")
                show(frame)
        for words, frame in (
            ("符合而不在名单上的", found.unpaid),
            ("付的数和规则算的不一样的", found.differs),
        ):
            if len(frame):
                typer.echo(f"\n{words} {len(frame)} 家，用 --excel 文件.xlsx 看名单")
    if found.recall < gate:
        raise typer.Exit(1)


def classifiers_command(
    roles: Annotated[
        Path | None,
        typer.Option("--roles", help="标注过的文件夹（raw/ 和 gold/）：看条款角色；不写就看行业标签"),
    ] = None,
    home: HomeOption = None,
    run: RunOption = None,
    as_json: JsonOption = False,
) -> None:
    """分类器可不可信：把握准不准、弃权多少、错在哪一类；改正用 huiqi decompose --correct 和 --learn、huiqi portrait-confirm。

    例：huiqi classifiers            huiqi classifiers --roles 改正
    """
    from analysis import disagreeing, role_report, tag_report

    with telling():
        view = None if roles is not None else opened(home, run)
        report = tag_report(view) if view is not None else role_report(roles or Path())
    if as_json:
        tell_json(report.as_dict())
        return
    typer.echo(report.words())
    parts = [
        ("分类型", report.by_type),
        ("把握准不准", report.calibration),
        ("最常见的错", report.confusions.head(10)),
    ]
    if view is not None:
        parts.append(
            (
                "部门代码和企业文字不一致，最有把握的在前；改正：huiqi portrait-confirm",
                disagreeing(view).head(10),
            )
        )
    for title, frame in parts:
        if len(frame):
            typer.echo(f"\n{title}")
            show(frame)


def _to_sign(found: Any, path: Path) -> None:
    """可签的数据需求清单: by indicator and by department, with room for a name and a date."""
    from analysis.missing import by_department

    notes = [*MISSING_WORDS, "批准人：                日期：        "]
    write_book(path, "数据需求清单", notes, {"按指标": found, "按部门": by_department(found)})
