"""并列条目: two fields that tell the same kinds point by point (办理条件 1、2、3 and 补贴标准 1、2、3), each point the other's."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

from policies.segment import Clause, role_of_field

from .cues import words_of
from .model import Item
from .pieces import Reading
from .spans import body_of

ALIKE = 0.25  # share of a point's own words (of the shorter of two) that its pair must have


def same_point(reading: Reading, k: int, items: Sequence[Item]) -> list[int]:
    """同号之项: the items of the point that has the same number in another field whose points tell the same kinds."""
    point = _point(reading, k)
    if point is None or role_of_field(point.field_name) == "benefit":
        return []
    mine = _list_of(reading, point)
    if len(mine) < 2:
        return []
    found: dict[tuple[int, ...], list[tuple[int, Clause]]] = {}
    for n, i in enumerate(items):
        other = _point(reading, min(i.clauses))
        if other is not None and other.headings != point.headings:
            found.setdefault(other.headings, []).append((n, other))
    for theirs in found.values():
        points = _list_of(reading, theirs[0][1])
        if not _paired(reading, mine, points):
            continue
        return [n for n, other in theirs if other.label == point.label]
    return []


def _point(reading: Reading, k: int) -> Clause | None:
    """The labelled point under a field that a clause is or stands in."""
    c = reading.clauses[k]
    for number in (c.number, *reversed(c.headings)):
        point = reading.clauses[number - 1]
        if (
            point.label
            and point.headings
            and role_of_field(reading.clauses[point.headings[-1] - 1].field_name)
        ):
            return point
    return None


def _list_of(reading: Reading, point: Clause) -> list[Clause]:
    return [c for c in reading.clauses if c.label and (c.headings, c.sort) == (point.headings, point.sort)]


def _paired(reading: Reading, mine: Sequence[Clause], theirs: Sequence[Clause]) -> bool:
    """Whether two lists have the same numbers, under fields of two roles beside each other, and speak of the same things."""
    if [c.label for c in mine] != [c.label for c in theirs] or mine[0].headings[:-1] != theirs[0].headings[
        :-1
    ]:
        return False
    roles = {role_of_field(reading.clauses[x[0].headings[-1] - 1].field_name) for x in (mine, theirs)}
    if "benefit" not in roles or len(roles) < 2:
        return False
    one, two = (_told(reading, x) for x in (mine, theirs))
    share = [[_share(x, y) for y in two] for x in one]
    apart = all(
        share[n][n] + share[m][m] > share[n][m] + share[m][n]
        for n, m in itertools.combinations(range(len(one)), 2)
    )
    return apart and all(share[n][n] >= ALIKE for n in range(len(one)))


def _told(reading: Reading, points: Sequence[Clause]) -> list[set[str]]:
    """The words of each point that tell it from the others."""
    flats = [reading.views[c.number - 1].flat for c in points]
    words = [set(words_of(flat[body_of(flat)[0] :])) for flat in flats]
    often = Counter(w for x in words for w in x)
    return [{w for w in x if often[w] == 1 and len(w) > 1} for x in words]


def _share(one: set[str], two: set[str]) -> float:
    return len(one & two) / max(1, min(len(one), len(two)))
