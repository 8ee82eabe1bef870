"""文件命令: huiqi decompose · items."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.words import say_money
from jobs.cli.common import library_path, parse_as_of, telling
from jobs.cli.nightly import HomeOption


def register(app: typer.Typer) -> None:
    """登记命令."""
    app.command("decompose")(decompose_command)
    app.command("items")(items_command)


def decompose_command(
    file: Annotated[Path | None, typer.Argument(help="政策文件 .docx .pdf .html .txt .md")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="写成 JSON，格式同评测")] = False,
    into: Annotated[Path | None, typer.Option("--into", help="把草稿写进这个政策库")] = None,
    document_id: Annotated[
        str | None, typer.Option("--id", help="文件编号（库里的文件夹名）；默认取自文件名")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="库里已有这份文件时，覆盖草稿（已签发的不动）")
    ] = False,
    sets: Annotated[list[str], typer.Option("--set", help="地域词的代码，例如 --set '本区=120116*'")] = [],  # noqa: B006
    as_of: Annotated[str | None, typer.Option("--as-of", help="起草日，例如 2026-06-01；默认今天")] = None,
    correct: Annotated[
        Path | None, typer.Option("--correct", help="把拆解结果存进这个改正文件夹，改好后用 --learn 学")
    ] = None,
    learn: Annotated[
        Path | None, typer.Option("--learn", help="改正文件夹：学改正过的，先验再存进数据文件夹")
    ] = None,
    base: Annotated[
        list[Path], typer.Option("--base", help="重训软件自带的模型：连同的标注集（含 raw/ gold/）")
    ] = [],  # noqa: B006
    anyway: Annotated[bool, typer.Option("--anyway", help="验下来变差也学")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="忘掉学过的改正（改正文件不动）")] = False,
    home: HomeOption = None,
) -> None:
    """拆解一份政策文件：条款角色、事项、条件、奖补标准，逐条带原文；--into 起草规则文件；--learn 学改正过的。

    例：huiqi decompose 若干措施.docx --into 政策库 --set '本区=120116*'

    例：huiqi decompose 若干措施.docx --correct 改正，改好后 huiqi decompose --learn 改正
    """
    if learn is not None or forget:
        from policies.decompose.learn import NotBetter

        with telling():
            try:
                typer.echo(_learn(learn, base, parse_as_of(as_of).isoformat(), home, anyway))
            except NotBetter as error:
                typer.echo(str(error), err=True)
                raise typer.Exit(1) from None
        return
    if file is None:
        raise typer.BadParameter("要给出一份政策文件，例如 huiqi decompose 若干措施.docx")
    with telling():
        from policies.decompose.own import office_memory
        from policies.decompose.pipeline import decompose
        from policies.read import read_document
        from store.nights import home_folder

        memory = office_memory(home or home_folder())
        found = decompose(read_document(file), memory=memory)
    if correct is not None:
        with telling():
            _keep(found, file, correct)
    elif as_json:
        typer.echo(json.dumps({"file": file.name, **found.as_json()}, ensure_ascii=False, indent=1))
    elif into is None:
        _tell(found.as_json(), memory.met(found.clauses) if memory else 0)
    else:
        with telling():
            _draft(found, file, into, document_id, replace, sets, parse_as_of(as_of))


def _keep(found: Any, file: Path, folder: Path) -> None:
    from policies.decompose.learn import keep_correction

    if (folder / "gold" / f"{file.stem}.json").is_file():
        raise ValueError(f"{folder} 里已有 {file.stem} 的改正，没有覆盖")
    path = keep_correction(folder, file.stem, found.text, found.as_json())
    typer.echo(
        f"底稿 → {path}：“条文”是各条的原文，只供对照；改 clauses 里各条的角色（中文也行），items 里增删事项、条件、奖补（quote 要和原文一字不差），存盘后"
    )
    typer.echo(f"huiqi decompose --learn {folder}")


def _tell(answer: Mapping[str, Any], met: int) -> None:
    for item in answer["items"]:
        typer.echo(f"{item['id']}. {item['title']}（把握 {item['score']:.2f}）")
        for word, key in (
            ("奖补", "benefits"),
            ("条件", "conditions"),
            ("排除", "exclusions"),
            ("材料", "materials"),
        ):
            for line in _once_each(item[key]):
                typer.echo(f"   {word}  {line}")
        for line in _days(item["window"]):
            typer.echo(f"   时间  {line}")
    for entry in answer["general"]["conditions"]:
        typer.echo(f"{'哪一项的' if entry.get('scope') == 'aside' else '通用条件'}  {entry['quote']}")
    for entry in answer["general"]["exclusions"]:
        typer.echo(f"通用排除  {entry['quote']}")
    if not answer["items"]:
        typer.echo("没有找到可以申报或享受的事项。")
    if met:
        typer.echo(f"其中 {met} 条的话本局改正过，照改正读（huiqi decompose --learn）")


def _once_each(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Each quote once; several amounts that stand in one of them behind it."""
    for quote, same in groupby(entries, lambda entry: entry["quote"]):
        amounts = [say_money(entry["amount"]) for entry in same if entry.get("amount")]
        yield f"{quote}（{'、'.join(amounts)}）" if len(amounts) > 1 else quote


