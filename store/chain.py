"""名单到兑现: a decision on a match moves its grant in the same transaction; undoing it moves the grant back."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy.engine import Engine
from sqlmodel import Session, col, select

from engine.fulfilment import Refused, moves_from
from engine.grantmoves import FINAL, OFFICE, State
from engine.workdays import Calendar
from store import grants
from store.calendars import office_calendar
from store.grants import Actor, GrantCase, GrantEvent

if TYPE_CHECKING:
    from store.review import ReviewDecision

PASS, REFUSE, TAKE_BACK = "通过名单", "不予兑现", "撤回意见"
SHANGHAI_HOURS = timedelta(hours=8)


class Chain:
    """一次办理: the day, the hour and the calendar that all moves of one command share."""

    def __init__(self, engine: Engine, at: datetime):
        self.at, self.on = at, (at + SHANGHAI_HOURS).date()
        self.calendar: Calendar = office_calendar(engine)

    def follow(self, opened: Session, made: ReviewDecision, approve: bool, words: str) -> bool:
        """跟着走: passes or refuses the grant of a decision that took effect; False where there is none to move.

        A sum that is not exact is left to a person on 兑现台账. Raises Refused where the grant has gone too far.
        """
        case = _grant_of(opened, made)
        if case is None or (approve and case.state != State.LISTED.value):
            return False
        facts: dict[str, object] = {"名单意见": made.id}
        if approve:
            if made.high is None or made.low != made.high:
                return False
            facts["核定金额"] = made.high
            if made.text:
                facts["变化说明"] = made.text
        else:
            if State(case.state) in FINAL:
                return False
            facts |= {"理由代码": made.reason, "理由": words}
        action = PASS if approve else REFUSE
        if not any(m.action == action for m in moves_from(grants.to_pure(case), OFFICE)):
            raise Refused(
                f"{case.firm or case.code} 的第 {case.id} 号兑现事项已经到“{case.state}”，不能在名单上“{made.kind}”：请到兑现台账办"
            )
        if made.second_who:
            facts["名单复核人"] = made.second_who
        self._act(opened, case, action, Actor(made.who, OFFICE), facts, _request(made))
        return True

    def take_back(self, opened: Session, made: ReviewDecision, who: str) -> bool:
        """撤回: the grant goes back to where the decision took it from. Raises Refused where somebody went on from it."""
        query = select(GrantEvent).where(GrantEvent.request == _request(made))
        moved = opened.exec(query).first()
        if moved is None:
            return False
        query = select(GrantEvent).where(GrantEvent.grant_id == moved.grant_id)
        last = opened.exec(query.order_by(col(GrantEvent.no).desc())).first()
        if last is None or last.id != moved.id:
            raise Refused(
                f"第 {moved.grant_id} 号兑现事项已经办到“{last.went_to if last else ''}”，不能再撤回"
            )
        case = opened.get_one(GrantCase, moved.grant_id)
        self._act(opened, case, TAKE_BACK, Actor(who, "系统"), {"名单意见": made.id}, f"undo:{made.id}")
        return True

    def _act(
        self,
        opened: Session,
        case: GrantCase,
        action: str,
        actor: Actor,
        facts: dict[str, object],
        request: str,
    ) -> None:
        day: date = max(
            self.on, case.since
        )  # a night may be dated ahead of the clock; the ledger never goes back
        grants.act_in(opened, case.id or 0, action, actor, day, self.at, self.calendar, facts, request)


def _request(made: ReviewDecision) -> str:
    return f"review:{made.id}"


def _grant_of(opened: Session, made: ReviewDecision) -> GrantCase | None:
    query = select(GrantCase).where(
        GrantCase.code == made.code, GrantCase.item == made.item, GrantCase.batch == made.batch
    )
    return opened.exec(query).first()
