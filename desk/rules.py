"""规则页的材料: what a rule says in an officer's words, what data it needs, and what a draft of it would change."""

from __future__ import annotations

import difflib
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from analysis import Impact, View, compare
from desk.evidence import tidy
from desk.office import Office
from desk.said import short_label
from engine.columns import Columns
from engine.evaluate import Tree
from engine.nodes import references
from engine.policy import Condition
from engine.program import BoundItem, Program, tree_expressions
from engine.standard import Line, standard_lines
from engine.words import say
from policies.check import check_library
from policies.library import load_library
from policies.readiness import LEAST_FILLED
from profiles.dictionary import builtin_dictionary
from store.nights import Night

MACHINE, PERSON, THIN = "机器可判", "需人工判断", "数据不全"
ENOUGH = LEAST_FILLED


@dataclass(frozen=True)
class RuleRow:
    """规则的一行: clause, how the machine decides, on what data, how complete it is."""

    n: int
    id: str
    quote: str
    cite: str
    says: tuple[tuple[int, str], ...]
    data: str
    fill: float | None
    state: str
    general: bool
    hidden: bool


def rule_rows(office: Office, night: Night, program: Program, bound: BoundItem | None) -> list[RuleRow]:
    """编号条件 in the rule's order. Without a live batch the years stay as the rule writes them."""
    trees: Sequence[Tree] = bound.conditions if bound else [c.tree for c in program.conditions]
    out = []
    for i, (numbered, tree) in enumerate(zip(program.conditions, trees, strict=True), 1):
        condition = numbered.condition
        asks = any(leaf.kind == "ask" for leaf in condition.leaves())
        keys = [k for expr in tree_expressions(tree) for k in references(expr)] if bound else []
        share = fill_share(office, night, keys) if keys else None
        state = PERSON if asks else THIN if share is not None and share < ENOUGH else MACHINE
        dictionary = office.library(night).dictionary
        names = dict.fromkeys(k[0] for k in keys)
        data = "、".join(dict.fromkeys(dictionary[n].source or "企业填报" for n in names if n in dictionary))
        out.append(
            RuleRow(i, condition.id, condition.quote, condition.cite, tuple(_says(condition, tree)), data, share, state,
                    numbered.general, condition.hidden)
        )  # fmt: skip
    return out


def _says(condition: Condition, tree: Tree, depth: int = 0) -> list[tuple[int, str]]:
    if tree.kind == "ask":
        return [(depth, f"问复核人：{condition.text}")]
    if tree.kind == "when":
        return [(depth, tidy(say(tree.expr)) if tree.expr is not None else condition.text)]
    head = {"any": "满足一项即可", "all": "都要满足", "not": "不得有"}[tree.kind]
    out = [(depth, head)]
    for child, node in zip(tree.children, condition.children, strict=True):
        out += _says(node, child, depth + 1)
    return out


def lines_of(program: Program, bound: BoundItem | None) -> list[Line]:
    """钱怎么算 of an item, with the years of its live batch, else of its last one."""
    last = program.bind(program.item.batches[-1]) if program.item.batches else None
    own = (bound or last or program).benefit
    return list(standard_lines(program.item.benefit, own))


def fill_share(office: Office, night: Night, keys: Sequence[tuple[str, int | None]]) -> float:
    """齐全程度: share of firms for which every value is usable."""
    columns = night.columns()
    known = np.ones(len(columns), bool)
    for key in keys:
        known &= usable(office, night, key)
    return float(known.mean()) if len(columns) else 0.0


def usable(office: Office, night: Night, key: tuple[str, int | None]) -> np.ndarray:
    """有可用取值的企业 of a night, worked out once."""
    return office.memory.get(
        ("known", night.run.profiles_hash, key), lambda: known_mask(night.columns(), key)
    )


def known_mask(columns: Columns, key: tuple[str, int | None]) -> np.ndarray:
    """有可用取值的企业: after `absent_means`."""
    name, year = key
    if columns.speaks(name):
        return np.ones(len(columns), bool)
    kind = columns.dictionary[name].kind
    if kind in ("文本", "代码"):
        return columns.category(name, year).codes >= 0
    if kind == "列表":
        return ~columns.listing(name, year).missing
    return ~np.isnan(columns.number(name, year))


# ---------------------------------------------------------------- drafts


