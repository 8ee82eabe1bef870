"""打印: what an officer prints stands on A4 whole: no name cut, nothing beyond the edge, no navigation, pages numbered."""

from __future__ import annotations

import re
from typing import Any

import pypdfium2
from browsing import browser, enter, needs_browser, served
from clients import Desk
from test_review import fitting
from test_turn import TO_FINANCE, grant

from store import review
from store.review import Act, Pair, decide

pytestmark = needs_browser
MARGIN = 14 / 25.4 * 72  # what the sheet leaves at the sides, in points


def printed(page: Any) -> pypdfium2.PdfDocument:
    return pypdfium2.PdfDocument(page.pdf(format="A4", prefer_css_page_size=True))


def words_of(document: pypdfium2.PdfDocument) -> list[str]:
    return [re.sub(r"\s", "", sheet.get_textpage().get_text_range()) for sheet in document]


def beyond_the_edge(document: pypdfium2.PdfDocument) -> list[str]:
    """Characters that stand right of where the sheet ends."""
    out = []
    for number, sheet in enumerate(document, 1):
        text, edge = sheet.get_textpage(), sheet.get_width() - MARGIN + 2
        for n in range(text.count_chars()):
            _left, _bottom, right, _top = text.get_charbox(n)
            if right > edge and text.get_text_range(n, 1).strip():
                out.append(f"{number}: {text.get_text_range(max(n - 10, 0), 11)!r}")
    return out


def test_what_is_printed_is_whole(fresh: Desk) -> None:
    item, codes = fitting(fresh)
    office = fresh.app.state.office
    night = office.night()
    name = office.name(night, codes[0])
    for code in codes[:40]:
        grant(fresh, code, TO_FINANCE, 20)
    case = grant(fresh, "K", (), 3)
    wanted = {
        f"/desk/items/{item}/matches?verdict=符合": ["经办", "金额合计"],
        "/desk/fulfil": [*(f"{c}公司" for c in codes[:40]), "还应付"],
        f"/desk/matches/{codes[0]}/{item}": [name, "原文", "日期"],
        f"/desk/firms/{codes[0]}": [name, "可享政策"],
        f"/desk/fulfil/{case.id}": ["K公司", "经过", "日期"],
        "/desk/fulfil/arrears": ["拖欠报告"],
        "/desk/fulfil/kpi": ["应享未享"],
    }
    with served(fresh.app) as base, browser() as chromium:
        page = chromium.new_context(viewport={"width": 1366, "height": 768}).new_page()
        enter(page, base, "lin")
        for path, words in wanted.items():
            page.goto(base + path)
            document = printed(page)
            sheets = words_of(document)
            text = "".join(sheets)
            here = page.eval_on_selector_all("tr[data-row]", "rows => rows.map(row => row.dataset.row)")
            firms = [w for c in here for w in (c, office.name(night, c) or c)]
            lost = [w for w in (*words, *firms) if w not in text]
            assert not lost, (path, lost)
            assert beyond_the_edge(document) == [], path
            assert "查企业" not in text and "退出" not in text and "问企业Q" not in text, path
            assert f"1/{len(sheets)}" in sheets[0] and f"{len(sheets)}/{len(sheets)}" in sheets[-1], path
            assert "林知遥打印" in text, path
            heads = [s for s in sheets[1:-1] if path == "/desk/fulfil" and "轮到谁" not in s]
            assert heads == [], "the head of a table stands on each of its pages"


def test_what_is_to_be_signed_names_each_firm_by_its_code_and_asks_nothing(fresh: Desk) -> None:
    """批量预览 and 复核 on paper: sums under their head, a line to sign, no empty field."""
    item, codes = fitting(fresh, most=1e9)
    office = fresh.app.state.office
    limit = review.second_limit(fresh.engine)
    waiting = Pair(item, "2026", codes[0], "符合", limit, limit, "f1", 1)
    decide(fresh.engine, "lin", Act("通过"), [waiting], fresh.moment)
    name = office.name(office.night(), codes[0])
    with served(fresh.app) as base, browser() as chromium:
        page = chromium.new_context(viewport={"width": 1366, "height": 768}).new_page()
        enter(page, base, "lin")
        page.goto(f"{base}/desk/items/{item}/matches?verdict=符合&state=全部")
        for code in codes[1:3]:
            page.check(f"[name=pick][value^='{code}']")
        page.click("[data-bulk] button[value=通过]")
        page.wait_for_url("**/preview")
        sheets = {"preview": ("先看会怎样", codes[1], printed(page), numbers_beside_their_head(page))}
        enter(page, base, "shen")
        page.goto(f"{base}/desk/second")
        sheets["second"] = ("等复核", codes[0], printed(page), numbers_beside_their_head(page))
        assert name in words_of(sheets["second"][2])[0]
    for what, (head, code, document, aside) in sheets.items():
        text = "".join(words_of(document))
        assert head in text and code in text and "经办" in text and "日期" in text, what
        assert "退回理由" not in text and "说明（可不写）" not in text, what
        assert beyond_the_edge(document) == [], what
        assert aside == [], what


def numbers_beside_their_head(page: Any) -> list[str]:
    """Sums on paper that do not end where the head of their column ends."""
    page.emulate_media(media="print")
    found = page.evaluate(
        """() => { const right = e => { const r = document.createRange(); r.selectNodeContents(e); return r.getBoundingClientRect().right }
        const head = document.querySelector("th.amt-h")
        return [...document.querySelectorAll("td .amt > span")].filter(s => Math.abs(right(s) - right(head)) > 3).map(s => s.textContent) }"""
    )
    page.emulate_media(media="null")
    return list(found)
