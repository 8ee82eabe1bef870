"""待分配: the claims of a night's hits, and what allocation makes of them per enterprise and item."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.allocate import FITS, Claim, Settled, settle, share_budget
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
    out: dict[tuple[str, str], Payable] = {}
    for (item, batch), ones in by_batch.items():
        if only not in (None, item):
            continue
        budget = _budget(programs[item], batch)
        if budget is not None:
            amount, how = budget
            ones = share_budget(ones, amount, how)
        _collect(out, item, ones)
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


def _collect(out: dict[tuple[str, str], Payable], item: str, ones: Sequence[Settled]) -> None:
    """Sum the rows of an enterprise again and keep what changed."""
    firms: dict[str, list[Settled]] = defaultdict(list)
    for one in ones:
        firms[one.claim.key.partition(SEPARATOR)[0]].append(one)
    for firm, parts in firms.items():
        if any(p.gave_way_to or p.marked or p.reduced_by for p in parts):
            out[firm, item] = _sum(parts)


def _sum(parts: Sequence[Settled]) -> Payable:
    fits = [p for p in parts if p.claim.verdict == FITS] or list(parts)
    lows, highs = [p.low for p in fits], [p.high for p in parts]
    gave = [p for p in parts if p.gave_way_to]
    lost = [p.lost for p in gave]
    note = next((p.reduced_by for p in parts if p.reduced_by), "") or ("同组待定" if parts[0].marked else "")
    return Payable(
        _total(lows),
        _total(highs),
        gave[0].gave_way_to if len(gave) == len(parts) else "",
        _total(lost) if gave else None,
        note,
    )


def _total(parts: Sequence[float | None]) -> float | None:
    """The sum of amounts, None where one is unknown."""
    if None in parts:
        return None
    return parts[0] if len(parts) == 1 else float(np.sum(parts))  # type: ignore[arg-type]