@dataclass(frozen=True)
class Checked:
    """检查结果 of a draft: problems as the checker words them, and the program where it compiles."""

    problems: tuple[tuple[str, str], ...]
    errors: int
    program: Program | None
    cases: int


def check_draft(root: Path, item: str, text: str, cases: str, sets: dict[str, Any]) -> Checked:
    """核对草稿: the item's document with the draft put in, in a folder of its own."""
    doc, slug = item.split("/", 1)
    with tempfile.TemporaryDirectory(prefix="huiqi-draft-") as folder:
        trial = Path(folder)
        for name in ("sets", doc):
            if (root / name).is_dir():
                shutil.copytree(root / name, trial / name)
        if (root / "indicators.yaml").is_file():
            shutil.copy(root / "indicators.yaml", trial / "indicators.yaml")
        target = trial / doc / "items" / f"{slug}.yaml"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        if cases:
            target.with_suffix(".test.yaml").write_text(cases, encoding="utf-8")
        library = load_library(trial, builtin_dictionary(), sets)
        report = check_library(library)
    mine = [p for p in report.problems if f"/items/{slug}." in p.place.file]
    errors = sum(p.level == "error" for p in mine)
    return Checked(tuple((p.level, p.render()) for p in mine), errors, library.program(item), report.cases)


@dataclass(frozen=True)
class Change:
    """一处改动 in an officer's words: what, how it was, how it is; empty for what is not there."""

    what: str
    was: str
    now: str


def meaning_changes(before: Program | None, after: Program | None) -> list[Change]:
    """意思差异: what a new version decides otherwise; a line moved or a comment changed is none."""
    if after is None:
        return []
    old, new = (_meaning(p) if p is not None else {} for p in (before, after))
    keys = list(dict.fromkeys([*old, *new]))
    return [Change(k, old.get(k, ""), new.get(k, "")) for k in keys if old.get(k, "") != new.get(k, "")]


def _meaning(program: Program) -> dict[str, str]:
    """What a rule says, by part."""
    item = program.item
    out = {
        "名称": item.title, "部门": item.department, "类别": item.category, "兑现方式": item.delivery, "状态": item.status,
        "对象": item.subject, "材料": "、".join(item.materials), "兑现时限": item.deadline or "",
    }  # fmt: skip
    for numbered in program.conditions:
        condition = numbered.condition
        says = "；".join("　" * depth + words for depth, words in _says(condition, numbered.tree))
        hidden = "（不向企业显示）" if condition.hidden else ""
        out[f"条件 {short_label(condition)}（{condition.id}）"] = f"{says}{hidden}"
        out[f"条件 {short_label(condition)}（{condition.id}）的依据"] = f"{condition.cite}“{condition.quote}”"
    for n, (what, how, _cite, _quote) in enumerate(standard_lines(item.benefit, program.benefit), 1):
        out[f"钱 {n} {what}"] = how
    for batch in item.batches:
        budget = f"，预算 {batch.budget / 1e4:,.2f} 万元" if batch.budget else ""
        out[f"批次 {batch.name}"] = f"{batch.opens:%Y-%m-%d} 至 {batch.closes:%Y-%m-%d}{budget}"
    for rival in program.exclusive:
        out[f"让位 {rival.group}"] = rival.pick
    return out


def changed_lines(before: str, after: str) -> list[tuple[str, str]]:
    """规则差异: the lines taken away and put in, each run under the condition it stands in."""
    out: list[tuple[str, str]] = []
    old, new = before.splitlines(), after.splitlines()
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        where = _owner(old if a < len(old) else new, a if a < len(old) else c)
        out.append(("at", where))
        out += [("del", line) for line in old[a:b]] + [("ins", line) for line in new[c:d]]
    return out


def _owner(lines: Sequence[str], at: int) -> str:
    for line in reversed(lines[: at + 1]):
        text = line.strip().removeprefix("- ")
        if text.startswith("id:"):
            return text[3:].strip()
        if line and not line[0].isspace():
            return text.split(":", 1)[0]
    return "开头"


def impact_of(night: Night, item: str, after: Program) -> Impact | None:
    """发布前的影响 on the night's own firms, as analysts see it; None where neither side has a live batch."""
    before = View(night)
    changed = View(night, {item: after})
    if not (before.live(item) or changed.live(item)):
        return None
    return compare(before, changed, item)
