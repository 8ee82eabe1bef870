"""训练: fit the decomposer's linear models from annotated documents; deterministic, scikit-learn only here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from .examples import (
    Annotated,
    Spans,
    atom_labels,
    gold_benefit_pieces,
    gold_condition_pieces,
    gold_spans,
    item_of,
    mention_labels,
)
from .features import clause_features
from .grouping import between_of, pair_features
from .linear import Features, LinearModel, sigmoid
from .more_items import candidate_rows, candidates
from .numbers import KEYS
from .pieces import LABELS, Reading, atom_rows, mention_rows, rows_flat, start_reading
from .pipeline import first_items, set_keys
from .roles import ROLES, chosen_roles

FOLDS = 5
ROLE_STRENGTH = 0.15
# Half of the F1 that is reached is where calling a calibrated score gains most; thresholds tuned a role overfit the rare ones.
ROLE_THRESHOLD = 0.42


# From which score a piece is called. A later step sieves pieces and items, so the values are those that are best for items;
# they are fixed, since the best for one set of cities wander from 0.26 to 0.45 and the last few items with them.
CALLED = {"condition": 0.31, "benefit": 0.35, "more_benefit": 0.47}
# A candidate of the second look is called from about half of the F1 of items, as the roles are.
MORE_THRESHOLD = 0.34


def fit_linear(
    rows: Sequence[Features],
    labels: np.ndarray,
    names: Sequence[str],
    groups: Sequence[str],
    strength: float = 1.0,
    least: int = 2,
    judged: np.ndarray | None = None,
) -> tuple[LinearModel, np.ndarray]:
    """拟合: one logistic model a class (labels: samples × classes of 0/1), calibrated and with thresholds by
    out-of-fold scores over `groups` (of the samples `judged`, else of all); returns the model and those scores."""
    vector = DictVectorizer(dtype=np.float32, sort=True)
    x = vector.fit_transform(rows)
    keep = np.asarray((x > 0).sum(axis=0)).ravel() >= least
    x = x[:, keep]
    words = [w for w, k in zip(vector.get_feature_names_out(), keep, strict=True) if k]
    count = len(names)
    held = _out_of_fold(x, labels, groups, strength)
    coef = np.zeros((x.shape[1], count), dtype=np.float32)
    rest = np.zeros((4, count))
    for k in range(count):
        y = labels[:, k]
        if y.min() == y.max():
            rest[:, k] = (-8.0 if y.max() == 0 else 8.0, 1.0, 0.0, 0.5)
            continue
        model = _logistic(strength).fit(x, y)
        coef[:, k] = model.coef_[0]
        sure = slice(None) if judged is None or y[judged].min() == y[judged].max() else judged
        slope, shift = _platt(held[sure, k], y[sure])
        scores = sigmoid(held[sure, k] * slope + shift)
        rest[:, k] = (float(model.intercept_[0]), slope, shift, best_threshold(scores, y[sure]))
    model_out = LinearModel(list(names), {w: i for i, w in enumerate(words)}, coef, *rest)
    return model_out, sigmoid(held * rest[1] + rest[2])


def _logistic(strength: float) -> LogisticRegression:
    return LogisticRegression(C=strength, solver="liblinear", random_state=0, max_iter=300)


def _out_of_fold(x: np.ndarray, labels: np.ndarray, groups: Sequence[str], strength: float) -> np.ndarray:
    out = np.zeros(labels.shape)
    folds = min(FOLDS, len(set(groups)))
    for train, test in GroupKFold(folds).split(x, groups=groups):
        for k in range(labels.shape[1]):
            y = labels[train, k]
            if y.min() == y.max():
                out[test, k] = -8.0 if y.max() == 0 else 8.0
            else:
                out[test, k] = _logistic(strength).fit(x[train], y).decision_function(x[test])
    return out


def _platt(margin: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    model = LogisticRegression(C=100.0, solver="lbfgs").fit(margin.reshape(-1, 1), y)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def best_threshold(scores: np.ndarray, y: np.ndarray) -> float:
    """阈值: the score from which calling it gives the best F1."""
    order = np.argsort(-scores, kind="stable")
    hit = np.cumsum(y[order])
    f1 = 2 * hit / (np.arange(1, len(y) + 1) + y.sum())
    at = int(np.argmax(f1))
    below = scores[order[at + 1]] if at + 1 < len(y) else 0.0
    return float(np.clip((scores[order[at]] + below) / 2, 0.3, 0.6))


def cities(docs: Sequence[Annotated], rows: Sequence[Sequence[object]]) -> list[str]:
    """分组: the city of every sample; folds keep a city together, since documents of one city share their formats."""
    return [d.city for d, found in zip(docs, rows, strict=True) for _ in found]


def stack(rows: Sequence[Sequence[Features]]) -> list[Features]:
    """连样本: rows of all documents in one list."""
    return [r for group in rows for r in group]


def train(
    docs: Sequence[Annotated], rows: Mapping[str, list[dict[str, float]]] | None = None
) -> dict[str, LinearModel]:
    """训练全部: every model of the decomposer from annotated documents; each step learns on what the step
    before says out of fold, so that it meets in training what it will meet in use."""
    rows = rows or {d.stem: clause_features(d.clauses) for d in docs}
    labels = np.vstack([d.role_labels for d in docs])
    groups = cities(docs, [d.clauses for d in docs])
    roles, held = fit_linear(stack([rows[d.stem] for d in docs]), labels, ROLES, groups, ROLE_STRENGTH)
    roles.threshold[:] = ROLE_THRESHOLD
    readings, spans, at = [], [], 0
    for d in docs:
        n = len(d.clauses)
        readings.append(start_reading(d.text, d.clauses, held[at : at + n]))
        spans.append(gold_spans(d))
        at += n
    keys = _fit_keys(docs, readings, spans)
    atoms, marked = _fit_atoms(docs, readings, spans)
    merge = _fit_merge(docs, readings, spans, marked)
    models = {"roles": roles, "keys": keys, "atoms": atoms, "merge": merge}
    return models | {"more": _fit_more(docs, readings, spans, models)}


def _fit_keys(docs: Sequence[Annotated], readings: Sequence[Reading], spans: Sequence[Spans]) -> LinearModel:
    """Numbers' keys are learnt from first annotations only: second ones didn't better them (docs/decomposition.md)."""
    rows = [rows_flat(mention_rows(r)) for r in readings]
    first = [n for n, d in enumerate(docs) if not d.second] or list(range(len(docs)))
    labels = np.vstack([mention_labels(readings[n], spans[n]) for n in first])
    taught = [rows[n] for n in first]
    groups = cities([docs[n] for n in first], taught)
    model, held = fit_linear(stack(taught), labels, KEYS, groups, 0.5)
    at = 0
    for n, r in enumerate(readings):
        if n in first:
            set_keys(r, held[at : at + len(rows[n])])
            at += len(rows[n])
        else:
            set_keys(r, model.scores(rows[n]))
    return model


def _fit_atoms(
    docs: Sequence[Annotated], readings: Sequence[Reading], spans: Sequence[Spans]
) -> tuple[LinearModel, list[np.ndarray]]:
    """Pieces are learnt from annotations only: written texts, cut more evenly than real ones, made them worse."""
    rows = [atom_rows(r) for r in readings]
    marked = [atom_labels(r, s) for r, s in zip(readings, spans, strict=True)]
    taught = [n for n, d in enumerate(docs) if not d.written]
    pupils, found = [docs[n] for n in taught], [rows[n] for n in taught]
    labels = np.vstack([marked[n] for n in taught])
    # weights from every annotation, calibration and thresholds from first ones: those are the texts of use
    first = np.array([not d.second for d, some in zip(pupils, found, strict=True) for _ in some])
    judged = first if first.any() else None
    model, held = fit_linear(stack(found), labels, LABELS, cities(pupils, found), 0.2, judged=judged)
    at = 0
    for n, r in enumerate(readings):
        if docs[n].written:
            r.labels = model.scores(rows[n])
        else:
            r.labels = held[at : at + len(rows[n])]
            at += len(rows[n])
    for label, least in CALLED.items():
        model.threshold[LABELS.index(label)] = least
    return model, marked


def _fit_merge(
    docs: Sequence[Annotated],
    readings: Sequence[Reading],
    spans: Sequence[Spans],
    marked: Sequence[np.ndarray],
) -> LinearModel:
    rows: list[dict[str, float]] = []
    same: list[float] = []
    groups: list[str] = []
    for d, r, s, y in zip(docs, readings, spans, marked, strict=True):
        if d.written:
            continue
        pieces = gold_benefit_pieces(r, y)
        others = [p for p in gold_condition_pieces(r, y)]
        every = sorted(pieces + others, key=lambda p: (p.clause, p.a))
        owners = [item_of(r.views[p.clause].span(p.a, p.b), s) for p in pieces]
        for one, two, a, b in zip(pieces, pieces[1:], owners, owners[1:], strict=False):
            rows.append(pair_features(r, one, two, between_of(every, one, two)))
            same.append(float(bool(a & b)))
            groups.append(d.city)
    model, _ = fit_linear(rows, np.array(same).reshape(-1, 1), ("same",), groups, 0.1)
    return model


def _fit_more(
    docs: Sequence[Annotated],
    readings: Sequence[Reading],
    spans: Sequence[Spans],
    models: Mapping[str, LinearModel],
) -> LinearModel:
    """The second look learns on the clauses that give no item at first, out of fold."""
    rows: list[dict[str, float]] = []
    real: list[float] = []
    groups: list[str] = []
    for d, r, s in zip(docs, readings, spans, strict=True):
        _, items = first_items(r, chosen_roles(r.roles, models["roles"]), models)
        found = candidates(r, items)
        rows += candidate_rows(r, items, found)
        real += [
            float(bool(item_of(r.views[i.clauses[0]].span(i.pieces[0].a, i.pieces[0].b), s))) for i in found
        ]
        groups += [d.city] * len(found)
    model, _ = fit_linear(rows, np.array(real).reshape(-1, 1), ("more",), groups, 0.2)
    model.threshold[:] = MORE_THRESHOLD
    return model
