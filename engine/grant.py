"""兑现事项: one grant as the state machine sees it, a step of it, why it may not be made, and its facts read; pure. Money is in fen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from engine.grantmoves import MOVES, Move, State


@dataclass(frozen=True)
class Grant:
    """兑现事项: one grant as the machine sees it; money in fen, `high` the most the match allows (None: unknown)."""

    variant: str
    state: State
    since: date
    amount: int | None = None
    high: int | None = None
    reserved: int = 0
    ordered: int = 0
    arrived: int = 0
    claimed: int = 0
    recovered: int = 0
    returned_from: State | None = None
    asked: tuple[str, ...] = ()
    notice_days: int = 5
    facts: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Step:
    """结果: the grant after a move, what the ledger is to do and for how much."""

    grant: Grant
    move: Move
    money: str = ""
    fen: int = 0


class Refused(ValueError):
    """不能这样办: one line that says why and what to do; `missing` names every need at once (一次性告知)."""

    def __init__(self, message: str, missing: tuple[str, ...] = ()):
        self.missing = missing
        super().__init__(message)


def moves_from(grant: Grant, role: str | None = None) -> Iterator[Move]:
    """可办的事: the moves of the present state, for one role or all."""
    for move in MOVES:
        fits = grant.state in move.sources and grant.variant in move.variants
        if fits and (role is None or role in move.roles):
            yield move


def can_be_asked(grant: Grant, move: Move) -> bool:
    """该不该列出: a request can only be turned down, or seconded, where one waits; all other moves may be offered."""
    return bool(grant.facts.get("提请")) or not (move.second or move.action == "退回提请")


def last_day(grant: Grant) -> date | None:
    """批次截止: the last day on which a firm may hand in; None where nobody said."""
    said = grant.facts.get("批次截止")
    return date.fromisoformat(str(said)) if said else None


def whole(facts: Mapping[str, object], name: str, *, zero: bool = False) -> int:
    """分: a fact that is a sum in fen. Raises Refused where it is none."""
    value = facts[name]
    if isinstance(value, bool) or not isinstance(value, int) or value < 0 or (value == 0 and not zero):
        raise Refused(f"{name}要是正的整数分")
    return value


def names(facts: Mapping[str, object], name: str) -> tuple[str, ...]:
    """各项: a fact that lists things, of one thing too."""
    value = facts.get(name) or ()
    return (value,) if isinstance(value, str) else tuple(str(v) for v in value)  # type: ignore[attr-defined]


def yuan(fen: int) -> str:
    """元: fen as they are told."""
    return f"{fen // 100:,}.{fen % 100:02d}"
