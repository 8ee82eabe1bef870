"""命令 scores: train, evaluate and apply the probabilities that order the 待核实 queue."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from jobs.cli import scores_ask
from jobs.cli.common import library_path, parse_as_of, steps, telling
from jobs.cli.nightly import HomeOption, open_home

HELP = """评分：待核实的哪些值得先问。只排先后，从不改变结论。

例：huiqi scores evaluate --json
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
    group.command("train", help="学习评分模型；比在用的好才换。\n\n例：huiqi scores train")(train)
    group.command(
        "apply",
        help="给名单的待核实评分。\n\n例：huiqi scores apply --profiles firms.parquet --out scores.csv",
    )(apply)
    group.command("evaluate", help="遮住已知事实检验评分。\n\n例：huiqi scores evaluate --json")(evaluate)
    group.command("status", help="各版本和有没有偏（偏了退出码 1）。\n\n例：huiqi scores status")(status)
    group.command("promote", help="换用某个版本。\n\n例：huiqi scores promote 0f1e2d3c4b5a6978")(promote)
    group.command("curve", help="答复越多估计越准多少。\n\n例：huiqi scores curve --chart curve.svg")(curve)
    group.command("speed", help="评分的快慢。\n\n例：huiqi scores speed --pairs 1000000")(speed)
    scores_ask.register(group)
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
    profiles: Annotated[
        Path | None, typer.Option("--profiles", help="从这份企业档案学；默认从最近一次比对学")
    ] = None,
    library: LibraryOption = None,
    as_of: AsOfOption = None,
    home: HomeOption = None,
    seed: int = 0,
    as_json: Annotated[bool, typer.Option("--json", help="只印模型卡的 JSON")] = False,
) -> None:
    """学习."""
    with telling():
        if profiles is not None:
            _train_file(profiles, library, as_of, home, seed)
            return
        from analysis.scores_people import learn_again
        from jobs.scoring import score_night
        from store.nights import latest_night

        engine, folder = open_home(home)
        with steps("学评分") as tell:
            tell("从最近一次比对学评分，再和在用的比")
            card = learn_again(engine, folder, seed)
            night = latest_night(engine, folder)
            tell("给最近一次比对的待核实评分")
            scored = score_night(night, folder) if night else 0
    if as_json:
        typer.echo(json.dumps({**card, "scored": scored}, ensure_ascii=False))
        return
    typer.echo(
        f"评分模型 {card['version']}：{card['rules']} 条规则，{card['firms']:,} 家企业，{card['answers']} 条答复；"
        + ("已启用" if card["promoted"] else "没有启用")
        + f"（{card['why']}）"
    )
    if scored:
        typer.echo(f"最近一次比对的 {scored:,} 对待核实评了分")


def _train_file(
    profiles: Path, library: Path | None, as_of: str | None, home: Path | None, seed: int
) -> None:
    from analysis.scores_file import save
    from analysis.scores_learn import learn
    from store.nights import home_folder

    day = parse_as_of(as_of)
    items, dictionary = _library(library, day)
    columns = _profiles(profiles, dictionary)
    model = learn(items, columns, seed=seed)
    card = {"as_of": day.isoformat(), "firms": len(columns), "rules": len(model.scorers), "seed": seed,
            "from": profiles.name, "promoted": True, "why": "按文件学习，直接启用"}  # fmt: skip
    version = save(model, home or home_folder(), card)
    typer.echo(f"评分模型 {version}：{len(model.scorers)} 条规则，{len(columns):,} 家企业；已启用")


def status(
    home: HomeOption = None, as_json: Annotated[bool, typer.Option("--json", help="只印 JSON")] = False
) -> None:
    """现状."""
    from analysis.scores_settled import drift, settled_pairs
    from store.scores import current_version, read_card, versions

    with telling():
        engine, folder = open_home(home)
        found = drift(settled_pairs(engine, folder))
    current = current_version(folder)
    cards = [{"version": v, "current": v == current, **read_card(folder, v)} for v in versions(folder)]
    if as_json:
        typer.echo(
            json.dumps({"current": current, "drift": vars(found), "models": cards}, ensure_ascii=False)
        )
    else:
        for card in cards:
            mark = "在用" if card["current"] else "　　"
            typer.echo(
                f"{mark} {card['version']}  {card.get('as_of', '')}  {card.get('firms', '')} 家  {card.get('why', '')}"
            )
        typer.echo(found.words() if cards else "还没有学过：huiqi scores train")
    if found.alarm:
        raise typer.Exit(1)


def promote(
    version: Annotated[str, typer.Argument(help="模型版本，见 huiqi scores status")], home: HomeOption = None
) -> None:
    """启用."""
    from store.scores import promote_model

    with telling():
        _, folder = open_home(home)
        promote_model(folder, version)
    typer.echo(f"从下一夜起用评分模型 {version}；已评过的夜不变")


