"""主题标签: strategic-emerging themes proposed from text; each theme on its own, and none is an answer too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.preprocessing import normalize

from profiles.portrait_calibration import cross_fitted, expected_calibration_error, first_two, fit_calibration
from profiles.portrait_linear import BUCKETS, fit_linear, log_softmax, pack, unpack
from profiles.portrait_text import ACCEPT, Features

HEAT = 4.0
NONE = "无"
FOLDS = 5


class ThemeClassifier:
    """主题分类器: the nine themes of 战略性新兴产业分类(2018) or none; scores calibrated on whole leaves left out."""

    def fit(self, texts: Sequence[str], themes: Sequence[str], groups: Sequence[str]) -> ThemeClassifier:
        """训练: `themes` "" for no theme; texts of one group (a leaf of the classification) are held out together."""
        features = Features()
        rows = features.rows_of(texts)
        counts = features.matrix()[rows]
        seen = np.bincount(counts.indices, minlength=BUCKETS)
        self.idf_ = np.log((counts.shape[0] + 1) / (seen + 1)) + 1
        x = normalize(counts.multiply(self.idf_).tocsr())
        labels = np.array([t or NONE for t in themes])
        self.model_ = fit_linear(x, labels.tolist(), np.ones(len(labels)))
        self._cross_fit(x, labels, np.array(groups))
        return self

    def _cross_fit(self, x: sp.csr_matrix, labels: NDArray, groups: NDArray) -> None:
        names, place = np.unique(groups, return_inverse=True)
        fold = (np.random.default_rng(0).permutation(len(names)) % FOLDS)[place]
        top, second, right = np.empty(len(labels)), np.empty(len(labels)), np.empty(len(labels), dtype=bool)
        for one in range(FOLDS):
            rest, held = np.flatnonzero(fold != one), np.flatnonzero(fold == one)
            model = fit_linear(x[rest], labels[rest].tolist(), np.ones(len(rest)))
            share = np.exp(log_softmax(HEAT * model.score(x[held])))
            top[held], second[held] = first_two(share)
            right[held] = model.classes[share.argmax(axis=1)] == labels[held]
        stated = cross_fitted(top, second, right)
        self.calibration_ = fit_calibration(top, second, right)
        said = stated >= ACCEPT
        self.measures_ = {
            "texts": len(labels),
            "accuracy": round(float(right.mean()), 4),
            "ece": round(expected_calibration_error(stated, right), 4),
            "abstained": round(float(1 - said.mean()), 4),
            "accuracy_of_said": round(float(right[said].mean()), 4),
        }

    def probabilities(self, x: sp.csr_matrix) -> NDArray[np.float64]:
        """Uncalibrated probability of each class of `model_`; shape (rows, classes)."""
        return np.exp(log_softmax(HEAT * self.model_.score(x)))

    def arrays(self) -> dict[str, np.ndarray]:
        """Plain arrays for an .npz."""
        return {
            "idf": self.idf_.astype(np.float32),
            "calibration": self.calibration_,
            **pack("theme", [self.model_]),
        }

    @classmethod
    def from_arrays(cls, packed: dict[str, np.ndarray]) -> ThemeClassifier:
        """The classifier back from its arrays."""
        self = cls()
        self.idf_ = packed["idf"].astype(float)
        self.model_ = unpack("theme", packed)[0]
        self.calibration_ = packed["calibration"]
        return self
