"""文本标签: industry and theme proposals from 企业名称 and 经营范围, with calibrated scores and an abstain band.

A proposal orders and asks; it never enters a verdict. Features are character 1–3-grams and jieba words, hashed,
so that no sentence of the training material is stored; the model is a chain of linear classifiers: 门类 and 大类
together, then 小类 within the 大类. Scores are products of softmax probabilities, calibrated level by level.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.preprocessing import normalize

from engine.text import ClauseWords
from profiles.portrait_linear import BUCKETS, Floats, fit_linear, log_softmax, pack, unpack

LEVELS = ("门类", "大类", "中类", "小类")
# Temperatures of the two softmaxes, chosen on notes against the strategic product lines (docs/portrait.md).
UPPER_HEAT, LOWER_HEAT = 6.0, 8.0
ACCEPT, SHOW = 0.6, 0.3  # at least ACCEPT: a tag; at least SHOW: a proposal for a person; below: nothing said

_CUT = re.compile(r"[；;，。\n]+")
_NEGATED = re.compile(r"[（(][^（）()]*(?:不含|除外|除依法|须经批准|凭许可证|限分支)[^（）()]*[）)]")
_BOILERPLATE = re.compile(
    r"依法须经批准|经相关部门批准|凭营业执照|国家有关规定|法律、?法规|许可(?:经营)?项目[:：]?$|^以上"
)
_HEAD = re.compile(r"^(?:一般(?:经营)?项目|许可(?:经营)?项目|经营范围)[:：]")
_TRADE = re.compile(r"批发|零售|销售|经销|代理|租赁|贸易|购销")
_MAKING = re.compile(r"制造|生产|加工|研发|研制|开发|设计|服务|治理|运营|发电")
_FORM = re.compile(
    r"(?:股份|集团|有限|责任|公司|合伙企业|普通合伙|分公司|厂|中心|商行|经营部|[（(].*?[）)])+$"
)
_WORDLESS = re.compile(r"[^\w]+")


def scope_clauses(scope: str) -> list[str]:
    """经营范围分句: cut at ；;，,。, without licences' boilerplate, headings and negated brackets."""
    flat = _NEGATED.sub("", unicodedata.normalize("NFKC", scope).replace(",", "，"))
    found = []
    for part in _CUT.split(flat):
        clause = _HEAD.sub("", part.strip())
        if len(clause) > 1 and not _BOILERPLATE.search(clause):
            found.append(clause)
    return found


def made_clauses(clauses: Sequence[str]) -> list[str]:
    """自产自营的分句: those that make or serve; selling a thing is not the industry that makes it."""
    return [c for c in clauses if not _TRADE.search(c) or _MAKING.search(c)]


def name_words(name: str) -> str:
    """名称中的行业用语: the tail of the name before its legal form, where the trade stands."""
    core = _FORM.sub("", unicodedata.normalize("NFKC", name).replace("(", "（").replace(")", "）"))
    return core[-6:]


def _words(words: list[str]) -> list[str]:
    return ["w_" + word for word in words]


class Features:
    """特征: hashed counts of clauses; each distinct clause is segmented once (分句缓存)."""

    def __init__(self) -> None:
        self._chars = HashingVectorizer(
            analyzer="char",
            ngram_range=(1, 3),
            n_features=BUCKETS,
            norm=None,
            alternate_sign=False,
            lowercase=False,
        )
        self._words = HashingVectorizer(analyzer=_words, n_features=BUCKETS, norm=None, alternate_sign=False)
        self._cut = ClauseWords()
        self._place: dict[str, int] = {}
        self._blocks: list[sp.csr_matrix] = []
        self.segmented = 0  # clauses really segmented, for the tests of the cache

    def rows_of(self, clauses: Sequence[str]) -> NDArray[np.intp]:
        """Row numbers of clauses in `matrix()`; new ones are segmented."""
        fresh = [c for c in dict.fromkeys(clauses) if c not in self._place]
        if fresh:
            self._blocks.append(self._count(fresh))
            for clause in fresh:
                self._place[clause] = len(self._place)
            self.segmented += len(fresh)
        return np.array([self._place[c] for c in clauses], dtype=np.intp)

    def matrix(self) -> sp.csr_matrix:
        """Logged counts, one row a distinct clause."""
        if len(self._blocks) > 1:
            self._blocks = [sp.vstack(self._blocks).tocsr()]
        return self._blocks[0] if self._blocks else sp.csr_matrix((0, BUCKETS))

    def _count(self, texts: list[str]) -> sp.csr_matrix:
        clean = [_WORDLESS.sub(" ", unicodedata.normalize("NFKC", t).lower()) for t in texts]
        counts = (self._chars.transform(clean) + self._words.transform(self._cut.rows(texts))).tocsr()
        counts.data = np.log1p(counts.data)
        return counts


