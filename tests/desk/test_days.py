"""几个人的一天: a second reviewer, a finance clerk and an officer with nothing but a keyboard, in a real browser."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlsplit

import openpyxl
from browsing import Watch, browser, enter, focused, leads, needs_browser, serious_faults, served, too_wide
from clients import Desk
from test_review import fitting

from engine.grantmoves import AUTOMATIC
from policies.calendar import builtin_calendar
from store import audit, grants, ledger, review
from store.grants import Actor, NewGrant

pytestmark = needs_browser
ITEM, BATCH, FEN = "bs-2025-04/steady-growth", "2026", 20_000_000
OFFICE, FIRM = Actor("lin", "经办"), Actor("张", "企业")
ACCOUNT = {"户名": "", "账号": "6222020200112233", "开户行": "某银行", "确认人": "张"}


def at_finance(desk: Desk) -> grants.GrantCase:
    """One grant on the finance clerk's desk: listed, credit checked, notice over, account confirmed by the firm."""
    office = desk.app.state.office
    night = office.night()
    code = night.columns().codes[0]
    name = office.name(night, code)
    day, calendar = date(2026, 6, 1), builtin_calendar()
    moment = datetime(2026, 6, 1, 1, tzinfo=UTC)
    made = NewGrant(code, name, ITEM, BATCH, "规上工业企业稳增长奖励", "经济发展局", AUTOMATIC, FEN, FEN)
    grants.open_grants(desk.engine, [made], day, moment, calendar)
    (case,) = grants.find(desk.engine)
    for action, actor, on, facts in (
        ("通过名单", OFFICE, day, {"核定金额": FEN}),
        ("信用通过", OFFICE, day, {"信用查询日期": "2026-06-01", "公示地址": "某网"}),
        ("公示期满", grants.SYSTEM, date(2026, 6, 9), {}),
        ("确认", FIRM, date(2026, 6, 10), ACCOUNT | {"户名": name}),
    ):
        case = grants.act(desk.engine, case.id or 0, action, actor, on, moment, calendar, facts)
    assert case.state == "财政审核"
    return case


def fits_a_phone(page: Any) -> None:
    """The page as it stands, held at the width of a phone: nothing beside the screen, nothing serious for axe."""
    usual = page.viewport_size
    page.set_viewport_size({"width": 390, "height": 844})
    assert too_wide(page) <= 0 and serious_faults(page) == [], page.url
    page.set_viewport_size(usual)


def step(page: Any, action: str, **facts: str) -> None:
    """One step on the case's page: open its form, fill what it needs, send it."""
    fold = page.locator(f".actbar details:has(summary:has-text('{action}'))").first
    fold.locator("summary").click()
    for name, value in facts.items():
        fold.locator(f"[name='fact.{name}']").fill(value)
    with leads(page):
        fold.locator(f"button:has-text('{action}')").click()


