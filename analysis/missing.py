"""数据价值: what each missing indicator holds up, in firms and yuan, and which department could bring it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.night import View
from analysis.scores_ask import ask_leaves
from analysis.scores_money import usual_amount, worth
from engine import kinds
from engine.columns import Columns
from engine.evaluate import Tree
from engine.matching import OPEN, ItemHits
from engine.nodes import references
from engine.program import BoundItem, tree_expressions
from store.night_scores import read_scores


@dataclass
class _Held:
    firms: set[int] = field(default_factory=set)
    items: set[str] = field(default_factory=set)
    pairs: int = 0
    alone: int = 0
    unsure: int = 0
    known: float = 1.0
    expected: float = 0.0
    yuan: float = 0.0
    alone_yuan: float = 0.0


def missing_value(view: View, items: list[str] | None = None) -> pd.DataFrame:
    """数据价值: one row an indicator, the most expected money first.

    What is missing is not always lacking: most firms have no 首台套, and a register says nothing of those it has nothing
    of. So 期望金额 is the money that will turn out to be payable: the night's score times the middle of the amount, times
    the share of all firms that have the fact at all (`齐全率`; of several lacking facts the rarest), as no firm unheard of
    is likelier to have it than any. 说明 says of the rare ones how they are settled without asking firm by firm.

    A 待核实 pair counts for every indicator its undecided conditions lack; `单缺` counts the pairs that lack this one
    alone and no person's answer, so that the datum by itself decides them. 最高金额 is the highest possible sum, where
    it is not known what is usual for the item (`金额不定` counts those pairs); 期望金额 is shared by all that a pair lacks.

    >>> list(missing_value(view).columns[:3])
    ['指标', '部门', '企业']
    """
    held: dict[str, _Held] = defaultdict(_Held)
    for item in items or list(view.items["item"]):
        _count(view, item, held)
    dictionary = view.library.dictionary
    rows = [
        {"指标": name, "部门": dictionary[name].department or dictionary[name].source or "企业填报",
         "企业": len(h.firms), "对": h.pairs, "事项": len(h.items), "齐全率": h.known, "期望金额": h.expected,
         "最高金额": h.yuan, "金额不定": h.unsure, "单缺": h.alone, "单缺金额": h.alone_yuan,
         "说明": _advice(view.columns, name, h.known)}
        for name, h in held.items()
    ]  # fmt: skip
    columns = [
        "指标",
        "部门",
        "企业",
        "对",
        "事项",
        "齐全率",
        "期望金额",
        "最高金额",
        "金额不定",
        "单缺",
        "单缺金额",
        "说明",
    ]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.sort_values(
        ["期望金额", "最高金额", "指标"], ascending=[False, False, True], ignore_index=True
    )


def by_department(values: pd.DataFrame) -> pd.DataFrame:
    """按部门: sums of what `missing_value` found; a pair that lacks two indicators of a department counts twice.

    >>> by_department(missing_value(view))["部门"].is_unique
    True
    """
    sums = values.groupby("部门", as_index=False)[["对", "单缺", "期望金额", "最高金额", "单缺金额"]].sum()
    return sums.sort_values(
        ["期望金额", "最高金额", "部门"], ascending=[False, False, True], ignore_index=True
    )


def _count(view: View, item: str, held: dict[str, _Held]) -> None:
    found, bound = view.found(item), view.bound(item)
    waiting = np.flatnonzero(found.verdict == OPEN)
    if not len(waiting):
        return
    usual = usual_amount(found.low, found.high)
    rows, high = found.rows[waiting], found.high[waiting]
    unsure = np.isnan(high)
    most = np.where(unsure, np.fmax(usual, found.low[waiting]), high)
    lacking, asked = lacking_of(view, bound, found, waiting)
    count = np.sum(list(lacking.values()), axis=0) if lacking else np.zeros(len(rows))
    known = {name: known_share(view.columns, name) for name in lacking}
    rarest = np.ones(len(rows))
    for name, mask in lacking.items():
        rarest[mask] = np.minimum(rarest[mask], known[name])
    share = expected_of(view, item, found, waiting) * rarest / np.maximum(count, 1)
    for name, mask in lacking.items():
        if mask.any():
            held[name].known = known[name]
            _add(held[name], item, rows, most, mask, mask & (count == 1) & ~asked)
            held[name].unsure += int((mask & unsure).sum())
            held[name].expected += float(share[mask].sum())


RARE = 0.5  # share of firms with the fact below which most of those without it rightly have none


def known_share(columns: Columns, name: str) -> float:
    """齐全率: share of all firms of which the fact is known in its best-known year, or in a row of one of their lists.

    >>> 0.0 <= known_share(view.columns, "研发费用") <= 1.0
    True
    """
    stores = (columns.numbers, columns.categories, columns.lists)
    years = {year for store in stores for one, year in store if one == name}
    shares = [float((~is_missing(columns, name, year)).mean()) for year in years if len(columns)]
    for rows in columns.rows.values():
        own = {year for store in (rows.columns.numbers, rows.columns.categories, rows.columns.lists)
               for one, year in store if one == name}  # fmt: skip
        for year in own:
            have = np.unique(rows.owner[~is_missing(rows.columns, name, year)])
            shares.append(len(have) / len(columns))
    return max(shares, default=0.0)


def _advice(columns: Columns, name: str, known: float) -> str:
    if known >= RARE:
        return ""
    if columns.loaded is not None and name in columns.loaded:
        return "归口的全量来源已到，没有的多半就是没有：在指标字典写上 absent_means 就都定了"
    return "多数企业本来就没有：请部门给全量名单，来源写 coverage: 全量、指标写 absent_means，没列的就都定了"


def lacking_of(
    view: View, bound: BoundItem, found: ItemHits, waiting: np.ndarray
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """缺什么: by indicator which of the waiting pairs lack it for an undecided condition; and which need an answer."""
    rows = found.rows[waiting]
    lacking: dict[str, np.ndarray] = {}
    asked = np.zeros(len(rows), bool)
    for j, tree in enumerate(bound.conditions):
        undecided = found.unknown[waiting, j]
        if _asks(tree):
            asked |= undecided
        for expr in tree_expressions(tree):
            for name, year in references(expr):
                miss = undecided & is_missing(view.columns, name, year)[rows]
                lacking[name] = lacking.get(name, np.zeros(len(rows), bool)) | miss
    return lacking, asked


def lacking_facts(view: View, item: str, found: ItemHits, waiting: np.ndarray) -> list[frozenset[str]]:
    """每一对缺什么: indicators, and questions as “问（item）：its words”."""
    bound = view.bound(item)
    lacking, _ = lacking_of(view, bound, found, waiting)
    marks = dict(lacking)
    title = bound.program.item.title
    for j, (numbered, tree) in enumerate(zip(bound.program.conditions, bound.conditions, strict=True)):
        if _asks(tree):
            asked = "；".join(leaf.text for _, leaf in ask_leaves(numbered.condition, numbered.id))
            marks[f"问（{title}）：{asked}"] = found.unknown[waiting, j]
    return [frozenset(n for n, mask in marks.items() if mask[i]) for i in range(len(waiting))]


def expected_of(view: View, item: str, found: ItemHits, waiting: np.ndarray) -> np.ndarray:
    """期望金额 of waiting pairs: the night's score (0.5 where it has none) times the middle of the amount, in yuan."""
    money = worth(found.low[waiting], found.high[waiting], usual_amount(found.low, found.high))
    score = read_scores(view.night.folder, item)
    if item in view.changed or not len(score):
        return 0.5 * money
    codes = [view.columns.codes[r] for r in found.rows[waiting]]
    return score.reindex(codes).fillna(0.5).to_numpy() * money


def _add(
    one: _Held, item: str, rows: np.ndarray, most: np.ndarray, mask: np.ndarray, alone: np.ndarray
) -> None:
    one.firms.update(rows[mask].tolist())
    one.items.add(item)
    one.pairs += int(mask.sum())
    one.alone += int(alone.sum())
    one.yuan += float(most[mask].sum())
    one.alone_yuan += float(most[alone].sum())


def _asks(tree: Tree) -> bool:
    return tree.kind == "ask" or any(_asks(child) for child in tree.children)


def is_missing(columns: Columns, name: str, year: int | None) -> np.ndarray:
    """缺数据的行: shape (n,); an indicator whose absence has a meaning is never missing."""
    kind = columns.dictionary[name].kind
    if columns.speaks(name):
        return np.zeros(len(columns), bool)
    if kind in (kinds.TEXT, kinds.CODE):
        return np.asarray(columns.category(name, year).codes) < 0
    if kind == kinds.LIST:
        return columns.listing(name, year).missing
    return np.isnan(columns.stored(name, year))
