"""依据: one match with everything it rests on, and what to do about it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from analysis.groups import group_title
from desk.details import detail_rows, narrowed
from desk.evidence import facts_of, law, rows_of, seen_of
from desk.listing import list_page, read_filters
from desk.office import CODE, Office, number
from desk.pages.matches import done_line, my_firms, opened
from desk.said import cap_of, money_words
from desk.urls import url
from desk.web import Visit, inside, need, render
from engine.explain import explain
from engine.policy import PolicyItem
from engine.program import BoundItem
from engine.standard import further_quotes, standard_lines
from store import accounts, grants, review
from store.night_scores import scored_with
from store.nights import Night
from store.turns import Turns

router = APIRouter()
PAST = 12


@router.get("/desk/matches/{code}/{doc}/{slug}")
def match_page(
    request: Request, code: str, doc: str, slug: str, visit: Visit = need("match")
) -> HTMLResponse:
    """依据页."""
    return render(request, "match.html", **material(request, visit, code, f"{doc}/{slug}"))


def material(request: Request, visit: Visit, code: str, item: str) -> dict[str, Any]:
    """依据页的材料. Raises 404 where the firm or the item was not in the night."""
    office = visit.office
    run = request.query_params.get("run", "")
    night, bound = opened(office, visit, item, int(run) if run.isdecimal() and len(run) < 10 else None)
    one = office.one(night, code)
    if bound is None or one is None:
        what = "这一项那天不在受理窗口里" if bound is None else f"企业档案里没有 {code}"
        raise HTTPException(404, f"第 {night.no} 次比对：{what}")
    facts = facts_of(office, night, code)
    found = explain(bound, one, night.as_of, night.answers(), seen_of(facts))
    details = detail_rows(bound, one, night.as_of, night.answers())
    own = next((d.id for d in details if d.speaks), "")
    about = request.query_params.get("row", "") or own
    only = narrowed(one, bound.program.item.subject, about) if about != own else None
    if about != own and only is None:
        raise HTTPException(404, f"这家企业没有“{about}”这个{bound.program.item.subject}")
    shown = found if only is None else explain(bound, only, night.as_of, night.answers(), seen_of(facts))
    rows = rows_of(shown, bound, one if only is None else only, night, facts)
    hit = hit_of(office, night, item, code)
    state = office.states(night, item, bound.batch.name).get(code, review.State())
    back = inside(request.query_params.get("from", ""), url("list", item=item))
    kinds = {r.n: {"待核实": "ask", "不符合": "not"}.get(r.line.verdict, "") for r in rows}
    cited = [(str(e.number), e.cite, e.quote, kinds[e.number]) for e in shown.evidence]
    benefit = bound.program.item.benefit
    if benefit is not None and benefit.quote:
        cited.append(("额", benefit.cite, benefit.quote, ""))
    cited += [("额", cite, quote, "") for quote, cite in further_quotes(benefit)]
    open_rows = [r for r in rows if r.open]
    row = next((d for d in details if d.id == about), None) if only is not None else None
    if (
        row is not None
    ):  # one project's own money: what the firm's projects come to together is on the firm's page
        hit |= {
            "low": row.low,
            "high": row.high,
            "gave": "",
            "lost": None,
            "note": "这一个算得的；就高和预算按整家企业看",
        }
    pair = office.pair(night, item, code, state.last)
    assert pair is not None
    served = Turns(office.engine).firms_of(visit.person)  # a 专员 opens the cases of the own firms alone
    approve = review.Act(review.APPROVE)
    outlook = review.forecast(approve, pair, review.second_limit(office.engine))
    return {
        "item": bound.program.item, "document": bound.program.document, "batch": bound.batch, "night": night,
        "code": code, "name": office.name(night, code) or code, "match": found, "rows": rows, "open_rows": open_rows,
        "counts": {v: sum(r.line.verdict == v for r in rows) for v in ("符合", "待核实", "不符合")}, "hit": hit,
        "cap": cap_of(bound), "law": law(bound.program.document, cited), "lines": list(standard_lines(benefit, bound.benefit)),
        "amount": money_words(hit["low"], hit["high"], cap_of(bound)), "state": state, "back": back,
        "neighbours": neighbours(office, visit, night, bound, back, code), "line": timeline(office, night, item, code),
        "facts": firm_line(one), "details": details, "about": about, "own": own, "shown": shown, "latest": night.no == getattr(office.night(), "no", None), "outlook": outlook,
        "reasons": review.reasons(office.engine), "people": colleagues(office, visit), "departments": departments(rows, bound.program.item),
        "done": done_line(office, request, visit, night), "run": run if run.isdecimal() else "", "officer": officer_of(office, code),
        "past": grants.find(office.engine, code=code, item=item), "own_firm": served is None or code in served,
        "answers": [a for a in review.answers(office.engine, item=item, code=code) if a.batch == bound.batch.name and a.row in ("", about)],
        "why_score": why_score(office, night, bound, code, one, hit), "pinned": bool(run), "fault": request.query_params.get("fault", ""), "kept": request.query_params.get("kept", ""),
    }  # fmt: skip


def hit_of(office: Office, night: Night, item: str, code: str) -> dict[str, Any]:
    """名单上的那一行: amounts payable, estimate, what it gave way to."""
    hits = office.hits(night, item)
    found = hits[hits[CODE] == code] if len(hits) else hits
    if not len(found):
        return {
            "low": None,
            "high": None,
            "score": None,
            "change": "",
            "gave": "",
            "lost": None,
            "note": "",
            "there": False,
        }
    row = found.iloc[0]
    return {
        "low": number(row["paid_low"]), "high": number(row["paid_high"]), "score": number(row["score"]), "there": True,
        "change": row["change"], "gave": row["gave_way"] or "", "lost": number(row["lost"]), "note": row["note"] or "",
    }  # fmt: skip


def officer_of(office: Office, code: str) -> str:
    """服务专员 of an enterprise, by name; "" for none."""
    mine = accounts.officers(office.engine).get(code)
    person = (
        accounts.find_person(office.engine, mine.service_officer) if mine and mine.service_officer else None
    )
    return person.name if person else mine.service_officer if mine else ""


def score_model(office: Office, night: Night) -> Any:
    """一夜的评分模型, some seconds to read and then kept; None without scores, or where the model is no longer there."""
    version = scored_with(night.folder)
    if not version:
        return None
    from analysis.scores_file import load

    try:
        return office.memory.get(("score model", version), lambda: load(office.home, version))
    except (ValueError, OSError):
        return None


def why_score(
    office: Office, night: Night, bound: Any, code: str, one: Any, hit: dict[str, Any]
) -> list[Any]:
    """估计的理由 of each open condition; empty where the pair has no estimate or its model is no longer there."""
    model = score_model(office, night) if hit["score"] is not None else None
    if model is None:
        return []
    from analysis.scores_reason import reasons

    hits = office.hits(night, bound.program.item.id)
    unknown = list(hits.loc[hits[CODE] == code, "unknown"].iloc[0])
    place = {name: n for n, name in enumerate(bound.ids, 1)}
    found = reasons(model, one, bound, unknown, night.answers())
    return [(place[r.id], r.words) for r in found]


def firm_line(one: Any) -> list[str]:
    """企业一行: industry, size, place where known."""
    out = []
    for name in ("行业代码", "企业规模", "登记地区划"):
        found = one.category(name, None)
        if found.codes[0] >= 0:
            out.append(group_title(name, str(found.names[found.codes[0]])))
    return out


def colleagues(office: Office, visit: Visit) -> list[accounts.Person]:
    """可以转交的同事."""
    able = {"经办", "复核", "专员", "管理员"}
    return [
        p for p in accounts.people(office.engine) if p.active and able & set(p.roles) and p.login != visit.who
    ]


def departments(rows: list[Any], item: PolicyItem) -> list[str]:
    """可以问的部门: the owners of what is missing, then the item's own."""
    found = [d for r in rows if r.open for d in r.departments]
    return list(dict.fromkeys([*found, item.department]))


