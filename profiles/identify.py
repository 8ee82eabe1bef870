"""认领候选: which known names look most like a written one: bigram TF-IDF to block, rapidfuzz to score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rapidfuzz import fuzz
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer
from sparse_dot_topn import sp_matmul_topn

from profiles.names import core_name, normal_name

COMMON = 0.01  # bigrams in more than this share of names (有限, 公司, 科技) tell nothing and cost most
TOP = 10
FEW = 200  # below this many names every bigram counts
BLOCK = 20_000


class NameIndex:
    """名称索引: known names, searched in blocks; scores are 0 to 1, order candidates and decide nothing."""

    def __init__(self, names: Sequence[str], threads: int = 2):
        self.names = list(names)
        self._normal = [normal_name(name) for name in self.names]
        self._core = [core_name(name) for name in self.names]
        self._threads = threads
        share = COMMON if len(self.names) >= FEW else 1.0
        self._vectors = TfidfVectorizer(
            analyzer="char", ngram_range=(2, 2), max_df=share, dtype=np.float32, lowercase=False
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
        normal = [normal_name(name) for name in written]
        if not self._matrix.shape[0]:
            return [[] for _ in written]
        near = sp_matmul_topn(
            self._vectors.transform(normal), self._matrix, top_n=TOP, sort=True, n_threads=self._threads
        )
        found = []
        for i, name in enumerate(normal):
            at = near.indices[near.indptr[i] : near.indptr[i + 1]]
            core = core_name(written[i]) if len(at) else ""
            scored = [(int(j), self._score(name, core, int(j))) for j in at]
            found.append(sorted(scored, key=lambda pair: (-pair[1], pair[0]))[:most])
        return found

    def _score(self, name: str, core: str, at: int) -> float:
        """Whole names first; the part without region words settles names that differ in it only."""
        if name == self._normal[at]:
            return 1.0
        whole = fuzz.ratio(name, self._normal[at])
        return min(0.99, (0.7 * whole + 0.3 * fuzz.ratio(core, self._core[at])) / 100)
