"""每夜命令: huiqi nightly · demo · explain · replay · nights."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from jobs.cli.common import SHANGHAI, clock_of, library_path, now, parse_as_of, resting_words, steps, telling
from jobs.cli.rules import AsOfOption, LibraryOption, SetOption

HomeOption = Annotated[Path | None, typer.Option("--home", help="数据文件夹；默认 HUIQI_HOME 或 var/")]
DEMO_DAY = "2026-06-17"
DEMO_FIRMS = 3000
DEMO_LEARNED = 500  # firms the demo's first scores are learned from: seconds
DEMO_TOLD = 50_000  # pushes between two lines on how many went out


def register(app: typer.Typer) -> None:
    """登记命令."""
    app.command("nightly")(nightly_command)
    app.command("demo")(demo_command)
    app.command("explain")(explain_command)
    app.command("replay")(replay_command)


def open_home(home: Path | None) -> tuple[Any, Path]:
    """打开数据: the database engine and the data folder; a home of its own has its own SQLite file."""
    from store.database import database_url, open_database
    from store.nights import home_folder

    folder = home or home_folder()
    return open_database(database_url({**os.environ, "HUIQI_HOME": str(folder)})), folder


def nightly_command(
    as_of: AsOfOption = None,
    library: LibraryOption = None,
    home: HomeOption = None,
    inbox: Annotated[Path | None, typer.Option("--inbox", help="收件箱；默认数据文件夹里的 inbox/")] = None,
    sets: SetOption = [],  # noqa: B006
    cluster: Annotated[
        str, typer.Option("--cluster", help="多机比对：local（本机试用）或调度机地址 tcp://…:8786")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="小结写成 JSON")] = False,
) -> None:
    """每夜比对：导入收件箱、成档、比对、分配、写名单、排推送。

    可以随时中断，重跑不重复。

    例：huiqi nightly --as-of 2026-06-17 --set '本区=120116*'
    """
    with telling():
        report = _run(as_of, library, home, inbox, sets, cluster)
    if as_json:
        typer.echo(json.dumps(_as_dict(report), ensure_ascii=False))
    else:
        _print(report)
    if report.problems or report.inbox.failures or any(b.held for b in report.inbox.batches):
        raise typer.Exit(1)


def _run(
    as_of: str | None,
    library: Path | None,
    home: Path | None,
    inbox: Path | None,
    sets: list[str],
    cluster: str = "",
):
    from jobs.nightly import run_night

    engine, folder = open_home(home)
    clock = clock_of(engine)
    day = parse_as_of(as_of) if as_of else clock().astimezone(SHANGHAI).date()
    with steps("比对") as tell:
        return run_night(
            engine, folder, library_path(library), day, clock, sets=sets, inbox=inbox, cluster=cluster, tell=tell
        )  # fmt: skip


def _as_dict(report: Any) -> dict[str, Any]:
    night = report.night
    return {
        "run": night.no,
        "as_of": night.as_of.isoformat(),
        "repeated": report.repeated,
        "counts": night.counts,
        "inbox": report.inbox.totals(),
        "refused": report.refused,
        "strangers": report.inbox.strangers,
        "failures": report.inbox.failures,
        "pushes": report.pushes,
        "held": report.jumps,
        "fallen": report.fallen,
        "doubts": report.doubts,
        "seconds": {k: round(v, 3) for k, v in report.seconds.items()},
        "folder": str(night.folder),
    }


def _print(report: Any) -> None:
    night, counts = report.night, report.night.counts
    for problem in report.problems:
        typer.echo(problem.render(), err=True)
    for text in report.inbox.failures:
        typer.echo(f"没有导入：{text}", err=True)
    for batch in report.inbox.batches:
        if batch.held:
            typer.echo(f"扣下 {batch.file}：{batch.held}", err=True)
    totals = report.inbox.totals()
    typer.echo(
        f"第 {night.no} 次比对，比对日 {night.as_of}"
        + ("：材料和上次完全一样，没有重做" if report.repeated else "")
    )
    typer.echo(
        f"导入 {len(report.inbox.batches)} 个文件 {totals['rows']:,} 行：新 {totals['new']:,}，变 {totals['changed']:,}，"
        f"不变 {totals['unchanged']:,}，退回 {totals['rejected']:,}，待人确认 {totals['to_confirm']:,}"
    )
    odd = [b for b in report.inbox.batches if b.problems]
    if odd:
        most = max(odd, key=lambda b: len(b.problems))
        typer.echo(
            f"有问题的行和格 {sum(len(b.problems) for b in odd):,} 处，逐处的行号和原因：huiqi batch list，再 huiqi batch show 批号"
            f"（{most.file} 最多，{len(most.problems):,} 处：huiqi batch show {most.batch}）"
        )
    if report.inbox.seen:
        typer.echo(f"收件箱里另有 {report.inbox.seen} 个文件以前导入过，没有重做")
    if report.inbox.strangers:
        typer.echo(f"不认识的文件：{'、'.join(report.inbox.strangers)}（在 sources/ 里声明来源）")
    if report.refused:
        typer.echo(f"没有比对的事项 {len(report.refused)} 个：{'、'.join(report.refused)}")
    if words := resting_words(report.resting):
        typer.echo(words)
    typer.echo(
        f"企业 {counts['firms']:,} 家 × 事项 {counts['items']} 个 = {counts['pairs']:,} 对：符合 {counts['fits']:,}，"
        f"待核实 {counts['open']:,}；比上次新符合 {counts['new_fits']:,}，不再符合 {counts['gone']:,}"
    )
    typer.echo(
        f"符合的应付金额 {counts['low_fen'] / 1e6:,.2f}–{counts['high_fen'] / 1e6:,.2f} 万元（另有金额待定的不计）"
    )
    steps = "，".join(f"{name} {seconds:.1f}" for name, seconds in report.seconds.items())
    typer.echo(f"用时（秒）：{steps}")
    if report.doubts:
        typer.echo(report.doubts)
    later = report.pushes.get("已有更近的比对")
    if later:
        typer.echo(f"已有更近的第 {later} 次比对，这一夜只存结果，不排推送")
    elif report.pushes:
        typer.echo("推送：" + "，".join(f"{k} {v:,}" for k, v in report.pushes.items()))
    if report.fallen:
        typer.echo(f"免申即享自动降级 {len(report.fallen)} 项，今晚按即申即享办，数据齐了自动恢复：")
        for words in report.fallen[:8]:
            typer.echo(f"  {words}")
    if report.jumps:
        typer.echo(f"这一夜被扣下，等人放行（{len(report.jumps)} 处跳变）：")
        for words in report.jumps[:8]:
            typer.echo(f"  {words}")


def demo_command(
    home: HomeOption = None,
    firms: Annotated[int, typer.Option("--firms", min=1, help="样例企业数")] = DEMO_FIRMS,
    seed: Annotated[int, typer.Option("--seed", help="随机种子")] = 1,
    no_push: Annotated[bool, typer.Option("--no-push", help="推送只排队，不发")] = False,
    as_of: Annotated[str, typer.Option("--as-of", help="样例的日子；样例的数据到 2026-06-15")] = DEMO_DAY,
) -> None:
    """样例：生成虚构企业，用内置政策库比对一夜，从头到尾走一遍。

    例：huiqi demo
    """
    from jobs.demo import FIRST, earlier_grants
    from policies.library import load_library
    from profiles import sample
    from profiles.dictionary import builtin_dictionary
    from store.database import upgrade
    from store.showing import make_showing

    engine, folder = open_home(home)
    day = parse_as_of(as_of)
    with telling():
        upgrade(engine)
        make_showing(engine, day, now())
    inbox = folder / "inbox"
    if not inbox.is_dir():
        typer.echo(f"生成 {firms} 家虚构企业的各部门数据 → {inbox}")
        part = folder / f".inbox-{os.getpid()}"
        shutil.rmtree(part, ignore_errors=True)
        sample.write_sample(sample.generate(firms, seed), part, 0.01)
        part.rename(inbox)
    with telling():
        library = load_library(library_path(None), builtin_dictionary(), {})
        with steps("此前的兑现") as tell:
            tell("此前几个月的兑现")
            begun = earlier_grants(engine, library, firms, seed, day)
        report = _run(day.isoformat(), None, folder, None, [])
    _print(report)
    if begun:
        typer.echo(f"此前 {day - FIRST} 起的兑现 {begun} 笔，从名单核查到到账各步都有")
    _first_scores(engine, folder)
    if not no_push:
        _deliver(engine)
    at = "" if home is None else f" --home {home}"
    typer.echo("")
    typer.echo("接下来可以看：")
    typer.echo(f"  名单      {report.night.folder / 'lists'}（先看 总览.xlsx）")
    code, item = _example(report.night)
    typer.echo(f"  为什么    huiqi explain {code} {item}{at}")
    if change := _change(report.night):
        typer.echo(f"  改规则    huiqi impact {change}{at}（把数改一改：谁来谁走、多少钱；只算不存）")
    typer.echo(f"  人员      HUIQI_PASSWORD=… huiqi admin create lin --name 林知遥 --role 管理员{at}")
    typer.echo(f"  工作台    huiqi desk{at}（浏览器打开 http://127.0.0.1:8000/desk/today）")
    typer.echo(
        f"样例活在自己的日子里：工作台上今天是 {clock_of(engine)().astimezone(SHANGHAI):%Y-%m-%d}，页上写着"
    )


def _first_scores(engine: Any, folder: Path) -> None:
    """初学评分: a first model from few firms, so that the lists and the desk show what is worth asking first."""
    from analysis.scores_people import learn_again
    from jobs.scoring import doubt_night, doubts_in_words, score_night
    from store.nights import latest_night
    from store.scores import current_version

    if not current_version(folder):
        with steps("学评分") as tell:
            tell(f"从至多 {DEMO_LEARNED:,} 家企业学评分")
            card = learn_again(engine, folder, most=DEMO_LEARNED)
        typer.echo(
            f"评分：从 {card['firms']:,} 家企业学了 {card['rules']} 条规则（huiqi scores train 从全部企业学）"
        )
    night = latest_night(engine, folder)
    scored = score_night(night, folder) if night else 0
    if scored:
        typer.echo(f"评分：{scored:,} 对待核实有了估计，只用来排先后")
    if night and (kept := doubt_night(night, folder)):
        typer.echo(f"{doubts_in_words(night, kept)}（工作台“不一致”）")


def _deliver(engine: Any) -> None:
    """发推送: what is due, to the channels that are set up; the firms' inbox always is."""
    from jobs.channels import Settings
    from jobs.push import push_once

    sent = 0

    def count(more: int) -> None:
        nonlocal sent
        if (sent + more) // DEMO_TOLD > sent // DEMO_TOLD:
            tell(f"发推送，已发 {sent + more:,} 条")
        sent += more

    with steps("发推送") as tell:
        tell("发推送")
        report = push_once(engine, Settings.read(), clock_of(engine), patience=0, tell=count)
    typer.echo(f"推送：{report.words}")


