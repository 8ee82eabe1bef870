"""昨夜变化: which pairs moved between two nights, in which direction, for how much, and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from desk.office import CODE, NAME, Office, number
from desk.said import short_label
from desk.urls import url
from engine.matching import match
from engine.program import BoundItem
from store.accounts import Person
from store.nights import Night

YES, ASK, NOT = "符合", "待核实", "不符合"
KINDS = ((NOT, YES), (ASK, YES), (YES, ASK), (YES, NOT))
COLUMNS = [CODE, NAME, "verdict", "paid_low", "unknown"]
MOST_CHECKED = 200


@dataclass(frozen=True)
class ItemMove:
    """一个事项里同向的变化."""

    item: str
    title: str
    count: int
    yuan: float
    why: tuple[tuple[str, int], ...]
    code: str
    name: str


@dataclass(frozen=True)
class Move:
    """一种变化 over all items: from, to, pairs, yuan gained or lost, reasons, the items that moved most."""

    before: str
    after: str
    count: int
    yuan: float
    why: tuple[tuple[str, int], ...]
    items: tuple[ItemMove, ...]


def moves(office: Office, night: Night, person: Person | None = None) -> list[Move]:
    """昨夜的四种变化, those that happened, of the items the person may see. Without a night before there are none."""
    before = office.night(night.run.previous) if night.run.previous else None
    if before is None:
        return []
    key = ("moves", night.no, person.department if person else "")
    return office.memory.get(key, lambda: _moves(office, before, night, person))


def _moves(office: Office, before: Night, night: Night, person: Person | None) -> list[Move]:
    frame = office.items(night, person)
    found: dict[tuple[str, str], list[ItemMove]] = {kind: [] for kind in KINDS}
    for row in frame.to_dict("records"):
        for kind, move in _of_item(office, before, night, row["item"], row["title"]):
            found[kind].append(move)
    out = []
    for kind, items in found.items():
        if items:
            why: Counter[str] = Counter()
            for m in items:
                why.update(dict(m.why))
            ordered = tuple(sorted(items, key=lambda m: (-abs(m.yuan), -m.count)))
            out.append(
                Move(*kind, sum(m.count for m in items), sum(m.yuan for m in items), tuple(why.most_common(3)), ordered)
            )  # fmt: skip
    return out


def _read(night: Night, item: str) -> pd.DataFrame:
    return night.part(item, COLUMNS).set_index(CODE)


def _of_item(
    office: Office, before: Night, night: Night, item: str, title: str
) -> list[tuple[tuple[str, str], ItemMove]]:
    old, new = _read(before, item), _read(night, item)
    both = old.index.union(new.index)
    was = old["verdict"].reindex(both).fillna(NOT).to_numpy(dtype=object)
    now = new["verdict"].reindex(both).fillna(NOT).to_numpy(dtype=object)
    out = []
    for kind in KINDS:
        codes = both[(was == kind[0]) & (now == kind[1])]
        if not len(codes):
            continue
        money = new if kind[1] == YES else old
        paid = money["paid_low"].reindex(codes).fillna(0.0)
        first = str(paid.sort_values(ascending=False).index[0])
        yuan = float(paid.sum()) * (1 if kind[1] == YES else -1)
        why = _why(office, before, night, item, kind, codes, old, new)
        name = str(money[NAME].reindex([first]).iloc[0] or "") or first
        out.append((kind, ItemMove(item, title, len(codes), yuan, why, first, name)))
    return out


def _why(
    office: Office, before: Night, night: Night, item: str, kind: tuple[str, str], codes: pd.Index,
    old: pd.DataFrame, new: pd.DataFrame,
) -> tuple[tuple[str, int], ...]:  # fmt: skip
    """为什么: the conditions that opened, closed or fail now; a change of the rule where nothing else tells."""
    bound = office.bound(night, item)
    if bound is None:
        return (("不在受理窗口了", len(codes)),)
    labels = {c.id: short_label(c.condition) for c in bound.program.conditions}
    if kind == (ASK, YES):
        return _counted(old["unknown"].reindex(codes), labels, "定下了")
    if kind == (YES, ASK):
        return _counted(new["unknown"].reindex(codes), labels, "待核实")
    if kind == (YES, NOT):
        return _failing(office, night, bound, codes, labels)
    fresh = sum(c not in office.row_numbers(before) for c in codes)
    rule = night.run.library_hash != before.run.library_hash
    rest = "规则改过或数据更新" if rule else "数据更新"
    return tuple((w, n) for w, n in (("新进档案的企业", fresh), (rest, len(codes) - fresh)) if n)


def _counted(lists: pd.Series, labels: dict[str, str], word: str) -> tuple[tuple[str, int], ...]:
    count = Counter(u for row in lists if row is not None for u in row)
    return tuple((f"{labels.get(k, k)}{word}", n) for k, n in count.most_common(3))


def _failing(
    office: Office, night: Night, bound: BoundItem, codes: pd.Index, labels: dict[str, str]
) -> tuple[tuple[str, int], ...]:
    """现在不符合的条件 of those who fell out; what was 符合 and gave way in the engine is asked there again."""
    numbers = office.row_numbers(night)
    rows = np.array([numbers[c] for c in list(codes)[:MOST_CHECKED] if c in numbers], dtype=np.intp)
    gone = len(codes) - sum(c in numbers for c in codes)
    count: Counter[str] = Counter({"不在档案里了": gone} if gone else {})
    if len(rows):
        (hits,) = match([bound], night.columns().take(rows), night.as_of, night.answers(), every=True)
        for i, name in enumerate(bound.ids):
            count[f"{labels[name]}不符合"] += int(hits.fails[:, i].sum())
    return tuple((w, n) for w, n in count.most_common(3) if n)


# ---------------------------------------------------------------- my firms


def of_firms(office: Office, night: Night, person: Person, mine: set[str]) -> list[dict[str, Any]]:
    """我的企业, with what each has: 符合, 待核实, changed, expected yuan; most changed first."""
    if not mine:
        return []
    key = ("of firms", night.no, person.department, frozenset(mine))
    return office.memory.get(key, lambda: _of_firms(office, night, person, mine))


def _of_firms(office: Office, night: Night, person: Person, mine: set[str]) -> list[dict[str, Any]]:
    parts = []
    for item in office.items(night, person)["item"]:
        hits = office.hits(night, item)
        if len(hits):
            parts.append(hits.loc[hits[CODE].isin(mine), [CODE, "verdict", "change", "expected"]])
    every = pd.concat(parts) if parts else pd.DataFrame(columns=[CODE, "verdict", "change", "expected"])
    out = []
    for code in sorted(mine):
        part = every[every[CODE] == code]
        out.append({
            "code": code, "name": office.name(night, code) or code, "fits": int((part["verdict"] == YES).sum()),
            "open": int((part["verdict"] == ASK).sum()), "changed": int((part["change"] != "").sum()),
            "yuan": number(part["expected"].sum()) or 0.0, "href": url("firm", code=code),
        })  # fmt: skip
    return sorted(out, key=lambda f: (-f["changed"], -f["yuan"], f["code"]))
