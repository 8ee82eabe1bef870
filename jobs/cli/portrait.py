"""命令 portrait: the portrait of a firm, and what is confirmed of its text tags."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.cli.common import parse_as_of, telling

if TYPE_CHECKING:
    from profiles.portrait_firm import FirmPortrait

HELP = """一家企业的画像：每个标签的依据、所用数据和缺什么；文本标签只是建议，由人确认。

例：huiqi portrait 91120116… --as-of 2026-06-16

不用数据库：huiqi portrait 91120116… --profiles firms.parquet --as-of 2026-06-16
"""

CONFIRM_HELP = """确认一家企业的行业或主题：像其他数据一样落进一企一档，有来源、日期和经办人。

例：huiqi portrait-confirm 91120116… --industry C3983 --theme 新一代信息技术产业 --by 张经办
"""
REVIEW_HELP = """待人看的文本标签：部门的行业代码与名称、经营范围读出的不一样，而分类器有把握的。

例：huiqi portrait-review --profiles firms.parquet --limit 50
"""


def register(app: typer.Typer) -> None:
    """挂接命令."""
    app.command("portrait", help=HELP)(portrait)
    app.command("portrait-confirm", help=CONFIRM_HELP)(confirm)
    app.command("portrait-review", help=REVIEW_HELP)(review)


def portrait(
    code: Annotated[str, typer.Argument(help="统一社会信用代码")],
    as_of: Annotated[str | None, typer.Option("--as-of", help="哪一天")] = None,
    profiles: Annotated[
        Path | None, typer.Option(help="企业数据文件（.jsonl .csv .parquet）；不给就看一企一档")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="机器可读的结果")] = False,
) -> None:
    with telling():
        found = _from_file(code, as_of, profiles) if profiles else _from_store(code, as_of)
    if as_json:
        typer.echo(json.dumps(_plain(found), ensure_ascii=False))
    else:
        _show(found)


def confirm(
    code: Annotated[str, typer.Argument(help="统一社会信用代码")],
    by: Annotated[str, typer.Option("--by", help="经办人")],
    industry: Annotated[str, typer.Option("--industry", help="行业代码，如 C3983")] = "",
    theme: Annotated[list[str] | None, typer.Option("--theme", help="主题，可写几次")] = None,
    note: Annotated[str, typer.Option("--note", help="说明")] = "",
) -> None:
    import os

    from jobs.cli.common import clock_of, day_of
    from profiles.codes import tidy_code
    from profiles.ingest import load_dictionary
    from store.confirmations import confirm_tags
    from store.database import database_url, open_database, upgrade
    from store.firms import has_file

    with telling():
        engine = open_database(database_url(os.environ))
        upgrade(engine)
        tidy = tidy_code(code)
        if not has_file(engine, tidy):
            typer.echo(f"没有 {tidy} 的档案", err=True)
            raise typer.Exit(1)
        report = confirm_tags(
            engine, tidy, industry, theme or [], by=by, at=clock_of(engine)(), day=day_of(engine, None), dictionary=load_dictionary(), note=note
        )  # fmt: skip
    said = " ".join(filter(None, (industry, "、".join(theme or []))))
    typer.echo(f"{tidy}：{said}（{by} 确认，批次 {report.batch or '与先前相同'}）")


def review(
    profiles: Annotated[Path, typer.Option("--profiles", help="企业数据文件（.jsonl .csv .parquet）")],
    limit: Annotated[int, typer.Option("--limit", min=1, help="最多列几家")] = 50,
) -> None:
    from profiles.dictionary import builtin_dictionary
    from profiles.inputs import read_profiles
    from profiles.portrait_tags import CONFIRMED, disagreements

    with telling():
        words = builtin_dictionary()
        columns = read_profiles(
            profiles,
            words,
            lambda p: typer.echo(p.render(), err=True),
            {"企业名称", "经营范围", "行业代码", CONFIRMED},
        )
        found = disagreements(columns)
    for one in found[:limit]:
        typer.echo(
            f"{one.firm}  {one.name}  部门 {one.department} {one.department_name} · 文本 {one.proposed} {one.proposed_name} {one.score:.0%}"
        )
    typer.echo(f"共 {len(found)} 家，列出 {min(limit, len(found))} 家；确认用 huiqi portrait-confirm")


def _from_file(code: str, as_of: str | None, path: Path) -> FirmPortrait:
    import numpy as np

    from profiles.dictionary import builtin_dictionary
    from profiles.inputs import read_profiles
    from profiles.portrait_firm import portrait_of_row
    from profiles.portrait_quality import freshness

    columns = read_profiles(
        path, builtin_dictionary(), lambda problem: typer.echo(problem.render(), err=True)
    )
    if code not in columns.codes:
        typer.echo(f"{path.name} 里没有 {code}", err=True)
        raise typer.Exit(1)
    one = columns.take(np.array([list(columns.codes).index(code)]))
    return portrait_of_row(one, 0, parse_as_of(as_of), freshness(()))


def _from_store(code: str, as_of: str | None) -> FirmPortrait:
    import os

    from profiles.codes import tidy_code
    from profiles.dictionary import builtin_dictionary
    from profiles.portrait_firm import firm_portrait
    from store.database import database_url, open_database, upgrade
    from store.firms import loaded_indicators, missing_file, provenance

    engine = open_database(database_url(os.environ))
    upgrade(engine)
    day, tidy, words = parse_as_of(as_of), tidy_code(code), builtin_dictionary()
    known_on = day if as_of else None
    facts = provenance(engine, tidy, day, words, known_on=known_on)
    if not facts:
        typer.echo(missing_file(engine, tidy, day), err=True)
        raise typer.Exit(1)
    return firm_portrait(tidy, facts, words, day, frozenset(loaded_indicators(engine, known_on=known_on)))


def _show(found: FirmPortrait) -> None:
    from profiles.portrait import by_section

    typer.echo(f"{found.code}  画像（Y = {found.year}）")
    for section, lines in by_section(found.lines).items():
        typer.echo(f"\n【{section}】")
        for line in lines:
            mark = "" if line.verdict == "符合" else "  ［待核实］"
            typer.echo(f"  {line.title}：{line.text}{mark}  —— {line.source}")
            for reason in line.reasons[:4]:
                typer.echo(
                    f"      {reason.verdict}  {reason.text}{'：' if reason.seen else ''}{'；'.join(reason.seen)}"
                )
            if line.department:
                typer.echo(f"      部门认定为“{line.department}”，与推算不同，请核对")
    _show_text(found)
    share = found.completeness.share[0]
    typer.echo(
        f"\n【档案质量】\n  完整度 {share:.0%}；缺：{'、'.join(found.completeness.missing(0)) or '无'}"
    )
    fresh = found.freshness
    if fresh.newest is not None:
        states = (
            f"过期 {len(fresh.stale)} 项、冲突 {len(fresh.contested)} 项、不可取用 {len(fresh.unusable)} 项"
        )
        typer.echo(f"  新鲜度 {fresh.share:.0%}（{fresh.oldest} 至 {fresh.newest}；{states}）")


def _show_text(found: FirmPortrait) -> None:
    typer.echo("\n【文本标签】由名称和经营范围推测，未经人认；不进入任何结论")
    if not found.proposals.tags:
        typer.echo("  （没有可读的经营范围）")
    if found.confirmed_industry or found.confirmed_themes:
        typer.echo(f"  已由人确认：{found.confirmed_industry} {'、'.join(found.confirmed_themes)}")
    shown = [tag for tag in found.proposals.tags if found.state(tag) != "弃权"]
    for tag in shown:
        agrees = found.proposals.agrees.get(tag.level)
        first = next(t for t in shown if t.level == tag.level) is tag
        differs = "  ［与部门行业代码不同］" if first and agrees is False else ""
        typer.echo(
            f"  {tag.level} {tag.code if tag.level != '主题' else ''} {tag.name}  {tag.score:.0%}  {found.state(tag)}{differs}"
        )
    for line in found.products:
        if line.mentioned:
            typer.echo(
                f"  战略性新兴产业“{line.leaf}”所列、经营范围提到：{'、'.join(line.mentioned)}（请核对产品）"
            )


def _plain(found: FirmPortrait) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "code": found.code,
        "year": found.year,
        "lines": [asdict(line) for line in found.lines],
        "text_tags": [{**asdict(tag), "state": found.state(tag)} for tag in found.proposals.tags],
        "agrees": found.proposals.agrees,
        "products": [asdict(line) for line in found.products],
        "completeness": round(float(found.completeness.share[0]), 4),
        "missing": found.completeness.missing(0),
        "freshness": round(found.freshness.share, 4),
        "stale": list(found.freshness.stale),
        "contested": list(found.freshness.contested),
    }
