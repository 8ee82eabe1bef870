"""认领候选: which known names look most like a written one: bigram TF-IDF to block, rapidfuzz to score."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process
from scipy.sparse import csr_matrix
from sparse_dot_topn import sp_matmul_topn

from profiles.names import core_names, normal_names

COMMON = 0.01  # bigrams in more than this share of names (有限, 公司, 科技) tell nothing and cost most
TOP = 10
FEW = 1_000  # a bigram in no more names than this always counts: it costs little
BLOCK = 50_000
LEAST = 0.2  # cosine below which two names share no more than a chance pair of characters
END = ord("\n")


class NameIndex:
    """名称索引: known names, searched in blocks; scores are 0 to 1, order candidates and decide nothing."""

    def __init__(self, names: Sequence[str], threads: int = 2):
        self.names = list(names)
        self._normal = normal_names(self.names)
        self._core = core_names(self._normal)
        self._threads = threads
        share = min(1.0, max(COMMON, FEW / max(len(self.names), 1)))
        rows, grams = _bigrams(self._normal)
        self._grams, column = np.unique(grams, return_inverse=True)
        counts = _counted(rows, column, len(self.names), len(self._grams))
        held = np.bincount(counts.indices, minlength=len(self._grams))
        rare = held <= share * len(self.names)
        # Few or very alike names: no bigram is rare enough, so all of them count.
        rare = rare if rare.any() else np.ones_like(rare)
        self._weight = np.where(rare, np.log((1 + len(self.names)) / (1 + held)) + 1, 0).astype(np.float32)
        self._matrix = self._scaled(counts).T.tocsr()

    def candidates(self, written: Sequence[str], most: int = 5) -> list[list[tuple[int, float]]]:
        """候选: for each written name up to `most` (index of a known name, score), best first."""
        found: list[list[tuple[int, float]]] = []
        for start in range(0, len(written), BLOCK):
            found += self._block(written[start : start + BLOCK], most)
        return found

    def _scaled(self, counts: csr_matrix) -> csr_matrix:
        """TF-IDF with rows of length one; bigrams of no weight are left out."""
        counts.data *= self._weight[counts.indices]
        counts.eliminate_zeros()
        rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
        length = np.sqrt(np.bincount(rows, counts.data**2, counts.shape[0]))
        counts.data /= length[rows].astype(np.float32)
        return counts

    def _vectors(self, normal: Sequence[str]) -> csr_matrix:
        rows, grams = _bigrams(normal)
        place = np.searchsorted(self._grams, grams)
        known = place < len(self._grams)
        known[known] = self._grams[place[known]] == grams[known]
        return self._scaled(_counted(rows[known], place[known], len(normal), len(self._grams)))

    def _block(self, written: Sequence[str], most: int) -> list[list[tuple[int, float]]]:
        if not len(self._grams):
            return [[] for _ in written]
        normal = normal_names(written)
        near = sp_matmul_topn(
            self._vectors(normal), self._matrix, top_n=TOP, threshold=LEAST, n_threads=self._threads
        )
        row = np.repeat(np.arange(len(normal)), np.diff(near.indptr))
        at = near.indices
        score = self._scores(normal, row, at)
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

    def _scores(self, normal: list[str], row: NDArray[np.intp], at: NDArray[np.int32]) -> NDArray[np.float64]:
        """Whole names first; the part without region words settles names that differ in it only."""
        cores = core_names(normal)
        rows, known = row.tolist(), at.tolist()
        wholes = [normal[i] for i in rows], [self._normal[j] for j in known]
        parts = [cores[i] for i in rows], [self._core[j] for j in known]
        whole = process.cpdist(*wholes, scorer=fuzz.ratio, workers=self._threads)
        part = process.cpdist(*parts, scorer=fuzz.ratio, workers=self._threads)
        mixed = np.minimum(0.99, (0.7 * whole + 0.3 * part) / 100)
        return np.where(whole >= 100, 1.0, mixed).astype(np.float64)


def _bigrams(names: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Each name's pairs of neighbouring characters: (number of the name, pair as one number)."""
    letters = np.frombuffer("\n".join(names).encode("utf-32-le"), np.uint32).astype(np.int64)
    ends = letters == END
    owner = np.cumsum(ends)
    inside = ~(ends[:-1] | ends[1:])
    return owner[:-1][inside], (letters[:-1][inside] << 21) | letters[1:][inside]


def _counted(rows: NDArray[np.int64], columns: NDArray[np.intp], height: int, width: int) -> csr_matrix:
    ones = np.ones(len(rows), np.float32)
    counts = csr_matrix((ones, (rows, columns)), shape=(height, width))
    counts.sum_duplicates()
    return counts
