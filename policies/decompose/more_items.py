"""补事项: a second look at sentences that gave no item at first, by what their document has given already.

What an item gives is often no money and said in words that the pieces' classifier has hardly met (may keep using the land,
is issued a certificate). In a document that surely gives something else, a weaker word is enough; how much weaker is
learnt from the items that annotators found where the first look saw none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policies.segment import role_of_field

from .benefits import benefits_of, keyed
from .cues import cues_of, heads_of, words_of
from .elsewhere import points_to_table
from .linear import LinearModel
from .model import Item
from .pieces import LABELS, Piece, Reading
from .roles import ROLES
from .sift import HARD_BESIDE, grade, idle, talk, traits

LEAST = 0.06  # below this share of a benefit no annotated one was found often enough to learn from
_BENEFIT = LABELS.index("benefit")
_STEPS = (0.05, 0.15, 0.3, 0.5, 0.7, 0.85, 0.95)
_ROLE_STEPS = (0.15, 0.4, 0.7)
_ROLES = tuple(r for r in ROLES if r not in ("contact", "other"))


def candidates(reading: Reading, items: Sequence[Item]) -> list[Item]:
    """候选事项: of every clause without an item the piece that looks most like a benefit, as an item of its own."""
    told = {p.clause for i in items for p in i.pieces}
    best: dict[int, tuple[float, int]] = {}
    for k, a in enumerate(reading.atoms):
        score = float(reading.labels[k, _BENEFIT])
        if a.clause not in told and score >= max(LEAST, best.get(a.clause, (0.0, 0))[0]):
            best[a.clause] = (score, k)
    out = []
    for clause, (score, k) in sorted(best.items()):
        a = reading.atoms[k]
        piece = Piece("benefit", clause, a.a, a.b, score)
        out.append(Item([clause], [piece], benefits_of(reading, [piece]), score=score))
    return out


def candidate_rows(
    reading: Reading, items: Sequence[Item], found: Sequence[Item]
) -> Iterator[dict[str, float]]:
    """候选特征: one mapping a candidate: its words and scores, its clause, and what the document's items are like."""
    hard = sum(1 for i in items if grade(reading, i) == 2)
    best = max((i.score for i in items), default=0.0)
    document = {
        f"items:{min(len(items) + 1, 6)}": 0.4,
        "hard": hard / (len(items) + 1),
        "some_hard": float(hard > 0),
    }
    clauses = [k for i in items for k in i.clauses]
    by_clause: dict[int, list[int]] = {}
    for k, a in enumerate(reading.atoms):
        by_clause.setdefault(a.clause, []).append(k)
    for item in found:
        piece = item.pieces[0]
        row = document | _of_clause(reading, piece) | _of_piece(reading, item, by_clause[piece.clause])
        row |= _stepped("rel", piece.score / max(best, piece.score), (0.5, 0.7, 0.9, 0.99))
        near = min((abs(piece.clause - k) for k in clauses), default=99)
        yield row | {f"near:{min(near, 5)}": 0.5}


def _stepped(name: str, x: float, steps: Sequence[float] = _STEPS, weight: float = 0.6) -> dict[str, float]:
    return {f"{name}>{sum(x >= s for s in steps)}": weight, name: x}


def _of_piece(reading: Reading, item: Item, atoms: Sequence[int]) -> dict[str, float]:
    piece = item.pieces[0]
    said = reading.views[piece.clause].flat[piece.a : piece.b]
    at = next(k for k in atoms if reading.atoms[k].a == piece.a)
    labels = reading.labels
    out = _stepped("score", piece.score)
    out |= _stepped("condition", max(float(labels[k, LABELS.index("condition")]) for k in atoms))
    out |= _stepped("own_condition", float(labels[at, LABELS.index("condition")]))
    out |= _stepped("exclusion", float(labels[at, LABELS.index("exclusion")]))
    numbers = keyed(reading, piece)
    out |= _stepped("key", max((s for _, _, s in numbers), default=0.0))
    out |= {f"keyed:{min(len(numbers), 3)}": 0.8, f"grade:{grade(reading, item)}": 1.0}
    out |= dict.fromkeys(traits(reading, piece), 1.0)
    out |= {f"cue:{name}": 0.6 for name in cues_of(said)}
    out |= {f"w:{w}": 0.4 for w in words_of(said)}
    return out | {"last": float(at == atoms[-1])}


def _of_clause(reading: Reading, piece: Piece) -> dict[str, float]:
    c, flat = reading.clauses[piece.clause], reading.views[piece.clause].flat
    out: dict[str, float] = {}
    for name in _ROLES:
        out |= _stepped(
            f"role:{name}", float(reading.roles[piece.clause][ROLES.index(name)]), _ROLE_STEPS, 0.5
        )
    out |= {f"field:{role_of_field(c.field_name)}": 0.6, f"sort:{c.sort or '-'}": 0.4}
    out |= {f"head:{name}": 0.6 for name in heads_of(reading.heads[piece.clause])}
    out |= {f"clause_cue:{name}": 0.4 for name in cues_of(flat)}
    out |= {f"opens:{w}": 0.2 for w in words_of(flat[:20])}
    out |= {f"said:{name}": 0.5 * v for name, v in reading.said[piece.clause].items()}
    return out | {f"place:{4 * piece.clause // max(1, len(reading.clauses))}": 0.4}


def more_items(reading: Reading, items: Sequence[Item], model: LinearModel) -> list[Item]:
    """补事项: the items with those that a second look adds, in order; none where the document gives nothing hard, so that
    plans and service texts stay without one."""
    if sum(1 for i in items if grade(reading, i) == 2) < HARD_BESIDE:
        return list(items)
    found = candidates(reading, items)
    scores = model.scores(candidate_rows(reading, items, found))[:, 0]
    added = [
        i
        for i, s in zip(found, scores, strict=True)
        if s >= model.threshold[0] and not _gives_nothing(reading, i.pieces[0])
    ]
    return sorted([*items, *added], key=lambda i: (not i.title_only, i.clauses[0]))


def _gives_nothing(reading: Reading, p: Piece) -> bool:
    return idle(reading, p) or talk(reading, p) or points_to_table(reading, p)