def neighbours(
    office: Office, visit: Visit, night: Night, bound: BoundItem, back: str, code: str
) -> dict[str, Any] | None:
    """名单内的上一条、下一条, of the list the match was opened from."""
    split = urlsplit(back)
    item = bound.program.item.id
    if split.path != url("list", item=item):
        return None
    many = parse_qs(split.query)
    filters = read_filters({k: v[-1] for k, v in many.items()}, many)
    states = office.states(night, item, bound.batch.name)
    hits = office.hits(night, item)
    order = list_page(hits, bound.ids, states, my_firms(office, visit), filters).order
    ranks = hits["code_rank"].to_numpy()[order] if len(order) else order
    here = np.flatnonzero(ranks == office.code_rank(night, code))
    at = int(here[0]) if len(here) else None

    def step(to: int) -> str | None:
        if not 0 <= to < len(order):
            return None
        return url("match", code=hits[CODE].iloc[order[to]], item=item, from_=back)

    if at is None:
        return {"at": None, "total": len(order), "prev": None, "next": step(0)}
    return {"at": at + 1, "total": len(order), "prev": step(at - 1), "next": step(at + 1)}


def timeline(office: Office, night: Night, item: str, code: str) -> list[dict[str, Any]]:
    """经过: decisions, answers and changes of the verdict, newest first."""
    out: list[dict[str, Any]] = []
    names = {p.login: p.name for p in accounts.people(office.engine)}
    known = {r.code: r for r in review.all_reasons(office.engine)}
    for d in review.history(office.engine, item=item, code=code):
        reason = known.get(d.reason)
        words = "，".join(w for w in (reason.words if reason else "", d.target, d.text) if w)
        tail = (
            f"；{names.get(d.second_who, d.second_who)}复核：{'同意' if d.state == review.ACTIVE else '退回'}"
            if d.second_who
            else ""
        )
        state = f"（{d.state}）" if d.state in (review.WAITING, review.UNDONE) else ""
        out.append({"key": d.kind in (review.APPROVE, review.REJECT), "head": f"{d.kind}{state}", "words": words + tail,
                    "who": names.get(d.who, d.who), "at": d.at})  # fmt: skip
    for a in review.answers(office.engine, item=item, code=code):
        told = "收回答复" if a.answer is None else "答：是" if a.answer else "答：否"
        out.append({"key": True, "head": told, "words": a.why, "who": names.get(a.who, a.who), "at": a.at})
    out += verdict_changes(office, night, item, code)
    return sorted(out, key=lambda x: x["at"], reverse=True)


