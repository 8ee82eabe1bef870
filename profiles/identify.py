"""认领候选: which known names look most like a written one: bigram TF-IDF to block, rapidfuzz to score."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer
from sparse_dot_topn import sp_matmul_topn

from profiles.names import core_name, normal_name

COMMON = 0.01  # bigrams in more than this share of names (有限, 公司, 科技) tell nothing and cost most
TOP = 10
GRAMS = (2, 2)  # single characters too would find swapped ones, at twice the cost for half a point of recall
FEW = 1_000  # a bigram in no more names than this always counts: it costs little
BLOCK = 20_000


class NameIndex:
    """名称索引: known names, searched in blocks; scores are 0 to 1, order candidates and decide nothing."""

    def __init__(self, names: Sequence[str], threads: int = 2):
        self.names = list(names)
        self._normal = [normal_name(name) for name in self.names]
        self._core = [core_name(name) for name in self.names]
        self._threads = threads
        share = min(1.0, max(COMMON, FEW / max(len(self.names), 1)))
        self._vectors = TfidfVectorizer(
            analyzer="char", ngram_range=GRAMS, max_df=share, dtype=np.float32, lowercase=False
        )
        self._matrix = self._fit(share)

    def candidates(self, written: Sequence[str], most: int = 5) -> list[list[tuple[int, float]]]:
        """候选: for each written name up to `most` (index of a known name, score), best first."""
        found: list[list[tuple[int, float]]] = []
        for start in range(0, len(written), BLOCK):
            found += self._block(written[start : start + BLOCK], most)
        return found

    def _fit(self, share: float) -> csr_matrix:
        try:
            return self._vectors.fit_transform(self._normal).T.tocsr()
        except ValueError:
            # Few or very alike names: no bigram is rare enough, so all of them count.
            self._vectors.set_params(max_df=1.0, min_df=1)
            if not any(len(name) > 1 for name in self._normal):
                return csr_matrix((0, len(self.names)), dtype=np.float32)
            return self._vectors.fit_transform(self._normal).T.tocsr()

    def _block(self, written: Sequence[str], most: int) -> list[list[tuple[int, float]]]:
        if not self._matrix.shape[0]:
            return [[] for _ in written]
        normal = [normal_name(name) for name in written]
        near = sp_matmul_topn(
            self._vectors.transform(normal), self._matrix, top_n=TOP, n_threads=self._threads
        )
        row = np.repeat(np.arange(len(normal)), np.diff(near.indptr))
        at = near.indices
        score = self._scores(written, normal, row, at)
        order = np.lexsort((at, -score, row))
        bounds = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(normal)))])
        best, scores = at[order].tolist(), score[order].tolist()
        return [
            list(
                zip(
                    best[start : min(start + most, stop)],
                    scores[start : min(start + most, stop)],
                    strict=True,
                )
            )
            for start, stop in pairwise(bounds.tolist())
        ]

    def _scores(
        self, written: Sequence[str], normal: list[str], row: NDArray[np.intp], at: NDArray[np.int32]
    ) -> NDArray[np.float64]:
        """Whole names first; the part without region words settles names that differ in it only."""
        cores = [core_name(name) for name in written]
        rows, known = row.tolist(), at.tolist()
        wholes = [normal[i] for i in rows], [self._normal[j] for j in known]
        parts = [cores[i] for i in rows], [self._core[j] for j in known]
        whole = process.cpdist(*wholes, scorer=fuzz.ratio, workers=self._threads)
        part = process.cpdist(*parts, scorer=fuzz.ratio, workers=self._threads)
        mixed = np.minimum(0.99, (0.7 * whole + 0.3 * part) / 100)
        return np.where(whole >= 100, 1.0, mixed).astype(np.float64)
