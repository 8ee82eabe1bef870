"""企业: the list, one enterprise's file with sources, portrait, matches; names to claim; corrections."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from desk.evidence import source_title
from desk.finding import find_firms
from desk.firmfile import (
    change_rows,
    fact_groups,
    history_rows,
    in_sections,
    mask,
    snapshot_groups,
    text_tag_rows,
    themes,
)
from desk.office import Office, number
from desk.pages.matches import my_firms
from desk.urls import url
from desk.web import Posted, Visit, need, posted, render, see
from engine.columns import Columns
from engine.matching import VERDICTS, live, match
from engine.words import say_holds_on
from store import accounts, audit, claims, corrections, credentials, grants, outbox, review
from store.database import writing
from store.exchange import export_firm
from store.firm_changes import firm_changes
from store.firms import history, loaded_indicators, provenance, relations
from store.nights import Night

if TYPE_CHECKING:
    from profiles.portrait_firm import FirmPortrait

__all__ = ["mask", "router"]
router = APIRouter()
PAGE = 100
CLAIMS = 30  # rows to be claimed on a page, each with its candidates


@router.get("/desk/firms")
def firm_index(
    request: Request, q: str = "", officer: str = "", page: int = 1, visit: Visit = need("firms")
) -> Response:
    """企业一览."""
    office, night = visit.office, visit.office.night()
    if night is None:
        return render(request, "no_night.html", active="firms")
    codes = list(night.columns().codes)
    if q.strip():
        found = [(f["code"], f["name"], f["why"]) for f in find_firms(office, night, q.strip()[:60])]
    else:
        mine = my_firms(office, visit) if officer == "me" else None
        chosen = [c for c in codes if mine is None or c in mine]
        start = (max(page, 1) - 1) * PAGE
        found = [(c, office.name(night, c), "") for c in chosen[start : start + PAGE]]
        codes = chosen
    total = len(found) if q.strip() else len(codes)
    waiting = visit.may("decide")
    return render(
        request, "firms.html", rows=found, q=q, total=total, page=max(page, 1), pages=max(-(-total // PAGE), 1),
        officer=officer, officers=accounts.officers(office.engine), waiting=waiting,
    )  # fmt: skip


@router.get("/desk/firms/identity")
def identity_list(request: Request, page: int = 1, visit: Visit = need("data")) -> HTMLResponse:
    """认企业: rows whose firm is not certain; the code decides, a person confirms."""
    engine = visit.office.engine
    total = claims.count_pending(engine)
    pages = max(-(-total // CLAIMS), 1)
    page = min(max(page, 1), pages)
    rows = claims.pending(engine, limit=CLAIMS, skip=(page - 1) * CLAIMS)
    return render(
        request, "identity.html", rows=rows, total=total, page=page, pages=pages, title=source_title
    )


@router.post("/desk/firms/identity")
def answer_identity(request: Request, given: Posted = posted("decide")) -> Response:
    """答复认领."""
    office, code = given.visit.office, given.text("code") if given.text("do") != "都不是" else ""
    page = given.whole("page", 1)
    try:
        claims.answer(office.engine, given.whole("id"), code, by=given.visit.who, at=office.now())
    except ValueError as error:
        return see(url("identity", page=page, told=f"没有保存：{error}"))
    told = "记下了，这一行已按答复入库" if code else "记下了：都不是"
    return see(url("identity", page=page, told=told))


@router.get("/desk/firms/{code}")
def firm_page(request: Request, code: str, visit: Visit = need("firms")) -> HTMLResponse:
    """一企一档."""
    return show_firm(request, visit, code, contacts=False)


@router.post("/desk/firms/{code}/contacts")
def show_contacts(request: Request, code: str, given: Posted = posted("contacts")) -> HTMLResponse:
    """看联系方式: the file with contacts in clear; every look is logged with its purpose."""
    office, why = given.visit.office, given.text("why")
    if not why:
        raise HTTPException(400, "请写明为什么要看联系方式")
    with writing(office.engine) as opened:
        audit.record(opened, given.visit.who, "看联系方式", code, {"用途": why}, office.now())
    return show_firm(request, given.visit, code, contacts=True)


def show_firm(request: Request, visit: Visit, code: str, contacts: bool) -> HTMLResponse:
    office, night = visit.office, visit.office.night()
    one = office.one(night, code) if night else None
    if night is None or one is None:
        raise HTTPException(404, f"企业档案里没有 {code}")
    asked, true_for = request.query_params.get("as-of", ""), request.query_params.get("how") == "true"
    day = _day(asked) or night.as_of
    known_on = day if asked and not true_for and day < night.as_of else None
    dictionary = office.library(night).dictionary
    facts = provenance(office.engine, code, day, dictionary, known_on=known_on)
    groups = fact_groups(facts, one, contacts) if facts else [] if asked else snapshot_groups(one, contacts)
    portrait = _portrait(office, code, one, facts, day, known_on)
    return render(
        request, "firm.html", code=code, name=office.name(night, code) or code, groups=in_sections(groups), night=night,
        matches=firm_matches(office, night, one, code, visit), day=day, past=bool(asked) and day < night.as_of, true_for=true_for,
        portrait=[x for x in portrait.lines if x.tags or x.number is not None or x.possible], whole=portrait,
        tags=text_tag_rows(portrait), themes=themes(), contacts=contacts,
        officers=accounts.officers(office.engine).get(code),
        line=review.history(office.engine, code=code)[:12], cases=grants.find(office.engine, code=code),
        pushes=outbox.list_pushes(office.engine, firm=code, limit=20), channels=outbox.CHANNEL_WORDS, related=relations(office.engine, code, known_on=known_on),
        corrections=corrections.corrections(office.engine, code=code), troubled=sum(r["state"] != "" for g in groups for r in g[1]),
        names={p.login: p.name for p in accounts.people(office.engine)}, stored=bool(facts),
    )  # fmt: skip


def _portrait(
    office: Office, code: str, one: Columns, facts: Any, day: date, known_on: date | None
) -> FirmPortrait:
    """画像 of the file as it stands on the day; of the night's row where the store has no file."""
    # Here, because the classifiers take seconds to load and most pages do without.
    from profiles.portrait_firm import firm_portrait, portrait_of_row
    from profiles.portrait_quality import freshness

    if not facts:
        return portrait_of_row(one, 0, day, freshness(()))
    loaded = frozenset(loaded_indicators(office.engine, known_on=known_on, dictionary=one.dictionary))
    found = firm_portrait(code, facts, one.dictionary, day, loaded)
    if known_on is not None:
        return found
    # What was confirmed since the night is shown at once, so that nobody confirms twice.
    newest = provenance(office.engine, code, max(day, office.today()), one.dictionary)
    industry, chosen = newest.get(("确认行业代码", None)), newest.get(("确认主题", None))
    return replace(
        found,
        confirmed_industry=str(industry.value or "") if industry else "",
        confirmed_themes=tuple(chosen.value or ()) if chosen else (),
    )