def verdict_changes(office: Office, night: Night, item: str, code: str) -> list[dict[str, Any]]:
    """结论和金额的变化 over the last nights."""
    nights = [n for n in reversed(office.nights()) if n.no <= night.no][-PAST:]
    out: list[dict[str, Any]] = []
    before: tuple[str, float | None] | None = None
    for one in nights:
        now = office.memory.get(("was", one.no, item, code), lambda one=one: _was(one, item, code))  # type: ignore[misc]
        if now != before:
            amount = money_words(now[1], now[1]) if now[0] != "不符合" else ""
            head = f"{before[0]} → {now[0]}" if before else now[0]
            out.append(
                {
                    "key": True,
                    "head": head,
                    "words": amount,
                    "who": f"第 {one.no} 次比对",
                    "at": one.run.finished,
                }
            )
        before = now
    return out


def _was(night: Night, item: str, code: str) -> tuple[str, float | None]:
    if item not in set(night.items()["item"]):
        return ("不在受理", None)
    row = night.pair(item, code, ["verdict", "paid_high"])
    return (row["verdict"], number(row["paid_high"])) if row else ("不符合", None)


@router.get("/desk/matches/{code}/{doc}/{slug}/print")
def print_page(request: Request, code: str, doc: str, slug: str, visit: Visit = need("match")) -> Response:
    """依据的打印页: the same page; the sheet lays it out for paper."""
    return render(request, "match.html", **material(request, visit, code, f"{doc}/{slug}"))
