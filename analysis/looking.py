"""先看谁: in what order the pairs of an item are looked at where no estimate was learned; of plain facts, never a verdict.

符合 stands before 待核实; among these the fewest open conditions, then the most money, then the firms whose 经营范围 says
more of what the item speaks of, at last the code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from math import log, sqrt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from analysis.relevance import program_text
from engine.columns import Columns
from engine.program import Program
from engine.text import parts
from engine.text_space import meaning

Floats = NDArray[np.float64]
SCOPE = "经营范围"
WORDS = "符合的在前；待核实的先看还差的条件少的，再看金额高的，再看经营范围里多有这一项说到的词的，最后按代码"
MOST_WORDS = 48  # of an item, its weightiest
BUT = r"[（(](?:不含|不包括|除|不得)[^（）()]*[）)]"  # what a firm says that it does not do
BETWEEN = r"[；;，,、。．.（）()\[\]【】《》\s：:]+"


def ranks(
    is_open: NDArray[np.bool_], unknown: NDArray[np.int64], money: Floats, near: Floats, code: NDArray[np.int64]
) -> NDArray[np.int64]:  # fmt: skip
    """先看的次序: the place of each pair (0 first), by verdict, number of open conditions, yuan (NaN: not known, last),
    nearness and the code's place."""
    least = np.where(np.isnan(money), np.inf, -money)
    order = np.lexsort((code, -near, least, unknown, is_open))
    out = np.empty(len(order), np.int64)
    out[order] = np.arange(len(order))
    return out


class Scopes:
    """经营范围: what firms say they do, clause by clause; most clauses are said by many, and each is looked at once."""

    def __init__(self, columns: Columns, programs: Sequence[Program]):
        scopes = columns.category(SCOPE, None)
        self.silent = not scopes.names  # nobody says anything
        self._programs = programs
        self._having: dict[str, NDArray[np.bool_]] = {}
        said = pa.array([*scopes.names, ""], pa.string())
        split = pc.split_pattern_regex(pc.replace_substring_regex(said, BUT, "；"), BETWEEN)
        clauses = split.flatten().dictionary_encode()
        self._clauses = clauses.dictionary
        self._at = clauses.indices.to_numpy()
        self._starts = np.cumsum(np.concatenate([[0], split.value_lengths().to_numpy()]))[:-1]
        self._of = np.where(scopes.codes < 0, len(scopes.names), scopes.codes)  # a firm's scope

    def near(self, item: str, rows: NDArray[np.intp]) -> Floats:
        """相近 of some firms (rows of the columns): the weights of the item's words that stand in the scope, each less by the
        share of all firms that say it. Zero for an item that is not among those given, and for a firm without a scope."""
        total = np.zeros(len(self._starts))
        if self.silent:
            return total[np.zeros(len(rows), np.intp)]
        for word, weight in self._words.get(item, ()):
            has = self._has(word)
            total += weight * (1.0 - float(has[self._of].mean())) * has
        return total[self._of[rows]]

    @cached_property
    def _words(self) -> dict[str, list[tuple[str, float]]]:
        """By item its weightiest words: said often by it, and by few others; their squares come to one at most."""
        said = {p.item.id: Counter(meaning(parts(program_text(p)))) for p in self._programs}
        items = Counter(word for own in said.values() for word in own)
        out = {}
        for item, own in said.items():
            rare = {w: (1 + log(n)) * (log((1 + len(said)) / (1 + items[w])) + 1) for w, n in own.items()}
            size = sqrt(sum(v * v for v in rare.values())) or 1.0
            heavy = sorted(rare, key=lambda w: (-rare[w], w))[:MOST_WORDS]
            out[item] = [(w, rare[w] / size) for w in heavy]
        return out

    def _has(self, word: str) -> NDArray[np.bool_]:
        """By scope, whether a clause of it has the word."""
        if word not in self._having:
            said = pc.match_substring(self._clauses, word).to_numpy(zero_copy_only=False)
            self._having[word] = np.logical_or.reduceat(said[self._at], self._starts)
        return self._having[word]
