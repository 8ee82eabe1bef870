"""测速命令: huiqi bench match · nightly · night · growth · import · files · names · text · decompose · process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from jobs.cli.common import telling

bench = typer.Typer(
    no_args_is_help=True,
    help="测速：同一份活，我们和装了的别家工具在同一次运行里比。\n\n例：huiqi bench match --firms 100000",
)
Firms = Annotated[int, typer.Option(min=100, help="企业数")]
Items = Annotated[int, typer.Option(min=1, help="事项数")]
Seed = Annotated[int, typer.Option(help="随机种子；相同的数给出相同的活")]
Repeat = Annotated[int, typer.Option(min=1, help="重复几次，取中位数")]
Chart = Annotated[Path | None, typer.Option(help="把结果画成图 .png 或 .svg")]
AsJson = Annotated[bool, typer.Option("--json", help="结果写成 JSON")]


def register(app: typer.Typer) -> None:
    """登记命令."""
    app.add_typer(bench, name="bench")


@bench.command("match")
def match_command(
    firms: Firms = 100_000,
    items: Items = 1_000,
    seed: Seed = 1,
    repeat: Repeat = 3,
    peer: Annotated[
        list[str] | None, typer.Option(help="只和这些比：polars duckdb openfisca zen；可写几次")
    ] = None,
    chart: Chart = None,
    as_json: AsJson = False,
) -> None:
    """全量比对：带掩码和数额，与 polars、DuckDB、普通列式和“复制一遍数据”并列。

    例：huiqi bench match --firms 1000000 --items 3000 --chart var/bench.png
    """
    from jobs.bench.match import bench_match, usual_peers

    with telling():
        report = bench_match(firms, items, seed, repeat, peer_names=peer or usual_peers())
    _show(report, chart, as_json)


@bench.command("nightly")
def nightly_command(
    firms: Firms = 100_000,
    items: Items = 1_000,
    seed: Seed = 1,
    repeat: Repeat = 3,
    chart: Chart = None,
    as_json: AsJson = False,
) -> None:
    """整夜：读规则、读企业、比对、写结果各用多久；改百分之一企业、改一个事项时只重算变了的。

    例：huiqi bench nightly --firms 100000 --items 1000
    """
    from jobs.bench.nightly import bench_nightly

    with telling():
        report = bench_nightly(firms, items, seed, repeat)
    _show(report, chart, as_json)


@bench.command("growth")
def growth_command(
    firms: Annotated[list[int] | None, typer.Option(min=100, help="企业数；可写几次")] = None,
    items: Annotated[list[int] | None, typer.Option(min=1, help="事项数；可写几次")] = None,
    seed: Seed = 1,
    repeat: Repeat = 3,
    as_json: AsJson = False,
) -> None:
    """增长：全量比对的时间随企业数、事项数怎么长。

    例：huiqi bench growth --firms 100000 --firms 1000000 --firms 5000000
    """
    from jobs.bench.growth import bench_growth

    with telling():
        report = bench_growth(
            firms or [100_000, 300_000, 1_000_000, 3_000_000, 5_000_000],
            items or [100, 300, 1_000, 3_000],
            seed,
            repeat,
        )
    _show(report, None, as_json, "全量比对随企业数、事项数的增长")


@bench.command("night")
def night_command(
    firms: Firms = 100_000,
    items: Items = 1_000,
    seed: Seed = 1,
    lists: Annotated[
        bool, typer.Option("--lists/--no-lists", show_default=False, help="也写名单、把关、排推送")
    ] = True,
    again: Annotated[bool, typer.Option("--again", help="再来只变了一点的几夜，和全量的比")] = False,
    scores: Annotated[bool, typer.Option("--scores", help="带评分：先从头一夜学一个模型")] = False,
    chart: Chart = None,
    as_json: AsJson = False,
) -> None:
    """整夜：SQLite 上从规则文件和企业 Parquet 到结果块、名单、把关、排好的推送；--no-lists 只到结果块（从库到库）；
    --again 再量只变了 1% 企业、一个事项的一夜。

    例：huiqi bench night --firms 1000000 --items 3000 --no-lists
    """
    from jobs.bench.whole import bench_night

    with telling():
        report = bench_night(firms, items, seed, lists, again=again, scores=scores)
    _show(report, chart, as_json)


@bench.command("import")
def import_command(
    rows: Annotated[int, typer.Option(min=100, help="行数")] = 1_000_000,
    seed: Seed = 1,
    folder: Annotated[Path | None, typer.Option(help="临时文件放哪里（要两倍于文件的地方）")] = None,
    as_json: AsJson = False,
) -> None:
    """导入：一份登记文件进空库、原样再来、百分之一变了；墙上和 CPU 秒、内存、逐行对账。

    例：huiqi bench import --rows 1000000
    """
    from jobs.bench.imports import bench_import

    with telling():
        report = bench_import(rows, seed, folder)
    _show(report, None, as_json, f"{rows:,} 行登记数据", "行")


@bench.command("files")
def files_command(
    firms: Firms = 100_000,
    seed: Seed = 1,
    repeat: Repeat = 5,
    folder: Annotated[Path | None, typer.Option(help="临时文件放哪里")] = None,
    as_json: AsJson = False,
) -> None:
    """一企一档：七个来源进库，数据快照全部重建，一家企业变了以后再更新，看一家的档案。

    例：huiqi bench files --firms 100000
    """
    from jobs.bench.files import bench_files

    with telling():
        report = bench_files(firms, seed, repeat, folder)
    _show(report, None, as_json, f"{firms:,} 家企业 × 七个来源", "家")


@bench.command("names")
def names_command(
    count: Annotated[int, typer.Option(min=100, help="已知名称数，也是待找名称数")] = 100_000,
    seed: Seed = 1,
    repeat: Repeat = 3,
    as_json: AsJson = False,
) -> None:
    """名称找候选：按规则改写过的名称在同样多的已知名称里找回原来的那个（recall@1 应不低于 0.98）。

    例：huiqi bench names --count 100000
    """
    from jobs.bench.names import bench_names

    with telling():
        report = bench_names(count, seed, repeat)
    _show(report, None, as_json, f"{count:,} 个名称在 {count:,} 个已知名称里找", "个")


@bench.command("text")
def text_command(
    count: Annotated[int, typer.Option(min=100, help="企业数")] = 100_000,
    seed: Seed = 1,
    repeat: Repeat = 3,
    file: Annotated[Path | None, typer.Option(help="不用造的，用这个 CSV 里的文本")] = None,
    column: Annotated[str, typer.Option(help="CSV 里的哪一列")] = "经营范围",
    as_json: AsJson = False,
) -> None:
    """经营范围分词：分句缓存与 jieba 逐篇，词要完全相同。

    例：huiqi bench text --count 100000
    """
    from jobs.bench.text import bench_text, make_scopes, read_scopes

    with telling():
        texts = read_scopes(file, column) if file else make_scopes(count, seed)
        report = bench_text(texts, repeat)
    _show(report, None, as_json, f"{len(texts):,} 家企业的经营范围", "篇")


@bench.command("decompose")
def decompose_command(
    file: Annotated[Path | None, typer.Argument(help="政策文件；不写就用随附政策的一万字")] = None,
    as_json: AsJson = False,
) -> None:
    """一万字的政策分解要几秒，启动不算。

    例：huiqi bench decompose 若干措施.docx
    """
    from jobs.bench.decompose import bench_decompose

    with telling():
        report = bench_decompose(file)
    _show(report, None, as_json, file.name if file else "随附政策的原文", "篇")


@bench.command("work")
def work_command(
    folder: Annotated[Path, typer.Argument(help="写到哪个文件夹：library/ 和 firms.parquet")],
    firms: Firms = 100_000,
    items: Items = 1_000,
    seed: Seed = 1,
) -> None:
    """把测速的活写成文件，拿去测整个进程；比对日 2025-06-01。

    例：huiqi bench work /tmp/w --firms 1000000 --items 3000
    然后：time huiqi match --library /tmp/w/library --profiles /tmp/w/firms.parquet --as-of 2025-06-01 --out /tmp/w/out.parquet
    """
    from jobs.bench import work

    with telling():
        work.write_library(folder / "library", items, seed)
        dictionary = work.load(folder / "library").dictionary
        work.write_profiles(work.make_columns(firms, seed, dictionary), folder / "firms.parquet")
    typer.echo(f"{folder}：企业 {firms:,} 家，事项 {items:,} 个")


@bench.command("process")
def process_command(
    firms: Firms = 100_000,
    items: Items = 1_000,
    seed: Seed = 1,
    repeat: Repeat = 3,
    folder: Annotated[
        Path | None, typer.Option(help="活和结果写到哪里（百万家 × 三千项要 3 GB）；默认临时文件夹，用完删")
    ] = None,
    chart: Chart = None,
    as_json: AsJson = False,
) -> None:
    """整个进程：没有见过的活，huiqi match 和用 polars 写的整个程序轮着跑，读规则、读企业、写结果都算。

    例：huiqi bench process --firms 1000000 --items 3000
    """
    from tempfile import TemporaryDirectory

    from jobs.bench.process import bench_process

    with telling(), TemporaryDirectory(dir=folder) as place:
        report = bench_process(firms, items, seed, repeat, Path(place))
    _show(report, chart, as_json)


def _show(report, chart: Path | None, as_json: bool, work: str = "", unit: str = "对") -> None:
    """Table, facts and problems; exit 1 where answers differ or a peer is missing."""
    ours = next((r for r in report.rows if r.name.startswith("huiqi")), None)
    if as_json:
        rows = [
            {"name": r.name, "seconds": r.seconds, "median": r.median, "note": r.note} for r in report.rows
        ]
        typer.echo(
            json.dumps({"rows": rows, "facts": report.facts, "problems": report.problems}, ensure_ascii=False)
        )
    else:
        typer.echo(work or f"{report.firms:,} 家企业 × {report.items:,} 个事项")
        for row in report.rows:
            pairs = (report.firms if work else report.firms * report.items) / row.median
            ratio = f"{row.median / ours.median:8.2f} 倍" if ours else ""
            rate = f"{pairs:10.2e} {unit}/s" if pairs else ""
            typer.echo(f"{row.median:10.3f} s {rate} {ratio}  {row.name} {row.note}")
        for name, value in report.facts.items():
            typer.echo(f"{value:10.3f}  {name}")
    if chart is not None:
        from jobs.bench.chart import draw

        draw(report, chart)
        typer.echo(f"图：{chart}")
    for problem in report.problems:
        typer.echo(problem, err=True)
    if report.problems:
        raise typer.Exit(1)
