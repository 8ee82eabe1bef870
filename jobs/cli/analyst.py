"""分析命令: huiqi impact · sweep; they read a night and change nothing. The data's side: jobs/cli/analyst_data.py."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.cli import analyst_data
from jobs.cli.analyst_data import ItemArgument, JsonOption, RunOption
from jobs.cli.analyst_out import opened, pair, tell_json, write_book
from jobs.cli.common import ExcelOption, library_path, telling, yuan
from jobs.cli.nightly import HomeOption
from jobs.cli.tables import SHOWN, show

if TYPE_CHECKING:
    import pandas as pd

    from analysis import Impact, Impacts, View


def register(app: typer.Typer) -> None:
    """登记命令."""
    app.command("impact")(impact_command)
    app.command("sweep")(sweep_command)
    analyst_data.register(app)


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
        float,
        typer.Option(
            "--money", parser=yuan, metavar="金额", show_default="100万元", help="审批限额：应付最多增加多少"
        ),
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
    from analysis import Limits, compare, compare_all
    from analysis.naming import item_of

    with telling():
        before = opened(home, run)
        item = item_of(before.library, item) if item and document is None else item
        after = before if document is None else before.with_document(document)
        changes = dict(pair(text) for text in when)
        if changes or rule is not None or budget is not None:
            if item is None:
                raise ValueError("改规则要写明是哪个事项，例如 huiqi impact bs-2025-06/rd-intensity --when …")
            text = rule.read_text(encoding="utf-8") if rule else None
            after = after.with_rule(item, text, conditions=changes, budget=budget)
        if after is before:
            raise ValueError(_what_to_change(before, item))
        found: Impact | Impacts = compare(before, after, item) if item else compare_all(before, after)
    reasons = found.approval(Limits(lost=lost, yuan=money))
    if excel:
        notes = [found.words(), *(f"要领导批准：{r}" for r in reasons)]
        write_book(excel, "政策影响测算", notes, _sheets(found))
    if as_json:
        tell_json({**found.as_dict(), "approval": reasons})
    else:
        _tell_impact(found, reasons)
    if gate and reasons:
        raise typer.Exit(1)


def _what_to_change(view: View, item: str | None) -> str:
    """没说改什么: what the item's rule says now, as `--when` takes it, and where the rule stands."""
    from analysis.changes import may_change

    if item is None:
        return "没有说改什么：写明事项，再用 --when、--rule 或 --budget；整份文件用 --document"
    lines = "\n  ".join(f"--when '{text}'" for text in may_change(view.program(item).item))
    document, _, slug = item.partition("/")
    path = library_path(None) / document / "items" / f"{slug}.yaml"
    where = (
        f"\n整份规则（奖补标准也在里面）在 {path}：复制一份改好，用 --rule 改好的.yaml"
        if path.is_file()
        else ""
    )
    return f"没有说改什么。{item} 现在的条件，改了数再算：\n  {lines}{where}"


def _sheets(found: Impact | Impacts) -> dict[str, pd.DataFrame]:
    """One sheet a question: which items, which firms and why, which groups, whose promise."""
    from analysis import Impacts

    if not isinstance(found, Impacts):
        return {"企业": found.firms, "分组": found.groups, "已承诺受损": found.promised}
    return {
        "事项": found.table,
        "企业": found.firms,
        "逐事项的企业": found.changes,
        "分组": found.groups,
        "逐事项分组": found.groups_by_item,
        "已承诺受损": found.promised,
    }


MOST_FIRMS = 15
NARROW = ["统一社会信用代码", "企业名称", "变化", "原应付高", "新应付高", "原因"]  # what a screen holds