@router.get("/desk/firms/{code}/history")
def value_history(request: Request, code: str, of: str = "", visit: Visit = need("firms")) -> HTMLResponse:
    """一个指标的沿革: which batch of whom said what, when it arrived, for which day."""
    office, night = visit.office, visit.office.night()
    if night is None:
        raise HTTPException(404, "还没有做过比对")
    dictionary = office.library(night).dictionary
    name, mark, year = of.partition("@")
    if name not in dictionary or (mark and not re.fullmatch("[0-9]{1,4}", year)):
        raise HTTPException(404, f"没有“{of}”这个指标")
    found = history(office.engine, code, name, int(year) if mark else None)
    rows = history_rows(found, name, int(year) if mark else None, dictionary, contacts=False)
    return render(
        request, "firm_history.html", code=code, name=office.name(night, code) or code, indicator=name, year=year,
        rows=rows, spec=dictionary[name], names={p.login: p.name for p in accounts.people(office.engine)},
    )  # fmt: skip


@router.get("/desk/firms/{code}/changes")
def file_changes(request: Request, code: str, visit: Visit = need("firms")) -> HTMLResponse:
    """变更: every batch that spoke of the firm, what it changed, and who took one back."""
    office, night = visit.office, visit.office.night()
    if night is None:
        raise HTTPException(404, "还没有做过比对")
    rows = change_rows(firm_changes(office.engine, code), office.library(night).dictionary, contacts=False)
    return render(
        request, "firm_changes.html", code=code, name=office.name(night, code) or code, rows=rows,
        names={p.login: p.name for p in accounts.people(office.engine)},
        corrections=corrections.corrections(office.engine, code=code),
    )  # fmt: skip


@router.post("/desk/firms/{code}/tags")
def confirm(request: Request, code: str, given: Posted = posted("decide")) -> Response:
    """确认行业和主题: lands as data of 政策办 with the officer's name; no department's code is overwritten."""
    industry = given.text("other") or given.text("industry")
    themes = [t for t in dict.fromkeys(given.many("theme")) if t]
    try:
        confirmed(given.visit.office, given.visit.who, code, industry, themes, given.text("note"))
    except ValueError as error:
        return see(url("firm", code=code, told=f"没有保存：{error}"))
    return see(url("firm", code=code, told="记下了，下一次比对起可用；部门的代码没有动"))


def confirmed(office: Office, who: str, code: str, industry: str, themes: list[str], note: str) -> None:
    """记下确认的行业和主题, and that it was said. Raises ValueError for what can't be said, HTTPException without a night."""
    # Here, because the classifiers take seconds to load and most pages do without.
    from store.confirmations import confirm_tags

    night = office.night()
    if night is None:
        raise HTTPException(404, "还没有做过比对")
    confirm_tags(
        office.engine, code, industry, themes, by=who, at=office.now(), day=office.today(),
        dictionary=office.library(night).dictionary, note=note,
    )  # fmt: skip
    with writing(office.engine) as opened:
        audit.record(opened, who, "确认画像标签", code, {"行业": industry, "主题": themes}, office.now())


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise HTTPException(400, f"没有“{text}”这一天，要写成 2026-06-16") from error


