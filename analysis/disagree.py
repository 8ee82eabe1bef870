"""文字与规则不一致: the firm's words say yes where a rule on what it does says no, or the reverse; the analysts' queue."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import pandas as pd

from analysis.night import CODE, NAME, View
from analysis.scores import fingerprint
from analysis.scores_ask import FirmTexts
from analysis.scores_money import usual_amount, worth
from engine import kinds
from engine.evaluate import Frame, Tree
from engine.matching import FITS
from engine.nodes import references
from engine.program import tree_expressions
from engine.score import ConditionScorer
from engine.text import tokens
from engine.text_space import TextSpace

YES, NO = 0.85, 0.15
MOST_FIRMS = 6000
LEVELS = 250  # below the 255 bins of the trees
BUSINESS = ("行业代码", "行业门类", "行业大类", "经营范围", "主营产品")
COLUMNS = ["item", "事项", CODE, NAME, "条件", "方向", "文字估计", "金额"]


def disagreements(view: View, most: int = 200, seed: int = 0) -> pd.DataFrame:
    """不一致的: one row a pair and condition, the most money first; the rule's verdict stands whatever this says.

    Looked at are conditions on what a firm does (industry, scope). Money is the item's amount for a pair that fails
    there alone, and what is payable for one that fits.
    """
    columns = view.columns
    rng = np.random.default_rng([seed, 41])
    firms = np.sort(rng.permutation(len(columns))[:MOST_FIRMS])
    texts = FirmTexts(columns).at(firms)
    told = np.array([len(t) > 12 for t in texts])
    firms = firms[told]
    if len(firms) < 100:
        return pd.DataFrame(columns=COLUMNS)
    said = [t for t, on in zip(texts, told, strict=True) if on]
    table = TextSpace(directions_wanted=24, cut=cache(tokens)).fit(said)  # else each text is cut three times
    known = _levels(table.directions(said))
    if not known.shape[1]:  # all say the same: their words tell no firm from another
        return pd.DataFrame(columns=COLUMNS)
    judged: dict[str, np.ndarray] = {}
    rows = [r for item in view.items["item"] for r in _of_item(view, item, firms, known, judged, seed)]
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.sort_values(["金额", "item", CODE], ascending=[False, True, True], ignore_index=True).head(
        most
    )


def _levels(known: np.ndarray) -> np.ndarray:
    """分级: each column by at most LEVELS of its own values, as the trees would cut it anyway.

    With more of them the trees look for weighted quantiles, one by one, for every rule: nine tenths of the whole time.
    """
    out = np.empty_like(known)
    for j, column in enumerate(known.T):
        steps = np.unique(np.quantile(column, np.linspace(0, 1, LEVELS + 1), method="nearest"))
        out[:, j] = steps[np.clip(np.searchsorted(steps, column), 0, len(steps) - 1)]
    return out


def on_business(tree: Tree, view: View) -> bool:
    """是不是讲企业做什么: every fact it reads is one of industry and scope."""
    read = {name for expr in tree_expressions(tree) for name, _ in references(expr)}
    dictionary = view.library.dictionary
    return bool(read) and all(
        n in BUSINESS or (n in dictionary and dictionary[n].kind == kinds.CODE and n.startswith("行业"))
        for n in read
    )


def _of_item(
    view: View, item: str, firms: np.ndarray, known: np.ndarray, judged: dict[str, np.ndarray], seed: int
) -> Iterator[tuple]:
    bound = view.bound(item)
    if bound.program.item.subject != "企业":
        return
    found = view.found(item)
    names = view.columns.category(NAME, None)
    usual = usual_amount(found.low, found.high)
    for j, tree in enumerate(bound.conditions):
        if not on_business(tree, view):
            continue
        p = _text_says(view, tree, firms, known, judged, seed)
        if p is None:
            continue
        fails, sums = found.fails[firms], found.fails[firms].sum(1)
        alone = fails[:, j] & (sums == 1) & ~found.unknown[firms].any(1) & (p >= YES)
        doubted = (found.verdict[firms] == FITS) & (p <= NO)
        for mask, way in ((alone, "文字像，规则判不符合"), (doubted, "规则判符合，文字不像")):
            for k in np.flatnonzero(mask):
                row = firms[k]
                money = (
                    usual
                    if way.startswith("文字")
                    else float(worth(found.low[[row]], found.high[[row]], usual)[0])
                )
                name = names.names[names.codes[row]] if names.codes[row] >= 0 else ""
                yield (
                    item,
                    bound.program.item.title,
                    view.columns.codes[row],
                    name,
                    bound.ids[j],
                    way,
                    round(float(p[k]), 4),
                    money,
                )


def _text_says(
    view: View, tree: Tree, firms: np.ndarray, known: np.ndarray, judged: dict[str, np.ndarray], seed: int
) -> np.ndarray | None:
    """P(the rule holds) by the words alone, for each firm by the half of the model that has not seen it."""
    name = fingerprint(tree)
    if name not in judged:
        truth = Frame(view.columns).tree(tree, {})
        sure = ~truth.unknown[firms]
        half = np.arange(len(firms)) % 2
        scorer = ConditionScorer(seed=seed).fit(known[sure], truth.sure[firms][sure].astype(int), half[sure])
        judged[name] = np.zeros(0) if scorer.fallback_ else scorer.predict_proba(known, half)[:, 1]
    return judged[name] if len(judged[name]) else None
