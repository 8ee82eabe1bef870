"""推送命令: huiqi push · pushes · resend · reach."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from jobs.cli.common import clock_of, telling
from jobs.cli.grants_fulfil import HomeOption, open_store


def register(app: typer.Typer) -> None:
    """登记命令."""
    app.command("push")(push)
    app.command("pushes")(pushes)


def push(
    once: Annotated[
        bool, typer.Option("--once", help="发完到期的就结束（不写也是这样；连续发请用 huiqi schedule）")
    ] = True,
    resend: Annotated[str, typer.Option("--resend", help="把一条死信改为待发，写它的 key")] = "",
    threads: Annotated[int, typer.Option(min=1, max=64, help="同时发几条")] = 8,
    home: HomeOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="小结写成 JSON")] = False,
) -> None:
    """发送到期的推送：一条匹配、一个渠道、一版模板只送达一次，中断后可以重跑。

    例：HUIQI_WEBHOOK_URL=https://… HUIQI_WEBHOOK_SECRET=… huiqi push --once
    """
    from jobs.channels import Settings
    from jobs.push import push_once
    from store import outbox

    with telling():
        settings = Settings.read()
        engine, _ = open_store(home)
        if resend:
            outbox.resend(engine, resend, clock_of(engine)())
        report = push_once(engine, settings, clock_of(engine), threads=threads)
    waiting = {c: n for (c, state), n in outbox.counts(engine).items() if state == outbox.DUE}
    summary = {"sent": report.counts.get("sent", 0), "retry": report.counts.get("retry", 0),
               "dead": report.counts.get("dead", 0), "woken": report.woken, "closed": report.closed, "due": waiting}  # fmt: skip
    if as_json:
        typer.echo(json.dumps(summary, ensure_ascii=False))
    else:
        typer.echo(report.words)
        for channel, n in waiting.items():
            why = (
                "没有设 HUIQI_WEBHOOK_URL"
                if channel == "webhook" and not settings.webhook_url
                else "等待下一轮"
            )
            typer.echo(f"留待发送：{channel} {n} 条（{why}）")
    if summary["dead"] or report.closed:
        raise typer.Exit(1)


def pushes(
    home: HomeOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="每条一个对象")] = False,
    state: Annotated[list[str], typer.Option("--state", help="due sent suppressed dead，可以多个")] = [],  # noqa: B006
    item: Annotated[str, typer.Option("--item", help="只列一个事项")] = "",
    first: Annotated[
        bool, typer.Option("--first", help="只写第一家企业的代码，给脚本用；没有就退出码 1")
    ] = False,
) -> None:
    """列出推送：到期、已送达、暂缓（原因）、死信。

    例：huiqi pushes --json --state suppressed
    """
    from store import outbox

    with telling():
        known = (outbox.DUE, outbox.SENT, outbox.SUPPRESSED, outbox.DEAD)
        wrong = [s for s in state if s not in known]
        if wrong:
            raise ValueError(f"没有“{wrong[0]}”这个状态：可以是 {' '.join(known)}")
        engine, _ = open_store(home)
        rows = outbox.list_pushes(engine, states=state or None, items=[item] if item else None)
    if first:
        if not rows:
            raise typer.Exit(1)
        typer.echo(rows[0].firm)
        return
    if as_json:
        names = ("key", "firm", "item", "channel", "state", "reason", "attempts")
        typer.echo(
            "["
            + ",\n".join(json.dumps({n: getattr(r, n) for n in names}, ensure_ascii=False) for r in rows)
            + "]"
        )
        return
    for (channel, word), n in sorted(outbox.counts(engine).items()):
        typer.echo(f"{channel}\t{word}\t{n}")
    for reason, n in sorted(outbox.reasons(engine).items(), key=lambda r: -r[1]):
        typer.echo(f"暂缓：{reason}\t{n}")
