"""认企业: rows without a certain firm, page by page; on a phone each is read from top to bottom."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from browsing import browser, enter, needs_browser, served
from clients import Desk

from profiles.ingest import load_dictionary
from profiles.source import load_sources
from store import claims
from store.imports import import_file

ROWS, PAGE = 33, "/desk/firms/identity"
HEAD = "企业名称,统一社会信用代码,注册日期,企业类型,注册资金,经营范围,所在省份,地区,注册地址\n"


@pytest.fixture
def waiting(fresh: Desk) -> Desk:
    """A desk with as many rows to claim as two pages hold: names of ours, codes that are none."""
    office = fresh.app.state.office
    names = [n for n in office.names(office.night()) if n][:ROWS]
    rows = "".join(f"{n},,2016-03-01,有限责任公司,100,集成电路设计,天津,滨海,滨海新区一号\n" for n in names)
    path = fresh.home / "没有代码.csv"
    path.write_text(HEAD + rows, encoding="utf-8")
    import_file(
        fresh.engine, path, load_sources()["registration"], dictionary=load_dictionary(), by="lin",
        arrived_at=datetime(2026, 6, 16, 1, tzinfo=UTC), day=date(2026, 6, 15),
    )  # fmt: skip
    assert claims.count_pending(fresh.engine) == ROWS
    return fresh


def test_all_of_them_are_counted_and_a_page_holds_thirty(waiting: Desk) -> None:
    client = waiting.client("lin")
    first, second = client.get(PAGE).text, client.get(f"{PAGE}?page=2").text
    assert f"等认的 <b>{ROWS}</b> 行" in first and first.count('name="id"') == 30
    assert f'href="{PAGE}?page=2"' in first and second.count('name="id"') == 3
    last = claims.pending(waiting.engine, limit=None)[-1]
    answer = waiting.post("lin", PAGE, id=str(last.id), page="2", do="都不是")
    assert answer.headers["location"].startswith(f"{PAGE}?page=2&told=")
    assert claims.count_pending(waiting.engine) == ROWS - 1
    assert client.get(f"{PAGE}?page=9").text.count('name="id"') == 2, "beyond the last page is the last page"


@needs_browser
def test_on_a_phone_no_name_is_squeezed_into_a_column_of_letters(waiting: Desk) -> None:
    with served(waiting.app) as base, browser() as chromium:
        page = chromium.new_context(viewport={"width": 390, "height": 844}).new_page()
        enter(page, base, "lin")
        page.goto(base + PAGE)
        heights = page.eval_on_selector_all(".claims > tbody > tr", "rows => rows.map(r => r.offsetHeight)")
        assert len(heights) == 30 and max(heights) < 500
