"""相关度: which items a text (a search, a firm's scope) goes with, by jieba words and learned weights; never a verdict.

For items that can't be evaluated yet (drafts, orientation, service items), for search and for subscriptions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log1p
from typing import Any

import numpy as np

from analysis.scores_ask import TEXTS
from engine.columns import Columns
from engine.program import Program
from engine.text import parts
from engine.text_space import TextSpace
from store.nights import Night

FEW, CALM = 5, 10.0
MOST_PAIRS = 4000
LEAST = 0.03


@dataclass(frozen=True)
class Related:
    """一项的相关度: 0..1, and the words that carried it, the weightiest first."""

    item: str
    score: float
    words: tuple[str, ...]


@dataclass
class Relevance:
    """相关度: the items' words in one space; `pull` says how much more a shared word counts where firms really fitted,
    `telling` (0..1) how much a firm's word tells of it: little of one that many firms have, as the place in their names.
    """

    space: TextSpace
    items: list[str]
    pull: dict[str, float] = field(default_factory=dict)
    telling: dict[str, float] = field(default_factory=dict)
    table: Any = None

    @classmethod
    def of(cls, programs: Sequence[Program]) -> Relevance:
        """由事项: title, document, department, theme, quotes and questions of each."""
        texts = [program_text(p) for p in programs]
        made = cls(TextSpace(directions_wanted=0, cut=parts), [p.item.id for p in programs])
        made.space.fit([t for t in texts for _ in range(2)])  # a word of one item alone is a word too
        made.table = made.space.rows(texts)
        return made

    def learn(self, pairs: Sequence[tuple[str, str]], others: Sequence[tuple[str, str]]) -> Relevance:
        """学权重: from (item, firm's text) that went together and drawn at random; smoothed ratio of shared words."""
        place = {item: i for i, item in enumerate(self.items)}
        own = [set(self.table[i].indices) for i in range(len(self.items))]
        together, apart = self._shared(pairs, place, own), self._shared(others, place, own)
        for word, i in self.space.place.items():
            a, b = together[i], apart[i]
            if a + b >= FEW:
                ratio = (a + CALM) / (len(pairs) + CALM) / ((b + CALM) / (len(others) + CALM))
                self.pull[word] = float(np.clip(ratio, 0.25, 4.0))
        firms = Counter(w for _, text in others for w in set(self.space.words(text)) if w in self.space.place)
        self.telling = {w: 1 - log1p(n) / log1p(len(others)) for w, n in firms.items()}
        return self

    def _shared(
        self, pairs: Sequence[tuple[str, str]], place: dict[str, int], own: list[set[int]]
    ) -> Counter[int]:
        out: Counter[int] = Counter()
        for item, text in pairs:
            if item in place:
                out.update(
                    {self.space.place[w] for w in set(self.space.words(text)) if w in self.space.place}
                    & own[place[item]]
                )
        return out

    def rank(self, text: str, most: int = 20, firm: bool = False) -> list[Related]:
        """排先后: the items nearest to a text, the nearest first; those that share no word are left out. `firm` where the
        text is a firm's name and scope: what most firms have in common says nothing then.
        """
        said = self.space.rows([text])
        heavy = np.ones(len(self.space.place))
        for weights in (self.pull, self.telling if firm else {}):
            for word, weight in weights.items():
                heavy[self.space.place[word]] *= weight
        parts = self.table.multiply(said).multiply(heavy).tocsr()
        score = np.clip(np.asarray(parts.sum(1)).ravel(), 0, 1)
        names = list(self.space.place)
        out = []
        for i in np.argsort(-score, kind="stable")[:most]:
            if score[i] >= LEAST:
                row = parts[i]
                order = [k for k in np.argsort(-row.data, kind="stable")[:5] if row.data[k] > score[i] / 10]
                out.append(
                    Related(self.items[i], float(score[i]), tuple(names[row.indices[k]] for k in order))
                )
        return out


def program_text(program: Program) -> str:
    """事项的文字 that anybody may read: the public search tells which words carried an item."""
    item, document = program.item, program.document
    told = [item.title, item.title, document.title, item.department, str(dict(item.guide).get("theme") or "")]
    for condition in (c.condition for c in program.conditions if not c.condition.hidden):
        told += [
            condition.quote,
            *(leaf.text for leaf in condition.leaves() if leaf.kind == "ask" and not leaf.hidden),
        ]
    return "；".join(t for t in told if t)


def firm_text(columns: Columns, row: int) -> str:
    """企业的文字: name and scope."""
    found = [columns.category(name, None) for name in TEXTS]
    return "；".join(c.names[c.codes[row]] for c in found if c.codes[row] >= 0)


def relevance_of(night: Night, programs: Sequence[Program], seed: int = 0) -> Relevance:
    """学相关度 from a night: pairs that fitted against pairs drawn at random."""
    made, columns = Relevance.of(programs), night.columns()
    rng = np.random.default_rng([seed, 31])
    fitted = [(i, c) for i in night.items()["item"] for c in sorted(night.fitting(i))]
    if not fitted or not len(columns):
        return made
    chosen = [fitted[k] for k in rng.permutation(len(fitted))[:MOST_PAIRS]]
    place = {c: i for i, c in enumerate(columns.codes)}
    pairs = [(item, firm_text(columns, place[code])) for item, code in chosen]
    strangers = rng.integers(0, len(columns), len(pairs))
    return made.learn(
        pairs, [(item, firm_text(columns, int(r))) for (item, _), r in zip(pairs, strangers, strict=True)]
    )