def _days(window: Mapping[str, Any] | None) -> Iterator[str]:
    """The days of a window, of each of its parts; its words where it has none."""
    for part in (window.get("parts") or [window]) if window else ():
        first, last = part.get("from", ""), part.get("to", "")
        yield f"{first} 至 {last}".strip() if first or last else part.get("kind") or part["quote"]


def _places(sets: Sequence[str], library: Path) -> dict[str, str]:
    out = {}
    for text in sets:
        name, sep, codes = text.partition("=")
        if not sep or not codes:
            raise ValueError(f"--set {text}：要写成 本区=120116*")
        out[name.strip()] = codes.split(",")[0].strip()
    for path in sorted((library / "sets").glob("*.yaml")):
        line = next(
            (x for x in path.read_text(encoding="utf-8").splitlines() if x.strip().startswith("-")), ""
        )
        out.setdefault(path.stem, line.strip(" -\"'"))
    return {k: v for k, v in out.items() if k in ("本区", "本市", "本省") and v}


def _draft(
    found: Any, file: Path, into: Path, document_id: str | None, replace: bool, sets: Sequence[str], day: Any
) -> None:
    from policies.draft_text import quotes_of, touched
    from policies.drafts import clause_diff, draft, verbatim, write_draft
    from profiles.dictionary import library_dictionary
    from profiles.tables import division_codes, industry_codes

    name = document_id or _slug(file.stem)
    if not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}", name):
        raise ValueError(f"文件编号“{name}”要用字母、数字和连字符，例如 --id bs-2026-02")
    for text in sets:
        if not re.fullmatch(r"\w{1,20}=.+", text.replace(" ", "")):
            raise ValueError(f"--set “{text}”要写成 词=代码，例如 --set '本区=120116*'")
    folder = into / name
    if folder.exists():
        old = (folder / "text.md").read_text(encoding="utf-8") if (folder / "text.md").is_file() else ""
        changes = clause_diff(verbatim(old), found.text)
        said = {
            p.stem: quotes_of(p.read_text(encoding="utf-8"))
            for p in sorted((folder / "items").glob("*.yaml"))
            if not p.name.endswith(".test.yaml")
        }
        for kind, before, after in changes:
            typer.echo(
                f"{kind}  {before}" + (f"\n  →  {after}" if after else "") if before else f"{kind}  {after}"
            )
            if before and kind != "改号" and (items := touched(before, said)):
                typer.echo(f"  涉及  {'、'.join(items)}")
        typer.echo(f"库里已有 {name}：条款改动 {len(changes)} 处")
        if not replace:
            typer.echo(
                "没有改写；要用新文本重新起草，请加 --replace（修订的文件应另起编号，以 replaces 相连）"
            )
            return
        signed = [
            p.name
            for p in (folder / "items").glob("*.yaml")
            if not p.name.endswith(".test.yaml") and "status: 草稿" not in p.read_text(encoding="utf-8")
        ]
        if signed:
            raise ValueError(f"{name} 里有已签发的事项（{'、'.join(signed)}），不能覆盖；请用 --id 另起编号")
    places, known = _places(sets, into), library_dictionary(into)
    made = draft(found, name, file.name, known, places, day, industry_codes(), division_codes())
    if replace and (folder / "items").is_dir():
        for stale in (folder / "items").glob("*.yaml"):
            stale.unlink()
    write_draft(made, into)
    for text in sets:
        word, _, codes = text.partition("=")
        path = into / "sets" / f"{word.strip()}.yaml"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(f'- "{c.strip()}"\n' for c in codes.split(",")), encoding="utf-8")
    count = len(found.items)
    typer.echo(f"{count} 个事项的草稿 → {folder}；写成式子 {made.sure} 条，留作提问 {made.asked} 条")
    if made.blind:
        typer.echo(
            f"其中 {len(made.blind)} 项没有一条能由数据判断，名单会列出全部企业；签发前请补上能查的条件："
            f"{'；'.join(made.blind[:8])}{'…' if len(made.blind) > 8 else ''}"
        )
    if count and not made.placed:
        typer.echo(
            "条文没有写企业要在哪里登记或纳税；若只给本地企业，请在 document.yaml 的 general 里加一条，例如 登记地区划 in 本区"
        )
    if untold := sum(not item.window for item in found.items):
        typer.echo(f"其中 {untold} 项条文没有写受理期，batches 里暂填了日子，请定")
    _first("先看", [f"{score:.2f}  {owner}：{quote}" for score, owner, quote in sorted(made.doubtful)])
    for cite, quote in made.aside:  # all of them: they stand nowhere else
        typer.echo(f"哪一项的  {cite}：{quote}（那里没找到事项，没写进草稿；是哪一项的条件，请加到那一项）")
    _first("可能是", [f"{guess}  {owner}：{quote}" for owner, guess, quote in made.guesses])
    for name, entry in sorted(made.proposed.items()):
        typer.echo(
            f"拟设指标  {name}（{entry.kind}{'，一年一个值' if entry.yearly else ''}）已写进 indicators.yaml，请定来源"
        )
    for indicator, quotes in sorted(made.missing.items()):
        typer.echo(f"指标字典里没有“{indicator}”（{len(quotes)} 处），例如：{quotes[0]}")
    if count:
        typer.echo(
            f"草稿不参加比对：看过、改好，huiqi check {into} 没有错误，再删掉各事项的 status: 草稿 那一行"
        )


