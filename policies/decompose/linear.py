"""线性模型: linear classifiers over named features, kept as plain arrays and run with numpy alone.

Training lives in `training.py`; what is stored is a vocabulary, coefficients and calibration, never code.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Features = Mapping[str, float]


def sigmoid(x: np.ndarray) -> np.ndarray:
    """逻辑函数: 1 / (1 + e^-x), safe for large arguments."""
    return 1.0 / (1.0 + np.exp(-np.clip(x, -60.0, 60.0)))


@dataclass(slots=True)
class LinearModel:
    """线性分类器: `names` classes over `vocabulary`; scores are calibrated where `slope` and `shift` are given.

    coef: (features, classes); intercept, slope, shift, threshold: (classes,).
    """

    names: list[str]
    vocabulary: dict[str, int]
    coef: np.ndarray
    intercept: np.ndarray
    slope: np.ndarray
    shift: np.ndarray
    threshold: np.ndarray

    def margins(self, rows: Iterable[Features]) -> np.ndarray:
        """间隔: uncalibrated margins, one row a sample and one column a class."""
        at: list[int] = []
        value: list[float] = []
        ends: list[int] = []
        known = self.vocabulary.get
        for row in rows:
            for k, v in row.items():
                i = known(k)
                if i is not None:
                    at.append(i)
                    value.append(v)
            ends.append(len(at))
        index, weight = np.array(at, dtype=np.intp), np.array(value, dtype=np.float32)
        out = np.empty((len(ends), len(self.names)))
        begin = 0
        for n, end in enumerate(ends):
            out[n] = weight[begin:end] @ self.coef[index[begin:end]] + self.intercept
            begin = end
        return out

    def scores(self, rows: Iterable[Features]) -> np.ndarray:
        """得分: calibrated probabilities, one column a class."""
        return sigmoid(self.margins(rows) * self.slope + self.shift)

    def arrays(self, prefix: str) -> dict[str, np.ndarray]:
        """数组: what is stored of this model, under names that begin with `prefix`."""
        words = sorted(self.vocabulary, key=self.vocabulary.__getitem__)
        return {
            f"{prefix}/names": np.array(self.names),
            f"{prefix}/words": np.frombuffer("\n".join(words).encode(), dtype=np.uint8),
            f"{prefix}/coef": self.coef.astype(np.float16),
            f"{prefix}/rest": np.stack([self.intercept, self.slope, self.shift, self.threshold]).astype(
                np.float32
            ),
        }

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray], prefix: str) -> LinearModel:
        """读回: the model stored under `prefix`."""
        words = bytes(arrays[f"{prefix}/words"]).decode().split("\n")
        rest = arrays[f"{prefix}/rest"].astype(np.float64)
        return cls(
            [str(n) for n in arrays[f"{prefix}/names"]],
            {w: i for i, w in enumerate(words)},
            arrays[f"{prefix}/coef"].astype(np.float32),
            *rest,
        )


def save_models(path: Path, models: Mapping[str, LinearModel], card: Mapping[str, Any]) -> None:
    """存模型: one .npz of plain arrays (nothing that runs on loading) and its facts as JSON beside it."""
    arrays: dict[str, np.ndarray] = {}
    for name, model in models.items():
        arrays |= model.arrays(name)
    with path.open("wb") as out:
        np.savez_compressed(out, allow_pickle=False, **arrays)
    path.with_suffix(".json").write_text(
        json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )


def load_models(path: Path, names: Sequence[str]) -> dict[str, LinearModel]:
    """读模型: the models of one .npz; pickles are refused."""
    with np.load(path, allow_pickle=False) as stored:
        arrays = dict(stored)
    return {name: LinearModel.of(arrays, name) for name in names if f"{name}/names" in arrays}
