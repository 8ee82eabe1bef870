"""人工问题的概率: learned from past answers, the question's words and what the firm says it does (jieba)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.columns import Columns, Floats
from engine.matching import AnswerBook
from engine.policy import Condition
from engine.program import BoundItem
from engine.score import ConditionScorer
from engine.score_joint import expit, logit, shifted
from engine.text_space import TextSpace

Key = tuple[str, str, str]
FEW_ANSWERS = 5
TEXTS = ("企业名称", "经营范围")
OWN_MODEL = 60  # answers to one question from which it has a model of its own


@dataclass
class AskModel:
    """答复模型: the words known, and for each question its rate, its words and, with enough answers, a model of its own."""

    space: TextSpace | None = None
    rates: dict[str, list[float]] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    own: dict[str, ConditionScorer] = field(default_factory=dict)
    pull: list[float] = field(default_factory=lambda: [0.0, 0.0])

    def knows(self, key: Key) -> bool:
        """有没有答复可学."""
        return joined(key) in self.rates

    def predict(self, key: Key, texts: FirmTexts, rows: NDArray[np.intp]) -> Floats:
        """答“是”的概率, shape (rows,)."""
        name = joined(key)
        held, known = self.rates[name]
        base = np.full(len(rows), (held + 1) / (known + 2))
        if self.space is None:
            return base
        if name in self.own:
            return self.own[name].predict_proba(self.table(name, texts, rows))[:, 1]
        near = self.space.nearness(self.words[name], texts.at(rows))
        return expit(logit(base) + self.pull[0] + self.pull[1] * near)

    def table(self, name: str, texts: FirmTexts, rows: NDArray[np.intp]) -> Floats:
        """特征表: directions of the firm's text, and its nearness to the question."""
        assert self.space is not None
        said = texts.at(rows)
        return np.column_stack([self.space.directions(said), self.space.nearness(self.words[name], said)])


class FirmTexts:
    """企业的文字: name and scope of each firm, put together when asked for."""

    def __init__(self, columns: Columns):
        self._parts = [columns.category(name, None) for name in TEXTS]

    def at(self, rows: NDArray[np.intp]) -> list[str]:
        """文字 of some rows."""
        return ["；".join(p.names[p.codes[r]] for p in self._parts if p.codes[r] >= 0) for r in rows]


def firm_texts(columns: Columns) -> FirmTexts:
    """企业的文字, of columns."""
    return FirmTexts(columns)


def joined(key: Key) -> str:
    """问题的键."""
    return "\t".join(key)


def questions(bound_items: Sequence[BoundItem]) -> dict[Key, str]:
    """人工问题: (item, batch, ask id) → its words: question, quote and the item's title."""
    out: dict[Key, str] = {}
    for bound in bound_items:
        for numbered in bound.program.conditions:
            about = (numbered.condition.quote, bound.program.item.title)
            for name, leaf in ask_leaves(numbered.condition, numbered.id):
                said = dict.fromkeys((leaf.text, leaf.quote, *about))
                out[bound.program.item.id, bound.batch.name, name] = "；".join(s for s in said if s)
    return out


def ask_leaves(node: Condition, owner: str) -> Iterator[tuple[str, Condition]]:
    """问题叶子: questions below a node with the id their answers are kept under: their own, else the nearest one above."""
    name = node.id or owner
    if node.kind == "ask":
        yield name, node
    for child in node.children:
        yield from ask_leaves(child, name)


def learn_asks(
    bound_items: Sequence[BoundItem], columns: Columns, answers: AnswerBook, seed: int = 0
) -> AskModel:
    """学习答复: rates from a few answers on; words where texts are there."""
    asked, place = questions(bound_items), {c: i for i, c in enumerate(columns.codes)}
    model = AskModel()
    given = {k: _given(answers.get(k, {}), place) for k in asked}
    given = {k: found for k, found in given.items() if len(found[0]) >= FEW_ANSWERS}
    for key, (_, y) in given.items():
        model.rates[joined(key)] = [float(y.sum()), float(len(y))]
        model.words[joined(key)] = asked[key]
    if not given:
        return model
    texts = FirmTexts(columns)
    rows = np.unique(np.concatenate([r for r, _ in given.values()]))
    model.space = TextSpace().fit([*texts.at(rows), *asked.values()])
    _learn_words(model, given, texts, columns, seed)
    return model


def _given(
    firms: Mapping[str, object], place: Mapping[str, int]
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Rows and answers; of answers by row, whether any is yes."""
    found = []
    for code in sorted(firms):
        said = firms[code]
        if code in place and isinstance(said, bool | Mapping):
            found.append((place[code], int(said if isinstance(said, bool) else any(said.values()))))
    rows = np.array([r for r, _ in found], np.intp)
    return rows, np.array([y for _, y in found], np.int64)


def _learn_words(model: AskModel, given, texts: FirmTexts, columns: Columns, seed: int) -> None:
    assert model.space is not None
    base, near, held = [], [], []
    for number, (key, (rows, y)) in enumerate(sorted(given.items())):
        name = joined(key)
        if len(rows) >= OWN_MODEL:
            scorer = ConditionScorer(seed=(seed + number) % 2**31)
            scorer.fit(model.table(name, texts, rows), y, fold=rows % 2)
            if not scorer.fallback_:
                model.own[name] = scorer
        out = (y.sum() - y + 1) / (len(y) + 1)  # the rate without the answer itself
        base.append(logit(out))
        near.append(model.space.nearness(model.words[name], texts.at(rows)))
        held.append(y)
    model.pull = _pull(np.concatenate(base), np.concatenate(near), np.concatenate(held))


def _pull(base: Floats, near: Floats, held: NDArray[np.int64]) -> list[float]:
    """How far nearness of words moves the rate: a logistic slope, held back, and the constant that keeps the mean."""
    slope, constant = 0.0, 0.0
    for _ in range(20):
        constant = shifted(base + slope * near, held, 1.0)
        p = expit(base + constant + slope * near)
        grade = ((held - p) * near).sum() - 0.05 * slope
        slope += float(np.clip(grade / ((p * (1 - p) * near**2).sum() + 0.05), -2, 2))
    return [constant, float(np.clip(slope, -12, 12))]
