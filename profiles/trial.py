"""试读: what a source's declaration makes of the first rows of a file, before anything is imported."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from engine.indicators import Dictionary
from profiles.codes import why_not
from profiles.ingest import Plan
from profiles.reading import open_table
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
    trial = Trial(
        [f"{source.source}：{source.title or source.department}，权威{source.authority}，{source.coverage}"]
    )
    if data is None:
        header = [name.replace("{年}", "2024") for name in source.columns]
        needed = [source.firm.code, source.firm.name, source.firm.old_number, source.firm.organisation]
        needed += [source.year.column] if source.year else []
        Plan(source, list(dict.fromkeys([*header, *filter(None, needed)])), dictionary)
        trial.lines.append("声明读得通；用 --data 文件 看前几行会落成什么样")
        return trial
    with open_table(data, source, chunk=LOOKED_AT) as table:
        plan = Plan(source, table.header, dictionary)
        trial.lines.append(f"{data.name}：{table.encoding}，{len(table.header)}列")
        if plan.lacking:
            trial.faults = True
            trial.lines.append(
                f"缺少声明的列：{'、'.join(plan.lacking)}；多出的列：{'、'.join(plan.extra) or '无'}"
            )
            return trial
        if plan.extra:
            trial.lines.append(f"声明里没有、不读的列：{'、'.join(plan.extra)}")
        parsed = plan.parse(next(table.chunks))
    for line, code, content in islice(zip(parsed.lines, parsed.codes, parsed.contents, strict=True), rows):
        trial.lines.append(f"第{line}行 → {code}")
        trial.lines += [
            f"    {name}：{_money(name, value, dictionary)}" for name, value in json.loads(content).items()
        ]
    unsure, refused = len(parsed.unsure), parsed.rejected
    trial.lines.append(f"前{parsed.rows}行：可落{len(parsed.codes)}，代码有问题{unsure}，退回{refused}")
    trial.lines += [f"第{one.line}行 {one.column} {one.message}" for one in parsed.troubles[:10]]
    trial.lines += [
        f"第{row.line}行 {row.code or row.name}：{why_not(row.code)}" for row in parsed.unsure[:10]
    ]
    trial.faults = bool(unsure or refused)
    return trial


def _money(name: str, value: object, dictionary: Dictionary) -> str:
    spec = dictionary.get(name.split("@")[0])
    if spec is not None and spec.kind == "金额" and isinstance(value, int):
        return f"{value / 100:,.2f}元"
    return f"{value}（看懂了但不能取用）" if name.startswith("!") else str(value)