def curve(
    firms: Annotated[int, typer.Option(min=200, help="生成的企业数")] = 1500,
    seed: int = 1,
    library: LibraryOption = None,
    chart: Annotated[Path | None, typer.Option("--chart", help="画成图，写到 .svg")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="只印 JSON")] = False,
) -> None:
    """学习曲线."""
    import tempfile

    from analysis.scores_curve import learning_curve
    from profiles.sample import DATA_DAY, generate, write_profiles

    with telling():
        items, dictionary = _library(library, DATA_DAY)
        with tempfile.TemporaryDirectory() as folder:
            write_profiles(generate(firms, seed), Path(folder) / "seen.parquet")
            columns = _profiles(Path(folder) / "seen.parquet", dictionary)
        rows = learning_curve(items, columns, seed)
        if chart:
            from analysis.charts import svg
            from analysis.scores_charts import curve_chart

            chart.write_text(svg(curve_chart(rows)), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps({"curve": rows, "firms": firms, "seed": seed}, ensure_ascii=False))
        return
    for row in rows:
        typer.echo(f"{row['decisions']:>6,} 条答复：布里尔分 {row['brier']:.4f}，校准误差 {row['ece']:.3f}")


def speed(
    pairs: Annotated[int, typer.Option(min=1000, help="至少评多少对待核实")] = 1_000_000,
    library: LibraryOption = None,
) -> None:
    """评分的快慢: open pairs of repeated sample firms, scored once; seconds of this process."""
    import tempfile
    import time

    import numpy as np

    from analysis.scores import score_hits
    from analysis.scores_learn import learn
    from engine.matching import OPEN, match
    from profiles.sample import DATA_DAY, generate, write_profiles

    with telling():
        items, dictionary = _library(library, DATA_DAY)
        items = [b for b in items if b.program.item.subject == "企业"]
        with tempfile.TemporaryDirectory() as folder:
            write_profiles(generate(2000, 1), Path(folder) / "seen.parquet")
            columns = _profiles(Path(folder) / "seen.parquet", dictionary)
    model = learn(items, columns, seed=1)
    waiting = sum(int((h.verdict == OPEN).sum()) for h in match(items, columns, DATA_DAY))
    row = np.arange(-(-pairs // waiting) * len(columns)) % len(columns)
    columns.rows = {}
    large = columns.take(row)
    hits = match(items, large, DATA_DAY)
    began, used = time.perf_counter(), time.process_time()
    scores = score_hits(large, items, hits, model)
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    count = sum(int(np.isfinite(s).sum()) for s in scores.values())
    result = {"pairs": count, "firms": len(row), "seconds": round(seconds, 2), "cpu_seconds": round(cpu, 2)}
    typer.echo(json.dumps(result, ensure_ascii=False))


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
    chart: Annotated[Path | None, typer.Option("--chart", help="画可靠性图，写到 .svg")] = None,
) -> None:
    """检验."""
    with telling(), steps("检验评分") as tell:
        day = parse_as_of(as_of) if as_of or profiles else None
        if profiles:
            result = _given(profiles, library, day, seed, tell)
        else:
            result = _generated(firms, seed, library, day, tell)
        if chart:
            _reliability(result, chart)
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False))
        return
    for name in ("ece", "brier_skill", "lift_at_10"):
        typer.echo(f"{name}: {result[name]:.4f}")


def _reliability(result: dict[str, Any], chart: Path) -> None:
    from analysis.charts import svg
    from analysis.scores_charts import reliability_chart

    parts = (
        {"样例": result["sample"], "第二总体": result["second"]} if "sample" in result else {"本档案": result}
    )
    chart.write_text(svg(reliability_chart(parts)), encoding="utf-8")


def _given(
    path: Path, library: Path | None, day: Any, seed: int, tell: Callable[[str], None]
) -> dict[str, Any]:
    from analysis.scores_evaluate import evaluate_hidden

    items, dictionary = _library(library, day)
    columns = _profiles(path, dictionary)
    if not len(columns):
        raise ValueError(f"{path.name} 里没有读到企业")
    return {**evaluate_hidden(items, columns, day, seed, tell), "as_of": day.isoformat(), "seed": seed}


def _generated(
    firms: int, seed: int, library: Path | None, as_of: Any, tell: Callable[[str], None]
) -> dict[str, Any]:
    """Both generated populations; the headline figures are the worse of the two."""
    import tempfile

    from analysis.scores_evaluate import evaluate as measure
    from analysis.scores_evaluate import evaluate_hidden
    from analysis.scores_second import second_population
    from profiles.sample import DATA_DAY, generate, write_profiles, write_truth

    day = as_of or DATA_DAY
    items, dictionary = _library(library, day)
    with tempfile.TemporaryDirectory() as folder:
        tell(f"生成 {firms:,} 家企业")
        made = generate(firms, seed)
        write_profiles(made, Path(folder) / "seen.parquet")
        write_truth(made, Path(folder) / "truth.parquet")
        seen, truth = (_profiles(Path(folder) / f"{name}.parquet", dictionary) for name in ("seen", "truth"))
    first = evaluate_hidden(items, seen, day, seed, lambda text: tell(f"样例：{text}"))
    other = second_population(firms, seed, dictionary)
    second = evaluate_hidden(items, other, day, seed, lambda text: tell(f"第二总体：{text}"))
    tell("样例里从来没有报过的事实")
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
