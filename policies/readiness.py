"""就绪度: the three official tests of 免申即享 for every item, with what blocks it and who could lift that."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.columns import Columns
from engine.indicators import SELF_REPORTED, Dictionary, Indicator
from engine.nodes import Node, references
from engine.policy import Form, PolicyItem
from engine.program import Numbered, Program, benefit_expressions, tree_expressions

SCOPE, STANDARD, DATA = "奖补范围明确", "审核标准清晰", "比对数据齐全"
TESTS = (SCOPE, STANDARD, DATA)
AUTOMATIC = "免申即享"
LEAST_FILLED = 0.98
LEAST_AUTHORITY = 2
SOURCE_OF_LAW = "川办函〔2024〕17号"


@dataclass(frozen=True)
class Block:
    """卡点: the test, the condition (empty: the amount), what is wrong, and the department that could lift it."""

    test: str
    condition: str
    cite: str
    what: str
    department: str
    indicator: str = ""


@dataclass(frozen=True)
class Readiness:
    """一项的就绪度: what blocks it, and whether it should rise to 免申即享 or fall back from it."""

    item: str
    title: str
    batch: str
    delivery: str
    blocks: tuple[Block, ...]

    def passes(self, test: str) -> bool:
        """是否过一项测试."""
        return all(b.test != test for b in self.blocks)

    @property
    def ready(self) -> bool:
        return not self.blocks

    @property
    def falls(self) -> bool:
        """要降级: declared 免申即享, and a test fails now."""
        return self.delivery == AUTOMATIC and not self.ready

    @property
    def rises(self) -> bool:
        """可以升级: all three pass, and it is not 免申即享 yet."""
        return self.delivery != AUTOMATIC and self.ready

    @property
    def works_as(self) -> str:
        """现在按什么办: a fallen item runs as 即申即享 until its data are whole again."""
        return "即申即享" if self.falls else self.delivery

    @property
    def word(self) -> str:
        if self.falls:
            return f"要降级：{self.blocks[0].what}"
        missing = sum(not self.passes(t) for t in TESTS)
        return "可以升级" if self.rises else "已免申" if self.ready else f"差 {missing} 项"


def fill_rates(
    columns: Columns, names: Sequence[tuple[str, int | None]]
) -> dict[tuple[str, int | None], float]:
    """齐全率: the share of enterprises for which an indicator is known (value, or what its absence means), by year."""
    return {key: _known(columns, *key) for key in names}


def _known(columns: Columns, name: str, year: int | None) -> float:
    if columns.speaks(name) or not len(columns):
        return 1.0 if len(columns) else 0.0
    key, n = (name, year), len(columns)
    if key in columns.numbers:
        values = columns.numbers[key]
        return float((values == values).sum()) / n
    if key in columns.categories:
        return float((columns.categories[key].codes >= 0).sum()) / n
    if key in columns.lists:
        return float((~columns.lists[key].missing).sum()) / n
    return 0.0


def readiness(program: Program, batch: str, columns: Columns, least: float = LEAST_FILLED) -> Readiness:
    """就绪度 of one item in a batch, on the live data. Raises ExpressionError where the batch lacks a year."""
    item = program.item
    window = item.batch(batch)
    if window is None:
        raise ValueError(f"{item.id} 没有 {batch} 这个批次")
    blocks = basic_blocks(program)
    bound = program.bind(window)
    reads: dict[tuple[str, int | None], Numbered | None] = {}
    for numbered, tree in zip(program.conditions, bound.conditions, strict=True):
        for key in _references(tree_expressions(tree)):
            reads.setdefault(key, numbered)
    if bound.benefit is not None:
        for key in _references(benefit_expressions(bound.benefit)):
            reads.setdefault(key, None)
    rates = fill_rates(columns, list(reads))
    blocks += [
        b
        for key, owner in reads.items()
        for b in _data(item, key, owner, columns.dictionary, rates[key], least)
    ]
    return Readiness(item.id, item.title, batch, item.delivery, tuple(blocks))


def basic_blocks(program: Program) -> list[Block]:
    """规则本身的卡点: the first two tests, which need no data."""
    return [*_scope(program.item), *_standard(program)]


def _references(expressions: Iterable[Node]) -> list[tuple[str, int | None]]:
    found: dict[tuple[str, int | None], None] = {}
    for expression in expressions:
        found.update(dict.fromkeys(references(expression)))
    return list(found)


# ---------------------------------------------------------------- the three tests


def _scope(item: PolicyItem) -> list[Block]:
    """奖补范围明确: the amount follows from text and facts alone."""
    benefit = item.benefit
    if item.category not in ("奖补", "减免"):
        return []
    if benefit is None or benefit.form is None:
        return [Block(SCOPE, "", "", "没有写奖补标准", item.department)]
    forms = [benefit.form, *(e.form for e in benefit.exceptions if e.form)]
    return [Block(SCOPE, "", benefit.cite, _spread(f), item.department) for f in forms if _spread(f)]


def _spread(form: Form) -> str:
    if form.kind == "words":
        return f"金额“{form.words}”，算不出"
    if form.kind == "upto":
        return "只有最高额，没有计算办法"
    if form.kind == "range":
        return "金额是区间，定多少要人定"
    if form.kind == "cases":
        return next((s for c in form.cases if c.form and (s := _spread(c.form))), "")
    return ""


def _standard(program: Program) -> list[Block]:
    """审核标准清晰: no condition asks for a person's judgement, no paper is handed in."""
    item = program.item
    found = [
        Block(STANDARD, c.id, c.condition.cite, f"“{leaf.text}”要人工判断", item.department)
        for c in program.conditions
        for leaf in c.condition.leaves()
        if leaf.kind == "ask"
    ]
    if item.materials:
        found.append(Block(STANDARD, "", "", f"要交材料：{'、'.join(item.materials)}", item.department))
    return found


