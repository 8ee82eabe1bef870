"""推送命令: huiqi push · pushes · resend · reach."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.cli.common import clock_of, telling
from jobs.cli.grants_fulfil import HomeOption, open_store
from jobs.cli.tables import lines

if TYPE_CHECKING:
    from jobs.channels import Settings
    from store.database import Engine


def register(app: typer.Typer) -> None:
    """登记命令."""
    app.command("push")(push)
    app.command("pushes")(pushes)


def push(
    once: Annotated[
        bool,
        typer.Option(
            "--once", show_default=False, help="发完到期的就结束（不写也是这样；连续发请用 huiqi schedule）"
        ),
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
            why = _not_set_up(channel, settings) or "等待下一轮"
            typer.echo(f"留待发送：{outbox.CHANNEL_WORDS[channel]}（{channel}）{n:,} 条：{why}")
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
    """列出推送：各渠道待发（due）、已发（sent）、暂缓（suppressed，连同理由）、退信（dead）各多少条，各是什么意思。

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
    _tell_states(engine)


OPENED_BY = {"webhook": "HUIQI_WEBHOOK_URL", "smtp": "HUIQI_SMTP_URL", "apprise": "HUIQI_APPRISE_URLS", "sms": "HUIQI_SMS_DIR"}  # fmt: skip


def _not_set_up(channel: str, settings: Settings) -> str:
    """没有启用: why a channel sends nothing on this machine, or ""."""
    name = OPENED_BY.get(channel)
    if name is None or getattr(settings, name.removeprefix("HUIQI_").lower()):
        return ""
    return f"这里没有设 {name}，这个渠道不发，设好后补发"


def _tell_states(engine: Engine) -> None:
    """各渠道各状态: how many, and in words what each means; the same news is one push in every channel it goes by."""
    from jobs.channels import Settings
    from store import outbox

    settings = Settings.read()
    meaning = {
        outbox.DUE: "到期还没发；huiqi push --once 发出",
        outbox.SENT: "已送到，不再发",
        outbox.SUPPRESSED: "符合，但有理由先不说，理由见下；每夜再看一遍",
        outbox.DEAD: "多次没送到，不再自己发；huiqi push --resend KEY 重发",
    }
    found = outbox.counts(engine)
    if not found:
        typer.echo("还没有推送")
        return
    typer.echo("同一件事，走几个渠道就记几条；一个渠道已发，另一个渠道可以还待发。")
    told = []
    for (channel, state), n in sorted(
        found.items(), key=lambda one: (one[0][0], outbox.STATES.index(one[0][1]))
    ):
        closed = _not_set_up(channel, settings) if state == outbox.DUE else ""
        named = f"{outbox.CHANNEL_WORDS[channel]}（{channel}）", f"{outbox.STATE_WORDS[state]}（{state}）"
        told.append((*named, f"{n:,}", closed or meaning[state]))
    lines(("渠道", "状态", "条数", "意思"), told, right=("条数",))
    for state in (outbox.SUPPRESSED, outbox.DEAD):
        why = sorted(outbox.reasons(engine, state=state).items(), key=lambda r: -r[1])
        lines(
            (f"{outbox.STATE_WORDS[state]}的理由", "条数"), ((r, f"{n:,}") for r, n in why), right=("条数",)
        )