def _tell_impact(found: Impact | Impacts, reasons: list[str]) -> None:
    """影响给人看: the sentence, the reasons for approval, then each table under its title."""
    from analysis import Impacts

    typer.echo(found.words())
    for part in found.parts if isinstance(found, Impacts) else ():
        for said in part.remarks():
            typer.echo(f"{part.title}：{said}")
    for reason in reasons:
        typer.echo(f"要领导批准：{reason}")
    parts: list[tuple[str, pd.DataFrame]] = []
    if isinstance(found, Impacts):
        parts = [
            ("逐事项", found.table),
            ("分行业、规模、区域（家次）", found.groups),
            ("变化的企业，钱变得多的在前", found.firms),
        ]
    else:
        firms = found.firms[NARROW]
        parts = [("分行业、规模、区域", found.groups), ("变化的企业，钱变得多的在前", firms)]
    promised = found.promised.drop(columns=["原结论", "新结论"], errors="ignore")
    for title, frame in [*parts, ("已承诺、会受损的企业：在办的和已告知还没立项的", promised)]:
        if len(frame):
            typer.echo(f"\n{title}")
            show(frame, most=MOST_FIRMS if "企业名称" in frame else SHOWN)


def sweep_command(
    item: ItemArgument,
    condition: Annotated[str, typer.Argument(help="条件编号，例如 rd_scale")],
    values: Annotated[list[str], typer.Argument(help="门槛，按规则里的写法，例如 200万元 300万元 5%")],
    by: Annotated[
        list[str], typer.Option("--by", help="再按它分组看，例如 企业规模、登记地区划；可写多次")
    ] = [],  # noqa: B006
    spend: Annotated[
        float | None,
        typer.Option(
            "--spend", parser=yuan, metavar="金额", help="花多少钱：算出门槛该定在哪，例如 2000万元"
        ),
    ] = None,
    excel: ExcelOption = None,
    home: HomeOption = None,
    run: RunOption = None,
    as_json: JsonOption = False,
) -> None:
    """把一个门槛逐个试过去：各有多少家、多少钱（就高与预算核减之前）。

    例：huiqi sweep bs-2025-06/rd-intensity rd_scale 200万元 300万元 500万元 --by 企业规模 --spend 2000万元
    """
    from analysis import sweep, threshold_for
    from analysis.naming import item_of

    with telling():
        view = opened(home, run)
        item = item_of(view.library, item)
        found = sweep(view, item, condition, values, by=by)
        best, none = None, ""
        if spend is not None:
            try:
                best = threshold_for(view, item, condition, spend)
            except ValueError as error:
                none = str(error)
    said = [*([found.note] if found.note else []), *([none] if none else [])]
    if excel:
        notes = [f"{item} 的 {condition}；就高与预算核减之前的金额", *said, *_spent(spend, best, "元")]
        parts = {"门槛": found.table}
        parts |= {} if found.groups is None else {"分组": found.groups}
        write_book(excel, "扫门槛", notes, parts)
    if as_json:
        tell_json(
            {
                "item": item,
                "condition": condition,
                "budget": found.budget,
                "rows": found.table.to_dict("records"),
                "groups": None if found.groups is None else found.groups.to_dict("records"),
                "spends": None if best is None else best.to_dict(),
                "note": found.note,
            }
        )
        return
    show(found.table)
    if found.groups is not None:
        for name, own in found.groups.groupby("按", sort=False):
            typer.echo(f"\n按{name}")
            blank = [] if own["名称"].any() else ["名称"]  # sizes speak for themselves
            show(own.drop(columns=["按", *blank]))
    for words in [*said, *_spent(spend, best, "万元")]:
        typer.echo(words)


def _spent(spend: float | None, best: pd.Series | None, unit: str) -> list[str]:
    """花这么多钱的门槛, in the unit of the tables it stands below."""
    if spend is None or best is None:
        return []

    def told(yuan: float) -> str:
        return f"{yuan / (1e4 if unit == '万元' else 1):,.2f} {unit}"

    return [
        f"不超过 {told(spend)}，门槛可定在 {best['门槛']}：{best['符合']} 家，最多 {told(best['应付高'])}；"
        f"待核实的 {best['待核实']} 家要是也都符合，共 {told(best['含待核实最多'])}"
    ]