class IndustryClassifier:
    """行业分类器: texts → GB/T 4754 codes without section letter; `sections` gives the letter of a 大类."""

    def __init__(self, sections: dict[str, str]):
        self.sections = sections

    def fit(
        self, texts: Sequence[str], codes: Sequence[str], weight: Sequence[float] | None = None
    ) -> IndustryClassifier:
        """训练: `codes` are 4-digit 小类, one a text."""
        features = Features()
        counts = _rows(features, texts)
        share = np.asarray(weight if weight is not None else np.ones(len(texts)), dtype=float)
        seen = np.bincount(counts.indices, minlength=BUCKETS)
        self.idf_ = np.log((counts.shape[0] + 1) / (seen + 1)) + 1
        x = self._scaled(counts)
        labels = np.array(codes)
        divisions = np.array([c[:2] for c in codes])
        self.section_ = fit_linear(x, [self.sections[str(d)] for d in divisions], share)
        self.division_ = fit_linear(x, divisions.tolist(), share)
        self.lower_ = {}
        for division in self.division_.classes:
            rows = np.flatnonzero(divisions == division)
            self.lower_[str(division)] = fit_linear(x[rows], labels[rows].tolist(), share[rows])
        self.classes_ = np.concatenate([self.lower_[d].classes for d in self.division_.classes])
        self.calibration_ = {level: np.array([0.0, 1.0, 0.0, 0.0]) for level in LEVELS}
        return self

    def _scaled(self, counts: sp.csr_matrix) -> sp.csr_matrix:
        return normalize(counts.multiply(self.idf_).tocsr())

    def probabilities(self, x: sp.csr_matrix) -> Floats:
        """Uncalibrated probability of each 小类, shape (rows, classes_)."""
        section = self.section_.score(x)
        column = {name: place for place, name in enumerate(self.section_.classes)}
        above = section[:, [column[self.sections[d]] for d in self.division_.classes]]
        upper = log_softmax(UPPER_HEAT * (self.division_.score(x) + above))
        parts = [
            log_softmax(LOWER_HEAT * self.lower_[d].score(x)) + upper[:, [place]]
            for place, d in enumerate(self.division_.classes)
        ]
        return np.exp(np.hstack(parts))

    def texts(self, texts: Sequence[str]) -> sp.csr_matrix:
        """Scaled features of plain texts."""
        return self._scaled(_rows(Features(), texts))

    def firms(
        self, names: Sequence[str], scopes: Sequence[str], features: Features | None = None
    ) -> sp.csr_matrix:
        """Scaled features of firms: the trade word of the name and the clauses of the scope, the first weigh most."""
        features = features if features is not None else Features()
        owners, weights, clauses = [], [], []
        for row, (name, scope) in enumerate(zip(names, scopes, strict=True)):
            parts = [name_words(name), *scope_clauses(scope)[:12]]
            clauses += parts
            owners += [row] * len(parts)
            weights += [1.0, *(1.0 / (1.0 + 0.35 * place) for place in range(len(parts) - 1))]
        places = features.rows_of(clauses)
        scaled = self._scaled(features.matrix())
        mix = sp.csr_matrix((weights, (owners, places)), shape=(len(names), scaled.shape[0]))
        return normalize(mix @ scaled)

    def at_level(self, probability: Floats, level: str) -> tuple[Floats, NDArray[np.str_]]:
        """Sums of the 小类's probabilities by the classes of a level; and these classes."""
        names = np.array([self.code_at(c, level) for c in self.classes_])
        found, place = np.unique(names, return_inverse=True)
        gather = sp.csr_matrix((np.ones(len(names)), (np.arange(len(names)), place)))
        return np.asarray(probability @ gather), found

    def code_at(self, code: str, level: str) -> str:
        """The code of a level above: 3983 → C, 39, 398, 3983."""
        return self.sections[code[:2]] if level == "门类" else code[: LEVELS.index(level) + 1]

    # ------------------------------------------------------------ storage
    def arrays(self) -> dict[str, np.ndarray]:
        """Plain arrays for an .npz: eight-bit weights with one scale a class, no executable content."""
        packed = {"idf": self.idf_.astype(np.float32), "divisions": self.division_.classes}
        packed["calibration"] = np.array([self.calibration_[level] for level in LEVELS])
        packed.update(pack("section", [self.section_]))
        packed.update(pack("division", [self.division_]))
        packed.update(pack("lower", [self.lower_[str(d)] for d in self.division_.classes]))
        return packed

    @classmethod
    def from_arrays(cls, packed: dict[str, np.ndarray], sections: dict[str, str]) -> IndustryClassifier:
        """The classifier back from its arrays."""
        self = cls(sections)
        self.idf_ = packed["idf"].astype(float)
        self.section_ = unpack("section", packed)[0]
        self.division_ = unpack("division", packed)[0]
        lower = unpack("lower", packed)
        self.lower_ = {str(d): one for d, one in zip(packed["divisions"], lower, strict=True)}
        self.classes_ = np.concatenate([one.classes for one in lower])
        self.calibration_ = dict(zip(LEVELS, packed["calibration"], strict=True))
        return self


def _rows(features: Features, texts: Sequence[str]) -> sp.csr_matrix:
    rows = features.rows_of(texts)
    return features.matrix()[rows] if len(texts) else sp.csr_matrix((0, BUCKETS))
