"""待分配: the claims of a night's hits, and what allocation makes of them per enterprise and item."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.allocate import FITS, OPEN, Claim, Settled, settle, share_budget
from engine.matching import FAILS, VERDICTS, ItemHits, amount_of
from engine.program import Program

SEPARATOR = "\u0000"


@dataclass(frozen=True)
class Payable:
    """应付: amounts in yuan after 就高不重复 and budget, and the reason where they differ from the match."""

    low: float | None
    high: float | None
    gave_way_to: str = ""
    lost: float | None = None
    note: str = ""


def claims_of(
    program: Program, hits: ItemHits, codes: Sequence[str], among: NDArray[np.intp] | None = None
) -> list[Claim]:
    """一事项的待分配: a claim an open pair, or one a detail row of a project-level item; `among`: of these firms alone."""
    groups = tuple((e.group, e.pick) for e in program.exclusive)
    issued = program.document.issued
    part = hits if hits.detail is None else hits.detail
    open_ = _verdicts(hits) != FAILS
    if among is not None:
        open_ &= np.isin(_firms(hits), among)
    at = np.flatnonzero(open_)
    if hits.detail is None:
        keys = [codes[r] for r in hits.rows[at].tolist()]
    else:
        d = hits.detail
        keys = [
            f"{codes[o]}{SEPARATOR}{d.ids[i] or f'#{i}'}"
            for i, o in zip(at.tolist(), d.owner[at].tolist(), strict=True)
        ]
    ends = (part.verdict[at].tolist(), part.low[at].tolist(), part.high[at].tolist())
    return [
        Claim(key, hits.item, hits.batch, VERDICTS[v], amount_of(lo), amount_of(hi), groups, issued)
        for key, v, lo, hi in zip(keys, *ends, strict=True)
    ]


def _firms(hits: ItemHits) -> NDArray[np.intp]:
    """The row of the enterprise that each possible claim is of."""
    return hits.rows if hits.detail is None else hits.detail.owner


def _verdicts(hits: ItemHits) -> NDArray[np.int8]:
    return hits.verdict if hits.detail is None else hits.detail.verdict


def allocate(
    programs: Mapping[str, Program],
    found: Sequence[ItemHits],
    codes: Sequence[str],
    received: Mapping[tuple[str, str], float] | None = None,
    only: str | None = None,
) -> dict[tuple[str, str], Payable]:
    """分配: by (enterprise, item), the pairs whose payable amount or standing allocation changes.

    `received` is 已兑现金额 in yuan by (enterprise, group); `only` asks for one item, which is quicker: what others get
    decides with its own firms alone.
    """
    touched = [h for h in found if shares(programs[h.item], h.batch)]
    among = None if only is None else _among(programs[only], touched, only)
    claims = [c for h in touched for c in claims_of(programs[h.item], h, codes, among)]
    settled = settle(claims, received)
    by_batch: dict[tuple[str, str], list[Settled]] = defaultdict(list)
    for one in settled:
        by_batch[one.claim.item, one.claim.batch].append(one)
    hits = {(h.item, h.batch): h for h in touched}
    out: dict[tuple[str, str], Payable] = {}
    for (item, batch), ones in by_batch.items():
        if only not in (None, item):
            continue
        own = hits[item, batch]
        if own.detail is None:
            wholes = [Whole(one, (one,), 0.0) for one in ones]
        else:
            wholes = list(_wholes(programs[item], ones, own, codes, received or {}))
        budget = _budget(programs[item], batch)
        if budget is not None:
            shared = share_budget([w.settled for w in wholes], *budget)
            wholes = [replace(w, settled=s) for w, s in zip(wholes, shared, strict=True)]
        out |= {(w.firm, item): w.payable for w in wholes if w.changed}
    return out


def _among(program: Program, touched: Sequence[ItemHits], only: str) -> NDArray[np.intp]:
    """Rows of the firms that decide what one item pays: its own, and of them those of another item where nothing else does."""
    open_ = {h.item: np.unique(_firms(h)[_verdicts(h) != FAILS]) for h in touched}
    own = open_.pop(only, np.zeros(0, np.intp))
    batches = [h.batch for h in touched if h.item == only]
    alone = any(e.pick == "补差" for e in program.exclusive) or any(_budget(program, b) for b in batches)
    if alone or not len(own):
        return own
    others = np.concatenate([np.zeros(0, np.intp), *open_.values()])
    return own[np.isin(own, others)]


def shares(program: Program, batch: str) -> bool:
    """要分配: whether other items or firms decide with what an item pays."""
    return bool(program.exclusive or _budget(program, batch))


def _budget(program: Program, batch: str) -> tuple[float, str] | None:
    found = program.item.batch(batch)
    if found is None or found.budget is None:
        return None
    return found.budget, program.item.budget.when_short if program.item.budget else "按比例核减"


@dataclass(frozen=True)
class Whole:
    """一家的一笔: what one enterprise is paid of an item, the claims it is made of, and by how much its 待核实 rows may raise
    the high end (None: unknown); yuan."""

    settled: Settled
    parts: tuple[Settled, ...]
    more: float | None

    @property
    def firm(self) -> str:
        return self.settled.claim.key

    @property
    def changed(self) -> bool:
        return bool(self.settled.reduced_by) or any(
            p.gave_way_to or p.marked for p in (self.settled, *self.parts)
        )

    @property
    def payable(self) -> Payable:
        one, gave = self.settled, [p for p in self.parts if p.gave_way_to]
        high = None if one.high is None or self.more is None else one.high + self.more
        marked = one.marked or any(p.marked for p in self.parts)
        return Payable(
            one.low,
            high,
            gave[0].gave_way_to if len(gave) == len(self.parts) else "",
            _total([p.lost for p in gave]) if gave else None,
            one.reduced_by or ("同组待定" if marked else ""),
        )


def _wholes(
    program: Program, ones: Sequence[Settled], hits: ItemHits, codes: Sequence[str],
    received: Mapping[tuple[str, str], float],
) -> Iterator[Whole]:  # fmt: skip
    """The rows of each enterprise as one payment: bounded by what the match gives it, less what it received (补差)."""
    firms: dict[str, list[Settled]] = defaultdict(list)
    for one in ones:
        firms[one.claim.key.partition(SEPARATOR)[0]].append(one)
    groups = [e.group for e in program.exclusive if e.pick == "补差"]
    ends = zip(hits.rows.tolist(), hits.low.tolist(), hits.high.tolist(), strict=True)
    matched = {codes[row]: (amount_of(low), amount_of(high)) for row, low, high in ends}
    for firm, parts in firms.items():
        yield _whole(firm, parts, matched[firm], sum(received.get((firm, g), 0.0) for g in groups))


def _whole(firm: str, parts: list[Settled], matched: tuple[float | None, float | None], paid: float) -> Whole:
    fits = [p for p in parts if p.claim.verdict == FITS]
    slack = (
        0.0 if any(p.gave_way_to for p in parts) else 0.005 * len(parts)
    )  # rows are rounded, and so is their sum

    def due(amount: float | None, most: float | None) -> float | None:
        """No more than the match says (the enterprise's cap is in it), less what was received."""
        if most is not None:  # known where the rows' is not: an unknown cap lets the low end be 0
            amount = most if amount is None or amount > most - slack else amount
        return None if amount is None else max(0.0, round((amount - paid) * 100) / 100)

    lows = [p.low for p in fits or parts]
    low = due(_total(lows) if fits else None if None in lows else min(lows), matched[0])  # type: ignore[type-var]
    every = due(_total([p.high for p in parts]), matched[1])
    sure = due(_total([p.high for p in fits]), matched[1]) if fits else every
    claim = replace(parts[0].claim, key=firm, verdict=FITS if fits else OPEN, low=low, high=sure)
    more = None if every is None or sure is None else max(0.0, every - sure)
    return Whole(Settled(claim, low, sure, marked=paid > 0), tuple(parts), more)


def _total(parts: Sequence[float | None]) -> float | None:
    """The sum of amounts, None where one is unknown."""
    if None in parts:
        return None
    return parts[0] if len(parts) == 1 else float(np.sum(parts))  # type: ignore[arg-type]
