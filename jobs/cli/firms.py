"""一企一档 in the command line: a firm's file, its history, export and import."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from jobs.cli.common import HomeOption, day_of, local, telling
from jobs.cli.imports import JsonOption, opened, progress


def register(app: typer.Typer) -> None:
    """注册命令."""
    files = typer.Typer(
        no_args_is_help=True, help="一企一档。\n\n例：huiqi file show 91120116… --as-of 2026-03-01"
    )
    files.command(
        "show",
        help="看一家企业的档案（--yaml 出可再导入的全档）。\n\n例：huiqi file show 91120116… --as-of 2026-03-01",
    )(file_show)
    files.command(
        "history",
        help="一个指标的沿革：谁、哪一批、何时改的。\n\n例：huiqi file history 91120116… 营业收入@2025",
    )(file_history)
    files.command(
        "export", help="导出一家（代码）或全库（--all）到文件夹。\n\n例：huiqi file export --all --to 档案"
    )(file_export)
    files.command("import", help="导入导出过的档案：一个 YAML 或一个文件夹。\n\n例：huiqi file import 档案")(
        file_import
    )
    app.add_typer(files, name="file")


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
        engine, dictionary, tidy = opened(home), load_dictionary(), tidy_code(code)
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
    from profiles.exchange import shown_of
    from profiles.file import split, to_value
    from profiles.ingest import load_dictionary
    from store.firms import history

    with telling():
        name, year = split(indicator)
        spec = load_dictionary().get(name)
        changes = history(opened(home), code, name, year)
    if not changes:
        typer.echo(f"没有哪一批说过 {code} 的“{indicator}”", err=True)
        raise typer.Exit(1)
    for one in changes:
        value = shown_of(one.value if isinstance(one.value, str) else to_value(one.value, spec), spec)
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
        engine, dictionary = opened(home), load_dictionary()
        day = day_of(engine, as_of)
        if everything:
            with progress(True) as told:
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
            with progress(True) as told:
                count = import_store(
                    opened(home), path, load_dictionary(), lambda done, all_: told(done / all_, done)
                )
            typer.echo(f"导入{count}家")
        else:
            code = import_firm(opened(home), path.read_text("utf-8"), load_dictionary(), file=path.name)
            typer.echo(f"导入 {code}")


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
