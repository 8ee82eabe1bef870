"""公示与兑现, 一图读懂 as SVG and PNG: public, without a cookie, and never more than the public may see."""

from __future__ import annotations

from xml.etree import ElementTree

from clients import Desk
from test_firm_page import free_pair, grant

from analysis.relevance import program_text
from desk.onepage import WIDTH, as_svg, sheet_of
from engine.grantmoves import AUTOMATIC, State
from store import grants
from store.calendars import office_calendar

GUIDE = "/zone/items/bs-2025-06/rd-increment"


def text_of(svg: str) -> str:
    return "".join(
        "".join(e.itertext()) for e in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    )


def test_the_picture_says_the_rule_and_asks_nothing_of_another_host(desk: Desk) -> None:
    visitor = desk.anyone()
    page = visitor.get(GUIDE).text
    assert f"{GUIDE}/picture.svg" in page and f"{GUIDE}/picture.png" in page
    answer = visitor.get(f"{GUIDE}/picture.svg")
    assert answer.headers["content-type"].startswith("image/svg+xml") and "set-cookie" not in answer.headers
    text = text_of(answer.text)
    for words in ("研发费用增量补助", "谁能享受", "比前一年度增长10%以上", "怎么办", "什么时候"):
        assert words in text, words
    assert "href" not in answer.text and "<script" not in answer.text and "<image" not in answer.text
    picture = visitor.get(f"{GUIDE}/picture.png")
    assert picture.content.startswith(b"\x89PNG") and "set-cookie" not in picture.headers
    assert int.from_bytes(picture.content[16:20], "big") == 2 * WIDTH
    for wrong in ("none/none", "bs-2025-06/none"):
        assert visitor.get(f"/zone/items/{wrong}/picture.svg").status_code == 404


def test_every_item_has_a_picture_without_its_hidden_conditions(desk: Desk) -> None:
    office = desk.app.state.office
    hidden = 0
    for program in office.library(office.night()).programs:
        answer = desk.anyone().get(f"/zone/items/{program.item.id}/picture.svg")
        assert answer.status_code == (200 if program.item.status in ("有效", "额满") else 404), (
            program.item.id
        )
        for one in program.conditions if answer.status_code == 200 else ():
            if one.condition.hidden:
                assert one.condition.quote not in text_of(answer.text)
                found = desk.anyone().get("/zone", params={"q": one.condition.quote[:100]}).text
                listed = f'href="/zone/items/{program.item.id}"' in found
                assert not listed or "没有事项含全部的词" in found, "a search does not tell of it"
                assert one.condition.quote not in program_text(program)
                hidden += 1
    assert hidden, "the sample must hold hidden conditions"


def test_words_are_wrapped_inside_the_edges_and_kept_as_text() -> None:
    long = "按照增量的10%给予补助且不高于200万元" * 9
    sheet = sheet_of("<b>题&目</b>", "免申即享", [(long, "第一条")], "20万元", [("公示", "")], "2026", "末")
    assert max(w.size * len(w.text) for w in sheet.words if w.song) <= 2 * WIDTH
    svg = as_svg(sheet)
    assert long in text_of(svg).replace("· ", "") and "<b>" not in svg
    assert all(w.y < sheet.height for w in sheet.words)


def test_notices_show_who_is_on_notice_and_what_was_paid(fresh: Desk) -> None:
    empty = fresh.anyone().get("/zone/notices")
    assert "现在没有正在公示的名单" in empty.text and "还没有到账的" in empty.text
    code, item = free_pair(fresh)
    case, calendar = grant(fresh, code, item, waiting=False), office_calendar(fresh.engine)
    fresh_day = next(c for c in grants.find(fresh.engine) if c.id == case).since
    for action, facts in (
        ("通过名单", {"核定金额": 100_000_00}),
        ("信用通过", {"信用查询日期": "2026-06-02", "公示地址": "网站"}),
    ):
        grants.act(
            fresh.engine, case, action, grants.Actor("甲", "经办"), fresh_day, fresh.moment, calendar, facts
        )
    (found,) = grants.find(fresh.engine)
    assert found.state == State.NOTICE.value and found.variant == AUTOMATIC and found.due
    answer = fresh.anyone().get("/zone/notices")
    assert found.firm in answer.text and "100,000.00" in answer.text and found.due.isoformat() in answer.text
    assert code not in answer.text and "set-cookie" not in answer.headers and "<script" not in answer.text
    assert "还没有到账的" in answer.text


def test_what_was_paid_is_a_sum_by_item_without_names(fresh: Desk) -> None:
    from test_days import at_finance

    case = at_finance(fresh)
    calendar = office_calendar(fresh.engine)
    clerk = grants.Actor("cai", "财政")
    paid = {"支付金额": case.amount, "流水号": "PAY-1"}
    for action, facts in (("财政通过", {}), ("下达", paid), ("到账", paid)):
        grants.act(fresh.engine, case.id or 0, action, clerk, case.since, fresh.moment, calendar, facts)
    page = fresh.anyone().get("/zone/notices").text
    assert "200,000.00" in page and case.title in page and case.firm not in page and "PAY-1" not in page


def test_a_sole_traders_name_is_kept_off_the_notice_until_the_office_says_otherwise(fresh: Desk) -> None:
    item, today = "a/b", fresh.app.state.office.today()
    names = {"92120116MA0000001X": "滨海示范区某某某小吃店", "91120116MA0000002X": "滨海示范某某有限公司"}
    opened = [grants.NewGrant(c, n, item, "2026", "样例奖励", "商务局", AUTOMATIC, 100, 100) for c, n in names.items()]  # fmt: skip
    calendar = office_calendar(fresh.engine)
    grants.open_grants(fresh.engine, opened, today, fresh.moment, calendar)
    for case in grants.find(fresh.engine):
        actor = grants.Actor("lin", "经办")
        for action, facts in (("通过名单", {"核定金额": 100}), ("信用通过", {"信用查询日期": str(today), "公示地址": "样例"})):  # fmt: skip
            grants.act(fresh.engine, case.id or 0, action, actor, today, fresh.moment, calendar, facts)
    page = fresh.anyone().get("/zone/notices").text
    assert (
        "某某某小吃店" not in page
        and "个体工商户（代码尾号 001X）" in page
        and "滨海示范某某有限公司" in page
    )
    assert fresh.post("admin", "/desk/settings", do="改公开", own_credit="1").status_code == 303
    assert "某某某小吃店" in fresh.anyone().get("/zone/notices").text
