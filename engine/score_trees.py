"""树的存取: thousands of small arrays of boosted trees as a few long ones, for a file that keeps each array by itself.

A model of a hundred rules has some ten thousand trees of three arrays each; read one by one they took six seconds a night.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Packed = dict[str, Any]


def joined(arrays: Sequence[Array]) -> Packed:
    """连成一个: arrays of one kind end to end, and how long each is."""
    return {"flat": np.concatenate(arrays), "sizes": np.array([len(a) for a in arrays])}


def parted(packed: Packed) -> list[Array]:
    """分开: what `joined` put together."""
    return np.split(packed["flat"], np.cumsum(packed["sizes"])[:-1])


def pack_trees(trees: Any) -> Packed:
    """收起: scikit-learn's HistGradientBoostingClassifier of two classes with its first tree alone and no cuts, and all of
    them as arrays. Its features are numbers: no tree asks for a category, so what it keeps of categories is empty."""
    each = [tree for (tree,) in trees._predictors]
    assert not any(tree.raw_left_cat_bitsets.size for tree in each)
    shell, mapper = copy(trees), copy(trees._bin_mapper)
    shell._predictors, shell._bin_mapper, mapper.bin_thresholds_ = trees._predictors[:1], mapper, []
    return {
        "shell": shell,
        "nodes": joined([tree.nodes for tree in each]),
        "cuts": joined(trees._bin_mapper.bin_thresholds_),
    }


def unpack_trees(packed: Packed) -> Any:
    """展开: the estimator that `pack_trees` was given; what it answers is the same to the last bit."""
    trees = packed["shell"]
    [[first]] = trees._predictors
    trees._predictors = [[_with(first, nodes)] for nodes in parted(packed["nodes"])]
    trees._bin_mapper.bin_thresholds_ = parted(packed["cuts"])
    return trees


def _with(tree: Any, nodes: Array) -> Any:
    other = copy(tree)
    other.nodes = nodes
    return other


def probability(trees: Any, table: Array, threads: int) -> Array:
    """第二种答案的概率, shape (n,): what `predict_proba` answers, to the last bit, without looking each time whether the table is
    one: a night asks thousands of rules of a few firms each, and the looking took most of it."""
    cats, places = trees._bin_mapper.make_known_categories_bitsets()
    raw = np.zeros((len(table), 1), trees._baseline_prediction.dtype, order="F")
    raw += trees._baseline_prediction
    for (tree,) in trees._predictors:
        raw[:, 0] += tree.predict(table, cats, places, threads)
    return trees._loss.predict_proba(raw)[:, 1]