def test_the_finance_clerks_day(fresh: Desk) -> None:
    case = at_finance(fresh)
    with served(fresh.app) as base, browser() as chromium:
        page = chromium.new_context(viewport={"width": 1366, "height": 768}, accept_downloads=True).new_page()
        watch = Watch(page, urlsplit(base).netloc)
        enter(page, base, "cai")
        assert page.locator(".nav a:has-text('名单')").count() == 0, "the lists are not the clerk's"
        for link in (
            ".nav a:has-text('兑现')",
            "a:has-text('轮到我')",
            f"main a[href*='/desk/fulfil/{case.id}']",
        ):
            with leads(page):
                page.click(link)
        page.wait_for_selector(".road")
        assert "＊＊＊＊2233" in page.content() and "6222020200112233" not in page.content()
        step(page, "财政通过")
        step(page, "下达", 支付金额="120000.00", 流水号="PAY-1")
        assert grants.find(fresh.engine)[0].ordered == 12_000_000
        step(page, "下达", 支付金额="120000.00", 流水号="PAY-2")
        assert page.locator(".note.alarm").count() == 1, "more than was granted is refused in words"
        assert grants.find(fresh.engine)[0].ordered == 12_000_000
        page.goto(f"{base}/desk/fulfil/{case.id}")
        step(page, "下达", 支付金额="80000.00", 流水号="PAY-2")
        step(page, "到账", 支付金额="120000.00", 流水号="PAY-1")
        step(page, "到账", 支付金额="80000.00", 流水号="PAY-2")
        assert serious_faults(page) == []
        done = grants.find(fresh.engine)[0]
        assert (done.state, done.arrived) == ("到账", FEN)
        page.goto(f"{base}/desk/fulfil")
        with page.expect_download() as got:
            page.click("a[href*='fulfil.xlsx']")
        sheet = openpyxl.load_workbook(io.BytesIO(got.value.path().read_bytes())).active
        cells = [c.value for row in sheet.iter_rows() for c in row]
        assert case.code in cells and 200000 in cells
        page.goto(f"{base}/desk/matches/{case.code}/{ITEM}")
        assert "这家企业在这一项上的兑现" in page.content() and "200,000.00" in page.content()
        assert page.locator("table.ev").count() == 1 and page.locator(".actbar").count() == 0, (
            "evidence is read only"
        )
        # Chromium notes an answer of 409 by itself; the page of the refusal is what it should be.
        faults = [f for f in watch.faults if "409" not in f]
        for path in ("/desk/settings", "/desk/second", f"/desk/items/{ITEM}/matches"):
            assert page.goto(base + path).status == 403, path
        assert faults == []
    assert ledger.verify_ledger(fresh.engine) == [] and audit.verify(fresh.engine).whole


def test_the_second_reviewers_day(fresh: Desk) -> None:
    item, codes = fitting(fresh)
    office = fresh.app.state.office
    night = office.night()
    for code in codes[:2]:
        pair = office.pair(night, item, code, 0)
        review.decide(fresh.engine, "lin", review.Act("不纳入", "6", "主业不在目录里"), [pair], fresh.moment)
    own = office.pair(night, item, codes[2], 0)
    review.decide(fresh.engine, "admin", review.Act("不纳入", "6", "同上"), [own], fresh.moment)
    with served(fresh.app) as base, browser() as chromium:
        page = chromium.new_context(viewport={"width": 1366, "height": 768}).new_page()
        watch = Watch(page, urlsplit(base).netloc)
        enter(page, base, "shen")
        with leads(page):
            page.click("text=去复核")
        fits_a_phone(page)
        assert page.locator("button:has-text('同意')").count() == 3
        with leads(page):
            page.locator("main a[href*='/desk/matches/']").first.click()
        assert page.locator("table.ev").count() == 1
        page.go_back()
        page.wait_for_url("**/desk/second")
        with leads(page):
            page.locator("button:has-text('同意')").first.click()
        with leads(page):
            page.locator("button:has-text('退回')").first.click()
        assert len(review.waiting_second(fresh.engine)) == 2, "sending back wants words"
        page.locator("input[name=text]").first.fill("请附目录的那一条")
        with leads(page):
            page.locator("button:has-text('退回')").first.click()
        states = sorted(d.state for d in review.history(fresh.engine))
        assert states == sorted([review.ACTIVE, review.RETURNED, review.WAITING])
        admin = chromium.new_context().new_page()
        enter(admin, base, "admin")
        admin.goto(f"{base}/desk/second")
        assert admin.locator("button:has-text('同意')").count() == 0, "nobody is their own second"
        assert watch.faults == []
    assert audit.verify(fresh.engine).whole


