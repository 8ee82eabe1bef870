"""命令 sample: invented departments' files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

HELP = """生成样例：虚构企业的各部门数据文件。

例：huiqi sample --firms 3000 --seed 7 --out var/inbox --dirt 0.02

只要比对用的企业档案：huiqi sample --firms 100000 --profiles firms.parquet --truth truth.parquet
"""


def register(app: typer.Typer) -> None:
    """挂接命令."""
    app.command("sample", help=HELP)(sample)


def sample(
    firms: Annotated[int, typer.Option(min=1, help="企业数")] = 3000,
    seed: Annotated[int, typer.Option(min=0, help="随机种子；相同的数给出相同的样例")] = 1,
    out: Annotated[Path | None, typer.Option(help="部门文件写到哪个文件夹")] = None,
    dirt: Annotated[float, typer.Option(min=0, max=1, help="脏数据行的比例")] = 0.0,
    profiles: Annotated[Path | None, typer.Option(help="企业档案：.jsonl、.parquet 或 .csv")] = None,
    truth: Annotated[Path | None, typer.Option(help="没有缺漏的真值：.parquet")] = None,
) -> None:
    from profiles import sample as package

    if out is None and profiles is None and truth is None:
        typer.echo("错误：没有说写到哪里：用 --out 文件夹、--profiles 文件或 --truth 文件。", err=True)
        raise typer.Exit(2)
    for path, endings in ((profiles, (".jsonl", ".parquet", ".csv")), (truth, (".parquet",))):
        if path is not None and path.suffix not in endings:
            typer.echo(f"{path}：文件名应当以 {'、'.join(endings)} 结尾。", err=True)
            raise typer.Exit(2)
    made = package.generate(firms, seed)
    if out is not None:
        manifest = package.write_sample(made, out, dirt)
        faults = manifest["faults"]
        typer.echo(
            f"{out}：{firms} 家企业，{len(manifest['files'])} 份文件，{len(faults)} 处脏数据（见 manifest.json）"
        )
    for path, write in ((profiles, package.write_profiles), (truth, package.write_truth)):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            write(made, path)
            typer.echo(f"{path}：{firms} 家企业")
