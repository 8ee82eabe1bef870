"""经办的一天: a real browser does it by keys; every page at three widths, no console error, nothing asked of another host."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from browsing import Watch, browser, enter, focused, leads, needs_browser, serious_faults, served, too_wide
from test_days import fits_a_phone
from test_review import fitting

from desk.doubts import Doubt, Queue
from store import audit, review

pytestmark = needs_browser
WIDTHS = (390, 1366, 1440)


def test_the_officers_day_by_keys_and_the_second_persons_answer(fresh):
    item, _codes = fitting(fresh)
    with served(fresh.app) as base, browser() as chromium:
        page = chromium.new_context(viewport={"width": 1366, "height": 768}).new_page()
        watch = Watch(page, urlsplit(base).netloc)
        enter(page, base, "lin")
        page.goto(f"{base}/desk/items/{item}/matches?verdict=符合&sort=amount")
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("x")
        page.keyboard.press("j")
        page.keyboard.press("x")
        assert "已选 2 家" in page.inner_text(".actbar .say")
        with leads(page):
            page.keyboard.press("a")
        assert "先看会怎样" in page.inner_text("main")
        fits_a_phone(page)
        assert review.history(fresh.engine) == []
        with leads(page):
            page.keyboard.press("a")
        assert len(review.history(fresh.engine)) == 2
        page.keyboard.press("j")
        focused(page, "tr.now a")
        with leads(page):
            page.keyboard.press("Enter")
        page.keyboard.press("1")
        assert page.locator("tbody#c1.here").count() == 1
        page.keyboard.press("r")
        focused(page, ".actbar details[open] *")
        page.keyboard.press("2")
        focused(page, "[data-digit='2']:checked")
        with leads(page):
            page.keyboard.press("Enter")
        assert "不纳入" in page.inner_text(".told")
        waiting = review.waiting_second(fresh.engine)
        assert [d.reason for d in waiting] == ["2"]
        second = chromium.new_context(viewport={"width": 1366, "height": 768}).new_page()
        enter(second, base, "shen")
        second.goto(f"{base}/desk/second")
        with leads(second):
            second.click("button:has-text('同意')")
        assert review.waiting_second(fresh.engine) == []
        assert watch.faults == []
    assert audit.verify(fresh.engine).whole


def test_a_rule_is_changed_checked_submitted_and_signed_by_another(fresh):
    item = "bs-2025-04/steady-growth"
    with served(fresh.app) as base, browser() as chromium:
        page = chromium.new_context(viewport={"width": 1440, "height": 900}).new_page()
        watch = Watch(page, urlsplit(base).netloc)
        enter(page, base, "lin")
        page.goto(f"{base}/desk/items/{item}")
        with leads(page):
            page.click("button:has-text('改规则')")
        text = page.input_value("#text")
        page.fill("#text", text.replace("title: ", "titel: ", 1))
        page.wait_for_selector("#problems .note.alarm")
        assert "titel" in page.inner_text("#problems")
        page.fill("#text", re.sub(r"title: .*", "title: 稳增长奖励（修订）", text, count=1))
        page.fill("#note", "名称与文件一致")
        with leads(page):
            page.click("button:has-text('提交签发')")
        assert "自己起草的规则由另一位签发" in page.inner_text("main")
        assert page.locator("button:has-text('签发并发布')").count() == 0
        other = chromium.new_context(viewport={"width": 1440, "height": 900}).new_page()
        enter(other, base, "shen")
        other.goto(page.url)
        with leads(other):
            other.click("button:has-text('签发并发布')")
        assert urlsplit(other.url).path == f"/desk/items/{item}"
        assert watch.faults == []
    published = (fresh.home / "library" / "bs-2025-04" / "items" / "steady-growth.yaml").read_text(
        encoding="utf-8"
    )
    assert "稳增长奖励（修订）" in published


def main_pages(desk):
    """Addresses of the desk's pages that hold something in the small office."""
    item, codes = fitting(desk)
    return [
        "/desk/today", "/desk/matches", f"/desk/items/{item}/matches", f"/desk/matches/{codes[0]}/{item}",
        f"/desk/items/{item}", f"/desk/items/{item}/near", f"/desk/items/{item}/runs", "/desk/items", "/desk/policies",
        "/desk/firms", f"/desk/firms/{codes[0]}", "/desk/firms/identity", "/desk/fulfil", "/desk/fulfil/arrears",
        "/desk/readiness", "/desk/data", "/desk/push", "/desk/runs", "/desk/runs/1", "/desk/audit", "/desk/settings",
        "/desk/second", "/desk/search?q=补助", f"/desk/matches/{codes[0]}/bs-2025-06/first-set", "/desk/doubts",
        "/desk/fulfil/kpi", f"/desk/items/{item}/impact", "/desk/jobs", "/desk/lists/高企培育", several_rows(desk),
    ]  # fmt: skip


def several_rows(desk):
    """The evidence of an enterprise with several rows of its own; a disagreement is put where the analysts' queue finds it."""
    office = desk.app.state.office
    night = office.night()
    own = night.columns().rows["人才"]
    code = night.columns().codes[max(set(own.owner.tolist()), key=own.owner.tolist().count)]
    one = Doubt(
        "bs-2025-03/talent-rent", "产业人才租房补贴", code, office.name(night, code), "degree", "硕士、博士", "硕士、博士",
        "文字像，规则判不符合", 0.93, 24_000.0, "C2761", "生物药品制造",
    )  # fmt: skip
    office.memory.put(("doubts", night.no), Queue(night.no, night.as_of, [one]))
    return f"/desk/matches/{code}/bs-2025-03/talent-rent"


def test_every_main_page_fits_its_width_and_asks_nobody_else(desk):
    with served(desk.app) as base, browser() as chromium:
        page = chromium.new_context().new_page()
        watch = Watch(page, urlsplit(base).netloc)
        enter(page, base, "admin")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            for path in main_pages(desk):
                assert page.goto(base + path).status == 200, path
                over = too_wide(page)
                assert over <= 0, f"{path} is {over} px too wide at {width}"
                assert page.locator("h1").count() == 1, path
        assert watch.faults == []


def test_no_page_has_a_serious_fault_for_those_who_see_or_move_differently(desk):
    with served(desk.app) as base, browser() as chromium:
        for theme, width in (("light", 1366), ("dark", 1366), ("light", 390)):
            context = chromium.new_context(viewport={"width": width, "height": 800})
            page = context.new_page()
            page.goto(f"{base}/desk/login")
            assert serious_faults(page) == []
            enter(page, base, "admin")
            context.add_cookies([{"name": "huiqi_theme", "value": theme, "url": base}])
            for path in main_pages(desk)[:: 1 if width > 390 else 4]:
                page.goto(base + path)
                assert serious_faults(page) == [], (path, theme, width)
            context.close()
