"""打印: what an officer prints stands on A4 whole: no name cut, nothing beyond the edge, no navigation, pages numbered."""

from __future__ import annotations

import re
from typing import Any

import pypdfium2
from browsing import browser, enter, needs_browser, served
from clients import Desk
from test_review import fitting
from test_turn import TO_FINANCE, grant

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
