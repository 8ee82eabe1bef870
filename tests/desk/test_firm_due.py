"""期限: a firm reads by when a step of its own is wanted, and once that day has passed, that it has and what happens now."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
import world
from clients import Desk
from sqlmodel import select
from test_firm_page import enter, form, free_pair, grant

import store
from desk.firmdue import IN_A_LETTER, deadline_of, over_in_letter
from engine.grantmoves import ONCE, State
from store import grants
from store.database import session
from store.outbox import SENT, Push

DAY = date(2026, 6, 17)


def case(state: State, due: date | None, **facts: object) -> grants.GrantCase:
    return grants.GrantCase(
        code="91120116MA0700001X", item="a/b", batch="2026", variant=ONCE, state=state.value, due=due, since=DAY,
        department="科技局", facts=facts,
    )  # fmt: skip


@pytest.mark.parametrize(
    "state, step", [(State.CONFIRM, "确认"), (State.CORRECTING, "补正"), (State.INVITED, "提交")]
)
def test_up_to_its_day_a_step_is_asked_for_and_after_it_is_said_what_happens(state: State, step: str) -> None:
    for due in (DAY, DAY + timedelta(days=1)):
        told = deadline_of(case(state, due), DAY)
        assert told.words == f"请在 6月{due.day}日 前{step}。" and told.open and not told.over
    late = deadline_of(case(state, DAY - timedelta(days=1)), DAY)
    assert late.over and late.open and "（6月16日）已经过了" in late.words and "请在" not in late.words
    assert "仍然" in late.words, "what happens now is said"
    assert deadline_of(case(state, None), DAY).words == ""


def test_a_batch_that_is_over_takes_nothing_in_and_one_that_runs_still_does() -> None:
    over = deadline_of(case(State.INVITED, DAY - timedelta(days=3), 批次截止="2026-06-14"), DAY)
    assert over.over and not over.open and "6月14日 截止" in over.words and "科技局" in over.words
    runs = deadline_of(case(State.INVITED, DAY - timedelta(days=3), 批次截止="2026-06-30"), DAY)
    assert runs.over and runs.open and "6月30日 截止" in runs.words


def test_after_the_firm_was_silent_the_officers_own_day_is_not_told_as_its(fresh: Desk) -> None:
    told = deadline_of(case(State.SILENT, DAY + timedelta(days=9)), DAY)
    assert told.over and told.open and "6月26日" not in told.words and "专员会联系您" in told.words
    assert deadline_of(case(State.FINANCE, DAY - timedelta(days=9)), DAY).words == ""


def test_the_inbox_says_that_the_day_has_passed_and_the_step_still_works(fresh: Desk) -> None:
    code, item = free_pair(fresh)
    number = grant(fresh, code, item)
    with session(fresh.engine) as opened:
        row = opened.get_one(grants.GrantCase, number)
        row.due = world.AS_OF - timedelta(days=1)
        opened.add(row)
        letter = Push(key="a" * 40, firm=code, item=item, batch="2026", channel="inbox", kind="confirm", state=SENT,
                      next_at=world.NOW, created=world.NOW, sent=world.NOW, subject="请确认", body="请在 2026-06-01 前确认收款账户。")  # fmt: skip
        opened.add(letter)
        opened.commit()
    client = enter(fresh, code)
    page = client.get("/my").text
    assert "已经过了。现在确认仍然有效" in page and "信里的期限（6月1日）已经过了" in page
    said = {"户名": "甲公司", "账号": "622200001111", "开户行": "某行", "确认人": "王某", "户名说明": "名称刚改", "本企业账户": "是", "do": "确认"}  # fmt: skip
    assert client.post(f"/my/grants/{number}", data=form(client, **said)).status_code == 303
    with session(fresh.engine) as opened:
        state = opened.exec(select(grants.GrantCase.state).where(grants.GrantCase.id == number)).one()
    assert state == State.FINANCE.value


def test_every_message_that_names_a_last_day_is_understood_when_it_has_passed() -> None:
    found = [
        p
        for p in Path(store.__file__).with_name("messages").glob("*.txt")
        if "{until}" in p.read_text("utf-8") and p.name != "paid.txt"
    ]
    assert len(found) > 3
    for path in found:
        text = path.read_text("utf-8").replace("{until}", "2026-06-01")
        assert IN_A_LETTER.search(text), path.name
        assert (
            over_in_letter(text, DAY) == date(2026, 6, 1) and over_in_letter(text, date(2026, 6, 1)) is None
        )
    paid = (
        Path(store.__file__).with_name("messages") / "paid.txt"
    )  # rating is offered; nothing is over without it
    assert over_in_letter(paid.read_text("utf-8").replace("{until}", "2026-06-01"), DAY) is None
    assert over_in_letter("请在 规定期限 前补正，2026-13-45 前", DAY) is None
