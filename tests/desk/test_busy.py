"""数据库忙: whoever could not be written is told so, and nothing is kept."""

from __future__ import annotations

import errno

import pytest
from test_firm_page import enter, free_pair

from desk.office import Office
from store import claims, outbox
from store.database import DatabaseBusy
from store.database_faults import DatabaseOut


def busy(*_args, **_kept):
    raise DatabaseBusy(errno.EBUSY, "这一次没有保存；请过一会儿再试", "a.db")


def test_a_page_and_the_api_say_that_nothing_was_kept_and_when_to_try_again(fresh, monkeypatch):
    monkeypatch.setattr(claims, "pending", busy)
    page = fresh.client("lin").get("/desk/firms/identity")
    assert page.status_code == 503 and "没有保存" in page.text and page.headers["Retry-After"]


def test_a_firms_page_does_not_wait_for_its_letters_to_be_marked(fresh, monkeypatch):
    monkeypatch.setattr(outbox, "mark_read", busy)
    assert enter(fresh, free_pair(fresh)[0]).get("/my").status_code == 200


def test_a_database_that_is_gone_is_told_without_where_it_lies(desk, monkeypatch):
    def gone(*_args, **_kwargs):
        raise DatabaseOut(errno.ECONNREFUSED, "连不上数据库；请看 HUIQI_DB", "10.0.0.9:5432/huiqi")

    monkeypatch.setattr(Office, "night", gone)
    page = desk.anyone().get("/zone")
    assert page.status_code == 503 and page.headers["Retry-After"]
    assert "现在打不开" in page.text and "请过一会儿再来" in page.text
    assert "10.0.0.9" not in page.text and "HUIQI_DB" not in page.text


@pytest.mark.parametrize(
    ("address", "back"),
    [
        ("/zone/items/bs-2025-06/none", "/zone"),
        ("/nowhere", "/zone"),
        ("/desk/items/none/none", "/desk/today"),
    ],
)
def test_a_fault_leads_back_to_where_its_reader_belongs(desk, address, back):
    page = (desk.client("lin") if address.startswith("/desk") else desk.anyone()).get(address)
    assert page.status_code == 404 and f'<a href="{back}">回' in page.text
    assert ("/desk/" in page.text) == address.startswith("/desk")
