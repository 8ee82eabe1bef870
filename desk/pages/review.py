"""作意见: decide on one match or many, answer a question, second person, undo."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from desk.office import Office
from desk.pages.match import colleagues
from desk.pages.matches import opened
from desk.said import money_words
from desk.urls import url
from desk.web import Posted, Visit, inside, need, posted, render, see
from store import accounts, review
from store.openings import open_approved

router = APIRouter()
STRONG = (review.APPROVE, review.REJECT, review.SUSPEND)


def act_of(given: Posted) -> review.Act:
    """要作的意见, from a form. Raises 403 where the person may not, 400 for a bad date."""
    kind = given.text("do")
    if kind in STRONG and not given.visit.may("decide"):
        raise HTTPException(403, f"您的角色不能“{kind}”")
    until = given.text("until")
    if until and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", until):
        raise HTTPException(400, f"日期“{until}”要写成 2026-09-30")
    try:
        day = date.fromisoformat(until) if until else None
    except ValueError as error:
        raise HTTPException(400, f"没有“{until}”这一天") from error
    return review.Act(
        kind, given.text("reason"), given.text("text"), tuple(given.many("asked")), given.text("target"), day
    )


def _with(address: str, name: str, value: object) -> str:
    clean = re.sub(rf"([?&]){name}=[^&]*&?", r"\1", address).rstrip("?&")
    from desk.urls import query

    return clean + ("&" if "?" in clean else "?") + query({name: value})


@router.post("/desk/matches/{code}/{doc}/{slug}/decide")
def decide_one(request: Request, code: str, doc: str, slug: str, given: Posted = posted("ask")) -> Response:
    """一条的意见; then the next match opens by itself."""
    item, office = f"{doc}/{slug}", given.visit.office
    night, _bound = opened(office, given.visit, item)
    pair = office.pair(night, item, code, given.whole("last"))
    if pair is None:
        raise HTTPException(404, "最近一次比对里没有这一条")
    here = inside(given.text("here"), url("match", code=code, item=item))
    try:
        made = review.decide(office.engine, given.visit.who, act_of(given), [pair], office.now())[0]
    except review.LostUpdate as lost:
        return see(_with(_with(here, "fault", told_lost(office, lost)), "kept", given.text("text")))
    except review.ReviewError as error:
        return see(_with(_with(here, "fault", f"没有保存：{error}。"), "kept", given.text("text")))
    onward = inside(given.text("next"), here) if made.kind in STRONG else here
    return see(_with(onward, "done", made.id))


def told_lost(office: Office, lost: review.LostUpdate) -> str:
    other = lost.other
    person = accounts.find_person(office.engine, other.who)
    why = review.reason(office.engine, other.reason)
    tail = f"，理由：{why.words}" if why else ""
    return f"没有保存：{person.name if person else other.who}已经“{other.kind}”了这一条{tail}。您刚才选的没有生效。"


@router.post("/desk/matches/{code}/{doc}/{slug}/answer")
def answer_one(
    request: Request, code: str, doc: str, slug: str, given: Posted = posted("decide")
) -> Response:
    """答复 an `ask:`; the verdict follows at the next night."""
    item, office = f"{doc}/{slug}", given.visit.office
    night, bound = opened(office, given.visit, item)
    pair = office.pair(night, item, code, 0)
    known = (
        {leaf.id or c.id for c in bound.program.conditions for leaf in c.condition.leaves()}
        if bound
        else set()
    )
    if pair is None or given.text("ask") not in known:
        raise HTTPException(404, "没有这个问题")
    here = inside(given.text("here"), url("match", code=code, item=item))
    row, subject = given.text("row"), bound.program.item.subject if bound else "企业"
    if subject != "企业" and not row:
        return see(_with(here, "fault", f"没有保存：这一项逐个{subject}判，要说答的是哪一个{subject}。"))
    told = {"是": True, "否": False, "收回": None}
    if given.text("answer") not in told:
        return see(_with(here, "fault", "没有保存：请选 是 或 否。"))
    try:
        review.answer_question(
            office.engine, given.visit.who, pair, given.text("ask"), told[given.text("answer")], given.text("why"),
            office.now(), row,
        )  # fmt: skip
    except review.ReviewError as error:
        return see(_with(here, "fault", f"没有保存：{error}。"))
    return see(_with(here, "told", f"记下了：{given.text('answer')}。下一次比对起按这个答复判"))


# ---------------------------------------------------------------- many at once


def pairs_of(given: Posted, item: str) -> list[review.Pair]:
    """选中的各条, as they are now. Raises 400 where nothing or nonsense was picked."""
    office = given.visit.office
    night, _bound = opened(office, given.visit, item)
    out = []
    for pick in given.many("pick")[:500]:
        found = re.fullmatch(r"([0-9A-Z]{18}):(\d{1,15})", pick)
        pair = office.pair(night, item, found[1], int(found[2])) if found else None
        if pair is None:
            raise HTTPException(400, "选中的企业不在最近一次比对里，请回名单重新选")
        out.append(pair)
    if not out:
        raise HTTPException(400, "还没有选企业，请回名单勾选")
    return out


@router.post("/desk/matches/preview")
def preview(request: Request, given: Posted = posted("ask")) -> HTMLResponse:
    """批量预览: exactly what will happen to whom, before it does."""
    item, visit = given.text("item"), given.visit
    return preview_page(request, visit, item, given, "")


def preview_page(request: Request, visit: Visit, item: str, given: Posted, fault: str) -> HTMLResponse:
    office, act = visit.office, act_of(given)
    pairs = pairs_of(given, item)
    night, bound = opened(office, visit, item)
    assert bound is not None
    limit = review.second_limit(office.engine)
    codes = review.reasons(office.engine)
    mildest = min(codes, key=lambda r: r.overrides).code  # which reason it will be is chosen on the page
    tried = review.Act(
        act.kind, act.reason or (mildest if act.kind == review.REJECT else ""), act.text or "…", act.asked,
        act.target or "…", act.until or office.today(),
    )  # fmt: skip
    seen = [review.forecast(tried if act.kind != review.APPROVE else act, p, limit, codes) for p in pairs]
    harsh = max(codes, key=lambda r: r.overrides).code
    open_ = act.kind == review.REJECT and not act.reason
    worst = [review.forecast(replace(tried, reason=harsh), p, limit, codes) for p in pairs] if open_ else seen
    rows: list[dict[str, Any]] = [
        {"name": office.name(night, f.pair.code) or f.pair.code, "forecast": f, "pair": f.pair, "depends": w.outcome != f.outcome}
        for f, w in zip(seen, worst, strict=True)
    ]  # fmt: skip
    low, high = sum(p.low or 0 for p in pairs), sum(p.high or 0 for p in pairs if p.high is not None)
    vague = sum(p.money and p.high is None for p in pairs)
    return render(
        request, "preview.html", 409 if fault else 200, item=bound.program.item, act=act, rows=rows, total=money_words(low, high), vague=vague, limit=limit,
        refused=[r for r in rows if r["forecast"].outcome == "不行"], second=[r for r in rows if r["forecast"].outcome == "待复核"],
        reasons=codes, people=colleagues(office, visit), back=inside(given.text("next"), url("list", item=item)),
        departments=item_departments(office, bound), fault=fault,
    )  # fmt: skip


def item_departments(office: Office, bound: Any) -> list[str]:
    """可以问的部门 of an item: the owners of what it reads."""

    dictionary = office.library(office.night()).dictionary  # type: ignore[arg-type]
    found = [dictionary[name].department for name, _ in bound.facts if name in dictionary]
    return list(dict.fromkeys(d for d in [*found, bound.program.item.department] if d))


@router.post("/desk/matches/decide")
def decide_many(request: Request, given: Posted = posted("ask")) -> Response:
    """批量意见, all or none."""
    item, office = given.text("item"), given.visit.office
    act, pairs = act_of(given), pairs_of(given, item)
    try:
        made = review.decide(office.engine, given.visit.who, act, pairs, office.now())
    except review.LostUpdate as lost:
        return preview_page(request, given.visit, item, given, told_lost(office, lost))
    except review.ReviewError as error:
        return preview_page(request, given.visit, item, given, f"没有保存：{error}。")
    waiting = sum(d.state == review.WAITING for d in made)
    words = f"{act.kind} {len(made)} 家" + (f"，其中 {waiting} 家等复核" if waiting else "")
    return see(_with(inside(given.text("next"), url("list", item=item)), "told", words))


# ---------------------------------------------------------------- second person and undo


@router.get("/desk/second")
def second_list(request: Request, visit: Visit = need("second")) -> HTMLResponse:
    """复核: what colleagues decided above the limit or against a rule."""
    office, night = visit.office, visit.office.night()
    names = {p.login: p.name for p in accounts.people(office.engine)}
    known = {r.code: r for r in review.all_reasons(office.engine)}
    rows = []
    for d in review.waiting_second(office.engine):
        program = office.library(night).program(d.item) if night else None
        if program is not None and visit.person.department not in ("", program.item.department):
            continue
        reason = known.get(d.reason)
        rows.append({
            "d": d, "title": program.item.title if program else d.item, "name": office.name(night, d.code) if night else d.code,
            "who": names.get(d.who, d.who), "reason": reason.words if reason else "", "own": d.who == visit.who,
            "low": None if d.low is None else d.low / 100, "high": None if d.high is None else d.high / 100,
            "why": "与规则的结论不同" if d.overrides else "金额待定" if d.high is None else "金额达到限额",
        })  # fmt: skip
    return render(request, "second.html", rows=rows, limit=review.second_limit(office.engine))


@router.post("/desk/second")
def second_one(request: Request, given: Posted = posted("second")) -> Response:
    """复核一条: agree or send back. The item's department must be one the person sees."""
    office, found = given.visit.office, review.decision(given.visit.office.engine, given.whole("id"))
    night = office.night()
    program = office.library(night).program(found.item) if night and found else None
    if program is not None:
        given.visit.need_item(program.item.department)
    agree = given.text("do") == "同意"
    try:
        made = review.second(
            office.engine, given.whole("id"), given.visit.who, agree, given.text("text"), office.now()
        )
    except review.ReviewError as error:
        return see(url("second", told=f"没有保存：{error}"))
    if agree and made.overrides and night is not None:  # it fits by people's word: its grant opens now
        open_approved(office.engine, night, office.today(), office.now())
    name = office.name(night, made.code) if night else made.code
    return see(url("second", told=f"{'同意' if agree else '退回'}了 {name} 的“{made.kind}”"))


@router.post("/desk/undo")
def undo_one(request: Request, given: Posted = posted("ask")) -> Response:
    """撤回 one's own decision."""
    office = given.visit.office
    back = re.sub(r"([?&])done=\d+&?", r"\1", inside(given.text("next"), url("matches"))).rstrip("?&")
    try:
        made = review.undo(office.engine, given.whole("id"), given.visit.who, office.now())
    except review.ReviewError as error:
        return see(_with(back, "told", f"没有撤回：{error}"))
    return see(_with(back, "told", f"已撤回“{made.kind}”"))
