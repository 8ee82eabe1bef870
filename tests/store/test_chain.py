"""名单到兑现: decisions move grants in one transaction, and undoing moves them back."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from policies.calendar import builtin_calendar
from store import grants, ledger, review
from store.grants import Actor, NewGrant
from store.review import APPROVE, REJECT, Act, Pair, ReviewError

D, AT = date(2026, 6, 1), datetime(2026, 6, 1, 1, tzinfo=UTC)
CALENDAR = builtin_calendar()
ITEM, BATCH = "d/i", "2026"


def opened(engine, count: int = 1, variant: str = "免申即享", yuan: float = 1000.0) -> None:
    fen = round(yuan * 100)
    found = [NewGrant(f"C{n}", "甲", ITEM, BATCH, "奖", "局", variant, fen, fen) for n in range(count)]
    grants.open_grants(engine, found, D, AT, CALENDAR)


def pair(n: int = 0, low: float | None = 1000.0, high: float | None = 1000.0, seen: int = 0) -> Pair:
    return Pair(ITEM, BATCH, f"C{n}", "符合", low, high, last_seen=seen)


def decide(engine, act: Act, *pairs: Pair) -> list[review.ReviewDecision]:
    return review.decide(engine, "林", act, pairs, AT)


def case(engine, n: int = 0) -> grants.GrantCase:
    return grants.find(engine, code=f"C{n}")[0]


def test_approving_passes_the_list_and_undoing_takes_it_back(engine):
    opened(engine)
    made = decide(engine, Act(APPROVE), pair())[0]
    found = case(engine)
    assert (found.state, found.amount, found.holder) == ("信用核查", 100_000, "经办")
    last = grants.history(engine, found.id)[-1]
    assert (last.action, last.who, last.facts["名单意见"]) == ("通过名单", "林", made.id)
    review.undo(engine, made.id, "林", AT)
    assert case(engine).state == "名单核查"
    again = decide(engine, Act(APPROVE), pair(seen=made.id))[0]
    facts = {"信用查询日期": "x", "公示地址": "y"}
    grants.act(engine, found.id, "信用通过", Actor("林", "经办"), D, AT, CALENDAR, facts)
    with pytest.raises(ReviewError, match="已经办到“公示”"):
        review.undo(engine, again.id, "林", AT)
    assert review.decision(engine, again.id).state == review.ACTIVE


def test_refusing_closes_the_grant_and_can_be_taken_back(engine):
    opened(engine, 2)
    opened(engine, 3, "即申即享")
    made = decide(engine, Act(REJECT, reason="1"), pair(0), pair(2))
    assert [case(engine, n).state for n in (0, 2)] == ["不予兑现"] * 2
    assert case(engine).facts["理由"] == "企业放弃"
    for one in made:
        review.undo(engine, one.id, "林", AT)
    assert [case(engine, n).state for n in (0, 2)] == ["名单核查", "待提交"]
    assert ledger.verify_ledger(engine) == []


def test_what_needs_a_second_person_moves_when_they_agree(engine):
    opened(engine, 2, yuan=600_000.0)
    made = decide(engine, Act(APPROVE), pair(0, 6e5, 6e5), pair(1, 6e5, 6e5))
    assert case(engine).state == "名单核查"
    review.second(engine, made[0].id, "沈", True, "", AT)
    review.second(engine, made[1].id, "沈", False, "再核", AT)
    assert [case(engine, n).state for n in (0, 1)] == ["信用核查", "名单核查"]
    assert case(engine).facts["名单复核人"] == "沈"


def test_a_sum_that_is_not_exact_is_left_to_a_person(engine):
    opened(engine)
    decide(engine, Act(APPROVE), pair(0, 500.0, 1000.0))
    assert case(engine).state == "名单核查"


def test_a_grant_that_went_too_far_is_not_refused_on_the_list_and_nothing_is_written(engine):
    opened(engine, 2)
    first = decide(engine, Act(APPROVE), pair(0))[0]
    facts = {"信用查询日期": "x", "公示地址": "y"}
    grants.act(engine, case(engine).id, "信用通过", Actor("林", "经办"), D, AT, CALENDAR, facts)
    with pytest.raises(ReviewError, match=r"已经到“公示”.*兑现台账"):
        decide(engine, Act(REJECT, reason="1"), pair(1), pair(0, seen=first.id))
    assert case(engine, 1).state == "名单核查"
    assert [d.kind for d in review.history(engine, item=ITEM)] == [APPROVE]
