"""公开专区: readable without login, cookie or script; the calendar and the feed are what they say."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest
from fastapi.testclient import TestClient

from desk.app import create_app
from tests.databases import new_database


@pytest.fixture(scope="module")
def visitor(database: str, tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    home: Path = tmp_path_factory.mktemp("home")
    engine = new_database(home)
    return TestClient(create_app(engine, home, lambda: datetime(2026, 6, 18, tzinfo=UTC)))


def test_a_visitor_needs_no_cookie_and_no_script(visitor: TestClient) -> None:
    page = visitor.get("/zone")
    assert page.status_code == 200 and "set-cookie" not in page.headers
    assert "<script" not in page.text
    assert "失业保险稳岗返还" in page.text


def test_search_and_facets_narrow_the_list(visitor: TestClient) -> None:
    everything, found = visitor.get("/zone").text, visitor.get("/zone", params={"q": "研发 增量"}).text
    assert found.count('class="offer"') < everything.count('class="offer"')
    assert "研发费用增量补助" in found and "失业保险稳岗返还" not in found
    assert "没有查到" in visitor.get("/zone", params={"q": "没有这样的词"}).text
    free = visitor.get("/zone", params={"delivery": "免申即享"}).text
    assert "<b>免申即享</b>" in free and "<b>申报兑现</b>" not in free


def titles(page: str) -> set[str]:
    return set(re.findall(r'<article class="offer"><div><h3><a href="([^"]+)"', page))


def test_items_are_found_by_industry_and_by_money(visitor: TestClient) -> None:
    def found(**query: str) -> set[str]:
        pages = [visitor.get("/zone", params={**query, "page": n}).text for n in (1, 2, 3)]
        return set().union(*map(titles, pages))

    everything, makers, banks = found(), found(industry="C"), found(industry="J")
    assert "/zone/items/bs-2025-04/champion-award" in makers - banks
    assert makers <= everything and banks < everything
    assert "/zone/items/bs-2025-03/stable-jobs" in makers & banks, "what asks for no industry is open to all"
    large = found(money="最高 100 万元以上")
    assert (
        "/zone/items/bs-2025-04/champion-award" in large and "/zone/items/bs-2025-10/startup-kit" not in large
    )
    assert found(industry="C", money="最高 100 万元以上") == makers & large
    assert "/zone/items/bs-2025-08/mu-priority" in found(money="资格或服务")
    page = visitor.get("/zone", params={"industry": "C"}).text
    assert '<option value="C" selected>制造业' in page and "industry=C" in page and ">0元<" not in page


def test_a_search_that_no_item_has_word_for_word_finds_the_nearest_and_says_by_which_words(
    visitor: TestClient,
) -> None:
    page = visitor.get("/zone", params={"q": "给毕业生发就业的钱"}).text
    assert "没有事项含全部的词，相近的" in page and "相近的词：" in page
    assert page.index("高校毕业生") < page.index("</article>")


def test_the_guide_says_the_rule_in_the_policys_words(visitor: TestClient) -> None:
    page = visitor.get("/zone/items/bs-2025-06/rd-increment")
    assert page.status_code == 200
    for words in ("申兑指南", "一图读懂", "滨示保规〔2025〕6号", "比前一年度增长10%以上"):
        assert words in page.text
    assert visitor.get("/zone/items/bs-2025-06/none").status_code == 404


def test_the_self_test_asks_only_what_still_matters(visitor: TestClient) -> None:
    first = visitor.get("/zone/check").text
    assert "<legend>企业的登记地区划是什么？</legend>" in first
    elsewhere = visitor.get("/zone/check", params={"登记地区划": "110101"}).text
    assert elsewhere.count("不适用</span>") > first.count("不适用</span>")
    assert "登记地区划是什么" not in elsewhere
    wrong = visitor.get("/zone/check", params={"研发费用@2025": "很多"})
    assert wrong.status_code == 200 and "没有读懂" in wrong.text


def test_the_self_test_says_what_the_answers_come_to(visitor: TestClient) -> None:
    given = {
        "行业代码": "C3912", "登记地区划": "120116", "研发费用@2025": "600", "营业收入@2025": "9000", "成立日期": "2015-03-01",
        "登记状态": "存续", "严重违法失信名单": "否", "经营异常名录": "否", "失信被执行人": "否", "法人资格": "是",
        "依法纳统": "是", "重大事故次数@2025": "0",
    }  # fmt: skip
    page = visitor.get("/zone/check", params=given).text
    line = next(p for p in page.split("<li>") if "研发投入强度奖励" in p)
    assert "符合" in line and '<span class="mid">9 万元</span>' in line  # (600 − 300) 万元 × 3%
    waiting = visitor.get(
        "/zone/check", params={k: v for k, v in given.items() if not k.startswith("重大")}
    ).text
    assert "9 万元" not in waiting


def test_what_a_visitor_writes_is_shown_as_text(visitor: TestClient) -> None:
    page = visitor.get("/zone/check", params={"登记地区划": '"><script>alert(1)</script>'})
    assert page.status_code == 200 and "<script>alert" not in page.text


def test_the_calendar_is_icalendar(visitor: TestClient) -> None:
    answer = visitor.get("/zone/calendar.ics")
    lines = answer.text.split("\r\n")
    assert answer.headers["content-type"].startswith("text/calendar")
    assert lines[0] == "BEGIN:VCALENDAR" and lines[-2] == "END:VCALENDAR"
    assert all(len(line.encode()) <= 75 for line in lines)
    unfolded = answer.text.replace("\r\n ", "")
    assert unfolded.count("BEGIN:VEVENT") == unfolded.count("END:VEVENT") > 40
    assert "UID:bs-2025-06.rd-increment.2026@huiqi" in unfolded


def test_the_feed_and_the_sitemap_are_xml(visitor: TestClient) -> None:
    feed = ElementTree.fromstring(visitor.get("/zone/feed.xml").text)
    assert feed.tag == "rss" and len(feed.findall("./channel/item")) == 50
    mine = ElementTree.fromstring(visitor.get("/zone/feed.xml", params={"q": "知识产权"}).text)
    told = [i.findtext("description") or "" for i in mine.findall("./channel/item")]
    assert 0 < len(told) < 50 and all("相近的词：" in words for words in told)
    assert 'href="/zone/feed.xml?q=' in visitor.get("/zone", params={"q": "知识产权"}).text
    sitemap = ElementTree.fromstring(visitor.get("/zone/sitemap.xml").text)
    assert len(list(sitemap)) > 45


def test_a_search_engine_is_led_to_the_zone_alone(visitor: TestClient) -> None:
    lines = visitor.get("/robots.txt").text.splitlines()
    assert lines[:3] == ["User-agent: *", "Allow: /zone", "Disallow: /"]
    assert (
        visitor.get(lines[3].removeprefix("Sitemap: ")).headers["content-type"].startswith("application/xml")
    )


def test_every_address_of_the_sitemap_answers(visitor: TestClient) -> None:
    """National items fill fewer fields of the guide than the area's own."""
    sitemap = ElementTree.fromstring(visitor.get("/zone/sitemap.xml").text)
    for entry in sitemap.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc"):
        address = (entry.text or "").removeprefix("http://desk")
        assert visitor.get(address).status_code == 200, address


def test_what_some_firms_get_beside_the_usual_sum_is_told_to_all(desk):
    words = "先导产业企业按照融资额的2%给予奖励，最高不超过200万元"
    page = desk.anyone().get("/zone/items/bs-2025-05/equity").text
    assert page.count(words) == 2, "in the picture and in the guide"
    assert words[:8] in re.sub(
        r"<[^>]*>|\s", "", desk.anyone().get("/zone/items/bs-2025-05/equity/picture.svg").text
    )
    assert words in desk.client("lin").get("/desk/items/bs-2025-05/equity").text.split("扶持标准", 1)[1][:200]
    first = desk.anyone().get("/zone/items/bs-2025-06/first-set").text
    assert "另有规定" not in first, "what the sum's own words hold already is not said twice"
