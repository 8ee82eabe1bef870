"""不一致: where an enterprise's own words say yes and a rule on what it does says no, or the reverse; the rule's verdict stands."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from desk.doubts import SEEN, doubts, seen_pairs
from desk.urls import url
from desk.web import Posted, Visit, need, posted, render, see
from store import accounts, review
from store.night_doubts import next_day

router = APIRouter()
PAGE = 100
WAYS = ("文字像，规则判不符合", "规则判符合，文字不像")


@router.get("/desk/doubts")
def doubt_index(
    request: Request, way: str = "", scope: str = "没看过", visit: Visit = need("items")
) -> Response:
    """不一致的清单, the most money first."""
    office, night = visit.office, visit.office.night()
    if night is None:
        return render(request, "no_night.html", active="readiness")
    found = doubts(office, night)
    mine = set(office.items(night, visit.person)["item"])
    seen = seen_pairs(office)
    rows = [(d, seen.get((d.item, d.code))) for d in (found.rows if found else ()) if d.item in mine]
    way = way if way in WAYS else ""
    scope = scope if scope in ("没看过", "看过的") else "没看过"
    kept = [(d, s) for d, s in rows if (s is not None) == (scope == "看过的")]
    return render(
        request, "doubts.html", working=found is None, rows=[(d, s) for d, s in kept if way in ("", d.way)][:PAGE],
        counts={w: sum(d.way == w for d, _ in kept) for w in WAYS}, total=len(kept), way=way, scope=scope,
        scopes={"没看过": sum(s is None for _, s in rows), "看过的": sum(s is not None for _, s in rows)},
        looked=found, again=next_day(office.engine, found.day) if found else None, night=night,
        names={p.login: p.name for p in accounts.people(office.engine)},
    )  # fmt: skip


@router.post("/desk/doubts")
def looked_at(request: Request, given: Posted = posted("doubt")) -> Response:
    """看过了: a note beside the match, with what the person found; neither verdict nor state changes."""
    office, night = given.visit.office, given.visit.office.night()
    item, code, words = given.text("item"), given.text("code"), given.text("words")
    program = office.library(night).program(item) if night else None
    if night is None or program is None:
        raise HTTPException(404, "没有这一项")
    given.visit.need_item(program.item.department)
    pair = office.pair(night, item, code, 0)
    if pair is None:
        raise HTTPException(404, "最近一次比对里没有这一条")
    if not 2 <= len(words) <= 500:
        return see(url("doubts", told="没有记下：请写看到了什么，2 到 500 个字"))
    review.decide(
        office.engine, given.visit.who, review.Act(review.NOTE, text=SEEN + words), [pair], office.now()
    )
    return see(url("doubts", told=f"记下了 {office.name(night, code) or code}，它不再列在“没看过”里"))
