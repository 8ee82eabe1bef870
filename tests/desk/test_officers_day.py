"""经办的一天: a real browser does it by keys; every page at three widths, no console error, nothing asked of another host."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from browsing import Watch, browser, enter, needs_browser, served, too_wide
from test_review import fitting

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
        page.keyboard.press("a")
        page.wait_for_selector("text=先看会怎样")
        page.wait_for_load_state("load")
        assert review.history(fresh.engine) == []
        page.keyboard.press("a")
        page.wait_for_url("**/matches?*told=*")
        page.wait_for_load_state("load")
        assert len(review.history(fresh.engine)) == 2
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_selector("table.ev")
        page.wait_for_load_state("load")
        page.keyboard.press("1")
        assert page.locator("tbody#c1.here").count() == 1
        page.keyboard.press("r")
        page.keyboard.press("2")
        page.locator("[data-digit='2']:checked").wait_for()
        page.keyboard.press("Enter")
        page.wait_for_selector(".told")
        assert "不纳入" in page.inner_text(".told")
        waiting = review.waiting_second(fresh.engine)
        assert [d.reason for d in waiting] == ["2"]
        second = chromium.new_context(viewport={"width": 1366, "height": 768}).new_page()
        enter(second, base, "shen")
        second.goto(f"{base}/desk/second")
        second.click("button:has-text('同意')")
        second.wait_for_url("**/desk/second?*")
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
        page.click("button:has-text('改规则')")
        page.wait_for_selector("textarea#text")
        text = page.input_value("#text")
        page.fill("#text", text.replace("title: ", "titel: ", 1))
        page.wait_for_selector("#problems .note.alarm")
        assert "titel" in page.inner_text("#problems")
        page.fill("#text", re.sub(r"title: .*", "title: 稳增长奖励（修订）", text, count=1))
        page.fill("#note", "名称与文件一致")
        page.click("button:has-text('提交签发')")
        page.wait_for_selector("text=自己起草的规则由另一位签发")
        assert page.locator("button:has-text('签发并发布')").count() == 0
        other = chromium.new_context(viewport={"width": 1440, "height": 900}).new_page()
        enter(other, base, "shen")
        other.goto(page.url)
        other.click("button:has-text('签发并发布')")
        other.wait_for_url(f"**/desk/items/{item}?*")
        assert watch.faults == []
    published = (fresh.home / "library" / "bs-2025-04" / "items" / "steady-growth.yaml").read_text(
        encoding="utf-8"
    )
    assert "稳增长奖励（修订）" in published


def test_every_main_page_fits_its_width_and_asks_nobody_else(desk):
    item, codes = fitting(desk)
    paths = ["/desk/today", "/desk/matches", f"/desk/items/{item}/matches", f"/desk/matches/{codes[0]}/{item}", f"/desk/items/{item}",
             "/desk/items", "/desk/policies", "/desk/firms", f"/desk/firms/{codes[0]}", "/desk/fulfil", "/desk/readiness", "/desk/data",
             "/desk/push", "/desk/runs", "/desk/audit", "/desk/settings", "/desk/second", f"/desk/items/{item}/near"]  # fmt: skip
    with served(desk.app) as base, browser() as chromium:
        page = chromium.new_context().new_page()
        watch = Watch(page, urlsplit(base).netloc)
        enter(page, base, "admin")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            for path in paths:
                assert page.goto(base + path).status == 200, path
                over = too_wide(page)
                assert over <= 0, f"{path} is {over} px too wide at {width}"
                assert page.locator("h1").count() == 1, path
                nameless = page.evaluate(NAMELESS)
                assert nameless == [], (path, nameless)
        assert watch.faults == []


# Fields and buttons without a name for those who cannot see them.
NAMELESS = """() => [...document.querySelectorAll('input:not([type=hidden]), select, textarea, button, a')].filter((el) => {
  const label = el.labels && el.labels.length ? el.labels[0].textContent : '';
  return !(label || el.getAttribute('aria-label') || el.textContent || el.value || el.title || '').trim();
}).map((el) => el.outerHTML.slice(0, 120))"""
