"""事项: the list, one item's rule beside its clauses, drafting, checking, signing and publishing by two persons."""

from __future__ import annotations

import os
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from desk.office import Office
from desk.pages.impact import limits_of
from desk.pages.matches import opened, tabs
from desk.ready import readiness_of
from desk.rules import Checked, changed_lines, check_draft, impact_of, lines_of, meaning_changes, rule_rows
from desk.said import window_words
from desk.urls import url
from desk.web import Posted, Visit, need, posted, render, see
from engine.errors import Problem
from engine.policy import numbered
from engine.program import Program
from policies.cases import CaseReader, case_file_of, difference, run_cases
from policies.check import coverage_words
from policies.items import FIELDS, clock_of, field_values
from policies.library import Library, read_yaml
from store import accounts, drafts
from store.calendars import office_calendar
from store.nights import Night

router = APIRouter()
MOST_TEXT = 200_000


@router.get("/desk/items")
def item_index(request: Request, status: str = "", q: str = "", visit: Visit = need("items")) -> Response:
    """事项一览: in force, due, suspended, repealed."""
    office, night = visit.office, visit.office.night()
    if night is None:
        return render(request, "no_night.html", active="items")
    library, calendar, today = office.library(night), office_calendar(office.engine), office.today()
    figures = {r["item"]: r for r in office.items(night).to_dict("records")}
    rows = []
    for loaded in library.documents.values():
        for held in loaded.items:
            item = held.item
            if visit.person.department not in ("", item.department) or (q and q not in item.title + item.id):
                continue
            batch = item.live_batch(today)
            state = item.status if item.status != "有效" else "受理中" if batch else "不在窗口"
            machine, people = coverage_words(item, numbered(loaded.document.general.conditions))
            rows.append({
                "item": item, "document": loaded.document, "state": state, "machine": machine, "people": people,
                "window": window_words(batch, today) if batch else "", "figures": figures.get(item.id),
                "clock": clock_of(loaded.document, item, today, calendar)[0], "broken": held.program is None,
            })  # fmt: skip
    states = ["受理中", "不在窗口", "草稿", "暂停", "额满", "失效"]
    counts = {s: sum(r["state"] == s for r in rows) for s in states}
    shown = [r for r in rows if not status or r["state"] == status]
    return render(request, "items.html", rows=shown, counts=counts, status=status, total=len(rows), q=q)


@router.get("/desk/items/{doc}/{slug}")
def item_page(request: Request, doc: str, slug: str, visit: Visit = need("items")) -> HTMLResponse:
    """事项与规则."""
    item, office = f"{doc}/{slug}", visit.office
    night, bound = opened(office, visit, item)
    library = office.library(night)
    program = library.program(item)
    assert program is not None
    rows = rule_rows(office, night, program, bound)
    figures = next((r for r in office.items(night).to_dict("records") if r["item"] == item), None)
    fields = field_values(library, program.document, program.item)
    waiting = [d for d in drafts.drafts(office.engine, item) if d.state in (drafts.DRAFT, drafts.SUBMITTED)]
    return render(
        request, "item.html", item=program.item, document=program.document, rows=rows, bound=bound, figures=figures,
        lines=lines_of(program, bound), exclusive=program.exclusive, waiting=waiting[0] if waiting else None,
        diff=changed_lines(waiting[0].base_text, waiting[0].text) if waiting else [], tabs=tabs(visit, night, item),
        versions=drafts.drafts(office.engine, item, (drafts.PUBLISHED,)), fields=fields, missing=[f for f in FIELDS if not fields[f]],
        counts={s: sum(r.state == s for r in rows) for s in ("机器可判", "数据不全", "需人工判断")}, names=names(office),
        source=source_text(office, item), samples=samples_of(office, night, program), ready=readiness_of(office, night, program),
    )  # fmt: skip


def names(office: Office) -> dict[str, str]:
    return {p.login: p.name for p in accounts.people(office.engine)}


def rule_path(office: Office, item: str) -> Path:
    """规则文件: only ids that are in the library lead to a path."""
    doc, slug = item.split("/", 1)
    return office.library_root / doc / "items" / f"{slug}.yaml"


def samples_of(office: Office, night: Night, program: Program) -> tuple[int, list[tuple[str, str]]]:
    """样例: how many stand beside the rule file, and those that the night's rule does not pass, with the difference."""
    path = case_file_of(rule_path(office, program.item.id))
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if not text:
        return 0, []
    key = ("samples", night.run.library_hash, program.item.id, drafts.fingerprint(text))
    return office.memory.get(key, lambda: _run_samples(office.library(night), path, program))


