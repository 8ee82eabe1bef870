"""导览: what a newcomer is shown of the desk, step by step; played by a test, drawn by scripts/make_tour.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from desk.office import Office

ITEM, SURE = "bs-2025-06/rd-increment", "bs-2025-03/unemployment-refund"


@dataclass(frozen=True)
class Stop:
    """一站: a page, who sees it, at what width, what to do there first, what must be on it, and what is said of it."""

    name: str
    title: str
    words: str
    path: str
    shows: str
    login: str = "lin"
    width: int = 1280
    height: int = 800
    before: Callable[[Any], None] | None = None
    dark: bool = False


def known(office: Office) -> dict[str, str]:
    """The enterprises the tour looks at: one with an open question, one that fits."""
    night = office.night()
    assert night is not None
    hits = {i: office.hits(night, i) for i in (ITEM, SURE)}
    fits = hits[SURE][hits[SURE]["verdict"] == "符合"]
    asked = hits[ITEM][hits[ITEM]["only_ask"]]
    asked = asked if len(asked) else hits[ITEM]
    code = "统一社会信用代码"
    return {"open": str(asked.iloc[0][code]), "sure": str(fits.iloc[0][code])}


def stops(office: Office) -> Iterator[Stop]:
    """全部的站, in the order of a day."""
    firm = known(office)
    yield Stop(
        "today", "今日", "What must be done first and by when, what moved last night and why, what one missing datum is worth, which clocks run.",
        "/desk/today", "h2:has-text('等我处理')",
    )  # fmt: skip
    yield Stop(
        "list", "名单", "One item's list. Left: the funnel, each row a filter. Every condition has a column; 符合 is a small dot, the eye lands on what is open. All of it is in the address.",
        f"/desk/items/{ITEM}/matches", "table[data-rows] tbody tr",
    )  # fmt: skip
    yield Stop(
        "bulk", "批量", "Rows are picked with X; the bar says how many, their verdicts, the sum, who needs a second person. Nothing happens before a preview.",
        f"/desk/items/{SURE}/matches?verdict=符合&sort=amount", ".actbar[data-bulk]:not([hidden])", before=_pick,
    )  # fmt: skip
    yield Stop(
        "match", "依据", "Why this verdict: the policy's words beside value, source, date and gap of every condition. Open ones come first, with what settles them inside the row.",
        f"/desk/matches/{firm['open']}/{ITEM}", "table.ev",
    )  # fmt: skip
    yield Stop(
        "match-dark", "依据，深色", "The same on a dark screen; what a verdict is never hangs on colour alone.",
        f"/desk/matches/{firm['sure']}/{SURE}", "table.ev", dark=True,
    )  # fmt: skip
    yield Stop(
        "match-phone", "依据，手机", "And on a phone, without sideways scrolling.",
        f"/desk/matches/{firm['open']}/{ITEM}", "table.ev", width=390, height=844,
    )  # fmt: skip
    yield Stop(
        "near", "差一点", "Who fails one condition only, the nearest first; how enterprises lie around each threshold.",
        f"/desk/items/{ITEM}/near", "svg.chart",
    )  # fmt: skip
    yield Stop(
        "item", "事项与规则", "The rule as an officer reads it beside its clause, what the machine can decide, how complete its data are.",
        f"/desk/items/{ITEM}", "table.rules",
    )  # fmt: skip
    yield Stop(
        "draft", "改规则", "A draft is checked while it is written, with the place of each fault; what it would change for whom stands beside. Another person signs.",
        f"/desk/items/{ITEM}", "#problems .note.alarm", before=_break_a_rule,
    )  # fmt: skip
    yield Stop(
        "firm", "一企一档", "What is known of an enterprise, from whom, how fresh; what it can get, what it nearly gets.",
        f"/desk/firms/{firm['sure']}", "h1",
    )  # fmt: skip
    yield Stop(
        "fulfil", "兑现台账", "Where each grant stands, whose turn it is, what is late. Finance works here.", "/desk/fulfil", "h1", login="cai"
    )  # fmt: skip
    yield Stop(
        "readiness", "就绪度", "Which items can come without applying, what blocks the others, which data request frees most money.",
        "/desk/readiness", "h1",
    )  # fmt: skip
    yield Stop(
        "audit",
        "操作记录",
        "Who did what; each entry holds the hash of the one before.",
        "/desk/audit?verify=1",
        "h1",
        login="admin",
    )
    yield Stop(
        "zone",
        "政策专区",
        "The public zone: no login, no cookie, readable without script.",
        "/zone",
        "h1",
        login="",
    )


def _pick(page: Any) -> None:
    for key in ("j", "x", "j", "x", "j", "x"):
        page.keyboard.press(key)


def _break_a_rule(page: Any) -> None:
    from browsing import leads

    with leads(page):
        page.click("button:has-text('改规则'), button:has-text('看待发布的草稿')")
    text = page.input_value("#text")
    page.fill("#text", text.replace("when: ", "when: (", 1))
    page.wait_for_selector("#problems .note.alarm")


def play(chromium: Any, base: str, office: Office, seen: Callable[[Stop, Any], None]) -> None:
    """走一遍: each stop in a browser of its person; `seen` gets the page when what it should show is there."""
    from browsing import enter

    for stop in stops(office):
        context = chromium.new_context(viewport={"width": stop.width, "height": stop.height})
        page = context.new_page()
        if stop.login:
            enter(page, base, stop.login)
        if stop.dark:
            context.add_cookies([{"name": "huiqi_theme", "value": "dark", "url": base}])
        page.goto(base + stop.path)
        if stop.before is not None:
            stop.before(page)
        page.wait_for_selector(stop.shows)
        seen(stop, page)
        context.close()


def text_of(all_stops: list[Stop]) -> str:
    """导览的文字: docs/tour.md."""
    out = [
        "# A tour of the desk 导览",
        "",
        "Made by `python scripts/make_tour.py` from the steps of tests/desk/tour.py, which a test plays on every run. All enterprises, people and sums are invented.",
    ]
    for n, stop in enumerate(all_stops, 1):
        out += ["", f"## {n}. {stop.title}", "", stop.words, "", f"![{stop.title}](tour/{stop.name}.webp)"]
    return "\n".join(out) + "\n"
