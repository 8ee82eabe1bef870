"""分析命令: huiqi impact · sweep · missing · backtest; they read a night and change nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from jobs.cli.common import ExcelOption, telling, yuan
from jobs.cli.nightly import HomeOption
from jobs.cli.tables import show

JsonOption = Annotated[bool, typer.Option("--json", help="机器可读的结果")]
RunOption = Annotated[int | None, typer.Option("--run", help="第几次比对；默认最近一次")]
ItemArgument = Annotated[str, typer.Argument(help="事项编号，例如 bs-2025-06/rd-intensity")]
MISSING_WORDS = (
    "金额单位元。期望金额：待核实各对的概率乘以金额中值，缺几项就由几项分担；排在前面的先去要。",
    "最高金额：这些对最多能拿多少，金额不定的按该事项常见数额算；单缺：只差这一项、又不等人判断的对。",
)


def register(app: typer.Typer) -> None:
    """登记命令."""
    app.command("impact")(impact_command)
    app.command("sweep")(sweep_command)
    app.command("missing")(missing_command)
    app.command("backtest")(backtest_command)
    app.command("classifiers")(classifiers_command)


def impact_command(
    item: Annotated[str | None, typer.Argument(help="事项编号，例如 bs-2025-06/rd-intensity")] = None,
    when: Annotated[list[str], typer.Option("--when", help="改一条：条件编号=新算式，可写多次")] = [],  # noqa: B006
    rule: Annotated[Path | None, typer.Option("--rule", help="改后的整份规则文件 .yaml")] = None,
    document: Annotated[
        Path | None, typer.Option("--document", help="整份文件（新的或改后的）的文件夹；草稿按有效算")
    ] = None,
    budget: Annotated[
        float | None, typer.Option("--budget", parser=yuan, metavar="金额", help="改预算，例如 2000万元")
    ] = None,
    lost: Annotated[int, typer.Option("--lost", min=0, help="审批限额：多少家不再符合")] = 0,
    money: Annotated[
        float, typer.Option("--money", parser=yuan, metavar="金额", help="审批限额：应付最多增加多少")
    ] = 1_000_000,
    gate: Annotated[bool, typer.Option("--gate", help="超过审批限额就以 1 退出")] = False,
    excel: ExcelOption = None,
    home: HomeOption = None,
    run: RunOption = None,
    as_json: JsonOption = False,
) -> None:
    """改一条规则、发一份文件之前先看：哪些企业进来、哪些出去、多少钱、占多少预算、要不要领导批。不改政策库，不告知任何人。

    例：huiqi impact bs-2025-06/rd-intensity --when 'rd_scale=研发费用[Y] >= 500万元'

    例：huiqi impact --document 草稿库/bs-2026-01
    """
    from analysis import Impact, Impacts, Limits, compare, compare_all

    with telling():
        before = _open(home, run)
        after = before if document is None else before.with_document(document)
        changes = dict(_pair(text) for text in when)
        if changes or rule is not None or budget is not None:
            if item is None:
                raise ValueError("改规则要写明是哪个事项，例如 huiqi impact bs-2025-06/rd-intensity --when …")
            text = rule.read_text(encoding="utf-8") if rule else None
            after = after.with_rule(item, text, conditions=changes, budget=budget)
        if after is before:
            raise ValueError("没有说改什么：用 --when、--rule、--budget 或 --document")
        found: Impact | Impacts = compare(before, after, item) if item else compare_all(before, after)
    reasons = found.approval(Limits(lost=lost, yuan=money))
    if excel:
        parts = {"企业": found.firms}
        parts |= (
            {"事项": found.table}
            if isinstance(found, Impacts)
            else {"分组": found.groups, "已承诺受损": found.promised}
        )
        _workbook(excel, "政策影响测算", [found.words(), *(f"要领导批准：{r}" for r in reasons)], parts)
    if as_json:
        _json({**found.as_dict(), "approval": reasons})
    else:
        typer.echo(found.words())
        if isinstance(found, Impacts):
            show(found.table)
        show(found.firms)
        for reason in reasons:
            typer.echo(f"要领导批准：{reason}")
    if gate and reasons:
        raise typer.Exit(1)


def sweep_command(
    item: ItemArgument,
    condition: Annotated[str, typer.Argument(help="条件编号，例如 rd_scale")],
    values: Annotated[list[str], typer.Argument(help="门槛，按规则里的写法，例如 200万元 300万元 5%")],
    by: Annotated[str | None, typer.Option("--by", help="再按它分组看，例如 企业规模、登记地区划")] = None,
    spend: Annotated[
        float | None,
        typer.Option(
            "--spend", parser=yuan, metavar="金额", help="花多少钱：算出门槛该定在哪，例如 2000万元"
        ),
    ] = None,
    home: HomeOption = None,
    run: RunOption = None,
    as_json: JsonOption = False,
) -> None:
    """把一个门槛逐个试过去：各有多少家、多少钱（就高与预算核减之前）。

    例：huiqi sweep bs-2025-06/rd-intensity rd_scale 200万元 300万元 500万元 --by 企业规模 --spend 2000万元
    """
    from analysis import sweep, threshold_for

    with telling():
        view = _open(home, run)
        found = sweep(view, item, condition, values, by=by)
        best, none = None, ""
        if spend is not None:
            try:
                best = threshold_for(view, item, condition, spend)
            except ValueError as error:
                none = str(error)
    if as_json:
        _json(
            {
                "item": item,
                "condition": condition,
                "budget": found.budget,
                "rows": found.table.to_dict("records"),
                "groups": None if found.groups is None else found.groups.to_dict("index"),
                "spends": None if best is None else best.to_dict(),
            }
        )
        return
    show(found.table)
    if found.groups is not None:
        show(found.groups.reset_index())
    if best is not None:
        typer.echo(
            f"不超过 {spend:,.0f} 元，门槛可定在 {best['门槛']}：{best['符合']} 家，最多 {best['应付高']:,.2f} 元；"
            f"待核实的 {best['待核实']} 家要是也都符合，共 {best['含待核实最多']:,.2f} 元"
        )
    elif none:
        typer.echo(none)


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
        found = missing_value(_open(home, run), items or None)
        if excel:
            _to_sign(found, excel)
    if as_json:
        _json(found.to_dict("records"))
    else:
        show(found)
        for words in MISSING_WORDS:
            typer.echo(words)


def backtest_command(
    item: ItemArgument,
    paid: Annotated[
        Path, typer.Argument(help="兑现名单 .xlsx .csv .docx .pdf .html，要有代码或企业名称一列")
    ],
    gate: Annotated[float, typer.Option("--gate", min=0, max=1, help="查全低于它就以 1 退出")] = 0.0,
    excel: ExcelOption = None,
    home: HomeOption = None,
    run: RunOption = None,
    as_json: JsonOption = False,
) -> None:
    """拿当年真付过的名单验规则：付了却判不符合的怪谁，符合却没付的有谁。

    例：huiqi backtest bs-2025-06/rd-intensity 2025年公示名单.xlsx --gate 0.95
    """
    from analysis import backtest

    with telling():
        view = _open(home, run)
        found = backtest(view, item, paid)
    quotes = {c.id: f"{c.condition.cite}：{c.condition.quote}" for c in view.program(item).conditions}
    missed = _in_words(found.missed, quotes)
    if excel:
        parts = {"付了却不符合": missed, "符合却没付": _in_words(found.unpaid, quotes), "认不出的行": found.unlinked,
                 "要看一眼": found.doubts, "金额不同": _in_words(found.differs, quotes)}  # fmt: skip
        _workbook(excel, "回测", [found.words()], parts)
    if as_json:
        _json(found.as_dict())
    else:
        typer.echo(found.words())
        for title, frame in (
            ("付了却判不符合或待核实", missed), ("怪哪条", found.blame.assign(原文=found.blame["条件"].map(quotes))),
            ("认不出的行", found.unlinked), ("认出了但要看一眼", found.doubts),
        ):  # fmt: skip
            if len(frame):
                typer.echo(f"\n{title}")
                show(frame)
        if len(found.unpaid):
            typer.echo(f"\n符合而不在名单上的 {len(found.unpaid)} 家，用 --excel 文件.xlsx 看名单")
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
    """分类器可不可信：把握准不准、弃权多少、错在哪一类；改正后用 huiqi decompose --learn、huiqi portrait confirm。

    例：huiqi classifiers            huiqi classifiers --roles 改正
    """
    from analysis import disagreeing, role_report, tag_report

    with telling():
        view = None if roles is not None else _open(home, run)
        report = tag_report(view) if view is not None else role_report(roles or Path())
    if as_json:
        _json(report.as_dict())
        return
    typer.echo(report.words())
    show(report.by_type)
    show(report.calibration)
    show(report.confusions.head(10))
    if view is not None:
        show(disagreeing(view).head(10))


def _open(home: Path | None, run: int | None) -> Any:
    from analysis import open_night

    return open_night(home, run)


def _pair(text: str) -> tuple[str, str]:
    name, mark, expression = text.partition("=")
    if (
        name.rstrip().endswith((">", "<", "!", "≥", "≤"))
        or not mark
        or not name.strip()
        or not expression.strip()
    ):
        raise ValueError(f"“{text}”应当写成 条件编号=新算式，例如 'rd_scale=研发费用[Y] >= 500万元'")
    return name.strip(), expression.strip()


def _json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, default=float))


def _in_words(hits: Any, quotes: dict[str, str]) -> Any:
    """Hits for a person: the conditions that fail or are open by their clauses, not by their ids."""
    names = ["统一社会信用代码", "企业名称", "verdict", "paid_low", "paid_high"]
    out = hits[[*names, *(n for n in ("已付", "认定") if n in hits)]].rename(
        columns={"verdict": "规则结论", "paid_low": "应付低", "paid_high": "应付高"}
    )
    for column, title in (("fails", "不符合"), ("unknown", "待核实")):
        out[title] = ["；".join(quotes[c] for c in ids) for ids in hits[column]]
    return out


def _workbook(path: Path, title: str, notes: list[str], parts: dict[str, Any]) -> None:
    """写成表格: one sheet a part, empty ones too, so that one sees that nothing is there."""
    from jobs.lists import open_workbook, write_sheet

    with open_workbook(path) as book:
        for name, frame in parts.items():
            write_sheet(
                book, name, f"{title}：{name}", notes, frame, {"企业名称": 30, "统一社会信用代码": 22}
            )
    typer.echo(f"已写 {path}", err=True)


def _to_sign(found: Any, path: Path) -> None:
    """可签的数据需求清单: by indicator and by department, with room for a name and a date."""
    from analysis.missing import by_department
    from jobs.lists import open_workbook, write_sheet

    notes = [
        *MISSING_WORDS,
        "批准人：                日期：        ",
    ]
    with open_workbook(path) as book:
        write_sheet(book, "按指标", "数据需求清单", notes, found, {"指标": 24, "部门": 20})
        write_sheet(book, "按部门", "数据需求清单（按部门）", notes, by_department(found), {"部门": 20})
