"""企业和访客的一天 on a phone of 390 px, in a real browser: no console error, nothing asked of another host."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import world
from browsing import Watch, browser, leads, needs_browser, serious_faults, served, too_wide
from clients import Desk
from test_firm_file import MAY, land
from test_firm_page import free_pair, grant

from engine.grantmoves import State
from store import audit, corrections, credentials, grants
from store.reach import reach

pytestmark = needs_browser
PHONE = {"width": 390, "height": 844}


def sound(page: Any) -> None:
    """The page fits the phone and axe-core finds nothing serious."""
    assert too_wide(page) <= 0, page.url
    assert serious_faults(page) == [], page.url


def test_the_firms_day(fresh: Desk) -> None:
    code, item = free_pair(fresh)
    case = grant(fresh, code, item)
    land(fresh, code, "微澜集成电路有限公司", "350(万元人民币)", MAY, "2026-05-01", "lin")
    secret = credentials.make_code(fresh.engine, code, by="lin", now=world.NOW)
    with served(fresh.app) as base, browser() as chromium:
        page = chromium.new_context(viewport=PHONE).new_page()
        watch = Watch(page, urlsplit(base).netloc)
        page.goto(f"{base}/my")
        page.wait_for_url("**/my/login")
        page.fill("[name=code]", secret)
        page.keyboard.press("Enter")
        page.wait_for_url("**/my")
        sound(page)
        for name, value in (("账号", "6222 0000 0000 0000"), ("开户行", "示范银行"), ("确认人", "财务")):
            page.fill(f"[name={name}]", value)
        page.check("[name=本企业账户]")
        page.click("button:has-text('确认，拨到这个账户')")
        page.wait_for_url("**/my?told=*")
        assert next(c.state for c in grants.find(fresh.engine) if c.id == case) == State.FINANCE.value
        with leads(page):
            page.click("nav >> text=我的档案")
        page.click("tr:has-text('注册资本') summary")
        page.fill("tr:has-text('注册资本') [name=claimed]", "500 万元")
        page.fill("tr:has-text('注册资本') [name=reason]", "见验资报告")
        sound(page)
        with leads(page):
            page.click("tr:has-text('注册资本') button")
        page.wait_for_selector("text=您指出的")
        assert [c.claimed for c in corrections.corrections(fresh.engine, code=code)] == ["500 万元"]
        with leads(page):
            page.click("nav >> text=我的政策")
        sound(page)
        with leads(page):
            page.click(f"main a[href='/my/items/{item}']")
        sound(page)
        page.click("summary:has-text('不要这一项')")
        with leads(page):
            page.click("button:has-text('不要这一项')")
        assert urlsplit(page.url).path == "/my/wishes"
        page.fill("[name=phone]", "13800000000")
        with leads(page):
            page.click("button:has-text('改成这样')")
        page.wait_for_selector("text=改好了：电话")
        sound(page)
        page.check("[name=pace][value='90']")
        page.check("[name=consent][value=不愿意]")
        page.check("[name=stopped]")
        sound(page)
        with leads(page):
            page.click("button:has-text('按这个办')")
        kept = reach(fresh.engine, code)
        assert kept is not None and (kept.consent, kept.stopped, kept.refused) == (False, True, [item])
        assert (kept.phone, kept.every_days) == ("13800000000", 90)
        with leads(page):
            page.click("nav >> text=已到账")
        sound(page)
        page.click("button:has-text('退出')")
        page.wait_for_url("**/my/login")
        assert watch.faults == []
    assert audit.verify(fresh.engine).whole


def test_the_visitors_day(fresh: Desk) -> None:
    """Without script: search, a guide with its picture, the self-test, the calendar, what is made public."""
    with served(fresh.app) as base, browser() as chromium:
        context = chromium.new_context(viewport=PHONE, java_script_enabled=False, accept_downloads=True)
        page = context.new_page()
        watch = Watch(page, urlsplit(base).netloc)
        page.goto(f"{base}/zone")
        page.fill("[type=search]", "研发 增量")
        page.keyboard.press("Enter")
        page.wait_for_url("**/zone?q=*")
        with leads(page):
            page.click(".offer a >> nth=0")
        page.wait_for_selector("text=申兑指南")
        page.goto(f"{base}/zone")
        page.select_option("[name=industry]", "J")
        with leads(page):
            page.click("main form button")
        assert "industry=J" in page.url
        page.wait_for_selector("main .src:has-text('金融业')")
        assert too_wide(page) <= 0  # axe needs a script, which this visitor has not
        page.goto(f"{base}/zone/check")
        before = page.locator("legend").first.inner_text()
        with leads(page):
            page.locator("main form button").first.click()
        assert before
        with leads(page):
            page.click("nav >> text=政策日历")
        with page.expect_download() as got:
            page.click("main a[href='/zone/calendar.ics']")
        assert got.value.path().read_bytes().startswith(b"BEGIN:VCALENDAR")
        assert context.cookies() == [], "nobody is followed"
        assert watch.faults == []
        seen = chromium.new_context(viewport=PHONE).new_page()
        heard = Watch(seen, urlsplit(base).netloc)
        guide = "/zone/items/bs-2025-06/rd-increment"
        for path in ("/zone", guide, "/zone/check", "/zone/calendar", "/zone/notices"):
            seen.goto(base + path)
            sound(seen)
        assert seen.goto(f"{base}{guide}/picture.svg").status == 200
        assert heard.faults == []
