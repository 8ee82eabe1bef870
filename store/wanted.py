"""要告知谁: from a night's lists, whom each item is to be told to, in what way and with what sum."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy.engine import Engine

from engine.grantmoves import AUTOMATIC, ONCE, variant_of
from policies.readiness import readiness
from store import grants
from store.approved import APPROVED, approved_against
from store.review import setting
from store.words import About, Told, about_item

if TYPE_CHECKING:
    from engine.program import Program
    from store.nights import Night

CODE, NAME = "统一社会信用代码", "企业名称"
MOST_QUESTIONS = 2
MONEY = ("奖补", "减免")  # categories whose items bring money


def wanted_of(
    engine: Engine,
    night: Night,
    as_of: date,
    only: Collection[str] | None = None,
    which: Callable[[About], bool] = lambda about: True,
) -> Iterator[tuple[About, list[Told]]]:
    """要告知的: per item of a night (of `only` some, and of those `which` chooses), the pairs that are to hear of it, those
    told alike together; also those approved against the rule."""
    approved = approved_against(engine, as_of)
    programs = {p.item.id: p for p in night.library().programs}
    ask_firms = bool((setting(engine, "push", {}) or {}).get("ask_firms", True))
    for row in night.items().itertuples():
        program = programs.get(str(row.item))
        if (
            program is None
            or program.item.category == "资质"
            or (only is not None and str(row.item) not in only)
        ):
            continue
        about = about_item(program, str(row.batch), works_as(night, program, str(row.batch)))
        if not which(about):
            continue
        begun = {g.code: g.variant for g in grants.standings(engine, about.item.id, about.batch)}
        told = _told_alike(night, about, ask_firms, begun)
        against = approved.get((about.item.id, about.batch), frozenset())
        more = against.difference(*(group.firms for group in told if group.kind != "ask"))
        if more:
            told = [group.without(more) for group in told] + _approved(night, about, more, begun)
        told = [group for group in told if group.firms]
        if told:
            yield about, told


def works_as(night: Night, program: Program, batch: str) -> str:
    """实际按什么办: an item declared 免申即享 falls back by itself on a night whose data are not whole."""
    if program.item.delivery != AUTOMATIC:
        return program.item.delivery
    return readiness(program, batch, night.columns()).works_as


def _told_alike(night: Night, about: About, ask_firms: bool, begun: Mapping[str, str]) -> list[Told]:
    """The pairs to tell; a grant that has begun goes on as it began, whatever its item is today."""
    low, high = sums_of(about)
    asks = ask_firms and bool(
        about.questions
    )  # else a pair that waits for data waits for what no firm can tell
    table = night.pairs(
        about.item.id, [CODE, NAME, "verdict", low, high, "gave_way", *(["unknown"] if asks else [])]
    )
    if table is None:
        return []
    table = _to_tell(table, high, asks, about.item.category in MONEY)
    found: list[Told] = []
    for (kind, verdict, ids), rows in _groups(table, about, begun).items():
        some = table.take(pa.array(rows, pa.int64()))
        firms, names = (some[n].to_pylist() for n in (CODE, NAME))
        named = [name or firm for name, firm in zip(names, firms, strict=True)]
        found.append(Told(kind, verdict, ids, firms, named, _numbers(some[low]), _numbers(some[high])))
    return found


_Kind = tuple[str, str, tuple[str, ...]]
_BETWEEN = chr(0x1F)  # no id has it


def _groups(table: pa.Table, about: About, begun: Mapping[str, str]) -> dict[_Kind, list[int]]:
    """Rows by what they are told alike: the kind, the verdict and what is unknown; what a firm can't clear up is left out."""
    fits = pc.equal(table["verdict"], "符合").to_numpy(zero_copy_only=False)
    plain = kind_of(about, variant_of(about.delivery))
    found: dict[_Kind, list[int]] = {}
    fitting = np.flatnonzero(fits).tolist()
    if not begun and fitting:
        found[plain, "符合", ()] = fitting
    elif begun:
        codes = table[CODE].to_pylist()
        for i in fitting:
            kind = kind_of(about, begun[codes[i]]) if codes[i] in begun else plain
            found.setdefault((kind, "符合", ()), []).append(i)
    waiting = np.flatnonzero(~fits)
    if len(waiting):
        # texts of ids joined: each list of them is looked at once, not once a pair
        joined = pc.binary_join(table["unknown"].take(pa.array(waiting)), _BETWEEN).combine_chunks()
        which = joined.dictionary_encode()
        numbers = which.indices.to_numpy()
        for number, ids in enumerate(which.dictionary.to_pylist()):
            rows = waiting[numbers == number].tolist()
            found["ask", "待核实", tuple(ids.split(_BETWEEN)) if ids else ()] = rows
    return {key: rows for key, rows in found.items() if all(u in about.questions for u in key[2])}


