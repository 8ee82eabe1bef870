"""企业端·我的档案、已到账、消息与意愿: a firm's own values with their sources, what it got, what it wants to hear."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from desk.evidence import facts_of
from desk.exports import Paper
from desk.firm import (
    LONGEST_REPLY,
    FirmPosted,
    FirmRoute,
    FirmVisit,
    firm,
    firm_posted,
    found_items,
    has_form,
    why,
)
from desk.firmfile import fact_groups, mask, snapshot_groups
from desk.publicity import shows_credit
from desk.web import render, see
from store import audit, corrections, grants
from store.database import writing
from store.reach import FirmReach, change_reach, erase_contacts, own_contacts, reach

router = APIRouter(prefix="/my", tags=["企业"], route_class=FirmRoute)
FILLED = ("企业类型", "成立日期", "注册资本", "注册地址", "登记行业代码", "经营范围")
BLANK = "＿" * 24
CREDIT = "信用"
PACES = {"": "和别的企业一样", "30": "一个月最多一次", "90": "一季最多一次"}
WISH = {"愿意": True, "不愿意": False}


def _done(path: str, words: str) -> Response:
    return see(f"{path}?told={quote(words)}")


# ---------------------------------------------------------------- the firm's own file


@router.get("/file", response_class=HTMLResponse)
def own_file(request: Request, visit: FirmVisit = Depends(firm)) -> HTMLResponse:
    """我的档案: each value with its source and day; contacts masked; no condition, score or guess.

    Section by section folded, for a phone; `?all=1` opens all, to be read through or printed.
    """
    return _file(request, visit, "", {"of": "", "claimed": "", "reason": ""})


def _groups(visit: FirmVisit) -> tuple[list[tuple[str, list[dict[str, Any]]]], bool]:
    """取值 by section, and whether the store holds the firm's file (else a value cannot be objected to here)."""
    office, night = visit.office, visit.office.night()
    one = office.one(night, visit.code) if night else None
    if night is None or one is None:
        return [], False
    facts = facts_of(office, night, visit.code)
    groups = fact_groups(facts, one, False) if facts else snapshot_groups(one, False)
    if not shows_credit(office.engine):
        groups = [(section, rows) for section, rows in groups if section != CREDIT]
    return groups, bool(facts)


def _file(request: Request, visit: FirmVisit, fault: str, kept: dict[str, str]) -> HTMLResponse:
    groups, stored = _groups(visit)
    every = request.query_params.get("all") == "1"
    asked = corrections.corrections(visit.office.engine, code=visit.code)
    return render(
        request, "my_file.html", 409 if fault else 200, name=visit.name(), code=visit.code, night=visit.office.night(),
        groups=[_folded(*g, every or n == 0, kept["of"]) for n, g in enumerate(groups)], every=every, stored=stored, fault=fault, kept=kept, asked=asked[::-1],
        open={_of(c.indicator, c.year) for c in asked if c.state == corrections.OPEN},
    )  # fmt: skip


def _folded(section: str, rows: list[dict[str, Any]], shown: bool, at: str) -> dict[str, Any]:
    """一节: its values, how many, who sent them, and whether it stands open: also where an objection has to be typed again."""
    sources = dict.fromkeys(r["source"] for r in rows if r["source"] not in ("", "—"))
    return {
        "title": section, "rows": rows, "count": sum(not r["sub"] for r in rows), "sources": "、".join(sources),
        "shown": shown or (bool(at) and any(r["of"] == at for r in rows)),
    }  # fmt: skip


def _of(indicator: str, year: int | None) -> str:
    return indicator + (f"@{year}" if year else "")


@router.post("/file/corrections")
def object_to(request: Request, given: FirmPosted = Depends(firm_posted)) -> Response:
    """指出错误: a request on the owning department's list; the value itself stays as its source sent it."""
    visit, office, night = given.visit, given.visit.office, given.visit.office.night()
    of, claimed, reason = given.text("of"), given.text("claimed"), given.text("reason", LONGEST_REPLY)
    facts = facts_of(office, night, visit.code) if night else {}
    fact = next((f for key, f in facts.items() if _of(*key) == of), None)
    if night is None or fact is None:
        raise HTTPException(404, "您的档案里没有这一项")
    shown = next((r["value"] for _, rows in _groups(visit)[0] for r in rows if r["of"] == of), "")
    dictionary = office.library(night).dictionary
    owner = dictionary[fact.indicator].department if fact.indicator in dictionary else ""
    kept = {"of": of, "claimed": claimed, "reason": reason}
    if not claimed or not reason:
        return _file(request, visit, "没有提出：请写明应当是多少，以及凭什么", kept)
    waiting = corrections.corrections(office.engine, code=visit.code, state=corrections.OPEN)
    if any(_of(c.indicator, c.year) == of for c in waiting):
        return _file(request, visit, f"没有提出：“{fact.indicator}”您已经提过，部门还没有答复", kept)
    try:
        number = corrections.file_correction(
            office.engine, visit.code, fact.indicator, dictionary=dictionary, at=office.now(), claimed=claimed,
            reason=reason, by=visit.who, year=fact.year, shown=shown, department=owner or fact.department,
        )  # fmt: skip
    except ValueError as error:
        return _file(request, visit, f"没有提出：{error}", kept)
    about = {"指标": of, "编号": number}
    with writing(office.engine) as opened:
        audit.record(opened, visit.who, "企业指出错误", visit.code, about, office.now())
    return _done("/my/file", "已请归口部门核对，答复会写在这一页")