MOST_TOLD = 30


def _first(word: str, lines: Sequence[str]) -> None:
    """The first lines under a word, and how many more there are."""
    for line in lines[:MOST_TOLD]:
        typer.echo(f"{word}  {line}")
    if len(lines) > MOST_TOLD:
        typer.echo(f"{word}  还有 {len(lines) - MOST_TOLD} 条，都在草稿的事项里")


def _slug(stem: str) -> str:
    import hashlib

    plain = re.sub(r"[^0-9A-Za-z]+", "-", stem).strip("-").lower()
    return plain or "doc-" + hashlib.sha256(stem.encode()).hexdigest()[:8]


def _learn(folder: Path | None, base: Sequence[Path], day: str, home: Path | None, anyway: bool) -> str:
    from policies.decompose.learn import forget, learn_corrections, relearn
    from store.nights import home_folder

    if folder is None:
        return forget(home or home_folder())
    if base:
        return relearn(folder, base, day, anyway)
    texts = [p.read_text(encoding="utf-8") for p in sorted(library_path(None).glob("*/text.md"))]
    return learn_corrections(folder, home or home_folder(), day, texts, anyway)


def items_command(
    library: Annotated[
        Path | None, typer.Option("--library", help="政策库文件夹；默认 HUIQI_LIBRARY 或内置样例")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="导出 .xlsx 或 .json")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="写成 JSON")] = False,
    as_of: Annotated[str | None, typer.Option("--as-of", help="今天是哪天；默认今天")] = None,
    drafts: Annotated[bool, typer.Option("--drafts", help="连同草稿")] = False,
) -> None:
    """惠企政策事项清单：二十个规定栏目、还空着哪些、七个工作日的公布时限。

    例：huiqi items --out 事项清单.xlsx
    """
    with telling():
        from policies.calendar import builtin_calendar
        from policies.items import item_list, write_items
        from policies.library import load_library
        from profiles.dictionary import builtin_dictionary

        loaded = load_library(library_path(library), builtin_dictionary())
        rows = item_list(loaded, parse_as_of(as_of), builtin_calendar(), drafts)
        if out is not None:
            write_items(rows, out)
    if as_json:
        typer.echo(json.dumps([r.as_dict() for r in rows], ensure_ascii=False, indent=1))
        return
    for r in rows:
        late = f"，{r.clock}" if r.clock else ""
        typer.echo(f"{r.item}  {r.fields['事项名称']}  已填 {r.filled}/20{late}")
        if r.empty:
            typer.echo(f"    空着：{'、'.join(r.empty)}")
    typer.echo(f"共 {len(rows)} 个事项" + (f" → {out}" if out else ""))