def _data(
    item: PolicyItem, key: tuple[str, int | None], owner: Numbered | None, dictionary: Dictionary, rate: float,
    least: float,
) -> list[Block]:  # fmt: skip
    """比对数据齐全: every indicator comes from a department, with authority, and is there for nearly all."""
    name, year = key
    spec = dictionary.get(name)
    where = f"{name}{f'（{year}年）' if year else ''}"
    if spec is None:
        return [_block(owner, item, f"{where}不在指标字典里", None, name)]
    if spec.source == SELF_REPORTED or not spec.source:
        return [_block(owner, item, f"{where}由企业填报，没有部门数据", spec, name)]
    if spec.authority and spec.authority < LEAST_AUTHORITY:
        return [_block(owner, item, f"{where}的来源权威不够", spec, name)]
    if rate < least:
        stale = "；超过保鲜期的不算" if spec.fresh_for else ""
        return [
            _block(owner, item, f"{where}齐全率 {_percent(rate)}，低于 {_percent(least)}{stale}", spec, name)
        ]
    return []


def _percent(share: float) -> str:
    """Rounded down to a tenth of a percent, so that what is below a limit is not shown at it."""
    return f"{math.floor(share * 1000 + 1e-9) / 10:g}%"


def _block(owner: Numbered | None, item: PolicyItem, what: str, spec: Indicator | None, name: str) -> Block:
    department = (spec.department or spec.source) if spec is not None else ""
    cite = owner.condition.cite if owner else (item.benefit.cite if item.benefit else "")
    return Block(DATA, owner.id if owner else "", cite, what, department or item.department, name)


def requests(found: Sequence[Readiness]) -> list[tuple[str, str, int, tuple[str, ...]]]:
    """数据需求清单: department, indicator, how many items it blocks, which; the most blocking first."""
    wanted: dict[tuple[str, str], list[str]] = {}
    for one in found:
        for block in one.blocks:
            if block.indicator:
                items = wanted.setdefault((block.department, block.indicator), [])
                if one.item not in items:
                    items.append(one.item)
    rows = [(d, i, len(items), tuple(items)) for (d, i), items in wanted.items()]
    return sorted(rows, key=lambda r: (-r[2], r[0], r[1]))