# ---------------------------------------------------------------- money


@router.get("/money", response_class=HTMLResponse)
def money(request: Request, visit: FirmVisit = Depends(firm)) -> HTMLResponse:
    """已到账: every payment that arrived, by grant, and what was taken back; yuan."""
    engine = visit.office.engine
    rows: list[dict[str, Any]] = []
    for case in grants.find(engine, code=visit.code):
        if not (case.arrived or case.recovered) or case.id is None:
            continue
        paid = [
            {"on": e.on, "yuan": e.fen / 100, "ref": str(e.facts.get("流水号", ""))}
            for e in grants.history(engine, case.id)
            if e.action == "到账" and e.fen
        ]
        rows.append({
            "item": case.item, "title": case.title, "batch": case.batch, "department": case.department, "paid": paid,
            "yuan": case.arrived / 100, "back": case.recovered / 100,
        })  # fmt: skip
    total = sum(r["yuan"] - r["back"] for r in rows)
    return render(request, "my_money.html", name=visit.name(), rows=rows, total=total)


# ---------------------------------------------------------------- what the firm wants to hear


@router.get("/wishes", response_class=HTMLResponse)
def wishes(request: Request, visit: FirmVisit = Depends(firm)) -> HTMLResponse:
    """消息与意愿: consent to messages, stopping them, items the firm does not want."""
    kept = reach(visit.office.engine, visit.code) or FirmReach(code=visit.code, updated=visit.office.now())
    return render(
        request, "my_wishes.html", name=visit.name(), reach=kept, titles=_titles(visit), contacts=bool(kept.email or kept.phone),
        paces=PACES, pace=str(kept.every_days or ""), email=mask("邮箱", kept.email), phone=mask("电话", kept.phone),
    )  # fmt: skip


def _titles(visit: FirmVisit) -> dict[str, str]:
    night = visit.office.night()
    frame = visit.office.items(night) if night else None
    return {} if frame is None else dict(zip(frame["item"], frame["title"], strict=True))


@router.post("/wishes")
def wish(given: FirmPosted = Depends(firm_posted)) -> Response:
    """改意愿: consent and stop; the inbox itself is never stopped."""
    visit = given.visit
    consent = given.text("consent")
    if consent not in WISH:
        raise HTTPException(400, "请选“愿意”或“不愿意”")
    pace = given.text("pace")
    if pace not in PACES:
        raise HTTPException(400, "请选多久收一次")
    changes: dict[str, Any] = {"consent": WISH[consent], "stopped": given.text("stopped") == "是"}
    changes["every_days"] = int(pace) if pace else None
    _change(
        visit, changes, {"同意": consent, "停发": "是" if changes["stopped"] else "否", "间隔": PACES[pace]}
    )
    return _done("/my/wishes", "已按您的意思改好")


@router.post("/wishes/contacts")
def contacts(given: FirmPosted = Depends(firm_posted)) -> Response:
    """改或删去自己的联系方式: the address itself stands in no record."""
    visit, office = given.visit, given.visit.office
    if given.text("do") == "删去":
        count = erase_contacts(office.engine, office.now(), visit.who, code=visit.code)
        return _done("/my/wishes", "联系方式已删去" if count else "我们本来就没有您的联系方式")
    try:
        names = own_contacts(
            office.engine,
            visit.code,
            office.now(),
            given.text("email", 200),
            given.text("phone", 40),
            visit.who,
        )
    except ValueError as error:
        return _done("/my/wishes", f"没有改：{error}")
    return _done("/my/wishes", f"改好了：{'、'.join(names)}" if names else "没有变化")