def _example(night: Any) -> tuple[str, str]:
    items = night.items().sort_values(["fits", "item"], ascending=[False, True])
    for row in items.itertuples():
        frame = night.hits(row.item)
        fits = frame[(frame["verdict"] == "符合") & (frame["paid_high"] > 0)]
        if len(fits):
            return fits.iloc[0]["统一社会信用代码"], row.item
    return "", ""


def _change(night: Any) -> str:
    """改一条的例子: an item that firms fit and one of its own conditions with a number, as `impact --when` takes it."""
    for row in night.items().sort_values(["fits", "item"], ascending=[False, True]).itertuples():
        bound = night.bound(row.item)
        for numbered in bound.program.conditions if bound and row.fits else ():
            text = numbered.condition.text
            if (
                not numbered.general
                and numbered.condition.kind == "when"
                and re.search(r"[<>]=? *\d+万元$", text)
            ):
                return f"{row.item} --when '{numbered.id}={text}'"
    return ""


def explain_command(
    code: Annotated[str, typer.Argument(help="统一社会信用代码，或只有一家叫的名称")],
    item: Annotated[str, typer.Argument(help="事项编号，例如 bs-2025-06/rd-increment，或它的标题")],
    as_of: AsOfOption = None,
    home: HomeOption = None,
    library: LibraryOption = None,
    profiles: Annotated[
        Path | None, typer.Option("--profiles", help="不用数据库，直接读企业数据文件")
    ] = None,
    sets: SetOption = [],  # noqa: B006
    firm: Annotated[bool, typer.Option("--firm", help="给企业看的说法，不含内部条件")] = False,
) -> None:
    """一家企业、一个事项：逐条说明依据、所见数据、差距、哪天符合、还缺什么。

    例：huiqi explain 91120116MA05ABCD1X bs-2025-06/rd-increment

    例：huiqi explain 澜图科技有限公司 研发投入强度奖励
    """
    from jobs.explaining import explain_from_file, explain_from_store, render
    from store.database import require_tables

    with telling():
        day = parse_as_of(as_of)
        if profiles is not None:
            found, program, name = explain_from_file(
                code, item, library_path(library), profiles, day, sets, firm
            )
        else:
            engine, folder = open_home(home)
            require_tables(engine)
            found, program, name = explain_from_store(
                engine, folder, code, item, day if as_of else None, firm
            )
    for line in render(found, program, name):
        typer.echo(line)


def replay_command(
    run: Annotated[int, typer.Argument(help="第几次比对")],
    home: HomeOption = None,
) -> None:
    """重演过去一夜：用存下的规则、档案、答复全部重算，逐对比较内容。

    例：huiqi replay 3
    """
    from jobs.replay import replay
    from jobs.scoring import replay_scores
    from store.database import require_tables
    from store.night_scores import scored_with
    from store.nights import get_night

    with telling():
        engine, folder = open_home(home)
        require_tables(engine)
        differing = replay(engine, folder, run)
        night = get_night(engine, run, folder)
        scored = replay_scores(night, folder) if night else []
    if differing:
        typer.echo(f"第 {run} 次比对重演不一致的事项：{'、'.join(differing)}")
        raise typer.Exit(1)
    typer.echo(f"第 {run} 次比对重演一致，每一对都相同")
    if scored:
        typer.echo(f"评分重算不一致的事项：{'、'.join(scored)}")
        raise typer.Exit(1)
    if night and scored_with(night.folder):
        typer.echo(f"评分用当时的模型 {scored_with(night.folder)} 重算一致")