def test_the_keyboard_only_officers_day(fresh: Desk) -> None:
    """No mouse at all: login, search, a list, evidence, asking the firm, a note, undo, a rule, logging out."""
    item, _codes = fitting(fresh)
    with served(fresh.app) as base, browser() as chromium:
        page = chromium.new_context(viewport={"width": 1366, "height": 768}).new_page()
        watch = Watch(page, urlsplit(base).netloc)
        press, kind = page.keyboard.press, page.keyboard.type
        page.goto(f"{base}/desk/login")
        focused(page, "#login")
        kind("lin")
        press("Tab")
        focused(page, "#password")
        kind("correct horse battery")
        with leads(page):
            press("Enter")
        assert urlsplit(page.url).path == "/desk/today"
        press("Tab")
        focused(page, "a.skip")
        press("?")
        page.wait_for_selector("#keys[open]")
        press("Escape")
        page.wait_for_selector("#keys", state="hidden")
        press("/")
        focused(page, "#q")
        kind(item.split("/")[1][:4])
        with leads(page):
            press("Enter")
        assert urlsplit(page.url).path == "/desk/search"
        page.goto(f"{base}/desk/items/{item}/matches?verdict=符合")
        press("j")
        focused(page, "tr.now a")
        with leads(page):
            press("Enter")
        assert page.locator("table.ev").count() == 1
        press("q")
        focused(page, ".actbar details[open] *")
        reach(page, ".actbar details[open] [name=text]")
        kind("请补一份说明")
        with leads(page):
            press("Enter")
        (asked,) = review.history(fresh.engine)
        assert asked.kind == "问企业" and asked.text == "请补一份说明"
        reach(page, ".told button")
        with leads(page):
            press("Enter")
        assert "已撤回" in page.inner_text("main")
        assert review.history(fresh.engine)[0].state == review.UNDONE
        page.goto(f"{base}/desk/items/{item}")
        with leads(page):
            press("]")
        assert urlsplit(page.url).path.endswith("/matches")
        with leads(page):
            press("[")
        assert urlsplit(page.url).path == f"/desk/items/{item}"
        reach(page, "button:has-text('改规则')")
        with leads(page):
            press("Enter")
        page.wait_for_selector("textarea#text")
        reach(page, ".menu summary")
        press("Enter")
        reach(page, "button:has-text('退出')")
        with leads(page):
            press("Enter")
        assert urlsplit(page.url).path == "/desk/login"
        assert watch.faults == []


def reach(page: Any, target: str, most: int = 250) -> None:
    """Tab until the element has the focus, and see that it shows it."""
    wanted = page.locator(target).locator("visible=true").first.element_handle()
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("el => document.activeElement === el", wanted):
            shown = page.evaluate(
                "el => getComputedStyle(el).outlineStyle + getComputedStyle(el).boxShadow", wanted
            )
            assert shown != "nonenone", f"{target} has the focus and does not show it"
            return
    raise AssertionError(f"{target} cannot be reached by Tab")


def test_what_is_opened_by_keys_is_closed_by_them_and_nothing_happens_behind_it(fresh: Desk) -> None:
    item, codes = fitting(fresh)
    with served(fresh.app) as base, browser() as chromium:
        page = chromium.new_context(viewport={"width": 1366, "height": 768}).new_page()
        watch = Watch(page, urlsplit(base).netloc)
        press = page.keyboard.press
        enter(page, base, "lin")
        page.goto(f"{base}/desk/items/{item}/matches?verdict=符合")
        press("?")
        page.wait_for_selector("#keys[open]")
        for key in ("j", "x", "a"):
            press(key)
        assert page.locator("tr.now, tr.picked").count() == 0 and page.url.endswith("%E7%AC%A6%E5%90%88")
        press("Escape")
        page.wait_for_selector("#keys", state="hidden")
        reach(page, ".menu summary")
        press("Enter")
        press("Tab")
        press("Escape")
        focused(page, ".menu:not([open]) summary")
        page.goto(f"{base}/desk/matches/{codes[0]}/{item}")
        press("r")
        focused(page, ".actbar details[open] *")
        press("Escape")
        focused(page, ".actbar details:not([open]) summary")
        assert page.locator(".actbar details[open]").count() == 0
        assert covered(page) == [], "the bar of acts hides what has the focus"
        assert review.history(fresh.engine) == [] and watch.faults == []


COVERED = """() => {
  const el = document.activeElement, box = el.getBoundingClientRect();
  const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
  return top && (el.contains(top) || top.contains(el)) ? "" : el.innerText || el.name;
}"""


def covered(page: Any, most: int = 120) -> list[str]:
    """Whatever Tab comes to that something else lies upon (WCAG 2.4.11)."""
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    found = []
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        found.append(page.evaluate(COVERED))
    return [words for words in found if words]
