"""认领与异议 in the command line: rows that wait for a person, and corrections a firm asks for."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from jobs.cli.common import HomeOption, clock_of, telling
from jobs.cli.imports import ByOption, JsonOption, opened


def register(app: typer.Typer) -> None:
    """注册命令."""
    identity = typer.Typer(
        no_args_is_help=True, help="认领。\n\n例：huiqi identity answer 3 91120116… --by 张经办"
    )
    identity.command(
        "list", help="等人认定是哪家企业的行，附候选和分数。\n\n例：huiqi identity list --source tax_annual"
    )(identity_list)
    identity.command(
        "answer",
        help="认定一行是哪家企业的（--none 不是本档企业）；下次照此。\n\n例：huiqi identity answer 3 91120116… --by 张经办",
    )(identity_answer)
    identity.command(
        "withdraw",
        help="收回一个认定：同样写法以后重新等人。\n\n例：huiqi identity withdraw tax_annual 甲公司 --by 张经办",
    )(identity_withdraw)
    identity.command("referred", help="别家的行提到、却没有档案的企业。\n\n例：huiqi identity referred")(
        identity_referred
    )
    app.add_typer(identity, name="identity")
    corrections = typer.Typer(
        no_args_is_help=True, help="异议更正。\n\n例：huiqi correction list --department 税务局"
    )
    corrections.command(
        "file",
        help="企业提出一项异议，进归口部门的清单。\n\n例：huiqi correction file 91120116… 营业收入@2025 --claimed 1200万元 --reason 审计报告第3页",
    )(correction_file)
    corrections.command("list", help="异议清单。\n\n例：huiqi correction list --department 税务局")(
        correction_list
    )
    corrections.command(
        "answer", help="部门答复。\n\n例：huiqi correction answer 5 --answer 已更正，本月重报 --by 李"
    )(correction_answer)
    app.add_typer(corrections, name="correction")


def identity_list(
    source: Annotated[str, typer.Option("--source", help="只看一个来源")] = "",
    batch: Annotated[int | None, typer.Option("--batch", help="只看一批")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="一页几行")] = 50,
    page: Annotated[int, typer.Option("--page", min=1, help="看第几页")] = 1,
    everything: Annotated[bool, typer.Option("--all", help="全部")] = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """待认领."""
    from store.claims import count_pending, pending

    with telling():
        engine, skip = opened(home), 0 if everything else (page - 1) * limit
        found = pending(engine, source=source, batch=batch, limit=None if everything else limit, skip=skip)
        rest = count_pending(engine, source=source, batch=batch) - skip - len(found)
    if as_json:
        typer.echo(json.dumps([one.model_dump(mode="json") for one in found], ensure_ascii=False))
        return
    for one in found:
        typer.echo(
            f"第{one.id}号 {one.source} 第{one.line}行 {one.why}：{one.code or one.number or one.name} {one.name}"
        )
        for candidate in one.candidates or []:
            typer.echo(
                f"    {candidate['code']} {candidate['name']} {candidate['score']}（{candidate['by']}）"
            )
    if rest > 0:
        typer.echo(f"还有 {rest} 行：--page {page + 1} 看下一页，--all 看全部，--batch 批号 只看一批")


def identity_answer(
    number: Annotated[int, typer.Argument(help="待认领号")],
    code: Annotated[str, typer.Argument(help="统一社会信用代码")] = "",
    none: Annotated[bool, typer.Option("--none", help="不是本档企业")] = False,
    once: Annotated[bool, typer.Option("--once", help="只这一次，以后同样写法仍等人")] = False,
    by: ByOption = "",
    home: HomeOption = None,
) -> None:
    """答复认领."""
    from store.claims import answer

    with telling():
        if bool(code) == none:
            raise ValueError("要写企业代码，或 --none")
        engine = opened(home)
        report = answer(engine, number, code, by=by, at=clock_of(engine)(), keep=not once)
    typer.echo(f"第{number}号：{'不是本档企业' if report is None else f'记入 {code}'}")


def identity_withdraw(
    source: Annotated[str, typer.Argument(help="来源名")],
    written: Annotated[str, typer.Argument(help="当时的写法（代码或名称）")],
    by: ByOption = "",
    home: HomeOption = None,
) -> None:
    """收回认定."""
    from store.claims import withdraw_answer

    with telling():
        engine = opened(home)
        ended = withdraw_answer(engine, source, written, by=by, at=clock_of(engine)())
    typer.echo(f"收回{ended}条认定" if ended else "没有这条认定")
    if not ended:
        raise typer.Exit(1)


def identity_referred(as_json: JsonOption = False, home: HomeOption = None) -> None:
    """有所指而无档."""
    from store.firms import without_file

    with telling():
        found = without_file(opened(home))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for one in found:
        typer.echo(f"{one['other']}  {one['code']} 的{one['kind']}（{one['source']}）")


def correction_file(
    code: Annotated[str, typer.Argument(help="统一社会信用代码")],
    indicator: Annotated[str, typer.Argument(help="指标名；年度指标写 营业收入@2024")],
    claimed: Annotated[str, typer.Option("--claimed", help="企业认为应当是")],
    reason: Annotated[str, typer.Option("--reason", help="理由和依据")],
    by: ByOption = "",
    home: HomeOption = None,
) -> None:
    """提出异议."""
    from profiles.exchange import shown_value
    from profiles.file import split
    from profiles.ingest import load_dictionary
    from store.corrections import file_correction
    from store.firms import provenance

    with telling():
        name, year = split(indicator)
        engine, dictionary = opened(home), load_dictionary()
        moment = clock_of(engine)()
        fact = provenance(engine, code, moment.date(), dictionary).get((name, year))
        number = file_correction(
            engine, code, name, year=year, dictionary=dictionary, at=moment, claimed=claimed, reason=reason, by=by,
            shown=shown_value(fact, dictionary) if fact else None, department=fact.department if fact else "",
        )  # fmt: skip
    typer.echo(f"第{number}号异议已送归口部门")


def correction_list(
    department: Annotated[str, typer.Option("--department", help="只看一个部门")] = "",
    code: Annotated[str, typer.Option("--code", help="只看一家企业")] = "",
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """异议清单."""
    from store.corrections import corrections

    with telling():
        found = corrections(opened(home), department=department, code=code)
    if as_json:
        typer.echo(json.dumps([one.model_dump(mode="json") for one in found], ensure_ascii=False))
        return
    if not found:
        typer.echo("没有这样的异议" if department or code else "还没有异议")
    for one in found:
        year = f"@{one.year}" if one.year else ""
        typer.echo(
            f"第{one.id}号 {one.department} {one.indicator}{year}：提出时为 {_as_filed(one.shown, one.indicator)}，"
            f"企业称 {one.claimed}（{one.reason}）{one.state} {one.answer}"
        )


def correction_answer(
    number: Annotated[int, typer.Argument(help="异议号")],
    answer: Annotated[str, typer.Option("--answer", help="答复")],
    adopted: Annotated[
        bool, typer.Option("--adopted/--refused", show_default=False, help="是否更正（部门随后报新数据）")
    ] = True,
    by: ByOption = "",
    home: HomeOption = None,
) -> None:
    """答复异议."""
    from store.corrections import answer_correction

    with telling():
        engine = opened(home)
        answer_correction(engine, number, adopted=adopted, answer=answer, by=by, at=clock_of(engine)())
    state = "同意更正：部门报来新数据以后，档案才会变" if adopted else "不予更正"
    typer.echo(f"第{number}号已答复，{state}")


def _as_filed(shown: Any, indicator: str) -> str:
    """What the file showed when the request was made, as the file shows it; older records kept the bare number."""
    from profiles.exchange import shown_of
    from profiles.ingest import load_dictionary

    if shown is None:
        return "没有值"
    try:
        return shown_of(float(shown), load_dictionary().get(indicator))
    except (TypeError, ValueError):
        return str(shown)