def firm_matches(
    office: Office, night: Night, one: Columns, code: str, visit: Visit
) -> dict[str, list[dict[str, Any]]]:
    """可享政策: now, nearly and not; one firm through the engine, amounts from the night's lists."""
    bounds = office.memory.get(("live", night.no), lambda: live(office.library(night).programs, night.as_of))
    seen = [b for b in bounds if visit.person.department in ("", b.program.item.department)]
    out: dict[str, list[dict[str, Any]]] = {"符合": [], "待核实": [], "差一点": [], "不符合": []}
    paying = {
        row["item"]: row for row in night.firm_pairs(code, ["item", "paid_low", "paid_high", "gave_way"])
    }
    for bound, hits in zip(seen, match(seen, one, night.as_of, night.answers(), every=True), strict=True):
        item, verdict = bound.program.item, str(VERDICTS[hits.verdict[0]])
        row: dict[str, Any] = {
            "id": item.id,
            "title": item.title,
            "low": None,
            "high": None,
            "gave": "",
            "fails": int(hits.fails[0].sum()),
        }
        if verdict != "不符合":
            paid = paying.get(item.id)
            if paid:
                row |= {
                    "low": number(paid["paid_low"]),
                    "high": number(paid["paid_high"]),
                    "gave": paid["gave_way"],
                }
        place = "差一点" if verdict == "不符合" and row["fails"] == 1 else verdict
        out[place].append(row)
    for miss in out["差一点"][:8]:
        found = night.explain(code, miss["id"])
        failed = next((e for e in found.evidence if e.verdict == "不符合"), None) if found else None
        miss["gap"] = (
            "" if failed is None else say_holds_on(failed.holds_on) if failed.holds_on else failed.gap
        )
        miss["quote"] = failed.quote if failed else ""
    out["符合"].sort(key=lambda r: -(r["low"] or 0))
    return out


@router.get("/desk/firms/{code}/yaml")
def firm_yaml(request: Request, code: str, visit: Visit = need("contacts")) -> Response:
    """导出一家 as YAML; it holds contacts, so that the look is logged."""
    office, night = visit.office, visit.office.night()
    if night is None:
        raise HTTPException(404, "还没有做过比对")
    try:
        text = export_firm(office.engine, code, night.as_of, office.library(night).dictionary)
    except ValueError as error:
        raise HTTPException(404, str(error)) from error
    with writing(office.engine) as opened:
        audit.record(opened, visit.who, "导出档案", code, {}, office.now())
    return Response(
        text,
        media_type="application/yaml",
        headers={"Content-Disposition": f'attachment; filename="{code}.yaml"'},
    )


@router.post("/desk/firms/{code}/correction")
def ask_correction(request: Request, code: str, given: Posted = posted("ask")) -> Response:
    """指出错误: puts a request on the owning department's list."""
    office, night = given.visit.office, given.visit.office.night()
    if night is None:
        raise HTTPException(404, "还没有做过比对")
    try:
        corrections.file_correction(
            office.engine, code, given.text("indicator"), dictionary=office.library(night).dictionary, at=office.now(),
            claimed=given.text("claimed"), reason=given.text("reason"), by=given.visit.who, year=given.whole("year") or None,
        )  # fmt: skip
    except ValueError as error:
        return see(url("firm", code=code, told=f"没有保存：{error}"))
    with writing(office.engine) as opened:
        audit.record(
            opened, given.visit.who, "请求更正", code, {"指标": given.text("indicator")}, office.now()
        )
    return see(url("firm", code=code, told="已请归口部门核对"))


@router.post("/desk/firms/{code}/officers")
def assign(request: Request, code: str, given: Posted = posted("settings")) -> Response:
    """分派两专员."""
    office = given.visit.office
    accounts.set_officers(
        office.engine,
        code,
        given.text("enterprise"),
        given.text("service"),
        by=given.visit.who,
        now=office.now(),
    )
    return see(url("firm", code=code, told="专员已分派"))


@router.post("/desk/firms/{code}/code")
def send_code(request: Request, code: str, given: Posted = posted("contacts")) -> HTMLResponse:
    """发登录码: a one-time code for the firm, shown once to be passed on."""
    office, night = given.visit.office, given.visit.office.night()
    if night is None or code not in office.row_numbers(night):
        raise HTTPException(404, f"企业档案里没有 {code}")
    secret = credentials.make_code(office.engine, code, by=given.visit.who, now=office.now())
    return render(request, "code.html", code=code, name=office.name(night, code), secret=secret)
