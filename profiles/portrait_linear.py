"""画像线性模型: sparse linear classifiers, and their storage as plain arrays without executable content."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.svm import LinearSVC

Floats = NDArray[np.float64]
BUCKETS = 2**16
SMALLEST = 0.02  # weights below it are dropped: 5 of 6 weights, no measurable accuracy


@dataclass(frozen=True)
class Linear:
    """线性模型: weights (buckets, classes), sparse, and intercepts."""

    weights: sp.csc_matrix
    intercept: Floats
    classes: NDArray[np.str_]

    def score(self, x: sp.csr_matrix) -> Floats:
        """Decision values, shape (rows, classes)."""
        return np.asarray((x @ self.weights).todense()) + self.intercept


def fit_linear(x: sp.csr_matrix, labels: Sequence[str], weight: Floats, cost: float = 0.5) -> Linear:
    """One-versus-rest linear support vectors, small weights dropped; two classes become two columns."""
    if len(set(labels)) == 1:
        return Linear(sp.csc_matrix((BUCKETS, 1)), np.zeros(1), np.array(sorted(set(labels))))
    model = LinearSVC(C=cost, random_state=0).fit(x, np.array(labels), sample_weight=weight)
    weights, intercept = model.coef_, model.intercept_
    if len(model.classes_) == 2:
        weights, intercept = np.vstack([-weights[0], weights[0]]), np.array([-intercept[0], intercept[0]])
    kept = np.where(np.abs(weights) < SMALLEST, 0, weights)
    return Linear(sp.csc_matrix(kept.T), intercept.astype(float), model.classes_.astype(str))


def log_softmax(score: Floats) -> Floats:
    """Row by row."""
    peak = score.max(axis=1, keepdims=True)
    return score - peak - np.log(np.exp(score - peak).sum(axis=1, keepdims=True))


def pack(name: str, models: Sequence[Linear]) -> dict[str, np.ndarray]:
    """Arrays of several linear models, one after another; int8 weights with one scale a class."""
    scales, values, rows, lengths, sizes = [], [], [], [], []
    for model in models:
        matrix = model.weights.tocsc()
        sizes.append(matrix.shape[1])
        for column in range(matrix.shape[1]):
            part = slice(matrix.indptr[column], matrix.indptr[column + 1])
            data = matrix.data[part]
            scale = float(np.abs(data).max()) / 127 if len(data) else 1.0
            scales.append(scale)
            values.append(np.round(data / scale).astype(np.int8))
            rows.append(matrix.indices[part].astype(np.uint16))
            lengths.append(len(data))
    return {
        f"{name}_values": np.concatenate(values),
        f"{name}_rows": np.concatenate(rows),
        f"{name}_lengths": np.array(lengths, dtype=np.int32),
        f"{name}_scales": np.array(scales, dtype=np.float32),
        f"{name}_sizes": np.array(sizes, dtype=np.int32),
        f"{name}_intercepts": np.concatenate([m.intercept for m in models]).astype(np.float32),
        f"{name}_classes": np.concatenate([m.classes for m in models]).astype("U24"),
    }


def unpack(name: str, packed: dict[str, np.ndarray]) -> list[Linear]:
    """The linear models back."""
    lengths = packed[f"{name}_lengths"]
    data = packed[f"{name}_values"] * np.repeat(packed[f"{name}_scales"], lengths)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    models, start = [], 0
    for size in packed[f"{name}_sizes"].tolist():
        first, last = ends[start], ends[start + size]
        matrix = sp.csc_matrix(
            (
                data[first:last].astype(float),
                packed[f"{name}_rows"][first:last].astype(np.int32),
                ends[start : start + size + 1] - first,
            ),
            shape=(BUCKETS, size),
        )
        models.append(
            Linear(
                matrix,
                packed[f"{name}_intercepts"][start : start + size].astype(float),
                packed[f"{name}_classes"][start : start + size],
            )
        )
        start += size
    return models


def save_arrays(path: Path, packed: dict[str, np.ndarray]) -> None:
    """写出: compressed, the same bytes for the same arrays."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(packed):
            buffer = io.BytesIO()
            np.save(buffer, packed[name], allow_pickle=False)
            archive.writestr(
                zipfile.ZipInfo(f"{name}.npy", (2026, 1, 1, 0, 0, 0)),
                buffer.getvalue(),
                zipfile.ZIP_DEFLATED,
                9,
            )


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """读入: never executable content."""
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
