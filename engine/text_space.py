"""词空间: TF-IDF of jieba words and its main directions; what firms say they do against what a clause asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import svds

from engine.text import tokens

Floats = NDArray[np.float64]
STOP = frozenset(
    [
        "没有",
        "这样",
        "是否",
        "什么",
        "哪些",
        "可以",
        "怎么",
        "企业",
        "依法",
        "批准",
        "方可",
        "开展",
        "经营",
        "活动",
        "相关",
        "部门",
        "项目",
        "一般",
        "许可",
        "自主",
        "营业执照",
        "法律",
        "法规",
        "限制",
        "禁止",
        "公司",
        "有限公司",
        "有限责任",
        "其他",
    ]
)


@dataclass
class TextSpace:
    """词空间: words with their weights, learned from texts; `axes` (words, directions)."""

    most: int = 4000
    directions_wanted: int = 16
    place: dict[str, int] = field(default_factory=dict)
    weight: Floats = field(default_factory=lambda: np.zeros(0))
    axes: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    cut: Callable[[str], list[str]] = tokens

    def fit(self, texts: Sequence[str]) -> TextSpace:
        """学习: words in at least two texts; deterministic."""
        seen = Counter(w for t in texts for w in set(self.words(t)))
        kept = sorted((w for w, n in seen.items() if n >= 2), key=lambda w: (-seen[w], w))[: self.most]
        self.place = {w: i for i, w in enumerate(kept)}
        count = np.array([seen[w] for w in kept], float)
        self.weight = np.log((1 + len(texts)) / (1 + count)) + 1
        table = self.rows(texts)
        wanted = min(self.directions_wanted, min(table.shape) - 1)
        if wanted < 1:
            self.axes = np.zeros((len(kept), 0))
            return self
        _, size, axes = svds(table, k=wanted, v0=np.ones(min(table.shape)))
        axes = axes[np.argsort(-size, kind="stable")]
        sign = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(1)])
        self.axes = np.ascontiguousarray((axes * sign[:, None]).T)
        return self

    def words(self, text: str) -> list[str]:
        """有意义的词, cut as this space cuts."""
        return meaning(self.cut(text))

    def rows(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """文字成行: shape (texts, words), each row of length one."""
        index, value, start = [], [], [0]
        known: dict[str, list[tuple[int, float]]] = {}
        for text in texts:
            if text not in known:
                found = Counter(self.place[w] for w in self.words(text) if w in self.place)
                known[text] = [(i, (1 + np.log(n)) * self.weight[i]) for i, n in sorted(found.items())]
            length = np.sqrt(sum(v * v for _, v in known[text])) or 1.0
            index += [i for i, _ in known[text]]
            value += [v / length for _, v in known[text]]
            start.append(len(index))
        return sparse.csr_matrix((value, index, start), shape=(len(texts), len(self.place)), dtype=float)

    def directions(self, texts: Sequence[str]) -> Floats:
        """主方向: shape (texts, directions)."""
        return np.asarray(self.rows(texts) @ self.axes)

    def nearness(self, question: str, texts: Sequence[str]) -> Floats:
        """相近程度: cosine of each text and the question, 0..1."""
        return np.asarray((self.rows(texts) @ self.rows([question]).T).todense()).ravel()


def words(text: str) -> list[str]:
    """有意义的词: of two characters at least, without the phrases every scope ends with."""
    return meaning(tokens(text))


def meaning(cut: Sequence[str]) -> list[str]:
    """有意义的: those of two characters at least that are no phrase every scope ends with."""
    return [w for w in cut if len(w) > 1 and w not in STOP]
