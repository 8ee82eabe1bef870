"""导入 in the command line: sources, imports and their batches."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.cli.common import HomeOption, clock_of, local, parse_as_of, telling
from jobs.cli.tables import lines

if TYPE_CHECKING:
    from profiles.source import Source
    from store.database import Engine
    from store.imports import BatchReport

JsonOption = Annotated[bool, typer.Option("--json", help="机器可读的结果")]
SourcesOption = Annotated[
    Path | None, typer.Option("--sources", help="本单位来源声明的文件夹（也可设 HUIQI_SOURCES）")
]
ByOption = Annotated[str, typer.Option("--by", help="经办人")]
SHOWN = 20


def register(app: typer.Typer) -> None:
    """注册命令."""
    app.command(
        "import",
        help="导入一个文件：一批，要么全落库要么不动。\n\n例：huiqi import 登记.csv --source registration",
    )(import_command)
    sources = typer.Typer(
        no_args_is_help=True, help="数据来源。\n\n例：huiqi sources check 登记.csv --source registration"
    )
    sources.command(
        "check",
        help="试一份来源声明（.yaml）或一个数据文件：前几行会落成什么样。\n\n例：huiqi sources check 登记.csv --source registration",
    )(sources_check)
    sources.command("list", help="现有来源、权威等级、最近到达。\n\n例：huiqi sources list")(sources_list)
    app.add_typer(sources, name="sources")
    batches = typer.Typer(no_args_is_help=True, help="导入批次。\n\n例：huiqi batch take-back 12 --by 张经办")
    batches.command("list", help="批次清单，新的在前。\n\n例：huiqi batch list --source tax_annual")(
        batch_list
    )
    batches.command("show", help="一批的退回清单：行、列、理由。\n\n例：huiqi batch show 12")(batch_show)
    batches.command(
        "take-back",
        help="撤回一批：此后不再算数，往日的档案不变。\n\n例：huiqi batch take-back 12 --by 张经办",
    )(batch_take_back)
    app.add_typer(batches, name="batch")


def import_command(
    source: Annotated[str, typer.Option("--source", help="来源名（huiqi sources list）或来源声明 .yaml")],
    file: Annotated[Path | None, typer.Argument(help="数据文件；数据库来源不用给")] = None,
    date: Annotated[str | None, typer.Option("--date", help="数据日期，文件自己没写时用")] = None,
    accept: Annotated[
        bool, typer.Option("--accept", help="行数减半、列变动等暂扣的文件，看过后照样落库")
    ] = False,
    sources: SourcesOption = None,
    by: ByOption = "",
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """导入."""
    with telling():
        from profiles.ingest import load_dictionary
        from profiles.source import SourceError
        from store.external import import_query
        from store.imports import import_file

        found = _source(source, sources)
        day, engine = parse_as_of(date) if date else None, opened(home)
        with progress(not as_json) as told:
            if file is not None:
                report = import_file(
                    engine, file, found, dictionary=load_dictionary(), arrived_at=clock_of(engine)(), by=by, day=day,
                    accept=accept, ahead=True, progress=told,
                )  # fmt: skip
            elif found.database is not None:
                report = import_query(
                    engine, found, env=os.environ, dictionary=load_dictionary(), arrived_at=clock_of(engine)(), by=by,
                    day=day.isoformat() if day else None, accept=accept, progress=told,
                )  # fmt: skip
            else:
                raise SourceError(f"来源“{found.source}”要给文件：huiqi import 文件 --source {found.source}")
    if as_json:
        typer.echo(json.dumps(report.as_dict(), ensure_ascii=False))
    else:
        _tell_import(report)
    if report.held or report.rejected or report.to_confirm:
        raise typer.Exit(1)


def sources_check(
    file: Annotated[Path, typer.Argument(help="来源声明 .yaml，或数据文件")],
    source: Annotated[str, typer.Option("--source", help="数据文件按哪个来源读（默认按文件名认）")] = "",
    data: Annotated[Path | None, typer.Option("--data", help="给来源声明试的数据文件")] = None,
    rows: Annotated[int, typer.Option("--rows", help="显示几行")] = 3,
    sources: SourcesOption = None,
) -> None:
    """试一个来源."""
    with telling():
        from profiles.ingest import load_dictionary
        from profiles.source import SourceError, read_source
        from profiles.trial import LOOKED_AT, try_source, try_table
        from store.batches import source_of
        from store.external import open_query, query_name

        if file.suffix.lower() in (".yaml", ".yml"):
            found = read_source(file)
        else:
            data = file
            named = (
                source_of(file.name, _sources(sources).values()) if not source else _source(source, sources)
            )
            if named is None:
                raise SourceError(f"{file.name}  没有来源认领这个文件名，请用 --source 写明")
            found = named
        if found.database is not None and data is None:
            with open_query(found, os.environ, LOOKED_AT) as table:
                trial = try_table(found, table, query_name(found), load_dictionary(), rows)
        else:
            trial = try_source(found, data, load_dictionary(), rows)
    typer.echo("\n".join(trial.lines))
    if trial.faults:
        raise typer.Exit(1)


def sources_list(sources: SourcesOption = None, as_json: JsonOption = False, home: HomeOption = None) -> None:
    """来源清单."""
    from store.firms import received_sources

    with telling():
        found, received = _sources(sources), received_sources(opened(home))
    rows = [
        {
            "source": one.source, "title": one.title, "department": one.department, "authority": one.authority,
            "coverage": one.coverage, "refresh": one.refresh,
            "arrived": received[one.source].isoformat() if one.source in received else None,
        }
        for one in found.values()
    ]  # fmt: skip
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    told = []
    for one in found.values():
        came = received.get(one.source)
        arrived = f"{local(came):%Y-%m-%d}" if came else "未到过"
        told.append((one.source, one.title, one.department, one.authority, one.coverage, arrived))
    lines(("来源", "名称", "部门", "权威等级", "全量还是部分", "最近到达"), told, right=("权威等级",))


def batch_list(
    source: Annotated[str, typer.Option("--source", help="只看一个来源")] = "",
    limit: Annotated[int, typer.Option("--limit", help="看几批")] = 30,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """批次清单."""
    from store.batches import batches

    with telling():
        found = batches(opened(home), source=source, limit=limit)
    if as_json:
        typer.echo(json.dumps([one.model_dump(mode="json") for one in found], ensure_ascii=False))
        return
    counts = ("行", "新", "变", "同", "退", "待")
    lines(
        ("批号", "到达", "来源", "文件", "状态", *counts, "备注"),
        ((b.id, f"{local(b.arrived_at):%Y-%m-%d %H:%M}", b.source, b.file_name, b.state, b.rows, b.new, b.changed,
          b.unchanged, b.rejected, b.to_confirm, b.note) for b in found),
        right=("批号", *counts),
    )  # fmt: skip
    if not found:
        typer.echo("还没有导入过")


def batch_show(
    batch: Annotated[int, typer.Argument(help="批号")], as_json: JsonOption = False, home: HomeOption = None
) -> None:
    """退回清单."""
    from store.batches import troubles

    with telling():
        found = troubles(opened(home), batch)
    if as_json:
        typer.echo(json.dumps([one.as_dict() for one in found], ensure_ascii=False))
        return
    for one in found:
        typer.echo(f"第{one.line}行 {one.column} {one.message}")
    if not found:
        typer.echo("这一批没有退回的行")


def batch_take_back(
    batch: Annotated[int, typer.Argument(help="批号")], by: ByOption = "", home: HomeOption = None
) -> None:
    """撤回一批."""
    from store.batches import take_back

    with telling():
        engine = opened(home)
        rows = take_back(engine, batch, by=by, at=clock_of(engine)())
    typer.echo(f"第{batch}批已撤回，{rows}行不再算数")


def opened(home: Path | None) -> Engine:
    """打开数据文件夹的库."""
    from jobs.cli.grants_fulfil import open_store

    return open_store(home)[0]


def _sources(folder: Path | None) -> dict[str, Source]:
    from profiles.source import BUILT_IN, load_sources

    extra = folder or (Path(os.environ["HUIQI_SOURCES"]) if os.environ.get("HUIQI_SOURCES") else None)
    if extra is not None and not extra.is_dir():
        raise ValueError(f"没有来源声明文件夹：{extra}")
    return load_sources(BUILT_IN, *([extra] if extra else []))


def _source(name: str, folder: Path | None) -> Source:
    from profiles.source import find_source, read_source

    if name.endswith((".yaml", ".yml")):
        return read_source(Path(name))
    return find_source(_sources(folder), name)


@contextmanager
def progress(shown: bool) -> Iterator[Callable[[float, int], None]]:
    """进度条: a bar on a terminal; silence elsewhere."""
    if not shown or not sys.stderr.isatty():
        yield lambda _share, _rows: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda share, rows: bar.update(task, completed=share, description=f"{rows:,}")


def _tell_import(report: BatchReport) -> None:
    if report.held:
        typer.echo(f"暂扣，没有落库：{report.held}")
    typer.echo(
        f"{report.file}：{report.rows}行 = 新{report.new} + 变{report.changed} + 同{report.unchanged}"
        f" + 退{report.rejected} + 待人{report.to_confirm}"
        + (f"（第{report.batch}批）" if report.batch else "")
    )
    for note in report.notes:
        typer.echo(f"  {note}")
    for one in report.problems[:SHOWN]:
        typer.echo(f"  第{one.line}行 {one.column} {one.message}")
    if len(report.problems) > SHOWN:
        rest = len(report.problems) - SHOWN
        where = f"huiqi batch show {report.batch}" if report.batch else "加 --json 看全部"
        typer.echo(f"  还有{rest}条：{where}")
