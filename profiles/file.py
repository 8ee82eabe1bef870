"""一企一档: what sources said about a firm, folded to one value an indicator, with its origin and its state.

The rule: of each source its newest row speaks (by date of data, then arrival). Among sources the highest authority
speaks; where several of that authority differ, the value is a conflict. A value older than the indicator's
`fresh_for` is stale; a stale one does not contest a fresh one of equal authority. Conflicts and stale values are
unknown to rules and visible to people. A blank in the newest row is a blank: older rows don't fill it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from engine import kinds
from engine.indicators import Dictionary, Indicator
from profiles.ingest import UNUSABLE
from profiles.source import Source

KNOWN, STALE, CONFLICT, UNUSED = "已知", "过期", "冲突", "不可取用"
SHANGHAI = ZoneInfo("Asia/Shanghai")
ROW_ID = "项目编号"
NEVER = date.max
Key = tuple[str, int | None]


@dataclass(frozen=True, slots=True)
class Seen:
    """一次所见: a row of a source about the firm: its key in the file, date of data (None: undated), arrival, batch."""

    source: Source
    key: str
    batch: int
    day: date | None
    arrived: datetime
    content: Mapping[str, Any]
    digest: int = 0

    @property
    def effective(self) -> date:
        """生效日: the date of the data, or the day of arrival where the source gives none."""
        return self.day or self.arrived.astimezone(SHANGHAI).date()


@dataclass(frozen=True)
class Fact:
    """指标取值: value (yuan, fractions, dates) with where it came from; `others` are the sources it was weighed against.

    `value` is None unless `state` is 已知; `shown` is what a person sees in any state.
    """

    indicator: str
    year: int | None
    value: Any
    state: str
    source: str
    department: str
    day: date
    dated: bool
    arrived: datetime
    authority: int
    batch: int
    shown: Any
    others: tuple[Fact, ...] = field(default=())


class _Candidate(NamedTuple):
    authority: int
    day: date
    seen: Seen
    value: Any
    raw: bool


class Chosen(NamedTuple):
    """取定: state, the winning candidate, all that were weighed, and the day on which time alone may change it."""

    state: str
    winner: _Candidate
    weighed: list[_Candidate]
    until: date


def resolve(seen: Iterable[Seen], as_of: date, dictionary: Dictionary) -> dict[Key, Fact]:
    """归档: every (indicator, year) the firm's rows speak of on day `as_of`, with state and origin."""
    newest = latest(seen, as_of)
    facts: dict[Key, Fact] = {}
    for flat, candidates in _gather(s for s in newest if ":" not in s.key or s.key.startswith("年:")).items():
        name, year = split(flat)
        chosen = choose(candidates, dictionary.get(name), as_of)
        facts[name, year] = _fact(name, year, chosen, dictionary.get(name), as_of)
    for listing, rows in _members(newest).items():
        facts[listing, None] = _list_fact(listing, rows, as_of, dictionary)
    return facts


def current(seen: Iterable[Seen], as_of: date, dictionary: Dictionary) -> tuple[dict[str, Any], date]:
    """现值: flat key → value at rest, known ones only, and the first day on which time alone may change them."""
    seen = list(seen)
    newest = latest(seen, as_of)
    future = [s.day for s in seen if s.day is not None and s.day > as_of]
    until = min(future, default=NEVER)
    values: dict[str, Any] = {}
    for flat, candidates in _gather(s for s in newest if ":" not in s.key or s.key.startswith("年:")).items():
        chosen = choose(candidates, dictionary.get(flat.split("@", 1)[0]), as_of)
        until = min(until, chosen.until)
        if chosen.state == KNOWN:
            values[flat] = chosen.winner.value
    for listing, rows in _members(newest).items():
        members = []
        for one, found in rows.items():
            member, changes = _member(one, found, as_of, dictionary)
            until = min(until, changes)
            members.append(member)
        values[listing] = members
    return values, until


def latest(seen: Iterable[Seen], as_of: date) -> list[Seen]:
    """最新行: of each source and key the row that speaks on day `as_of`; rows dated later do not."""
    best: dict[tuple[str, str], tuple[tuple[date, datetime, int], Seen]] = {}
    for one in seen:
        if one.day is not None and one.day > as_of:
            continue
        place = (one.source.source, one.key)
        rank = (one.effective, one.arrived, one.digest)
        held = best.get(place)
        if held is None or rank > held[0]:
            best[place] = (rank, one)
    return [one for _, one in best.values()]


