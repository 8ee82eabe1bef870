"""看兑现事项: huiqi fulfil list · show."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from jobs.cli.common import telling
from jobs.cli.grants_fulfil import HomeOption, JsonOption, fulfil, open_store
from jobs.cli.tables import lines


@fulfil.command("list")
def list_command(
    item: Annotated[str, typer.Option("--item", help="只列一个事项")] = "",
    code: Annotated[str, typer.Option("--code", help="只列一家企业")] = "",
    state: Annotated[str, typer.Option("--state", help="只列一种状态，例如 名单核查")] = "",
    variant: Annotated[str, typer.Option("--variant", help="免申即享 即申即享 申报兑现")] = "",
    first: Annotated[
        bool, typer.Option("--first", help="只写第一件的编号，给脚本用；没有就退出码 1")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """兑现事项：编号、企业、事项、状态、轮到谁、期限、金额。

    例：huiqi fulfil list --state 企业确认
    """
    from engine.grantmoves import State
    from store import grants
    from store.turns import Turns

    with telling():
        if state and state not in {s.value for s in State}:
            raise ValueError(f"没有“{state}”这个状态：可以是 {' '.join(State)}")
        engine, _ = open_store(home)
        states = [State(state)] if state else None
        found = grants.find(engine, item=item or None, code=code.upper() or None, states=states)
        found = [c for c in found if not variant or c.variant == variant]
        turns = Turns(engine)
    if first:
        if not found:
            raise typer.Exit(1)
        typer.echo(str(found[0].id))
        return
    if as_json:
        names = ("id", "code", "firm", "item", "batch", "variant", "state", "holder", "amount", "high", "reserved",
                 "ordered", "arrived")  # fmt: skip
        rows = [{**{n: getattr(c, n) for n in names}, "due": str(c.due or "")} for c in found]
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    told = []
    for c in found:
        yuan = "待定" if c.amount is None else f"{c.amount / 100:,.2f}"
        who = c.holder + (f"（{words}）" if (words := turns.of(c).words()) else "")
        told.append(
            (c.id, c.firm or c.code, c.title or c.item, c.state, who, c.due or c.due_note or "没有期限", yuan)
        )
    lines(("编号", "企业", "事项", "状态", "轮到谁", "期限", "元"), told, right=("编号", "元"))
    if not found:
        typer.echo("没有")


@fulfil.command("show")
def show_command(
    grant: Annotated[int, typer.Argument(help="兑现事项编号")],
    home: HomeOption = None,
) -> None:
    """一件兑现事项：钱、分期、经过，现在可以办什么、由谁办、要写什么。

    例：huiqi fulfil show 12
    """
    from engine.fulfilment import moves_from
    from engine.instalments import kept_plan
    from store import grants
    from store.database import session
    from store.turns import Turns

    with telling():
        engine, _ = open_store(home)
        with session(engine) as opened:
            case = opened.get(grants.GrantCase, grant) if grant > 0 else None
        if case is None:
            raise ValueError(f"没有第 {grant} 号兑现事项")
        steps, turn = grants.history(engine, grant), Turns(engine).of(case)
    typer.echo(
        f"第 {case.id} 号：{case.firm} {case.code} × {case.title or case.item}（{case.item}，{case.batch}，{case.variant}）"
    )
    who = f"轮到 {case.holder} {turn.words()}".rstrip() if case.holder else "办完了"
    typer.echo(f"现在 {case.state}，{who}，期限 {case.due or case.due_note or '没有'}")
    sums = [("核定", case.amount), ("占用", case.reserved), ("在途", case.ordered), ("到账", case.arrived),
            ("追回", case.claimed), ("已退回", case.recovered)]  # fmt: skip
    typer.echo(
        "钱："
        + "，".join(f"{n} {'待定' if f is None else f'{f / 100:,.2f}'}" for n, f in sums if f is None or f)
    )
    for part in kept_plan(case.facts.get("分期")):
        typer.echo(f"第 {part.no} 期 {part.fen / 100:,.2f} 元，{part.begins or f'等“{part.condition}”'}")
    for step in steps:
        fen = f"，{step.money} {step.fen / 100:,.2f} 元" if step.fen else ""
        typer.echo(
            f"  {step.on} {step.action}：{step.came_from or '—'} → {step.went_to}，{step.role} {step.who}{fen}"
        )
    typer.echo("可以办：")
    for move in moves_from(grants.to_pure(case)):
        if not move.action.startswith("比对") and move.action != "撤回意见":
            need = f"；要写 {'、'.join(move.needs)}" if move.needs else ""
            second = "；先由另一个人提请" if move.second else ""
            typer.echo(f"  {move.action}（{'、'.join(move.roles)}）{need}{second}")