def _run_samples(library: Library, path: Path, program: Program) -> tuple[int, list[tuple[str, str]]]:
    faults: list[Problem] = []
    root = read_yaml(path, path.name, faults.append)
    if root is None:
        return 0, [(path.name, f.message) for f in faults]
    cases = CaseReader(library.dictionary, faults.append).file(root, program, path.name).cases
    got = run_cases(program, cases, library.dictionary, faults.append)
    failed = [(c.name, words) for c, g in zip(cases, got, strict=True) if (words := difference(c, g))]
    return len(cases), failed + [(path.name, f.message) for f in faults]


def source_text(office: Office, item: str) -> str:
    path = rule_path(office, item)
    return path.read_text(encoding="utf-8") if path.is_file() else ""


# ---------------------------------------------------------------- drafts


@router.post("/desk/items/{doc}/{slug}/edit")
def begin_draft(request: Request, doc: str, slug: str, given: Posted = posted("edit")) -> Response:
    """起草: a draft from the published rule, or the one that is under way."""
    item, office = f"{doc}/{slug}", given.visit.office
    opened(office, given.visit, item)
    text = source_text(office, item)
    if not text:
        raise HTTPException(404, "政策库里没有这个规则文件")
    tests = rule_path(office, item).with_suffix(".test.yaml")
    cases = tests.read_text(encoding="utf-8") if tests.is_file() else ""
    try:
        made = drafts.begin(office.engine, item, text, cases, given.visit.who, office.now())
    except drafts.DraftError:
        under_way = drafts.drafts(office.engine, item, (drafts.DRAFT, drafts.SUBMITTED))
        return see(url("draft", draft=under_way[0].id))
    return see(url("draft", draft=made.id))


@router.get("/desk/drafts/{number}")
def draft_page(request: Request, number: int, visit: Visit = need("items")) -> HTMLResponse:
    """草稿."""
    return show_draft(request, visit, draft_of(visit, number))


def draft_of(visit: Visit, number: int) -> drafts.RuleDraft:
    """草稿. Raises 404, or 403 for another department's item."""
    made = drafts.draft(visit.office.engine, number) if 0 < number < 2**62 else None
    if made is None:
        raise HTTPException(404, "没有这份草稿")
    night = visit.office.night()
    program = visit.office.library(night).program(made.item) if night else None
    if program is not None:
        visit.need_item(program.item.department)
    return made


def check(office: Office, made: drafts.RuleDraft, text: str, cases: str | None = None) -> Checked:
    sets = office.night().run.settings.get("sets", {}) if office.night() else {}  # type: ignore[union-attr]
    return check_draft(office.library_root, made.item, text, made.cases if cases is None else cases, sets)


def show_draft(
    request: Request, visit: Visit, made: drafts.RuleDraft, text: str | None = None, fault: str = ""
) -> HTMLResponse:
    office, night = visit.office, visit.office.night()
    body = made.text if text is None else text
    checked = check(office, made, body)
    before = office.library(night).program(made.item) if night else None
    impact = impact_of(night, made.item, checked.program) if night and checked.program else None
    base = check(office, made, made.base_text, "").program if made.base_text else None
    return render(
        request, "draft.html", 409 if fault else 200, draft=made, text=body, seen=drafts.fingerprint(made.text), fault=fault,
        checked=checked, diff=changed_lines(made.base_text, body), impact=impact, approval=impact.approval(limits_of(office)) if impact else [], names=names(office),
        item=before.item if before else None, meaning=meaning_changes(base, checked.program),
    )  # fmt: skip


# 草稿的一步 → the right it needs
STEPS = {
    "存草稿": "edit", "提交签发": "edit", "作废": "edit", "退回": "sign", "批准": "approve", "签发并发布": "sign",
}  # fmt: skip


def cases_of(given: Posted) -> str | None:
    """样例 of the form; None where the form has no field for them."""
    raw = given.form.get("cases")
    return raw.replace("\r\n", "\n") if isinstance(raw, str) else None


@router.post("/desk/drafts/{number}/check")
def check_text(request: Request, number: int, given: Posted = posted("edit")) -> JSONResponse:
    """边写边查: the checker's words with carets, nothing saved."""
    made = draft_of(given.visit, number)
    text = given.form.get("text", "")
    checked = check(given.visit.office, made, text if isinstance(text, str) else "", cases_of(given))
    return JSONResponse({"errors": checked.errors, "problems": [words for _, words in checked.problems]})


