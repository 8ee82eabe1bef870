"""命令 scores: train, evaluate and apply the probabilities that order the 待核实 queue."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from jobs.cli.common import library_path, parse_as_of, telling

HELP = """评分：待核实的哪些值得先问。只排先后，从不改变结论。

示例：huiqi scores evaluate --json
"""
LibraryOption = Annotated[
    Path | None, typer.Option("--library", help="政策库；默认 HUIQI_LIBRARY 或内置样例")
]
ProfilesOption = Annotated[Path, typer.Option("--profiles", help="企业档案：.jsonl、.csv 或 .parquet")]
AsOfOption = Annotated[str | None, typer.Option("--as-of", help="比对日期，如 2026-06-15；默认今天")]


def register(app: typer.Typer) -> None:
    """挂接命令."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # small models: threads cost more than they give
    group = typer.Typer(help=HELP, no_args_is_help=True)
    group.command(
        "train", help="学习评分模型并存入数据文件夹。\n\n示例：huiqi scores train --profiles firms.parquet"
    )(train)
    group.command(
        "apply",
        help="给名单的待核实评分。\n\n示例：huiqi scores apply --profiles firms.parquet --out scores.csv",
    )(apply)
    group.command("evaluate", help="遮住已知事实检验评分。\n\n示例：huiqi scores evaluate --json")(evaluate)
    app.add_typer(group, name="scores")


def _library(path: Path | None, as_of: Any) -> tuple[list[Any], Any]:
    """Items live on the day and the library's own dictionary."""
    from engine.matching import live
    from jobs.rules import open_library

    library = open_library(library_path(path))
    items = live(library.programs, as_of)
    if not items:
        raise ValueError(f"{as_of} 这一天没有在受理的事项，换一个 --as-of")
    return items, library.dictionary


def _profiles(path: Path, dictionary: Any) -> Any:
    from profiles.inputs import read_profiles

    return read_profiles(path, dictionary, lambda problem: typer.echo(problem.render(), err=True))


def train(
    profiles: ProfilesOption, library: LibraryOption = None, as_of: AsOfOption = None, seed: int = 0
) -> None:
    """学习."""
    from analysis.scores_file import save
    from analysis.scores_learn import learn
    from store.nights import home_folder

    with telling():
        day = parse_as_of(as_of)
        items, dictionary = _library(library, day)
        columns = _profiles(profiles, dictionary)
        model = learn(items, columns, seed=seed)
        version = save(model, home_folder(), {"as_of": day.isoformat(), "firms": len(columns), "seed": seed})
    typer.echo(f"评分模型 {version}：{len(model.scorers)} 个条件，{len(columns)} 家企业")


def apply(
    profiles: ProfilesOption,
    out: Annotated[Path, typer.Option("--out", help="写到哪个 .csv")],
    library: LibraryOption = None,
    as_of: AsOfOption = None,
    version: Annotated[str, typer.Option("--model", help="模型版本；默认当前版本")] = "",
) -> None:
    """评分."""
    import csv

    import numpy as np

    from analysis.scores import score_hits
    from analysis.scores_file import load
    from analysis.scores_money import expected_yuan
    from engine.matching import match
    from store.nights import home_folder

    with telling():
        day = parse_as_of(as_of)
        items, dictionary = _library(library, day)
        columns = _profiles(profiles, dictionary)
        hits, model = match(items, columns, day), load(home_folder(), version)
        scores = score_hits(columns, items, hits, model)
    count = 0
    with out.open("w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["统一社会信用代码", "item", "batch", "score", "期望金额"])
        for found in hits:
            score = scores[found.item]
            money = expected_yuan(found, score, model.typical)
            for i in np.flatnonzero(~np.isnan(score)):
                code = columns.codes[found.rows[i]]
                writer.writerow(
                    [code, found.item, found.batch, round(float(score[i]), 6), round(float(money[i]), 2)]
                )
                count += 1
    typer.echo(f"{out}：{count} 对待核实")


def evaluate(
    as_json: Annotated[bool, typer.Option("--json", help="只印 JSON")] = False,
    profiles: Annotated[
        Path | None, typer.Option("--profiles", help="在这份企业档案上检验；默认两个生成的总体")
    ] = None,
    library: LibraryOption = None,
    as_of: AsOfOption = None,
    firms: Annotated[int, typer.Option(min=200, help="生成的企业数")] = 1500,
    seed: int = 1,
) -> None:
    """检验."""
    with telling():
        day = parse_as_of(as_of) if as_of or profiles else None
        result = _given(profiles, library, day, seed) if profiles else _generated(firms, seed, library, day)
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False))
        return
    for name in ("ece", "brier_skill", "lift_at_10"):
        typer.echo(f"{name}: {result[name]:.4f}")


def _given(path: Path, library: Path | None, day: Any, seed: int) -> dict[str, Any]:
    from analysis.scores_evaluate import evaluate_hidden

    items, dictionary = _library(library, day)
    columns = _profiles(path, dictionary)
    if not len(columns):
        raise ValueError(f"{path.name} 里没有读到企业")
    return {**evaluate_hidden(items, columns, day, seed), "as_of": day.isoformat(), "seed": seed}


def _generated(firms: int, seed: int, library: Path | None, as_of: Any) -> dict[str, Any]:
    """Both generated populations; the headline figures are the worse of the two."""
    import tempfile

    from analysis.scores_evaluate import evaluate as measure
    from analysis.scores_evaluate import evaluate_hidden
    from analysis.scores_second import second_population
    from profiles.sample import DATA_DAY, generate, write_profiles, write_truth

    day = as_of or DATA_DAY
    items, dictionary = _library(library, day)
    with tempfile.TemporaryDirectory() as folder:
        made = generate(firms, seed)
        write_profiles(made, Path(folder) / "seen.parquet")
        write_truth(made, Path(folder) / "truth.parquet")
        seen, truth = (_profiles(Path(folder) / f"{name}.parquet", dictionary) for name in ("seen", "truth"))
    first = evaluate_hidden(items, seen, day, seed)
    second = evaluate_hidden(items, second_population(firms, seed, dictionary), day, seed)
    return {
        "ece": max(first["ece"], second["ece"]),
        "brier_skill": min(first["brier_skill"], second["brier_skill"]),
        "lift_at_10": min(first["lift_at_10"], second["lift_at_10"]),
        "sample": first,
        "second": second,
        "sample_never_told": measure(items, seen, truth, day, seed),
        "as_of": day.isoformat(),
        "firms": firms,
        "seed": seed,
    }
