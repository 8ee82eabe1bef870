"""兑现: the state machine of one grant: who may move it, what a step needs, what it writes; pure.

The whole machine is the table `MOVES` of engine/grantmoves.py; everything here reads it. Money is in fen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from engine.grant import Grant as Grant
from engine.grant import Refused as Refused
from engine.grant import Step as Step
from engine.grant import can_be_asked as can_be_asked
from engine.grant import last_day as last_day
from engine.grant import moves_from as moves_from
from engine.grant import yuan
from engine.grantclock import Due as Due
from engine.grantclock import due as due
from engine.grantclock import escalate as escalate
from engine.grantclock import lateness as lateness
from engine.grantmoves import AHEAD, ASKED_FOR, AUTOMATIC, BACK, MOVES, NEEDS, VARIANTS, Move, State
from engine.grantrules import check_rules
from engine.grantwriting import fen_of, moved_money, planned, settled, written
from engine.workdays import Calendar


def start(variant: str, on: date, amount: int | None, high: int | None, notice_days: int = 5) -> Grant:
    """立项: a new grant; the matched amount is what the night found. Raises ValueError for an unknown variant."""
    if variant not in VARIANTS:
        raise ValueError(f"没有“{variant}”这种兑现方式")
    first = State.MATCHED if variant == AUTOMATIC else State.INVITED
    return Grant(variant, first, on, amount, high, notice_days=notice_days)


def arrows() -> set[tuple[str, State, str, State]]:
    """全部箭头: (variant, from, action, to); the drawing of the machine."""
    returnable = next(m for m in MOVES if m.action == "退回补正").sources
    ahead = tuple(State(m.target) for m in MOVES if State.QUEUED in m.branch)
    drawn = set()
    for move in MOVES:
        back = () if move.branch else returnable
        targets = (
            {BACK: back, AHEAD: ahead}[move.target] if move.target in (BACK, AHEAD) else (State(move.target),)
        )
        for variant in move.variants:
            for source in move.sources:
                drawn |= {(variant, source, move.action, to) for to in (*targets, *move.branch)}
    return drawn


ENOUGH, TOO_LITTLE, LATER = "够", "不够", "待分配"


def step(
    grant: Grant, action: str, role: str, facts: Mapping[str, object], on: date, calendar: Calendar,
    budget: str = ENOUGH,
) -> Step:  # fmt: skip
    """办一步. `budget` says whether the batch has what `wants` asks for: 够, 不够 (候补), 待分配. Raises Refused."""
    move = _allowed(grant, action, role)
    facts = with_request(grant, action, facts)
    _check_needs(move, facts)
    check_rules(grant, move, facts, on, calendar)
    fen = 0 if move.money == "占用" and budget == LATER and action != "分配" else fen_of(grant, move, facts)
    bent = _bent(move, budget, fen)
    target = bent or _target(grant, move)
    after = planned(written(grant, move, facts, target, on), move, facts, on, calendar)
    if bent is not None:
        ahead = State(move.target) if bent == State.QUEUED else None
        return Step(replace(after, returned_from=ahead), move)
    after = moved_money(after, move.money, fen)
    return Step(settled(after, move, on), move, move.money if fen else "", fen)


def wants(grant: Grant, action: str, role: str, facts: Mapping[str, object]) -> int:
    """要占用的额度: the fen a move would reserve in its batch's budget. Raises Refused where it may not be made."""
    move = _allowed(grant, action, role)
    _check_needs(move, with_request(grant, action, facts))
    return fen_of(grant, move, facts) if move.money == "占用" else 0


def with_request(grant: Grant, action: str, facts: Mapping[str, object]) -> Mapping[str, object]:
    """所提请的: the facts of a step that carries out a request are the request's own; other steps' stay as they are."""
    asked = grant.facts.get("提请")
    if action not in ASKED_FOR or not isinstance(asked, Mapping):
        return facts
    return {
        **facts,
        **{k: asked[k] for k in ("依据", "理由", "追回金额", "提请人") if asked.get(k) is not None},
    }


def _bent(move: Move, budget: str, fen: int) -> State | None:
    """The branch that a lack of budget takes. Raises Refused where there is none."""
    if budget == LATER:
        return State.POOLED if State.POOLED in move.branch else None
    if budget == ENOUGH or move.money != "占用" or not fen:
        return None
    if State.QUEUED in move.branch:
        return State.QUEUED
    raise Refused(f"批次额度不够 {yuan(fen)} 元，不能“{move.action}”")


def _target(grant: Grant, move: Move) -> State:
    if move.target not in (BACK, AHEAD):
        return State(move.target)
    if grant.returned_from is None:
        raise Refused(f"不知道从哪里转到“{grant.state}”，不能“{move.action}”")
    return grant.returned_from


def _allowed(grant: Grant, action: str, role: str) -> Move:
    fitting = [m for m in moves_from(grant) if m.action == action]
    if not fitting:
        can = "、".join(dict.fromkeys(m.action for m in moves_from(grant))) or "没有可办的事"
        raise Refused(f"现在是“{grant.state}”，不能“{action}”；可以：{can}")
    if role not in fitting[0].roles:
        raise Refused(f"“{action}”由{'、'.join(fitting[0].roles)}办理，{role}不能办")
    return fitting[0]


def _check_needs(move: Move, facts: Mapping[str, object]) -> None:
    missing = tuple(n for n in move.needs if facts.get(n) in (None, "", (), []))
    if missing:
        cures = "；".join(f"{n}（{NEEDS[n].cure}）" for n in missing)
        raise Refused(f"“{move.action}”还缺 {len(missing)} 项：{cures}", missing)
