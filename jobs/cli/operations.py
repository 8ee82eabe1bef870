"""运维命令: huiqi doctor · backup · restore · contacts erase; for the person who keeps the server."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from jobs.cli.common import clock_of, library_path, now, telling
from jobs.cli.nightly import HomeOption


def register(app: typer.Typer) -> None:
    """登记命令."""
    app.command("doctor")(doctor_command)
    app.command("backup")(backup_command)
    app.command("restore")(restore_command)
    contacts = typer.Typer(
        no_args_is_help=True, help="联系方式的留存。\n\n例：huiqi contacts erase --older-than 730"
    )
    contacts.callback()(lambda: None)
    contacts.command("erase")(erase_command)
    app.add_typer(contacts, name="contacts")


def doctor_command(
    home: HomeOption = None,
    library: Annotated[Path | None, typer.Option("--library", help="政策库文件夹")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="机器可读的结果")] = False,
) -> None:
    """体检：一项一项查，说出怎么治；什么也不改。

    查磁盘、库表、政策库、比对、定时、收件箱、日历、推送、人员、记录。

    例：huiqi doctor
    """
    from jobs.doctor import BAD, Patient, examine

    engine, folder = _open(home)
    try:
        moment = clock_of(engine)()
    except Exception:  # a database that can't be read is what the examination is to find and tell
        moment = now()
    found = examine(Patient(engine, folder, library_path(library), moment, dict(os.environ)))
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(c) for c in found], ensure_ascii=False))
    else:
        for check in found:
            typer.echo(
                f"{check.state}\t{check.name}：{check.words}" + (f"\n\t→ {check.cure}" if check.cure else "")
            )
    if any(c.state == BAD for c in found):
        raise typer.Exit(1)


def backup_command(
    target: Annotated[Path, typer.Argument(help="备份文件 .zip，或放备份的文件夹")],
    home: HomeOption = None,
) -> None:
    """备份数据库和数据文件夹成一个文件，可以在别人办事时做。

    每个成员都带哈希。政策库在 HUIQI_LIBRARY 里，请另外备份。

    例：huiqi backup /srv/backup
    """
    from jobs.backup import back_up

    with telling():
        engine, folder = _open(home)
        kept = back_up(engine, folder, target, now())
    typer.echo(f"{kept.file}：{kept.members} 个文件，{kept.bytes / 1e6:,.1f} MB")
    typer.echo(
        f"操作记录的头：{kept.audit_count}:{kept.audit_head}（抄在别处，huiqi verify-audit --anchor 能查出截尾）"
    )


def restore_command(
    backup: Annotated[Path, typer.Argument(help="huiqi backup 做出的文件")],
    home: Annotated[Path, typer.Option("--home", help="放回到哪个空文件夹")],
) -> None:
    """从备份恢复到一个空文件夹和空数据库。

    先核对每个文件的哈希，恢复后核验操作记录和台账。

    例：huiqi restore /srv/backup/huiqi-20260601-020000.zip --home /srv/huiqi
    """
    from jobs.backup import bring_back

    with telling():
        wrong = bring_back(backup, home, _url(home))
    typer.echo(f"已恢复到 {home}" + ("" if wrong else "，操作记录和台账完整"))
    for line in wrong:
        typer.echo(line, err=True)
    if wrong:
        raise typer.Exit(1)


def erase_command(
    code: Annotated[str | None, typer.Argument(help="一家企业的统一社会信用代码")] = None,
    older_than: Annotated[int | None, typer.Option("--older-than", min=1, help="多少天没有改过的")] = None,
    by: Annotated[str, typer.Option("--by", help="经办人")] = "操作员",
    home: HomeOption = None,
) -> None:
    """抹去邮箱和手机；是否同意、停收、暂缓仍然留着，免得又去打扰。

    记入操作记录，记录里没有联系方式。

    例：huiqi contacts erase 91120116MA05ABCD1X --by lin
    """
    from store.reach import erase_contacts

    with telling():
        if (code is None) == (older_than is None):
            raise ValueError("写一个代码，或者用 --older-than 天数，二者选一")
        engine, _ = _open(home)
        count = erase_contacts(engine, clock_of(engine)(), by, code=code, older_than=older_than)
    typer.echo(f"抹去了 {count} 家的联系方式")


def _url(home: Path | None) -> str:
    from store.database import database_url

    env = dict(os.environ)
    if home is not None and not env.get("HUIQI_DB"):
        env["HUIQI_DB"] = str(home / "huiqi.db")
    return database_url(env)


def _open(home: Path | None) -> tuple[Any, Path]:
    """The database as it is (nothing is upgraded here) and the data folder."""
    from store.database import open_database
    from store.nights import home_folder

    return open_database(_url(home)), home or home_folder()
