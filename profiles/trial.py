"""试读: what a source's declaration makes of the first rows of a file, before anything is imported."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from engine.indicators import Dictionary
from engine.tokens import nearest
from profiles.codes import why_not
from profiles.ingest import Parsed, Plan, day_of_file
from profiles.reading import Table, open_table
from profiles.source import Source

LOOKED_AT = 2_000


@dataclass
class Trial:
    """试读结果: lines for a person, and whether something is wrong."""

    lines: list[str] = field(default_factory=list)
    faults: bool = False


def try_source(source: Source, data: Path | None, dictionary: Dictionary, rows: int) -> Trial:
    """试一个来源: checks the declaration against the dictionary and, with a file, shows rows as they would land.

    Raises SourceError for an unknown indicator or an unreadable file.
    """
    trial = Trial([_title(source)])
    _try_registry(trial, source, dictionary)
    if data is None:
        header = [name.replace("{年}", "2024") for name in source.columns]
        firm = source.firm
        needed = [firm.code, firm.name, firm.old_number, firm.organisation, source.date.column]
        needed += [source.year.column] if source.year else []
        needed += [source.members.key] if source.members else []
        needed += [other for _, column in source.mapped() for other in column.join]
        needed += [relation.column for relation in source.relations]
        Plan(source, list(dict.fromkeys([*header, *filter(None, needed)])), dictionary)
        trial.lines.append("声明读得通；用 --data 文件 看前几行会落成什么样")
        return trial
    with open_table(data, source, chunk=LOOKED_AT) as table:
        _try_rows(trial, source, table, data.name, dictionary, rows, day_of_file(source, data))
    return trial


def try_table(source: Source, table: Table, name: str, dictionary: Dictionary, rows: int) -> Trial:
    """试一张表: as `try_source`, for rows that come from elsewhere (a database)."""
    trial = Trial([_title(source)])
    _try_registry(trial, source, dictionary)
    _try_rows(trial, source, table, name, dictionary, rows, None)
    return trial


def _try_registry(trial: Trial, source: Source, dictionary: Dictionary) -> None:
    """A register that no indicator names speaks for none: whoever is not in the source would stay unknown."""
    known = list(dict.fromkeys(spec.source for spec in dictionary.values() if spec.source))
    if source.registry and source.registry not in known:
        trial.faults = True
        cure = nearest(source.registry, known) or f"可以写：{'、'.join(known)}"
        trial.lines.append(f"{source.place('registry')}  没有哪个指标归“{source.registry}”登记。{cure}")


def _title(source: Source) -> str:
    return f"{source.source}：{source.title or source.department}，权威{source.authority}，{source.coverage}"


def _try_rows(
    trial: Trial,
    source: Source,
    table: Table,
    name: str,
    dictionary: Dictionary,
    rows: int,
    day: str | None,
) -> None:
    plan = Plan(source, table.header, dictionary, day)
    trial.lines.append(f"{name}：{table.encoding}，{len(table.header)}列")
    if plan.lacking:
        trial.faults = True
        trial.lines.append(
            f"缺少声明的列：{'、'.join(plan.lacking)}；多出的列：{'、'.join(plan.extra) or '无'}"
        )
        return
    if plan.extra:
        trial.lines.append(f"声明里没有、不读的列：{'、'.join(plan.extra)}")
    parsed = plan.parse(next(iter(table.chunks)))
    landing = zip(parsed.lines, parsed.codes, parsed.keys, parsed.days, parsed.contents, strict=True)
    for line, code, key, dated, content in islice(landing, rows):
        about = "".join(f"，{part}" for part in (key, f"数据日期 {dated or '没写，按到达日'}") if part)
        trial.lines.append(f"第{line}行 → {code}{about}")
        trial.lines += [
            f"    {flat.lstrip('!')}：{_money(flat, value, dictionary)}"
            for flat, value in json.loads(content).items()
        ]
    unsure, refused, twice = len(parsed.unsure), parsed.rejected, contested(parsed)
    trial.lines.append(
        f"前{parsed.rows}行：可落{len(parsed.codes) - len(twice)}，互相矛盾{len(twice)}，代码有问题{unsure}，退回{refused}"
    )
    trial.lines += [
        f"第{parsed.lines[i]}行 {parsed.codes[i]} 在这个文件里有几行不同的内容，导入后等人定"
        for i in twice[:10]
    ]
    trial.lines += [f"第{one.line}行 {one.column} {one.message}" for one in parsed.troubles[:10]]
    trial.lines += [
        f"第{row.line}行 {row.code or row.name}：{why_not(row.code)}" for row in parsed.unsure[:10]
    ]
    trial.faults = trial.faults or bool(unsure or refused or twice)


def contested(parsed: Parsed) -> list[int]:
    """互相矛盾的行: places of rows that say different things of one firm and day; an import lands none of them.

    A row that repeats the first one word for word before any other contradicts it is no contradiction (store/landing.py).
    """
    first: dict[tuple[str, str, str | None], int] = {}
    found: dict[tuple[str, str, str | None], list[int]] = {}
    for i, spot in enumerate(zip(parsed.codes, parsed.keys, parsed.days, strict=True)):
        at = first.setdefault(spot, i)
        if spot in found:
            found[spot].append(i)
        elif parsed.contents[i] != parsed.contents[at]:
            found[spot] = [at, i]
    return sorted(i for rows in found.values() for i in rows)


def _money(name: str, value: object, dictionary: Dictionary) -> str:
    if name.startswith("!"):
        return f"{value}（看懂了但不能取用）"
    spec = dictionary.get(name.split("@")[0])
    if spec is not None and spec.kind == "金额" and isinstance(value, int):
        return f"{value / 100:,.2f}元"
    if isinstance(value, bool):
        return "是" if value else "否"
    if spec is not None and spec.kind == "比例" and isinstance(value, int | float):
        return f"{value * 100:.10g}%"
    if spec is not None and spec.kind == "数量" and isinstance(value, int | float):
        return f"{value:,.10g}{spec.unit or ''}"
    return "、".join(map(str, value)) if isinstance(value, list) else str(value)
