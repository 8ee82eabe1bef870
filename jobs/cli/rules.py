"""规则命令: huiqi check · fmt · schema · match · explain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.cli.common import library_path, parse_as_of, resting_words, telling

if TYPE_CHECKING:
    from policies.check import CheckReport

SetOption = Annotated[
    list[str], typer.Option("--set", help="地域词的代码，例如 --set '本区=120116*,120110*'")
]
LibraryOption = Annotated[
    Path | None, typer.Option("--library", help="政策库文件夹；默认 HUIQI_LIBRARY 或内置样例")
]
AsOfOption = Annotated[str | None, typer.Option("--as-of", help="比对日，例如 2026-06-01；默认今天")]


def register(app: typer.Typer) -> None:
    """登记命令."""
    app.command("check")(check_command)
    app.command("match")(match_command)
    app.command("fmt")(fmt_command)
    app.command("schema")(schema_command)
    app.command("indicators")(indicators_command)


def match_command(
    profiles: Annotated[Path, typer.Option("--profiles", help="企业数据 .jsonl .csv .parquet")],
    out: Annotated[Path, typer.Option("--out", help="结果 .jsonl .csv .parquet")],
    library: LibraryOption = None,
    as_of: AsOfOption = None,
    every: Annotated[bool, typer.Option("--all", help="写出全部结果，包括不符合")] = False,
    answers: Annotated[Path | None, typer.Option("--answers", help="复核人的答复 .jsonl")] = None,
    sets: SetOption = [],  # noqa: B006
    upcoming: Annotated[int, typer.Option("--upcoming", min=0, help="连同 N 天内将开始的批次")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="小结写成 JSON")] = False,
) -> None:
    """不用数据库，直接比对：政策库 × 企业数据 → 结果文件。

    企业数据一行一家，一列一个指标（huiqi indicators 列出全部），按年的写 营业收入@2025。金额不写单位的一律按元读：
    格里写 3000万元，或者 .csv 的表头写 营业收入@2025（万元）。格式见 docs/writing-a-library.md。

    例：huiqi match --library policies/library --profiles firms.jsonl --as-of 2026-06-01 --out hits.parquet
    """
    from jobs.rules import match_files

    with telling():
        report = match_files(
            library_path(library), profiles, parse_as_of(as_of), out, every, answers, sets, upcoming
        )
    for problem in report.problems:
        typer.echo(problem.render(), err=True)
    if report.refused:
        typer.echo(f"没有比对的事项 {len(report.refused)} 个：{'、'.join(report.refused)}", err=True)
    if as_json:
        counts = {
            "firms": report.firms,
            "items": report.items,
            "pairs": report.pairs,
            "refused": report.refused,
        }
        typer.echo(json.dumps(counts, ensure_ascii=False))
    else:
        typer.echo(f"企业 {report.firms} 家，事项 {report.items} 个，结果 {report.pairs} 条 → {out}")
        if words := resting_words(report.resting):
            typer.echo(words)
    if any(p.level == "error" for p in report.problems):
        raise typer.Exit(1)


def check_command(
    library: Annotated[
        Path | None, typer.Argument(help="政策库文件夹；默认 HUIQI_LIBRARY 或内置样例")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="写成 JSON")] = False,
    sets: SetOption = [],  # noqa: B006
) -> None:
    """核对政策库：规则、引文、样例，所有问题一次说完；有错误时退出码为 1。

    例：huiqi check policies/library
    """
    from jobs.rules import check_folder

    path = library_path(library)
    with telling():
        report = check_folder(path, sets)
    if as_json:
        typer.echo(json.dumps(report.as_dict(), ensure_ascii=False, indent=1))
    else:
        _causes_first(report, f"{path}/")
        counts = f"文件 {report.documents} 件，事项 {report.items} 个，样例 {report.cases} 个"
        typer.echo(f"{counts}；错误 {len(report.errors)} 处，提醒 {len(report.warnings)} 处")
    if report.errors:
        raise typer.Exit(1)


def _causes_first(report: CheckReport, prefix: str) -> None:
    """先说起因: errors of rules, then what the cases say, which mostly follows from them, then warnings."""
    for problem in report.causes:
        typer.echo(problem.render(prefix) + "\n")
    if report.causes and report.consequences:
        typer.echo(
            f"下面 {len(report.consequences)} 处是样例对不上，多半由上面的规则错引起：先改上面的，再核对一次\n"
        )
    for problem in [*report.consequences, *report.warnings]:
        typer.echo(problem.render(prefix) + "\n")


def fmt_command(
    files: Annotated[list[Path], typer.Argument(help="规则文件，或者文件夹")],
    check: Annotated[bool, typer.Option("--check", help="只看有没有需要整理的，不改文件")] = False,
) -> None:
    """整理规则文件：符号、空格统一，注释和次序不动。

    例：huiqi fmt policies/library
    """
    from jobs.rules import format_files

    with telling():
        report = format_files(files, write=not check)
    for problem in report.problems:
        typer.echo(problem.render(), err=True)
    for name in report.changed:
        typer.echo(f"{'需要整理' if check else '已整理'}：{name}")
    typer.echo(f"{report.read} 个文件，{len(report.changed)} 个{'需要整理' if check else '整理过'}")
    if report.problems or (check and report.changed):
        raise typer.Exit(1)


def schema_command() -> None:
    """规则文件的 JSON Schema，给编辑器补全用。

    例：huiqi schema > item.schema.json
    """
    from policies.schema import item_schema

    typer.echo(json.dumps(item_schema(), ensure_ascii=False, indent=2))


def indicators_command(
    word: Annotated[str, typer.Argument(help="只看名称、别称、部门或说明里有这个词的；不写看全部")] = "",
    library: LibraryOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="写成 JSON")] = False,
) -> None:
    """指标清单：规则和数据里能用的名字、类别、单位、按不按年、归哪个部门。

    例：huiqi indicators 研发
    """
    from jobs.rules import list_indicators

    with telling():
        found = list_indicators(library_path(library), word)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    for row in found:
        unit = f"（{row['unit']}）" if row["unit"] else ""
        year = "，按年，写 [Y]" if row["yearly"] else ""
        own = "，本库自己的" if row["own"] else ""
        also = f"　又叫 {'、'.join(row['synonyms'])}" if row["synonyms"] else ""
        note = f"　{row['note']}" if row["note"] else ""
        typer.echo(f"{row['name']}　{row['kind']}{unit}{year}　{row['department']}{own}{also}{note}")
    if not found:
        typer.echo(
            f"没有含“{word}”的指标；huiqi indicators 看全部。库里没有的可以写进 indicators.yaml", err=True
        )
        raise typer.Exit(1)
