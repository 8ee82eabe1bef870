"""一夜评哪些对: pairs whose firm, item, answers and model are those of the night before keep its scores, the others are scored."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import analysis
from engine.columns import Columns
from engine.kernel_facts import firm_digests, taken
from engine.matching import OPEN, AnswerBook, ItemHits, match
from engine.program import BoundItem
from jobs.rules import FAST_FROM
from profiles.firmcodes import arrow_codes
from store.night_blocks import item_keys, software_digest
from store.night_plans import planned_matcher
from store.night_reads import places
from store.night_scores import KeptScores, Origin, Scored
from store.nights import Night

if TYPE_CHECKING:
    from analysis.scores import ScoreModel, Scoring

TOGETHER = 1 << 22  # pairs matched at once
MOST_FRESH = 8  # where more than one firm in so many changed, all are scored: taking over would save little
_NONE = Scored(np.zeros(0, np.int32), np.zeros(0))


def scored_anew(
    night: Night, home: Path, version: str, before: KeptScores | None = None
) -> tuple[Origin, Iterator[tuple[str, Scored]]]:
    """逐事项评分 of a night's open pairs by a stored model: what the scores hang on, and each item's; what hangs on the same as in
    `before` is taken from there."""
    answers, model = night.answers(), _Model(home, version)
    items = [b for b in map(night.bound, night.items()["item"]) if b is not None]
    known = (
        before is not None and before.model == version
    )  # then what it looks at is known without reading it
    features = frozenset(before.reads) if known and before is not None else model.reads
    reads = features.union(*(item.reads for item in items))
    columns = _only(night.columns(), reads)
    origin = Origin(
        version,
        _made(version, columns, reads),
        features,
        arrow_codes(columns.codes),
        firm_digests(columns, reads),
        _keys(items, columns, night, answers),
    )
    return origin, _parts(night, model, items, columns, answers, origin, before)


@dataclass(frozen=True)
class _Model:
    """评分模型, read when it is first asked for: one of thousands of rules is hundreds of megabytes."""

    home: Path
    version: str

    @cached_property
    def read(self) -> ScoreModel:
        from analysis.scores_file import load

        return load(self.home, self.version)

    @property
    def reads(self) -> frozenset[str]:
        """Indicators of the model's features and, where answers were learned from, of the firm's words."""
        from analysis.scores_ask import TEXTS

        plan, texts = self.read.plan, TEXTS if self.read.asks.rates else ()
        parts = (*plan.levels, *plan.members)
        return frozenset({*texts, *(key[0] for key in plan.numbers), *(part[0] for part in parts)})


def _only(columns: Columns, names: Collection[str]) -> Columns:
    """The columns of some indicators, read."""
    return replace(
        columns,
        numbers={k: columns.numbers[k] for k in columns.numbers if k[0] in names},
        categories={k: columns.categories[k] for k in columns.categories if k[0] in names},
        lists={k: columns.lists[k] for k in columns.lists if k[0] in names},
    )


def _made(version: str, columns: Columns, reads: Collection[str]) -> str:
    """What the scores of all pairs hang on."""
    told = [(name, columns.dictionary.get(name), columns.speaks(name)) for name in sorted(reads)]
    return hashlib.sha256(repr((version, _code(), told)).encode()).hexdigest()


@cache
def _code() -> str:
    """The code that scores, and the libraries it adds up with."""
    digest = hashlib.sha256(software_digest().encode())
    room = Path(analysis.__file__).parent
    for path in [Path(__file__), *(room / f"{name}.py" for name in ("scores", "scores_ask"))]:
        digest.update(path.name.encode() + path.read_bytes())
    for name in ("numpy", "scipy", "scikit-learn", "jieba"):
        digest.update(f"{name} {installed(name)}".encode())
    return digest.hexdigest()


def _keys(items: Sequence[BoundItem], columns: Columns, night: Night, answers: AnswerBook) -> dict[str, str]:
    """By item, what its scores hang on besides firms and model: what it means, its batch, and what was answered."""
    told: dict[tuple[str, str], list[str]] = {}
    for (item, batch, ask), given in answers.items():
        said = sorted((c, sorted(a.items()) if isinstance(a, Mapping) else a) for c, a in given.items())
        told.setdefault((item, batch), []).append(repr((ask, said)))
    out = {}
    for key in item_keys(items, columns, night.as_of):
        plain = repr((key, sorted(told.get((key.item, key.batch), []))))
        out[key.item] = hashlib.sha256(plain.encode()).hexdigest()
    return out


def _parts(
    night: Night, model: _Model, items: Sequence[BoundItem], columns: Columns, answers: AnswerBook,
    origin: Origin, before: KeptScores | None,
) -> Iterator[tuple[str, Scored]]:  # fmt: skip
    place, fresh = _firms(origin, before)
    same = {
        b.program.item.id
        for b in (items if before is not None and place is not None else ())
        if before is not None and before.keys.get(b.program.item.id) == origin.items[b.program.item.id]
    }
    if not same:
        yield from _scored(model, items, columns, answers, night)
        return
    assert before is not None and place is not None
    some = [b for b in items if b.program.item.id in same]
    changed = dict(_scored(model, some, taken(columns, fresh), answers, night))
    rest = [b for b in items if b.program.item.id not in same]
    anew = dict(_scored(model, rest, columns, answers, night))
    for bound in items:
        item = bound.program.item.id
        if item in same:
            own = changed.get(item, _NONE)
            new = Scored(fresh[own.rows].astype(np.int32), own.values)
            yield item, _together(before.of(item), place, new)
        elif item in anew:
            yield item, anew[item]


def _firms(origin: Origin, before: KeptScores | None) -> tuple[NDArray[np.int64] | None, NDArray[np.intp]]:
    """Of the night before's firms, where each stands tonight, -1 where it is gone or more or other is known of it (None: of
    too many); and tonight's rows that are not among those, ascending."""
    everyone = np.arange(len(origin.codes))
    if before is None or before.made != origin.made:
        return None, everyone
    place = np.arange(len(before.codes), dtype=np.int64)
    if not before.codes.equals(origin.codes):
        place = places(before.codes, origin.codes)
    there = np.flatnonzero(place >= 0)
    other = before.digests[there] != origin.digests[place[there]]
    place[there[other]] = -1
    fresh = np.setdiff1d(everyone, place)
    return (None, everyone) if len(fresh) * MOST_FRESH > len(everyone) else (place, fresh)


