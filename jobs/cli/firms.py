"""企业 in the command line: sources, imports, batches, files, rows that wait for a person, corrections."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.cli.common import HomeOption, clock_of, day_of, local, parse_as_of, telling

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
    files = typer.Typer(
        no_args_is_help=True, help="一企一档。\n\n例：huiqi file show 91120116… --as-of 2026-03-01"
    )
    files.command("show", help="看一家企业的档案（--yaml 出可再导入的全档）")(file_show)
    files.command("history", help="一个指标的沿革：谁、哪一批、何时改的")(file_history)
    files.command("export", help="导出一家（代码）或全库（--all）到文件夹")(file_export)
    files.command("import", help="导入导出过的档案：一个 YAML 或一个文件夹")(file_import)
    app.add_typer(files, name="file")
    sources = typer.Typer(
        no_args_is_help=True, help="数据来源。\n\n例：huiqi sources check 登记.csv --source registration"
    )
    sources.command("check", help="试一份来源声明（.yaml）或一个数据文件：前几行会落成什么样")(sources_check)
    sources.command("list", help="现有来源、权威等级、最近到达")(sources_list)
    app.add_typer(sources, name="sources")
    batches = typer.Typer(no_args_is_help=True, help="导入批次。\n\n例：huiqi batch take-back 12 --by 张经办")
    batches.command("list", help="批次清单，新的在前")(batch_list)
    batches.command("show", help="一批的退回清单：行、列、理由")(batch_show)
    batches.command("take-back", help="撤回一批：此后不再算数，往日的档案不变")(batch_take_back)
    app.add_typer(batches, name="batch")
    identity = typer.Typer(
        no_args_is_help=True, help="认领。\n\n例：huiqi identity answer 3 91120116… --by 张经办"
    )
    identity.command("list", help="等人认定是哪家企业的行，附候选和分数")(identity_list)
    identity.command("answer", help="认定一行是哪家企业的（--none 不是本档企业）；下次照此")(identity_answer)
    identity.command("withdraw", help="收回一个认定：同样写法以后重新等人")(identity_withdraw)
    identity.command("referred", help="别家的行提到、却没有档案的企业")(identity_referred)
    app.add_typer(identity, name="identity")
    corrections = typer.Typer(
        no_args_is_help=True, help="异议更正。\n\n例：huiqi correction list --department 税务局"
    )
    corrections.command("file", help="企业提出一项异议，进归口部门的清单")(correction_file)
    corrections.command("list", help="异议清单")(correction_list)
    corrections.command("answer", help="部门答复")(correction_answer)
    app.add_typer(corrections, name="correction")


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
        day, engine = parse_as_of(date) if date else None, _engine(home)
        with _progress(not as_json) as told:
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


def file_show(
    code: Annotated[str, typer.Argument(help="统一社会信用代码")],
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="档案在这一天的样子：当日为真、当日已知")
    ] = None,
    true_for: Annotated[
        str | None, typer.Option("--true-for", help="这一天的事实，按今天所知（补报、更正都算）")
    ] = None,
    as_yaml: Annotated[bool, typer.Option("--yaml", help="可再导入的全档")] = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """看档案."""
    from profiles.codes import tidy_code
    from profiles.exchange import by_section, shown_value
    from profiles.ingest import load_dictionary
    from store.exchange import export_firm
    from store.firms import missing_file, provenance, relations

    with telling():
        engine, dictionary, tidy = _engine(home), load_dictionary(), tidy_code(code)
        day = day_of(engine, true_for or as_of)
        known_on = day if as_of and not true_for else None
        if as_yaml and not as_of:
            typer.echo(export_firm(engine, tidy, day, dictionary), nl=False)
            return
        facts = provenance(engine, tidy, day, dictionary, known_on=known_on)
        if not facts:
            typer.echo(missing_file(engine, tidy, day), err=True)
            raise typer.Exit(1)
        if as_yaml:
            _show_yaml(tidy, day, by_section(facts, dictionary), dictionary)
            return
        if as_json:
            typer.echo(json.dumps([_fact_dict(fact) for fact in facts.values()], ensure_ascii=False))
            return
        related = relations(engine, tidy, known_on=known_on)
    typer.echo(f"{tidy}  截至 {day}")
    for section, found in by_section(facts, dictionary).items():
        typer.echo(f"\n【{section}】")
        for fact in found:
            name = fact.indicator if fact.year is None else f"{fact.indicator} {fact.year}"
            mark = "" if fact.state == "已知" else f"  ［{fact.state}］"
            origin = f"{fact.department} {'数据' if fact.dated else '到达'}{fact.day}"
            typer.echo(f"  {name}：{_short(shown_value(fact, dictionary))}{mark}  —— {origin}")
            for other in fact.others if fact.state == "冲突" else ():
                typer.echo(
                    f"      另：{_short(shown_value(other, dictionary))}  —— {other.department} {other.day}"
                )
    for one in related:
        typer.echo(
            f"  {one['kind']}：{one['other']}{'（无档）' if one['has_file'] is False else ''}  —— {one['source']}"
        )


def file_history(
    code: Annotated[str, typer.Argument(help="统一社会信用代码")],
    indicator: Annotated[str, typer.Argument(help="指标名；年度指标写 营业收入@2024")],
    home: HomeOption = None,
) -> None:
    """沿革."""
    from profiles.file import split, to_value
    from profiles.ingest import load_dictionary
    from store.firms import history

    with telling():
        name, year = split(indicator)
        spec = load_dictionary().get(name)
        changes = history(_engine(home), code, name, year)
    if not changes:
        typer.echo(f"没有哪一批说过 {code} 的“{indicator}”", err=True)
        raise typer.Exit(1)
    for one in changes:
        value = one.value if isinstance(one.value, str) else to_value(one.value, spec)
        back = f"  已于{local(one.taken_back):%Y-%m-%d}撤回" if one.taken_back else ""
        typer.echo(
            f"{local(one.arrived):%Y-%m-%d %H:%M} 第{one.batch}批 {one.department} 数据日期{one.day or '未写'}"
            f" {one.by or ''}：{_short(str(value))}{back}"
        )


def file_export(
    code: Annotated[str | None, typer.Argument(help="统一社会信用代码")] = None,
    to: Annotated[Path, typer.Option("--to", help="文件夹")] = Path("档案"),
    everything: Annotated[bool, typer.Option("--all", help="全库")] = False,
    as_of: Annotated[str | None, typer.Option("--as-of", help="现值截至哪天")] = None,
    home: HomeOption = None,
) -> None:
    """导出."""
    from profiles.codes import tidy_code
    from profiles.ingest import load_dictionary
    from store.exchange import export_firm, export_store

    with telling():
        engine, dictionary = _engine(home), load_dictionary()
        day = day_of(engine, as_of)
        if everything:
            with _progress(True) as told:
                count = export_store(engine, to, day, dictionary, lambda done, all_: told(done / all_, done))
            typer.echo(f"导出{count}家到 {to}")
        elif code:
            to.mkdir(parents=True, exist_ok=True)
            path = to / f"{tidy_code(code)}.yaml"
            path.write_text(export_firm(engine, tidy_code(code), day, dictionary), "utf-8")
            typer.echo(f"导出到 {path}")
        else:
            raise ValueError("要写企业代码，或 --all 导出全库")


def file_import(
    path: Annotated[Path, typer.Argument(help="YAML 文件，或 file export --all 写的文件夹")],
    home: HomeOption = None,
) -> None:
    """导入档案."""
    from profiles.ingest import load_dictionary
    from store.exchange import import_firm, import_store

    with telling():
        if path.is_dir():
            with _progress(True) as told:
                count = import_store(
                    _engine(home), path, load_dictionary(), lambda done, all_: told(done / all_, done)
                )
            typer.echo(f"导入{count}家")
        else:
            code = import_firm(_engine(home), path.read_text("utf-8"), load_dictionary(), file=path.name)
            typer.echo(f"导入 {code}")


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
        found, received = _sources(sources), received_sources(_engine(home))
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
    for row in rows:
        came = received.get(str(row["source"]))
        arrived = f"{local(came):%Y-%m-%d}" if came else "未到过"
        typer.echo(
            f"{row['source']:<24}{row['department']}  权威{row['authority']} {row['coverage']}  {arrived}"
        )


def batch_list(
    source: Annotated[str, typer.Option("--source", help="只看一个来源")] = "",
    limit: Annotated[int, typer.Option("--limit", help="看几批")] = 30,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """批次清单."""
    from store.batches import batches

    with telling():
        found = batches(_engine(home), source=source, limit=limit)
    if as_json:
        typer.echo(json.dumps([one.model_dump(mode="json") for one in found], ensure_ascii=False))
        return
    for one in found:
        typer.echo(
            f"第{one.id}批 {local(one.arrived_at):%Y-%m-%d %H:%M} {one.source} {one.file_name} {one.state}："
            f"{one.rows}行 新{one.new} 变{one.changed} 同{one.unchanged} 退{one.rejected} 待{one.to_confirm} {one.note}"
        )


def batch_show(
    batch: Annotated[int, typer.Argument(help="批号")], as_json: JsonOption = False, home: HomeOption = None
) -> None:
    """退回清单."""
    from store.batches import troubles

    with telling():
        found = troubles(_engine(home), batch)
    if as_json:
        typer.echo(json.dumps([one.as_dict() for one in found], ensure_ascii=False))
        return
    for one in found:
        typer.echo(f"第{one.line}行 {one.column} {one.message}")


def batch_take_back(
    batch: Annotated[int, typer.Argument(help="批号")], by: ByOption = "", home: HomeOption = None
) -> None:
    """撤回一批."""
    from store.batches import take_back

    with telling():
        engine = _engine(home)
        rows = take_back(engine, batch, by=by, at=clock_of(engine)())
    typer.echo(f"第{batch}批已撤回，{rows}行不再算数")


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
        engine, skip = _engine(home), 0 if everything else (page - 1) * limit
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
        engine = _engine(home)
        report = answer(engine, number, code, by=by, at=clock_of(engine)(), keep=not once)
    typer.echo(f"第{number}号：{'不是本档企业' if report is None else f'记入 {code}'}")


def identity_withdraw(
    source: Annotated[str, typer.Argument(help="来源名")],
    written: Annotated[str, typer.Argument(help="当时的写法（代码或名称）")],
    home: HomeOption = None,
) -> None:
    """收回认定."""
    from store.claims import withdraw_answer

    with telling():
        engine = _engine(home)
        ended = withdraw_answer(engine, source, written, at=clock_of(engine)())
    typer.echo(f"收回{ended}条认定" if ended else "没有这条认定")
    if not ended:
        raise typer.Exit(1)


def identity_referred(as_json: JsonOption = False, home: HomeOption = None) -> None:
    """有所指而无档."""
    from store.firms import without_file

    with telling():
        found = without_file(_engine(home))
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
        engine, dictionary = _engine(home), load_dictionary()
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
        found = corrections(_engine(home), department=department, code=code)
    if as_json:
        typer.echo(json.dumps([one.model_dump(mode="json") for one in found], ensure_ascii=False))
        return
    for one in found:
        year = f"@{one.year}" if one.year else ""
        typer.echo(
            f"第{one.id}号 {one.department} {one.indicator}{year}：提出时为 {_as_filed(one.shown, one.indicator)}，"
            f"企业称 {one.claimed}（{one.reason}）{one.state} {one.answer}"
        )


def correction_answer(
    number: Annotated[int, typer.Argument(help="异议号")],
    answer: Annotated[str, typer.Option("--answer", help="答复")],
    adopted: Annotated[bool, typer.Option("--adopted/--refused", help="是否更正（部门随后报新数据）")] = True,
    by: ByOption = "",
    home: HomeOption = None,
) -> None:
    """答复异议."""
    from store.corrections import answer_correction

    with telling():
        engine = _engine(home)
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


def _engine(home: Path | None) -> Engine:
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
def _progress(shown: bool) -> Iterator[Callable[[float, int], None]]:
    """A bar on a terminal; silence elsewhere."""
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


def _fact_dict(fact: Any) -> dict[str, Any]:
    return {
        "indicator": fact.indicator, "year": fact.year, "value": _plain(fact.value), "state": fact.state,
        "shown": _plain(fact.shown), "source": fact.source, "department": fact.department, "day": fact.day.isoformat(),
        "dated": fact.dated, "arrived": fact.arrived.isoformat(), "authority": fact.authority, "batch": fact.batch,
        "others": [_fact_dict(other) for other in fact.others],
    }  # fmt: skip


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _show_yaml(code: str, day: Any, sections: dict[str, list[Any]], dictionary: Any) -> None:
    from profiles.exchange import dump_yaml, stated

    current = {
        section: {f"{f.indicator}@{f.year}" if f.year else f.indicator: stated(f, dictionary) for f in found}
        for section, found in sections.items()
    }
    typer.echo(dump_yaml({"统一社会信用代码": code, "截至": day.isoformat(), "现值": current}), nl=False)


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "…"
