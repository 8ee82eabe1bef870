"""钱的命令: huiqi fulfil budget · share · claim · settle · findings, and huiqi reach."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from jobs.cli.common import clock_of, day_of, library_path, parse_as_of, telling
from jobs.cli.grants_fulfil import AsOfOption, HomeOption, JsonOption, fulfil, open_store
from jobs.cli.tables import lines


def register(app: typer.Typer) -> None:
    """登记命令."""
    app.command("reach")(reach_command)


@fulfil.command("budget")
def budget(
    take: Annotated[
        bool, typer.Option("--take", help="把政策库里各批次的额度接过来；每夜比对也会接")
    ] = False,
    item: Annotated[str, typer.Option("--set", help="下达额度的事项编号")] = "",
    batch: Annotated[str, typer.Option("--batch", help="批次")] = "",
    yuan: Annotated[str, typer.Option("--yuan", help="额度（元）；写 不限 就不设限")] = "",
    mode: Annotated[str, typer.Option("--mode", help="先到先得 按比例核减 按评分 不限")] = "",
    who: Annotated[str, typer.Option("--who", help="下达人")] = "管理员",
    library: Annotated[
        Path | None, typer.Option("--library", help="政策库；默认 HUIQI_LIBRARY 或内置样例")
    ] = None,
    home: HomeOption = None,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
) -> None:
    """批次额度：看用到哪里；从规则接过来；由人下达（下一次规则改动之前以人的为准）。

    例：huiqi fulfil budget --set bs-2025-04/steady-growth --batch 2026 --yuan 12000000 --mode 先到先得 --who 钱
    """
    from policies.library import load_library
    from profiles.dictionary import builtin_dictionary
    from store import budgets
    from store.database import to_fen

    faults: list[str] = []
    with telling():
        engine, _ = open_store(home)
        day = day_of(engine, as_of)
        if item:
            if not batch or not yuan:
                raise ValueError("下达额度要写 --batch 和 --yuan")
            try:
                fen = None if yuan == "不限" else to_fen(yuan.replace(",", ""))
            except ArithmeticError:
                raise ValueError(f"“{yuan}”不是金额，要写成 12000000.00") from None
            held = next((b for b in budgets.list_budgets(engine, item) if b.batch == batch), None)
            how = mode or (held.mode if held else budgets.FIRST_COME)
            budgets.set_budget(
                engine, item, batch, fen, how, who=who, on=day_of(engine, None), at=clock_of(engine)()
            )
        if take:
            known = {(b.item, b.batch) for b in budgets.list_budgets(engine)}
            loaded = load_library(library_path(library), builtin_dictionary(), {})
            changed, faults = budgets.take_over(
                engine,
                budgets.ruled_budgets(loaded, day, known),
                on=day_of(engine, None),
                at=clock_of(engine)(),
            )
            if not as_json:
                typer.echo(f"从规则接过来 {changed} 个批次的额度")
        rows = budgets.list_budgets(engine)
    if as_json:
        names = ("item", "batch", "mode", "limit_fen", "reserved", "ordered", "paid", "claimed", "refunded")
        typer.echo(json.dumps([{n: getattr(b, n) for n in names} for b in rows], ensure_ascii=False))
    else:
        sums = "额度（元）", "可用", "已占用", "在途", "已付"
        lines(
            ("事项", "批次", "办法", *sums),
            ((b.item, b.batch, b.mode, *_limit(b.limit_fen, b.available), *map(_yuan, (b.reserved, b.ordered, b.paid))) for b in rows),
            right=sums,
        )  # fmt: skip
        if not rows:
            typer.echo("还没有批次额度：huiqi fulfil budget --take 从规则接过来，或 --set 由人下达")
    for fault in faults:
        typer.echo(fault, err=True)
    if faults:
        raise typer.Exit(1)


@fulfil.command("share")
def share(
    item: Annotated[str, typer.Argument(help="事项编号")],
    batch: Annotated[str, typer.Argument(help="批次")],
    who: Annotated[str, typer.Option("--who", help="办理人")],
    early: Annotated[bool, typer.Option("--early", help="批次还没有截止也分")] = False,
    library: Annotated[
        Path | None, typer.Option("--library", help="政策库；默认 HUIQI_LIBRARY 或内置样例")
    ] = None,
    home: HomeOption = None,
    as_of: AsOfOption = None,
) -> None:
    """统一分配：批次截止后，把额度按一个系数分给所有待分配的事项，舍到元。

    例：huiqi fulfil share bs-2025-04/steady-growth 2026 --who 林
    """
    from engine.grantmoves import OFFICE
    from policies.library import load_library
    from profiles.dictionary import builtin_dictionary
    from store import grants
    from store.calendars import office_calendar

    with telling():
        engine, _ = open_store(home)
        day = day_of(engine, as_of)
        program = load_library(library_path(library), builtin_dictionary(), {}).program(item)
        window = program.item.batch(batch) if program else None
        if window is not None and day <= window.closes and not early:
            raise ValueError(
                f"{item} {batch} 到 {window.closes} 才截止，后来的企业会分不到；要提前分，加 --early"
            )
        actor = grants.Actor(who, OFFICE)
        count = grants.share_out(engine, item, batch, actor, day, clock_of(engine)(), office_calendar(engine))
    typer.echo(f"分给了 {count} 件" if count else "没有待分配的事项")


@fulfil.command("claim")
def claim(
    file: Annotated[
        Path,
        typer.Argument(help="欠款登记 .csv：种类,统一社会信用代码,企业名称,部门,合同,金额(元),应付日期,依据"),
    ],
    who: Annotated[str, typer.Option("--who", help="登记人")],
    home: HomeOption = None,
) -> None:
    """登记欠款：合同款、保证金等，一行一笔；登记过的不重登，有错的行列出来。

    例：huiqi fulfil claim 欠款.csv --who 钱
    """
    from store.claimfile import register_file

    with telling():
        engine, _ = open_store(home)
        report = register_file(engine, file, who, day_of(engine, None), clock_of(engine)())
    typer.echo(f"{file.name}：新登记 {report.new}，登记过 {report.known}，退回 {len(report.rejected)}")
    for line in report.rejected:
        typer.echo(line)
    if report.rejected:
        raise typer.Exit(1)


@fulfil.command("settle")
def settle(
    number: Annotated[int, typer.Argument(help="欠款编号，见 huiqi fulfil arrears --json")],
    yuan: Annotated[str, typer.Option("--yuan", help="清偿多少元")],
    who: Annotated[str, typer.Option("--who", help="办理人")],
    ref: Annotated[str, typer.Option("--ref", help="银行流水号；没有流水不能记清偿")] = "",
    written_off: Annotated[str, typer.Option("--written-off", help="核销的依据")] = "",
    home: HomeOption = None,
) -> None:
    """清偿或核销一笔登记的欠款。

    例：huiqi fulfil settle 3 --yuan 50000 --ref 8800-0612-031 --who 钱
    """
    from store.arrears import settle_claim
    from store.database import to_fen

    with telling():
        engine, _ = open_store(home)
        try:
            fen = to_fen(yuan.replace(",", ""))
        except ArithmeticError:
            raise ValueError(f"“{yuan}”不是金额，要写成 50000.00") from None
        kept = settle_claim(
            engine,
            number,
            fen,
            who,
            day_of(engine, None),
            clock_of(engine)(),
            ref=ref,
            written_off=written_off,
        )
    typer.echo(f"{kept.contract}：还欠 {(kept.fen - kept.settled) / 100:,.2f} 元")


@fulfil.command("findings")
def findings(home: HomeOption = None) -> None:
    """对账里没有解决的事：不见了、改早、改动的支付行，和对不上的行。

    例：huiqi fulfil findings
    """
    from store.payments import standing

    with telling():
        engine, _ = open_store(home)
        found = standing(engine)
    for line in found:
        typer.echo(line)
    if found:
        raise typer.Exit(1)
    typer.echo("与财政的支付日志一致")


def reach_command(
    code: Annotated[str, typer.Argument(help="统一社会信用代码；不写就看全部")] = "",
    file: Annotated[
        Path | None, typer.Option("--file", help="联系与意愿 .csv：统一社会信用代码,邮箱,手机,同意")
    ] = None,
    email: Annotated[str | None, typer.Option("--email", help="邮箱")] = None,
    phone: Annotated[str | None, typer.Option("--phone", help="手机号")] = None,
    consent: Annotated[bool | None, typer.Option("--consent/--no-consent", help="同意接收通知")] = None,
    stop: Annotated[bool | None, typer.Option("--stop/--resume", help="不再接收通知")] = None,
    hold: Annotated[str | None, typer.Option("--hold", help="信用暂缓的原因；写空就解除")] = None,
    hold_until: Annotated[str | None, typer.Option("--hold-until", help="信用暂缓到哪一天")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """联系与意愿：邮箱、手机、同意、停止、信用暂缓；推送发出前看这些。

    例：huiqi reach 91120116MA05ABCD1X --email a@example.org --consent
    """
    from profiles.codes import is_code, why_not
    from store import reach

    rejected: list[str] = []
    with telling():
        engine, _ = open_store(home)
        if file is not None:
            count, rejected = reach.change_from_file(engine, file, clock_of(engine)())
            typer.echo(f"{file.name}：改了 {count} 家，退回 {len(rejected)} 行")
        until = parse_as_of(hold_until) if hold_until else None
        given = {
            "email": email,
            "phone": phone,
            "consent": consent,
            "stopped": stop,
            "hold": hold,
            "hold_until": until,
        }
        changes = {k: v for k, v in given.items() if v is not None}
        if (changes or code) and not is_code(code):
            raise ValueError(f"“{code}”不是有效的统一社会信用代码：{why_not(code)}")
        if changes:
            reach.change_reach(engine, code, clock_of(engine)(), **changes)
        rows = [r for r in reach.addresses(engine) if not code or r.code == code]
    for line in rejected:
        typer.echo(line)
    if as_json:
        names = ("code", "email", "phone", "consent", "stopped", "refused", "hold")
        typer.echo(json.dumps([{n: getattr(r, n) for n in names} for r in rows], ensure_ascii=False))
    elif file is None and not rows:
        whose = f"{code} " if code else ""
        typer.echo(
            f"{whose}还没有登记联系方式和意愿；登记：huiqi reach 代码 --email 邮箱 --consent，或 --file 名单.csv"
        )
    elif file is None:
        told: list[tuple[str, ...]] = []
        for r in rows:
            said = "没问过" if r.consent is None else "同意" if r.consent else "不同意"
            told.append((r.code, said, r.email or "没有", "有" if r.phone else "没有",
                         "已停止" if r.stopped else "", r.hold or ""))  # fmt: skip
        lines(("统一社会信用代码", "同意", "邮箱", "手机号", "停止", "信用暂缓"), told)
    if rejected:
        raise typer.Exit(1)


def _yuan(fen: int) -> str:
    return f"{fen / 100:,.2f}"


def _limit(limit: int | None, available: int | None) -> tuple[str, str]:
    """额度和可用的, in yuan."""
    return ("不限", "不限") if limit is None else (_yuan(limit), _yuan(available or 0))