@router.post("/desk/drafts/{number}")
def save_draft(request: Request, number: int, given: Posted = posted("items")) -> Response:
    """草稿的一步: 存 · 提交 · 退回 · 批准 · 签发 · 作废."""
    visit, made, do = given.visit, draft_of(given.visit, number), given.text("do")
    office, now = visit.office, visit.office.now()
    if do not in STEPS or not visit.may(STEPS[do]):
        raise HTTPException(403, f"您的角色不能“{do or '做这一步'}”")
    try:
        if do in ("存草稿", "提交签发"):
            return _save(request, given, made, do)
        if do == "退回":
            drafts.send_back(office.engine, number, visit.who, given.text("words"), now)
        elif do == "作废":
            drafts.drop(office.engine, number, visit.who, now)
            return see(url("item", item=made.item))
        elif do == "批准":
            approve(office, made, visit.who)
        else:
            publish(office, made, visit.who)
            return see(url("item", item=made.item, told="已发布，下一次比对起用"))
    except drafts.DraftError as error:
        return show_draft(request, visit, made, fault=str(error))
    return see(url("draft", draft=number))


def _save(request: Request, given: Posted, made: drafts.RuleDraft, do: str) -> Response:
    visit, office = given.visit, given.visit.office
    raw = given.form.get("text", "")
    text = raw.replace("\r\n", "\n") if isinstance(raw, str) else ""
    if len(text) > MOST_TEXT:
        raise HTTPException(400, "规则文件太长")
    assert made.id is not None
    try:
        saved = drafts.save(
            office.engine,
            made.id,
            text,
            given.text("note"),
            visit.who,
            office.now(),
            given.text("seen"),
            cases_of(given),
        )
    except drafts.DraftError as error:
        return show_draft(request, visit, made, text, str(error))
    if do == "提交签发":
        try:
            submit(office, saved, visit.who)
        except drafts.DraftError as error:
            return show_draft(request, visit, saved, fault=str(error))
    return see(url("draft", draft=made.id))


def submit(office: Office, made: drafts.RuleDraft, who: str) -> drafts.RuleDraft:
    """提交签发, with the impact on the latest night. Raises DraftError while the checker finds faults."""
    checked = check(office, made, made.text)
    if checked.errors or checked.program is None:
        raise drafts.DraftError(f"还有 {checked.errors} 处要改，改好才能提交签发")
    night = office.night()
    impact = impact_of(night, made.item, checked.program) if night else None
    shown = {**impact.summary(), "要领导批准": impact.approval(limits_of(office))} if impact else {}
    assert made.id is not None
    return drafts.submit(office.engine, made.id, shown, who, office.now())


def reasons_now(office: Office, made: drafts.RuleDraft) -> list[str]:
    """要领导批准的理由 on the latest night. Raises DraftError where the rule has faults now."""
    checked = check(office, made, made.text)
    if checked.errors or checked.program is None:
        raise drafts.DraftError("规则现在有错，不能发布，请退回修改")
    night = office.night()
    impact = impact_of(night, made.item, checked.program) if night else None
    return impact.approval(limits_of(office)) if impact else []


def approve(office: Office, made: drafts.RuleDraft, who: str) -> None:
    """领导批准 of a change beyond the limits of setting `impact`. Raises DraftError."""
    assert made.id is not None
    drafts.approve(office.engine, made.id, reasons_now(office, made), who, office.now())


def publish(office: Office, made: drafts.RuleDraft, who: str) -> None:
    """发布: the rule file is replaced whole, if it is still the one the draft began from. Raises DraftError."""
    reasons = reasons_now(office, made)
    path = rule_path(office, made.item)
    assert made.id is not None

    def put(_draft: drafts.RuleDraft) -> None:
        current = path.read_text(encoding="utf-8") if path.is_file() else ""
        if drafts.fingerprint(current) != made.base:
            raise drafts.DraftError("政策库里的规则文件在起草之后变过，请退回，从新的文件再改")
        part = path.with_suffix(f".part-{os.getpid()}")
        part.write_text(made.text, encoding="utf-8")
        part.replace(path)
        if _draft.cases:
            tests = path.with_suffix(".test.yaml")
            part.write_text(_draft.cases, encoding="utf-8")
            part.replace(tests)

    drafts.publish(office.engine, made.id, reasons, who, office.now(), put)