@router.post("/wishes/items")
def wish_item(given: FirmPosted = Depends(firm_posted)) -> Response:
    """不要一项, or want it again."""
    visit, item, act = given.visit, given.text("item"), given.text("do")
    kept = reach(visit.office.engine, visit.code)
    refused = list(kept.refused) if kept else []
    if act not in ("不要", "恢复") or (item not in _titles(visit) and item not in refused):
        raise HTTPException(404, "没有这一项")
    changed = [i for i in refused if i != item] + ([item] if act == "不要" else [])
    if changed != refused:
        _change(visit, {"refused": changed}, {"事项": item, "意愿": act})
    return _done("/my/wishes", "以后不再发这一项的消息" if act == "不要" else "这一项的消息恢复了")


def _change(visit: FirmVisit, changes: dict[str, Any], about: dict[str, str]) -> None:
    office = visit.office
    change_reach(office.engine, visit.code, office.now(), **changes)
    with writing(office.engine) as opened:
        audit.record(opened, visit.who, "企业改意愿", visit.code, about, office.now())


# ---------------------------------------------------------------- the prefilled form


@router.get("/items/{document}/{slug}/form.pdf")
def form_file(document: str, slug: str, visit: FirmVisit = Depends(firm)) -> Response:
    """预填表 of a 即申即享 item: what the departments hold is filled in; the account and the seal are left."""
    office, night, item = visit.office, visit.office.night(), f"{document}/{slug}"
    shown = why(office, night, visit.code, item) if night else None
    if shown is None or not has_form(office, night, visit.code, item):
        raise HTTPException(404, "这一项没有预填的申请表")
    row = next(r for r in found_items(office, night, visit.code) if r["item"] == item)
    body = _form(visit, shown, row)
    name = quote(f"{shown['item'].title}申请表.pdf")
    return Response(
        body, media_type="application/pdf",
        headers={"Content-Disposition": f"attachment; filename=\"form.pdf\"; filename*=UTF-8''{name}"},
    )  # fmt: skip


def _form(visit: FirmVisit, shown: dict[str, Any], row: dict[str, Any]) -> bytes:
    night = visit.office.night()
    assert night is not None
    item, document, batch = shown["item"], shown["document"], shown["batch"]
    paper = Paper(f"第 {night.no} 次比对，数据截至 {night.as_of}")
    paper.say(f"{item.title}申请表", 16, gap=2)
    paper.say(f"依据：{document.title}{f'（{document.number}）' if document.number else ''}", song=True)
    paper.say(f"办理部门：{item.department}　批次：{batch.name}（{batch.opens} 至 {batch.closes}）")
    paper.rule(thick=True)
    paper.say("一、企业（由登记数据填好）", 11)
    paper.say(f"企业名称：{visit.name()}")
    paper.say(f"统一社会信用代码：{visit.code}")
    held = {r["name"]: r for _, rows in _groups(visit)[0] for r in rows if not r["sub"]}
    for name in FILLED:
        r = held.get(name)
        if r is None or r["value"] in ("", "缺"):
            paper.say(f"{name}：{BLANK}")
        else:
            paper.say(f"{name}：{r['value']}（{' '.join(x for x in (r['source'], r['day']) if x != '—')}）")
    paper.rule()
    paper.say("二、条件与现有数据（请核对，不对的请在“我的档案”指出）", 11)
    for no, one in enumerate(shown["rows"], 1):  # Not the rule's numbers: a gap tells of a hidden one.
        paper.say(f"{no}. {one['quote'] or one['rule']}　{one['cite']}", song=True)
        known = "　".join(x for x in (one["value"], one["source"], one["day"]) if x and x != "—")
        paper.say(
            f"{one['verdict'] or '由部门核查'}{'：' + known if one['verdict'] and known else ''}", 9, indent=5
        )
    paper.rule()
    paper.say("三、金额与材料", 11)
    high = row["high"]
    paper.say("比对金额：" + ("待核定" if high is None else f"{high:,.2f} 元，以核定为准"))
    paper.say(f"要交的材料：{'、'.join(item.materials) or '不用交材料，由部门共享数据核对'}")
    paper.rule()
    paper.say("四、收款账户（请填写）", 11)
    for field in ("户名", "账号", "开户行"):
        paper.say(f"{field}：{visit.name() if field == '户名' else BLANK}")
    paper.say("以上内容属实，账户是本企业的账户。", gap=6)
    paper.say("企业盖章：＿＿＿＿＿＿＿＿　　日期：＿＿＿＿年＿＿月＿＿日")
    return paper.done()


@router.api_route("/{rest:path}", methods=["GET", "POST"], include_in_schema=False)
def nothing(rest: str) -> Response:
    """没有这一页: every other address, another firm's among them."""
    raise HTTPException(404, "没有这一页")