def choose(candidates: list[_Candidate], spec: Indicator | None, as_of: date) -> Chosen:
    """取值: by authority; equal authority that differs is a conflict; then by date, for the origin shown."""
    top = max(c.authority for c in candidates)
    peers = [c for c in candidates if c.authority == top]
    fresh_for = spec.fresh_for if spec is not None and not spec.yearly else None
    until = NEVER
    fresh = peers
    if fresh_for is not None:
        fresh = [c for c in peers if (as_of - c.day).days <= fresh_for]
        until = min((c.day + timedelta(days=fresh_for + 1) for c in fresh), default=NEVER)
    best = max(fresh or peers, key=lambda c: (not c.raw, c.day, c.seen.arrived, c.seen.source.source))
    if not fresh:
        return Chosen(STALE, best, candidates, until)
    if best.raw:
        return Chosen(UNUSED, best, candidates, until)
    if len(fresh) > 1 and any(
        c.value != best.value or type(c.value) is not type(best.value) for c in fresh if not c.raw
    ):
        return Chosen(CONFLICT, best, candidates, until)
    return Chosen(KNOWN, best, candidates, until)


def split(flat: str) -> Key:
    """拆开平键: `研发费用@2024` → ("研发费用", 2024)."""
    name, _, year = flat.partition("@")
    return name, int(year) if year else None


def to_value(at_rest: Any, spec: Indicator | None) -> Any:
    """还原取值: money at rest (fen) to yuan, ISO days to dates; the rest as it is."""
    if spec is None or at_rest is None:
        return at_rest
    if spec.kind == kinds.MONEY:
        return at_rest / 100
    if spec.kind == kinds.DATE:
        return date.fromisoformat(at_rest)
    return at_rest


def member_value(member: Mapping[str, Any], dictionary: Dictionary) -> dict[str, Any]:
    """名单行的取值: flat keys at rest to {indicator: value} with yearly ones as {"2024": value}; days stay ISO."""
    out: dict[str, Any] = {}
    for flat, at_rest in member.items():
        name, year = split(flat)
        spec = dictionary.get(name)
        value = at_rest / 100 if spec is not None and spec.kind == kinds.MONEY else at_rest
        if year is None:
            out[name] = value
        else:
            out.setdefault(name, {})[str(year)] = value
    return out


def _gather(seen: Iterable[Seen]) -> dict[str, list[_Candidate]]:
    found: dict[str, list[_Candidate]] = {}
    for one in seen:
        day = one.effective
        plain = one.source.authority
        own = one.source.own_authority
        for flat, value in one.content.items():
            raw = flat.startswith(UNUSABLE)
            name = flat[1:] if raw else flat
            rank = own.get(name.split("@", 1)[0], plain) if own else plain
            found.setdefault(name, []).append(_Candidate(rank, day, one, value, raw))
    return found


def _members(newest: Iterable[Seen]) -> dict[str, dict[str, list[Seen]]]:
    """Rows of 项目, 产品, 人才: list → member id → rows of the sources that speak of it."""
    lists: dict[str, dict[str, list[Seen]]] = {}
    for one in newest:
        listing, mark, member = one.key.partition(":")
        if mark and listing != "年":
            lists.setdefault(listing, {}).setdefault(member, []).append(one)
    return {name: dict(sorted(rows.items())) for name, rows in sorted(lists.items())}


def _member(one: str, rows: list[Seen], as_of: date, dictionary: Dictionary) -> tuple[dict[str, Any], date]:
    member: dict[str, Any] = {ROW_ID: one}
    until = NEVER
    for flat, candidates in sorted(_gather(rows).items()):
        chosen = choose(candidates, dictionary.get(flat.split("@", 1)[0]), as_of)
        until = min(until, chosen.until)
        if chosen.state == KNOWN:
            member[flat] = chosen.winner.value
    return member, until


def _list_fact(listing: str, rows: dict[str, list[Seen]], as_of: date, dictionary: Dictionary) -> Fact:
    members = [
        member_value(_member(one, found, as_of, dictionary)[0], dictionary) for one, found in rows.items()
    ]
    newest = max((s for found in rows.values() for s in found), key=lambda s: (s.effective, s.arrived))
    source = newest.source
    return Fact(
        listing, None, members, KNOWN, source.source, source.department, newest.effective,
        newest.day is not None, newest.arrived, source.authority, newest.batch, members,
    )  # fmt: skip


def _fact(name: str, year: int | None, chosen: Chosen, spec: Indicator | None, as_of: date) -> Fact:
    others = tuple(_plain(name, year, c, spec, KNOWN) for c in chosen.weighed if c is not chosen.winner)
    return _plain(name, year, chosen.winner, spec, chosen.state, others)


def _plain(
    name: str,
    year: int | None,
    c: _Candidate,
    spec: Indicator | None,
    state: str,
    others: tuple[Fact, ...] = (),
) -> Fact:
    shown = c.value if c.raw else to_value(c.value, spec)
    state = UNUSED if c.raw and state == KNOWN else state
    source = c.seen.source
    return Fact(
        name, year, shown if state == KNOWN else None, state, source.source, source.department, c.day,
        c.seen.day is not None, c.seen.arrived, c.authority, c.seen.batch, shown, others,
    )  # fmt: skip
