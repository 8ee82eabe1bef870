"""数据库忙: whoever could not be written is told so, and nothing is kept."""

from __future__ import annotations

import errno

from test_firm_page import enter, free_pair

from store import claims, outbox
from store.database import DatabaseBusy


def busy(*_args, **_kept):
    raise DatabaseBusy(errno.EBUSY, "这一次没有保存；请过一会儿再试", "a.db")


def test_a_page_and_the_api_say_that_nothing_was_kept_and_when_to_try_again(fresh, monkeypatch):
    monkeypatch.setattr(claims, "pending", busy)
    page = fresh.client("lin").get("/desk/firms/identity")
    assert page.status_code == 503 and "没有保存" in page.text and page.headers["Retry-After"]


def test_a_firms_page_does_not_wait_for_its_letters_to_be_marked(fresh, monkeypatch):
    monkeypatch.setattr(outbox, "mark_read", busy)
    assert enter(fresh, free_pair(fresh)[0]).get("/my").status_code == 200
