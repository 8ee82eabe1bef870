"""设置命令: huiqi settings."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from jobs.cli.common import clock_of, telling
from jobs.cli.grants_fulfil import HomeOption, JsonOption, open_store
from jobs.cli.tables import lines


def register(app: typer.Typer) -> None:
    """登记命令."""
    app.command("settings")(settings_command)


def settings_command(
    group: Annotated[
        str, typer.Argument(help="哪一组：push guard impact schedule sets second_limit；不写看全部")
    ] = "",
    values: Annotated[list[str], typer.Argument(help="名称=值，可以多个；值写空就按默认")] = [],  # noqa: B006
    who: Annotated[str, typer.Option("--who", help="改的人，记入操作记录")] = "命令行",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """本单位的设置：看现在的值和意思，或者改。

    例：huiqi settings push channels=smtp,sms quiet=2026-10-01~2026-10-07 every_days=7 --who 沈
    """
    from store import office_settings as own

    with telling():
        options = own.options_of(group) if group else own.OPTIONS
        engine, _ = open_store(home)
        changed = own.change(engine, group, values, by=who, now=clock_of(engine)()) if values else []
        found = [(o, *own.value_of(engine, o)) for o in options]
    if as_json:
        rows = [
            {"name": _name(o.group, o.name), "value": v, "set": s, "meaning": o.meaning} for o, v, s in found
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for line in changed:
        typer.echo(f"改好了：{line}")
    if not changed:
        lines(
            ("名称", "值", "谁定的", "意思"),
            ((_name(o.group, o.name), own.show(value), "本单位" if is_own else "默认", o.meaning) for o, value, is_own in found),
        )  # fmt: skip


def _name(group: str, name: str) -> str:
    return f"{group}.{name}" if name else group
