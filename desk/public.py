"""公开专区: items, guides, calendar, feed and self-test; no login, no cookie, readable without script."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response

from analysis.relevance import Relevance, relevance_of
from desk.offers import MONEY, money_of, section_names, sections_of
from desk.office import Office
from desk.onepage import steps_of
from desk.ready import all_items
from desk.selftest import Selftest
from desk.urls import url
from desk.web import office_of, render
from engine.policy import Batch, PolicyItem
from engine.program import Program, numbered_text
from engine.standard import further_quotes
from engine.words import say_amounts
from policies.library import Library

router = APIRouter(prefix="/zone", tags=["公开"])
PER_PAGE = 30
FACETS = (
    ("delivery", "怎么享受"), ("money", "给多少"), ("theme", "主题"), ("category", "类别"), ("department", "部门"),
)  # fmt: skip
MOST_QUERY = 100


def library_of(office: Office) -> Library:
    """在用的政策库: of the night on show, or the library on disk before the first night."""
    night = office.night()
    if night is not None:
        return office.library(night)
    from policies.library import load_library
    from profiles.dictionary import builtin_dictionary

    root = office.library_root
    return office.memory.get(("library", str(root)), lambda: load_library(root, builtin_dictionary()))


def theme_of(program: Program) -> str:
    """主题: the item's own, else its document's."""
    own = dict(program.item.guide).get("theme") or dict(program.document.extra).get("theme")
    return str(own or "其他")


def shown(office: Office) -> list[Program]:
    """公开的事项: in force and not drafts, those that need no application first, each delivered as it is tonight: an
    item whose data are not whole is no 免申即享, whatever its rule hopes for."""
    library, night = library_of(office), office.night()

    def make() -> list[Program]:
        works = {r.item: r.works_as for r in all_items(office, night)} if night else {}
        kept = [p for p in library.programs if p.item.status in ("有效", "额满")]
        kept = [_delivered(p, works.get(p.item.id, p.item.delivery)) for p in kept]
        return sorted(kept, key=lambda p: (p.item.delivery != "免申即享", p.item.id))

    return office.memory.get(("shown", night.no if night else 0, str(office.library_root)), make)


def _delivered(program: Program, works_as: str) -> Program:
    if works_as == program.item.delivery:
        return program
    return replace(program, item=replace(program.item, delivery=works_as), bound={})


def said(value: object) -> str:
    """指南的一栏 in words: one or several."""
    return "、".join(str(v) for v in value) if isinstance(value, list | tuple) else str(value or "")


def window_of(item: PolicyItem, today: date) -> tuple[Batch | None, str]:
    """受理时间: the batch that is open, or the next, or the last, and how it stands."""
    live = item.live_batch(today)
    if live is not None:
        left = (live.closes - today).days
        return live, f"还剩 {left} 天" if left <= 30 else "正在受理"
    coming = min((b for b in item.batches if b.opens > today), key=lambda b: b.opens, default=None)
    if coming is not None:
        return coming, f"{coming.opens} 开始"
    return max(item.batches, key=lambda b: b.closes, default=None), "本期已截止"


def card(program: Program, today: date) -> dict[str, Any]:
    """一张卡: what a visitor sees of an item in the list."""
    item = program.item
    batch, stands = window_of(item, today)
    return {
        "id": item.id,
        "title": item.title,
        "delivery": item.delivery,
        "theme": theme_of(program),
        "category": item.category,
        "department": item.department,
        "pay": say_amounts(item.benefit),
        "money": money_of(program),
        "who": "；".join(numbered_text(program)[:3]),
        "stands": stands,
        "batch": batch,
        "full": item.status == "额满",
    }


def _matches(found: dict[str, Any], program: Program, q: str) -> bool:
    text = " ".join(
        [found["title"], found["theme"], found["department"], program.document.title, program.document.number]
        + [c.condition.quote for c in program.conditions if not c.condition.hidden]
    )
    return all(word in text for word in q.split())


@router.get("", response_class=HTMLResponse)
def zone(
    request: Request,
    q: str = Query("", max_length=MOST_QUERY),
    delivery: str = Query("", max_length=20),
    theme: str = Query("", max_length=30),
    category: str = Query("", max_length=20),
    department: str = Query("", max_length=40),
    money: str = Query("", max_length=20),
    industry: str = Query("", max_length=1),
    page: int = Query(1, ge=1, le=1000),
    office: Office = Depends(office_of),
) -> HTMLResponse:
    """政策事项: the list, by delivery, money, theme, category, department and industry, searched by any word."""
    chosen = {
        "delivery": delivery, "money": money, "theme": theme, "category": category, "department": department,
    }  # fmt: skip
    library = library_of(office)
    programs = shown(office)
    sections = section_names()
    industry = industry if industry in sections else ""
    if industry:
        open_to = open_sections(office, library)
        programs = [p for p in programs if industry in open_to[p.item.id]]
    cards = [(p, card(p, office.today())) for p in programs]
    found = [c for p, c in cards if (not q.strip() or _matches(c, p, q))]
    near = not found and bool(q.strip())
    if near:
        found = _related(office, cards, q)
    kept = [c for c in found if all(not v or c[k] == v for k, v in chosen.items())]
    facets = [(key, words, _facet(found, key, chosen)) for key, words in FACETS]
    pages = max(1, math.ceil(len(kept) / PER_PAGE))
    page = min(page, pages)

    def link(**changes: Any) -> str:
        pairs = {"q": q, "industry": industry, **chosen, **changes}
        query = urlencode({k: v for k, v in pairs.items() if v})
        return "/zone" + (f"?{query}" if query else "")

    return render(
        request, "zone.html", q=q, cards=kept[(page - 1) * PER_PAGE : page * PER_PAGE], total=len(kept), all=len(cards),
        free=sum(c["delivery"] == "免申即享" for _, c in cards), facets=facets, chosen=chosen, link=link, page_no=page,
        pages=pages, first=(page - 1) * PER_PAGE + 1, near=near, industry=industry, sections=sections,
    )  # fmt: skip


def _related(office: Office, cards: list[tuple[Program, dict[str, Any]]], q: str) -> list[dict[str, Any]]:
    """相近的事项: where no item has every word, those whose words lie nearest, with the words that carried them."""
    programs = [p for p, _ in cards]
    night = office.night()
    key = ("relevance", night.no if night else 0, str(office.library_root), len(programs))
    made = office.memory.get(key, lambda: relevance_of(night, programs) if night else Relevance.of(programs))
    by_id = {p.item.id: c for p, c in cards}
    return [{**by_id[r.item], "near": "、".join(r.words)} for r in made.rank(q) if r.item in by_id]


def _facet(found: list[dict[str, Any]], key: str, chosen: dict[str, str]) -> list[tuple[str, int]]:
    others = [c for c in found if all(not v or c[k] == v for k, v in chosen.items() if k != key)]
    counted = Counter(c[key] for c in others if c[key]).most_common()
    return sorted(counted, key=lambda row: MONEY.index(row[0])) if key == "money" else counted


def open_sections(office: Office, library: Library) -> dict[str, frozenset[str]]:
    """各事项不排除的行业门类, asked once of a library."""
    night = office.night()
    key = ("sections", night.run.library_hash if night else "", str(office.library_root))
    return office.memory.get(key, lambda: sections_of(library, library.programs))


@router.get("/items/{document}/{slug}", response_class=HTMLResponse)
def guide(request: Request, document: str, slug: str, office: Office = Depends(office_of)) -> HTMLResponse:
    """申兑指南与一图读懂: everything an item says, each with its clause."""
    program = next((p for p in shown(office) if p.item.id == f"{document}/{slug}"), None)
    if program is None:
        raise HTTPException(404, "没有这一项，或者已经停止")
    conditions = [
        {
            "text": c.condition.quote or c.condition.label,
            "cite": c.condition.cite,
            "not": c.condition.kind == "not",
        }
        for c in program.conditions
        if not c.condition.hidden
    ]
    names = defaultdict(str, program.item.guide)
    return render(
        request, "guide.html", c=card(program, office.today()), item=program.item, document=program.document,
        conditions=conditions, more=further_quotes(program.item.benefit), guide=names, exclusive=program.exclusive,
        steps=steps_of(program.item.delivery, said(names["channel"])),
    )  # fmt: skip


@router.get("/check", response_class=HTMLResponse)
def selftest(request: Request, office: Office = Depends(office_of)) -> HTMLResponse:
    """政策自测: asks only what still matters; the answers live in the address alone."""
    given = dict(list(request.query_params.items())[:60])
    test = Selftest(shown(office), given, office.today(), library_of(office).dictionary)
    return render(request, "selftest.html", test=test, question=test.question())


# ---------------------------------------------------------------- calendar, feed, sitemap


def _windows(office: Office) -> list[tuple[Program, Batch]]:
    rows = [(p, b) for p in shown(office) for b in p.item.batches]
    return sorted(rows, key=lambda r: (r[1].closes, r[0].item.id))


@router.get("/calendar", response_class=HTMLResponse)
def calendar(request: Request, office: Office = Depends(office_of)) -> HTMLResponse:
    """政策日历: windows by the month they close in, from today."""
    today = office.today()
    months: dict[str, list[tuple[Program, Batch]]] = {}
    for program, batch in _windows(office):
        if batch.closes >= today:
            months.setdefault(f"{batch.closes.year}年{batch.closes.month}月", []).append((program, batch))
    return render(request, "calendar.html", months=months)


@router.get("/calendar.ics")
def calendar_file(office: Office = Depends(office_of)) -> Response:
    """政策日历 as iCalendar (RFC 5545): one all-day event a window."""
    stamp = office.now().astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//huiqi//policy calendar//ZH", "CALSCALE:GREGORIAN"]
    for program, batch in _windows(office):
        lines += [
            "BEGIN:VEVENT",
            f"UID:{program.item.id.replace('/', '.')}.{batch.name}@huiqi",
            f"DTSTAMP:{stamp}",
            f"DTSTART;VALUE=DATE:{batch.opens:%Y%m%d}",
            f"DTEND;VALUE=DATE:{batch.closes + timedelta(days=1):%Y%m%d}",
            f"SUMMARY:{_ics(program.item.title)}（{_ics(program.item.delivery)}）",
            f"DESCRIPTION:{_ics(program.document.title)} {_ics(program.item.department)}",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    body = "".join(_folded(line) for line in lines)
    return Response(body, media_type="text/calendar; charset=utf-8")


def _ics(text: str) -> str:
    for mark in ("\\", ";", ","):
        text = text.replace(mark, "\\" + mark)
    return text.replace("\n", "\\n")


def _folded(line: str) -> str:
    """A content line of at most 75 octets, folded between characters."""
    parts, now = [], b""
    for ch in line:
        octets = ch.encode()
        if len(now) + len(octets) > 74:
            parts.append(now)
            now = b" "
        now += octets
    return b"\r\n".join([*parts, now]).decode() + "\r\n"


@router.get("/feed.xml")
def feed(request: Request, q: str = "", office: Office = Depends(office_of)) -> Response:
    """更新 RSS: items by the date their document was issued; with `q` those whose words go with it, and which words."""
    base = str(request.base_url).rstrip("/")
    programs, near = list(shown(office)), {}
    if q.strip():
        cards = [(p, card(p, office.today())) for p in programs]
        near = {c["id"]: f"　相近的词：{c['near']}" for c in _related(office, cards, q)}
        programs = [p for p in programs if p.item.id in near]
    programs.sort(key=lambda p: (p.document.issued or date.min, p.item.id), reverse=True)
    entries = "".join(
        f"<item><title>{escape(p.item.title)}</title><link>{base}{escape(guide_path(p.item.id))}</link>"
        f'<guid isPermaLink="false">{escape(p.item.id)}</guid><pubDate>{_rfc822(p.document.issued)}</pubDate>'
        f"<description>{escape(say_amounts(p.item.benefit))}　{escape(p.document.title)}{escape(near.get(p.item.id, ''))}</description></item>"
        for p in programs[:50]
    )
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>{escape(office.zone)}惠企政策</title>'
        f"<link>{base}/zone</link><description>惠企政策事项更新</description>{entries}</channel></rss>"
    )
    return Response(body, media_type="application/rss+xml; charset=utf-8")


def guide_path(item: str) -> str:
    """指南的地址."""
    return url("guide", item=item) if "/" in item else f"/zone/items/{quote(item)}"


def _rfc822(day: date | None) -> str:
    moment = datetime(*(day or date(2000, 1, 1)).timetuple()[:3], tzinfo=UTC)
    return moment.strftime("%a, %d %b %Y 00:00:00 +0000")


@router.get("/sitemap.xml")
def sitemap(request: Request, office: Office = Depends(office_of)) -> Response:
    """网站地图."""
    base = str(request.base_url).rstrip("/")
    paths = [
        "/zone",
        "/zone/check",
        "/zone/calendar",
        "/zone/notices",
        *(guide_path(p.item.id) for p in shown(office)),
    ]
    locations = "".join(f"<url><loc>{escape(base + path)}</loc></url>" for path in paths)
    body = f'<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{locations}</urlset>'
    return Response(body, media_type="application/xml; charset=utf-8")
