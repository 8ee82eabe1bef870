"""跳变的缘由: which indicators came otherwise, from which source and file, and whether the rule changed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.engine import Engine
from sqlmodel import col, or_, select

from engine import kinds
from engine.columns import Categories, Columns
from engine.program import Program
from profiles.source import parse_source
from store.database import session
from store.observations import SourceBatch, SourceDeclaration

if TYPE_CHECKING:
    from store.nights import Night

MOST = 3  # causes told of one jump
PLAIN = (kinds.BOOL, kinds.DATE)  # kinds of numbers of which a ratio says nothing
Files = Mapping[str, Sequence[str]]  # names of files by indicator


@dataclass(frozen=True)
class Change:
    """一项指标的变化: in words, and how much it weighs beside others, 0 to 1."""

    weight: float
    words: str


def arrived(engine: Engine, since: datetime, upto: datetime) -> dict[str, list[str]]:
    """这段时间的文件 by indicator they speak of: those that came in, and those taken back."""
    batch, declared = SourceBatch, SourceDeclaration
    came = col(batch.arrived_at).between(since, upto)
    back = col(batch.taken_back_at).between(since, upto)
    query = select(batch, declared.text).where(batch.declaration == declared.digest, or_(came, back))
    found: dict[str, list[str]] = {}
    with session(engine) as opened:
        for one, text in opened.exec(query.order_by(col(batch.id))):
            name = one.file_name or f"第{one.id}批"
            told = f"{name}被撤回" if one.taken_back_at and since <= one.taken_back_at <= upto else name
            for indicator in parse_source(text, name).indicators():
                found.setdefault(indicator, []).append(told)
    return found


def changes(now: Columns, before: Columns, least: float, files: Files) -> dict[str, Change]:
    """变了的指标: whose share of known values, or the share of enterprises whose value is another, moved by over `least`."""
    here, there = _common(now.codes, before.codes)
    found = {}
    for name, spec in now.dictionary.items():
        origin = "，".join([spec.department or spec.source or "来源不明", *_few(files.get(name, ()))])
        earlier, later = fill(before, name), fill(now, name)
        told = [Change(abs(later - earlier), f"{name}（{origin}）的齐全率由 {earlier:.0%} 变为 {later:.0%}")]
        told += [
            Change(one.weight, f"{name}（{origin}）有 {one.words}")
            for one in _others(now, before, name, here, there)
        ]
        most = max(told, key=lambda one: one.weight)
        if most.weight > least:
            found[name] = most
    return found


def _few(files: Sequence[str]) -> list[str]:
    return [*files[-2:], *([f"另 {len(files) - 2} 个文件"] if len(files) > 2 else [])]


def _common(now: Sequence[str], before: Sequence[str]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows of the enterprises that both nights knew."""
    _, here, there = np.intersect1d(np.asarray(now, str), np.asarray(before, str), return_indices=True)
    return here, there


def _others(
    now: Columns, before: Columns, name: str, here: NDArray[np.intp], there: NDArray[np.intp]
) -> Iterator[Change]:
    """换了的值, each year by itself, of enterprises whose value was known both times."""
    for (key, year), numbers in now.numbers.items():
        if key == name and (key, year) in before.numbers:
            yield from _numbers(
                numbers[here], before.numbers[key, year][there], now.dictionary[name].kind, year
            )
    for (key, year), texts in now.categories.items():
        if key == name and (key, year) in before.categories:
            yield from _texts(texts, before.categories[key, year], here, there, year)


def _numbers(
    new: NDArray[np.float64], old: NDArray[np.float64], kind: str, year: int | None
) -> Iterator[Change]:
    known = ~(np.isnan(new) | np.isnan(old))
    other = known & ~np.isclose(new, old, rtol=1e-9, atol=1e-9)
    if not other.any():
        return
    share, words = float(other.sum() / known.sum()), _count(int(other.sum()), int(known.sum()), year)
    compared = other & (old != 0)
    if kind in PLAIN or not compared.any():
        yield Change(share, words)
        return
    ratio = float(np.median(new[compared] / old[compared]))
    far = min(1.0, abs(math.log(ratio))) if ratio > 0 else 1.0
    # Figures of people and money move a little each month: what stayed near counts for little beside what did not.
    yield Change(share * max(far, 0.2), f"{words}，居中的一家是原来的 {ratio:.4g} 倍")


def _texts(
    new: Categories, old: Categories, here: NDArray[np.intp], there: NDArray[np.intp], year: int | None
) -> Iterator[Change]:
    words = {name: i for i, name in enumerate(dict.fromkeys((*new.names, *old.names)))}
    a, b = (_places(part, rows, words) for part, rows in ((new, here), (old, there)))
    known = (a >= 0) & (b >= 0)
    other = int((known & (a != b)).sum())
    if other:
        yield Change(other / int(known.sum()), _count(other, int(known.sum()), year))


def _places(part: Categories, rows: NDArray[np.intp], words: Mapping[str, int]) -> NDArray[np.int64]:
    own = np.array([*(words[name] for name in part.names), -1], np.int64)
    return own[part.codes[rows]]


def _count(other: int, known: int, year: int | None) -> str:
    when = f"{year}年的值" if year else "值"
    return f"{other:,} 家{when}变了（比得上的 {known:,} 家）"


def fill(columns: Columns, name: str) -> float:
    """齐全率: the share of enterprises with a value of the indicator, in its best year."""
    shares = [0.0]
    n = max(len(columns), 1)
    shares += [1 - float(np.isnan(v).sum()) / n for (k, _), v in columns.numbers.items() if k == name]
    shares += [1 - float((c.codes < 0).sum()) / n for (k, _), c in columns.categories.items() if k == name]
    shares += [1 - float(c.missing.sum()) / n for (k, _), c in columns.lists.items() if k == name]
    return max(shares)


def teller(night: Night, last: Night, least: float, files: Files) -> Callable[[Iterable[str]], str]:
    """缘由 of a jump of these items: the indicators they read that changed most, and a rule that is another."""
    found = changes(night.columns(), last.columns(), least, files)
    now, before = night.library(), last.library()
    moved = night.run.library_hash != last.run.library_hash

    def cause(items: Iterable[str]) -> str:
        here = {item: now.program(item) for item in items}
        wanted = set[str]().union(*(p.speaks_of for p in here.values() if p is not None)) or set(found)
        most = sorted((n for n in found if n in wanted), key=lambda n: (-found[n].weight, n))[:MOST]
        words = [found[name].words for name in most]
        if moved and any(p is not None and _other_rule(p, before.program(i)) for i, p in here.items()):
            words.append("规则也改过")
        elif moved and not here:
            words.append("政策库也改过")
        return "、".join(words) or "数据和规则都看不出大的变化"

    return cause


def _other_rule(now: Program, before: Program | None) -> bool:
    return before is None or now.item != before.item