def _together(old: Scored, place: NDArray[np.int64], new: Scored) -> Scored:
    """One item's scores: those of the night before that stay, and the new ones among them."""
    rows = place[old.rows]
    stays = rows >= 0
    rows, values = rows[stays].astype(np.int32), np.asarray(old.values)[stays]
    if (np.diff(rows) < 0).any():
        order = np.argsort(rows, kind="stable")
        rows, values = rows[order], values[order]
    at = np.searchsorted(rows, new.rows)
    return Scored(np.insert(rows, at, new.rows), np.insert(values, at, new.values))


def _scored(
    model: _Model, items: Sequence[BoundItem], columns: Columns, answers: AnswerBook, night: Night
) -> Iterator[tuple[str, Scored]]:
    """The open pairs of items with some firms, matched as they were for the night, and scored."""
    from analysis.scores import Scoring, open_masks

    if not items or not len(columns):
        return
    scoring: Scoring = Scoring(model.read, columns, answers)
    bound = {b.program.item.id: b for b in items}
    for lot in _matched(items, columns, answers, night):
        for found in lot:
            at = np.flatnonzero(found.verdict == OPEN)
            if len(at):
                rows = np.asarray(found.rows[at], np.intp)
                p = scoring.pairs(bound[found.item], rows, open_masks(found, at))
                yield found.item, Scored(rows.astype(np.int32), p)


def _matched(
    items: Sequence[BoundItem], columns: Columns, answers: AnswerBook, night: Night
) -> Iterator[Sequence[ItemHits]]:
    if len(items) * len(columns) < FAST_FROM:
        yield match(items, columns, night.as_of, answers)
        return
    with planned_matcher(items) as matcher:
        yield from matcher.lots(columns, night.as_of, answers, TOGETHER)