def _to_tell(table: pa.Table, high: str, ask_firms: bool, money: bool) -> pa.Table:
    """Pairs that fit, and those that a firm can clear up, but those that gave way or bring nothing of money."""
    told = pc.equal(table["verdict"], "符合")
    if ask_firms:
        count = pc.list_value_length(table["unknown"])
        few = pc.and_(pc.greater(count, 0), pc.less_equal(count, MOST_QUESTIONS))
        told = pc.or_(told, pc.and_(few, pc.equal(table["verdict"], "待核实")))
    told = pc.and_(told, pc.equal(pc.fill_null(table["gave_way"], ""), ""))
    if money:  # nothing to be told, and no grant of nothing
        told = pc.and_(told, pc.invert(pc.fill_null(pc.less_equal(table[high], 0), False)))
    return table.filter(told)


def _numbers(column: pa.ChunkedArray) -> list[float | None]:
    """Yuan, None where unknown."""
    return [None if v is None or v != v else v for v in column.to_pylist()]


KIND_OF = {AUTOMATIC: "confirm", ONCE: "invite"}


def kind_of(about: About, variant: str) -> str:
    """告知的种类: an account is asked for, or a form sent, only where there is money to pay."""
    return "inform" if about.item.self_declared else KIND_OF.get(variant, "inform")


def _approved(night: Night, about: About, codes: Collection[str], begun: Mapping[str, str]) -> list[Told]:
    """改判通过的: what the night says no sum of, since a person decides it."""
    usual = variant_of(about.delivery)
    kinds: dict[str, list[tuple[str, str]]] = {}
    for code, name in _names(night, codes).items():
        kinds.setdefault(kind_of(about, begun.get(code, usual)), []).append((code, name))
    return [
        Told(kind, APPROVED, (), [c for c, _ in them], [n for _, n in them], [None] * len(them), [None] * len(them))
        for kind, them in kinds.items()
    ]  # fmt: skip


def _names(night: Night, codes: Collection[str]) -> dict[str, str]:
    """企业名称 of codes that are in the night's files, in the order of codes."""
    columns = night.columns()
    here = {code: row for row, code in enumerate(columns.codes) if code in codes}
    found = columns.category(NAME, None)
    words = {c: found.names[found.codes[row]] if found.codes[row] >= 0 else c for c, row in here.items()}
    return dict(sorted(words.items()))


@dataclass(frozen=True)
class Matched:
    """一夜说的: of one pair; `gone` says why it does not fit or gave way."""

    name: str
    verdict: str
    low: float | None
    high: float | None
    gone: str = ""


def matched(night: Night, about: About, code: str) -> Matched:
    """一夜怎么说 of one enterprise and item."""
    frame = night.hits(about.item.id)
    row = frame[frame[CODE] == code] if len(frame) else frame
    name = _names(night, [code]).get(code, code)
    if not len(row):
        return Matched(name, "不符合", None, None, "不符合")
    low, high = (number_of(row.iloc[0][n]) for n in sums_of(about))
    gave = str(row.iloc[0]["gave_way"] or "")
    return Matched(name, str(row.iloc[0]["verdict"]), low, high, f"让位于 {gave}" if gave else "")


def sums_of(about: About) -> tuple[str, str]:
    """Which amounts a grant starts from: where the budget is shared out in the end, those before tonight's forecast."""
    forecast = about.short and all(e.pick != "补差" for e in about.item.exclusive)
    return ("amount_low", "amount_high") if forecast else ("paid_low", "paid_high")


def number_of(value: Any) -> float | None:
    return None if value is None or value != value else float(value)
