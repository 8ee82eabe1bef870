"""企业: the list, one enterprise's file with sources, portrait, matches; names to claim; corrections."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pyarrow.parquet as pq
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from desk.evidence import source_title
from desk.finding import find_firms
from desk.office import CODE, Office, number
from desk.pages.matches import my_firms
from desk.urls import url
from desk.web import Posted, Visit, need, posted, render, see
from engine.columns import Columns
from engine.explain import value_at
from engine.matching import VERDICTS, live, match
from engine.words import say_value
from profiles.exchange import SECTIONS, section_of
from profiles.file import Fact
from profiles.portrait import Portrayer
from store import accounts, audit, claims, corrections, grants, outbox, review
from store.database import writing
from store.exchange import export_firm
from store.firms import provenance, relations
from store.nights import Night, item_file

router = APIRouter()
CONTACT = re.compile("电话|手机|联系人|邮箱|法定代表人|证件")
PAGE = 100


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
def identity_list(request: Request, visit: Visit = need("data")) -> HTMLResponse:
    """认企业: rows whose firm is not certain; the code decides, a person confirms."""
    return render(
        request, "identity.html", rows=claims.pending(visit.office.engine, limit=100), title=source_title
    )


@router.post("/desk/firms/identity")
def answer_identity(request: Request, given: Posted = posted("decide")) -> Response:
    """答复认领."""
    office, code = given.visit.office, given.text("code") if given.text("do") != "都不是" else ""
    try:
        claims.answer(office.engine, given.whole("id"), code, by=given.visit.who, at=office.now())
    except ValueError as error:
        return see(url("identity", told=f"没有保存：{error}"))
    with writing(office.engine) as opened:
        audit.record(
            opened, given.visit.who, "认企业", code or "都不是", {"行": given.whole("id")}, office.now()
        )
    return see(url("identity", told="记下了，这一行已按答复入库" if code else "记下了：都不是"))


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
    asked = request.query_params.get("as-of", "")
    day = _day(asked) or night.as_of
    known_on = day if asked and day < night.as_of else None
    dictionary = office.library(night).dictionary
    facts = provenance(office.engine, code, day, dictionary, known_on=known_on)
    groups = fact_groups(facts, one, contacts) if facts else snapshot_groups(one, contacts)
    matches = firm_matches(office, night, one, code, visit)
    portrait = [
        x for x in Portrayer(one, night.as_of).lines() if x.tags or x.number is not None or x.possible
    ]
    return render(
        request, "firm.html", code=code, name=office.name(night, code) or code, groups=groups, matches=matches, night=night,
        portrait=portrait, day=day, past=known_on is not None, contacts=contacts, officers=accounts.officers(office.engine).get(code),
        line=review.history(office.engine, code=code)[:12], cases=grants.find(office.engine, code=code),
        pushes=outbox.list_pushes(office.engine, firm=code, limit=20), related=relations(office.engine, code),
        corrections=corrections.corrections(office.engine, code=code), troubled=sum(r["state"] != "" for g in groups for r in g[1]),
        names={p.login: p.name for p in accounts.people(office.engine)}, stored=bool(facts),
    )  # fmt: skip


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise HTTPException(400, f"没有“{text}”这一天，要写成 2026-06-16") from error


def fact_groups(facts: Any, one: Columns, contacts: bool) -> list[tuple[str, list[dict[str, Any]]]]:
    """指标 by section: the newest year first, with earlier years as bars and rivals below."""
    groups: dict[str, list[dict[str, Any]]] = {}
    order = {name: i for i, name in enumerate(SECTIONS)}
    place = {name: i for i, name in enumerate(one.dictionary)}
    names = sorted(
        {key[0] for key in facts}, key=lambda n: (order.get(_section(one, n), 99), place.get(n, 9999), n)
    )
    for name in names:
        years = sorted((k[1] for k in facts if k[0] == name and k[1]), reverse=True)
        keys = [(name, y) for y in years] or [(name, None)]
        for i, key in enumerate(keys[:3]):
            fact = facts[key]
            if i and fact.state == "已知":
                continue
            groups.setdefault(_section(one, name), []).append(
                _fact_row(fact, one, facts, years if not i else [], contacts)
            )
            rivals = fact.others if fact.state == "冲突" else ()
            groups[_section(one, name)] += [
                {**_fact_row(r, one, facts, [], contacts), "sub": True, "name": ""} for r in rivals
            ]
    return list(groups.items())


def _section(one: Columns, name: str) -> str:
    return section_of(name, one.dictionary)


def _fact_row(fact: Fact, one: Columns, facts: Any, years: list[int], contacts: bool) -> dict[str, Any]:
    spec = one.dictionary.get(fact.indicator)
    shown = fact.shown if fact.shown is not None else fact.value
    text = say_value(shown, spec.kind, spec.unit) if spec and not isinstance(shown, dict) else str(shown)
    state = {"已知": "", "过期": "已过期", "冲突": "两个数值", "不可取用": "不可用"}.get(
        fact.state, fact.state
    )
    bars = (
        [_plain(facts.get((fact.indicator, y))) for y in range(max(years) - 4, max(years) + 1)]
        if years
        else None
    )
    numeric = spec is not None and spec.kind in ("金额", "数量", "比例")
    return {
        "name": fact.indicator, "year": fact.year or "", "value": text if contacts else mask(fact.indicator, text),
        "source": source_title(fact.source, fact.department), "authority": fact.authority, "state": state,
        "day": fact.day.isoformat() if fact.dated else f"{fact.day.isoformat()} 到", "sub": False,
        "numeric": spec is not None and spec.kind in ("金额", "数量", "比例"),
        "bars": bars if numeric and bars and sum(b is not None for b in bars) > 1 else None,
    }  # fmt: skip


def _plain(fact: Fact | None) -> float | None:
    return float(fact.value) if fact is not None and isinstance(fact.value, int | float) else None


def mask(name: str, text: str) -> str:
    """联系方式遮住: all but the first and the last two characters."""
    if not CONTACT.search(name) or text in ("缺", ""):
        return text
    return text[:1] + "＊" * max(len(text) - 3, 2) + (text[-2:] if len(text) > 4 else "")


def snapshot_groups(one: Columns, contacts: bool) -> list[tuple[str, list[dict[str, Any]]]]:
    """指标 of a firm that came from a file: values without origins."""
    groups: dict[str, list[dict[str, Any]]] = {}
    keys = sorted(
        {*one.numbers, *one.categories, *one.lists}, key=lambda k: (_section(one, k[0]), k[0], -(k[1] or 0))
    )
    for name, year in keys:
        value = value_at(one, 0, name, year)
        if value is None:
            continue
        spec = one.dictionary[name]
        text = say_value(value, spec.kind, spec.unit)
        groups.setdefault(_section(one, name), []).append({
            "name": name, "year": year or "", "value": text if contacts else mask(name, text), "source": spec.source or "—",
            "authority": "", "state": "", "day": "—", "sub": False,
        "numeric": spec is not None and spec.kind in ("金额", "数量", "比例"), "bars": None,
        })  # fmt: skip
    return list(groups.items())


def firm_matches(
    office: Office, night: Night, one: Columns, code: str, visit: Visit
) -> dict[str, list[dict[str, Any]]]:
    """可享政策: now, nearly and not; one firm through the engine, amounts from the night's lists."""
    bounds = office.memory.get(("live", night.no), lambda: live(office.library(night).programs, night.as_of))
    seen = [b for b in bounds if visit.person.department in ("", b.program.item.department)]
    out: dict[str, list[dict[str, Any]]] = {"符合": [], "待核实": [], "差一点": [], "不符合": []}
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
            path = item_file(night.folder, item.id)
            columns = ["paid_low", "paid_high", "gave_way"]
            paid = (
                pq.read_table(path, columns=columns, filters=[(CODE, "=", code)]).to_pylist()
                if path.is_file()
                else []
            )
            if paid:
                row |= {
                    "low": number(paid[0]["paid_low"]),
                    "high": number(paid[0]["paid_high"]),
                    "gave": paid[0]["gave_way"],
                }
        place = "差一点" if verdict == "不符合" and row["fails"] == 1 else verdict
        out[place].append(row)
    for miss in out["差一点"][:8]:
        found = night.explain(code, miss["id"])
        failed = next((e for e in found.evidence if e.verdict == "不符合"), None) if found else None
        miss["gap"] = (
            ""
            if failed is None
            else f"{failed.holds_on.isoformat()} 起符合"
            if failed.holds_on
            else failed.gap
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
    secret = accounts.make_code(office.engine, code, by=given.visit.who, now=office.now())
    return render(request, "code.html", code=code, name=office.name(night, code), secret=secret)
