"""拆解: a policy's text in, roles, items and general conditions out, every piece with its exact quote and score."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from policies.segment import Clause, segment

from .again import once
from .benefits import benefits_of
from .binding import barred_pieces, share_conditions, share_exclusions
from .calls import title_item
from .columns import with_rows
from .definitions import delivery_words
from .grouping import group
from .leads import bind_places
from .linear import LinearModel, load_models
from .model import Decomposition, Item
from .more_items import more_items
from .numbers import KEYS, corrected
from .papers import share_materials
from .pieces import Piece, Reading, atom_rows, mention_rows, pieces_of, rows_flat, start_reading
from .prior import prior_features
from .roles import ROLES, chosen_roles, role_scores
from .sift import concrete, kept_benefits, with_numbers, with_triggers, with_words
from .titles import name_items
from .windows import issued_day, share_windows

if TYPE_CHECKING:
    from .own import Memory

MODELS = Path(__file__).resolve().parent.parent / "models" / "decompose.npz"
NAMES = ("roles", "keys", "atoms", "merge", "more")
Models = Mapping[str, LinearModel]


@cache
def stored_models() -> Models:
    """已存模型: the fitted models of the project, read once."""
    return load_models(MODELS, NAMES)


def decompose(text: str, models: Models | None = None, memory: Memory | None = None) -> Decomposition:
    """拆解一份文件: everything the models and the grammar find in a text; `memory` is what an office has corrected."""
    models = models or stored_models()
    clauses = segment(text)
    if not clauses:
        return Decomposition(text, [], np.zeros((0, len(ROLES))), [], [], [], [])
    said = prior_features(clauses)
    scores = role_scores(clauses, models["roles"], said)
    if memory is not None:
        scores = memory.roles(clauses, scores)
    reading = read_pieces(text, clauses, scores, models, said)
    if memory is not None:
        reading.labels = memory.labels(reading, reading.labels)
    roles = chosen_roles(scores, models["roles"])
    return assemble(reading, roles, models)


def read_pieces(
    text: str,
    clauses: list[Clause],
    scores: np.ndarray,
    models: Models,
    said: list[dict[str, float]] | None = None,
) -> Reading:
    """读片段: numbers keyed and atoms labelled."""
    reading = start_reading(text, clauses, scores, said)
    rows = mention_rows(reading)
    set_keys(reading, models["keys"].scores(rows_flat(rows)))
    reading.labels = models["atoms"].scores(atom_rows(reading))
    return reading


def set_keys(reading: Reading, scores: np.ndarray) -> None:
    """记键: key scores of all mentions, split by clause."""
    at = 0
    reading.keys = []
    for view, found in zip(reading.views, reading.mentions, strict=True):
        own = scores[at : at + len(found)].reshape(-1, len(KEYS))
        reading.keys.append(corrected(view.flat, found, own))
        at += len(found)


def first_items(reading: Reading, roles: list[list[str]], models: Models) -> tuple[list[Piece], list[Item]]:
    """初得事项: the pieces of a document and the items that its benefit pieces make at first sight, nothing bound to them."""
    pieces = with_words(reading, with_numbers(reading, pieces_of(reading, models["atoms"])), roles)
    pieces = with_rows(reading, with_triggers(reading, pieces))
    groups = group(reading, kept_benefits(reading, pieces, roles), models["merge"])
    items = once(reading, concrete(reading, [_item(reading, g) for g in groups]))
    return pieces, title_item(reading, roles, items) + items


def assemble(reading: Reading, roles: list[list[str]], models: Models) -> Decomposition:
    """成项: pieces to items, then what binds them."""
    pieces, items = first_items(reading, roles, models)
    items = more_items(reading, items, models["more"])
    issued = issued_day([c.text for c in reading.clauses])
    bars = barred_pieces(reading, roles)
    general = share_conditions(reading, pieces, items, roles, bars)
    barred = share_exclusions(reading, bars, items)
    if not items:  # what binds all items binds nothing where there is none
        general, barred = [], []
    share_materials(reading, items, roles)
    share_windows(reading, items, roles, issued)
    name_items(reading, items, bind_places(reading, items))
    of_all = delivery_words([v.flat for v in reading.views])[1] if items else ""
    for i in items:
        own = delivery_words([reading.views[k].flat for k in i.clauses])[1]
        i.delivery = own if own not in ("unspecified", "application") else of_all
    return Decomposition(reading.text, reading.clauses, reading.roles, roles, items, general, barred, issued)


def _item(reading: Reading, run: list[Piece]) -> Item:
    score = max(p.score for p in run)
    return Item(sorted({p.clause for p in run}), run, benefits_of(reading, run), score=score)
