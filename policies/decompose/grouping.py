"""事项归并: which benefit pieces make one item; the smallest thing a firm can be told."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from .columns import is_row, one_item
from .cues import cues_of, words_of
from .joins import CONTINUES, joined, keys_of
from .linear import LinearModel
from .numbers import chained
from .parts import parted, to_others
from .pieces import Piece, Reading

_TRIGGER = re.compile(
    r"^(?:对(?!其)|凡|新|首次|初次|经|被|获|在|鼓励|支持|扶持|推进|构建|推动|引导|培育|促进|加强|实施|企业|申请|国内|符合)"
)
_LEVEL = re.compile(r"国家级|省级|市级|区级|县级|[一二三]等奖|[一二三四五]星|[ABC]类|主板|新三板|国家|省|市")


def pair_features(reading: Reading, one: Piece, two: Piece, between: Sequence[Piece]) -> dict[str, float]:
    """两段特征: what speaks for or against two neighbouring benefit pieces belonging to one item."""
    a, b = reading.clauses[one.clause], reading.clauses[two.clause]
    flat_a, flat_b = reading.views[one.clause].flat, reading.views[two.clause].flat
    gap = two.clause - one.clause
    out = {
        f"gap:{min(gap, 4)}": 1.0,
        f"line:{min(b.line - a.line, 3)}": 1.0,
        f"label:{b.sort or '-'}:{int(b.first)}": 1.0,
        f"heads:{int(a.headings == b.headings)}": 1.0,
        f"block:{int(a.block == b.block)}{int(b.block > 0)}": 1.0,
        f"field:{int(a.field_name == b.field_name)}{int(bool(b.field_name))}": 1.0,
    }
    start = flat_b[: two.a] if gap else flat_b[one.b : two.a]
    head = flat_b if gap else flat_b[one.b :].lstrip("，；、。;")
    if CONTINUES.search(head):
        out["continues"] = 1.0
    if _TRIGGER.search(head):
        out["trigger"] = 1.0
    if two.a <= 1:
        out["bare_start"] = 1.0
    for ch in "；。:：;（":
        if ch in start:
            out[f"sep:{ch}"] = 1.0
    if re.search(r"，对|；对|;对|^对", start):
        out["to"] = 1.0
    news = sum(1 for p in between if p.label == "condition")
    out[f"news:{min(news, 3)}"] = 1.0
    same = gap == 0
    out |= {f"same{int(same)}&{k}": 1.0 for k in list(out)[6:]}
    for name, piece in (("one", one), ("two", two)):
        for key in keys_of(reading, piece):
            out[f"{name}:{key}"] = 1.0
    if gap:
        wa, wb = set(words_of(flat_a[: one.a] or flat_a)), set(words_of(flat_b[: two.a] or flat_b))
        share = len(wa & wb) / max(1, min(len(wa), len(wb)))
        out["share"] = 2.0 * share
        out[f"labels:{int(a.sort == b.sort and a.first and b.first and bool(b.label))}"] = 1.0
    if _LEVEL.search(flat_a[: one.a]) and _LEVEL.search(flat_b[: two.a]):
        out["levels"] = 1.0
    out |= {f"cue:{n}": 0.5 for n in cues_of(head[:40]) if n in _TELLING}
    return out


_TELLING = {"first_time", "to_whom", "any_who", "each", "cap", "prior", "levels", "give_money", "once", "per"}


MERGE = 0.57  # two pieces make one item where that is clearly the likelier; a threshold tuned for F1 on pairs joins too much


def group(reading: Reading, pieces: Sequence[Piece], model: LinearModel) -> list[list[Piece]]:
    """归并: benefit pieces in order, cut into items where the model sees a new one begin."""
    benefits = [p for p in pieces if p.label == "benefit"]
    if not benefits:
        return []
    rows = [
        pair_features(reading, one, two, between_of(pieces, one, two))
        for one, two in itertools.pairwise(benefits)
    ]
    scores: list[float] = model.scores(rows)[:, 0].tolist() if rows else []
    groups = [[benefits[0]]]
    for before, piece, score in zip(benefits, benefits[1:], scores, strict=False):
        if _same_row(reading, before, piece, score):
            groups[-1].append(piece)
        else:
            groups.append([piece])
    return [part for g in groups for part in _by_receiver(reading, g)]


def _by_receiver(reading: Reading, run: list[Piece]) -> list[list[Piece]]:
    """The pieces of one item, apart where a sentence gives the next amount to others; words that only say to whom between
    two amounts may have held them together."""
    parts: list[list[Piece]] = [[]]
    last: Piece | None = None
    for p in run:
        if keys_of(reading, p) != ["words"]:
            if (
                last is not None
                and last.clause == p.clause
                and to_others(reading.views[p.clause].flat, last, p)
            ):
                parts[-1] = [q for q in parts[-1] if q.clause != p.clause or q.a <= last.a]
                parts.append([])
            last = p
        parts[-1].append(p)
    return parts


def _same_row(reading: Reading, one: Piece, two: Piece, score: float) -> bool:
    """Rows of a table stay apart but where they tell levels of one thing; else as the model says."""
    a, b = reading.views[one.clause], reading.views[two.clause]
    if one.clause != two.clause and (is_row(a) or is_row(b)):
        near = reading.clauses[one.clause].headings == reading.clauses[two.clause].headings
        return near and is_row(a) and is_row(b) and one_item(a, b)
    return joined(reading, one, two) or (score >= MERGE and not parted(reading, one, two))


def between_of(pieces: Sequence[Piece], one: Piece, two: Piece) -> list[Piece]:
    """其间: pieces that stand between two others."""
    return [p for p in pieces if (one.clause, one.a) < (p.clause, p.a) < (two.clause, two.a)]


__all__ = ["between_of", "chained", "group", "pair_features"]
